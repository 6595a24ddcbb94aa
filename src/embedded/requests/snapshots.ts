/**
 * Requests about what servers keep outside of themselves: snapshots of rows, old segments of logs, data lakes. There is
 * nothing of that here; every row is in the storage, every log is whole. Source: Fluss `RpcServiceBase.java`,
 * `CoordinatorService.java`, `KvSnapshotLeaseManager.java`, and for the lists those of the servers after 0.9.1.
 *
 * @module
 */
import { optionalField } from "../../client/rpc/required.ts";
import { bucketText } from "../bucket_text.ts";
import { type CatalogTable, tableText } from "../catalog/table.ts";
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import { type Expiring, sweep } from "./expiring.ts";
import type { Call, Handlers } from "./handler.ts";
import { authorizeTable, unknownTable } from "./table_access.ts";
import { readPath } from "./tables.ts";

/** A lease, as it is stored: buckets as `partition/bucket` (the partition may be empty), by table. */
interface StoredLease extends Expiring {
  readonly tables: Readonly<Record<string, readonly string[]>>;
}

const PREFIX = "kv-snapshot-lease/";

/** See the module. */
export const snapshotHandlers: Handlers = {
  GET_LATEST_KV_SNAPSHOTS(engine, request, { principal }) {
    const path = readPath(request.tablePath!);
    engine.authorizer.check(principal, "DESCRIBE", path);
    const table = engine.catalog.table(path);
    const partitionName = optionalField(request, "partitionName");
    const isPartitioned = table.live.partitionKey.length > 0;
    if (!hasPrimaryKey(table)) {
      throw fault(
        "SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION",
        `Table '${tableText(path)}' is not a primary key table, so it doesn't have any kv snapshots.`,
      );
    }
    if (partitionName !== undefined && !isPartitioned) {
      throw fault(
        "SERVER.TABLE_NOT_PARTITIONED_EXCEPTION",
        `Table '${tableText(path)}' is not a partitioned table.`,
      );
    }
    if (partitionName === undefined && isPartitioned) {
      throw fault(
        "SERVER.PARTITION_NOT_EXISTS",
        `Table '${tableText(path)}' is a partitioned table, but partition name is not provided.`,
      );
    }
    const partition = partitionName === undefined ? undefined : engine.catalog.findPartition(table, partitionName);
    if (partitionName !== undefined && partition === undefined) {
      // 0.9.1 wraps it, and answers -1.
      throw new Error(
        `The partition '${partitionName}' of table '${tableText(path)}' does not exist.`,
      );
    }
    return {
      tableId: BigInt(table.id),
      ...(partition === undefined ? {} : { partitionId: BigInt(partition.id) }),
      latestSnapshots: Array.from({ length: table.bucketCount }, (_, bucketId) => ({ bucketId })),
    };
  },

  GET_KV_SNAPSHOT_METADATA(engine, request, call) {
    authorizeTable(engine, call, "DESCRIBE", request.tableId);
    const partitionId = optionalField(request, "partitionId");
    const bucket = bucketText({
      tableId: Number(request.tableId),
      partitionId: partitionId === undefined ? undefined : Number(partitionId),
      bucket: request.bucketId,
    });
    throw fault(
      "SERVER.KV_SNAPSHOT_NOT_EXIST",
      `Failed to get kv snapshot metadata for table bucket ${bucket} and snapshot id ${request.snapshotId}. Error: ` +
        "Kv snapshot not found",
    );
  },

  LIST_KV_SNAPSHOTS(engine, request, call) {
    const { tableId } = request;
    authorizeTable(engine, call, "DESCRIBE", tableId);
    const partitionId = optionalField(request, "partitionId");
    if (partitionId === undefined && engine.catalog.tableById(Number(tableId)) === undefined) {
      throw fault("SERVER.TABLE_NOT_EXIST", `Table ${tableId} does not exist`);
    }
    checkPartition(engine, tableId, partitionId);
    return { tableId, ...(partitionId === undefined ? {} : { partitionId }) };
  },

  ACQUIRE_KV_SNAPSHOT_LEASE(engine, { leaseId, leaseDurationMs, snapshotsToLease }, call) {
    for (const { tableId } of snapshotsToLease) checkRows(engine, call, tableId);
    const refuse = () => new Error(`Failed to acquire kv snapshot lease for${leaseId}`);
    if (leaseId === "") throw refuse();
    sweep(engine, PREFIX);
    const tables = { ...leaseOf(engine, leaseId)?.tables };
    for (const { tableId, bucketSnapshots } of snapshotsToLease) {
      // 0.9.1 leases whatever it is asked for, and so tells of nothing that is missing.
      if (bucketSnapshots.some(({ bucketId }) => bucketId < 0)) throw refuse();
      const key = `${tableId}`;
      const buckets = bucketSnapshots.map((one) => bucketKey(optionalField(one, "partitionId"), one.bucketId));
      if (buckets.length > 0) tables[key] = [...new Set([...tables[key] ?? [], ...buckets])];
    }
    const expiresAt = engine.clock.now() + Number(leaseDurationMs);
    engine.storage.documents.put(PREFIX + leaseId, { expiresAt, tables } satisfies StoredLease);
    return {};
  },

  RELEASE_KV_SNAPSHOT_LEASE(engine, { leaseId, bucketsToRelease }, call) {
    for (const { tableId } of bucketsToRelease) checkRows(engine, call, tableId);
    const lease = leaseOf(engine, leaseId);
    if (lease === undefined) return {};
    const tables = { ...lease.tables };
    for (const bucket of bucketsToRelease) {
      const key = `${bucket.tableId}`;
      if (tables[key] === undefined) throw new Error(`Failed to release kv snapshot lease for${leaseId}`);
      const released = bucketKey(optionalField(bucket, "partitionId"), bucket.bucketId);
      const left = tables[key].filter((one) => one !== released);
      if (left.length > 0) tables[key] = left;
      else delete tables[key];
    }
    const { documents } = engine.storage;
    if (Object.keys(tables).length === 0) documents.delete(PREFIX + leaseId);
    else documents.put(PREFIX + leaseId, { ...lease, tables } satisfies StoredLease);
    return {};
  },

  DROP_KV_SNAPSHOT_LEASE(engine, { leaseId }, call) {
    const lease = leaseOf(engine, leaseId);
    for (const tableId of Object.keys(lease?.tables ?? {})) authorizeTable(engine, call, "READ", BigInt(tableId));
    engine.storage.documents.delete(PREFIX + leaseId);
    return {};
  },

  GET_LAKE_SNAPSHOT(engine, request, { principal }) {
    const path = readPath(request.tablePath!);
    engine.authorizer.check(principal, "DESCRIBE", path);
    const snapshotId = optionalField(request, "snapshotId");
    const readable = optionalField(request, "readable") ?? false;
    if (readable && snapshotId !== undefined) {
      throw new Error(
        "GetLakeSnapshotRequest cannot set both snapshot_id and readable=true; use one or the other to specify either " +
          "a snapshot by id or the latest readable snapshot.",
      );
    }
    const { id } = engine.catalog.table(path);
    throw fault(
      "SERVER.LAKE_SNAPSHOT_NOT_EXIST",
      `Lake table ${readable ? "readable snapshot" : "snapshot"} doesn't exist for table: ${tableText(path)}, table ` +
        `id: ${id}${snapshotId === undefined ? "" : `, snapshot id: ${snapshotId}`}`,
    );
  },

  GET_FILESYSTEM_SECURITY_TOKEN: () => ({ schema: "file", token: new Uint8Array(0) }),

  LIST_REMOTE_LOG_MANIFESTS(engine, request, call) {
    const { tableId } = request;
    authorizeTable(engine, call, "DESCRIBE", tableId);
    checkPartition(engine, tableId, optionalField(request, "partitionId"));
    return {};
  },
};

