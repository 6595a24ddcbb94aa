/**
 * Looking for partitions that came and went, now and then, and only while somebody reads.
 *
 * @module
 */
import type { Alarm, Alarms } from "../base/alarms.ts";

/** What a watch needs. */
export interface PartitionWatchOptions {
  readonly alarms: Alarms;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** Looks once. A failure is no matter while the next look is to come. */
  readonly look: () => Promise<void>;
}

/** See the module. */
export class PartitionWatch {
  readonly #options: PartitionWatchOptions;
  #due: number;
  #alarm: Alarm | undefined;
  #looking = false;
  #closed = false;

  /** The first look was just taken. */
  constructor(options: PartitionWatchOptions) {
    this.#options = options;
    this.#due = performance.now() + options.everyMs;
  }

  /** Somebody reads: looks if it is time. */
  tick(): void {
    if (performance.now() >= this.#due) this.#look();
  }

  /** Somebody waits: looks when it is time. */
  wait(): void {
    this.rest();
    if (this.#closed) return;
    // An alarm may ring a moment early, by this clock; it is time all the same.
    this.#alarm = this.#options.alarms.set(this.#due - performance.now(), () => this.#look());
  }

  #look(): void {
    if (this.#closed || this.#looking) return;
    this.#looking = true;
    this.#options.look().catch(() => {}).then(() => {
      this.#looking = false;
      this.#due = performance.now() + this.#options.everyMs;
      if (this.#alarm !== undefined) this.wait();
    });
  }

  /** Nobody waits any more. */
  rest(): void {
    if (this.#alarm !== undefined) this.#options.alarms.clear(this.#alarm);
    this.#alarm = undefined;
  }

  /** Looks no more. */
  close(): void {
    this.rest();
    this.#closed = true;
  }
}
