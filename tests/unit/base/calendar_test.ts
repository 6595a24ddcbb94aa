import assert from "node:assert/strict";
import { test } from "node:test";
import {
  civilOf,
  dateText,
  dateTimeText,
  daysOf,
  joinNanos,
  parseDate,
  parseDateTime,
  parseInstant,
  parseTime,
  splitNanos,
} from "../../../src/base/calendar.ts";
import { Random, rounds, SEED } from "../format/random.ts";

const EPOCH = Temporal.PlainDate.from("1970-01-01");

test(`dates agree with Temporal (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const days = [0, -1, 59, 60, -719_468, -719_469, 11_016, 100_000_000, -100_000_000];
  for (let i = 0; i < rounds(2000, 100_000); i++) days.push(random.int(-100_000_000, 100_000_000));
  for (const day of days) {
    const date = EPOCH.add({ days: day });
    assert.deepEqual(civilOf(day), { year: date.year, month: date.month, day: date.day });
    assert.equal(daysOf(date.year, date.month, date.day), day);
    assert.equal(dateText(day), date.toString());
    assert.equal(parseDate(date.toString()), day);
  }
});

test(`times agree with Temporal (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let i = 0; i < rounds(2000, 50_000); i++) {
    const nanos = random.big(62) / 10n ** BigInt(random.int(0, 9)) * 10n ** BigInt(random.int(0, 3));
    const instant = Temporal.Instant.fromEpochNanoseconds(nanos);
    const text = instant.toString();
    const parsed = parseInstant(text)!;
    assert.equal(joinNanos(parsed), nanos, text);
    assert.deepEqual(splitNanos(nanos), parsed);
    assert.equal(`${dateTimeText(parsed.millis, parsed.nanos)}Z`, text);
    assert.deepEqual(parseDateTime(text.slice(0, -1)), parsed);
  }
});

test("dates that do not exist are no dates", () => {
  for (
    const text of ["2025-02-29", "1900-02-29", "2026-04-31", "2026-13-01", "2026-00-01", "2026-01-00", "26-01-01", ""]
  ) {
    assert.equal(parseDate(text), undefined, text);
  }
  assert.equal(parseDate("2000-02-29"), 11016);
});

test("times that do not exist are no times", () => {
  for (const text of ["24:00", "12:60", "12:00:60", "12", "12:00:00.", "12:00:00.1234567890", "1:00"]) {
    assert.equal(parseTime(text), undefined, text);
  }
  assert.deepEqual(parseTime("12:00:00.123456789"), { millis: 43_200_123, nanos: 456_789 });
});

test("an instant needs a zone, a wall clock time none", () => {
  assert.equal(parseInstant("2026-11-23T12:00:00"), undefined);
  assert.equal(parseDateTime("2026-11-23T12:00:00Z"), undefined);
  assert.equal(parseInstant("1970-01-01T00:00:00-01:30")?.millis, 5_400_000);
  assert.equal(parseInstant("1970-01-01T00:00:00+0130")?.millis, -5_400_000);
  assert.equal(parseInstant("1970-01-01T00:00:00+24:00"), undefined);
});

const DATE = "(?:\\d{4}|[+-]\\d{6,7})-\\d{2}-\\d{2}";
const TIME = "\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?";
const WALL = new RegExp(`^${DATE}[T ]${TIME}$`);
const INSTANT = new RegExp(`^${DATE}[T ]${TIME}(?:[Zz]|[+-]\\d{2}:?\\d{2})$`);

/** What Temporal makes of a text in our form; undefined where it is none. */
function temporalNanos(text: string, zone: boolean): bigint | undefined {
  // Temporal takes more forms, a 60th second, and years of six digits alone.
  if (!(zone ? INSTANT : WALL).test(text) || /:60(?!:)/.test(text)) return undefined;
  const short = text.replace(/^([+-])0(?=\d{6}-)/, "$1");
  try {
    if (zone) return Temporal.Instant.from(short).epochNanoseconds;
    return Temporal.PlainDateTime.from(short).toZonedDateTime("UTC").epochNanoseconds;
  } catch {
    return undefined;
  }
}

test(`a text that is changed anywhere is another time as Temporal has it, or none (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const odd = "0123456789-+:.,TtZz /;\u0660\u00e9 ";
  const seen = [0, 0];
  for (let i = 0; i < rounds(20_000, 500_000); i++) {
    const zone = random.int(0, 1) === 1;
    const text = anyTime(random, zone);
    const at = random.int(0, text.length);
    const changed = random.int(0, 9) === 0
      ? text
      : text.slice(0, at) + odd[random.int(0, odd.length - 1)] + text.slice(at + random.int(0, 2));
    const parsed = zone ? parseInstant(changed) : parseDateTime(changed);
    // Temporal ends there.
    if (parsed !== undefined && Math.abs(parsed.millis) > 8.64e15) continue;
    const expected = temporalNanos(changed, zone);
    seen[expected === undefined ? 0 : 1]!++;
    assert.equal(parsed === undefined ? undefined : joinNanos(parsed), expected, JSON.stringify(changed));
  }
  assert.ok(seen.every((count) => count > 100), `${seen}`);
});

/** Years from 0 to 9999 for the most part, with any number of digits of a second, and any zone. */
function anyTime(random: Random, zone: boolean): string {
  const wide = random.int(0, 4) === 0;
  const iso = new Date(wide ? random.int(-8e15, 8e15) : random.int(-62_167_219_200_000, 253_402_300_799_999))
    .toISOString();
  const digits = random.int(0, 9);
  const fraction = digits === 0 ? "" : `.${String(random.int(0, 10 ** digits - 1)).padStart(digits, "0")}`;
  const wall = random.int(0, 9) === 0 ? iso.slice(0, -8) : iso.slice(0, -5) + fraction;
  const two = (most: number) => String(random.int(0, most)).padStart(2, "0");
  const offset = ["Z", "z", `+${two(24)}:${two(60)}`, `-${two(23)}${two(59)}`][random.int(0, 3)]!;
  return zone ? wall + offset : wall;
}

test("years of seven digits are those of the calendar", () => {
  const days = daysOf(1_234_567, 2, 28);
  assert.equal(parseDate("+1234567-02-28"), days);
  assert.equal(dateText(days), "+1234567-02-28");
  assert.deepEqual(parseDateTime("-1234567-01-01T00:00"), { millis: daysOf(-1_234_567, 1, 1) * 86_400_000, nanos: 0 });
  for (const text of ["-000000-01-01", "+02026-01-01", "+12345678-01-01", "02026-01-01", "+2026-01-01"]) {
    assert.equal(parseDate(text), undefined, text);
  }
});
