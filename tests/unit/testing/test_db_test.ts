import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../../mod.ts";
import { eventually, randomRows, testDb } from "../../../src/testing/mod.ts";

const orders = table("shop.orders", { id: t.int(), status: t.string().oneOf("new", "paid") }, {
  primaryKey: ["id"],
  buckets: 2,
});
const clicks = table("clicks", { url: t.string(), ms: t.int() }, { buckets: 1, log: { ttl: "2d" } });
const days = table("days", { id: t.int(), day: t.string() }, {
  primaryKey: ["id", "day"],
  partitionBy: ["day"],
  autoPartition: { unit: "day", retain: 1, precreate: 1, timeZone: "UTC" },
});

const isCode = (code: string) => (error: unknown) => {
  assert.ok(FlussError.is(error) && error.code === code, String(error));
  return true;
};

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

test("the client outlives a failure that passes, and tells one that does not", async () => {
  await using db = await testDb([orders, clicks]);
  const passing = db.fail("upsert", { table: orders, times: 2 });
  await db.table(orders).upsert({ id: 1, status: "new" });
  assert.equal(passing.happened, 2);
  assert.deepEqual(await db.table(orders).lookup({ id: 1 }), { id: 1, status: "new" });

  db.fail("update", { code: "SERVER.INVALID_TARGET_COLUMN", message: "not today" });
  await assert.rejects(
    Promise.resolve(db.table(orders).update({ id: 1, status: "paid" })),
    (error) => FlussError.is(error) && /not today/.test(error.message),
  );
  db.fail("delete", { code: "SERVER.DELETION_DISABLED_EXCEPTION" });
  await assert.rejects(
    Promise.resolve(db.table(orders).delete({ id: 1 })),
    isCode("SERVER.DELETION_DISABLED_EXCEPTION"),
  );
  db.fail("lookup", { code: "SERVER.AUTHORIZATION_EXCEPTION" });
  await assert.rejects(db.table(orders).lookup({ id: 1 }), isCode("SERVER.AUTHORIZATION_EXCEPTION"));
  assert.deepEqual(await db.table(orders).lookup({ id: 1 }), { id: 1, status: "new" });

  // Another table is not concerned.
  const other = db.fail("append", { table: orders });
  await db.table(clicks).append({ url: "/" });
  assert.equal(other.happened, 0);
  other.cancel();
  const hangUp = db.fail("append", { table: clicks, code: "disconnect" });
  await db.table(clicks).append({ url: "/2" });
  assert.equal(hangUp.happened, 1);
  assert.equal(await db.table(clicks).scan().count(), 2);
});

test("what cannot fail, or is nothing that a server says, is refused", async () => {
  await using db = await testDb([orders]);
  const bad = [
    () => db.fail("nothing" as "upsert"),
    () => db.fail("upsert", { code: "WRITE.FAILED" as "SERVER.STORAGE_EXCEPTION" }),
    () => db.fail("upsert", { times: 0 }),
    () => db.clock.advance("soon"),
    () => db.clock.advance(-1),
  ];
  for (const call of bad) assert.throws(call, isCode("TEST.BAD_OPTION"));
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
  db.clock.advance({ days: 3 } as unknown as Temporal.Duration);
  assert.ok((await names()).includes(today(0)));
  assert.ok(!(await names()).includes(first));
});

test("what is left open is told when the test ends", async () => {
  const db = await testDb([orders]);
  await db.seed(orders, [{ id: 1 }]);
  const changes = db.table(orders).changes()[Symbol.asyncIterator]();
  await changes.next();
  const never = db.fail("append");
  assert.equal(never.left, 1);
  await assert.rejects(db.close(), (error) => {
    isCode("TEST.LEAKED")(error);
    assert.match((error as Error).message, /1 open scan or subscription, a failure of append that never happened/);
    return true;
  });
  await db.close();

  const fine = await testDb([orders]);
  await fine.seed(orders, [{ id: 1 }]);
  for await (const { row } of fine.table(orders).changes()) {
    assert.equal(row.id, 1);
    break;
  }
  await fine.close();
});

test("a row that could not be written and nobody asked about ends the test with its error", async () => {
  const db = await testDb([clicks]);
  db.fail("append", { code: "SERVER.AUTHORIZATION_EXCEPTION" });
  db.table(clicks).append({ url: "/" });
  await assert.rejects(db.close(), isCode("WRITE.FAILED"));
});

test("eventually() gives what came, and says why nothing did", async () => {
  let attempts = 0;
  assert.equal(await eventually(() => ++attempts === 4 && "there"), "there");
  await assert.rejects(
    eventually(() => Promise.reject(new Error("not yet")), { timeoutMs: 20 }),
    (error) => isCode("TIMEOUT.TEST")(error) && /within 20 ms; the last attempt said: not yet/.test(String(error)),
  );
  await assert.rejects(eventually(() => 0, { timeoutMs: 5 }), /the last attempt gave 0/);
  const reason = new Error("over");
  await assert.rejects(eventually(() => false, { signal: AbortSignal.abort(reason) }), reason);
});

const everything = table("everything", {
  key: t.bigint(),
  flag: t.boolean(),
  tiny: t.tinyint().notNull(),
  text: t.string().oneOf("a", "b"),
  amount: t.decimal(20, 4),
  at: t.timestamp(6),
  instant: t.timestampLtz(3),
  day: t.date(),
  time: t.time(3),
  real: t.float(),
  bytes: t.bytes(),
  list: t.array(t.int()),
  map: t.map(t.string(), t.double()),
  row: t.row({ x: t.int(), y: t.string() }),
  even: t.int().check({
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        (value as number) % 2 === 0 ? { value: value as number } : { issues: [{ message: "odd" }] },
    },
  }),
}, { primaryKey: ["key"], buckets: 1 });

test("random rows keep to the declaration, come again with their seed, and are read back as they were", async () => {
  const rows = randomRows(everything, { count: 200 });
  console.log(`SLUICE_SEED=${rows.seed}`);
  const text = (value: unknown) =>
    JSON.stringify(value, (_, one) => typeof one === "bigint" ? `${one}n` : one instanceof Map ? [...one] : one);
  assert.equal(text(randomRows(everything, { count: 200, seed: rows.seed })), text(rows));
  assert.equal(rows.length, 200);
  for (const { tiny, text, even } of rows) {
    assert.notEqual(tiny, null);
    assert.ok(text === null || text === "a" || text === "b");
    assert.ok(even === null || even! % 2 === 0);
  }
  await using db = await testDb([everything]);
  await db.seed(everything, rows);
  const last = new Map(rows.map((row) => [row.key, row]));
  const found = await db.table(everything).scan().toArray();
  assert.equal(found.length, last.size);
  const impossible = table("impossible", {
    id: t.int().check({
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "never" }] }) },
    }).notNull(),
  });
  assert.throws(() => randomRows(impossible), isCode("TEST.BAD_OPTION"));
});
