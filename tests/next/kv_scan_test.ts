// SCAN_KV: all current rows of primary-key tables.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Db, t, table } from "../../mod.ts";
import { API } from "../../src/client/rpc/api.ts";
import { needsNext, targetNext } from "../cluster.ts";
import { withDatabase } from "../conformance/target.ts";
import { Relay } from "../relay.ts";

const users = table("users", { id: t.int(), name: t.string(), score: t.double() }, { primaryKey: ["id"], buckets: 3 });
const ROWS = 30_000;
const rowOf = (id: number, version = 0) => ({ id, name: `user ${id}, ${version}`, score: id / 4 });

async function fill(db: Db): Promise<void> {
  await db.admin.create(users);
  const handle = db.table(users);
  for (let id = 0; id < ROWS; id++) handle.upsert(rowOf(id));
  await db.flush();
}

const byId = <R extends { readonly id: number }>(rows: R[]): R[] => rows.sort((a, b) => a.id - b.id);

test(
  "a full scan has every current row once, in several answers per bucket, whatever the bound of 0.9.1",
  needsNext,
  async () => {
    await using relay = new Relay();
    const options = {
      resolveAddress: relay.resolveAddress,
      scanner: { fullScanRows: 10, bucketMaxBytes: 100_000 },
    };
    await withDatabase(
      async (db) => {
        await fill(db);
        const handle = db.table(users);
        for (let id = 0; id < ROWS; id += 3) handle.delete({ id });
        for (let id = 1; id < ROWS; id += 3) handle.upsert(rowOf(id, 1));
        await db.flush();
        const expected = Array.from({ length: ROWS }, (_, id) => id).filter((id) => id % 3 !== 0)
          .map((id) => rowOf(id, id % 3 === 1 ? 1 : 0));
        assert.deepEqual(byId(await handle.scan().toArray()), expected);
        const { count } = relay.answersTo(API.SCAN_KV);
        assert.ok(count > 3 * 2, `${count} answers for three buckets`);
        assert.equal(relay.answersTo(API.LIMIT_SCAN).count, 0);
        assert.equal(await handle.scan().count(), expected.length);

        const filtered = handle.scan().select("name").where((c) => c.id.between(100, 200));
        const names = expected.filter(({ id }) => id >= 100 && id <= 200).map(({ name }) => name);
        assert.deepEqual((await filtered.toArray()).map((row) => row.name).sort(), names.sort());
        const plan = await filtered.explain();
        assert.equal(plan.source, "key-value scan");
        assert.deepEqual(plan.clientSide.map((line) => line.split(":")[0]), ["projection", "predicate"]);
      },
      options,
      targetNext,
    );
  },
);

test("a full scan of a table with partitions, an empty table, and a bucket without rows", needsNext, () =>
  withDatabase(
    async (db) => {
      const events = table("events", { day: t.string(), id: t.int(), note: t.string() }, {
        primaryKey: ["day", "id"],
        partitionBy: ["day"],
        buckets: 4,
      });
      await db.admin.create(events);
      const handle = db.table(events);
      assert.deepEqual(await handle.scan().toArray(), []);
      const rows = ["d1", "d2", "d3"].flatMap((day) => [1, 2].map((id) => ({ day, id, note: `${day} ${id}` })));
      for (const row of rows) handle.upsert(row);
      await db.flush();
      const key = (row: { day: string; id: number }) => `${row.day} ${row.id}`;
      const sorted = (all: typeof rows) => all.sort((a, b) => key(a) < key(b) ? -1 : 1);
      assert.deepEqual(sorted(await handle.scan().toArray() as typeof rows), rows);
      const part = await handle.scan().partition({ day: "d2" }).toArray();
      assert.deepEqual(sorted(part as typeof rows), rows.filter(({ day }) => day === "d2"));
    },
    {},
    targetNext,
  ));

test(
  "scans that are left early let the server's snapshots go: it holds 8 per bucket at most",
  needsNext,
  () =>
    withDatabase(
      async (db) => {
        await fill(db);
        const handle = db.table(users);
        for (let i = 0; i < 40; i++) {
          let seen = 0;
          for await (const row of handle.scan()) {
            assert.equal(row.name, `user ${row.id}, 0`);
            if (++seen === 3) break;
          }
          assert.notEqual(await handle.scan().first(), null);
        }
        assert.equal(await handle.scan().count(), ROWS);
      },
      { scanner: { bucketMaxBytes: 10_000 } },
      targetNext,
    ),
);

test("a bucket is scanned as it was when its scan began", needsNext, () =>
  withDatabase(
    async (db) => {
      const one = table("one", { id: t.int(), name: t.string(), score: t.double() }, {
        primaryKey: ["id"],
        buckets: 1,
      });
      await db.admin.create(one);
      const handle = db.table(one);
      for (let id = 0; id < ROWS; id++) handle.upsert(rowOf(id));
      await db.flush();
      const versions = new Map<string, number>();
      let seen = 0;
      for await (const row of handle.scan()) {
        if (seen++ === 0) {
          for (let id = 0; id < ROWS; id++) handle.upsert(rowOf(id, 1));
          await db.flush();
        }
        const version = row.name!.split(", ")[1]!;
        versions.set(version, (versions.get(version) ?? 0) + 1);
      }
      assert.deepEqual([...versions], [["0", ROWS]]);
    },
    { scanner: { bucketMaxBytes: 20_000 } },
    targetNext,
  ));
