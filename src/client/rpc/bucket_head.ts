/**
 * The first two fields of every bucket in a request: the partition, where there is one, and the bucket.
 *
 * @module
 */
import { intSize, longSize, writeInt, writeLong } from "./varint.ts";

/** The bytes that the head takes. */
export function bucketHeadSize(partitionId: bigint | undefined, bucket: number): number {
  return (partitionId === undefined ? 0 : 1 + longSize(partitionId)) + 1 + intSize(bucket);
}

/** Writes the head at `at`; returns the position behind it. */
export function writeBucketHead(
  out: Uint8Array,
  at: number,
  partitionId: bigint | undefined,
  bucket: number,
): number {
  if (partitionId !== undefined) {
    out[at++] = 0x08;
    at = writeLong(out, at, partitionId);
  }
  out[at++] = 0x10;
  return writeInt(out, at, bucket);
}
