/**
 * Naming rows in errors.
 *
 * @module
 */
import { ColumnError } from "../../base/column_error.ts";
import { flussError } from "../../base/errors.ts";
import type { TableDefinition } from "../../schema/definition.ts";
import type { Row } from "./table_codec.ts";

/** A row by its key, for messages: `{ id: 7n }`. */
export function rowText(definition: TableDefinition, row: Row): string {
  const parts = definition.primaryKey.map((key) => {
    const value = row[key];
    const text = typeof value === "string"
      ? JSON.stringify(value)
      : typeof value === "bigint"
      ? `${value}n`
      : plain(value);
    return `${key}: ${text.length > 40 ? `${text.slice(0, 37)}...` : text}`;
  });
  return `{ ${parts.join(", ")} }`;
}

/** A value whose own text throws must not hide the error that is being made. */
function plain(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** A codec's complaint, with the names that the codec does not know. Other errors pass. */
export function namedError(error: unknown, table: string, definition: TableDefinition, row: Row): unknown {
  if (!(error instanceof ColumnError)) return error;
  // Rows of logs have no key to name them by.
  const named = definition.primaryKey.length === 0 ? undefined : rowText(definition, row);
  return flussError(error.code, {
    table,
    column: error.column,
    row: named,
    message: `${named === undefined ? "" : `row ${named}, `}column "${error.column}": ${error.message}`,
    hint: error.hint,
  });
}
