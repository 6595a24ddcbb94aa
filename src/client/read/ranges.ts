/**
 * The buckets of a table, and where reading them starts and ends.
 *
 * @module
 */
import { flussError, FlussSubscriptionError } from "../../base/errors.ts";
import type { Deadline } from "../../base/wait.ts";
import type { FlussClient } from "../client.ts";
import { API } from "../rpc/api.ts";
import type { BoundTable } from "../table/bound_table.ts";
import { fetchOffsets } from "./offsets.ts";

/** One bucket of a table or of a partition. */
export interface BucketRef {
  /** The partition's name; undefined when the table is not partitioned. */
  readonly partition: string | undefined;
  /** Its number: a partition that was dropped and made again has another. */
  readonly partitionId: bigint | undefined;
  /** The bucket's number within table or partition. */
  readonly bucket: number;
}

/** A position in one bucket. */
export interface BucketPosition {
  /** The bucket's number within table or partition. */
  readonly bucket: number;
  /** The partition's name, where the table is partitioned. */
  readonly partition?: string | undefined;
  /** The offset. */
  readonly offset: bigint;
}

/** A point in time, in milliseconds since 1970. */
export interface AtTimestamp {
  /** The time. */
  readonly timestamp: number;
}

/** Positions of some buckets. */
export interface AtBucketOffsets {
  /** One per bucket. */
  readonly offsets: readonly BucketPosition[];
}

/** Where reading starts. */
export type StartAt = "earliest" | "latest" | AtTimestamp | AtBucketOffsets;

/** Where reading ends, exclusive. */
export type StopAt = "latest" | AtTimestamp | AtBucketOffsets;

/** The start of a log, wherever it is: servers put it in place of this offset (Fluss: LogScanner.EARLIEST_OFFSET). */
export const EARLIEST = -2n;

/**
 * The buckets of a table, partition by partition.
 *
 * @param partition the name of the only one that is wanted; undefined for all
 * @throws FlussUsageError `SCAN.UNKNOWN_PARTITION`; what the cluster says
 */
export async function listBuckets(
  client: FlussClient,
  bound: BoundTable,
  partition: string | undefined,
  deadline: Deadline,
): Promise<BucketRef[]> {
  const { target, codec: { layout } } = bound;
  const buckets = (name: string | undefined, partitionId: bigint | undefined): BucketRef[] =>
    Array.from({ length: layout.buckets }, (_, bucket) => ({ partition: name, partitionId, bucket }));
  if (layout.partitionColumns.length === 0) {
    if (partition !== undefined) throw unknownPartition(bound, partition, []);
    return buckets(undefined, undefined);
  }
  const { database: databaseName, table: tableName } = target.path;
  const request = { tablePath: { databaseName, tableName } };
  const { partitionsInfo } = await client.cluster.callAny(API.LIST_PARTITION_INFOS, request, deadline.options);
  const found = partitionsInfo.map(({ partitionId, partitionSpec }) => ({
    name: (partitionSpec?.partitionKeyValues ?? []).map(({ value }) => value).join("$"),
    partitionId,
  }));
  const wanted = partition === undefined ? found : found.filter(({ name }) => name === partition);
  if (partition !== undefined && wanted.length === 0) {
    throw unknownPartition(bound, partition, found.map(({ name }) => name));
  }
  return wanted.flatMap(({ name, partitionId }) => buckets(name, partitionId));
}

/**
 * Where reading starts, for each bucket; undefined for buckets that offsets do not name. The earliest offset stays
 * {@linkcode EARLIEST}: records expire between the question and the first fetch.
 *
 * @throws FlussUsageError `SCAN.UNKNOWN_BUCKET`, `SCAN.UNKNOWN_PARTITION`, `SUBSCRIPTION.OFFSET_OUT_OF_RANGE`
 */
export async function resolveStart(
  client: FlussClient,
  bound: BoundTable,
  buckets: readonly BucketRef[],
  at: StartAt,
  deadline: Deadline,
): Promise<(bigint | undefined)[]> {
  if (at === "earliest") return buckets.map(() => EARLIEST);
  if (at === "latest" || "timestamp" in at) return await fetchOffsets(client, bound, buckets, at, deadline);
  const given = placed(bound, buckets, at.offsets);
  const named = buckets.filter((_, i) => given[i] !== undefined);
  const [earliest, latest] = await Promise.all([
    fetchOffsets(client, bound, named, "earliest", deadline),
    fetchOffsets(client, bound, named, "latest", deadline),
  ]);
  named.forEach((bucket, i) => {
    const offset = given[buckets.indexOf(bucket)]!;
    if (offset < earliest[i]! || offset > latest[i]!) {
      throw outOfRange(bound.target.name, bucket, offset, { earliest: earliest[i]!, latest: latest[i]! });
    }
  });
  return given;
}

