/**
 * Administration: databases, tables, partitions, offsets and servers.
 *
 * @module
 */
import { FlussError, flussError, isStaleMetadata, serverError } from "../base/errors.ts";
import { backOffMs, type CallOptions, type Deadline } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import { type PhysicalPath, physicalText, type TablePath } from "../client/cluster/path.ts";
import { fetchTableInfo, type TableInfo } from "../client/cluster/tables.ts";
import { API } from "../client/rpc/api.ts";
import { optionalField } from "../client/rpc/required.ts";
import { partitionValue } from "../format/partition_name.ts";
import { toDescriptorJson } from "../schema/descriptor.ts";
import { dateAutoPartitionHazard } from "../schema/rules/keys.ts";
import { definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { resolvePath } from "./path.ts";

/** A table value, or its name: `"shop.orders"`, or `"orders"` in the connection's database. */
export type TableName = AnyTable | string;

/** Options of calls that make something. */
export interface CreateOptions extends CallOptions {
  /** True: what exists already is left alone and is no error. Default false. */
  readonly ignoreIfExists?: boolean;
}

/** Options of calls that remove something. */
export interface DropOptions extends CallOptions {
  /** True: what does not exist is no error. Default false. */
  readonly ignoreIfNotExists?: boolean;
}

/** A database. */
export interface DatabaseInfo {
  /** Its name. */
  readonly name: string;
  /** What its creator said of it. */
  readonly comment?: string;
  /** Whatever its creator kept with it. */
  readonly customProperties: Readonly<Record<string, string>>;
  /** When it was created. */
  readonly createdAt: Date;
  /** When it was altered last. */
  readonly modifiedAt: Date;
}

/** A partition of a table. */
export interface PartitionInfo {
  /** The server's number for it. */
  readonly partitionId: bigint;
  /** The name on the wire: the values in key order, joined by `$`. */
  readonly name: string;
  /** Column name to value, as text. */
  readonly values: Readonly<Record<string, string>>;
}

/** A server of the cluster. */
export interface ServerInfo {
  /** What it does. */
  readonly kind: "coordinator" | "tabletServer";
  /** Its number; coordinators and tablet servers are numbered apart. */
  readonly id: number;
  /** The host that it advertises. */
  readonly host: string;
  /** The port that it advertises. */
  readonly port: number;
  /** Where it stands, if the cluster says so. */
  readonly rack?: string;
}

/** One setting of the cluster. */
export interface ConfigEntry {
  /** Its name. */
  readonly key: string;
  /** Absent when the server does not show it. */
  readonly value?: string;
  /** Where the value comes from, in the server's words: `INITIAL_SERVER_CONFIG`, `DYNAMIC_SERVER_CONFIG`. */
  readonly source: string;
}

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
  /** The partition, by its name on the wire. Required for partitioned tables. */
  readonly partition?: string;
  /** Only these buckets. Default all. */
  readonly buckets?: readonly number[];
}

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

/** See the module. Got from `db.admin`. */
export class Admin {
  readonly #client: FlussClient;
  readonly #database: string | undefined;

  /** Use `db.admin`. */
  constructor(client: FlussClient, database: string | undefined) {
    this.#client = client;
    this.#database = database;
  }

