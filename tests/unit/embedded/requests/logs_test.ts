import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FetchLogRequestSchema,
  type FetchLogResponse,
  FetchLogResponseSchema,
} from "../../../../src/client/rpc/gen/fluss/v1/log_pb.ts";
import { ListOffsetsRequestSchema, ListOffsetsResponseSchema } from "../../../../src/client/rpc/gen/fluss/v1/log_pb.ts";
import {
  InitWriterRequestSchema,
  ProduceLogRequestSchema,
  ProduceLogResponseSchema,
} from "../../../../src/client/rpc/gen/fluss/v1/write_pb.ts";
import { readMessage, writeMessage } from "../../../../src/client/rpc/required.ts";
import { asFault } from "../../../../src/embedded/fault.ts";
import { fetchHandlers } from "../../../../src/embedded/requests/fetch.ts";
import { offsetHandlers } from "../../../../src/embedded/requests/offsets.ts";
import { produceHandlers } from "../../../../src/embedded/requests/produce.ts";
import { LOG_BATCH_HEADER_BYTES, logBatchAt } from "../../../../src/format/log_batch.ts";
import { compileLogBuilder } from "../../../../src/format/log_builder.ts";
import { columns, type } from "../../format/columns.ts";
import { tableOf, testCall, type TestEngine, testEngine } from "../log/engine.ts";

const OF = columns(type("int"), type("string"));

function batchOf(count: number, statistics: readonly number[] = [], first = 0): Uint8Array {
  const builder = compileLogBuilder(OF, { format: "arrow", compression: { type: "none" }, statistics })(1);
  for (let i = 0; i < count; i++) builder.append({ c0: first + i, c1: "x" });
  return builder.finish(-1n, -1).slice();
}

const BATCH = batchOf(10).length;

function produce({ engine }: TestEngine, buckets: Record<number, Uint8Array>, acks = -1) {
  const request = create(ProduceLogRequestSchema, {
    acks,
    tableId: 0n,
    timeoutMs: 1000,
    bucketsReq: Object.entries(buckets).map(([bucketId, records]) => ({ bucketId: Number(bucketId), records })),
  });
  const answer = produceHandlers.PRODUCE_LOG!(engine, request, testCall().call);
  return create(ProduceLogResponseSchema, answer as MessageInitShape<typeof ProduceLogResponseSchema>).bucketsResp
    .map(({ bucketId, baseOffset, errorCode }) => errorCode === 0 ? [bucketId, baseOffset] : [bucketId, errorCode]);
}

interface Wanted {
  /** Offsets by bucket. */
  readonly buckets?: Record<number, number>;
  readonly maxBytes?: number;
  readonly bucketBytes?: number;
  readonly minBytes?: number;
  readonly maxWaitMs?: number;
  readonly columns?: readonly number[];
  readonly filter?: { readonly below: number } | "no schema";
}

/** As a client reads the answer: through its bytes. */
function readable(answer: MessageInitShape<typeof FetchLogResponseSchema> | Uint8Array): FetchLogResponse {
  if (answer instanceof Uint8Array) return readMessage(FetchLogResponseSchema, answer);
  return readMessage(FetchLogResponseSchema, writeMessage(FetchLogResponseSchema, answer));
}

