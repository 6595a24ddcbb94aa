/**
 * Data types as servers write them in JSON. Source: Fluss `DataTypeJsonSerde.java`; keys are written in its order.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";
import type { DataType, RowField, SimpleType } from "./data_type.ts";

/** JSON as it comes from a parser. */
export type JsonObject = { readonly [key: string]: unknown };

/** The names of types in documents. */
export const TYPE_NAMES: { readonly [kind in DataType["kind"]]: string } = {
  boolean: "BOOLEAN",
  tinyint: "TINYINT",
  smallint: "SMALLINT",
  int: "INTEGER",
  bigint: "BIGINT",
  float: "FLOAT",
  double: "DOUBLE",
  char: "CHAR",
  string: "STRING",
  decimal: "DECIMAL",
  date: "DATE",
  time: "TIME_WITHOUT_TIME_ZONE",
  timestamp: "TIMESTAMP_WITHOUT_TIME_ZONE",
  timestampLtz: "TIMESTAMP_WITH_LOCAL_TIME_ZONE",
  binary: "BINARY",
  bytes: "BYTES",
  array: "ARRAY",
  map: "MAP",
  row: "ROW",
};
/** Types by their names in documents. */
export const TYPE_KINDS: ReadonlyMap<string, DataType["kind"]> = new Map(
  Object.entries(TYPE_NAMES).map(([kind, name]) => [name, kind as DataType["kind"]]),
);

/** Documents of a server are not trusted to end. */
const MAX_DEPTH = 64;

/**
 * Writes a type.
 *
 * @param nextId gives the ids of nested fields, depth first; they share the counter of the columns
 */
export function dataTypeToJson(type: DataType, nextId: () => number): JsonObject {
  const head = { type: TYPE_NAMES[type.kind], ...(type.nullable ? {} : { nullable: false }) };
  switch (type.kind) {
    case "char":
    case "binary":
      return { ...head, length: type.length };
    case "decimal":
      return { ...head, precision: type.precision, scale: type.scale };
    case "time":
    case "timestamp":
    case "timestampLtz":
      return { ...head, precision: type.precision };
    case "array":
      return { ...head, element_type: dataTypeToJson(type.element, nextId) };
    case "map":
      return {
        ...head,
        key_type: dataTypeToJson({ ...type.key, nullable: false }, nextId),
        value_type: dataTypeToJson(type.value, nextId),
      };
    case "row":
      return { ...head, fields: type.fields.map((field) => fieldToJson(field, nextId)) };
    default:
      return head;
  }
}

function fieldToJson(field: RowField, nextId: () => number): JsonObject {
  const id = nextId();
  return {
    name: field.name,
    field_type: dataTypeToJson(field.type, nextId),
    ...(field.comment === undefined ? {} : { description: field.comment }),
    field_id: id,
  };
}

/** Where in a document something is, for errors. */
export interface JsonPlace {
  /** The table, as `database.table`. */
  readonly table: string;
  /** The column. */
  readonly column?: string;
}

/**
 * Reads a type.
 *
 * @throws FlussConnectionError `CONNECTION.PROTOCOL` for what is no type, `CONNECTION.UNSUPPORTED_VERSION` for a type
 * that this version does not know
 */
