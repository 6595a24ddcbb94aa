/**
 * Rows into Arrow columns: the values go straight into growing buffers, one per column, and no object is made per row.
 *
 * @module
 */
import { type DataType, type RowField, typeText } from "../../schema/data_type.ts";
import type { Conversion, TimestampConversion } from "../field.ts";
import { compileAppender } from "../generate.ts";
import type { AppendStep } from "../row_plan.ts";
import { scalarField, userEncode } from "../values.ts";
import { flussError } from "../../base/errors.ts";
import {
  BooleanColumn,
  BytesColumn,
  type ColumnBuilder,
  DecimalColumn,
  type ElementsColumn,
  FixedBytesColumn,
  ListColumn,
  MapColumn,
  NumberColumn,
  SafeIntegerColumn,
  StructColumn,
  TextColumn,
  TimestampColumn,
} from "./column_builder.ts";
import type { RawColumn } from "./raw_column.ts";

/** The columns of some rows, while rows are added to them. */
export interface ColumnsBuilder {
  /** How many rows there are. */
  readonly count: number;
  /** About how many bytes the buffers take in a message that is not compressed. */
  readonly size: number;
  /**
   * Adds a row, an object by column key. A row that is refused leaves nothing behind.
   *
   * @throws {ColumnError} as a row writer (`compileRowWriter`) does
   */
  append(row: Readonly<Record<string, unknown>>): void;
  /** Takes the rows from `count` on out again; with 0 the builder is ready for other rows. */
  cut(count: number): void;
  /** The columns; views of the builder's buffers, valid until rows are cut. */
  raw(): RawColumn[];
}

/** What is compiled once per type: how its values are checked, and how a column for them is made. */
interface ColumnPlan {
  readonly form: AppendStep["form"];
  readonly encode: (value: unknown) => unknown;
  make(): ColumnBuilder;
}

/**
 * Compiles what makes builders for rows with these fields.
 *
 * @param fields all columns, in their order
 */
export function compileColumnsBuilder(fields: readonly RowField[]): () => ColumnsBuilder {
  const { plans, append } = rowPlan(fields);
  return () => new Builder(plans.map((plan) => plan.make()), append);
}

/** A column for values of one type, without a row around it. */
export function columnBuilder(type: DataType): ColumnBuilder {
  return columnPlan(type).make();
}

class Builder implements ColumnsBuilder {
  readonly #columns: readonly ColumnBuilder[];
  readonly #variable: readonly ColumnBuilder[];
  readonly #append: ReturnType<typeof compileAppender>;
  /** Bytes per row that are the same in each. */
  readonly #rowBytes: number;
  #capacity = 0;
  #count = 0;

  constructor(columns: readonly ColumnBuilder[], append: ReturnType<typeof compileAppender>) {
    this.#columns = columns;
    this.#variable = columns.filter((column) => column.isVariable);
    this.#append = append;
    this.#rowBytes = columns.reduce((sum, column) => sum + column.bits, 0) / 8;
  }

  get count(): number {
    return this.#count;
  }

