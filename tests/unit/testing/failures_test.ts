import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../../mod.ts";
import { eventually, type Operation, testDb } from "../../../src/testing/mod.ts";
import { isCode } from "./is_code.ts";

const orders = table("shop.orders", { id: t.int(), status: t.string() }, { primaryKey: ["id"], buckets: 4 });
const items = table("shop.items", { order: t.int(), line: t.int(), sku: t.string() }, {
  primaryKey: ["order", "line"],
  bucketKey: ["order"],
  buckets: 2,
});
const clicks = table("web.clicks", { url: t.string() }, { buckets: 1 });
const views = table("web.views", { url: t.string() }, { buckets: 1 });

const ids = Array.from({ length: 40 }, (_, id) => id);

test("every operation on rows fails as often as it is told, and then goes on by itself", async () => {
  await using db = await testDb([orders, items, clicks]);
  await db.seed(orders, ids.map((id) => ({ id, status: "new" })));
  await db.seed(items, ids.map((line) => ({ order: 1, line, sku: `sku ${line}` })));
  await db.seed(clicks, [{ url: "/" }]);
  const o = db.table(orders);
  const calls: Record<Exclude<Operation, "admin">, () => Promise<unknown>> = {
    upsert: async () => await o.upsert({ id: 1, status: "paid" }),
    update: async () => await o.update({ id: 2, status: "paid" }),
    delete: async () => await o.delete({ id: 3 }),
    append: async () => await db.table(clicks).append({ url: "/buy" }),
    lookup: () => o.lookup({ id: 1 }),
    prefixLookup: () => db.table(items).prefixLookup({ order: 1 }),
    scan: () => o.scan().toArray(),
    changes: () => db.changesOf(orders),
  };
  for (const [operation, call] of Object.entries(calls)) {
    const failure = db.fail(operation as Operation, { times: 2 });
    await call();
    assert.deepEqual([failure.happened, failure.left], [2, 0], operation);
  }
  assert.deepEqual((await o.lookupMany([{ id: 1 }, { id: 2 }, { id: 3 }])).map((row) => row?.status), [
    "paid",
    "paid",
    undefined,
  ]);
  assert.equal((await db.table(items).prefixLookup({ order: 1 })).length, 40);
  // Nothing was written twice.
  assert.equal((await db.changesOf(orders)).length, 43);
  assert.equal((await db.changesOf(clicks)).length, 2);
});

test("what the client does not try again, the caller is told in the server's words", async () => {
  await using db = await testDb([orders, items, clicks]);
  await db.seed(orders, [{ id: 1, status: "new" }]);
  const code = "SERVER.AUTHORIZATION_EXCEPTION";
  const o = db.table(orders);
  const calls: Record<Operation, () => Promise<unknown>> = {
    upsert: async () => await o.upsert({ id: 1, status: "paid" }),
    update: async () => await o.update({ id: 1, status: "paid" }),
    delete: async () => await o.delete({ id: 1 }),
    append: async () => await db.table(clicks).append({ url: "/" }),
    lookup: () => o.lookup({ id: 1 }),
    prefixLookup: () => db.table(items).prefixLookup({ order: 1 }),
    scan: () => o.scan().toArray(),
    changes: () => db.changesOf(orders),
    admin: () => db.admin.tables("shop"),
  };
  for (const [operation, call] of Object.entries(calls)) {
    db.fail(operation as Operation, { code, message: `no ${operation} today` });
    await assert.rejects(call, isCode(code, new RegExp(`no ${operation} today`)), operation);
  }
  assert.deepEqual(await o.lookup({ id: 1 }), { id: 1, status: "new" });
});

test("a failure is one of the buckets that it is about; the others are served", async () => {
  await using db = await testDb([orders]);
  const o = db.table(orders);
  await o.upsert({ id: 0, status: "new" });
  // In one request: what is upserted is in other buckets than what is deleted, or in the same.
  const failure = db.fail("delete", { code: "SERVER.DELETION_DISABLED_EXCEPTION" });
  const acks = ids.map((id) => id === 7 ? o.delete({ id }) : o.upsert({ id, status: "paid" }));
  const outcomes = await Promise.allSettled(acks);
  assert.equal(failure.happened, 1);
  const refused = outcomes.flatMap((outcome, id) => outcome.status === "rejected" ? [id] : []);
  assert.ok(refused.includes(7));
  assert.ok(refused.length < 30, `${refused.length} of 40 rows were refused`);
  const found = await o.lookupMany(ids.map((id) => ({ id })));
  for (const id of ids) {
    assert.equal(found[id]?.status, refused.includes(id) ? (id === 0 ? "new" : undefined) : "paid", `${id}`);
  }
});

