import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyTable, t, table } from "../../../mod.ts";
import { declaredSnapshot } from "../../../src/migrate/project.ts";
import { rowTypesSource } from "../../../src/migrate/row_types.ts";
import { nameTables, schemaSource } from "../../../src/migrate/source.ts";
import { readSnapshot, type Snapshot, snapshotOf } from "../../../src/migrate/snapshot.ts";
import { columns } from "../../conformance/all_types.ts";
import { long, random } from "../../random.ts";
import { loadTables } from "./load_source.ts";
import { withFolder } from "./projects.ts";
import { HOSTILE, madeOf, randomDraft } from "./random_schema.ts";

const snapshot = (...tables: AnyTable[]) => declaredSnapshot({ tables, out: "" });

/** What the generated source declares. */
async function written(tables: Snapshot): Promise<Snapshot> {
  return await withFolder(async (folder) => {
    const named = nameTables(tables);
    assert.deepEqual([...named.left], []);
    return snapshot(...await loadTables(folder, schemaSource(named)));
  });
}

test("generated source says every type", async () => {
  const all = snapshot(
    table("a.all", columns, { primaryKey: ["id"] }),
    table("a.log", columns),
    table("b.all", Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, column.notNull()]))),
  );
  assert.deepEqual(await written(all), all);
  assert.deepEqual(readSnapshot(JSON.parse(JSON.stringify(all))), all);
});

test("generated source says every option", async () => {
  const keyed = { id: t.int(), day: t.string(), v: t.bigint() };
  const all = snapshot(
    table("a.a", keyed, {
      primaryKey: ["id", "day"],
      partitionBy: ["day"],
      autoPartition: { unit: "hour", retain: -1, precreate: 5, timeZone: "UTC" },
      buckets: 7,
      log: { ttl: "1 h", format: "compacted", compression: { type: "none" } },
      kv: { format: "indexed" },
      datalake: { enabled: true, format: "lance", freshness: "1h" },
      changelog: "wal",
      deleteBehavior: "disable",
      comment: "c",
      properties: { "table.replication.factor": "3", "table.of.a.newer.server": "what?" },
      customProperties: { mine: "1" },
    }),
    table("a.b", keyed, { primaryKey: ["id", "day"], bucketKey: ["day"], mergeEngine: { versioned: "v" } }),
    table("a.c", keyed, { primaryKey: ["id", "day"], mergeEngine: "first_row", deleteBehavior: "disable" }),
    table("a.d", { ...keyed, v: t.bigint().agg("sum"), w: t.string().agg("listagg", { delimiter: '";' }) }, {
      primaryKey: ["id", "day"],
      mergeEngine: "aggregation",
      deleteBehavior: "allow",
      log: { compression: { type: "zstd", level: 9 } },
    }),
    table("a.e", { ...keyed, n: t.int().autoIncrement() }, { primaryKey: ["id"], deleteBehavior: "ignore" }),
    table("a.f", { a: t.string(), b: t.string() }, {
      partitionBy: ["b", "a"],
      autoPartition: { unit: "quarter", key: "a" },
      bucketKey: [],
    }),
    table("a.g", keyed, { bucketKey: ["v", "id"], datalake: { format: "paimon" }, properties: {}, buckets: 1 }),
    table("a.h", { id: t.string() }, { properties: { "table.log.arrow.compression.zstd.level": "5" } }),
  );
  assert.deepEqual(await written(all), all);
});

test("names and comments of strangers stay data", async () => {
  const all = snapshot(
    table(
      "a.t",
      Object.fromEntries(HOSTILE.map((name, i) => [`k${i}`, t.string().name(name).comment(HOSTILE.at(-i - 1)!)])),
      { comment: HOSTILE.join(""), customProperties: Object.fromEntries(HOSTILE.map((name) => [name, name])) },
    ),
    table("a.rows", {
      r: t.row(Object.fromEntries(HOSTILE.map((name, i) => [`k${i}`, t.int().name(name).comment(name)]))),
    }),
    ...["class", "t", "table", "default", "a-b", "a_b", "-", "1", "proto"].map((name) =>
      table(`x.${name}`, { id: t.int() })
    ),
    table("y.class", { id: t.int() }),
  );
  assert.deepEqual(await written(all), all);
  const source = schemaSource(nameTables(all));
  // deno-lint-ignore no-control-regex
  assert.equal(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/.test(source), false);
});

test("a table that no declaration can stand for is left out, with the reason", () => {
  const fine = snapshot(table("a.t", { id: t.int() }));
  const { tables } = fine;
  const odd = snapshotOf([
    ["a.fine", tables["a.t"]!],
    ["a.none", { ...tables["a.t"]!, columns: [] }],
    ["a.reserved", { ...tables["a.t"]!, columns: [{ name: "__offset", type: "INT", nullable: true }] }],
    ["a.<b>", tables["a.t"]!],
  ]);
  const named = nameTables(odd);
  assert.deepEqual(named.tables.map(({ name }) => name), ["a.fine"]);
  assert.deepEqual([...named.left.keys()], ["a.<b>", "a.none", "a.reserved"]);
});

const COUNT = long ? 500 : 60;

test(`${COUNT} random tables are the same after they were written down`, async () => {
  const drafts = Array.from({ length: COUNT }, (_, i) => madeOf(randomDraft(random, `d${i % 3}.t${i}`))!);
  const all = snapshot(...drafts);
  assert.deepEqual(await written(all), all);
  assert.deepEqual(readSnapshot(JSON.parse(JSON.stringify(all))), all);
});

test("row types are written out", () => {
  const { tables } = nameTables(snapshot(
    table("a.orders", {
      id: t.bigint(),
      "the total": t.decimal(10, 2).notNull(),
      at: t.timestampLtz(3),
      r: t.row({ x: t.array(t.int().notNull()) }),
      m: t.map(t.string(), t.date()),
    }, { primaryKey: ["id"] }),
    table("a.n", { name: t.string(), id: t.int().autoIncrement() }, { primaryKey: ["name"] }),
  ));
  assert.equal(
    rowTypesSource(tables),
    `/** A row of the table "a.n", as it is read. */
export interface NRow {
  name: string;
  id: number;
}

/** A row of the table "a.n", as it is written. */
export interface NInsert {
  name: string;
}

/** A row of the table "a.orders", as it is read. */
export interface OrdersRow {
  id: bigint;
  "the total": string;
  at: Temporal.Instant | null;
  r: { x: (number)[] | null } | null;
  m: Map<string, Temporal.PlainDate | null> | null;
}

/** A row of the table "a.orders", as it is written. */
export interface OrdersInsert {
  id: bigint;
  "the total": string;
  at?: Temporal.Instant | null;
  r?: { x: (number)[] | null } | null;
  m?: Map<string, Temporal.PlainDate | null> | null;
}
`,
  );
});
