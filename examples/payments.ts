/**
 * A small service: accounts that change, payments that are kept. Its functions take a connection, so that they run on a
 * cluster, in a folder, and in tests on a database of their own (`tests/examples/payments_test.ts`).
 *
 * @module
 */
import { type Db, type InferInsert, type InferRow, t, table } from "../mod.ts";

/** The current state of every account. */
export const accounts = table("bank.accounts", {
  id: t.bigint(),
  owner: t.string(),
  status: t.string().oneOf("open", "frozen"),
  balance: t.decimal(18, 2),
  seenAt: t.timestampLtz(3),
}, { primaryKey: ["id"], buckets: 4, comment: "current state" });

/** Every payment there was. */
export const payments = table("bank.payments", {
  at: t.timestampLtz(3, { mode: "epochMillis" }).notNull(),
  from: t.bigint().notNull(),
  to: t.bigint().notNull(),
  amount: t.decimal(18, 2).notNull(),
  note: t.string(),
}, { bucketKey: ["from"], buckets: 4, log: { ttl: "30d" } });

export interface Account extends InferRow<typeof accounts> {}
export interface Payment extends InferRow<typeof payments> {}
export interface NewPayment extends InferInsert<typeof payments> {}

/** Writes a payment down; it is there for good when this resolves. */
export async function pay(db: Db, payment: NewPayment): Promise<Account> {
  const handle = db.table(accounts);
  const from = await handle.lookup({ id: payment.from });
  if (from === null) throw new Error(`no account ${payment.from}`);
  if (from.status === "frozen") throw new Error("account frozen");
  await db.table(payments).append(payment);
  // Nobody waits for this one: it is written when the connection is flushed or closed at the latest.
  handle.update({ id: payment.from, seenAt: Temporal.Instant.fromEpochMilliseconds(payment.at) });
  return from;
}

/** Payments of at least this amount. */
export async function bigPayments(db: Db, least: string): Promise<Pick<Payment, "from" | "amount">[]> {
  return await db.table(payments).scan().select("from", "amount").where((c) => c.amount.gte(least)).limit(50).toArray();
}

/** Copies all accounts into a map, and keeps it up to date until the signal ends it. */
export async function mirror(db: Db, copy: Map<bigint, Account>, signal: AbortSignal): Promise<void> {
  for await (const change of db.table(accounts).changes({ signal })) {
    if (change.op === "delete") copy.delete(change.row.id);
    else copy.set(change.row.id, change.row);
  }
}