  /** The names of all databases that the user may see. */
  async databases(options: CallOptions = {}): Promise<string[]> {
    return (await this.#client.cluster.callAny(API.LIST_DATABASES, {}, options)).databaseName;
  }

  /** Creates a database. */
  async createDatabase(
    name: string,
    options: CreateOptions & {
      readonly comment?: string;
      readonly customProperties?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<void> {
    const { comment, customProperties = {} } = options;
    const descriptor = {
      version: 1,
      ...(comment === undefined ? {} : { comment }),
      custom_properties: customProperties,
    };
    await this.#client.cluster.callCoordinator(API.CREATE_DATABASE, {
      databaseName: name,
      ignoreIfExists: options.ignoreIfExists === true,
      databaseJson: new TextEncoder().encode(JSON.stringify(descriptor)),
    }, { ...wait(options), repeatable: options.ignoreIfExists === true });
  }

  /** Drops a database; with `cascade` its tables too, otherwise it must be empty. */
  async dropDatabase(name: string, options: DropOptions & { readonly cascade?: boolean } = {}): Promise<void> {
    await this.#client.cluster.callCoordinator(API.DROP_DATABASE, {
      databaseName: name,
      ignoreIfNotExists: options.ignoreIfNotExists === true,
      cascade: options.cascade === true,
    }, { ...wait(options), repeatable: options.ignoreIfNotExists === true });
  }

  /** Whether there is a database of this name (that the user may see). */
  async databaseExists(name: string, options: CallOptions = {}): Promise<boolean> {
    return (await this.#client.cluster.callAny(API.DATABASE_EXISTS, { databaseName: name }, options)).exists;
  }

  /** What is known of a database. */
  async describeDatabase(name: string, options: CallOptions = {}): Promise<DatabaseInfo> {
    const answer = await this.#client.cluster.callAny(API.GET_DATABASE_INFO, { databaseName: name }, options);
    const json = JSON.parse(new TextDecoder().decode(answer.databaseJson)) as {
      comment?: string;
      custom_properties?: Record<string, string>;
    };
    return {
      name,
      ...(json.comment === undefined ? {} : { comment: json.comment }),
      customProperties: json.custom_properties ?? {},
      createdAt: new Date(Number(answer.createdTime)),
      modifiedAt: new Date(Number(answer.modifiedTime)),
    };
  }

  /** The names of the tables of a database; without one, of the connection's. */
  async tables(database: string | undefined = this.#database, options: CallOptions = {}): Promise<string[]> {
    if (database === undefined) {
      throw flussError("CONNECTION.BAD_OPTION", {
        message: "tables() needs a database, and the connection has none",
        hint: 'call tables("name"), or connect(url, { database })',
      });
    }
    return (await this.#client.cluster.callAny(API.LIST_TABLES, { databaseName: database }, options)).tableName;
  }

  /**
   * Creates a declared table. Its buckets may take a moment to get their leaders; reads and writes wait for that.
   *
   * @throws FlussServerError `SERVER.TABLE_ALREADY_EXIST`, `SERVER.DATABASE_NOT_EXIST`, ...
   * @throws FlussUsageError `SCHEMA.AUTO_PARTITION` for a table whose rows this server would drop
   */
  async create(table: AnyTable, options: CreateOptions = {}): Promise<void> {
    const hazard = dateAutoPartitionHazard(definitionOf(table));
    // Servers that can be told how partitions are named came with ALTER_DATABASE.
    if (hazard !== undefined && !await this.#client.cluster.coordinatorServes(API.ALTER_DATABASE, wait(options))) {
      throw flussError("SCHEMA.AUTO_PARTITION", { ...hazard, table: table.name });
    }
    await this.#client.cluster.callCoordinator(API.CREATE_TABLE, {
      tablePath: wirePath(this.#path(table)),
      tableJson: new TextEncoder().encode(JSON.stringify(toDescriptorJson(definitionOf(table)))),
      ignoreIfExists: options.ignoreIfExists === true,
    }, { ...wait(options), repeatable: options.ignoreIfExists === true });
  }

  /** Drops a table with all its rows. */
  async drop(table: TableName, options: DropOptions = {}): Promise<void> {
    await this.#client.cluster.callCoordinator(API.DROP_TABLE, {
      tablePath: wirePath(this.#path(table)),
      ignoreIfNotExists: options.ignoreIfNotExists === true,
    }, { ...wait(options), repeatable: options.ignoreIfNotExists === true });
  }

  /** Whether the table exists (and the user may see it). */
  async exists(table: TableName, options: CallOptions = {}): Promise<boolean> {
    return (await this.#client.cluster.callAny(API.TABLE_EXISTS, { tablePath: wirePath(this.#path(table)) }, options))
      .exists;
  }

  /** The table as it is on the cluster: columns, keys, options. */
  async describe(table: TableName, options: CallOptions = {}): Promise<TableInfo> {
    return await fetchTableInfo(this.#client.cluster, this.#path(table), options);
  }

  /** The partitions of a partitioned table. */
  async partitions(table: TableName, options: CallOptions = {}): Promise<PartitionInfo[]> {
    const tablePath = wirePath(this.#path(table));
    const answer = await this.#client.cluster.callAny(API.LIST_PARTITION_INFOS, { tablePath }, options);
    return answer.partitionsInfo.map(({ partitionId, partitionSpec }) => {
      const pairs = partitionSpec?.partitionKeyValues ?? [];
      return {
        partitionId,
        name: pairs.map((pair) => pair.value).join("$"),
        values: Object.fromEntries(pairs.map((pair) => [pair.key, pair.value])),
      };
    });
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
    await this.#client.cluster.callCoordinator(API.CREATE_PARTITION, {
      tablePath: wirePath(this.#path(table)),
      partitionSpec: { partitionKeyValues: partitionPairs(table, values) },
      // The field's name on the wire is a slip: true means that an existing partition is no error.
      ignoreIfNotExists: options.ignoreIfExists === true,
    }, { ...wait(options), repeatable: options.ignoreIfExists === true });
  }

  /** Drops a partition with its rows. */
  async dropPartition<T extends AnyTable>(table: T, values: T["$partition"], options: DropOptions = {}): Promise<void> {
    await this.#client.cluster.callCoordinator(API.DROP_PARTITION, {
      tablePath: wirePath(this.#path(table)),
      partitionSpec: { partitionKeyValues: partitionPairs(table, values) },
      ignoreIfNotExists: options.ignoreIfNotExists === true,
    }, { ...wait(options), repeatable: options.ignoreIfNotExists === true });
  }

  /**
   * The latest KV snapshots of a primary-key table: one for each bucket that has one. Servers make them every
   * `kv.snapshot.interval`, and remove old ones.
   *
   * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, `SERVER.PARTITION_NOT_EXISTS`, ...
   */
  async kvSnapshots(table: TableName, options: KvSnapshotOptions = {}): Promise<KvSnapshot[]> {
    const { latestSnapshots } = await this.#latestSnapshots(table, options);
    return latestSnapshots.flatMap((found) => {
      const snapshotId = optionalField(found, "snapshotId");
      if (snapshotId === undefined) return [];
      return [{ bucket: found.bucketId, snapshotId, logOffset: optionalField(found, "logOffset") ?? 0n }];
    });
  }

  /**
   * The files of a KV snapshot. They are RocksDB's, which this library does not read.
   *
   * @param snapshot as {@linkcode Admin.kvSnapshots} gives it
   * @throws FlussServerError when the snapshot is not there any more, ...
   */
  async kvSnapshotMetadata(
    table: TableName,
    snapshot: Pick<KvSnapshot, "bucket" | "snapshotId">,
    options: KvSnapshotOptions = {},
  ): Promise<KvSnapshotMetadata> {
    const latest = await this.#latestSnapshots(table, options);
    const partitionId = optionalField(latest, "partitionId");
    const { bucket: bucketId, snapshotId } = snapshot;
    const answer = await this.#client.cluster.callAny(API.GET_KV_SNAPSHOT_METADATA, {
      tableId: latest.tableId,
      ...(partitionId === undefined ? {} : { partitionId }),
      bucketId,
      snapshotId,
    }, wait(options));
    return {
      logOffset: answer.logOffset,
      files: answer.snapshotFiles.map(({ remotePath, localFileName: name }) => ({ remotePath, name })),
    };
  }

  async #latestSnapshots(table: TableName, options: KvSnapshotOptions) {
    const { partition: partitionName } = options;
    return await this.#client.cluster.callAny(API.GET_LATEST_KV_SNAPSHOTS, {
      tablePath: wirePath(this.#path(table)),
      ...(partitionName === undefined ? {} : { partitionName }),
    }, wait(options));
  }

  /**
   * Where the logs of a table's buckets start, end, or were at a time.
   *
   * @throws FlussServerError `SERVER.INVALID_TIMESTAMP_EXCEPTION` for times in the server's future
   */
  async offsets(table: TableName, position: OffsetPosition, options: OffsetsOptions = {}): Promise<BucketOffset[]> {
    const deadline = this.#client.cluster.deadline(options);
    const physical: PhysicalPath = { path: this.#path(table), partition: options.partition };
    const name = physicalText(physical);
    const found = new Map<number, bigint>();
    for (let attempt = 1;; attempt++) {
      const leaders = attempt === 1
        ? await this.#client.cluster.leaders(physical, deadline)
        : await this.#client.cluster.refresh(physical, deadline);
      if (leaders === undefined) throw serverError(36, undefined, { doing: `asking for offsets of ${name}` });
      const wanted = options.buckets ?? [...leaders.leaders.keys()];
      const byLeader = new Map<number, number[]>();
      let failure: unknown;
      for (const bucket of wanted) {
        if (found.has(bucket)) continue;
        const leader = leaders.leaders[bucket];
        if (leader === undefined) {
          throw flussError("LOOKUP.NOT_SUPPORTED", {
            table: name,
            bucket,
            message: `there is no bucket ${bucket}`,
            hint: `the buckets are 0 to ${leaders.leaders.length - 1}`,
          });
        }
        if (leader < 0) failure = serverError(44, undefined, { doing: `asking for offsets of ${name}`, bucket });
        else byLeader.set(leader, [...byLeader.get(leader) ?? [], bucket]);
      }
      for (const [leader, buckets] of byLeader) {
        try {
          await this.#offsetsOf(leader, leaders, buckets, position, deadline, found);
        } catch (error) {
          if (!FlussError.is(error) || !isStaleMetadata(error)) throw error;
          failure = error;
        }
      }
      if (failure === undefined) return wanted.map((bucket) => offset(bucket, options.partition, found.get(bucket)!));
      await deadline.pause(backOffMs(attempt), `asking for offsets of ${name}`, failure);
    }
  }

  async #offsetsOf(
    leader: number,
    table: { readonly tableId: bigint; readonly partitionId?: bigint },
    buckets: readonly number[],
    position: OffsetPosition,
    deadline: Deadline,
    found: Map<number, bigint>,
  ): Promise<void> {
    const connection = this.#client.cluster.current(leader) ?? await this.#client.cluster.connect(leader, deadline);
    const { tableId, partitionId } = table;
    const answer = await connection.call(API.LIST_OFFSETS, {
      followerServerId: -1,
      offsetType: position === "earliest" ? 0 : position === "latest" ? 1 : 2,
      tableId,
      ...(partitionId === undefined ? {} : { partitionId }),
      bucketId: [...buckets],
      ...(typeof position === "string" ? {} : { startTimestamp: epochMillis(position.timestamp) }),
    }, deadline.options);
    for (const result of answer.bucketsResp) {
      const { bucketId: bucket, errorCode, errorMessage } = result;
      if (errorCode !== 0) throw serverError(errorCode, errorMessage, { doing: "asking for offsets", bucket });
      const offset = optionalField(result, "offset");
      if (offset !== undefined) found.set(bucket, offset);
    }
    const missing = buckets.find((bucket) => !found.has(bucket));
    if (missing !== undefined) {
      throw flussError("CONNECTION.PROTOCOL", { bucket: missing, message: "the server's answer leaves an offset out" });
    }
  }

  /** The servers of the cluster, as they are now. */
  async servers(options: CallOptions = {}): Promise<ServerInfo[]> {
    await this.#client.cluster.start(options);
    const { coordinator, tabletServers } = this.#client.cluster.metadata;
    return [
      ...(coordinator === undefined ? [] : [{ kind: "coordinator", ...coordinator } as const]),
      ...[...tabletServers.values()].map((node) => ({ kind: "tabletServer", ...node }) as const),
    ];
  }

  /** The settings of the cluster. */
  async config(options: CallOptions = {}): Promise<ConfigEntry[]> {
    const answer = await this.#client.cluster.callAny(API.DESCRIBE_CLUSTER_CONFIGS, {}, options);
    return answer.configs.map((entry) => {
      const { configKey: key, configSource: source } = entry;
      const value = optionalField(entry, "configValue");
      return value === undefined ? { key, source } : { key, value, source };
    });
  }

  #path(table: TableName): TablePath {
    return resolvePath(typeof table === "string" ? table : table.name, this.#database);
  }
}

function wait(options: CallOptions): CallOptions {
  return { signal: options.signal, timeoutMs: options.timeoutMs };
}

function wirePath(path: TablePath): { databaseName: string; tableName: string } {
  return { databaseName: path.database, tableName: path.table };
}

function partitionPairs(table: AnyTable, values: Readonly<Record<string, unknown>>): { key: string; value: string }[] {
  const definition = definitionOf(table);
  return definition.partitionBy.map((key) => {
    const column = definition.columns.find((column) => column.key === key)!;
    return { key: column.name, value: partitionValue(column.type, values[key]) };
  });
}

function epochMillis(timestamp: Temporal.Instant | Date | number): bigint {
  if (typeof timestamp === "number") return BigInt(Math.trunc(timestamp));
  return BigInt(timestamp instanceof Date ? timestamp.getTime() : timestamp.epochMilliseconds);
}

function offset(bucket: number, partition: string | undefined, value: bigint): BucketOffset {
  return partition === undefined ? { bucket, offset: value } : { bucket, partition, offset: value };
}
