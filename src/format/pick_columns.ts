/**
 * Some columns of a batch, without the others.
 *
 * @module
 */
import type { SchemaColumn } from "../schema/data_type.ts";
import { arrowColumns } from "./arrow/arrow_column.ts";
import type { Columns } from "./columns.ts";
import { compileRowSource } from "./generate.ts";
import { rowColumns, rowsOf } from "./row_columns.ts";

/** Keeps the first `count` columns. What comes out is a view of what goes in. */
export function compileFirstColumns(count: number): (columns: Columns) => Columns {
  // Batches of one schema version share their schema, and what is compiled for it hangs on the array.
  const schemas = new WeakMap<readonly SchemaColumn[], readonly SchemaColumn[]>();
  return (columns) => {
    if (columns.schema.length === count) return columns;
    let schema = schemas.get(columns.schema);
    if (schema === undefined) schemas.set(columns.schema, schema = columns.schema.slice(0, count));
    const rows = rowsOf(columns);
    if (rows !== undefined) return rowColumns(schema, pickRows(schema, columns));
    return arrowColumns(schema, columns.columns.slice(0, count).map((column) => column.raw), columns.length);
  };
}

function pickRows(schema: readonly SchemaColumn[], columns: Columns): Record<string, unknown>[] {
  const sources = columns.columns.map((column) => ({
    form: "read" as const,
    validity: undefined,
    values: undefined,
    read: (i: number) => column.get(i),
  }));
  const row = compileRowSource(schema.map(({ key }) => key), schema.map(() => "read" as const))(sources);
  return Array.from({ length: columns.length }, (_, i) => row(i));
}
