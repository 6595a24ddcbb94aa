/**
 * How much writers have in flight: rows that were taken and are not committed yet. Near the limit writers are asked to
 * slow down, beyond it they are refused, as servers after 0.9.1 do when their storage falls behind.
 *
 * @module
 */
import { fault } from "./fault.ts";

/** Below this share of the limit nobody is slowed down. */
const CALM = 0.5;

/** See the module. */
export class Pressure {
  readonly #limit: number;
  #bytes = 0;
  #ends = false;

  /** @param limit bytes of rows that may wait for a commit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @throws {ServerFault} 72 when there is no room for so many bytes of rows; one put always has it */
  check(bytes: number): void {
    if (this.#bytes === 0 || this.#bytes + bytes <= this.#limit) return;
    throw fault(
      "SERVER.STORAGE_BACKPRESSURE_EXCEPTION",
      `${this.#bytes} bytes of rows wait for a commit, and there may be ${this.#limit}`,
    );
  }

  /**
   * Counts rows that were written, until the next commit.
   *
   * @returns the pressure that writers are told of: 0 for none, below 1
   */
  add(bytes: number): number {
    this.#bytes += bytes;
    if (!this.#ends) {
      this.#ends = true;
      // Commits happen once a turn of the event loop; this comes after the one of this turn.
      setImmediate(() => setImmediate(() => this.#end()));
    }
    return Math.min(0.99, Math.max(0, (this.#bytes / this.#limit - CALM) / (1 - CALM)));
  }

  #end(): void {
    this.#ends = false;
    this.#bytes = 0;
  }
}
