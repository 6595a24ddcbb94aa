/**
 * Values of columns as text and back: JSON for programs, plain text for people, CSV and the words of a command line.
 *
 * @module
 */
import type { DataType } from "../../schema/data_type.ts";
import { fromJsonValue, JsonMismatch, toJsonValue } from "../../schema/json_values.ts";

/** What writes the values of one column. */
export type CellWriter = (value: unknown) => string;

/** Values as JSON text, in the form that `toJson()` has; but -0 stays -0. */
export function jsonWriter(type: DataType): CellWriter {
  switch (type.kind) {
    case "boolean":
    case "tinyint":
    case "smallint":
    case "int":
      return String;
    case "bigint":
    case "decimal":
    case "date":
    case "time":
    case "timestamp":
    case "timestampLtz":
      // Digits, signs and letters alone: there is nothing to escape. Null is no text.
      return (value) => value === null ? "null" : `"${value as string}"`;
    case "float":
    case "double":
      return (value) => value === null ? "null" : floatJson(value as number);
    case "char":
    case "string":
      return JSON.stringify;
    case "array":
      return listJson(jsonWriter(type.element));
    case "row":
      return recordJson(type.fields.map((field) => [field.key, jsonWriter(field.type)]));
    case "map":
      return mapJson(type.key, jsonWriter(type.key), jsonWriter(type.value));
    default:
      return (value) => JSON.stringify(toJsonValue(type, value));
  }
}

function floatJson(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}

function listJson(element: CellWriter): CellWriter {
  return (value) => value === null ? "null" : `[${(value as readonly unknown[]).map(element).join(",")}]`;
}

/** Objects of which the keys are known. */
export function recordJson(fields: readonly (readonly [key: string, write: CellWriter])[]): CellWriter {
  const keys = fields.map(([key]) => key);
  const before = keys.map((key, i) => `${i === 0 ? "{" : ","}${JSON.stringify(key)}:`);
  const writers = fields.map(([, write]) => write);
  if (keys.length === 0) return (value) => value === null ? "null" : "{}";
  return (value) => {
    if (value === null) return "null";
    let text = "";
    for (let i = 0; i < keys.length; i++) {
      text += before[i]! + writers[i]!((value as Readonly<Record<string, unknown>>)[keys[i]!]);
    }
    return `${text}}`;
  };
}

function mapJson(keyType: DataType, key: CellWriter, inner: CellWriter): CellWriter {
  const asObject = keyType.kind === "string" || keyType.kind === "char";
  return (value) => {
    if (value === null) return "null";
    const entries = [...(value as ReadonlyMap<unknown, unknown>)];
    return asObject
      ? `{${entries.map(([name, each]) => `${key(name)}:${inner(each)}`).join(",")}}`
      : `[${entries.map(([name, each]) => `[${key(name)},${inner(each)}]`).join(",")}]`;
  };
}

/** Values as plain text: JSON for nested ones, and for all others what JSON has in quotes. Null is not asked for. */
export function textWriter(type: DataType): CellWriter {
  switch (type.kind) {
    case "binary":
    case "bytes":
      return (value) => toJsonValue(type, value) as string;
    case "array":
    case "map":
    case "row":
      return jsonWriter(type);
    case "float":
    case "double":
      return (value) => Object.is(value, -0) ? "-0" : String(value);
    default:
      return String;
  }
}

/** What reads values of one column. */
export type CellReader<From> = (from: From) => unknown;

/**
 * Values from JSON, in the form that {@linkcode jsonWriter} writes; decimals may be numbers, too, of as many digits as
 * those hold. What comes may still be outside of the type: the write checks it.
 *
 * @throws JsonMismatch
 */
export function jsonReader(type: DataType): CellReader<unknown> {
  switch (type.kind) {
    case "date":
    case "time":
    case "timestamp":
    case "timestampLtz":
    case "string":
    case "char":
    case "boolean":
    case "tinyint":
    case "smallint":
    case "int":
      return asItIs;
    case "decimal":
      return (json) => typeof json === "number" ? decimalOf(json) : json;
    case "bigint":
      return (json) => {
        const plain = typeof json === "number" && Number.isSafeInteger(json) && type.mode !== "number";
        return plain ? BigInt(json) : fromJsonValue(type, json);
      };
    case "float":
    case "double":
      return (json) => {
        if (typeof json !== "number" || Number.isFinite(json)) return fromJsonValue(type, json);
        throw new JsonMismatch(TOO_LARGE);
      };
    default:
      return (json) => fromJsonValue(type, json);
  }
}

/** What reads values that JSON has already. */
export const asItIs: CellReader<unknown> = (json) => json;

const TOO_LARGE = "is larger than any number of this kind";

/** A number that a double holds exactly as it was written. */
function decimalOf(json: number): string {
  const text = String(json);
  if (/^-?[\d.]+$/.test(text) && text.replace(/\D/g, "").replace(/^0+/, "").length <= 15) return text;
  throw new JsonMismatch('has more digits than a JSON number keeps: write it as text, such as "12.50"');
}

/**
 * Values from plain text, in the form that {@linkcode textWriter} writes.
 *
 * @throws JsonMismatch
 */
export function textReader(type: DataType): CellReader<string> {
  switch (type.kind) {
    case "boolean":
      return (text) => {
        const at = ["false", "true"].indexOf(text.toLowerCase());
        if (at < 0) throw new JsonMismatch("expected true or false");
        return at === 1;
      };
    case "tinyint":
    case "smallint":
    case "int":
      return (text) => {
        if (isWhole(text)) return Number(text);
        throw new JsonMismatch("expected a whole number");
      };
    case "bigint":
      return (text) => {
        if (!isWhole(text)) throw new JsonMismatch("expected a whole number");
        if (text.length <= SAFE_LENGTH) return BigInt(Number(text));
        return BigInt(text.startsWith("+") ? text.slice(1) : text);
      };
    case "float":
    case "double":
      return (text) => {
        const number = hasNumberSigns(text) ? Number(text) : NaN;
        if (Number.isFinite(number) || /^(NaN|[+-]?Infinity)$/.test(text)) return Number(text);
        if (number === number) throw new JsonMismatch(TOO_LARGE);
        throw new JsonMismatch("expected a number");
      };
    case "binary":
    case "bytes":
      return (text) => fromJsonValue(type, text);
    case "array":
    case "map":
    case "row":
      return (text) => fromJsonValue(type, parseJson(text));
    default:
      return (text) => text;
  }
}

/** Texts of no more characters are numbers that a double keeps. */
const SAFE_LENGTH = 15;

/** Whether a text is 1 to 20 digits, with a sign or without. Faster than a regular expression. */
function isWhole(text: string): boolean {
  const first = text.charCodeAt(0);
  const begin = first === 43 || first === 45 ? 1 : 0;
  const { length } = text;
  if (length === begin || length > begin + 20) return false;
  for (let i = begin; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** Whether a text has the signs of a plain number alone; `Number()` knows others, and spaces. */
function hasNumberSigns(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 48 || code > 57) && code !== 46 && code !== 45 && code !== 43 && code !== 101 && code !== 69) {
      return false;
    }
  }
  return text.length > 0;
}

/**
 * JSON that came as a word or a cell.
 *
 * @throws JsonMismatch
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonMismatch("expected JSON");
  }
}
