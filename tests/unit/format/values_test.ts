import assert from "node:assert/strict";
import { test } from "node:test";
import { ColumnError } from "../../../src/base/column_error.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import { compileRowWriter, compileValueReader } from "../../../src/format/row_codec.ts";
import type { DataType } from "../../../src/schema/data_type.ts";
import { columns, decodeRow, encodeRow, FORMATS, notNull, type } from "./columns.ts";
import { comparable } from "./random.ts";

const decimal = (precision: number, scale: number, more = {}) => type("decimal", { precision, scale, ...more });
const time = (precision: number, more = {}) => type("time", { precision, ...more });
const timestamp = (precision: number, more = {}) => type("timestamp", { precision, ...more });
const ltz = (precision: number, more = {}) => type("timestampLtz", { precision, ...more });
const map = (more = {}) => type("map", { key: notNull(type("string")), value: type("int"), ...more });
const { PlainDate, PlainTime, PlainDateTime, Instant } = Temporal;

/** What is written, and what is read where that is not the same. */
const GOOD: readonly (readonly [DataType, unknown, unknown?])[] = [
  [type("boolean"), true],
  [type("tinyint"), -128],
  [type("smallint"), 32767],
  [type("int"), -2147483648],
  [type("int"), -0, 0],
  [type("bigint"), 2n ** 63n - 1n],
  [type("bigint"), -(2n ** 63n)],
  [type("bigint", { mode: "number" }), 2 ** 53 - 1],
  [type("bigint", { mode: "number" }), -(2 ** 53 - 1)],
  [type("float"), 0.1, Math.fround(0.1)],
  [type("float"), -Infinity],
  [type("double"), NaN],
  [type("double"), -0],
  [type("string"), ""],
  [type("string"), "\ufeffkeeps its mark, \ufffd and \u0000"],
  [type("string"), "x".repeat(20_000)],
  [type("string"), "ä€😀".repeat(300)],
  [type("char", { length: 4 }), "ab"],
  [type("binary", { length: 2 }), Uint8Array.of(0, 1)],
  [type("bytes"), new Uint8Array(0)],
  [type("bytes"), Uint8Array.from({ length: 1000 }, (_, i) => i & 255)],
  [decimal(10, 2), "12.50"],
  [decimal(10, 2), "+7", "7.00"],
  [decimal(10, 2), "-0.000", "0.00"],
  [decimal(10, 2), "00012.5000", "12.50"],
  [decimal(10, 2), "-99999999.99"],
  [decimal(15, 0), "999999999999999"],
  [decimal(17, 17), "-0.99999999999999999"],
  [decimal(18, 0), "-999999999999999999"],
  [decimal(38, 10), "1234567890123456789012345678.0123456789"],
  [decimal(38, 38), `0.${"9".repeat(38)}`],
  [decimal(19, 0, { mode: "unscaled" }), -(10n ** 19n - 1n)],
  [decimal(5, 2, { mode: "unscaled" }), 99999n],
  [decimal(10, 2, { mode: "number" }), 12.5],
  [decimal(10, 2, { mode: "number" }), 0.1 + 0.2, 0.3],
  [decimal(38, 0, { mode: "number" }), 1e30],
  [type("date"), PlainDate.from("2026-11-23")],
  [type("date"), PlainDate.from("-271821-04-19")],
  [type("date"), PlainDate.from("2026-11-23").withCalendar("buddhist"), PlainDate.from("2026-11-23")],
  [type("date", { mode: "string" }), "1969-12-31"],
  [type("date", { mode: "string" }), "+012345-02-28"],
  [type("date", { mode: "days" }), -2147483648],
  [time(0), PlainTime.from("23:59:59")],
  [time(3), PlainTime.from("00:00:00.001")],
  [time(9), PlainTime.from("12:30:00.123")],
  [time(0, { mode: "string" }), "12:30", "12:30:00"],
  [time(2, { mode: "string" }), "12:30:00.25"],
  [time(3, { mode: "millis" }), 86399999],
  [timestamp(3), PlainDateTime.from("1969-12-31T23:59:59.999")],
  [timestamp(9), PlainDateTime.from("1969-12-31T23:59:59.999999999")],
  [timestamp(6), PlainDateTime.from("-271821-04-20T00:00:00.000001")],
  [timestamp(3, { mode: "epochMillis" }), -1],
  [timestamp(0, { mode: "epochMillis" }), 5000],
  [timestamp(6, { mode: "epochMicros" }), -1n],
  [timestamp(9, { mode: "epochNanos" }), -1n],
  [timestamp(2, { mode: "epochNanos" }), -10_000_000n],
  [timestamp(3, { mode: "date" }), new Date(-1)],
  [timestamp(6, { mode: "string" }), "1969-12-31T23:59:59.9995"],
  [timestamp(0, { mode: "string" }), "2026-11-23 12:30", "2026-11-23T12:30:00"],
  [ltz(3), Instant.from("2026-11-23T12:30:00.123Z")],
  [ltz(9), Instant.from("1969-12-31T23:59:59.999999999Z")],
  [ltz(3, { mode: "date" }), new Date(8.64e15)],
  [ltz(3, { mode: "epochMillis" }), 2 ** 53 - 1],
  [ltz(6, { mode: "epochMicros" }), 1698235273182123n],
  [ltz(9, { mode: "epochNanos" }), 2n ** 62n],
  [ltz(3, { mode: "string" }), "2026-11-23T12:30:00.1+01:30", "2026-11-23T11:00:00.1Z"],
  [type("array", { element: type("int") }), []],
  [type("array", { element: type("int") }), Array.from({ length: 100 }, (_, i) => i % 3 === 0 ? null : i)],
  [map(), new Map([["a", 1], ["b", null]])],
  [map({ mode: "object" }), Object.fromEntries([["__proto__", 1], ["b", null]])],
  [type("row", { fields: [] }), {}],
];

