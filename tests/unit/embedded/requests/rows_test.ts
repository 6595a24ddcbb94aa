// Requests for rows beyond what `kv/observed_test.ts` asks: scans, rights, partitions, several buckets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import { isSet } from "../../../../src/client/rpc/required.ts";
import { MAX_PER_BUCKET, MAX_PER_SERVER, SCANNER_TTL_MS } from "../../../../src/embedded/kv/scanners.ts";
import { memoryStorage } from "../../../../src/embedded/storage/memory.ts";
import { ByteReader } from "../../../../src/format/byte_reader.ts";
import { KvBatchBuilder } from "../../../../src/format/kv_batch.ts";
import { forEachValue } from "../../../../src/format/value_batch.ts";
import { FakeEngine } from "../fake_catalog.ts";
import { TestClock } from "../log/engine.ts";

const BUCKETS = 40;

/** `id INT`, `a INT`; the key is one byte. */
const TABLE = {
  version: 1,
  schema: {
    version: 1,
    columns: [
      { name: "id", data_type: { type: "INTEGER", nullable: false }, id: 0 },
      { name: "a", data_type: { type: "INTEGER" }, id: 1 },
    ],
    primary_key: ["id"],
    highest_field_id: 1,
  },
  partition_key: [],
  bucket_key: ["id"],
  bucket_count: BUCKETS,
  properties: {},
  custom_properties: {},
};

function batch(...rows: (readonly [id: number, a?: number])[]): Uint8Array {
  const builder = new KvBatchBuilder(1);
  for (const [id, a] of rows) {
    const row = a === undefined ? undefined : Uint8Array.of(0, id, a);
    builder.append(Uint8Array.of(id), 0, 1, row && ((out) => out.writeBytes(row)), row && {});
  }
  return builder.finish(-1n, -1);
}

async function put(fake: FakeEngine, bucketId: number, ...rows: (readonly [number, number?])[]): Promise<void> {
  const { bucketsResp } = await fake.call(API.PUT_KV, {
    acks: -1,
    tableId: 1n,
    timeoutMs: 1000,
    bucketsReq: [{ bucketId, records: batch(...rows) }],
  });
  assert.equal(bucketsResp[0]!.errorCode, 0, bucketsResp[0]!.errorMessage);
}

function open(fake: FakeEngine, bucketId = 0, more: object = {}) {
  return fake.call(API.SCAN_KV, {
    bucketScanReq: { tableId: 1n, bucketId, ...more },
    callSeqId: 0,
    batchSizeBytes: 1,
  });
}

const next = (fake: FakeEngine, scannerId: Uint8Array, callSeqId: number, batchSizeBytes = 1) =>
  fake.call(API.SCAN_KV, { scannerId, callSeqId, batchSizeBytes });

function valuesIn(records: Uint8Array): number[] {
  const found: number[] = [];
  forEachValue(records, (_, start) => found.push(records[start + 2]!));
  return found;
}

function engine(clock = new TestClock()): FakeEngine {
  const fake = new FakeEngine({ clock });
  fake.setTable(1, TABLE);
  return fake;
}

test("a scan has the rows of its beginning, in the order of keys, one answer after the other", async () => {
  using fake = engine();
  await put(fake, 0, [5, 50], [1, 10], [3, 30], [9, 90]);
  const first = await open(fake);
  assert.deepEqual([valuesIn(first.records), first.hasMoreResults, first.logOffset], [[10], true, 4n]);
  await put(fake, 0, [3, 33], [4, 40], [5], [9, 99]);
  const second = await next(fake, first.scannerId, 1);
  assert.deepEqual([valuesIn(second.records), second.hasMoreResults], [[30], true]);
  assert.equal(isSet(second, "logOffset"), false);
  const third = await next(fake, first.scannerId, 2, 1000);
  assert.deepEqual([valuesIn(third.records), third.hasMoreResults], [[50, 90], false]);
  // The server has closed it.
  assert.equal((await next(fake, first.scannerId, 3)).errorCode, 67);
  assert.deepEqual(valuesIn((await open(fake, 0, { limit: 3n })).records), [10]);
});

test("a scan ends at its limit", async () => {
  using fake = engine();
  await put(fake, 0, [1, 10], [2, 20], [3, 30]);
  const first = await open(fake, 0, { limit: 2n });
  const second = await next(fake, first.scannerId, 1);
  assert.deepEqual([valuesIn(second.records), second.hasMoreResults], [[20], false]);
  const exact = await fake.call(API.SCAN_KV, {
    bucketScanReq: { tableId: 1n, bucketId: 0, limit: 3n },
    callSeqId: 0,
    batchSizeBytes: 1000,
  });
  assert.deepEqual([valuesIn(exact.records), exact.hasMoreResults], [[10, 20, 30], false]);
});

test("an empty bucket has no scan, but an offset", async () => {
  using fake = engine();
  await put(fake, 0, [1, 10], [1]);
  const answer = await open(fake);
  assert.deepEqual([answer.errorCode, answer.hasMoreResults, answer.logOffset], [0, false, 2n]);
  assert.equal(isSet(answer, "scannerId"), false);
});

