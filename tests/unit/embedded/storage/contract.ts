/**
 * What every storage does: random operations on it and on a model, compared all the time.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { BucketId, LogStore, RowSnapshot, RowStore, Storage } from "../../../../src/embedded/storage/storage.ts";
import type { Random } from "../../../random.ts";
import {
  copyModel,
  emptyBucket,
  emptyModel,
  hex,
  type Model,
  type ModelBucket,
  modelName,
  modelRows,
  shownBatches,
  shownRows,
} from "./model.ts";

/** How the storage under test is opened again, and how its commits fail. What it cannot do is left out. */
export interface Ability {
  /** Opens the same storage again, after `close()` or what resembles a crash. */
  readonly reopen?: (storage: Storage, how: "close" | "crash") => Promise<Storage>;
  /** Makes commits that write the document "b" fail, until what it returns is called. */
  readonly failCommits?: () => () => void;
}

const BUCKETS: readonly BucketId[] = [
  { tableId: 1, partitionId: undefined, bucket: 0 },
  { tableId: 1, partitionId: undefined, bucket: 1 },
  { tableId: 2, partitionId: 7, bucket: 0 },
];

/** Runs random operations. @returns the storage, still open */
export async function runContract(first: Storage, random: Random, steps: number, ability: Ability): Promise<Storage> {
  let storage = first;
  let model = emptyModel();
  let committed = copyModel(model);
  let snapshots: { readonly rows: [string, string][]; readonly shown: RowSnapshot }[] = [];
  let time = 1000;

  const modelBucket = (id: BucketId): ModelBucket => {
    let bucket = model.buckets.get(modelName(id));
    if (bucket === undefined) model.buckets.set(modelName(id), bucket = emptyBucket());
    return bucket;
  };
  const closeSnapshots = () => {
    for (const { shown } of snapshots) shown.close();
    snapshots = [];
  };
  // Few keys, so that they meet; some are the start of others, and zeros count.
  const key = () =>
    String.fromCharCode(...Array.from({ length: random.int(4) }, () => random.pick([0, 1, 127, 128, 255]))) +
    (random.int(4) === 0 ? "" : String.fromCharCode(random.int(256)));
  const value = () => random.bytes(random.int(40) === 0 ? random.int(200_000) : random.int(50));

  const operations: (() => void | Promise<void>)[] = [
    function put() {
      const id = random.pick(BUCKETS);
      const rows = storage.rows(id);
      for (let n = random.int(random.int(8) === 0 ? 500 : 10); n >= 0; n--) {
        const [k, v] = [key(), value()];
        const room = new Uint8Array(v.length + 10).fill(99);
        room.set(v, 5);
        rows.put(k, room, 5, 5 + v.length);
        room.fill(98);
        modelBucket(id).rows.set(k, v);
      }
    },
    function remove() {
      const id = random.pick(BUCKETS);
      const all = random.int(20) === 0 ? [...modelBucket(id).rows.keys()] : [key(), key(), key()];
      for (const k of all) {
        storage.rows(id).delete(k);
        modelBucket(id).rows.delete(k);
      }
    },
    function get() {
      const id = random.pick(BUCKETS);
      for (let n = 0; n < 10; n++) {
        const k = key();
        const [found, expected] = [storage.rows(id).get(k), modelBucket(id).rows.get(k)];
        assert.equal(found && hex(found), expected && hex(expected));
      }
      assert.equal(storage.rows(id).count, modelBucket(id).rows.size);
    },
    function getAll() {
      const id = random.pick(BUCKETS);
      const keys = Array.from({ length: random.int(60) }, key);
      assert.deepEqual(
        storage.rows(id).getAll(keys).map((found) => found && hex(found)),
        keys.map((k) => modelBucket(id).rows.get(k)).map((expected) => expected && hex(expected)),
      );
    },
    function visit() {
      const id = random.pick(BUCKETS);
      const [from, limit] = [random.int(3) === 0 ? "" : key(), random.pick([1, 5, 1000])];
      assert.deepEqual(shownRows(storage.rows(id), from, limit), modelRows(modelBucket(id).rows, from).slice(0, limit));
    },
    function snapshot() {
      const id = random.pick(BUCKETS);
      const shown = storage.rows(id).snapshot();
      const rows = modelRows(modelBucket(id).rows);
      assert.equal(shown.count, rows.length);
      snapshots.push({ rows, shown });
      if (snapshots.length > 4) snapshots.splice(random.int(snapshots.length), 1)[0]!.shown.close();
    },
    function visitSnapshot() {
      if (snapshots.length === 0) return;
      const { rows, shown } = random.pick(snapshots);
      const [from, limit] = [random.int(3) === 0 ? "" : key(), random.pick([1, 5, 1000])];
      assert.deepEqual(shownRows(shown, from, limit), rows.filter(([k]) => k >= from).slice(0, limit));
    },
    function append() {
      const id = random.pick(BUCKETS);
      const expected = modelBucket(id);
      const log = storage.log(id);
      for (let n = random.int(5); n >= 0; n--) {
        const bytes = random.bytes(1 + random.int(random.int(20) === 0 ? 300_000 : 100));
        const batch = {
          baseOffset: expected.end,
          lastOffset: expected.end + random.int(5),
          timestamp: time += random.int(3),
          size: bytes.length,
        };
        const larger = new Uint8Array(bytes.length + 2);
        larger.set(bytes, 1);
        log.append(batch, random.int(2) === 0 ? bytes : larger.subarray(1, bytes.length + 1));
        expected.batches.push({ batch, bytes });
        expected.end = batch.lastOffset + 1;
        expected.lastTimestamp = batch.timestamp;
      }
      compareState(log, expected);
    },
    function readLog() {
      const id = random.pick(BUCKETS);
      const { start, end, batches } = modelBucket(id);
      const [from, limit] = [start + random.int(end - start + 2), random.pick([1, 3, 1000])];
      assert.deepEqual(
        shownBatches(storage.log(id), from, limit),
        batches.filter(({ batch }) => batch.lastOffset >= from).slice(0, limit)
          .map(({ batch, bytes }) => [batch, hex(bytes)]),
      );
    },
    function firstSince() {
      const id = random.pick(BUCKETS);
      const { batches } = modelBucket(id);
      const since = random.int(2) === 0 || batches.length === 0
        ? 1000 + random.int(time - 995)
        : random.pick(batches).batch.timestamp + random.int(2);
      const expected = batches.find(({ batch }) => batch.timestamp >= since)?.batch;
      assert.deepEqual(storage.log(id).firstSince(since), expected);
    },
    function trim() {
      const id = random.pick(BUCKETS);
      const expected = modelBucket(id);
      const offset = random.int(10) === 0 ? expected.end : expected.start + random.int(8);
      storage.log(id).trim(offset);
      expected.start = Math.max(expected.start, Math.min(offset, expected.end));
      expected.batches = expected.batches.filter(({ batch }) => batch.lastOffset >= expected.start);
      compareState(storage.log(id), expected);
    },
    function remember() {
      const id = random.pick(BUCKETS);
      const writerId = random.pick([1n, 2n, 2n ** 62n]);
      const batch = {
        writerId,
        sequence: random.int(100),
        baseOffset: random.int(1000),
        lastOffset: random.int(1000),
        timestamp: time,
      };
      storage.log(id).remember(batch);
      const batches = modelBucket(id).writers.get(writerId) ?? [];
      modelBucket(id).writers.set(writerId, [...batches, batch].slice(-5));
      compareWriters(storage.log(id), modelBucket(id));
    },
    function forget() {
      if (random.int(4) > 0) return;
      const id = random.pick(BUCKETS);
      const writerId = random.pick([1n, 2n, 2n ** 62n]);
      storage.log(id).forget(writerId);
      modelBucket(id).writers.delete(writerId);
      compareWriters(storage.log(id), modelBucket(id));
    },
    function drop() {
      if (random.int(8) > 0) return;
      closeSnapshots();
      const id = random.pick(BUCKETS);
      storage.drop(id);
      model.buckets.delete(modelName(id));
    },
    function putDocument() {
      const [name, document] = [random.pick(["a/b", "a/c", "ab", "b"]), { is: [random.int(1000), "ä"] }];
      storage.documents.put(name, document);
      model.documents.set(name, JSON.stringify(document));
    },
    function deleteDocument() {
      const name = random.pick(["a/b", "a/c", "ab", "b", "never"]);
      storage.documents.delete(name);
      model.documents.delete(name);
    },
    function listDocuments() {
      const prefix = random.pick(["", "a", "a/", "x"]);
      assert.deepEqual(
        storage.documents.list(prefix),
        [...model.documents].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => a < b ? -1 : 1)
          .map(([name, text]) => ({ name, document: JSON.parse(text) })),
      );
      const name = random.pick(["a/b", "b"]);
      const text = model.documents.get(name);
      assert.deepEqual(storage.documents.get(name), text === undefined ? undefined : JSON.parse(text));
    },
    function commit() {
      storage.commit();
      assert.equal(storage.dirty, false);
      committed = copyModel(model);
    },
    async function reopen() {
      if (ability.reopen === undefined || random.int(4) > 0) return;
      closeSnapshots();
      const how = random.pick(["close", "crash"]);
      if (how === "close") committed = copyModel(model);
      storage = await ability.reopen(storage, how);
      model = copyModel(committed);
      compareAll(storage, model);
    },
    function failCommit() {
      if (ability.failCommits === undefined || random.int(4) > 0) return;
      closeSnapshots();
      storage.documents.put("b", "something");
      const repair = ability.failCommits();
      assert.throws(() => storage.commit(), { code: "STORAGE.FULL" });
      repair();
      assert.equal(storage.dirty, false);
      model = copyModel(committed);
      compareAll(storage, model);
    },
  ];
  for (let step = 0; step < steps; step++) await random.pick(operations)();
  closeSnapshots();
  compareAll(storage, model);
  return storage;
}