export function dataTypeFromJson(json: unknown, place: JsonPlace, depth = 0): DataType {
  if (depth > MAX_DEPTH) throw nonsense(place, `a type is nested more than ${MAX_DEPTH} levels deep`);
  const object = objectIn(json, "a data type", place);
  const name = textIn(object, "type", place);
  const kind = TYPE_KINDS.get(name);
  if (kind === undefined) {
    throw flussError("CONNECTION.UNSUPPORTED_VERSION", {
      table: place.table,
      column: place.column,
      message:
        `column ${JSON.stringify(place.column ?? "")} has the type ${JSON.stringify(name.slice(0, 60))}, which ` +
        "this version of Sluice does not know",
      hint: "use a newer version of Sluice",
    });
  }
  const nullable = object["nullable"] !== false;
  const inner = (key: string) => dataTypeFromJson(object[key], place, depth + 1);
  switch (kind) {
    case "char":
    case "binary":
      return { kind, nullable, length: integerIn(object, "length", 1, 2147483647, place) };
    case "decimal": {
      const precision = integerIn(object, "precision", 1, 38, place);
      return { kind, nullable, precision, scale: integerIn(object, "scale", 0, precision, place) };
    }
    case "time":
    case "timestamp":
    case "timestampLtz":
      return { kind, nullable, precision: integerIn(object, "precision", 0, 9, place) };
    case "array":
      return { kind, nullable, element: inner("element_type") };
    case "map":
      return { kind, nullable, key: { ...inner("key_type"), nullable: false }, value: inner("value_type") };
    case "row":
      return {
        kind,
        nullable,
        fields: listIn(object, "fields", place).map((field) => fieldFromJson(field, place, depth + 1)),
      };
    default:
      return { kind, nullable } satisfies SimpleType;
  }
}

function fieldFromJson(json: unknown, place: JsonPlace, depth: number): RowField {
  const object = objectIn(json, "a field", place);
  const name = textIn(object, "name", place);
  const comment = optionalTextIn(object, "description", place);
  // Old documents have no ids, and -1 stands for the same.
  const id = object["field_id"] === undefined ? -1 : integerIn(object, "field_id", -1, 2147483647, place);
  return {
    key: name,
    name,
    type: dataTypeFromJson(object["field_type"], place, depth),
    ...(comment === undefined ? {} : { comment }),
    ...(id < 0 ? {} : { id }),
  };
}

/** The error for a document that does not say what it should. */
export function nonsense(place: JsonPlace, message: string): FlussError {
  const where = place.column === undefined ? "" : ` of column ${JSON.stringify(place.column)}`;
  return flussError("CONNECTION.PROTOCOL", {
    table: place.table,
    column: place.column,
    message: `the server's description${where} makes no sense: ${message}`,
  });
}

/** An object, or an error that says what is not one. */
export function objectIn(json: unknown, what: string, place: JsonPlace): JsonObject {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as JsonObject;
  throw nonsense(place, `${what} is ${json === undefined ? "missing" : "not an object"}`);
}

/** A list. */
export function listIn(object: JsonObject, key: string, place: JsonPlace): readonly unknown[] {
  const value = object[key];
  if (Array.isArray(value)) return value;
  throw nonsense(place, `${key} is ${value === undefined ? "missing" : "not a list"}`);
}

/** A text. */
export function textIn(object: JsonObject, key: string, place: JsonPlace): string {
  const value = object[key];
  if (typeof value === "string") return value;
  throw nonsense(place, `${key} is ${value === undefined ? "missing" : "not text"}`);
}

/** A text that may be missing or null. */
export function optionalTextIn(object: JsonObject, key: string, place: JsonPlace): string | undefined {
  return object[key] === undefined || object[key] === null ? undefined : textIn(object, key, place);
}

/** A whole number within bounds. */
export function integerIn(object: JsonObject, key: string, min: number, max: number, place: JsonPlace): number {
  const value = object[key];
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw nonsense(place, `${key} is ${value === undefined ? "missing" : `not a whole number from ${min} to ${max}`}`);
}

/** A list of texts. */
export function textsIn(object: JsonObject, key: string, place: JsonPlace): string[] {
  return listIn(object, key, place).map((value) => {
    if (typeof value === "string") return value;
    throw nonsense(place, `${key} has an entry that is not text`);
  });
}

/** An object whose values are texts. */
export function textRecordIn(object: JsonObject, key: string, place: JsonPlace): Record<string, string> {
  const entries = Object.entries(objectIn(object[key], key, place));
  // fromEntries() takes any key as data, also one called __proto__.
  return Object.fromEntries(entries.map(([name, value]) => {
    if (typeof value === "string") return [name, value];
    throw nonsense(place, `${key} has an entry that is not text`);
  }));
}
