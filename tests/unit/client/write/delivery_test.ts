// What becomes of rows when servers stall, refuse or die: deadlines, accounts, limits, and closing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, FlussError, t, table } from "../../../../mod.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { RuntimeTableHandle } from "../../../../src/query/table_handle.ts";
import { FakeCluster, until, withFakeCluster, within } from "../../../fake_cluster.ts";

const users = table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"] });
const wide = table("d.wide", { id: t.int(), a: t.string() }, { primaryKey: ["id"], buckets: 4 });
const parts = table("d.parts", { id: t.int(), p: t.string() }, { primaryKey: ["id", "p"], partitionBy: ["p"] });
const is = (code: FlussError["code"]) => (error: unknown) => FlussError.is(error, code);
const caught = (ack: PromiseLike<unknown>) => ack.then(() => undefined, (error: unknown) => error as FlussError);

/** The failures that flush() throws, as `code rows`. */
async function flushed(db: { flush(): Promise<void> }): Promise<string[]> {
  try {
    await db.flush();
    return [];
  } catch (error) {
    assert.ok(FlussError.is(error, "WRITE.FAILED"), String(error));
    const { failures } = error as unknown as { failures: { code: string; rows: number; table: string }[] };
    return failures.map(({ table, code, rows }) => `${table} ${code} ${rows}`);
  }
}

test("a batch that was never sent fails at its delivery deadline, and later rows are written", () =>
  withFakeCluster(1, { writer: { deliveryTimeoutMs: 1_500 } }, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 1 });
    fake.bucket(0).leader = -1;
    cluster.onPut = () => ({ code: 12 });
    // Longer than the longest pause between two looks for a leader, which the row after this one waits for.
    const error = await within(5_000, caught(handle.upsert({ id: 1 })));
    assert.ok(is("TIMEOUT.DELIVERY")(error), String(error));
    assert.match(error!.message, /SERVER\.NOT_LEADER_OR_FOLLOWER/);
    fake.bucket(0).leader = 0;
    cluster.onPut = () => {};
    await within(2_000, handle.upsert({ id: 2 }));
    assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), [2]);
    assert.equal(db.queuedBytes, 0);
  }));

test("after a batch that may be written has expired, rows get a new writer id", () =>
  withFakeCluster(1, { writer: { deliveryTimeoutMs: 1_500 } }, async (cluster, db) => {
    const fake = cluster.create(users);
    const writers = new Set<bigint>();
    const handle = db.table(users);
    await handle.upsert({ id: 0 });
    cluster.onPut = ({ writerId }) => {
      writers.add(writerId);
      return { code: 25, applied: true };
    };
    assert.ok(is("TIMEOUT.DELIVERY")(await within(5_000, caught(handle.upsert({ id: 1 })))));
    cluster.onPut = ({ writerId }) => void writers.add(writerId);
    await within(2_000, handle.upsert({ id: 2 }));
    assert.equal(writers.size, 2);
    assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), [0, 1, 2]);
  }));

test("rows that are suspended stay queued, and their time begins when they may be sent", () =>
  withFakeCluster(1, { writer: { deliveryTimeoutMs: 1_500, batchBytes: 128 } }, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.upsert({ id: 0 });
    const resume = RuntimeTableHandle.suspendWrites(handle as unknown as RuntimeTableHandle);
    const acks = Array.from({ length: 10 }, (_, i) => handle.upsert({ id: i + 1, a: "x".repeat(40) }));
    await assert.rejects(db.flush({ timeoutMs: 2_000 }), is("TIMEOUT.FLUSH"));
    assert.equal(fake.bucket(0).applied.length, 1);
    resume();
    await within(5_000, Promise.all(acks));
    assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), Array.from({ length: 11 }, (_, id) => id));
    fake.bucket(0).leader = -1;
    cluster.onPut = () => ({ code: 12 });
    assert.ok(is("TIMEOUT.DELIVERY")(await within(5_000, caught(handle.upsert({ id: 11 })))));
  }));

for (const acks of [1, 0] as const) {
  test(`acks ${acks}: without idempotence, one batch at a time keeps the order across retries`, () =>
    withFakeCluster(1, { writer: { acks, batchBytes: 128, lingerMs: 0 } }, async (cluster, db) => {
      const fake = cluster.create(users);
      let out = 0;
      let most = 0;
      cluster.onPut = ({ nth, writerId }) => {
        assert.equal(writerId, -1n);
        most = Math.max(most, ++out);
        queueMicrotask(() => out--);
        return nth % 3 === 0 ? { code: 26 } : undefined;
      };
      const handle = db.table(users);
      await Promise.all(Array.from({ length: 20 }, (_, id) => handle.upsert({ id, a: "x".repeat(40) })));
      assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), Array.from({ length: 20 }, (_, id) => id));
      assert.equal(most, 1);
      assert.equal(cluster.count(API.INIT_WRITER), 0);
    }));
}

