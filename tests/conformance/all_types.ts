/** Every type and mode, with a value: for tables of any kind. */
import { t } from "../../mod.ts";

const { PlainDate, PlainTime, PlainDateTime, Instant } = Temporal;

export const columns = {
  id: t.int(),
  flag: t.boolean(),
  tiny: t.tinyint(),
  small: t.smallint(),
  whole: t.int(),
  big: t.bigint(),
  bigNumber: t.bigint({ mode: "number" }),
  single: t.float(),
  double: t.double(),
  char: t.char(5),
  text: t.string(),
  price: t.decimal(10, 2),
  huge: t.decimal(38, 10),
  unscaled: t.decimal(20, 4, { mode: "unscaled" }),
  date: t.date(),
  dateText: t.date({ mode: "string" }),
  dateDays: t.date({ mode: "days" }),
  time: t.time(3),
  timeText: t.time(3, { mode: "string" }),
  timeMillis: t.time(3, { mode: "millis" }),
  stamp: t.timestamp(9),
  stampText: t.timestamp(6, { mode: "string" }),
  stampMillis: t.timestamp(3, { mode: "epochMillis" }),
  stampMicros: t.timestamp(6, { mode: "epochMicros" }),
  stampDate: t.timestamp(3, { mode: "date" }),
  instant: t.timestampLtz(9),
  instantText: t.timestampLtz(6, { mode: "string" }),
  instantMillis: t.timestampLtz(3, { mode: "epochMillis" }),
  instantNanos: t.timestampLtz(9, { mode: "epochNanos" }),
  instantDate: t.timestampLtz(3, { mode: "date" }),
  fixed: t.binary(3),
  bytes: t.bytes(),
  list: t.array(t.array(t.int())),
  map: t.map(t.string(), t.decimal(30, 2)),
  record: t.map(t.string(), t.bigint(), { mode: "object" }),
  row: t.row({ x: t.int().notNull(), y: t.row({ when: t.timestampLtz(3), what: t.map(t.int(), t.string()) }) }),
};

export const full = {
  flag: true,
  tiny: -128,
  small: 32767,
  whole: -2147483648,
  big: -9223372036854775808n,
  bigNumber: Number.MAX_SAFE_INTEGER,
  single: Math.fround(1.1),
  double: -0.1,
  char: "äöü😀",
  text: "zażółć 😀 \u0000 end",
  price: "-12345678.90",
  huge: "9999999999999999999999999999.0123456789",
  unscaled: -123456789012345n,
  date: PlainDate.from("0001-01-01"),
  dateText: "2026-02-28",
  dateDays: -1,
  time: PlainTime.from("23:59:59.999"),
  timeText: "00:00:00.001",
  timeMillis: 86_399_999,
  stamp: PlainDateTime.from("2026-11-23T01:02:03.123456789"),
  stampText: "2026-11-23T01:02:03.123456",
  stampMillis: 1_700_000_000_123,
  stampMicros: 1_700_000_000_123_456n,
  stampDate: new Date(1_700_000_000_123),
  instant: Instant.from("2026-11-23T01:02:03.123456789Z"),
  instantText: "2026-11-23T01:02:03.123456Z",
  instantMillis: -1,
  instantNanos: 1_700_000_000_123_456_789n,
  instantDate: new Date(0),
  fixed: new Uint8Array([1, 0, 255]),
  bytes: new Uint8Array(300).fill(7),
  list: [[1, null, -3], null, []],
  map: new Map([["a", "1.00"], ["", null]]),
  record: { a: 1n, ["__proto__"]: 2n },
  row: { x: 1, y: { when: Instant.fromEpochMilliseconds(5), what: new Map([[1, "one"], [2, null]]) } },
};

/** Temporal values compare by their text, everything else by itself. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Date) return value.getTime();
  if (value instanceof Map) return [...value].map(([key, inner]) => [plain(key), plain(inner)]);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (Symbol.toStringTag in value) return String(value);
  return Object.entries(value).map(([key, inner]) => [key, plain(inner)]);
}
