/**
 * Table descriptors as clients send them: read, filled up with the server's defaults, and checked in the server's order.
 * Source: Fluss `TableDescriptor.java`, `CoordinatorService.java` (applySystemDefaults), `TableDescriptorValidation.java`.
 *
 * @module
 */
import type { DataType } from "../../schema/data_type.ts";
import { type JsonObject, TYPE_NAMES } from "../../schema/data_type_json.ts";
import { asFault, fault, illegalArgument, uncoded } from "../fault.ts";
import type { Settings } from "../settings.ts";
import { elementsOf, memberOf, numberOf, textOf, textsOf } from "./java.ts";
import { listText, readSchema, type SchemaDocument, schemaJson } from "./schema_document.ts";
import { checkOptions, flag, invalid, type Options, wholeNumber, word } from "./table_options.ts";
import { summaryOf } from "./type_document.ts";

/** See the module. */
export interface TableDocument {
  readonly schema: SchemaDocument;
  readonly comment: string | undefined;
  readonly partitionKey: readonly string[];
  readonly bucketKey: readonly string[];
  readonly bucketCount: number | undefined;
  readonly properties: Options;
  readonly customProperties: Options;
}

/** Tablet servers, of which an embedded server has one. */
const TABLET_SERVERS = 1;
/** The newest version of stored rows that there is. */
const KV_FORMAT_VERSION = 2;

const SYSTEM_COLUMNS = [
  "__offset",
  "__timestamp",
  "__bucket",
  "_change_type",
  "_log_offset",
  "_commit_timestamp",
];

/** @throws {ServerFault} 15 */
export function readTable(json: Uint8Array): TableDocument {
  try {
    return parseTable(json);
  } catch (error) {
    throw fault("SERVER.INVALID_TABLE_EXCEPTION", asFault(error).words);
  }
}

function parseTable(json: Uint8Array): TableDocument {
  const object: unknown = JSON.parse(new TextDecoder().decode(json));
  const member = (key: string) => memberOf(object, key);
  const names = (key: string) => elementsOf(member(key), key).map((name) => textOf(name, key));
  const schema = readSchema(member("schema"));
  const comment = member("comment");
  const count = member("bucket_count");
  const partitionKey = names("partition_key");
  const isDistributed = count !== undefined || member("bucket_key") !== undefined;
  const document: TableDocument = {
    schema,
    comment: comment === undefined ? undefined : textOf(comment, "comment"),
    partitionKey,
    bucketKey: normalizedBucketKey(schema, partitionKey, isDistributed ? names("bucket_key") : []),
    bucketCount: count === undefined ? undefined : numberOf(count, "bucket_count"),
    properties: textsOf(member("properties"), "properties"),
    customProperties: textsOf(member("custom_properties"), "custom_properties"),
  };
  checkKeys(document);
  return document;
}

function normalizedBucketKey(
  { primaryKey }: SchemaDocument,
  partitionKey: readonly string[],
  bucketKey: readonly string[],
): readonly string[] {
  if (bucketKey.some((name) => partitionKey.includes(name))) {
    throw illegalArgument(
      `Bucket key ${listText(bucketKey)} shouldn't include any column in partition keys ${listText(partitionKey)}.`,
    );
  }
  if (primaryKey.length === 0) return bucketKey;
  if (bucketKey.length === 0) {
    const rest = primaryKey.filter((name) => !partitionKey.includes(name));
    if (rest.length > 0) return rest;
    throw illegalArgument(
      `Primary Key constraint ${listText(primaryKey)} should not be same with partition fields ` +
        `${listText(partitionKey)}.`,
    );
  }
  if (bucketKey.every((name) => primaryKey.includes(name))) return bucketKey;
  throw illegalArgument(
    "Bucket keys must be a subset of primary keys excluding partition keys for primary-key tables. The primary keys " +
      `are ${listText(primaryKey)}, the partition keys are ${listText(partitionKey)}, but the user-defined bucket ` +
      `keys are ${listText(bucketKey)}.`,
  );
}

function checkKeys({ schema: { columns, primaryKey }, partitionKey, bucketKey }: TableDocument): void {
  const names = columns.map(({ name }) => name);
  for (const name of partitionKey) {
    if (primaryKey.length > 0 && !primaryKey.includes(name)) {
      throw illegalArgument(
        `Partitioned Primary Key Table requires partition key ${listText(partitionKey)} is a subset of the primary ` +
          `key ${listText(primaryKey)}.`,
      );
    }
    if (!names.includes(name)) throw illegalArgument(`Partition key '${name}' does not exist in the schema.`);
  }
  for (const name of bucketKey) {
    if (!names.includes(name)) throw illegalArgument(`Bucket key '${name}' does not exist in the schema.`);
  }
}

