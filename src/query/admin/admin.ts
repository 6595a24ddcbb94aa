/**
 * Administration: databases, tables, partitions, snapshots, offsets, rights and servers.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import type { FlussClient } from "../../client/client.ts";
import { fetchTableInfo, type TableInfo } from "../../client/cluster/tables.ts";
import { API } from "../../client/rpc/api.ts";
import type { LiveSchema } from "../../schema/descriptor.ts";
import type { AnyTable } from "../../schema/infer.ts";
import * as rights from "./acls.ts";
import * as ofBuckets from "./buckets.ts";
import * as ofDatabases from "./databases.ts";
import * as ofPartitions from "./partitions.ts";
import {
  type AdminPlace,
  type CreateOptions,
  type DropOptions,
  listPartitions,
  pathOf,
  type TableName,
  wait,
  wirePath,
} from "./place.ts";
import * as ofProducers from "./producer_offsets.ts";
import * as balance from "./rebalance.ts";
import * as ofServers from "./servers.ts";
import * as ofSnapshots from "./snapshots.ts";
import * as ofTables from "./tables.ts";

/**
 * See the module. Got from `db.admin`. What a server cannot do is `CONNECTION.UNSUPPORTED_VERSION`, what the user may
 * not do `SERVER.AUTHORIZATION_EXCEPTION`.
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 *
 * export async function prepare(url: string): Promise<bigint> {
 *   await using db = await connect(url);
 *   await db.admin.createDatabase("shop", { ignoreIfExists: true });
 *   await db.admin.create(users, { ignoreIfExists: true });
 *   return (await db.admin.statistics(users)).rowCount;
 * }
 * ```
 */
export class Admin {
  readonly #place: AdminPlace;

  /** Use `db.admin`. */
  constructor(client: FlussClient, database: string | undefined) {
    this.#place = { client, database };
  }

