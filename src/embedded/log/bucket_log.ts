/**
 * The log of one bucket as requests see it. There is one server, so what is appended can be read: the high watermark is
 * the end of the log.
 *
 * @module
 */
import { int32At } from "../../format/byte_reader.ts";
import { setSafeInt64 } from "../../format/byte_writer.ts";
import { LOG_BATCH_HEADER_BYTES } from "../../format/log_batch.ts";
import { bucketText } from "../bucket_text.ts";
import type { Bucket } from "../buckets.ts";
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import type { LogStore, WriterBatch } from "../storage/storage.ts";
import { splitBatches } from "./incoming.ts";
import { dropExpired, expireLog } from "./retention.ts";
import { WriterStates } from "./writer_states.ts";

/** Where appended records are. */
export interface Appended {
  /** The offset of the first one; -1 when nothing was appended. */
  readonly baseOffset: number;
  /** The offset after the last one: `log_end_offset`. */
  readonly endOffset: number;
}

/** Told of what happens to a log: how many bytes were appended, or with 0 that it is gone. */
export type LogListener = (bytes: number) => void;

/** The place of the commit time in a header; the offset is at 0. */
const TIMESTAMP = 13;
const LAST_OFFSET_DELTA = 28;

/** See the module. */
export class BucketLog {
  readonly store: LogStore;
  readonly #engine: Engine;
  readonly #bucket: Bucket;
  readonly #listeners = new Set<LogListener>();
  /** Read from the store when first needed. */
  #writers: WriterStates | undefined;

  constructor(engine: Engine, bucket: Bucket) {
    this.store = engine.storage.log(bucket.id);
    this.#engine = engine;
    this.#bucket = bucket;
    // A file may have been closed for long.
    if (this.store.end > this.store.start) expireLog(engine, bucket.table, this);
  }

  /** The first offset that is there. */
  get start(): number {
    return this.store.start;
  }

  /** The offset that the next record gets; all before it can be read. */
  get end(): number {
    return this.store.end;
  }

  /**
   * Looks whether a batch of an idempotent writer was written before.
   *
   * @param lastOffset the last offset that the batch would have, for the message
   * @returns the batch as it was written then; undefined when it is the writer's next one, or nobody's (-1)
   * @throws {ServerFault} 31 when batches of the writer are missing in between
   */
  findDuplicate(writerId: bigint, sequence: number, lastOffset: number = this.store.end): WriterBatch | undefined {
    if (writerId < 0n) return undefined;
    const writers = this.#states();
    const known = writers.find(writerId, sequence);
    if (known === undefined) this.#checkNext(writerId, sequence, writers.last(writerId), lastOffset);
    return known;
  }

