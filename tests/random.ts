/**
 * Seeded randomness for tests. The seed is new in every run unless `SLUICE_SEED` gives one; the runner prints it.
 *
 * @module
 */
import process from "node:process";

/** The seed of this run. */
export const seed: number = Number(process.env.SLUICE_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Whether counts in hundreds and more run in full. */
export const long: boolean = process.env.SLUICE_LONG === "1";

/** A source of random values; the same seed gives the same values on every runtime. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits (the generator is known as mulberry32). */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.bits() / 2 ** 32 * below);
  }

  /** One of the choices. */
  pick<const T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)]!;
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.int(256));
  }
}

/** The source for the tests of one file. */
export const random: Random = new Random(seed);