/** Compares all there is. */
export function compareAll(storage: Storage, model: Model): void {
  for (const id of BUCKETS) {
    const expected = model.buckets.get(modelName(id)) ?? emptyBucket();
    const [log, rows] = [storage.log(id), storage.rows(id)];
    compareState(log, expected);
    compareWriters(log, expected);
    assert.deepEqual(
      shownBatches(log, expected.start),
      expected.batches.map(({ batch, bytes }) => [batch, hex(bytes)]),
    );
    compareRows(rows, expected.rows);
  }
  assert.deepEqual(
    storage.documents.list("").map(({ name, document }) => [name, JSON.stringify(document)]),
    [...model.documents].sort(([a], [b]) => a < b ? -1 : 1),
  );
}

function compareRows(rows: RowStore, expected: ReadonlyMap<string, Uint8Array>): void {
  assert.equal(rows.count, expected.size);
  assert.deepEqual(shownRows(rows), modelRows(expected));
}

function compareState(log: LogStore, expected: ModelBucket): void {
  assert.deepEqual(
    { start: log.start, end: log.end, lastTimestamp: log.lastTimestamp, size: log.size },
    {
      start: expected.start,
      end: expected.end,
      lastTimestamp: expected.lastTimestamp,
      size: expected.batches.reduce((sum, { bytes }) => sum + bytes.length, 0),
    },
  );
}

function compareWriters(log: LogStore, expected: ModelBucket): void {
  const order = (a: { writerId: bigint }, b: { writerId: bigint }) => a.writerId < b.writerId ? -1 : 1;
  // Each writer's batches have an order, the writers have none.
  assert.deepEqual(
    Map.groupBy(log.writers().sort((a, b) => a.writerId === b.writerId ? 0 : order(a, b)), (batch) => batch.writerId),
    new Map([...expected.writers].sort(([a], [b]) => a < b ? -1 : 1)),
  );
}
