import assert from "node:assert/strict";
import { test } from "node:test";
import { ColumnError } from "../../../src/base/column_error.ts";
import { ByteReader } from "../../../src/format/byte_reader.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import * as generate from "../../../src/format/generate.ts";
import { compactedCell } from "../../../src/format/compacted_row.ts";
import { fieldOf } from "../../../src/format/row_codec.ts";
import type { AppendStep, AppendTarget, ColumnSource, ReadPlan, WriteStep } from "../../../src/format/row_plan.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, hex, notNull, type } from "./columns.ts";
import { comparable } from "./random.ts";

const COLUMNS = [
  column(0, "id", notNull(type("int"))),
  column(1, "__proto__", type("string")),
  column(2, "toString", type("bigint")),
  column(3, "plain", type("double")),
];

const cellOf = (of: SchemaColumn) => compactedCell(fieldOf("compacted", of.type, of.type));

const STEPS: WriteStep[] = COLUMNS.map((of, i) => ({
  key: of.key,
  nullBit: i,
  nullable: of.type.nullable,
  typeName: of.type.kind,
  write: i === 3 ? undefined : cellOf(of).write,
}));

const PLAN: ReadPlan = {
  keys: ["extra", "toString", "__proto__", "id"],
  steps: COLUMNS.slice(0, 3).map((of, i) => ({
    nullBit: of.type.nullable ? i : -1,
    read: cellOf(of).read,
    target: [3, 2, 1][i]!,
  })),
};

const SKIPPING: ReadPlan = {
  keys: ["toString"],
  steps: COLUMNS.slice(0, 3).map((of, i) => ({
    nullBit: of.type.nullable ? i : -1,
    read: i === 2 ? cellOf(of).read : cellOf(of).skip,
    target: i === 2 ? 0 : -1,
  })),
};

const ROWS: Record<string, unknown>[] = [
  Object.fromEntries([["id", 5], ["__proto__", "p"], ["toString", 7n], ["plain", 1.5]]),
  Object.fromEntries([["id", 5], ["__proto__", null]]),
  { id: -1 },
];

const WRONG: Record<string, unknown>[] = [
  {},
  { id: null },
  { id: undefined },
  { id: "x" },
  Object.fromEntries([["id", 1], ["__proto__", 5]]),
  { id: 1, toString: undefined },
];

type Writer = ReturnType<typeof generate.compileWriter>;
type Reader = ReturnType<typeof generate.compileReader>;

function written(write: Writer, row: Record<string, unknown>): string {
  const out = new ByteWriter(2);
  out.writeZeros(1);
  try {
    write(out, 0, row);
  } catch (error) {
    const { code, column } = error as { code: string; column: string };
    return `${code} ${column}`;
  }
  return hex(out.toBytes());
}

function readBack(read: Reader, bytes: string): unknown {
  const source = new ByteReader(
    Uint8Array.from(bytes.match(/../g)!, (pair) => parseInt(pair, 16)),
    0,
    bytes.length / 2,
  );
  return comparable(read(source, source.take(1)));
}

test("generated functions and loops do the same", () => {
  const writers = [generate.generatedWriter(STEPS), generate.loopWriter(STEPS)] as const;
  for (const row of [...ROWS, ...WRONG]) assert.equal(written(writers[0], row), written(writers[1], row));
  for (const plan of [PLAN, SKIPPING]) {
    const readers = [generate.generatedReader(plan), generate.loopReader(plan)] as const;
    for (const row of ROWS) {
      const bytes = written(writers[0], row);
      const expected = plan.keys.map((key) => [key, key === "extra" || !Object.hasOwn(row, key) ? null : row[key]]);
      assert.deepEqual(readBack(readers[0], bytes), { entries: expected });
      assert.deepEqual(readBack(readers[1], bytes), { entries: expected });
    }
  }
  assert.deepEqual(WRONG.map((row) => written(writers[0], row)), [
    "WRITE.MISSING_COLUMN id",
    "CODEC.NULL id",
    "WRITE.UNDEFINED_VALUE id",
    "CODEC.WRONG_TYPE id",
    "CODEC.WRONG_TYPE __proto__",
    "WRITE.UNDEFINED_VALUE toString",
  ]);
});

const APPENDED = [
  column(0, "id", notNull(type("bigint", { mode: "number" }))),
  column(1, "__proto__", type("string")),
  column(2, "toString", type("int")),
  column(3, "plain", type("array", { element: type("bigint") })),
];

const APPEND_STEPS: AppendStep[] = APPENDED.map((of, i) => {
  const field = of.type.kind === "array" ? undefined : fieldOf("compacted", of.type, of.type);
  const encode = field !== undefined && "conversion" in field ? field.conversion.encode : undefined;
  return {
    key: of.key,
    nullable: of.type.nullable,
    typeName: of.type.kind,
    form: (["words", "text", "data", "column"] as const)[i]!,
    // The conversions of these types take the value alone.
    encode: encode as AppendStep["encode"] ?? ((value) => value),
  };
});

/** What a row does to columns, as text. */
function appended(append: ReturnType<typeof generate.compileAppender>, row: Record<string, unknown>): string {
  const seen: unknown[] = [];
  const targets = APPEND_STEPS.map((_, i): AppendTarget => ({
    data: {},
    words: new Int32Array(6),
    writeText: (at, text) => seen.push(`${i} text ${at} ${text}`),
    write: (at, value) => seen.push(`${i} value ${at} ${String(value)}`),
    writeNull: (at) => seen.push(`${i} null ${at}`),
  }));
  try {
    append(targets, 1, row);
  } catch (error) {
    const { code, column } = error as { code: string; column: string };
    return `${code} ${column}`;
  }
  return JSON.stringify([seen, targets.map(({ data, words }) => [data, [...words]])]);
}

