/**
 * Errors about values, and a short text for any value.
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";

/** Longer texts are cut, because a value may be large or secret. */
const MAX_TEXT = 40;

/** CODEC.WRONG_TYPE: `expected bigint, got number 5`. */
export function wrongType(expected: string, value: unknown): ColumnError {
  if (value === undefined) return undefinedValue();
  return new ColumnError("CODEC.WRONG_TYPE", `expected ${expected}, got ${describe(value)}`);
}

/** CODEC.OUT_OF_RANGE: `300 is outside of TINYINT (-128 to 127)`. */
export function outOfRange(value: unknown, why: string, hint?: string): ColumnError {
  return new ColumnError("CODEC.OUT_OF_RANGE", `${short(value)} ${why}`, { hint });
}

/** CODEC.UNSAFE_INTEGER for a number or bigint beyond 2^53. */
export function unsafeInteger(value: number | bigint): ColumnError {
  return new ColumnError("CODEC.UNSAFE_INTEGER", `${value} is beyond 2^53`);
}

/** WRITE.UNDEFINED_VALUE. */
export function undefinedValue(): ColumnError {
  return new ColumnError("WRITE.UNDEFINED_VALUE", "the value is undefined, which could mean null or leave as it is");
}

/** CODEC.NULL. */
export function nullValue(typeName: string): ColumnError {
  return new ColumnError("CODEC.NULL", `null is not a value of ${typeName}`);
}

/** Whether a value can be taken as a row or as a map with string keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) &&
    !(value instanceof Map) && !(value instanceof Date);
}

/** The type and a short form of any value: `string "abc"`, `Date`, `null`. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "bigint":
    case "string":
      return `${typeof value} ${short(value)}`;
    case "object":
      if (value === null) return "null";
      if (value instanceof Uint8Array) return `Uint8Array of ${value.length} bytes`;
      if (Array.isArray(value)) return `array of ${value.length}`;
      return nameOf(value);
    default:
      return typeof value;
  }
}

/** A short form of any value, without its type. */
export function short(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}...` : value);
    case "bigint":
      return cut(`${value}n`);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return temporalText(value) ?? describe(value);
    default:
      return typeof value;
  }
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}

/** Dates and Temporal values have a text worth showing; the text of other objects says nothing. */
function temporalText(value: object | null): string | undefined {
  if (value === null) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  return nameOf(value).startsWith("Temporal.") ? cut(String(value)) : undefined;
}

function nameOf(value: object): string {
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  if (typeof tag === "string" && tag !== "") return cut(tag);
  const made: unknown = Reflect.get(value, "constructor");
  return typeof made === "function" && made.name !== "" && made.name !== "Object" ? cut(made.name) : "object";
}
