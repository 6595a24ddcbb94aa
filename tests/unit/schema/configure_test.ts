import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlussError } from "../../../src/base/errors.ts";
import { definitionOf } from "../../../src/schema/definition.ts";
import { configure, type Presets, t, table } from "../../../src/schema/mod.ts";

function refused(presets: object, message: RegExp, hint: RegExp): void {
  assert.throws(() => configure(presets as Presets), (error: FlussError) => {
    assert.equal(error.code, "SCHEMA.MODE");
    assert.match(error.message, message);
    assert.match(error.hint!, hint);
    return true;
  });
}

test("configure() refuses presets and modes that do not exist", () => {
  refused({ bigInt: "number" }, /no preset "bigInt"/, /did you mean "bigint"/);
  refused({ int: "number" }, /no preset "int"/, /bigint|presets/);
  refused({ bigint: "Number" }, /bigint: "Number"/, /bigint, number/);
  refused({ timestampLtz: "millis" }, /timestampLtz: "millis"/, /temporal, string, epochMillis/);
  refused({ date: 1 }, /date: 1/, /temporal, string, days/);
});

test("configure() takes every mode by its name, and the defaults by theirs", () => {
  const typeOf = (presets: Presets) => {
    const made = configure(presets);
    return definitionOf(made.table("a.b", { x: made.t.bigint(), y: made.t.date(), z: made.t.decimal(5, 2) })).columns
      .map(({ type }) => type.mode);
  };
  assert.deepEqual(typeOf({ bigint: "number", date: "days", decimal: "unscaled" }), ["number", "days", "unscaled"]);
  assert.deepEqual(typeOf({ bigint: "bigint", date: "temporal", decimal: "string" }), [
    undefined,
    undefined,
    undefined,
  ]);
  const usual = definitionOf(table("a.b", { x: t.bigint(), y: t.date(), z: t.decimal(5, 2) }));
  assert.deepEqual(usual.columns.map(({ type }) => type.mode), [undefined, undefined, undefined]);
});
