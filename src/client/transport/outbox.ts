/**
 * What a socket has yet to send. Every socket has one of these and one writer.
 *
 * @module
 */

/** Above this many waiting bytes {@linkcode Outbox.pressure} asks the owner to wait. */
export const HIGH_WATER_BYTES: number = 1 << 20;

/** Tells when there is room again, to any number of waiting owners. */
export class Pressure {
  #room: PromiseWithResolvers<void> | undefined;

  /** A promise for the next {@linkcode release}. */
  wait(): Promise<void> {
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** Lets everybody go on. */
  release(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.resolve();
  }
}

/** A queue of bytes from which a socket takes as much as it can. */
export class Outbox {
  #chunks: Uint8Array[] = [];
  /** Chunks before this one have left; they are cut off in bulk, so that a long queue costs no shifting. */
  #head = 0;
  #bytes = 0;
  readonly #pressure = new Pressure();

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Puts bytes at the end. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    const last = this.#chunks.at(-1);
    // Frames of one connection lie side by side in its buffer: two such chunks are one, and leave in one write.
    // Not the first chunk: a socket may be at work on it.
    if (
      last !== undefined && this.#chunks.length - 1 > this.#head && last.buffer === bytes.buffer &&
      last.byteOffset + last.length === bytes.byteOffset
    ) {
      this.#chunks[this.#chunks.length - 1] = new Uint8Array(
        last.buffer,
        last.byteOffset,
        last.length + bytes.length,
      );
    } else this.#chunks.push(bytes);
  }

  /** What leaves next. Only while `bytes` is above 0. */
  first(): Uint8Array {
    return this.#chunks[this.#head]!;
  }

  /** Drops the first `count` bytes of {@linkcode first}: the socket took them. */
  took(count: number): void {
    const chunk = this.first();
    this.#bytes -= count;
    if (count < chunk.length) this.#chunks[this.#head] = chunk.subarray(count);
    else if (++this.#head === this.#chunks.length) {
      this.#chunks = [];
      this.#head = 0;
    } else if (this.#head === 64) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#bytes <= HIGH_WATER_BYTES / 2) this.#pressure.release();
  }

  /** What `Transport.write` returns. */
  pressure(): void | Promise<void> {
    if (this.#bytes > HIGH_WATER_BYTES) return this.#pressure.wait();
  }

  /** Drops everything: the stream has closed. */
  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#pressure.release();
  }
}
