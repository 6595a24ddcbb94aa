import assert from "node:assert/strict";
import { test } from "node:test";
import { partitionTarget } from "../../../../src/client/table/target.ts";
import { WriteBatch } from "../../../../src/client/write/batch.ts";
import { BucketQueue } from "../../../../src/client/write/bucket_queue.ts";
import { KvBatchBuilder } from "../../../../src/format/kv_batch.ts";

const table = {
  path: { database: "a", table: "b" },
  name: "a.b",
  tableId: 1n,
  partitionColumns: [],
  gone: () => {},
};

let order = 0;

function batch(): WriteBatch {
  const at = { table: "a.b", bucket: 0, partition: undefined, order: order++ };
  return new WriteBatch(new KvBatchBuilder(1), { kind: "put", key: "whole", targets: undefined }, at);
}

/** A queue with `count` closed batches. */
function queueOf(count: number): { queue: BucketQueue; batches: WriteBatch[] } {
  const queue = new BucketQueue(partitionTarget(table, undefined), 0);
  const batches = Array.from({ length: count }, batch);
  queue.ready.push(...batches);
  return { queue, batches };
}

/** Sends what may be sent, and says which. */
function send(queue: BucketQueue, writerId = 7n, maxInFlight = 5): WriteBatch[] {
  const sent: WriteBatch[] = [];
  for (let next = queue.next(maxInFlight, true); next !== undefined; next = queue.next(maxInFlight, true)) {
    if (queue.mustDrainFirst(next, writerId)) break;
    queue.depart(next, writerId);
    sent.push(next);
  }
  return sent;
}

test("BucketQueue.next() keeps to the limit in flight, and sequences count from 0 per batch", () => {
  const { queue, batches } = queueOf(7);
  assert.deepEqual(send(queue), batches.slice(0, 5));
  assert.deepEqual(batches.map((b) => b.sequence), [0, 1, 2, 3, 4, -1, -1]);
  queue.settle(batches[0]!);
  assert.deepEqual(send(queue), [batches[5]]);
  assert.equal(queue.lastAcked, 0);
});

test("BucketQueue.next() closes the open batch only when told that it may leave", () => {
  const { queue } = queueOf(0);
  queue.open = batch();
  assert.equal(queue.next(5, false), undefined);
  assert.ok(queue.open !== undefined);
  assert.ok(queue.next(5, true) !== undefined);
  assert.equal(queue.open, undefined);
});

test("BucketQueue.retry() puts batches back in their order, whatever the order of failures", () => {
  const { queue, batches } = queueOf(4);
  send(queue, 7n, 3);
  for (const i of [1, 2, 0]) queue.retry(batches[i]!);
  assert.deepEqual(queue.ready, batches);
  assert.deepEqual(batches.map((b) => b.sequence), [0, 1, 2, -1]);
});

test("a batch that is sent again goes alone, and keeps its sequence", () => {
  const { queue, batches } = queueOf(3);
  send(queue);
  queue.retry(batches[0]!);
  assert.deepEqual(send(queue), [], "two successors are still out");
  queue.retry(batches[2]!);
  queue.retry(batches[1]!);
  assert.deepEqual(send(queue), [batches[0]]);
  assert.equal(batches[0]!.sequence, 0);
  queue.settle(batches[0]!);
  assert.deepEqual(send(queue), [batches[1]]);
});

test("BucketQueue.closeGap() moves the sequences behind a lost batch, in flight and waiting", () => {
  const { queue, batches } = queueOf(5);
  send(queue, 7n, 4);
  queue.retry(batches[3]!);
  queue.remove(batches[1]!);
  queue.closeGap(batches[1]!);
  assert.deepEqual(batches.map((b) => b.sequence), [0, 1, 1, 2, -1]);
  assert.deepEqual(batches.map((b) => b.sequenceMoved), [false, false, true, true, false]);
  for (const i of [0, 2]) queue.settle(batches[i]!);
  assert.deepEqual(send(queue), [batches[3]]);
  queue.settle(batches[3]!);
  assert.deepEqual(send(queue), [batches[4]]);
  assert.equal(batches[4]!.sequence, 3);
});

test("a new writer id begins at 0, after everything of the old one is over", () => {
  const { queue, batches } = queueOf(3);
  send(queue, 7n, 2);
  assert.deepEqual(send(queue, 8n), [], "two batches of writer 7 are out");
  queue.settle(batches[0]!);
  queue.settle(batches[1]!);
  assert.deepEqual(send(queue, 8n), [batches[2]]);
  assert.deepEqual([batches[2]!.writerId, batches[2]!.sequence], [8n, 0]);
});

test("without idempotence batches carry no sequence", () => {
  const { queue, batches } = queueOf(2);
  assert.deepEqual(send(queue, -1n, 1), [batches[0]]);
  assert.deepEqual([batches[0]!.writerId, batches[0]!.sequence], [-1n, -1]);
});
