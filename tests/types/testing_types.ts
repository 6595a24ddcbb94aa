/** `sluice/testing` as types: a test database is a connection, and its rows, changes and failures are those of tables. */
import type { Db } from "../../src/query/db.ts";
import type { ChangeOf } from "../../src/query/change_types.ts";
import type { InferInsert } from "../../src/schema/infer.ts";
import { eventually, type Failure, type RandomRows, randomRows, type TestDb, testDb } from "../../src/testing/mod.ts";
import type { Equal, Expect } from "./expect.ts";
import { clicks, orders, seen } from "./tables.ts";

export async function right(connected: (db: Db) => Promise<void>): Promise<void> {
  await using db = await testDb([orders, clicks], { database: "shop", writer: { lingerMs: 0 } });
  await connected(db);
  const random = randomRows(clicks, { count: 3, seed: 1, now: db.clock.now() });
  await db.seed(clicks, random);
  await db.seed(orders, new Set<InferInsert<typeof orders>>());
  const failure: Failure = db.fail("upsert", { table: orders, code: "SERVER.STORAGE_EXCEPTION", times: 2 });
  if (failure.happened + failure.left < 2) failure.cancel();
  db.fail("lookup");
  db.fail("changes", { table: "shop.orders", code: "disconnect" });
  db.fail("append", { code: "answerLost", message: "lost" });
  const changes = await db.changesOf(orders);
  for (const change of changes) if (change.op === "update") void [change.before.status, change.row.status];
  for (const { op } of await db.changesOf(clicks)) void (op satisfies "append");
  for (const by of [1_000, "P8D", { days: 8 }, Temporal.Duration.from("P8D")]) db.clock.advance(by);
}

export type Answers = [
  Expect<Equal<Awaited<ReturnType<typeof changesOfSeen>>, ChangeOf<typeof seen>[]>>,
  Expect<Equal<ReturnType<typeof randomClicks>, RandomRows<InferInsert<typeof clicks>>>>,
  Expect<Equal<Awaited<ReturnType<typeof found>>, string>>,
  Expect<Equal<Awaited<ReturnType<typeof happened>>, true>>,
  Expect<Equal<Equal<{ a: 1 }, { readonly a: 1 }>, false>>,
];

const changesOfSeen = (db: TestDb) => db.changesOf(seen);
const randomClicks = () => randomRows(clicks);
const found = (value: () => string | null | undefined) => eventually(value);
const happened = (value: () => Promise<boolean>) => eventually(value);

export async function wrong(db: TestDb): Promise<void> {
  // @ts-expect-error no server says so
  db.fail("upsert", { code: "WRITE.FAILED" });
  // @ts-expect-error there is no such operation
  db.fail("insert");
  // @ts-expect-error there is no such option
  db.fail("upsert", { tabel: orders });
  // @ts-expect-error a row lacks its key
  await db.seed(orders, [{ status: "new" }]);
  // @ts-expect-error there is no such column
  await db.seed(clicks, [{ ...randomRows(clicks)[0]!, nope: 1 }]);
  // @ts-expect-error random rows are not written to
  randomRows(clicks).push(randomRows(clicks)[0]!);
  // @ts-expect-error nothing of a first_row table is ever updated
  for (const change of await db.changesOf(seen)) if (change.op === "update") return;
  // @ts-expect-error a test's database has no login
  await testDb([], { username: "alice", password: "secret" });
  // @ts-expect-error a clock is moved by something
  db.clock.advance();
}
