/**
 * One bucket of a reader: what was fetched of it and not delivered yet, where fetching and delivering stand.
 *
 * @module
 */
import { ColumnError } from "../../base/column_error.ts";
import { FlussError, flussError } from "../../base/errors.ts";
import { sliceRows } from "../../format/arrow/arrow_column.ts";
import type { Columns } from "../../format/columns.ts";
import { checkCrc, type LogBatch, logBatchAt, logBatchSize } from "../../format/log_batch.ts";
import type { Schemas } from "../cluster/tables.ts";
import type { PartitionTarget } from "../table/target.ts";
import type { FetchShape } from "./fetch_message.ts";
import { type Held, releaseOne } from "./held_bytes.ts";
import type { LogSource, SourcePlan } from "./log_source.ts";
import { type BucketRef, EARLIEST } from "./ranges.ts";

/** The part of a bucket's log that is to be read. */
export interface BucketRange extends BucketRef {
  /** The table and what is wanted of it. */
  readonly source: LogSource;
  /** The first offset, or {@linkcode EARLIEST}. */
  readonly start: bigint;
  /** The offset behind the last one; undefined reads on and on. */
  readonly stop: bigint | undefined;
}

/** Rows of one bucket, one after the other in its log. */
export interface LogChunk {
  /** The source of the range. */
  readonly source: LogSource;
  /** The partition's name, where the table is partitioned. */
  readonly partition: string | undefined;
  /** The bucket. */
  readonly bucket: number;
  /** The offset of row 0; row i has the offset `firstOffset + i`. */
  readonly firstOffset: bigint;
  /** Where reading goes on: behind the last row, and behind empty batches that follow it. */
  readonly nextOffset: bigint;
  /** When the server committed the rows, in milliseconds since 1970. */
  readonly timestamp: number;
  /** One of the `CHANGE_` constants for each row; undefined when all are appends. */
  readonly changeTypes: Uint8Array | undefined;
  /** The rows. */
  readonly columns: Columns;
  /** The offset behind the last record of the bucket that could be read when last heard of. */
  readonly highWatermark: bigint;
}

/** Batches of one answer or one piece of a remote segment. */
interface Segment {
  readonly bytes: Uint8Array;
  readonly shape: FetchShape;
  readonly held: Held;
  /** Where reading goes on behind it. */
  readonly end: bigint;
  /** How far it was delivered. */
  at: number;
  /** The batch at `at`, once its header was read. */
  batch: LogBatch | undefined;
}

/** What became of records that were added. */
export type Added = "advanced" | "nothing" | "cut";

/** See the module. */
export class LogCursor {
  readonly range: BucketRange;
  readonly target: PartitionTarget;
  readonly plan: SourcePlan;
  /** The next offset to fetch. */
  position: bigint;
  /** The next offset to deliver. */
  next: bigint;
  /** The offset behind the last record that can be read; -1 before the first answer. */
  highWatermark = -1n;
  /** Where the range ends; undefined while it does not. */
  stop: bigint | undefined;
  /** Why there will be no more; thrown once everything before it was delivered. */
  failure: unknown;
  /** An answer had no room for the next batch: it goes alone next time. */
  starved = false;
  /** Whole records are fetched until batches are newer than the wanted columns. */
  unprojected = false;
  /** Waits in the line of those that have something to deliver. */
  queued = false;
  /** Nothing more is delivered. */
  over = false;
  /** Failures in a row. */
  attempts = 0;
  /** A schema that has to be asked for before the next batch can be decoded. */
  missingSchema: number | undefined;
  readonly #schemas: Schemas;
  readonly #checkCrc: boolean;
  #segments: Segment[] = [];

  constructor(range: BucketRange, plan: SourcePlan, schemas: Schemas, checkCrc: boolean) {
    this.range = range;
    this.plan = plan;
    this.target = range.source.bound.partition(range.partition);
    this.position = range.start;
    this.next = range.start;
    this.stop = range.stop;
    this.#schemas = schemas;
    this.#checkCrc = checkCrc;
  }

