/**
 * Tables and schemas as the JSON documents that servers keep. Source: Fluss `TableDescriptorJsonSerde.java`,
 * `SchemaJsonSerde.java`, `ColumnJsonSerde.java`; keys are written in their order.
 *
 * @module
 */
import type { SchemaColumn, TableSchema } from "./data_type.ts";
import {
  dataTypeFromJson,
  dataTypeToJson,
  integerIn,
  type JsonObject,
  type JsonPlace,
  listIn,
  nonsense,
  objectIn,
  optionalTextIn,
  textIn,
  textRecordIn,
  textsIn,
} from "./data_type_json.ts";
import type { Aggregation, ColumnDefinition, TableDefinition } from "./definition.ts";
import { OPTION } from "./server_options.ts";

/** A column as a server describes it. */
export interface LiveColumn extends SchemaColumn {
  /** The aggregation function, in lower case with underscores. */
  readonly aggregate?: Aggregation;
}

/** A schema as a server describes it. Keys are physical names. */
export interface LiveSchema extends TableSchema {
  /** In their order on the server. */
  readonly columns: readonly LiveColumn[];
}

/** A table as a server describes it. Columns are named by their physical names. */
export interface LiveTable {
  /** The latest schema. */
  readonly schema: LiveSchema;
  /** What its creator said of it. */
  readonly comment?: string;
  /** In partition order; empty when the table is not partitioned. */
  readonly partitionKey: readonly string[];
  /** Empty when nothing was said. */
  readonly bucketKey: readonly string[];
  /** Servers always answer with one. */
  readonly bucketCount?: number;
  /** The options of the server, `table.*`. */
  readonly properties: Readonly<Record<string, string>>;
  /** Whatever its creator kept with it. */
  readonly customProperties: Readonly<Record<string, string>>;
}

/** The table descriptor that creates a table. */
export function toDescriptorJson(definition: TableDefinition): JsonObject {
  const { bucketKey, buckets, comment } = definition;
  const physical = (keys: readonly string[]) =>
    keys.map((key) => definition.columns.find((column) => column.key === key)?.name ?? key);
  // A number of buckets needs a bucket key beside it, so the one that the server would choose is written.
  const spread = bucketKey ??
    (buckets === undefined ? undefined : definition.primaryKey.filter((key) => !definition.partitionBy.includes(key)));
  return {
    version: 1,
    schema: toSchemaJson(definition),
    ...(comment === undefined ? {} : { comment }),
    partition_key: physical(definition.partitionBy),
    ...(spread === undefined ? {} : { bucket_key: physical(spread) }),
    ...(buckets === undefined ? {} : { bucket_count: buckets }),
    properties: serverProperties(definition),
    custom_properties: definition.customProperties,
  };
}

/** The schema part of a table descriptor. */
export function toSchemaJson(definition: TableDefinition): JsonObject {
  let highest = -1;
  const nextId = () => ++highest;
  const columns = definition.columns.map((column) => columnJson(column, nextId));
  const names = (keys: readonly string[]) =>
    keys.map((key) => definition.columns.find((column) => column.key === key)?.name ?? key);
  const numbered = definition.columns.filter((column) => column.autoIncrement).map((column) => column.name);
  return {
    version: 1,
    columns,
    ...(definition.primaryKey.length === 0 ? {} : { primary_key: names(definition.primaryKey) }),
    ...(numbered.length === 0 ? {} : { auto_increment_column: numbered }),
    highest_field_id: highest,
  };
}

function columnJson(column: ColumnDefinition, nextId: () => number): JsonObject {
  const { name, type, comment, aggregate } = column;
  const id = nextId();
  return {
    name,
    data_type: dataTypeToJson(type, nextId),
    ...(comment === undefined ? {} : { comment }),
    ...(aggregate === undefined ? {} : { agg_function: aggregationJson(aggregate) }),
    id,
  };
}

