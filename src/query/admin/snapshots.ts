/**
 * Snapshots that servers keep in remote storage: of the rows of buckets, and of tables in a data lake.
 *
 * @module
 */
import type { CallOptions } from "../../base/wait.ts";
import { API } from "../../client/rpc/api.ts";
import { optionalField } from "../../client/rpc/required.ts";
import { type AdminPlace, findTable, partitionIdOf, pathOf, type TableName, wait, wirePath } from "./place.ts";

/** Options of calls about the KV snapshots of a table. */
export interface KvSnapshotOptions extends CallOptions {
  /** The partition, by its name on the wire. Required for partitioned tables. */
  readonly partition?: string;
}

/** A snapshot of the rows of one bucket, which the server has put into remote storage. */
export interface KvSnapshot {
  /** The bucket. */
  readonly bucket: number;
  /** Its number within the bucket. */
  readonly snapshotId: bigint;
  /** The offset of the change log from which on changes are not in it. */
  readonly logOffset: bigint;
}

/** What a snapshot is made of: the files of a RocksDB database. */
export interface KvSnapshotMetadata {
  /** As in {@linkcode KvSnapshot}. */
  readonly logOffset: bigint;
  /** The files. */
  readonly files: readonly {
    /** Where it is in remote storage. */
    readonly remotePath: string;
    /** Its name in the database. */
    readonly name: string;
  }[];
}

/** Options of {@linkcode Admin.leaseKvSnapshots}. */
export interface KvSnapshotLeaseOptions extends KvSnapshotOptions {
  /** How long the snapshots are kept, from now, in milliseconds. */
  readonly durationMs: number;
}

/** A table as it is in a data lake. */
export interface LakeSnapshot {
  /** The lake's own number of the snapshot. */
  readonly snapshotId: bigint;
  /** How far each bucket is in it. */
  readonly buckets: readonly {
    /** The bucket. */
    readonly bucket: number;
    /** The partition by its name, where the server says it. */
    readonly partition?: string;
    /** The offset of the log from which on records are not in the snapshot; absent where the server does not say. */
    readonly logOffset?: bigint;
  }[];
}

/** Options of {@linkcode Admin.lakeSnapshot}. */
export interface LakeSnapshotOptions extends CallOptions {
  /** This snapshot. Default: the latest. */
  readonly snapshotId?: bigint;
  /** True: the latest that can be read. Default false. */
  readonly readable?: boolean;
}

export async function kvSnapshots(
  place: AdminPlace,
  table: TableName,
  options: KvSnapshotOptions,
): Promise<KvSnapshot[]> {
  const { latestSnapshots } = await latest(place, table, options);
  return latestSnapshots.flatMap((found) => {
    const snapshotId = optionalField(found, "snapshotId");
    if (snapshotId === undefined) return [];
    return [{ bucket: found.bucketId, snapshotId, logOffset: optionalField(found, "logOffset") ?? 0n }];
  });
}

export async function keptKvSnapshots(
  place: AdminPlace,
  table: TableName,
  options: KvSnapshotOptions,
): Promise<KvSnapshot[]> {
  const deadline = place.client.cluster.deadline(options);
  const found = await findTable(place, table, deadline.options);
  const partitionId = await partitionIdOf(place, found, options.partition, deadline.options);
  const { activeSnapshots } = await place.client.cluster.callCoordinator(API.LIST_KV_SNAPSHOTS, {
    tableId: found.target.tableId,
    ...(partitionId === undefined ? {} : { partitionId }),
  }, { ...deadline.options, repeatable: true });
  return activeSnapshots.map((one) => ({
    bucket: one.bucketId,
    snapshotId: one.snapshotId,
    logOffset: optionalField(one, "logOffset") ?? 0n,
  }));
}

