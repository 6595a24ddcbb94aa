import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../mod.ts";
import { needsCluster } from "../cluster.ts";
import { columns, full, plain } from "./all_types.ts";
import { withDatabase } from "./target.ts";

const { PlainDate, Instant } = Temporal;

for (const format of ["compacted", "indexed"] as const) {
  const name = `types_${format}`;
  const options = { primaryKey: ["id"], kv: { format }, log: { format: "arrow" } } as const;
  const declared = table(name, columns, options);

  test(
    `every type and mode, with a value and with null, KV format ${format}`,
    needsCluster,
    () =>
      withDatabase(async (db) => {
        await db.admin.create(declared);
        const handle = db.table(declared);
        // CHAR(n) has room for n bytes in the INDEXED format, and for n characters in the other.
        const values = { ...full, char: format === "indexed" ? "äö" : full.char };
        handle.upsert({ id: 1, ...values });
        handle.upsert({ id: 2 });
        await db.flush();
        assert.deepEqual(plain(await handle.lookup({ id: 1 })), plain({ id: 1, ...values }));
        const nulls = await handle.lookup({ id: 2 });
        assert.deepEqual(nulls, Object.fromEntries(Object.keys(columns).map((key) => [key, key === "id" ? 2 : null])));
        // Each column alone: written by update(), read by select, the others untouched.
        for (const column of Object.keys(full) as (keyof typeof full)[]) {
          handle.update({ id: 3, [column]: values[column] } as never);
        }
        await db.flush();
        for (const column of Object.keys(full) as (keyof typeof full)[]) {
          const row = await handle.lookup({ id: 3 }, { select: [column] });
          assert.deepEqual(plain(row), plain({ [column]: values[column] }), column);
        }
      }),
  );
}

test("a column called __proto__ is data like any other", needsCluster, () =>
  withDatabase(async (db) => {
    const hostile = JSON.parse('{"__proto__": 0}') as Record<string, number>;
    const strange = { id: t.int(), ...Object.fromEntries([["__proto__", t.string()], ["constructor", t.string()]]) };
    Object.defineProperty(strange, "__proto__", {
      value: t.string(),
      enumerable: true,
      configurable: true,
      writable: true,
    });
    assert.ok(Object.hasOwn(hostile, "__proto__"));
    const declared = table("strange", strange, { primaryKey: ["id"] });
    await db.admin.create(declared);
    const handle = db.table(declared);
    const row = JSON.parse('{"id": 1, "__proto__": "p", "constructor": "c"}');
    await handle.upsert(row);
    const read = await handle.lookup({ id: 1 });
    assert.ok(read !== null && Object.hasOwn(read, "__proto__"));
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
    assert.deepEqual(JSON.stringify(read), JSON.stringify(row));
  }));

const keyed = table("keyed", {
  a: t.string(),
  b: t.bigint(),
  c: t.date(),
  d: t.timestampLtz(9),
  e: t.decimal(20, 3),
  f: t.bytes(),
  g: t.double(),
  h: t.boolean(),
  value: t.string(),
}, { primaryKey: ["g", "a", "b", "c", "d", "e", "f", "h"], bucketKey: ["g", "a"], buckets: 7 });

test("keys of many types, and prefix lookups on their leading columns", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(keyed);
    const handle = db.table(keyed);
    const rows = Array.from({ length: 60 }, (_, i) => ({
      a: `k${i % 3}`,
      b: BigInt(i) - 30n,
      c: PlainDate.from({ year: 2026, month: 1 + (i % 12), day: 1 }),
      d: Instant.fromEpochMilliseconds(i * 1000).add({ nanoseconds: i }),
      e: `${i - 30}.125`,
      f: new Uint8Array(i),
      g: i % 2 + 0.5,
      h: i % 2 === 0,
      value: `v${i}`,
    }));
    await handle.upsertAll(rows);
    for (const row of rows) {
      const { value, ...key } = row;
      assert.equal((await handle.lookup(key, { select: ["value"] }))?.value, value);
    }
    const found = await handle.prefixLookup({ g: 1.5, a: "k1" }, { select: ["value"] });
    const expected = rows.filter((row) => row.g === 1.5 && row.a === "k1").map((row) => row.value);
    assert.deepEqual(found.map((row) => row.value).sort(), expected.sort());
    assert.deepEqual(await handle.prefixLookup({ g: 9, a: "none" }), []);
    const { value: _, ...key } = rows[0]!;
    await handle.delete(key);
    assert.equal(await handle.lookup(key), null);
  }));

