// How a client finds servers, finds them again, and does not ask too often.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { connect, FlussError, t, table } from "../../../../mod.ts";
import { Alarms } from "../../../../src/base/alarms.ts";
import { ConnectionPool } from "../../../../src/client/rpc/pool.ts";
import { dial } from "../../../../src/client/transport/dial.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { FakeCluster, until, withFakeCluster, within } from "../../../fake_cluster.ts";

const users = table("d.users", { id: t.int(), a: t.string() }, { primaryKey: ["id"], buckets: 3 });
const is = (code: FlussError["code"]) => (error: unknown) => FlussError.is(error, code);

/** A port on which nothing listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("any of several bootstrap addresses will do, and they stay a fallback", async () => {
  const cluster = await FakeCluster.start(2);
  const [first, second] = [cluster.tabletServers.get(0)!.port, cluster.tabletServers.get(1)!.port];
  try {
    const fake = cluster.create(users);
    const hosts = [await deadPort(), cluster.coordinator.port].map((port) => `127.0.0.1:${port}`).join(",");
    const db = await within(5_000, connect(`fluss://${hosts}`));
    const handle = db.table(users);
    await handle.upsert({ id: 1, a: "x" });
    // Every server that the client knows goes away, and others take over at other ports. Only the coordinator, which
    // metadata requests do not go to while tablet servers answer, knows of them.
    await Promise.all([cluster.stopTablet(0), cluster.stopTablet(1)]);
    await cluster.startTablet(0, await deadPort());
    await cluster.startTablet(1, await deadPort());
    assert.notDeepEqual([cluster.tabletServers.get(0)!.port, cluster.tabletServers.get(1)!.port], [first, second]);
    assert.equal((await within(10_000, handle.lookup({ id: 1 })))?.a, "x");
    await within(10_000, Promise.all(Array.from({ length: 10 }, (_, id) => handle.upsert({ id, a: "y" }))));
    assert.equal(fake.rows().size, 10);
    await db.close();
  } finally {
    await cluster.close();
  }
});

test("no address that answers: CONNECTION.REFUSED, in time", async () => {
  await assert.rejects(
    within(5_000, connect(`fluss://127.0.0.1:${await deadPort()},127.0.0.1:${await deadPort()}`)),
    is("CONNECTION.REFUSED"),
  );
});

test("an address that rests, asked with no time left, leaves no rejection unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  const pool = new ConnectionPool({ dial, alarms: new Alarms(), requestTimeoutMs: 1_000 });
  try {
    const port = await deadPort();
    await assert.rejects(pool.get("127.0.0.1", port), is("CONNECTION.REFUSED"));
    await assert.rejects(pool.get("127.0.0.1", port, { timeoutMs: 0 }), is("TIMEOUT.REQUEST"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(unhandled, []);
  } finally {
    pool.close();
    process.off("unhandledRejection", note);
  }
});

test("a cluster that starts: no tablet servers yet, then some", async () => {
  const cluster = await FakeCluster.start(1);
  try {
    cluster.listed = [];
    cluster.onCall = ({ api, nth }) => {
      if (api === "GET_METADATA" && nth === 2) cluster.listed = undefined;
    };
    const db = await within(5_000, connect(cluster.url));
    assert.equal(cluster.count(API.GET_METADATA), 2);
    await db.close();
  } finally {
    await cluster.close();
  }
});

test("while a leader is missing for two seconds, thousands of lookups and rows cost a bounded number of questions", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 1 });
    for (const bucket of fake.buckets) bucket.leader = -1;
    cluster.onLookup = () => ({ code: 44 });
    const before = cluster.count(API.GET_METADATA);
    const waiting: Promise<unknown>[] = [];
    const end = performance.now() + 2_000;
    for (let id = 0; performance.now() < end; id++) {
      for (let i = 0; i < 20; i++) waiting.push(handle.lookup({ id }), Promise.resolve(handle.upsert({ id, a: "x" })));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const asked = cluster.count(API.GET_METADATA) - before;
    assert.ok(asked <= 110, `${asked} questions in two seconds`);
    for (const bucket of fake.buckets) bucket.leader = 0;
    cluster.onLookup = () => {};
    await within(5_000, Promise.all(waiting));
  }));

test("one lookup and one row alone, without a leader, ask ever less often", () =>
  withFakeCluster(1, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 1 });
    for (const bucket of fake.buckets) bucket.leader = -1;
    const before = cluster.count(API.GET_METADATA);
    const row = handle.upsert({ id: 1, a: "x" });
    const lookup = handle.lookup({ id: 1 }, { timeoutMs: 2_000 }).catch(() => {});
    await lookup;
    const asked = cluster.count(API.GET_METADATA) - before;
    assert.ok(asked > 2 && asked <= 25, `${asked} questions in two seconds`);
    for (const bucket of fake.buckets) bucket.leader = 0;
    await within(5_000, row);
  }));

test("a server that fails to answer metadata is passed over", () =>
  withFakeCluster(3, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    const handle = db.table(users);
    await handle.lookup({ id: 1 });
    cluster.onCall = ({ api, server }) => api === "GET_METADATA" && server !== 2 ? { hangUp: "undone" } : undefined;
    for (const bucket of fake.buckets) bucket.leader = 2;
    await within(5_000, Promise.all(Array.from({ length: 9 }, (_, id) => handle.upsert({ id, a: "x" }))));
    assert.equal(fake.rows().size, 9);
  }));

for (const outcome of [{ code: 1 }, { hangUp: "undone" }] as const) {
  test(`servers that are all out for a moment are asked again (${Object.keys(outcome)[0]})`, () =>
    withFakeCluster(3, {}, async (cluster, db) => {
      cluster.create(users);
      const failures = new Map<string, number>();
      cluster.onCall = ({ api }) => {
        const before = failures.get(api) ?? 0;
        if (!["GET_TABLE_INFO", "GET_METADATA"].includes(api) || before === 4) return undefined;
        failures.set(api, before + 1);
        return outcome;
      };
      assert.equal(await within(10_000, db.table(users).lookup({ id: 1 })), null);
      assert.deepEqual([...failures.values()], [4, 4]);
    }));
}

test("servers that stay out are no longer asked after a while, and what they say is told", () =>
  withFakeCluster(2, {}, async (cluster, db) => {
    cluster.create(users);
    cluster.onCall = ({ api }) => api === "GET_TABLE_INFO" ? { code: 1 } : undefined;
    await assert.rejects(within(10_000, db.table(users).lookup({ id: 1 })), is("SERVER.NETWORK_EXCEPTION"));
  }));

test("a lookup without a leader ends at its deadline, also when the alarm for that comes late", () =>
  withFakeCluster(2, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    for (const bucket of fake.buckets) bucket.leader = 1;
    cluster.listed = [0];
    const handle = db.table(users);
    await assert.rejects(handle.lookup({ id: 1 }, { timeoutMs: 40 }), is("TIMEOUT.REQUEST"));
    const { set } = Alarms.prototype;
    let late = 0;
    // That of the lookup: the others are shorter by then.
    Alarms.prototype.set = function (ms, ring) {
      const isLookups = ms > 290 && ms <= 300;
      if (isLookups) late++;
      return set.call(this, isLookups ? ms + 1000 : ms, ring);
    };
    try {
      // It would take the process with it: nothing else had a turn any more.
      await assert.rejects(within(3_000, handle.lookup({ id: 1 }, { timeoutMs: 300 })), is("TIMEOUT.REQUEST"));
      assert.ok(late > 0);
    } finally {
      Alarms.prototype.set = set;
    }
  }));

test("a leader that the cluster does not list is waited for", () =>
  withFakeCluster(2, {}, async (cluster, db) => {
    const fake = cluster.create(users);
    for (const bucket of fake.buckets) bucket.leader = 1;
    cluster.listed = [0];
    const handle = db.table(users);
    await assert.rejects(within(3_000, handle.lookup({ id: 1 }, { timeoutMs: 100 })), is("TIMEOUT.REQUEST"));
    const row = handle.upsert({ id: 1, a: "x" });
    await until(() => cluster.count(API.GET_METADATA) > 4);
    assert.equal(row.state, "queued");
    cluster.listed = undefined;
    await within(5_000, row);
  }));
