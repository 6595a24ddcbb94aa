// Subscriptions against fake servers: expired records, what is fetched when, and that nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, type FlussSubscriptionError, memoryCheckpoints, t, table } from "../../../mod.ts";
import { API } from "../../../src/client/rpc/api.ts";
import { Db } from "../../../src/query/db.ts";
import { writeToken } from "../../../src/query/token.ts";
import { until, within } from "../../fake_cluster.ts";
import { type FakeLogTable, type Row, withFakeLogs } from "../../fake_log.ts";

const logs = table("d.logs", { n: t.int() }, { buckets: 2 });
const days = table("d.days", { day: t.string().notNull(), n: t.int() }, { partitionBy: ["day"], buckets: 1 });
const users = table("d.users", { id: t.int(), name: t.string() }, { primaryKey: ["id"], buckets: 2 });

const rows = (from: number, count: number): Row[] => Array.from({ length: count }, (_, i) => ({ n: from + i }));

/** Records before an offset have expired. */
function expire(fake: FakeLogTable, bucket: number, start: bigint): void {
  const log = fake.log(bucket);
  log.start = start;
  log.batches.splice(0, log.batches.findIndex((batch) => batch.next > start));
}

const tokenAt = (fake: FakeLogTable, offsets: readonly bigint[]): string =>
  writeToken([{
    table: "d.logs",
    tableId: fake.id,
    schemaId: 1,
    positions: offsets.map((offset, bucket) => ({ bucket, offset })),
  }]);

test("records that expired under a token: an error with the earliest, or what the policy says", () =>
  withFakeLogs(1, { scanner: { maxWaitMs: 50 } }, async (cluster, client) => {
    const fake = cluster.create(logs);
    for (let i = 0; i < 10; i++) fake.append(0, rows(i, 1));
    fake.append(1, rows(100, 2));
    expire(fake, 0, 5n);
    const from = { token: tokenAt(fake, [2n, 0n]) };
    const handle = new Db(client, undefined).table(logs);
    const read = async (onExpired: "throw" | "earliest" | "latest", count: number) => {
      const found: number[] = [];
      await using changes = handle.changes({ from, onExpired });
      for await (const { row } of changes) {
        found.push(row.n!);
        if (found.length === count) break;
      }
      return found.sort((a, b) => a - b);
    };
    await assert.rejects(within(5000, read("throw", 8)), (error) => {
      assert.ok(FlussError.is(error, "SUBSCRIPTION.OFFSET_OUT_OF_RANGE"), String(error));
      assert.equal((error as unknown as FlussSubscriptionError).earliest, 5n);
      assert.equal(error.bucket, 0);
      return true;
    });
    assert.deepEqual(await within(5000, read("earliest", 7)), [5, 6, 7, 8, 9, 100, 101]);
    cluster.fetches.length = 0;
    const latest = read("latest", 3);
    // It asks for offset 2, hears that it is gone, and goes on at the end. The last fetch of the reader before is no sign.
    const asked = () =>
      cluster.fetches.flatMap(({ tablesReq }) =>
        tablesReq.flatMap(({ bucketsReq }) => bucketsReq.filter(({ bucketId }) => bucketId === 0))
      ).map(({ fetchOffset }) => fetchOffset);
    await until(() => asked().includes(2n) && asked().lastIndexOf(10n) > asked().indexOf(2n));
    fake.append(0, rows(10, 1));
    assert.deepEqual(await within(5000, latest), [10, 100, 101]);
    // The same for offsets that the caller names.
    const offsets = { from: { offsets: [{ bucket: 0, offset: 2n }] } } as const;
    const named = handle.changes({ ...offsets, onExpired: "earliest" })[Symbol.asyncIterator]();
    assert.equal((await named.next()).value?.row.n, 5);
    await named.return!();
    await assert.rejects(
      handle.changes(offsets)[Symbol.asyncIterator]().next(),
      (error) => FlussError.is(error, "SUBSCRIPTION.OFFSET_OUT_OF_RANGE"),
    );
  }));

