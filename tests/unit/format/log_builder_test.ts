import assert from "node:assert/strict";
import { test } from "node:test";
import { arrowColumns } from "../../../src/format/arrow/arrow_column.ts";
import { compileColumnsBuilder } from "../../../src/format/arrow/builder.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import type { Columns } from "../../../src/format/columns.ts";
import { checkCrc, logBatchAt } from "../../../src/format/log_batch.ts";
import { compileLogBuilder, encodeLogBatch, type LogFormatOptions } from "../../../src/format/log_builder.ts";
import { compileLogDecoder } from "../../../src/format/log_decoder.ts";
import { rowColumns } from "../../../src/format/row_columns.ts";
import { compileRowWriter } from "../../../src/format/row_codec.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, columns, hex, notNull, type } from "./columns.ts";
import { LOG_BATCHES } from "./log_vectors.ts";
import { comparable, Random, randomColumns, randomRow, rounds, SEED } from "./random.ts";
import { ROWS } from "./vectors.ts";

const NONE: LogFormatOptions = { format: "arrow", compression: { type: "none" } };
const AB = columns(notNull(type("int")), type("string"));
const AB_ROWS = [{ c0: 1, c1: "a" }, { c0: 2, c1: null }, { c0: -3, c1: "ccc" }];

function batchOf(
  of: readonly SchemaColumn[],
  options: LogFormatOptions,
  rows: readonly Record<string, unknown>[],
): Uint8Array {
  const builder = compileLogBuilder(of, options)(1);
  for (const row of rows) builder.append(row);
  return builder.finish(-1n, -1);
}

test("an Arrow batch has the bytes of the official client's, codec or not", () => {
  assert.equal(hex(batchOf(AB, NONE, AB_ROWS)), LOG_BATCHES.arrowNone);
  const zstd: LogFormatOptions = { format: "arrow", compression: { type: "zstd", level: 3 } };
  assert.equal(hex(batchOf(AB, zstd, AB_ROWS)), LOG_BATCHES.arrowZstdStored);
  const lz4: LogFormatOptions = { format: "arrow", compression: { type: "lz4" } };
  assert.equal(hex(batchOf(AB, lz4, AB_ROWS)), LOG_BATCHES.arrowLz4Stored);
});

test("an Arrow batch of all types has the bytes of the official client's", () => {
  // TIME(0) is whole seconds in Arrow, and we write no other.
  const vectors = ROWS.map((row) =>
    row.type.kind === "time" ? { type: type("time", { precision: 0, mode: "millis" }), value: 34_200_000 } : row
  );
  const of = columns(...vectors.map((vector) => vector.type));
  const full = Object.fromEntries(vectors.map((vector, i) => [`c${i}`, vector.value]));
  assert.equal(hex(batchOf(of, NONE, [full, { c0: -7 }])), LOG_BATCHES.arrowNoneWide);
});

test("an indexed batch has the bytes of the official client's", () => {
  const options: LogFormatOptions = { format: "indexed", compression: { type: "zstd" } };
  assert.equal(hex(batchOf(AB, options, AB_ROWS)), LOG_BATCHES.indexed);
});

test("another writer and sequence change the header alone", () => {
  for (const format of ["arrow", "indexed", "compacted"] as const) {
    const builder = compileLogBuilder(AB, { format, compression: { type: "lz4" } })(7);
    for (const row of AB_ROWS) builder.append(row);
    const first = builder.finish(-1n, -1).slice();
    const second = builder.finish(1000n, 5);
    const batch = logBatchAt(second, 0)!;
    checkCrc(batch);
    assert.deepEqual([batch.writerId, batch.sequence, batch.schemaId, batch.recordCount, batch.appendOnly], [
      1000n,
      5,
      7,
      3,
      true,
    ]);
    assert.equal(hex(second.subarray(batch.recordsStart)), hex(first.subarray(batch.recordsStart)));
    assert.equal(builder.count, 3);
  }
});

const OPTIONS: readonly LogFormatOptions[] = [
  NONE,
  { format: "arrow", compression: { type: "lz4" } },
  { format: "arrow", compression: { type: "zstd" } },
  { format: "arrow", compression: { type: "zstd", level: 1 } },
  { format: "indexed", compression: { type: "none" } },
  { format: "compacted", compression: { type: "none" } },
];

function decoded(of: readonly SchemaColumn[], options: LogFormatOptions, bytes: Uint8Array): Columns {
  const batch = logBatchAt(bytes, 0)!;
  assert.equal(batch.end, bytes.length);
  checkCrc(batch);
  const { columns: read, changeTypes } = compileLogDecoder({ format: options.format, sent: of, wanted: of })(batch);
  assert.equal(changeTypes, undefined);
  return read;
}

