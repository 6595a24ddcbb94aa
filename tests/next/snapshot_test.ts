// changes({ from: "snapshot" }): the current rows, then what happened after, without a gap or a repeat.
import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { needsNext, targetNext } from "../cluster.ts";
import { withDatabase } from "../conformance/target.ts";
import { Random, seed } from "../random.ts";

console.log(`SLUICE_SEED=${seed}`);

const accounts = table("accounts", { id: t.int(), version: t.int(), note: t.string() }, {
  primaryKey: ["id"],
  buckets: 3,
});
type Row = typeof accounts.$row;

const KEYS = 4_000;
const CHANGES = 12_000;
/** The row that is written last, to every bucket: its events say that all before it were told. */
const LAST = 1_000_000;

test(
  "the rows of the snapshot and the changes after it are the table, while it is being written",
  needsNext,
  () =>
    withDatabase(
      async (db) => {
        await db.admin.create(accounts);
        const handle = db.table(accounts);
        const random = new Random(seed);
        const model = new Map<number, Row>();
        let version = 0;
        const change = () => {
          const id = random.int(KEYS);
          if (random.int(4) === 0 && model.has(id)) {
            model.delete(id);
            return handle.delete({ id });
          }
          const row = { id, version: version++, note: `note ${random.int(1000)}` };
          model.set(id, row);
          return handle.upsert(row);
        };
        for (let i = 0; i < CHANGES; i++) change();
        await db.flush();

        await using subscription = handle.changes({ from: "snapshot" });
        const writing = (async () => {
          for (let i = 0; i < CHANGES; i++) {
            change();
            if (i % 500 === 0) await db.flush();
          }
          for (let i = 0; i < 20; i++) handle.upsert({ id: LAST + i, version: -1, note: "last" });
          await db.flush();
        })();
        // What follows is checked event by event: it must fit the rows before it.
        const told = new Map<number, Row>();
        const counts = { insert: 0, update: 0, delete: 0 };
        let last = 0;
        for await (const event of subscription) {
          const { op, row } = event;
          counts[op]++;
          if (op === "insert") {
            assert.ok(!told.has(row.id), `row ${row.id} is inserted twice`);
            told.set(row.id, row);
          } else if (op === "update") {
            assert.deepEqual(event.before, told.get(row.id), `row ${row.id} was another one before its update`);
            told.set(row.id, row);
          } else {
            assert.deepEqual(row, told.get(row.id), `row ${row.id} was another one before its end`);
            told.delete(row.id);
          }
          if (row.id >= LAST && ++last === 20) break;
        }
        await writing;
        console.log(JSON.stringify(counts));
        assert.ok(counts.insert >= model.size && counts.update > 0 && counts.delete > 0);
        // Changes of the other buckets may be behind the last row of the last one.
        for (let i = 0; i < 20; i++) told.delete(LAST + i);
        assert.deepEqual(new Map([...told].sort(([a], [b]) => a - b)), new Map([...model].sort(([a], [b]) => a - b)));
      },
      { scanner: { bucketMaxBytes: 20_000 } },
      targetNext,
    ),
);

test("a checkpoint that was taken after the snapshot goes on in the log", needsNext, () =>
  withDatabase(
    async (db) => {
      await db.admin.create(accounts);
      const handle = db.table(accounts);
      const rows = Array.from({ length: 100 }, (_, id) => ({ id, version: 0, note: "first" }));
      for (const row of rows) handle.upsert(row);
      await db.flush();
      let checkpoint = "";
      {
        await using subscription = handle.changes({ from: "snapshot" });
        let seen = 0;
        for await (const batch of subscription.batches()) {
          seen += batch.length;
          checkpoint = batch.checkpoint;
          if (seen === rows.length) {
            // Some for every bucket, whose positions are in the log then.
            for (let id = 1000; id < 1030; id++) handle.upsert({ id, version: 0, note: "later" });
            await db.flush();
          }
          if (seen === rows.length + 30) break;
        }
      }
      for (const { id } of rows) handle.upsert({ id, version: 1, note: "second" });
      await db.flush();
      await using subscription = handle.changes({ from: { token: checkpoint } });
      const updated = new Set<number>();
      for await (const event of subscription) {
        assert.equal(event.op, "update");
        assert.equal(event.row.version, 1);
        updated.add(event.row.id);
        if (updated.size === rows.length) break;
      }
    },
    {},
    targetNext,
  ));
