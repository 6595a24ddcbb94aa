/**
 * Snapshots of rows: what a write replaces is kept for them, so that they cost only as much as is written meanwhile.
 *
 * @module
 */
import { KeyCursor, SortedKeys } from "./sorted_keys.ts";
import type { KeyText, RowSnapshot, RowStore } from "./storage.ts";

/** The rows as they are now. */
type Now = Pick<RowStore, "count" | "get" | "visit">;

/** See the module. */
export class Snapshots {
  /** Oldest first. A replaced value is kept by the newest, and older ones find it there. */
  readonly #open: Snapshot[] = [];

  /** Must be called before a row is written. */
  keep(rows: Now, key: KeyText): void {
    this.#open.at(-1)?.keep(key, rows);
  }

  /** Makes a snapshot of the rows as they are now. */
  open(rows: Now): RowSnapshot {
    const made = new Snapshot(rows, this.#open);
    this.#open.push(made);
    return made;
  }
}

class Snapshot implements RowSnapshot {
  readonly count: number;
  readonly #rows: Now;
  readonly #open: Snapshot[];
  /** What was there when this was made, of keys that were written before the next was. */
  readonly #before = new Map<KeyText, Uint8Array | undefined>();
  readonly #keys = new SortedKeys();

  constructor(rows: Now, open: Snapshot[]) {
    this.#rows = rows;
    this.#open = open;
    this.count = rows.count;
  }

  keep(key: KeyText, rows: Now): void {
    if (!this.#before.has(key)) this.#keepValue(key, rows.get(key)?.slice());
  }

  visit(from: KeyText, visit: (key: KeyText, value: Uint8Array) => boolean): void {
    const since = this.#open.slice(this.#open.indexOf(this));
    const written = new KeyCursor(since.flatMap((snapshot) => snapshot.#runs()), from);
    // The rows as they are, with those that were written since put back between them.
    const putBack = (before: KeyText | undefined): boolean => {
      for (; written.key !== undefined && (before === undefined || written.key < before); written.next()) {
        const value = valueBefore(since, written.key);
        if (value !== undefined && !visit(written.key, value)) return false;
      }
      return true;
    };
    let more = true;
    this.#rows.visit(from, (key, now) => {
      more = putBack(key);
      if (!more) return false;
      if (written.key !== key) return more = visit(key, now);
      const value = valueBefore(since, key);
      written.next();
      return more = value === undefined || visit(key, value);
    });
    if (more) putBack(undefined);
  }

  close(): void {
    const at = this.#open.indexOf(this);
    if (at < 0) return;
    this.#open.splice(at, 1);
    const older = this.#open[at - 1];
    if (older === undefined) return;
    for (const [key, value] of this.#before) if (!older.#before.has(key)) older.#keepValue(key, value);
  }

  #keepValue(key: KeyText, value: Uint8Array | undefined): void {
    this.#before.set(key, value);
    this.#keys.add(key);
  }

  #runs(): ReturnType<SortedKeys["runs"]> {
    return this.#keys.runs(() => this.#before.keys());
  }

  /** Whether this knows what a key had, and what. */
  lookUp(key: KeyText): { readonly value: Uint8Array | undefined } | undefined {
    const value = this.#before.get(key);
    return value !== undefined || this.#before.has(key) ? { value } : undefined;
  }
}

/** What a key that was written had when the first of these was made. */
function valueBefore(snapshots: readonly Snapshot[], key: KeyText): Uint8Array | undefined {
  for (const snapshot of snapshots) {
    const found = snapshot.lookUp(key);
    if (found !== undefined) return found.value;
  }
  throw new Error("a key that was not written");
}
