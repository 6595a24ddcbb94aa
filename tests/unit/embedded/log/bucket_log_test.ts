import assert from "node:assert/strict";
import { test } from "node:test";
import { changeLogBuilder } from "../../../../src/embedded/log/change_log.ts";
import type { BucketLog } from "../../../../src/embedded/log/bucket_log.ts";
import { lastRecords } from "../../../../src/embedded/log/limit_scan.ts";
import { dropExpired } from "../../../../src/embedded/log/retention.ts";
import { checkCrc, LOG_BATCH_HEADER_BYTES, type LogBatch, logBatchAt } from "../../../../src/format/log_batch.ts";
import { compileLogBuilder } from "../../../../src/format/log_builder.ts";
import { columns, hex, type } from "../../format/columns.ts";
import { tableOf, testEngine } from "./engine.ts";

const OF = columns(type("int"), type("string"));
const DAY = 86_400_000;

/** A batch as a client sends it, of `count` rows. */
function batchOf(count: number, writerId = -1n, sequence = -1): Uint8Array<ArrayBuffer> {
  const builder = compileLogBuilder(OF, { format: "arrow", compression: { type: "none" } })(1);
  for (let i = 0; i < count; i++) builder.append({ c0: i, c1: "x" });
  return builder.finish(writerId, sequence).slice();
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function logOf(properties: Record<string, string> = {}) {
  const made = testEngine(tableOf([OF], properties));
  const bucket = made.engine.buckets.get(0, undefined, 0);
  return { ...made, bucket, log: bucket.log };
}

/** All batches from an offset on. */
function batchesOf(log: BucketLog, offset = 0): LogBatch[] {
  return log.read(offset, 2 ** 30, true).map((part) => logBatchAt(part, 0)!);
}

test("batches get offsets and times, and stay what they were otherwise", () => {
  const { log, clock } = logOf();
  const sent = batchOf(3);
  const before = hex(sent);
  const first = clock.now();
  assert.deepEqual(log.append(sent), { baseOffset: 0, endOffset: 3 });
  clock.move(500);
  assert.deepEqual(log.append(joined(batchOf(2), batchOf(1))), { baseOffset: 3, endOffset: 6 });
  clock.move(-10_000);
  assert.deepEqual(log.append(batchOf(1)), { baseOffset: 6, endOffset: 7 });
  const stored = batchesOf(log);
  for (const batch of stored) checkCrc(batch);
  assert.deepEqual(stored.map(({ baseOffset, nextOffset, timestamp }) => [baseOffset, nextOffset, timestamp]), [
    [0n, 3n, first],
    [3n, 5n, first + 500],
    [5n, 6n, first + 500],
    // Times never fall within a log.
    [6n, 7n, first + 500],
  ]);
  const [kept] = stored;
  const bytes = kept!.bytes.slice(kept!.start, kept!.end);
  bytes.fill(0, 0, 8).fill(0, 13, 21);
  assert.equal(hex(bytes), before);
});

test("what a client puts in the place of offset and time means nothing", () => {
  const { log } = logOf();
  const sent = batchOf(1);
  sent.fill(0xff, 0, 8).fill(0xff, 13, 21);
  assert.deepEqual(log.append(sent), { baseOffset: 0, endOffset: 1 });
  checkCrc(batchesOf(log)[0]!);
});

test("damaged batches are refused, and those beside them with them", () => {
  const { log } = logOf();
  const damaged = batchOf(2);
  damaged[damaged.length - 1]! ^= 1;
  const corrupt = {
    code: 14,
    message: /^Record is corrupt \(stored crc = \d+\) in table bucket TableBucket\{tableId=0, bucket=0\}$/,
  };
  assert.throws(() => log.append(damaged), corrupt);
  assert.throws(() => log.append(joined(batchOf(1), damaged)), corrupt);
  const short = batchOf(2);
  new DataView(short.buffer).setInt32(8, 10, true);
  assert.throws(() => log.append(short), corrupt);
  const negative = batchOf(2);
  new DataView(negative.buffer).setInt32(8, -5, true);
  assert.throws(() => log.append(negative), corrupt);
  const unknown = batchOf(2);
  unknown[12] = 3;
  assert.throws(() => log.append(unknown), { code: -1, message: "Unsupported magic value 3" });
  assert.equal(log.end, 0);
});

test("what is behind the last whole batch is dropped", () => {
  const { log } = logOf();
  assert.deepEqual(log.append(Uint8Array.of(1, 2, 3)), { baseOffset: -1, endOffset: 0 });
  assert.deepEqual(log.append(new Uint8Array(0)), { baseOffset: -1, endOffset: 0 });
  const cut = batchOf(5);
  assert.deepEqual(log.append(joined(batchOf(1), cut.subarray(0, cut.length - 1))), { baseOffset: 0, endOffset: 1 });
  assert.equal(log.end, 1);
});

test("batches of idempotent writers come once and in order", () => {
  const { log } = logOf();
  const outOfOrder = (offset: number, sequence: number, last: number) => ({
    code: 31,
    message: `Out of order batch sequence for writer 7 at offset ${offset} in table-bucket ` +
      `TableBucket{tableId=0, bucket=0} : ${sequence} (incoming batch seq.), ${last} (current batch seq.)`,
  });
  assert.throws(() => log.append(batchOf(2, 7n, 1)), outOfOrder(1, 1, -1));
  for (let sequence = 0; sequence < 7; sequence++) {
    assert.deepEqual(log.append(batchOf(2, 7n, sequence)), { baseOffset: 2 * sequence, endOffset: 2 * sequence + 2 });
  }
  // The last five are known, with whatever content.
  assert.deepEqual(log.append(batchOf(9, 7n, 2)), { baseOffset: 4, endOffset: 6 });
  assert.deepEqual(log.append(batchOf(9, 7n, 6)), { baseOffset: 12, endOffset: 14 });
  assert.throws(() => log.append(batchOf(1, 7n, 1)), outOfOrder(14, 1, 6));
  assert.throws(() => log.append(batchOf(1, 7n, 8)), outOfOrder(14, 8, 6));
  // A duplicate among several makes all of them one.
  assert.deepEqual(log.append(joined(batchOf(1, 7n, 7), batchOf(1, 7n, 5))), { baseOffset: 10, endOffset: 12 });
  assert.throws(() => log.append(joined(batchOf(1, 7n, 7), batchOf(1, 7n, 9))), outOfOrder(15, 9, 7));
  assert.equal(log.end, 14);
  assert.deepEqual(log.append(joined(batchOf(1, 7n, 7), batchOf(1, 7n, 8))), { baseOffset: 14, endOffset: 16 });
  // Others do not count.
  assert.deepEqual(log.append(batchOf(1, 8n, 0)), { baseOffset: 16, endOffset: 17 });
  assert.deepEqual(log.append(batchOf(1)), { baseOffset: 17, endOffset: 18 });
});

test("after the last sequence number comes the first", () => {
  const { log, bucket } = logOf();
  const last = 2 ** 31 - 1;
  bucket.log.store.remember({ writerId: 1n, sequence: last, baseOffset: 0, lastOffset: 0, timestamp: 0 });
  log.append(batchOf(1, 1n, 0));
  assert.equal(log.end, 1);
});

test("a log that is opened again knows its writers", () => {
  const { log, engine } = logOf();
  log.append(batchOf(1, 7n, 0));
  engine.buckets.clear();
  const again = engine.buckets.get(0, undefined, 0).log;
  assert.notEqual(again, log);
  assert.deepEqual(again.append(batchOf(1, 7n, 0)), { baseOffset: 0, endOffset: 1 });
  assert.deepEqual(again.append(batchOf(1, 7n, 1)), { baseOffset: 1, endOffset: 2 });
});

test("batches of the server itself", () => {
  const { log, engine } = logOf();
  const table = engine.catalog.tableById(0)!;
  assert.equal(log.findDuplicate(-1n, -1), undefined);
  assert.equal(log.findDuplicate(7n, 0), undefined);
  const empty = changeLogBuilder(table).finish(7n, 0);
  assert.deepEqual(log.appendOwn(empty, 7n, 0), { baseOffset: 0, endOffset: 1 });
  assert.deepEqual(log.findDuplicate(7n, 0)!.lastOffset, 0);
  assert.throws(() => log.findDuplicate(7n, 2), { code: 31, message: /at offset 1 in .* 2 \(incoming/ });
  const [batch] = batchesOf(log);
  checkCrc(batch!);
  assert.deepEqual([batch!.recordCount, batch!.nextOffset], [0, 1n]);
});

test("reading begins with the batch that holds the offset, and is cut where there is no room", () => {
  const { log } = logOf();
  const size = batchOf(10).length;
  for (let i = 0; i < 5; i++) log.append(batchOf(10));
  const sizes = (offset: number, maxBytes: number, wholeFirst: boolean) =>
    log.read(offset, maxBytes, wholeFirst).map((part) => part.length);
  assert.deepEqual(sizes(35, 10_000, true), [size, size]);
  assert.equal(batchesOf(log, 35)[0]!.baseOffset, 30n);
  assert.deepEqual(sizes(0, 0, true), [size]);
  assert.deepEqual(sizes(0, size + 100, true), [size, 100]);
  assert.deepEqual(sizes(0, 2 * size, false), [size, size]);
  assert.deepEqual(sizes(0, 100, false), [100]);
  assert.deepEqual(sizes(0, LOG_BATCH_HEADER_BYTES, false), []);
  assert.deepEqual(sizes(50, 10_000, true), []);
});

test("offsets outside of the log are refused", () => {
  const { log } = logOf();
  log.append(batchOf(10));
  log.store.trim(10);
  log.append(batchOf(2));
  assert.deepEqual([-2, 10, 11, 12].map((offset) => log.offsetAt(offset)), [10, 10, 11, 12]);
  for (const offset of [-3, -1, 0, 9, 13]) {
    assert.throws(() => log.offsetAt(offset), {
      code: 19,
      message: `Received request for offset ${offset} for table bucket TableBucket{tableId=0, bucket=0}, ` +
        "but we only have log segments from offset 10 up to 12.",
    });
  }
});

test("the last records", () => {
  const { log, bucket } = logOf();
  assert.equal(lastRecords(bucket, 5).length, 0);
  const size = batchOf(5).length;
  for (let i = 0; i < 4; i++) log.append(batchOf(5));
  const batches = (limit: number) => lastRecords(bucket, limit).length / size;
  assert.deepEqual([0, 1, 3, 7, 20, 100].map(batches), [0, 1, 1, 2, 4, 4]);
  assert.throws(() => lastRecords(bucket, -1), { code: 19, message: /offset 21 / });
});

test("logs lose what has outlived its time, and their writers", () => {
  const { log, clock, engine } = logOf({ "table.log.ttl": "3 d" });
  log.append(batchOf(2, 7n, 0));
  clock.move(DAY);
  log.append(batchOf(2, 8n, 0));
  dropExpired(engine);
  assert.deepEqual([log.start, log.end], [0, 4]);
  clock.move(2 * DAY + 1);
  dropExpired(engine);
  assert.deepEqual([log.start, log.end], [2, 4]);
  clock.move(4 * DAY);
  dropExpired(engine);
  assert.deepEqual([log.start, log.end, log.store.size], [4, 4, 0]);
  // The writer 7 is forgotten after 7 days, 8 is not yet.
  assert.throws(() => log.append(batchOf(1, 7n, 1)), { code: 31 });
  assert.deepEqual(log.append(batchOf(1, 8n, 0)), { baseOffset: 2, endOffset: 4 });
  assert.deepEqual(log.append(batchOf(1, 7n, 0)), { baseOffset: 4, endOffset: 5 });
});

test("logs are looked after now and then", () => {
  const { log, clock, engine } = logOf({ "table.log.ttl": "1s" });
  dropExpired(engine);
  log.append(batchOf(1));
  clock.move(engine.settings.retentionCheckMs - 1);
  dropExpired(engine);
  assert.equal(log.start, 0);
  clock.move(1);
  dropExpired(engine);
  assert.equal(log.start, 1);
});

test("a log that comes into use again is looked after", () => {
  const { log, clock, engine } = logOf({ "table.log.ttl": "1 h" });
  log.append(batchOf(3));
  engine.buckets.clear();
  clock.move(DAY);
  const { start, end } = engine.buckets.get(0, undefined, 0).log;
  assert.deepEqual([start, end], [3, 3]);
});

test("those who listen are told", () => {
  const { log } = logOf();
  const told: number[] = [];
  const stop = log.listen((bytes) => told.push(bytes));
  const batch = batchOf(1);
  log.append(batch);
  assert.throws(() => log.append(batchOf(1, 7n, 5)));
  stop();
  log.append(batchOf(1));
  log.listen((bytes) => told.push(bytes));
  log.close();
  log.close();
  assert.deepEqual(told, [batch.length, 0]);
});
