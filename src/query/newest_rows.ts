/**
 * The newest rows of a log table, over all of its buckets.
 *
 * @module
 */
import type { Deadline } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import { limitScan, type ScannedRows } from "../client/read/limit_scan.ts";
import { fetchOffsets } from "../client/read/offsets.ts";
import { type BucketRef, EARLIEST } from "../client/read/ranges.ts";
import type { BoundTable } from "../client/table/bound_table.ts";
import { sliceRows } from "../format/arrow/arrow_column.ts";
import type { SchemaColumn } from "../schema/data_type.ts";
import type { RowsChunk, RowsSource } from "./rows_source.ts";
import type { Planned, ScanContext } from "./scan_plan.ts";
import type { ScanParts } from "./scan_parts.ts";
import { ScanPositions } from "./scan_positions.ts";

/** Buckets that are asked at a time. */
const TOGETHER = 16;
/** The largest number that a request can hold. */
const MAX_LIMIT = 2 ** 31 - 1;

/** The last rows of one bucket, oldest first, with how many of them were not taken. */
export interface Tail {
  readonly ref: BucketRef;
  readonly parts: readonly ScannedRows[];
  /** The last part with rows that were not taken; -1 when there is none. */
  part: number;
  /** How many rows of it were not taken. */
  left: number;
}

/** Rows of one part, one after the other. */
export interface Run {
  readonly tail: Tail;
  readonly part: number;
  readonly from: number;
  /** The row behind the last one. */
  readonly to: number;
}

/** Finds the newest `count` rows: by the time of their batch, then by their offset. */
export async function openNewest(
  { client }: ScanContext,
  parts: ScanParts,
  planned: Planned,
  count: number,
  deadline: Deadline,
): Promise<RowsSource> {
  const { bound, buckets, columns } = planned;
  const tails: Tail[] = [];
  for (let at = 0; at < buckets.length; at += TOGETHER) {
    const some = buckets.slice(at, at + TOGETHER);
    tails.push(...await Promise.all(some.map((ref) => tailOf(client, bound, ref, count, columns, deadline))));
  }
  return new NewestRows(bound, parts, tails, newestRuns(tails, count));
}

async function tailOf(
  client: FlussClient,
  bound: BoundTable,
  ref: BucketRef,
  count: number,
  columns: readonly SchemaColumn[],
  deadline: Deadline,
): Promise<Tail> {
  for (let limit = Math.min(count, MAX_LIMIT);; limit = Math.min(limit * 4, MAX_LIMIT)) {
    const parts = await limitScan(client, bound, ref, limit, columns, deadline);
    const tail = { ref, parts, part: parts.length - 1, left: parts.at(-1)?.columns.length ?? 0 };
    const rows = parts.reduce((sum, { columns }) => sum + columns.length, 0);
    const first = parts[0]?.firstOffset ?? 0n;
    if (rows >= count || first === 0n || limit === MAX_LIMIT) return tail;
    // Offsets without a row make the server's answer short, and then it is asked for more of them.
    const [earliest] = await fetchOffsets(client, bound, [ref], "earliest", deadline);
    if (first <= earliest!) return tail;
  }
}

/** Takes rows from the ends of the buckets, so that each keeps its order whatever its times are. */
export function newestRuns(tails: readonly Tail[], count: number): Run[] {
  const runs: Run[] = [];
  for (let left = count; left > 0;) {
    const tail = newest(tails);
    if (tail === undefined) break;
    const time = timeOf(tail);
    const alone = !tails.some((other) => other !== tail && other.part >= 0 && timeOf(other) === time);
    const { part } = tail;
    const taken = alone ? Math.min(left, tail.left) : 1;
    const last = runs.at(-1);
    const from = tail.left - taken;
    if (last?.tail === tail && last.part === part) runs[runs.length - 1] = { ...last, from };
    else runs.push({ tail, part, from, to: tail.left });
    left -= taken;
    tail.left = from;
    while (tail.left === 0 && tail.part >= 0) {
      tail.part--;
      tail.left = tail.part < 0 ? 0 : tail.parts[tail.part]!.columns.length;
    }
  }
  return runs.reverse();
}

function newest(tails: readonly Tail[]): Tail | undefined {
  let best: Tail | undefined;
  for (const tail of tails) {
    if (tail.part < 0) continue;
    if (best === undefined) best = tail;
    else {
      const difference = timeOf(tail) - timeOf(best);
      if (difference > 0 || (difference === 0 && offsetOf(tail) > offsetOf(best))) best = tail;
    }
  }
  return best;
}

function timeOf({ parts, part }: Tail): number {
  return parts[part]!.timestamp!;
}

/** The offset of the next row to take. */
function offsetOf({ parts, part, left }: Tail): bigint {
  return parts[part]!.firstOffset! + BigInt(left - 1);
}

class NewestRows implements RowsSource {
  readonly #positions: ScanPositions;
  #runs: readonly Run[];
  #at = 0;

  constructor(bound: BoundTable, { partition }: ScanParts, tails: readonly Tail[], runs: readonly Run[]) {
    this.#runs = runs;
    // Before the first batch a bucket stands before its first row that is given, or behind its last one.
    const starts = tails.map((tail) => {
      const run = runs.find((run) => run.tail === tail);
      const last = tail.parts.at(-1);
      const start = run !== undefined
        ? tail.parts[run.part]!.firstOffset! + BigInt(run.from)
        : last === undefined
        ? EARLIEST
        : last.firstOffset! + BigInt(last.columns.length);
      return { ...tail.ref, start };
    });
    this.#positions = new ScanPositions(bound, partition !== undefined, starts);
  }

  tryNext(): RowsChunk | undefined {
    const run = this.#runs[this.#at];
    if (run === undefined) return undefined;
    this.#at++;
    const { ref, parts } = run.tail;
    const { columns, firstOffset } = parts[run.part]!;
    this.#positions.move(ref, firstOffset! + BigInt(run.to));
    return { ...ref, firstOffset: firstOffset! + BigInt(run.from), columns: sliceRows(columns, run.from, run.to) };
  }

  next(): Promise<RowsChunk | undefined> {
    return Promise.resolve(this.tryNext());
  }

  checkpoint(): () => string {
    return this.#positions.token();
  }

  close(): void {
    this.#runs = [];
  }
}
