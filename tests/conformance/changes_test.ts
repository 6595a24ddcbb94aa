import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  type CheckpointStore,
  connect,
  type Db,
  fileCheckpoints,
  FlussError,
  memoryCheckpoints,
  type PartitionChange,
  type Subscription,
  t,
  table,
  tableCheckpoints,
} from "../../mod.ts";
import { RowAppender } from "../append_rows.ts";
import { runScript } from "../child.ts";
import { needsAddress, needsCluster, target } from "../cluster.ts";
import { withDatabase } from "./target.ts";

interface AnyChange {
  readonly op: string;
  readonly row: unknown;
  readonly before?: unknown;
  readonly offset: bigint;
  readonly bucket: number;
  readonly timestamp: Temporal.Instant;
  readonly partition?: string;
  readonly table?: string;
}

/** The first changes of a subscription, which ends then. */
async function take<X>(changes: Subscription<X>, count: number): Promise<X[]> {
  const found: X[] = [];
  if (count === 0) return found;
  for await (const change of changes) {
    found.push(change);
    if (found.length === count) break;
  }
  return found;
}

/** What happened, without where and when. */
function told({ op, row, before }: AnyChange): unknown {
  return before === undefined ? [op, row] : [op, row, before];
}

const refusedWith = (code: Parameters<typeof FlussError.is>[1]) => (error: unknown) => FlussError.is(error, code);

const users = table("users", { id: t.int(), name: t.string(), age: t.int() }, { primaryKey: ["id"], buckets: 1 });

/** Inserts 1 and 2, updates 1 in whole and in part, removes 2. */
async function writeUsers(db: Db): Promise<void> {
  await db.admin.create(users);
  const handle = db.table(users);
  for (let written = false; !written;) {
    try {
      await handle.upsert({ id: 1, name: "a", age: 1 });
      written = true;
    } catch (error) {
      // For a moment, servers may still lead to the table that had the name before.
      if (!FlussError.is(error, "SERVER.TABLE_NOT_EXIST")) throw error;
    }
  }
  await handle.upsert({ id: 2, name: "b" });
  await handle.upsert({ id: 1, name: "A", age: 1 });
  await handle.update({ id: 1, age: 7 });
  await handle.delete({ id: 2 });
}

const USERS = [
  ["insert", { id: 1, name: "a", age: 1 }],
  ["insert", { id: 2, name: "b", age: null }],
  ["update", { id: 1, name: "A", age: 1 }, { id: 1, name: "a", age: 1 }],
  ["update", { id: 1, name: "A", age: 7 }, { id: 1, name: "A", age: 1 }],
  ["delete", { id: 2, name: "b", age: null }],
];

test(
  "inserts, updates with both rows, partial updates and deletes are told as they were written",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const before = Date.now();
      await writeUsers(db);
      const found = await take<AnyChange>(db.table(users).changes(), 5);
      assert.deepEqual(found.map(told), USERS);
      assert.deepEqual(found.map(({ offset }) => offset), [0n, 1n, 3n, 5n, 6n]);
      for (const change of found) {
        assert.equal(change.bucket, 0);
        assert.ok(!("partition" in change) && !("table" in change));
        assert.ok(Math.abs(change.timestamp.epochMilliseconds - before) < 60_000, String(change.timestamp));
      }
      const raw = await take<AnyChange>(db.table(users).changes({ raw: true, select: ["name"] }), 7);
      assert.deepEqual(raw.map(({ op, row }) => [op, row]), [
        ["+I", { name: "a" }],
        ["+I", { name: "b" }],
        ["-U", { name: "a" }],
        ["+U", { name: "A" }],
        ["-U", { name: "A" }],
        ["+U", { name: "A" }],
        ["-D", { name: "b" }],
      ]);
      const untyped = (await db.table(`${(await db.admin.describe(users)).path.database}.users`)).changes();
      assert.deepEqual((await take<AnyChange>(untyped, 5)).map(told), USERS);
    }),
);

