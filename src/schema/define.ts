/**
 * From what was given to `table()` to a definition that is known to be valid.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";
import { check } from "./check.ts";
import { type ColumnSpec, specOf } from "./column_spec.ts";
import { type ColumnDefinition, nameOfTable, type TableDefinition } from "./definition.ts";
import { readOptions } from "./read_options.ts";
import type { Finding, Violation } from "./violation.ts";

/**
 * Makes and checks a definition.
 *
 * @throws FlussUsageError with the code of the first rule that is broken
 */
export function define(name: unknown, columns: unknown, options: unknown): TableDefinition {
  if (typeof name !== "string") {
    throw invalid(undefined, {
      message: `the name of a table is text, not ${name === null ? "null" : typeof name}`,
      hint: 'write table("shop.orders", ...)',
    });
  }
  const specs = readColumns(name, columns);
  const parts = readOptions(options, (key) => specs.find((column) => column.key === key)?.spec.name ?? key);
  if ("violations" in parts) throw failure(name, parts.violations[0]!);
  const dot = name.indexOf(".");
  const definition: TableDefinition = {
    ...(dot < 0 ? { name } : { database: name.slice(0, dot), name: name.slice(dot + 1) }),
    columns: specs.map(({ key, spec }) => columnDefinition(key, spec, parts.primaryKey.includes(key))),
    ...parts,
  };
  const [first] = check(definition);
  if (first !== undefined) throw failure(nameOfTable(definition), first);
  return Object.freeze(definition);
}

/**
 * Makes and checks columns that are added to a table.
 *
 * @throws FlussUsageError with the code of the first rule that is broken
 */
export function defineColumns(table: string, columns: unknown): ColumnDefinition[] {
  const defined = readColumns(table, columns).map(({ key, spec }) => columnDefinition(key, spec, false));
  if (defined.length === 0) return defined;
  // What belongs to the whole table is the server's to judge: it alone knows the rest of it.
  const alone = defined.map(({ aggregate: _, ...column }) => ({ ...column, autoIncrement: false }));
  const parts = readOptions({}, (key) => key);
  if ("violations" in parts) throw failure(table, parts.violations[0]!);
  const [first] = check({ name: "added", columns: alone, ...parts });
  if (first !== undefined) throw failure(table, first);
  return defined;
}

interface NamedSpec {
  readonly key: string;
  readonly spec: ColumnSpec;
}

function readColumns(table: string, columns: unknown): NamedSpec[] {
  if (typeof columns !== "object" || columns === null || Array.isArray(columns)) {
    throw invalid(table, { message: "the columns of a table are an object", hint: "write { id: t.bigint() }" });
  }
  if (specOf(Object.getPrototypeOf(columns)) !== undefined) {
    throw invalid(table, { message: "a column called __proto__ was lost", hint: 'write ["__proto__"]: t.string()' });
  }
  return Object.entries(columns).map(([key, column]) => {
    const spec = specOf(column);
    if (spec === undefined) {
      const what = column === null ? "null" : typeof column;
      throw invalid(table, {
        column: key,
        message: `column "${key}" is not a column but ${what}`,
        hint: "make it with t, such as t.string()",
      });
    }
    if (/^(?:0|[1-9]\d*)$/.test(key) && Number(key) < 4294967295) {
      throw invalid(table, {
        column: key,
        message: `JavaScript moves the key "${key}" in front of the others, so the order of the columns is lost`,
        hint: `use another key: c${key}: t.string().name("${key}")`,
      });
    }
    const [misplaced] = spec.misplaced;
    if (misplaced !== undefined) {
      throw invalid(table, {
        column: key,
        message: `${key}${misplaced} means nothing inside of another type`,
        hint: "leave it out, or call it on the column",
      });
    }
    return { key, spec };
  });
}

function columnDefinition(key: string, spec: ColumnSpec, isKey: boolean): ColumnDefinition {
  const { type, name = key, comment, aggregate, autoIncrement, rules } = spec;
  // A server writes no row of a table whose generated column is NOT NULL (observed on 0.9.1), and it is never null.
  const nullable = autoIncrement ? true : isKey ? false : type.nullable;
  return {
    ...rules,
    key,
    name,
    type: nullable === type.nullable ? type : { ...type, nullable },
    ...(comment === undefined ? {} : { comment }),
    ...(aggregate === undefined ? {} : { aggregate }),
    autoIncrement,
  };
}

function invalid(table: string | undefined, finding: Finding): FlussError {
  return flussError("SCHEMA.INVALID", { ...finding, table });
}

function failure(table: string, { code, message, hint, column }: Violation): FlussError {
  return flussError(code, { table, message, hint, column });
}
