/**
 * A projection query: two columns of a log table with four, of the rows that meet a condition. Of an ARROW log the server
 * sends the columns that are asked for and no others.
 *
 *     deno run --allow-net examples/projection_query.ts fluss://127.0.0.1:9123
 */
import process from "node:process";
import { connect, type Db, t, table } from "../mod.ts";

export const clicks = table("example.clicks", {
  at: t.timestampLtz(3, { mode: "epochMillis" }).notNull(),
  url: t.string().notNull(),
  ms: t.int(),
  agent: t.string(),
}, { buckets: 4, log: { format: "arrow", compression: { type: "zstd" } } });

/** The slowest requests for each page that starts with `prefix`. */
export async function slowest(db: Db, prefix: string, above: number): Promise<Map<string, number>> {
  const scan = db.table(clicks).scan().select("url", "ms").where((c) => c.ms.gt(above).and(c.url.startsWith(prefix)));
  const found = new Map<string, number>();
  // By batches: where columns are enough, no row is made.
  for await (const batch of scan.batches()) {
    const urls = batch.column("url");
    const times = batch.column("ms");
    for (let i = 0; i < batch.length; i++) {
      const ms = times.get(i) ?? 0;
      if (ms > (found.get(urls.get(i)) ?? 0)) found.set(urls.get(i), ms);
    }
  }
  return found;
}

/** What the server does of the query, and what is left to do here. */
export async function plan(db: Db): Promise<string[]> {
  const { pushedDown, clientSide } = await db.table(clicks).scan().select("url", "ms").where((c) => c.ms.gt(0))
    .explain();
  return [...pushedDown.map((part) => `the server: ${part}`), ...clientSide.map((part) => `here: ${part}`)];
}

if (import.meta.main) {
  await using db = await connect(process.argv[2] ?? "fluss://127.0.0.1:9123");
  await db.admin.createDatabase("example", { ignoreIfExists: true });
  await db.admin.create(clicks, { ignoreIfExists: true });
  for (const line of await plan(db)) console.log(line);
  const found = await slowest(db, "/buy", 400);
  for (const [page, ms] of found) console.log(`${page}: ${ms} ms`);
  if (found.size === 0) console.log("no slow requests");
}
