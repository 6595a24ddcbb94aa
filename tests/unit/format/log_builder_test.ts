import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCrc, logBatchAt } from "../../../src/format/log_batch.ts";
import { compileLogBuilder, type LogFormatOptions } from "../../../src/format/log_builder.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { columns, hex, notNull, type } from "./columns.ts";
import { LOG_BATCHES } from "./log_vectors.ts";
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
