/**
 * Work that is behind what is committed, in small steps: rows settle in their table; what was trimmed, dropped or is no
 * longer needed is deleted; the file shrinks.
 *
 * @module
 */
import { bytesOfKey } from "../key_bytes.ts";
import { KeyCursor } from "../sorted_keys.ts";
import type { KeyText } from "../storage.ts";
import type { FileBucket } from "./bucket.ts";
import type { Database, Query } from "./database.ts";
import type { Overlay } from "./overlay.ts";
import type { Statements } from "./statements.ts";

/** Up to this number the changes of rows are in the table. */
export const CHANGES_DONE = "changes_done";

/** How many batches are deleted at once, and how many pages the file shrinks by, at most: they are large. */
const LARGE = 256;

/** How many stored changes of rows are deleted at once: each may have some megabytes. */
const PIECES = 8;

/** When a file shrinks: the share and the number of pages that are not in use. While nobody writes it costs nothing. */
const SHRINK = { idle: { share: 1 / 8, pages: 64 }, busy: { share: 1 / 2, pages: 8192 } } as const;

/** So many keys are sorted at once. */
const RUN = 1 << 14;

interface Settling {
  readonly buckets: { readonly bucket: FileBucket; readonly overlay: Overlay }[];
  /** The number of the last change that is part of it. */
  readonly changes: number;
  /** How far the last bucket is. */
  part: SettlingPart | undefined;
}

/** A table is written to fastest in the order of keys. Those are sorted in parts, because no step may take long. */
interface SettlingPart {
  readonly unsorted: Iterator<KeyText>;
  readonly runs: KeyText[][];
  cursor: KeyCursor | undefined;
}

/** See the module. Every step runs in a transaction of the caller. */
export class Upkeep {
  readonly #statements: Statements;
  readonly #deletes: Deletes;
  #settling: Settling | undefined;
  /** Changes of rows up to this number are not needed; undefined when there are none. */
  #oldChanges: number | undefined;
  readonly #trimmed = new Set<FileBucket>();
  #dropped: number[] = [];

  constructor(database: Database, statements: Statements) {
    this.#statements = statements;
    this.#deletes = prepareDeletes(database);
  }

  /** Forgets what there is to do: it is read from the file again. */
  reset(): void {
    this.#settling = undefined;
    this.#oldChanges = undefined;
    this.#trimmed.clear();
    this.#dropped = [];
  }

  /** Whether there is something to do. */
  get pending(): boolean {
    return this.#settling !== undefined || this.#oldChanges !== undefined || this.#trimmed.size > 0 ||
      this.#dropped.length > 0;
  }

  get settling(): boolean {
    return this.#settling !== undefined;
  }

  /** What these buckets have in memory is to be brought into the table. @param changes the last change of it */
  settle(buckets: Iterable<FileBucket>, changes: number): void {
    const settling: Settling["buckets"] = [];
    for (const bucket of buckets) {
      const overlay = bucket.rows.settle();
      if (overlay !== undefined) settling.push({ bucket, overlay });
    }
    this.#settling = { buckets: settling.reverse(), changes, part: undefined };
  }

  /** Changes of rows up to this number are not needed. */
  changesDone(number: number): void {
    this.#oldChanges = number;
  }

  /** Batches before the start of a bucket's log may be deleted. */
  trimmed(bucket: FileBucket): void {
    this.#trimmed.add(bucket);
  }

  /** The bucket of this number may be deleted. */
  dropped(number: number): void {
    this.#dropped.push(number);
  }

