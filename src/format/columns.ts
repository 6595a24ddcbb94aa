/**
 * Rows as columns: what batches of every log format become when they are read.
 *
 * @module
 */
import type { SchemaColumn } from "../schema/data_type.ts";
import type { RawColumn } from "./arrow/raw_column.ts";

/** A typed array over the values of a column. */
export type ColumnValues =
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** One column of some rows. */
export interface Column {
  /** The number of values, null ones included. */
  readonly length: number;
  /** How many of them are null. */
  readonly nullCount: number;
  /** Whether the value of row i is null. */
  isNull(i: number): boolean;
  /**
   * The value of row i as the JavaScript type that the table declares; null where it is null. 0 <= i < length is the
   * caller's duty.
   *
   * @throws {ColumnError} when JavaScript cannot hold the value in that form; rows and `toArray` throw it as well
   * @throws {FlussError} CODEC.CORRUPT_BATCH for a text that is not UTF-8
   */
  get(i: number): unknown;
  /** All values, as `get` gives them. */
  toArray(): unknown[];
  /**
   * The values as they lie in memory, for numbers, dates and times; what stands in the place of null means nothing.
   * Undefined for other types and for rows that did not come as columns.
   */
  readonly values: ColumnValues | undefined;
  /** The buffers, where the rows came as columns. */
  readonly raw: RawColumn | undefined;
}

/** Some rows as columns. */
export interface Columns {
  /** The number of rows. */
  readonly length: number;
  /** What the columns are, in the order of `columns`. */
  readonly schema: readonly SchemaColumn[];
  /** The columns. */
  readonly columns: readonly Column[];
  /** The row objects, made when asked for: all of them in order. */
  rows(): Iterable<Record<string, unknown>>;
  /** One row object. */
  row(i: number): Record<string, unknown>;
}
