/**
 * Many small pieces of bytes in few large buffers: a piece of its own costs a view of a hundred bytes.
 *
 * @module
 */

/** Pieces are added to a buffer of this size. It is also what positions are counted in: buffer × this + offset. */
const CHUNK_SIZE = 1 << 20;

/** The first buffer starts with this, so that what holds little costs little. */
const FIRST_SIZE = 1 << 10;

/** Larger pieces get a buffer of their own, so that little is left unused at the end of a shared one. */
const LARGE = CHUNK_SIZE / 16;

/** See the module. */
export class Chunks {
  /** A buffer that is gone leaves its place. */
  readonly #chunks: (Uint8Array | undefined)[] = [];
  /** The first place that may be taken. */
  #first = 0;
  /** What is taken of the last buffer. */
  #used = 0;
  #full = true;

  /** Copies a piece. What it is given is a multiple of 8 bytes, so that it may grow a little. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const size = end - start;
    const room = roomOf(size);
    if (size > LARGE) {
      const own = new Uint8Array(room);
      copy(own, 0, bytes, start, end);
      return this.adopt(own);
    }
    const chunk = this.#roomy(room);
    const offset = this.#used;
    copy(chunk, offset, bytes, start, end);
    this.#used += room;
    return (this.#chunks.length - 1) * CHUNK_SIZE + offset;
  }

  /** Takes a large piece as it is. */
  adopt(bytes: Uint8Array): number {
    this.#chunks.push(bytes);
    this.#full = true;
    return (this.#chunks.length - 1) * CHUNK_SIZE;
  }

  /** Writes over a piece: another that fits into `roomOf` the old one's size. */
  replace(position: number, bytes: Uint8Array, start: number, end: number): void {
    copy(this.#chunks[Math.floor(position / CHUNK_SIZE)]!, position % CHUNK_SIZE, bytes, start, end);
  }

  /** A piece, lent. */
  at(position: number, size: number): Uint8Array {
    const offset = position % CHUNK_SIZE;
    return this.#chunks[Math.floor(position / CHUNK_SIZE)]!.subarray(offset, offset + size);
  }

  /** Forgets what lies before a piece, as far as whole buffers go. */
  forgetBefore(position: number): void {
    for (const end = Math.floor(position / CHUNK_SIZE); this.#first < end; this.#first++) {
      this.#chunks[this.#first] = undefined;
    }
  }

  #roomy(room: number): Uint8Array {
    const last = this.#chunks.length - 1;
    if (!this.#full) {
      const chunk = this.#chunks[last]!;
      if (this.#used + room <= chunk.length) return chunk;
      if (chunk.length < CHUNK_SIZE && this.#used + room <= CHUNK_SIZE) {
        let length = chunk.length * 2;
        while (length < this.#used + room) length *= 2;
        const larger = new Uint8Array(length);
        larger.set(chunk.subarray(0, this.#used));
        this.#chunks[last] = larger;
        return larger;
      }
    }
    let length = this.#chunks.length === 0 ? FIRST_SIZE : CHUNK_SIZE;
    while (length < room) length *= 2;
    const chunk = new Uint8Array(length);
    this.#chunks.push(chunk);
    this.#used = 0;
    this.#full = false;
    return chunk;
  }
}

/** How many bytes a piece of this size is given. */
export function roomOf(size: number): number {
  return (size + 7) & ~7;
}

/** Copies `bytes[start..end)` to `offset`. */
export function copy(to: Uint8Array, offset: number, bytes: Uint8Array, start: number, end: number): void {
  // A call into the runtime costs more than copying a short row byte by byte.
  if (end - start <= 32) { for (let i = start; i < end; i++) to[offset++] = bytes[i]!; }
  else to.set(bytes.subarray(start, end), offset);
}
