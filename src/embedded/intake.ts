/**
 * Bytes of requests that have begun to come, of all clients of a server together. Anybody may announce a large request and
 * never finish it, before any login: what that costs has a bound.
 *
 * @module
 */

/** See the module. */
export class Intake {
  readonly #most: number;
  #bytes = 0;

  /** @param most what clients may have sent of requests that are not whole yet */
  constructor(most: number) {
    this.#most = most;
  }

  /** What there is now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Counts what one client has sent.
   *
   * @returns false when that is too much, and this client is to go
   */
  count(before: number, now: number): boolean {
    this.#bytes += now - before;
    return now <= before || this.#bytes <= this.#most;
  }
}
