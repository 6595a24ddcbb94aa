/**
 * Column types as snapshots write them: short texts for plain types, small objects for nested ones.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { bareTypeText, type DataType } from "../schema/data_type.ts";

/** A type inside of another. */
export interface NestedSnapshot {
  /** What it is. */
  readonly type: TypeSnapshot;
  /** Whether null is a value. */
  readonly nullable: boolean;
}

/** A field of a ROW. */
export interface FieldSnapshot extends NestedSnapshot {
  /** The name on the server. */
  readonly name: string;
  /** What its creator said of it. */
  readonly comment?: string;
}

/** A type: `"DECIMAL(18, 2)"`, or an object for an array, a map or a row. */
export type TypeSnapshot =
  | string
  | { readonly array: NestedSnapshot }
  | { readonly map: { readonly key: NestedSnapshot; readonly value: NestedSnapshot } }
  | { readonly row: readonly FieldSnapshot[] };

/** Snapshots are read from files, which people edit. */
const MAX_DEPTH = 64;

/** Writes a type, without whether null is a value. */
export function typeSnapshot(type: DataType): TypeSnapshot {
  const nested = (inner: DataType): NestedSnapshot => ({ type: typeSnapshot(inner), nullable: inner.nullable });
  switch (type.kind) {
    case "array":
      return { array: nested(type.element) };
    case "map":
      // Keys are never null, whatever was said of them.
      return { map: { key: { ...nested(type.key), nullable: false }, value: nested(type.value) } };
    case "row":
      return {
        row: type.fields.map(({ name, type: inner, comment }) => ({
          name,
          ...nested(inner),
          ...(comment === undefined ? {} : { comment }),
        })),
      };
    default:
      return bareTypeText(type);
  }
}

/** The same type without the comments of its fields: what servers read and write by. */
export function withoutComments(type: TypeSnapshot): TypeSnapshot {
  if (typeof type === "string") return type;
  const bare = ({ type: inner, nullable }: NestedSnapshot): NestedSnapshot => ({
    type: withoutComments(inner),
    nullable,
  });
  if ("array" in type) return { array: bare(type.array) };
  if ("map" in type) return { map: { key: bare(type.map.key), value: bare(type.map.value) } };
  return { row: type.row.map((field) => ({ name: field.name, ...bare(field) })) };
}

/** The type in Fluss's own notation, for people: `ARRAY<INT NOT NULL>`. */
export function typeSnapshotText(type: TypeSnapshot): string {
  if (typeof type === "string") return type;
  const text = ({ type: inner, nullable }: NestedSnapshot) =>
    `${typeSnapshotText(inner)}${nullable ? "" : " NOT NULL"}`;
  if ("array" in type) return `ARRAY<${text(type.array)}>`;
  if ("map" in type) return `MAP<${text(type.map.key)}, ${text(type.map.value)}>`;
  return `ROW<${type.row.map((field) => `${JSON.stringify(field.name)} ${text(field)}`).join(", ")}>`;
}

const SIMPLE: Readonly<Record<string, "boolean" | "tinyint" | "smallint" | "int" | "bigint" | "float" | "double">> = {
  BOOLEAN: "boolean",
  TINYINT: "tinyint",
  SMALLINT: "smallint",
  INT: "int",
  BIGINT: "bigint",
  FLOAT: "float",
  DOUBLE: "double",
};
const MORE_SIMPLE: Readonly<Record<string, "string" | "date" | "bytes">> = {
  STRING: "string",
  DATE: "date",
  BYTES: "bytes",
};
const SIZED: Readonly<Record<string, "char" | "binary">> = { CHAR: "char", BINARY: "binary" };
const TIMES: Readonly<Record<string, "time" | "timestamp" | "timestampLtz">> = {
  TIME: "time",
  TIMESTAMP: "timestamp",
  TIMESTAMP_LTZ: "timestampLtz",
};

/**
 * Reads a type from a file.
 *
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export function readType(json: unknown, nullable: boolean, depth = 0): DataType {
  if (depth > MAX_DEPTH) throw noType("one that is nested too deeply");
  if (typeof json === "string") return readPlain(json, nullable);
  if (typeof json !== "object" || json === null || Object.keys(json).length !== 1) throw noType(shown(json));
  const nested = (value: unknown): DataType => {
    const { type, nullable: inner } = recordOf(value);
    if (typeof inner !== "boolean") throw noType(shown(value));
    return readType(type, inner, depth + 1);
  };
  if ("array" in json) return { kind: "array", nullable, element: nested(json.array) };
  if ("map" in json) {
    const { key, value } = recordOf(json.map);
    return { kind: "map", nullable, key: nested(key), value: nested(value) };
  }
  if ("row" in json && Array.isArray(json.row)) {
    return {
      kind: "row",
      nullable,
      fields: json.row.map((field: unknown) => {
        const { name, comment } = recordOf(field);
        if (typeof name !== "string") throw noType(shown(field));
        return { key: name, name, type: nested(field), ...(typeof comment === "string" ? { comment } : {}) };
      }),
    };
  }
  throw noType(shown(json));
}

function readPlain(text: string, nullable: boolean): DataType {
  const [, name = "", first, second] = /^([A-Z_]+)(?:\((\d{1,10})(?:, ?(\d{1,10}))?\))?$/.exec(text) ?? [];
  const simple = own(SIMPLE, name) ?? own(MORE_SIMPLE, name);
  if (simple !== undefined && first === undefined) return { kind: simple, nullable };
  const sized = own(SIZED, name);
  if (sized !== undefined && first !== undefined && second === undefined) {
    return { kind: sized, nullable, length: Number(first) };
  }
  const time = own(TIMES, name);
  if (time !== undefined && first !== undefined && second === undefined) {
    return { kind: time, nullable, precision: Number(first) };
  }
  if (name === "DECIMAL" && second !== undefined) {
    return { kind: "decimal", nullable, precision: Number(first), scale: Number(second) };
  }
  throw noType(shown(text));
}

function own<T>(names: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw noType(shown(value));
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}

function noType(what: string): Error {
  return flussError("MIGRATION.INVALID", { message: `a snapshot has a column type that is none: ${what}` });
}
