/**
 * The buckets that a request names.
 *
 * @module
 */
import type { Bucket } from "../buckets.ts";
import type { Engine } from "../engine.ts";
import type { Call } from "./handler.ts";

/** The part of a request that is about one bucket. An absent partition reads as zero, and is not its own then. */
interface OfBucket {
  readonly partitionId: bigint;
  readonly bucketId: number;
}

/** One part for each bucket: of two for the same the last counts, as in servers, which put them into a map. */
export function oncePerBucket<B extends OfBucket>(parts: readonly B[]): readonly B[] {
  if (parts.length === 1) return parts;
  const last = new Map<string, B>();
  for (const part of parts) {
    last.set(`${Object.hasOwn(part, "partitionId") ? part.partitionId : ""}/${part.bucketId}`, part);
  }
  return last.size === parts.length ? parts : [...last.values()];
}

/**
 * Finds a bucket that a request asks something of.
 *
 * @throws {ServerFault} 21 when there is none; what an interceptor says
 */
export function bucketFor(
  engine: Engine,
  call: Call,
  tableId: bigint | number,
  partitionId: bigint | number | undefined,
  bucketId: number,
): Bucket {
  const bucket = engine.buckets.get(tableId, partitionId, bucketId);
  const refusal = engine.interceptor?.onBucket?.(call, bucket.id);
  if (refusal !== undefined) throw refusal;
  return bucket;
}
