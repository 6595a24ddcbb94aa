/** Rows as JSON and back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, type FlussValidationError } from "../../../src/base/errors.ts";
import { fromJson, t, table, toJson } from "../../../src/schema/mod.ts";

const codec = {
  encode: (value: Set<string>) => [...value].join(","),
  decode: (raw: string) => new Set(raw.split(",")),
};
const cents = {
  encode: (value: { cents: bigint }) => ({ unscaled: value.cents, scale: 2 }),
  decode: (raw: { unscaled: bigint; scale: number }) => ({ cents: raw.unscaled / 10n ** BigInt(raw.scale - 2) }),
};

const wide = table("a.wide", {
  flag: t.boolean(),
  small: t.smallint(),
  id: t.bigint(),
  safe: t.bigint({ mode: "number" }),
  ratio: t.double(),
  price: t.decimal(10, 2),
  unscaled: t.decimal(10, 2, { mode: "unscaled" }),
  approx: t.decimal(10, 2, { mode: "number" }),
  cents: t.decimal(10, 4, { codec: cents }),
  day: t.date(),
  days: t.date({ mode: "days" }),
  dayText: t.date({ mode: "string" }),
  time: t.time(3),
  millis: t.time(3, { mode: "millis" }),
  wall: t.timestamp(9),
  wallDate: t.timestamp(3, { mode: "date" }),
  at: t.timestampLtz(9),
  atMillis: t.timestampLtz(3, { mode: "epochMillis" }),
  atMicros: t.timestampLtz(6, { mode: "epochMicros" }),
  atNanos: t.timestampLtz(9, { mode: "epochNanos" }),
  bytes: t.bytes(),
  tags: t.string({ codec }),
  list: t.array(t.row({ n: t.bigint(), d: t.date() })),
  byName: t.map(t.string(), t.bigint()),
  byNumber: t.map(t.bigint(), t.string()),
  asObject: t.map(t.string(), t.bigint(), { mode: "object" }),
});

const row = {
  flag: true,
  small: -5,
  id: 2n ** 63n - 1n,
  safe: 2 ** 53 - 1,
  ratio: -Infinity,
  price: "12.50",
  unscaled: -1250n,
  approx: 12.5,
  cents: { cents: 7n },
  day: Temporal.PlainDate.from("2026-11-23"),
  days: -1,
  dayText: "2026-11-23",
  time: Temporal.PlainTime.from("12:30:00.5"),
  millis: 86_399_999,
  wall: Temporal.PlainDateTime.from("1969-12-31T23:59:59.123456789"),
  wallDate: new Date(-1),
  at: Temporal.Instant.from("2026-11-23T12:30:00.000000001Z"),
  atMillis: -1,
  atMicros: 1_000_001n,
  atNanos: -1n,
  bytes: new Uint8Array([0, 255, 128]),
  tags: new Set(["a", "b"]),
  list: [{ n: 1n, d: null }, null],
  byName: new Map([["__proto__", 1n], ["b", null]]),
  byNumber: new Map([[-7n, "x"]]),
  asObject: { ["__proto__"]: 5n },
};

const json = {
  flag: true,
  small: -5,
  id: "9223372036854775807",
  safe: 9007199254740991,
  ratio: "-Infinity",
  price: "12.50",
  unscaled: "-12.50",
  approx: 12.5,
  cents: "0.0700",
  day: "2026-11-23",
  days: "1969-12-31",
  dayText: "2026-11-23",
  time: "12:30:00.5",
  millis: "23:59:59.999",
  wall: "1969-12-31T23:59:59.123456789",
  wallDate: "1969-12-31T23:59:59.999",
  at: "2026-11-23T12:30:00.000000001Z",
  atMillis: "1969-12-31T23:59:59.999Z",
  atMicros: "1970-01-01T00:00:01.000001Z",
  atNanos: "1969-12-31T23:59:59.999999999Z",
  bytes: "AP+A",
  tags: "a,b",
  list: [{ n: "1", d: null }, null],
  byName: { ["__proto__"]: "1", b: null },
  byNumber: [["-7", "x"]],
  asObject: { ["__proto__"]: "5" },
};

test("a row of every type has its form in JSON", () => {
  const made = toJson(wide, row);
  assert.deepEqual(made, json);
  assert.equal(JSON.stringify(made), JSON.stringify(json));
});

test("JSON becomes the row again", () => {
  const made = fromJson(wide, JSON.parse(JSON.stringify(json)), "insert") as Record<string, unknown>;
  assert.deepEqual(Object.keys(made), Object.keys(row));
  // Temporal values have no members to compare, so their texts are.
  for (const [key, value] of Object.entries(row)) {
    if (
      typeof value === "object" && String(value) !== "[object Object]" && !(value instanceof Map) &&
      !(value instanceof Set)
    ) {
      assert.equal(String(made[key]), String(value), key);
      assert.equal((made[key] as object).constructor, value.constructor, key);
    } else assert.deepEqual(made[key], value, key);
  }
  assert.deepEqual(toJson(wide, made), json);
});

test("nulls and missing columns stay what they are", () => {
  assert.deepEqual(toJson(wide, { id: null }), { id: null });
  assert.deepEqual(fromJson(wide, { id: null }, "insert"), { id: null });
});

const users = table("shop.users", { id: t.bigint(), name: t.string().notNull(), n: t.decimal(5, 2) }, {
  primaryKey: ["id"],
});

test("a whole safe number is taken for BIGINT, and nothing else", () => {
  assert.deepEqual(fromJson(users, { id: 7 }, "key"), { id: 7n });
  for (const id of [7.5, 2 ** 53, true, "", "0x10", "1e3", "99999999999999999999", [], {}]) {
    assert.throws(
      () => fromJson(users, { id }, "key"),
      (error) => FlussError.is(error, "VALIDATION.FAILED"),
      String(id),
    );
  }
});

test("the kind of row decides what must be there", () => {
  assert.deepEqual(fromJson(users, { id: "1", name: "Ada" }, "insert"), { id: 1n, name: "Ada" });
  assert.deepEqual(fromJson(users, { id: "1" }, "patch"), { id: 1n });
  assert.throws(() => fromJson(users, { id: "1", name: "Ada" }), /column "n": is missing/);
  assert.throws(() => fromJson(users, { id: "1" }, "insert"), /column "name": is missing/);
});

test("every mistake is an issue with its path", () => {
  assert.throws(() => fromJson(wide, { id: "x", list: [{ n: "1" }, { n: false }], bytes: "%%", nope: 1 }), (error) => {
    assert.ok(FlussError.is(error, "VALIDATION.FAILED"));
    assert.deepEqual((error as unknown as FlussValidationError).issues.map(({ path }) => path), [
      ["id"],
      ["list", 1, "n"],
      ["bytes"],
    ]);
    return true;
  });
  assert.throws(() => fromJson(users, { id: "1", nope: 1 }, "key"), /column "nope": is not a column/);
  assert.throws(() => fromJson(users, []), /expected an object/);
  assert.throws(() => fromJson(users, null), /expected an object/);
});

test("what is not a row of the table is not written as JSON", () => {
  // deno-lint-ignore no-explicit-any
  const wrong = (value: any, says: RegExp) => assert.throws(() => toJson(users, value), says);
  wrong({ id: 1 }, /column "id": expected bigint, got number 1/);
  wrong({ nope: 1 }, /column "nope": is not a column/);
  wrong({ name: undefined }, /is undefined/);
});

test("days and times far from now go to JSON and back, as far as their mode holds them", () => {
  const far = table("a.b", {
    day: t.date({ mode: "days" }),
    at: t.timestamp(3, { mode: "epochMillis" }),
    nanos: t.timestamp(9, { mode: "epochNanos" }),
  });
  const row = { day: 2147483647, at: -Number.MAX_SAFE_INTEGER, nanos: 9007199254740991999999n };
  const json = toJson(far, row);
  assert.deepEqual(json, {
    day: "+5881580-07-11",
    at: "-283457-03-21T15:00:59.009",
    nanos: "+287396-10-12T08:59:00.991999999",
  });
  assert.deepEqual(fromJson(far, json), row);
  assert.throws(() => toJson(far, { nanos: 9007199254740992000000n }), /column "nanos": is too far from 1970/);
  assert.throws(
    () => fromJson(far, { ...json, at: "+287396-10-12T08:59:00.992" }),
    /"at": 9007199254740992 is outside of/,
  );
  const now = table("a.b", { day: t.date(), at: t.timestampLtz(3) });
  for (const json of [{ day: "+5881580-07-11" }, { at: "+287396-10-12T08:59:00Z" }]) {
    assert.throws(() => fromJson(now, json), /is outside of what Temporal can hold/);
  }
});

test("JSON that a decimal or a time cannot hold is refused", () => {
  const of = table("a.b", {
    d: t.decimal(4, 2, { mode: "unscaled" }),
    t: t.time(3, { mode: "millis" }),
    at: t.timestampLtz(3, { mode: "date" }),
    day: t.date({ mode: "days" }),
  });
  for (
    const wrong of [
      { d: "1.234" },
      { d: "100" },
      { d: "1e1" },
      { d: 1 },
      { t: "12:30:00.0001" },
      { t: "25:00" },
      { at: "2026-11-23T12:30:00" },
      { at: "2026-11-23T12:30:00.0001Z" },
      { day: "2026-02-30" },
      { day: 5 },
    ]
  ) {
    assert.throws(
      () => fromJson(of, wrong, "insert"),
      (error) => FlussError.is(error, "VALIDATION.FAILED"),
      JSON.stringify(wrong),
    );
  }
});
