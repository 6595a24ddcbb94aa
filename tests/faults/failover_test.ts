// Three real tablet servers, replication 3: a server that leads buckets dies without a farewell and comes back, while
// writers write and readers read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, t, table } from "../../mod.ts";
import { inFreshDatabase, killTabletServer, needsCluster3, startTabletServer, target3 } from "../cluster.ts";
import { long } from "../random.ts";

const counters = table("counters", { id: t.int(), version: t.int(), note: t.string() }, {
  primaryKey: ["id"],
  buckets: 6,
});

/** Rows that are written over and over. */
const KEYS = 500;

test(
  "writers and readers outlive the death of a tablet server, and every row is its last version",
  needsCluster3,
  () =>
    inFreshDatabase(target3!, async (database) => {
      await using db = await connect(target3!.url, { database, requestTimeoutMs: 60_000 });
      await db.admin.create(counters);
      const handle = db.table(counters);
      const acked = new Int32Array(KEYS).fill(-1);
      let version = 0;
      const failures: unknown[] = [];
      const writeRound = async () => {
        const own = version++;
        await Promise.all(Array.from({ length: KEYS }, async (_, id) => {
          // Partial updates and whole rows by turns, as they travel in different requests.
          const ack = own % 2 === 0
            ? handle.upsert({ id, version: own, note: `note ${own}` })
            : handle.update({ id, version: own });
          await ack;
          acked[id] = Math.max(acked[id]!, own);
        }));
      };
      // Right after a restart, servers take followers that lag out of the in-sync set, and a leader that is alone in it
      // cannot be replaced: seen as "elect result is empty". Some seconds of writing bring all followers back.
      const settled = performance.now() + 5_000;
      while (performance.now() < settled) await writeRound();
      let stop = false;
      const writer = (async () => {
        while (!stop) await writeRound();
      })().catch((error) => failures.push(error));
      let looked = 0;
      let slowest = 0;
      const reader = (async () => {
        for (let id = 0; !stop; id = (id + 7) % KEYS) {
          const known = acked[id]!;
          const began = performance.now();
          const row = await handle.lookup({ id });
          slowest = Math.max(slowest, performance.now() - began);
          looked++;
          assert.ok(row !== null && row.version! >= known, `row ${id} is of version ${row?.version}, not ${known}`);
        }
      })().catch((error) => failures.push(error));
      const rounds = long ? 3 : 1;
      for (let round = 0; round < rounds; round++) {
        const victim = round % 3;
        const before = version;
        await killTabletServer(victim);
        try {
          // Writing goes on without it, in all buckets.
          const end = performance.now() + 90_000;
          while (version < before + 3 && failures.length === 0 && performance.now() < end) {
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
        } finally {
          await startTabletServer(victim);
        }
        const after = version;
        const end = performance.now() + 90_000;
        while (version < after + 3 && failures.length === 0 && performance.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      stop = true;
      await Promise.all([writer, reader]);
      assert.deepEqual(failures, []);
      await db.flush();
      const rows = await handle.lookupMany(Array.from({ length: KEYS }, (_, id) => ({ id })));
      const last = version - 1;
      const note = `note ${last % 2 === 0 ? last : last - 1}`;
      assert.deepEqual(rows, Array.from({ length: KEYS }, (_, id) => ({ id, version: last, note })));
      // Nobody takes over a dead server's buckets before its session has ended: the fault did hit them.
      assert.ok(slowest > 100, `the slowest lookup took ${slowest} ms`);
      console.log(`${version} rounds of ${KEYS} rows, ${looked} lookups, the slowest ${Math.round(slowest)} ms`);
    }),
);
