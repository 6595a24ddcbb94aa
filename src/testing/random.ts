/**
 * Randomness from a seed: the same seed gives the same values on every runtime.
 *
 * @module
 */

/** A small generator of random numbers (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** One of these. */
  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)]!;
  }

  /** True as often as that: 0 for never, 1 for always. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** An integer of a random size below 2^bits, of either sign. */
  big(bits: number): bigint {
    const size = this.int(0, bits);
    let value = 0n;
    for (let i = 0; i < size; i++) value = (value << 1n) | BigInt(this.int(0, 1));
    return this.chance(0.5) ? -value : value;
  }

  /** Bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.int(0, 255));
  }

  /** A text of so many code points, of one script. */
  text(length: number): string {
    let text = "";
    const alphabet = this.pick(["abcdefghij XYZ", "aäöüß€", "用户数据", "a😀b\u0000\ufeff\ufffd"]);
    const points = [...alphabet];
    for (let i = 0; i < length; i++) text += this.pick(points);
    return text;
  }
}