for (const options of OPTIONS) {
  const { type: codec, level = "" } = options.compression;
  test(`random rows come back from ${options.format} batches, ${codec} ${level} (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let round = 0; round < rounds(25, 1000); round++) {
      const of = randomColumns(random, random.int(1, 12));
      const make = compileLogBuilder(of, options);
      // More than one batch, because the buffers of one are used again by the next.
      for (let batch = 0; batch < 3; batch++) {
        const rows = Array.from({ length: random.int(1, random.pick([3, 100])) }, () => randomRow(random, of));
        const builder = make(batch);
        for (const row of rows) builder.append(row);
        const read = decoded(of, options, builder.finish(1n, batch));
        assert.deepEqual([...read.rows()].map(comparable), rows.map(comparable), `seed ${SEED}, round ${round}`);
      }
    }
  });
}

test(`refused rows leave nothing behind (seed ${SEED})`, () => {
  const random = new Random(SEED + 1);
  for (let round = 0; round < rounds(60, 2000); round++) {
    // The last column refuses, after all others have taken the row.
    const of = [...randomColumns(random, random.int(1, 8)), column(900, "last", notNull(type("int")))];
    const options = random.pick(OPTIONS);
    const rows = Array.from({ length: random.int(1, 40) }, () => randomRow(random, of));
    const dirty = compileLogBuilder(of, options)(1);
    for (const row of rows) {
      while (random.chance(0.4)) {
        const before = [dirty.count, dirty.size];
        const wrong = { ...randomRow(random, of), last: random.pick([null, undefined, "text", 2 ** 40]) };
        assert.throws(() => dirty.append(wrong), { column: "last" });
        assert.deepEqual([dirty.count, dirty.size], before);
      }
      dirty.append(row);
      while (random.chance(0.2)) {
        dirty.append(randomRow(random, of));
        dirty.dropLast();
      }
    }
    assert.equal(hex(dirty.finish(-1n, -1)), hex(batchOf(of, options, rows)), `seed ${SEED}, round ${round}`);
  }
});

test("rows are refused as row writers refuse them", () => {
  const item = type("row", {
    fields: [
      { key: "sku", name: "sku", type: notNull(type("string")) },
      { key: "tags", name: "tags", type: type("map", { key: notNull(type("string")), value: notNull(type("int")) }) },
    ],
  });
  const codec = {
    encode(): never {
      throw new Error("no");
    },
    decode: (value: unknown) => value,
  };
  const of = [
    column(0, "id", notNull(type("bigint"))),
    column(1, "items", type("array", { element: item })),
    column(2, "small", type("tinyint")),
    column(3, "name", type("char", { length: 3 })),
    column(4, "bin", type("binary", { length: 2 })),
    column(5, "price", type("decimal", { precision: 4, scale: 2 })),
    column(6, "big", type("decimal", { precision: 30, scale: 2 })),
    column(7, "day", type("date")),
    column(8, "at", type("timestamp", { precision: 6 })),
    column(9, "time", type("time", { precision: 0, mode: "millis" })),
    column(10, "own", type("array", { element: type("int"), codec })),
    column(11, "object", type("map", { key: notNull(type("string")), value: type("int"), mode: "object" })),
    column(12, "flag", type("boolean")),
    column(13, "text", type("string")),
    column(14, "toString", type("float")),
    column(15, "number", type("bigint", { mode: "number" })),
    column(16, "bytes", type("bytes")),
  ];
  const wrong: Record<string, unknown>[] = [
    {},
    { id: null },
    { id: undefined },
    { id: 5 },
    { id: 2n ** 63n },
    { id: -(2n ** 63n) - 1n },
    { items: 5 },
    { items: [{ sku: null }] },
    { items: [null, {}] },
    { items: [{ sku: "a" }, { sku: "a", other: 1 }] },
    { items: [{ sku: "a", tags: new Map([["k", 1], ["l", null]]) }] },
    { items: [{ sku: "a", tags: new Map([[null, 1]]) }] },
    { items: [{ sku: "a", tags: {} }] },
    { items: [undefined] },
    { items: ["text"] },
    { small: 128 },
    { small: 1.5 },
    { name: "four" },
    { bin: new Uint8Array(3) },
    { price: "123.45" },
    { price: 1 },
    { big: "0.001" },
    { day: "2020-01-01" },
    { at: Temporal.PlainDateTime.from("2020-01-01T00:00:00.0000001") },
    { time: 1500 },
    { own: [1] },
    { object: new Map() },
    { object: { a: "x" } },
    { flag: 1 },
    { text: "\ud800" },
    { text: undefined },
    { toString: 1e300 },
    { number: 2 ** 53 },
    { bytes: [1] },
  ].map((row, i) => i < 6 ? row : { id: 1n, ...row });
  const writeRow = compileRowWriter(of, "compacted");
  const refusal = (run: () => void) => {
    try {
      run();
    } catch (error) {
      const { code, column, message, hint } = error as Record<string, unknown>;
      return { code, column, message, hint };
    }
    return assert.fail("the row was taken");
  };
  for (const options of OPTIONS) {
    if (options.format === "indexed") continue;
    const builder = compileLogBuilder(of, options)(1);
    for (const row of wrong) {
      assert.deepEqual(refusal(() => builder.append(row)), refusal(() => writeRow(new ByteWriter(), row)));
    }
  }
});

test("nanoseconds beyond 64 bits are refused, the ends are not", () => {
  const ends = [-(2n ** 63n), 2n ** 63n - 1n];
  const of = columns(notNull(type("timestamp", { precision: 9, mode: "epochNanos" })));
  const rows = ends.map((c0) => ({ c0 }));
  assert.deepEqual([...decoded(of, NONE, batchOf(of, NONE, rows)).rows()], rows);
  for (const c0 of [ends[0]! - 1n, ends[1]! + 1n, 2n ** 72n]) {
    assert.throws(() => batchOf(of, NONE, [{ c0 }]), { code: "CODEC.OUT_OF_RANGE", column: "c0" });
  }
  // Microseconds reach as far as milliseconds do.
  const micros = columns(notNull(type("timestampLtz", { precision: 6, mode: "epochMicros" })));
  const far = [{ c0: BigInt(Number.MAX_SAFE_INTEGER) * 1000n }, { c0: BigInt(Number.MIN_SAFE_INTEGER) * 1000n }];
  assert.deepEqual([...decoded(micros, NONE, batchOf(micros, NONE, far)).rows()], far);
});

test(`the size is near that of the batch before compression (seed ${SEED})`, () => {
  const random = new Random(SEED + 2);
  for (let round = 0; round < rounds(20, 500); round++) {
    const of = randomColumns(random, random.int(1, 10));
    const builder = compileLogBuilder(of, NONE)(1);
    for (let i = 0; i < 300; i++) builder.append(randomRow(random, of));
    const estimate = builder.size;
    const bytes = builder.finish(-1n, -1).length;
    // Padding and metadata are guessed; columns deep within others have more of both.
    assert.ok(Math.abs(estimate - bytes) < 0.05 * bytes + 3000, `${estimate} for ${bytes}, seed ${SEED}`);
  }
});

test(`rows that are columns already become the same batch (seed ${SEED})`, () => {
  const random = new Random(SEED + 3);
  for (let round = 0; round < rounds(40, 1000); round++) {
    const of = randomColumns(random, random.int(1, 8));
    const rows = Array.from({ length: random.int(1, 60) }, () => randomRow(random, of));
    const builder = compileColumnsBuilder(of)();
    for (const row of rows) builder.append(row);
    for (const options of OPTIONS) {
      const expected = hex(batchOf(of, options, rows));
      for (const input of [arrowColumns(of, builder.raw(), rows.length), rowColumns(of, rows)]) {
        const batch = encodeLogBatch(of, input, options, 1);
        assert.equal(batch.count, rows.length);
        assert.equal(hex(batch.finish(-1n, -1)), expected, `seed ${SEED}, round ${round}`);
      }
    }
  }
});

test("columns of another type, or with null where it must not be, are refused", () => {
  const nullable = columns(type("int"), type("string"));
  const raw = compileColumnsBuilder(nullable)();
  raw.append({ c0: 1 });
  raw.append({ c1: "b" });
  const input = arrowColumns(nullable, raw.raw(), 2);
  assert.throws(() => encodeLogBatch(columns(notNull(type("int")), type("string")), input, NONE, 1), {
    code: "CODEC.NULL",
    column: "c0",
    row: 1,
  });
  for (
    const other of [columns(type("int")), columns(type("int"), type("bytes")), columns(...Array(3).fill(type("int")))]
  ) {
    assert.throws(() => encodeLogBatch(other, input, NONE, 1), { code: "SCHEMA.DRIFT" });
  }
});

test("no row can be appended to a finished batch", () => {
  const builder = compileLogBuilder(AB, NONE)(1);
  builder.append(AB_ROWS[0]!);
  const { size } = builder;
  builder.finish(-1n, -1);
  assert.throws(() => builder.append(AB_ROWS[0]!), TypeError);
  assert.deepEqual([builder.count, builder.size], [1, size]);
});

test("buffers grow with the rows", () => {
  const of = columns(type("string"), type("array", { element: type("array", { element: type("bigint") }) }));
  const rows = Array.from({ length: 10_000 }, (_, i) => ({
    c0: i % 3 === 0 ? null : "x".repeat(i % 50),
    c1: i % 7 === 0 ? null : [[BigInt(i), null], null, []],
  }));
  const read = decoded(of, NONE, batchOf(of, NONE, rows));
  assert.deepEqual([...read.rows()], rows);
});
