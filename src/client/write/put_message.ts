/**
 * The message of PUT_KV, written by hand: a generated one would copy every batch twice more on its way to the socket.
 * `tests/unit/client/write/` holds it against the generated codec.
 *
 * @module
 */
import { int32Size, intSize, longSize, writeInt, writeInt32, writeLong } from "../rpc/varint.ts";

/** What is written to one bucket. */
export interface BucketRecords {
  readonly partitionId: bigint | undefined;
  readonly bucket: number;
  /** One KV batch. */
  readonly records: Uint8Array;
}

/** A PutKvRequest. */
export interface PutRequest {
  readonly acks: -1 | 0 | 1;
  readonly tableId: bigint;
  readonly timeoutMs: number;
  /** Positions of the columns that are written; undefined for whole rows. */
  readonly targets: readonly number[] | undefined;
  readonly buckets: readonly BucketRecords[];
}

/**
 * Writes a PutKvRequest.
 *
 * @param headroom bytes left free at the start for the frame's header
 * @param allocate gives exactly so many bytes, with any content
 */
export function encodePut(
  { acks, tableId, timeoutMs, targets, buckets }: PutRequest,
  headroom: number,
  allocate: (bytes: number) => Uint8Array<ArrayBuffer> = (bytes) => new Uint8Array(bytes),
): Uint8Array<ArrayBuffer> {
  let size = headroom + 1 + int32Size(acks) + 1 + longSize(tableId) + 1 + intSize(timeoutMs) + 2;
  let targetBytes = 0;
  for (const target of targets ?? []) targetBytes += intSize(target);
  if (targetBytes > 0) size += 1 + intSize(targetBytes) + targetBytes;
  const sizes = buckets.map(({ partitionId, bucket, records }) => {
    const own = partitionId === undefined ? 0 : 1 + longSize(partitionId);
    return own + 1 + intSize(bucket) + 1 + intSize(records.length) + records.length;
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
    out[at++] = 0x2a;
    at = writeInt(out, at, sizes[i]!);
    if (partitionId !== undefined) {
      out[at++] = 0x08;
      at = writeLong(out, at, partitionId);
    }
    out[at++] = 0x10;
    at = writeInt(out, at, bucket);
    out[at++] = 0x1a;
    at = writeInt(out, at, records.length);
    out.set(records, at);
    at += records.length;
  }
  // agg_mode 0: rows are merged as the table's merge engine says.
  out[at++] = 0x30;
  out[at] = 0;
  return out;
}
