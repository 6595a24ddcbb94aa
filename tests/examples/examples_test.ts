import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { follow, orders } from "../../examples/changelog_consumer.ts";
import { handle, serve, users } from "../../examples/http_service.ts";
import { importFile } from "../../examples/import_file.ts";
import { clicks, plan, slowest } from "../../examples/projection_query.ts";
import { tour } from "../../examples/tour.ts";
import { connect, type Db, FlussError } from "../../mod.ts";
import { RowAppender } from "../append_rows.ts";
import { needsCluster, repairing, target } from "../cluster.ts";

// The examples name their own database, which the runtimes and files of a run share; so they run one after another.
function withExampleTable(run: (db: Db) => Promise<void>): Promise<void> {
  return repairing(target!, () => "example", async () => {
    await using db = await connect(target!.url);
    await db.admin.createDatabase("example", { ignoreIfExists: true });
    await db.admin.create(users, { ignoreIfExists: true });
    await run(db);
  });
}

test("the tour runs and shows what it says", needsCluster, () =>
  repairing(target!, () => "tour", async () => {
    const said: string[] = [];
    await tour(target!.url, (line) => said.push(line));
    assert.ok(
      said.some((line) => line.startsWith("looked it up:") && line.includes('"status":"paid"')),
      said.join("\n"),
    );
    assert.ok(said.some((line) => line.includes("CODEC.OUT_OF_RANGE")));
    assert.ok(said.includes("deleted it: null"));
    assert.match(said.at(-1)!, /^wrote 50000 orders in \d+ ms$/);
  }));

test("the HTTP service stores a user and finds it again", needsCluster, () =>
  withExampleTable(async (db) => {
    const server = serve(db, 0);
    await new Promise<void>((resolve) => server.once("listening", () => resolve()));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/users/`;
      const id = String(Date.now());
      assert.equal((await fetch(url + id)).status, 404);
      const body = JSON.stringify({ name: "Ada", email: "ada@example.org" });
      assert.equal((await fetch(url + id, { method: "PUT", body })).status, 204);
      const found = await fetch(url + id);
      assert.equal(found.status, 200);
      const user = await found.json() as Record<string, unknown>;
      assert.deepEqual([user["id"], user["name"], user["email"]], [id, "Ada", "ada@example.org"]);
      assert.equal((await fetch(url + "x")).status, 404);
      const wrong = await fetch(url + id, { method: "PUT", body: JSON.stringify({ name: 5, email: null }) });
      assert.equal(wrong.status, 400);
      assert.match(await wrong.text(), /CODEC.WRONG_TYPE example.users: .*"name"/);
      assert.equal((await handle(db, "POST", `/users/${id}`, () => Promise.resolve(""))).status, 405);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }));

test("a file of JSON lines is imported, and a bad line is named", needsCluster, () =>
  withExampleTable(async (db) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-example-"));
    try {
      const base = BigInt(Date.now()) * 1000n;
      const lines = Array.from({ length: 3000 }, (_, i) =>
        JSON.stringify({ id: String(base + BigInt(i)), name: `n${i}` }));
      writeFileSync(join(folder, "good.jsonl"), lines.join("\n") + "\n");
      assert.equal(await importFile(db, join(folder, "good.jsonl")), 3000);
      assert.equal((await db.table(users).lookup({ id: base + 2999n }))?.name, "n2999");
      writeFileSync(join(folder, "bad.jsonl"), `{"id":"1","name":"ok"}\n{"id":"2","nope":1}\n`);
      await assert.rejects(importFile(db, join(folder, "bad.jsonl")), (error) => {
        assert.ok(FlussError.is(error), String(error));
        assert.match(error.message, /nope/);
        return true;
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }));

test(
  "the projection query reads two columns and finds what is slow",
  needsCluster,
  () =>
    repairing(target!, () => "example", async () => {
      await using db = await connect(target!.url);
      await db.admin.createDatabase("example", { ignoreIfExists: true });
      // Other runs have left their own.
      await db.admin.drop(clicks, { ignoreIfNotExists: true });
      await db.admin.create(clicks);
      await using to = new RowAppender("example");
      const pages = ["/", "/buy", "/buy/cart"];
      const rows = Array.from({ length: 300 }, (_, i) => {
        return { at: i, url: pages[i % 3]!, ms: i % 7 === 0 ? null : i, agent: `agent ${i}` };
      });
      for (const bucket of [0, 3]) await to.append(clicks, rows.filter((_, i) => i % 2 === bucket % 2), { bucket });
      assert.deepEqual([...await slowest(db, "/buy", 250)].sort(), [["/buy", 298], ["/buy/cart", 299]]);
      assert.equal((await slowest(db, "/nowhere", 0)).size, 0);
      assert.deepEqual(await plan(db), ["the server: projection: url, ms", "here: predicate: ms > 0"]);
    }),
);

test(
  "the changelog consumer keeps its totals, also over a restart",
  needsCluster,
  () =>
    repairing(target!, () => "example", async () => {
      await using db = await connect(target!.url);
      await db.admin.createDatabase("example", { ignoreIfExists: true });
      // Other runs have left their own.
      await db.admin.drop(orders, { ignoreIfNotExists: true });
      await db.admin.create(orders);
      const folder = mkdtempSync(join(tmpdir(), "sluice-example-"));
      try {
        // Follows until the totals are these: what was counted twice or lost would never make them.
        const followUntil = async (expected: Readonly<Record<string, number>>) => {
          const stop = new AbortController();
          const wanted = JSON.stringify(Object.entries(expected).sort());
          await follow(db, join(folder, "totals.json"), stop.signal, (totals) => {
            if (JSON.stringify(Object.entries(totals).sort()) === wanted) stop.abort();
          });
        };
        const handle = db.table(orders);
        const first = () => handle.upsert({ id: 0n, status: "new", cents: 100n });
        // For a moment, servers may still lead to the table that had the name before.
        await first().catch((error) =>
          FlussError.is(error, "SERVER.TABLE_NOT_EXIST") ? first() : Promise.reject(error)
        );
        for (let id = 1n; id < 50n; id++) handle.upsert({ id, status: "new", cents: 100n });
        await db.flush();
        await followUntil({ new: 5000 });
        for (let id = 0n; id < 20n; id++) handle.update({ id, status: "paid" });
        for (let id = 40n; id < 50n; id++) handle.delete({ id });
        await db.flush();
        await followUntil({ new: 2000, paid: 2000 });
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
);
