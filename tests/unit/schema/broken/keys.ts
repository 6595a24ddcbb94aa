/**
 * Keys, buckets and partitions.
 *
 * @module
 */
import { t } from "../../../../src/schema/mod.ts";
import { type Case, declare, id, partitioned, pk } from "./declare.ts";

/** Broken rules with their near misses. */
export const KEYS: readonly Case[] = [
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
];
