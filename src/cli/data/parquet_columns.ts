/**
 * Values of columns as Parquet stores them, and back. Nested values are JSON there, which Parquet has a type for.
 *
 * @module
 */
import type { SchemaElement } from "hyparquet";
import {
  dateText,
  dateTimeText,
  joinNanos,
  parseDate,
  parseDateTime,
  parseInstant,
  parseTime,
  splitNanos,
  timeText,
} from "../../base/calendar.ts";
import type { DataType } from "../../schema/data_type.ts";
import type { ColumnDefinition } from "../../schema/definition.ts";
import { JsonMismatch } from "../../schema/json_values.ts";
import { jsonReader, jsonWriter, parseJson } from "./cells.ts";

/** A column on its way into a file. */
export interface ParquetColumn {
  readonly element: SchemaElement;
  /** @throws JsonMismatch for a value that Parquet cannot hold */
  encode(value: unknown): unknown;
}

type Unit = "MILLIS" | "MICROS" | "NANOS";

const NANOS: Readonly<Record<Unit, bigint>> = { MILLIS: 1_000_000n, MICROS: 1000n, NANOS: 1n };

/** Bytes of a decimal of more than 18 digits. */
const DECIMAL_BYTES = 16;

const MAX_INT64 = 2n ** 63n;

/** How a column of a table is written. Values are those of `openTable()`: dates, times and decimals are text. */
export function parquetColumn({ key: name, type }: ColumnDefinition): ParquetColumn {
  const base = { name, repetition_type: type.nullable ? "OPTIONAL" : "REQUIRED" } as const;
  const as = (element: Omit<SchemaElement, "name">, encode: (value: never) => unknown): ParquetColumn => ({
    element: { ...base, ...element },
    encode: encode as ParquetColumn["encode"],
  });
  const same = (value: unknown) => value;
  switch (type.kind) {
    case "boolean":
      return as({ type: "BOOLEAN" }, same);
    case "tinyint":
      return as({ type: "INT32", converted_type: "INT_8" }, same);
    case "smallint":
      return as({ type: "INT32", converted_type: "INT_16" }, same);
    case "int":
      return as({ type: "INT32" }, same);
    case "bigint":
      return as({ type: "INT64" }, (value: number | bigint) => BigInt(value));
    case "float":
      return as({ type: "FLOAT" }, same);
    case "double":
      return as({ type: "DOUBLE" }, same);
    case "decimal": {
      const { precision, scale } = type;
      const physical = precision <= 18
        ? { type: "INT64" } as const
        : { type: "FIXED_LEN_BYTE_ARRAY", type_length: DECIMAL_BYTES } as const;
      return as(
        { ...physical, converted_type: "DECIMAL", precision, scale },
        (value: string) => unscaled(value, scale),
      );
    }
    case "char":
    case "string":
      return as({ type: "BYTE_ARRAY", converted_type: "UTF8" }, same);
    case "binary":
    case "bytes":
      return as({ type: "BYTE_ARRAY" }, same);
    case "date":
      return as({ type: "INT32", converted_type: "DATE" }, (value: string) => parseDate(value)!);
    case "time":
      return as(
        { type: "INT32", converted_type: "TIME_MILLIS" },
        (value: string) => parseTime(value)!.millis,
      );
    case "timestamp":
    case "timestampLtz": {
      const isAdjustedToUTC = type.kind === "timestampLtz";
      const unit: Unit = type.precision <= 3 ? "MILLIS" : type.precision <= 6 ? "MICROS" : "NANOS";
      const parse = isAdjustedToUTC ? parseInstant : parseDateTime;
      return as({ type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC, unit } }, (value: string) => {
        const count = joinNanos(parse(value)!) / NANOS[unit];
        if (count < MAX_INT64 && count >= -MAX_INT64) return count;
        throw new JsonMismatch(`${value} is outside of what Parquet has for ${unit.toLowerCase()}`);
      });
    }
    default: {
      // Of the converted type, the library would make JSON of the bytes once more.
      const text = jsonWriter(type);
      const encoder = new TextEncoder();
      return as({ type: "BYTE_ARRAY", logical_type: { type: "JSON" } }, (value) => encoder.encode(text(value)));
    }
  }
}

function countText(textOf: (millis: number, nanos: number) => string, raw: Raw, unit: Unit): string {
  const { millis, nanos } = splitNanos(BigInt(raw as number | bigint) * NANOS[unit]);
  return textOf(millis, nanos);
}

function unscaled(text: string, scale: number): bigint {
  const [whole, fraction = ""] = String(text).split(".") as [string, string?];
  return BigInt(whole + fraction.padEnd(scale, "0"));
}

/** What a file says of a column besides its physical type; the values come without it being looked at. */
export type ParquetMeaning = Pick<
  SchemaElement,
  "type" | "converted_type" | "logical_type" | "scale" | "num_children" | "repetition_type"
