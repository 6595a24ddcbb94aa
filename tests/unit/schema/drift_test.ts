/** Differences between a declaration and the live table, in both modes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { definitionOf, type TableDefinition } from "../../../src/schema/definition.ts";
import { type LiveTable, parseDescriptor, toDescriptorJson } from "../../../src/schema/descriptor.ts";
import { compareTables } from "../../../src/schema/drift.ts";
import { t, table } from "../../../src/schema/mod.ts";

const columns = {
  id: t.bigint().name("ID"),
  email: t.string(),
  total: t.decimal(10, 2),
  tags: t.array(t.row({ a: t.int(), b: t.string().notNull() })),
};
const options = { primaryKey: ["id"], buckets: 3 } as const;
const declared = definitionOf(table("shop.orders", columns, options));

/** The table that a declaration would create. */
function created(definition: TableDefinition): LiveTable {
  return parseDescriptor(new TextEncoder().encode(JSON.stringify(toDescriptorJson(definition))), 1, "shop.orders");
}

// Declarations that differ from each other in their types.
function live(changes: object, more: object = options): LiveTable {
  const all = Object.fromEntries(Object.entries({ ...columns, ...changes }).filter(([, column]) => column !== null));
  // deno-lint-ignore no-explicit-any
  return created(definitionOf(table("shop.orders", all as any, more as any)));
}

function compare(actual: LiveTable, definition = declared) {
  return {
    compatible: compareTables(definition, actual, "compatible"),
    strict: compareTables(definition, actual, "strict"),
  };
}

test("the table that was declared has no differences", () => {
  assert.deepEqual(compare(created(declared)), { compatible: [], strict: [] });
});

test("a missing column is named with what was declared", () => {
  const found = compare(live({ email: null }));
  assert.deepEqual(found.compatible, ['live table has no column "email" (declared nullable STRING)']);
  assert.deepEqual(found.strict, found.compatible);
});

test("another type is named on both sides", () => {
  assert.deepEqual(compare(live({ total: t.decimal(12, 2) })).compatible, [
    'column "total" is nullable DECIMAL(12, 2) in the live table and declared nullable DECIMAL(10, 2)',
  ]);
  assert.deepEqual(
    compare(live({ tags: t.array(t.row({ a: t.bigint(), b: t.string().notNull() })) })).compatible.length,
    1,
  );
  assert.deepEqual(
    compare(live({ tags: t.array(t.row({ b: t.string().notNull(), a: t.int() })) })).compatible.length,
    1,
  );
});

test("a declaration may be stricter about null, and not more generous", () => {
  const stricter = definitionOf(table("shop.orders", { ...columns, email: t.string().notNull() }, options));
  assert.deepEqual(compareTables(stricter, created(declared), "compatible"), []);
  assert.equal(compareTables(stricter, created(declared), "strict").length, 1);
  assert.deepEqual(compare(live({ email: t.string().notNull() })).compatible, [
    'column "email" is STRING NOT NULL in the live table and declared nullable STRING',
  ]);
});

test("further live columns are fine when they are nullable, and never in strict mode", () => {
  assert.deepEqual(compare(live({ more: t.int() })), {
    compatible: [],
    strict: ['live table has the column "more" (nullable INT), which is not declared'],
  });
  assert.deepEqual(compare(live({ more: t.int().notNull() })).compatible, [
    'live table has the NOT NULL column "more" (INT), which is not declared',
  ]);
});

test("the order of columns counts in strict mode alone", () => {
  const { id, email, ...others } = columns;
  const turned = created(definitionOf(table("shop.orders", { email, id, ...others }, options)));
  const found = compare(turned);
  assert.deepEqual(found.compatible, []);
  assert.match(found.strict[0]!, /in the order "email", "ID"/);
});

test("comments and other names in TypeScript do not count", () => {
  const other = table("shop.orders", {
    key: t.bigint().name("ID").comment("x"),
    email: t.string().oneOf("a"),
    total: t.decimal(10, 2, { mode: "unscaled" }),
    tags: t.array(t.row({ x: t.int().name("a").comment("y"), b: t.string().notNull() })),
  }, { primaryKey: ["key"], buckets: 3, comment: "z" });
  assert.deepEqual(compare(created(declared), definitionOf(other)), { compatible: [], strict: [] });
});