test(
  "each merge engine tells its own changes; with a WAL image there is no row before",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const columns = { id: t.int(), v: t.bigint() };
      const primaryKey = ["id"] as const;
      const first = table("first", columns, { primaryKey, buckets: 1, mergeEngine: "first_row" });
      const versioned = table("versioned", columns, { primaryKey, buckets: 1, mergeEngine: { versioned: "v" } });
      const sums = table("sums", { id: t.int(), v: t.bigint().agg("sum") }, {
        primaryKey,
        buckets: 1,
        mergeEngine: "aggregation",
        deleteBehavior: "allow",
      });
      const wal = table("wal", columns, { primaryKey, buckets: 1, changelog: "wal" });
      for (const one of [first, versioned, sums, wal]) await db.admin.create(one);
      for (const v of [5n, 4n, 6n]) {
        for (const one of [first, versioned, sums, wal]) await db.table(one).upsert({ id: 1, v });
      }
      await db.table(sums).delete({ id: 1 });
      await db.table(wal).delete({ id: 1 });
      await db.table(first).upsert({ id: 2, v: 0n });
      const insert = ["insert", { id: 1, v: 5n }];
      assert.deepEqual((await take<AnyChange>(db.table(first).changes(), 2)).map(told), [
        insert,
        ["insert", { id: 2, v: 0n }],
      ]);
      assert.deepEqual((await take<AnyChange>(db.table(versioned).changes(), 2)).map(told), [
        insert,
        ["update", { id: 1, v: 6n }, { id: 1, v: 5n }],
      ]);
      assert.deepEqual((await take<AnyChange>(db.table(sums).changes(), 4)).map(told), [
        insert,
        ["update", { id: 1, v: 9n }, { id: 1, v: 5n }],
        ["update", { id: 1, v: 15n }, { id: 1, v: 9n }],
        ["delete", { id: 1, v: 15n }],
      ]);
      const images = await take(db.table(wal).changes(), 4);
      assert.deepEqual(images.map(({ op, row }) => [op, row]), [
        ["update", { id: 1, v: 5n }],
        ["update", { id: 1, v: 4n }],
        ["update", { id: 1, v: 6n }],
        ["delete", { id: 1, v: 6n }],
      ]);
      assert.ok(images.every((change) => change.op !== "update" || change.before === undefined));
    }),
);

test(
  "CHARs of INDEXED rows come without padding, and conditions see them so",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const codes = table("codes", { id: t.int(), code: t.char(4) }, {
        primaryKey: ["id"],
        buckets: 1,
        kv: { format: "indexed" },
      });
      await db.admin.create(codes);
      await db.table(codes).upsert({ id: 1, code: "ab" });
      await db.table(codes).upsert({ id: 2, code: "abcd" });
      const all = await take<AnyChange>(db.table(codes).changes(), 2);
      assert.deepEqual(all.map(({ row }) => row), [{ id: 1, code: "ab" }, { id: 2, code: "abcd" }]);
      const [one] = await take(db.table(codes).changes({ where: (c) => c.code.eq("ab") }), 1);
      assert.equal(one?.row.id, 1);
    }),
);

test(
  "a condition tells what comes into a set of rows, what changes in it and what leaves it",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      for (const [id, age] of [[1, 10], [2, 50], [1, 60], [2, 51], [1, 11], [1, 12]] as const) {
        await handle.upsert({ id, name: "x", age });
      }
      await handle.delete({ id: 1 });
      await handle.delete({ id: 2 });
      const changes = handle.changes({ where: (c) => c.age.gte(50), select: ["id"] });
      assert.deepEqual((await take<AnyChange>(changes, 5)).map(told), [
        ["insert", { id: 2 }],
        ["update", { id: 1 }, { id: 1 }],
        ["update", { id: 2 }, { id: 2 }],
        ["update", { id: 1 }, { id: 1 }],
        ["delete", { id: 2 }],
      ]);
    }),
);

