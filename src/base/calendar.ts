/**
 * Dates and times as numbers and as ISO 8601 text, without `Temporal` and without objects. The calendar is the
 * proleptic Gregorian one, the zone UTC.
 *
 * @module
 */

/** `00` to `99`: padding every part of a time anew takes most of the work of writing it. */
const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, "0"));

/** Milliseconds of a day. */
export const DAY_MILLIS = 86_400_000;
const NANOS_PER_MILLI = 1_000_000n;

/** A date in parts; `month` and `day` start at 1. */
export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The days from 1970-01-01 to a date. */
export function daysOf(year: number, month: number, day: number): number {
  // Years begin in March here, so that the leap day is the last day of a year and months follow one formula.
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The date that is `days` after 1970-01-01. */
export function civilOf(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** `2023-10-25`; years outside of 0 to 9999 as `+012345-01-01`. */
export function dateText(days: number): string {
  const { year, month, day } = civilOf(days);
  const years = year >= 0 && year <= 9999
    ? TWO_DIGITS[Math.floor(year / 100)]! + TWO_DIGITS[year % 100]!
    : `${year < 0 ? "-" : "+"}${pad(Math.abs(year), 6)}`;
  return `${years}-${TWO_DIGITS[month]!}-${TWO_DIGITS[day]!}`;
}

/** `12:01:13`, and a fraction without trailing zeros where there is one. */
export function timeText(millisOfDay: number, nanosOfMilli: number): string {
  const seconds = Math.floor(millisOfDay / 1000);
  const fraction = fractionText((millisOfDay % 1000) * 1_000_000 + nanosOfMilli);
  const minutes = Math.floor(seconds / 60);
  const text = `${TWO_DIGITS[Math.floor(minutes / 60)]!}:${TWO_DIGITS[minutes % 60]!}:${TWO_DIGITS[seconds % 60]!}`;
  return fraction === "" ? text : `${text}.${fraction}`;
}

/** `2023-10-25T12:01:13.182`, as `Temporal.PlainDateTime` writes it. */
export function dateTimeText(millis: number, nanos: number): string {
  const days = Math.floor(millis / DAY_MILLIS);
  return `${dateText(days)}T${timeText(millis - days * DAY_MILLIS, nanos)}`;
}

/** The nine digits of a fraction of a second without trailing zeros; empty for 0. */
export function fractionText(nanosOfSecond: number): string {
  if (nanosOfSecond === 0) return "";
  let digits = nanosOfSecond;
  let width = 9;
  for (; digits % 1000 === 0; width -= 3) digits /= 1000;
  for (; digits % 10 === 0; width--) digits /= 10;
  return pad(digits, width);
}

/** A number with leading zeros. */
export function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

const DASH = 45;
const PLUS = 43;
const COLON = 58;
const POINT = 46;

/** The days of `yyyy-MM-dd`; undefined when the text is not a date that exists. */
export function parseDate(text: string): number | undefined {
  const days = daysIn(text, text.length);
  return days === days ? days : undefined;
}

/** A point in time, or a time of a day: whole milliseconds, rounded down, and the nanoseconds above them. */
export interface SplitTime {
  readonly millis: number;
  readonly nanos: number;
}

/** The time of day of `HH:mm[:ss[.fraction]]`; undefined when there is no such time. */
export function parseTime(text: string): SplitTime | undefined {
  const millis = millisIn(text, 0, text.length);
  return millis === millis ? { millis, nanos: nanosIn(text, 0, text.length) } : undefined;
}

/** The wall clock time of `yyyy-MM-ddTHH:mm[:ss[.fraction]]`, counted as if in UTC. */
export function parseDateTime(text: string): SplitTime | undefined {
  return dateTimeIn(text, text.length, 0);
}

/** The instant of a date-time text with `Z` or an offset. */
export function parseInstant(text: string): SplitTime | undefined {
  const { length } = text;
  const last = text.charCodeAt(length - 1);
  if (last === 90 || last === 122) return dateTimeIn(text, length - 1, 0);
  const colon = text.charCodeAt(length - 3) === COLON;
  const at = length - (colon ? 6 : 5);
  const sign = text.charCodeAt(at);
  if (sign !== PLUS && sign !== DASH) return undefined;
  const hours = digitsIn(text, at + 1, at + 3);
  const minutes = digitsIn(text, length - 2, length);
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  const offset = (hours * 60 + minutes) * 60_000;
  return dateTimeIn(text, at, sign === DASH ? offset : -offset);
}

/** Splits a count of nanoseconds. */
export function splitNanos(count: bigint): SplitTime {
  // Division of bigints rounds to zero; before 1970 that would leave a negative rest.
  let nanos = count % NANOS_PER_MILLI;
  if (nanos < 0n) nanos += NANOS_PER_MILLI;
  return { millis: Number((count - nanos) / NANOS_PER_MILLI), nanos: Number(nanos) };
}

/** The count of nanoseconds of a time. */
export function joinNanos({ millis, nanos }: SplitTime): bigint {
  return BigInt(millis) * NANOS_PER_MILLI + BigInt(nanos);
}

// What follows reads texts digit by digit, which is several times as fast as a regular expression. NaN stands for what
// is no number or does not exist, and makes everything NaN that is reckoned with it.

function dateTimeIn(text: string, end: number, offset: number): SplitTime | undefined {
  const first = text.charCodeAt(0);
  // Years outside of 0 to 9999 have a sign, and six or seven digits.
  const middle = first !== PLUS && first !== DASH ? 10 : text.charCodeAt(7) === DASH ? 13 : 14;
  const between = text.charCodeAt(middle);
  if (between !== 84 && between !== 32) return undefined;
  const millis = daysIn(text, middle) * DAY_MILLIS + millisIn(text, middle + 1, end) + offset;
  return millis === millis ? { millis, nanos: nanosIn(text, middle + 1, end) } : undefined;
}

/** The days of a date that ends at `end`. */
function daysIn(text: string, end: number): number {
  if (text.charCodeAt(end - 6) !== DASH || text.charCodeAt(end - 3) !== DASH) return NaN;
  const month = digitsIn(text, end - 5, end - 3);
  const day = digitsIn(text, end - 2, end);
  const year = yearIn(text, end - 6);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 31)) return NaN;
  const days = daysOf(year, month, day);
  // A day past the end of its month lands in the next one.
  return day <= 28 || civilOf(days).day === day ? days : NaN;
}

