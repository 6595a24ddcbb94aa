/**
 * Where an embedded server keeps what it has: in memory, or in a file. Everything here is synchronous, as `node:sqlite` is.
 *
 * Writes gather in one open transaction until `commit()`; answers that depend on them wait for it. Reads see them at once.
 *
 * @module
 */

/** Names a bucket: of a table, or of one of its partitions. */
export interface BucketId {
  readonly tableId: number;
  /** Absent where the table is not partitioned. */
  readonly partitionId: number | undefined;
  readonly bucket: number;
}

/** See the module. */
export interface Storage {
  /** Whether something was written that a crash would lose. Always false in memory. */
  readonly dirty: boolean;
  /** Small documents: the catalog, counters, users' rights. */
  readonly documents: DocumentStore;
  /** The log of a bucket, which need not exist before. */
  log(bucket: BucketId): LogStore;
  /** The rows of a bucket of a primary-key table, which need not exist before. */
  rows(bucket: BucketId): RowStore;
  /** Forgets the log and the rows of a bucket. Stores of it that are still held must not be used any more. */
  drop(bucket: BucketId): void;
  /**
   * Makes all that was written durable, at once and as a whole.
   *
   * @throws what the storage failed with, after which all that was written since the last commit is undone. Stores that
   * were handed out before read what is left; whoever keeps more than they do (offsets, documents) must read again.
   */
  commit(): void;
  /** Commits, and lets go of file and lock. */
  close(): void;
}

/** Documents by name; names have parts, joined by `/`. */
export interface DocumentStore {
  get(name: string): unknown;
  /** @param document JSON */
  put(name: string, document: unknown): void;
  delete(name: string): void;
  /** Every document whose name starts so, in the order of names. */
  list(prefix: string): { readonly name: string; readonly document: unknown }[];
}

/** Where a batch of a log is, and what has to be known of it without reading it. */
export interface StoredBatch {
  /** The offset of its first record. */
  readonly baseOffset: number;
  /** The last offset that it takes. */
  readonly lastOffset: number;
  /** When it was committed, in milliseconds since 1970; never falls within a log. */
  readonly timestamp: number;
  /** Its bytes. */
  readonly size: number;
}

/** One batch that a writer wrote, as idempotence remembers it. */
export interface WriterBatch {
  readonly writerId: bigint;
  readonly sequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

/** The log of one bucket: batches as they arrived, offset and time filled in. */
export interface LogStore {
  /** The first offset that is there. */
  readonly start: number;
  /** The offset that the next record gets. */
  readonly end: number;
  /** The time of the last batch; -1 when there never was one. */
  readonly lastTimestamp: number;
  /** The bytes of all batches. */
  readonly size: number;
  /**
   * Appends a batch. Its `baseOffset` is `end`.
   *
   * @param bytes handed over: they must not change any more. They may be part of a larger buffer
   */
  append(batch: StoredBatch, bytes: Uint8Array): void;
  /**
   * Visits batches in order, beginning with the one that holds `offset`, until `visit` returns false or there are none.
   *
   * @param visit `read` gives the batch's bytes, lent: they must not be changed
   */
  visit(offset: number, visit: (batch: StoredBatch, read: () => Uint8Array) => boolean): void;
  /** The first batch whose time is at least this; undefined when there is none. */
  firstSince(timestamp: number): StoredBatch | undefined;
  /** Forgets the batches that end before `offset`; `start` becomes `offset`. */
  trim(offset: number): void;
  /** The batches that idempotent writers wrote last, at most five of each writer, oldest first. */
  writers(): WriterBatch[];
  /** Remembers a batch of a writer; the oldest of more than five of that writer goes. */
  remember(batch: WriterBatch): void;
  /** Forgets a writer. */
  forget(writerId: bigint): void;
}

/**
 * A key as text: one UTF-16 unit per byte (0 to 255). Texts compare as the bytes do, and are found in maps.
 */
export type KeyText = string;

/** The rows of one bucket, by encoded primary key: values are a schema id and a row, as lookups answer with. */
export interface RowStore {
  /** How many rows there are. */
  readonly count: number;
  /** The value, lent: it must not be changed, and is valid until the next write. Undefined when there is no such row. */
  get(key: KeyText): Uint8Array | undefined;
  /** As `get`, of each key; a file finds many at once in half the time. */
  getAll(keys: readonly KeyText[]): (Uint8Array | undefined)[];
  /** @param bytes the value is `[start..end)`; it is copied */
  put(key: KeyText, bytes: Uint8Array, start: number, end: number): void;
  delete(key: KeyText): void;
  /**
   * Visits rows in the order of the keys' bytes, beginning with the first that is not before `from`, until `visit`
   * returns false. Rows must not be written meanwhile.
   *
   * @param visit the value is lent, as by `get`
   */
  visit(from: KeyText, visit: (key: KeyText, value: Uint8Array) => boolean): void;
  /** All rows as they are now; writes that follow are not seen by it. `close()` frees it. */
  snapshot(): RowSnapshot;
}

/** See {@linkcode RowStore.snapshot}. */
export interface RowSnapshot {
  /** How many rows there are. */
  readonly count: number;
  /** As {@linkcode RowStore.visit}; rows of the store may be written meanwhile. */
  visit(from: KeyText, visit: (key: KeyText, value: Uint8Array) => boolean): void;
  close(): void;
}