test(
  "who stops at any change and resumes by the token misses none, and sees the one in hand again",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await writeUsers(db);
      const handle = db.table(users);
      for (let stop = 1; stop <= USERS.length; stop++) {
        const first = handle.changes();
        assert.deepEqual((await take<AnyChange>(first, stop)).map(told), USERS.slice(0, stop));
        const rest = handle.changes({ from: { token: first.checkpoint() } });
        assert.deepEqual((await take<AnyChange>(rest, USERS.length - stop + 1)).map(told), USERS.slice(stop - 1));
      }
      // Once the next is asked for, the one before is covered.
      await using all = handle.changes();
      const iterator = all[Symbol.asyncIterator]();
      for (let i = 0; i < USERS.length; i++) await iterator.next();
      const waiting = iterator.next();
      await handle.upsert({ id: 9, name: "after", age: null });
      const after = await take<AnyChange>(handle.changes({ from: { token: all.checkpoint() } }), 1);
      assert.deepEqual(after.map(told), [["insert", { id: 9, name: "after", age: null }]]);
      assert.equal((await waiting).value?.row.id, 9);
    }),
);

test("a batch's checkpoint is at its edge, also when it is read later", needsCluster, () =>
  withDatabase(async (db) => {
    await writeUsers(db);
    const handle = db.table(users);
    const tokens: { readonly seen: number; readonly token: () => string }[] = [];
    let seen = 0;
    await using changes = handle.changes();
    for await (const batch of changes.batches()) {
      seen += batch.length;
      tokens.push({ seen, token: () => batch.checkpoint });
      if (seen === USERS.length) break;
    }
    assert.ok(tokens.length > 1);
    for (const { seen, token } of tokens) {
      const rest = await take<AnyChange>(handle.changes({ from: { token: token() } }), USERS.length - seen);
      assert.deepEqual(rest.map(told), USERS.slice(seen));
    }
  }));

test("a start between the rows of an update tells the update whole", needsCluster, () =>
  withDatabase(async (db) => {
    await writeUsers(db);
    // Offsets 2 and 3 are the rows of one update, 4 and 5 those of the next.
    for (const [offset, first] of [[0n, 0], [1n, 1], [2n, 2], [3n, 2], [4n, 3], [5n, 3], [6n, 4]] as const) {
      const changes = db.table(users).changes({ from: { offsets: [{ bucket: 0, offset }] } });
      assert.deepEqual((await take<AnyChange>(changes, 5 - first)).map(told), USERS.slice(first), `from ${offset}`);
    }
  }));

const clicks = table("clicks", { url: t.string().notNull(), ms: t.int() }, { buckets: 2 });

