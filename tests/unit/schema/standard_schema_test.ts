/** The schemas of a table's rows, as Standard Schema, as JSON Schema and in valibot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { insertSchema, keySchema, patchSchema, rowSchema } from "../../../src/adapters/valibot/mod.ts";
import { ColumnError } from "../../../src/base/column_error.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import { compileRowWriter } from "../../../src/format/row_codec.ts";
import type { SchemaColumn } from "../../../src/schema/data_type.ts";
import { definitionOf } from "../../../src/schema/definition.ts";
import { type StandardResult, t, table, type TableSchemaV1 } from "../../../src/schema/mod.ts";
import { VALUE_CASES } from "./value_cases.ts";

const users = table("shop.users", {
  id: t.bigint(),
  name: t.string().notNull(),
  email: t.string().check(v.pipe(v.string(), v.email("no email"))),
  status: t.string().oneOf("new", "paid"),
  tags: t.array(t.row({ a: t.int().notNull(), b: t.string() })),
}, { primaryKey: ["id"] });

const dict = table("web.dict", { name: t.string(), id: t.bigint().autoIncrement() }, { primaryKey: ["name"] });

function issuesOf(schema: TableSchemaV1<unknown>, value: unknown): string[] {
  const result = schema["~standard"].validate(value) as StandardResult<unknown>;
  if (result.issues === undefined) {
    assert.equal(result.value, value, "the value passes through");
    return [];
  }
  return result.issues.map(({ message, path }) => `${(path ?? []).map(String).join(".")}: ${message}`);
}

test("an insert needs what is NOT NULL and may leave the rest out", () => {
  assert.deepEqual(issuesOf(users.insert, { id: 1n, name: "Ada" }), []);
  assert.deepEqual(issuesOf(users.insert, { id: 1n, name: "Ada", email: null, tags: [null, { a: 1 }] }), []);
  assert.deepEqual(issuesOf(users.insert, { name: null, nope: 1, email: undefined }), [
    "nope: is not a column of this insert",
    "id: is missing",
    "name: is null, and the column takes no null",
    "email: is undefined, which could mean null or leave as it is",
  ]);
});

test("a row has every column", () => {
  assert.deepEqual(issuesOf(users.row, { id: 1n, name: "Ada", email: null, status: null, tags: null }), []);
  assert.deepEqual(issuesOf(users.row, { id: 1n, name: "Ada" }), [
    "email: is missing",
    "status: is missing",
    "tags: is missing",
  ]);
});

test("a patch needs the key, and a key is the key alone", () => {
  assert.deepEqual(issuesOf(users.patch, { id: 1n }), []);
  assert.deepEqual(issuesOf(users.patch, { name: "Ada" }), ["id: is missing"]);
  assert.deepEqual(issuesOf(users.key, { id: 1n }), []);
  assert.deepEqual(issuesOf(users.key, { id: null }), ["id: is null, and the column takes no null"]);
  assert.deepEqual(issuesOf(users.key, { id: 1n, name: "Ada" }), ["name: is not a column of this key"]);
});

test("a generated column is read and never written", () => {
  assert.deepEqual(issuesOf(dict.row, { name: "a", id: 1n }), []);
  assert.deepEqual(issuesOf(dict.row, { name: "a", id: null }), ["id: is null, and the column takes no null"]);
  assert.deepEqual(issuesOf(dict.insert, { name: "a" }), []);
  assert.deepEqual(issuesOf(dict.insert, { name: "a", id: 1n }), ["id: is numbered by the server: leave it out"]);
});

test("checks run when the types are right", () => {
  assert.deepEqual(issuesOf(users.insert, { id: 1n, name: "Ada", email: "x", status: "lost" }), [
    "email: no email",
    'status: must be one of "new", "paid"',
  ]);
  assert.deepEqual(issuesOf(users.insert, { id: 1, name: "Ada", email: "x" }), ["id: expected bigint, got number 1"]);
});

test("nested values say where they are wrong", () => {
  assert.deepEqual(issuesOf(users.insert, { id: 1n, name: "Ada", tags: [{ a: 1 }, { b: 2, c: 3 }] }), [
    "tags.1.a: is missing",
    "tags.1.b: expected string, got number 2",
    "tags.1.c: is not a field of the type",
  ]);
});

for (const value of [null, undefined, 5, "x", [], new Map(), new Date(), new Uint8Array(1)]) {
  test(`${Object.prototype.toString.call(value)} is no row`, () => {
    assert.deepEqual(issuesOf(users.insert, value), [": expected an object with the table's columns"]);
  });
}

for (const { what, column, right, wrong } of VALUE_CASES) {
  const one = table("a.b", { x: column });
  test(`values of ${what} are told from others`, () => {
    for (const value of right) assert.deepEqual(issuesOf(one.insert, { x: value }), [], String(value));
    for (const value of wrong) assert.equal(issuesOf(one.insert, { x: value }).length, 1, String(value));
  });

  test(`the codec agrees with the schema about values of ${what}`, () => {
    const columns = definitionOf(one).columns.map((column, id): SchemaColumn => ({ ...column, id }));
    // The INDEXED format counts the bytes of CHAR, which is its own matter.
    for (const format of ["compacted", "aligned"] as const) {
      const write = compileRowWriter(columns, format);
      for (const value of right) write(new ByteWriter(64), { x: value });
      for (const value of wrong) {
        assert.throws(() => write(new ByteWriter(64), { x: value }), ColumnError, String(value));
      }
    }
  });
}

test("the JSON Schema of a row says what its JSON looks like", () => {
  const schema = users.insert["~standard"].jsonSchema.input({ target: "draft-2020-12" });
  assert.deepEqual(schema, {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      id: { type: "string", pattern: "^-?\\d{1,19}$" },
      name: { type: "string" },
      email: { type: ["string", "null"] },
      status: { type: ["string", "null"], enum: ["new", "paid", null] },
      tags: {
        type: ["array", "null"],
        items: {
          type: ["object", "null"],
          properties: {
            a: { type: "integer", minimum: -2147483648, maximum: 2147483647 },
            b: { type: ["string", "null"] },
          },
          required: ["a"],
          additionalProperties: false,
        },
      },
    },
    required: ["id", "name"],
    additionalProperties: false,
  });
  assert.deepEqual(users.key["~standard"].jsonSchema.output({ target: "draft-07" }), {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { id: { type: "string", pattern: "^-?\\d{1,19}$" } },
    required: ["id"],
    additionalProperties: false,
  });
});

test("JSON Schemas carry comments, and know every type", () => {
  const wide = table("a.b", {
    d: t.decimal(5, 2).comment("price"),
    u: t.decimal(3, 3),
    i: t.decimal(3, 0),
    f: t.double(),
    day: t.date({ mode: "days" }),
    at: t.timestampLtz(3, { mode: "epochMillis" }),
    b: t.binary(2),
    c: t.char(3),
    m: t.map(t.int(), t.boolean()),
    n: t.bigint({ mode: "number" }),
  }, { comment: "the table" });
  const schema = wide.row["~standard"].jsonSchema.input({ target: "draft-2020-12" });
  assert.equal(schema["description"], "the table");
  // deno-lint-ignore no-explicit-any
  const of = schema["properties"] as any;
  assert.equal(of.d.description, "price");
  for (
    const [pattern, yes, no] of [
      [of.d.pattern, ["1", "-123.45", "0.5", "007", "1.500"], ["1234", "1.234", "1.", ".5", "x", ""]],
      [of.u.pattern, ["0", "0.123", "-0.001"], ["1", "1.5", ".5", "0.1234"]],
      [of.i.pattern, ["123", "-1"], ["1234", "1.0"]],
    ] as const
  ) {
    for (const text of yes) assert.match(text, new RegExp(pattern));
    for (const text of no) assert.doesNotMatch(text, new RegExp(pattern));
  }
  assert.deepEqual(of.f, {
    anyOf: [{ anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] }, { type: "null" }],
  });
  assert.deepEqual(of.day, { type: ["string", "null"], format: "date" });
  assert.deepEqual(of.at, { type: ["string", "null"], format: "date-time" });
  assert.deepEqual(of.b, { type: ["string", "null"], contentEncoding: "base64" });
  assert.deepEqual(of.c, { type: ["string", "null"], maxLength: 3 });
  assert.deepEqual(of.m.items.prefixItems, [
    { type: "integer", minimum: -2147483648, maximum: 2147483647 },
    { type: ["boolean", "null"] },
  ]);
  assert.equal(of.n.type[0], "integer");
});

test("a dialect that is not known is an error", () => {
  assert.throws(
    () => users.row["~standard"].jsonSchema.input({ target: "openapi-3.0" }),
    (error) => FlussError.is(error, "SCHEMA.INVALID"),
  );
});

test("valibot schemas of a table pass values through, and have issues with paths", () => {
  const body = v.object({ user: insertSchema(users) });
  const user = { id: 1n, name: "Ada" };
  assert.equal(v.parse(body, { user }).user, user);
  const result = v.safeParse(body, { user: { id: 1n, name: "Ada", tags: [{ a: "x" }] } });
  assert.equal(result.success, false);
  assert.deepEqual(result.issues!.map((issue) => [issue.message, v.getDotPath(issue)]), [
    ['expected number, got string "x"', "user.tags.0.a"],
  ]);
  assert.equal(v.is(rowSchema(users), user), false);
  assert.equal(v.is(patchSchema(users), { id: 1n }), true);
  assert.equal(v.is(keySchema(users), { id: 1 }), false);
  assert.equal(v.is(insertSchema(users), null), false);
});
