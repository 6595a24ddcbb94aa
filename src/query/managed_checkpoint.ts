/**
 * Checkpoints that a subscription saves by itself: after so many changes or so long, while it waits, and at its end.
 *
 * @module
 */
import type { Alarm, Alarms } from "../base/alarms.ts";
import { flussError } from "../base/errors.ts";
import type { CheckpointOptions } from "./checkpoint_store.ts";

const EVERY_ROWS = 1000;
const EVERY_MS = 5000;
/** The clock is looked at once in so many changes. */
const CLOCK_MASK = 63;

/** See the module. */
export class ManagedCheckpoint {
  readonly #options: Required<CheckpointOptions>;
  readonly #alarms: Alarms;
  readonly #table: string;
  /** Changes that were given out since the last save. */
  #rows = 0;
  #savedAt: number = performance.now();
  #saved: string | undefined;
  #saving: Promise<void> | undefined;
  #alarm: Alarm | undefined;

  constructor(options: CheckpointOptions, alarms: Alarms, table: string) {
    this.#options = { everyRows: EVERY_ROWS, everyMs: EVERY_MS, ...options };
    this.#alarms = alarms;
    this.#table = table;
  }

  /** The token that was saved last, in whichever process. */
  async load(): Promise<string | undefined> {
    const { store, id } = this.#options;
    try {
      return this.#saved = await store.get(id);
    } catch (error) {
      throw this.#failed("read", error);
    }
  }

  /** Counts changes that were given out. */
  count(rows: number): void {
    this.#rows += rows;
  }

  /** Whether it is time to save. */
  due(): boolean {
    if (this.#rows >= this.#options.everyRows) return true;
    return this.#rows > 0 && (this.#rows & CLOCK_MASK) === 0 && this.#waitMs <= 0;
  }

  get #waitMs(): number {
    return this.#savedAt + this.#options.everyMs - performance.now();
  }

  /** Saves when it is time although no change comes; what fails then is given to `onFailure`. */
  wait(token: () => string, onFailure: (error: unknown) => void): void {
    this.rest();
    if (this.#rows === 0) return;
    this.#alarm = this.#alarms.set(this.#waitMs, () => void this.save(token()).catch(onFailure));
  }

  /** A change came. */
  rest(): void {
    if (this.#alarm !== undefined) this.#alarms.clear(this.#alarm);
    this.#alarm = undefined;
  }

  /**
   * Saves, unless this is what was saved last.
   *
   * @throws FlussSubscriptionError `SUBSCRIPTION.CHECKPOINT_FAILED`
   */
  async save(token: string): Promise<void> {
    this.rest();
    while (this.#saving !== undefined) await this.#saving.catch(() => {});
    this.#rows = 0;
    this.#savedAt = performance.now();
    if (token === this.#saved) return;
    const saving = this.#save(token);
    this.#saving = saving;
    try {
      await saving;
    } finally {
      this.#saving = undefined;
    }
  }

  async #save(token: string): Promise<void> {
    const { store, id } = this.#options;
    try {
      await store.set(id, token);
      this.#saved = token;
    } catch (error) {
      throw this.#failed("saved", error);
    }
  }

  #failed(what: string, cause: unknown): Error {
    const said = cause instanceof Error ? cause.message : String(cause);
    return flussError("SUBSCRIPTION.CHECKPOINT_FAILED", {
      table: this.#table,
      message: `the checkpoint ${JSON.stringify(this.#options.id)} could not be ${what}: ${said}`,
      cause,
    });
  }
}