test(
  "log tables tell appends, from any of the places to start, per bucket in order",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(clicks);
      await using appender = new RowAppender(database);
      const batch = (from: number) => Array.from({ length: 3 }, (_, i) => ({ url: "/", ms: from + i }));
      await appender.append(clicks, batch(0));
      await appender.append(clicks, batch(10), { bucket: 1 });
      const [last] = await take<AnyChange>(
        db.table(clicks).changes({ from: { offsets: [{ bucket: 0, offset: 2n }] } }),
        1,
      );
      assert.deepEqual(told(last!), ["append", { url: "/", ms: 2 }]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const between = last!.timestamp.epochMilliseconds + 10;
      await appender.append(clicks, batch(3));
      const all = await take(db.table(clicks).changes(), 9);
      for (const bucket of [0, 1]) {
        const own = all.filter((change) => change.bucket === bucket);
        assert.deepEqual(own.map(({ row }) => row.ms), bucket === 0 ? [0, 1, 2, 3, 4, 5] : [10, 11, 12]);
        assert.deepEqual(own.map(({ offset }) => offset), own.map((_, i) => BigInt(i)));
      }
      const later = await take(
        db.table(clicks).changes({ from: { timestamp: between }, where: (c) => c.ms.lt(10) }),
        3,
      );
      assert.deepEqual(later.map(({ row }) => row.ms), [3, 4, 5]);
      await using behind = db.table(clicks).changes();
      const iterator = behind[Symbol.asyncIterator]();
      for (let left = 8; left >= 0; left--) {
        await iterator.next();
        assert.ok(behind.lag <= BigInt(left) && (left > 0 || behind.lag === 0n), `lag ${behind.lag} of ${left}`);
      }
      // From the end: what is there already is not told, and what comes is, as soon as it is there.
      let found = false;
      const live = take(db.table(clicks).changes({ from: "latest" }), 1).finally(() => found = true);
      while (!found) {
        await appender.append(clicks, [{ url: "/live", ms: null }], { bucket: 1 });
        await Promise.race([live, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      assert.equal((await live)[0]?.row.url, "/live");
    }),
);

const days = table("days", { day: t.string(), id: t.int() }, {
  primaryKey: ["day", "id"],
  partitionBy: ["day"],
  buckets: 2,
});

test(
  "partitions that come are read from their start, those that go end quietly, and both are told",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(days);
      const handle = db.table(days);
      await handle.upsert({ day: "a", id: 1 });
      const news: PartitionChange[] = [];
      await using changes = handle.changes({ discoverMs: 50 });
      const silent = changes.on("partition", () => assert.fail("this listener was taken away"));
      silent();
      let told = Promise.withResolvers<void>();
      changes.on("partition", (change) => {
        news.push(change);
        told.resolve();
      });
      const iterator = changes[Symbol.asyncIterator]();
      assert.deepEqual((await iterator.next()).value?.row, { day: "a", id: 1 });
      const waiting = iterator.next();
      await handle.upsert({ day: "b", id: 2 });
      const { value } = await waiting;
      assert.deepEqual([value?.row, value?.partition], [{ day: "b", id: 2 }, "b"]);
      assert.deepEqual(news.map(({ change, partition }) => [change, partition]), [["added", "b"]]);
      const after = iterator.next();
      const token = changes.checkpoint();
      told = Promise.withResolvers();
      await db.admin.dropPartition(days, { day: "a" });
      await told.promise;
      assert.deepEqual(news.map(({ change, partition }) => [change, partition]).slice(1), [["dropped", "a"]]);
      await handle.upsert({ day: "b", id: 3 });
      assert.equal((await after).value?.row.id, 3);
      // The token knows of a partition that is gone, and not of one that came since.
      await handle.upsert({ day: "c", id: 4 });
      const resumed = await take(handle.changes({ from: { token } }), 2);
      assert.deepEqual(resumed.map(({ row }) => row.id).sort(), [3, 4]);
    }),
);

test("what a partition listener throws ends the subscription", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(days);
    const handle = db.table(days);
    await handle.upsert({ day: "w", id: 0 });
    await using changes = handle.changes({ discoverMs: 20 });
    changes.on("partition", ({ partition }) => {
      throw new Error(`not ${partition}`);
    });
    const iterator = changes[Symbol.asyncIterator]();
    await iterator.next();
    const waiting = iterator.next();
    waiting.catch(() => {});
    await handle.upsert({ day: "x", id: 1 });
    await assert.rejects(waiting, /not x/);
    assert.equal((await iterator.next()).done, true);
  }));

