import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { FlussError } from "../../../src/base/errors.ts";
import { arrowColumns } from "../../../src/format/arrow/arrow_column.ts";
import { compileColumnsBuilder } from "../../../src/format/arrow/builder.ts";
import type { Columns } from "../../../src/format/columns.ts";
import { compileFilter } from "../../../src/format/filter.ts";
import { checkPredicate, operatorsOf, type Predicate, predicateText } from "../../../src/format/predicate.ts";
import { rowColumns } from "../../../src/format/row_columns.ts";
import type { DataType, SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, columns, type } from "./columns.ts";
import { Random, randomScalar, randomValue, rounds, SEED } from "./random.ts";

type RowObject = Record<string, unknown>;

/** The order of two values of a type, told from their JavaScript forms alone. */
function order(of: DataType, a: unknown, b: unknown): number {
  switch (of.kind) {
    case "string":
    case "char":
      return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
    case "bytes":
    case "binary":
      return Buffer.compare(a as Uint8Array, b as Uint8Array);
    case "float":
    case "double":
      // An array of one double sorts as numbers do in Java: typed arrays know -0 and put NaN at the end.
      if (Object.is(a, b)) return 0;
      return Object.is(new Float64Array([a as number, b as number]).sort()[0], a) ? -1 : 1;
    case "decimal": {
      const x = unscaled(a, of.scale);
      const y = unscaled(b, of.scale);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    default: {
      const x = plain(a);
      const y = plain(b);
      return x < y ? -1 : x > y ? 1 : 0;
    }
  }
}

function unscaled(value: unknown, scale: number): bigint {
  if (typeof value === "bigint") return value;
  const [whole, fraction = ""] = (value as string).split(".");
  const digits = BigInt(whole!.replace("-", "") + fraction.padEnd(scale, "0"));
  return (value as string).startsWith("-") ? -digits : digits;
}

function plain(value: unknown): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.getTime();
  if (value instanceof Temporal.Instant) return value.epochNanoseconds;
  if (value instanceof Temporal.PlainTime) return value.since("00:00").total("milliseconds");
  if (value instanceof Temporal.PlainDate) return plain(value.toPlainDateTime());
  if (value instanceof Temporal.PlainDateTime) return value.toZonedDateTime("UTC").epochNanoseconds;
  const text = value as string;
  if (text.endsWith("Z")) return Temporal.Instant.from(text).epochNanoseconds;
  if (!text.includes("-")) return plain(Temporal.PlainTime.from(text));
  return plain(Temporal.PlainDateTime.from(text));
}

function model(predicate: Predicate, schema: readonly SchemaColumn[], row: RowObject): boolean {
  if ("predicates" in predicate) {
    const test = (part: Predicate) => model(part, schema, row);
    return predicate.op === "and" ? predicate.predicates.every(test) : predicate.predicates.some(test);
  }
  const of = schema.find(({ key }) => key === predicate.column)!.type;
  const value = row[predicate.column];
  if (value === null) return predicate.op === "isNull";
  switch (predicate.op) {
    case "isNull":
      return false;
    case "isNotNull":
      return true;
    case "in":
      return predicate.value.some((one) => order(of, value, one) === 0);
    case "notIn":
      return predicate.value.every((one) => order(of, value, one) !== 0);
    case "startsWith":
    case "endsWith":
      return (value as string)[predicate.op](predicate.value as string);
    case "contains":
      return (value as string).includes(predicate.value as string);
    default: {
      const found = order(of, value, predicate.value);
      return { eq: found === 0, ne: found !== 0, lt: found < 0, lte: found <= 0, gt: found > 0, gte: found >= 0 }[
        predicate.op
      ];
    }
  }
}

/** A value to compare with: often one that is there, so that something is found. */
function literal(random: Random, { key, type }: SchemaColumn, rows: readonly RowObject[]): unknown {
  const there = rows.length > 0 && random.chance(0.6) ? random.pick(rows)[key] : null;
  return there ?? randomValue(random, { ...type, nullable: false });
}

function part(random: Random, text: string): string {
  const points = [...text];
  const from = random.int(0, points.length);
  return points.slice(from, random.int(from, points.length)).join("");
}

