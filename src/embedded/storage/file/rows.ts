/**
 * The rows of a bucket in the file. What was written last is in memory, before the file's table of rows.
 *
 * @module
 */
import { keyText } from "../../kv/key_text.ts";
import { bytesOfKey } from "../key_bytes.ts";
import { Snapshots } from "../snapshots.ts";
import { KeyCursor } from "../sorted_keys.ts";
import type { KeyText, RowSnapshot, RowStore } from "../storage.ts";
import type { BucketState, FileBucket, Shared } from "./bucket.ts";
import type { Value } from "./database.ts";
import { Overlay } from "./overlay.ts";
import { SOME_ROWS } from "./statements.ts";

/** How many rows are read at once, at most. */
const PAGE = 256;

/** See the module. */
export class FileRows implements RowStore {
  count = 0;
  readonly #shared: Shared;
  readonly #bucket: FileBucket;
  readonly #snapshots = new Snapshots();
  /** What was written last. */
  #recent: Overlay | undefined;
  /** What was written before that, and is on its way into the table. */
  #settling: Overlay | undefined;
  /** The key that was looked for last and whether there is a row, because writers look before they put. */
  #seen: KeyText | undefined;
  #found = false;

  constructor(shared: Shared, bucket: FileBucket) {
    this.#shared = shared;
    this.#bucket = bucket;
  }

  reset({ count }: BucketState): void {
    this.count = count;
    this.#recent = this.#settling = this.#seen = undefined;
  }

  get(key: KeyText): Uint8Array | undefined {
    const changed = this.#changed(key);
    const value = changed === undefined ? this.#stored(key) : changed ?? undefined;
    this.#seen = key;
    this.#found = value !== undefined;
    return value;
  }

  getAll(keys: readonly KeyText[]): (Uint8Array | undefined)[] {
    const inTable: number[] = [];
    const values = keys.map((key, i) => {
      const changed = this.#changed(key);
      if (changed === undefined) inTable.push(i);
      return changed ?? undefined;
    });
    const single = inTable.length % SOME_ROWS;
    for (const i of inTable.slice(0, single)) values[i] = this.#stored(keys[i]!);
    for (let at = single; at < inTable.length; at += SOME_ROWS) {
      const some = inTable.slice(at, at + SOME_ROWS);
      const found = this.#shared.statements.someRows.get(this.#bucket.number, ...some.map((i) => bytesOfKey(keys[i]!)));
      some.forEach((i, column) => values[i] = (found![column] as Uint8Array | null) ?? undefined);
    }
    return values;
  }

  put(key: KeyText, bytes: Uint8Array, start: number, end: number): void {
    this.#snapshots.keep(this, key);
    if (!this.#has(key)) this.count++;
    this.#found = true;
    (this.#recent ??= new Overlay()).put(key, bytes, start, end);
    this.#changedRow(key, bytes, start, end);
  }

  delete(key: KeyText): void {
    if (!this.#has(key)) return;
    this.#snapshots.keep(this, key);
    this.count--;
    this.#found = false;
    (this.#recent ??= new Overlay()).delete(key);
    this.#changedRow(key, undefined, 0, 0);
  }

  visit(from: KeyText, visit: (key: KeyText, value: Uint8Array) => boolean): void {
    const runs = [...this.#recent?.runs() ?? [], ...this.#settling?.runs() ?? []];
    const changed = new KeyCursor(runs, from);
    const stored = new StoredCursor(this.#shared, this.#bucket, from);
    while (changed.key !== undefined || stored.key !== undefined) {
      if (changed.key === undefined || (stored.key !== undefined && stored.key < changed.key)) {
        if (!visit(stored.key!, stored.value!)) return;
        stored.next();
        continue;
      }
      const { key } = changed;
      const value = this.#changed(key);
      if (value && !visit(key, value)) return;
      if (stored.key === key) stored.next();
      changed.next();
    }
  }

  snapshot(): RowSnapshot {
    return this.#snapshots.open(this);
  }

  /** Makes a change again that was made before a crash. */
  replay(key: KeyText, bytes: Uint8Array, value: { readonly start: number; readonly end: number } | undefined): void {
    this.#recent ??= new Overlay();
    if (value === undefined) this.#recent.delete(key);
    else this.#recent.put(key, bytes, value.start, value.end);
  }

  /** What was written last begins to settle. */
  settle(): Overlay | undefined {
    this.#settling = this.#recent;
    this.#recent = undefined;
    return this.#settling;
  }

  /** What was settling is in the table. */
  settled(): void {
    this.#settling = undefined;
  }

  /** The value; null where the row was deleted, undefined where that is in the table. */
  #changed(key: KeyText): Uint8Array | null | undefined {
    const value = this.#recent?.get(key);
    return value === undefined ? this.#settling?.get(key) : value;
  }

  #stored(key: KeyText): Uint8Array | undefined {
    return this.#shared.statements.row.get(this.#bucket.number, bytesOfKey(key))?.[0] as Uint8Array | undefined;
  }

  #has(key: KeyText): boolean {
    return this.#seen === key ? this.#found : this.get(key) !== undefined;
  }

  #changedRow(key: KeyText, bytes: Uint8Array | undefined, start: number, end: number): void {
    this.#shared.changes.add(this.#bucket.number, key, bytes, start, end);
    this.#shared.touched.add(this.#bucket);
  }
}

/** Goes through the rows in the table. */
class StoredCursor {
  key: KeyText | undefined;
  value: Uint8Array | undefined;
  readonly #shared: Shared;
  readonly #bucket: FileBucket;
  #page: Value[][] = [];
  #at = 0;
  #limit = 16;

  constructor(shared: Shared, bucket: FileBucket, from: KeyText) {
    this.#shared = shared;
    this.#bucket = bucket;
    this.#read(from);
  }

  next(): void {
    if (++this.#at < this.#page.length) return this.#set();
    if (this.#page.length < this.#limit) {
      this.key = this.value = undefined;
      return;
    }
    this.#limit = Math.min(PAGE, 4 * this.#limit);
    // The next key that there can be.
    this.#read(this.key! + "\0");
  }

  #read(from: KeyText): void {
    this.#page = this.#shared.statements.rowsFrom.all(this.#bucket.number, bytesOfKey(from), this.#limit);
    this.#at = 0;
    this.#set();
  }

  #set(): void {
    const row = this.#page[this.#at];
    if (row === undefined) {
      this.key = this.value = undefined;
      return;
    }
    const key = row[0] as Uint8Array;
    this.key = keyText(key, 0, key.length);
    this.value = row[1] as Uint8Array;
  }
}