test(
  "tokens of other tables, and of a table that was made anew, are refused",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await writeUsers(db);
      await db.admin.create(clicks);
      const first = db.table(users).changes();
      await take(first, 2);
      const token = first.checkpoint();
      const mismatch = refusedWith("SUBSCRIPTION.TOKEN_MISMATCH");
      await assert.rejects(take(db.table(clicks).changes({ from: { token } }), 1), mismatch);
      await assert.rejects(take(db.changes([users, clicks], { from: { token } }), 1), mismatch);
      await db.admin.drop(users);
      await writeUsers(db);
      await assert.rejects(take(db.table(users).changes({ from: { token } }), 1), mismatch);
      await using other = await connect(target!.url, { database });
      await assert.rejects(take(other.table(users).changes({ from: { token } }), 1), mismatch);
      assert.throws(
        () => db.table(users).changes({ from: { token: token.slice(0, -1) } }),
        refusedWith("SUBSCRIPTION.BAD_TOKEN"),
      );
      // Behind the end: nothing has expired, so no policy helps.
      const beyond = { from: { offsets: [{ bucket: 0, offset: 100n }] }, onExpired: "earliest" } as const;
      await assert.rejects(
        take(db.table(users).changes(beyond), 1),
        (error) => FlussError.is(error, "SUBSCRIPTION.OFFSET_OUT_OF_RANGE") && /0 to 7/.test(error.message),
      );
    }),
);

test("several tables share a subscription and its token", needsCluster, () =>
  withDatabase(async (db, database) => {
    await writeUsers(db);
    await db.admin.create(clicks);
    await using appender = new RowAppender(database);
    await appender.append(clicks, [{ url: "/a", ms: 1 }, { url: "/b", ms: 2 }], { bucket: 1 });
    const first = db.changes([users, clicks]);
    const all = await take(first, 7);
    assert.deepEqual(all.filter((change) => change.table === "users").map(told), USERS);
    const urls = all.flatMap((change) => change.table === "clicks" ? [change.row.url] : []);
    assert.deepEqual(urls, ["/a", "/b"]);
    const rest = await take(db.changes([clicks, users], { from: { token: first.checkpoint() } }), 1);
    assert.deepEqual(rest, all.slice(-1));
  }));

test(
  "abort, break, return and disposal end a subscription at once, also one that waits",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await writeUsers(db);
      const handle = db.table(users);
      const reason = new Error("enough");
      const stop = new AbortController();
      const aborted = handle.changes({ from: "latest", signal: stop.signal })[Symbol.asyncIterator]();
      const waiting = aborted.next();
      stop.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
      assert.equal((await aborted.next()).done, true);
      await assert.rejects(take(handle.changes({ signal: stop.signal }), 1), (error) => error === reason);
      // In the middle of what is buffered.
      const middle = new AbortController();
      const seen: number[] = [];
      await assert.rejects(async () => {
        for await (const { row } of handle.changes({ signal: middle.signal })) {
          seen.push(row.id);
          if (seen.length === 2) middle.abort(reason);
        }
      }, (error) => error === reason);
      assert.equal(seen.length, 2);
      for (const end of ["return", "dispose"] as const) {
        const changes = handle.changes({ from: "latest" });
        const iterator = changes[Symbol.asyncIterator]();
        const pending = iterator.next();
        if (end === "return") await iterator.return!();
        else await changes[Symbol.asyncDispose]();
        assert.deepEqual(await pending, { done: true, value: undefined });
        assert.equal((await iterator.next()).done, true);
      }
      // The connection's end is an error: the subscription did not want it.
      const own = await connect(target!.url);
      const lost = own.changes([table(`${(await db.admin.describe(users)).path.database}.users`, users.columns, {
        primaryKey: ["id"],
        buckets: 1,
      })], { from: "latest" })[Symbol.asyncIterator]().next();
      lost.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 100));
      await own.close();
      await assert.rejects(lost, refusedWith("CONNECTION.CLOSED"));
    }),
);

