// Conditions pushed to servers, which leave out batches whose statistics show that no row can match.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyTable, type Db, t, table } from "../../mod.ts";
import { API } from "../../src/client/rpc/api.ts";
import { FetchLogResponseSchema } from "../../src/client/rpc/gen/fluss/v1/log_pb.ts";
import { readMessage } from "../../src/client/rpc/required.ts";
import { logBatchAt } from "../../src/format/log_batch.ts";
import type { Predicate } from "../../src/format/predicate.ts";
import { RowAppender } from "../append_rows.ts";
import { needsNext, targetNext } from "../cluster.ts";
import { withDatabase } from "../conformance/target.ts";
import { start } from "../interop/counterpart.ts";
import type { LogText } from "../interop/protocol.ts";
import { Random, seed } from "../random.ts";
import { Relay } from "../relay.ts";

console.log(`SLUICE_SEED=${seed}`);

const columns = {
  n: t.int().notNull(),
  text: t.string(),
  flag: t.boolean(),
  small: t.smallint(),
  big: t.bigint(),
  real: t.double(),
  price: t.decimal(10, 2),
  wide: t.decimal(30, 4),
  day: t.date({ mode: "days" }),
  time: t.time(3, { mode: "millis" }),
  at: t.timestamp(6, { mode: "epochMicros" }),
  instant: t.timestampLtz(3, { mode: "epochMillis" }),
  list: t.array(t.int()),
};
const declare = (name: string, statistics: string | undefined) =>
  table(name, columns, {
    buckets: 2,
    ...(statistics === undefined ? {} : { properties: { "table.statistics.columns": statistics } }),
  });
const plain = declare("plain", undefined);
const all = declare("all", "*");
const some = declare("some", "n,text");

const BATCHES = 40;
const ROWS = 100;
type Row = typeof plain.$insert;

/** Values that ascend with `n`; every tenth row is null but for it, and so is every tenth batch. */
function rowOf(n: number): Row {
  if (n % 10 === 9 || Math.floor(n / ROWS) % 10 === 5) return { n };
  const milli = n * 60_000;
  return {
    n,
    text: `text ${String(n).padStart(6, "0")}`,
    flag: n >= 2000,
    small: n - 2000,
    big: BigInt(n - 2000) * 10n ** 12n,
    real: (n - 2000) / 7,
    price: (n / 100).toFixed(2),
    wide: `${n - 2000}${"0".repeat(18)}.0000`,
    day: n - 2000,
    time: n * 1000,
    at: BigInt(milli) * 1000n + 1n,
    instant: milli,
    list: [n],
  };
}

/** What the servers have sent. */
class Sent {
  batches = 0;
  /** The versions of their headers; 1 has statistics. */
  readonly magics: Set<number> = new Set();
  readonly relay: Relay = new Relay((apiKey, body) => {
    if (apiKey !== API.FETCH_LOG.key) return;
    for (const { bucketsResp } of readMessage(FetchLogResponseSchema, body).tablesResp) {
      for (const { records } of bucketsResp) {
        let at = 0;
        for (let batch = logBatchAt(records, at); batch !== undefined; batch = logBatchAt(records, at)) {
          this.batches++;
          this.magics.add(batch.magic);
          at = batch.end;
        }
      }
    }
  });

  /** How many batches and bytes of logs come while this runs. */
  async during<T>(run: () => Promise<T>): Promise<{ result: T; batches: number; bytes: number }> {
    const [batches, bytes] = [this.batches, this.relay.answersTo(API.FETCH_LOG).bytes];
    const result = await run();
    return { result, batches: this.batches - batches, bytes: this.relay.answersTo(API.FETCH_LOG).bytes - bytes };
  }
}

async function withTables(
  tables: readonly AnyTable[],
  run: (db: Db, sent: Sent, database: string) => Promise<void>,
): Promise<void> {
  const sent = new Sent();
  await using relay = sent.relay;
  await withDatabase(
    async (db, database) => {
      await using to = new RowAppender(database, targetNext!);
      for (const each of tables) {
        await db.admin.create(each);
        // Answered once all buckets have leaders.
        await db.admin.offsets(each, "latest");
        for (let batch = 0; batch < BATCHES; batch++) {
          const rows = Array.from({ length: ROWS }, (_, i) => rowOf(batch * ROWS + i));
          await to.append(each, rows, { bucket: batch % 2 });
        }
      }
      await run(db, sent, database);
    },
    { resolveAddress: relay.resolveAddress },
    targetNext,
  );
}

const sorted = <R extends { readonly n: number }>(rows: readonly R[]): R[] => rows.toSorted((a, b) => a.n - b.n);

test(
  "batches without a matching row stay on the server, and the rows are the same as without",
  needsNext,
  () =>
    withTables([plain, all], async (db, sent) => {
      const where: Predicate = {
        op: "and",
        predicates: [{ op: "gte", column: "n", value: 1234 }, { op: "lte", column: "n", value: 1271 }],
      };
      const without = await sent.during(() => db.table(plain).scan().where(where).toArray());
      const pruned = await sent.during(() => db.table(all).scan().where(where).toArray());
      assert.deepEqual(sent.magics, new Set([0, 1]));
      assert.equal(without.batches, BATCHES);
      assert.equal(pruned.batches, 1);
      assert.ok(pruned.bytes < without.bytes / 10, `${pruned.bytes} bytes instead of ${without.bytes}`);
      console.log(`${pruned.batches} batches, ${pruned.bytes} bytes instead of ${without.batches}, ${without.bytes}`);
      assert.deepEqual(sorted(pruned.result), sorted(without.result));
      assert.equal(pruned.result.length, 38);

      const none = await sent.during(() => db.table(all).scan().where((c) => c.n.gt(1_000_000)).toArray());
      assert.deepEqual([none.result, none.batches], [[], 0]);
      const projected = await sent.during(() => db.table(all).scan().select("text").where(where).toArray());
      assert.equal(projected.batches, 1);
      assert.ok(projected.bytes < pruned.bytes);
      assert.deepEqual(projected.result, pruned.result.map(({ text }) => ({ text })));
      const plan = await db.table(all).scan().where(where).explain();
      assert.ok(plan.pushedDown.some((line) => line.startsWith("predicate")), String(plan.pushedDown));
      assert.ok(plan.clientSide.some((line) => line.startsWith("predicate")), String(plan.clientSide));
    }),
);