/**
 * Where reading ends, for each bucket, exclusive. Buckets that offsets do not name end at their end.
 *
 * @throws FlussUsageError `SCAN.UNKNOWN_BUCKET`, `SCAN.UNKNOWN_PARTITION`, `SUBSCRIPTION.OFFSET_OUT_OF_RANGE`
 */
export async function resolveStop(
  client: FlussClient,
  bound: BoundTable,
  buckets: readonly BucketRef[],
  at: StopAt,
  deadline: Deadline,
): Promise<bigint[]> {
  if (at === "latest" || "timestamp" in at) return await fetchOffsets(client, bound, buckets, at, deadline);
  const given = placed(bound, buckets, at.offsets);
  const latest = await fetchOffsets(client, bound, buckets, "latest", deadline);
  return given.map((offset, i) => {
    if (offset === undefined || offset <= latest[i]!) return offset ?? latest[i]!;
    throw outOfRange(bound.target.name, buckets[i]!, offset, { latest: latest[i]! });
  });
}

/** The given offsets in the order of the buckets. */
function placed(
  bound: BoundTable,
  buckets: readonly BucketRef[],
  offsets: readonly BucketPosition[],
): (bigint | undefined)[] {
  const given: (bigint | undefined)[] = buckets.map(() => undefined);
  for (const { bucket, partition, offset } of offsets) {
    const i = buckets.findIndex((other) => other.bucket === bucket && other.partition === partition);
    if (i >= 0) {
      given[i] = offset;
      continue;
    }
    const table = bound.target.name;
    if (partition === undefined && bound.target.partitionColumns.length > 0) {
      throw flussError("SCAN.UNKNOWN_PARTITION", {
        table,
        bucket,
        message: `the offset of bucket ${bucket} names no partition, and the table is partitioned`,
        hint: "add partition, the name as admin.partitions() gives it",
      });
    }
    const siblings = buckets.filter((other) => other.partition === partition);
    if (partition !== undefined && siblings.length === 0) {
      throw unknownPartition(bound, partition, [...new Set(buckets.map((other) => other.partition ?? ""))]);
    }
    throw flussError("SCAN.UNKNOWN_BUCKET", {
      table,
      bucket,
      partition,
      message: `there is no bucket ${bucket}`,
      hint: `the buckets are 0 to ${bound.codec.layout.buckets - 1}`,
    });
  }
  return given;
}

function unknownPartition(bound: BoundTable, partition: string, known: readonly string[]): Error {
  const some = known.slice(0, 5).map((name) => JSON.stringify(name)).join(", ");
  return flussError("SCAN.UNKNOWN_PARTITION", {
    table: bound.target.name,
    partition,
    message: `there is no partition ${JSON.stringify(partition)}`,
    hint: bound.target.partitionColumns.length === 0
      ? "the table is not partitioned"
      : known.length === 0
      ? "the table has no partitions"
      : `there ${known.length > 1 ? "are" : "is"} ${some}${known.length > 5 ? ` and ${known.length - 5} more` : ""}`,
  });
}

/** What a bucket holds: from `earliest`, and up to `latest`, exclusive. */
export interface BucketEnds {
  /** The first offset. */
  readonly earliest?: bigint;
  /** The offset after the last record that may be read. */
  readonly latest?: bigint;
}

/** The error for an offset that a bucket does not hold, with what it holds instead. */
export function outOfRange(
  table: string,
  ref: BucketRef,
  offset: bigint,
  ends: BucketEnds,
  cause?: unknown,
): FlussSubscriptionError {
  const { partition, bucket } = ref;
  const { earliest, latest } = ends;
  const held = earliest === undefined
    ? latest === undefined ? "is not there" : `is above the end, ${latest}`
    : `is not among those that are kept, ${earliest} to ${latest}`;
  const expired = earliest !== undefined && offset < earliest;
  return new FlussSubscriptionError("SUBSCRIPTION.OFFSET_OUT_OF_RANGE", {
    table,
    bucket,
    partition,
    message: `offset ${offset} of bucket ${bucket}${
      partition === undefined ? "" : ` of partition ${JSON.stringify(partition)}`
    } ${held}`,
    ...(earliest === undefined ? {} : { earliest }),
    ...(expired ? { hint: `the records expired; the earliest that is available is ${earliest}` } : {}),
    cause,
  });
}
