/**
 * What a table handle can do, as types: which methods exist follows from the declaration of the table.
 *
 * A method that the table cannot have is a `FlussTypeError` whose text says why; called all the same, it throws the
 * same text.
 *
 * @module
 */
import type { CallOptions } from "../base/wait.ts";
import type { WriteAck } from "../client/write/ack.ts";
import type { AppendReceipt, ArrowSource } from "./append_batches.ts";
import type { $ } from "../schema/column.ts";
import type { AnyTable, Flat, FlussTypeError, KeyOf as Name, TableTraits } from "../schema/infer.ts";
import type { ChangeOf, ChangesOptions, Subscription, UntypedChange, UntypedChangesOptions } from "./change_types.ts";
import type { Scan } from "./scan_types.ts";

/** The selected columns of a row; the row itself, by its own name, when all are selected. */
export type Picked<R, S> = [keyof R] extends [S] ? R : Flat<Pick<R, S & keyof R>>;
/** Rows to write, at once or as they come. */
export type Rows<R> = Iterable<R> | AsyncIterable<R>;

/** Options of a read. */
export interface ReadOptions<S> extends CallOptions {
  /** The columns to read. Others are not decoded. Default: all. */
  readonly select?: readonly S[];
}

/** Options of a lookup. */
export interface LookupOptions<S, M> extends ReadOptions<S> {
  /**
   * True: when the row is not there the server inserts it, with the key, generated columns and nulls, and answers that
   * row. Needs a table in which every other column is nullable. Default false.
   */
  readonly insertIfMissing?: M;
}

/** A writer for one fixed set of columns, from {@linkcode PrimaryKeyHandle.writer}. */
export interface ColumnWriter<R> {
  /** As `update()`, with exactly the columns of this writer. */
  update(row: R): WriteAck;
}

/** The operations of every table. */
export interface ReadHandle<T extends AnyTable> {
  /**
   * A bounded read: of the log of a log table, of the current rows of a primary-key table. Nothing is read until the scan
   * is iterated, or one of its methods that read is called.
   */
  scan(): Scan<T, Name<T["$row"]>>;
  /**
   * The changes of the table as they happen, from where `from` says on. Order holds per bucket only. Nothing is read until
   * the subscription is iterated.
   *
   * @throws FlussUsageError `SUBSCRIPTION.BAD_OPTIONS`, `SCAN.*`, `PREDICATE.*`; FlussSubscriptionError
   * `SUBSCRIPTION.BAD_TOKEN`
   */
  changes<const S extends Name<T["$row"]> = Name<T["$row"]>, const W extends boolean = false>(
    options?: ChangesOptions<T, S, W>,
  ): Subscription<ChangeOf<T, S, W>>;
}

/** The operations of every table with a primary key. */
export interface PrimaryKeyHandle<T extends AnyTable> extends ReadHandle<T> {
  /**
   * Queues a row: it replaces the row with its key, or is merged with it as the table's merge engine says. The row is
   * checked and encoded before this returns.
   *
   * @throws FlussUsageError `WRITE.UNKNOWN_COLUMN`, `WRITE.UNDEFINED_VALUE`, `WRITE.MISSING_COLUMN`, ...
   * @throws FlussCodecError `CODEC.OUT_OF_RANGE`, `CODEC.NULL`, ...
   * @throws FlussWriteError `WRITE.QUEUE_FULL`, with nothing queued: await `db.ready`
   */
  upsert(row: T["$insert"]): WriteAck;
  /** Queues rows no faster than they are written, and resolves when all of them are acknowledged. */
  upsertAll(rows: Rows<T["$insert"]>, options?: CallOptions): Promise<{ rows: number }>;
  /** A stream of rows to upsert, with backpressure; closing it waits for the acks of all rows. */
  writable(): WritableStream<T["$insert"]>;
  /**
   * Queues a partial update: the columns that `patch` has are written, null clears, the others stay. It creates the row
   * if it is not there. Keep the number of different column sets small, each needs batches of its own.
   */
  readonly update: UpdateOf<T>;
  /** A writer for one set of columns, which stays the same whatever a row leaves out. */
  readonly writer: WriterOf<T>;
  /** Queues the removal of a row. */
  readonly delete: DeleteOf<T>;
  /**
   * The row with this key, or null. Lookups of one tick share requests.
   *
   * `signal` and `timeoutMs` end the wait; a missing row that `insertIfMissing` asked for may still be inserted.
   */
  lookup<const S extends Name<T["$row"]> = Name<T["$row"]>, const M extends boolean = false>(
    key: T["$key"],
    options?: LookupOptions<S, M>,
  ): Promise<Picked<T["$row"], S> | (M extends true ? never : null)>;
  /** The rows with these keys, or null, in the order of the keys. */
  lookupMany<const S extends Name<T["$row"]> = Name<T["$row"]>>(
    keys: readonly T["$key"][],
    options?: ReadOptions<S>,
  ): Promise<(Picked<T["$row"], S> | null)[]>;
  /** All rows of a bucket key (and partition), in the order of their encoded keys. */
  readonly prefixLookup: PrefixLookupOf<T>;
  /** Rows of primary-key tables are upserted. */
  readonly append: FlussTypeError<"primary-key tables are written with upsert()">;
}

