/**
 * For tests of programs that use Sluice: a database per test, failures on request, a clock that can be moved.
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 * import { eventually, testDb } from "sluice/testing";
 *
 * const orders = table("shop.orders", { id: t.int(), status: t.string() }, { primaryKey: ["id"] });
 *
 * await using db = await testDb([orders]);
 * db.table(orders).upsert({ id: 1, status: "paid" });
 * await eventually(async () => (await db.table(orders).lookup({ id: 1 }))?.status === "paid");
 * ```
 *
 * @module
 */
export type { Advance, TestClock } from "./clock.ts";
export { eventually, type EventuallyOptions } from "./eventually.ts";
export type { Failure, FailureOptions, Operation } from "./failures.ts";
export { type RandomRows, randomRows, type RandomRowsOptions } from "./random_rows.ts";
export type { Equal, Expect } from "./type_tests.ts";
export { type FailOptions, TestDb, testDb, type TestDbOptions } from "./test_db.ts";