  /** One text per bucket of the cluster, to match answers by. */
  get key(): string {
    const { partitionId, bucket } = this.range;
    return bucketKey(this.target.table.tableId, partitionId, bucket);
  }

  /** What is asked for next. */
  get shape(): FetchShape {
    return this.unprojected ? this.plan.whole : this.plan.projected;
  }

  /** Everything was fetched that is to be delivered. */
  get fetched(): boolean {
    return this.over || this.failure !== undefined || (this.stop !== undefined && this.position >= this.stop);
  }

  /** As far as known, the bucket has nothing that was not fetched. */
  get caughtUp(): boolean {
    return this.highWatermark >= 0n && this.position >= this.highWatermark;
  }

  /** There is something to deliver: rows, the end or a failure. */
  get ready(): boolean {
    if (this.over || this.missingSchema !== undefined) return false;
    return this.#segments.length > 0 || this.fetched;
  }

  /** Rows between what was delivered and what could be. */
  get lag(): bigint {
    const from = this.next < 0n ? 0n : this.next;
    return this.over || this.highWatermark < from ? 0n : this.highWatermark - from;
  }

  /**
   * Takes fetched records in, without decoding them.
   *
   * @param filteredEnd up to where a filter has left out what is not in `bytes`
   */
  add(bytes: Uint8Array, shape: FetchShape, filteredEnd: bigint | undefined, held: Held): Added {
    let last = -1;
    let end = this.position;
    let failed = false;
    try {
      for (let at = 0;;) {
        const size = logBatchSize(bytes, at);
        if (size === undefined || size > bytes.length - at) break;
        last = at;
        at += size;
      }
      const batch = last < 0 ? undefined : logBatchAt(bytes, last);
      if (batch !== undefined) {
        if (batch.nextOffset <= end) throw this.#corrupt(`the answer for offset ${end} ends before it`, end);
        end = batch.nextOffset;
        this.#noteSchema(batch.schemaId);
      }
    } catch (error) {
      // Batches before the bad one are good, so they are delivered first, and the bad one is found again.
      this.failure ??= this.#named(error, end);
      failed = true;
    }
    if (filteredEnd !== undefined && filteredEnd > end) end = filteredEnd;
    if (last < 0 && end === this.position && !failed) return bytes.length === 0 ? "nothing" : "cut";
    held.segments++;
    this.#segments.push({ bytes, shape, held, end, at: 0, batch: undefined });
    this.position = end;
    return "advanced";
  }

  /**
   * Delivers the rows of the next batch that has some. Undefined when there is none, at the end of the range (`over`), or
   * while a schema is missing (`missingSchema`).
   *
   * @throws what ended the range; FlussCodecError `CODEC.*`
   */
  take(): LogChunk | undefined {
    let segment: Segment | undefined;
    while ((segment = this.#segments[0]) !== undefined) {
      const batch = this.#batchOf(segment);
      if (batch === undefined) {
        this.#dropSegment(segment);
        continue;
      }
      if (this.stop !== undefined && batch.baseOffset >= this.stop) break;
      if (batch.recordCount === 0 || batch.nextOffset <= this.next) {
        this.#pass(segment, batch);
        continue;
      }
      const { tableId } = this.target.table;
      const schema = this.#schemas.get(tableId, batch.schemaId);
      if (schema === undefined) {
        this.missingSchema = batch.schemaId;
        return undefined;
      }
      this.#noteSchema(batch.schemaId);
      return this.#decode(segment, batch, this.plan.decoder(schema, segment.shape));
    }
    if (this.fetched) {
      if (this.failure !== undefined) throw this.failure;
      this.end();
    }
    return undefined;
  }

  /** Ends the range; what was fetched and not delivered is let go. */
  end(): void {
    this.over = true;
    const segments = this.#segments;
    this.#segments = [];
    for (const segment of segments) releaseOne(segment.held);
  }

  /** Batches with this schema have come; those that follow are hardly older. */
  #noteSchema(schemaId: number): void {
    if (!this.unprojected) return;
    const schema = this.#schemas.get(this.target.table.tableId, schemaId);
    if (schema !== undefined && this.plan.covers(schema)) this.unprojected = false;
  }