  get size(): number {
    let size = Math.ceil(this.#count * this.#rowBytes);
    const variable = this.#variable;
    for (let i = 0; i < variable.length; i++) size += variable[i]!.variableBytes(this.#count);
    return size;
  }

  append(row: Readonly<Record<string, unknown>>): void {
    const at = this.#count;
    if (at === this.#capacity) this.#grow();
    try {
      this.#append(this.#columns, at, row);
    } catch (error) {
      this.cut(at);
      throw error;
    }
    this.#count = at + 1;
  }

  cut(count: number): void {
    for (const column of this.#columns) column.cut(count);
    this.#count = count;
  }

  raw(): RawColumn[] {
    return this.#columns.map((column) => column.raw(this.#count));
  }

  #grow(): void {
    for (const column of this.#columns) column.reserve(this.#count + 1);
    this.#capacity = this.#columns.reduce((least, column) => Math.min(least, column.capacity), Infinity);
  }
}

function rowPlan(
  fields: readonly RowField[],
): { plans: readonly ColumnPlan[]; append: ReturnType<typeof compileAppender> } {
  const plans = fields.map((field) => columnPlan(field.type));
  const append = compileAppender(fields.map((field, i): AppendStep => ({
    key: field.key,
    nullable: field.type.nullable,
    typeName: typeText(field.type),
    form: plans[i]!.form,
    encode: plans[i]!.encode,
  })));
  return { plans, append };
}

/** How values of a type become Arrow's (Fluss: ArrowUtils.java, and the writers in row/arrow/writers). */
function columnPlan(type: DataType): ColumnPlan {
  switch (type.kind) {
    case "boolean": {
      const { encode } = conversionOf<boolean>(type);
      return otherPlan(() => new BooleanColumn(encode));
    }
    case "tinyint":
      return numberPlan(Int8Array, conversionOf<number>(type).encode);
    case "smallint":
      return numberPlan(Int16Array, conversionOf<number>(type).encode);
    case "int":
    case "date":
      return numberPlan(Int32Array, conversionOf<number>(type).encode);
    case "bigint":
      return type.mode === "number"
        ? safeIntegerPlan(conversionOf<number>(type).encode)
        : numberPlan(BigInt64Array, conversionOf<bigint>(type).encode);
    case "float":
      return numberPlan(Float32Array, conversionOf<number>(type).encode);
    case "double":
      return numberPlan(Float64Array, conversionOf<number>(type).encode);
    case "string":
    case "char": {
      const { encode } = conversionOf<string>(type);
      return { form: "text", encode, make: () => new TextColumn(encode) };
    }
    case "bytes": {
      const { encode } = conversionOf<Uint8Array>(type);
      return otherPlan(() => new BytesColumn(encode));
    }
    case "binary": {
      const { encode } = conversionOf<Uint8Array>(type);
      return otherPlan(() => new FixedBytesColumn(type.length, encode));
    }
    case "decimal": {
      const { encode } = conversionOf<number | bigint>(type);
      return otherPlan(() => new DecimalColumn(encode));
    }
    case "time": {
      const { encode } = conversionOf<number>(type);
      // The conversion refuses digits that the precision does not name, so nothing is lost here.
      if (type.precision === 0) return numberPlan(Int32Array, (value) => encode(value) / 1000);
      if (type.precision <= 3) return numberPlan(Int32Array, encode);
      const perMilli = type.precision <= 6 ? 1000 : 1_000_000;
      return safeIntegerPlan((value) => encode(value) * perMilli);
    }
    case "timestamp":
    case "timestampLtz": {
      const field = scalarField(type);
      if (field.form === "timestamp") {
        return otherPlan(() => new TimestampColumn(field.conversion, type.precision <= 6 ? 1000 : 1_000_000));
      }
      const { encode } = conversionOf<number>(type);
      return safeIntegerPlan(type.precision === 0 ? (value) => encode(value) / 1000 : encode);
    }
    case "array": {
      const elements = elementsPlan(type.element);
      const encode = codecOf(type);
      return otherPlan(() => new ListColumn(elements(), encode));
    }
    case "map": {
      if (type.mode === "object" && !hasTextKeys(type.key)) {
        throw flussError("SCHEMA.INVALID", { message: `mode "object" needs string keys, not ${typeText(type)}` });
      }
      const keys = elementsPlan({ ...type.key, nullable: false });
      const values = elementsPlan(type.value);
      const encode = codecOf(type);
      return otherPlan(() => new MapColumn(keys(), values(), type.mode === "object", encode));
    }
    case "row": {
      const { plans, append } = rowPlan(type.fields);
      const keys = new Set(type.fields.map((field) => field.key));
      const encode = codecOf(type);
      return otherPlan(() => new StructColumn(plans.map((plan) => plan.make()), keys, append, encode));
    }
  }
}

function hasTextKeys(type: DataType): boolean {
  return type.codec === undefined && (type.kind === "string" || type.kind === "char");
}

type Scalar = Parameters<typeof scalarField>[0];

/** The conversion of a scalar other than a fine timestamp; the caller knows what its type becomes on the wire. */
function conversionOf<Wire>(type: Scalar): { readonly encode: (value: unknown) => Wire } {
  const { conversion } = scalarField(type) as { conversion: Conversion<Wire> | TimestampConversion };
  return conversion as Conversion<Wire>;
}

function numberPlan(
  items: ConstructorParameters<typeof NumberColumn>[0],
  encode: (value: unknown) => number | bigint,
): ColumnPlan {
  return { form: "data", encode, make: () => new NumberColumn(items, encode) };
}

function safeIntegerPlan(encode: (value: unknown) => number): ColumnPlan {
  return { form: "words", encode, make: () => new SafeIntegerColumn(encode) };
}

function otherPlan(make: () => ColumnBuilder): ColumnPlan {
  return { form: "column", encode: asItIs, make };
}

function elementsPlan(type: DataType): () => ElementsColumn {
  const plan = columnPlan(type);
  const typeName = typeText(type);
  return () => ({ column: plan.make(), nullable: type.nullable, typeName });
}

/** The codec of an array, a map or a row; for scalars it is part of the conversion. */
function codecOf({ codec }: DataType): (value: unknown) => unknown {
  return codec === undefined ? asItIs : (value) => userEncode(codec, value);
}

function asItIs(value: unknown): unknown {
  return value;
}
