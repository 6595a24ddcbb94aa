/**
 * The last records of a log, for limit scans of log tables.
 *
 * @module
 */
import type { Bucket } from "../buckets.ts";
import { joined } from "./joined.ts";

/**
 * The batches that hold the last `limit` records: whole ones, so there may be more records in front.
 *
 * @returns no bytes when there are no records, or none are asked for
 * @throws {ServerFault} 19 when the limit is negative
 */
export function lastRecords({ log }: Bucket, limit: number): Uint8Array {
  const offset = log.offsetAt(Math.max(log.start, log.end - limit));
  return joined(log.read(offset, Infinity, true));
}
