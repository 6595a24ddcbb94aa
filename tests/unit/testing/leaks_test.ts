import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../../mod.ts";
import { type TestDb, testDb } from "../../../src/testing/mod.ts";
import { isCode } from "./is_code.ts";

const orders = table("shop.orders", { id: t.int(), note: t.string() }, { primaryKey: ["id"], buckets: 2 });
const clicks = table("web.clicks", { url: t.string() }, { buckets: 1 });

/** Answers of scans are small, so that scans go on over several. */
const SMALL = { scanner: { bucketMaxBytes: 1024 } };
const rows = Array.from({ length: 2_000 }, (_, id) => ({ id, note: "x".repeat(20) }));

/** What a function prints to the console. */
async function printed(run: () => Promise<unknown>): Promise<string> {
  const { warn } = console;
  let text = "";
  console.warn = (...words: unknown[]) => text += words.join(" ");
  try {
    await run();
  } finally {
    console.warn = warn;
  }
  return text;
}

const dispose = (db: TestDb) => db[Symbol.asyncDispose]();

test("scans and subscriptions that are open are told, with their tables", async () => {
  const db = await testDb([orders, clicks], SMALL);
  await db.seed(orders, rows);
  await db.seed(clicks, [{ url: "/" }]);
  const scan = db.table(orders).scan()[Symbol.asyncIterator]();
  const changes = db.table(clicks).changes()[Symbol.asyncIterator]();
  const more = db.table(clicks).changes()[Symbol.asyncIterator]();
  for (const one of [scan, changes, more]) assert.equal((await one.next()).done, false);
  await assert.rejects(
    db.close(),
    isCode(
      "TEST.LEAKED",
      /2 open scans or subscriptions of web.clicks, 1 open scan or subscription of shop.orders/,
      /hint: end scans and subscriptions: .* await using/,
    ),
  );
  // It is told once.
  await db.close();
  await dispose(db);
});

test("what was ended is no leak: by its end, by leaving the loop, by a signal, by await using", async () => {
  await using db = await testDb([orders, clicks], SMALL);
  await db.seed(orders, rows);
  await db.seed(clicks, rows.map(({ id }) => ({ url: `/${id}` })));
  assert.equal((await db.table(orders).scan().toArray()).length, rows.length);
  assert.equal((await db.table(orders).scan().limit(3).toArray()).length, 3);
  for await (const row of db.table(clicks).scan()) if (row.url === "/5") break;
  for await (const _ of db.table(orders).changes({ from: "snapshot" })) break;
  const end = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of db.table(orders).changes({ signal: end.signal })) end.abort(new Error("enough"));
  }, /enough/);
  await using changes = db.changes([orders, clicks]);
  for await (const _ of changes.batches()) break;
  await db.table(orders).lookup({ id: 1 });
  // The last thing that the test does: the server hears of it while the test ends.
  for await (const row of db.table(orders).scan()) if (row.id >= 0) break;
});

test("lookups on their way and failures that never happened are told by close()", async () => {
  const db = await testDb([orders, clicks]);
  await db.seed(orders, [{ id: 1 }]);
  const lookups = [1, 2].map((id) => db.table(orders).lookup({ id }).catch((error: unknown) => error));
  db.fail("append", { table: clicks, times: 2 });
  db.fail("lookup", { table: clicks.name, times: Infinity });
  await assert.rejects(
    db.close(),
    isCode(
      "TEST.LEAKED",
      /2 lookups of shop.orders without an answer, a failure of append of web.clicks that never happened \(2 left\)/,
      /hint: await lookups; make the call that is to fail, or cancel\(\) the failure/,
    ),
  );
  await Promise.all(lookups);
});

test("a test that failed is not robbed of its error: what it may well leave behind is printed", async () => {
  const text = await printed(async () => {
    await assert.rejects(async () => {
      await using db = await testDb([orders]);
      db.fail("upsert", { table: orders });
      throw new Error("the test's own");
    }, (error) => (error as Error).message === "the test's own");
  });
  assert.match(text, /TEST.LEAKED: the test has left behind a failure of upsert of shop.orders/);

  // What only a mistake leaves open is thrown, and printed as well: runtimes would show neither error.
  const both = await printed(async () => {
    await assert.rejects(async () => {
      await using db = await testDb([clicks]);
      await db.seed(clicks, [{ url: "/" }]);
      await db.table(clicks).changes()[Symbol.asyncIterator]().next();
      throw new Error("the test's own");
    }, (error) => (error as { readonly suppressed: Error }).suppressed.message === "the test's own");
  });
  assert.match(both, /TEST.LEAKED: the test has left behind 1 open scan or subscription of web.clicks/);
});

test("rows are written when the test ends; those that cannot be are told, once", async () => {
  const db = await testDb([clicks]);
  db.table(clicks).append({ url: "/" });
  assert.ok(db.queuedBytes > 0);
  await dispose(db);
  assert.equal(db.queuedBytes, 0);

  const failing = await testDb([clicks]);
  failing.fail("append", { code: "SERVER.AUTHORIZATION_EXCEPTION" });
  failing.table(clicks).append({ url: "/" });
  await assert.rejects(dispose(failing), isCode("WRITE.FAILED"));
  await failing.close();

  const late = await testDb([clicks], { closeTimeoutMs: 50 });
  late.fail("append", { times: Infinity });
  late.table(clicks).append({ url: "/" });
  await assert.rejects(late.close(), isCode("TIMEOUT.CLOSE"));

  const dropped = await testDb([clicks]);
  dropped.table(clicks).append({ url: "/" });
  await dropped.close({ drop: true });
});

test("a leak and rows that could not be written are told together", async () => {
  const db = await testDb([clicks]);
  await db.seed(clicks, [{ url: "/" }]);
  await db.table(clicks).changes()[Symbol.asyncIterator]().next();
  db.fail("append", { code: "SERVER.AUTHORIZATION_EXCEPTION" });
  db.table(clicks).append({ url: "/" });
  await assert.rejects(db.close(), (error) => {
    isCode("TEST.LEAKED", /1 open scan or subscription of web.clicks; and closing failed: /)(error);
    return FlussError.is((error as Error).cause, "WRITE.FAILED");
  });
});

test("after the end, calls are refused", async () => {
  const db = await testDb([orders]);
  await db.close();
  await assert.rejects(db.table(orders).lookup({ id: 1 }), isCode("CONNECTION.CLOSED"));
  assert.throws(() => db.table(orders).upsert({ id: 1 }), isCode("CONNECTION.CLOSED"));
});