test("keys must agree", () => {
  const wide = { a: t.int(), b: t.int(), p: t.string(), v: t.int() };
  const of = (options: object) =>
    // deno-lint-ignore no-explicit-any
    definitionOf(table("a.b", wide, options as any));
  const base = of({ primaryKey: ["a", "b", "p"], partitionBy: ["p"] });
  assert.deepEqual(
    compareTables(base, created(of({ primaryKey: ["b", "a", "p"], partitionBy: ["p"] })), "compatible"),
    [
      'the primary key is "b", "a", "p" in the live table and declared "a", "b", "p"',
      'the bucket key is "b", "a" in the live table and declared "a", "b"',
    ],
  );
  assert.match(
    compareTables(base, created(of({ primaryKey: ["a", "b", "p"] })), "compatible")[0]!,
    /the partition key is none in the live table and declared "p"/,
  );
  assert.deepEqual(
    compareTables(
      base,
      created(of({ primaryKey: ["a", "b", "p"], partitionBy: ["p"], bucketKey: ["a"] })),
      "compatible",
    ),
    ['the bucket key is "a" in the live table and declared "a", "b"'],
  );
  assert.deepEqual(
    compareTables(
      base,
      created(of({ primaryKey: ["a", "b", "p"], partitionBy: ["p"], bucketKey: ["a", "b"], buckets: 9 })),
      "compatible",
    ),
    [],
    "the default bucket key may be said",
  );
});

test("the number of buckets counts in strict mode, where it was declared", () => {
  assert.deepEqual(compare(live({}, { primaryKey: ["id"], buckets: 4 })), {
    compatible: [],
    strict: ["the live table has 4 buckets, declared are 3"],
  });
});

test("the auto-increment column must agree", () => {
  const plain = definitionOf(table("a.b", { id: t.int(), n: t.bigint() }, { primaryKey: ["id"] }));
  const numbered = definitionOf(table("a.b", { id: t.int(), n: t.bigint().autoIncrement() }, { primaryKey: ["id"] }));
  assert.deepEqual(compareTables(plain, created(numbered), "compatible"), [
    'the auto-increment column is "n" in the live table and declared not set',
  ]);
  assert.deepEqual(compareTables(numbered, created(plain), "compatible"), [
    'the auto-increment column is not set in the live table and declared "n"',
  ]);
});

test("engines, versions, change logs and aggregation functions must agree", () => {
  const wide = { id: t.int(), a: t.int(), b: t.int() };
  // deno-lint-ignore no-explicit-any
  const loose: any = table;
  const of = (more: object, cols: object = wide) => definitionOf(loose("a.b", cols, { primaryKey: ["id"], ...more }));
  const differ = (one: TableDefinition, other: TableDefinition) => compareTables(one, created(other), "compatible");
  assert.deepEqual(differ(of({}), of({ mergeEngine: "first_row" })), [
    "the merge engine is first_row in the live table and declared last_row",
  ]);
  assert.deepEqual(differ(of({ mergeEngine: { versioned: "a" } }), of({ mergeEngine: { versioned: "b" } })), [
    'table.merge-engine.versioned.ver-column is "b" in the live table and declared "a"',
  ]);
  assert.deepEqual(differ(of({}), of({ changelog: "wal" })), [
    'table.changelog.image is "wal" in the live table and declared "full"',
  ]);
  const sum = of({ mergeEngine: "aggregation" }, { ...wide, a: t.int().agg("sum") });
  const max = of({ mergeEngine: "aggregation" }, { ...wide, a: t.int().agg("max") });
  assert.deepEqual(differ(sum, max), ['column "a" is aggregated by max in the live table and declared with sum']);
});

test("what happens to deletes must agree, and the server's own defaults are no difference", () => {
  // deno-lint-ignore no-explicit-any
  const of = (more: object) => definitionOf(table("a.b", { id: t.int() }, { primaryKey: ["id"], ...more } as any));
  const stored = (definition: TableDefinition, value: string): LiveTable => {
    const actual = created(definition);
    return { ...actual, properties: { ...actual.properties, "table.delete.behavior": value } };
  };
  const plain = of({});
  const merged = of({ mergeEngine: "aggregation" });
  const allowed = of({ mergeEngine: "aggregation", deleteBehavior: "allow" });
  assert.deepEqual(compareTables(plain, stored(plain, "ALLOW"), "strict"), []);
  assert.deepEqual(compareTables(merged, stored(merged, "IGNORE"), "strict"), []);
  assert.deepEqual(compareTables(plain, stored(plain, "ignore"), "compatible"), [
    "the live table is set to ignore deletes, declared is allow",
  ]);
  assert.deepEqual(compareTables(allowed, stored(merged, "IGNORE"), "compatible"), [
    "the live table is set to ignore deletes, declared is allow",
  ]);
});

test("declared options are compared in strict mode as the server compares them", () => {
  const ttl = definitionOf(table("a.b", { id: t.int() }, { log: { ttl: "7d", format: "arrow" } }));
  const actual = created(ttl);
  const with7 = { ...actual, properties: { "table.log.ttl": "7 d", "table.log.format": "ARROW", "table.more": "1" } };
  const with8 = { ...actual, properties: { "table.log.ttl": "8 d", "table.log.format": "ARROW" } };
  assert.deepEqual(compareTables(ttl, with7, "strict"), []);
  assert.deepEqual(compareTables(ttl, with8, "compatible"), []);
  assert.deepEqual(compareTables(ttl, with8, "strict"), [
    'table.log.ttl is "8 d" in the live table and declared "7d"',
  ]);
});
