/** Changes as types: which operations a table's changes have, and what their rows are. */
import type {
  AppendEvent,
  ChangeBatch,
  ChangeOf,
  InsertEvent,
  RawEvent,
  Subscription,
  UpdateEvent,
} from "../../src/query/change_types.ts";
import type { Db } from "../../src/query/db.ts";
import type { UntypedHandle } from "../../src/query/handle_types.ts";
import type { InferRow } from "../../src/schema/infer.ts";
import { t, table } from "../../src/schema/mod.ts";
import type { Equal, Expect } from "./expect.ts";
import { clicks, orders, prices, seen, stats } from "./tables.ts";

declare const db: Db;
declare const untyped: UntypedHandle;
const wal = table("a.wal", { id: t.int(), v: t.string() }, { primaryKey: ["id"], changelog: "wal" });
type WalRow = InferRow<typeof wal>;

export async function right(saved: string | undefined): Promise<void> {
  await using changes = db.table(orders).changes({ from: saved === undefined ? "earliest" : { token: saved } });
  for await (const change of changes) {
    if (change.op === "update") void [change.before.status, change.row.status];
    else if (change.op === "delete") void change.row.orderId;
    else void (change satisfies { op: "insert" });
    void [change.offset + 1n, change.timestamp.epochMilliseconds, change.bucket, change.partition?.length];
    const token: string = changes.checkpoint();
    void token;
  }
  const batches = db.table(orders).changes({ select: ["status"], where: (c) => c.total.gt("1.00") }).batches();
  for await (const batch of batches) {
    const rows: { status: "new" | "paid" | "shipped" | null }[] = batch.map((change) => change.row);
    void [rows, batch.checkpoint.length];
  }
  for await (const change of db.table(clicks).changes()) void (change.op satisfies "append");
  for await (const change of db.table(seen).changes()) void (change.op satisfies "insert");
  for await (const change of db.table(prices).changes()) void (change.op satisfies "insert" | "update");
  for await (const change of db.table(stats).changes()) void (change.op satisfies "insert" | "update" | "delete");
  for await (const change of db.table(seen).changes({ raw: true })) void (change.op satisfies "+I");
  for await (const change of db.changes([clicks, seen])) {
    if (change.table === "web.clicks") void (change.row.url satisfies string);
    else void (change.row.id satisfies string);
  }
  for await (const change of untyped.changes({ raw: true, select: ["a"] })) void change.row["a"];
  const stop: () => void = changes.on("partition", ({ change, partition }) => void [change, partition]);
  stop();
}

export type Answers = [
  Expect<Equal<ChangeOf<typeof seen>, InsertEvent<InferRow<typeof seen>>>>,
  Expect<Equal<ChangeOf<typeof clicks, "ms">, AppendEvent<{ ms: number | null }>>>,
  Expect<Equal<Extract<ChangeOf<typeof wal>, { op: "update" }>, UpdateEvent<WalRow, undefined>>>,
  Expect<Equal<ChangeOf<typeof wal, "id" | "v", true>, RawEvent<WalRow, "+I" | "-U" | "+U" | "-D">>>,
];

export async function wrong(changes: Subscription<ChangeOf<typeof orders>>): Promise<void> {
  for await (const change of changes) {
    // @ts-expect-error only updates have a row before
    void change.before;
    // @ts-expect-error there is no such operation
    if (change.op === "upsert") return;
  }
  // @ts-expect-error nothing of a first_row table is ever removed
  for await (const change of db.table(seen).changes()) if (change.op === "delete") return;
  // @ts-expect-error a WAL image has no row before
  for await (const change of db.table(wal).changes()) if (change.op === "update") void change.before.v;
  // @ts-expect-error there is no such column
  db.table(orders).changes({ select: ["nope"] });
  // @ts-expect-error not selected
  for await (const change of db.table(orders).changes({ select: ["status"] })) void change.row.total;
  // @ts-expect-error there is no such position
  db.table(orders).changes({ from: "now" });
  // @ts-expect-error there is no such option
  db.table(orders).changes({ form: "latest" });
  // @ts-expect-error nested columns cannot be filtered
  db.table(orders).changes({ where: (c) => c.items.isNull() });
  // @ts-expect-error there is no such event
  changes.on("row", () => {});
  // @ts-expect-error conditions are of one table
  db.changes([orders, clicks], { where: () => {} });
  const batch = undefined as unknown as ChangeBatch<ChangeOf<typeof orders>>;
  // @ts-expect-error batches are not written to
  batch.push(batch[0]!);
}
