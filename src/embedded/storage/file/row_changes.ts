/**
 * Changes of rows as one commit stores them: in the order in which they were made, to be made again after a crash.
 *
 * @module
 */
import { flussError } from "../../../base/errors.ts";
import { keyText } from "../../kv/key_text.ts";
import { copy } from "../chunks.ts";
import type { KeyText } from "../storage.ts";

/** Of each change: bucket, length of the key, length of the value; then both. */
const HEADER = 12;

/** The length of a value that is none: the row was deleted. */
const DELETED = 0xffffffff;

/** Pieces of about this size are stored apart. */
const PIECE = 4 << 20;

/** See the module. */
export class RowChanges {
  #bytes = new Uint8Array(64 << 10);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  #pieces: Uint8Array[] = [];
  /** How many there are. */
  count = 0;

  /** @param value the new value is `[start..end)` of it; undefined: the row is deleted */
  add(bucket: number, key: KeyText, value: Uint8Array | undefined, start: number, end: number): void {
    const size = HEADER + key.length + (value === undefined ? 0 : end - start);
    if (this.#used > 0 && this.#used + size > PIECE) this.#cut();
    if (this.#used + size > this.#bytes.length) this.#grow(this.#used + size);
    let at = this.#used;
    this.#view.setUint32(at, bucket);
    this.#view.setUint32(at + 4, key.length);
    this.#view.setUint32(at + 8, value === undefined ? DELETED : end - start);
    at += HEADER;
    for (let i = 0; i < key.length; i++) this.#bytes[at++] = key.charCodeAt(i);
    if (value !== undefined) copy(this.#bytes, at, value, start, end);
    this.#used += size;
    this.count++;
  }

  /** All, in pieces. Those are valid until the next change. */
  pieces(): Uint8Array[] {
    return this.#used === 0 ? this.#pieces : [...this.#pieces, this.#bytes.subarray(0, this.#used)];
  }

  clear(): void {
    this.#pieces = [];
    this.#used = 0;
    this.count = 0;
  }

  #cut(): void {
    this.#pieces.push(this.#bytes.slice(0, this.#used));
    this.#used = 0;
  }

  #grow(size: number): void {
    const bytes = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
    bytes.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Makes changes again. */
export function replay(
  piece: Uint8Array,
  change: (bucket: number, key: KeyText, value: { readonly start: number; readonly end: number } | undefined) => void,
): void {
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
  for (let at = 0; at < piece.length;) {
    const keyAt = at + HEADER;
    if (keyAt > piece.length) throw damaged();
    const valueAt = keyAt + view.getUint32(at + 4);
    const size = view.getUint32(at + 8);
    const end = size === DELETED ? valueAt : valueAt + size;
    if (end > piece.length) throw damaged();
    const key = keyText(piece, keyAt, valueAt);
    change(view.getUint32(at), key, size === DELETED ? undefined : { start: valueAt, end });
    at = end;
  }
}

function damaged(): Error {
  return flussError("STORAGE.CORRUPT", { message: "changes of rows end in the middle" });
}
