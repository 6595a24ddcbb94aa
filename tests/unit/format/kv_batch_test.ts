import assert from "node:assert/strict";
import { test } from "node:test";
import { KvBatchBuilder, KvRecords, readKvBatchHeader } from "../../../src/format/kv_batch.ts";
import { forEachValue, ValueBatchBuilder } from "../../../src/format/value_batch.ts";
import { Random, SEED } from "./random.ts";

test(`records are read as they were written (seed ${SEED})`, () => {
  const random = new Random(SEED);
  for (let round = 0; round < 50; round++) {
    const builder = new KvBatchBuilder(random.int(0, 32_767));
    const records = Array.from({ length: random.int(0, 20) }, () => ({
      key: random.bytes(random.pick([0, 1, 5, 127, 128, 300])),
      row: random.chance(0.3) ? undefined : random.bytes(random.int(1, 200)),
    }));
    for (const { key, row } of records) {
      builder.append(key, 0, key.length, row && ((out) => out.writeBytes(row)), row && {});
    }
    const writerId = random.big(62);
    const sequence = random.int(-1, 2 ** 31 - 1);
    const batch = builder.finish(writerId, sequence);
    const { schemaId } = builder;
    assert.deepEqual(readKvBatchHeader(batch), { schemaId, writerId, sequence, recordCount: records.length });
    const reader = new KvRecords(batch);
    for (const { key, row } of records) {
      reader.next();
      assert.deepEqual(batch.slice(reader.keyStart, reader.keyEnd), new Uint8Array(key));
      assert.deepEqual(batch.slice(reader.keyEnd, reader.end), new Uint8Array(row ?? []));
    }
    assert.equal(reader.end || batch.length, batch.length);
    assert.throws(() => reader.next(), { code: "CODEC.CORRUPT_BATCH" });
  }
});

test("batches that end early, and lengths that are nonsense, are refused", () => {
  const builder = new KvBatchBuilder(1);
  builder.append(Uint8Array.of(1, 2, 3), 0, 3, (out) => out.writeBytes(Uint8Array.of(7, 8)), {});
  const batch = builder.finish(-1n, -1);
  for (let length = 0; length < 28; length++) {
    assert.throws(() => readKvBatchHeader(batch.subarray(0, length)), { code: "CODEC.CORRUPT_BATCH" });
  }
  for (let length = 28; length < batch.length; length++) {
    assert.throws(() => new KvRecords(batch.slice(0, length)).next(), { code: "CODEC.CORRUPT_BATCH" });
  }
  const damaged = (at: number, ...bytes: number[]) => {
    const copy = batch.slice();
    copy.set(bytes, at);
    return new KvRecords(copy);
  };
  for (
    const records of [
      damaged(28, 255, 255, 255, 255),
      damaged(28, 200),
      damaged(28, 2),
      damaged(32, 6),
      damaged(32, 255),
    ]
  ) {
    assert.throws(() => records.next(), { code: "CODEC.CORRUPT_BATCH" });
  }
});

test("value batches are read as they were written", () => {
  const values = [[1, 0, 9, 9], [2, 0], [255, 127, 1]].map((bytes) => Uint8Array.from(bytes));
  const builder = new ValueBatchBuilder(16);
  const found: (readonly [number, number[]])[] = [];
  for (const value of values) builder.append(value);
  assert.equal(builder.count, 3);
  const batch = builder.finish();
  assert.equal(builder.size, batch.length);
  forEachValue(batch, (schemaId, start, end) => found.push([schemaId, [...batch.subarray(start, end)]]));
  assert.deepEqual(found, [[1, [9, 9]], [2, []], [32_767, [1]]]);
  assert.deepEqual([...new ValueBatchBuilder().finish()], [5, 0, 0, 0, 0, 0, 0, 0, 0]);
});
