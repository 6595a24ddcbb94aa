/**
 * What a log knows of its idempotent writers (Fluss: WriterStateManager.java, WriterStateEntry.java).
 *
 * @module
 */
import type { WriterBatch } from "../storage/storage.ts";

/** A duplicate is found among so many batches of its writer. */
const REMEMBERED = 5;

/** See the module. */
export class WriterStates {
  /** Of each writer its last batches, oldest first. */
  readonly #writers = new Map<bigint, WriterBatch[]>();

  /** @param batches as a store gives them: of each writer the oldest first */
  constructor(batches: readonly WriterBatch[]) {
    for (const batch of batches) this.remember(batch);
  }

  /** The batch with this number, if it is one of the writer's last. */
  find(writerId: bigint, sequence: number): WriterBatch | undefined {
    return this.#writers.get(writerId)?.find((batch) => batch.sequence === sequence);
  }

  /** The number of the writer's last batch; -1 when there was none. */
  last(writerId: bigint): number {
    return this.#writers.get(writerId)?.at(-1)?.sequence ?? -1;
  }

  /** Remembers the writer's next batch. */
  remember(batch: WriterBatch): void {
    const batches = this.#writers.get(batch.writerId);
    if (batches === undefined) this.#writers.set(batch.writerId, [batch]);
    else if (batches.push(batch) > REMEMBERED) batches.shift();
  }

  /** Forgets the writers whose last batch is older, and names them. */
  expired(before: number): bigint[] {
    const gone: bigint[] = [];
    for (const [writerId, batches] of this.#writers) {
      if (batches.at(-1)!.timestamp < before) gone.push(writerId);
    }
    for (const writerId of gone) this.#writers.delete(writerId);
    return gone;
  }
}
