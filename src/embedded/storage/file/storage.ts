/**
 * Storage in a file.
 *
 * A commit stores batches as they are, and the changes of rows one after the other in one piece. That is fast, because
 * nothing is searched for; the rows themselves settle in their table later, many of a page at once. Until then they are
 * in memory, and when the file is opened again they are brought there from the stored changes.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { Documents } from "../documents.ts";
import { bucketName } from "../bucket_name.ts";
import type { BucketId, LogStore, RowStore, Storage } from "../storage.ts";
import { FileBucket, type Shared } from "./bucket.ts";
import type { Database } from "./database.ts";
import { replay, RowChanges } from "./row_changes.ts";
import { prepare, type Statements } from "./statements.ts";
import { CHANGES_DONE, Upkeep } from "./upkeep.ts";

/** When so many bytes of changes were stored, they begin to settle. At most about twice that is read at the start. */
const CHANGED_BYTES = 16 << 20;

const NEXT_BUCKET = "next_bucket";

/** How long upkeep may hold others up at once, how long it pauses then, and how long nobody writes before it is idle. */
const STEP_MS = 4;
const PAUSE_MS = 4;
const IDLE_MS = 1000;

/** About how many rows are written at once while nobody else writes. */
const STEP_ROWS = 128;

/** See the module. */
export class FileStorage implements Storage {
  readonly documents: Documents;
  readonly #database: Database;
  readonly #closing: () => void;
  readonly #statements: Statements;
  readonly #shared: Shared;
  readonly #upkeep: Upkeep;
  readonly #buckets = new Map<string, FileBucket>();
  readonly #changedDocuments = new Set<string>();
  #dropped: number[] = [];
  #nextBucket = 1;
  readonly #settleFrom: number;
  /** The number of the last stored changes; those that are deleted do not give theirs away. */
  #lastChange = 0;
  /** Of the changes that have not begun to settle. */
  #changedBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastCommit = 0;

