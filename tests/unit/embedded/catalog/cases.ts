/**
 * Requests to the catalog, good and bad ones. `observed.json` has what a server of 0.9.1 said to each of them;
 * `record.ts` asks one again.
 *
 * @module
 */
import { type Case, type CaseStep, DATABASE } from "./case_run.ts";

type Json = Readonly<Record<string, unknown>>;

const type = (name: string, more: Json = {}): Json => ({ type: name, ...more });
const INT = type("INTEGER");
const TEXT = type("STRING");
const BIGINT = type("BIGINT");
const ARRAY = type("ARRAY", { element_type: INT });
const MAP = type("MAP", { key_type: INT, value_type: TEXT });
const row = (...fields: Json[]): Json => type("ROW", { fields });
const field = (name: string, field_type: Json, more: Json = {}): Json => ({ name, field_type, ...more });

const column = (name: string, data_type: unknown, more: Json = {}): Json => ({ name, data_type, ...more });
const ID = column("id", INT);
const V = column("v", TEXT);

interface Sketch {
  readonly columns?: readonly Json[];
  /** Columns get ids in their order unless it is false. */
  readonly ids?: boolean;
  /** None makes a log table. */
  readonly key?: readonly string[] | null;
  readonly schema?: Json;
  readonly options?: Json;
  /** What else the descriptor says. */
  readonly more?: Json;
}

function descriptor(
  { columns = [ID, V], ids = true, key = ["id"], schema = {}, options = {}, more = {} }: Sketch,
): Json {
  return {
    version: 1,
    schema: {
      version: 1,
      columns: ids ? columns.map((one, id) => ({ ...one, id })) : columns,
      ...(key === null ? {} : { primary_key: key }),
      ...(ids ? { highest_field_id: columns.length - 1 } : {}),
      ...schema,
    },
    partition_key: [],
    bucket_key: key ?? [],
    bucket_count: 1,
    properties: options,
    custom_properties: {},
    ...more,
  };
}

const path = (tableName: string, databaseName: string = DATABASE): Json => ({ databaseName, tableName });
const T = { tablePath: path("t") };
const info = (tableName = "t"): CaseStep => ["GET_TABLE_INFO", { tablePath: path(tableName) }];
const create = (sketch: Sketch = {}, tableName = "t", ignoreIfExists = false): CaseStep => [
  "CREATE_TABLE",
  { tablePath: path(tableName), tableJson: descriptor(sketch), ignoreIfExists },
];
/** A table as it is created, and as it then is. */
const creates = (name: string, sketch: Sketch): Case => ({ name, steps: [create(sketch), info()] });
const options = (name: string, given: Json, sketch: Sketch = {}): Case => creates(name, { ...sketch, options: given });
const LOG: Sketch = { key: null };

/** Descriptors that are no descriptors: servers say so in the words of their JSON library. */
const documents: readonly Case[] = [
  ["no JSON", "{"],
  ["nothing", ""],
  ["a list", "[]"],
  ["no schema", { ...descriptor({}), schema: undefined }],
  ["no columns", { ...descriptor({}), schema: { version: 1 } }],
  ["no partition keys", { ...descriptor({}), partition_key: undefined }],
  ["no bucket keys, but a count", { ...descriptor({}), bucket_key: undefined }],
  ["no properties", { ...descriptor({}), properties: undefined }],
  ["no custom properties", { ...descriptor({}), custom_properties: undefined }],
  ["a column without a name", descriptor({ columns: [{ data_type: INT }] })],
  ["a column without a type", descriptor({ columns: [{ name: "id" }] })],
  ["a type of no name", descriptor({ columns: [column("id", {})] })],
  ["a TIMESTAMP without a precision", descriptor({ columns: [ID, column("x", type("TIMESTAMP_WITHOUT_TIME_ZONE"))] })],
  ["an ARRAY of nothing", descriptor({ columns: [ID, column("x", type("ARRAY"))] })],
].map(([name, tableJson]): Case => ({
  name: `descriptor: ${name}`,
  steps: [["CREATE_TABLE", { ...T, tableJson, ignoreIfExists: false }], info()],
  codeOnly: true,
}));

const types: readonly Case[] = [
  creates("all types", {
    columns: [
      ID,
      column("a", type("BOOLEAN")),
      column("b", type("TINYINT")),
      column("c", type("SMALLINT")),
      column("d", BIGINT),
      column("e", type("FLOAT")),
      column("f", type("DOUBLE")),
      column("g", type("CHAR", { length: 3 })),
      column("h", type("BINARY", { length: 4 })),
      column("i", type("BYTES")),
      column("j", type("DECIMAL", { precision: 20, scale: 2 })),
      column("k", type("DATE")),
      column("l", type("TIME_WITHOUT_TIME_ZONE", { precision: 3 })),
      column("m", type("TIMESTAMP_WITHOUT_TIME_ZONE", { precision: 6 })),
      column("n", type("TIMESTAMP_WITH_LOCAL_TIME_ZONE", { precision: 9, nullable: false })),
      column("o", ARRAY),
      column("p", MAP, { comment: "a map" }),
    ],
  }),
  creates("a type that is none", { columns: [ID, column("x", type("VARCHAR"))] }),
  creates("CHAR(0)", { columns: [ID, column("x", type("CHAR", { length: 0 }))] }),
  creates("BINARY(0)", { columns: [ID, column("x", type("BINARY", { length: 0 }))] }),
  creates("DECIMAL(39,1)", { columns: [ID, column("x", type("DECIMAL", { precision: 39, scale: 1 }))] }),
  creates("DECIMAL(0,0)", { columns: [ID, column("x", type("DECIMAL", { precision: 0, scale: 0 }))] }),
  creates("DECIMAL(5,6)", { columns: [ID, column("x", type("DECIMAL", { precision: 5, scale: 6 }))] }),
  creates("TIME(10)", { columns: [ID, column("x", type("TIME_WITHOUT_TIME_ZONE", { precision: 10 }))] }),
  creates("TIMESTAMP(10)", { columns: [ID, column("x", type("TIMESTAMP_WITHOUT_TIME_ZONE", { precision: 10 }))] }),
  creates("TIMESTAMP_LTZ(-1)", {
    columns: [ID, column("x", type("TIMESTAMP_WITH_LOCAL_TIME_ZONE", { precision: -1 }))],
  }),
  creates("a ROW with ids", {
    columns: [
      { ...ID, id: 0 },
      {
        ...column("r", row(field("a", INT, { field_id: 2 }), field("b", ARRAY, { field_id: 3, description: "of b" }))),
        id: 1,
      },
    ],
    ids: false,
    schema: { highest_field_id: 3 },
  }),
  creates("a ROW without ids", { columns: [ID, column("r", row(field("a", INT), field("b", TEXT)))] }),
  creates("a ROW with one field without an id", { columns: [ID, column("r", row(field("a", INT)))] }),
  creates("a ROW without fields", { columns: [ID, column("r", row())] }),
  creates("a ROW with an empty field name", { columns: [ID, column("r", row(field(" ", INT, { field_id: 5 })))] }),
  creates("a ROW with a field twice", {
    columns: [ID, column("r", row(field("a", INT, { field_id: 5 }), field("a", INT, { field_id: 6 })))],
    schema: { highest_field_id: 6 },
  }),
  creates("a MAP whose key may be null", {
    columns: [ID, column("m", type("MAP", { key_type: TEXT, value_type: ARRAY }))],
  }),
];