for (const [of, value, expected = value] of GOOD) {
  test(`${of.kind} ${JSON.stringify({ ...of, kind: undefined })} takes ${JSON.stringify(String(value).slice(0, 30))}`, () => {
    for (const format of FORMATS) {
      const read = decodeRow(columns(of), format, encodeRow(columns(of), format, { c0: value }));
      assert.deepEqual(comparable(read), comparable({ c0: expected }), format);
    }
  });
}

const LONE = "a\ud800b";
const WRONG = "CODEC.WRONG_TYPE";
const RANGE = "CODEC.OUT_OF_RANGE";
const UNSAFE = "CODEC.UNSAFE_INTEGER";

const BAD: readonly (readonly [DataType, unknown, string])[] = [
  [type("boolean"), 1, WRONG],
  [type("tinyint"), 128, RANGE],
  [type("tinyint"), -129, RANGE],
  [type("smallint"), 32768, RANGE],
  [type("int"), 2147483648, RANGE],
  [type("int"), 1.5, RANGE],
  [type("int"), NaN, RANGE],
  [type("int"), "5", WRONG],
  [type("int"), 5n, WRONG],
  [type("bigint"), 5, WRONG],
  [type("bigint"), 2n ** 63n, RANGE],
  [type("bigint"), -(2n ** 63n) - 1n, RANGE],
  [type("bigint", { mode: "number" }), 5n, WRONG],
  [type("bigint", { mode: "number" }), 2 ** 53, UNSAFE],
  [type("bigint", { mode: "number" }), 0.5, RANGE],
  [type("float"), 1e300, RANGE],
  [type("float"), "1", WRONG],
  [type("double"), 1n, WRONG],
  [type("string"), 5, WRONG],
  [type("string"), LONE, RANGE],
  [type("string"), "\udc00", RANGE],
  [type("string"), "x".repeat(500) + LONE, RANGE],
  [type("char", { length: 3 }), "abcd", RANGE],
  [type("char", { length: 3 }), 5, WRONG],
  [type("binary", { length: 3 }), new Uint8Array(2), RANGE],
  [type("binary", { length: 3 }), new Uint8Array(4), RANGE],
  [type("bytes"), "text", WRONG],
  [type("bytes"), [1, 2], WRONG],
  [type("bytes"), new ArrayBuffer(3), WRONG],
  [decimal(10, 2), 12.5, WRONG],
  [decimal(10, 2), "1e3", WRONG],
  [decimal(10, 2), "", WRONG],
  [decimal(10, 2), ".5", WRONG],
  [decimal(10, 2), " 5", WRONG],
  [decimal(10, 2), "NaN", WRONG],
  [decimal(10, 2), "1.005", RANGE],
  [decimal(5, 2), "1000", RANGE],
  [decimal(5, 2), "-999.991", RANGE],
  [decimal(38, 0), "1".repeat(39), RANGE],
  [decimal(5, 2, { mode: "unscaled" }), 100000n, RANGE],
  [decimal(5, 2, { mode: "unscaled" }), 5, WRONG],
  [decimal(5, 2, { mode: "number" }), 1000, RANGE],
  [decimal(5, 2, { mode: "number" }), NaN, RANGE],
  [decimal(5, 2, { mode: "number" }), "5", WRONG],
  [type("date"), "2026-11-23", WRONG],
  [type("date"), new Date(0), WRONG],
  [type("date", { mode: "string" }), "2026-02-29", WRONG],
  [type("date", { mode: "string" }), "2026-2-9", WRONG],
  [type("date", { mode: "string" }), "-000000-01-01", WRONG],
  [type("date", { mode: "string" }), "+9999999-01-01", RANGE],
  [type("date", { mode: "days" }), 2147483648, RANGE],
  [time(0), PlainTime.from("12:30:00.5"), RANGE],
  [time(2), PlainTime.from("12:30:00.125"), RANGE],
  [time(9), PlainTime.from("12:30:00.0001"), RANGE],
  [time(3, { mode: "string" }), "24:00:00", WRONG],
  [time(3, { mode: "string" }), "12:30:00.0001", RANGE],
  [time(3, { mode: "millis" }), 86400000, RANGE],
  [time(3, { mode: "millis" }), -1, RANGE],
  [time(0, { mode: "millis" }), 1500, RANGE],
  [timestamp(6), PlainDateTime.from("2026-11-23T12:30:00.0000001"), RANGE],
  [timestamp(3), PlainDateTime.from("2026-11-23T12:30:00.0001"), RANGE],
  [timestamp(0), PlainDateTime.from("2026-11-23T12:30:00.5"), RANGE],
  [timestamp(3), Instant.from("2026-11-23T12:30:00Z"), WRONG],
  [timestamp(3), new Date(0), WRONG],
  [timestamp(2, { mode: "epochMillis" }), 15, RANGE],
  [timestamp(3, { mode: "epochMillis" }), 1.5, RANGE],
  [timestamp(3, { mode: "epochMillis" }), 2 ** 53, RANGE],
  [timestamp(3, { mode: "epochMillis" }), 5n, WRONG],
  [timestamp(5, { mode: "epochMicros" }), 15n, RANGE],
  [timestamp(6, { mode: "epochMicros" }), 15, WRONG],
  [timestamp(8, { mode: "epochNanos" }), 15n, RANGE],
  [timestamp(9, { mode: "epochNanos" }), 2n ** 90n, RANGE],
  [timestamp(3, { mode: "date" }), new Date(NaN), WRONG],
  [timestamp(2, { mode: "date" }), new Date(15), RANGE],
  [timestamp(6, { mode: "string" }), "2026-11-23T12:30:00Z", WRONG],
  [timestamp(6, { mode: "string" }), "+9999999-01-01T00:00:00", RANGE],
  [ltz(6), PlainDateTime.from("2026-11-23T12:30:00"), WRONG],
  [ltz(0), Instant.from("2026-11-23T12:30:00.5Z"), RANGE],
  [ltz(6, { mode: "string" }), "2026-11-23T12:30:00", WRONG],
  [ltz(6, { mode: "string" }), "2026-11-23T12:30:00.1234567Z", RANGE],
  [ltz(6, { mode: "string" }), "2026-11-23T25:30:00Z", WRONG],
  [type("array", { element: type("int") }), new Set([1]), WRONG],
  [type("array", { element: type("int") }), [1, 2 ** 31], RANGE],
  [map(), {}, WRONG],
  [map(), new Map([["a", "b"]]), WRONG],
  [map({ mode: "object" }), new Map(), WRONG],
  [map({ mode: "object" }), [], WRONG],
  [type("row", { fields: [] }), [], WRONG],
  [type("row", { fields: [] }), { a: 1 }, "WRITE.UNKNOWN_COLUMN"],
];