test(
  "a subscription has one reader, and says what was wrong with its options",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await writeUsers(db);
      const handle = db.table(users);
      await using changes = handle.changes();
      assert.throws(() => changes.checkpoint(), refusedWith("SUBSCRIPTION.NOT_STARTED"));
      changes[Symbol.asyncIterator]();
      const inUse = refusedWith("SUBSCRIPTION.IN_USE");
      assert.throws(() => changes[Symbol.asyncIterator](), inUse);
      assert.throws(() => changes.batches()[Symbol.asyncIterator](), inUse);
      const store = memoryCheckpoints();
      const bad: readonly [unknown, Parameters<typeof FlussError.is>[1]][] = [
        [{ form: "earliest" }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ raw: 1 }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ onExpired: "latest!" }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ discoverMs: 0 }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ signal: {} }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ checkpoint: { store } }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ checkpoint: { store: {}, id: "a" } }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ checkpoint: { store, id: "a", everyRows: 0 } }, "SUBSCRIPTION.BAD_OPTIONS"],
        [{ from: "now" }, "SCAN.BAD_POSITION"],
        [{ from: { token: "" } }, "SUBSCRIPTION.BAD_TOKEN"],
        [{ select: ["nope"] }, "SCAN.UNKNOWN_COLUMN"],
        [{ select: [] }, "SCAN.BAD_SELECT"],
        [{ where: { op: "eq", column: "id", value: undefined } }, "PREDICATE.UNDEFINED_VALUE"],
      ];
      for (const [options, code] of bad) {
        assert.throws(() => handle.changes(options as never), refusedWith(code), JSON.stringify(options));
      }
      assert.throws(() => changes.on("nothing" as never, () => {}), refusedWith("SUBSCRIPTION.BAD_OPTIONS"));
      assert.throws(() => db.changes([]), refusedWith("SUBSCRIPTION.BAD_OPTIONS"));
      assert.throws(() => db.changes([users, users]), refusedWith("SUBSCRIPTION.BAD_OPTIONS"));
      assert.throws(() => db.changes([users, clicks], { from: "snapshot" }), refusedWith("SCAN.BAD_POSITION"));
      const unknown = { from: { offsets: [{ bucket: 7, offset: 0n }] } };
      await assert.rejects(take(handle.changes(unknown), 1), refusedWith("SCAN.UNKNOWN_BUCKET"));
      // What is in a snapshot is tested where servers have them, in tests/next.
      if (target!.kind === "cluster") {
        await assert.rejects(
          take(handle.changes({ from: "snapshot" }), 1),
          refusedWith("SUBSCRIPTION.SNAPSHOT_UNSUPPORTED"),
        );
      }
    }),
);

test(
  "managed checkpoints go on where the last process was, in every kind of store",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await writeUsers(db);
      const folder = await mkdtemp(join(tmpdir(), "sluice-"));
      try {
        const stores = [memoryCheckpoints(), fileCheckpoints(folder), tableCheckpoints(db, `${database}.checkpoints`)];
        for (const store of stores) {
          const ids: number[] = [];
          const checkpoint = { store, id: "etl/1", everyRows: 2, everyMs: 3_600_000 };
          for (let round = 0; round < USERS.length - 1; round++) {
            await using changes = db.table(users).changes({ checkpoint });
            for (const { offset } of await take(changes, 2)) ids.push(Number(offset));
          }
          // Each round deals with one change for sure, and has the next in hand when it ends.
          assert.deepEqual(ids, [0, 1, 1, 3, 3, 5, 5, 6]);
          assert.match(await store.get("etl/1") ?? "", /^[\w-]{10,}$/);
          assert.equal(await store.get("../etl"), undefined);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }),
);