test("the official Python client reads our batches with statistics, and we read its", needsNext, async (context) => {
  const started = await start("python", targetNext!.bootstrap);
  if ("absent" in started) return context.skip(started.absent);
  const { counterpart } = started;
  try {
    const words = table("words", { n: t.int().notNull(), text: t.string() }, {
      buckets: 1,
      properties: { "table.statistics.columns": "*" },
    });
    await withTables([], async (db, sent, database) => {
      await db.admin.create(words);
      await db.admin.offsets(words, "latest");
      const rows = (from: number) =>
        Array.from({ length: ROWS }, (_, i) => ({ n: from + i, text: `text ${from + i}` }));
      for (const row of rows(0)) db.table(words).append(row);
      await db.flush();
      const columns = [["n", { type: "INT" }], ["text", { type: "STRING" }]] as const;
      const name = `${database}.words`;
      await counterpart.call({ op: "open", table: name, columns });
      await counterpart.call({ op: "append", table: name, rows: rows(ROWS).map(({ n, text }) => [n, text]) });
      const read = await counterpart.call<LogText[]>({ op: "readLog", table: name, count: 2 * ROWS });
      const all = [...rows(0), ...rows(ROWS)];
      assert.deepEqual(read.map(([, , , row]) => row), all.map(({ n, text }) => [n, text]));
      const scanned = await sent.during(() => db.table(words).scan().toArray());
      assert.deepEqual(scanned.result, all);
      // What is left on the server is ours, so it was our batch that had statistics.
      const last = await sent.during(() => db.table(words).scan().where((c) => c.n.gte(ROWS)).toArray());
      assert.deepEqual(last.result, rows(ROWS));
      assert.ok(last.batches < scanned.batches, `${last.batches} batches of ${scanned.batches}`);
      assert.ok(sent.magics.has(1));
    });
  } finally {
    await counterpart.close();
  }
});

test(
  "only columns with statistics are compared on the server",
  needsNext,
  () =>
    withTables([some], async (db, sent) => {
      const scan = db.table(some).scan();
      const byText = await sent.during(() => scan.where((c) => c.text.startsWith("text 00123")).toArray());
      assert.equal(byText.result.length, 9);
      assert.ok(byText.batches < BATCHES / 4, `${byText.batches} batches`);
      const byBig = await sent.during(() => scan.where((c) => c.big.eq(0n)).toArray());
      assert.deepEqual([byBig.result.map(({ n }) => n), byBig.batches], [[2000], BATCHES]);
      const both = await sent.during(() => scan.where((c) => c.big.gt(0n).and(c.n.lt(2150))).toArray());
      assert.ok(both.batches < BATCHES, `${both.batches} batches`);
      assert.deepEqual(
        both.result.map(({ n }) => n).sort(),
        Array.from({ length: 149 }, (_, i) => 2001 + i).filter((n) => n % 10 !== 9),
      );
    }),
);

const ORDERED = ["n", "text", "small", "big", "real", "price", "wide", "day", "time", "at", "instant"] as const;

function randomPredicate(random: Random, depth = 0): Predicate {
  if (depth < 2 && random.int(3) === 0) {
    const parts = [randomPredicate(random, depth + 1), randomPredicate(random, depth + 1)];
    return { op: random.int(2) === 0 ? "and" : "or", predicates: parts };
  }
  const column = random.pick(ORDERED);
  const value = (): unknown => {
    for (;;) {
      const found = rowOf(random.int(BATCHES * ROWS))[column];
      if (found !== undefined) return found;
    }
  };
  switch (random.int(8)) {
    case 0:
      return { op: "isNull", column };
    case 1:
      return { op: "isNotNull", column };
    case 2:
      return { op: "in", column, value: [value(), value()] };
    case 3:
      return column === "text"
        ? {
          op: random.pick(["startsWith", "endsWith", "contains"]),
          column,
          value: "00 12".slice(random.int(5)),
        } as Predicate
        : { op: "eq", column, value: value() };
    case 4:
      return { op: "eq", column: "flag", value: random.int(2) === 0 };
    default:
      return { op: random.pick(["eq", "ne", "lt", "lte", "gt", "gte"]), column, value: value() };
  }
}

test(
  "results of random conditions on all types are those of a table without statistics",
  needsNext,
  () =>
    withTables([plain, all], async (db, sent) => {
      const random = new Random(seed);
      let [fewer, matching] = [0, 0];
      for (let i = 0; i < 60; i++) {
        const where = randomPredicate(random);
        const expected = sorted(await db.table(plain).scan().where(where).toArray());
        const { result, batches } = await sent.during(() => db.table(all).scan().where(where).toArray());
        assert.deepEqual(
          sorted(result),
          expected,
          JSON.stringify(where, (_, v) => typeof v === "bigint" ? `${v}n` : v),
        );
        if (batches < BATCHES) fewer++;
        if (result.length > 0) matching++;
      }
      console.log(`${fewer} of 60 conditions left batches on the server, ${matching} matched rows`);
      assert.ok(fewer > 10 && matching > 10);
    }),
);