test("scans that nobody asks expire, and their ids are known for a while", async () => {
  const clock = new TestClock();
  using fake = engine(clock);
  await put(fake, 0, [1, 10], [2, 20], [3, 30]);
  const { scannerId } = await open(fake);
  clock.move(SCANNER_TTL_MS);
  assert.equal((await next(fake, scannerId, 1)).errorCode, 0);
  clock.move(SCANNER_TTL_MS);
  clock.move(60_000);
  assert.equal((await next(fake, scannerId, 2)).errorCode, 66);
  await open(fake);
  clock.move(2 * SCANNER_TTL_MS + 60_000);
  assert.equal((await next(fake, scannerId, 2)).errorCode, 67);
  assert.equal(clock.alarms, 0, "nothing is watched when nothing is open");
});

test("bad scan requests are refused, and end their scan", async () => {
  using fake = engine();
  await put(fake, 0, [1, 10], [2, 20]);
  const request = { bucketScanReq: { tableId: 1n, bucketId: 0 }, callSeqId: 0, batchSizeBytes: 1 };
  const scannerId = new TextEncoder().encode("nobody");
  const asked = async (wrong: object) => (await fake.call(API.SCAN_KV, wrong)).errorCode;
  assert.equal(await asked({ ...request, scannerId }), 68);
  assert.equal(await asked({ ...request, closeScanner: true }), 68);
  assert.equal(await asked({ callSeqId: 0, batchSizeBytes: 1 }), 68);
  assert.equal(await asked({ ...request, batchSizeBytes: 0 }), 68);
  assert.equal(await asked({ ...request, callSeqId: 1 }), 68);
  const { batchSizeBytes: _, ...noSize } = request;
  assert.equal(await asked(noSize), 68);
  const { callSeqId: __, ...noNumber } = request;
  assert.equal(await asked(noNumber), 68);
  assert.equal(await asked({ scannerId, callSeqId: 1, batchSizeBytes: 1 }), 67);
  assert.equal(await asked({ scannerId, closeScanner: true }), 0);
  assert.equal(await asked({ ...request, bucketScanReq: { tableId: 1n, bucketId: 99 } }), 21);
  const opened = await open(fake);
  assert.equal(await asked({ scannerId: opened.scannerId, callSeqId: 2, batchSizeBytes: 1 }), 68);
  assert.equal(await asked({ scannerId: opened.scannerId, callSeqId: 1, batchSizeBytes: 1 }), 67);
  const closed = await open(fake);
  assert.equal(await asked({ scannerId: closed.scannerId, closeScanner: true }), 0);
  assert.equal(await asked({ scannerId: closed.scannerId, callSeqId: 1, batchSizeBytes: 1 }), 67);
});

test("there are so many scans per bucket and per server", async () => {
  using fake = engine();
  for (let bucket = 0; bucket < BUCKETS; bucket++) await put(fake, bucket, [1, 10], [2, 20]);
  let opened = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (let i = 0; i < MAX_PER_BUCKET && opened < MAX_PER_SERVER; i++, opened++) {
      assert.equal((await open(fake, bucket)).errorCode, 0);
    }
    const { errorCode, errorMessage } = await open(fake, bucket);
    assert.equal(errorCode, 69);
    assert.match(errorMessage, opened < MAX_PER_SERVER ? /per-bucket limit of 8/ : /server-wide limit of 200/);
    if (opened === MAX_PER_SERVER) break;
  }
  assert.equal(opened, MAX_PER_SERVER);
});

test("a scan of a table that was dropped, or whose bucket was opened anew, does not go on", async () => {
  using fake = engine();
  await put(fake, 0, [1, 10], [2, 20]);
  const again = await open(fake);
  fake.engine.buckets.clear();
  assert.equal((await next(fake, again.scannerId, 1)).errorCode, 66);
  const dropped = await open(fake);
  fake.dropTable(1);
  assert.equal((await next(fake, dropped.scannerId, 1)).errorCode, 21);
});

test("of several batches for one bucket in a request only the last counts", async () => {
  using fake = engine();
  const { bucketsResp } = await fake.call(API.PUT_KV, {
    acks: -1,
    tableId: 1n,
    timeoutMs: 1000,
    bucketsReq: [
      { bucketId: 0, records: batch([1, 10]) },
      { bucketId: 1, records: batch([2, 20]) },
      { bucketId: 0, records: batch([3, 30], [4, 40]) },
    ],
  });
  assert.deepEqual(bucketsResp.map(({ bucketId, logEndOffset }) => [bucketId, logEndOffset]), [[0, 2n], [1, 1n]]);
  const { records } = await fake.call(API.LIMIT_SCAN, { tableId: 1n, bucketId: 0, limit: 10 });
  assert.deepEqual(valuesIn(records), [30, 40]);
});