for (const [of, value, code] of BAD) {
  test(`${of.kind} ${JSON.stringify({ ...of, kind: undefined })} refuses ${JSON.stringify(String(value).slice(0, 30))}`, () => {
    for (const format of FORMATS) {
      assert.throws(() => encodeRow(columns(of), format, { c0: value }), (error: { code: string; column: string }) => {
        assert.equal(error.code, code);
        assert.ok(error.column.startsWith("c0"));
        return true;
      });
    }
  });
}

test("CHAR(n) counts characters, and bytes where the format has a fixed width", () => {
  const of = columns(type("char", { length: 3 }));
  for (const format of ["compacted", "aligned"] as const) {
    assert.deepEqual(decodeRow(of, format, encodeRow(of, format, { c0: "ä😀ü" })), { c0: "ä😀ü" });
    assert.throws(() => encodeRow(of, format, { c0: "äöü!" }), { code: RANGE });
  }
  assert.throws(() => encodeRow(of, "indexed", { c0: "äö" }), { code: RANGE });
  assert.throws(() => encodeRow(of, "indexed", { c0: "a\u0000" }), { code: RANGE });
});

test("stored values that JavaScript cannot hold in the wanted form are refused, not bent", () => {
  const cases: [DataType, unknown, DataType, string][] = [
    [type("bigint"), 2n ** 53n, type("bigint", { mode: "number" }), UNSAFE],
    [type("bigint"), -(2n ** 53n), type("bigint", { mode: "number" }), UNSAFE],
    [type("date", { mode: "days" }), 2147483647, type("date"), RANGE],
    [ltz(3, { mode: "epochMillis" }), 8.64e15 + 1, ltz(3), RANGE],
    [ltz(3, { mode: "epochMillis" }), 8.64e15 + 1, ltz(3, { mode: "date" }), RANGE],
    [timestamp(3, { mode: "epochMillis" }), 9e15, timestamp(3), RANGE],
    [timestamp(9, { mode: "epochNanos" }), 1n, timestamp(9, { mode: "epochMicros" }), RANGE],
    [timestamp(9, { mode: "epochNanos" }), 1n, timestamp(9, { mode: "epochMillis" }), RANGE],
    [type("int"), -5, time(3), RANGE],
    [type("int"), 86400000, time(3, { mode: "string" }), RANGE],
  ];
  for (const [written, value, read, code] of cases) {
    for (const format of FORMATS) {
      const bytes = encodeRow(columns(written), format, { c0: value });
      assert.throws(() => decodeRow(columns(read), format, bytes), { code, column: "c0" }, `${read.kind} ${value}`);
    }
  }
});

