/**
 * Data types as plain data: what a column holds on the server, and how JavaScript sees it.
 *
 * @module
 */

/** The names of all Fluss types, as `t` spells them. */
export type TypeKind = DataType["kind"];

/** How a value of a type appears in JavaScript, where there is a choice. Absent means the default of the type. */
export type ValueMode =
  | "number"
  | "unscaled"
  | "string"
  | "days"
  | "millis"
  | "date"
  | "epochMillis"
  | "epochMicros"
  | "epochNanos"
  | "object";

/** The constructors of `Temporal` that values are made with. */
export type TemporalLike = typeof Temporal;

/** Turns values of a column into values of your own and back. */
export interface Codec<V, Raw> {
  /** From what Sluice read to your value. */
  decode(raw: Raw): V;
  /** From your value to what Sluice writes. */
  encode(value: V): Raw;
}

/** What all types have. */
export interface TypeTraits {
  /** Whether null is a value. */
  readonly nullable: boolean;
  /** How JavaScript sees the value; absent means the default. */
  readonly mode?: ValueMode;
  /** The user's own codec on top; its raw form is the default form of the type (for decimals `{ unscaled, scale }`). */
  // deno-lint-ignore no-explicit-any -- the user's types are known where the column was declared
  readonly codec?: Codec<any, any>;
  /** A `Temporal` other than the runtime's own. */
  readonly temporal?: TemporalLike;
}

/** A type without parameters. */
export interface SimpleType extends TypeTraits {
  /** Which type it is. */
  readonly kind:
    | "boolean"
    | "tinyint"
    | "smallint"
    | "int"
    | "bigint"
    | "float"
    | "double"
    | "string"
    | "date"
    | "bytes";
}

/** CHAR(n) in characters, BINARY(n) in bytes. */
export interface SizedType extends TypeTraits {
  /** Which type it is. */
  readonly kind: "char" | "binary";
  /** At least 1. */
  readonly length: number;
}

/** DECIMAL(precision, scale): precision 1 to 38, scale 0 to precision. */
export interface DecimalType extends TypeTraits {
  /** Which type it is. */
  readonly kind: "decimal";
  /** Digits in all. */
  readonly precision: number;
  /** Digits behind the point. */
  readonly scale: number;
}

/** TIME, TIMESTAMP and TIMESTAMP_LTZ with 0 to 9 digits of a second. */
export interface TimeType extends TypeTraits {
  /** Which type it is. */
  readonly kind: "time" | "timestamp" | "timestampLtz";
  /** Digits of a second. */
  readonly precision: number;
}

/** ARRAY<element>. */
export interface ArrayType extends TypeTraits {
  /** Which type it is. */
  readonly kind: "array";
  /** What it holds. */
  readonly element: DataType;
}

/** MAP<key, value>; keys are never null. */
export interface MapType extends TypeTraits {
  /** Which type it is. */
  readonly kind: "map";
  /** What its keys are. */
  readonly key: DataType;
  /** What it holds. */
  readonly value: DataType;
}

/** One field of a ROW. */
export interface RowField {
  /** The name of the property in JavaScript. */
  readonly key: string;
  /** The name on the server. */
  readonly name: string;
  /** What it holds. */
  readonly type: DataType;
  /** What its creator said of it. */
  readonly comment?: string;
  /** The field id that the server gave; absent until it is known. */
  readonly id?: number;
}

/** ROW<...>. */
export interface RowType extends TypeTraits {
  /** Which type it is. */
  readonly kind: "row";
  /** In their order. */
  readonly fields: readonly RowField[];
}

/** Any Fluss type. */
export type DataType = SimpleType | SizedType | DecimalType | TimeType | ArrayType | MapType | RowType;

/** The type in Fluss's own notation, for messages: `DECIMAL(18, 2) NOT NULL`. */
export function typeText(type: DataType): string {
  return type.nullable ? bareTypeText(type) : `${bareTypeText(type)} NOT NULL`;
}

/** The same without NOT NULL. */
export function bareTypeText(type: DataType): string {
  switch (type.kind) {
    case "char":
    case "binary":
      return `${type.kind.toUpperCase()}(${type.length})`;
    case "decimal":
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case "time":
    case "timestamp":
      return `${type.kind.toUpperCase()}(${type.precision})`;
    case "timestampLtz":
      return `TIMESTAMP_LTZ(${type.precision})`;
    case "array":
      return `ARRAY<${typeText(type.element)}>`;
    case "map":
      return `MAP<${typeText(type.key)}, ${typeText(type.value)}>`;
    case "row":
      return `ROW<${type.fields.map((field) => `${JSON.stringify(field.name)} ${typeText(field.type)}`).join(", ")}>`;
    default:
      return type.kind.toUpperCase();
  }
}

/** One column of a table's schema, as the codecs see it. */
export interface SchemaColumn extends RowField {
  /** The column id: what links a column across schema versions. */
  readonly id: number;
}

/** One version of a table's schema. */
export interface TableSchema {
  /** The server's number for it; the first is 1. */
  readonly schemaId: number;
  /** In their order on the server. */
  readonly columns: readonly SchemaColumn[];
  /** Physical names of the primary key in key order; empty for a log table. */
  readonly primaryKey: readonly string[];
  /** Physical name of the column that the server numbers, if there is one. */
  readonly autoIncrement?: string;
}
