import assert from "node:assert/strict";
import { test } from "node:test";
import { t, table } from "../../../mod.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { readConditions } from "../../../src/cli/data/conditions.ts";
import type { OpenTable } from "../../../src/cli/data/open_table.ts";
import { readPairs } from "../../../src/cli/data/pairs.ts";
import { readPosition } from "../../../src/cli/data/positions.ts";
import { definitionOf } from "../../../src/schema/definition.ts";

const definition = definitionOf(table("shop.things", {
  id: t.bigint(),
  name: t.string(),
  "name=x": t.string(),
  "a b": t.int(),
  on: t.boolean(),
  list: t.array(t.bigint()),
  bytes: t.bytes(),
}));
const things = { name: "shop.things", definition } as unknown as OpenTable;

const usage = (message: RegExp) => (error: unknown) =>
  FlussError.is(error, "CLI.BAD_USAGE") && message.test(error.message) || assert.fail(String(error));

test("pairs become values of their types", () => {
  assert.deepEqual(
    readPairs(["id=-5", "name=", "name=x=y=z", "a b=+7", "on=TRUE", 'list:=["1",2,null]', "bytes=AQI="], things),
    {
      id: -5n,
      name: "",
      "name=x": "y=z",
      "a b": 7,
      on: true,
      list: [1n, 2n, null],
      bytes: new Uint8Array([1, 2]),
    },
  );
  assert.deepEqual(readPairs(["name:=null", "list=[3]"], things), { name: null, list: [3n] });
  assert.throws(() => readPairs(["id=1.5"], things), usage(/column "id": expected a whole number/));
  assert.throws(() => readPairs(["list:=[1"], things), usage(/column "list": expected JSON/));
  assert.throws(() => readPairs(["on=yes"], things), usage(/expected true or false/));
  assert.throws(() => readPairs(["bytes=*"], things), usage(/column "bytes"/));
  assert.throws(() => readPairs(["nix=1"], things), usage(/there is no column "nix"/));
  assert.throws(() => readPairs(["nix"], things), usage(/"nix" is not column=value/));
});

test("conditions are read with any name of a column", () => {
  const cases: readonly [string, unknown][] = [
    ["id = 5", { op: "eq", column: "id", value: 5n }],
    ["id>=5", { op: "gte", column: "id", value: 5n }],
    ["a b <> 3", { op: "ne", column: "a b", value: 3 }],
    ["name ^= ' x'", { op: "startsWith", column: "name", value: " x" }],
    ["name $= y", { op: "endsWith", column: "name", value: "y" }],
    ["name *= is null", { op: "contains", column: "name", value: "is null" }],
    ["name=x = 1", { op: "eq", column: "name=x", value: "1" }],
    ["name IS  NOT null", { op: "isNotNull", column: "name" }],
    ["id is null", { op: "isNull", column: "id" }],
    ["id in (1, 2)", { op: "in", column: "id", value: [1n, 2n] }],
    ["name in \"a,b\", 'c', O'Hara", { op: "in", column: "name", value: ["a,b", "c", "O'Hara"] }],
    ["id not in 1", { op: "notIn", column: "id", value: [1n] }],
  ];
  for (const [text, predicate] of cases) assert.deepEqual(readConditions([text], things), predicate, text);
  assert.deepEqual(readConditions([], things), undefined);
  assert.deepEqual(readConditions(["id > 1", "id < 3"], things), {
    op: "and",
    predicates: [{ op: "gt", column: "id", value: 1n }, { op: "lt", column: "id", value: 3n }],
  });
  assert.throws(() => readConditions(["nix = 1"], things), usage(/there is no column "nix"/));
  assert.throws(() => readConditions(['name in "a,b'], things), usage(/a quote is not closed/));
  assert.throws(() => readConditions(["id"], things), usage(/"id" is no condition/));
  assert.throws(() => readConditions(["id is null or 1"], things), usage(/goes on behind is null/));
});

test("places are words, times, ages and offsets", () => {
  const read = (text: string) => readPosition("from", text, ["earliest", "latest"], 1_000_000_000_000);
  assert.equal(read("earliest"), "earliest");
  assert.deepEqual(read("15m"), { timestamp: 1_000_000_000_000 - 900_000 });
  assert.deepEqual(read("2026-11-23"), { timestamp: Date.UTC(2026, 10, 23) });
  assert.deepEqual(read("2026-11-23T10:00+02:00"), { timestamp: Date.UTC(2026, 10, 23, 8) });
  assert.deepEqual(read("2026-11-23T10:00:00.5"), { timestamp: Date.UTC(2026, 10, 23, 10, 0, 0, 500) });
  assert.deepEqual(read("0:12,3:9007199254740993"), {
    offsets: [{ bucket: 0, offset: 12n }, { bucket: 3, offset: 9007199254740993n }],
  });
  for (const text of ["snapshot", "yesterday", "0:1,x", "1:", "2026-13-01", "5y"]) {
    assert.throws(() => read(text), usage(/--from wants/), text);
  }
});
