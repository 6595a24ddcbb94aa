/**
 * One run of a scan: batches from wherever they come, filtered, with the selected columns, up to the limit.
 *
 * @module
 */
import type { Deadline } from "../base/wait.ts";
import { sliceRows, takeRows } from "../format/arrow/arrow_column.ts";
import type { Columns } from "../format/columns.ts";
import { compileFilter, type Filter } from "../format/filter.ts";
import { compileFirstColumns } from "../format/pick_columns.ts";
import { compileChecks, type RowChecks } from "../schema/checks.ts";
import type { SchemaColumn } from "../schema/data_type.ts";
import { RuntimeColumnBatch } from "./column_batch.ts";
import { KeyRows } from "./key_rows.ts";
import { openLog } from "./log_rows.ts";
import { openNewest } from "./newest_rows.ts";
import type { RowsChunk, RowsSource } from "./rows_source.ts";
import { onLiveTable, type Planned, planScan, type ScanContext } from "./scan_plan.ts";
import type { ScanParts } from "./scan_parts.ts";
import type { ScanOptions } from "./scan_types.ts";

/** What is done with every chunk. */
interface Work {
  readonly planned: Planned;
  readonly source: RowsSource;
  readonly filter: Filter | undefined;
  readonly pick: (columns: Columns) => Columns;
}

/** See the module. Nothing happens before the first call. */
export class ScanRun {
  readonly #context: ScanContext;
  readonly #parts: ScanParts;
  readonly #options: ScanOptions;
  readonly #checks: RowChecks | undefined;
  /** Ends what is being fetched: the caller's signal, or the end of the run. */
  readonly #ending = new AbortController();
  readonly #onAbort = (): void => this.#ending.abort(this.#options.signal!.reason);
  #work: Promise<Work> | undefined;
  /** The source, once there is one to close. */
  #source: RowsSource | undefined;
  #left: number;
  #over = false;
  /** Calls take turns. */
  #turn: Promise<unknown> | undefined;

  constructor(context: ScanContext, parts: ScanParts, options: ScanOptions) {
    this.#context = context;
    this.#parts = parts;
    this.#options = options;
    this.#left = parts.limit ?? Infinity;
    const { validate } = context.client.options;
    this.#checks = validate === "reads" || validate === "both" ? compileChecks(context.binding.definition) : undefined;
  }

  /** The columns of the batches. */
  async schema(): Promise<readonly SchemaColumn[]> {
    try {
      const { columns, selected } = (await this.#begin()).planned;
      return columns.slice(0, selected);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * The next batch that has rows; undefined at the end, and after `close()`.
   *
   * @throws what ended the run, once; it is closed then
   */
  next(): Promise<RuntimeColumnBatch | undefined> {
    const next = this.#turn === undefined ? this.#next() : this.#turn.then(() => this.#next());
    const turn = next.catch(() => {}).then(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
    this.#turn = turn;
    return next;
  }

  /** Ends fetches and waits, and lets everything go that is held. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#source?.close();
    this.#ending.abort();
  }

  async #next(): Promise<RuntimeColumnBatch | undefined> {
    if (this.#over) return undefined;
    try {
      const { source, filter, pick } = await this.#begin();
      while (!this.#over && this.#left > 0) {
        const chunk = source.tryNext() ?? await source.next(this.#deadline());
        if (chunk === undefined || this.#over) break;
        const batch = this.#batch(chunk, filter?.(chunk.columns), pick, source);
        if (batch.length === 0) continue;
        this.#left -= batch.length;
        if (this.#left === 0) this.close();
        return batch;
      }
      this.close();
      return undefined;
    } catch (error) {
      // Whoever closes the run wants no more of it, errors included.
      if (this.#over) return undefined;
      this.close();
      throw error;
    }
  }

  #batch(
    chunk: RowsChunk,
    matching: Int32Array | undefined,
    pick: (columns: Columns) => Columns,
    source: RowsSource,
  ): RuntimeColumnBatch {
    const { bucket, partition, firstOffset } = chunk;
    const count = matching?.length ?? chunk.columns.length;
    const wanted = Math.min(count, this.#left);
    const picked = pick(chunk.columns);
    const columns = matching === undefined
      ? sliceRows(picked, 0, wanted)
      : takeRows(picked, matching.subarray(0, wanted));
    // What is behind the last row of a limited scan was not given to anybody.
    const passed = wanted === count || wanted === 0 ? undefined : (matching?.[wanted - 1] ?? wanted - 1) + 1;
    const checkpoint = source.checkpoint?.(chunk, passed);
    const table = this.#context.binding.name;
    return new RuntimeColumnBatch({ columns, table, bucket, partition, firstOffset, checkpoint, checks: this.#checks });
  }

  #begin(): Promise<Work> {
    return this.#work ??= this.#open();
  }

  async #open(): Promise<Work> {
    const { client, binding } = this.#context;
    if (client.closedError !== undefined) throw client.closedError;
    const { signal } = this.#options;
    signal?.throwIfAborted();
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    const deadline = this.#deadline();
    const { planned, source } = await onLiveTable(this.#context, async () => {
      const planned = await planScan(this.#context, this.#parts, deadline);
      return { planned, source: await this.#sourceOf(planned, deadline) };
    });
    this.#source = source;
    if (this.#over) source.close();
    const filter = this.#parts.where === undefined
      ? undefined
      : compileFilter(this.#parts.where, planned.columns, binding.name);
    return { planned, source, filter, pick: compileFirstColumns(planned.selected) };
  }

  async #sourceOf(planned: Planned, deadline: Deadline): Promise<RowsSource> {
    const context = this.#context;
    const parts = this.#parts;
    const { signal } = this.#ending;
    if (context.binding.definition.primaryKey.length > 0) {
      return new KeyRows(context, parts, planned, { signal, timeoutMs: this.#options.timeoutMs });
    }
    return parts.last === undefined
      ? await openLog(context, parts, planned, signal, deadline)
      : await openNewest(context, parts, planned, parts.last, deadline);
  }

  #deadline(): Deadline {
    return this.#context.client.cluster.deadline({
      signal: this.#ending.signal,
      timeoutMs: this.#options.timeoutMs,
    });
  }
}