test(
  "managed checkpoints are saved after rows, after time while waiting, and failures are told",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await writeUsers(db);
      const saves: string[] = [];
      let saved = Promise.withResolvers<void>();
      const store: CheckpointStore = {
        get: () => Promise.resolve(undefined),
        set(_, token) {
          saves.push(token);
          saved.resolve();
          return Promise.resolve();
        },
      };
      const handle = db.table(users);
      {
        await using changes = handle.changes({ checkpoint: { store, id: "a", everyRows: 2 } });
        await take(changes, 5);
      }
      // After 2 and 4 changes when the next was asked for, and the end adds nothing.
      assert.equal(saves.length, 2);
      saves.length = 0;
      saved = Promise.withResolvers();
      {
        await using changes = handle.changes({ checkpoint: { store, id: "a", everyMs: 50 } });
        const iterator = changes[Symbol.asyncIterator]();
        for (let i = 0; i < 5; i++) await iterator.next();
        const waiting = iterator.next();
        await saved.promise;
        await handle.upsert({ id: 8, name: "after", age: null });
        assert.equal((await waiting).value?.row.id, 8);
        const from = { token: saves.at(-1)! };
        assert.equal((await take(handle.changes({ from }), 1))[0]?.row.id, 8);
      }
      const failing = refusedWith("SUBSCRIPTION.CHECKPOINT_FAILED");
      const broken: CheckpointStore = { get: store.get, set: () => Promise.reject(new Error("disk full")) };
      await assert.rejects(
        take(handle.changes({ checkpoint: { store: broken, id: "a", everyRows: 1 } }), 3),
        (error) => failing(error) && /disk full/.test(String(error)),
      );
      const unreadable: CheckpointStore = { get: () => Promise.reject(new Error("no access")), set: store.set };
      await assert.rejects(take(handle.changes({ checkpoint: { store: unreadable, id: "a" } }), 1), failing);
      // While waiting, and at the end.
      const waits = handle.changes({ checkpoint: { store: broken, id: "a", everyMs: 20 } })[Symbol.asyncIterator]();
      await assert.rejects(async () => {
        while (true) await waits.next();
      }, failing);
      const ends = handle.changes({ checkpoint: { store: broken, id: "a" } });
      const iterator = ends[Symbol.asyncIterator]();
      await iterator.next();
      await iterator.next();
      await assert.rejects(async () => await ends[Symbol.asyncDispose](), failing);
    }),
);

test(
  "a process that is killed between sink and checkpoint loses no change",
  needsAddress,
  () =>
    withDatabase(async (db, database) => {
      const numbers = table("numbers", { id: t.int() }, { primaryKey: ["id"], buckets: 3 });
      await db.admin.create(numbers);
      const COUNT = 60;
      for (let id = 0; id < COUNT; id++) db.table(numbers).upsert({ id });
      await db.flush();
      const folder = await mkdtemp(join(tmpdir(), "sluice-"));
      try {
        const sink = join(folder, "sink");
        const script = new URL("../changes_child.ts", import.meta.url);
        const args = [target!.url, `${database}.numbers`, folder, sink];
        const seen = async () => (await readFile(sink, "utf8")).trimEnd().split("\n").map(Number);
        for (const changes of [7, 13, 1, 20]) {
          const { code } = await runScript(script, [...args, String(changes), "kill"], ["-A"]);
          assert.notEqual(code, 0, "the process was to be killed");
        }
        const killed = await seen();
        assert.equal(killed.length, 41, "each process wrote what it was to write");
        const { code, output } = await runScript(script, [...args, String(COUNT), "end"], ["-A"]);
        assert.equal(code, 0, output);
        const all = await seen();
        assert.deepEqual([...new Set(all)].sort((a, b) => a - b), Array.from({ length: COUNT }, (_, id) => id));
        assert.ok(all.length > COUNT, "what was in hand comes again");
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }),
);

test(
  "a subscription until the latest change ends with it, also where the last write changed nothing",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(clicks);
      assert.deepEqual(await collect(db.table(clicks).changes({ until: "latest" })), []);
      await writeUsers(db);
      // An empty batch takes an offset, too.
      await db.table(users).delete({ id: 4711 });
      const all = await collect(db.table(users).changes({ until: "latest", raw: true }));
      assert.ok(all.length >= USERS.length, `${all.length} records`);
      assert.equal((await collect(db.table(users).changes({ until: "latest", from: "latest" }))).length, 0);
      assert.throws(
        () => db.table(users).changes({ until: "never" as "latest" }),
        refusedWith("SUBSCRIPTION.BAD_OPTIONS"),
      );
    }),
);

async function collect<X>(changes: AsyncIterable<X>): Promise<X[]> {
  const found: X[] = [];
  for await (const change of changes) found.push(change);
  return found;
}
