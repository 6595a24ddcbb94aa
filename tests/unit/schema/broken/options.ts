/**
 * Formats and other options.
 *
 * @module
 */
import { t } from "../../../../src/schema/mod.ts";
import { type Case, declare, id, pk, property } from "./declare.ts";

/** Broken rules with their near misses. */
export const OPTIONS: readonly Case[] = [
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