test("a bucket that fails does not keep the others from answering", async () => {
  using fake = engine();
  await put(fake, 1, [2, 20]);
  const wrong = [{ bucketId: 99, keys: [Uint8Array.of(2)] }, {
    bucketId: 1,
    keys: [Uint8Array.of(2), Uint8Array.of(3)],
  }];
  const { bucketsResp } = await fake.call(API.LOOKUP, { tableId: 1n, bucketsReq: wrong });
  assert.deepEqual(bucketsResp.map(({ errorCode }) => errorCode), [21, 0]);
  assert.deepEqual(bucketsResp[1]!.values.map((value) => [...value.values]), [[1, 0, 0, 2, 20], []]);
  assert.equal(isSet(bucketsResp[1]!.values[1]!, "values"), false);
  const prefixes = await fake.call(API.PREFIX_LOOKUP, { tableId: 1n, bucketsReq: wrong });
  assert.deepEqual(prefixes.bucketsResp.map(({ errorCode }) => errorCode), [21, 0]);
  assert.deepEqual(prefixes.bucketsResp[1]!.valueLists.map(({ values }) => values.length), [1, 0]);
});

test("a batch is as it was, after it was written: clients send it again", () => {
  using fake = engine();
  const records = batch([1, 10], [2, 20]);
  const before = records.slice();
  const bucket = fake.engine.buckets.get(1, undefined, 0);
  bucket.rows!.put(records, { targets: undefined, overwrite: false });
  assert.deepEqual(records, before);
});

test("partitions have rows of their own, and must be named", async () => {
  using fake = new FakeEngine();
  const columns = [...TABLE.schema.columns, { name: "day", data_type: { type: "STRING", nullable: false }, id: 2 }];
  const schema = { ...TABLE.schema, columns, primary_key: ["id", "day"], highest_field_id: 2 };
  const partitions = [{ id: 7, name: "a", createdTime: 0 }, { id: 8, name: "b", createdTime: 0 }];
  fake.setTable(1, { ...TABLE, schema, partition_key: ["day"] }, 1, partitions);
  const builder = new KvBatchBuilder(1);
  builder.append(Uint8Array.of(1), 0, 1, (out) => out.writeBytes(Uint8Array.of(0, 1, 10, 1, 97)), {});
  const records = builder.finish(-1n, -1);
  const head = { acks: -1, tableId: 1n, timeoutMs: 1000 };
  const written = await fake.call(API.PUT_KV, {
    ...head,
    bucketsReq: [{ partitionId: 7n, bucketId: 0, records }, { bucketId: 0, records }, {
      partitionId: 9n,
      bucketId: 0,
      records,
    }],
  });
  assert.deepEqual(written.bucketsResp.map(({ errorCode }) => errorCode), [0, 21, 21]);
  assert.equal(written.bucketsResp[0]!.partitionId, 7n);
  const found = await fake.call(API.LOOKUP, {
    tableId: 1n,
    bucketsReq: [7n, 8n].map((partitionId) => ({ partitionId, bucketId: 0, keys: [Uint8Array.of(1)] })),
  });
  assert.deepEqual(found.bucketsResp.map(({ values }) => isSet(values[0]!, "values")), [true, false]);
  // As servers of 0.9.1 do: they look for the partition's value in the key (observed).
  const inserted = await fake.call(API.LOOKUP, {
    tableId: 1n,
    bucketsReq: [{ partitionId: 7n, bucketId: 0, keys: [Uint8Array.of(2)] }],
    insertIfNotExists: true,
    acks: -1,
    timeoutMs: 1000,
  });
  assert.equal(inserted.bucketsResp[0]!.errorCode, -1);
});

test("numbers go on after a restart, and are forgotten with their table", async () => {
  const numbered = {
    ...TABLE,
    schema: {
      ...TABLE.schema,
      columns: [TABLE.schema.columns[0], { name: "a", data_type: { type: "INTEGER" }, id: 1 }],
      auto_increment_column: ["a"],
    },
  };
  const storage = memoryStorage();
  const insert = async (bucketId: number, id: number) => {
    using fake = new FakeEngine({ storage });
    fake.setTable(1, numbered);
    const { bucketsResp } = await fake.call(API.LOOKUP, {
      tableId: 1n,
      bucketsReq: [{ bucketId, keys: [Uint8Array.of(id)] }],
      insertIfNotExists: true,
      acks: -1,
      timeoutMs: 1000,
    });
    assert.equal(bucketsResp[0]!.errorCode, 0, bucketsResp[0]!.errorMessage);
    const { values } = bucketsResp[0]!.values[0]!;
    return new ByteReader(values, 4, values.length).readVarInt32();
  };
  assert.deepEqual([await insert(0, 1), await insert(0, 2), await insert(1, 3)], [1, 2, 100_001]);
  assert.deepEqual([await insert(0, 4), await insert(2, 5), await insert(1, 6)], [3, 200_001, 100_002]);
  assert.equal(storage.documents.list("auto-increment/1").length, 4);
  using fake = new FakeEngine({ storage });
  fake.setTable(1, numbered);
  fake.dropTable(1);
  assert.equal(storage.documents.list("auto-increment/1").length, 0);
});
