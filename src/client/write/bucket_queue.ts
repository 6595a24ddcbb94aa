/**
 * The batches of one bucket, in order, from open to acknowledged, with the bucket's idempotence state.
 *
 * @module
 */
import { nextSequence } from "./idempotence.ts";
import type { WriteBatch } from "./batch.ts";
import type { PartitionTarget } from "../table/target.ts";

/** The queue of one bucket. The only owner of its batches. */
export class BucketQueue {
  readonly target: PartitionTarget;
  readonly bucket: number;
  /** The batch that takes rows; undefined when none does. */
  open: WriteBatch | undefined;
  /** Batches that take no more rows and wait to be sent, oldest first; those to be sent again lead. */
  ready: WriteBatch[] = [];
  /** Batches that were sent and not answered, oldest first. */
  inFlight: WriteBatch[] = [];
  /** Not to be sent before this moment, after a failure. */
  pausedUntil = 0;
  /** Failures in a row. */
  failures = 0;
  /** The writer id that the sequences belong to. */
  writerId = -1n;
  /** The sequence that the server acknowledged last; -1 before the first. */
  lastAcked = -1;
  #sequence = -1;

  constructor(target: PartitionTarget, bucket: number) {
    this.target = target;
    this.bucket = bucket;
  }

  /** Whether anything here is not settled. */
  get busy(): boolean {
    return this.open !== undefined || this.ready.length > 0 || this.inFlight.length > 0;
  }

  /** Batches that are not on their way, in order. */
  get waiting(): readonly WriteBatch[] {
    return this.open === undefined ? this.ready : [...this.ready, this.open];
  }

  /** Lets no more rows into the open batch. */
  close(): void {
    if (this.open === undefined) return;
    this.ready.push(this.open);
    this.open = undefined;
  }

  /**
   * The batch that may be sent now.
   *
   * @param maxInFlight how many batches of one bucket may be on their way
   * @param openToo whether the open batch may be closed and sent
   */
  next(maxInFlight: number, openToo: boolean): WriteBatch | undefined {
    if (this.inFlight.length >= maxInFlight) return undefined;
    const head = this.ready[0];
    // What is sent again goes alone, or the server could see its successors first and refuse them.
    if (head !== undefined && head.attempts > 0 && this.inFlight.length > 0) return undefined;
    if (this.inFlight.length > 0 && this.inFlight[0]!.attempts > 1) return undefined;
    if (head === undefined) {
      if (!openToo || this.open === undefined) return undefined;
      this.close();
    }
    return this.ready[0];
  }

  /** Moves the head to the batches in flight, and gives it a sequence if it has none. */
  depart(batch: WriteBatch, writerId: bigint): void {
    this.ready.shift();
    if (writerId >= 0n && batch.sequence < 0) {
      if (this.writerId !== writerId) {
        this.writerId = writerId;
        this.#sequence = -1;
        this.lastAcked = -1;
      }
      this.#sequence = nextSequence(this.#sequence);
      batch.writerId = writerId;
      batch.sequence = this.#sequence;
    }
    batch.sequenceMoved = false;
    batch.attempts++;
    this.inFlight.push(batch);
  }

  /** True when a batch that has no sequence must wait, because older ones run under a writer id that was given up. */
  mustDrainFirst(batch: WriteBatch, writerId: bigint): boolean {
    return batch.sequence < 0 && this.writerId !== writerId &&
      (this.inFlight.length > 0 || this.ready.some((waiting) => waiting.sequence >= 0));
  }

  /** The batch has been answered for good. */
  settle(batch: WriteBatch): void {
    this.remove(batch);
    this.failures = 0;
    if (batch.sequence >= 0 && batch.writerId === this.writerId && batch.sequence > this.lastAcked) {
      this.lastAcked = batch.sequence;
    }
  }

  /** Puts a batch back to be sent again, in the order of sequences. */
  retry(batch: WriteBatch): void {
    this.remove(batch);
    // Batches come back in any order; the order in which they were first sent is the one that counts.
    let at = 0;
    while (at < this.ready.length && this.ready[at]!.attempts > 0 && this.ready[at]!.order < batch.order) at++;
    this.ready.splice(at, 0, batch);
  }

  /** Takes a batch out wherever it is. */
  remove(batch: WriteBatch): void {
    if (this.open === batch) this.open = undefined;
    drop(this.ready, batch);
    drop(this.inFlight, batch);
  }

  /** After a batch was given up, the ones behind it take its place in the sequence. */
  closeGap(failed: WriteBatch): void {
    if (failed.sequence < 0 || failed.writerId !== this.writerId) return;
    for (const batch of [...this.inFlight, ...this.ready]) {
      if (batch.writerId !== failed.writerId || batch.sequence <= failed.sequence) continue;
      batch.sequence--;
      batch.sequenceMoved = true;
    }
    this.#sequence--;
  }
}

function drop(list: WriteBatch[], batch: WriteBatch): void {
  const at = list.indexOf(batch);
  if (at >= 0) list.splice(at, 1);
}
