// Upserts rows without ever waiting by itself, as memory_test.ts runs it: the URL, the database and the number of rows.
import process from "node:process";
import { connect, FlussError, t, table } from "../../mod.ts";

const [url, database, count] = process.argv.slice(2) as [string, string, string];
const LIMIT = 64 << 20;
const rows = table(`${database}.rows`, {
  id: t.bigint({ mode: "number" }),
  name: t.string(),
  score: t.double(),
  at: t.timestamp(3, { mode: "epochMillis" }),
}, { primaryKey: ["id"], buckets: 4 });

await using db = await connect(url, { writer: { maxBytes: LIMIT } });
await db.admin.createDatabase(database);
await db.admin.create(rows);
const handle = db.table(rows);
// What the runtime and its compiler take once is no growth.
for (let i = 0; i < 200_000; i++) handle.upsert({ id: i, name: `user-${i}`, score: i * 0.5, at: i });
await db.flush();
const before = process.memoryUsage.rss();
let peak = 0;
let waits = 0;
for (let i = 0; i < Number(count);) {
  try {
    handle.upsert({ id: i, name: `user-${i}`, score: i * 0.5, at: i });
    i++;
  } catch (error) {
    if (!FlussError.is(error, "WRITE.QUEUE_FULL")) throw error;
    peak = Math.max(peak, process.memoryUsage.rss());
    waits++;
    await db.ready;
  }
}
peak = Math.max(peak, process.memoryUsage.rss());
await db.flush();
console.log(JSON.stringify({ rows: Number(count), waits, growth: peak - before, limit: LIMIT }));
