/** What the examples do with rows of every kind, and when servers fail: on a database of each test's own. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { follow, orders } from "../../examples/changelog_consumer.ts";
import { handle, users } from "../../examples/http_service.ts";
import { importFile } from "../../examples/import_file.ts";
import { clicks, slowest } from "../../examples/projection_query.ts";
import { FlussError, toJson } from "../../mod.ts";
import { randomRows, testDb } from "../../src/testing/mod.ts";
import { seed } from "../random.ts";

const ada = JSON.stringify({ name: "Ada", email: "ada@example.org" });

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-example-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the HTTP service hides failures that pass, and tells those that do not", async () => {
  await using db = await testDb([users]);
  const put = () => handle(db, "PUT", "/users/7", () => Promise.resolve(ada));
  const get = () => handle(db, "GET", "/users/7", () => Promise.resolve(""));
  assert.equal((await get()).status, 404);
  const failures = [db.fail("upsert", { table: users, times: 2 }), db.fail("lookup", { code: "disconnect" })];
  assert.equal((await put()).status, 204);
  const answer = await get();
  assert.equal(answer.status, 200);
  assert.equal((await answer.json() as { readonly name: string }).name, "Ada");
  assert.deepEqual(failures.map(({ left }) => left), [0, 0]);
  // An answer that is lost is asked for again, and the user is written once.
  db.fail("upsert", { code: "answerLost" });
  assert.equal((await put()).status, 204);
  assert.equal((await db.changesOf(users)).length, 2);

  db.fail("upsert", { code: "SERVER.AUTHORIZATION_EXCEPTION" });
  await assert.rejects(put(), (error) => FlussError.is(error, "SERVER.AUTHORIZATION_EXCEPTION"));
  db.fail("lookup", { code: "SERVER.AUTHORIZATION_EXCEPTION" });
  await assert.rejects(get(), (error) => FlussError.is(error, "SERVER.AUTHORIZATION_EXCEPTION"));
});

test("whatever users are like, a file of them is imported as it is, though the server fails now and then", () =>
  inFolder(async (folder) => {
    await using db = await testDb([users]);
    const rows = randomRows(users, { count: 500, seed });
    const file = join(folder, "users.jsonl");
    writeFileSync(file, rows.map((row) => `${JSON.stringify(toJson(users, row))}\n`).join(""));
    db.fail("upsert", { times: 2 });
    assert.equal(await importFile(db, file), rows.length);
    const last = new Map(rows.map((row) => [row.id, row]));
    const found = await db.table(users).scan().toArray();
    assert.equal(found.length, last.size);
    for (const user of found) assert.deepEqual(user, last.get(user.id));
  }));

test("an import that is refused is told", () =>
  inFolder(async (folder) => {
    await using db = await testDb([users]);
    writeFileSync(join(folder, "users.jsonl"), `{"id":"1","name":"Ada"}\n`);
    db.fail("upsert", { code: "SERVER.AUTHORIZATION_EXCEPTION", message: "not you" });
    await assert.rejects(importFile(db, join(folder, "users.jsonl")), (error) => {
      assert.ok(FlussError.is(error), String(error));
      assert.match(error.message, /not you/);
      return true;
    });
    assert.deepEqual(await db.changesOf(users), []);
  }));

test("the projection query finds what a loop over all rows finds", async () => {
  await using db = await testDb([clicks]);
  const rows = randomRows(clicks, { count: 1_000, seed });
  await db.seed(clicks, rows);
  for (const [prefix, above] of [["", 0], ["a", 0], ["", 1_000_000], ["用", 100]] as const) {
    const expected = new Map<string, number>();
    for (const { url, ms } of rows) {
      if (ms === null || ms === undefined || ms <= above || !url.startsWith(prefix)) continue;
      expected.set(url, Math.max(ms, expected.get(url) ?? 0));
    }
    db.fail("scan", { table: clicks });
    assert.deepEqual(new Map([...await slowest(db, prefix, above)].sort()), new Map([...expected].sort()));
  }
});

test("the changelog consumer counts nothing twice and loses nothing when servers fail and hang up", () =>
  inFolder(async (folder) => {
    await using db = await testDb([orders]);
    const totalsOf = (rows: readonly { readonly status: string | null; readonly cents: bigint | null }[]) => {
      const totals: Record<string, number> = {};
      for (const { status, cents } of rows) {
        totals[status ?? "unknown"] = (totals[status ?? "unknown"] ?? 0) + Number(cents ?? 0n);
      }
      return Object.entries(totals).filter(([, cents]) => cents !== 0).sort();
    };
    /** Follows until the totals are those of the rows that are there. */
    const followNow = async () => {
      const expected = JSON.stringify(totalsOf(await db.table(orders).scan().toArray()));
      const stop = new AbortController();
      await follow(db, join(folder, "totals.json"), stop.signal, (totals) => {
        const found = Object.entries(totals).filter(([, cents]) => cents !== 0).sort();
        if (JSON.stringify(found) === expected) stop.abort();
      });
    };
    // Amounts that numbers can hold.
    const rows = randomRows(orders, { count: 200, seed }).map((row) => ({
      ...row,
      cents: (row.cents ?? 0n) % 10_000n,
    }));
    await db.seed(orders, rows);
    const failures = [
      db.fail("changes", { code: "SERVER.NOT_LEADER_OR_FOLLOWER" }),
      db.fail("changes", { code: "disconnect" }),
      db.fail("changes", { code: "answerLost" }),
    ];
    await followNow();
    assert.deepEqual(failures.map(({ left }) => left), [0, 0, 0]);
    for (const { id } of rows.slice(0, 50)) db.table(orders).delete({ id });
    for (const { id } of rows.slice(50, 100)) db.table(orders).update({ id, status: "paid" });
    await db.flush();
    await followNow();
  }));