test("messages say what was expected and what came, and cut what is long", () => {
  const message = (of: DataType, value: unknown): string => {
    try {
      encodeRow(columns(of), "compacted", { c0: value });
    } catch (error) {
      return (error as { message: string }).message;
    }
    return assert.fail("was taken");
  };
  assert.equal(message(type("bigint"), 5), "expected bigint, got number 5");
  assert.equal(message(type("tinyint"), 300), "300 is outside of TINYINT (-128 to 127)");
  assert.equal(message(type("int"), { a: 1 }), "expected integer number, got object");
  assert.equal(message(type("int"), new Date(0)), "expected integer number, got Date");
  assert.equal(message(type("int"), Object.create(null)), "expected integer number, got object");
  const long = message(type("int"), "s".repeat(1000));
  assert.ok(long.length < 100, long);
  assert.equal(message(decimal(5, 2), "1.005"), '"1.005" has more than 2 decimals, DECIMAL(5, 2) would lose them');
});

test("a codec of the user's own sits on the default form", () => {
  const cents = {
    decode: (raw: { unscaled: bigint; scale: number }) => ({ cents: Number(raw.unscaled), scale: raw.scale }),
    encode: (value: { cents: number }) => ({ unscaled: BigInt(value.cents), scale: 2 }),
  };
  const upper = { decode: (raw: string) => raw.toUpperCase(), encode: (value: string) => value.toLowerCase() };
  const failing = {
    decode: (): unknown => {
      throw new Error("no such status");
    },
    encode: (value: unknown) => value,
  };
  const text = notNull(type("string", { codec: upper }));
  for (const format of FORMATS) {
    for (const precision of [10, 17, 30]) {
      const of = columns(decimal(precision, 4, { codec: cents }));
      const bytes = encodeRow(of, format, { c0: { cents: 250 } });
      assert.deepEqual(decodeRow(of, format, bytes), { c0: { cents: 25000, scale: 4 } });
      assert.deepEqual(decodeRow(columns(decimal(precision, 4)), format, bytes), { c0: "2.5000" });
    }
    const nested = columns(type("array", { element: text }), timestamp(6, { codec: failing, mode: "string" }));
    const bytes = encodeRow(nested, format, { c0: ["ABC"], c1: null });
    assert.deepEqual(decodeRow(nested, format, bytes), { c0: ["ABC"], c1: null });
    assert.deepEqual(decodeRow(columns(type("array", { element: type("string") }), timestamp(6)), format, bytes), {
      c0: ["abc"],
      c1: null,
    });
    const stored = encodeRow(nested, format, { c0: null, c1: "2026-11-23T12:30:00" });
    assert.throws(() => decodeRow(nested, format, stored), { code: WRONG, column: "c1", message: /no such status/ });
    const numbers = columns(decimal(5, 2, { codec: { decode: Number, encode: (value: unknown) => value } }));
    assert.throws(() => encodeRow(numbers, format, { c0: 5 }), { code: WRONG, column: "c0" });
    const finer = columns(decimal(5, 1, { codec: cents }));
    assert.throws(() => encodeRow(finer, format, { c0: { cents: 255 } }), { code: RANGE, column: "c0" });
  }
});