test("flush() counts exactly the rows whose acks nobody awaited, once", () =>
  withFakeCluster(1, { writer: { batchBytes: 1 << 16, lingerMs: 0 } }, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 0 });
    cluster.onPut = () => ({ code: 57 });
    const awaited = [1, 2, 3].map((id) => caught(handle.upsert({ id })));
    for (let id = 10; id < 15; id++) handle.upsert({ id });
    assert.deepEqual(await flushed(db), ["d.users SERVER.DELETION_DISABLED_EXCEPTION 5"]);
    assert.deepEqual(
      (await Promise.all(awaited)).map((error) => error?.code),
      Array(3).fill("SERVER.DELETION_DISABLED_EXCEPTION"),
    );
    assert.deepEqual(await flushed(db), []);
    // All awaited: nothing is left for flush().
    const all = [1, 2].map((id) => caught(handle.upsert({ id })));
    assert.deepEqual(await flushed(db), []);
    await Promise.all(all);
  }));

test("a hundred thousand failures that nobody flushes are counted, and not kept", () =>
  withFakeCluster(1, { writer: { lingerMs: 0 } }, async (cluster, db) => {
    cluster.create(users);
    const { Writer } = await import("../../../../src/client/write/writer.ts");
    const handle = db.table(users);
    await handle.lookup({ id: 0 });
    // The accounting itself: this many failed batches would take a minute.
    const error = await caught(handle.lookup({ nope: 1 } as never)) as FlussError;
    const writer = new Writer({ limits: {}, report: () => {} } as never);
    for (let i = 0; i < 100_000; i++) writer.keepFailure("d.users", error, () => 2);
    assert.throws(() => writer.throwFailures(), (thrown) => {
      const { failures } = thrown as { failures: { rows: number }[] };
      return failures.length === 100 && failures.reduce((sum, { rows }) => sum + rows, 0) === 200_000;
    });
  }));

test("WRITE.QUEUE_FULL under a stalled server, `ready` when there is room again, and memory stays within the limit", () =>
  withFakeCluster(1, { writer: { maxBytes: 4096, batchBytes: 512 } }, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 0 });
    const stalled = Promise.withResolvers<void>();
    cluster.onCall = ({ api }) => api === "PUT_KV" ? { hold: stalled.promise } : undefined;
    let queued = 0;
    assert.throws(() => {
      for (; queued < 10_000; queued++) handle.upsert({ id: queued, a: "x".repeat(50) });
    }, is("WRITE.QUEUE_FULL"));
    assert.ok(queued > 30 && db.queuedBytes <= 4096 + 100, `${queued} rows, ${db.queuedBytes} bytes`);
    let ready = false;
    const waits = db.ready.then(() => ready = true);
    await until(() => cluster.count(API.PUT_KV) > 0);
    assert.equal(ready, false);
    stalled.resolve();
    cluster.onCall = () => {};
    await within(2_000, waits);
    assert.ok(db.queuedBytes <= 2048);
    handle.upsert({ id: queued });
    await db.flush();
    assert.equal(fake.rows().size, queued + 1);
  }));

test("flush() and close() on a dead server end with TIMEOUT.FLUSH and TIMEOUT.CLOSE, and all sockets are closed", async () => {
  const cluster = await FakeCluster.start(1);
  try {
    cluster.create(users);
    const db = await connect(cluster.url, { closeTimeoutMs: 100 });
    const handle = db.table(users);
    await handle.lookup({ id: 0 });
    cluster.onCall = ({ api }) => api === "PUT_KV" ? { silent: "undone" } : undefined;
    const ack = caught(handle.upsert({ id: 1 }));
    handle.upsert({ id: 2 });
    await assert.rejects(within(2_000, db.flush({ timeoutMs: 50 })), is("TIMEOUT.FLUSH"));
    const reason = new Error("enough");
    const stop = new AbortController();
    const aborted = db.flush({ signal: stop.signal });
    stop.abort(reason);
    await assert.rejects(within(1_000, aborted), reason);
    const began = performance.now();
    await assert.rejects(within(2_000, db.close()), is("TIMEOUT.CLOSE"));
    assert.ok(performance.now() - began < 1_000);
    await assert.rejects(db.close(), is("TIMEOUT.CLOSE"));
    assert.ok(is("CONNECTION.CLOSED")(await within(1_000, ack)));
    assert.throws(() => handle.upsert({ id: 3 }), FlussError);
    await assert.rejects(handle.lookup({ id: 3 }), is("CONNECTION.CLOSED"));
    await until(() => cluster.openConnections === 0);
  } finally {
    await cluster.close();
  }
});

