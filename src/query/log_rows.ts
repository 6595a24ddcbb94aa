/**
 * The rows of a scan that come from the log.
 *
 * @module
 */
import { serverError } from "../base/errors.ts";
import type { Deadline } from "../base/wait.ts";
import { type BucketRange, type LogChunk, LogReader, type LogSource } from "../client/read/log_reader.ts";
import type { RowsChunk, RowsSource } from "./rows_source.ts";
import { type ScanParts, tokenOf } from "./scan_parts.ts";
import { type BucketPart, planBuckets, type Planned, type ScanContext } from "./scan_plan.ts";
import { ScanPositions } from "./scan_positions.ts";

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
  readonly #doing: string;
  readonly #positions: ScanPositions;
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
    const only = parts.partition !== undefined || (typeof from === "object" && "offsets" in from) ||
      onlyInToken(parts, binding.name);
    this.#doing = `scanning ${binding.name}`;
    this.#reader = new LogReader(client, { signal, onGone: (range) => this.#gone ??= range });
    this.#positions = new ScanPositions(bound, only, buckets);
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
    if (chunk !== undefined) this.#positions.move(chunk, chunk.nextOffset);
    return chunk;
  }

  checkpoint(chunk: RowsChunk, passed: number | undefined): () => string {
    if (passed !== undefined) this.#positions.move(chunk, chunk.firstOffset! + BigInt(passed));
    return this.#positions.token();
  }

  close(): void {
    this.#reader.close();
  }
}

/** A scan that goes on from a token wants what the scan before it wanted. */
function onlyInToken({ from }: ScanParts, table: string): boolean {
  return typeof from === "object" && "token" in from && tokenOf(from.token, table).only === true;
}
