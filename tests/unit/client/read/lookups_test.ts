// Lookups against a cluster of fakes: sharing, retries, deadlines, aborts, limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../../../mod.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { until, withFakeCluster, within } from "../../../fake_cluster.ts";

const users = table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"], buckets: 3 });
const other = table("d.other", { id: t.int(), a: t.string() }, { primaryKey: ["id"] });
const parts = table("d.parts", { id: t.int(), p: t.string(), a: t.string() }, {
  primaryKey: ["id", "p"],
  partitionBy: ["p"],
});
const prefixed = table("d.prefixed", { a: t.string(), id: t.int(), n: t.int() }, {
  primaryKey: ["a", "id"],
  bucketKey: ["a"],
});
const is = (code: FlussError["code"]) => (error: unknown) => FlussError.is(error, code);

test("a lone lookup leaves at once; thousands in one tick share few requests", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    await db.table(users).upsert({ id: 1, a: "x" });
    const began = performance.now();
    assert.deepEqual(await handle.lookup({ id: 1 }), { id: 1, a: "x" });
    assert.ok(performance.now() - began < 90, `a lone lookup took ${performance.now() - began} ms`);
    assert.equal(cluster.count(API.LOOKUP), 1);
    const rows = await Promise.all(Array.from({ length: 5000 }, (_, id) => handle.lookup({ id })));
    assert.equal(rows.filter((row) => row !== null).length, 1);
    assert.ok(cluster.count(API.LOOKUP) <= 1 + 45, `${cluster.count(API.LOOKUP)} requests for 5000 keys`);
  }));

test("lookups of several tables in one tick", () =>
  withFakeCluster(2, {}, async (cluster, db) => {
    for (const declared of [users, other]) cluster.create(declared);
    await Promise.all([db.table(users).upsert({ id: 1, a: "u" }), db.table(other).upsert({ id: 1, a: "o" })]);
    const rows = await Promise.all([1, 2, 3, 4].flatMap((id) => [
      db.table(users).lookup({ id }),
      db.table(other).lookup({ id }),
    ]));
    assert.deepEqual(rows.map((row) => row?.a), ["u", "o", ...Array(6).fill(undefined)]);
  }));

for (const code of [12, 44, 21, 1, 10]) {
  test(`error ${code} of a bucket is tried again until it passes`, () =>
    withFakeCluster(1, {}, async (cluster, db) => {
      cluster.create(users);
      await db.table(users).upsert({ id: 1, a: "x" });
      let left = 3;
      cluster.onLookup = () => left-- > 0 ? { code } : undefined;
      assert.deepEqual(await within(5_000, db.table(users).lookup({ id: 1 })), { id: 1, a: "x" });
      assert.equal(left, -1);
    }));
}

test("a connection that is lost, and a server that comes back, are the client's own business", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    await db.table(users).upsert({ id: 1, a: "x" });
    cluster.onCall = ({ api, nth }) =>
      api === "LOOKUP" && nth <= 2 ? { hangUp: nth === 1 ? "midway" : "done" } : undefined;
    assert.equal((await within(5_000, db.table(users).lookup({ id: 1 })))?.a, "x");
    await cluster.stopTablet(0);
    const pending = db.table(users).lookup({ id: 1 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    await cluster.startTablet(0);
    assert.equal((await within(5_000, pending))?.a, "x");
  }));

test("a leader that moves is followed by reads and writes", () =>
  withFakeCluster(3, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    for (let turn = 0; turn < 6; turn++) {
      for (const bucket of fake.buckets) bucket.leader = turn % 3;
      const [row] = await within(
        5_000,
        Promise.all([handle.lookup({ id: 1 }), handle.upsert({ id: 1, a: `${turn}` })]),
      );
      assert.ok(turn === 0 || row !== null);
      assert.equal((await handle.lookup({ id: 1 }))?.a, `${turn}`);
    }
  }));

test("a fatal error ends a lookup at once; wrong numbers of values are no rows", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    cluster.onLookup = () => ({ code: 48 });
    await assert.rejects(db.table(users).lookup({ id: 1 }), is("SERVER.AUTHORIZATION_EXCEPTION"));
    cluster.onLookup = () => ({ fewer: 1 });
    await assert.rejects(db.table(users).lookup({ id: 1 }), is("CONNECTION.PROTOCOL"));
    cluster.onLookup = () => {};
    for (const body of [[0xff], [0x0a, 0x7f], [], [0x0a, 0x02, 0x10, 0x63]]) {
      cluster.onCall = ({ api }) => api === "LOOKUP" ? { body: new Uint8Array(body) } : undefined;
      await assert.rejects(within(5_000, db.table(users).lookup({ id: 1 })), is("CONNECTION.PROTOCOL"));
    }
  }));

