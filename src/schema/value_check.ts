/**
 * Whether a JavaScript value is one of a type, in the mode of the column: for schemas and JSON. Writing does not pass
 * here; the codecs have the same rules.
 *
 * @module
 */
import { DAY_MILLIS, parseDate, parseDateTime, parseInstant, parseTime, splitNanos } from "../base/calendar.ts";
import { type DataType, type DecimalType, type RowField, type TimeType, typeText } from "./data_type.ts";

/** Told of every value that is not right, and where. */
export type Report = (message: string, path: readonly PropertyKey[]) => void;

/** The ranges of whole numbers. */
export const INTEGER_RANGES = {
  tinyint: [-128, 127],
  smallint: [-32768, 32767],
  int: [-2147483648, 2147483647],
} as const;

/** Looks at a value that may be null. */
export function checkCell(type: DataType, value: unknown, path: readonly PropertyKey[], report: Report): void {
  if (value === undefined) report("is undefined, which could mean null or leave as it is", path);
  else if (value !== null) checkValue(type, value, path, report);
  else if (!type.nullable) report(`is null, and ${typeText(type)} takes no null`, path);
}

/** Looks at a value that is not null. */
export function checkValue(type: DataType, value: unknown, path: readonly PropertyKey[], report: Report): void {
  if (type.codec !== undefined) {
    let raw: unknown;
    try {
      raw = type.codec.encode(value);
    } catch (error) {
      report(`was refused by the column's codec: ${error instanceof Error ? error.message : String(error)}`, path);
      return;
    }
    const { codec: _codec, ...plain } = type;
    if (type.kind === "decimal") checkUnscaledDecimal(type, raw, path, report);
    else checkValue(plain as DataType, raw, path, report);
    return;
  }
  const why = whyNot(type, value);
  if (why !== undefined) report(why, path);
  else checkInside(type, value, path, report);
}

function whyNot(type: DataType, value: unknown): string | undefined {
  switch (type.kind) {
    case "boolean":
      return typeof value === "boolean" ? undefined : wrong("boolean", value);
    case "tinyint":
    case "smallint":
    case "int": {
      const [min, max] = INTEGER_RANGES[type.kind];
      return whyNotInteger(value, min, max, type);
    }
    case "bigint":
      if (type.mode === "number") return whyNotInteger(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, type);
      if (typeof value !== "bigint") return wrong("bigint", value);
      return BigInt.asIntN(64, value) === value ? undefined : `${value} is outside of BIGINT (64 bits)`;
    case "float":
      if (typeof value !== "number") return wrong("number", value);
      return Number.isFinite(value) && !Number.isFinite(Math.fround(value))
        ? `${value} is outside of FLOAT`
        : undefined;
    case "double":
      return typeof value === "number" ? undefined : wrong("number", value);
    case "string":
      return typeof value === "string" ? undefined : wrong("string", value);
    case "char":
      if (typeof value !== "string") return wrong("string", value);
      return [...value].length <= type.length
        ? undefined
        : `has more than the ${type.length} characters of ${typeText(type)}`;
    case "binary":
      if (!(value instanceof Uint8Array)) return wrong("Uint8Array", value);
      return value.length === type.length
        ? undefined
        : `has ${value.length} bytes, and ${typeText(type)} takes ${type.length}`;
    case "bytes":
      return value instanceof Uint8Array ? undefined : wrong("Uint8Array", value);
    case "decimal":
      return whyNotDecimal(type, value);
    case "date":
      return whyNotDate(type, value);
    case "time":
      return whyNotTime(type, value);
    case "timestamp":
    case "timestampLtz":
      return whyNotTimestamp(type, value);
    case "array":
      return Array.isArray(value) ? undefined : wrong("array", value);
    case "map":
      if (type.mode === "object") return isRecord(value) ? undefined : wrong("object", value);
      return value instanceof Map ? undefined : wrong("Map", value);
    case "row":
      return isRecord(value) ? undefined : wrong("object", value);
  }
}

function whyNotInteger(value: unknown, min: number, max: number, type: DataType): string | undefined {
  if (typeof value !== "number") return wrong("number", value);
  if (!Number.isInteger(value)) return `${value} is not a whole number`;
  if (value >= min && value <= max) return undefined;
  return `${value} is outside of ${type.kind.toUpperCase()} (${min} to ${max})`;
}

