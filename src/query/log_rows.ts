/**
 * The rows of a scan that come from the log.
 *
 * @module
 */
import { serverError } from "../base/errors.ts";
import type { Deadline } from "../base/wait.ts";
import { type BucketRange, type LogChunk, LogReader, type LogSource } from "../client/read/log_reader.ts";
import type { RowsChunk, RowsSource } from "./rows_source.ts";
import { bucketName, type BucketPart, planBuckets, type Planned, type ScanContext } from "./scan_plan.ts";
import type { ScanParts } from "./scan_parts.ts";
import { type TokenPosition, writeToken } from "./token.ts";

/** Opens the log; the ends of the buckets are fixed here. */
export async function openLog(
  context: ScanContext,
  parts: ScanParts,
  planned: Planned,
  signal: AbortSignal,
  deadline: Deadline,
): Promise<RowsSource> {
  const buckets = await planBuckets(context, parts, planned, deadline);
  return new LogRows(context, parts, planned, buckets, signal);
}

class LogRows implements RowsSource {
  readonly #planned: Planned;
  readonly #reader: LogReader;
  /** Only the buckets of the scan are in its tokens. */
  readonly #only: boolean;
  readonly #doing: string;
  /** Where each bucket stands, and where it is in the list. */
  readonly #positions: TokenPosition[];
  readonly #places: ReadonlyMap<string, number>;
  #gone: BucketRange | undefined;

  constructor(
    { client, binding }: ScanContext,
    parts: ScanParts,
    planned: Planned,
    buckets: readonly BucketPart[],
    signal: AbortSignal,
  ) {
    const { bound, columns, pruned } = planned;
    const { from } = parts;
    this.#planned = planned;
    this.#only = parts.partition !== undefined || (typeof from === "object" && !("timestamp" in from));
    this.#doing = `scanning ${binding.name}`;
    this.#reader = new LogReader(client, { signal, onGone: (range) => this.#gone ??= range });
    this.#positions = buckets.map(({ partition, partitionId, bucket, start }) => {
      return { partition, partitionId, bucket, offset: start };
    });
    this.#places = new Map(buckets.map((bucket, i) => [bucketName(bucket), i]));
    const source: LogSource = { bound, columns, filter: pruned };
    for (const { start, stop, ...bucket } of buckets) {
      if (start < stop && stop > 0n) this.#reader.add({ ...bucket, source, start, stop });
    }
  }

  tryNext(): RowsChunk | undefined {
    return this.#passed(this.#reader.tryNext());
  }

  async next(deadline: Deadline): Promise<RowsChunk | undefined> {
    const chunk = this.#passed(await deadline.wait(this.#reader.next(), this.#doing));
    if (chunk === undefined && this.#gone !== undefined) {
      const { partition } = this.#gone;
      throw serverError(36, undefined, { doing: this.#doing, table: this.#planned.bound.target.name, partition });
    }
    return chunk;
  }

  #passed(chunk: LogChunk | undefined): LogChunk | undefined {
    if (chunk !== undefined) this.#move(chunk, chunk.nextOffset);
    return chunk;
  }

  #move(chunk: RowsChunk, offset: bigint): void {
    const place = this.#places.get(bucketName(chunk))!;
    this.#positions[place] = { ...this.#positions[place]!, offset };
  }

  checkpoint(chunk: RowsChunk, passed: number | undefined): () => string {
    if (passed !== undefined) this.#move(chunk, chunk.firstOffset! + BigInt(passed));
    const { target, codec } = this.#planned.bound;
    // The positions move on; the text is made when somebody asks for it.
    const positions = this.#positions.slice();
    const table = {
      table: target.name,
      tableId: target.tableId,
      schemaId: codec.layout.schemaId,
      only: this.#only,
      positions,
    };
    return () => writeToken([table]);
  }

  close(): void {
    this.#reader.close();
  }
}