/** Why `update()` is missing where one row per key wins. */
export type NoUpdates = FlussTypeError<"first_row and versioned tables reject partial updates">;
/** The columns that rule `update()` out. */
export type NotNullOf<T extends AnyTable> = T[typeof $]["nn"] & string;
/** The merge engine of a table. */
export type Engine<T extends AnyTable> = T[typeof $]["e"];
/** The merge engines that keep one of the rows with a key as it is. */
export type OnePerKey = "first_row" | { readonly versioned: string };

/** `update()`, where the table can have it. */
export type UpdateOf<T extends AnyTable> = Engine<T> extends OnePerKey ? NoUpdates
  : [T[typeof $]["nn"]] extends [never] ? (patch: T["$patch"]) => WriteAck
  : FlussTypeError<`update() needs every non-key column nullable; NOT NULL: ${NotNullOf<T>}`>;

/** `writer()`, where the table can have it. */
export type WriterOf<T extends AnyTable> = Engine<T> extends OnePerKey ? NoUpdates
  : [T[typeof $]["nn"]] extends [never] ? <const C extends Exclude<Name<T["$patch"]>, keyof T["$key"]>>(
      options: { readonly columns: readonly C[] },
    ) => ColumnWriter<
      Flat<T["$key"] & { [K in C]: Exclude<T["$patch"][K], undefined> }>
    >
  : FlussTypeError<`update() needs every non-key column nullable; NOT NULL: ${NotNullOf<T>}`>;

/** `delete()`, where the table can have it. */
export type DeleteOf<T extends AnyTable> = Engine<T> extends OnePerKey
  ? FlussTypeError<"first_row and versioned tables reject deletes">
  : [T[typeof $]["g"]] extends [never]
    ? (T[typeof $]["d"] extends "disable" ? FlussTypeError<'the table is declared with deleteBehavior: "disable"'>
      : [Engine<T>, T[typeof $]["d"]] extends ["aggregation", undefined]
        ? FlussTypeError<'aggregation tables ignore deletes unless they are declared with deleteBehavior: "allow"'>
      : (key: T["$key"]) => WriteAck)
  : FlussTypeError<"the server cannot delete rows of tables with an auto-increment column">;

/** `prefixLookup()`, where the table can have it. */
export type PrefixLookupOf<T extends AnyTable> = [T["$prefix"]] extends [never]
  ? FlussTypeError<"prefixLookup() needs a bucketKey that is a proper leading part of primaryKey">
  : <const S extends Name<T["$row"]> = Name<T["$row"]>>(
    prefix: T["$prefix"],
    options?: ReadOptions<S>,
  ) => Promise<Picked<T["$row"], S>[]>;