test("a Temporal of the type's own is used", () => {
  class Instant2 {
    readonly millis: number;
    constructor(millis: number) {
      this.millis = millis;
    }
    get epochNanoseconds(): bigint {
      return BigInt(this.millis) * 1_000_000n;
    }
    static fromEpochMilliseconds(millis: number): Instant2 {
      return new Instant2(millis);
    }
  }
  const of = columns(ltz(3, { temporal: { Instant: Instant2 } }));
  const bytes = encodeRow(of, "compacted", { c0: new Instant2(1234) });
  const read = decodeRow(of, "compacted", bytes)["c0"];
  assert.ok(read instanceof Instant2);
  assert.equal(read.millis, 1234);
  assert.throws(() => encodeRow(of, "compacted", { c0: Temporal.Instant.fromEpochMilliseconds(5) }), { code: WRONG });
});

test("BINARY that ends in a zero byte is refused in the INDEXED format, where servers would lose it", () => {
  const binary = [{ key: "b", name: "b", id: 0, type: type("binary", { length: 2 }) }];
  for (const format of FORMATS) {
    const write = () => compileRowWriter(binary, format)(new ByteWriter(), { b: Uint8Array.of(1, 0) });
    if (format !== "indexed") write();
    else assert.throws(write, (error) => error instanceof ColumnError && error.code === "CODEC.OUT_OF_RANGE");
  }
});

test("a time that comes again is the same one, and others are not taken for it", () => {
  for (const type of [timestamp(9), ltz(9)]) {
    const make = (text: string) => type.kind === "timestamp" ? PlainDateTime.from(text) : Instant.from(`${text}Z`);
    const first = make("2026-11-23T12:30:00.123456789");
    const second = make("1969-12-31T23:59:59.000000001");
    const rows = [first, first, second, first, make("2026-11-23T12:30:00.123456789"), second, second];
    for (const format of FORMATS) {
      const out = new ByteWriter(1);
      const write = compileRowWriter(columns(type), format);
      const written = rows.map((c0) => {
        out.reset();
        write(out, { c0 });
        return out.toBytes();
      });
      assert.deepEqual(written, rows.map((c0) => encodeRow(columns(type), format, { c0 })));
      const read = compileValueReader(columns(type), columns(type), format);
      const values = written.map((bytes) => read(bytes, 0, bytes.length)["c0"]);
      assert.deepEqual(values.map(String), rows.map(String));
      assert.equal(values[0], values[1]);
    }
    // What was refused is refused again.
    const write = compileRowWriter(columns({ ...type, precision: 3 } as DataType), "compacted");
    for (let i = 0; i < 3; i++) assert.throws(() => write(new ByteWriter(1), { c0: first }), ColumnError);
    assert.throws(() => write(new ByteWriter(1), { c0: "no time" }), ColumnError);
  }
});

test("a date that comes again is the same one, and others are not taken for it", () => {
  const dates = columns(type("date"));
  const read = compileValueReader(dates, dates, "compacted");
  const texts = ["2026-11-23", "2026-11-23", "1970-01-01", "1969-12-31", "1970-01-01"];
  const values = texts.map((text) => {
    const bytes = encodeRow(dates, "compacted", { c0: PlainDate.from(text) });
    return read(bytes, 0, bytes.length)["c0"];
  });
  assert.deepEqual(values.map(String), texts);
  assert.equal(values[0], values[1]);
});
