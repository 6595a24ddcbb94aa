/**
 * Values by key, in memory: the bytes are in large buffers.
 *
 * @module
 */
import { Chunks, roomOf } from "./chunks.ts";
import type { KeyText } from "./storage.ts";

/** Room that is no longer in use is tolerated up to what is in use and this. */
const SLACK = 1 << 20;

/** See the module. */
export class Values {
  /** Values have small numbers, which are used again: larger ones would cost an object each. */
  readonly #numbers = new Map<KeyText, number>();
  readonly #free: number[] = [];
  #next = 0;
  #positions = new Float64Array(0);
  #sizes = new Uint32Array(0);
  #bytes = new Chunks();
  #used = 0;
  #unused = 0;

  get size(): number {
    return this.#numbers.size;
  }

  keys(): Iterable<KeyText> {
    return this.#numbers.keys();
  }

  has(key: KeyText): boolean {
    return this.#numbers.has(key);
  }

  /** The value, lent until the next change. */
  get(key: KeyText): Uint8Array | undefined {
    const number = this.#numbers.get(key);
    return number === undefined ? undefined : this.#bytes.at(this.#positions[number]!, this.#sizes[number]!);
  }

  /** Copies a value. Returns true when there was none of this key. */
  set(key: KeyText, bytes: Uint8Array, start: number, end: number): boolean {
    const size = end - start;
    const room = roomOf(size);
    let number = this.#numbers.get(key);
    const isNew = number === undefined;
    if (number === undefined) {
      number = this.#free.pop() ?? this.#next++;
      if (number >= this.#sizes.length) this.#grow();
      this.#numbers.set(key, number);
      this.#used += room;
      this.#positions[number] = this.#bytes.add(bytes, start, end);
    } else {
      const before = roomOf(this.#sizes[number]!);
      this.#used += room - before;
      if (room <= before) {
        this.#unused += before - room;
        this.#bytes.replace(this.#positions[number]!, bytes, start, end);
      } else {
        this.#unused += before;
        this.#positions[number] = this.#bytes.add(bytes, start, end);
      }
    }
    this.#sizes[number] = size;
    if (this.#unused > this.#used + SLACK) this.#tidy();
    return isNew;
  }

  /** Returns true when there was a value of this key. */
  delete(key: KeyText): boolean {
    const number = this.#numbers.get(key);
    if (number === undefined) return false;
    const room = roomOf(this.#sizes[number]!);
    this.#numbers.delete(key);
    this.#free.push(number);
    this.#used -= room;
    this.#unused += room;
    if (this.#unused > this.#used + SLACK) this.#tidy();
    return true;
  }

  #grow(): void {
    const length = Math.max(8, this.#sizes.length * 2);
    const positions = new Float64Array(length);
    positions.set(this.#positions);
    this.#positions = positions;
    const sizes = new Uint32Array(length);
    sizes.set(this.#sizes);
    this.#sizes = sizes;
  }

  /** Moves all values together. */
  #tidy(): void {
    const bytes = new Chunks();
    for (const number of this.#numbers.values()) {
      const value = this.#bytes.at(this.#positions[number]!, this.#sizes[number]!);
      this.#positions[number] = bytes.add(value, 0, value.length);
    }
    this.#bytes = bytes;
    this.#unused = 0;
  }
}