  /** Does some of it. @param rows how many rows to write or delete, about */
  step(rows: number): void {
    if (this.#settling !== undefined) this.#settle(this.#settling, rows);
    else if (this.#oldChanges !== undefined) this.#deleteChanges(this.#oldChanges);
    else if (this.#trimmed.size > 0) this.#trim(this.#trimmed.values().next().value!);
    else if (this.#dropped.length > 0) this.#drop(this.#dropped.at(-1)!, rows);
    if (this.#isLoose("busy")) this.#shrink();
  }

  /** Makes the file smaller where that is worth it while nobody writes; false when it is as small as it gets. */
  shrink(): boolean {
    const shrinks = this.#isLoose("idle");
    if (shrinks) this.#shrink();
    return shrinks;
  }

  #settle(settling: Settling, rows: number): void {
    for (let left = rows; left > 0;) {
      const last = settling.buckets.at(-1);
      if (last === undefined) {
        this.#statements.putNumber.run(CHANGES_DONE, settling.changes);
        this.#settling = undefined;
        this.changesDone(settling.changes);
        return;
      }
      const part = settling.part ??= { unsorted: last.overlay.keys(), runs: [], cursor: undefined };
      if (part.cursor === undefined) {
        const run = take(part.unsorted, RUN).sort();
        part.runs.push(run);
        if (run.length < RUN) part.cursor = new KeyCursor(part.runs, "");
        left -= Math.ceil(run.length / 8);
        continue;
      }
      left = this.#settleRows(last, part.cursor, left);
      if (part.cursor.key !== undefined) return;
      last.bucket.rows.settled();
      settling.buckets.pop();
      settling.part = undefined;
    }
  }

  /** @returns how many of `rows` are left */
  #settleRows({ bucket, overlay }: Settling["buckets"][number], cursor: KeyCursor, rows: number): number {
    const { putRow, deleteRow } = this.#statements;
    let left = rows;
    for (; left > 0 && cursor.key !== undefined; left--, cursor.next()) {
      const value = overlay.get(cursor.key);
      if (value) putRow.run(bucket.number, bytesOfKey(cursor.key), value);
      else deleteRow.run(bucket.number, bytesOfKey(cursor.key));
    }
    return left;
  }

  #deleteChanges(number: number): void {
    const page = this.#deletes.changesUpTo.all(number, PIECES);
    if (page.length > 0) this.#deletes.changes.run(page.at(-1)![0]!);
    if (page.length < PIECES) this.#oldChanges = undefined;
  }

  #trim(bucket: FileBucket): void {
    if (this.#deleteBatches(bucket.number, bucket.log.start)) this.#trimmed.delete(bucket);
  }

  #drop(number: number, rows: number): void {
    if (!this.#deleteBatches(number, Number.MAX_SAFE_INTEGER)) return;
    const page = this.#deletes.keys.all(number, rows);
    if (page.length > 0) this.#deletes.rows.run(number, page.at(-1)![0]!);
    if (page.length === rows) return;
    this.#deletes.writers.run(number);
    this.#deletes.bucket.run(number);
    this.#dropped.pop();
  }

  /** Deletes batches that end before an offset; true when there are no more. */
  #deleteBatches(number: number, offset: number): boolean {
    const page = this.#deletes.batchesBefore.all(number, offset, offset, LARGE);
    for (const [base, bytes] of page) {
      this.#deletes.batchBytes.run(bytes!);
      this.#deletes.batch.run(number, base!);
    }
    return page.length < LARGE;
  }

  #isLoose(when: keyof typeof SHRINK): boolean {
    const unused = this.#deletes.unusedPages.get()![0] as number;
    return unused >= SHRINK[when].pages &&
      unused >= SHRINK[when].share * (this.#deletes.allPages.get()![0] as number);
  }

  #shrink(): void {
    // It goes on as long as rows are asked for, of which it gives none.
    this.#deletes.unused.all();
  }
}

/** The next values, at most so many. */
function take<T>(values: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  while (taken.length < count) {
    const next = values.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

type Deletes = ReturnType<typeof prepareDeletes>;

function prepareDeletes(database: Database) {
  const query = (sql: string): Query => database.query(sql);
  return {
    changesUpTo: query("SELECT id FROM row_changes WHERE id <= ? ORDER BY id LIMIT ?"),
    changes: query("DELETE FROM row_changes WHERE id <= ?"),
    batchesBefore: query(
      "SELECT base_offset, bytes FROM batches WHERE bucket = ? AND base_offset < ? AND last_offset < ? " +
        "ORDER BY base_offset LIMIT ?",
    ),
    batch: query("DELETE FROM batches WHERE bucket = ? AND base_offset = ?"),
    batchBytes: query("DELETE FROM batch_bytes WHERE id = ?"),
    keys: query("SELECT key FROM rows WHERE bucket = ? ORDER BY key LIMIT ?"),
    rows: query("DELETE FROM rows WHERE bucket = ? AND key <= ?"),
    writers: query("DELETE FROM writers WHERE bucket = ?"),
    bucket: query("DELETE FROM buckets WHERE number = ?"),
    unused: query(`PRAGMA incremental_vacuum(${LARGE})`),
    unusedPages: query("PRAGMA freelist_count"),
    allPages: query("PRAGMA page_count"),
  };
}
