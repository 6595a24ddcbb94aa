import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../mod.ts";
import { needsCluster, target } from "../cluster.ts";
import { withDatabase } from "./target.ts";

const orders = table("orders", {
  region: t.string(),
  id: t.bigint(),
  day: t.date(),
  total: t.decimal(10, 2),
}, { primaryKey: ["region", "id", "day"], partitionBy: ["day"], bucketKey: ["region"], buckets: 2 });
const day = Temporal.PlainDate.from("2026-11-23");

test(
  "a partition comes into being with its first row; without it there is no row",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(orders);
      const handle = db.table(orders);
      assert.equal(await handle.lookup({ region: "eu", id: 1n, day }), null);
      assert.deepEqual(await handle.prefixLookup({ region: "eu", day }), []);
      assert.deepEqual(await db.admin.partitions(orders), []);
      const receipts = await Promise.all(
        [0, 1, 2].map((i) => handle.upsert({ region: "eu", id: 1n, day: day.add({ days: i }), total: `${i}.00` })),
      );
      assert.deepEqual(receipts.map((receipt) => receipt.partition), ["2026-11-23", "2026-11-24", "2026-11-25"]);
      assert.equal((await handle.lookup({ region: "eu", id: 1n, day }))?.total, "0.00");
      assert.deepEqual(
        (await db.admin.partitions(orders)).map((partition) => partition.values).sort((a, b) =>
          a.day! < b.day! ? -1 : 1
        ),
        [{ day: "2026-11-23" }, { day: "2026-11-24" }, { day: "2026-11-25" }],
      );
      assert.equal((await handle.prefixLookup({ region: "eu", day: day.add({ days: 2 }) })).length, 1);
      await handle.update({ region: "eu", id: 1n, day, total: null });
      await handle.delete({ region: "eu", id: 1n, day: day.add({ days: 1 }) });
      const found = await handle.lookupMany(
        [0, 1, 2].map((i) => ({ region: "eu", id: 1n, day: day.add({ days: i }) })),
      );
      assert.deepEqual(found.map((row) => row === null ? null : row.total), [null, null, "2.00"]);
      assert.equal(found[1], null);
      assert.notEqual(found[0], null);
    }),
);

test("partitions are created, listed and dropped by admin calls", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(orders);
    await db.admin.createPartition(orders, { day });
    await assert.rejects(db.admin.createPartition(orders, { day }), (error) =>
      FlussError.is(error, "SERVER.PARTITION_ALREADY_EXISTS"));
    await db.admin.createPartition(orders, { day }, { ignoreIfExists: true });
    const [partition] = await db.admin.partitions(orders);
    assert.equal(partition?.name, "2026-11-23");
    await db.table(orders).upsert({ region: "eu", id: 1n, day });
    const offsets = await db.admin.offsets(orders, "latest", { partition: "2026-11-23" });
    assert.equal(offsets.length, 2);
    assert.equal(
      offsets.reduce((sum, { offset }) =>
        sum + offset, 0n),
      1n,
    );
    await db.admin.dropPartition(orders, { day });
    await assert.rejects(
      db.admin.dropPartition(orders, { day }),
      (error) => FlussError.is(error, "SERVER.PARTITION_NOT_EXISTS"),
    );
    await db.admin.dropPartition(orders, { day }, { ignoreIfNotExists: true });
  }));

test("several partition columns, of several types", needsCluster, () =>
  withDatabase(async (db) => {
    const wide = table("wide", {
      id: t.int(),
      country: t.string(),
      year: t.smallint(),
      flag: t.boolean(),
      v: t.string(),
    }, {
      primaryKey: ["id", "country", "year", "flag"],
      partitionBy: ["country", "year", "flag"],
    });
    await db.admin.create(wide);
    const handle = db.table(wide);
    for (let id = 0; id < 12; id++) {
      handle.upsert({ id, country: id % 2 === 0 ? "DE" : "FR", year: 2020 + id % 3, flag: id % 4 === 0, v: `${id}` });
    }
    await db.flush();
    for (let id = 0; id < 12; id++) {
      const key = { id, country: id % 2 === 0 ? "DE" : "FR", year: 2020 + id % 3, flag: id % 4 === 0 };
      assert.equal((await handle.lookup(key))?.v, `${id}`);
    }
    assert.ok((await db.admin.partitions(wide)).some((partition) => partition.name === "DE$2020$true"));
  }));

test(
  "a partition value that cannot be a name fails the row's ack, and no other",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const named = table("named", { id: t.int(), p: t.string() }, { primaryKey: ["id", "p"], partitionBy: ["p"] });
      await db.admin.create(named);
      const handle = db.table(named);
      const bad = handle.upsert({ id: 1, p: "no spaces, please" });
      const good = handle.upsert({ id: 1, p: "fine" });
      await good;
      await assert.rejects(
        Promise.resolve(bad),
        (error) => FlussError.is(error, "SERVER.PARTITION_SPEC_INVALID_EXCEPTION"),
      );
      await db.flush();
      assert.deepEqual(await handle.lookup({ id: 1, p: "fine" }), { id: 1, p: "fine" });
    }),
);

test(
  "auto-partitions by text work; those by DATE are refused where a 0.9.1 server would drop their rows",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const options = { autoPartition: { unit: "day", retain: 3, precreate: 1, timeZone: "UTC" } } as const;
      const byDate = table("by_date", { id: t.int(), day: t.date() }, {
        primaryKey: ["id", "day"],
        partitionBy: ["day"],
        ...options,
      });
      if (target!.kind === "cluster") {
        await assert.rejects(db.admin.create(byDate), (error) => FlussError.is(error, "SCHEMA.AUTO_PARTITION"));
      } else {
        await db.admin.create(byDate);
        const day = Temporal.Now.plainDateISO("UTC");
        await db.table(byDate).upsert({ id: 1, day });
        assert.deepEqual((await db.admin.partitions(byDate)).map(({ name }) => name), [day.toString()]);
      }
      const byText = table("by_text", { id: t.int(), day: t.string(), v: t.string() }, {
        primaryKey: ["id", "day"],
        partitionBy: ["day"],
        ...options,
      });
      await db.admin.create(byText);
      const today = Temporal.Now.plainDateISO("UTC").toString().replaceAll("-", "");
      await db.table(byText).upsert({ id: 1, day: today, v: "x" });
      assert.equal((await db.table(byText).lookup({ id: 1, day: today }))?.v, "x");
      assert.ok((await db.admin.partitions(byText)).some((partition) => partition.name === today));
    }),
);
