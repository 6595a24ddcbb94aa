/**
 * What buckets are called within a storage.
 *
 * @module
 */
import type { BucketId } from "./storage.ts";

/** A name for use in maps. */
export function bucketName({ tableId, partitionId, bucket }: BucketId): string {
  return `${tableId}/${partitionId ?? ""}/${bucket}`;
}
