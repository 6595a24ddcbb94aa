/**
 * Buffers that are used again. A bulk write fills and drops its queue over and over; without this, the runtime would
 * hold several times the queue's size in buffers that nobody uses any more.
 *
 * @module
 */

/** Buffers kept while there is nothing to do. */
const IDLE = 4;

/** A stack of buffers of about the same size. */
export class BufferPool {
  readonly #max: number;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /** @param max how many buffers are kept */
  constructor(max: number) {
    this.#max = max;
  }

  /** The buffer that came back last and has at least `bytes` bytes; undefined when there is none. */
  take(bytes = 0): Uint8Array<ArrayBuffer> | undefined {
    for (let i = this.#spare.length - 1; i >= 0; i--) {
      if (this.#spare[i]!.length >= bytes) return this.#spare.splice(i, 1)[0];
    }
    return undefined;
  }

  /** Takes a buffer back that nobody uses any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spare.length < this.#max) this.#spare.push(buffer);
  }

  /** Lets go of most of what is kept. */
  shrink(): void {
    this.#spare.length = Math.min(this.#spare.length, IDLE);
  }
}
