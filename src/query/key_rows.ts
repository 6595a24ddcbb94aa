/**
 * The current rows of a primary-key table, bucket by bucket.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { CallOptions, Deadline } from "../base/wait.ts";
import { kvScan } from "../client/read/kv_scan.ts";
import { limitScan } from "../client/read/limit_scan.ts";
import { sliceRows } from "../format/arrow/arrow_column.ts";
import type { RowsChunk, RowsSource } from "./rows_source.ts";
import type { Planned, ScanContext } from "./scan_plan.ts";
import type { ScanParts } from "./scan_parts.ts";

/** See the module. */
export class KeyRows implements RowsSource {
  readonly #context: ScanContext;
  readonly #parts: ScanParts;
  readonly #planned: Planned;
  readonly #options: CallOptions;
  readonly #chunks: AsyncGenerator<RowsChunk, void>;
  /** That of the call that waits. */
  #deadline!: Deadline;

  /** @param options `timeoutMs` is for each request */
  constructor(context: ScanContext, parts: ScanParts, planned: Planned, options: CallOptions) {
    this.#context = context;
    this.#parts = parts;
    this.#planned = planned;
    this.#options = options;
    const { limit, where } = parts;
    this.#chunks = planned.source === "key-value scan"
      ? this.#byKvScan()
      : limit !== undefined && where === undefined
      ? this.#first(limit)
      : this.#byLimitScan();
  }

  tryNext(): undefined {}

  async next(deadline: Deadline): Promise<RowsChunk | undefined> {
    this.#deadline = deadline;
    return (await this.#chunks.next()).value ?? undefined;
  }

  close(): void {
    this.#chunks.return().catch(() => {});
  }

  async *#byKvScan(): AsyncGenerator<RowsChunk, void> {
    const { bound, buckets, columns } = this.#planned;
    for (const ref of buckets) {
      for await (const rows of kvScan(this.#context.client, bound, ref, columns, this.#options)) {
        yield { ...ref, firstOffset: undefined, columns: rows.columns };
      }
    }
  }

  /** The first rows of one bucket after the other, as many as are wanted. */
  async *#first(limit: number): AsyncGenerator<RowsChunk, void> {
    let left = limit;
    for (const ref of this.#planned.buckets) {
      const columns = await this.#limitScan(ref, left);
      left -= columns.length;
      yield { ...ref, firstOffset: undefined, columns };
      if (left <= 0) return;
    }
  }

  /** Whole buckets: an answer that has fewer rows than it was allowed to have proves that it has all. */
  async *#byLimitScan(): AsyncGenerator<RowsChunk, void> {
    const { fullScanRows } = this.#context.client.options.scanner;
    for (const ref of this.#planned.buckets) {
      const columns = await this.#limitScan(ref, fullScanRows + 1);
      if (columns.length <= fullScanRows) {
        yield { ...ref, firstOffset: undefined, columns };
        continue;
      }
      // The first rows that match may be among those that are known to be the first.
      if (this.#parts.limit !== undefined) {
        yield { ...ref, firstOffset: undefined, columns: sliceRows(columns, 0, fullScanRows) };
      }
      const { partition, bucket } = ref;
      throw flussError("SCAN.FULL_SCAN_UNSUPPORTED", {
        table: this.#context.binding.name,
        partition,
        bucket,
        message: `bucket ${bucket} has more than ${fullScanRows} rows (scanner.fullScanRows), and the server has no ` +
          "scan of its own",
      });
    }
  }

  async #limitScan(ref: Planned["buckets"][number], limit: number): Promise<RowsChunk["columns"]> {
    const { bound, columns } = this.#planned;
    const [rows] = await limitScan(this.#context.client, bound, ref, limit, columns, this.#deadline);
    return rows!.columns;
  }
}
