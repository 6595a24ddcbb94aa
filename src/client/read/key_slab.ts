/**
 * Room for the encoded keys of lookups.
 *
 * An array of its own per key costs the garbage collector more than everything else of a lookup, so keys share large
 * ones. A slab that is full is forgotten here, and is free when the last of its lookups is over.
 *
 * @module
 */

/** A key within a slab. */
export interface EncodedKey {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const SLAB_BYTES = 1 << 16;

/** See the module. */
export class KeySlab {
  /** The slab that the last key was put in. */
  bytes: Uint8Array = new Uint8Array(0);
  #used = 0;

  /** Copies a key and returns where it starts in `bytes`. */
  put(source: Uint8Array, length: number): number {
    if (this.#used + length > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(SLAB_BYTES, length));
      this.#used = 0;
    }
    const start = this.#used;
    copyBytes(source, 0, length, this.bytes, start);
    this.#used += length;
    return start;
  }
}

/** Copies bytes. Most keys are short, and a call into the runtime costs more than the bytes. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > 32) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at++] = from[i]!;
}
