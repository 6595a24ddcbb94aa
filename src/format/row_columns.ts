/**
 * Rows that did not come as columns, seen as columns.
 *
 * @module
 */
import type { SchemaColumn } from "../schema/data_type.ts";
import type { Column, Columns } from "./columns.ts";

type RowObject = Record<string, unknown>;

/** Columns over row objects, which have the keys of the schema. */
export function rowColumns(schema: readonly SchemaColumn[], rows: RowObject[]): Columns {
  return new RowColumns(schema, rows);
}

/** The row objects of columns that {@linkcode rowColumns} made, or undefined. */
export function rowsOf(columns: Columns): RowObject[] | undefined {
  return columns instanceof RowColumns ? columns.all : undefined;
}

class RowColumns implements Columns {
  readonly schema: readonly SchemaColumn[];
  readonly columns: readonly Column[];
  readonly all: RowObject[];

  constructor(schema: readonly SchemaColumn[], rows: RowObject[]) {
    this.schema = schema;
    this.all = rows;
    this.columns = schema.map(({ key }) => new RowColumn(rows, key));
  }

  get length(): number {
    return this.all.length;
  }

  rows(): Iterable<RowObject> {
    return this.all;
  }

  row(i: number): RowObject {
    return this.all[i]!;
  }
}

class RowColumn implements Column {
  readonly values: undefined = undefined;
  readonly raw: undefined = undefined;
  readonly #rows: readonly RowObject[];
  readonly #key: string;
  #nullCount: number | undefined;

  constructor(rows: readonly RowObject[], key: string) {
    this.#rows = rows;
    this.#key = key;
  }

  get length(): number {
    return this.#rows.length;
  }

  get nullCount(): number {
    return this.#nullCount ??= this.#rows.reduce((count, row) => row[this.#key] === null ? count + 1 : count, 0);
  }

  isNull(i: number): boolean {
    return this.get(i) === null;
  }

  get(i: number): unknown {
    return this.#rows[i]![this.#key];
  }

  toArray(): unknown[] {
    return this.#rows.map((row) => row[this.#key]);
  }
}