const schemas: readonly Case[] = [
  creates("no columns", { columns: [], key: null }),
  creates("no ids", { ids: false }),
  creates("no ids, a ROW without ids", { columns: [ID, column("r", row(field("a", INT)))], ids: false }),
  creates("no ids, a ROW with an id", {
    columns: [ID, column("r", row(field("a", INT, { field_id: 7 })))],
    ids: false,
  }),
  creates("no ids, but the highest", { ids: false, schema: { highest_field_id: 9 } }),
  creates("no ids, and a highest that is too low", { ids: false, schema: { highest_field_id: 0 } }),
  creates("some ids", { columns: [{ ...ID, id: 0 }, V], ids: false }),
  creates("ids twice", { columns: [{ ...ID, id: 1 }, { ...V, id: 1 }], ids: false }),
  creates("ids with gaps", { columns: [{ ...ID, id: 4 }, { ...V, id: 2 }], ids: false }),
  creates("a highest id that is too low", { schema: { highest_field_id: 0 } }),
  creates("a highest id that is higher", { schema: { highest_field_id: 12 } }),
  creates("a column twice", { columns: [ID, V, V, ID] }),
  creates("columns that differ in case", { columns: [ID, column("ID", TEXT)] }),
  creates("a column without a name", { columns: [ID, column("", TEXT)] }),
  creates("a column named by a blank", { columns: [ID, column(" ", TEXT)] }),
  creates("a column with a strange name", { columns: [ID, column('a "b".ü', TEXT)] }),
  creates("reserved column names", { columns: [ID, column("__offset", TEXT), column("_change_type", TEXT)] }),
  creates("reserved column names in other case", { columns: [ID, column("__OFFSET", TEXT)] }),
  creates("a comment", { more: { comment: "of the table" } }),
  creates("a comment that is null", { more: { comment: null } }),
  creates("a column's comment", { columns: [ID, column("v", TEXT, { comment: "it's" })] }),
  creates("a highest id that is too low, of many types", {
    columns: [
      ID,
      column("a", type("CHAR", { length: 3, nullable: false })),
      column("b", type("DECIMAL", { precision: 5, scale: 2 }), { comment: "it's b" }),
      column("c", type("TIMESTAMP_WITH_LOCAL_TIME_ZONE", { precision: 3 })),
      column("d", type("TIMESTAMP_WITHOUT_TIME_ZONE", { precision: 3 })),
      column("e", type("TIME_WITHOUT_TIME_ZONE", { precision: 3 })),
      column("f", type("ARRAY", { element_type: type("BYTES", { nullable: false }) })),
      column("g", MAP),
      column("h", type("BINARY", { length: 3 })),
      column("i", row(field("x", INT, { field_id: 20, description: "of x" }), field("y", TEXT, { field_id: 21 }))),
    ],
  }),
];

const keys: readonly Case[] = [
  creates("a log table", LOG),
  creates("a key column that may not be null", { columns: [column("id", type("INTEGER", { nullable: false })), V] }),
  creates("an empty primary key", { key: [] }),
  creates("a primary key with a column twice", { key: ["id", "id"] }),
  creates("a primary key of an unknown column", { key: ["id", "nope"] }),
  creates("a primary key of ARRAY", { columns: [column("id", ARRAY), V] }),
  creates("a primary key of MAP", { columns: [column("id", MAP), V] }),
  creates("a primary key of ROW", {
    columns: [column("id", row(field("a", INT, { field_id: 2 }))), V],
    schema: { highest_field_id: 2 },
  }),
  creates("a bucket key of ARRAY", { columns: [column("id", ARRAY), V], key: null, more: { bucket_key: ["id"] } }),
  creates("a primary key of ARRAY beside the bucket key", {
    columns: [ID, column("a", ARRAY)],
    key: ["id", "a"],
    more: { bucket_key: ["id"] },
  }),
  creates("a bucket key outside of the primary key", { more: { bucket_key: ["v"] } }),
  creates("a bucket key of an unknown column", { key: null, more: { bucket_key: ["nope"] } }),
  creates("a bucket key with a column twice", { key: null, more: { bucket_key: ["id", "id"] } }),
  creates("a bucket key in another order", { key: ["id", "v"], more: { bucket_key: ["v", "id"] } }),
  creates("no bucket key", { more: { bucket_key: [] } }),
  creates("no distribution", { more: { bucket_key: undefined, bucket_count: undefined } }),
  creates("no distribution of a log table", { key: null, more: { bucket_key: undefined, bucket_count: undefined } }),
  creates("a bucket key and no count", { more: { bucket_count: undefined } }),
  creates("no buckets", { more: { bucket_count: 0 } }),
  creates("fewer than no buckets", { more: { bucket_count: -1 } }),
  creates("too many buckets", { more: { bucket_count: 128_001 } }),
  creates("a number of buckets that is text", { more: { bucket_count: "2" } }),
  creates("a number of buckets that is none", { more: { bucket_count: "two" } }),
  creates("auto-increment", {
    columns: [ID, column("n", BIGINT)],
    schema: { auto_increment_column: ["n"] },
  }),
  creates("auto-increment of TEXT", { schema: { auto_increment_column: ["v"] } }),
  creates("auto-increment of SMALLINT", {
    columns: [ID, column("n", type("SMALLINT"))],
    schema: { auto_increment_column: ["n"] },
  }),
  creates("auto-increment of two", {
    columns: [ID, column("n", INT), column("m", INT)],
    schema: { auto_increment_column: ["n", "m"] },
  }),
  creates("auto-increment of none", { schema: { auto_increment_column: [] } }),
  creates("auto-increment of an unknown column", { schema: { auto_increment_column: ["nope"] } }),
  creates("auto-increment of the key", { schema: { auto_increment_column: ["id"] } }),
  creates("auto-increment in a log table", { key: null, schema: { auto_increment_column: ["id"] } }),
];

