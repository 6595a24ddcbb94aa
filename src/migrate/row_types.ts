/**
 * Row types written out, for those who do not want them inferred.
 *
 * @module
 */
import type { DataType } from "../schema/data_type.ts";
import type { ColumnDefinition } from "../schema/definition.ts";
import { keyText, literal, type NamedTable, upperFirst } from "./source.ts";

/** The module with two interfaces per table: rows as they are read, and as they are written. */
export function rowTypesSource(tables: readonly NamedTable[]): string {
  return `${tables.flatMap((table) => [...interfaces(table), ""]).join("\n").trimEnd()}\n`;
}

function interfaces({ name, constant, definition }: NamedTable): string[] {
  const base = upperFirst(constant);
  const isKey = ({ key }: ColumnDefinition) => definition.primaryKey.includes(key);
  const row = definition.columns.map((column) => {
    const nullable = column.type.nullable && !column.autoIncrement && !isKey(column);
    return `  ${keyText(column.key)}: ${valueText(column)}${nullable ? " | null" : ""};`;
  });
  const insert = definition.columns.filter(({ autoIncrement }) => !autoIncrement).map((column) => {
    const nullable = column.type.nullable && !isKey(column);
    return `  ${keyText(column.key)}${nullable ? "?" : ""}: ${valueText(column)}${nullable ? " | null" : ""};`;
  });
  return [
    `/** A row of the table ${commentText(name)}, as it is read. */`,
    `export interface ${base}Row {`,
    ...row,
    "}",
    "",
    `/** A row of the table ${commentText(name)}, as it is written. */`,
    `export interface ${base}Insert {`,
    ...insert,
    "}",
  ];
}

/** Text inside of a comment: it cannot end it. */
function commentText(text: string): string {
  return literal(text).replaceAll("*/", "*\\/");
}

function valueText({ type, oneOf }: ColumnDefinition): string {
  return oneOf === undefined ? typeText(type) : oneOf.map(literal).join(" | ");
}

function typeText(type: DataType): string {
  if (type.codec !== undefined) return "unknown";
  const nested = (inner: DataType) => inner.nullable ? `${typeText(inner)} | null` : typeText(inner);
  switch (type.mode) {
    case "number":
    case "days":
    case "millis":
    case "epochMillis":
      return "number";
    case "unscaled":
    case "epochMicros":
    case "epochNanos":
      return "bigint";
    case "string":
      return "string";
    case "date":
      return "Date";
  }
  switch (type.kind) {
    case "boolean":
      return "boolean";
    case "tinyint":
    case "smallint":
    case "int":
    case "float":
    case "double":
      return "number";
    case "bigint":
      return "bigint";
    case "char":
    case "string":
    case "decimal":
      return "string";
    case "date":
      return "Temporal.PlainDate";
    case "time":
      return "Temporal.PlainTime";
    case "timestamp":
      return "Temporal.PlainDateTime";
    case "timestampLtz":
      return "Temporal.Instant";
    case "binary":
    case "bytes":
      return "Uint8Array<ArrayBuffer>";
    case "array":
      return `(${nested(type.element)})[]`;
    case "map":
      return type.mode === "object"
        ? `Record<string, ${nested(type.value)}>`
        : `Map<${typeText(type.key)}, ${nested(type.value)}>`;
    case "row":
      return `{ ${type.fields.map((field) => `${keyText(field.key)}: ${nested(field.type)}`).join("; ")} }`;
  }
}
