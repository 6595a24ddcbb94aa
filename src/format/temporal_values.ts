/**
 * JavaScript values of DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ.
 *
 * Points in time are milliseconds rounded down and 0 to 999999 nanoseconds above them, also before 1970, as the format
 * prescribes (Fluss: TimestampNtz.java). Mind that Java's log reader of 0.9.1 stops at a row from before 1970 that has
 * digits below the millisecond (observed): such a row blocks Java consumers of its bucket.
 *
 * @module
 */
import {
  civilOf,
  dateText,
  dateTimeText,
  DAY_MILLIS,
  daysOf,
  joinNanos,
  parseDate,
  parseDateTime,
  parseInstant,
  parseTime,
  splitNanos,
  timeText,
} from "../base/calendar.ts";
import { flussError } from "../base/errors.ts";
import type { DataType, SimpleType, TemporalLike, TimeType } from "../schema/data_type.ts";
import type { Conversion, Field, Rest, TimestampConversion } from "./field.ts";
import { DAYS } from "./scalar_values.ts";
import { outOfRange, wrongType } from "./value_error.ts";

/** Up to this precision a timestamp is milliseconds alone on the wire (Fluss: TimestampNtz.java, MAX_COMPACT_PRECISION). */
const COMPACT_PRECISION = 3;

/** The `Temporal` of a type. */
function temporalOf(type: DataType): TemporalLike {
  const found = type.temporal ?? (globalThis as { Temporal?: TemporalLike }).Temporal;
  if (found === undefined) {
    throw flussError("RUNTIME.TEMPORAL_MISSING", { message: `${type.kind} values need Temporal` });
  }
  return found;
}

/** Runs one of Temporal's constructors; what it cannot hold is a value error, not a RangeError. */
function temporalRange(typeName: string, text: string): unknown {
  return outOfRange(text, `of ${typeName} is outside of what Temporal can hold`);
}

/** DATE: `Temporal.PlainDate`, `string` or `days`. */
export function dateField(type: SimpleType): Field {
  return { form: "int32", conversion: dateConversion(type) };
}

function dateConversion(type: SimpleType): Conversion<number> {
  if (type.mode === "days") return DAYS;
  if (type.mode === "string") {
    return {
      encode(value) {
        if (typeof value !== "string") throw wrongType('string such as "2026-11-23"', value);
        const days = parseDate(value);
        if (days === undefined) throw wrongType('date such as "2026-11-23"', value);
        return DAYS.encode(days);
      },
      decode: dateText,
    };
  }
  const { PlainDate } = temporalOf(type);
  const dateOf = oncePerTime((days) => {
    const { year, month, day } = civilOf(days);
    try {
      return new PlainDate(year, month, day);
    } catch {
      throw temporalRange("DATE", dateText(days));
    }
  });
  return {
    encode(value) {
      if (!(value instanceof PlainDate)) throw wrongType("Temporal.PlainDate", value);
      const date = value.calendarId === "iso8601" ? value : value.withCalendar("iso8601");
      return daysOf(date.year, date.month, date.day);
    },
    decode: (days) => dateOf(days, 0),
  };
}

/** TIME(p): `Temporal.PlainTime`, `string` or `millis`. */
export function timeField(type: TimeType): Field {
  return { form: "int32", conversion: timeConversion(type) };
}

function timeConversion(type: TimeType): Conversion<number> {
  // The wire has milliseconds for every precision, and change logs cut what the precision does not name (observed).
  const unit = 10 ** Math.max(0, 3 - type.precision);
  const check = (millis: number, nanos: number, value: unknown): number => {
    if (nanos !== 0) throw outOfRange(value, "has digits below the millisecond, TIME would lose them");
    if (millis % unit !== 0) {
      throw outOfRange(value, `has more than the ${type.precision} fraction digits of TIME(${type.precision})`);
    }
    return millis;
  };
  if (type.mode === "millis") {
    return {
      encode(value) {
        if (typeof value !== "number") throw wrongType("number of milliseconds", value);
        if (!(Number.isInteger(value) && value >= 0 && value < DAY_MILLIS)) {
          throw outOfRange(value, "is not a whole millisecond of a day (0 to 86399999)");
        }
        return check(value, 0, value);
      },
      decode: (millis) => millis,
    };
  }
  if (type.mode === "string") {
    return {
      encode(value) {
        if (typeof value !== "string") throw wrongType('string such as "12:30:00"', value);
        const time = parseTime(value);
        if (time === undefined) throw wrongType('time such as "12:30:00"', value);
        return check(time.millis, time.nanos, value);
      },
      decode: (millis) => timeText(checkStoredTime(millis), 0),
    };
  }
  const { PlainTime } = temporalOf(type);
  return {
    encode(value) {
      if (!(value instanceof PlainTime)) throw wrongType("Temporal.PlainTime", value);
      const millis = ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.millisecond;
      return check(millis, value.microsecond * 1000 + value.nanosecond, value);
    },
    decode(stored) {
      const millis = checkStoredTime(stored);
      const seconds = Math.floor(millis / 1000);
      return new PlainTime(Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60, millis % 1000);
    },
  };
}

