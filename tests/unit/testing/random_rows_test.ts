import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyTable, t, table } from "../../../mod.ts";
import { randomRows, testDb } from "../../../src/testing/mod.ts";
import { seed } from "../../random.ts";
import { isCode } from "./is_code.ts";

/** A Standard Schema of values that a function takes. */
function check<V>(takes: (value: V) => boolean) {
  return {
    "~standard": {
      version: 1 as const,
      vendor: "test",
      validate: (value: unknown) => takes(value as V) ? { value: value as V } : { issues: [{ message: "no" }] },
    },
  };
}

const everything = table("everything", {
  key: t.bigint(),
  flag: t.boolean(),
  tiny: t.tinyint().notNull(),
  small: t.smallint(),
  number: t.bigint({ mode: "number" }),
  text: t.string().oneOf("a", "b"),
  code: t.char(3),
  fixed: t.binary(4),
  amount: t.decimal(20, 4),
  unscaled: t.decimal(38, 0, { mode: "unscaled" }),
  at: t.timestamp(6),
  instant: t.timestampLtz(3),
  day: t.date(),
  days: t.date({ mode: "days" }),
  time: t.time(3),
  real: t.float(),
  double: t.double(),
  bytes: t.bytes(),
  list: t.array(t.int().notNull()),
  map: t.map(t.string(), t.double()),
  object: t.map(t.string(), t.int(), { mode: "object" }),
  row: t.row({ x: t.int(), y: t.string().oneOf("n", "s").notNull() }),
  even: t.int().check(check<number>((value) => value % 2 === 0)),
  nested: t.array(t.row({ small: t.int().check(check<number>((value) => Math.abs(value) < 1_000_000)) })),
  own: t.decimal(9, 2, {
    codec: {
      decode: ({ unscaled }) => ({ cents: unscaled }),
      encode: ({ cents }: { cents: bigint }) => ({ unscaled: cents, scale: 2 }),
    },
  }),
}, { primaryKey: ["key"], buckets: 1 });

test("rows keep to the declaration, and come again with their seed", () => {
  const rows = randomRows(everything, { count: 500, seed });
  const text = (value: unknown) =>
    JSON.stringify(value, (_, one) => typeof one === "bigint" ? `${one}n` : one instanceof Map ? [...one] : one);
  assert.equal(rows.length, 500);
  assert.equal(text(randomRows(everything, { count: 500, seed: rows.seed })), text(rows));
  assert.notEqual(text(randomRows(everything, { count: 500, seed: rows.seed + 1 })), text(rows));
  const { row: schema } = everything;
  for (const row of rows) {
    // What the library itself says of such a row.
    assert.deepEqual(everything.insert["~standard"].validate(row), { value: row });
    assert.notEqual(row.tiny, null);
    for (const one of row.nested ?? []) {
      assert.ok(one === null || one.small === null || Math.abs(one.small!) < 1_000_000);
    }
  }
  assert.ok(schema !== undefined);
  // Everything that may be there is there.
  for (const key of Object.keys(rows[0]!) as (keyof typeof rows[0])[]) {
    const nulls = rows.filter((row) => row[key] === null).length;
    if (key === "key" || key === "tiny") assert.equal(nulls, 0);
    else assert.ok(nulls > 50 && nulls < 200, `${key}: ${nulls} of 500 are null`);
  }
  const numbers = rows.map(({ number }) => number);
  assert.ok(numbers.includes(Number.MAX_SAFE_INTEGER) || numbers.includes(Number.MIN_SAFE_INTEGER));
  assert.ok(rows.some(({ tiny }) => tiny === 127) && rows.some(({ tiny }) => tiny === -128));
  assert.ok(rows.some(({ code }) => code?.length === 3));
});

test("rows are read back as they were written", async () => {
  await using db = await testDb([everything]);
  const rows = randomRows(everything, { count: 300, seed });
  await db.seed(everything, rows);
  const last = new Map(rows.map((row) => [row.key, row]));
  const found = await db.table(everything).scan().toArray();
  assert.equal(found.length, last.size);
  for (const row of found) assert.deepEqual(row, last.get(row.key));
});

