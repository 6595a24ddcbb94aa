/**
 * Names and types.
 *
 * @module
 */
import { t } from "../../../../src/schema/mod.ts";
import { any, arrays, type Case, codec, declare, id, long } from "./declare.ts";

/** Broken rules with their near misses. */
export const TYPES: readonly Case[] = [
  // Names.
  {
    what: "an empty table name",
    code: "SCHEMA.NAME",
    says: /table name "" is empty/,
    wrong: () => declare("a.", id),
    right: () => declare("a.b", id),
  },
  {
    what: "a dot in a table name",
    code: "SCHEMA.NAME",
    says: /"b\.c" has other characters/,
    wrong: () => declare("a.b.c", id),
    right: () => declare("a.b-c_9", id),
  },
  {
    what: "a reserved database name",
    code: "SCHEMA.NAME",
    says: /database name "__a" begins with __/,
    wrong: () => declare("__a.b", id),
    right: () => declare("_a.b", id),
  },
  {
    what: "a long table name",
    code: "SCHEMA.NAME",
    says: /longer than 200/,
    wrong: () => declare(long(201), id),
    right: () => declare(long(200), id),
  },
  {
    what: "a table name that is no text",
    code: "SCHEMA.INVALID",
    says: /is text, not number/,
    wrong: () => declare(5, id),
    right: () => declare("5", id),
  },
  {
    what: "no columns",
    code: "SCHEMA.NO_COLUMNS",
    says: /no columns/,
    wrong: () => declare("a.b", {}),
    right: () => declare("a.b", id),
  },
  {
    what: "a column that is none",
    code: "SCHEMA.INVALID",
    says: /column "id" is not a column but string/,
    wrong: () => declare("a.b", { id: "BIGINT" }),
    right: () => declare("a.b", id),
  },
  {
    what: "a column factory that was not called",
    code: "SCHEMA.INVALID",
    says: /not a column but function/,
    wrong: () => declare("a.b", { id: t.bigint }),
    right: () => declare("a.b", id),
  },
  {
    what: "a key that JavaScript moves",
    code: "SCHEMA.INVALID",
    says: /c1: t\.string\(\)\.name\("1"\)/,
    wrong: () => declare("a.b", { b: t.int(), 1: t.int() }),
    right: () => declare("a.b", { b: t.int(), c1: t.int().name("1"), "01": t.int() }),
  },
  {
    what: "a lost __proto__",
    code: "SCHEMA.INVALID",
    says: /\["__proto__"\]/,
    wrong: () => declare("a.b", { id: t.int(), __proto__: t.string() }),
    right: () => declare("a.b", { id: t.int(), ["__proto__"]: t.string() }),
  },
  {
    what: "a blank column name",
    code: "SCHEMA.NAME",
    says: /column "id" has the blank name " "/,
    wrong: () => declare("a.b", { id: t.int().name(" ") }),
    right: () => declare("a.b", { id: t.int().name(' x ü."') }),
  },
  {
    what: "a blank field name",
    code: "SCHEMA.NAME",
    says: /field "x" of r has a blank name/,
    wrong: () => declare("a.b", { r: t.row({ x: t.int().name("") }) }),
    right: () => declare("a.b", { r: t.row({ x: t.int().name("y") }) }),
  },
  ...["__offset", "__timestamp", "__bucket", "_change_type", "_log_offset", "_commit_timestamp"].map((name): Case => ({
    what: `the reserved name ${name}`,
    code: "SCHEMA.RESERVED_NAME",
    says: /the server's own/,
    wrong: () => declare("a.b", { x: t.int().name(name) }),
    right: () => declare("a.b", { x: t.int().name(name.toUpperCase()), [`${name}x`]: t.int() }),
  })),
  {
    what: "two columns of one name",
    code: "SCHEMA.DUPLICATE_COLUMN",
    says: /"a", "b" have the same name "b"/,
    wrong: () => declare("a.b", { a: t.int().name("b"), b: t.int() }),
    right: () => declare("a.b", { a: t.int().name("B"), b: t.int() }),
  },
  {
    what: "two fields of one name",
    code: "SCHEMA.DUPLICATE_COLUMN",
    says: /r\[\] has several fields/,
    wrong: () => declare("a.b", { r: t.array(t.row({ a: t.int().name("b"), b: t.int() })) }),
    right: () => declare("a.b", { r: t.array(t.row({ a: t.int(), b: t.int() })) }),
  },
  // Types.
  ...([
    ["char(0)", t.char(0), t.char(1)],
    ["char(1.5)", t.char(1.5), t.char(2147483647)],
    ["binary(0)", t.binary(0), t.binary(1)],
    ["decimal(0, 0)", t.decimal(0, 0), t.decimal(1, 0)],
    ["decimal(39, 0)", t.decimal(39, 0), t.decimal(38, 38)],
    ["decimal(5, 6)", t.decimal(5, 6), t.decimal(5, 5)],
    ["decimal(5, -1)", t.decimal(5, -1), t.decimal(5, 0)],
    ["time(10)", t.time(10), t.time(9)],
    ["timestamp(-1)", t.timestamp(-1), t.timestamp(0)],
    ["timestampLtz(NaN)", t.timestampLtz(NaN), t.timestampLtz(9)],
    [
      "char(0) in a map in a row",
      t.row({ m: t.map(t.string(), t.char(0)) }),
      t.row({ m: t.map(t.string(), t.char(1)) }),
    ],
  ] as const).map(([what, wrong, right]): Case => ({
    what,
    code: "SCHEMA.PRECISION",
    says: /is not a whole number/,
    wrong: () => declare("a.b", { x: wrong }),
    right: () => declare("a.b", { x: right }),
  })),
  {
    what: "65 levels of arrays",
    code: "SCHEMA.PRECISION",
    says: /nested more than 64 levels/,
    wrong: () => declare("a.b", { x: arrays(65) }),
    right: () => declare("a.b", { x: arrays(64) }),
  },
  ...(["timestamp", "timestampLtz"] as const).flatMap((kind) =>
    ["epochMillis", "date"].map((mode): Case => ({
      what: `${kind}(6) in mode ${mode}`,
      code: "SCHEMA.MODE",
      says: new RegExp(`t\\.${kind}\\(3, \\{ mode: "${mode}" \\}\\)`),
      wrong: () => declare("a.b", { x: any[kind](6, { mode }) }),
      right: () => declare("a.b", { x: any[kind](3, { mode }) }),
    }))
  ),
  {
    what: "a mode that does not exist",
    code: "SCHEMA.MODE",
    says: /its modes are number/,
    wrong: () => declare("a.b", { x: any.bigint({ mode: "string" }) }),
    right: () => declare("a.b", { x: any.bigint({ mode: "number" }), y: any.bigint({ mode: "bigint" }) }),
  },
  {
    what: "a mode for a type without modes",
    code: "SCHEMA.MODE",
    says: /leave mode out/,
    wrong: () => declare("a.b", { x: any.string({ mode: "number" }) }),
    right: () => declare("a.b", { x: any.string({}) }),
  },
  {
    what: "mode and codec together",
    code: "SCHEMA.MODE",
    says: /a mode and a codec/,
    wrong: () => declare("a.b", { x: any.bigint({ mode: "number", codec }) }),
    right: () => declare("a.b", { x: any.bigint({ codec }) }),
  },
  {
    what: "an object map with integer keys",
    code: "SCHEMA.MODE",
    says: /needs text keys/,
    wrong: () => declare("a.b", { x: any.map(t.int(), t.int(), { mode: "object" }) }),
    right: () => declare("a.b", { x: any.map(t.char(3), t.int(), { mode: "object" }) }),
  },
  {
    what: "oneOf without values",
    code: "SCHEMA.ONE_OF",
    says: /allows no value/,
    wrong: () => declare("a.b", { x: t.string().oneOf() }),
    right: () => declare("a.b", { x: t.string().oneOf("") }),
  },
  {
    what: "oneOf with a value twice, deep inside",
    code: "SCHEMA.ONE_OF",
    says: /x\[\]\.y allows "a" twice/,
    wrong: () => declare("a.b", { x: t.array(t.row({ y: t.string().oneOf("a", "a") })) }),
    right: () => declare("a.b", { x: t.array(t.row({ y: t.string().oneOf("a", "A") })) }),
  },
  {
    what: "oneOf beyond CHAR(2)",
    code: "SCHEMA.ONE_OF",
    says: /"abc", which does not fit into CHAR\(2\)/,
    wrong: () => declare("a.b", { x: t.char(2).oneOf("abc") }),
    right: () => declare("a.b", { x: t.char(2).oneOf("😀😀") }),
  },
  ...([
    ["agg", t.array(t.int().agg("sum"))],
    ["autoIncrement", t.row({ n: t.int().autoIncrement() })],
    ["name", t.array(t.int().name("x"))],
    ["comment", t.map(t.string(), t.int().comment("x"))],
  ] as const).map(([method, wrong]): Case => ({
    what: `${method} inside of a type`,
    code: "SCHEMA.INVALID",
    says: new RegExp(`\\.${method}\\(\\) means nothing inside`),
    wrong: () => declare("a.b", { x: wrong }),
    right: () => declare("a.b", { x: t.row({ n: t.int().name("m").comment("c") }) }),
  })),
  {
    what: "an array of something else",
    code: "SCHEMA.INVALID",
    says: /t\.array\(\) takes columns, not string/,
    wrong: () => any.array("INT"),
    right: () => any.array(t.int()),
  },
];