/** Servers store any number as TIME (observed); only the `millis` mode can show such a value. */
function checkStoredTime(millis: number): number {
  if (millis < 0 || millis >= DAY_MILLIS) {
    throw outOfRange(millis, "milliseconds are stored, which is no time of a day");
  }
  return millis;
}

/** TIMESTAMP(p) and TIMESTAMP_LTZ(p). */
export function timestampField(type: TimeType): Field {
  const conversion = timestampConversion(type);
  if (type.precision > COMPACT_PRECISION) return { form: "timestamp", conversion };
  if (type.mode === "epochMillis") return { form: "safeInt64", conversion: compactEpochMillis(type) };
  const rest: Rest = { nanos: 0 };
  return {
    form: "safeInt64",
    // The precision check leaves no nanoseconds in `rest`.
    conversion: { encode: (value) => conversion.encode(value, rest), decode: (millis) => conversion.decode(millis, 0) },
  };
}

type Split = (value: unknown, rest: Rest) => number;
type Join = (millis: number, nanos: number) => unknown;

function timestampConversion(type: TimeType): TimestampConversion {
  const { split, join } = timestampMode(type);
  const check = precisionCheck(type);
  return {
    encode(value, rest) {
      const millis = split(value, rest);
      if (!Number.isSafeInteger(millis)) throw outOfRange(value, "is too far from 1970");
      check(millis, rest.nanos, value);
      return millis;
    },
    decode: join,
  };
}

/** Digits that the precision does not name are refused: lookups would show them and change logs not (observed). */
function precisionCheck(type: TimeType): (millis: number, nanos: number, value: unknown) => void {
  const { precision } = type;
  const milliUnit = 10 ** Math.max(0, 3 - precision);
  const nanoUnit = precision <= 3 ? 1_000_000 : 10 ** (9 - precision);
  return (millis, nanos, value) => {
    if (nanos % nanoUnit !== 0 || millis % milliUnit !== 0) {
      throw outOfRange(value, `has more than the ${precision} fraction digits of ${nameOf(type)}`);
    }
  };
}

function compactEpochMillis(type: TimeType): Conversion<number> {
  const unit = 10 ** (3 - type.precision);
  return {
    encode(value) {
      if (typeof value !== "number") throw wrongType("number of milliseconds", value);
      if (!Number.isSafeInteger(value) || (unit !== 1 && value % unit !== 0)) throw notMillis(value, type);
      return value;
    },
    decode: (millis) => millis,
  };
}

function notMillis(value: number, type: TimeType): unknown {
  return Number.isSafeInteger(value)
    ? outOfRange(value, `has more than the ${type.precision} fraction digits of ${nameOf(type)}`)
    : outOfRange(value, "is not a whole number of milliseconds");
}

function timestampMode(type: TimeType): { split: Split; join: Join } {
  switch (type.mode) {
    case "epochMillis":
      return { split: splitMillis, join: (millis, nanos) => wholeMillis(millis, nanos, type) };
    case "epochMicros":
      return {
        split: (value, rest) => splitBig(value, 1000n, rest),
        join(millis, nanos) {
          if (nanos % 1000 !== 0) throw outOfRange(dateTimeText(millis, nanos), "has digits below the microsecond");
          return BigInt(millis) * 1000n + BigInt(nanos / 1000);
        },
      };
    case "epochNanos":
      return {
        split: (value, rest) => splitBig(value, 1n, rest),
        join: (millis, nanos) => joinNanos({ millis, nanos }),
      };
    case "date":
      return { split: splitDate, join: (millis, nanos) => dateOf(wholeMillis(millis, nanos, type), type) };
    case "string":
      return oncePerValue(type.kind === "timestamp" ? textMode(parseDateTime, "") : textMode(parseInstant, "Z"));
    default:
      return oncePerValue(type.kind === "timestamp" ? plainDateTimeMode(type) : instantMode(type));
  }
}

/** Neither texts nor Temporal values ever change, and many rows are stamped with the same one. */
function oncePerValue({ split, join }: { split: Split; join: Join }): { split: Split; join: Join } {
  return { split: splitOnce(split), join: oncePerTime(join) };
}

/** Splits a value that comes again and again once; that costs more than everything else in a row (0.1 to 0.25 us). */
function splitOnce(split: Split): Split {
  let last: unknown = split;
  let millis = 0;
  let nanos = 0;
  return (value, rest) => {
    if (value !== last) {
      millis = split(value, rest);
      nanos = rest.nanos;
      last = value;
    }
    rest.nanos = nanos;
    return millis;
  };
}

