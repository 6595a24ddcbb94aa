/**
 * ISO 8601 texts of dates and times, and the counts since 1970 that other modes use. The calendar is the proleptic
 * Gregorian one, the zone UTC; nothing here needs `Temporal`.
 *
 * @module
 */

const DATE = "([+-]\\d{6}|\\d{4})-(\\d{2})-(\\d{2})";
const TIME = "(\\d{2}):(\\d{2})(?::(\\d{2})(?:\\.(\\d{1,9}))?)?";
const DATE_ONLY = new RegExp(`^${DATE}$`);
const TIME_ONLY = new RegExp(`^${TIME}$`);
const DATE_TIME = new RegExp(`^${DATE}[T ]${TIME}$`);
const INSTANT = new RegExp(`^${DATE}[T ]${TIME}(?:[Zz]|([+-])(\\d{2}):?(\\d{2}))$`);

/** Milliseconds of a day. */
export const DAY_MILLIS = 86_400_000;
const NANOS_PER_MILLI = 1_000_000n;

/** The days from 1970-01-01 to a date text; undefined when there is no such date. */
export function parseDays(text: string): number | undefined {
  const match = DATE_ONLY.exec(text);
  return match === null ? undefined : daysIn(match);
}

/** The nanoseconds since midnight of a time text; undefined when there is no such time. */
export function parseTimeNanos(text: string): bigint | undefined {
  const match = TIME_ONLY.exec(text);
  return match === null ? undefined : nanosIn(match, 1);
}

/** The nanoseconds since 1970 of a wall clock's text, as if it were in UTC. */
export function parseDateTimeNanos(text: string): bigint | undefined {
  const match = DATE_TIME.exec(text);
  return match === null ? undefined : dateTimeNanos(match);
}

/** The nanoseconds since 1970 of a text with `Z` or an offset. */
export function parseInstantNanos(text: string): bigint | undefined {
  const match = INSTANT.exec(text);
  const nanos = match === null ? undefined : dateTimeNanos(match);
  if (match === null || nanos === undefined || match[8] === undefined) return nanos;
  const [hours, minutes] = [Number(match[9]), Number(match[10])];
  if (hours > 23 || minutes > 59) return undefined;
  const offset = BigInt((hours * 60 + minutes) * 60_000) * NANOS_PER_MILLI;
  return match[8] === "-" ? nanos + offset : nanos - offset;
}

/** `2026-11-23`. */
export function dateText(days: number): string {
  return new Date(days * DAY_MILLIS).toISOString().replace(/T.*$/, "");
}

/** `12:30:00.5`, without trailing zeros. */
export function timeText(nanos: bigint): string {
  const seconds = Number(nanos / 1_000_000_000n);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${
    fraction(nanos % 1_000_000_000n)
  }`;
}

/** `2026-11-23T12:30:00.5`. */
export function dateTimeText(nanos: bigint): string {
  const day = BigInt(DAY_MILLIS) * NANOS_PER_MILLI;
  // Division of bigints rounds to zero, and times before 1970 count from the day before.
  const ofDay = ((nanos % day) + day) % day;
  return `${dateText(Number((nanos - ofDay) / day))}T${timeText(ofDay)}`;
}

function fraction(nanosOfSecond: bigint): string {
  return nanosOfSecond === 0n ? "" : `.${String(nanosOfSecond).padStart(9, "0").replace(/0+$/, "")}`;
}

function dateTimeNanos(match: RegExpExecArray): bigint | undefined {
  const days = daysIn(match);
  const nanos = nanosIn(match, 4);
  if (days === undefined || nanos === undefined) return undefined;
  return BigInt(days) * BigInt(DAY_MILLIS) * NANOS_PER_MILLI + nanos;
}

function daysIn(match: RegExpExecArray): number | undefined {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (Object.is(year, -0)) return undefined;
  const date = new Date(0);
  // Date.UTC() takes years below 100 for ones of the 20th century.
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? date.getTime() / DAY_MILLIS : undefined;
}

function nanosIn(match: RegExpExecArray, first: number): bigint | undefined {
  const [hour, minute, second] = [Number(match[first]), Number(match[first + 1]), Number(match[first + 2] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const nanos = BigInt((match[first + 3] ?? "").padEnd(9, "0"));
  return BigInt((hour * 60 + minute) * 60 + second) * 1_000_000_000n + nanos;
}