test("a deadline and an abort end a lookup that is in flight, queued, or between attempts; late answers are dropped", () =>
  withFakeCluster(1, { lookup: { maxInflight: 1 } }, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    await handle.upsert({ id: 1, a: "x" });
    const late = Promise.withResolvers<void>();
    cluster.onCall = ({ api }) => api === "LOOKUP" ? { hold: late.promise } : undefined;
    const reason = new Error("enough");
    const inFlight = new AbortController();
    const queued = new AbortController();
    const first = handle.lookup({ id: 1 }, { signal: inFlight.signal });
    await until(() => cluster.count(API.LOOKUP) === 1);
    const second = handle.lookup({ id: 1 }, { signal: queued.signal });
    const third = handle.lookup({ id: 1 }, { timeoutMs: 30 });
    inFlight.abort(reason);
    queued.abort(reason);
    await assert.rejects(within(1_000, first), reason);
    await assert.rejects(within(1_000, second), reason);
    await assert.rejects(within(1_000, third), is("TIMEOUT.REQUEST"));
    late.resolve();
    cluster.onCall = () => {};
    assert.equal((await handle.lookup({ id: 1 }))?.a, "x");
    cluster.onLookup = () => ({ code: 44 });
    const retrying = new AbortController();
    const fourth = handle.lookup({ id: 1 }, { signal: retrying.signal });
    const requests = cluster.count(API.LOOKUP);
    await until(() => cluster.count(API.LOOKUP) > requests);
    retrying.abort(reason);
    await assert.rejects(within(1_000, fourth), reason);
    await assert.rejects(
      within(1_000, handle.lookup({ id: 1 }, { timeoutMs: 80 })),
      (error) => is("TIMEOUT.REQUEST")(error) && /SERVER.LEADER_NOT_AVAILABLE/.test((error as Error).message),
    );
    await assert.rejects(handle.lookup({ id: 1 }, { signal: AbortSignal.abort(reason) }), reason);
  }));

test("LOOKUP.QUEUE_FULL bounds the keys that wait, and they count no longer once they are over", () =>
  withFakeCluster(1, { lookup: { maxBytes: 2_100, maxInflight: 1 } }, async (cluster, db) => {
    cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 1 });
    const late = Promise.withResolvers<void>();
    cluster.onCall = ({ api }) => api === "LOOKUP" ? { hold: late.promise } : undefined;
    const results = await within(
      1_000,
      Promise.allSettled(Array.from({ length: 12 }, (_, id) => handle.lookup({ id }, { timeoutMs: 50 }))),
    );
    const codes = results.map((result) => result.status === "rejected" ? (result.reason as FlussError).code : "row");
    assert.deepEqual([...new Set(codes)].sort(), ["LOOKUP.QUEUE_FULL", "TIMEOUT.REQUEST"]);
    late.resolve();
    cluster.onCall = () => {};
    assert.equal((await Promise.all(Array.from({ length: 10 }, (_, id) => handle.lookup({ id })))).length, 10);
  }));

test("a partition that does not exist has no rows; insertIfMissing creates it", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    const fake = cluster.create(parts);
    fake.insertable = [{ id: 1, p: "new" }];
    const handle = db.table(parts);
    assert.equal(await handle.lookup({ id: 1, p: "none" }), null);
    assert.deepEqual(await handle.lookup({ id: 1, p: "new" }, { insertIfMissing: true }), { id: 1, p: "new", a: null });
    assert.deepEqual([...fake.partitions.keys()], ["new"]);
    cluster.onCall = ({ api }) => api === "CREATE_PARTITION" ? { code: 45 } : undefined;
    await assert.rejects(
      handle.lookup({ id: 1, p: "full" }, { insertIfMissing: true }),
      is("SERVER.PARTITION_MAX_NUM_EXCEPTION"),
    );
  }));