/** The other way round: the same time in the next row is the same object. To make one costs 0.2 to 0.5 us. */
function oncePerTime(join: Join): Join {
  let lastMillis = Number.NaN;
  let lastNanos = 0;
  let last: unknown;
  return (millis, nanos) => {
    if (millis !== lastMillis || nanos !== lastNanos) {
      last = join(millis, nanos);
      lastMillis = millis;
      lastNanos = nanos;
    }
    return last;
  };
}

const splitMillis: Split = (value, rest) => {
  if (typeof value !== "number") throw wrongType("number of milliseconds", value);
  if (!Number.isSafeInteger(value)) throw outOfRange(value, "is not a whole number of milliseconds");
  rest.nanos = 0;
  return value;
};

const splitDate: Split = (value, rest) => {
  if (!(value instanceof Date)) throw wrongType("Date", value);
  const millis = value.getTime();
  if (Number.isNaN(millis)) throw wrongType("valid Date", value);
  rest.nanos = 0;
  return millis;
};

/** Splits a count of units, `scale` nanoseconds each. */
function splitBig(value: unknown, scale: bigint, rest: Rest): number {
  if (typeof value !== "bigint") throw wrongType("bigint", value);
  return splitCount(value * scale, value, rest);
}

function splitCount(count: bigint, value: unknown, rest: Rest): number {
  const { millis, nanos } = splitNanos(count);
  if (!Number.isSafeInteger(millis)) throw outOfRange(value, "is too far from 1970");
  rest.nanos = nanos;
  return millis;
}

function wholeMillis(millis: number, nanos: number, type: TimeType): number {
  if (nanos !== 0) {
    throw outOfRange(
      dateTimeText(millis, nanos),
      `has digits below the millisecond, mode "${type.mode}" would lose them`,
    );
  }
  return millis;
}

function dateOf(millis: number, type: TimeType): Date {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) throw outOfRange(dateTimeText(millis, 0), `of ${nameOf(type)} is outside of Date`);
  return date;
}

function textMode(
  parse: (text: string) => { millis: number; nanos: number } | undefined,
  suffix: "" | "Z",
): { split: Split; join: Join } {
  const example = `"2026-11-23T12:30:00${suffix}"`;
  return {
    split(value, rest) {
      if (typeof value !== "string") throw wrongType(`string such as ${example}`, value);
      const parsed = parse(value);
      if (parsed === undefined) throw wrongType(`time such as ${example}`, value);
      rest.nanos = parsed.nanos;
      return parsed.millis;
    },
    join: (millis, nanos) => dateTimeText(millis, nanos) + suffix,
  };
}

function plainDateTimeMode(type: TimeType): { split: Split; join: Join } {
  const { PlainDateTime } = temporalOf(type);
  return {
    split(value, rest) {
      if (!(value instanceof PlainDateTime)) throw wrongType("Temporal.PlainDateTime", value);
      const time = value.calendarId === "iso8601" ? value : value.withCalendar("iso8601");
      rest.nanos = time.microsecond * 1000 + time.nanosecond;
      return daysOf(time.year, time.month, time.day) * DAY_MILLIS +
        ((time.hour * 60 + time.minute) * 60 + time.second) * 1000 + time.millisecond;
    },
    join(millis, nanos) {
      const days = Math.floor(millis / DAY_MILLIS);
      const { year, month, day } = civilOf(days);
      const ofDay = millis - days * DAY_MILLIS;
      const seconds = Math.floor(ofDay / 1000);
      try {
        return new PlainDateTime(
          year,
          month,
          day,
          Math.floor(seconds / 3600),
          Math.floor(seconds / 60) % 60,
          seconds % 60,
          ofDay % 1000,
          Math.floor(nanos / 1000),
          nanos % 1000,
        );
      } catch {
        throw temporalRange(nameOf(type), dateTimeText(millis, nanos));
      }
    },
  };
}

function instantMode(type: TimeType): { split: Split; join: Join } {
  const { Instant } = temporalOf(type);
  return {
    split(value, rest) {
      if (!(value instanceof Instant)) throw wrongType("Temporal.Instant", value);
      return splitCount(value.epochNanoseconds, value, rest);
    },
    join(millis, nanos) {
      try {
        return nanos === 0
          ? Instant.fromEpochMilliseconds(millis)
          : Instant.fromEpochNanoseconds(joinNanos({ millis, nanos }));
      } catch {
        throw temporalRange(nameOf(type), `${dateTimeText(millis, nanos)}Z`);
      }
    },
  };
}

function nameOf(type: TimeType): string {
  return type.kind === "timestamp" ? `TIMESTAMP(${type.precision})` : `TIMESTAMP_LTZ(${type.precision})`;
}
