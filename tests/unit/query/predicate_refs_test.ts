import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../src/base/errors.ts";
import type { Predicate } from "../../../src/format/predicate.ts";
import { type Condition, readCondition, type TextRef } from "../../../src/query/predicate_refs.ts";
import { columns, type } from "../format/columns.ts";

const known = [
  ...columns(type("int"), type("string")),
  ...columns(type("row", { fields: [] })).map((column) => {
    return { ...column, key: "nested" };
  }),
];

type AnyRefs = Record<string, TextRef<unknown>>;

function read(given: (c: AnyRefs) => Condition): Predicate {
  return readCondition(given, known, "a.b");
}

test("conditions are plain data, and chains of one kind have one level", () => {
  const one = { op: "gt", column: "c0", value: 1 };
  const two = { op: "startsWith", column: "c1", value: "a" };
  const three = { op: "isNull", column: "c0" };
  assert.deepEqual(read((c) => c["c0"]!.gt(1).and(c["c1"]!.startsWith("a")).and(c["c0"]!.isNull())), {
    op: "and",
    predicates: [one, two, three],
  });
  assert.deepEqual(read((c) => c["c0"]!.gt(1).or(c["c1"]!.startsWith("a").and(c["c0"]!.isNull()))), {
    op: "or",
    predicates: [one, { op: "and", predicates: [two, three] }],
  });
  assert.deepEqual(read((c) => c["c0"]!.between(1, 3)), {
    op: "and",
    predicates: [{ op: "gte", column: "c0", value: 1 }, { op: "lte", column: "c0", value: 3 }],
  });
  const text = JSON.stringify(read((c) => c["c0"]!.in([1, 2]).or(c["c1"]!.ne("x"))));
  assert.deepEqual(readCondition(JSON.parse(text), known, "a.b"), JSON.parse(text));
});

test("a condition does not change when it is used, nor with the list it was made from", () => {
  const values = [1, 2];
  let first: Condition | undefined;
  const both = read((c) => {
    first = c["c0"]!.in(values);
    return first.and(c["c1"]!.eq("x"));
  });
  values.push(3);
  assert.deepEqual(first!.toJSON(), { op: "in", column: "c0", value: [1, 2] });
  assert.equal("predicates" in both && both.predicates.length, 2);
});

test("what cannot be compared is refused by the method that was called", () => {
  const cases: readonly (readonly [(c: AnyRefs) => unknown, string, RegExp])[] = [
    [(c) => c["nested"]!.eq({}), "PREDICATE.NOT_SUPPORTED", /a\.b: nested columns cannot be filtered/],
    [(c) => c["nested"]!.isNull(), "PREDICATE.NOT_SUPPORTED", /nested columns cannot be filtered/],
    [(c) => c["c0"]!.contains("1"), "PREDICATE.NOT_SUPPORTED", /INT, which has no operator contains/],
    [(c) => c["c0"]!.between(1, undefined), "PREDICATE.UNDEFINED_VALUE", /lte with undefined/],
    [(c) => c["c0"]!.in([1, undefined]), "PREDICATE.UNDEFINED_VALUE", /in with undefined/],
    [(c) => c["c0"]!.in(undefined as never), "PREDICATE.INVALID", /a list of values, not undefined/],
    [(c) => c["toString"], "PREDICATE.UNKNOWN_COLUMN", /"toString"/],
    [(c) => c["c0"], "PREDICATE.INVALID", /returns a condition/],
    [async (c) => await c["c0"]!.eq(1), "PREDICATE.INVALID", /returns a condition/],
    [() => undefined, "PREDICATE.INVALID", /returns a condition/],
  ];
  for (const [given, code, message] of cases) {
    assert.throws(() => read(given as (c: AnyRefs) => Condition), (error) => {
      assert.ok(FlussError.is(error), String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });
  }
});