const ENGINE = "table.merge-engine";
const aggregate = (fn: string, data_type: Json, parameters?: Json): Sketch => ({
  columns: [ID, column("x", data_type, { agg_function: { type: fn, ...(parameters && { parameters }) } })],
  options: { [ENGINE]: "aggregation" },
});

const engines: readonly Case[] = [
  options("first_row", { [ENGINE]: "first_row" }),
  options("FIRST_ROW", { [ENGINE]: "FIRST_ROW" }),
  options("an unknown engine", { [ENGINE]: "nope" }),
  options("an engine for a log table", { [ENGINE]: "first_row" }, LOG),
  options("versioned without a column", { [ENGINE]: "versioned" }),
  options("versioned by an unknown column", {
    [ENGINE]: "versioned",
    "table.merge-engine.versioned.ver-column": "nope",
  }),
  options("versioned by text", { [ENGINE]: "versioned", "table.merge-engine.versioned.ver-column": "v" }),
  options("versioned by an ARRAY NOT NULL", {
    [ENGINE]: "versioned",
    "table.merge-engine.versioned.ver-column": "v",
  }, { columns: [ID, column("v", type("ARRAY", { nullable: false, element_type: INT }))] }),
  options("versioned by the key", { [ENGINE]: "versioned", "table.merge-engine.versioned.ver-column": "id" }),
  options("versioned", {
    [ENGINE]: "versioned",
    "table.merge-engine.versioned.ver-column": "w",
    "table.delete.behavior": "disable",
  }, { columns: [ID, column("w", BIGINT)] }),
  options("a version column without the engine", { "table.merge-engine.versioned.ver-column": "v" }),
  options("aggregation with WAL", { [ENGINE]: "aggregation", "table.changelog.image": "wal" }),
  creates("aggregation", {
    columns: [
      ID,
      column("a", INT, { agg_function: { type: "SUM" } }),
      column("b", TEXT, { agg_function: { type: "string-agg", parameters: { delimiter: ";" } } }),
      column("c", TEXT, { agg_function: { type: "nope" } }),
      column("d", ARRAY, { agg_function: { type: "last_value" } }),
      column("e", type("BYTES"), { agg_function: { type: "rbm32", parameters: {} } }),
    ],
    options: { [ENGINE]: "aggregation", "table.delete.behavior": "allow" },
  }),
  creates("sum of text", aggregate("sum", TEXT)),
  creates("sum of an ARRAY NOT NULL", aggregate("sum", type("ARRAY", { nullable: false, element_type: BIGINT }))),
  creates("max of BOOLEAN", aggregate("max", type("BOOLEAN"))),
  creates("bool_and of INT", aggregate("bool_and", INT)),
  creates("listagg of INT", aggregate("listagg", INT)),
  creates("rbm64 of text", aggregate("rbm64", TEXT)),
  creates("listagg without a delimiter", aggregate("listagg", TEXT, { delimiter: "" })),
  creates("listagg with another parameter", aggregate("listagg", TEXT, { separator: "," })),
  creates("sum with a parameter", aggregate("sum", INT, { delimiter: "," })),
  creates("a function of the key", {
    columns: [column("id", INT, { agg_function: { type: "sum" } }), V],
    options: { [ENGINE]: "aggregation" },
  }),
  creates("functions without the engine", { ...aggregate("sum", TEXT), options: {} }),
  creates("a function of a log table's column", { ...aggregate("sum", INT), key: null, options: {} }),
  options("allow with first_row", { [ENGINE]: "first_row", "table.delete.behavior": "allow" }),
  options("ALLOW with versioned", {
    [ENGINE]: "versioned",
    "table.merge-engine.versioned.ver-column": "id",
    "table.delete.behavior": "ALLOW",
  }),
  options("a delete behaviour", { "table.delete.behavior": "ignore" }),
  options("a delete behaviour of a log table", { "table.delete.behavior": "ignore" }, LOG),
  options("an unknown delete behaviour", { "table.delete.behavior": "bogus" }),
  options("an unknown delete behaviour, with an engine", {
    "table.delete.behavior": "bogus",
    [ENGINE]: "first_row",
  }),
  options("an unknown delete behaviour of a log table", { "table.delete.behavior": "bogus" }, LOG),
];

