/**
 * Values of columns as JSON and back. The form follows the Fluss type, not the mode of the column: integers of 64 bits
 * and decimals are texts, dates and times ISO 8601 texts, bytes base64. Only BIGINT and DECIMAL in mode `number` are
 * numbers.
 *
 * @module
 */
import {
  dateText,
  dateTimeText,
  joinNanos,
  parseDate,
  parseDateTime,
  parseInstant,
  parseTime,
  splitNanos,
  type SplitTime,
  timeText,
} from "../base/calendar.ts";
import type { DataType, DecimalType, TimeType } from "./data_type.ts";
import { isTextKey } from "./json_schema.ts";
import { isRecord } from "./value_check.ts";

/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A value that has no form on the other side. */
export class JsonMismatch {
  readonly message: string;
  readonly path: readonly PropertyKey[];

  constructor(message: string, path: readonly PropertyKey[] = []) {
    this.message = message;
    this.path = path;
  }
}

/** A value that is known to be one of the type, as JSON. */
export function toJsonValue(type: DataType, value: unknown): JsonValue {
  if (value === null) return null;
  if (type.codec !== undefined) {
    const raw: unknown = type.codec.encode(value);
    if (type.kind === "decimal") return rawDecimalText(raw as { unscaled: bigint; scale: number }, type.scale);
    const { codec: _codec, ...plain } = type;
    return toJsonValue(plain as DataType, raw);
  }
  switch (type.kind) {
    case "bigint":
      return typeof value === "number" ? value : String(value);
    case "float":
    case "double":
      return Number.isFinite(value) ? value as number : String(value);
    case "decimal":
      return decimalToJson(type, value);
    case "date":
      return type.mode === "days" ? dateText(value as number) : String(value);
    case "time":
      return type.mode === "millis" ? timeText(value as number, 0) : String(value);
    case "timestamp":
    case "timestampLtz":
      return timestampToJson(type, value);
    case "binary":
    case "bytes":
      return (value as Uint8Array & { toBase64(): string }).toBase64();
    case "array":
      return (value as readonly unknown[]).map((element) => toJsonValue(type.element, element));
    case "map": {
      const entries = value instanceof Map ? [...value.entries()] : Object.entries(value as object);
      const pairs = entries.map(([key, inner]): [JsonValue, JsonValue] => [
        toJsonValue(type.key, key),
        toJsonValue(type.value, inner),
      ]);
      // fromEntries() takes any key as data, also one called __proto__.
      return isTextKey(type.key) ? Object.fromEntries(pairs as [string, JsonValue][]) : pairs;
    }
    case "row":
      return Object.fromEntries(type.fields.flatMap(({ key, type: field }) => {
        const row = value as Readonly<Record<string, unknown>>;
        return Object.hasOwn(row, key) ? [[key, toJsonValue(field, row[key])]] : [];
      }));
    default:
      return value as boolean | number | string;
  }
}

function decimalToJson(type: DecimalType, value: unknown): JsonValue {
  return typeof value === "bigint" ? scaledText(value, type.scale) : value as string | number;
}

function rawDecimalText({ unscaled, scale }: { unscaled: bigint; scale: number }, wanted: number): string {
  return scale <= wanted
    ? scaledText(unscaled * 10n ** BigInt(wanted - scale), wanted)
    : scaledText(unscaled / 10n ** BigInt(scale - wanted), wanted);
}