test("records that expire while they are read are passed, and the other buckets lose and repeat nothing", () =>
  withFakeLogs(1, { scanner: { aheadBytes: 1024, bucketMaxBytes: 1024, maxWaitMs: 20 } }, async (cluster, client) => {
    const fake = cluster.create(logs);
    for (let i = 0; i < 100; i++) for (const bucket of [0, 1]) fake.append(bucket, rows(i, 1));
    const found: number[][] = [[], []];
    await using changes = new Db(client, undefined).table(logs).changes({ onExpired: "earliest" });
    for await (const { row, bucket } of changes) {
      found[bucket]!.push(row.n!);
      if (found[0]!.length === 3 && fake.log(0).start === 0n) expire(fake, 0, 90n);
      if (found[1]!.length === 100 && found[0]!.at(-1) === 99) break;
    }
    assert.deepEqual(found[1], rows(0, 100).map(({ n }) => n));
    const [first] = found as [number[], number[]];
    const gap = first.findIndex((n, i) => n !== i);
    assert.ok(gap >= 3 && gap < 90, String(first));
    assert.deepEqual(first.slice(gap), rows(90, 10).map(({ n }) => n));
  }));

test("nothing is asked before the first change is, and the end leaves no timer and no fetch", () =>
  withFakeLogs(1, { scanner: { maxWaitMs: 60_000 } }, async (cluster, client) => {
    const fake = cluster.create(days);
    cluster.createPartition(fake, "a");
    fake.append(0, rows(0, 3).map((row) => ({ ...row, day: "a" })), { partition: "a" });
    const alarms = client.alarms.size;
    const before = [...cluster.counts];
    const options = { discoverMs: 30, checkpoint: { store: memoryCheckpoints(), id: "a", everyMs: 10_000 } };
    const changes = new Db(client, undefined).table(days).changes(options);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([...cluster.counts], before);
    const iterator = changes[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) assert.equal((await iterator.next()).value?.row.n, i);
    assert.equal(client.alarms.size <= alarms + 1, true, "one request is out, and nothing else waits");
    const waiting = iterator.next();
    const looks = cluster.count(API.LIST_PARTITION_INFOS);
    await until(() => cluster.count(API.LIST_PARTITION_INFOS) > looks + 1);
    await iterator.return!();
    assert.equal((await waiting).done, true);
    await until(() => client.alarms.size <= alarms);
    const after = cluster.count(API.LIST_PARTITION_INFOS);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(cluster.count(API.LIST_PARTITION_INFOS), after, "nobody looks for partitions any more");
  }));

test("a partition that servers do not know for a moment goes on where it was", () =>
  withFakeLogs(1, { scanner: { maxWaitMs: 20 } }, async (cluster, client) => {
    const fake = cluster.create(days);
    cluster.createPartition(fake, "a");
    const append = (n: number) => fake.append(0, [{ n, day: "a" }], { partition: "a" });
    append(0);
    append(1);
    const news: string[] = [];
    await using changes = new Db(client, undefined).table(days).changes({ discoverMs: 20 });
    changes.on("partition", ({ change }) => news.push(change));
    const iterator = changes[Symbol.asyncIterator]();
    for (const n of [0, 1]) assert.equal((await iterator.next()).value?.row.n, n);
    const waiting = iterator.next();
    const kept = fake.partitions.get("a")!;
    fake.partitions.delete("a");
    await until(() => news.length === 1);
    fake.partitions.set("a", kept);
    await until(() => news.length === 2);
    append(2);
    assert.equal((await within(5000, waiting)).value?.row.n, 2);
    assert.deepEqual(news, ["dropped", "added"]);
  }));

test("current rows come first, and the log where it goes on behind them; a token in the middle begins again", () =>
  withFakeLogs(1, { scanner: { maxWaitMs: 20 } }, async (cluster, client) => {
    const fake = cluster.create(users);
    for (const bucket of [0, 1]) {
      const log = fake.log(bucket);
      log.end = 7n;
      log.start = 7n;
      log.values = [1, 2, 3].map((n) => ({ schemaId: 1, row: { id: n * 2 + bucket, name: `v${n}` } }));
    }
    const handle = new Db(client, undefined).table(users);
    const changes = handle.changes({ from: "snapshot", select: ["id"], where: (c) => c.name.ne("v2") });
    const iterator = changes[Symbol.asyncIterator]();
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) ids.push((await iterator.next()).value!.row.id);
    // The first bucket is through, the second is not.
    const token = changes.checkpoint();
    ids.push((await iterator.next()).value!.row.id);
    assert.deepEqual(ids, [2, 6, 3, 7]);
    await iterator.return!();
    const resumed = handle.changes({ from: { token } });
    const again: [string, number, bigint][] = [];
    for await (const { op, row, offset } of resumed) {
      again.push([op, row.id, offset]);
      if (again.length === 3) break;
    }
    assert.deepEqual(again, [["insert", 3, 7n], ["insert", 5, 7n], ["insert", 7, 7n]]);
  }));
