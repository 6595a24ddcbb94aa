import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../../../mod.ts";
import { FlussClient } from "../../../../src/client/client.ts";
import { dialEngine, Engine } from "../../../../src/embedded/mod.ts";
import { memoryStorage } from "../../../../src/embedded/storage/memory.ts";
import { Db } from "../../../../src/query/db.ts";
import { readOptions } from "../../../../src/query/options.ts";

const BUCKETS = 16;
const clicks = table("fluss.clicks", { id: t.int() }, { bucketKey: ["id"], buckets: BUCKETS });

test("empty buckets are waited for together: the first record of one is not kept from the reader by the others", async () => {
  const engine = new Engine({ storage: memoryStorage() });
  const asked: number[] = [];
  engine.interceptor = {
    onRequest: ({ api, message }) => {
      if (api !== "FETCH_LOG") return undefined;
      const { tablesReq } = message as { readonly tablesReq: readonly { readonly bucketsReq: readonly unknown[] }[] };
      asked.push(tablesReq.reduce((sum, { bucketsReq }) => sum + bucketsReq.length, 0));
      return undefined;
    },
  };
  const client = new FlussClient(readOptions("memory:", {}).client, {
    dial: (_host, port) => Promise.resolve(dialEngine(engine, port)),
    close: () => Promise.resolve(engine.close()),
  });
  await using db = new Db(client, undefined);
  await db.admin.create(clicks);
  // One bucket has a record, the others none.
  await db.table(clicks).append({ id: 0 });
  await using changes = db.table(clicks).changes();
  const each = changes[Symbol.asyncIterator]();
  assert.equal((await each.next()).done, false);
  const second = each.next();
  for (let id = 1; id < 64; id++) db.table(clicks).append({ id });
  await db.flush();
  assert.equal((await second).done, false);
  assert.ok(asked.every((count) => count > 1), `requests for ${asked.join(", ")} buckets`);
});