/**
 * Fills in what was not said, and sees that buckets can be placed.
 *
 * @throws {ServerFault} 15, 17, 39; a plain error, which is -1 on the wire, as with the server
 */
export function withDefaults(table: TableDocument, settings: Settings): TableDocument {
  const properties: Record<string, string> = { ...table.properties };
  const isKeyed = table.schema.primaryKey.length > 0;
  properties["table.replication.factor"] ??= "1";
  if (table.partitionKey.length > 1 && properties["table.auto-partition.enabled"] === "true") {
    properties["table.auto-partition.num-precreate"] ??= "0";
  }
  if (/^true$/i.test(properties["table.datalake.enabled"] ?? "")) {
    throw fault(
      "SERVER.INVALID_TABLE_EXCEPTION",
      "'table.datalake.enabled' is enabled for the table, but the Fluss cluster doesn't enable datalake tables.",
    );
  }
  if (word(properties, "table.merge-engine") !== undefined && isKeyed) {
    if (word(properties, "table.delete.behavior") === undefined) properties["table.delete.behavior"] = "IGNORE";
  }
  if (isKeyed) {
    const version = wholeNumber(properties, "table.kv.format-version");
    if (version === undefined) properties["table.kv.format-version"] = String(KV_FORMAT_VERSION);
    else if (version > KV_FORMAT_VERSION) {
      throw invalid(
        `Unsupported kv format version ${version}. The maximum supported version is ${KV_FORMAT_VERSION}.`,
      );
    }
  }
  const bucketCount = table.bucketCount ?? settings.defaultBuckets;
  if (table.partitionKey.length === 0) checkPlacing(bucketCount, properties);
  return { ...table, bucketCount, properties };
}

/**
 * Whether buckets can be placed on tablet servers.
 *
 * @throws {ServerFault} 17; a plain error, which is -1 on the wire, as with the server
 */
export function checkPlacing(bucketCount: number, properties: Options): void {
  const replicas = replicasOf(properties["table.replication.factor"] ?? "1");
  if (bucketCount <= 0) {
    throw uncoded("org.apache.fluss.exception.InvalidBucketsException", "Number of buckets must be larger than 0.");
  }
  const code = "SERVER.INVALID_REPLICATION_FACTOR";
  if (replicas <= 0) throw fault(code, "Replication factor must be larger than 0.");
  if (replicas <= TABLET_SERVERS) return;
  throw fault(
    code,
    `Replication factor: ${replicas} larger than available tablet servers: ${TABLET_SERVERS}.`,
  );
}

function replicasOf(text: string): number {
  const replicas = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  if (replicas === (replicas | 0)) return replicas;
  throw uncoded("java.lang.NumberFormatException", `For input string: "${text}"`);
}

/** @throws {ServerFault} 39, 15, 49 */
export function checkTable(table: TableDocument, settings: Settings): void {
  checkOptions(table.properties);
  checkBuckets(table, settings);
  const isKeyed = table.schema.primaryKey.length > 0;
  const options = table.properties;
  if (wholeNumber(options, "table.replication.factor")! <= 0) {
    throw invalid("'table.replication.factor' must be greater than 0.");
  }
  checkFormats(options, isKeyed);
  checkMergeEngine(table, isKeyed);
  checkDeletes(options, isKeyed);
  if ((wholeNumber(options, "table.log.tiered.local-segments") ?? 2) <= 0) {
    throw invalid("'table.log.tiered.local-segments' must be greater than 0.");
  }
  if (options["table.statistics.columns"] !== undefined && isKeyed) {
    throw invalid("'table.statistics.columns' is only supported for log tables.");
  }
  checkPartitions(table);
  const reserved = table.schema.columns.map(({ name }) => name).filter((name) => SYSTEM_COLUMNS.includes(name));
  if (reserved.length > 0) {
    throw badTable(
      `${reserved.join(", ")} cannot be used as column names, because they are reserved system columns in Fluss. ` +
        "Please use other names for these columns. The reserved system columns are: " + SYSTEM_COLUMNS.join(", "),
    );
  }
}

