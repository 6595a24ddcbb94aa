/**
 * From partition values to the partition's name (Fluss: PartitionUtils.java, PartitionNameConverters.java).
 *
 * @module
 */
import { civilOf, DAY_MILLIS, fractionText, pad } from "../base/calendar.ts";
import { flussError } from "../base/errors.ts";
import { inColumn } from "../base/column_error.ts";
import { type DataType, type SchemaColumn, typeText } from "../schema/data_type.ts";
import type { Rest } from "./field.ts";
import { javaDoubleText, javaFloatText } from "./java_number_text.ts";
import { checkAbsent, ownValue } from "./row_plan.ts";
import { outOfRange } from "./value_error.ts";
import { scalarField } from "./values.ts";

/** Between the values of a table with several partition columns. */
const SEPARATOR = "$";

/**
 * Compiles the function that names the partition of a row.
 *
 * @param columns the partition columns in their order
 * @returns throws {ColumnError} for a column without a value, or a value that does not fit
 * @throws {FlussError} SCHEMA.INVALID for a column whose type no partition can have
 */
export function compilePartitionName(
  columns: readonly SchemaColumn[],
): (row: Readonly<Record<string, unknown>>) => string {
  const parts = columns.map(({ key, type }) => ({
    key,
    nullable: false,
    typeName: typeText({ ...type, nullable: false }),
    text: partitionText(type),
  }));
  return (row) =>
    parts.map((part) => {
      try {
        const value = ownValue(row, part.key);
        if (value === null || value === undefined) checkAbsent(row, value, part);
        return part.text(value);
      } catch (error) {
        throw inColumn(error, part.key);
      }
    }).join(SEPARATOR);
}

/**
 * The text of one partition value.
 *
 * @throws {ColumnError} when the value does not fit its type
 * @throws {FlussError} SCHEMA.INVALID for a type that no partition column can have
 */
export function partitionValue(type: DataType, value: unknown): string {
  return partitionText(type)(value);
}

function partitionText(type: DataType): (value: unknown) => string {
  if (type.kind === "array" || type.kind === "map" || type.kind === "row" || type.kind === "decimal") {
    throw flussError("SCHEMA.INVALID", { message: `${typeText(type)} cannot be the type of a partition column` });
  }
  const field = scalarField(type);
  switch (field.form) {
    case "boolean":
    case "int8":
    case "int16":
    case "int64":
    case "text": {
      const { encode } = field.conversion;
      return (value) => String(encode(value));
    }
    case "int32": {
      const { encode } = field.conversion;
      if (type.kind === "date") return (value) => dayText(encode(value));
      if (type.kind === "time") return (value) => milliText(encode(value));
      return (value) => String(encode(value));
    }
    case "safeInt64": {
      const { encode } = field.conversion;
      // `+ 0` because -0 is 0 on the wire.
      if (type.kind === "bigint") return (value) => String(encode(value) + 0);
      return (value) => timestampText(encode(value), 0, value);
    }
    case "float32": {
      const { encode } = field.conversion;
      return (value) => floatText(encode(value), javaFloatText);
    }
    case "float64": {
      const { encode } = field.conversion;
      return (value) => floatText(encode(value), javaDoubleText);
    }
    case "bytes": {
      const { encode } = field.conversion;
      return (value) => Array.from(encode(value), (byte) => byte.toString(16).padStart(2, "0")).join("");
    }
    case "timestamp": {
      const { encode } = field.conversion;
      const rest: Rest = { nanos: 0 };
      return (value) => {
        const millis = encode(value, rest);
        return timestampText(millis, rest.nanos, value);
      };
    }
    default:
      throw new TypeError(`no partition value has the form ${field.form}`);
  }
}

function floatText(value: number, text: (value: number) => string): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Inf" : "-Inf";
  return text(value).replace(".", "_");
}

/** As Java's `%04d-%02d-%02d`, where a minus counts as one of the four. */
function dayText(days: number): string {
  const { year, month, day } = civilOf(days);
  return `${year < 0 ? `-${pad(-year, 3)}` : pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `HH-mm-ss_SSS`, always with three digits. */
function milliText(millis: number): string {
  const seconds = Math.floor(millis / 1000);
  return `${clockText(seconds)}_${pad(millis % 1000, 3)}`;
}

/** `yyyy-MM-dd-HH-mm-ss_` and the fraction without trailing zeros, which may be nothing. */
function timestampText(millis: number, nanos: number, value: unknown): string {
  const days = Math.floor(millis / DAY_MILLIS);
  const { year } = civilOf(days);
  // Java counts years of an era here and signs long ones: year 0 would share a partition with year 1, and the server
  // takes no `+` in a name.
  if (year < 1 || year > 9999) throw outOfRange(value, "has a year outside of 1 to 9999, which partitions cannot have");
  const ofDay = millis - days * DAY_MILLIS;
  const seconds = Math.floor(ofDay / 1000);
  return `${dayText(days)}-${clockText(seconds)}_${fractionText((ofDay % 1000) * 1_000_000 + nanos)}`;
}

function clockText(seconds: number): string {
  return `${pad(Math.floor(seconds / 3600), 2)}-${pad(Math.floor(seconds / 60) % 60, 2)}-${pad(seconds % 60, 2)}`;
}
