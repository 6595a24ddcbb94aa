/**
 * One bucket in the file: what is known of it without reading its batches and rows.
 *
 * @module
 */
import type { BucketId } from "../storage.ts";
import { FileLog } from "./log.ts";
import { FileRows } from "./rows.ts";
import type { RowChanges } from "./row_changes.ts";
import type { Statements } from "./statements.ts";

/** What buckets share. */
export interface Shared {
  readonly statements: Statements;
  /** What was written to rows since the last commit. */
  readonly changes: RowChanges;
  /** Buckets that were written to since the last commit. */
  readonly touched: Set<FileBucket>;
  /** The number of the next batch's bytes. */
  nextBytes: number;
}

/** The fields that are stored. */
export interface BucketState {
  readonly start: number;
  readonly end: number;
  readonly lastTimestamp: number;
  readonly size: number;
  readonly count: number;
}

const EMPTY: BucketState = { start: 0, end: 0, lastTimestamp: -1, size: 0, count: 0 };

/** See the module. */
export class FileBucket {
  readonly id: BucketId;
  /** Names it in the file; never used again. */
  readonly number: number;
  readonly log: FileLog;
  readonly rows: FileRows;

  constructor(shared: Shared, number: number, id: BucketId) {
    this.number = number;
    this.id = id;
    this.log = new FileLog(shared, this);
    this.rows = new FileRows(shared, this);
  }

  /** Goes back to what is stored; without a state, nothing is. */
  reset(state: BucketState = EMPTY): void {
    this.log.reset(state);
    this.rows.reset(state);
  }

  /** Stores what was written since the last commit, but for the rows. */
  store({ putBucket }: Statements): void {
    this.log.store();
    const { log, id } = this;
    const { start, end, lastTimestamp, size } = log;
    putBucket.run(
      this.number,
      id.tableId,
      id.partitionId ?? null,
      id.bucket,
      start,
      end,
      lastTimestamp,
      size,
      this.rows.count,
    );
  }
}
