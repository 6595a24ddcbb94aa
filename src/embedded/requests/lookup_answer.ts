/**
 * The answer to a lookup, written by hand: it is the one that a profile of many lookups shows, and here no object is made
 * per value. `tests/unit/embedded/requests/` holds it against the generated codec.
 *
 * @module
 */
import { bucketHeadSize, writeBucketHead } from "../../client/rpc/bucket_head.ts";
import { intSize, writeInt } from "../../client/rpc/varint.ts";

/** What was found in one bucket. */
export interface FoundValues {
  readonly partitionId: bigint | undefined;
  readonly bucketId: number;
  /** In the order of the keys; undefined where there is no row. */
  readonly values: readonly (Uint8Array | undefined)[];
}

/** Writes a LookupResponse of buckets in none of which anything failed. */
export function encodeLookupAnswer(buckets: readonly FoundValues[]): Uint8Array<ArrayBuffer> {
  const sizes = buckets.map(({ partitionId, bucketId, values }) => {
    let size = bucketHeadSize(partitionId, bucketId);
    for (let i = 0; i < values.length; i++) {
      const inner = valueSize(values[i]);
      size += 1 + intSize(inner) + inner;
    }
    return size;
  });
  const out = new Uint8Array(sizes.reduce((sum, size) => sum + 1 + intSize(size) + size, 0));
  let at = 0;
  buckets.forEach(({ partitionId, bucketId, values }, k) => {
    out[at++] = 0x0a;
    at = writeInt(out, at, sizes[k]!);
    at = writeBucketHead(out, at, partitionId, bucketId);
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      out[at++] = 0x2a;
      at = writeInt(out, at, valueSize(value));
      if (value === undefined) continue;
      const { length } = value;
      out[at++] = 0x0a;
      at = writeInt(out, at, length);
      // A call into the runtime costs more than copying a short row byte by byte.
      if (length <= 48) { for (let b = 0; b < length; b++) out[at + b] = value[b]!; }
      else out.set(value, at);
      at += length;
    }
  });
  return out;
}

/** The bytes of a PbValue. */
function valueSize(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : 1 + intSize(value.length) + value.length;
}