  #decode(segment: Segment, batch: LogBatch, decoder: ReturnType<SourcePlan["decoder"]>): LogChunk {
    const { range, stop, next } = this;
    const { baseOffset, recordCount } = batch;
    let decoded;
    try {
      if (this.#checkCrc && segment.shape.projection === undefined) checkCrc(batch);
      decoded = decoder(batch);
    } catch (error) {
      throw this.#named(error, baseOffset);
    }
    const from = next > baseOffset ? Number(next - baseOffset) : 0;
    const to = stop !== undefined && stop < batch.nextOffset ? Number(stop - baseOffset) : recordCount;
    const whole = from === 0 && to === recordCount;
    this.#pass(segment, batch);
    this.#passEmpty(segment);
    if (stop !== undefined && this.next > stop) this.next = stop;
    return {
      source: range.source,
      partition: range.partition,
      bucket: range.bucket,
      firstOffset: baseOffset + BigInt(from),
      nextOffset: this.next,
      timestamp: decoded.timestamp,
      changeTypes: whole ? decoded.changeTypes : decoded.changeTypes?.subarray(from, to),
      columns: whole ? decoded.columns : sliceRows(decoded.columns, from, to),
      highWatermark: this.highWatermark,
    };
  }

  /** Passes what follows a delivered batch without having rows, so that a position behind the chunk says so. */
  #passEmpty(segment: Segment): void {
    let batch: LogBatch | undefined;
    try {
      while ((batch = this.#batchOf(segment)) !== undefined && batch.recordCount === 0) this.#pass(segment, batch);
    } catch {
      return; // The next call comes upon it again.
    }
    if (batch === undefined) this.#dropSegment(segment);
  }

  #pass(segment: Segment, batch: LogBatch): void {
    segment.at = batch.end;
    segment.batch = undefined;
    if (batch.nextOffset > this.next) this.next = batch.nextOffset;
  }

  #dropSegment(segment: Segment): void {
    if (segment.end > this.next) this.next = segment.end;
    this.#segments.shift();
    releaseOne(segment.held);
  }

  #batchOf(segment: Segment): LogBatch | undefined {
    try {
      return segment.batch ??= logBatchAt(segment.bytes, segment.at);
    } catch (error) {
      throw this.#named(error, this.next);
    }
  }

  #corrupt(message: string, offset: bigint): FlussError {
    return this.#named(flussError("CODEC.CORRUPT_BATCH", { message }), offset) as FlussError;
  }

  /** A codec's complaint, with the names that the codec does not know. */
  #named(error: unknown, offset: bigint): unknown {
    const { partition, bucket } = this.range;
    const table = this.target.table.name;
    const where = `${partition === undefined ? "" : `partition ${JSON.stringify(partition)}, `}bucket ${bucket}, ` +
      (offset === EARLIEST ? "at the start" : `offset ${offset}`);
    if (error instanceof ColumnError) {
      const { code, column, hint, cause } = error;
      const message = `${where}, column "${column}": ${error.message}`;
      return flussError(code, { table, partition, bucket, column, message, hint, cause });
    }
    if (!FlussError.is(error) || error.table !== undefined) return error;
    // The message of an error begins with its code, which the new one brings along itself.
    const said = error.message.slice(error.code.length + 2);
    return flussError(error.code, { table, partition, bucket, message: `${where}: ${said}`, cause: error });
  }
}

/** One text per bucket of the cluster. */
export function bucketKey(tableId: bigint, partitionId: bigint | undefined, bucket: number): string {
  return `${tableId} ${partitionId ?? ""} ${bucket}`;
}
