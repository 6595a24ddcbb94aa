/**
 * Rows as words of a command line: `id=1 name=Ada tags:='["a"]'`.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";
import type { ColumnDefinition } from "../../schema/definition.ts";
import { JsonMismatch } from "../../schema/json_values.ts";
import { jsonReader, parseJson, textReader } from "./cells.ts";
import type { OpenTable } from "./open_table.ts";
import { badUsage } from "./values.ts";

/** For the help of commands that take pairs. */
export const PAIRS_TEXT = 'column=value, or column:=json: name=Ada, name:=null, tags:=\'["a","b"]\'';

/**
 * Reads the words as a row, or a part of one. Its values may still be outside of their types.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function readPairs(words: readonly string[], { definition, name }: OpenTable): Record<string, unknown> {
  const row = new Map<string, unknown>();
  for (const word of words) {
    const column = columnOf(word, definition.columns, name);
    if (row.has(column.key)) throw badUsage(`the column ${JSON.stringify(column.key)} is given twice`);
    const rest = word.slice(column.key.length);
    try {
      row.set(
        column.key,
        rest.startsWith(":=")
          ? jsonReader(column.type)(parseJson(rest.slice(2)))
          : textReader(column.type)(rest.slice(1)),
      );
    } catch (error) {
      if (!(error instanceof JsonMismatch)) throw error;
      throw flussError("CLI.BAD_USAGE", {
        table: name,
        column: column.key,
        message: `column ${JSON.stringify(column.key)}: ${error.message}`,
        hint: `for example ${exampleOf(column)}`,
      });
    }
  }
  return Object.fromEntries(row);
}

/** The column that a word begins with: the longest name, because names may have a `=` in them. */
function columnOf(word: string, columns: readonly ColumnDefinition[], table: string): ColumnDefinition {
  const found = columns
    .filter(({ key }) => word.startsWith(`${key}=`) || word.startsWith(`${key}:=`))
    .sort((a, b) => b.key.length - a.key.length)[0];
  return found ?? fail(word, columns, table);
}

function fail(word: string, columns: readonly ColumnDefinition[], table: string): never {
  const name = /^(.*?):?=/s.exec(word)?.[1];
  throw name === undefined
    ? badUsage(`${JSON.stringify(word)} is not column=value`, PAIRS_TEXT)
    : unknownColumn(name, columns, table);
}

/** A column that the table does not have. */
export function unknownColumn(name: string, columns: readonly ColumnDefinition[], table: string): FlussError {
  return flussError("CLI.BAD_USAGE", {
    table,
    column: name,
    message: `there is no column ${JSON.stringify(name)}`,
    hint: `the columns are ${columns.map(({ key }) => key).join(", ")}`,
  });
}

function exampleOf({ key, type }: ColumnDefinition): string {
  const values: Partial<Record<typeof type.kind, string>> = {
    boolean: "true",
    float: "1.5",
    double: "1.5",
    binary: "AQID",
    bytes: "AQID",
  };
  switch (type.kind) {
    case "array":
      return `${key}:='[...]'`;
    case "map":
    case "row":
      return `${key}:='{...}'`;
    default:
      return `${key}=${values[type.kind] ?? "42"}`;
  }
}
