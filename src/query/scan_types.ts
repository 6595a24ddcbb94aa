/**
 * Scans as users write them: values that say what to read, and what ends them.
 *
 * @module
 */
import type { CallOptions } from "../base/wait.ts";
import type { Predicate } from "../format/predicate.ts";
import type { $ } from "../schema/column.ts";
import type { AnyTable, FlussTypeError, KeyOf as Name } from "../schema/infer.ts";
import type { ColumnBatch } from "./column_batch.ts";
import type { Picked } from "./handle_types.ts";
import type { Condition, Refs } from "./predicate_refs.ts";
import type { ScanFrom, Until } from "./read_position.ts";

/** How a scan may be ended early. */
export interface ScanOptions extends CallOptions {
  /** Ends the scan: what is being fetched is given up, and the call rejects with the signal's own reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The longest wait for the next rows, in milliseconds; a scan as a whole may take longer. Defaults to the
   * connection's `requestTimeoutMs`.
   */
  readonly timeoutMs?: number | undefined;
}

/** What a scan does where. */
export interface ScanPlan {
  /**
   * How rows are fetched: from the log; as the last rows of each bucket, or the first ones by the server's limit scan;
   * or by its scan of all current rows.
   */
  readonly source: "log" | "limit scan" | "key-value scan";
  /** How rows are stored there. */
  readonly format: "arrow" | "indexed" | "compacted";
  /** The columns that are decoded, also those that only `where` needs. */
  readonly columns: readonly string[];
  /** How many buckets are read. */
  readonly buckets: number;
  /** What the server does. */
  readonly pushedDown: string[];
  /** What is left to do here. */
  readonly clientSide: string[];
}

/**
 * A bounded read of a table, with order within each bucket. A scan is a value: every refinement returns a new one, and
 * each iteration, and each call that reads, is a read of its own. Nothing is read before that.
 *
 * On log tables it reads the log, from where it says to what is the end when reading begins. On primary-key tables it
 * reads the current rows; their history is read with `changes()`.
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 *
 * const clicks = table("web.clicks", { url: t.string().notNull(), ms: t.int() });
 *
 * export async function slow(url: string): Promise<string[]> {
 *   await using db = await connect(url);
 *   const scan = db.table(clicks).scan().select("url", "ms").where((c) => c.ms.gt(100).and(c.url.startsWith("/buy")));
 *   const urls: string[] = [];
 *   for await (const row of scan.limit(100)) urls.push(row.url);
 *   return urls;
 * }
 * ```
 *
 * @typeParam T the table
 * @typeParam S the keys of the selected columns
 */
export interface Scan<T extends AnyTable, S> extends AsyncIterable<Picked<T["$row"], S>> {
  /**
   * The columns to read, in this order; the others are neither sent, where the server can leave them out, nor decoded.
   * Calling it again replaces the selection.
   *
   * @throws FlussUsageError `SCAN.UNKNOWN_COLUMN`, `SCAN.BAD_SELECT`
   */
  select<const X extends Name<T["$row"]>>(...columns: X[]): Scan<T, X>;
  /**
   * The rows to read; called again, both conditions must hold. Columns that are not selected can be compared too.
   *
   * @throws FlussUsageError `PREDICATE.*`, and FlussCodecError `CODEC.*` for values that the column cannot have
   */
  where(condition: ((columns: Refs<T["columns"]>) => Condition) | Predicate): Scan<T, S>;
  /**
   * At most so many rows: the first ones that match, in the order of reading, which is no order over buckets.
   *
   * @throws FlussUsageError `SCAN.BAD_LIMIT`, `SCAN.CONFLICT`
   */
  limit(rows: number): Scan<T, S>;
  /** The newest rows of a log table, the oldest of them first. */
  readonly last: LastOf<T, S>;
  /** The rows of one partition. */
  readonly partition: PartitionOf<T, S>;
  /** Where to start in the log. Default `"earliest"`. */
  readonly from: FromOf<T, S>;
  /** Where to end in the log, exclusive. Default `"latest"`: what is the end when reading begins. */
  readonly until: UntilOf<T, S>;
  /** All rows. Mind the memory: a scan can be larger than it. */
  toArray(options?: ScanOptions): Promise<Picked<T["$row"], S>[]>;
  /** The first row, or null. */
  first(options?: ScanOptions): Promise<Picked<T["$row"], S> | null>;
  /** The number of rows. Columns are decoded only for `where`. */
  count(options?: ScanOptions): Promise<number>;
  /** The rows as columns: the fast way, also to rows, because a batch makes them without a promise for each. */
  batches(options?: ScanOptions): AsyncIterable<ColumnBatch<Picked<T["$row"], S>>>;
  /** The rows as an Arrow IPC stream, which Arrow tools read. Cancelling the stream ends the scan. */
  ipc(options?: ScanOptions): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What the server would do, and what would be done here. Looks at the table and reads no row. */
  explain(options?: ScanOptions): Promise<ScanPlan>;
}

/** `last()`, where the table can have it. */
export type LastOf<T extends AnyTable, S> = [T[typeof $]["pk"]] extends [never] ? (rows: number) => Scan<T, S>
  : FlussTypeError<"last() reads the newest rows of log tables; current rows have no age">;

/** `from()`, where the table can have it. */
export type FromOf<T extends AnyTable, S> = [T[typeof $]["pk"]] extends [never] ? (position: ScanFrom) => Scan<T, S>
  : FlussTypeError<"a scan of a primary-key table reads its current rows: use changes() to read its log">;

/** `until()`, where the table can have it. */
export type UntilOf<T extends AnyTable, S> = [T[typeof $]["pk"]] extends [never] ? (position: Until) => Scan<T, S>
  : FlussTypeError<"a scan of a primary-key table reads its current rows: use changes() to read its log">;

/** `partition()`, where the table can have it. */
export type PartitionOf<T extends AnyTable, S> = [keyof T["$partition"]] extends [never]
  ? FlussTypeError<"the table is not partitioned">
  : (values: T["$partition"]) => Scan<T, S>;
