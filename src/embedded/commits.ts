/**
 * Commits in groups: what the requests of one turn of the event loop wrote becomes durable together, and their answers
 * leave after that.
 *
 * @module
 */
import { fault } from "./fault.ts";
import type { Storage } from "./storage/storage.ts";

/** Answers of so many bytes may wait for one commit; more, and it happens at once. */
const MAX_HELD_BYTES = 64 << 20;

/** See the module. */
export class Commits {
  readonly #storage: Storage;
  readonly #undone: () => void;
  #pending: Promise<void> | undefined;
  #commit: (() => unknown) | undefined;
  #heldBytes = 0;

  /** @param undone called after a commit failed: what was written since the last one is gone */
  constructor(storage: Storage, undone: () => void) {
    this.#storage = storage;
    this.#undone = undone;
  }

  /**
   * When all that was written so far is durable: undefined when it is, else a promise.
   *
   * The promise rejects with a fault (26) when the storage failed; then nothing of it was written.
   */
  get settled(): Promise<void> | undefined {
    if (!this.#storage.dirty) return undefined;
    return this.#pending ??= new Promise((resolve, reject) => {
      this.#commit = () => {
        this.#pending = undefined;
        this.#commit = undefined;
        this.#heldBytes = 0;
        try {
          this.#storage.commit();
          resolve();
        } catch (error) {
          this.#undone();
          const failed = fault("SERVER.STORAGE_EXCEPTION", error instanceof Error ? error.message : String(error));
          reject(failed);
          return failed;
        }
      };
      setImmediate(() => this.#commit?.());
    });
  }

  /**
   * As {@linkcode settled}, for an answer that is kept until then. Where many bytes of answers are, it commits at once.
   *
   * @throws {ServerFault} 26 when that fails
   */
  settledWith(bytes: number): Promise<void> | undefined {
    const { settled } = this;
    if (settled === undefined) return undefined;
    this.#heldBytes += bytes;
    if (this.#heldBytes <= MAX_HELD_BYTES) return settled;
    // Others may wait for it, or nobody.
    settled.catch(() => {});
    const failed = this.#commit!();
    if (failed !== undefined) throw failed;
    return undefined;
  }

  /** Commits what waits, now. */
  close(): void {
    this.#commit?.();
  }
}
