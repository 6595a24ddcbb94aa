/**
 * The last batches of each idempotent writer.
 *
 * @module
 */
import type { WriterBatch } from "./storage.ts";

/** How many batches of a writer are remembered, as in servers. */
const WRITER_BATCHES = 5;

/** See the module. */
export class Writers {
  #writers: Map<bigint, WriterBatch[]> | undefined;

  all(): WriterBatch[] {
    return [...this.#writers?.values() ?? []].flat();
  }

  /** The batches of one writer, oldest first. */
  of(writerId: bigint): readonly WriterBatch[] {
    return this.#writers?.get(writerId) ?? [];
  }

  /** Remembers a batch, and forgets that writer's oldest where there are too many. */
  remember(batch: WriterBatch): void {
    this.#writers ??= new Map();
    const batches = this.#writers.get(batch.writerId);
    if (batches === undefined) this.#writers.set(batch.writerId, [batch]);
    else if (batches.push(batch) > WRITER_BATCHES) batches.shift();
  }

  forget(writerId: bigint): void {
    this.#writers?.delete(writerId);
  }
}
