/**
 * Schemas as clients send them: read, checked and brought to the form in which servers keep them. Source: Fluss
 * `Schema.java`, `SchemaJsonSerde.java`, `ColumnJsonSerde.java`, `AggFunctionType.java`.
 *
 * @module
 */
import type { DataType, RowField } from "../../schema/data_type.ts";
import { dataTypeToJson, type JsonObject } from "../../schema/data_type_json.ts";
import { illegalArgument, illegalState } from "../fault.ts";
import { elementsOf, memberOf, numberOf, textOf, textsOf } from "./java.ts";
import { checkFieldNames, duplicates, NO_ID, readType, summaryOf } from "./type_document.ts";

/** One column. */
export interface ColumnDocument {
  readonly name: string;
  readonly type: DataType;
  readonly comment: string | undefined;
  readonly aggregate: { readonly type: string; readonly parameters: Readonly<Record<string, string>> } | undefined;
  readonly id: number;
}

/** A schema that keeps all rules. */
export interface SchemaDocument {
  readonly columns: readonly ColumnDocument[];
  /** Empty in log tables. */
  readonly primaryKey: readonly string[];
  readonly autoIncrement: string | undefined;
  readonly highestFieldId: number;
}

const FUNCTIONS: readonly string[] = [
  "sum",
  "product",
  "max",
  "min",
  "last_value",
  "last_value_ignore_nulls",
  "first_value",
  "first_value_ignore_nulls",
  "listagg",
  "string_agg",
  "bool_and",
  "bool_or",
  "rbm32",
  "rbm64",
];

/**
 * Reads a schema.
 *
 * @throws {ServerFault} -1, saying what is wrong with it
 */
export function readSchema(json: unknown): SchemaDocument {
  const read = elementsOf(memberOf(json, "columns"), "columns").map(readColumn);
  const withId = read.filter(({ id }) => id !== NO_ID).length;
  if (withId > 0 && withId < read.length) {
    throw illegalState("All columns must have columnId or none of them must have columnId.");
  }
  // Documents from before there were ids number columns by their place, and fields of rows not at all.
  const columns = withId === 0 ? read.map((column, id) => ({ ...column, id })) : read;
  const primaryKey = namesOf(json, "primary_key");
  if (primaryKey?.length === 0) {
    throw illegalArgument("Primary key constraint must be defined for at least a single column.");
  }
  const generated = namesOf(json, "auto_increment_column") ?? [];
  if (generated.length > 1) throw illegalState("Multiple auto increment columns are not supported yet.");
  const highest = memberOf(json, "highest_field_id");
  return normalized({
    columns,
    primaryKey: primaryKey ?? [],
    autoIncrement: generated[0],
    highestFieldId: highest !== undefined
      ? numberOf(highest, "highest_field_id")
      : withId === 0
      ? columns.length - 1
      : highestId(columns),
  });
}

function namesOf(json: unknown, key: string): string[] | undefined {
  const names = memberOf(json, key);
  return names === undefined ? undefined : elementsOf(names, key).map((name) => textOf(name, key));
}

function readColumn(json: unknown): ColumnDocument {
  const comment = memberOf(json, "comment") ?? undefined;
  const id = memberOf(json, "id");
  return {
    name: textOf(memberOf(json, "name"), "name"),
    type: readType(memberOf(json, "data_type")),
    comment: comment === undefined ? undefined : textOf(comment, "comment"),
    aggregate: readAggregate(memberOf(json, "agg_function") ?? undefined),
    id: id === undefined ? NO_ID : numberOf(id, "id"),
  };
}

/** A function that is not known counts as none, as servers have it. */
function readAggregate(json: unknown): ColumnDocument["aggregate"] {
  if (json === undefined) return undefined;
  const type = textOf(memberOf(json, "type"), "type").replaceAll("-", "_").toLowerCase().trim();
  if (!FUNCTIONS.includes(type)) return undefined;
  return { type, parameters: textsOf(memberOf(json, "parameters") ?? {}, "parameters") };
}

/** A type whose nested fields have new ids. */
export function withFreshIds(type: DataType, next: () => number): DataType {
  switch (type.kind) {
    case "array":
      return { ...type, element: withFreshIds(type.element, next) };
    case "map":
      return { ...type, key: withFreshIds(type.key, next), value: withFreshIds(type.value, next) };
    case "row":
      return {
        ...type,
        fields: type.fields.map((field): RowField => {
          const id = next();
          return { ...field, id, type: withFreshIds(field.type, next) };
        }),
      };
    default:
      return type;
  }
}

function nestedIds(type: DataType): number[] {
  switch (type.kind) {
    case "array":
      return nestedIds(type.element);
    case "map":
      return [...nestedIds(type.key), ...nestedIds(type.value)];
    case "row":
      return type.fields.flatMap((field) => [field.id ?? NO_ID, ...nestedIds(field.type)]);
    default:
      return [];
  }
}