function randomPredicate(
  random: Random,
  schema: readonly SchemaColumn[],
  rows: readonly RowObject[],
  depth: number,
): Predicate {
  if (depth > 0 && random.chance(0.4)) {
    const predicates = Array.from(
      { length: random.int(1, 3) },
      () => randomPredicate(random, schema, rows, depth - 1),
    );
    return { op: random.pick(["and", "or"]), predicates };
  }
  const of = random.pick(schema);
  const op = random.pick(operatorsOf(of.type));
  if (op === "isNull" || op === "isNotNull") return { op, column: of.key };
  if (op === "in" || op === "notIn") {
    return { op, column: of.key, value: Array.from({ length: random.int(0, 8) }, () => literal(random, of, rows)) };
  }
  const value = literal(random, of, rows);
  const text = ["startsWith", "endsWith", "contains"].includes(op) ? part(random, value as string) : value;
  return { op, column: of.key, value: text } as Predicate;
}

function asArrow(schema: readonly SchemaColumn[], rows: readonly RowObject[]): Columns {
  const builder = compileColumnsBuilder(schema)();
  for (const row of rows) builder.append(row);
  return arrowColumns(schema, builder.raw(), rows.length);
}

test("predicates let through what a plain model lets through, on buffers and on rows", () => {
  const random = new Random(SEED);
  for (let round = 0; round < rounds(400, 20_000); round++) {
    const schema = Array.from(
      { length: random.int(1, 4) },
      (_, i) => column(i, i === 0 ? "__proto__" : `c${i}`, randomScalar(random, random.chance(0.7))),
    );
    const rows = Array.from(
      { length: random.int(0, 40) },
      () => Object.fromEntries(schema.map(({ key, type }) => [key, randomValue(random, type)])),
    );
    const predicate = randomPredicate(random, schema, rows, 2);
    const said = `seed ${SEED}, round ${round}: ${predicateText(predicate)} of ${JSON.stringify(schema)}`;
    checkPredicate(predicate, schema, "a.b");
    const expected = rows.flatMap((row, i) => model(predicate, schema, row) ? [i] : []);
    const filter = compileFilter(predicate, schema, "a.b");
    for (const given of [asArrow(schema, rows), rowColumns(schema, rows)]) {
      assert.deepEqual([...filter(given) ?? rows.keys()], expected, said);
    }
  }
});

function found(of: DataType, values: readonly unknown[], op: string, value?: unknown): unknown[] {
  const schema = columns(of);
  const predicate = { op, column: "c0", ...(value === undefined ? {} : { value }) } as Predicate;
  checkPredicate(predicate, schema, "a.b");
  const rows = values.map((c0) => ({ c0 }));
  const filter = compileFilter(predicate, schema, "a.b");
  const given = asArrow(schema, rows);
  return Array.from(filter(given) ?? rows.keys(), (i) => values[i]);
}

test("a comparison with a null value is false, and nothing is in an empty list", () => {
  const values = [1, null, 2];
  assert.deepEqual(found(type("int"), values, "ne", 1), [2]);
  assert.deepEqual(found(type("int"), values, "notIn", [1]), [2]);
  assert.deepEqual(found(type("int"), values, "in", []), []);
  assert.deepEqual(found(type("int"), values, "notIn", []), [1, 2]);
  assert.deepEqual(found(type("int"), values, "isNull"), [null]);
  assert.deepEqual(found(type("int"), values, "isNotNull"), [1, 2]);
});

test("floating-point numbers are ordered as the server orders them", () => {
  const values = [NaN, Infinity, 1, 0, -0, -Infinity];
  for (const kind of ["float", "double"]) {
    assert.deepEqual(found(type(kind), values, "eq", NaN), [NaN]);
    assert.deepEqual(found(type(kind), values, "eq", 0), [0]);
    assert.deepEqual(found(type(kind), values, "lt", 0), [-0, -Infinity]);
    assert.deepEqual(found(type(kind), values, "gt", 1), [NaN, Infinity]);
    assert.deepEqual(found(type(kind), values, "gte", Infinity), [NaN, Infinity]);
    assert.deepEqual(found(type(kind), values, "lte", NaN), values);
    assert.deepEqual(found(type(kind), values, "in", [0, 1, 2, 3, 4, NaN]), [NaN, 1, 0]);
  }
});

