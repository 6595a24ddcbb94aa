import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { predicateMessage, prunablePart } from "../../../../src/client/read/predicate_message.ts";
import { PbPredicateSchema } from "../../../../src/client/rpc/gen/fluss/v1/predicate_pb.ts";
import type { CatalogTable } from "../../../../src/embedded/catalog/table.ts";
import { compileBatchFilter } from "../../../../src/embedded/log/batch_filter.ts";
import { compileFilter } from "../../../../src/format/filter.ts";
import { logBatchAt } from "../../../../src/format/log_batch.ts";
import { compileLogBuilder } from "../../../../src/format/log_builder.ts";
import { compileLogDecoder } from "../../../../src/format/log_decoder.ts";
import { hasStatistics } from "../../../../src/format/log_statistics.ts";
import { type LeafPredicate, operatorsOf, type Predicate } from "../../../../src/format/predicate.ts";
import type { SchemaColumn } from "../../../../src/schema/data_type.ts";
import { column, columns, type } from "../../format/columns.ts";
import { Random, randomRow, randomScalar, randomValue, rounds, SEED } from "../../format/random.ts";
import { tableOf } from "./engine.ts";

type Row = Record<string, unknown>;

function batchOf(of: readonly SchemaColumn[], rows: readonly Row[], statistics: readonly number[], schemaId = 1) {
  const builder = compileLogBuilder(of, { format: "arrow", compression: { type: "none" }, statistics })(schemaId);
  for (const row of rows) builder.append(row);
  return logBatchAt(builder.finish(-1n, -1), 0)!;
}

function filterOf(table: CatalogTable, predicate: Predicate, schemaId = 1) {
  const { columns } = table.schemas.get(schemaId)!;
  const message = create(PbPredicateSchema, predicateMessage(predicate, columns, "t"));
  return compileBatchFilter(table, message, schemaId);
}

test("batches that hold no match are dropped, by each operator", () => {
  const of = columns(type("int"), type("string"), type("double"));
  const table = tableOf([of]);
  const batch = batchOf(of, [{ c0: 5, c1: "d", c2: -0 }, { c0: 9, c1: "dz", c2: 0 }, { c0: null, c1: "e" }], [0, 1, 2]);
  const passes = (predicate: Predicate) => filterOf(table, predicate)!(batch);
  const c0 = (op: "eq" | "ne" | "lt" | "lte" | "gt" | "gte", value: number) => passes({ op, column: "c0", value });
  assert.deepEqual([4, 5, 7, 9, 10].map((value) => c0("eq", value)), [false, true, true, true, false]);
  assert.deepEqual([5, 6].map((value) => c0("lt", value)), [false, true]);
  assert.deepEqual([4, 5].map((value) => c0("lte", value)), [false, true]);
  assert.deepEqual([9, 8].map((value) => c0("gt", value)), [false, true]);
  assert.deepEqual([10, 9].map((value) => c0("gte", value)), [false, true]);
  assert.equal(c0("ne", 5), true);
  assert.equal(passes({ op: "in", column: "c0", value: [1, 4, 10] }), false);
  assert.equal(passes({ op: "in", column: "c0", value: [1, 6] }), true);
  assert.equal(passes({ op: "notIn", column: "c0", value: [5, 9] }), true);
  assert.equal(passes({ op: "isNull", column: "c0" }), true);
  assert.equal(passes({ op: "isNull", column: "c1" }), false);
  assert.equal(passes({ op: "isNotNull", column: "c1" }), true);
  assert.equal(passes({ op: "startsWith", column: "c1", value: "d" }), true);
  assert.equal(passes({ op: "startsWith", column: "c1", value: "f" }), false);
  assert.equal(passes({ op: "startsWith", column: "c1", value: "c" }), false);
  assert.equal(passes({ op: "contains", column: "c1", value: "zzz" }), true);
  assert.equal(passes({ op: "lt", column: "c2", value: -0 }), false);
  assert.equal(passes({ op: "eq", column: "c2", value: -0 }), true);
  const never: Predicate = { op: "eq", column: "c0", value: 4 };
  const perhaps: Predicate = { op: "eq", column: "c0", value: 5 };
  assert.equal(passes({ op: "and", predicates: [never, perhaps] }), false);
  assert.equal(passes({ op: "or", predicates: [never, perhaps] }), true);
  assert.equal(passes({ op: "or", predicates: [never, never] }), false);
  const same = batchOf(of, [{ c0: 5 }, { c0: 5 }], [0]);
  assert.equal(filterOf(table, { op: "ne", column: "c0", value: 5 })!(same), false);
  assert.equal(filterOf(table, { op: "notIn", column: "c0", value: [5, 6] })!(same), false);
  const nulls = batchOf(of, [{}, {}], [0]);
  assert.equal(filterOf(table, perhaps)!(nulls), false);
  assert.equal(filterOf(table, { op: "isNotNull", column: "c0" })!(nulls), false);
});

