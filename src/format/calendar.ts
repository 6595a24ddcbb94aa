/**
 * Dates and times as numbers and as ISO 8601 text, without `Temporal` and without objects. The calendar is the
 * proleptic Gregorian one, the zone UTC.
 *
 * @module
 */

/** Milliseconds of a day. */
export const DAY_MILLIS = 86_400_000;

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
  const years = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? "-" : "+"}${pad(Math.abs(year), 6)}`;
  return `${years}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `12:01:13`, and a fraction without trailing zeros where there is one. */
export function timeText(millisOfDay: number, nanosOfMilli: number): string {
  const seconds = Math.floor(millisOfDay / 1000);
  const fraction = fractionText((millisOfDay % 1000) * 1_000_000 + nanosOfMilli);
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}${
    fraction === "" ? "" : `.${fraction}`
  }`;
}

/** `2023-10-25T12:01:13.182`, as `Temporal.PlainDateTime` writes it. */
export function dateTimeText(millis: number, nanos: number): string {
  const days = Math.floor(millis / DAY_MILLIS);
  return `${dateText(days)}T${timeText(millis - days * DAY_MILLIS, nanos)}`;
}

/** The nine digits of a fraction of a second without trailing zeros; empty for 0. */
export function fractionText(nanosOfSecond: number): string {
  return nanosOfSecond === 0 ? "" : pad(nanosOfSecond, 9).replace(/0+$/, "");
}

/** A number with leading zeros. */
export function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

const DATE = "([+-]\\d{6,7}|\\d{4})-(\\d{2})-(\\d{2})";
const TIME = "(\\d{2}):(\\d{2})(?::(\\d{2})(?:\\.(\\d{1,9}))?)?";
const DATE_ONLY = new RegExp(`^${DATE}$`);
const TIME_ONLY = new RegExp(`^${TIME}$`);
const DATE_TIME = new RegExp(`^${DATE}[T ]${TIME}$`);
const INSTANT = new RegExp(`^${DATE}[T ]${TIME}(?:(Z|z)|([+-])(\\d{2}):?(\\d{2}))$`);

/** The days of `yyyy-MM-dd`; undefined when the text is not a date that exists. */
export function parseDate(text: string): number | undefined {
  const match = DATE_ONLY.exec(text);
  return match === null ? undefined : dateParts(match);
}

/** A point in time that a text named: whole milliseconds, rounded down, and the nanoseconds above them. */
export interface ParsedTime {
  readonly millis: number;
  readonly nanos: number;
}

/** The time of day of `HH:mm[:ss[.fraction]]`; undefined when there is no such time. */
export function parseTime(text: string): ParsedTime | undefined {
  const match = TIME_ONLY.exec(text);
  return match === null ? undefined : timeParts(match, 1);
}

/** The wall clock time of `yyyy-MM-ddTHH:mm[:ss[.fraction]]`, counted as if in UTC. */
export function parseDateTime(text: string): ParsedTime | undefined {
  const match = DATE_TIME.exec(text);
  return match === null ? undefined : dateTimeParts(match);
}

/** The instant of a date-time text with `Z` or an offset. */
export function parseInstant(text: string): ParsedTime | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const parsed = dateTimeParts(match);
  if (parsed === undefined || match[8] !== undefined) return parsed;
  const hours = Number(match[10]);
  const minutes = Number(match[11]);
  if (hours > 23 || minutes > 59) return undefined;
  const offset = (hours * 60 + minutes) * 60_000;
  return { millis: match[9] === "-" ? parsed.millis + offset : parsed.millis - offset, nanos: parsed.nanos };
}

function dateTimeParts(match: RegExpExecArray): ParsedTime | undefined {
  const days = dateParts(match);
  const time = timeParts(match, 4);
  if (days === undefined || time === undefined) return undefined;
  return { millis: days * DAY_MILLIS + time.millis, nanos: time.nanos };
}

function dateParts(match: RegExpExecArray): number | undefined {
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (Object.is(year, -0) || month < 1 || month > 12 || day < 1) return undefined;
  const days = daysOf(year, month, day);
  // A day past the end of its month lands in the next one.
  return civilOf(days).day === day ? days : undefined;
}

function timeParts(match: RegExpExecArray, first: number): ParsedTime | undefined {
  const hour = Number(match[first]);
  const minute = Number(match[first + 1]);
  const second = Number(match[first + 2] ?? 0);
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = Number((match[first + 3] ?? "").padEnd(9, "0"));
  const millis = Math.floor(fraction / 1_000_000);
  return { millis: ((hour * 60 + minute) * 60 + second) * 1000 + millis, nanos: fraction - millis * 1_000_000 };
}