test("text is ordered by its UTF-8 bytes, where UTF-16 has surrogates before U+E000", () => {
  const values = ["\ue000", "😀", "z"];
  assert.deepEqual(found(type("string"), values, "gt", "\uffff"), ["😀"]);
  assert.deepEqual(found(type("string"), values, "lt", "😀"), ["\ue000", "z"]);
});

test("values at the ends of 64 and 128 bits are compared exactly", () => {
  const ends = [-(2n ** 63n), -(2n ** 32n) - 1n, -1n, 0n, 2n ** 31n, 2n ** 32n, 2n ** 63n - 1n];
  for (const value of ends) {
    assert.deepEqual(found(type("bigint"), ends, "lt", value), ends.filter((one) => one < value));
    assert.deepEqual(found(type("bigint"), ends, "gte", value), ends.filter((one) => one >= value));
  }
  const wide = type("decimal", { precision: 38, scale: 0, mode: "unscaled" });
  const digits = [-(10n ** 38n - 1n), -(2n ** 96n), -(2n ** 64n), -1n, 0n, 2n ** 64n, 2n ** 96n - 1n, 10n ** 38n - 1n];
  for (const value of digits) {
    assert.deepEqual(found(wide, digits, "lte", value), digits.filter((one) => one <= value));
    assert.deepEqual(found(wide, digits, "gt", value), digits.filter((one) => one > value));
  }
});

test("wrong predicates are refused with what to do", () => {
  const schema = [...columns(type("int"), type("boolean"), type("array", { element: type("int") }), type("string"))];
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [{ op: "eq", column: "c0", value: undefined }, "PREDICATE.UNDEFINED_VALUE", /"c0": eq with undefined/],
    [{ op: "eq", column: "c0", value: null }, "PREDICATE.NULL_VALUE", /use isNull\(\)/],
    [{ op: "in", column: "c0", value: [1, null] }, "PREDICATE.NULL_VALUE", /"c0": in with null/],
    [{ op: "in", column: "c0", value: 1 }, "PREDICATE.INVALID", /takes a list of values, not 1/],
    [{ op: "eq", column: "c0", value: "1" }, "CODEC.WRONG_TYPE", /column "c0": eq: expected integer number/],
    [{ op: "eq", column: "c0", value: 2 ** 31 }, "CODEC.OUT_OF_RANGE", /INT/],
    [{ op: "eq", column: "c3", value: "\ud800" }, "CODEC.OUT_OF_RANGE", /surrogate/],
    [{ op: "lt", column: "c1", value: true }, "PREDICATE.NOT_SUPPORTED", /BOOLEAN, which has no operator lt/],
    [{ op: "startsWith", column: "c0", value: "1" }, "PREDICATE.NOT_SUPPORTED", /it has eq, ne, in/],
    [{ op: "isNull", column: "c2" }, "PREDICATE.NOT_SUPPORTED", /nested columns cannot be filtered/],
    [{ op: "eq", column: "nope", value: 1 }, "PREDICATE.UNKNOWN_COLUMN", /the columns are c0, c1/],
    [{ op: "eq", column: "__proto__", value: 1 }, "PREDICATE.UNKNOWN_COLUMN", /"__proto__"/],
    [{ op: "not", column: "c0" }, "PREDICATE.INVALID", /no operator "not"/],
    [{ op: "and", predicates: [] }, "PREDICATE.INVALID", /at least one/],
    [{ op: "or", predicates: [{ op: "eq", column: "c0" }] }, "PREDICATE.UNDEFINED_VALUE", /undefined/],
    [null, "PREDICATE.INVALID", /an object with op/],
    [
      Array.from({ length: 200 }).reduce((inner) => ({ op: "and", predicates: [inner] }), {}),
      "PREDICATE.INVALID",
      /deep/,
    ],
  ];
  for (const [predicate, code, message] of cases) {
    assert.throws(() => checkPredicate(predicate, schema, "a.b"), (error) => {
      assert.ok(FlussError.is(error), String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });
  }
});