const values: readonly Case[] = [
  ["table.replication.factor", "1"],
  ["table.replication.factor", "2"],
  ["table.replication.factor", "0"],
  ["table.replication.factor", "-1"],
  ["table.replication.factor", "x"],
  ["table.replication.factor", ""],
  ["table.replication.factor", " 1"],
  ["table.replication.factor", "99999999999"],
  ["table.log.format", "arrow"],
  ["table.log.format", "compacted"],
  ["table.log.format", "INDEXED"],
  ["table.log.format", "parquet"],
  ["table.kv.format", "INDEXED"],
  ["table.kv.format", "arrow"],
  ["table.kv.format-version", "1"],
  ["table.kv.format-version", "2"],
  ["table.kv.format-version", "3"],
  ["table.kv.format-version", "0"],
  ["table.kv.format-version", "x"],
  ["table.log.arrow.compression.type", "lz4_frame"],
  ["table.log.arrow.compression.type", "gzip"],
  ["table.log.arrow.compression.zstd.level", "0"],
  ["table.log.arrow.compression.zstd.level", "23"],
  ["table.log.arrow.compression.zstd.level", "22"],
  ["table.log.arrow.compression.zstd.level", "x"],
  ["table.changelog.image", "wal"],
  ["table.changelog.image", "half"],
  ["table.auto-increment.cache-size", "0"],
  ["table.auto-increment.cache-size", "x"],
  ["table.log.ttl", "7 d"],
  ["table.log.ttl", "7d"],
  ["table.log.ttl", " 5 Minutes "],
  ["table.log.ttl", "3 µs"],
  ["table.log.ttl", "P7D"],
  ["table.log.ttl", "0"],
  ["table.log.ttl", "0 ms"],
  ["table.log.ttl", "-1"],
  ["table.log.ttl", "1 week"],
  ["table.log.ttl", ""],
  ["table.log.ttl", "9223372036854775807 ms"],
  ["table.log.ttl", "9223372036854775808 ms"],
  ["table.log.ttl", "9223372036854775807 d"],
  ["table.log.tiered.local-segments", "0"],
  ["table.log.tiered.local-segments", "5"],
  ["table.log.tiered.local-segments", "-7"],
  ["table.datalake.enabled", "true"],
  ["table.datalake.enabled", "TRUE"],
  ["table.datalake.enabled", "false"],
  ["table.datalake.enabled", "yes"],
  ["table.datalake.format", "paimon"],
  ["table.datalake.format", "hudi"],
  ["table.datalake.freshness", "1 min"],
  ["table.datalake.freshness", "soon"],
  ["table.datalake.auto-compaction", "true"],
  ["table.datalake.auto-compaction", "on"],
  ["table.datalake.auto-expire-snapshot", "true"],
  ["table.kv.standby-replica.enabled", "true"],
  ["table.log.local-ttl", "1 d"],
  ["table.auto-partition.time-format", "yyyy"],
  ["table.nope", "1"],
  ["foo", "bar"],
  ["client.id", "x"],
  ["", ""],
  ["table.auto-partition.enabled", "true"],
  ["table.auto-partition.enabled", "maybe"],
  ["table.auto-partition.time-unit", "DAY"],
  ["table.auto-partition.time-unit", "WEEK"],
  ["table.auto-partition.time-zone", "Mars/Olympus"],
  ["table.auto-partition.num-precreate", "-1"],
  ["table.auto-partition.num-retention", "x"],
].map(([key, value]) => options(`${key} = ${JSON.stringify(value)}`, { [key!]: value }));

const more: readonly Case[] = [
  options("INDEXED logs of INDEXED rows", { "table.log.format": "INDEXED", "table.kv.format": "INDEXED" }),
  options("INDEXED log table", { "table.log.format": "INDEXED" }, LOG),
  options("kv.format-version of a log table", { "table.kv.format-version": "3" }, LOG),
  options("compression of a log table", { "table.log.arrow.compression.type": "ZSTD" }, LOG),
  options("many options that are none", { a: "1", "table.b": "2", z: "3", "table.log.ttl": "4", "table.aa": "5" }),
  options(
    "more options than a small map has room for",
    Object.fromEntries("abcdefghijklmno".split("").map((c) => [`table.x.${c}`, c])),
  ),
  options("an option that is a number", { "table.log.tiered.local-segments": 3 }),
  options("an option that is true", { "table.auto-partition.enabled": true }),
  options("an option that is null", { "table.log.ttl": null }),
  creates("custom properties", { more: { custom_properties: { owner: "me", n: 3, "table.x": "y" } } }),
  {
    name: "an unpartitioned table that asks for auto-partition keys",
    steps: [create({ options: { "table.auto-partition.key": "id" } }), info()],
  },
];

const BY_DAY: Sketch = { columns: [ID, column("day", TEXT)], key: ["id", "day"] };
const partitioned = (more: Sketch = {}, partition_key: readonly string[] = ["day"]): Sketch => ({
  ...BY_DAY,
  ...more,
  more: { partition_key, bucket_key: ["id"] },
});
const AUTO = "table.auto-partition.enabled";
/** One key, made by hand: what the clock makes is no case. */
const auto = (more: Json = {}): Json => ({ [AUTO]: "true", "table.auto-partition.num-precreate": "0", ...more });