test("a failure is that of its table; reading logs together, the others go on", async () => {
  await using db = await testDb([orders, items, clicks, views]);
  const other = db.fail("append", { table: views });
  await db.table(clicks).append({ url: "/" });
  assert.equal(other.happened, 0);
  await db.table(views).append({ url: "/" });
  assert.equal(other.happened, 1);

  // Both logs are asked for in one request.
  const failure = db.fail("changes", { table: "web.views", code: "SERVER.CORRUPT_MESSAGE" });
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const change of db.changes([clicks, views])) seen.push(change.table);
  }, isCode("SERVER.CORRUPT_MESSAGE"));
  assert.equal(failure.happened, 1);
  assert.ok(!seen.includes("web.views"), seen.join(", "));

  // Lookups of several tables, and scans of tables with keys, know theirs.
  const lookups = db.fail("lookup", { table: items });
  await db.table(orders).lookup({ id: 1 });
  assert.equal(lookups.happened, 0);
  await db.table(items).lookup({ order: 1, line: 1 });
  assert.equal(lookups.happened, 1);
  const scans = db.fail("scan", { table: items });
  await db.table(orders).scan().count();
  await db.changesOf(items);
  assert.equal(scans.happened, 0);
  await db.table(items).scan().count();
  assert.equal(scans.happened, 1);
  const admin = db.fail("admin", { table: items, code: "SERVER.AUTHORIZATION_EXCEPTION" });
  await db.admin.describe(orders);
  await assert.rejects(db.admin.describe(items), isCode("SERVER.AUTHORIZATION_EXCEPTION"));
  assert.equal(admin.happened, 1);
});

test("several failures wait for their turn, in the order in which they were asked for", async () => {
  await using db = await testDb([orders]);
  const first = db.fail("upsert", { code: "SERVER.STORAGE_EXCEPTION" });
  const second = db.fail("upsert", { code: "SERVER.INVALID_TARGET_COLUMN" });
  await assert.rejects(async () => await db.table(orders).upsert({ id: 1 }), isCode("SERVER.INVALID_TARGET_COLUMN"));
  assert.deepEqual([first.happened, second.happened], [1, 1]);
  const never = db.fail("upsert", { times: 5 });
  await db.table(orders).upsert({ id: 1 }).then(() => assert.equal(never.happened, 5));
  const off = db.fail("upsert");
  off.cancel();
  await db.table(orders).upsert({ id: 1 });
  assert.deepEqual([off.happened, off.left], [0, 0]);
  // For as long as the test likes.
  const always = db.fail("lookup", { times: Infinity, code: "SERVER.AUTHORIZATION_EXCEPTION" });
  for (let i = 0; i < 3; i++) await assert.rejects(db.table(orders).lookup({ id: 1 }));
  assert.equal(always.happened, 3);
  assert.equal(always.left, Infinity);
});

for (const code of ["disconnect", "answerLost"] as const) {
  const when = code === "disconnect" ? "before" : "after";
  test(`the server hangs up ${when} it has served a request; nothing is lost, or written twice`, async () => {
    await using db = await testDb([orders, clicks]);
    const append = db.fail("append", { code });
    await db.table(clicks).append({ url: "/" });
    assert.equal(append.happened, 1);
    const upsert = db.fail("upsert", { code });
    await db.table(orders).upsert({ id: 1, status: "new" });
    assert.equal(upsert.happened, 1);
    const lookup = db.fail("lookup", { code });
    assert.equal((await db.table(orders).lookup({ id: 1 }))?.status, "new");
    assert.equal(lookup.happened, 1);
    assert.equal((await db.changesOf(clicks)).length, 1);
    assert.equal((await db.changesOf(orders)).length, 1);
  });
}

test("without idempotence an answer that is lost is a row that is there twice", async () => {
  await using db = await testDb([clicks], { writer: { idempotent: false } });
  db.fail("append", { code: "answerLost" });
  await db.table(clicks).append({ url: "/" });
  assert.equal(await db.table(clicks).scan().count(), 2);
});

test("a subscription outlives failures while it waits", async () => {
  await using db = await testDb([orders]);
  const seen: number[] = [];
  const end = new AbortController();
  const reading = (async () => {
    for await (const { row } of db.table(orders).changes({ signal: end.signal })) seen.push(row.id);
  })();
  await db.table(orders).upsert({ id: 1 });
  await eventually(() => seen.length === 1);
  const failures = [
    db.fail("changes", { code: "SERVER.NOT_LEADER_OR_FOLLOWER" }),
    db.fail("changes", { code: "disconnect" }),
    db.fail("changes", { code: "answerLost" }),
  ];
  for (let id = 2; id < 6; id++) await db.table(orders).upsert({ id });
  await eventually(() => seen.length === 5 && failures.every(({ left }) => left === 0));
  assert.deepEqual([...seen].sort(), [1, 2, 3, 4, 5]);
  end.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
});

test("what cannot fail, or is nothing that a server says, is refused", async () => {
  await using db = await testDb([orders, clicks]);
  const refused: [() => unknown, RegExp][] = [
    [() => db.fail("nothing" as "upsert"), /"nothing" is no operation. hint: there are upsert, update, delete/],
    [() => db.fail("toString" as "upsert"), /is no operation/],
    [
      () => db.fail("upsert", { code: "WRITE.FAILED" as "disconnect" }),
      /"WRITE.FAILED" is nothing that a server can say/,
    ],
    [() => db.fail("upsert", { code: "SERVER.NOPE" as "disconnect" }), /nothing that a server can say/],
    [() => db.fail("upsert", { times: 0 }), /times is a whole number/],
    [() => db.fail("upsert", { times: 1.5 }), /times is a whole number/],
    [() => db.fail("upsert", { tabel: orders } as object), /no option "tabel". hint: there are table, code/],
    [() => db.fail("append", { table: orders }), /append\(\) is nothing .* shop.orders, which has a primary key/],
    [() => db.fail("upsert", { table: clicks }), /web.clicks, which has no primary key/],
    [() => db.fail("lookup", { table: clicks }), /web.clicks, which has no primary key/],
  ];
  for (const [call, text] of refused) assert.throws(call, isCode("TEST.BAD_OPTION", text));
  await db.table(orders).upsert({ id: 1 });
});
