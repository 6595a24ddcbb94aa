import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, type FlussWriteError, t, table } from "../../mod.ts";
import { needsCluster } from "../cluster.ts";
import { withDatabase } from "./target.ts";

const users = table("users", {
  id: t.bigint(),
  name: t.string(),
  score: t.double(),
  tags: t.array(t.string()),
}, { primaryKey: ["id"], buckets: 3 });

test("a row that is upserted, updated, looked up and deleted", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const handle = db.table(users);
    assert.equal(await handle.lookup({ id: 1n }), null);
    const first = await handle.upsert({ id: 1n, name: "ada", score: 1.5, tags: ["a", null] });
    assert.equal(first.endOffset, 1n);
    assert.deepEqual(await handle.lookup({ id: 1n }), { id: 1n, name: "ada", score: 1.5, tags: ["a", null] });
    await handle.update({ id: 1n, name: null });
    assert.deepEqual(await handle.lookup({ id: 1n }), { id: 1n, name: null, score: 1.5, tags: ["a", null] });
    await handle.upsert({ id: 1n, score: 2 });
    assert.deepEqual(await handle.lookup({ id: 1n }), { id: 1n, name: null, score: 2, tags: null });
    assert.deepEqual(await handle.lookup({ id: 1n }, { select: ["score"] }), { score: 2 });
    await handle.delete({ id: 1n });
    assert.equal(await handle.lookup({ id: 1n }), null);
  }));

test("update() creates the row when it is not there", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const handle = db.table(users);
    await handle.update({ id: 7n, name: "new" });
    assert.deepEqual(await handle.lookup({ id: 7n }), { id: 7n, name: "new", score: null, tags: null });
  }));

test(
  "writes of one tick keep their order per key, whatever their kind",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      for (let round = 0; round < 20; round++) {
        for (let id = 0n; id < 20n; id++) {
          handle.upsert({ id, name: `a${round}`, score: round });
          handle.update({ id, name: `b${round}` });
          handle.delete({ id });
          handle.update({ id, score: round });
          if (round % 2 === 0) handle.update({ id, name: `c${round}` });
        }
      }
      await db.flush();
      const rows = await handle.lookupMany(Array.from({ length: 20 }, (_, i) => ({ id: BigInt(i) })));
      for (const [i, row] of rows.entries()) {
        assert.deepEqual(row, { id: BigInt(i), name: null, score: 19, tags: null });
      }
    }),
);

test(
  "100,000 rows through upsertAll(), every one found by lookupMany() in the order asked",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      const count = 100_000;
      function* rows() {
        for (let i = 0; i < count; i++) yield { id: BigInt(i), name: `user-${i}`, score: i / 2 };
      }
      assert.deepEqual(await handle.upsertAll(rows()), { rows: count });
      assert.equal(db.queuedBytes, 0);
      const asked = Array.from({ length: 20_000 }, (_, i) => BigInt((i * 7919) % (count + 1000)));
      const found = await handle.lookupMany(asked.map((id) => ({ id })), { select: ["name", "id"] });
      found.forEach((row, i) => {
        const id = asked[i]!;
        assert.deepEqual(row, id < BigInt(count) ? { name: `user-${id}`, id } : null);
      });
      // A server that has its processor to share takes its time over a megabyte of rows.
    }, { writer: { deliveryTimeoutMs: 120_000 } }),
);

test("writable() takes a stream and waits for its acks when it closes", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const handle = db.table(users);
    const rows = Array.from({ length: 5000 }, (_, i) => ({ id: BigInt(i), name: `n${i}` }));
    const stream = new ReadableStream<(typeof rows)[number]>({
      start(controller) {
        for (const row of rows) controller.enqueue(row);
        controller.close();
      },
    });
    await stream.pipeTo(handle.writable());
    assert.equal((await handle.lookup({ id: 4999n }))?.name, "n4999");
  }));

test(
  "a bad row ends upsertAll() with its place, and nothing of it is queued",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      const rows = [{ id: 1n }, { id: 2n }, { id: 3 as unknown as bigint }, { id: 4n }];
      await assert.rejects(handle.upsertAll(rows), (error) => {
        assert.ok(FlussError.is(error, "CODEC.WRONG_TYPE"));
        assert.equal(error.row, 2);
        assert.equal(error.column, "id");
        return true;
      });
      await db.flush();
      assert.equal(await handle.lookup({ id: 4n }), null);
    }),
);

test("writer({ columns }) writes one set of columns", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const handle = db.table(users);
    const writer = handle.writer({ columns: ["score"] });
    await handle.upsert({ id: 1n, name: "ada", score: 1 });
    await writer.update({ id: 1n, score: 9 });
    assert.deepEqual(await handle.lookup({ id: 1n }, { select: ["name", "score"] }), { name: "ada", score: 9 });
    assert.throws(() => writer.update({ id: 1n } as never), (error) => FlussError.is(error, "WRITE.MISSING_COLUMN"));
    assert.throws(
      () => writer.update({ id: 1n, score: 1, name: "x" } as never),
      (error) => FlussError.is(error, "WRITE.UNKNOWN_COLUMN"),
    );
  }));

