/** Values that columns of a type take, and values that they refuse. */
import { type AnyColumn, t } from "../../../src/schema/mod.ts";

/** One type with its values. */
export interface ValueCase {
  readonly what: string;
  /** NOT NULL. */
  readonly column: AnyColumn;
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
}

const instant = (text: string) => Temporal.Instant.from(text);
const codec = {
  encode(value: URL): string {
    if (!(value instanceof URL)) throw new TypeError("not a URL");
    return value.href;
  },
  decode: (raw: string) => new URL(raw),
};

const CASES = [
  ["boolean", t.boolean(), [true, false], [0, "true", null]],
  ["tinyint", t.tinyint(), [-128, 127], [-129, 128, 1.5, NaN, 1n]],
  ["smallint", t.smallint(), [-32768, 32767], [-32769, 32768]],
  ["int", t.int(), [-2147483648, 2147483647], [2147483648, Infinity, "1"]],
  ["bigint", t.bigint(), [-(2n ** 63n), 2n ** 63n - 1n], [2n ** 63n, 1]],
  ["bigint number", t.bigint({ mode: "number" }), [2 ** 53 - 1], [2 ** 53, 1n, 0.5]],
  ["float", t.float(), [1.1, NaN, Infinity, 3.4e38], [3.5e38, "1"]],
  ["double", t.double(), [1.7e308, -0, NaN], ["1", 1n]],
  ["char", t.char(2), ["", "ab", "😀😀"], ["abc", 1]],
  ["string", t.string(), [""], [1, new String("x")]],
  ["decimal", t.decimal(4, 2), ["1", "-99.99", "+0.10", "0012.3400"], ["100", "1.234", "1e2", "", ".5", " 1", 1]],
  ["decimal of fractions", t.decimal(2, 2), ["0.99", "-0.01"], ["1", "0.001"]],
  ["decimal unscaled", t.decimal(4, 2, { mode: "unscaled" }), [9999n, -9999n], [10000n, 1]],
  ["decimal number", t.decimal(4, 2, { mode: "number" }), [99.99], [100, NaN, "1"]],
  ["date", t.date(), [Temporal.PlainDate.from("2026-11-23")], ["2026-11-23", new Date()]],
  ["date string", t.date({ mode: "string" }), ["2026-11-23", "2024-02-29"], [
    "2026-02-29",
    "2026-13-01",
    "20261123",
    "x",
  ]],
  ["date days", t.date({ mode: "days" }), [0, -1], [0.5, "0"]],
  ["time(0)", t.time(0), [Temporal.PlainTime.from("12:30:00")], [Temporal.PlainTime.from("12:30:00.5"), "12:30"]],
  ["time(9)", t.time(9), [Temporal.PlainTime.from("12:30:00.123")], [Temporal.PlainTime.from("12:30:00.1234")]],
  ["time string", t.time(3, { mode: "string" }), ["12:30", "23:59:59.999"], ["24:00", "12:30:60", "12:30:00.0001"]],
  ["time millis", t.time(1, { mode: "millis" }), [0, 86_399_900], [86_400_000, -100, 50]],
  ["timestamp(0)", t.timestamp(0), [Temporal.PlainDateTime.from("2026-11-23T12:30:01")], [
    Temporal.PlainDateTime.from("2026-11-23T12:30:00.1"),
  ]],
  ["timestamp string", t.timestamp(6, { mode: "string" }), ["2026-11-23T12:30:00.123456"], [
    "2026-11-23T12:30:00.1234567",
    "2026-11-23",
    "2026-11-23T12:30:00Z",
  ]],
  ["timestampLtz(6)", t.timestampLtz(6), [instant("1969-12-31T23:59:59.123456Z")], [
    instant("1969-12-31T23:59:59.1234567Z"),
    new Date(),
  ]],
  ["timestampLtz millis", t.timestampLtz(2, { mode: "epochMillis" }), [0, -10], [5, 0.5, 1n]],
  ["timestampLtz micros", t.timestampLtz(6, { mode: "epochMicros" }), [-1n], [1]],
  ["timestampLtz nanos", t.timestampLtz(6, { mode: "epochNanos" }), [1000n], [1n]],
  ["timestampLtz date", t.timestampLtz(3, { mode: "date" }), [new Date(5)], [new Date(NaN), 5]],
  ["timestampLtz string", t.timestampLtz(0, { mode: "string" }), ["2026-11-23T12:30:00+01:00"], [
    "2026-11-23T12:30:00",
  ]],
  ["binary", t.binary(2), [new Uint8Array(2)], [new Uint8Array(1), new Uint8Array(3), [1, 2]]],
  ["bytes", t.bytes(), [new Uint8Array(0)], [new ArrayBuffer(1), "x"]],
  ["array", t.array(t.int().notNull()), [[], [1]], [[null], { length: 0 }, ["1"]]],
  ["map", t.map(t.int(), t.int().notNull()), [new Map([[1, 2]])], [
    { 1: 2 },
    new Map([[1, null]]),
    new Map([[null, 1]]),
  ]],
  ["object map", t.map(t.char(1), t.int(), { mode: "object" }), [{ a: null }], [new Map(), { ab: 1 }]],
  ["row", t.row({ a: t.int() }), [{ a: 1 }, {}], [[], { b: 1 }, { a: undefined }]],
  ["codec", t.string({ codec }), [new URL("http://x.y/")], ["http://x.y/", 5]],
  [
    "decimal codec",
    t.decimal(4, 2, {
      codec: { encode: (value: bigint) => ({ unscaled: value, scale: 1 }), decode: (raw) => raw.unscaled },
    }),
    [
      999n,
    ],
    [1000n],
  ],
] as const;

/** See the module. */
export const VALUE_CASES: readonly ValueCase[] = CASES.map(([what, column, right, wrong]) => ({
  what,
  column: column.notNull(),
  right,
  wrong,
}));
