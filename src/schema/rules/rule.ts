/**
 * The form of a rule of valid tables, and what rules share.
 *
 * @module
 */
import type { ErrorCode } from "../../base/error_table.ts";
import type { DataType } from "../data_type.ts";
import type { ColumnDefinition, TableDefinition } from "../definition.ts";
import { suggestion } from "../suggest.ts";
import type { Finding } from "../violation.ts";

/** One rule, as data. */
export interface Rule {
  /** A name for people and tests: `partition-key-in-primary-key`. */
  readonly name: string;
  /** The error code of a table that breaks it. */
  readonly code: ErrorCode;
  /**
   * The number that a server of 0.9.1 answers with when it is asked to create such a table. Absent where it accepts the
   * table and cannot use it, or where JavaScript alone is concerned.
   */
  readonly serverCode?: number;
  /** Finds what breaks it. Rules run on any definition, also on one that breaks others. */
  readonly find: (table: TableDefinition) => Iterable<Finding>;
}

/** Whether the table has a primary key. */
export function isKeyed(table: TableDefinition): boolean {
  return table.primaryKey.length > 0;
}

/** The columns with these keys, in that order; unknown ones are another rule's matter. */
export function columnsOf(table: TableDefinition, keys: readonly string[]): ColumnDefinition[] {
  return keys.flatMap((key) => table.columns.find((column) => column.key === key) ?? []);
}

/** `did you mean "id"?`, or the columns there are. */
export function columnSuggestion(table: TableDefinition, key: string): string {
  return suggestion(key, table.columns.map((column) => column.key), "columns");
}

/** A name in quotes. */
export function quoted(name: string): string {
  return JSON.stringify(name);
}

/** Names in quotes, with commas. */
export function list(names: readonly string[]): string {
  return names.map(quoted).join(", ");
}

/** Whether values of the type are made of other values; servers have no order and no key form for them. */
export function isNested(type: DataType): boolean {
  return type.kind === "array" || type.kind === "map" || type.kind === "row";
}

/** A type inside of a column, and the path to it: `items[].sku`. */
export interface PlacedType {
  readonly type: DataType;
  readonly path: string;
}

/** The type of a column and every type inside of it, from the outside in. */
export function* typesOf(type: DataType, path: string): Iterable<PlacedType> {
  yield { type, path };
  if (type.kind === "array") yield* typesOf(type.element, `${path}[]`);
  if (type.kind === "map") {
    yield* typesOf(type.key, `${path}[key]`);
    yield* typesOf(type.value, `${path}[value]`);
  }
  if (type.kind === "row") { for (const field of type.fields) yield* typesOf(field.type, `${path}.${field.key}`); }
}

/** The names that occur more than once. */
export function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