test(
  "rows written in the first tick, before the table was looked at, arrive in order",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      const row = { id: 5n, name: "first", tags: ["x"] };
      const ack = handle.upsert(row);
      // What the caller does with its object afterwards is its own affair.
      row.name = "changed";
      row.tags.push("y");
      handle.update({ id: 5n, score: 3 });
      assert.equal(ack.state, "queued");
      await ack;
      assert.equal(ack.state, "acked");
      await db.flush();
      assert.deepEqual(await handle.lookup({ id: 5n }), { id: 5n, name: "first", score: 3, tags: ["x"] });
    }),
);

test(
  "dropped acks of a table that does not exist fail flush(), once, and awaited ones fail themselves",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      const missing = db.table(table("missing", { id: t.int() }, { primaryKey: ["id"] }));
      missing.upsert({ id: 1 });
      missing.upsert({ id: 2 });
      await assert.rejects(
        Promise.resolve(missing.upsert({ id: 3 })),
        (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST"),
      );
      await assert.rejects(db.flush(), (error) => {
        assert.ok(FlussError.is(error, "WRITE.FAILED"));
        const { failures } = error as unknown as FlussWriteError;
        assert.equal(failures.reduce((sum, failure) => sum + failure.rows, 0), 2);
        assert.equal(failures[0]!.code, "SERVER.TABLE_NOT_EXIST");
        assert.equal(failures[0]!.table, `${database}.missing`);
        return true;
      });
      await db.flush();
    }),
);

test("a lookup of a missing table rejects with the server's code", needsCluster, () =>
  withDatabase(async (db) => {
    const missing = table("missing", { id: t.int() }, { primaryKey: ["id"] });
    await assert.rejects(
      db.table(missing).lookup({ id: 1 }),
      (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST"),
    );
  }));

test("a table that was dropped and created again is found again", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const handle = db.table(users);
    await handle.upsert({ id: 1n, name: "old" });
    await db.admin.drop(users);
    await db.admin.create(users);
    // The old table lives on for a moment. Rows for it are taken or refused; then the handle must find the new one.
    for (let tries = 0;; tries++) {
      try {
        await handle.upsert({ id: 1n, name: "new" });
        if (
          (await handle.lookup({ id: 1n }))?.name === "new" &&
          (await db.admin.offsets(users, "latest")).some((o) => o.offset > 0n)
        ) break;
      } catch (error) {
        assert.ok(FlussError.is(error, "SERVER.TABLE_NOT_EXIST"), String(error));
      }
      assert.ok(tries < 20, "the new table was not found");
    }
  }));

test(
  "abort ends a lookup with the signal's reason, and timeoutMs with TIMEOUT.REQUEST",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      await handle.lookup({ id: 1n });
      const reason = new Error("enough");
      await assert.rejects(
        handle.lookup({ id: 1n }, { signal: AbortSignal.abort(reason) }),
        (error) => error === reason,
      );
      const control = new AbortController();
      const waiting = handle.lookup({ id: 1n }, { signal: control.signal });
      control.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
      assert.equal(await handle.lookup({ id: 1n }), null);
    }),
);

test(
  "the queue is bounded: a write above maxBytes throws and ready says when there is room",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      await handle.lookup({ id: 0n });
      let full = 0;
      for (let i = 0; i < 20_000; i++) {
        for (;;) {
          try {
            handle.upsert({ id: BigInt(i), name: "x".repeat(100) });
            break;
          } catch (error) {
            if (!FlussError.is(error, "WRITE.QUEUE_FULL")) throw error;
            assert.ok(error.retriable);
            full++;
            await db.ready;
          }
        }
        assert.ok(db.queuedBytes <= 200_000 + 200);
      }
      assert.ok(full > 0, "the limit was never reached");
      await db.flush();
      assert.equal((await handle.lookup({ id: 19_999n }))?.name?.length, 100);
    }, { writer: { maxBytes: 200_000, batchBytes: 20_000 } }),
);

for (const acks of [0, 1] as const) {
  test(`acks ${acks} without idempotence`, needsCluster, () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      const handle = db.table(users);
      for (let i = 0; i < 1000; i++) handle.upsert({ id: BigInt(i % 10), score: i });
      await db.flush();
      assert.equal((await handle.lookup({ id: 9n }))?.score, 999);
    }, { writer: { acks } }));
}

test("after close() every call says that the connection was closed", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const { connect } = await import("../../mod.ts");
    const { target } = await import("../cluster.ts");
    const other = await connect(target!.url, {
      database: (await db.admin.describe(users)).path.database,
    });
    const handle = other.table(users);
    handle.upsert({ id: 1n, name: "flushed by close" });
    await other.close();
    await other.close();
    assert.throws(() => handle.upsert({ id: 2n }), (error) => FlussError.is(error, "CONNECTION.CLOSED"));
    await assert.rejects(handle.lookup({ id: 2n }), (error) => FlussError.is(error, "CONNECTION.CLOSED"));
    assert.equal((await db.table(users).lookup({ id: 1n }))?.name, "flushed by close");
  }));
