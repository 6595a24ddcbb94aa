/**
 * What is asked about buckets: where their logs begin and end, how many rows they have.
 *
 * @module
 */
import type { CallOptions } from "../../base/wait.ts";
import { askBuckets } from "../../client/read/ask_buckets.ts";
import { fetchExactOffsets } from "../../client/read/offsets.ts";
import { API } from "../../client/rpc/api.ts";
import { optionalField } from "../../client/rpc/required.ts";
import { type AdminPlace, bucketsOf, findTable, type TableName } from "./place.ts";

/** A place in the log of one bucket. */
export interface BucketOffset {
  /** The bucket. */
  readonly bucket: number;
  /** The partition by its name, where the table is partitioned. */
  readonly partition?: string;
  /** The offset of the next record to read or write there. */
  readonly offset: bigint;
}

/** Which offset is asked for. */
export type OffsetPosition = "earliest" | "latest" | { readonly timestamp: Temporal.Instant | Date | number };

/** Options of {@linkcode Admin.offsets}. */
export interface OffsetsOptions extends CallOptions {
  /** The partition, by its name on the wire. Default: all partitions. */
  readonly partition?: string;
  /** Only these buckets. Default all. */
  readonly buckets?: readonly number[];
}

/** Options of {@linkcode Admin.statistics}. */
export interface StatisticsOptions extends CallOptions {
  /** The partition, by its name on the wire. Default: all partitions. */
  readonly partition?: string;
}

/** How many rows there are in one bucket. */
export interface BucketStatistics {
  /** The bucket. */
  readonly bucket: number;
  /** The partition by its name, where the table is partitioned. */
  readonly partition?: string;
  /** Rows of a primary-key table, records of a log table. */
  readonly rowCount: bigint;
}

/** How large a table is. */
export interface TableStatistics {
  /** Rows of a primary-key table, records that are kept of a log table. */
  readonly rowCount: bigint;
  /** The same for each bucket. */
  readonly buckets: readonly BucketStatistics[];
}

export async function offsets(
  place: AdminPlace,
  table: TableName,
  position: OffsetPosition,
  options: OffsetsOptions,
): Promise<BucketOffset[]> {
  const deadline = place.client.cluster.deadline(options);
  const found = await findTable(place, table, deadline.options);
  const buckets = await bucketsOf(place, found, options.partition, options.buckets, deadline.options);
  const question = typeof position === "string" ? position : { timestamp: epochMillis(position.timestamp) };
  const offsets = await fetchExactOffsets(place.client, found, buckets, question, deadline);
  return buckets.map(({ bucket, partition }, i) => ({ ...named(bucket, partition), offset: offsets[i]! }));
}

export async function statistics(
  place: AdminPlace,
  table: TableName,
  options: StatisticsOptions,
): Promise<TableStatistics> {
  const deadline = place.client.cluster.deadline(options);
  const found = await findTable(place, table, deadline.options);
  const refs = await bucketsOf(place, found, options.partition, undefined, deadline.options);
  const counts = await askBuckets(place.client, found, refs, {
    doing: "counting the rows",
    ask: async (connection, { tableId, partitionId, buckets }, call) => {
      const answer = await connection.call(API.GET_TABLE_STATS, {
        tableId,
        bucketsReq: buckets.map((bucketId) => ({ bucketId, ...(partitionId === undefined ? {} : { partitionId }) })),
      }, call);
      return answer.bucketsResp.map((said) => ({
        bucketId: said.bucketId,
        errorCode: said.errorCode,
        errorMessage: said.errorMessage,
        value: optionalField(said, "rowCount"),
      }));
    },
  }, deadline);
  const buckets = refs.map(({ bucket, partition }, i) => ({ ...named(bucket, partition), rowCount: counts[i]! }));
  return { rowCount: counts.reduce((sum, count) => sum + count, 0n), buckets };
}

function epochMillis(timestamp: Temporal.Instant | Date | number): number {
  if (typeof timestamp === "number") return Math.trunc(timestamp);
  return timestamp instanceof Date ? timestamp.getTime() : timestamp.epochMilliseconds;
}

function named(
  bucket: number,
  partition: string | undefined,
): { readonly bucket: number; readonly partition?: string } {
  return partition === undefined ? { bucket } : { bucket, partition };
}
