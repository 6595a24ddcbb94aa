/**
 * Batches of rows as columns, as users hold them.
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";
import { flussError, FlussValidationError, type ValidationIssue } from "../base/errors.ts";
import { ipcBatch, ipcEnd, ipcSchema } from "../format/arrow/ipc_writer.ts";
import type { Column, Columns, ColumnValues } from "../format/columns.ts";
import type { RowChecks } from "../schema/checks.ts";
import type { SchemaColumn } from "../schema/data_type.ts";

/** One column of a {@linkcode ColumnBatch}. */
export interface BatchColumn<V> extends Iterable<V> {
  /** The number of values, nulls included. */
  readonly length: number;
  /** How many of them are null. */
  readonly nullCount: number;
  /**
   * The values as they lie in memory, for whole numbers, floats, dates and times with one number per value; what stands
   * in the place of a null means nothing. Undefined for other types, and for rows that did not come as columns. It is a
   * view of the batch: reading it costs nothing, and nobody should write to it.
   */
  readonly values: ColumnValues | undefined;
  /**
   * The value of one row.
   *
   * @throws FlussUsageError `SCAN.ROW_OUT_OF_RANGE`
   */
  get(row: number): V;
  /** Whether the value of one row is null. */
  isNull(row: number): boolean;
  /** All values. */
  toArray(): V[];
}

/**
 * Some rows as columns, all of one bucket, in its order. Iterating makes the row objects, which is the fast way to rows;
 * where columns are enough no row is made.
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 *
 * const clicks = table("web.clicks", { url: t.string().notNull(), ms: t.int() });
 *
 * export async function total(url: string): Promise<number> {
 *   await using db = await connect(url);
 *   let sum = 0;
 *   for await (const batch of db.table(clicks).scan().select("ms").batches()) {
 *     for (const ms of batch.column("ms")) sum += ms ?? 0;
 *   }
 *   return sum;
 * }
 * ```
 */
export interface ColumnBatch<R> extends Iterable<R> {
  /** The number of rows. */
  readonly length: number;
  /** The columns, in the order of `select`, or of the declaration. */
  readonly schema: readonly SchemaColumn[];
  /** Their keys. */
  readonly keys: readonly string[];
  /** The bucket that the rows come from. */
  readonly bucket: number;
  /** The partition by its name, where the table is partitioned. */
  readonly partition: string | undefined;
  /**
   * The offset of the first record that was read for this batch; rows that `where` dropped count. Undefined for current
   * rows of a primary-key table, which are in no log.
   */
  readonly firstOffset: bigint | undefined;
  /**
   * A resume token: a scan from it reads what follows this batch, in all buckets of the scan.
   *
   * @throws FlussUsageError `SCAN.NO_CHECKPOINT` for current rows of a primary-key table
   */
  readonly checkpoint: string;
  /**
   * One column.
   *
   * @throws FlussUsageError `SCAN.UNKNOWN_COLUMN`
   */
  column<X extends keyof R & string>(name: X): BatchColumn<R[X]>;
  /** The batch as an Arrow IPC stream of its own: schema, one record batch, end. */
  toIPC(): Uint8Array<ArrayBuffer>;
}

/** What a batch is made of. */
export interface BatchParts {
  readonly columns: Columns;
  readonly table: string;
  readonly bucket: number;
  readonly partition: string | undefined;
  readonly firstOffset: bigint | undefined;
  /** Makes the token when it is asked for; undefined for current rows. */
  readonly checkpoint: (() => string) | undefined;
  /** The checks of the declaration, where the connection runs them on what is read. */
  readonly checks?: RowChecks | undefined;
}

/** See {@linkcode ColumnBatch}. */
export class RuntimeColumnBatch implements ColumnBatch<Record<string, unknown>> {
  readonly #parts: BatchParts;

  constructor(parts: BatchParts) {
    this.#parts = parts;
  }

  /** The columns of a batch; undefined for anything else. */
  static columnsOf(batch: unknown): Columns | undefined {
    return typeof batch === "object" && batch !== null && #parts in batch ? batch.#parts.columns : undefined;
  }

  get length(): number {
    return this.#parts.columns.length;
  }

  get schema(): readonly SchemaColumn[] {
    return this.#parts.columns.schema;
  }

  get keys(): readonly string[] {
    return this.schema.map((column) => column.key);
  }

  get bucket(): number {
    return this.#parts.bucket;
  }

  get partition(): string | undefined {
    return this.#parts.partition;
  }

  get firstOffset(): bigint | undefined {
    return this.#parts.firstOffset;
  }

  get checkpoint(): string {
    const { checkpoint, table } = this.#parts;
    if (checkpoint !== undefined) return checkpoint();
    throw flussError("SCAN.NO_CHECKPOINT", { table, message: "current rows have no position in a log" });
  }