test("rows fall into a few partitions, those of now where partitions are made by time", async () => {
  const key = { primaryKey: ["id", "part"], partitionBy: ["part"] } as const;
  const byDay = { unit: "day", retain: 2, timeZone: "UTC" } as const;
  const tables = [
    table("texts", { id: t.int(), part: t.string() }, key),
    table("chars", { id: t.int(), part: t.char(2) }, key),
    table("choices", { id: t.int(), part: t.string().oneOf("eu", "us") }, key),
    table("numbers", { id: t.int(), part: t.bigint() }, key),
    table("bytes", { id: t.int(), part: t.bytes() }, key),
    table("times", { id: t.int(), part: t.timestamp(3) }, key),
    table("reals", { id: t.int(), part: t.double() }, key),
    table("logs", { id: t.int(), part: t.boolean().notNull() }, { partitionBy: ["part"] }),
    table("two", { id: t.int(), part: t.string(), region: t.string() }, {
      primaryKey: ["id", "part", "region"],
      partitionBy: ["part", "region"],
    }),
  ];
  const dateNumbers = table("date_numbers", { id: t.int(), part: t.date({ mode: "days" }) }, {
    ...key,
    autoPartition: byDay,
  });
  const timed = [
    table("days", { id: t.int(), part: t.string() }, { ...key, autoPartition: byDay }),
    table("dates", { id: t.int(), part: t.date() }, { ...key, autoPartition: byDay }),
    dateNumbers,
    table("ints", { id: t.int(), part: t.int() }, { ...key, autoPartition: byDay }),
    table("hours", { id: t.int(), part: t.bigint(), region: t.string() }, {
      primaryKey: ["id", "part", "region"],
      partitionBy: ["part", "region"],
      autoPartition: { key: "part", unit: "hour", retain: 2, timeZone: "UTC" },
    }),
  ];
  await using db = await testDb([...tables, ...timed]);
  for (const one of tables as AnyTable[]) {
    await db.seed(one, randomRows(one, { count: 100, seed }));
    const count = (await db.admin.partitions(one)).length;
    assert.ok(count > 0 && count <= 16, `${one.name}: ${count}`);
  }
  db.clock.advance("P40D");
  const day = (ahead: number) =>
    Temporal.Instant.fromEpochMilliseconds(db.clock.now()).toZonedDateTimeISO("UTC").add({ days: ahead }).toPlainDate()
      .toString().replaceAll("-", "");
  for (const one of timed as AnyTable[]) {
    const rows = randomRows(one, { count: 100, seed, now: db.clock.now() });
    await db.seed(one, rows);
    for (const { part } of rows as unknown as { readonly part: unknown }[]) {
      const value = one === dateNumbers ? new Date(Number(part) * 86_400_000).toISOString().slice(0, 10) : String(part);
      const from = value.replaceAll("-", "");
      assert.ok(from.startsWith(day(0)) || from.startsWith(day(1)), `${one.name}: ${value}`);
    }
    // And none of them is dropped for its age.
    assert.ok(await db.table(one).scan().count() > 0);
  }
});

test("columns that the server numbers are left out", async () => {
  const numbered = table("numbered", { name: t.string(), id: t.int().autoIncrement() }, { primaryKey: ["name"] });
  const rows = randomRows(numbered, { count: 10 });
  assert.deepEqual(Object.keys(rows[0]!), ["name"]);
  await using db = await testDb([numbered]);
  await db.seed(numbered, rows);
  assert.equal(await db.table(numbered).scan().count(), new Set(rows.map(({ name }) => name)).size);
});

test("a seed that was made up is printed, and differs from time to time", () => {
  const { log } = console;
  const said: string[] = [];
  console.log = (text: string) => void said.push(text);
  try {
    const seeds = [1, 2, 3].map(() => randomRows(everything, { count: 1 }).seed);
    assert.equal(new Set(seeds).size, 3);
    assert.deepEqual(said, seeds.map((seed) => `randomRows(everything): { seed: ${seed} }`));
  } finally {
    console.log = log;
  }
});

test("what cannot be made is refused, with the seed", () => {
  const impossible = table("impossible", { id: t.int().check(check(() => false)).notNull() });
  assert.throws(() => randomRows(impossible, { seed: 7 }), isCode("TEST.BAD_OPTION", /"id" \(seed 7\)/));
  assert.throws(() => randomRows(everything, { count: -1 }), isCode("TEST.BAD_OPTION"));
  assert.throws(() => randomRows(everything, { seed: 0.5 }), isCode("TEST.BAD_OPTION"));
  assert.deepEqual([...randomRows(impossible, { count: 0, seed: 1 })], []);
});
