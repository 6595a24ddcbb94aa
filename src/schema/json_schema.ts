/**
 * JSON Schemas of rows. They describe rows as JSON, which is what `toJson` makes and `fromJson` takes.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { DataType, RowField } from "./data_type.ts";
import { nameOfTable, type TableDefinition, type ValueRules } from "./definition.ts";
import { membersOf, type RowKind } from "./row_kind.ts";
import { INTEGER_RANGES } from "./value_check.ts";

/** A JSON Schema. */
export type JsonSchema = Record<string, unknown>;

const DIALECTS: ReadonlyMap<string, string> = new Map([
  ["draft-2020-12", "https://json-schema.org/draft/2020-12/schema"],
  ["draft-07", "http://json-schema.org/draft-07/schema#"],
]);

const DATE = "\\d{4}-\\d{2}-\\d{2}";
const TIME = "\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?";

/**
 * The JSON Schema of one kind of row.
 *
 * @param target the dialect: `draft-2020-12` or `draft-07`
 * @throws FlussUsageError `SCHEMA.INVALID` for another dialect
 */
export function jsonSchemaOf(definition: TableDefinition, kind: RowKind, target: string): JsonSchema {
  const dialect = DIALECTS.get(target);
  if (dialect === undefined) {
    throw flussError("SCHEMA.INVALID", {
      table: nameOfTable(definition),
      message: `there is no JSON Schema for the target ${JSON.stringify(target)}`,
      hint: `use one of ${[...DIALECTS.keys()].join(", ")}`,
    });
  }
  const members = membersOf(definition, kind);
  const properties = members.map(({ column, nullable }): [string, JsonSchema] => [
    column.key,
    described(cell({ ...column.type, nullable }, column, target), column.comment),
  ]);
  const schema = object(properties, members.filter(({ required }) => required).map(({ column }) => column.key));
  return { $schema: dialect, ...described(schema, definition.comment) };
}

function cell(type: DataType, rules: ValueRules | undefined, target: string): JsonSchema {
  const schema = value(type, rules, target);
  if (!type.nullable) return schema;
  if (Array.isArray(schema["enum"])) {
    return { ...schema, type: [schema["type"], "null"], enum: [...schema["enum"], null] };
  }
  return typeof schema["type"] === "string"
    ? { ...schema, type: [schema["type"], "null"] }
    : { anyOf: [schema, { type: "null" }] };
}

function value(type: DataType, rules: ValueRules | undefined, target: string): JsonSchema {
  switch (type.kind) {
    case "boolean":
      return { type: "boolean" };
    case "tinyint":
    case "smallint":
    case "int": {
      const [minimum, maximum] = INTEGER_RANGES[type.kind];
      return { type: "integer", minimum, maximum };
    }
    case "bigint":
      return type.mode === "number"
        ? { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
        : { type: "string", pattern: "^-?\\d{1,19}$" };
    case "float":
    case "double":
      // JSON has no other way to write what is not a finite number.
      return { anyOf: [{ type: "number" }, { enum: ["NaN", "Infinity", "-Infinity"] }] };
    case "char":
      return { type: "string", maxLength: type.length, ...enumOf(rules) };
    case "string":
      return { type: "string", ...enumOf(rules) };
    case "decimal":
      return type.mode === "number" ? { type: "number" } : { type: "string", pattern: decimalPattern(type) };
    case "date":
      return { type: "string", format: "date" };
    case "time":
      return { type: "string", pattern: `^${TIME}$` };
    case "timestamp":
      return { type: "string", pattern: `^${DATE}T${TIME}$` };
    case "timestampLtz":
      return { type: "string", format: "date-time" };
    case "binary":
    case "bytes":
      return { type: "string", contentEncoding: "base64" };
    case "array":
      return { type: "array", items: cell(type.element, rules?.element, target) };
    case "map":
      return mapSchema(type.key, type.value, rules, target);
    case "row":
      return rowSchema(type.fields, rules, target);
  }
}

function enumOf(rules: ValueRules | undefined): JsonSchema {
  return rules?.oneOf === undefined ? {} : { enum: [...rules.oneOf] };
}

function decimalPattern({ precision, scale }: { readonly precision: number; readonly scale: number }): string {
  const whole = precision === scale ? "0*" : `0*\\d{1,${precision - scale}}`;
  return scale === 0 ? `^-?${whole}$` : `^-?${whole === "0*" ? "0+" : whole}(\\.\\d{1,${scale}}0*)?$`;
}

/** Maps with text keys are objects, others lists of pairs. */
function mapSchema(key: DataType, inner: DataType, rules: ValueRules | undefined, target: string): JsonSchema {
  const values = cell(inner, rules?.mapValue, target);
  if (isTextKey(key)) {
    const names = rules?.mapKey?.oneOf;
    return {
      type: "object",
      additionalProperties: values,
      ...(names === undefined ? {} : { propertyNames: { enum: [...names] } }),
    };
  }
  const pair = [value(key, rules?.mapKey, target), values];
  const items = target === "draft-07"
    ? { type: "array", items: pair, minItems: 2, maxItems: 2 }
    : { type: "array", prefixItems: pair, minItems: 2, maxItems: 2 };
  return { type: "array", items };
}

/** Whether maps with such keys are objects in JSON. */
export function isTextKey(type: DataType): boolean {
  return type.kind === "string" || type.kind === "char";
}

function rowSchema(fields: readonly RowField[], rules: ValueRules | undefined, target: string): JsonSchema {
  const properties = fields.map(({ key, type, comment }): [string, JsonSchema] => [
    key,
    described(cell(type, rules?.fields?.get(key), target), comment),
  ]);
  return object(properties, fields.filter(({ type }) => !type.nullable).map(({ key }) => key));
}

function object(properties: readonly (readonly [string, JsonSchema])[], required: readonly string[]): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required: [...required] }),
    additionalProperties: false,
  };
}

function described(schema: JsonSchema, comment: string | undefined): JsonSchema {
  return comment === undefined ? schema : { description: comment, ...schema };
}