test("prefix lookups: rows in key order, none, and errors", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(prefixed);
    const handle = db.table(prefixed);
    await Promise.all([3, 1, 2].map((id) => handle.upsert({ a: "x", id, n: id })));
    assert.deepEqual((await handle.prefixLookup({ a: "x" })).map(({ id }) => id), [1, 2, 3]);
    assert.deepEqual(await handle.prefixLookup({ a: "y" }), []);
    cluster.onLookup = () => ({ code: 48 });
    await assert.rejects(handle.prefixLookup({ a: "x" }), is("SERVER.AUTHORIZATION_EXCEPTION"));
    let left = 2;
    cluster.onLookup = () => left-- > 0 ? { code: 12 } : undefined;
    assert.equal((await within(5_000, handle.prefixLookup({ a: "x" }))).length, 3);
  }));

test("a value with a newer schema is read by its own schema, once fetched; columns it lacks are null", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    const old = db.table(users);
    await old.upsert({ id: 1, a: "old" });
    const wider = table("d.users", { id: t.int(), a: t.string(), b: t.string() }, { primaryKey: ["id"], buckets: 3 });
    fake.evolve(wider);
    const handle = db.table(wider);
    assert.deepEqual(await handle.lookup({ id: 1 }), { id: 1, a: "old", b: null });
    await handle.upsert({ id: 2, a: "new", b: "b" });
    const before = cluster.count(API.GET_TABLE_SCHEMA);
    const rows = await Promise.all([
      old.lookup({ id: 2 }),
      old.lookup({ id: 2 }, { select: ["a"] }),
      old.lookup({ id: 2 }),
    ]);
    assert.deepEqual(rows, [{ id: 2, a: "new" }, { a: "new" }, { id: 2, a: "new" }]);
    assert.ok(cluster.count(API.GET_TABLE_SCHEMA) - before <= 1);
  }));

test("a table that was made anew: the lookups of old handles end, and the next ones find it", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    await db.table(users).upsert({ id: 1, a: "x" });
    cluster.create(users);
    // A second handle learns of the new table first, while the leaders that are known are those of the old one.
    const again = table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"], buckets: 3 });
    await assert.rejects(
      within(5_000, db.table(users).lookup({ id: 1 }, { timeoutMs: 2_000 })),
      is("SERVER.TABLE_NOT_EXIST"),
    );
    assert.equal(await within(5_000, db.table(again).lookup({ id: 1 })), null);
    cluster.create(users);
    assert.equal(
      await within(
        5_000,
        db.table(table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"], buckets: 3 })).lookup({
          id: 1,
        }),
      ),
      null,
    );
  }));

test("a new handle on a table that was made anew does not spin on leaders of the old one", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    await db.table(users).upsert({ id: 1, a: "x" });
    cluster.create(users);
    const again = table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"], buckets: 3 });
    assert.equal(await within(5_000, db.table(again).lookup({ id: 1 })), null);
  }));

test("with one request at a time, a busy server does not keep the others waiting", () =>
  withFakeCluster(2, { lookup: { maxInflight: 1 } }, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await Promise.all(Array.from({ length: 20 }, (_, id) => handle.upsert({ id, a: "x" })));
    const ids = Array.from({ length: 20 }, (_, id) => id);
    const busy = ids.find((id) => fake.bucket(fake.bucketOf({ id })).leader === 0)!;
    const quiet = ids.find((id) => fake.bucket(fake.bucketOf({ id })).leader === 1)!;
    await Promise.all([handle.lookup({ id: busy }), handle.lookup({ id: quiet })]);
    let stop = false;
    let done = 0;
    const load = Array.from({ length: 20 }, async () => {
      while (!stop) {
        await handle.lookup({ id: busy });
        done++;
      }
    });
    await until(() => done > 100);
    const before = done;
    await within(3_000, handle.lookup({ id: quiet }));
    stop = true;
    await Promise.all(load);
    assert.ok(done - before < 500, `${done - before} lookups went before it`);
  }));

test("a table that was dropped", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    cluster.create(users);
    await db.table(users).lookup({ id: 1 });
    cluster.tables.clear();
    await assert.rejects(within(5_000, db.table(users).lookup({ id: 1 })), is("SERVER.TABLE_NOT_EXIST"));
    await assert.rejects(within(5_000, db.table(users).lookup({ id: 1 })), is("SERVER.TABLE_NOT_EXIST"));
  }));