function badTable(message: string): Error {
  return fault("SERVER.INVALID_TABLE_EXCEPTION", message);
}

const NO_KEYS: readonly DataType["kind"][] = ["array", "map", "row"];

function checkBuckets({ schema, bucketKey, bucketCount }: TableDocument, { maxBuckets }: Settings): void {
  if (bucketCount! > maxBuckets) {
    throw fault(
      "SERVER.BUCKET_MAX_NUM_EXCEPTION",
      `Bucket count ${bucketCount} exceeds the maximum limit ${maxBuckets}.`,
    );
  }
  for (const [keys, what] of [[bucketKey, "Bucket"], [schema.primaryKey, "Primary"]] as const) {
    for (const name of keys) {
      const { type } = schema.columns.find((column) => column.name === name)!;
      if (!NO_KEYS.includes(type.kind)) continue;
      throw badTable(
        `${what} key column '${name}' has unsupported data type ${summaryOf(type)}. Currently, ` +
          `${what.toLowerCase()} key column does not support types: [ARRAY, MAP, ROW].`,
      );
    }
  }
}

function checkFormats(options: Options, isKeyed: boolean): void {
  const kv = word(options, "table.kv.format") ?? "COMPACTED";
  const log = word(options, "table.log.format") ?? "ARROW";
  if (isKeyed && kv === "COMPACTED" && log === "INDEXED") {
    throw invalid(
      "Currently, Primary Key Table supports ARROW or COMPACTED log format when kv format is COMPACTED.",
    );
  }
  const level = wholeNumber(options, "table.log.arrow.compression.zstd.level");
  if (level !== undefined && (level < 1 || level > 22)) {
    throw invalid(`Invalid ZSTD compression level: ${level}. Expected a value between 1 and 22.`);
  }
}

const VERSIONS: readonly DataType["kind"][] = ["int", "bigint", "timestamp", "timestampLtz"];

function checkMergeEngine({ schema, properties }: TableDocument, isKeyed: boolean): void {
  const engine = word(properties, "table.merge-engine");
  if (engine === undefined) return;
  if (!isKeyed) throw invalid("Merge engine is only supported in primary key table.");
  if (engine === "VERSIONED") {
    const key = "table.merge-engine.versioned.ver-column";
    const name = word(properties, key);
    if (name === undefined) throw invalid(`'${key}' must be set for versioned merge engine.`);
    const column = schema.columns.find((one) => one.name === name);
    if (column === undefined) {
      throw invalid(`The version column '${name}' for versioned merge engine doesn't exist in schema.`);
    }
    if (!VERSIONS.includes(column.type.kind)) {
      throw invalid(
        `The version column '${name}' for versioned merge engine must be one type of [INT, BIGINT, TIMESTAMP, ` +
          `TIMESTAMP_LTZ], but got ${summaryOf(column.type)}.`,
      );
    }
  }
  if (engine === "AGGREGATION") {
    if (word(properties, "table.changelog.image") === "WAL") {
      throw invalid(
        "Table with 'AGGREGATION' merge engine does not support 'WAL' changelog image mode. Aggregation merge engine " +
          "tables require FULL changelog image mode for correct UNDO recovery. Please set 'table.changelog.image' to " +
          "'FULL' or remove the setting.",
      );
    }
    checkFunctions(schema);
  }
}

const NUMBERS: readonly DataType["kind"][] = ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal"];
const ORDERED: readonly DataType["kind"][] = [
  "char",
  "string",
  ...NUMBERS,
  "date",
  "time",
  "timestamp",
  "timestampLtz",
];

/** The types that a function takes; undefined for all. */
function typesOf(fn: string): readonly DataType["kind"][] | undefined {
  switch (fn) {
    case "sum":
    case "product":
      return NUMBERS;
    case "max":
    case "min":
      return ORDERED;
    case "listagg":
    case "string_agg":
      return ["string", "char"];
    case "bool_and":
    case "bool_or":
      return ["boolean"];
    case "rbm32":
    case "rbm64":
      return ["bytes"];
    default:
      return undefined;
  }
}

