/** Every rule of a valid table: what breaks it is refused with its code, and the nearest valid declaration is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, type FlussUsageError } from "../../../src/base/errors.ts";
import { check, RULES } from "../../../src/schema/check.ts";
import { definitionOf, type TableDefinition } from "../../../src/schema/definition.ts";
import { dateAutoPartitionHazard } from "../../../src/schema/rules/keys.ts";
import { configure, t } from "../../../src/schema/mod.ts";
import { ENGINES } from "./broken/engines.ts";
import { KEYS } from "./broken/keys.ts";
import { OPTIONS } from "./broken/options.ts";
import { TYPES } from "./broken/types.ts";
import { declare, id, partitioned, pk } from "./broken/declare.ts";

const CASES = [...TYPES, ...KEYS, ...ENGINES, ...OPTIONS];

for (const { what, code, says, wrong, right } of CASES) {
  test(`${what} is refused, and its near miss is not`, () => {
    assert.throws(wrong, (error: FlussUsageError) => {
      assert.ok(FlussError.is(error), String(error));
      assert.equal(error.code, code);
      assert.match(error.message, says);
      assert.ok(error.hint !== undefined || code === "SCHEMA.INVALID", `no hint in ${error.message}`);
      return true;
    });
    right();
  });
}

test("the code of every rule is met above, and every rule has its own name", () => {
  const met = new Set(CASES.map(({ code }) => code));
  const missed = RULES.filter(({ code }) => !met.has(code) && code !== "RUNTIME.TEMPORAL_MISSING");
  assert.deepEqual(missed.map(({ name }) => name), []);
  assert.equal(new Set(RULES.map(({ name }) => name)).size, RULES.length);
  assert.deepEqual(check(definitionOf(declare("a.b", id, pk))), []);
});

test("check() lists every broken rule of a definition that did not come from table()", () => {
  const definition: TableDefinition = {
    database: "__x",
    name: "",
    columns: [],
    primaryKey: ["id"],
    partitionBy: ["p", "p"],
    mergeEngine: "aggregation",
    changelog: "wal",
    properties: { nope: "1", "table.log.ttl": "P7D" },
    customProperties: {},
  };
  assert.deepEqual(check(definition).map(({ rule, serverCode }) => [rule, serverCode]), [
    ["database-name", 16],
    ["table-name", 15],
    ["has-columns", undefined],
    ["key-columns-exist", 15],
    ["key-columns-exist", 15],
    ["key-columns-exist", 15],
    ["key-columns-distinct", 15],
    ["partition-key-in-primary-key", 15],
    ["partition-key-in-primary-key", 15],
    ["changelog", 39],
    ["property-key", 39],
    ["property-value", 39],
  ]);
});

test("a runtime without Temporal is told of the ways out, and a polyfill is one", () => {
  const real = Temporal;
  const runtime = globalThis as { Temporal?: typeof Temporal };
  delete runtime.Temporal;
  try {
    for (const column of [t.date(), t.time(), t.timestamp(), t.timestampLtz(), t.array(t.row({ at: t.date() }))]) {
      assert.throws(() => declare("a.b", { x: column }), (error: FlussError) => {
        assert.equal(error.code, "RUNTIME.TEMPORAL_MISSING");
        assert.match(error.message, /configure\(\{ Temporal \}\)/);
        return true;
      });
    }
    declare("a.b", { x: t.date({ mode: "string" }), y: t.timestampLtz(3, { mode: "date" }) });
    const other = configure({ Temporal: real });
    const made = definitionOf(declare("a.b", { x: other.t.date(), y: other.t.timestampLtz() }));
    assert.equal(made.columns[0]!.type.temporal, real);
  } finally {
    runtime.Temporal = real;
  }
});

test("the partitions of a DATE column are a hazard where the server keeps or makes partitions", () => {
  const hazard = (autoPartition: object, partitionBy = ["day"]) =>
    dateAutoPartitionHazard(definitionOf(partitioned(autoPartition, partitionBy)));
  assert.match(hazard({ unit: "day" })!.message, /would drop them/);
  assert.match(hazard({ unit: "day", retain: -1 })!.message, /DATE column "day"/);
  assert.equal(hazard({ unit: "day", retain: -1, precreate: 0 }), undefined);
  assert.equal(hazard({ unit: "day" }, ["p"]), undefined);
  assert.equal(dateAutoPartitionHazard(definitionOf(declare("a.b", id))), undefined);
});
