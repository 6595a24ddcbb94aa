/**
 * Buckets in messages.
 *
 * @module
 */
import type { BucketId } from "./storage/storage.ts";

/** A bucket in the words of servers. */
export function bucketText({ tableId, partitionId, bucket }: BucketId): string {
  return partitionId === undefined
    ? `TableBucket{tableId=${tableId}, bucket=${bucket}}`
    : `TableBucket{tableId=${tableId}, partitionId=${partitionId}, bucket=${bucket}}`;
}
