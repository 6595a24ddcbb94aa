/**
 * The rows of a bucket in memory.
 *
 * @module
 */
import { Snapshots } from "./snapshots.ts";
import { KeyCursor, SortedKeys } from "./sorted_keys.ts";
import type { KeyText, RowSnapshot, RowStore } from "./storage.ts";
import { Values } from "./values.ts";

/** See the module. */
export class MemoryRows implements RowStore {
  readonly #values = new Values();
  readonly #keys = new SortedKeys();
  readonly #snapshots = new Snapshots();

  get count(): number {
    return this.#values.size;
  }

  get(key: KeyText): Uint8Array | undefined {
    return this.#values.get(key);
  }

  getAll(keys: readonly KeyText[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.#values.get(key));
  }

  put(key: KeyText, bytes: Uint8Array, start: number, end: number): void {
    this.#snapshots.keep(this, key);
    if (this.#values.set(key, bytes, start, end)) this.#keys.add(key);
  }

  delete(key: KeyText): void {
    this.#snapshots.keep(this, key);
    if (this.#values.delete(key)) this.#keys.remove();
  }

  visit(from: KeyText, visit: (key: KeyText, value: Uint8Array) => boolean): void {
    const cursor = new KeyCursor(this.#keys.runs(() => this.#values.keys()), from);
    for (; cursor.key !== undefined; cursor.next()) {
      const value = this.#values.get(cursor.key);
      if (value !== undefined && !visit(cursor.key, value)) return;
    }
  }

  snapshot(): RowSnapshot {
    return this.#snapshots.open(this);
  }
}
