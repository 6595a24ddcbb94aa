/**
 * Merge engines, aggregations and generated columns.
 *
 * @module
 */
import { t } from "../../../../src/schema/mod.ts";
import { aggregated, any, type Case, declare, id, pk, property } from "./declare.ts";

/** Broken rules with their near misses. */
export const ENGINES: readonly Case[] = [
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
];