  /**
   * Appends the batches of a client. Its buffer is taken as it is: offsets and times are filled in there. Bytes at its
   * end that are no whole batch are dropped.
   *
   * @param records handed over
   * @returns for a batch that was written before, where it was written then: nothing is appended
   * @throws {ServerFault} 14 for a batch that is damaged, 31 as by `findDuplicate`; nothing is appended then
   */
  append(records: Uint8Array): Appended {
    dropExpired(this.#engine);
    const { store } = this;
    const batches = splitBatches(records, this.#bucket.id);
    const [first] = batches;
    if (first === undefined) return { baseOffset: -1, endOffset: 0 };
    const baseOffset = store.end;
    // All are looked at before any is appended: they come together or not at all.
    let lastOffset = baseOffset - 1;
    const lastSequences = new Map<bigint, number>();
    for (const { writerId, sequence, lastOffsetDelta } of batches) {
      lastOffset += lastOffsetDelta + 1;
      if (writerId < 0n) continue;
      const duplicate = this.#states().find(writerId, sequence);
      if (duplicate !== undefined) {
        return { baseOffset: duplicate.baseOffset, endOffset: duplicate.lastOffset + 1 };
      }
      const before = lastSequences.get(writerId) ?? this.#states().last(writerId);
      this.#checkNext(writerId, sequence, before, lastOffset);
      lastSequences.set(writerId, sequence);
    }
    const timestamp = this.#now();
    for (const { bytes, writerId, sequence, lastOffsetDelta } of batches) {
      this.#append(bytes, lastOffsetDelta, timestamp, writerId, sequence);
    }
    this.#tell(records.length);
    return { baseOffset, endOffset: store.end };
  }

  /**
   * Appends one whole batch that the server itself has made: a change log's. Fills in offset and time, and wakes those
   * who wait for records. The caller asked `findDuplicate` before.
   *
   * @param batch handed over
   */
  appendOwn(batch: Uint8Array<ArrayBuffer>, writerId: bigint, sequence: number): Appended {
    dropExpired(this.#engine);
    const baseOffset = this.store.end;
    this.#append(batch, int32At(batch, LAST_OFFSET_DELTA), this.#now(), writerId, sequence);
    this.#tell(batch.length);
    return { baseOffset, endOffset: this.store.end };
  }

  /**
   * Checks that an offset can be read from.
   *
   * @param offset -2 for the first one there is
   * @returns the offset itself
   * @throws {ServerFault} 19
   */
  offsetAt(offset: number): number {
    const { start, end } = this.store;
    if (offset === EARLIEST) return start;
    if (offset >= start && offset <= end) return offset;
    throw fault(
      "SERVER.LOG_OFFSET_OUT_OF_RANGE_EXCEPTION",
      `Received request for offset ${offset} for table bucket ${bucketText(this.#bucket.id)}, ` +
        `but we only have log segments from offset ${start} up to ${end}.`,
    );
  }

  /**
   * Batches as they are stored, from the one that holds `offset` on; the last one is cut where there is no room for it.
   *
   * @param offset of {@linkcode offsetAt}
   * @param wholeFirst whether the first batch comes even if it is larger than `maxBytes`
   */
  read(offset: number, maxBytes: number, wholeFirst: boolean): Uint8Array[] {
    const parts: Uint8Array[] = [];
    if (offset === this.store.end) return parts;
    let room = maxBytes;
    this.store.visit(offset, ({ size }, read) => {
      if (parts.length === 0) {
        if (wholeFirst) room = Math.max(room, size);
        // Less than a header is of no use to anybody.
        if (room <= LOG_BATCH_HEADER_BYTES) return false;
      }
      parts.push(size <= room ? read() : read().subarray(0, room));
      room -= size;
      return room > 0;
    });
    return parts;
  }

  /** Calls `listener` after every append, and when the log is gone. The function that comes back takes that back. */
  listen(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets batches that were committed before a time, and writers that wrote nothing since another. */
  expire(batchesBefore: number, writersBefore: number): void {
    const { store } = this;
    if (store.start < store.end && batchesBefore > 0) {
      const first = store.firstSince(batchesBefore);
      const start = first === undefined ? store.end : first.baseOffset;
      if (start > store.start) store.trim(start);
    }
    for (const writerId of this.#states().expired(writersBefore)) store.forget(writerId);
  }

  /** Tells those who wait for records that there will be none. */
  close(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(0);
  }

  #append(bytes: Uint8Array, lastOffsetDelta: number, timestamp: number, writerId: bigint, sequence: number): void {
    const { store } = this;
    const baseOffset = store.end;
    const lastOffset = baseOffset + lastOffsetDelta;
    // Neither is covered by the checksum.
    const view = new DataView(bytes.buffer, bytes.byteOffset, LOG_BATCH_HEADER_BYTES);
    setSafeInt64(view, 0, baseOffset);
    setSafeInt64(view, TIMESTAMP, timestamp);
    store.append({ baseOffset, lastOffset, timestamp, size: bytes.length }, bytes);
    if (writerId < 0n) return;
    const batch = { writerId, sequence, baseOffset, lastOffset, timestamp };
    this.#states().remember(batch);
    store.remember(batch);
  }

  /** Commit times never fall within a log. */
  #now(): number {
    return Math.max(this.store.lastTimestamp, this.#engine.clock.now());
  }

  #tell(bytes: number): void {
    for (const listener of this.#listeners) listener(bytes);
  }

  #states(): WriterStates {
    return this.#writers ??= new WriterStates(this.store.writers());
  }

  #checkNext(writerId: bigint, sequence: number, last: number, lastOffset: number): void {
    if (sequence === last + 1 || (sequence === 0 && last === MAX_SEQUENCE)) return;
    throw fault(
      "SERVER.OUT_OF_ORDER_SEQUENCE_EXCEPTION",
      `Out of order batch sequence for writer ${writerId} at offset ${lastOffset} in table-bucket ` +
        `${bucketText(this.#bucket.id)} : ${sequence} (incoming batch seq.), ${last} (current batch seq.)`,
    );
  }
}

/** Stands for the first offset that there is. */
const EARLIEST = -2;

/** After this sequence number comes 0 again. */
const MAX_SEQUENCE = 2 ** 31 - 1;