const partitionTables: readonly Case[] = [
  creates("partitioned", partitioned()),
  creates("a partitioned log table", partitioned({ key: null })),
  creates("a partition key outside of the primary key", partitioned({ key: ["id"] })),
  creates("a partition key that is unknown", partitioned({ key: null }, ["nope"])),
  creates("a partition key twice", partitioned({}, ["day", "day"])),
  creates("a partition key that is unknown to the primary key", partitioned({}, ["nope"])),
  creates("a partition key in the bucket key", {
    ...BY_DAY,
    more: { partition_key: ["day"], bucket_key: ["id", "day"] },
  }),
  creates("a primary key that is the partition key", {
    ...BY_DAY,
    key: ["day"],
    more: { partition_key: ["day"], bucket_key: [] },
  }),
  creates("no bucket key in a partitioned table", { ...BY_DAY, more: { partition_key: ["day"], bucket_key: [] } }),
  ...["BOOLEAN", "TINYINT", "DATE", "BYTES", "FLOAT"].map((name) =>
    creates(`a partition key of ${name}`, partitioned({ columns: [ID, column("day", type(name))] }))
  ),
  creates(
    "a partition key of DECIMAL",
    partitioned({ columns: [ID, column("day", type("DECIMAL", { precision: 5, scale: 2 }))] }),
  ),
  creates("a partition key of ARRAY", partitioned({ key: null, columns: [ID, column("day", ARRAY)] })),
  creates("no buckets in a partitioned table", {
    ...BY_DAY,
    more: { partition_key: ["day"], bucket_key: ["id"], bucket_count: 0 },
  }),
  creates("too many replicas of a partitioned table", partitioned({ options: { "table.replication.factor": "2" } })),
  creates("no replicas of a partitioned table", partitioned({ options: { "table.replication.factor": "0" } })),
  creates("auto-partitioned", partitioned({ options: auto() })),
  ...["YEAR", "quarter", "MONTH", "HOUR"].map((unit) =>
    creates(`auto-partitioned by ${unit}`, partitioned({ options: auto({ "table.auto-partition.time-unit": unit }) }))
  ),
  creates("auto-partitioned by DATE", partitioned({ columns: [ID, column("day", type("DATE"))], options: auto() })),
  creates("auto-partitioned with another key", partitioned({ options: auto({ "table.auto-partition.key": "nope" }) })),
  ...[
    ["no key", {}],
    ["a blank key", { "table.auto-partition.key": " " }],
    ["another key", { "table.auto-partition.key": "id" }],
    ["a key", { "table.auto-partition.key": "day" }],
    ["a key, partitions ahead", { "table.auto-partition.key": "day", "table.auto-partition.num-precreate": "2" }],
    ["a key, fewer than no partitions ahead", {
      "table.auto-partition.key": "day",
      "table.auto-partition.num-precreate": "-1",
    }],
  ].map(([name, given]) =>
    creates(
      `auto-partitioned with two keys: ${name}`,
      partitioned({
        columns: [ID, column("region", TEXT), column("day", TEXT)],
        key: ["id", "region", "day"],
        options: { [AUTO]: "true", ...(given as Json) },
      }, ["region", "day"]),
    )
  ),
  creates(
    "auto-partitioned TRUE with two keys",
    partitioned({
      columns: [ID, column("region", TEXT), column("day", TEXT)],
      key: ["id", "region", "day"],
      options: { [AUTO]: "TRUE", "table.auto-partition.key": "day" },
    }, ["region", "day"]),
  ),
];

const spec = (values: Json): Json => ({
  partitionKeyValues: Object.entries(values).map(([key, value]) => ({ key, value })),
});
const partition = (api: "CREATE_PARTITION" | "DROP_PARTITION", values: Json, ignore = false, name = "t"): CaseStep => [
  api,
  { tablePath: path(name), partitionSpec: spec(values), ignoreIfNotExists: ignore },
];
const list = (values?: Json, tableName = "t"): CaseStep => [
  "LIST_PARTITION_INFOS",
  { tablePath: path(tableName), ...(values && { partialPartitionSpec: spec(values) }) },
];
const TWO = partitioned(
  { columns: [ID, column("region", TEXT), column("day", TEXT)], key: ["id", "region", "day"] },
  ["region", "day"],
);

const partitions: readonly Case[] = [
  {
    name: "partitions come and go",
    steps: [
      create(partitioned()),
      list(),
      partition("CREATE_PARTITION", { day: "a" }),
      partition("CREATE_PARTITION", { day: "a" }),
      partition("CREATE_PARTITION", { day: "a" }, true),
      partition("CREATE_PARTITION", { day: "b" }),
      ["GET_METADATA", { partitionsPath: ["a", "b"].map((partitionName) => ({ ...path("t"), partitionName })) }],
      list(),
      list({ day: "a" }),
      list({ day: "c" }),
      partition("DROP_PARTITION", { day: "a" }),
      partition("DROP_PARTITION", { day: "a" }),
      partition("DROP_PARTITION", { day: "a" }, true),
      partition("CREATE_PARTITION", { day: "a" }),
      list(),
      ["GET_METADATA", { partitionsPath: [{ ...path("t"), partitionName: "a" }] }],
    ],
  },
  {
    name: "partitions of two keys",
    steps: [
      create(TWO),
      partition("CREATE_PARTITION", { region: "eu", day: "1" }),
      partition("CREATE_PARTITION", { day: "1", region: "us" }),
      partition("CREATE_PARTITION", { region: "eu", day: "2" }),
      partition("CREATE_PARTITION", { region: "eu", day: "2" }),
      partition("CREATE_PARTITION", { region: "eu" }),
      partition("CREATE_PARTITION", { region: "eu", nope: "2" }),
      partition("CREATE_PARTITION", { region: "eu", day: "2", nope: "3" }),
      partition("CREATE_PARTITION", {}),
      ["GET_METADATA", {
        partitionsPath: ["eu$1", "us$1", "eu$2"].map((partitionName) => ({ ...path("t"), partitionName })),
      }],
      list(),
      list({}),
      list({ day: "1" }),
      list({ region: "eu" }),
      list({ region: "eu", day: "1" }),
      list({ nope: "1" }),
      list({ region: "eu", day: "1", nope: "1" }),
      partition("DROP_PARTITION", { region: "us" }),
      partition("DROP_PARTITION", { region: "us", day: "2" }),
      partition("DROP_PARTITION", { day: "1", region: "us" }),
    ],
  },
  {
    name: "partitions of bad names",
    steps: [
      create(partitioned()),
      ...["", ".", "..", "a b", "a$b", "ü", "__x", "a".repeat(201)].flatMap((day): CaseStep[] => [
        partition("CREATE_PARTITION", { day }),
        partition("DROP_PARTITION", { day }),
      ]),
      partition("CREATE_PARTITION", { day: "a".repeat(200) }),
      partition("CREATE_PARTITION", { day: "-_-" }),
      list(),
    ],
  },
  {
    name: "partitions of values that are not of the column's type",
    steps: [
      create(partitioned({ columns: [ID, column("day", INT)] })),
      partition("CREATE_PARTITION", { day: "abc" }),
      list(),
    ],
  },
  {
    name: "partitions of a table that has none",
    steps: [
      create(),
      partition("CREATE_PARTITION", { day: "a" }),
      partition("DROP_PARTITION", { day: "a" }),
      partition("DROP_PARTITION", { day: "a" }, true),
      list(),
      list({ day: "a" }),
      ["GET_METADATA", { partitionsPath: [{ ...path("t"), partitionName: "a" }] }],
    ],
  },
  {
    name: "partitions of a table that is not there",
    steps: [
      partition("CREATE_PARTITION", { day: "a" }, true),
      partition("DROP_PARTITION", { day: "a" }, true),
      list(),
      ["GET_METADATA", { partitionsPath: [{ ...path("t"), partitionName: "a" }] }],
    ],
  },
  {
    name: "partitions of tables that servers cannot look for",
    steps: ["", "..", "a/", "a b"].flatMap((name) => [
      partition("CREATE_PARTITION", { day: "a" }, false, name),
      partition("DROP_PARTITION", { day: "a" }, true, name),
    ]),
    codeOnly: true,
  },
  {
    name: "partitions whose buckets cannot be placed",
    steps: [
      create(partitioned({ options: { "table.replication.factor": "2" } })),
      partition("CREATE_PARTITION", { day: "a" }),
      partition("CREATE_PARTITION", { day: "a b" }),
      list(),
    ],
  },
  {
    name: "partitions with more buckets than there may be",
    steps: [
      create({ ...BY_DAY, more: { partition_key: ["day"], bucket_key: ["id"], bucket_count: 128_000 } }),
      info(),
    ],
  },
];