test("close({ drop: true }) gives up what is queued, also rows whose table was not found yet", async () => {
  const cluster = await FakeCluster.start(1);
  try {
    const db = await connect(cluster.url, {});
    cluster.onCall = () => ({ silent: "undone" });
    const ack = caught(db.table(users).upsert({ id: 1 }));
    await within(1_000, db.close({ drop: true }));
    assert.ok(is("CONNECTION.CLOSED")(await within(1_000, ack)));
    await until(() => cluster.openConnections === 0);
  } finally {
    await cluster.close();
  }
});

test("INIT_WRITER is asked for again after errors that pass", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    cluster.onCall = ({ api, nth }) => {
      if (api !== "INIT_WRITER") return undefined;
      return nth === 1 ? { code: 1 } : nth === 2 ? { hangUp: "undone" } : undefined;
    };
    await within(5_000, db.table(users).upsert({ id: 1 }));
    assert.equal(cluster.count(API.INIT_WRITER), 3);
  }));

test("without the right to write, rows fail at once, and with it later ones are written", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    cluster.onCall = ({ api }) => api === "INIT_WRITER" ? { code: 48 } : undefined;
    const error = await within(1_000, caught(db.table(users).upsert({ id: 1 })));
    assert.ok(is("SERVER.AUTHORIZATION_EXCEPTION")(error), String(error));
    cluster.onCall = () => {};
    await within(1_000, db.table(users).upsert({ id: 2 }));
    assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), [2]);
  }));

for (const code of [43, 45, 48]) {
  test(`a partition that cannot be created (${code}) fails its own rows alone`, () =>
    withFakeCluster(1, {}, async (cluster, db) => {
      cluster.create(parts);
      // The first partition that is asked for, and it is the first one that is written to.
      cluster.onCall = ({ api, nth }) => api === "CREATE_PARTITION" && nth === 1 ? { code } : undefined;
      const handle = db.table(parts);
      await handle.lookup({ id: 0, p: "none" });
      const bad = [1, 2].map((id) => caught(handle.upsert({ id, p: "bad" })));
      const good = handle.upsert({ id: 1, p: "good" });
      handle.upsert({ id: 3, p: "bad" });
      for (const error of await within(1_000, Promise.all(bad))) {
        assert.equal((error as unknown as { serverCode: number }).serverCode, code);
      }
      assert.equal((await within(1_000, good)).partition, "good");
      assert.deepEqual((await flushed(db)).map((text) => text.split(" ")[2]), ["1"]);
      assert.equal((await within(1_000, handle.upsert({ id: 2, p: "bad" }))).partition, "bad");
    }));
}

test("rows for a table that was made anew fail; those for the new table, queued meanwhile, are written", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    await handle.upsert({ id: 1 });
    const fake = cluster.create(users);
    const second = db.table(table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"] }));
    const old = caught(handle.upsert({ id: 2 }));
    const fresh = caught(second.upsert({ id: 3 }));
    assert.equal(await within(5_000, fresh), undefined);
    assert.ok(is("SERVER.TABLE_NOT_EXIST")(await within(5_000, old)));
    await within(5_000, handle.upsert({ id: 4 }));
    assert.deepEqual(fake.bucket(0).applied.map(({ row }) => row!.id), [3, 4]);
  }));

test("a bucket without a leader holds up no other", () =>
  withFakeCluster(2, { writer: { deliveryTimeoutMs: 5_000 } }, async (cluster, db) => {
    const fake = cluster.create(wide);
    fake.bucket(1).leader = -1;
    const handle = db.table(wide);
    const acks = Array.from(
      { length: 40 },
      (_, id) => ({ id, ack: handle.upsert({ id }), bucket: fake.bucketOf({ id }) }),
    );
    await within(2_000, Promise.all(acks.filter(({ bucket }) => bucket !== 1).map(({ ack }) => ack)));
    const held = acks.filter(({ bucket }) => bucket === 1);
    assert.ok(held.length > 0 && held.every(({ ack }) => ack.state === "queued"));
    fake.bucket(1).leader = 0;
    await within(3_000, Promise.all(held.map(({ ack }) => ack)));
  }));

test("a request timeout shorter than a back-off does not end rows before their delivery deadline", () =>
  withFakeCluster(1, { requestTimeoutMs: 60 }, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.upsert({ id: 0 });
    fake.bucket(0).leader = -1;
    const ack = caught(handle.upsert({ id: 1 }));
    const before = cluster.count(API.GET_METADATA);
    await until(() => cluster.count(API.GET_METADATA) >= before + 6);
    fake.bucket(0).leader = 0;
    assert.equal(await within(3_000, ack), undefined);
  }));

