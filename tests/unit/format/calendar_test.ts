import assert from "node:assert/strict";
import { test } from "node:test";
import {
  civilOf,
  dateText,
  dateTimeText,
  daysOf,
  parseDate,
  parseDateTime,
  parseInstant,
  parseTime,
} from "../../../src/format/calendar.ts";
import { Random, rounds, SEED } from "./random.ts";

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
    assert.equal(BigInt(parsed.millis) * 1_000_000n + BigInt(parsed.nanos), nanos, text);
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
