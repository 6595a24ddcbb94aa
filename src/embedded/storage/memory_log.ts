/**
 * The log of a bucket in memory.
 *
 * @module
 */
import { Chunks } from "./chunks.ts";
import type { LogStore, StoredBatch, WriterBatch } from "./storage.ts";
import { Writers } from "./writers.ts";

/** Of each batch: offset, time, position and size. */
const FIELDS = 4;
const TIMESTAMP = 1;
const POSITION = 2;
const SIZE = 3;

/** From this size a batch is kept where it is, if that is most of its buffer. */
const ADOPTED = 64 << 10;

/** See the module. */
export class MemoryLog implements LogStore {
  start = 0;
  end = 0;
  lastTimestamp = -1;
  size = 0;
  readonly #writers = new Writers();
  #bytes: Chunks | undefined;
  /** Batches are those from `#first` to `#last` of this. */
  #index = new Float64Array(0);
  #first = 0;
  #last = 0;

  append(batch: StoredBatch, bytes: Uint8Array): void {
    if (batch.baseOffset !== this.end) throw new Error(`batch at ${batch.baseOffset}, expected ${this.end}`);
    this.#bytes ??= new Chunks();
    const position = bytes.length >= ADOPTED && bytes.length * 2 > bytes.buffer.byteLength
      ? this.#bytes.adopt(bytes)
      : this.#bytes.add(bytes, 0, bytes.length);
    const at = this.#last * FIELDS;
    if (at === this.#index.length) {
      const larger = new Float64Array(Math.max(4 * FIELDS, at * 2));
      larger.set(this.#index);
      this.#index = larger;
    }
    this.#index[at] = batch.baseOffset;
    this.#index[at + TIMESTAMP] = batch.timestamp;
    this.#index[at + POSITION] = position;
    this.#index[at + SIZE] = bytes.length;
    this.#last++;
    this.end = batch.lastOffset + 1;
    this.lastTimestamp = batch.timestamp;
    this.size += bytes.length;
  }

  visit(offset: number, visit: (batch: StoredBatch, read: () => Uint8Array) => boolean): void {
    for (let i = this.#find((at) => this.#endOf(at) > offset); i < this.#last; i++) {
      const at = i * FIELDS;
      const position = this.#index[at + POSITION]!;
      const size = this.#index[at + SIZE]!;
      if (!visit(this.#batch(i), () => this.#bytes!.at(position, size))) return;
    }
  }

  firstSince(timestamp: number): StoredBatch | undefined {
    const i = this.#find((at) => this.#index[at * FIELDS + TIMESTAMP]! >= timestamp);
    return i === this.#last ? undefined : this.#batch(i);
  }

  trim(offset: number): void {
    if (offset <= this.start) return;
    this.start = Math.min(offset, this.end);
    while (this.#first < this.#last && this.#endOf(this.#first) <= this.start) {
      this.size -= this.#index[this.#first * FIELDS + SIZE]!;
      this.#first++;
    }
    if (this.#first === this.#last) {
      this.#bytes = undefined;
      this.#index = new Float64Array(0);
      this.#first = this.#last = 0;
      return;
    }
    this.#bytes!.forgetBefore(this.#index[this.#first * FIELDS + POSITION]!);
    if (this.#first > 16 && this.#first * 2 > this.#last) {
      this.#index = this.#index.slice(this.#first * FIELDS, this.#last * FIELDS);
      this.#last -= this.#first;
      this.#first = 0;
    }
  }

  writers(): WriterBatch[] {
    return this.#writers.all();
  }

  remember(batch: WriterBatch): void {
    this.#writers.remember(batch);
  }

  forget(writerId: bigint): void {
    this.#writers.forget(writerId);
  }

  /** The first batch that fulfils what all later ones do too. */
  #find(holds: (index: number) => boolean): number {
    let low = this.#first;
    let high = this.#last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The offset after a batch: batches follow one another. */
  #endOf(index: number): number {
    return index + 1 < this.#last ? this.#index[(index + 1) * FIELDS]! : this.end;
  }

  #batch(index: number): StoredBatch {
    const at = index * FIELDS;
    return {
      baseOffset: this.#index[at]!,
      lastOffset: this.#endOf(index) - 1,
      timestamp: this.#index[at + TIMESTAMP]!,
      size: this.#index[at + SIZE]!,
    };
  }
}