function scaledText(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function timestampToJson(type: TimeType, value: unknown): string {
  const zone = type.kind === "timestamp" ? "" : "Z";
  switch (type.mode) {
    case "epochMillis":
      return dateTimeText(value as number, 0) + zone;
    case "epochMicros":
      return nanosText((value as bigint) * 1000n) + zone;
    case "epochNanos":
      return nanosText(value as bigint) + zone;
    case "date":
      return dateTimeText((value as Date).getTime(), 0) + zone;
    default:
      return String(value);
  }
}

function nanosText(count: bigint): string {
  const { millis, nanos } = splitNanos(count);
  return dateTimeText(millis, nanos);
}

/**
 * A value from JSON. What it makes may still be outside of the type.
 *
 * @throws JsonMismatch for JSON that has another form
 */
export function fromJsonValue(type: DataType, json: unknown): unknown {
  if (json === null) return null;
  if (type.codec === undefined) return plainFromJson(type, json);
  const raw = type.kind === "decimal"
    ? { unscaled: unscaledOf(textOf(json, 'text such as "12.50"'), type.scale), scale: type.scale }
    : plainFromJson(type, json);
  try {
    return type.codec.decode(raw);
  } catch (error) {
    throw new JsonMismatch(
      `was refused by the column's codec: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function plainFromJson(type: DataType, json: unknown): unknown {
  switch (type.kind) {
    case "bigint":
      return bigintFromJson(type, json);
    case "float":
    case "double":
      return json === "NaN" || json === "Infinity" || json === "-Infinity" ? Number(json) : json;
    case "decimal":
      if (type.mode === "number") return json;
      return type.mode === "unscaled" ? unscaledOf(textOf(json, 'text such as "12.50"'), type.scale) : json;
    case "date":
      return dateFromJson(type, textOf(json, 'a date such as "2026-11-23"'));
    case "time":
      return timeFromJson(type, textOf(json, 'a time such as "12:30:00"'));
    case "timestamp":
    case "timestampLtz":
      return timestampFromJson(type, textOf(json, 'a time such as "2026-11-23T12:30:00Z"'));
    case "binary":
    case "bytes":
      return bytesFromJson(textOf(json, "base64"));
    case "array":
      if (!Array.isArray(json)) throw new JsonMismatch("expected a list");
      return json.map((element, i) => at(i, () => fromJsonValue(type.element, element)));
    case "map":
      return mapFromJson(type.key, type.value, json, type.mode === "object");
    case "row": {
      if (!isRecord(json)) throw new JsonMismatch("expected an object");
      const fields = new Map(type.fields.map((field) => [field.key, field.type]));
      return Object.fromEntries(
        Object.entries(json).map(([key, inner]) => {
          const field = fields.get(key);
          // Unknown fields are kept for the check, which refuses them.
          return [key, field === undefined ? inner : at(key, () => fromJsonValue(field, inner))];
        }),
      );
    }
    default:
      return json;
  }
}

function bigintFromJson(type: DataType, json: unknown): unknown {
  if (type.mode === "number") return json;
  // A whole number that JSON could carry without loss is taken too: models and forms write them.
  if (typeof json === "number" && Number.isSafeInteger(json)) return BigInt(json);
  const text = textOf(json, 'digits such as "42"');
  if (!/^-?\d{1,19}$/.test(text)) throw new JsonMismatch('expected digits such as "42"');
  return BigInt(text);
}

function unscaledOf(text: string, scale: number): bigint {
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text);
  const decimals = (match?.[3] ?? "").replace(/0+$/, "");
  if (match === null || text.length > 80) throw new JsonMismatch('expected plain digits such as "12.50"');
  if (decimals.length > scale) throw new JsonMismatch(`has more than ${scale} decimals`);
  const unscaled = BigInt(match[2] + decimals.padEnd(scale, "0"));
  return match[1] === "-" ? -unscaled : unscaled;
}

function dateFromJson(type: DataType, text: string): unknown {
  const days = parseDate(text);
  if (days === undefined) throw new JsonMismatch('expected a date such as "2026-11-23"');
  if (type.mode === "days") return days;
  return type.mode === "string" ? text : inTemporal(type, ({ PlainDate }) => PlainDate.from(text));
}

function timeFromJson(type: DataType, text: string): unknown {
  const time = parseTime(text);
  if (time === undefined) throw new JsonMismatch('expected a time such as "12:30:00"');
  if (type.mode === "string") return text;
  if (type.mode === "millis") return wholeMillis(time);
  return inTemporal(type, ({ PlainTime }) => PlainTime.from(text));
}

function timestampFromJson(type: TimeType, text: string): unknown {
  const wall = type.kind === "timestamp";
  const time = wall ? parseDateTime(text) : parseInstant(text);
  if (time === undefined) throw new JsonMismatch(`expected a time such as "2026-11-23T12:30:00${wall ? "" : "Z"}"`);
  switch (type.mode) {
    case "string":
      return text;
    case "epochMillis":
      return wholeMillis(time);
    case "date":
      return new Date(wholeMillis(time));
    case "epochMicros":
      if (time.nanos % 1000 !== 0) throw new JsonMismatch("has digits below the microsecond");
      return joinNanos(time) / 1000n;
    case "epochNanos":
      return joinNanos(time);
    default:
      return inTemporal(type, ({ PlainDateTime, Instant }) => wall ? PlainDateTime.from(text) : Instant.from(text));
  }
}

function wholeMillis({ millis, nanos }: SplitTime): number {
  if (nanos !== 0) throw new JsonMismatch("has digits below the millisecond");
  return millis;
}

/** Days and times are told apart already; but columns hold more of them than Temporal. */
function inTemporal<V>(type: DataType, make: (temporal: typeof Temporal) => V): V {
  try {
    return make(type.temporal ?? Temporal);
  } catch (error) {
    throw error instanceof RangeError ? new JsonMismatch("is outside of what Temporal can hold") : error;
  }
}

function bytesFromJson(text: string): Uint8Array {
  try {
    return (Uint8Array as unknown as { fromBase64(text: string): Uint8Array }).fromBase64(text);
  } catch {
    throw new JsonMismatch("expected base64");
  }
}

function mapFromJson(keyType: DataType, valueType: DataType, json: unknown, asObject: boolean): unknown {
  if (isTextKey(keyType)) {
    if (!isRecord(json)) throw new JsonMismatch("expected an object");
    const entries = Object.entries(json).map(([key, inner]) => [
      at(key, () => fromJsonValue(keyType, key)),
      at(key, () => fromJsonValue(valueType, inner)),
    ]);
    return asObject ? Object.fromEntries(entries) : new Map(entries as [unknown, unknown][]);
  }
  if (!Array.isArray(json)) throw new JsonMismatch("expected a list of [key, value] pairs");
  return new Map(json.map((pair: unknown, i): [unknown, unknown] => {
    if (!Array.isArray(pair) || pair.length !== 2) throw new JsonMismatch("expected a [key, value] pair", [i]);
    return [at(i, () => fromJsonValue(keyType, pair[0])), at(i, () => fromJsonValue(valueType, pair[1]))];
  }));
}

function textOf(json: unknown, expected: string): string {
  if (typeof json === "string") return json;
  throw new JsonMismatch(`expected ${expected}, got ${typeof json === "object" ? "an object" : typeof json}`);
}

/** Puts a key in front of the path of a mismatch. */
export function at<V>(key: PropertyKey, make: () => V): V {
  try {
    return make();
  } catch (error) {
    throw error instanceof JsonMismatch ? new JsonMismatch(error.message, [key, ...error.path]) : error;
  }
}
