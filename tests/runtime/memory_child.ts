// Upserts rows and watches the process grow, as memory_test.ts runs it: the URL, the database, the number of rows, and
// whether they go through upsertAll() or through calls of upsert() that wait only when the queue is full.
import process from "node:process";
import { connect, FlussError, t, table } from "../../mod.ts";

const [url, database, count, way] = process.argv.slice(2) as [string, string, string, "upsertAll" | "upsert"];
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
const watch = () => peak = Math.max(peak, process.memoryUsage.rss());
function* generate() {
  for (let i = 0; i < Number(count); i++) {
    if (i % 10_000 === 0) watch();
    yield { id: i, name: `user-${i}`, score: i * 0.5, at: i };
  }
}
if (way === "upsertAll") {
  await handle.upsertAll(generate());
} else {
  for (let i = 0; i < Number(count);) {
    try {
      handle.upsert({ id: i, name: `user-${i}`, score: i * 0.5, at: i });
      i++;
    } catch (error) {
      if (!FlussError.is(error, "WRITE.QUEUE_FULL")) throw error;
      watch();
      waits++;
      await db.ready;
    }
  }
}
watch();
await db.flush();
console.log(JSON.stringify({ rows: Number(count), waits, growth: peak - before, limit: LIMIT }));