function fetch({ engine }: TestEngine, wanted: Wanted, { call } = testCall()) {
  const { buckets = { 0: 0 }, bucketBytes = 1 << 20 } = wanted;
  const filter = wanted.filter === undefined ? {} : {
    filterPredicate: {
      type: 0,
      leaf: {
        function: 2,
        fieldId: 0,
        literals: [{
          literalType: 3,
          isNull: false,
          intValue: wanted.filter === "no schema" ? 0 : wanted.filter.below,
        }],
      },
    },
    ...(wanted.filter === "no schema" ? {} : { filterSchemaId: 1 }),
  };
  const init: MessageInitShape<typeof FetchLogRequestSchema> = {
    followerServerId: -1,
    maxBytes: wanted.maxBytes ?? 1 << 24,
    ...(wanted.minBytes === undefined ? {} : { minBytes: wanted.minBytes }),
    ...(wanted.maxWaitMs === undefined ? {} : { maxWaitMs: wanted.maxWaitMs }),
    tablesReq: [{
      tableId: 0n,
      projectionPushdownEnabled: wanted.columns !== undefined,
      projectedFields: [...wanted.columns ?? []],
      bucketsReq: Object.entries(buckets).map(([bucketId, fetchOffset]) => ({
        bucketId: Number(bucketId),
        fetchOffset: BigInt(fetchOffset),
        maxFetchBytes: bucketBytes,
      })),
      ...filter,
    }],
  };
  // Through its bytes, so that fields that are not set are missing.
  const request = readMessage(FetchLogRequestSchema, writeMessage(FetchLogRequestSchema, init));
  return fetchHandlers.FETCH_LOG!(engine, request, call);
}

/** The answer of a fetch that does not wait: bytes, or the error, of each bucket. */
function sizes(from: TestEngine, wanted: Wanted): (number | string)[] {
  const answer = fetch(from, wanted);
  assert.ok(!(answer instanceof Promise));
  return sizesIn(readable(answer));
}

function sizesIn(answer: FetchLogResponse): (number | string)[] {
  return answer.tablesResp[0]!.bucketsResp.map(({ errorCode, errorMessage, records }) =>
    errorCode !== 0 ? `${errorCode} ${errorMessage}` : records.length
  );
}

test("PRODUCE_LOG answers per bucket", () => {
  const at = testEngine(tableOf([OF]));
  const damaged = batchOf(1);
  damaged[60]! ^= 1;
  assert.deepEqual(produce(at, { 0: batchOf(3), 1: damaged, 2: batchOf(1), 7: batchOf(1) }), [
    [0, 0n],
    [1, 14],
    [2, 0n],
    [7, 21],
  ]);
  assert.deepEqual(produce(at, { 0: batchOf(3), 1: Uint8Array.of(1, 2, 3) }, 0), [[0, 3n], [1, -1n]]);
  for (const acks of [2, -2]) {
    assert.throws(() => produce(at, { 0: batchOf(1) }, acks), { code: 18, message: `Invalid required acks: ${acks}` });
  }
  at.allowed = false;
  assert.throws(() => produce(at, { 0: batchOf(1) }));
  at.tables.clear();
  assert.deepEqual(produce(at, { 3: batchOf(1) }), [[3, 21]]);
});

test("of two parts for one bucket the last counts", () => {
  const at = testEngine(tableOf([OF]));
  const request = create(ProduceLogRequestSchema, {
    acks: 1,
    tableId: 0n,
    timeoutMs: 1,
    bucketsReq: [1, 2, 1].map((count, i) => ({ bucketId: i === 1 ? 1 : 0, records: batchOf(count + i) })),
  });
  const answer = produceHandlers.PRODUCE_LOG!(at.engine, request, testCall().call);
  assert.equal(create(ProduceLogResponseSchema, answer as object).bucketsResp.length, 2);
  assert.deepEqual([0, 1].map((bucket) => at.engine.buckets.get(0, undefined, bucket).log.end), [3, 3]);
});

test("INIT_WRITER gives every writer a number of its own", () => {
  const at = testEngine(tableOf([OF]));
  const init = (paths: readonly string[], authorizer = false) => {
    const engine = Object.assign(Object.create(at.engine), { settings: { ...at.engine.settings, authorizer } });
    const tablePath = paths.map((tableName) => ({ databaseName: "shop", tableName }));
    return produceHandlers.INIT_WRITER!(engine, create(InitWriterRequestSchema, { tablePath }), testCall().call);
  };
  assert.deepEqual([init(["a"]), init([])], [{ writerId: 0n }, { writerId: 1n }]);
  assert.deepEqual(init(["a"], true), { writerId: 2n });
  assert.throws(() => init([], true), { code: 48 });
  at.allowed = false;
  assert.throws(() => init(["a", "b"], true), { code: 48, message: /among all the tables: \[shop.a, shop.b\]/ });
});