  column(name: string): BatchColumn<never> {
    const { columns, table } = this.#parts;
    const at = columns.schema.findIndex((column) => column.key === name);
    if (at >= 0) {
      return new RuntimeBatchColumn(columns.columns[at]!, this.#parts, name) as BatchColumn<unknown> as never;
    }
    throw flussError("SCAN.UNKNOWN_COLUMN", {
      table,
      column: name,
      message: `the batch has no column "${name}"`,
      hint: `its columns are ${this.keys.join(", ")}`,
    });
  }

  /** The record batch alone, for a stream that has its schema already. */
  toRecordBatch(): Uint8Array<ArrayBuffer> {
    return ipcBatch(this.#parts.columns);
  }

  toIPC(): Uint8Array<ArrayBuffer> {
    const parts = [ipcSchema(this.schema), this.toRecordBatch(), ipcEnd()];
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  [Symbol.iterator](): Iterator<Record<string, unknown>> {
    const { columns, checks } = this.#parts;
    return new BatchRows(columns.rows()[Symbol.iterator](), this.#parts, checks);
  }

  /** What inspection shows. */
  toJSON(): unknown {
    const { bucket, partition, firstOffset, keys, length } = this;
    return { bucket, partition, firstOffset: firstOffset?.toString(), keys, length };
  }
}

/** The rows of a batch, one after the other, with names put to what goes wrong. */
class BatchRows implements Iterator<Record<string, unknown>, undefined> {
  readonly #rows: Iterator<Record<string, unknown>, undefined>;
  readonly #parts: BatchParts;
  readonly #checks: RowChecks | undefined;

  constructor(
    rows: Iterator<Record<string, unknown>, undefined>,
    parts: BatchParts,
    checks: RowChecks | undefined,
  ) {
    this.#rows = rows;
    this.#parts = parts;
    this.#checks = checks;
  }

  next(): IteratorResult<Record<string, unknown>, undefined> {
    let step: IteratorResult<Record<string, unknown>, undefined>;
    try {
      step = this.#rows.next();
    } catch (error) {
      throw namedValue(error, this.#parts);
    }
    if (this.#checks !== undefined && step.done !== true) refuseRow(this.#checks(step.value), this.#parts);
    return step;
  }
}

/** Where a row was read, for messages. */
export type RowPlace = Pick<BatchParts, "table" | "bucket" | "partition">;

/** Throws what the checks of a declaration say of a stored row, if they say something. */
export function refuseRow(issues: ValidationIssue[] | undefined, { table, bucket, partition }: RowPlace): void {
  if (issues === undefined) return;
  const { path, message } = issues[0]!;
  throw new FlussValidationError("VALIDATION.FAILED", {
    table,
    bucket,
    partition,
    message: `a stored row was refused: column "${path.map(String).join(".")}": ${message}`,
    issues,
  });
}

/** A codec's complaint about a stored value, with the names that the codec does not know. Other errors pass. */
export function namedValue(error: unknown, { table, bucket, partition }: RowPlace): unknown {
  if (!(error instanceof ColumnError)) return error;
  const { code, column, message, hint, cause } = error;
  return flussError(code, {
    table,
    bucket,
    partition,
    column,
    message: `a row of bucket ${bucket}, column "${column}": ${message}`,
    hint,
    cause,
  });
}

class RuntimeBatchColumn implements BatchColumn<unknown> {
  readonly #column: Column;
  readonly #parts: BatchParts;
  readonly #name: string;

  constructor(column: Column, parts: BatchParts, name: string) {
    this.#column = column;
    this.#parts = parts;
    this.#name = name;
  }

  get length(): number {
    return this.#column.length;
  }

  get nullCount(): number {
    return this.#column.nullCount;
  }

  get values(): ColumnValues | undefined {
    return this.#column.values;
  }

  get(row: number): unknown {
    this.#check(row);
    try {
      return this.#column.get(row);
    } catch (error) {
      throw namedValue(error, this.#parts);
    }
  }

  isNull(row: number): boolean {
    this.#check(row);
    return this.#column.isNull(row);
  }

  toArray(): unknown[] {
    try {
      return this.#column.toArray();
    } catch (error) {
      throw namedValue(error, this.#parts);
    }
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.toArray()[Symbol.iterator]();
  }

  #check(row: number): void {
    if (Number.isInteger(row) && row >= 0 && row < this.#column.length) return;
    throw flussError("SCAN.ROW_OUT_OF_RANGE", {
      table: this.#parts.table,
      column: this.#name,
      message: `there is no row ${row} in a batch of ${this.#column.length} rows`,
    });
  }
}

/** The columns behind a batch of ours; undefined for anything else. */
export function columnsOf(batch: unknown): Columns | undefined {
  return RuntimeColumnBatch.columnsOf(batch);
}