test("where nothing is known, batches pass", () => {
  const before = columns(type("int"));
  const of = [...before, column(1, "c1", type("int"))];
  const table = tableOf([before, of]);
  const never: Predicate = { op: "eq", column: "c1", value: 4 };
  const filter = filterOf(table, never, 2)!;
  assert.equal(filter(batchOf(of, [{ c1: 5 }], [])), true, "no statistics");
  assert.equal(filter(batchOf(of, [{ c1: 5 }], [0], 2)), true, "none of this column");
  assert.equal(filter(batchOf(of, [{ c1: 5 }], [1], 2)), false);
  assert.equal(filter(batchOf(before, [{ c0: 5 }], [0], 1)), true, "a schema without the column");
  const old = filterOf(table, { op: "eq", column: "c0", value: 4 }, 2)!;
  assert.equal(old(batchOf(before, [{ c0: 5 }], [0], 1)), false, "another schema with the column");
  const message = create(PbPredicateSchema, predicateMessage(never, of, "t"));
  assert.equal(compileBatchFilter(table, message, 3), undefined, "an unknown schema");
  assert.equal(compileBatchFilter(table, message, 1), undefined, "a column that the schema has not");
  assert.equal(compileBatchFilter(table, create(PbPredicateSchema, { type: 7 }), 1), undefined);
  const wrongType = create(PbPredicateSchema, {
    type: 0,
    leaf: { function: 0, fieldId: 0, literals: [{ literalType: 8, isNull: false, stringValue: "4" }] },
  });
  assert.equal(compileBatchFilter(table, wrongType, 1), undefined);
});

test(`no batch with a match is dropped, and many without one are (seed ${SEED})`, () => {
  const random = new Random(SEED);
  let dropped = 0;
  for (let round = 0; round < rounds(400, 20_000); round++) {
    const of = Array.from({ length: random.int(1, 5) }, (_, i) => column(i * 2, `c${i}`, randomScalar(random, true)));
    const table = tableOf([of]);
    const rows = Array.from({ length: random.int(1, 4) }, () => randomRow(random, of));
    const predicate = randomPredicate(random, of, 2);
    if (predicate === undefined) continue;
    const usable = prunablePart(predicate, of);
    if (usable === undefined) continue;
    const filter = filterOf(table, usable);
    assert.ok(filter !== undefined, `seed ${SEED}, round ${round}`);
    const batch = batchOf(of, rows, of.flatMap(({ type }, i) => hasStatistics(type) ? [i] : []));
    const decoded = compileLogDecoder({ format: "arrow", sent: of, wanted: of })(batch).columns;
    const matching = compileFilter(predicate, of, "t")(decoded);
    const matches = matching === undefined || matching.length > 0;
    const passes = filter(batch);
    if (!passes) dropped++;
    if (matches) assert.ok(passes, `seed ${SEED}, round ${round}: ${JSON.stringify(usable, bigintText)}`);
  }
  assert.ok(dropped > 10);
});

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

function randomPredicate(random: Random, of: readonly SchemaColumn[], depth: number): Predicate | undefined {
  if (depth > 0 && random.chance(0.3)) {
    const predicates = Array.from({ length: random.int(1, 3) }, () => randomPredicate(random, of, depth - 1));
    if (predicates.includes(undefined)) return undefined;
    return { op: random.pick(["and", "or"] as const), predicates: predicates as Predicate[] };
  }
  const { key, type } = random.pick(of);
  const op = random.pick(operatorsOf(type)) as LeafPredicate["op"];
  const value = () => randomValue(random, { ...type, nullable: false });
  if (op === "isNull" || op === "isNotNull") return { op, column: key };
  if (op === "in" || op === "notIn") {
    return { op, column: key, value: Array.from({ length: random.int(1, 3) }, value) };
  }
  return { op, column: key, value: value() };
}
