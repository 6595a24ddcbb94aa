import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../mod.ts";
import { needsFluss } from "../cluster.ts";
import { withDatabase } from "./target.ts";

const users = table("users", { id: t.int(), name: t.string() }, { primaryKey: ["id"], buckets: 2 });

/** The launcher's servers make snapshots every 10 seconds. */
const SNAPSHOT_MS = 60_000;

test(
  "KV snapshots are listed with their offsets and files",
  needsFluss("KV snapshots"),
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(users);
      assert.deepEqual(await db.admin.kvSnapshots(users), []);
      await db.table(users).upsertAll(Array.from({ length: 100 }, (_, id) => ({ id, name: `user-${id}` })));
      const ends = new Map((await db.admin.offsets(users, "latest")).map(({ bucket, offset }) => [bucket, offset]));
      const end = performance.now() + SNAPSHOT_MS;
      let found = await db.admin.kvSnapshots(users);
      while (found.length < 2) {
        assert.ok(performance.now() < end, `${found.length} of 2 buckets have a snapshot after a minute`);
        // The server makes them by its own clock, and tells nobody.
        await new Promise((resolve) => setTimeout(resolve, 500));
        found = await db.admin.kvSnapshots(users);
      }
      assert.deepEqual(found.map(({ bucket }) => bucket).sort(), [0, 1]);
      for (const snapshot of found) {
        assert.equal(snapshot.logOffset, ends.get(snapshot.bucket));
        const metadata = await db.admin.kvSnapshotMetadata(users, snapshot);
        assert.equal(metadata.logOffset, snapshot.logOffset);
        assert.ok(metadata.files.some(({ name }) => name.startsWith("MANIFEST")), JSON.stringify(metadata.files));
        for (const { remotePath } of metadata.files) assert.ok(remotePath.length > 0);
      }
      // Twice: the second time the lease is renewed.
      const lease = `lease-${database}`;
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await db.admin.leaseKvSnapshots(lease, users, found, { durationMs: 60_000 }), []);
      }
      await db.admin.releaseKvSnapshots(lease, users, [0]);
      await db.admin.dropKvSnapshotLease(lease);
      await assert.rejects(
        db.admin.kvSnapshotMetadata(users, { bucket: 0, snapshotId: 1_000_000n }),
        (error) => FlussError.is(error) && error.message.includes("1000000"),
      );
      await assert.rejects(db.admin.kvSnapshots("nope"), (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST"));
    }),
);
