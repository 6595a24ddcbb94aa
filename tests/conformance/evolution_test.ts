import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { API } from "../../src/client/rpc/api.ts";
import { needsCluster, openClient } from "../cluster.ts";
import { withDatabase } from "./target.ts";

/** Adds a nullable STRING column, which this version has no call for. */
async function addColumn(database: string, tableName: string, columnName: string): Promise<void> {
  const client = openClient();
  try {
    await client.cluster.start();
    await client.cluster.callCoordinator(API.ALTER_TABLE, {
      tablePath: { databaseName: database, tableName },
      ignoreIfNotExists: false,
      addColumns: [{ columnName, dataTypeJson: new TextEncoder().encode('{"type":"STRING"}'), columnPositionType: 0 }],
    });
  } finally {
    await client.close();
  }
}

for (const format of ["compacted", "indexed"] as const) {
  test(
    `a row of an older schema reads as null in the new column, KV format ${format}`,
    needsCluster,
    () =>
      withDatabase(async (db, database) => {
        const options = { primaryKey: ["id"], kv: { format } } as const;
        const before = table("evolving", { id: t.int(), name: t.string() }, options);
        await db.admin.create(before);
        const old = db.table(before);
        await old.upsert({ id: 1, name: "written before" });
        await addColumn(database, "evolving", "note");

        // The handle that knows the old schema goes on, and does not erase what it does not know.
        assert.deepEqual(await old.lookup({ id: 1 }), { id: 1, name: "written before" });
        const after = table("evolving", { id: t.int(), name: t.string(), note: t.string() }, options);
        const young = db.table(after);
        assert.deepEqual(await young.lookup({ id: 1 }), { id: 1, name: "written before", note: null });
        await young.upsert({ id: 2, name: "new", note: "kept" });
        assert.deepEqual(await young.lookup({ id: 2 }), { id: 2, name: "new", note: "kept" });
        // Reading a row of the newer schema tells the old handle that there is one.
        assert.deepEqual(await old.lookup({ id: 2 }), { id: 2, name: "new" });
        await young.update({ id: 1, note: "added" });
        assert.deepEqual(await young.lookup({ id: 1 }), { id: 1, name: "written before", note: "added" });
        assert.deepEqual(await young.lookupMany([{ id: 1 }, { id: 2 }], { select: ["note"] }), [{ note: "added" }, {
          note: "kept",
        }]);
      }),
  );
}

test(
  "a handle that was made after the column was added keeps columns that its declaration lacks",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      const known = table("wider", { id: t.int(), name: t.string() }, { primaryKey: ["id"] });
      await db.admin.create(known);
      await addColumn(database, "wider", "note");
      const all = db.table(table("wider", { id: t.int(), name: t.string(), note: t.string() }, { primaryKey: ["id"] }));
      await all.upsert({ id: 1, name: "a", note: "kept" });
      await db.table(known).upsert({ id: 1, name: "b" });
      assert.deepEqual(await all.lookup({ id: 1 }), { id: 1, name: "b", note: "kept" });
    }),
);