const APPENDED_ROWS: Record<string, unknown>[] = [
  Object.fromEntries([["id", -(2 ** 40)], ["__proto__", "p"], ["toString", 7], ["plain", [1n]]]),
  Object.fromEntries([["id", 2 ** 52], ["__proto__", null]]),
  ...WRONG,
];

test("generated appenders and loops do the same", () => {
  const generated = generate.generatedAppender(APPEND_STEPS);
  const loop = generate.loopAppender(APPEND_STEPS);
  for (const row of APPENDED_ROWS) assert.equal(appended(generated, row), appended(loop, row));
  assert.deepEqual(APPENDED_ROWS.map((row) => appended(generated, row)), [
    JSON.stringify([["1 text 1 p", "3 value 1 1"], [
      [{}, [0, 0, 0, -256, 0, 0]],
      [{}, [0, 0, 0, 0, 0, 0]],
      [{ 1: 7 }, [0, 0, 0, 0, 0, 0]],
      [{}, [0, 0, 0, 0, 0, 0]],
    ]]),
    JSON.stringify([["1 null 1", "2 null 1", "3 null 1"], [
      [{}, [0, 0, 0, 2 ** 20, 0, 0]],
      ...[1, 2, 3].map(() => [{}, [0, 0, 0, 0, 0, 0]]),
    ]]),
    "WRITE.MISSING_COLUMN id",
    "CODEC.NULL id",
    "WRITE.UNDEFINED_VALUE id",
    "CODEC.WRONG_TYPE id",
    "CODEC.WRONG_TYPE __proto__",
    "WRITE.UNDEFINED_VALUE toString",
  ]);
});

test("row makers keep keys, order and prototype", () => {
  const keys = ["b", "__proto__", "a"];
  for (const make of [generate.generatedRowMaker(keys), generate.loopRowMaker(keys)]) {
    const row = make([1, 2, 3]);
    assert.deepEqual(Object.entries(row), [["b", 1], ["__proto__", 2], ["a", 3]]);
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
    assert.deepEqual(Object.entries({ ...make([4, 5, 6]) }), [["b", 4], ["__proto__", 5], ["a", 6]]);
  }
});

const SOURCES: readonly ColumnSource[] = [
  { form: "null", validity: undefined, values: undefined, read: () => assert.fail("nothing to read") },
  {
    form: "values",
    validity: Uint8Array.of(0b101),
    values: Int32Array.of(7, 8, 9),
    read: () => assert.fail("not this way"),
  },
  {
    form: "read",
    validity: Uint8Array.of(0b011),
    values: undefined,
    read(i) {
      if (i === 1) throw new ColumnError("CODEC.OUT_OF_RANGE", "not this one", { column: "x" });
      return `text ${i}`;
    },
  },
];

function rowOf(row: (i: number) => Record<string, unknown>, i: number): unknown {
  try {
    const found = row(i);
    assert.equal(Object.getPrototypeOf(found), Object.prototype);
    return Object.entries(found);
  } catch (error) {
    const { code, column } = error as { code: string; column: string };
    return `${code} ${column}`;
  }
}

test("rows of columns: generated and in loops", () => {
  const keys = ["toString", "__proto__", "c"];
  const forms = SOURCES.map((source) => source.form);
  for (const source of [generate.generatedRowSource(keys, forms), generate.loopRowSource(keys)]) {
    const row = source(SOURCES);
    assert.deepEqual([0, 1, 2].map((i) => rowOf(row, i)), [
      [["toString", null], ["__proto__", 7], ["c", "text 0"]],
      "CODEC.OUT_OF_RANGE c.x",
      [["toString", null], ["__proto__", 9], ["c", null]],
    ]);
  }
  // More columns than a function is made for.
  const wide = Array.from({ length: 300 }, (_, i) => `c${i}`);
  const ints = wide.map((): ColumnSource => SOURCES[1]!);
  const row = generate.compileRowSource(wide, ints.map((source) => source.form))(ints);
  assert.deepEqual(rowOf(row, 2), wide.map((key) => [key, 9]));
});

test("where the host forbids new functions, loops take over", () => {
  const original = globalThis.Function;
  let asked = 0;
  globalThis.Function = function () {
    asked++;
    throw new EvalError("forbidden here");
  } as unknown as FunctionConstructor;
  try {
    const write = generate.compileWriter(STEPS);
    const read = generate.compileReader(PLAN);
    const append = generate.compileAppender(APPEND_STEPS);
    // The writer, the reader, the row maker of the reader, and the appender.
    assert.equal(asked, 4);
    for (const row of APPENDED_ROWS) {
      assert.equal(appended(append, row), appended(generate.loopAppender(APPEND_STEPS), row));
    }
    for (const row of ROWS) {
      assert.equal(written(write, row), written(generate.loopWriter(STEPS), row));
      const expected = PLAN.keys.map((key) => [key, key === "extra" || !Object.hasOwn(row, key) ? null : row[key]]);
      assert.deepEqual(readBack(read, written(write, row)), { entries: expected });
    }
  } finally {
    globalThis.Function = original;
  }
});