  /** The names of all databases that the user may see. */
  async databases(options: CallOptions = {}): Promise<string[]> {
    return (await this.#place.client.cluster.callAny(API.LIST_DATABASES, {}, options)).databaseName;
  }

  /** All databases that the user may see, with their ages and how many tables they have. */
  async databaseSummaries(options: CallOptions = {}): Promise<ofDatabases.DatabaseSummary[]> {
    return await ofDatabases.databaseSummaries(this.#place, options);
  }

  /**
   * Creates a database.
   *
   * @throws FlussServerError `SERVER.DATABASE_ALREADY_EXIST`, `SERVER.INVALID_DATABASE_EXCEPTION`
   */
  async createDatabase(name: string, options: ofDatabases.CreateDatabaseOptions = {}): Promise<void> {
    await ofDatabases.createDatabase(this.#place, name, options);
  }

  /**
   * Alters the comment or the custom properties of a database. Servers of 0.9.1 cannot.
   *
   * @throws FlussServerError `SERVER.DATABASE_NOT_EXIST`; FlussConnectionError `CONNECTION.UNSUPPORTED_VERSION`
   */
  async alterDatabase(name: string, changes: ofDatabases.DatabaseChanges, options: DropOptions = {}): Promise<void> {
    await ofDatabases.alterDatabase(this.#place, name, changes, options);
  }

  /** Drops a database; with `cascade` its tables too, otherwise it must be empty. */
  async dropDatabase(name: string, options: DropOptions & { readonly cascade?: boolean } = {}): Promise<void> {
    await this.#place.client.cluster.callCoordinator(API.DROP_DATABASE, {
      databaseName: name,
      ignoreIfNotExists: options.ignoreIfNotExists === true,
      cascade: options.cascade === true,
    }, { ...wait(options), repeatable: options.ignoreIfNotExists === true });
  }

  /** Whether there is a database of this name, also one that the user may not see. */
  async databaseExists(name: string, options: CallOptions = {}): Promise<boolean> {
    return (await this.#place.client.cluster.callAny(API.DATABASE_EXISTS, { databaseName: name }, options)).exists;
  }

  /** What is known of a database. */
  async describeDatabase(name: string, options: CallOptions = {}): Promise<ofDatabases.DatabaseInfo> {
    return await ofDatabases.describeDatabase(this.#place, name, options);
  }

  /** The names of the tables of a database; without one, of the connection's. */
  async tables(database: string | undefined = this.#place.database, options: CallOptions = {}): Promise<string[]> {
    if (database === undefined) {
      throw flussError("CONNECTION.BAD_OPTION", {
        message: "tables() needs a database, and the connection has none",
        hint: 'call tables("name"), or connect(url, { database })',
      });
    }
    return (await this.#place.client.cluster.callAny(API.LIST_TABLES, { databaseName: database }, options)).tableName;
  }

  /**
   * Creates a declared table. Its buckets may take a moment to get their leaders; reads and writes wait for that.
   *
   * @throws FlussServerError `SERVER.TABLE_ALREADY_EXIST`, `SERVER.DATABASE_NOT_EXIST`, ...
   * @throws FlussUsageError `SCHEMA.AUTO_PARTITION` for a table whose rows this server would drop
   */
  async create(table: AnyTable, options: CreateOptions = {}): Promise<void> {
    await ofTables.createTable(this.#place, table, options);
  }

  /**
   * Adds columns to a table, or changes its options. Whoever knows the table from before goes on with what it knows.
   *
   * @throws FlussUsageError `ADMIN.BAD_OPTION` for a NOT NULL column, or columns and options at once
   * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`; `SERVER.INVALID_ALTER_TABLE_EXCEPTION` for a column that is there
   * or an option that cannot be altered
   */
  async alter(table: TableName, changes: ofTables.TableChanges, options: DropOptions = {}): Promise<void> {
    await ofTables.alterTable(this.#place, table, changes, options);
  }

  /** Drops a table with all its rows. */
  async drop(table: TableName, options: DropOptions = {}): Promise<void> {
    await this.#place.client.cluster.callCoordinator(API.DROP_TABLE, {
      tablePath: wirePath(pathOf(this.#place, table)),
      ignoreIfNotExists: options.ignoreIfNotExists === true,
    }, { ...wait(options), repeatable: options.ignoreIfNotExists === true });
  }

  /** Whether the table exists, also one that the user may not see. */
  async exists(table: TableName, options: CallOptions = {}): Promise<boolean> {
    const tablePath = wirePath(pathOf(this.#place, table));
    return (await this.#place.client.cluster.callAny(API.TABLE_EXISTS, { tablePath }, options)).exists;
  }

  /** The table as it is on the cluster: columns, keys, options. */
  async describe(table: TableName, options: CallOptions = {}): Promise<TableInfo> {
    return await fetchTableInfo(this.#place.client.cluster, pathOf(this.#place, table), options);
  }

  /**
   * A schema of a table: the latest, or with `schemaId` an earlier one. The first is 1.
   *
   * @throws FlussServerError `SERVER.SCHEMA_NOT_EXIST`
   */
  async schema(
    table: TableName,
    options: CallOptions & { readonly schemaId?: number } = {},
  ): Promise<LiveSchema> {
    return await ofTables.describeSchema(this.#place, table, options.schemaId, options);
  }

  /**
   * How many rows a table has, counted by the servers.
   *
   * @throws FlussServerError `SERVER.INVALID_TABLE_EXCEPTION` for a primary-key table whose change log has no images of
   * rows before their changes: there the servers do not count
   */
  async statistics(table: TableName, options: ofBuckets.StatisticsOptions = {}): Promise<ofBuckets.TableStatistics> {
    return await ofBuckets.statistics(this.#place, table, options);
  }

  /**
   * The partitions of a partitioned table.
   *
   * @param options `where`: only those with these values of partition columns, as text
   */
  async partitions(
    table: TableName,
    options: CallOptions & { readonly where?: Readonly<Record<string, string>> } = {},
  ): Promise<ofPartitions.PartitionInfo[]> {
    return await listPartitions(this.#place, pathOf(this.#place, table), options, options.where);
  }

  /**
   * Creates a partition.
   *
   * @param values the partition columns of the table and their values, as a row would have them
   */
  async createPartition<T extends AnyTable>(
    table: T,
    values: T["$partition"],
    options: CreateOptions = {},
  ): Promise<void> {
    await ofPartitions.createPartition(this.#place, table, values, options);
  }

  /** Drops a partition with its rows. */
  async dropPartition<T extends AnyTable>(table: T, values: T["$partition"], options: DropOptions = {}): Promise<void> {
    await ofPartitions.dropPartition(this.#place, table, values, options);
  }

  /**
   * The latest KV snapshots of a primary-key table: one for each bucket that has one. Servers make them every
   * `kv.snapshot.interval`, and remove old ones.
   *
   * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, `SERVER.PARTITION_NOT_EXISTS`, ...
   */
  async kvSnapshots(
    table: TableName,
    options: ofSnapshots.KvSnapshotOptions = {},
  ): Promise<ofSnapshots.KvSnapshot[]> {
    return await ofSnapshots.kvSnapshots(this.#place, table, options);
  }

  /**
   * All KV snapshots that the cluster keeps of a primary-key table, leased ones included. Servers of 0.9.1 cannot tell.
   *
   * @throws FlussConnectionError `CONNECTION.UNSUPPORTED_VERSION`
   */
  async keptKvSnapshots(
    table: TableName,
    options: ofSnapshots.KvSnapshotOptions = {},
  ): Promise<ofSnapshots.KvSnapshot[]> {
    return await ofSnapshots.keptKvSnapshots(this.#place, table, options);
  }

  /**
   * The files of a KV snapshot. They are RocksDB's, which this library does not read.
   *
   * @param snapshot as {@linkcode Admin.kvSnapshots} gives it
   * @throws FlussServerError when the snapshot is not there any more, ...
   */
  async kvSnapshotMetadata(
    table: TableName,
    snapshot: Pick<ofSnapshots.KvSnapshot, "bucket" | "snapshotId">,
    options: ofSnapshots.KvSnapshotOptions = {},
  ): Promise<ofSnapshots.KvSnapshotMetadata> {
    return await ofSnapshots.kvSnapshotMetadata(this.#place, table, snapshot, options);
  }

  /**
   * Keeps snapshots from being removed while they are read, for `durationMs` from now. Called again with the same lease
   * it keeps them for longer.
   *
   * @param leaseId a name of your own
   * @returns those that are not there any more, and so were not leased
   */
  async leaseKvSnapshots(
    leaseId: string,
    table: TableName,
    snapshots: readonly Pick<ofSnapshots.KvSnapshot, "bucket" | "snapshotId">[],
    options: ofSnapshots.KvSnapshotLeaseOptions,
  ): Promise<Pick<ofSnapshots.KvSnapshot, "bucket" | "snapshotId">[]> {
    return await ofSnapshots.leaseKvSnapshots(this.#place, leaseId, table, snapshots, options);
  }

  /** Gives the snapshots of some buckets free. */
  async releaseKvSnapshots(
    leaseId: string,
    table: TableName,
    buckets: readonly number[],
    options: ofSnapshots.KvSnapshotOptions = {},
  ): Promise<void> {
    await ofSnapshots.releaseKvSnapshots(this.#place, leaseId, table, buckets, options);
  }

  /** Gives all snapshots of a lease free. */
  async dropKvSnapshotLease(leaseId: string, options: CallOptions = {}): Promise<void> {
    await ofSnapshots.dropKvSnapshotLease(this.#place, leaseId, options);
  }

  /**
   * The copy of a table in its data lake.
   *
   * @throws FlussServerError `SERVER.LAKE_SNAPSHOT_NOT_EXIST`, or that the cluster has no lake
   */
  async lakeSnapshot(
    table: TableName,
    options: ofSnapshots.LakeSnapshotOptions = {},
  ): Promise<ofSnapshots.LakeSnapshot> {
    return await ofSnapshots.lakeSnapshot(this.#place, table, options);
  }

  /**
   * Where the logs of a table's buckets start, end, or were at a time; of a partitioned table in one partition, or in
   * all of them.
   *
   * @throws FlussServerError `SERVER.INVALID_TIMESTAMP_EXCEPTION` for times in the server's future
   * @throws FlussUsageError `SCAN.UNKNOWN_BUCKET`, `SCAN.UNKNOWN_PARTITION`
   */
  async offsets(
    table: TableName,
    position: ofBuckets.OffsetPosition,
    options: ofBuckets.OffsetsOptions = {},
  ): Promise<ofBuckets.BucketOffset[]> {
    return await ofBuckets.offsets(this.#place, table, position, options);
  }

  /**
   * Leaves offsets of a producer with the cluster, unless it has some of that producer already.
   *
   * @param producerId a name of your own: letters, digits, `_`, `-` and `.`
   * @returns whether these are the ones that the cluster has now
   */
  async registerProducerOffsets(
    producerId: string,
    tables: readonly ofProducers.TableOffsets[],
    options: ofProducers.ProducerOffsetsOptions = {},
  ): Promise<"created" | "alreadyExists"> {
    return await ofProducers.registerProducerOffsets(this.#place, producerId, tables, options);
  }

  /** What a producer left; undefined when there is nothing, or no longer. */
  async producerOffsets(
    producerId: string,
    options: CallOptions = {},
  ): Promise<ofProducers.ProducerOffsets | undefined> {
    return await ofProducers.producerOffsets(this.#place, producerId, options);
  }

  /** Removes what a producer left; nothing happens when there is nothing. */
  async deleteProducerOffsets(producerId: string, options: CallOptions = {}): Promise<void> {
    await ofProducers.deleteProducerOffsets(this.#place, producerId, options);
  }

  /** The rights that a filter finds; without one all that the user may see. */
  async acls(filter: rights.AclFilter = {}, options: CallOptions = {}): Promise<rights.Acl[]> {
    return await rights.acls(this.#place, filter, options);
  }

  /**
   * Grants rights; those that are there already stay.
   *
   * @throws FlussServerError `SERVER.SECURITY_DISABLED_EXCEPTION` where servers do not ask for rights
   *
   * @example
   * ```ts
   * import { connect } from "sluice";
   *
   * export async function letRead(url: string): Promise<void> {
   *   await using db = await connect(url);
   *   await db.admin.createAcls([{ resource: { table: "shop.orders" }, user: "reports", operation: "read" }]);
   * }
   * ```
   */
  async createAcls(acls: readonly rights.Acl[], options: CallOptions = {}): Promise<void> {
    await rights.createAcls(this.#place, acls, options);
  }

  /** Takes the rights back that any of the filters finds, and says which they were. */
  async dropAcls(filters: readonly rights.AclFilter[], options: CallOptions = {}): Promise<rights.Acl[]> {
    return await rights.dropAcls(this.#place, filters, options);
  }

  /** The servers of the cluster, as they are now. */
  async servers(options: CallOptions = {}): Promise<ofServers.ServerInfo[]> {
    return await ofServers.servers(this.#place, options);
  }

  /** The settings of the cluster. */
  async config(options: CallOptions = {}): Promise<ofServers.ConfigEntry[]> {
    return await ofServers.config(this.#place, options);
  }

  /**
   * Changes settings of the cluster while it runs.
   *
   * @throws FlussServerError for settings that can be changed at the start alone
   */
  async alterConfig(changes: ofServers.ConfigChanges, options: CallOptions = {}): Promise<void> {
    await ofServers.alterConfig(this.#place, changes, options);
  }

  /**
   * Marks tablet servers.
   *
   * @throws FlussServerError `SERVER.SERVER_NOT_EXIST_EXCEPTION`, `SERVER.SERVER_TAG_ALREADY_EXIST_EXCEPTION`
   */
  async addServerTag(serverIds: readonly number[], tag: ofServers.ServerTag, options: CallOptions = {}): Promise<void> {
    await ofServers.addServerTag(this.#place, serverIds, tag, options);
  }

  /**
   * Takes a mark off tablet servers.
   *
   * @throws FlussServerError `SERVER.SERVER_NOT_EXIST_EXCEPTION`, `SERVER.SERVER_TAG_NOT_EXIST_EXCEPTION`
   */
  async removeServerTag(
    serverIds: readonly number[],
    tag: ofServers.ServerTag,
    options: CallOptions = {},
  ): Promise<void> {
    await ofServers.removeServerTag(this.#place, serverIds, tag, options);
  }

  /**
   * Starts to spread buckets over the tablet servers.
   *
   * @param goals the most important one first
   * @returns an id to follow it by
   */
  async rebalance(goals: readonly balance.RebalanceGoal[], options: CallOptions = {}): Promise<string> {
    return await balance.rebalance(this.#place, goals, options);
  }

  /** How far a rebalance is; undefined when there is none. */
  async rebalanceProgress(options: balance.RebalanceOptions = {}): Promise<balance.RebalanceProgress | undefined> {
    return await balance.rebalanceProgress(this.#place, options);
  }

  /** Ends a rebalance; buckets that were moved stay where they are. */
  async cancelRebalance(options: balance.RebalanceOptions = {}): Promise<void> {
    await balance.cancelRebalance(this.#place, options);
  }

  /** How the cluster is. Servers of 0.9.1 cannot tell: `CONNECTION.UNSUPPORTED_VERSION`. */
  async health(options: CallOptions = {}): Promise<ofServers.ClusterHealth> {
    return await ofServers.health(this.#place, options);
  }
}
