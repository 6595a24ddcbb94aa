/**
 * Columns over Arrow buffers.
 *
 * @module
 */
import { inColumn } from "../../base/column_error.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { Column, Columns, ColumnValues } from "../columns.ts";
import { compileRowSource } from "../generate.ts";
import { rowColumns, rowsOf } from "../row_columns.ts";
import type { ColumnForm, ColumnSource, RowSource } from "../row_plan.ts";
import { type ColumnReader, columnReader, columnSource } from "./column_reader.ts";
import { type ArrowLayout, arrowLayout, nullRaw } from "./layout.ts";
import type { RawColumn } from "./raw_column.ts";
import { takeRaw } from "./take.ts";

/** One column of a schema, prepared for all batches that have it. */
interface ColumnPlan {
  readonly key: string;
  readonly layout: ArrowLayout;
  readonly reader: ColumnReader;
}

/** A schema, prepared for all batches that have it. */
interface SchemaPlan {
  readonly columns: readonly ColumnPlan[];
  /** By which columns are null because the batch has none of them. */
  readonly rowSources: Map<string, RowSource>;
}

const plans = new WeakMap<readonly SchemaColumn[], SchemaPlan>();

function planOf(schema: readonly SchemaColumn[]): SchemaPlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = {
      columns: schema.map(({ key, type }) => ({ key, layout: arrowLayout(type), reader: columnReader(type) })),
      rowSources: new Map(),
    };
    plans.set(schema, plan);
  }
  return plan;
}

/**
 * Columns over buffers. What a schema needs is made once and kept with the array, so callers should keep the array.
 *
 * Values are made when they are asked for, and only then a {@linkcode ColumnError} may come: the column's key is in it.
 *
 * @param schema what the columns are, in order
 * @param raw their buffers, laid out as the types say; undefined for a column of nulls only
 * @param length the number of rows
 */
export function arrowColumns(
  schema: readonly SchemaColumn[],
  raw: readonly (RawColumn | undefined)[],
  length: number,
): Columns {
  const plan = planOf(schema);
  const columns = plan.columns.map((column, i) => {
    const buffers = raw[i];
    return buffers === undefined ? new NullColumn(length, column.layout) : new ArrowColumn(column, buffers);
  });
  return new ArrowColumns(schema, plan, columns, length);
}

/**
 * The rows at these places, in this order, as columns of their own.
 *
 * @param columns what {@linkcode arrowColumns} or `rowColumns` made
 * @param indices places of rows, each within the columns; they may repeat
 */
export function takeRows(columns: Columns, indices: Int32Array): Columns {
  const rows = rowsOf(columns);
  if (rows !== undefined) return rowColumns(columns.schema, Array.from(indices, (i) => rows[i]!));
  const plan = planOf(columns.schema);
  const raw = columns.columns.map((column, i) =>
    column instanceof NullColumn ? undefined : takeRaw(column.raw!, plan.columns[i]!.layout, indices)
  );
  return arrowColumns(columns.schema, raw, indices.length);
}

/** The rows from `from` up to but without `to`; the same columns where that is all of them. */
export function sliceRows(columns: Columns, from: number, to: number): Columns {
  if (from === 0 && to === columns.length) return columns;
  const indices = new Int32Array(to - from);
  for (let i = 0; i < indices.length; i++) indices[i] = from + i;
  return takeRows(columns, indices);
}

class ArrowColumn implements Column, ColumnSource {
  readonly length: number;
  readonly nullCount: number;
  readonly raw: RawColumn;
  readonly form: "values" | "read";
  readonly validity: Uint8Array | undefined;
  readonly values: ColumnValues | undefined;
  readonly read: (i: number) => unknown;
  readonly #key: string;

  constructor(plan: ColumnPlan, raw: RawColumn) {
    const { form, validity, values, read } = columnSource(plan.reader, raw);
    this.length = raw.length;
    this.nullCount = raw.nullCount;
    this.raw = raw;
    this.form = form as "values" | "read";
    this.validity = validity;
    this.values = values as ColumnValues | undefined;
    this.read = read;
    this.#key = plan.key;
  }

  isNull(i: number): boolean {
    return this.validity !== undefined && (this.validity[i >> 3]! & (1 << (i & 7))) === 0;
  }

  get(i: number): unknown {
    if (this.isNull(i)) return null;
    if (this.form === "values") return this.values![i];
    try {
      return this.read(i);
    } catch (error) {
      throw inColumn(error, this.#key);
    }
  }

  toArray(): unknown[] {
    const { length, validity, read } = this;
    const array: unknown[] = new Array(length);
    try {
      if (validity === undefined) { for (let i = 0; i < length; i++) array[i] = read(i); }
      else {
        for (let i = 0; i < length; i++) array[i] = (validity[i >> 3]! & (1 << (i & 7))) === 0 ? null : read(i);
      }
    } catch (error) {
      throw inColumn(error, this.#key);
    }
    return array;
  }
}

/** A column that the batch does not have, because it was added to the table later. */
class NullColumn implements Column, ColumnSource {
  readonly length: number;
  readonly form = "null";
  readonly validity: undefined = undefined;
  readonly values: undefined = undefined;
  readonly #layout: ArrowLayout;
  #raw: RawColumn | undefined;

  constructor(length: number, layout: ArrowLayout) {
    this.length = length;
    this.#layout = layout;
  }

  get nullCount(): number {
    return this.length;
  }

  /** Made when it is asked for: few ask. */
  get raw(): RawColumn {
    return this.#raw ??= nullRaw(this.#layout, this.length);
  }

  isNull(): boolean {
    return true;
  }

  get(): unknown {
    return null;
  }

  read(): unknown {
    return null;
  }

  toArray(): unknown[] {
    return new Array(this.length).fill(null);
  }
}

class ArrowColumns implements Columns {
  readonly length: number;
  readonly schema: readonly SchemaColumn[];
  readonly columns: readonly (ArrowColumn | NullColumn)[];
  readonly #plan: SchemaPlan;
  #row: ((i: number) => Record<string, unknown>) | undefined;

  constructor(
    schema: readonly SchemaColumn[],
    plan: SchemaPlan,
    columns: readonly (ArrowColumn | NullColumn)[],
    length: number,
  ) {
    this.schema = schema;
    this.columns = columns;
    this.length = length;
    this.#plan = plan;
  }

  row(i: number): Record<string, unknown> {
    return (this.#row ??= this.#makeRow())(i);
  }

  rows(): Iterable<Record<string, unknown>> {
    const { length } = this;
    const row = this.#row ??= this.#makeRow();
    return { [Symbol.iterator]: () => new RowIterator(row, length) };
  }

  #makeRow(): (i: number) => Record<string, unknown> {
    const { columns } = this.#plan;
    const forms = this.columns.map((column): ColumnForm => column.form);
    const shape = forms.join();
    let source = this.#plan.rowSources.get(shape);
    if (source === undefined) {
      source = compileRowSource(columns.map((column) => column.key), forms);
      this.#plan.rowSources.set(shape, source);
    }
    return source(this.columns);
  }
}

/** Gives one row after the other; several times as fast as a generator. */
class RowIterator implements Iterator<Record<string, unknown>, undefined> {
  readonly #row: (i: number) => Record<string, unknown>;
  readonly #length: number;
  #at = 0;

  constructor(row: (i: number) => Record<string, unknown>, length: number) {
    this.#row = row;
    this.#length = length;
  }

  next(): IteratorResult<Record<string, unknown>, undefined> {
    if (this.#at >= this.#length) return { done: true, value: undefined };
    return { done: false, value: this.#row(this.#at++) };
  }
}
