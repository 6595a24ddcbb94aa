import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "../../../src/format/byte_reader.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import * as generate from "../../../src/format/generate.ts";
import { compactedCell } from "../../../src/format/compacted_row.ts";
import { fieldOf } from "../../../src/format/row_codec.ts";
import type { ReadPlan, WriteStep } from "../../../src/format/row_plan.ts";
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

test("row makers keep keys, order and prototype", () => {
  const keys = ["b", "__proto__", "a"];
  for (const make of [generate.generatedRowMaker(keys), generate.loopRowMaker(keys)]) {
    const row = make([1, 2, 3]);
    assert.deepEqual(Object.entries(row), [["b", 1], ["__proto__", 2], ["a", 3]]);
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
    assert.deepEqual(Object.entries({ ...make([4, 5, 6]) }), [["b", 4], ["__proto__", 5], ["a", 6]]);
  }
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
    // The writer, the reader, and the row maker of the reader.
    assert.equal(asked, 3);
    for (const row of ROWS) {
      assert.equal(written(write, row), written(generate.loopWriter(STEPS), row));
      const expected = PLAN.keys.map((key) => [key, key === "extra" || !Object.hasOwn(row, key) ? null : row[key]]);
      assert.deepEqual(readBack(read, written(write, row)), { entries: expected });
    }
  } finally {
    globalThis.Function = original;
  }
});
