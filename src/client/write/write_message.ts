/**
 * The messages of PUT_KV and PRODUCE_LOG, written by hand: generated ones would copy every batch twice more on their way
 * to the socket.
 * `tests/unit/client/write/` holds it against the generated codec.
 *
 * @module
 */
import { bucketHeadSize, writeBucketHead } from "../rpc/bucket_head.ts";
import { int32Size, intSize, longSize, writeInt, writeInt32, writeLong } from "../rpc/varint.ts";

/** What is written to one bucket. */
export interface BucketRecords {
  readonly partitionId: bigint | undefined;
  readonly bucket: number;
  /** One KV batch or log batch. */
  readonly records: Uint8Array;
}

/** A PutKvRequest or ProduceLogRequest. */
export interface WriteRequest {
  /** Which of them. */
  readonly kind: "put" | "produce";
  readonly acks: -1 | 0 | 1;
  readonly tableId: bigint;
  readonly timeoutMs: number;
  /** Positions of the columns that are put; undefined for whole rows. */
  readonly targets: readonly number[] | undefined;
  readonly buckets: readonly BucketRecords[];
}

/** The field that holds the buckets. */
const BUCKETS = { put: 0x2a, produce: 0x22 };

/**
 * Writes a request.
 *
 * @param headroom bytes left free at the start for the frame's header
 * @param allocate gives exactly so many bytes, with any content
 */
export function encodeWrite(
  { kind, acks, tableId, timeoutMs, targets, buckets }: WriteRequest,
  headroom: number,
  allocate: (bytes: number) => Uint8Array<ArrayBuffer> = (bytes) => new Uint8Array(bytes),
): Uint8Array<ArrayBuffer> {
  let size = headroom + 1 + int32Size(acks) + 1 + longSize(tableId) + 1 + intSize(timeoutMs) +
    (kind === "put" ? 2 : 0);
  let targetBytes = 0;
  for (const target of targets ?? []) targetBytes += intSize(target);
  if (targetBytes > 0) size += 1 + intSize(targetBytes) + targetBytes;
  const sizes = buckets.map(({ partitionId, bucket, records }) => {
    return bucketHeadSize(partitionId, bucket) + 1 + intSize(records.length) + records.length;
  });
  for (const inner of sizes) size += 1 + intSize(inner) + inner;
  const out = allocate(size);
  let at = headroom;
  out[at++] = 0x08;
  at = writeInt32(out, at, acks);
  out[at++] = 0x10;
  at = writeLong(out, at, tableId);
  out[at++] = 0x18;
  at = writeInt(out, at, timeoutMs);
  if (targetBytes > 0) {
    out[at++] = 0x22;
    at = writeInt(out, at, targetBytes);
    for (const target of targets!) at = writeInt(out, at, target);
  }
  for (let i = 0; i < buckets.length; i++) {
    const { partitionId, bucket, records } = buckets[i]!;
    out[at++] = BUCKETS[kind];
    at = writeInt(out, at, sizes[i]!);
    at = writeBucketHead(out, at, partitionId, bucket);
    out[at++] = 0x1a;
    at = writeInt(out, at, records.length);
    out.set(records, at);
    at += records.length;
  }
  if (kind === "put") {
    // agg_mode 0: rows are merged as the table's merge engine says.
    out[at++] = 0x30;
    out[at] = 0;
  }
  return out;
}
