// Three real tablet servers, replication 3: a server that leads buckets dies in the middle of a scan, and of changes
// that are being written.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Db, t, table } from "../../mod.ts";
import { RowAppender } from "../append_rows.ts";
import { inFreshDatabase, killTabletServer, needsCluster3, startTabletServer, target3 } from "../cluster.ts";

const BUCKETS = 6;
const clicks = table("clicks", { n: t.int().notNull(), url: t.string() }, {
  buckets: BUCKETS,
  log: { compression: { type: "none" } },
});
const counters = table("counters", { id: t.int(), version: t.int() }, { primaryKey: ["id"], buckets: BUCKETS });

/** Reads a little at a time, so that most of a table is still to be fetched when a server dies. */
const SCANNER = { fetchMaxBytes: 64 << 10, bucketMaxBytes: 16 << 10, aheadBytes: 128 << 10 };

function withCluster(run: (db: Db, database: string) => Promise<void>): Promise<void> {
  return inFreshDatabase(target3!, async (database) => {
    await using db = await connect(target3!.url, {
      database,
      // Nobody takes over a dead server's buckets before its session has ended.
      requestTimeoutMs: 60_000,
      scanner: SCANNER,
    });
    await run(db, database);
  });
}

const BATCHES = 40;
const ROWS = 250;

test(
  "a scan outlives the death of a leader: every row once, in order per bucket",
  needsCluster3,
  () =>
    withCluster(async (db, database) => {
      await db.admin.create(clicks);
      await db.admin.offsets(clicks, "latest");
      {
        await using to = new RowAppender(database, target3!);
        for (let batch = 0; batch < BATCHES; batch++) {
          for (let bucket = 0; bucket < BUCKETS; bucket++) {
            const rows = Array.from(
              { length: ROWS },
              (_, i) => ({ n: batch * ROWS + i, url: `/${bucket}`.padEnd(60, "x") }),
            );
            await to.append(clicks, rows, { bucket });
          }
        }
      }
      const seen = Array.from({ length: BUCKETS }, () => 0);
      let batches = 0;
      let slowest = 0;
      const began = performance.now();
      try {
        for await (const batch of db.table(clicks).scan().batches()) {
          slowest = Math.max(slowest, performance.now() - began);
          if (++batches === 5) await killTabletServer(1);
          assert.equal(batch.firstOffset, BigInt(seen[batch.bucket]!));
          for (const row of batch) {
            assert.equal(row.n, seen[batch.bucket]!++);
            assert.equal(row.url, `/${batch.bucket}`.padEnd(60, "x"));
          }
        }
        // Nobody takes over a dead server's buckets before its session has ended: the fault did hit the scan.
        assert.ok(slowest > 500, `the slowest of ${batches} batches took ${slowest} ms`);
        console.log(`${batches} batches, the slowest in ${Math.round(slowest)} ms`);
        assert.deepEqual(seen, seen.map(() => BATCHES * ROWS));
      } finally {
        await startTabletServer(1);
      }
    }),
);

const KEYS = 300;

test(
  "changes outlive the death of a leader while they are written: every change once, in order per bucket",
  needsCluster3,
  () =>
    withCluster(async (db) => {
      await db.admin.create(counters);
      const handle = db.table(counters);
      let version = 0;
      const writeRound = async () => {
        const own = version++;
        await Promise.all(Array.from({ length: KEYS }, (_, id) => handle.upsert({ id, version: own })));
      };
      // Followers must be in sync, or the leader that dies cannot be replaced; see failover_test.ts.
      const settled = performance.now() + 5_000;
      while (performance.now() < settled) await writeRound();

      await using subscription = handle.changes({ from: "earliest", raw: true });
      let stop = false;
      const failures: unknown[] = [];
      const writer = (async () => {
        while (!stop) await writeRound();
      })().catch((error) => failures.push(error));
      const fault = (async () => {
        const before = version;
        await killTabletServer(2);
        try {
          const end = performance.now() + 90_000;
          while (version < before + 5 && failures.length === 0 && performance.now() < end) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        } finally {
          await startTabletServer(2);
        }
        stop = true;
        await writer;
      })().catch((error) => {
        failures.push(error);
        stop = true;
      });

      const offsets = Array.from({ length: BUCKETS }, () => 0n);
      const versions = Array.from({ length: KEYS }, () => -1);
      let finished = 0;
      for await (const { op, offset, bucket, row } of subscription) {
        assert.equal(offset, offsets[bucket]!, `offset in bucket ${bucket}`);
        offsets[bucket] = offset + 1n;
        const before = versions[row.id]!;
        if (op === "-U") {
          assert.equal(row.version, before, `the version of row ${row.id} before its update`);
          continue;
        }
        assert.equal(op, before === -1 ? "+I" : "+U");
        assert.equal(row.version, before + 1, `the version of row ${row.id}`);
        versions[row.id] = row.version!;
        if (stop && failures.length === 0) {
          await fault;
          // The writer has stopped: all rows come to the same last version.
          finished = versions.filter((known) => known === version - 1).length;
          if (finished === KEYS) break;
        }
        if (failures.length > 0) break;
      }
      await fault;
      assert.deepEqual(failures, []);
      assert.equal(finished, KEYS);
      console.log(`${version} versions of ${KEYS} rows`);
    }),
);
