/**
 * Primary keys and bucket keys as bytes.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { inColumn } from "../base/column_error.ts";
import { type SchemaColumn, typeText } from "../schema/data_type.ts";
import { compileAlignedWriter } from "./aligned_row.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { compactedCell } from "./compacted_row.ts";
import { integerBytes } from "./decimal.ts";
import type { Field, Rest } from "./field.ts";
import { compileWriter } from "./generate.ts";
import { fieldOf } from "./row_codec.ts";
import { checkAbsent, ownValue } from "./row_plan.ts";
import { slotOf } from "./slot.ts";

/** How a key becomes bytes; `table.datalake.format` and `table.kv.format-version` of the live table decide. */
export type KeyEncoding = "compacted" | "paimon" | "iceberg";

/**
 * Writes the key columns of a row at the writer's position. The row may have other columns; they are not looked at.
 *
 * @throws {ColumnError} CODEC.NULL or WRITE.MISSING_COLUMN for a key column without a value
 */
export type KeyWriter = (out: ByteWriter, row: Readonly<Record<string, unknown>>) => void;

/**
 * Compiles the writer of a key.
 *
 * Compacted keys have no framing, so the bytes of the leading columns are a prefix of the bytes of all: that is what
 * prefix lookup relies on (Fluss: CompactedKeyEncoder.java).
 *
 * @param columns the key columns in key order
 * @throws {FlussError} SCHEMA.INVALID for a key that the encoding cannot express
 */
export function compileKeyWriter(columns: readonly SchemaColumn[], encoding: KeyEncoding): KeyWriter {
  const keyColumns = columns.map((column) => ({ ...column, type: { ...column.type, nullable: false } }));
  switch (encoding) {
    case "compacted":
      return compactedKey(keyColumns);
    case "paimon":
      return paimonKey(keyColumns);
    case "iceberg":
      return icebergKey(keyColumns);
  }
}

function compactedKey(columns: readonly SchemaColumn[]): KeyWriter {
  const write = compileWriter(columns.map(({ key, type }) => ({
    key,
    nullBit: 0,
    nullable: false,
    typeName: typeText(type),
    write: compactedCell(fieldOf("compacted", type, type)).write,
  })));
  // Keys have no null bits; no column is nullable, so none is set.
  return (out, row) => write(out, out.position, row);
}

/** The same bytes as an aligned row (Fluss: PaimonBinaryRowWriter.java). */
function paimonKey(columns: readonly SchemaColumn[]): KeyWriter {
  return compileAlignedWriter(columns.map(({ key, type }) => ({
    key,
    nullable: false,
    typeName: typeText(type),
    slot: slotOf(fieldOf("aligned", type, type)),
    written: true,
  })));
}

/** One column, its value alone (Fluss: row/encode/iceberg). */
function icebergKey(columns: readonly SchemaColumn[]): KeyWriter {
  const [column] = columns;
  if (column === undefined || columns.length !== 1) {
    throw flussError("SCHEMA.INVALID", { message: `an Iceberg key has exactly one column, not ${columns.length}` });
  }
  const { key, type } = column;
  const write = icebergValue(column);
  const step = { key, nullable: false, typeName: typeText(type) };
  return (out, row) => {
    try {
      const value = ownValue(row, key);
      if (value === null || value === undefined) checkAbsent(row, value, step);
      else write(out, value);
    } catch (error) {
      throw inColumn(error, key);
    }
  };
}

function icebergValue({ name, type }: SchemaColumn): (out: ByteWriter, value: unknown) => void {
  const field = fieldOf("compacted", type, type);
  switch (type.kind) {
    case "int":
    case "date": {
      const encode = numberEncoder(field);
      return (out, value) => out.writeSafeInt64(encode(value));
    }
    case "time": {
      // Iceberg counts microseconds.
      const encode = numberEncoder(field);
      return (out, value) => out.writeSafeInt64(encode(value) * 1000);
    }
    case "bigint":
    case "decimal": {
      const encode = bigEncoder(field);
      return type.kind === "bigint"
        ? (out, value) => out.writeInt64(encode(value))
        : (out, value) => out.writeBytes(integerBytes(encode(value)));
    }
    case "timestamp":
      return icebergTimestamp(field);
    case "float":
    case "double": {
      const encode = numberEncoder(field);
      return type.kind === "float"
        ? (out, value) => out.writeFloat32(encode(value))
        : (out, value) => out.writeFloat64(encode(value));
    }
    case "string":
    case "char":
    case "binary":
    case "bytes":
      if (field.form === "text") return (out, value) => out.writeUtf8(field.conversion.encode(value));
      if (field.form === "bytes") return (out, value) => out.writeBytes(field.conversion.encode(value));
  }
  throw flussError("SCHEMA.INVALID", {
    message: `the key column ${JSON.stringify(name)} of type ${typeText(type)} has no form in Iceberg's key encoding`,
  });
}

function icebergTimestamp(field: Field): (out: ByteWriter, value: unknown) => void {
  const micros = (millis: number, nanos: number): bigint =>
    BigInt.asIntN(64, BigInt(millis) * 1000n + BigInt(Math.floor(nanos / 1000)));
  if (field.form !== "timestamp") {
    const encode = numberEncoder(field);
    return (out, value) => out.writeInt64(micros(encode(value), 0));
  }
  const rest: Rest = { nanos: 0 };
  return (out, value) => {
    const millis = field.conversion.encode(value, rest);
    out.writeInt64(micros(millis, rest.nanos));
  };
}

function numberEncoder(field: Field): (value: unknown) => number {
  switch (field.form) {
    case "int32":
    case "safeInt64":
    case "float32":
    case "float64":
      return field.conversion.encode;
    default:
      throw new TypeError(`the form ${field.form} has no number`);
  }
}

function bigEncoder(field: Field): (value: unknown) => bigint {
  switch (field.form) {
    case "int64":
    case "unscaled":
      return field.conversion.encode;
    case "safeInt64": {
      const { encode } = field.conversion;
      return (value) => BigInt(encode(value));
    }
    default:
      throw new TypeError(`the form ${field.form} has no integer`);
  }
}