>;

/** A value as it is stored; not null. */
type Raw = boolean | number | bigint | Uint8Array;

/**
 * How a column of a file becomes one of a table; undefined where the two do not fit. Whether a value is one of the type
 * is for the write to check.
 */
export function parquetReader(type: DataType, meaning: ParquetMeaning): ((raw: Raw) => unknown) | undefined {
  const { type: physical, converted_type: converted, logical_type: logical } = meaning;
  if (physical === undefined || meaning.repetition_type === "REPEATED") return undefined;
  const isInteger = physical === "INT32" || physical === "INT64";
  const isBytes = physical === "BYTE_ARRAY" || physical === "FIXED_LEN_BYTE_ARRAY";
  const isPlain = converted === undefined && logical === undefined;
  const isCount = isInteger && (isPlain || logical?.type === "INTEGER" || /^U?INT_/.test(converted ?? ""));
  const isJson = converted === "JSON" || logical?.type === "JSON";
  const isText = isBytes &&
    (isPlain || isJson || converted === "UTF8" || converted === "ENUM" || logical?.type === "STRING" ||
      logical?.type === "ENUM");
  switch (type.kind) {
    case "boolean":
      return physical === "BOOLEAN" ? (raw) => raw : undefined;
    case "tinyint":
    case "smallint":
    case "int":
      return isCount ? (raw) => Number(signed(raw, meaning)) : undefined;
    case "bigint":
      return isCount ? (raw) => BigInt(signed(raw, meaning)) : undefined;
    case "float":
    case "double":
      if (physical === "FLOAT" || physical === "DOUBLE" || (isCount && physical === "INT32")) {
        return (raw) => Number(raw);
      }
      return undefined;
    case "decimal": {
      if (isCount) return (raw) => String(signed(raw, meaning));
      if (converted !== "DECIMAL" && logical?.type !== "DECIMAL") return undefined;
      const scale = meaning.scale ?? (logical?.type === "DECIMAL" ? logical.scale : 0);
      return (raw) => decimalText(raw instanceof Uint8Array ? bigEndian(raw) : BigInt(raw), scale);
    }
    case "char":
    case "string":
      return isText ? textIn : undefined;
    case "binary":
    case "bytes":
      return isBytes && isPlain ? (raw) => (raw as Uint8Array).slice() : undefined;
    case "date":
      return converted === "DATE" || logical?.type === "DATE" ? (raw) => dateText(Number(raw)) : undefined;
    case "time": {
      const unit = unitOf("TIME", meaning);
      return unit === undefined ? undefined : (raw) => countText(timeText, raw, unit);
    }
    case "timestamp":
    case "timestampLtz": {
      // Where the file says which of the two it has, the other one would be hours off.
      if (logical?.type === "TIMESTAMP" && logical.isAdjustedToUTC !== (type.kind === "timestampLtz")) return undefined;
      const unit = physical === "INT96" ? "NANOS" : unitOf("TIMESTAMP", meaning);
      const zone = type.kind === "timestamp" ? "" : "Z";
      return unit === undefined ? undefined : (raw) => countText(dateTimeText, raw, unit) + zone;
    }
    default: {
      if (!isText) return undefined;
      const read = jsonReader(type);
      return (raw) => read(parseJson(textIn(raw)));
    }
  }
}

/** In words, for messages: what a file has. */
export function meaningText({ type, converted_type, logical_type, num_children }: ParquetMeaning): string {
  if (type === undefined) return num_children === undefined ? "a group" : `a group of ${num_children}`;
  const zone = logical_type?.type === "TIMESTAMP" ? logical_type.isAdjustedToUTC ? ", in UTC" : ", local" : "";
  const found = logical_type?.type ?? converted_type;
  const more = found === undefined ? undefined : found + zone;
  return more === undefined ? type : `${type} (${more})`;
}

function signed(raw: Raw, { converted_type, logical_type }: ParquetMeaning): number | bigint {
  const isUnsigned = converted_type?.startsWith("UINT_") ||
    (logical_type?.type === "INTEGER" && !logical_type.isSigned);
  if (!isUnsigned) return raw as number | bigint;
  return typeof raw === "bigint" ? BigInt.asUintN(64, raw) : (raw as number) >>> 0;
}

function unitOf(what: "TIME" | "TIMESTAMP", { converted_type, logical_type }: ParquetMeaning): Unit | undefined {
  if (logical_type?.type === what) return logical_type.unit;
  if (converted_type === `${what}_MILLIS`) return "MILLIS";
  return converted_type === `${what}_MICROS` ? "MICROS" : undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textIn(raw: Raw): string {
  try {
    return decoder.decode(raw as Uint8Array);
  } catch {
    throw new JsonMismatch("it is not text in UTF-8");
  }
}

function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

function decimalText(value: bigint, scale: number): string {
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