function whyNotDecimal(type: DecimalType, value: unknown): string | undefined {
  if (type.mode === "unscaled") {
    return typeof value === "bigint" ? whyNotUnscaled(type, value) : wrong("bigint", value);
  }
  if (type.mode === "number") {
    if (typeof value !== "number") return wrong("number", value);
    const tooLarge = !(Math.abs(value) < 10 ** (type.precision - type.scale));
    return tooLarge ? `${value} has more digits than ${typeText(type)} can hold` : undefined;
  }
  if (typeof value !== "string") return wrong("string of decimal digits", value);
  const digits = countDigits(value);
  if (digits === undefined) return `${JSON.stringify(value.slice(0, 40))} is not plain decimal digits such as "-12.50"`;
  if (digits.decimals > type.scale) return `has more than ${type.scale} decimals, ${typeText(type)} would lose them`;
  if (digits.whole > type.precision - type.scale) return `has more digits than ${typeText(type)} can hold`;
  return undefined;
}

/** How many digits a plain decimal has before its point and behind it, without zeros at its ends. */
function countDigits(text: string): { readonly whole: number; readonly decimals: number } | undefined {
  const { length } = text;
  const sign = text.charCodeAt(0);
  const begin = sign === 43 || sign === 45 ? 1 : 0;
  let point = length;
  let first = length;
  let last = begin - 1;
  for (let i = begin; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46 && point === length) point = i;
    else if (code < 48 || code > 57) return undefined;
    else if (code !== 48) {
      first = Math.min(first, i);
      last = i;
    }
  }
  if (point === begin || point === length - 1 || length === begin) return undefined;
  return { whole: Math.max(0, point - first), decimals: Math.max(0, last - point) };
}

function whyNotUnscaled(type: DecimalType, unscaled: bigint): string | undefined {
  const limit = 10n ** BigInt(type.precision);
  return unscaled < limit && unscaled > -limit ? undefined : `has more digits than ${typeText(type)} can hold`;
}

function checkUnscaledDecimal(type: DecimalType, raw: unknown, path: readonly PropertyKey[], report: Report): void {
  const { unscaled, scale } = (isRecord(raw) ? raw : {}) as { unscaled?: unknown; scale?: unknown };
  if (typeof unscaled !== "bigint" || !Number.isInteger(scale)) {
    report(wrong("{ unscaled: bigint, scale: number } from the codec", raw), path);
    return;
  }
  const shift = type.scale - (scale as number);
  const factor = 10n ** BigInt(Math.abs(shift));
  const why = shift < 0 && unscaled % factor !== 0n
    ? `has more than ${type.scale} decimals, ${typeText(type)} would lose them`
    : whyNotUnscaled(type, shift < 0 ? unscaled / factor : unscaled * factor);
  if (why !== undefined) report(why, path);
}

function whyNotDate(type: DataType, value: unknown): string | undefined {
  switch (type.mode) {
    case "days":
      return whyNotInteger(value, ...INTEGER_RANGES.int, type);
    case "string":
      if (typeof value !== "string") return wrong("string", value);
      return parseDate(value) === undefined ? `${quoted(value)} is not a date such as "2026-11-23"` : undefined;
    default:
      return isTemporal(value, "PlainDate") ? undefined : wrong("Temporal.PlainDate", value);
  }
}

function whyNotTime(type: TimeType, value: unknown): string | undefined {
  switch (type.mode) {
    case "millis":
      return whyNotInteger(value, 0, DAY_MILLIS - 1, type) ?? whyNotDigits(type, value as number, 0);
    case "string": {
      if (typeof value !== "string") return wrong("string", value);
      const time = parseTime(value);
      if (time === undefined) return `${quoted(value)} is not a time such as "12:30:00"`;
      return whyNotDigits(type, time.millis, time.nanos);
    }
    default:
      return isTemporal(value, "PlainTime")
        ? whyNotParts(type, value as Temporal.PlainTime)
        : wrong("Temporal.PlainTime", value);
  }
}