function checkFunctions({ columns, primaryKey }: SchemaDocument): void {
  for (const { name, type, aggregate } of columns) {
    if (aggregate === undefined || primaryKey.includes(name)) continue;
    const refuse = (why: string) => invalid(`Invalid aggregation function for column '${name}': ${why}`);
    const isList = aggregate.type === "listagg" || aggregate.type === "string_agg";
    for (const [parameter, value] of Object.entries(aggregate.parameters)) {
      if (!isList || parameter !== "delimiter") {
        throw refuse(
          `Parameter '${parameter}' is not supported for aggregation function '${aggregate.type}'. Supported ` +
            `parameters: ${isList ? "[delimiter]" : "none"}`,
        );
      }
      if (value === "") {
        throw refuse(`Parameter 'delimiter' for aggregation function '${aggregate.type}' must be a non-empty string`);
      }
    }
    const types = typesOf(aggregate.type);
    if (types === undefined || types.includes(type.kind)) continue;
    const wanted = types.map((kind) => TYPE_NAMES[kind]).join(", ");
    throw refuse(
      `Data type for ${aggregate.type} column must be part of [${wanted}] but was '${summaryOf(type)}'.`,
    );
  }
}

function checkDeletes(options: Options, isKeyed: boolean): void {
  const behavior = word(options, "table.delete.behavior");
  if (behavior !== undefined && !isKeyed) {
    throw invalid("The 'table.delete.behavior' configuration is only supported for primary key tables.");
  }
  const engine = word(options, "table.merge-engine");
  if (behavior === "ALLOW" && (engine === "FIRST_ROW" || engine === "VERSIONED")) {
    throw invalid(
      `Table with '${engine}' merge engine does not support delete operations. The 'table.delete.behavior' config ` +
        "must be set to 'ignore' or 'disable', but got 'allow'.",
    );
  }
}

const NO_PARTITION_KEYS: readonly DataType["kind"][] = ["decimal", "array", "map", "row"];

function checkPartitions({ schema, partitionKey, properties }: TableDocument): void {
  const auto = flag(properties, "table.auto-partition.enabled") ?? false;
  if (partitionKey.length === 0) {
    if (!auto) return;
    throw invalid(
      "Currently, auto partition is only supported for partitioned table, please set table property " +
        "'table.auto-partition.enabled' to false.",
    );
  }
  for (const name of partitionKey) {
    const { type } = schema.columns.find((column) => column.name === name)!;
    if (!NO_PARTITION_KEYS.includes(type.kind)) continue;
    throw badTable(
      "Currently, partitioned table supported partition key type are [CHAR, STRING, BOOLEAN, BINARY, BYTES, TINYINT, " +
        "SMALLINT, INTEGER, DATE, TIME_WITHOUT_TIME_ZONE, BIGINT, FLOAT, DOUBLE, TIMESTAMP_WITHOUT_TIME_ZONE, " +
        `TIMESTAMP_WITH_LOCAL_TIME_ZONE], but got partition key '${name}' with data type ${summaryOf(type)}.`,
    );
  }
  if (!auto) return;
  const given = word(properties, "table.auto-partition.key") ?? "";
  const timed = partitionKey.length === 1 ? partitionKey[0] : given;
  const isDate = schema.columns.some(({ name, type }) => name === timed && type.kind === "date");
  if (isDate && (word(properties, "table.auto-partition.time-unit") ?? "DAY") !== "DAY") {
    throw badTable(`Auto partitions by the DATE column '${timed}' must have the time unit DAY.`);
  }
  if (partitionKey.length === 1) return;
  const key = given;
  if (key.trim() === "") {
    throw badTable(
      "Currently, auto partitioned table must set one auto partition key when it has multiple partition keys. Please " +
        "set table property 'table.auto-partition.key'.",
    );
  }
  if (!partitionKey.includes(key)) {
    throw badTable(
      "The specified key for auto partitioned table is not a partition key. Your key " +
        `'${key}' is not in key list ${listText(partitionKey)}`,
    );
  }
  const ahead = wholeNumber(properties, "table.auto-partition.num-precreate") ?? 2;
  if (ahead > 0) {
    throw badTable(
      "For a partitioned table with multiple partition keys, auto pre-create is unsupported and this value must be " +
        `set to 0, but is ${ahead}`,
    );
  }
}

/** A table as JSON. */
export function tableJson(table: TableDocument): JsonObject {
  const { schema, comment, partitionKey, bucketKey, bucketCount, properties, customProperties } = table;
  return {
    version: 1,
    schema: schemaJson(schema),
    ...(comment === undefined ? {} : { comment }),
    partition_key: partitionKey,
    bucket_key: bucketKey,
    bucket_count: bucketCount,
    properties,
    custom_properties: customProperties,
  };
}