/** The handle of a log table. */
export interface LogHandle<T extends AnyTable> extends ReadHandle<T> {
  /**
   * Queues a row: it is added to the end of the log of one bucket. The row is checked and encoded before this returns.
   * The bucket is the one of the row's bucket key, or any, where the table has none.
   *
   * @throws FlussUsageError `WRITE.UNKNOWN_COLUMN`, `WRITE.UNDEFINED_VALUE`, `WRITE.MISSING_COLUMN`, ...
   * @throws FlussCodecError `CODEC.OUT_OF_RANGE`, `CODEC.NULL`, ...
   * @throws FlussWriteError `WRITE.QUEUE_FULL`, with nothing queued: await `db.ready`
   */
  append(row: T["$insert"]): WriteAck;
  /** Queues rows no faster than they are written, and resolves when all of them are acknowledged. */
  appendAll(rows: Rows<T["$insert"]>, options?: CallOptions): Promise<{ rows: number }>;
  /** A stream of rows to append, with backpressure; closing it waits for the acks of all rows. */
  writable(): WritableStream<T["$insert"]>;
  /**
   * Appends columns: Arrow IPC, or batches of a scan. They are checked, split by buckets and sent without becoming rows
   * (in the ARROW log format), and the call resolves when all of them are acknowledged. A batch that is refused ends the
   * call; batches before it may be written, and the error says how many rows were.
   *
   * @throws FlussUsageError `ARROW.SCHEMA_MISMATCH`, `ARROW.NOT_SUPPORTED`
   * @throws FlussCodecError `CODEC.NULL` for null in a NOT NULL column, `CODEC.CORRUPT_BATCH`
   *
   * @example
   * ```ts
   * import { connect, t, table } from "sluice";
   *
   * const clicks = table("web.clicks", { url: t.string().notNull(), ms: t.int() });
   *
   * export async function load(url: string, stream: ReadableStream<Uint8Array>): Promise<number> {
   *   await using db = await connect(url);
   *   return (await db.table(clicks).appendBatches(stream)).rows;
   * }
   * ```
   */
  appendBatches(source: ArrowSource, options?: CallOptions): Promise<AppendReceipt>;
  /** Log tables are append-only. */
  readonly upsert: FlussTypeError<"log tables are append-only: use append()">;
  /** Log tables are append-only. */
  readonly update: FlussTypeError<"log tables are append-only: use append()">;
  /** Log tables are append-only. */
  readonly delete: FlussTypeError<"log tables are append-only: use append()">;
  /** Log tables have no keys. */
  readonly lookup: FlussTypeError<"log tables have no primary key">;
  /** Log tables have no keys. */
  readonly prefixLookup: FlussTypeError<"log tables have no primary key">;
}

/** The handle that a table's declaration calls for. */
export type TableHandle<T extends AnyTable> = [T[typeof $]["pk"]] extends [never] ? LogHandle<T> : PrimaryKeyHandle<T>;

/** A row of a table that no declaration describes. */
export type UntypedRow = Record<string, unknown>;

/** A column of a table that no declaration describes: it has all comparisons, and they are checked at run time. */
export interface UntypedColumn {
  /** Types alone; there is no such property. */
  readonly [$]: { readonly v: unknown; readonly n: boolean; readonly g: boolean; readonly o: "str" };
}

/** A table that no declaration describes. */
export interface UntypedTable extends AnyTable {
  /** Any column may be there. */
  readonly columns: Readonly<Record<string, UntypedColumn>>;
  /** A row as it is read. */
  readonly $row: UntypedRow;
  /** What its handles depend on: nothing is ruled out. */
  readonly [$]: TableTraits<never, never, unknown, unknown, unknown, unknown>;
}

/** A handle made from a live table alone: all operations, checked at run time. */
export interface UntypedHandle {
  /** As {@linkcode ReadHandle.scan}. */
  scan(): Scan<UntypedTable, string>;
  /** As {@linkcode ReadHandle.changes}. */
  changes(options?: UntypedChangesOptions): Subscription<UntypedChange>;
  /** As {@linkcode LogHandle.append}. */
  append(row: UntypedRow): WriteAck;
  /** As {@linkcode LogHandle.appendAll}. */
  appendAll(rows: Rows<UntypedRow>, options?: CallOptions): Promise<{ rows: number }>;
  /** As {@linkcode LogHandle.appendBatches}. */
  appendBatches(source: ArrowSource, options?: CallOptions): Promise<AppendReceipt>;
  /** As {@linkcode PrimaryKeyHandle.upsert}. */
  upsert(row: UntypedRow): WriteAck;
  /** As {@linkcode PrimaryKeyHandle.upsertAll}. */
  upsertAll(rows: Rows<UntypedRow>, options?: CallOptions): Promise<{ rows: number }>;
  /** As {@linkcode PrimaryKeyHandle.writable}. */
  writable(): WritableStream<UntypedRow>;
  /** As {@linkcode PrimaryKeyHandle.update}. */
  update(patch: UntypedRow): WriteAck;
  /** As {@linkcode PrimaryKeyHandle.writer}. */
  writer(options: { readonly columns: readonly string[] }): ColumnWriter<UntypedRow>;
  /** As {@linkcode PrimaryKeyHandle.delete}. */
  delete(key: UntypedRow): WriteAck;
  /** As {@linkcode PrimaryKeyHandle.lookup}. */
  lookup(key: UntypedRow, options?: LookupOptions<string, boolean>): Promise<UntypedRow | null>;
  /** As {@linkcode PrimaryKeyHandle.lookupMany}. */
  lookupMany(keys: readonly UntypedRow[], options?: ReadOptions<string>): Promise<(UntypedRow | null)[]>;
  /** As {@linkcode PrimaryKeyHandle.prefixLookup}. */
  prefixLookup(prefix: UntypedRow, options?: ReadOptions<string>): Promise<UntypedRow[]>;
}
