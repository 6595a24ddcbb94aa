/**
 * The types of Arrow fields that Fluss has a type for, as the metadata of Arrow numbers and describes them
 * (Arrow: Schema.fbs; Fluss: ArrowUtils.java).
 *
 * @module
 */
import type { DataType } from "../../schema/data_type.ts";
import { type FlatFields, int16, int32, int8, string } from "./flatbuffer_writer.ts";
import type { FlatTable } from "./flatbuffer_reader.ts";
import { timeUnit } from "./layout.ts";

/** The numbers of types in the metadata. */
export const ARROW_TYPE = {
  int: 2,
  floatingPoint: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  list: 12,
  struct: 13,
  fixedSizeBinary: 15,
  map: 17,
} as const;

/** Types that Fluss has none for, by their numbers. */
const OTHER_TYPES: Readonly<Record<number, string>> = {
  1: "null",
  11: "interval",
  14: "union",
  16: "fixed_size_list",
  18: "duration",
  19: "large_binary",
  20: "large_utf8",
  21: "large_list",
  22: "run_end_encoded",
  23: "binary_view",
  24: "utf8_view",
  25: "list_view",
  26: "large_list_view",
};

const UNITS = ["s", "ms", "us", "ns"] as const;
const FLOATS = ["float16", "float32", "float64"] as const;

/** What a type is in the metadata of a field: its number and the fields of its table. */
export interface ArrowType {
  /** One of {@linkcode ARROW_TYPE}. */
  readonly number: number;
  /** Its parameters. */
  readonly fields: FlatFields;
}

/** The Arrow type of a Fluss type, without its children. Points in time with a zone are marked as UTC. */
export function arrowType(type: DataType): ArrowType {
  switch (type.kind) {
    case "boolean":
      return { number: ARROW_TYPE.bool, fields: [] };
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return { number: ARROW_TYPE.int, fields: [int32(intBits(type.kind)), int8(true)] };
    case "float":
    case "double":
      return { number: ARROW_TYPE.floatingPoint, fields: [int16(type.kind === "float" ? 1 : 2)] };
    case "string":
    case "char":
      return { number: ARROW_TYPE.utf8, fields: [] };
    case "bytes":
      return { number: ARROW_TYPE.binary, fields: [] };
    case "binary":
      return { number: ARROW_TYPE.fixedSizeBinary, fields: [int32(type.length)] };
    case "decimal":
      return { number: ARROW_TYPE.decimal, fields: [int32(type.precision), int32(type.scale), int32(128)] };
    case "date":
      return { number: ARROW_TYPE.date, fields: [int16(0)] };
    case "time": {
      const unit = timeUnit(type.precision);
      return { number: ARROW_TYPE.time, fields: [int16(unit), int32(unit <= 1 ? 32 : 64)] };
    }
    case "timestamp":
      return { number: ARROW_TYPE.timestamp, fields: [int16(timeUnit(type.precision))] };
    case "timestampLtz":
      return { number: ARROW_TYPE.timestamp, fields: [int16(timeUnit(type.precision)), string("UTC")] };
    case "array":
      return { number: ARROW_TYPE.list, fields: [] };
    case "map":
      return { number: ARROW_TYPE.map, fields: [int8(false)] };
    case "row":
      return { number: ARROW_TYPE.struct, fields: [] };
  }
}

function intBits(kind: "tinyint" | "smallint" | "int" | "bigint"): number {
  return { tinyint: 8, smallint: 16, int: 32, bigint: 64 }[kind];
}

/** The Arrow type that a Fluss type needs, in words, without children. */
export function expectedTypeText(type: DataType): string {
  switch (type.kind) {
    case "boolean":
      return "bool";
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return `int${intBits(type.kind)}`;
    case "float":
    case "double":
      return FLOATS[type.kind === "float" ? 1 : 2];
    case "string":
    case "char":
      return "utf8";
    case "bytes":
      return "binary";
    case "binary":
      return `fixed_size_binary[${type.length}]`;
    case "decimal":
      return `decimal128(${type.precision}, ${type.scale})`;
    case "date":
      return "date32[day]";
    case "time": {
      const unit = timeUnit(type.precision);
      return `time${unit <= 1 ? 32 : 64}[${UNITS[unit]}]`;
    }
    case "timestamp":
      return `timestamp[${UNITS[timeUnit(type.precision)]}]`;
    case "timestampLtz":
      return `timestamp[${UNITS[timeUnit(type.precision)]}, tz=UTC]`;
    case "array":
      return "list";
    case "map":
      return "map";
    case "row":
      return "struct";
  }
}

/**
 * The Arrow type of a field that was read, in words, without children.
 *
 * @param number the type's number
 * @param type its parameters
 */
export function foundTypeText(number: number, type: FlatTable | undefined): string {
  switch (number) {
    case ARROW_TYPE.bool:
      return "bool";
    case ARROW_TYPE.int:
      return `${type?.boolean(1) === true ? "" : "u"}int${type?.int32(0) ?? 0}`;
    case ARROW_TYPE.floatingPoint:
      return FLOATS[type?.int16(0) ?? 0] ?? "float";
    case ARROW_TYPE.utf8:
      return "utf8";
    case ARROW_TYPE.binary:
      return "binary";
    case ARROW_TYPE.fixedSizeBinary:
      return `fixed_size_binary[${type?.int32(0) ?? 0}]`;
    case ARROW_TYPE.decimal:
      return `decimal${type?.int32(2, 128) ?? 128}(${type?.int32(0) ?? 0}, ${type?.int32(1) ?? 0})`;
    case ARROW_TYPE.date:
      return type?.int16(0, 1) === 0 ? "date32[day]" : "date64[ms]";
    case ARROW_TYPE.time:
      return `time${type?.int32(1, 32) ?? 32}[${UNITS[type?.int16(0, 1) ?? 1] ?? "?"}]`;
    case ARROW_TYPE.timestamp: {
      const unit = UNITS[type?.int16(0) ?? 0] ?? "?";
      const zone = type === undefined ? undefined : textOf(type, 1);
      // All zones mean the same: the values are points in time.
      return zone === undefined || zone === "" ? `timestamp[${unit}]` : `timestamp[${unit}, tz=UTC]`;
    }
    case ARROW_TYPE.list:
      return "list";
    case ARROW_TYPE.map:
      return "map";
    case ARROW_TYPE.struct:
      return "struct";
    default:
      return OTHER_TYPES[number] ?? `type ${number}`;
  }
}

const decoder = new TextDecoder();

/** A string of a table, or undefined. */
export function textOf(table: FlatTable, number: number): string | undefined {
  const found = table.string(number);
  return found === undefined
    ? undefined
    : decoder.decode(table.bytes.subarray(found.start, found.start + found.length));
}
