import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { columns, full, plain } from "../conformance/all_types.ts";
import { long } from "../random.ts";
import { DataFolder } from "./data_folder.ts";

const ROWS = long ? 1_000_000 : 50_000;
/** What a command may take while rows go through it: all of them at once would be several times as much. */
const MOST_MIB = 450;

const log = { ...columns };
const from = table("shop.all_from", log);
const to = table("shop.all_to", log);
const keyed = table("shop.all_keyed", log, { primaryKey: ["id"], buckets: 2 });

const nulls = Object.fromEntries(Object.keys(columns).map((key) => [key, null])) as Record<string, null>;
/** Values at the ends of what the types and the formats have. */
const odd = {
  ...full,
  text: "",
  char: "",
  single: -0,
  double: -0,
  bytes: new Uint8Array(0),
  list: [],
  map: new Map(),
  record: {},
  row: null,
};
const special = { ...full, single: NaN, double: -Infinity, text: '",;\r\n\\N NULL\u2028\u009b', list: null, map: null };

for (const format of ["jsonl", "csv", "arrow", "parquet"]) {
  test(`every type comes back from ${format} as it left`, async () => {
    using folder = new DataFolder();
    await folder.use(async (db) => {
      await db.admin.createDatabase("shop");
      for (const each of [from, to, keyed]) await db.admin.create(each);
      const rows = [full, odd, special, nulls].map((row, id) => ({ ...row, id }) as never);
      await db.table(from).appendAll(rows);
    });
    const file = folder.path(`all.${format}`);
    for (
      const args of [["export", "shop.all_from", "--output", file], ["append", "shop.all_to", "--file", file], [
        "upsert",
        "shop.all_keyed",
        "--file",
        file,
      ]]
    ) {
      const { code, err } = await folder.run(args);
      assert.equal(code, 0, err);
    }
    await folder.use(async (db) => {
      const wanted = (await db.table(from).scan().toArray()).map(plain);
      assert.equal(wanted.length, 4);
      assert.deepEqual((await db.table(to).scan().toArray()).map(plain), wanted);
      const ids = [0, 1, 2, 3].map((id) => ({ id }));
      assert.deepEqual((await db.table(keyed).lookupMany(ids)).map(plain), wanted);
    });
  });
}

const wide = {
  id: t.bigint().notNull(),
  url: t.string().notNull(),
  ms: t.int(),
  price: t.decimal(10, 2),
  at: t.timestampLtz(3, { mode: "epochMillis" }),
};
const big = table("shop.big", wide, { buckets: 1 });
const copies = table("shop.copies", wide, { buckets: 1 });

test(`${ROWS} rows go out and come back equal, in flat memory`, async () => {
  using folder = new DataFolder();
  const rowOf = (i: number) => ({
    id: BigInt(i),
    url: `/page/${i % 1000}?q=${i}`,
    ms: i % 7 === 0 ? null : i % 5000,
    price: `${i % 10_000}.25`,
    at: 1_700_000_000_000 + i,
  });
  await folder.use(async (db) => {
    await db.admin.createDatabase("shop");
    for (const each of [big, copies]) await db.admin.create(each);
    function* rows() {
      for (let i = 0; i < ROWS; i++) yield rowOf(i);
    }
    await db.table(big).appendAll(rows());
  });
  for (const [round, format] of ["jsonl", "csv", "arrow", "parquet"].entries()) {
    const file = folder.path(`big.${format}`);
    for (const args of [["export", "shop.big", "--output", file], ["append", "shop.copies", "--file", file]]) {
      const { code, err, mostMiB } = await folder.measured(args);
      assert.equal(code, 0, err);
      console.log(`${args[0]} ${format}: ${err.trim()}, at most ${mostMiB} MiB`);
      assert.ok(mostMiB === undefined || mostMiB < MOST_MIB, `it took ${mostMiB} MiB`);
    }
    await folder.use(async (db) => {
      let i = 0;
      const scan = db.table(copies).scan().from({ offsets: [{ bucket: 0, offset: BigInt(round * ROWS) }] });
      for await (const batch of scan.batches()) {
        for (const row of batch) assert.deepEqual({ ...row }, rowOf(i++));
      }
      assert.equal(i, ROWS);
    });
  }
});