const database = (databaseName: string): Json => ({ databaseName });
const createDatabase = (name: string, more: Json = {}): CaseStep => [
  "CREATE_DATABASE",
  { ...database(name), ignoreIfExists: false, ...more },
];
const dropDatabase = (name: string, more: Json = {}): CaseStep => [
  "DROP_DATABASE",
  { ...database(name), ignoreIfNotExists: false, cascade: false, ...more },
];

const databases: readonly Case[] = [
  {
    name: "a database comes and goes",
    steps: [
      createDatabase(DATABASE),
      createDatabase(DATABASE, { ignoreIfExists: true }),
      ["DATABASE_EXISTS", database(DATABASE)],
      ["GET_DATABASE_INFO", database(DATABASE)],
      ["LIST_TABLES", database(DATABASE)],
      create(),
      create({}, "s"),
      ["LIST_TABLES", database(DATABASE)],
      ["GET_METADATA", { tablePath: [path("t"), path("s")] }],
      dropDatabase(DATABASE),
      dropDatabase(DATABASE, { cascade: true }),
      dropDatabase(DATABASE),
      dropDatabase(DATABASE, { ignoreIfNotExists: true }),
      ["DATABASE_EXISTS", database(DATABASE)],
      ["GET_DATABASE_INFO", database(DATABASE)],
      ["LIST_TABLES", database(DATABASE)],
      create(),
      create({}, "t", true),
      ["TABLE_EXISTS", T],
      info(),
    ],
  },
  {
    name: "a database with a descriptor",
    steps: [
      dropDatabase(DATABASE),
      createDatabase(DATABASE, {
        databaseJson: { version: 1, comment: "of tests", custom_properties: { owner: "me", n: 3 } },
      }),
      ["GET_DATABASE_INFO", database(DATABASE)],
    ],
  },
  {
    name: "a database with an empty descriptor",
    steps: [
      dropDatabase(DATABASE),
      createDatabase(DATABASE, { databaseJson: { version: 1, custom_properties: {} } }),
      ["GET_DATABASE_INFO", database(DATABASE)],
    ],
  },
  {
    name: "databases with bad descriptors",
    steps: [
      dropDatabase(DATABASE),
      ...["{", "", "[]", {}, { custom_properties: null }].map((databaseJson) =>
        createDatabase(DATABASE, { databaseJson })
      ),
      ["GET_DATABASE_INFO", database(DATABASE)],
    ],
    codeOnly: true,
  },
  {
    name: "databases of bad names",
    steps: [
      ...["", ".", "..", "a b", "a.b", "ü", "__x", "a".repeat(201), "a/b"].map((name) =>
        createDatabase(name, { ignoreIfExists: true })
      ),
      ...["", ".", "a/..", "a b", "ü", "__x"].flatMap((name): CaseStep[] => [
        ["GET_DATABASE_INFO", database(name)],
        ["DATABASE_EXISTS", database(name)],
        ["LIST_TABLES", database(name)],
        dropDatabase(name),
      ]),
    ],
  },
];

