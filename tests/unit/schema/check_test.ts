/** Every rule of a valid table: what breaks it is refused with its code, and the nearest valid declaration is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, type FlussUsageError } from "../../../src/base/errors.ts";
import { check, RULES } from "../../../src/schema/check.ts";
import { definitionOf, type TableDefinition } from "../../../src/schema/definition.ts";
import { dateAutoPartitionHazard } from "../../../src/schema/rules/keys.ts";
import { configure, t, table } from "../../../src/schema/mod.ts";

// Wrong declarations are what this file is about, so the compiler must not refuse them first.
// deno-lint-ignore no-explicit-any
const declare: (name: any, columns: any, options?: any) => object = table as any;
// deno-lint-ignore no-explicit-any
const any: any = t;

interface Case {
  readonly what: string;
  readonly code: string;
  /** A part of the message and hint. */
  readonly says: RegExp;
  readonly wrong: () => unknown;
  /** The near miss. */
  readonly right: () => unknown;
}

const id = { id: t.bigint() };
const pk = { primaryKey: ["id"] };
const long = (length: number) => "x".repeat(length);

const CASES: readonly Case[] = [
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
  // Keys.
  {
    what: "an unknown key column",
    code: "SCHEMA.KEY_MISSING",
    says: /primaryKey names "idd", which is not a column\. hint: did you mean "id"\?/,
    wrong: () => declare("a.b", id, { primaryKey: ["idd"] }),
    right: () => declare("a.b", id, pk),
  },
  {
    what: "a physical name as key",
    code: "SCHEMA.KEY_MISSING",
    says: /bucketKey names "order_id".*did you mean "orderId"/,
    wrong: () => declare("a.b", { orderId: t.int().name("order_id") }, { bucketKey: ["order_id"] }),
    right: () => declare("a.b", { orderId: t.int().name("order_id") }, { bucketKey: ["orderId"] }),
  },
  {
    what: "a nested key",
    code: "SCHEMA.KEY_MISSING",
    says: /"r\.x", which is not a column/,
    wrong: () => declare("a.b", { r: t.row({ x: t.int() }), y: t.int() }, { primaryKey: ["r.x"] }),
    right: () => declare("a.b", { r: t.row({ x: t.int() }), y: t.int() }, { primaryKey: ["y"] }),
  },
  {
    what: "a key column twice",
    code: "SCHEMA.KEY_DUPLICATE",
    says: /primaryKey names "id" twice/,
    wrong: () => declare("a.b", id, { primaryKey: ["id", "id"] }),
    right: () => declare("a.b", id, pk),
  },
  ...([t.array(t.int()), t.map(t.string(), t.int()), t.row({ x: t.int() })] as const).flatMap((type): Case[] => [
    {
      what: `a nested primary key`,
      code: "SCHEMA.KEY_TYPE",
      says: /primaryKey names "x", which is of type/,
      wrong: () => declare("a.b", { x: type }, { primaryKey: ["x"] }),
      right: () => declare("a.b", { x: t.bytes() }, { primaryKey: ["x"] }),
    },
    {
      what: `a nested bucket key`,
      code: "SCHEMA.KEY_TYPE",
      says: /bucketKey names "x", which is of type/,
      wrong: () => declare("a.b", { x: type }, { bucketKey: ["x"] }),
      right: () => declare("a.b", { x: t.double() }, { bucketKey: ["x"] }),
    },
  ]),
  ...[0, -1, 1.5, 128001].map((buckets): Case => ({
    what: `${buckets} buckets`,
    code: Number.isInteger(buckets) ? "SCHEMA.BUCKETS" : "SCHEMA.OPTION",
    says: /buckets/,
    wrong: () => declare("a.b", id, { buckets }),
    right: () => [declare("a.b", id, { buckets: 1 }), declare("a.b", id, { buckets: 128000 })],
  })),
  {
    what: "a bucket key outside of the primary key",
    code: "SCHEMA.BUCKET_KEY",
    says: /"x", which is not in the primary key.*use some of "id"/,
    wrong: () => declare("a.b", { ...id, x: t.int() }, { ...pk, bucketKey: ["x"] }),
    right: () => [
      declare("a.b", { ...id, x: t.int() }, { primaryKey: ["id", "x"], bucketKey: ["x"] }),
      declare("a.b", { ...id, x: t.int() }, { bucketKey: ["x"] }),
    ],
  },
  {
    what: "a bucket key with a partition column",
    code: "SCHEMA.BUCKET_KEY",
    says: /bucketKey names the partition column "p"/,
    wrong: () => declare("a.b", { ...id, p: t.string() }, { bucketKey: ["p"], partitionBy: ["p"] }),
    right: () => declare("a.b", { ...id, p: t.string() }, { bucketKey: ["id"], partitionBy: ["p"] }),
  },
  {
    what: "a decimal partition",
    code: "SCHEMA.PARTITION_KEY",
    says: /DECIMAL\(5, 2\)/,
    wrong: () => declare("a.b", { ...id, p: t.decimal(5, 2) }, { partitionBy: ["p"] }),
    right: () => declare("a.b", { ...id, p: t.float() }, { partitionBy: ["p"] }),
  },
  {
    what: "a partition column outside of the primary key",
    code: "SCHEMA.PARTITION_KEY",
    says: /write primaryKey: \["id", "p"\]/,
    wrong: () => declare("a.b", { ...id, p: t.string() }, { ...pk, partitionBy: ["p"] }),
    right: () => declare("a.b", { ...id, p: t.string() }, { primaryKey: ["id", "p"], partitionBy: ["p"] }),
  },
  {
    what: "a primary key of partition columns",
    code: "SCHEMA.PARTITION_KEY",
    says: /a partition would hold one row/,
    wrong: () => declare("a.b", { ...id, p: t.string() }, { primaryKey: ["p"], partitionBy: ["p"] }),
    right: () => declare("a.b", { ...id, p: t.string() }, { primaryKey: ["p", "id"], partitionBy: ["p"] }),
  },
  // Auto-partition.
  {
    what: "auto-partition without partitions",
    code: "SCHEMA.AUTO_PARTITION",
    says: /the table has no partitions/,
    wrong: () => declare("a.b", id, { autoPartition: { unit: "day" } }),
    right: () => partitioned({ unit: "day" }),
  },
  {
    what: "auto-partition without unit",
    code: "SCHEMA.AUTO_PARTITION",
    says: /lacks unit/,
    wrong: () => partitioned({}),
    right: () => partitioned({ unit: "hour" }),
  },
  {
    what: "auto-partition with two partition columns and no key",
    code: "SCHEMA.AUTO_PARTITION",
    says: /lacks key.*"p", "q"/,
    wrong: () => partitioned({ unit: "day" }, ["p", "q"]),
    right: () => partitioned({ unit: "day", key: "p" }, ["p", "q"]),
  },
  {
    what: "auto-partition by another column",
    code: "SCHEMA.AUTO_PARTITION",
    says: /"id", which is not a partition column/,
    wrong: () => partitioned({ unit: "day", key: "id" }, ["p", "q"]),
    right: () => partitioned({ unit: "day", key: "q" }, ["p", "q"]),
  },
  {
    what: "partitions made ahead with two partition columns",
    code: "SCHEMA.AUTO_PARTITION",
    says: /none can be made ahead/,
    wrong: () => partitioned({ unit: "day", key: "p", precreate: 1 }, ["p", "q"]),
    right: () => partitioned({ unit: "day", key: "p", precreate: 0 }, ["p", "q"]),
  },
  {
    what: "auto-partition by a TIMESTAMP",
    code: "SCHEMA.AUTO_PARTITION",
    says: /would take all of its partitions for expired/,
    wrong: () => partitioned({ unit: "day" }, ["at"]),
    right: () => partitioned({ unit: "day" }, ["number"]),
  },
  {
    what: "auto-partition of a DATE by hours",
    code: "SCHEMA.AUTO_PARTITION",
    says: /is a DATE, and unit is "hour"/,
    wrong: () => partitioned({ unit: "hour" }, ["day"]),
    right: () => partitioned({ unit: "day" }, ["day"]),
  },
  {
    what: "an unknown time zone",
    code: "SCHEMA.AUTO_PARTITION",
    says: /"Mars\/Base", which is no time zone/,
    wrong: () => partitioned({ unit: "day", timeZone: "Mars/Base" }),
    right: () => [
      partitioned({ unit: "day", timeZone: "Europe/Berlin" }),
      partitioned({ unit: "day", timeZone: "GMT+8" }),
    ],
  },
  {
    what: "a negative number of partitions ahead",
    code: "SCHEMA.OPTION",
    says: /num-precreate is "-1"/,
    wrong: () => partitioned({ unit: "day", precreate: -1 }),
    right: () => partitioned({ unit: "day", precreate: 0, retain: -1 }),
  },
  // Engines.
  {
    what: "an engine on a log table",
    code: "SCHEMA.MERGE_ENGINE",
    says: /a log table has no rows to merge/,
    wrong: () => declare("a.b", id, { mergeEngine: "first_row" }),
    right:
      () => [declare("a.b", id, { ...pk, mergeEngine: "first_row" }), declare("a.b", id, { mergeEngine: "last_row" })],
  },
  {
    what: "an unknown version column",
    code: "SCHEMA.MERGE_ENGINE",
    says: /"vers", which is not a column.*did you mean "ver"/,
    wrong: () => declare("a.b", { ...id, ver: t.int() }, { ...pk, mergeEngine: { versioned: "vers" } }),
    right: () => declare("a.b", { ...id, ver: t.int() }, { ...pk, mergeEngine: { versioned: "ver" } }),
  },
  ...[t.double(), t.string(), t.smallint(), t.date(), t.decimal(10, 0)].map((wrong): Case => ({
    what: "a version column of another type",
    code: "SCHEMA.MERGE_ENGINE",
    says: /versions are INT, BIGINT, TIMESTAMP or TIMESTAMP_LTZ/,
    wrong: () => declare("a.b", { ...id, ver: wrong }, { ...pk, mergeEngine: { versioned: "ver" } }),
    right: () => {
      for (const right of [t.int(), t.bigint(), t.timestamp(), t.timestampLtz(9)]) {
        declare("a.b", { ...id, ver: right }, { ...pk, mergeEngine: { versioned: "ver" } });
      }
      declare("a.b", id, { ...pk, mergeEngine: { versioned: "id" } });
    },
  })),
  {
    what: "an engine that does not exist",
    code: "SCHEMA.OPTION",
    says: /mergeEngine is "firstRow"\. hint: it must be "last_row"/,
    wrong: () => declare("a.b", id, { ...pk, mergeEngine: "firstRow" }),
    right: () => declare("a.b", id, { ...pk, mergeEngine: "last_row" }),
  },
  {
    what: "wal with aggregation",
    code: "SCHEMA.CHANGELOG",
    says: /cannot have changelog "wal"/,
    wrong: () => declare("a.b", id, { ...pk, mergeEngine: "aggregation", changelog: "wal" }),
    right: () => declare("a.b", id, { ...pk, mergeEngine: { versioned: "id" }, changelog: "wal" }),
  },
  {
    what: "delete behaviour of a log table",
    code: "SCHEMA.DELETE_BEHAVIOR",
    says: /a log table has no deletes/,
    wrong: () => declare("a.b", id, { deleteBehavior: "ignore" }),
    right: () => declare("a.b", id, { ...pk, deleteBehavior: "ignore" }),
  },
  ...["first_row", { versioned: "id" }].map((mergeEngine): Case => ({
    what: "deletes allowed with an engine that has none",
    code: "SCHEMA.DELETE_BEHAVIOR",
    says: /tables cannot delete/,
    wrong: () => declare("a.b", id, { ...pk, mergeEngine, deleteBehavior: "allow" }),
    right: () => [
      declare("a.b", id, { ...pk, mergeEngine, deleteBehavior: "disable" }),
      declare("a.b", id, { ...pk, mergeEngine: "aggregation", deleteBehavior: "allow" }),
    ],
  })),
  {
    what: "agg without the engine",
    code: "SCHEMA.AGGREGATION",
    says: /\.agg\("sum"\), which the merge engine "last_row" ignores/,
    wrong: () => declare("a.b", { ...id, n: t.int().agg("sum") }, pk),
    right: () => declare("a.b", { ...id, n: t.int().agg("sum") }, { ...pk, mergeEngine: "aggregation" }),
  },
  {
    what: "agg on a key column",
    code: "SCHEMA.AGGREGATION",
    says: /the key column "id" has \.agg/,
    wrong: () => aggregated({ id: t.bigint().agg("max") }),
    right: () => aggregated({ id: t.bigint(), n: t.int() }),
  },
  ...([
    ["sum", t.string(), t.decimal(5, 2)],
    ["product", t.date(), t.float()],
    ["max", t.boolean(), t.char(3)],
    ["min", t.bytes(), t.timestampLtz()],
    ["listagg", t.int(), t.string()],
    ["string_agg", t.bytes(), t.char(4)],
    ["bool_and", t.int(), t.boolean()],
    ["bool_or", t.string(), t.boolean()],
    ["rbm32", t.binary(4), t.bytes()],
    ["rbm64", t.string(), t.bytes()],
  ] as const).map(([fn, wrong, right]): Case => ({
    what: `${fn} of another type`,
    code: "SCHEMA.AGGREGATION",
    says: new RegExp(`which ${fn} cannot merge`),
    // deno-lint-ignore no-explicit-any
    wrong: () => aggregated({ id: t.int(), x: (wrong as any).agg(fn) }),
    right: () => [
      // deno-lint-ignore no-explicit-any
      aggregated({ id: t.int(), x: (right as any).agg(fn) }),
      aggregated({ id: t.int(), x: t.map(t.int(), t.int()).agg("last_value_ignore_nulls") }),
    ],
  })),
  {
    what: "an unknown aggregation function",
    code: "SCHEMA.AGGREGATION",
    says: /no aggregation function.*the functions are sum, product/,
    wrong: () => aggregated({ id: t.int(), x: any.int().agg("avg") }),
    right: () => aggregated({ id: t.int(), x: any.int().agg("first_value") }),
  },
  {
    what: "a parameter of sum",
    code: "SCHEMA.AGGREGATION",
    says: /sum has no parameter "delimiter"/,
    wrong: () => aggregated({ id: t.int(), x: t.int().agg("sum", { delimiter: ";" }) }),
    right: () => aggregated({ id: t.int(), x: t.string().agg("listagg", { delimiter: ";" }) }),
  },
  {
    what: "an empty delimiter",
    code: "SCHEMA.AGGREGATION",
    says: /an empty delimiter/,
    wrong: () => aggregated({ id: t.int(), x: t.string().agg("listagg", { delimiter: "" }) }),
    right: () => aggregated({ id: t.int(), x: t.string().agg("listagg") }),
  },
  // Auto-increment.
  {
    what: "two auto-increment columns",
    code: "SCHEMA.AUTO_INCREMENT",
    says: /2 auto-increment columns: "n", "m"/,
    wrong: () => declare("a.b", { ...id, n: t.int().autoIncrement(), m: t.bigint().autoIncrement() }, pk),
    right: () => declare("a.b", { ...id, n: t.int().autoIncrement(), m: t.bigint() }, pk),
  },
  {
    what: "auto-increment in the key",
    code: "SCHEMA.AUTO_INCREMENT",
    says: /the key column "n" is auto-increment/,
    wrong: () => declare("a.b", { ...id, n: t.int().autoIncrement() }, { primaryKey: ["n"] }),
    right: () => declare("a.b", { ...id, n: t.int().autoIncrement() }, pk),
  },
  {
    what: "auto-increment on a log table",
    code: "SCHEMA.AUTO_INCREMENT",
    says: /the table has no primary key/,
    wrong: () => declare("a.b", { ...id, n: t.int().autoIncrement() }),
    right: () => declare("a.b", { ...id, n: t.bigint().autoIncrement() }, pk),
  },
  ...["smallint", "string", "float"].map((kind): Case => ({
    what: `auto-increment of ${kind}`,
    code: "SCHEMA.AUTO_INCREMENT",
    says: /use t\.int\(\) or t\.bigint\(\)/,
    wrong: () => declare("a.b", { ...id, n: any[kind]().autoIncrement() }, pk),
    right: () => declare("a.b", { ...id, n: t.int().autoIncrement() }, pk),
  })),
  ...["first_row", { versioned: "id" }].map((mergeEngine): Case => ({
    what: "auto-increment with an engine that cannot write it",
    code: "SCHEMA.AUTO_INCREMENT",
    says: /cannot be written/,
    wrong: () => declare("a.b", { ...id, n: t.int().autoIncrement() }, { ...pk, mergeEngine }),
    right: () => declare("a.b", { ...id, n: t.int().autoIncrement() }, { ...pk, mergeEngine: "aggregation" }),
  })),
  {
    what: "NOT NULL beside auto-increment",
    code: "SCHEMA.AUTO_INCREMENT_NOT_NULL",
    says: /column "x" is NOT NULL.*leave \.notNull\(\) out/,
    wrong: () => declare("a.b", { ...id, n: t.int().autoIncrement(), x: t.int().notNull() }, pk),
    right: () => declare("a.b", { id: t.bigint().notNull(), n: t.int().notNull().autoIncrement(), x: t.int() }, pk),
  },
  {
    what: "no ids fetched at a time",
    code: "SCHEMA.OPTION",
    says: /cache-size is "0"/,
    wrong: () => property("table.auto-increment.cache-size", "0"),
    right: () => property("table.auto-increment.cache-size", "1"),
  },
  // Formats and other options.
  {
    what: "compacted rows with an indexed log",
    code: "SCHEMA.FORMAT",
    says: /compacted rows cannot have log\.format "indexed"/,
    wrong: () => declare("a.b", id, { ...pk, log: { format: "indexed" } }),
    right: () => [
      declare("a.b", id, { ...pk, log: { format: "compacted" } }),
      declare("a.b", id, { log: { format: "indexed" } }),
    ],
  },
  {
    what: "indexed rows with an indexed log",
    code: "SCHEMA.FORMAT",
    says: /cannot be written/,
    wrong: () => declare("a.b", id, { ...pk, kv: { format: "indexed" }, log: { format: "indexed" } }),
    right: () => declare("a.b", id, { ...pk, kv: { format: "indexed" }, log: { format: "compacted" } }),
  },
  ...["P7D", "0", "-1", "7", "7 weeks", "0d", ""].map((ttl): Case => ({
    what: `the duration ${JSON.stringify(ttl)}`,
    code: "SCHEMA.OPTION",
    says: /a duration such as 7d/,
    wrong: () => declare("a.b", id, { log: { ttl } }),
    right: () => ["7d", "7 d", "3min", "100ms", "2 HOURS"].forEach((ttl) => declare("a.b", id, { log: { ttl } })),
  })),
  ...[0, 23].map((level): Case => ({
    what: `zstd level ${level}`,
    code: "SCHEMA.OPTION",
    says: /a whole number from 1 to 22/,
    wrong: () => declare("a.b", id, { log: { compression: { type: "zstd", level } } }),
    right: () => [1, 22].forEach((level) => declare("a.b", id, { log: { compression: { type: "zstd", level } } })),
  })),
  {
    what: "a level of lz4",
    code: "SCHEMA.OPTION",
    says: /a level, which is for zstd alone/,
    wrong: () => declare("a.b", id, { log: { compression: { type: "lz4", level: 3 } } }),
    right: () => declare("a.b", id, { log: { compression: { type: "lz4" } } }),
  },
  {
    what: "an unknown option",
    code: "SCHEMA.OPTION",
    says: /no option "primarykey".*did you mean "primaryKey"/,
    wrong: () => declare("a.b", id, { primarykey: ["id"] }),
    right: () => declare("a.b", id, pk),
  },
  {
    what: "an unknown option inside of another",
    code: "SCHEMA.OPTION",
    says: /no option "log\.tll".*did you mean "ttl"/,
    wrong: () => declare("a.b", id, { log: { tll: "7d" } }),
    right: () => declare("a.b", id, { log: { ttl: "7d" } }),
  },
  {
    what: "an option of the wrong type",
    code: "SCHEMA.OPTION",
    says: /buckets is "4"\. hint: it must be a whole number/,
    wrong: () => declare("a.b", id, { buckets: "4" }),
    right: () => declare("a.b", id, { buckets: 4 }),
  },
  {
    what: "a key that is no list",
    code: "SCHEMA.OPTION",
    says: /primaryKey is "id"\. hint: it must be a list of column keys/,
    wrong: () => declare("a.b", id, { primaryKey: "id" }),
    right: () => declare("a.b", id, { primaryKey: ["id"] }),
  },
  {
    what: "an option with a value that does not exist",
    code: "SCHEMA.OPTION",
    says: /log\.format is "json"\. hint: it must be one of "arrow"/,
    wrong: () => declare("a.b", id, { log: { format: "json" } }),
    right: () => declare("a.b", id, { log: { format: "arrow" } }),
  },
  {
    what: "a property that is not the server's",
    code: "SCHEMA.OPTION",
    says: /put your own keys into customProperties/,
    wrong: () => property("client.id", "x"),
    right: () => declare("a.b", id, { customProperties: { "client.id": "x" } }),
  },
  {
    what: "a slip in a property",
    code: "SCHEMA.OPTION",
    says: /did you mean "table\.replication\.factor"\?/,
    wrong: () => property("table.replication.factr", "3"),
    right: () => [property("table.replication.factor", "3"), property("table.made.up.later", "3")],
  },
  {
    what: "a property that types follow from",
    code: "SCHEMA.OPTION",
    says: /write mergeEngine instead/,
    wrong: () => property("table.merge-engine", "first_row"),
    right: () => property("table.kv.format-version", "2"),
  },
  {
    what: "an option said twice",
    code: "SCHEMA.OPTION",
    says: /say it in one place/,
    wrong: () => declare("a.b", id, { log: { ttl: "7d" }, properties: { "table.log.ttl": "8d" } }),
    right: () => property("table.log.ttl", "8d"),
  },
  ...[["table.replication.factor", "0"], ["table.replication.factor", "x"], ["table.log.tiered.local-segments", "0"], [
    "table.datalake.enabled",
    "yes",
  ]].map(([key, value]): Case => ({
    what: `${key} = ${value}`,
    code: "SCHEMA.OPTION",
    says: /it takes/,
    wrong: () => property(key!, value!),
    right: () => property(key!, key!.endsWith("enabled") ? "TRUE" : "1"),
  })),
  {
    what: "two bucket columns in Iceberg",
    code: "SCHEMA.DATALAKE",
    says: /one bucket column, not 2/,
    wrong: () =>
      declare("a.b", { a: t.int(), b: t.int() }, { primaryKey: ["a", "b"], datalake: { format: "iceberg" } }),
    right: () => [
      declare("a.b", { a: t.int(), b: t.int() }, {
        primaryKey: ["a", "b"],
        bucketKey: ["a"],
        datalake: { format: "iceberg" },
      }),
      declare("a.b", { a: t.int(), b: t.int() }, { primaryKey: ["a", "b"], datalake: { format: "paimon" } }),
    ],
  },
  {
    what: "a boolean bucket column in Iceberg",
    code: "SCHEMA.DATALAKE",
    says: /is of type BOOLEAN/,
    wrong: () => declare("a.b", { a: t.boolean() }, { bucketKey: ["a"], datalake: { format: "iceberg" } }),
    right: () => declare("a.b", { a: t.int() }, { bucketKey: ["a"], datalake: { format: "iceberg" } }),
  },
];

// deno-lint-ignore no-explicit-any
const codec: any = { encode: (value: unknown) => value, decode: (raw: unknown) => raw };

function arrays(depth: number): unknown {
  let type: unknown = t.int();
  for (let i = 0; i < depth; i++) type = any.array(type);
  return type;
}

function partitioned(autoPartition: object, partitionBy: readonly string[] = ["p"]): object {
  const columns = {
    ...id,
    p: t.string().name("part"),
    q: t.string(),
    at: t.timestamp(3, { mode: "date" }),
    number: t.int(),
    day: t.date({ mode: "string" }),
  };
  return declare("a.b", columns, { partitionBy, autoPartition });
}

function aggregated(columns: object): object {
  return declare("a.b", columns, { ...pk, mergeEngine: "aggregation" });
}

function property(key: string, value: string): object {
  return declare("a.b", { ...id, n: t.int() }, { ...pk, properties: { [key]: value } });
}

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
