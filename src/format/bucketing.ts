/**
 * From the bytes of a bucket key to the bucket.
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";
import { flussMurmur, flussMurmurAgain, standardMurmur } from "./murmur.ts";

/** Which function spreads keys over buckets; `table.datalake.format` of the live table decides. */
export type Bucketing = "fluss" | "paimon" | "iceberg";

const SEED = 42;

/**
 * The bucket of an encoded bucket key (Fluss: FlussBucketingFunction.java, PaimonBucketingFunction.java,
 * IcebergBucketingFunction.java). The server does not check it: a wrong bucket hides the row.
 *
 * @param key the array that holds the encoded key in `[start..end)`
 * @param buckets the table's bucket count
 * @throws {ColumnError} CODEC.OUT_OF_RANGE for a key without bytes, which Fluss's clients refuse as well
 */
export function bucketOf(bucketing: Bucketing, key: Uint8Array, start: number, end: number, buckets: number): number {
  if (start >= end) throw new ColumnError("CODEC.OUT_OF_RANGE", "an empty value cannot be the whole bucket key");
  switch (bucketing) {
    case "fluss":
      return flussMurmurAgain(flussMurmur(key, start, end, SEED)) % buckets;
    case "paimon":
      return Math.abs(flussMurmur(key, start, end, SEED) % buckets);
    case "iceberg":
      return (standardMurmur(key, start, end, 0) & 0x7fffffff) % buckets;
  }
}
