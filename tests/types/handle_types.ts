/** Which operations a table's handle has, and the types of their rows. */
import type { Db } from "../../src/query/db.ts";
import { t, table } from "../../src/schema/mod.ts";
import type { Equal, Expect } from "./expect.ts";
import { clicks, dict, orders, prices, required, seen, stats } from "./tables.ts";

declare const db: Db;
const day = Temporal.PlainDate.from("2026-11-23");
const key = { region: "eu", orderId: 1n, day };

export async function right(): Promise<unknown> {
  const o = db.table(orders);
  o.upsert({ ...key, status: "new", total: "12.50" });
  const receipt = await o.update({ ...key, status: "paid", email: null });
  void receipt.endOffset;
  o.delete(key);
  const one = await o.lookup(key);
  void one?.items?.[0]?.sku;
  for (const row of await o.prefixLookup({ region: "eu", day })) void row.total;
  const part = await o.lookup(key, { select: ["status"] });
  const got = await db.table(dict).lookup({ name: "x" }, { insertIfMissing: true });
  db.table(stats).delete({ url: "/" });
  return [part, got] satisfies [Part, Got];
}
type Part = { status: "new" | "paid" | "shipped" | null } | null;
type Got = { name: string; id: bigint };
const got = () => db.table(dict).lookup({ name: "x" }, { insertIfMissing: true });
const part = () => db.table(orders).lookup(key, { select: ["status"] });
export type Answers = [
  Expect<Equal<Awaited<ReturnType<typeof part>>, Part>>,
  Expect<Equal<Awaited<ReturnType<typeof got>>, Got>>,
];

export async function wrong(): Promise<void> {
  const o = db.table(orders);
  const selected = await o.lookup(key, { select: ["status"] });
  // @ts-expect-error not selected
  void selected!.total;
  // @ts-expect-error there is no such column
  o.lookup(key, { select: ["nope"] });
  // @ts-expect-error the bucket key is the whole key
  db.table(table("a.b", { k: t.string() }, { primaryKey: ["k"], bucketKey: ["k"] })).prefixLookup({ k: "a" });
  // @ts-expect-error no prefix without a bucket key
  db.table(stats).prefixLookup({});
  // @ts-expect-error the key is incomplete
  o.lookup({ region: "eu" });
  // @ts-expect-error there is no such column
  o.upsert({ ...key, nope: 1 });
  // @ts-expect-error a literal union
  o.upsert({ ...key, status: "lost" });
  // @ts-expect-error a number is not a bigint
  o.delete({ ...key, orderId: 1 });
  // @ts-expect-error log tables are append-only
  db.table(clicks).upsert({});
  db.table(clicks).append({ at: 1, url: "/" });
  // @ts-expect-error a NOT NULL column is missing
  db.table(clicks).append({ at: 1 });
  // @ts-expect-error there is no such column
  db.table(clicks).append({ at: 1, url: "/", nope: 1 });
  // @ts-expect-error primary-key tables are written with upsert()
  o.append({ ...key });
  // @ts-expect-error rows are no columns
  db.table(clicks).appendBatches([{ at: 1, url: "/" }]);
  // @ts-expect-error no partial update on first_row
  db.table(seen).update({ id: "a" });
  // @ts-expect-error no delete on versioned
  db.table(prices).delete({ sku: "a" });
  // @ts-expect-error the server numbers the column
  db.table(dict).upsert({ name: "a", id: 1n });
  // @ts-expect-error the server cannot delete rows of tables with an auto-increment column
  db.table(dict).delete({ name: "a" });
  // @ts-expect-error a NOT NULL column forbids partial updates
  db.table(required).update({ k: "a", v: "b" });
  const merged = table("a.b", { k: t.string() }, { primaryKey: ["k"], mergeEngine: "aggregation" });
  // @ts-expect-error the server would ignore it
  db.table(merged).delete({ k: "a" });
  const disabled = table("a.b", { k: t.string() }, { primaryKey: ["k"], deleteBehavior: "disable" });
  // @ts-expect-error the table says so
  db.table(disabled).delete({ k: "a" });
}