function aggregationJson({ fn, parameters }: Aggregation): JsonObject {
  return { type: fn, ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
}

/** All server options of a table: those with a member of their own, and the others. */
export function serverProperties(definition: TableDefinition): Record<string, string> {
  const { mergeEngine, versionColumn, deleteBehavior, changelog } = definition;
  const version = definition.columns.find((column) => column.key === versionColumn)?.name ?? versionColumn;
  return {
    ...(mergeEngine === "last_row" ? {} : { [OPTION.mergeEngine]: mergeEngine }),
    ...(version === undefined ? {} : { [OPTION.versionColumn]: version }),
    ...(deleteBehavior === undefined ? {} : { [OPTION.deleteBehavior]: deleteBehavior }),
    ...(changelog === "full" ? {} : { [OPTION.changelog]: changelog }),
    ...definition.properties,
  };
}

/**
 * Reads a table descriptor.
 *
 * @param json the document as the server sent it, UTF-8
 * @param schemaId the number of the schema in it
 * @param table the table's name, for errors
 * @throws FlussConnectionError `CONNECTION.PROTOCOL` for nonsense, `CONNECTION.UNSUPPORTED_VERSION` for unknown types
 */
export function parseDescriptor(json: Uint8Array, schemaId: number, table: string): LiveTable {
  const place: JsonPlace = { table };
  const object = objectIn(parse(json, place), "the document", place);
  const comment = optionalTextIn(object, "comment", place);
  const schema = schemaFromJson(object["schema"], schemaId, place);
  const known = new Set(schema.columns.map((column) => column.name));
  const bucketKey = object["bucket_key"] === undefined ? [] : textsIn(object, "bucket_key", place);
  const partitionKey = textsIn(object, "partition_key", place);
  for (const name of [...bucketKey, ...partitionKey]) {
    if (!known.has(name)) throw nonsense(place, `a key names the column ${JSON.stringify(name)}, which does not exist`);
  }
  return {
    schema,
    ...(comment === undefined ? {} : { comment }),
    partitionKey,
    bucketKey,
    ...(object["bucket_count"] === undefined
      ? {}
      : { bucketCount: integerIn(object, "bucket_count", 1, 2147483647, place) }),
    properties: textRecordIn(object, "properties", place),
    customProperties: textRecordIn(object, "custom_properties", place),
  };
}

/**
 * Reads a schema.
 *
 * @param json the document as the server sent it, UTF-8
 * @param schemaId its number
 * @param table the table's name, for errors
 * @throws FlussConnectionError `CONNECTION.PROTOCOL` for nonsense, `CONNECTION.UNSUPPORTED_VERSION` for unknown types
 */
export function parseSchema(json: Uint8Array, schemaId: number, table: string): LiveSchema {
  const place: JsonPlace = { table };
  return schemaFromJson(parse(json, place), schemaId, place);
}

function parse(json: Uint8Array, place: JsonPlace): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    throw nonsense(place, "it is not JSON");
  }
}

function schemaFromJson(json: unknown, schemaId: number, place: JsonPlace): LiveSchema {
  const object = objectIn(json, "the schema", place);
  const list = listIn(object, "columns", place);
  const columns = list.map((column, i) => columnFromJson(column, i, place));
  const withId = list.filter((column) => (column as JsonObject)["id"] !== undefined).length;
  if (withId !== 0 && withId !== list.length) throw nonsense(place, "some columns have an id and others have none");
  const names = new Set(columns.map((column) => column.name));
  if (names.size !== columns.length) throw nonsense(place, "two columns have the same name");
  if (new Set(columns.map((column) => column.id)).size !== columns.length) {
    throw nonsense(place, "two columns have the same id");
  }
  const primaryKey = object["primary_key"] === undefined ? [] : textsIn(object, "primary_key", place);
  const [autoIncrement] = object["auto_increment_column"] === undefined
    ? []
    : textsIn(object, "auto_increment_column", place);
  for (const name of [...primaryKey, ...(autoIncrement === undefined ? [] : [autoIncrement])]) {
    if (!names.has(name)) throw nonsense(place, `it names the column ${JSON.stringify(name)}, which does not exist`);
  }
  return {
    schemaId,
    // The model on the server makes key columns NOT NULL, whatever the document says (Fluss: Schema.java).
    columns: columns.map((column) =>
      primaryKey.includes(column.name) ? { ...column, type: { ...column.type, nullable: false } } : column
    ),
    primaryKey,
    ...(autoIncrement === undefined ? {} : { autoIncrement }),
  };
}

function columnFromJson(json: unknown, position: number, outer: JsonPlace): LiveColumn {
  const object = objectIn(json, "a column", outer);
  const name = textIn(object, "name", outer);
  const place = { ...outer, column: name };
  const comment = optionalTextIn(object, "comment", place);
  const aggregate = object["agg_function"] === undefined
    ? undefined
    : aggregationFromJson(objectIn(object["agg_function"], "agg_function", place), place);
  return {
    key: name,
    name,
    type: dataTypeFromJson(object["data_type"], place),
    ...(comment === undefined ? {} : { comment }),
    ...(aggregate === undefined ? {} : { aggregate }),
    // Documents from before ids were written number columns by their place.
    id: object["id"] === undefined ? position : integerIn(object, "id", 0, 2147483647, place),
  };
}

function aggregationFromJson(object: JsonObject, place: JsonPlace): Aggregation {
  return {
    fn: textIn(object, "type", place).toLowerCase().replaceAll("-", "_"),
    parameters: object["parameters"] === undefined ? {} : textRecordIn(object, "parameters", place),
  };
}
