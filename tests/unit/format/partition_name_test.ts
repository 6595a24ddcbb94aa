import assert from "node:assert/strict";
import { test } from "node:test";
import { javaDoubleText, javaFloatText } from "../../../src/format/java_number_text.ts";
import { compilePartitionName, partitionValue } from "../../../src/format/partition_name.ts";
import type { DataType } from "../../../src/schema/data_type.ts";
import { column, notNull, type } from "./columns.ts";

const VALUES: readonly (readonly [DataType, unknown, string])[] = [
  // Made by the official client of 0.9.1.
  [type("float"), 1, "1_0"],
  [type("float"), 1e10, "1_0E10"],
  [type("double"), 1e-7, "1_0E-7"],
  [type("double"), 123456.789, "123456_789"],
  [type("double"), NaN, "NaN"],
  [type("double"), -Infinity, "-Inf"],
  [type("date"), Temporal.PlainDate.from("2023-10-25"), "2023-10-25"],
  [type("date", { mode: "days" }), 19655, "2023-10-25"],
  [type("date", { mode: "days" }), -1, "1969-12-31"],
  [type("time", { precision: 3, mode: "millis" }), 34200123, "09-30-00_123"],
  [
    type("timestamp", { precision: 9, mode: "string" }),
    "2023-10-25T12:01:13.182123456",
    "2023-10-25-12-01-13_182123456",
  ],
  [type("timestamp", { precision: 0, mode: "string" }), "2023-10-25T12:01:13", "2023-10-25-12-01-13_"],
  [type("timestampLtz", { precision: 3, mode: "string" }), "2023-10-25T12:01:13.182Z", "2023-10-25-12-01-13_182"],
  [type("timestamp", { precision: 6, mode: "string" }), "1969-12-31T23:59:59.999500", "1969-12-31-23-59-59_9995"],
  [type("bytes"), Uint8Array.of(0xab, 0x10), "ab10"],
  [type("boolean"), true, "true"],
  // By the rules of the notes.
  [type("boolean"), false, "false"],
  [type("tinyint"), -5, "-5"],
  [type("smallint"), 300, "300"],
  [type("int"), -2147483648, "-2147483648"],
  [type("bigint"), -(2n ** 63n), "-9223372036854775808"],
  [type("bigint", { mode: "number" }), -0, "0"],
  [type("string"), "eu-west_1", "eu-west_1"],
  [type("char", { length: 4 }), "ab", "ab"],
  [type("binary", { length: 2 }), Uint8Array.of(0, 255), "00ff"],
  [type("float"), Infinity, "Inf"],
  [type("time", { precision: 0, mode: "string" }), "00:00:00", "00-00-00_000"],
  [type("date", { mode: "string" }), "0033-01-02", "0033-01-02"],
  [type("timestamp", { precision: 3, mode: "epochMillis" }), -1, "1969-12-31-23-59-59_999"],
];

for (const [of, value, text] of VALUES) {
  test(`partition value ${text} of ${of.kind}`, () => assert.equal(partitionValue(of, value), text));
}

test("numbers print as in Java", () => {
  const doubles: [number, string][] = [
    [0, "0.0"],
    [-0, "-0.0"],
    [100, "100.0"],
    [0.001, "0.001"],
    [0.00099, "9.9E-4"],
    [9999999, "9999999.0"],
    [1e7, "1.0E7"],
    [-1.5e-10, "-1.5E-10"],
    [0.1, "0.1"],
    [12345678.9, "1.23456789E7"],
    [Number.MAX_VALUE, "1.7976931348623157E308"],
    [Number.MIN_VALUE, "4.9E-324"],
    [1e21, "1.0E21"],
    [2e-323, "2.0E-323"],
    [1e23, "1.0E23"],
  ];
  for (const [value, text] of doubles) assert.equal(javaDoubleText(value), text);
  const floats: [number, string][] = [
    [Math.fround(0.1), "0.1"],
    [Math.fround(1 / 3), "0.33333334"],
    [Math.fround(3.4028235e38), "3.4028235E38"],
    [Math.fround(1.17549435e-38), "1.1754944E-38"],
    [Math.fround(16777216), "1.6777216E7"],
    [Math.fround(-123.456), "-123.456"],
    [2 ** -149, "1.4E-45"],
  ];
  for (const [value, text] of floats) assert.equal(javaFloatText(value), text);
});

test("several partition columns are joined in their order", () => {
  const of = [column(3, "day", notNull(type("date"))), column(1, "region", notNull(type("string")))];
  const name = compilePartitionName(of);
  assert.equal(name({ region: "eu", day: Temporal.PlainDate.from("2026-11-23"), other: 1 }), "2026-11-23$eu");
  assert.throws(() => name({ day: Temporal.PlainDate.from("2026-11-23") }), {
    code: "WRITE.MISSING_COLUMN",
    column: "region",
  });
  assert.throws(() => name({ day: null, region: "eu" }), { code: "CODEC.NULL", column: "day" });
  assert.throws(() => name({ day: undefined, region: "eu" }), { code: "WRITE.UNDEFINED_VALUE", column: "day" });
  assert.throws(() => name({ day: "2026-11-23", region: "eu" }), { code: "CODEC.WRONG_TYPE", column: "day" });
});

test("what no partition can be named by is refused", () => {
  const decimal = type("decimal", { precision: 5, scale: 2 });
  for (const refused of [decimal, type("array", { element: type("int") }), type("row", { fields: [] })]) {
    assert.throws(() => partitionValue(refused, null), { code: "SCHEMA.INVALID" });
  }
  const timestamp = type("timestamp", { precision: 3, mode: "string" });
  for (const text of ["+010000-01-01T00:00:00", "0000-12-31T00:00:00"]) {
    assert.throws(() => partitionValue(timestamp, text), { code: "CODEC.OUT_OF_RANGE" });
  }
});