export async function kvSnapshotMetadata(
  place: AdminPlace,
  table: TableName,
  snapshot: Pick<KvSnapshot, "bucket" | "snapshotId">,
  options: KvSnapshotOptions,
): Promise<KvSnapshotMetadata> {
  const found = await latest(place, table, options);
  const partitionId = optionalField(found, "partitionId");
  const { bucket: bucketId, snapshotId } = snapshot;
  const answer = await place.client.cluster.callAny(API.GET_KV_SNAPSHOT_METADATA, {
    tableId: found.tableId,
    ...(partitionId === undefined ? {} : { partitionId }),
    bucketId,
    snapshotId,
  }, wait(options));
  return {
    logOffset: answer.logOffset,
    files: answer.snapshotFiles.map(({ remotePath, localFileName: name }) => ({ remotePath, name })),
  };
}

async function latest(place: AdminPlace, table: TableName, options: KvSnapshotOptions) {
  const { partition: partitionName } = options;
  return await place.client.cluster.callAny(API.GET_LATEST_KV_SNAPSHOTS, {
    tablePath: wirePath(pathOf(place, table)),
    ...(partitionName === undefined ? {} : { partitionName }),
  }, wait(options));
}

export async function leaseKvSnapshots(
  place: AdminPlace,
  leaseId: string,
  table: TableName,
  snapshots: readonly Pick<KvSnapshot, "bucket" | "snapshotId">[],
  options: KvSnapshotLeaseOptions,
): Promise<Pick<KvSnapshot, "bucket" | "snapshotId">[]> {
  const found = await latest(place, table, options);
  const { tableId } = found;
  const partitionId = optionalField(found, "partitionId");
  const bucketSnapshots = snapshots.map(({ bucket: bucketId, snapshotId }) => ({
    bucketId,
    snapshotId,
    ...(partitionId === undefined ? {} : { partitionId }),
  }));
  const answer = await place.client.cluster.callCoordinator(API.ACQUIRE_KV_SNAPSHOT_LEASE, {
    leaseId,
    leaseDurationMs: BigInt(Math.trunc(options.durationMs)),
    snapshotsToLease: [{ tableId, bucketSnapshots }],
  }, { ...wait(options), repeatable: true });
  return answer.unavailableSnapshots.flatMap((table) =>
    table.bucketSnapshots.map(({ bucketId: bucket, snapshotId }) => ({ bucket, snapshotId }))
  );
}

export async function releaseKvSnapshots(
  place: AdminPlace,
  leaseId: string,
  table: TableName,
  buckets: readonly number[],
  options: KvSnapshotOptions,
): Promise<void> {
  const found = await latest(place, table, options);
  const { tableId } = found;
  const partitionId = optionalField(found, "partitionId");
  await place.client.cluster.callCoordinator(API.RELEASE_KV_SNAPSHOT_LEASE, {
    leaseId,
    bucketsToRelease: buckets.map((bucketId) => ({
      tableId,
      bucketId,
      ...(partitionId === undefined ? {} : { partitionId }),
    })),
  }, { ...wait(options), repeatable: true });
}

export async function dropKvSnapshotLease(place: AdminPlace, leaseId: string, options: CallOptions): Promise<void> {
  await place.client.cluster.callCoordinator(API.DROP_KV_SNAPSHOT_LEASE, { leaseId }, {
    ...wait(options),
    repeatable: true,
  });
}

export async function lakeSnapshot(
  place: AdminPlace,
  table: TableName,
  options: LakeSnapshotOptions,
): Promise<LakeSnapshot> {
  const { snapshotId, readable } = options;
  const answer = await place.client.cluster.callAny(API.GET_LAKE_SNAPSHOT, {
    tablePath: wirePath(pathOf(place, table)),
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(readable === undefined ? {} : { readable }),
  }, wait(options));
  return {
    snapshotId: answer.snapshotId,
    buckets: answer.bucketSnapshots.map((one) => {
      const partition = optionalField(one, "partitionName");
      const logOffset = optionalField(one, "logOffset");
      return {
        bucket: one.bucketId,
        ...(partition === undefined ? {} : { partition }),
        ...(logOffset === undefined ? {} : { logOffset }),
      };
    }),
  };
}