function hasPrimaryKey(table: CatalogTable): boolean {
  return table.live.schema.primaryKey.length > 0;
}

/** @throws {ServerFault} 48, 21, 20 */
function checkRows(engine: Engine, call: Call, tableId: bigint): void {
  authorizeTable(engine, call, "READ", tableId);
  const table = engine.catalog.tableById(Number(tableId));
  if (table === undefined) throw unknownTable(call, tableId);
  if (hasPrimaryKey(table)) return;
  throw fault(
    "SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION",
    `Table '${tableText(table.path)}' is not a primary key table`,
  );
}

/** @throws {ServerFault} 36 */
function checkPartition(engine: Engine, tableId: bigint, partitionId: bigint | undefined): void {
  if (partitionId === undefined) return;
  const owner = engine.catalog.tableOfPartition(Number(partitionId));
  if (owner?.id === Number(tableId)) return;
  throw fault(
    "SERVER.PARTITION_NOT_EXISTS",
    owner === undefined
      ? `Partition ${partitionId} does not exist`
      : `Partition ${partitionId} does not belong to table ${tableId}`,
  );
}

function bucketKey(partitionId: bigint | undefined, bucketId: number): string {
  return `${partitionId ?? ""}/${bucketId}`;
}

/** A lease that is not over. */
function leaseOf({ clock, storage }: Engine, id: string): StoredLease | undefined {
  const lease = storage.documents.get(PREFIX + id) as StoredLease | undefined;
  return lease === undefined || lease.expiresAt < clock.now() ? undefined : lease;
}
