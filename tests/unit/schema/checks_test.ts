/** `.oneOf()` and `.check()` on the path of writes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { FlussError } from "../../../src/base/errors.ts";
import { compileChecks } from "../../../src/schema/checks.ts";
import { definitionOf } from "../../../src/schema/definition.ts";
import { type StandardSchemaV1, t, table } from "../../../src/schema/mod.ts";

function checksOf(columns: Parameters<typeof table>[1]) {
  return compileChecks(definitionOf(table("a.b", columns)));
}

test("a table without rules has no checks to run", () => {
  assert.equal(checksOf({ a: t.string(), b: t.row({ c: t.array(t.int()) }) }), undefined);
});

test("oneOf refuses other values, also deep inside, and says where", () => {
  const checks = checksOf({
    status: t.string().oneOf("new", "paid"),
    list: t.array(t.row({ kind: t.char(1).oneOf("a", "b") })),
    byKey: t.map(t.string().oneOf("x"), t.string().oneOf("y")),
    asObject: t.map(t.string(), t.string().oneOf("y"), { mode: "object" }),
  })!;
  assert.equal(
    checks({ status: "new", list: [{ kind: "a" }, null, { kind: null }], byKey: new Map([["x", "y"]]) }),
    undefined,
  );
  assert.deepEqual(
    checks({
      status: "lost",
      list: [null, { kind: "c" }],
      byKey: new Map([["z", "q"]]),
      asObject: { ["__proto__"]: "n" },
    }),
    [
      { message: 'must be one of "new", "paid"', path: ["status"] },
      { message: 'must be one of "a", "b"', path: ["list", 1, "kind"] },
      { message: 'must be one of "x"', path: ["byKey", "z"] },
      { message: 'must be one of "y"', path: ["byKey", "z"] },
      { message: 'must be one of "y"', path: ["asObject", "__proto__"] },
    ],
  );
});

test("null, and columns that a row does not have, are not looked at", () => {
  const checks = checksOf({ email: t.string().check(v.pipe(v.string(), v.email())), toString: t.string().oneOf("x") })!;
  assert.equal(checks({}), undefined);
  assert.equal(checks({ email: null }), undefined);
  assert.equal(checks({ email: "ada@example.org" }), undefined);
  assert.match(checks({ email: "ada" })![0]!.message, /Invalid email/);
  assert.equal(checks({ toString: "y" })!.length, 1);
});

test("several checks of a column all speak, with the paths of their own issues", () => {
  const checks = checksOf({
    name: t.string().check(v.pipe(v.string(), v.minLength(3, "too short"))).check(
      v.pipe(v.string(), v.regex(/^A/, "no A")),
    ),
    point: t.row({ x: t.int().notNull() }).check(v.object({ x: v.pipe(v.number(), v.minValue(1, "too small")) })),
  })!;
  assert.deepEqual(checks({ name: "bo", point: { x: 0 } }), [
    { message: "too short", path: ["name"] },
    { message: "no A", path: ["name"] },
    { message: "too small", path: ["point", "x"] },
  ]);
});

test("values of the wrong shape are left to the codec", () => {
  const checks = checksOf({ list: t.array(t.string().oneOf("x")), row: t.row({ a: t.string().oneOf("x") }) })!;
  assert.equal(checks({ list: "no list", row: 5 }), undefined);
});

test("an asynchronous check is an error, and its rejection is nobody's", () => {
  const slow: StandardSchemaV1<string, string> = {
    "~standard": { version: 1, vendor: "test", validate: () => Promise.reject(new Error("late")) },
  };
  const checks = checksOf({ a: t.string().check(slow) })!;
  assert.throws(() => checks({ a: "x" }), (error) => {
    assert.ok(FlussError.is(error, "VALIDATION.ASYNC"));
    assert.equal(error.column, "a");
    return true;
  });
});