test("FETCH_LOG answers at once unless it is told to wait", () => {
  const at = testEngine(tableOf([OF]));
  produce(at, { 0: batchOf(10), 1: batchOf(10) });
  const answer = fetch(at, { buckets: { 0: 0, 1: 10, 2: -2 } });
  assert.ok(!(answer instanceof Promise));
  const [table] = readable(answer).tablesResp;
  assert.deepEqual(
    table!.bucketsResp.map((bucket) => [
      bucket.bucketId,
      bucket.highWatermark,
      bucket.logStartOffset,
      bucket.records.length,
      Object.hasOwn(bucket, "records"),
      Object.hasOwn(bucket, "errorCode"),
      Object.hasOwn(bucket, "filteredEndOffset"),
      Object.hasOwn(bucket, "partitionId"),
    ]),
    [
      [0, 10n, 0n, BATCH, true, false, false, false],
      [1, 10n, 0n, 0, true, false, false, false],
      [2, 0n, 0n, 0, true, false, false, false],
    ],
  );
  // Without min_bytes a wait means nothing.
  assert.deepEqual(sizes(at, { buckets: { 2: 0 }, maxWaitMs: 10_000 }), [0]);
  assert.deepEqual(sizes(at, { buckets: { 2: 0 }, minBytes: 1, maxWaitMs: 0 }), [0]);
  assert.deepEqual(sizes(at, { minBytes: BATCH, maxWaitMs: 10_000 }), [BATCH]);
});

test("FETCH_LOG answers failures per bucket", () => {
  const at = testEngine(tableOf([OF]));
  produce(at, { 0: batchOf(10) });
  const found = sizes(at, { buckets: { 0: 11, 1: 0, 7: 0 }, minBytes: 1, maxWaitMs: 10_000 });
  assert.deepEqual(found, [
    "19 Received request for offset 11 for table bucket TableBucket{tableId=0, bucket=0}, " +
    "but we only have log segments from offset 0 up to 10.",
    0,
    "21 Unknown table or bucket: TableBucket{tableId=0, bucket=7}",
  ]);
  assert.deepEqual(sizes(at, { bucketBytes: -1 }), ["-1 Invalid max size -1 for log read"]);
  at.allowed = false;
  assert.deepEqual(sizes(at, { minBytes: 1, maxWaitMs: 10_000 }), [
    "48 No permission to READ table orders in database shop",
  ]);
});

test("FETCH_LOG keeps to its limits", () => {
  const at = testEngine(tableOf([OF]));
  for (let i = 0; i < 5; i++) produce(at, { 0: batchOf(10), 1: batchOf(10) });
  const buckets = { 0: 0, 1: 0 };
  assert.deepEqual(sizes(at, { buckets }), [5 * BATCH, 5 * BATCH]);
  assert.deepEqual(sizes(at, { buckets, bucketBytes: 2 * BATCH + 7 }), [2 * BATCH + 7, 2 * BATCH + 7]);
  assert.deepEqual(sizes(at, { buckets, maxBytes: 6 * BATCH }), [5 * BATCH, BATCH]);
  // The first batch of an answer comes whole.
  assert.deepEqual(sizes(at, { buckets, maxBytes: 0 }), [BATCH, 0]);
  assert.deepEqual(sizes(at, { buckets: { 2: 0, 1: 0 }, maxBytes: 10 }), [BATCH, 0]);
});

