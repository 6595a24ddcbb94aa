/**
 * What a writer wrote last, as it is stored.
 *
 * @module
 */
import type { WriterBatch } from "../storage.ts";

/** Of each batch of a writer: sequence, base offset, last offset, time. */
const FIELDS = 4;

/** Packs the batches of a writer. */
export function packWriter(batches: readonly WriterBatch[]): Uint8Array {
  const numbers = new Float64Array(batches.length * FIELDS);
  batches.forEach(({ sequence, baseOffset, lastOffset, timestamp }, i) => {
    numbers.set([sequence, baseOffset, lastOffset, timestamp], i * FIELDS);
  });
  return new Uint8Array(numbers.buffer);
}

/** Unpacks what {@linkcode packWriter} made. */
export function unpackWriter(writerId: bigint, bytes: Uint8Array): WriterBatch[] {
  const numbers = new Float64Array(bytes.slice().buffer);
  const batches: WriterBatch[] = [];
  for (let i = 0; i + FIELDS <= numbers.length; i += FIELDS) {
    batches.push({
      writerId,
      sequence: numbers[i]!,
      baseOffset: numbers[i + 1]!,
      lastOffset: numbers[i + 2]!,
      timestamp: numbers[i + 3]!,
    });
  }
  return batches;
}