function fieldIds({ id, type }: ColumnDocument): number[] {
  return [id, ...nestedIds(type)];
}

/** Checks a schema as a whole; key columns become NOT NULL. */
function normalized(schema: SchemaDocument): SchemaDocument {
  checkIds(schema);
  const { columns, primaryKey, autoIncrement } = schema;
  const names = columns.map(({ name }) => name);
  const twice = duplicates(names);
  if (twice.length > 0) {
    throw illegalState(`Table column ${listText(names)} must not contain duplicate fields. Found: ${listText(twice)}`);
  }
  const keyed = primaryKey.length === 0 ? columns : checkKey(schema, names);
  if (primaryKey.length === 0 && autoIncrement !== undefined) {
    throw illegalState("Auto increment column can only be used in primary-key table.");
  }
  // Names are looked at last, when servers make a row type of the columns.
  checkFieldNames(names);
  return { ...schema, columns: keyed };
}

function checkIds({ columns, highestFieldId }: SchemaDocument): void {
  const ids = columns.flatMap(fieldIds);
  const unique = new Set(ids).size;
  if (unique !== ids.length) {
    throw illegalState(
      `All field IDs (including nested fields) must be unique. Found ${unique} unique IDs but expected ${ids.length}.`,
    );
  }
  const most = highestId(columns);
  if (columns.length > 0 && highestFieldId < most) {
    throw illegalState(
      `Highest field ID (${highestFieldId}) must be greater than or equal to the maximum field ID (${most}) ` +
        `including nested fields. Current columns is ${listText(columns.map(columnText))}`,
    );
  }
}

function highestId(columns: readonly ColumnDocument[]): number {
  return columns.flatMap(fieldIds).reduce((most, id) => Math.max(most, id), -1);
}

/** A column as servers write it in their messages. */
function columnText({ name, type, comment }: ColumnDocument): string {
  return `${name} ${summaryOf(type)}${comment === undefined ? "" : ` COMMENT '${comment.replaceAll("'", "''")}'`}`;
}

/** Checks what depends on the primary key, and makes its columns NOT NULL. */
function checkKey({ columns, primaryKey, autoIncrement }: SchemaDocument, names: readonly string[]): ColumnDocument[] {
  const keyTwice = duplicates(primaryKey);
  if (keyTwice.length > 0) {
    throw illegalState(
      `Primary key constraint CONSTRAINT PK_${primaryKey.join("_")} PRIMARY KEY (${primaryKey.join(", ")}) must not ` +
        `contain duplicate columns. Found: ${listText(keyTwice)}`,
    );
  }
  if (!primaryKey.every((name) => names.includes(name))) {
    throw illegalState(
      `Table column ${listText(names)} should include all primary key constraint ${listText(primaryKey)}`,
    );
  }
  if (autoIncrement !== undefined) {
    if (!names.includes(autoIncrement)) {
      throw illegalState(`Auto increment column ${autoIncrement} does not exist in table columns ${listText(names)}.`);
    }
    if (primaryKey.includes(autoIncrement)) {
      throw illegalState("Auto increment column can not be used as the primary key.");
    }
  }
  for (const { name, aggregate } of columns) {
    if (aggregate === undefined || !primaryKey.includes(name)) continue;
    throw illegalArgument(
      `Cannot set aggregation function for primary key column '${name}'. Primary key columns automatically use ` +
        "'primary-key' aggregation.",
    );
  }
  const kind = columns.find(({ name }) => name === autoIncrement)?.type.kind;
  if (kind !== undefined && kind !== "int" && kind !== "bigint") {
    throw illegalState("The data type of auto increment column must be INT or BIGINT.");
  }
  return columns.map((column) =>
    primaryKey.includes(column.name) && column.type.nullable
      ? { ...column, type: { ...column.type, nullable: false } }
      : column
  );
}

/** `[a, b]` */
export function listText(names: readonly string[]): string {
  return `[${names.join(", ")}]`;
}

/** A schema as JSON. */
export function schemaJson(schema: SchemaDocument): JsonObject {
  const { columns, primaryKey, autoIncrement, highestFieldId } = schema;
  return {
    version: 1,
    columns: columns.map(({ name, type, comment, aggregate, id }) => ({
      name,
      data_type: typeJson(type),
      ...(comment === undefined ? {} : { comment }),
      ...(aggregate === undefined ? {} : { agg_function: aggregateJson(aggregate) }),
      id,
    })),
    ...(primaryKey.length === 0 ? {} : { primary_key: primaryKey }),
    ...(autoIncrement === undefined ? {} : { auto_increment_column: [autoIncrement] }),
    highest_field_id: highestFieldId,
  };
}

function aggregateJson({ type, parameters }: NonNullable<ColumnDocument["aggregate"]>): JsonObject {
  return { type, ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
}

function typeJson(type: DataType): JsonObject {
  const ids = nestedIds(type);
  let at = 0;
  return dataTypeToJson(type, () => ids[at++]!);
}
