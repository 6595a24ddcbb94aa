import assert from "node:assert/strict";
import { test } from "node:test";
import { type Account, accounts, bigPayments, mirror, pay, payments } from "../../examples/payments.ts";
import { eventually, testDb } from "../../src/testing/mod.ts";

const ada = { id: 1n, owner: "ada", status: "open", balance: "100.00" } as const;

test("a payment is written down, though the server fails once, and the account was seen", async () => {
  await using db = await testDb([accounts, payments]);
  await db.seed(accounts, [ada]);
  const failure = db.fail("append", { table: payments });
  const from = await pay(db, { at: 1_000, from: 1n, to: 2n, amount: "10.00" });
  assert.equal(from.owner, "ada");
  assert.equal(failure.happened, 1);
  assert.deepEqual((await db.changesOf(payments)).map(({ row }) => row.amount), ["10.00"]);
  const [, seen] = await db.changesOf(accounts);
  assert.ok(seen?.op === "update" && seen.row.seenAt!.epochMilliseconds === 1_000);
});

test("nothing is paid from an account that is frozen, or is not there", async () => {
  await using db = await testDb([accounts, payments]);
  await db.seed(accounts, [{ ...ada, status: "frozen" }]);
  await assert.rejects(pay(db, { at: 0, from: 1n, to: 2n, amount: "1.00" }), /frozen/);
  await assert.rejects(pay(db, { at: 0, from: 7n, to: 2n, amount: "1.00" }), /no account 7/);
  assert.deepEqual(await db.changesOf(payments), []);
});

test("big payments are found", async () => {
  await using db = await testDb([payments]);
  await db.seed(payments, ["5.00", "50.00", "500.00"].map((amount, i) => ({ at: i, from: 1n, to: 2n, amount })));
  const found = await bigPayments(db, "50.00");
  assert.deepEqual(found.map(({ amount }) => amount).sort(), ["50.00", "500.00"]);
});

test("the copy follows, and ends with its signal", async () => {
  await using db = await testDb([accounts]);
  await db.seed(accounts, [ada]);
  const copy = new Map<bigint, Account>();
  const end = new AbortController();
  const done = mirror(db, copy, end.signal);
  await eventually(() => copy.get(1n)?.balance === "100.00");
  await db.table(accounts).update({ id: 1n, balance: "90.00" });
  await eventually(() => copy.get(1n)?.balance === "90.00");
  await db.table(accounts).delete({ id: 1n });
  await eventually(() => copy.size === 0);
  end.abort(new Error("enough"));
  await assert.rejects(done, /enough/);
});
