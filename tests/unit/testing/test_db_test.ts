import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../../mod.ts";
import { eventually, testDb } from "../../../src/testing/mod.ts";

const orders = table("shop.orders", { id: t.int(), status: t.string().oneOf("new", "paid") }, {
  primaryKey: ["id"],
  buckets: 2,
});
const clicks = table("clicks", { url: t.string(), ms: t.int() }, { buckets: 1, log: { ttl: "2d" } });
const days = table("days", { id: t.int(), day: t.string() }, {
  primaryKey: ["id", "day"],
  partitionBy: ["day"],
  // One ahead: the server looks every ten minutes, and the first of a day may be those behind midnight.
  autoPartition: { unit: "day", retain: 1, precreate: 2, timeZone: "UTC" },
});

test("a test has a database of its own, with its tables and rows", async () => {
  await using db = await testDb([orders, clicks]);
  await using other = await testDb([orders]);
  await db.seed(orders, [{ id: 1, status: "new" }, { id: 2 }]);
  await db.seed(clicks, [{ url: "/", ms: 1 }]);
  assert.deepEqual(await db.table(orders).lookup({ id: 1 }), { id: 1, status: "new" });
  assert.equal(await other.table(orders).lookup({ id: 1 }), null);
  assert.deepEqual(await db.table(clicks).scan().toArray(), [{ url: "/", ms: 1 }]);
  assert.deepEqual(await db.admin.tables("shop"), ["orders"]);
  assert.deepEqual(await db.admin.tables(), ["clicks"]);
});

test("changesOf() tells everything that was written so far", async () => {
  await using db = await testDb([orders, clicks]);
  assert.deepEqual(await db.changesOf(orders), []);
  await db.table(orders).upsert({ id: 1, status: "new" });
  await db.table(orders).upsert({ id: 1, status: "paid" });
  db.table(orders).delete({ id: 1 });
  db.table(orders).delete({ id: 4711 });
  const changes = await db.changesOf(orders);
  assert.deepEqual(changes.map(({ op, row }) => [op, row.status]), [
    ["insert", "new"],
    ["update", "paid"],
    ["delete", "paid"],
  ]);
  await db.seed(clicks, [{ url: "/a" }, { url: "/b" }]);
  assert.deepEqual((await db.changesOf(clicks)).map(({ row }) => row.url), ["/a", "/b"]);
});

test("the clock drops what has expired, and makes and drops partitions", async () => {
  await using db = await testDb([clicks, days]);
  await db.table(clicks).append({ url: "/old" });
  db.clock.advance("P3D");
  await db.table(clicks).append({ url: "/new" });
  await eventually(async () => (await db.admin.offsets(clicks, "earliest"))[0]!.offset > 0n);
  assert.deepEqual(await db.table(clicks).scan().toArray(), [{ url: "/new", ms: null }]);

  const today = (ahead: number) =>
    Temporal.Instant.fromEpochMilliseconds(db.clock.now()).toZonedDateTimeISO("UTC").add({ days: ahead })
      .toPlainDate().toString().replaceAll("-", "");
  const names = async () => (await db.admin.partitions(days)).map(({ name }) => name);
  assert.ok((await names()).includes(today(0)));
  const first = today(0);
  db.clock.advance({ days: 3 });
  assert.ok((await names()).includes(today(0)));
  assert.ok(!(await names()).includes(first));
});

test("the database of names without one can be said, and options of connections hold", async () => {
  await using db = await testDb([clicks], { database: "web", writer: { maxBytes: 2048, batchBytes: 1024 } });
  assert.deepEqual(await db.admin.tables("web"), ["clicks"]);
  const failure = db.fail("append", { table: clicks });
  await db.table(clicks).append({ url: "/" });
  assert.equal(failure.happened, 1);
  db.table(clicks).append({ url: "x".repeat(4096) });
  assert.throws(
    () => db.table(clicks).append({ url: "/" }),
    (error) => FlussError.is(error, "WRITE.QUEUE_FULL"),
  );
});

test("a table that servers refuse is refused, and nothing is left behind", async () => {
  await assert.rejects(testDb([orders, orders]), (error) => FlussError.is(error, "SERVER.TABLE_ALREADY_EXIST"));
  await assert.rejects(
    testDb([], { nope: 1 } as object),
    (error) => FlussError.is(error, "CONNECTION.BAD_OPTION"),
  );
});