/** Whether a promise has settled, a few turns later. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true, () => done = true);
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return done;
}

test("a fetch waits until there is enough", async () => {
  const at = testEngine(tableOf([OF]));
  produce(at, { 0: batchOf(10) });
  const connection = testCall();
  const waits = fetch(at, { buckets: { 0: 0, 1: 0, 9: 0 }, minBytes: 3 * BATCH, maxWaitMs: 500 }, connection);
  assert.ok(waits instanceof Promise);
  assert.equal(await settled(waits), false);
  produce(at, { 1: batchOf(10), 2: batchOf(10) });
  assert.equal(await settled(waits), false);
  assert.deepEqual([at.clock.alarms, connection.listeners], [1, 1]);
  // What comes in the same turn is sent as well.
  produce(at, { 0: batchOf(10) });
  produce(at, { 1: batchOf(10) });
  const answer = readable(await waits);
  assert.deepEqual(sizesIn(answer).slice(0, 2), [2 * BATCH, 2 * BATCH]);
  assert.match(String(sizesIn(answer)[2]), /^21 /);
  assert.equal(logBatchAt(answer.tablesResp[0]!.bucketsResp[1]!.records, BATCH)!.baseOffset, 10n);
  assert.deepEqual([at.clock.alarms, connection.listeners], [0, 0]);
});

test("a fetch answers with what there is when its time is over", async () => {
  const at = testEngine(tableOf([OF]));
  for (const [maxWaitMs, waited] of [[500, 500], [undefined, 100]] as const) {
    const waits = fetch(at, { minBytes: 10 * BATCH, ...(maxWaitMs === undefined ? {} : { maxWaitMs }) });
    assert.ok(waits instanceof Promise);
    produce(at, { 0: batchOf(10) });
    at.clock.move(waited - 1);
    assert.equal(await settled(waits), false);
    at.clock.move(1);
    assert.equal(sizesIn(readable(await waits))[0], at.engine.buckets.get(0, undefined, 0).log.store.size);
  }
});

test("what one bucket may take at most counts for no more", async () => {
  const at = testEngine(tableOf([OF]));
  const waits = fetch(at, { buckets: { 0: 0, 1: 0 }, bucketBytes: BATCH, minBytes: 2 * BATCH, maxWaitMs: 500 });
  assert.ok(waits instanceof Promise);
  for (let i = 0; i < 4; i++) produce(at, { 0: batchOf(10) });
  assert.equal(await settled(waits), false);
  produce(at, { 1: batchOf(10) });
  assert.deepEqual(sizesIn(readable(await waits)), [BATCH, BATCH]);
});

test("a fetch is told when its table is dropped", async () => {
  const at = testEngine(tableOf([OF]));
  const waits = fetch(at, { minBytes: 1, maxWaitMs: 10_000 });
  assert.ok(waits instanceof Promise);
  const table = at.tables.get(0)!;
  at.tables.clear();
  at.engine.buckets.drop(table);
  assert.match(String(sizesIn(readable(await waits))[0]), /^21 /);
  assert.equal(at.clock.alarms, 0);
});

test("a fetch ends with its connection, or its server", async () => {
  const at = testEngine(tableOf([OF]));
  const connection = testCall();
  const waits = fetch(at, { minBytes: 1, maxWaitMs: 10_000 }, connection);
  assert.ok(waits instanceof Promise);
  connection.end();
  await assert.rejects(waits, { code: 1 });
  assert.equal(at.clock.alarms, 0);
  const closing = fetch(at, { minBytes: 1, maxWaitMs: 10_000 });
  assert.ok(closing instanceof Promise);
  (at.engine as { closed: boolean }).closed = true;
  at.engine.buckets.clear();
  await assert.rejects(closing, (error) => asFault(error).code === 1);
});

test("columns are taken out of Arrow batches", () => {
  const at = testEngine(tableOf([OF]));
  for (let i = 0; i < 3; i++) produce(at, { 0: batchOf(10) });
  const all = sizes(at, {})[0] as number;
  const some = sizes(at, { columns: [0] })[0] as number;
  assert.ok(some < all && some % 3 === 0);
  const one = some / 3;
  // Batches are never cut here, and the first may be as large as it was before.
  assert.deepEqual(sizes(at, { columns: [0], maxBytes: 0 }), [one]);
  assert.deepEqual(sizes(at, { columns: [0], maxBytes: 2 * one + 10 }), [2 * one]);
  assert.deepEqual(sizes(at, { columns: [1, 0] }), [
    "34 The projection indexes should be in field order, but is [1, 0]",
  ]);
  assert.deepEqual(sizes(at, { columns: [] }), ["-1 Invalid metadata length"]);
  at.tables.set(0, tableOf([OF], { "table.log.format": "COMPACTED" }));
  assert.deepEqual(sizes(at, { columns: [0] }), [
    "34 Column projection is only supported for ARROW format, but the table shop.orders is COMPACTED format.",
  ]);
});

test("batches that hold no match are left out", () => {
  const at = testEngine(tableOf([OF]));
  const first = () =>
    readable(fetch(at, { filter: { below: 25 }, minBytes: 1, maxWaitMs: 9999 }) as object)
      .tablesResp[0]!.bucketsResp[0]!;
  const size = batchOf(10, [0]).length;
  produce(at, { 0: batchOf(10, [0], 100) });
  // A reader that can move on does not wait.
  assert.deepEqual([first().records.length, first().filteredEndOffset], [0, 10n]);
  produce(at, { 0: batchOf(10, [0], 20) });
  assert.deepEqual([first().records.length, Object.hasOwn(first(), "filteredEndOffset")], [size, false]);
  assert.equal(logBatchAt(first().records, 0)!.baseOffset, 10n);
  produce(at, { 0: batchOf(10, [0], 30) });
  assert.deepEqual([first().records.length, first().filteredEndOffset], [size, 30n]);
  produce(at, { 0: batchOf(10) });
  assert.deepEqual([first().records.length, Object.hasOwn(first(), "filteredEndOffset")], [size + BATCH, false]);
  const projected = sizes(at, { filter: { below: 25 }, columns: [0] })[0] as number;
  assert.ok(projected > 2 * LOG_BATCH_HEADER_BYTES && projected < size + BATCH);
  // Without the schema of its columns a filter says nothing.
  assert.throws(() => fetch(at, { filter: "no schema" }), { code: -1, message: /filterSchemaId is missing/ });
});

test("LIST_OFFSETS", () => {
  const at = testEngine(tableOf([OF]));
  const { clock } = at;
  const offsets = (offsetType: number, startTimestamp?: number, buckets = [0]) => {
    const init = {
      followerServerId: -1,
      offsetType,
      tableId: 0n,
      bucketId: buckets,
      ...(startTimestamp === undefined ? {} : { startTimestamp: BigInt(startTimestamp) }),
    };
    const request = readMessage(ListOffsetsRequestSchema, writeMessage(ListOffsetsRequestSchema, init));
    const answer = offsetHandlers.LIST_OFFSETS!(at.engine, request, testCall().call);
    return create(ListOffsetsResponseSchema, answer as object).bucketsResp
      .map(({ offset, errorCode, errorMessage }) => errorCode === 0 ? Number(offset) : `${errorCode} ${errorMessage}`);
  };
  assert.deepEqual(offsets(2, -1), ["-1 No offset found for timestamp -1"]);
  assert.deepEqual(offsets(2, 0), [0]);
  const begin = clock.now();
  produce(at, { 0: batchOf(10) });
  clock.move(1000);
  produce(at, { 0: batchOf(5) });
  clock.move(1000);
  assert.deepEqual([...offsets(0), ...offsets(1), ...offsets(0, undefined, [1]), ...offsets(1, undefined, [1])], [
    0,
    15,
    0,
    0,
  ]);
  assert.deepEqual(
    [-1, 0, begin, begin + 1, begin + 1000, begin + 1001, begin + 2000].flatMap((time) => offsets(2, time)),
    [0, 0, 0, 10, 10, 15, 15],
  );
  assert.deepEqual(offsets(2, begin + 2001), [
    `38 Get offset error for table bucket TableBucket{tableId=0, bucket=0}, the fetch timestamp ${begin + 2001} is ` +
    `larger than the current timestamp ${begin + 2000}`,
  ]);
  assert.deepEqual(offsets(2), ["-1 startTimestamp is not present while list offset by timestamp."]);
  assert.deepEqual(offsets(9), ["-1 Invalid list offset type: 9"]);
  assert.deepEqual(offsets(1, undefined, [7, 0]), ["21 Unknown table or bucket: TableBucket{tableId=0, bucket=7}", 15]);
  at.allowed = false;
  assert.throws(() => offsets(1));
});
