/** Table descriptors: the documents of the official client, there and back, and nonsense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../src/base/errors.ts";
import { definitionOf } from "../../../src/schema/definition.ts";
import { parseDescriptor, parseSchema, toDescriptorJson, toSchemaJson } from "../../../src/schema/descriptor.ts";
import { compareTables } from "../../../src/schema/drift.ts";
import { definitionFromLive } from "../../../src/schema/live_definition.ts";
import { t, table } from "../../../src/schema/mod.ts";
import { long, Random, seed } from "../../random.ts";
import { randomTable } from "./random_table.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

// Made by the official Java client.
const SCHEMA =
  '{"version":1,"columns":[{"name":"id","data_type":{"type":"INTEGER","nullable":false},"comment":"the key","id":0},{"name":"name","data_type":{"type":"STRING"},"id":1},{"name":"amount","data_type":{"type":"DECIMAL","precision":10,"scale":2},"agg_function":{"type":"sum"},"id":2},{"name":"nested","data_type":{"type":"ROW","fields":[{"name":"x","field_type":{"type":"INTEGER"},"field_id":4},{"name":"y","field_type":{"type":"ARRAY","element_type":{"type":"TIMESTAMP_WITH_LOCAL_TIME_ZONE","precision":6}},"field_id":5}]},"id":3},{"name":"m","data_type":{"type":"MAP","key_type":{"type":"STRING","nullable":false},"value_type":{"type":"CHAR","length":3}},"id":6}],"primary_key":["id"],"highest_field_id":6}';
const DESCRIPTOR =
  `{"version":1,"schema":${SCHEMA},"comment":"c","partition_key":[],"bucket_key":["id"],"bucket_count":3,"properties":{"table.merge-engine":"aggregation"},"custom_properties":{"k":"v"}}`;
const LOG_DESCRIPTOR =
  '{"version":1,"schema":{"version":1,"columns":[{"name":"dt","data_type":{"type":"STRING"},"id":0},{"name":"v","data_type":{"type":"BIGINT"},"id":1}],"highest_field_id":1},"partition_key":["dt"],"properties":{},"custom_properties":{}}';

const aggregated = table("a.b", {
  id: t.int().comment("the key"),
  name: t.string(),
  total: t.decimal(10, 2).name("amount").agg("sum"),
  nested: t.row({ x: t.int(), y: t.array(t.timestampLtz(6)) }),
  m: t.map(t.string(), t.char(3)),
}, {
  primaryKey: ["id"],
  buckets: 3,
  mergeEngine: "aggregation",
  comment: "c",
  customProperties: { k: "v" },
});

test("a schema is written as the official client writes it", () => {
  assert.equal(JSON.stringify(toSchemaJson(definitionOf(aggregated))), SCHEMA);
});

test("a descriptor is written as the official client writes it", () => {
  assert.equal(JSON.stringify(toDescriptorJson(definitionOf(aggregated))), DESCRIPTOR);
});

test("a partitioned log table is written as the official client writes it", () => {
  const log = table("a.b", { dt: t.string(), v: t.bigint() }, { partitionBy: ["dt"] });
  assert.equal(JSON.stringify(toDescriptorJson(definitionOf(log))), LOG_DESCRIPTOR);
});

test("a descriptor is read with its types, ids, keys and options", () => {
  const live = parseDescriptor(bytes(DESCRIPTOR), 7, "a.b");
  assert.equal(live.schema.schemaId, 7);
  assert.deepEqual(live.schema.columns.map(({ key, name, id }) => [key, name, id]), [
    ["id", "id", 0],
    ["name", "name", 1],
    ["amount", "amount", 2],
    ["nested", "nested", 3],
    ["m", "m", 6],
  ]);
  assert.deepEqual(live.schema.columns[2]!.aggregate, { fn: "sum", parameters: {} });
  assert.deepEqual(live.schema.columns[3]!.type, {
    kind: "row",
    nullable: true,
    fields: [
      { key: "x", name: "x", type: { kind: "int", nullable: true }, id: 4 },
      {
        key: "y",
        name: "y",
        type: { kind: "array", nullable: true, element: { kind: "timestampLtz", nullable: true, precision: 6 } },
        id: 5,
      },
    ],
  });
  const { schema: _schema, ...others } = live;
  assert.deepEqual(others, {
    comment: "c",
    partitionKey: [],
    bucketKey: ["id"],
    bucketCount: 3,
    properties: { "table.merge-engine": "aggregation" },
    customProperties: { k: "v" },
  });
});

test("options become server options under physical names", () => {
  const made = table(
    "a.b",
    { id: t.bigint().name("ID"), v: t.int().name("V"), p: t.string().name("P"), q: t.string() },
    {
      primaryKey: ["id", "p", "q"],
      bucketKey: ["id"],
      buckets: 4,
      partitionBy: ["p", "q"],
      autoPartition: { key: "p", unit: "quarter", retain: -1, timeZone: "UTC" },
      mergeEngine: { versioned: "v" },
      deleteBehavior: "disable",
      changelog: "wal",
      log: { ttl: "7d", format: "compacted", compression: { type: "lz4" } },
      kv: { format: "indexed" },
      datalake: { enabled: false, format: "paimon", freshness: "3min" },
      properties: { "table.replication.factor": "3" },
    },
  );
  const { schema, ...others } = toDescriptorJson(definitionOf(made)) as { schema: { primary_key: string[] } };
  assert.deepEqual(schema.primary_key, ["ID", "P", "q"]);
  assert.deepEqual(others, {
    version: 1,
    partition_key: ["P", "q"],
    bucket_key: ["ID"],
    bucket_count: 4,
    properties: {
      "table.merge-engine": "versioned",
      "table.merge-engine.versioned.ver-column": "V",
      "table.delete.behavior": "disable",
      "table.changelog.image": "wal",
      "table.log.ttl": "7d",
      "table.log.format": "COMPACTED",
      "table.log.arrow.compression.type": "LZ4_FRAME",
      "table.kv.format": "INDEXED",
      "table.auto-partition.enabled": "true",
      "table.auto-partition.key": "P",
      "table.auto-partition.time-unit": "QUARTER",
      "table.auto-partition.num-retention": "-1",
      "table.auto-partition.time-zone": "UTC",
      "table.datalake.enabled": "false",
      "table.datalake.format": "paimon",
      "table.datalake.freshness": "3min",
      "table.replication.factor": "3",
    },
    custom_properties: {},
  });
});

test("buckets of a keyed table bring the key without its partitions along", () => {
  const made = table("a.b", { a: t.int(), p: t.string(), b: t.int() }, {
    primaryKey: ["a", "p", "b"],
    partitionBy: ["p"],
    buckets: 2,
  });
  assert.deepEqual(toDescriptorJson(definitionOf(made))["bucket_key"], ["a", "b"]);
  assert.deepEqual(
    toDescriptorJson(definitionOf(table("a.b", { a: t.int() }, { buckets: 2 })))["bucket_key"],
    [],
  );
});

test("a column that the server numbers is written nullable, whatever was said, and named", () => {
  const made = table("a.b", { id: t.int(), n: t.bigint().notNull().autoIncrement().name("num") }, {
    primaryKey: ["id"],
  });
  const schema = toSchemaJson(definitionOf(made));
  assert.deepEqual(schema["auto_increment_column"], ["num"]);
  assert.deepEqual((schema["columns"] as unknown[])[1], { name: "num", data_type: { type: "BIGINT" }, id: 1 });
});

test("random tables are the same after they were written and read", () => {
  const rounds = long ? 5000 : 300;
  const random = new Random(seed);
  for (let round = 0; round < rounds; round++) {
    const definition = definitionOf(randomTable(random));
    const text = JSON.stringify(toDescriptorJson(definition));
    const where = `SLUICE_SEED=${seed}, round ${round}: ${text}`;
    const live = parseDescriptor(bytes(text), 1, "r.andom");
    assert.deepEqual(compareTables(definition, live, "strict"), [], where);
    const again = definitionFromLive({ database: "r", table: "andom" }, live);
    assert.equal(JSON.stringify(toDescriptorJson(again)), text, where);
  }
});

test("a document from before ids were written numbers columns by their place", () => {
  const schema = parseSchema(
    bytes('{"columns":[{"name":"a","data_type":{"type":"STRING"}},{"name":"b","data_type":{"type":"BYTES"}}]}'),
    1,
    "a.b",
  );
  assert.deepEqual(schema.columns.map(({ id }) => id), [0, 1]);
});

test("names of a hostile server are data", () => {
  const live = parseDescriptor(
    bytes(
      '{"schema":{"columns":[{"name":"__proto__","data_type":{"type":"STRING"},"id":0}],"primary_key":["__proto__"]},' +
        '"partition_key":[],"properties":{"__proto__":"x","table.log.ttl":"7 d"},"custom_properties":{"constructor":"y"}}',
    ),
    1,
    "a.b",
  );
  assert.deepEqual(Object.entries(live.properties), [["__proto__", "x"], ["table.log.ttl", "7 d"]]);
  assert.equal(Object.getPrototypeOf(live.properties), Object.prototype);
  assert.equal(live.schema.columns[0]!.type.nullable, false, "key columns are NOT NULL whatever the document says");
});

const column = (type: string) => `{"columns":[{"name":"a","data_type":${type},"id":0}]}`;
const deep = (levels: number) =>
  `${'{"type":"ARRAY","element_type":'.repeat(levels)}{"type":"INTEGER"}${"}".repeat(levels)}`;

for (
  const [what, json, code] of [
    ["nothing", "", "CONNECTION.PROTOCOL"],
    ["a number", "5", "CONNECTION.PROTOCOL"],
    ["null", "null", "CONNECTION.PROTOCOL"],
    ["a list", "[]", "CONNECTION.PROTOCOL"],
    ["no columns", "{}", "CONNECTION.PROTOCOL"],
    ["columns that are no list", '{"columns":{}}', "CONNECTION.PROTOCOL"],
    ["a column that is null", '{"columns":[null]}', "CONNECTION.PROTOCOL"],
    ["a column without a name", '{"columns":[{"data_type":{"type":"INTEGER"}}]}', "CONNECTION.PROTOCOL"],
    ["a column without a type", '{"columns":[{"name":"a"}]}', "CONNECTION.PROTOCOL"],
    ["a type of a later version", column('{"type":"VARIANT"}'), "CONNECTION.UNSUPPORTED_VERSION"],
    ["a type that is a prototype's", column('{"type":"constructor"}'), "CONNECTION.UNSUPPORTED_VERSION"],
    ["a char without length", column('{"type":"CHAR"}'), "CONNECTION.PROTOCOL"],
    ["a decimal beyond 38 digits", column('{"type":"DECIMAL","precision":39,"scale":0}'), "CONNECTION.PROTOCOL"],
    ["a scale above the precision", column('{"type":"DECIMAL","precision":3,"scale":4}'), "CONNECTION.PROTOCOL"],
    ["a time with 10 digits", column('{"type":"TIME_WITHOUT_TIME_ZONE","precision":10}'), "CONNECTION.PROTOCOL"],
    ["an array without element", column('{"type":"ARRAY"}'), "CONNECTION.PROTOCOL"],
    ["a row whose field is a number", column('{"type":"ROW","fields":[1]}'), "CONNECTION.PROTOCOL"],
    ["65 levels", column(deep(65)), "CONNECTION.PROTOCOL"],
    ["100,000 levels", column(deep(100_000)), "CONNECTION.PROTOCOL"],
    [
      "a key that does not exist",
      column('{"type":"INTEGER"}').replace("}]}", '}],"primary_key":["b"]}'),
      "CONNECTION.PROTOCOL",
    ],
    [
      "two columns of one name",
      '{"columns":[{"name":"a","data_type":{"type":"INTEGER"},"id":0},{"name":"a","data_type":{"type":"INTEGER"},"id":1}]}',
      "CONNECTION.PROTOCOL",
    ],
    [
      "two columns of one id",
      '{"columns":[{"name":"a","data_type":{"type":"INTEGER"},"id":0},{"name":"b","data_type":{"type":"INTEGER"},"id":0}]}',
      "CONNECTION.PROTOCOL",
    ],
    [
      "one column with an id and one without",
      '{"columns":[{"name":"a","data_type":{"type":"INTEGER"},"id":0},{"name":"b","data_type":{"type":"INTEGER"}}]}',
      "CONNECTION.PROTOCOL",
    ],
  ] as const
) {
  test(`a schema of a server that is ${what} is a typed error`, () => {
    assert.throws(() => parseSchema(bytes(json), 1, "shop.orders"), (error: unknown) => {
      assert.ok(FlussError.is(error), String(error));
      assert.equal(error.code, code);
      assert.equal(error.table, "shop.orders");
      return true;
    });
  });
}

test("bytes that are not UTF-8 are a typed error", () => {
  assert.throws(
    () => parseSchema(new Uint8Array([0x22, 0xff, 0x22]), 1, "a.b"),
    (error) => FlussError.is(error, "CONNECTION.PROTOCOL"),
  );
});

test("a descriptor with nonsense around a good schema is a typed error", () => {
  const good = JSON.parse(DESCRIPTOR);
  for (
    const change of [
      { partition_key: undefined },
      { partition_key: ["nope"] },
      { bucket_key: "id" },
      { bucket_count: 0 },
      { bucket_count: "3" },
      { properties: undefined },
      { properties: { a: 1 } },
      { custom_properties: null },
      { comment: 5 },
    ]
  ) {
    assert.throws(
      () => parseDescriptor(bytes(JSON.stringify({ ...good, ...change })), 1, "a.b"),
      (error) => FlussError.is(error, "CONNECTION.PROTOCOL"),
      JSON.stringify(change),
    );
  }
});
