/**
 * Changes of rows that are not in the file's table of rows yet.
 *
 * @module
 */
import { type Run, SortedKeys } from "../sorted_keys.ts";
import type { KeyText } from "../storage.ts";
import { Values } from "../values.ts";

/** See the module. */
export class Overlay {
  readonly #values = new Values();
  readonly #deleted = new Set<KeyText>();
  readonly #keys = new SortedKeys();

  /** The value; null where the row was deleted, undefined where nothing is known of it. */
  get(key: KeyText): Uint8Array | null | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) return value;
    return this.#deleted.size > 0 && this.#deleted.has(key) ? null : undefined;
  }

  put(key: KeyText, bytes: Uint8Array, start: number, end: number): void {
    const known = this.#deleted.size > 0 && this.#deleted.delete(key);
    if (this.#values.set(key, bytes, start, end) && !known) this.#keys.add(key);
  }

  delete(key: KeyText): void {
    const known = this.#values.delete(key) || this.#deleted.has(key);
    this.#deleted.add(key);
    if (!known) this.#keys.add(key);
  }

  /** All keys that something is known of. */
  runs(): readonly Run[] {
    return this.#keys.runs(() => this.keys());
  }

  *keys(): Generator<KeyText> {
    yield* this.#values.keys();
    yield* this.#deleted;
  }
}
