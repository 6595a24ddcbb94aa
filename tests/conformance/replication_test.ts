import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { needsCluster3, target3 } from "../cluster.ts";
import { withDatabase } from "./target.ts";

test(
  "three tablet servers, replication 3: writes with acks all are read from whichever server leads",
  needsCluster3,
  () =>
    withDatabase(
      async (db) => {
        const events = table("events", { id: t.bigint(), name: t.string(), day: t.string() }, {
          primaryKey: ["id", "day"],
          partitionBy: ["day"],
          buckets: 6,
          properties: { "table.replication.factor": "3" },
        });
        await db.admin.create(events);
        assert.equal((await db.admin.servers()).filter((server) => server.kind === "tabletServer").length, 3);
        const handle = db.table(events);
        const rows = Array.from({ length: 3000 }, (_, i) => ({ id: BigInt(i), name: `n${i}`, day: `d${i % 2}` }));
        assert.deepEqual(await handle.upsertAll(rows), { rows: 3000 });
        for (const row of rows.slice(0, 300)) handle.update({ id: row.id, day: row.day, name: `${row.name}!` });
        for (const row of rows.slice(300, 400)) handle.delete({ id: row.id, day: row.day });
        await db.flush();
        const found = await handle.lookupMany(rows.map(({ id, day }) => ({ id, day })));
        found.forEach((row, i) => {
          const expected = i < 300 ? { ...rows[i]!, name: `n${i}!` } : i < 400 ? null : rows[i]!;
          assert.deepEqual(row, expected);
        });
        const offsets = await db.admin.offsets(events, "latest", { partition: "d0" });
        assert.equal(offsets.length, 6);
      },
      {},
      target3,
    ),
);
