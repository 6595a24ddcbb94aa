/**
 * Memory that a reader holds ahead of its caller.
 *
 * @module
 */

/** Memory that fetched records lie in: a whole answer lives as long as one record of it. */
export interface Held {
  /** Segments that are views of it, and others that keep it. */
  segments: number;
  /** Called when the last of them is gone. */
  release(): void;
}

/** Lets one of those go that keep memory from being released. */
export function releaseOne(held: Held): void {
  held.segments--;
  if (held.segments === 0) held.release();
}

/** The sum of what is held. */
export class HeldBytes {
  /** How much it is. */
  bytes = 0;
  readonly #onRelease: () => void;

  /** @param onRelease called when it has become less */
  constructor(onRelease: () => void) {
    this.#onRelease = onRelease;
  }

  /** Counts memory until its last segment was delivered. */
  hold(bytes: number): Held {
    this.bytes += bytes;
    return {
      segments: 0,
      release: () => {
        this.bytes -= bytes;
        this.#onRelease();
      },
    };
  }

  /** Whether so many bytes more, of which some are on their way, stay within a bound. Something always fits alone. */
  hasRoom(more: number, bound: number, onTheWay = 0): boolean {
    return this.bytes + onTheWay === 0 || this.bytes + more <= bound;
  }
}