/** The year that is the text up to `end`. */
function yearIn(text: string, end: number): number {
  if (end === 4) return digitsIn(text, 0, 4);
  const sign = text.charCodeAt(0);
  if ((end !== 7 && end !== 8) || (sign !== PLUS && sign !== DASH)) return NaN;
  const year = digitsIn(text, 1, end);
  if (sign === PLUS) return year;
  // There is no year -0.
  return year === 0 ? NaN : -year;
}

/** The milliseconds of a time of day. */
function millisIn(text: string, from: number, end: number): number {
  const length = end - from;
  if (length < 5 || text.charCodeAt(from + 2) !== COLON) return NaN;
  const hour = digitsIn(text, from, from + 2);
  const minute = digitsIn(text, from + 3, from + 5);
  let second = 0;
  let millis = 0;
  if (length > 5) {
    if (length < 8 || text.charCodeAt(from + 5) !== COLON) return NaN;
    second = digitsIn(text, from + 6, from + 8);
    if (length > 8) {
      if (length < 10 || length > 18 || text.charCodeAt(from + 8) !== POINT) return NaN;
      const shown = Math.min(end, from + 12);
      millis = digitsIn(text, from + 9, shown) * TENS[from + 12 - shown]! + 0 * digitsIn(text, shown, end);
    }
  }
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return NaN;
  return ((hour * 60 + minute) * 60 + second) * 1000 + millis;
}

/** The nanoseconds above the milliseconds, of a time of day that {@linkcode millisIn} has read. */
function nanosIn(text: string, from: number, end: number): number {
  const shown = end - from - 12;
  return shown <= 0 ? 0 : digitsIn(text, from + 12, end) * TENS[6 - shown]!;
}

const TENS = [1, 10, 100, 1000, 10_000, 100_000] as const;

/** The number of digits that are digits throughout; 0 where there are none. */
function digitsIn(text: string, from: number, end: number): number {
  let number = 0;
  for (let i = from; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    // Also where the text has ended, for that is NaN.
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
}