// What is wrong, the row, the code, the column.
const wrong: [string, Record<string, unknown>, string, string][] = [
  ["unknown column", { id: 1, nope: 1 }, "WRITE.UNKNOWN_COLUMN", "nope"],
  ["undefined", { id: 1, must: "m", text: undefined }, "WRITE.UNDEFINED_VALUE", "text"],
  ["missing key", { text: "x" }, "WRITE.MISSING_COLUMN", "id"],
  ["null in the key", { id: null }, "CODEC.NULL", "id"],
  ["null in NOT NULL", { id: 1, must: null }, "CODEC.NULL", "must"],
  ["missing NOT NULL", { id: 1 }, "WRITE.MISSING_COLUMN", "must"],
  ["wrong type", { id: 1, must: "m", text: 5 }, "CODEC.WRONG_TYPE", "text"],
  ["number for bigint", { id: 1, must: "m", big: 5 }, "CODEC.WRONG_TYPE", "big"],
  ["TINYINT out of range", { id: 1, must: "m", tiny: 128 }, "CODEC.OUT_OF_RANGE", "tiny"],
  ["a fraction in INT", { id: 1.5, must: "m" }, "CODEC.OUT_OF_RANGE", "id"],
  ["BIGINT out of range", { id: 1, must: "m", big: 2n ** 63n }, "CODEC.OUT_OF_RANGE", "big"],
  ["string over CHAR(3)", { id: 1, must: "m", char: "abcd" }, "CODEC.OUT_OF_RANGE", "char"],
  ["decimal overflow", { id: 1, must: "m", price: "1000.00" }, "CODEC.OUT_OF_RANGE", "price"],
  ["bytes over BINARY(2)", { id: 1, must: "m", fixed: new Uint8Array(3) }, "CODEC.OUT_OF_RANGE", "fixed"],
  ["bytes under BINARY(2)", { id: 1, must: "m", fixed: new Uint8Array(1) }, "CODEC.OUT_OF_RANGE", "fixed"],
  ["value outside oneOf", { id: 1, must: "m", state: "lost" }, "VALIDATION.FAILED", "state"],
];

const checked = table("checked", {
  id: t.int(),
  must: t.string().notNull(),
  text: t.string(),
  tiny: t.tinyint(),
  big: t.bigint(),
  char: t.char(3),
  price: t.decimal(5, 2),
  fixed: t.binary(2),
  state: t.string().oneOf("new", "old"),
}, { primaryKey: ["id"] });

test(
  "what does not fit is thrown in the call, naming table, row and column, with nothing queued",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(checked);
      const handle = db.table(checked);
      // Before the table was looked at, and after.
      for (const state of ["early", "late"]) {
        for (const [what, row, code, column] of wrong) {
          assert.throws(() => handle.upsert(row as never), (error) => {
            assert.ok(FlussError.is(error), `${state} ${what}: ${error}`);
            assert.equal(error.code, code, `${state} ${what}: ${error.message}`);
            assert.equal(error.table, `${database}.checked`, what);
            assert.equal(error.column, column, what);
            assert.ok(error.message.includes(column) && error.message.includes(`${database}.checked`), error.message);
            return true;
          });
          assert.equal(db.queuedBytes, 0, what);
        }
        assert.equal(await handle.lookup({ id: 1 }), null);
      }
      await db.flush();
    }),
);