const tables: readonly Case[] = [
  {
    name: "a table comes and goes",
    steps: [
      ["TABLE_EXISTS", T],
      info(),
      create(),
      create(),
      create({}, "t", true),
      create(LOG, "t", true),
      ["TABLE_EXISTS", T],
      info(),
      ["GET_METADATA", { tablePath: [path("t")] }],
      ["DROP_TABLE", { ...T, ignoreIfNotExists: false }],
      ["DROP_TABLE", { ...T, ignoreIfNotExists: false }],
      ["DROP_TABLE", { ...T, ignoreIfNotExists: true }],
      ["TABLE_EXISTS", T],
      create(LOG),
      info(),
    ],
  },
  {
    name: "errors come in the server's order",
    steps: [
      create({}, "t"),
      // What is wrong with a descriptor is told before that the table is there.
      create({ options: { foo: "bar" } }, "t", true),
      create({ more: { bucket_count: 0 }, options: { foo: "bar" } }),
      create({ more: { bucket_count: 128_001 }, options: { foo: "bar" } }),
      create({ options: { foo: "bar" }, columns: [ID, column("__offset", TEXT)] }),
      create({ options: { "table.replication.factor": "2", foo: "bar" } }),
      create({ options: { "table.kv.format-version": "3", "table.replication.factor": "2" } }),
      create({ options: { "table.datalake.enabled": "true", "table.kv.format-version": "3" } }),
      create({ options: { "table.delete.behavior": "bogus", "table.kv.format-version": "3" } }),
      create({ options: { "table.merge-engine": "bogus", "table.datalake.enabled": "true" } }),
      create({ more: { bucket_count: 128_001 }, columns: [column("id", ARRAY), V] }),
      create({
        options: { "table.log.format": "INDEXED", "table.log.arrow.compression.zstd.level": "0" },
      }),
      create({
        options: { "table.log.arrow.compression.zstd.level": "0", "table.merge-engine": "versioned" },
      }),
      create({ options: { "table.merge-engine": "versioned", "table.delete.behavior": "allow" } }),
      create({ key: null, options: { "table.merge-engine": "first_row", "table.delete.behavior": "allow" } }),
      create({ key: null, options: { "table.delete.behavior": "allow", "table.log.tiered.local-segments": "0" } }),
      create({ options: { "table.log.tiered.local-segments": "0", [AUTO]: "true" } }),
      create({ options: { [AUTO]: "true" }, columns: [ID, column("__offset", TEXT)] }),
      ["CREATE_TABLE", { tablePath: path("a b", "nowhere"), tableJson: "{", ignoreIfExists: false }],
      ["CREATE_TABLE", {
        tablePath: path("t", "nowhere"),
        tableJson: descriptor({ options: { foo: "bar" } }),
        ignoreIfExists: true,
      }],
      ["CREATE_TABLE", { tablePath: path("t", "nowhere"), tableJson: descriptor({}), ignoreIfExists: true }],
    ],
  },
  {
    name: "tables of bad names",
    steps: [
      ...["", ".", "..", "a b", "a$b", "a.b", "ü", "__x", "a".repeat(201)].map((name) => create({}, name)),
      ...["", "..", "a/", "a b", "__x"].flatMap((name): CaseStep[] => [
        ["CREATE_TABLE", { tablePath: path("t", name), tableJson: descriptor({}), ignoreIfExists: false }],
        ["ALTER_TABLE", { tablePath: path("t", name), ignoreIfNotExists: true }],
        ["ALTER_TABLE", { tablePath: path(name), ignoreIfNotExists: true }],
        ["DROP_TABLE", { tablePath: path(name), ignoreIfNotExists: false }],
        ["TABLE_EXISTS", { tablePath: path(name) }],
        info(name),
        ["GET_TABLE_SCHEMA", { tablePath: path(name) }],
        ["GET_TABLE_SCHEMA", { tablePath: path(name), schemaId: 3 }],
        ["GET_METADATA", { tablePath: [path(name)] }],
        list(undefined, name),
      ]),
    ],
  },
  {
    name: "schemas by their ids",
    steps: [
      ["GET_TABLE_SCHEMA", { ...T, schemaId: 1 }],
      create(),
      ["GET_TABLE_SCHEMA", T],
      ["GET_TABLE_SCHEMA", { ...T, schemaId: 1 }],
      ["GET_TABLE_SCHEMA", { ...T, schemaId: 2 }],
      ["GET_TABLE_SCHEMA", { ...T, schemaId: 0 }],
      ["GET_TABLE_SCHEMA", { ...T, schemaId: -1 }],
    ],
  },
  {
    name: "the schema of a table that is not there",
    steps: [["GET_TABLE_SCHEMA", T]],
  },
];

const add = (name: string, dataTypeJson: unknown, more: Json = {}): Json => ({
  columnName: name,
  dataTypeJson,
  columnPositionType: 0,
  ...more,
});
const alter = (changes: Json, ignoreIfNotExists = false, tableName = "t"): CaseStep => [
  "ALTER_TABLE",
  { tablePath: path(tableName), ignoreIfNotExists, ...changes },
];
const set = (configKey: string, configValue?: string, opType = 0): Json => ({
  configKey,
  ...(configValue === undefined ? {} : { configValue }),
  opType,
});
const alterOptions = (...configChanges: Json[]): CaseStep => alter({ configChanges });
const adds = (...addColumns: Json[]): CaseStep => alter({ addColumns });
const schema: CaseStep = ["GET_TABLE_SCHEMA", T];