function whyNotTimestamp(type: TimeType, value: unknown): string | undefined {
  switch (type.mode) {
    case "epochMillis":
      return whyNotInteger(value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, type) ??
        whyNotDigits(type, value as number, 0);
    case "epochMicros":
    case "epochNanos": {
      if (typeof value !== "bigint") return wrong("bigint", value);
      const { millis, nanos } = splitNanos(type.mode === "epochNanos" ? value : value * 1000n);
      return whyNotDigits(type, millis, nanos);
    }
    case "date":
      if (!(value instanceof Date)) return wrong("Date", value);
      if (Number.isNaN(value.getTime())) return "is an invalid Date";
      return whyNotDigits(type, value.getTime(), 0);
    case "string": {
      if (typeof value !== "string") return wrong("string", value);
      const wall = type.kind === "timestamp";
      const time = wall ? parseDateTime(value) : parseInstant(value);
      if (time === undefined) return `${quoted(value)} is not a time such as "2026-11-23T12:30:00${wall ? "" : "Z"}"`;
      return whyNotDigits(type, time.millis, time.nanos);
    }
    default: {
      if (type.kind === "timestamp") {
        return isTemporal(value, "PlainDateTime")
          ? whyNotParts(type, value as Temporal.PlainDateTime)
          : wrong("Temporal.PlainDateTime", value);
      }
      if (!isTemporal(value, "Instant")) return wrong("Temporal.Instant", value);
      const { millis, nanos } = splitNanos((value as Temporal.Instant).epochNanoseconds);
      return whyNotDigits(type, millis, nanos);
    }
  }
}

function whyNotParts(type: TimeType, value: Temporal.PlainTime | Temporal.PlainDateTime): string | undefined {
  return whyNotDigits(type, value.millisecond, value.microsecond * 1000 + value.nanosecond);
}

/** Digits that the precision does not name would be seen by some readers and not by others (observed). */
function whyNotDigits(type: TimeType, millis: number, nanos: number): string | undefined {
  if (!Number.isSafeInteger(millis)) return "is too far from 1970";
  const digits = type.kind === "time" ? Math.min(type.precision, 3) : type.precision;
  const fits = digits <= 3 ? nanos === 0 && millis % 10 ** (3 - digits) === 0 : nanos % 10 ** (9 - digits) === 0;
  return fits ? undefined : `has more than ${digits} digits of a second, ${typeText(type)} would lose them`;
}

function checkInside(type: DataType, value: unknown, path: readonly PropertyKey[], report: Report): void {
  if (type.kind === "array") {
    (value as readonly unknown[]).forEach((element, i) => checkCell(type.element, element, [...path, i], report));
  } else if (type.kind === "map") {
    const entries = value instanceof Map ? value.entries() : Object.entries(value as object);
    for (const [key, inner] of entries) {
      const at = [...path, typeof key === "number" ? key : String(key)];
      checkCell(type.key, key, at, report);
      checkCell(type.value, inner, at, report);
    }
  } else if (type.kind === "row") {
    checkFields(type.fields, value as Readonly<Record<string, unknown>>, path, report);
  }
}

function checkFields(
  fields: readonly RowField[],
  row: Readonly<Record<string, unknown>>,
  path: readonly PropertyKey[],
  report: Report,
): void {
  for (const { key, type } of fields) {
    if (Object.hasOwn(row, key)) checkCell(type, row[key], [...path, key], report);
    else if (!type.nullable) report("is missing", [...path, key]);
  }
  for (const key of Object.keys(row)) {
    if (!fields.some((field) => field.key === key)) report("is not a field of the type", [...path, key]);
  }
}

/** Whether a value is an object with members of its own to look at. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value) &&
    !(value instanceof Map) && !(value instanceof Date);
}

/** Polyfills name their classes as the standard does. */
function isTemporal(value: unknown, name: "PlainDate" | "PlainTime" | "PlainDateTime" | "Instant"): boolean {
  return typeof value === "object" && value !== null && Reflect.get(value, Symbol.toStringTag) === `Temporal.${name}`;
}

function wrong(expected: string, value: unknown): string {
  return `expected ${expected}, got ${describe(value)}`;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `string ${quoted(value)}`;
  if (typeof value === "bigint") return `bigint ${value}`;
  if (typeof value === "number" || typeof value === "boolean") return `${typeof value} ${value}`;
  if (typeof value !== "object") return typeof value;
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  if (typeof tag === "string") return tag;
  return Array.isArray(value) ? "array" : value instanceof Date ? "Date" : "object";
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
