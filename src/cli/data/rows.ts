/**
 * Rows of tables as they are printed.
 *
 * @module
 */
import type { DataType } from "../../schema/data_type.ts";
import type { ColumnDefinition } from "../../schema/definition.ts";
import type { UntypedRow } from "../../query/handle_types.ts";
import { jsonWriter, recordJson, textWriter } from "./cells.ts";
import type { OpenTable } from "./open_table.ts";
import type { RowForm } from "./output.ts";
import { unknownColumn } from "./pairs.ts";

const NUMBERS: readonly DataType["kind"][] = ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal"];

/** The form of rows of a table, or of some of its columns. */
export function tableRows(table: OpenTable, select?: readonly string[]): RowForm<UntypedRow> {
  const columns = chosenColumns(table, select);
  const texts = columns.map(({ key, type }) => [key, textWriter(type)] as const);
  const json = recordJson(columns.map(({ key, type }) => [key, jsonWriter(type)]));
  return {
    columns: columns.map(({ key, type }) => ({ name: key, right: NUMBERS.includes(type.kind) })),
    cells: (row) => texts.map(([key, write]) => row[key] === null ? null : write(row[key])),
    json,
  };
}

/**
 * The columns of a table that are printed.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function chosenColumns(
  { definition, name }: OpenTable,
  select?: readonly string[],
): readonly ColumnDefinition[] {
  return select === undefined ? definition.columns : select.map((key) => {
    const column = definition.columns.find((column) => column.key === key);
    if (column === undefined) throw unknownColumn(key, definition.columns, name);
    return column;
  });
}
