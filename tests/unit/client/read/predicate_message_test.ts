import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { predicateMessage, prunablePart } from "../../../../src/client/read/predicate_message.ts";
import { PbPredicateSchema } from "../../../../src/client/rpc/gen/fluss/v1/predicate_pb.ts";
import type { Predicate } from "../../../../src/format/predicate.ts";
import type { DataType } from "../../../../src/schema/data_type.ts";
import { column, type } from "../../format/columns.ts";

const columns = [
  column(3, "n", type("int")),
  column(5, "text", type("string")),
  column(8, "char", type("char", { length: 3 })),
  column(9, "bytes", type("bytes")),
];

const n: Predicate = { op: "gt", column: "n", value: 1 };
const bytes: Predicate = { op: "eq", column: "bytes", value: new Uint8Array(2) };

test("the part that servers may prune by never loses a row", () => {
  const part = (predicate: Predicate) => prunablePart(predicate, columns);
  assert.equal(part(n), n);
  assert.equal(part(bytes), undefined);
  assert.equal(part({ op: "eq", column: "char", value: "a" }), undefined);
  assert.equal(part({ op: "eq", column: "without statistics", value: 1 }), undefined);
  assert.equal(part({ op: "and", predicates: [n, bytes] }), n);
  assert.deepEqual(part({ op: "and", predicates: [n, bytes, n] }), { op: "and", predicates: [n, n] });
  assert.equal(part({ op: "or", predicates: [n, bytes] }), undefined);
  const both: Predicate = { op: "or", predicates: [n, { op: "isNull", column: "n" }] };
  assert.deepEqual(part(both), both);
  // An "or" that lost a part of an "and" within it lets through more, not less.
  assert.deepEqual(part({ op: "or", predicates: [n, { op: "and", predicates: [n, bytes] }] }), {
    op: "or",
    predicates: [n, n],
  });
  const prefix = (value: string): Predicate => ({ op: "startsWith", column: "text", value });
  assert.deepEqual(part(prefix("äß用")), prefix("äß用"));
  assert.equal(part(prefix("a😀")), undefined);
  assert.equal(part(prefix("\uff00")), undefined);
});

function literalOf(of: DataType, value: unknown): Record<string, unknown> {
  const message = predicateMessage({ op: "eq", column: "c", value }, [column(7, "c", of)], "a.b");
  // Over the wire, so that what the schema does not know would show.
  const read = fromBinary(PbPredicateSchema, toBinary(PbPredicateSchema, create(PbPredicateSchema, message)));
  assert.equal(read.type, 0);
  assert.equal(read.leaf!.fieldId, 7);
  const { $typeName: _, ...literal } = read.leaf!.literals[0]!;
  return literal;
}

test("values go as the server reads them, by the type of the column", () => {
  const cases: readonly (readonly [DataType, unknown, Record<string, unknown>])[] = [
    [type("boolean"), true, { literalType: 0, booleanValue: true }],
    [type("tinyint"), -5, { literalType: 1, intValue: -5 }],
    [type("smallint"), 300, { literalType: 2, intValue: 300 }],
    [type("int"), 2 ** 31 - 1, { literalType: 3, intValue: 2 ** 31 - 1 }],
    [type("bigint"), -(2n ** 63n), { literalType: 4, bigintValue: -(2n ** 63n) }],
    [type("bigint", { mode: "number" }), 7, { literalType: 4, bigintValue: 7n }],
    [type("float"), 0.5, { literalType: 5, floatValue: 0.5 }],
    [type("double"), 0.1, { literalType: 6, doubleValue: 0.1 }],
    [type("string"), "ä", { literalType: 8, stringValue: "ä" }],
    [type("decimal", { precision: 15, scale: 2 }), "-1.05", { literalType: 9, decimalValue: -105n }],
    [type("decimal", { precision: 18, scale: 2 }), "1.05", { literalType: 9, decimalValue: 105n }],
    [
      type("decimal", { precision: 19, scale: 0 }),
      "-129",
      { literalType: 9, decimalBytes: Uint8Array.of(0xff, 0x7f) },
    ],
    [type("date"), Temporal.PlainDate.from("1969-12-31"), { literalType: 10, bigintValue: -1n }],
    [type("time", { precision: 0 }), Temporal.PlainTime.from("00:00:02"), { literalType: 11, intValue: 2000 }],
    [type("timestamp", { precision: 3, mode: "epochMillis" }), -1, { literalType: 12, timestampMillisValue: -1n }],
    [
      type("timestampLtz", { precision: 9, mode: "epochNanos" }),
      -1n,
      { literalType: 13, timestampMillisValue: -1n, timestampNanoOfMillisValue: 999_999 },
    ],
  ];
  const nothing = Object.keys(literalOf(type("int"), 0));
  for (const [of, value, expected] of cases) {
    const found = literalOf(of, value);
    for (const [key, part] of Object.entries(expected)) assert.deepEqual(found[key], part, `${of.kind} ${key}`);
    assert.equal(found["isNull"], false);
    assert.ok(Object.keys(found).length <= nothing.length + 2, JSON.stringify(Object.keys(found)));
  }
});

test("lists, nulls and compounds keep their shape", () => {
  const message = create(
    PbPredicateSchema,
    predicateMessage(
      {
        op: "or",
        predicates: [{ op: "notIn", column: "n", value: [1, 2] }, {
          op: "and",
          predicates: [{ op: "isNotNull", column: "text" }, n],
        }],
      },
      columns,
      "a.b",
    ),
  );
  const { type: kind, compound } = message;
  assert.deepEqual([kind, compound!.function, compound!.children.length], [1, 1, 2]);
  const [notIn, and] = compound!.children;
  assert.deepEqual([notIn!.leaf!.function, notIn!.leaf!.literals.map(({ intValue }) => intValue)], [12, [1, 2]]);
  assert.equal(and!.compound!.function, 0);
  const [isNotNull, greater] = and!.compound!.children;
  assert.deepEqual([isNotNull!.leaf!.function, isNotNull!.leaf!.fieldId, isNotNull!.leaf!.literals], [7, 5, []]);
  assert.deepEqual([greater!.leaf!.function, greater!.leaf!.fieldId], [4, 3]);
});
