import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../mod.ts";
import { needsCluster } from "../cluster.ts";
import { withDatabase } from "./target.ts";

test("first_row keeps the first row", needsCluster, () =>
  withDatabase(async (db) => {
    const seen = table("seen", { id: t.string(), at: t.int() }, { primaryKey: ["id"], mergeEngine: "first_row" });
    await db.admin.create(seen);
    const handle = db.table(seen);
    await handle.upsert({ id: "a", at: 1 });
    await handle.upsert({ id: "a", at: 2 });
    assert.deepEqual(await handle.lookup({ id: "a" }), { id: "a", at: 1 });
    for (
      const call of [
        () => (handle as never as Loose).update({ id: "a" }),
        () => (handle as never as Loose).delete({ id: "a" }),
      ]
    ) {
      assert.throws(
        call,
        (error) => FlussError.is(error, "WRITE.NOT_SUPPORTED") && /first_row and versioned/.test(error.message),
      );
    }
  }));

interface Loose {
  update(row: object): unknown;
  delete(row: object): unknown;
  upsert(row: object): unknown;
}

test("versioned keeps the row with the highest version", needsCluster, () =>
  withDatabase(async (db) => {
    const prices = table("prices", { sku: t.string(), version: t.bigint(), price: t.decimal(10, 2) }, {
      primaryKey: ["sku"],
      mergeEngine: { versioned: "version" },
    });
    await db.admin.create(prices);
    const handle = db.table(prices);
    await handle.upsert({ sku: "a", version: 5n, price: "5.00" });
    await handle.upsert({ sku: "a", version: 4n, price: "4.00" });
    assert.equal((await handle.lookup({ sku: "a" }))?.price, "5.00");
    await handle.upsert({ sku: "a", version: 5n, price: "5.50" });
    assert.equal((await handle.lookup({ sku: "a" }))?.price, "5.50");
  }));

const stats = {
  url: t.string(),
  sum: t.bigint().agg("sum"),
  product: t.int().agg("product"),
  max: t.decimal(10, 2).agg("max"),
  min: t.date({ mode: "string" }).agg("min"),
  list: t.string().agg("listagg", { delimiter: ";" }),
  all: t.boolean().agg("bool_and"),
  any: t.boolean().agg("bool_or"),
  last: t.string().agg("last_value"),
  lastSet: t.string().agg("last_value_ignore_nulls"),
  first: t.string().agg("first_value_ignore_nulls"),
};

test(
  "aggregation merges with every function, and deletes where it may",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const declared = table("stats", stats, {
        primaryKey: ["url"],
        mergeEngine: "aggregation",
        deleteBehavior: "allow",
      });
      await db.admin.create(declared);
      const handle = db.table(declared);
      const url = "/";
      handle.upsert({
        url,
        sum: 1n,
        product: 2,
        max: "1.00",
        min: "2026-01-02",
        list: "a",
        all: true,
        any: false,
        last: "x",
        lastSet: "x",
        first: "x",
      });
      handle.upsert({
        url,
        sum: 2n,
        product: 3,
        max: "0.50",
        min: "2026-01-01",
        list: "b",
        all: false,
        any: true,
        last: null,
        lastSet: null,
        first: "y",
      });
      await db.flush();
      assert.deepEqual(await handle.lookup({ url }), {
        url,
        sum: 3n,
        product: 6,
        max: "1.00",
        min: "2026-01-01",
        list: "a;b",
        all: false,
        any: true,
        last: null,
        lastSet: "x",
        first: "x",
      });
      await handle.update({ url, sum: 10n });
      assert.equal((await handle.lookup({ url }, { select: ["sum"] }))?.sum, 13n);
      await handle.delete({ url });
      assert.equal(await handle.lookup({ url }), null);
    }),
);

test(
  "delete() on an aggregation table that ignores it is refused, unless it says so",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const silent = table("silent", { id: t.int(), n: t.int().agg("sum") }, {
        primaryKey: ["id"],
        mergeEngine: "aggregation",
      });
      const spoken = table("spoken", { id: t.int(), n: t.int().agg("sum") }, {
        primaryKey: ["id"],
        mergeEngine: "aggregation",
        deleteBehavior: "ignore",
      });
      const disabled = table("disabled", { id: t.int(), n: t.int() }, {
        primaryKey: ["id"],
        deleteBehavior: "disable",
      });
      for (const declared of [silent, spoken, disabled]) await db.admin.create(declared);
      assert.throws(
        () => (db.table(silent) as never as Loose).delete({ id: 1 }),
        (error) => FlussError.is(error, "WRITE.DELETE_IGNORED"),
      );
      assert.throws(
        () => (db.table(disabled) as never as Loose).delete({ id: 1 }),
        (error) => FlussError.is(error, "WRITE.NOT_SUPPORTED"),
      );
      await db.table(spoken).upsert({ id: 1, n: 1 });
      await db.table(spoken).delete({ id: 1 });
      assert.deepEqual(await db.table(spoken).lookup({ id: 1 }), { id: 1, n: 1 });
    }),
);

test(
  "auto-increment numbers rows, and insertIfMissing makes a dictionary",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const dict = table("dict", { name: t.string(), id: t.bigint().autoIncrement(), note: t.string() }, {
        primaryKey: ["name"],
      });
      await db.admin.create(dict);
      const handle = db.table(dict);
      await handle.upsert({ name: "a", note: "n" });
      assert.deepEqual(await handle.lookup({ name: "a" }), { name: "a", id: 1n, note: "n" });
      await handle.upsert({ name: "a", note: "m" });
      assert.deepEqual(await handle.lookup({ name: "a" }), { name: "a", id: 1n, note: "m" });
      await handle.update({ name: "a", note: null });
      assert.deepEqual(await handle.lookup({ name: "a" }), { name: "a", id: 1n, note: null });
      const ids = await Promise.all(
        Array.from({ length: 50 }, (_, i) => handle.lookup({ name: `k${i % 10}` }, { insertIfMissing: true })),
      );
      assert.equal(new Set(ids.map((row) => row.id)).size, 10);
      for (const [i, row] of ids.entries()) assert.equal(row.id, ids[i % 10]!.id);
      const loose = handle as never as Loose;
      assert.throws(
        () => loose.upsert({ name: "b", id: 7n }),
        (error) => FlussError.is(error, "WRITE.GENERATED_COLUMN"),
      );
      assert.throws(() => loose.delete({ name: "a" }), (error) => FlussError.is(error, "WRITE.NOT_SUPPORTED"));
    }),
);

test(
  "update() on a table with a NOT NULL value column is refused with the text of its type",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const strict = table("strict", { id: t.int(), email: t.string().notNull() }, { primaryKey: ["id"] });
      await db.admin.create(strict);
      assert.throws(() => (db.table(strict) as never as Loose).update({ id: 1 }), (error) => {
        assert.ok(FlussError.is(error, "WRITE.NOT_SUPPORTED"));
        assert.match(error.message, /update\(\) needs every non-key column nullable; NOT NULL: email/);
        return true;
      });
      await db.table(strict).upsert({ id: 1, email: "e" });
      assert.deepEqual(await db.table(strict).lookup({ id: 1 }), { id: 1, email: "e" });
    }),
);
