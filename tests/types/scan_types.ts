/** What scans read, as types: selected columns, conditions, and what a table cannot do. */
import type { ColumnBatch } from "../../src/query/column_batch.ts";
import type { Db } from "../../src/query/db.ts";
import type { UntypedHandle } from "../../src/query/handle_types.ts";
import { t, table } from "../../src/schema/mod.ts";
import type { Equal, Expect } from "./expect.ts";
import { clicks, orders } from "./tables.ts";

declare const db: Db;
declare const untyped: UntypedHandle;
const day = Temporal.PlainDate.from("2026-11-23");
const visits = table("web.visits", { day: t.date(), url: t.string() }, { partitionBy: ["day"] });

export async function right(): Promise<void> {
  const slow = db.table(clicks).scan().select("url", "ms").where((c) => c.ms.gt(100).and(c.url.startsWith("/buy")));
  for await (const row of slow.limit(100)) void (row.url.length + (row.ms ?? 0));
  for await (const batch of slow.batches({ timeoutMs: 1000 })) {
    for (const row of batch) void row.url;
    void batch.column("ms").toArray();
    void batch.checkpoint.length;
  }
  void (await db.table(clicks).scan().from({ offsets: [{ bucket: 0, offset: 7n }] }).until("latest").count());
  db.table(clicks).scan().from({ token: "abc" }).until({ timestamp: Temporal.Now.instant() }).last(10);
  db.table(clicks).scan().where((c) => c.at.between(0, 1).or(c.ms.isNull()).or(c.url.in(["/", "/buy"])));
  db.table(orders).scan().partition({ day }).where((c) => c.status.in(["new"]).and(c.status.startsWith("n")));
  db.table(orders).scan().where((c) => c.orderId.gte(1n).and(c.day.lt(day)).and(c.total.eq("1.00")));
  db.table(orders).scan().where((c) => c.blob.eq(new Uint8Array()).and(c.updatedAt.lt(Temporal.Now.instant())));
  db.table(clicks).scan().where({ op: "and", predicates: [{ op: "gt", column: "ms", value: 100 }] });
  db.table(visits).scan().partition({ day }).last(3);
  untyped.scan().select("a", "b").where((c) => c["a"]!.gt(1)).last(3).partition({ day: 1 });
  for await (const row of untyped.scan()) void row["a"];
  const stream: ReadableStream<Uint8Array> = slow.ipc();
  void stream;
  const { pushedDown } = await slow.explain();
  void pushedDown;
}

const two = () => db.table(clicks).scan().select("ms", "at").toArray();
const one = () => db.table(clicks).scan().select("url").first();
const all = () => db.table(clicks).scan().toArray();
const batches = () => db.table(clicks).scan().select("ms").batches();
const values = (batch: ColumnBatch<{ ms: number | null }>) => batch.column("ms").toArray();
type Click = { at: number; url: string; ms: number | null };
export type Answers = [
  Expect<Equal<Awaited<ReturnType<typeof two>>, { ms: number | null; at: number }[]>>,
  Expect<Equal<Awaited<ReturnType<typeof one>>, { url: string } | null>>,
  Expect<Equal<Awaited<ReturnType<typeof all>>, Click[]>>,
  Expect<Equal<ReturnType<typeof batches>, AsyncIterable<ColumnBatch<{ ms: number | null }>>>>,
  Expect<Equal<ReturnType<typeof values>, (number | null)[]>>,
];

export async function wrong(): Promise<void> {
  const c = db.table(clicks).scan();
  const o = db.table(orders).scan();
  // @ts-expect-error there is no such column
  c.select("nope");
  // @ts-expect-error not selected
  for await (const row of c.select("ms")) void row.url;
  // @ts-expect-error not selected
  for await (const batch of c.select("ms").batches()) batch.column("url");
  // @ts-expect-error nested columns cannot be filtered
  o.where((c) => c.items.eq([]));
  // @ts-expect-error undefined is no value
  o.where((c) => c.email.eq(undefined));
  // @ts-expect-error null is no value: isNull()
  o.where((c) => c.email.eq(null));
  // @ts-expect-error not one of the values
  o.where((c) => c.status.eq("lost"));
  // @ts-expect-error a decimal is a string
  o.where((c) => c.total.gte(10));
  // @ts-expect-error bytes have no order
  o.where((c) => c.blob.lt(new Uint8Array()));
  // @ts-expect-error numbers have no prefix
  c.where((c) => c.ms.startsWith("1"));
  // @ts-expect-error there is no such column
  c.where((c) => c.nope.eq(1));
  // @ts-expect-error a condition is no boolean
  c.where((c) => c.ms.gt(1) && true);
  // @ts-expect-error current rows have no age
  o.last(1);
  // @ts-expect-error current rows have no position
  o.from("earliest");
  // @ts-expect-error current rows have no position
  o.until("latest");
  // @ts-expect-error the table is not partitioned
  c.partition({ day });
  // @ts-expect-error the partition is incomplete
  o.partition({});
  // @ts-expect-error scans have no snapshot to start with
  c.from("snapshot");
  // @ts-expect-error a token says where to start
  c.until({ token: "abc" });
}
