/**
 * Rows as JSON: what `JSON.stringify` cannot do with bigint, Temporal and bytes.
 *
 * @module
 */
import { FlussValidationError, type ValidationIssue } from "../base/errors.ts";
import { definitionOf, nameOfTable, type TableDefinition } from "./definition.ts";
import type { AnyTable } from "./infer.ts";
import { at, fromJsonValue, JsonMismatch, type JsonValue, toJsonValue } from "./json_values.ts";
import { compileRowCheck } from "./row_check.ts";
import type { RowKind } from "./row_kind.ts";
import { checkCell, isRecord } from "./value_check.ts";

/** A row as JSON. */
export type JsonRow = { readonly [key: string]: JsonValue };

/** The type of a row of some kind. */
export type RowOfKind<T extends AnyTable, K extends RowKind> = K extends "row" ? T["$row"]
  : K extends "insert" ? T["$insert"]
  : K extends "patch" ? T["$patch"]
  : T["$key"];

/**
 * A row, or some columns of one, as JSON. BIGINT and DECIMAL are texts, dates and times ISO 8601 texts, bytes base64,
 * maps with text keys objects and other maps lists of pairs.
 *
 * @throws FlussValidationError `VALIDATION.FAILED` for a row that is not one of the table
 *
 * @example
 * ```ts
 * import { t, table, toJson } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 * toJson(users, { id: 1n, name: "Ada" }); // { id: "1", name: "Ada" }
 * ```
 */
export function toJson<T extends AnyTable>(table: T, row: Partial<T["$row"]>): JsonRow {
  const definition = definitionOf(table);
  const issues: ValidationIssue[] = [];
  const columns = new Map(definition.columns.map((column) => [column.key, column.type]));
  const entries = Object.entries(row).flatMap(([key, value]): [string, JsonValue][] => {
    const type = columns.get(key);
    const before = issues.length;
    if (type === undefined) issues.push({ message: "is not a column", path: [key] });
    else checkCell(type, value, [key], (message, path) => issues.push({ message, path }));
    return type === undefined || issues.length > before ? [] : [[key, toJsonValue(type, value)]];
  });
  if (issues.length > 0) throw refusal(definition, issues);
  return Object.fromEntries(entries);
}

/**
 * A row from JSON, checked.
 *
 * @param json what a JSON parser returned
 * @param kind what the row is for: `row` as it is read (the default), `insert`, `patch` or `key`
 * @throws FlussValidationError `VALIDATION.FAILED` with one issue per mistake
 *
 * @example
 * ```ts
 * import { fromJson, t, table } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 * fromJson(users, JSON.parse('{"id":"1"}'), "insert"); // { id: 1n }
 * ```
 */
export function fromJson<T extends AnyTable, const K extends RowKind = "row">(
  table: T,
  json: unknown,
  kind?: K,
): RowOfKind<T, K> {
  const definition = definitionOf(table);
  if (!isRecord(json)) {
    throw refusal(definition, [{ message: "expected an object with the table's columns", path: [] }]);
  }
  const issues: ValidationIssue[] = [];
  const columns = new Map(definition.columns.map((column) => [column.key, column.type]));
  const entries = Object.entries(json).map(([key, value]): [string, unknown] => {
    const type = columns.get(key);
    if (type === undefined) return [key, value];
    try {
      return [key, at(key, () => fromJsonValue(type, value))];
    } catch (error) {
      if (!(error instanceof JsonMismatch)) throw error;
      issues.push({ message: error.message, path: error.path });
      return [key, null];
    }
  });
  if (issues.length > 0) throw refusal(definition, issues);
  const row = Object.fromEntries(entries);
  const found = compileRowCheck(definition, kind ?? "row")(row);
  if (found.length > 0) throw refusal(definition, found);
  return row as RowOfKind<T, K>;
}

function refusal(definition: TableDefinition, issues: readonly ValidationIssue[]): FlussValidationError {
  const [first] = issues;
  const where = first!.path.length === 0 ? "the row" : `column ${JSON.stringify(first!.path.map(String).join("."))}`;
  return new FlussValidationError("VALIDATION.FAILED", {
    table: nameOfTable(definition),
    column: String(first!.path[0] ?? ""),
    message: `${where}: ${first!.message}`,
    issues,
  });
}