test("upsertAll() and writable() end with their signal while the server stalls or the source is silent", () =>
  withFakeCluster(1, { writer: { maxBytes: 4096, batchBytes: 512 } }, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    const reason = new Error("enough");
    let asked = false;
    let returned = false;
    const silent = new AbortController();
    const source: AsyncIterable<{ id: number }> = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          asked = true;
          return new Promise(() => {});
        },
        return: () => {
          returned = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const first = handle.upsertAll(source, { signal: silent.signal });
    await until(() => asked);
    silent.abort(reason);
    await assert.rejects(within(1_000, first), reason);
    assert.ok(returned);
    cluster.onCall = ({ api }) => api === "PUT_KV" ? { silent: "undone" } : undefined;
    const stalled = new AbortController();
    const rows = Array.from({ length: 1000 }, (_, id) => ({ id, a: "x".repeat(50) }));
    const second = handle.upsertAll(rows, { signal: stalled.signal });
    await until(() => cluster.count(API.PUT_KV) > 0 && db.queuedBytes > 2000);
    stalled.abort(reason);
    await assert.rejects(within(1_000, second), reason);
    const writer = handle.writable().getWriter();
    const third = writer.write({ id: 1, a: "y" });
    await within(1_000, writer.abort(reason));
    await assert.rejects(within(1_000, Promise.all([third, writer.closed])), reason);
  }));

test("upsertAll() follows rows that wait for a table that is looked at again", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    async function* rows() {
      yield { id: 1 };
      await db.flush();
      // Somebody else finds out that the table is another one by now; the next row waits for the new look at it.
      cluster.create(users);
      await assert.rejects(handle.lookup({ id: 1 }), is("SERVER.TABLE_NOT_EXIST"));
      cluster.onCall = ({ api }) => api === "PUT_KV" ? { code: 48 } : undefined;
      yield { id: 2 };
    }
    await assert.rejects(within(5_000, handle.upsertAll(rows())), is("SERVER.AUTHORIZATION_EXCEPTION"));
  }));

test("buckets of many partitions are forgotten once nothing is written, with the writer id that they counted under", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    const fake = cluster.create(parts);
    const handle = db.table(parts);
    await handle.lookup({ id: 1, p: "x" });
    for (let p = 0; p < 1001; p++) cluster.createPartition(fake, `p${p}`);
    for (let p = 0; p < 1001; p++) handle.upsert({ id: 1, p: `p${p}` });
    await within(10_000, db.flush());
    assert.equal(cluster.count(API.INIT_WRITER), 1);
    for (const p of ["p0", "p1000"]) await within(1_000, handle.upsert({ id: 2, p }));
    assert.equal(cluster.count(API.INIT_WRITER), 2);
    assert.deepEqual(fake.bucket(0, "p0").applied.map(({ row }) => row!.id), [1, 2]);
    assert.deepEqual([...fake.bucket(0, "p0").writers.keys()], [100n, 101n]);
  }));

test("a bucket whose server is under pressure rests", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    await handle.upsert({ id: 0 });
    cluster.pressure = 0.25;
    await handle.upsert({ id: 1 });
    cluster.pressure = undefined;
    const began = performance.now();
    await within(2_000, handle.upsert({ id: 2 }));
    const ms = performance.now() - began;
    assert.ok(ms > 150, `3000 ms x 0.25 x 0.25 would be 187 ms; it was ${ms}`);
    const then = performance.now();
    await handle.upsert({ id: 3 });
    assert.ok(performance.now() - then < 150);
  }));

test("no alarm, timer or queue is left behind by what was written and closed", async () => {
  const cluster = await FakeCluster.start(1);
  try {
    const fake = cluster.create(users);
    const { FlussClient } = await import("../../../../src/client/client.ts");
    const { readOptions } = await import("../../../../src/query/options.ts");
    const { Db } = await import("../../../../src/query/db.ts");
    const client = new FlussClient(readOptions(cluster.url).client);
    const db = new Db(client, undefined);
    await db.table(users).upsert({ id: 1 });
    fake.bucket(0).leader = -1;
    cluster.onPut = () => ({ code: 26 });
    const failed = [caught(db.table(users).upsert({ id: 2 })), caught(db.table(users).lookup({ id: 1 }))];
    await until(() => cluster.count(API.GET_METADATA) > 3);
    await db.close({ drop: true });
    await Promise.all(failed);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(client.alarms.size, 0);
  } finally {
    await cluster.close();
  }
});
