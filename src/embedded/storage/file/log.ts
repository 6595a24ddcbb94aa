/**
 * The log of a bucket in the file. What was appended since the last commit is in memory.
 *
 * @module
 */
import type { LogStore, StoredBatch, WriterBatch } from "../storage.ts";
import { Writers } from "../writers.ts";
import type { BucketState, FileBucket, Shared } from "./bucket.ts";
import type { Value } from "./database.ts";
import { packWriter, unpackWriter } from "./writer_bytes.ts";

/** How many batches are looked up at once, at most. */
const PAGE = 256;

/** See the module. */
export class FileLog implements LogStore {
  start = 0;
  end = 0;
  lastTimestamp = -1;
  size = 0;
  readonly #shared: Shared;
  readonly #bucket: FileBucket;
  #pending: { readonly batch: StoredBatch; readonly bytes: Uint8Array }[] = [];
  /** Read when somebody asks for them. */
  #writers: Writers | undefined;
  readonly #changedWriters = new Set<bigint>();

  constructor(shared: Shared, bucket: FileBucket) {
    this.#shared = shared;
    this.#bucket = bucket;
  }

  reset({ start, end, lastTimestamp, size }: BucketState): void {
    this.start = start;
    this.end = end;
    this.lastTimestamp = lastTimestamp;
    this.size = size;
    this.#pending = [];
    this.#writers = undefined;
    this.#changedWriters.clear();
  }

  append(batch: StoredBatch, bytes: Uint8Array): void {
    if (batch.baseOffset !== this.end) throw new Error(`batch at ${batch.baseOffset}, expected ${this.end}`);
    this.#pending.push({ batch: { ...batch, size: bytes.length }, bytes });
    this.end = batch.lastOffset + 1;
    this.lastTimestamp = batch.timestamp;
    this.size += bytes.length;
    this.#shared.touched.add(this.#bucket);
  }

  visit(offset: number, visit: (batch: StoredBatch, read: () => Uint8Array) => boolean): void {
    const from = Math.max(offset, this.start);
    if (from >= this.end) return;
    const pendingFrom = this.#pendingFrom;
    if (from < pendingFrom && !this.#visitStored(from, pendingFrom, visit)) return;
    for (const { batch, bytes } of this.#pending) {
      if (batch.lastOffset >= from && !visit(batch, () => bytes)) return;
    }
  }

  firstSince(timestamp: number): StoredBatch | undefined {
    if (this.lastTimestamp < timestamp) return undefined;
    // Times do not fall: halve what is stored, by offsets.
    let low = this.start;
    let high = this.#pendingFrom;
    let found: StoredBatch | undefined;
    while (low < high) {
      const batch = this.#batchAt(Math.floor((low + high) / 2))!;
      if (batch.timestamp >= timestamp) {
        found = batch;
        high = batch.baseOffset;
      } else low = batch.lastOffset + 1;
    }
    return found ??
      this.#pending.find(({ batch }) => batch.timestamp >= timestamp && batch.lastOffset >= this.start)?.batch;
  }

  trim(offset: number): void {
    if (offset <= this.start) return;
    const from = this.#storedFrom(this.start);
    this.start = Math.min(offset, this.end);
    // What is stored is deleted later, bit by bit.
    const to = this.#storedFrom(this.start);
    if (from < to) this.size -= this.#shared.statements.sizeBetween.get(this.#bucket.number, from, to)![0] as number;
    for (const { batch } of this.#pending) if (batch.lastOffset < this.start) this.size -= batch.size;
    this.#pending = this.#pending.filter(({ batch }) => batch.lastOffset >= this.start);
    this.#shared.touched.add(this.#bucket);
  }

  writers(): WriterBatch[] {
    return this.#loadedWriters().all();
  }

  remember(batch: WriterBatch): void {
    this.#loadedWriters().remember(batch);
    this.#writerChanged(batch.writerId);
  }

  forget(writerId: bigint): void {
    this.#loadedWriters().forget(writerId);
    this.#writerChanged(writerId);
  }

  /** Stores what was written since the last commit. */
  store(): void {
    const { statements } = this.#shared;
    const { number } = this.#bucket;
    for (const { batch, bytes } of this.#pending) {
      const id = this.#shared.nextBytes++;
      statements.putBatchBytes.run(id, bytes);
      statements.putBatch.run(number, batch.baseOffset, batch.lastOffset, batch.timestamp, batch.size, id);
    }
    this.#pending = [];
    for (const writerId of this.#changedWriters) {
      const batches = this.#loadedWriters().of(writerId);
      if (batches.length === 0) statements.deleteWriter.run(number, `${writerId}`);
      else statements.putWriter.run(number, `${writerId}`, packWriter(batches));
    }
    this.#changedWriters.clear();
  }

  get #pendingFrom(): number {
    return this.#pending[0]?.batch.baseOffset ?? this.end;
  }

  #visitStored(
    from: number,
    end: number,
    visit: (batch: StoredBatch, read: () => Uint8Array) => boolean,
  ): boolean {
    let next = this.#batchAt(from)!.baseOffset;
    for (let limit = 8; next < end; limit = Math.min(PAGE, 2 * limit)) {
      const rows = this.#shared.statements.batchesFrom.all(this.#bucket.number, next, limit);
      if (rows.length === 0) throw new Error(`batches end before ${end}`);
      for (const row of rows) {
        const batch = batchOf(row);
        const id = row[4]!;
        if (!visit(batch, () => this.#shared.statements.batchBytes.get(id)![0] as Uint8Array)) return false;
        next = batch.lastOffset + 1;
      }
    }
    return true;
  }

  /** The base offset of the stored batch that holds an offset; where none does, the end of what is stored. */
  #storedFrom(offset: number): number {
    return offset < this.#pendingFrom ? this.#batchAt(offset)!.baseOffset : this.#pendingFrom;
  }

  /** The stored batch that holds an offset. */
  #batchAt(offset: number): StoredBatch | undefined {
    const row = this.#shared.statements.batchAt.get(this.#bucket.number, offset);
    return row === undefined ? undefined : batchOf(row);
  }

  #loadedWriters(): Writers {
    if (this.#writers === undefined) {
      this.#writers = new Writers();
      for (const [writer, batches] of this.#shared.statements.writers.all(this.#bucket.number)) {
        for (const batch of unpackWriter(BigInt(writer as string), batches as Uint8Array)) {
          this.#writers.remember(batch);
        }
      }
    }
    return this.#writers;
  }

  #writerChanged(writerId: bigint): void {
    this.#changedWriters.add(writerId);
    this.#shared.touched.add(this.#bucket);
  }
}

function batchOf(row: readonly Value[]): StoredBatch {
  return {
    baseOffset: row[0] as number,
    lastOffset: row[1] as number,
    timestamp: row[2] as number,
    size: row[3] as number,
  };
}