  /** @param closing called before the file is closed, and its lock let go */
  constructor(database: Database, changedBytes: number | undefined, closing: () => void) {
    this.#database = database;
    this.#closing = closing;
    this.#settleFrom = changedBytes ?? CHANGED_BYTES;
    this.#statements = prepare(database);
    this.#upkeep = new Upkeep(database, this.#statements);
    this.#shared = { statements: this.#statements, changes: new RowChanges(), touched: new Set(), nextBytes: 1 };
    this.documents = new Documents((name) => this.#changedDocuments.add(name));
    this.#load();
  }

  get dirty(): boolean {
    return this.#shared.touched.size > 0 || this.#changedDocuments.size > 0 || this.#dropped.length > 0;
  }

  log(bucket: BucketId): LogStore {
    return this.#bucket(bucket).log;
  }

  rows(bucket: BucketId): RowStore {
    return this.#bucket(bucket).rows;
  }

  drop(id: BucketId): void {
    const bucket = this.#buckets.get(bucketName(id));
    if (bucket === undefined) return;
    this.#buckets.delete(bucketName(id));
    this.#shared.touched.delete(bucket);
    this.#dropped.push(bucket.number);
  }

  commit(): void {
    if (!this.dirty) return;
    const changes = this.#shared.changes.count;
    try {
      this.#database.transaction(() => {
        this.#store();
        if (this.#upkeep.pending) this.#upkeep.step(2 * changes + 16);
      });
    } catch (error) {
      this.#load();
      throw error;
    }
    for (const bucket of this.#shared.touched) if (bucket.log.start > 0) this.#upkeep.trimmed(bucket);
    for (const number of this.#dropped) this.#upkeep.dropped(number);
    this.#forgetChanges();
    this.#settle();
    this.#lastCommit = performance.now();
    this.#timer ??= this.#wakeIn(this.#upkeep.pending ? PAUSE_MS : IDLE_MS);
  }

  close(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    try {
      this.commit();
    } finally {
      if (this.#timer !== undefined) clearTimeout(this.#timer);
      try {
        this.#closing();
      } finally {
        this.#database.close();
      }
    }
  }

  #bucket(id: BucketId): FileBucket {
    const name = bucketName(id);
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = new FileBucket(this.#shared, this.#nextBucket++, id);
      this.#buckets.set(name, bucket);
    }
    return bucket;
  }

  /** Stores all that was written since the last commit. */
  #store(): void {
    const { putNumber, putRowChanges, putDocument, deleteDocument, dropBucket } = this.#statements;
    for (const bucket of this.#shared.touched) bucket.store(this.#statements);
    for (const piece of this.#shared.changes.pieces()) {
      putRowChanges.run(++this.#lastChange, piece);
      this.#changedBytes += piece.length;
    }
    for (const name of this.#changedDocuments) {
      const text = this.documents.text(name);
      if (text === undefined) deleteDocument.run(name);
      else putDocument.run(name, text);
    }
    for (const number of this.#dropped) dropBucket.run(number);
    putNumber.run(NEXT_BUCKET, this.#nextBucket);
  }

  #forgetChanges(): void {
    this.#shared.touched.clear();
    this.#shared.changes.clear();
    this.#changedDocuments.clear();
    this.#dropped = [];
  }

  #settle(): void {
    if (this.#changedBytes < this.#settleFrom || this.#upkeep.settling) return;
    this.#changedBytes = 0;
    this.#upkeep.settle(this.#buckets.values(), this.#lastChange);
  }

  /** Reads what is stored, and forgets all else. Stores that were handed out stay in use. */
  #load(): void {
    const { allBuckets, allDocuments, allDropped, lastBytes, number, changesAfter } = this.#statements;
    this.#forgetChanges();
    this.#upkeep.reset();
    this.documents.load(allDocuments.all() as [string, string][]);
    this.#shared.nextBytes = (lastBytes.get()![0] as number) + 1;
    this.#nextBucket = Math.max(this.#nextBucket, Number(number.get(NEXT_BUCKET)?.[0] ?? 1));
    for (const bucket of this.#buckets.values()) bucket.reset();
    const numbers = new Map<number, FileBucket>();
    for (const row of allBuckets.all()) {
      const [bucketNumber, tableId, partitionId, bucket, start, end, lastTimestamp, size, count] = row as number[];
      const id = { tableId: tableId!, partitionId: partitionId ?? undefined, bucket: bucket! };
      const name = bucketName(id);
      let known = this.#buckets.get(name);
      if (known?.number !== bucketNumber) known = new FileBucket(this.#shared, bucketNumber!, id);
      known!.reset({ start: start!, end: end!, lastTimestamp: lastTimestamp!, size: size!, count: count! });
      this.#buckets.set(name, known!);
      numbers.set(bucketNumber!, known!);
      if (start! > 0) this.#upkeep.trimmed(known!);
    }
    for (const [dropped] of allDropped.all()) this.#upkeep.dropped(dropped as number);
    this.#changedBytes = 0;
    let done = Number(number.get(CHANGES_DONE)?.[0] ?? 0);
    this.#upkeep.changesDone(done);
    for (let row = changesAfter.get(done); row !== undefined; row = changesAfter.get(done)) {
      done = row[0] as number;
      const piece = row[1] as Uint8Array;
      this.#changedBytes += piece.length;
      // Changes of buckets that were dropped are of no use.
      replay(piece, (bucket, key, value) => numbers.get(bucket)?.rows.replay(key, piece, value));
    }
    this.#lastChange = done;
    this.#settle();
  }

  #wakeIn(ms: number): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timer = undefined;
      // What is not committed would be undone with what fails here, and its commit comes soon.
      const next = this.dirty ? undefined : this.#tidy();
      if (next !== undefined) this.#timer ??= this.#wakeIn(next);
    }, ms);
    // Nothing is lost when the process ends before.
    timer.unref();
    return timer;
  }

  /** Upkeep while nobody writes; returns after how many milliseconds there is more. */
  #tidy(): number | undefined {
    const start = performance.now();
    const idle = start - this.#lastCommit;
    try {
      if (this.#upkeep.pending) {
        this.#database.transaction(() => {
          while (this.#upkeep.pending && performance.now() - start < STEP_MS) this.#upkeep.step(STEP_ROWS);
        });
        return this.#upkeep.pending ? PAUSE_MS : IDLE_MS;
      }
      if (idle < IDLE_MS) return IDLE_MS - idle;
      let shrunk = false;
      this.#database.transaction(() => shrunk = this.#upkeep.shrink());
      if (shrunk) return PAUSE_MS;
      this.#database.shorten();
    } catch {
      // It is tried again with the next commit, which tells when that fails.
      this.#load();
    }
    return undefined;
  }
}