const alterations: readonly Case[] = [
  {
    name: "columns are added",
    steps: [
      create(),
      adds(add("a", INT)),
      schema,
      adds(add("b", TEXT, { comment: "of b" }), add("c", type("CHAR", { length: 3 }))),
      schema,
      adds(add("d", row(field("x", INT), field("y", ARRAY, { description: "of y" })))),
      adds(add("e", row(field("x", INT, { field_id: 0 })))),
      adds(add("f", MAP), add("g", type("DECIMAL", { precision: 5, scale: 2 }))),
      schema,
      info(),
      ["GET_TABLE_SCHEMA", { ...T, schemaId: 2 }],
      ["GET_TABLE_SCHEMA", { ...T, schemaId: 1 }],
    ],
  },
  {
    name: "columns that cannot be added",
    steps: [
      create(),
      adds(add("a", type("INTEGER", { nullable: false }))),
      adds(add("a", INT, { columnPositionType: 1 })),
      adds(add("a", INT, { columnPositionType: 2 })),
      adds(add("a", INT, { columnPositionType: 9 })),
      adds(add("v", INT)),
      adds(add("a", INT), add("v", INT)),
      adds(add("a", INT), add("a", TEXT)),
      adds(add("", INT)),
      adds(add(" ", INT)),
      adds(add("a", type("DECIMAL", { precision: 39, scale: 1 }))),
      adds(add("a", type("CHAR", { length: 0 }))),
      adds(add("a", type("TIME_WITHOUT_TIME_ZONE", { precision: 10 }))),
      adds(add("v", type("INTEGER", { nullable: false }))),
      schema,
      adds(add("V", INT)),
      adds(add("__offset", INT)),
      schema,
    ],
  },
  {
    name: "types of columns that are none",
    steps: [create(), adds(add("a", "{")), adds(add("a", {})), adds(add("a", type("VARCHAR"))), schema],
    codeOnly: true,
  },
  {
    name: "other changes of the schema",
    steps: [
      create(),
      alter({ dropColumns: [{ columnName: "v" }] }),
      alter({ dropColumns: [{ columnName: "nope" }] }),
      alter({ renameColumns: [{ oldColumnName: "v", newColumnName: "w" }] }),
      alter({ modifyColumns: [{ columnName: "v", dataTypeJson: INT }] }),
      alter({ addColumns: [add("a", INT)], dropColumns: [{ columnName: "v" }] }),
      alter({ addColumns: [add("v", INT)], dropColumns: [{ columnName: "v" }] }),
      alter({ addColumns: [add("a", INT)], configChanges: [set("x", "y")] }),
      alter({}),
      schema,
      info(),
    ],
  },
  {
    name: "options are altered",
    steps: [
      create({ more: { custom_properties: { owner: "me" } } }),
      alterOptions(set("owner", "you"), set("n", "3")),
      info(),
      alterOptions(set("owner", undefined, 1), set("nope", undefined, 1)),
      info(),
      alterOptions(set("table.log.tiered.local-segments", "5")),
      alterOptions(set("table.datalake.freshness", "2 min")),
      info(),
      alterOptions(set("table.log.tiered.local-segments", undefined, 1)),
      alterOptions(set("owner", "a"), set("owner", "b")),
      alterOptions(set("owner", "a"), set("owner", undefined, 1)),
      alterOptions(set("owner", undefined, 1), set("owner", "c")),
      alterOptions(set("empty", "")),
      alterOptions(set("b", "2"), set("b", "2")),
      alterOptions(set("b", undefined, 1)),
      info(),
    ],
  },
  {
    name: "options that cannot be altered",
    steps: [
      create({ options: { "table.log.ttl": "1 d" } }),
      alterOptions(set("table.log.ttl", "2 d")),
      alterOptions(set("table.log.ttl", "1 d")),
      alterOptions(set("table.log.ttl", undefined, 1)),
      alterOptions(set("table.nope", "2")),
      alterOptions(set("table.nope", undefined, 1)),
      alterOptions(set("table.datalake.enabled", "true")),
      alterOptions(set("table.datalake.enabled", undefined, 1)),
      alterOptions(set("table.log.tiered.local-segments", "0")),
      alterOptions(set("table.log.tiered.local-segments", "x")),
      alterOptions(set("table.datalake.freshness", "soon")),
      alterOptions(set("owner", "me"), set("table.log.ttl", "2 d")),
      alterOptions(
        set("table.x", "1"),
        set("table.y", "2"),
        set("table.log.ttl", undefined, 1),
        set("table.datalake.enabled", "1"),
      ),
      alterOptions(set("table.datalake.auto-compaction", "true")),
      alterOptions(set("owner", "me", 2)),
      alterOptions(set("owner", "me", 3)),
      alterOptions(set("owner", "me", 9)),
      alterOptions(set("owner")),
      info(),
    ],
  },
  {
    name: "a lake's options are altered",
    steps: [
      create({ options: { "table.datalake.format": "paimon" } }),
      alterOptions(set("table.datalake.enabled", "true")),
      alterOptions(set("table.datalake.enabled", "false")),
      info(),
    ],
  },
  {
    name: "what is not there is altered",
    steps: [
      alter({ addColumns: [add("a", INT)] }),
      alter({ addColumns: [add("a", INT)] }, true),
      alter({ addColumns: [add("a", "{")] }, true, "t"),
      alter({ dropColumns: [{ columnName: "v" }] }, true),
      alter({ configChanges: [set("x", "y")] }),
      alter({ configChanges: [set("x", "y")] }, true),
      alter({ configChanges: [set("table.log.ttl", "y")] }, true),
      alter({}),
      ["ALTER_TABLE", { tablePath: path("t", "nowhere"), ignoreIfNotExists: false, configChanges: [set("x", "y")] }],
    ],
    codeOnly: true,
  },
];

const metadata: readonly Case[] = [
  { name: "metadata of nothing", steps: [["GET_METADATA", {}]] },
  {
    name: "metadata of tables",
    steps: [
      create({ more: { bucket_count: 3 } }),
      create(partitioned(), "p"),
      ["GET_METADATA", { tablePath: [path("t")] }],
      ["GET_METADATA", { tablePath: [path("t"), path("p")] }],
      ["GET_METADATA", { tablePath: [path("t"), path("t")] }],
      ["GET_METADATA", { tablePath: [path("t"), path("nope")] }],
      ["GET_METADATA", { tablePath: [path("t", "nowhere")] }],
      adds(add("a", INT)),
      info(),
    ],
  },
  {
    name: "metadata of partitions",
    steps: [
      create(partitioned(), "p"),
      partition("CREATE_PARTITION", { day: "a" }, false, "p"),
      partition("CREATE_PARTITION", { day: "b" }, false, "p"),
      list(undefined, "p"),
      ["GET_METADATA", { tablePath: [path("p")], partitionsPath: [{ ...path("p"), partitionName: "a" }] }],
      ["GET_METADATA", { partitionsPath: [{ ...path("p"), partitionName: "b" }] }],
      ["GET_METADATA", { tablePath: [path("p")], partitionsId: ["partitionId 1", "partitionId 2"] }],
      ["GET_METADATA", { partitionsId: ["partitionId 1"] }],
      ["GET_METADATA", {
        tablePath: [path("p")],
        partitionsPath: [{ ...path("p"), partitionName: "a" }],
        partitionsId: ["partitionId 1"],
      }],
      ["GET_METADATA", { partitionsPath: [{ ...path("p"), partitionName: "nope" }] }],
      ["GET_METADATA", { partitionsPath: [{ ...path("nope"), partitionName: "a" }] }],
      ["GET_METADATA", { partitionsPath: [path("p")] }],
      ["GET_METADATA", { tablePath: [path("p")], partitionsId: ["nobody's"] }],
    ],
  },
];

/** All of them. */
export const CASES: readonly Case[] = [
  ...documents,
  ...types,
  ...schemas,
  ...keys,
  ...engines,
  ...values,
  ...more,
  ...partitionTables,
  ...partitions,
  ...databases,
  ...tables,
  ...alterations,
  ...metadata,
];
