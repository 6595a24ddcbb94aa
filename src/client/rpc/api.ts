/**
 * Every public request of Fluss: its key, its versions, who serves it and the messages that it is made of
 * (Fluss: rpc/protocol/ApiKeys.java, rpc/gateway).
 *
 * The messages are loaded by group, when one of a group is first used: the whole contract costs several times what a
 * program needs of it.
 *
 * @module
 */
import type { DescMessage } from "@bufbuild/protobuf";

/** Which servers answer a request. */
export type ServedBy = "coordinator" | "tablet" | "both";

/** The two messages of a request. */
export interface Messages<Q extends DescMessage = DescMessage, A extends DescMessage = DescMessage> {
  /** The schema of what is sent. */
  readonly request: Q;
  /** The schema of what comes back, unless the request fails as a whole: that is an `ErrorResponse`. */
  readonly response: A;
}

/** A request of the protocol. `Q` and `A` are the types of its schemas; the schemas themselves are loaded when used. */
export interface Api<Q extends DescMessage = DescMessage, A extends DescMessage = DescMessage> {
  /** Its name, for example `CREATE_TABLE`. */
  readonly name: string;
  /** Its number in the frame. */
  readonly key: number;
  /** The lowest version that we can use. */
  readonly minVersion: number;
  /** The highest version that we can use. */
  readonly maxVersion: number;
  /** Who answers it. Sent to anybody else, it is dropped without an answer. */
  readonly servedBy: ServedBy;
  /** The messages; `undefined` until {@linkcode loadApi} has loaded them. */
  readonly messages: Messages<Q, A> | undefined;
  /** Loads the messages; use {@linkcode loadApi}. */
  readonly load: () => Promise<Messages<Q, A>>;
}

/**
 * Loads the messages of a request, once per group. Afterwards `api.messages` has them, so that a hot path need not wait.
 *
 * @example
 * ```ts
 * const { request, response } = await loadApi(API.LOOKUP);
 * ```
 */
export function loadApi<Q extends DescMessage, A extends DescMessage>(api: Api<Q, A>): Promise<Messages<Q, A>> {
  return api.messages === undefined ? api.load() : Promise.resolve(api.messages);
}

/** A generated module, loaded at most once. */
interface Group<M> {
  module: M | undefined;
  readonly load: () => Promise<M>;
}

function group<M>(importModule: () => Promise<M>): Group<M> {
  let pending: Promise<M> | undefined;
  const self: Group<M> = {
    module: undefined,
    load: () =>
      pending ??= importModule().then(
        (module) => self.module = module,
        (error) => {
          pending = undefined; // the next call may have more luck
          throw error;
        },
      ),
  };
  return self;
}

type Handshake = typeof import("./gen/fluss/v1/handshake_pb.ts");
type Database = typeof import("./gen/fluss/v1/database_pb.ts");
type Table = typeof import("./gen/fluss/v1/table_pb.ts");
type Partition = typeof import("./gen/fluss/v1/partition_pb.ts");
type Metadata = typeof import("./gen/fluss/v1/metadata_pb.ts");
type Write = typeof import("./gen/fluss/v1/write_pb.ts");
type Log = typeof import("./gen/fluss/v1/log_pb.ts");
type Lookup = typeof import("./gen/fluss/v1/lookup_pb.ts");
type Snapshot = typeof import("./gen/fluss/v1/snapshot_pb.ts");
type Storage = typeof import("./gen/fluss/v1/storage_pb.ts");
type Scan = typeof import("./gen/fluss/v1/scan_pb.ts");
type Acl = typeof import("./gen/fluss/v1/acl_pb.ts");
type ClusterAdmin = typeof import("./gen/fluss/v1/cluster_admin_pb.ts");
type ProducerOffset = typeof import("./gen/fluss/v1/producer_offset_pb.ts");

// A specifier has to be a literal, else Deno wants a permission and bundlers lose the module.
const handshake: Group<Handshake> = group(() => import("./gen/fluss/v1/handshake_pb.ts"));
const database: Group<Database> = group(() => import("./gen/fluss/v1/database_pb.ts"));
const table: Group<Table> = group(() => import("./gen/fluss/v1/table_pb.ts"));
const partition: Group<Partition> = group(() => import("./gen/fluss/v1/partition_pb.ts"));
const metadata: Group<Metadata> = group(() => import("./gen/fluss/v1/metadata_pb.ts"));
const write: Group<Write> = group(() => import("./gen/fluss/v1/write_pb.ts"));
const log: Group<Log> = group(() => import("./gen/fluss/v1/log_pb.ts"));
const lookup: Group<Lookup> = group(() => import("./gen/fluss/v1/lookup_pb.ts"));
const snapshot: Group<Snapshot> = group(() => import("./gen/fluss/v1/snapshot_pb.ts"));
const storage: Group<Storage> = group(() => import("./gen/fluss/v1/storage_pb.ts"));
const scan: Group<Scan> = group(() => import("./gen/fluss/v1/scan_pb.ts"));
const acl: Group<Acl> = group(() => import("./gen/fluss/v1/acl_pb.ts"));
const clusterAdmin: Group<ClusterAdmin> = group(() => import("./gen/fluss/v1/cluster_admin_pb.ts"));
const producerOffset: Group<ProducerOffset> = group(() => import("./gen/fluss/v1/producer_offset_pb.ts"));

/** The `X` of every `XRequestSchema` in a module. */
type NameIn<M> = { [K in keyof M]: K extends `${infer N}RequestSchema` ? N : never }[keyof M];

type Schema<M, K> = K extends keyof M ? M[K] extends DescMessage ? M[K] : never : never;

/** The request whose messages are `XRequest` and `XResponse` of module `M`. */
type ApiIn<M, N extends NameIn<M>> = Api<Schema<M, `${N}RequestSchema`>, Schema<M, `${N}ResponseSchema`>>;

function define<M extends object, N extends NameIn<M>>(
  name: keyof Apis,
  key: number,
  servedBy: ServedBy,
  group: Group<M>,
  message: N,
  maxVersion = 0,
): ApiIn<M, N> {
  type Both = Messages<Schema<M, `${N}RequestSchema`>, Schema<M, `${N}ResponseSchema`>>;
  let messages: Both | undefined;
  // The names are checked by NameIn; what the compiler cannot follow is the way through a computed name.
  const pick = (module: object): Both => {
    const schemas = module as Record<string, unknown>;
    return messages ??= {
      request: schemas[`${message}RequestSchema`],
      response: schemas[`${message}ResponseSchema`],
    } as Both;
  };
  return {
    name,
    key,
    minVersion: 0,
    maxVersion,
    servedBy,
    get messages() {
      return messages ?? (group.module === undefined ? undefined : pick(group.module));
    },
    load: () => group.load().then(pick),
  };
}

/** The type of {@linkcode API}. */
export interface Apis {
  readonly API_VERSIONS: ApiIn<Handshake, "ApiVersions">;
  readonly CREATE_DATABASE: ApiIn<Database, "CreateDatabase">;
  readonly DROP_DATABASE: ApiIn<Database, "DropDatabase">;
  readonly LIST_DATABASES: ApiIn<Database, "ListDatabases">;
  readonly DATABASE_EXISTS: ApiIn<Database, "DatabaseExists">;
  readonly CREATE_TABLE: ApiIn<Table, "CreateTable">;
  readonly DROP_TABLE: ApiIn<Table, "DropTable">;
  readonly GET_TABLE_INFO: ApiIn<Table, "GetTableInfo">;
  readonly LIST_TABLES: ApiIn<Table, "ListTables">;
  readonly LIST_PARTITION_INFOS: ApiIn<Partition, "ListPartitionInfos">;
  readonly TABLE_EXISTS: ApiIn<Table, "TableExists">;
  readonly GET_TABLE_SCHEMA: ApiIn<Table, "GetTableSchema">;
  readonly GET_METADATA: ApiIn<Metadata, "Metadata">;
  readonly PRODUCE_LOG: ApiIn<Write, "ProduceLog">;
  readonly FETCH_LOG: ApiIn<Log, "FetchLog">;
  readonly PUT_KV: ApiIn<Write, "PutKv">;
  readonly LOOKUP: ApiIn<Lookup, "Lookup">;
  readonly LIST_OFFSETS: ApiIn<Log, "ListOffsets">;
  readonly GET_LATEST_KV_SNAPSHOTS: ApiIn<Snapshot, "GetLatestKvSnapshots">;
  readonly GET_KV_SNAPSHOT_METADATA: ApiIn<Snapshot, "GetKvSnapshotMetadata">;
  readonly GET_FILESYSTEM_SECURITY_TOKEN: ApiIn<Storage, "GetFileSystemSecurityToken">;
  readonly INIT_WRITER: ApiIn<Write, "InitWriter">;
  readonly GET_LAKE_SNAPSHOT: ApiIn<Storage, "GetLakeSnapshot">;
  readonly LIMIT_SCAN: ApiIn<Scan, "LimitScan">;
  readonly PREFIX_LOOKUP: ApiIn<Lookup, "PrefixLookup">;
  readonly GET_DATABASE_INFO: ApiIn<Database, "GetDatabaseInfo">;
  readonly CREATE_PARTITION: ApiIn<Partition, "CreatePartition">;
  readonly DROP_PARTITION: ApiIn<Partition, "DropPartition">;
  readonly AUTHENTICATE: ApiIn<Handshake, "Authenticate">;
  readonly CREATE_ACLS: ApiIn<Acl, "CreateAcls">;
  readonly LIST_ACLS: ApiIn<Acl, "ListAcls">;
  readonly DROP_ACLS: ApiIn<Acl, "DropAcls">;
  readonly ALTER_TABLE: ApiIn<Table, "AlterTable">;
  readonly DESCRIBE_CLUSTER_CONFIGS: ApiIn<ClusterAdmin, "DescribeClusterConfigs">;
  readonly ALTER_CLUSTER_CONFIGS: ApiIn<ClusterAdmin, "AlterClusterConfigs">;
  readonly ADD_SERVER_TAG: ApiIn<ClusterAdmin, "AddServerTag">;
  readonly REMOVE_SERVER_TAG: ApiIn<ClusterAdmin, "RemoveServerTag">;
  readonly REBALANCE: ApiIn<ClusterAdmin, "Rebalance">;
  readonly LIST_REBALANCE_PROGRESS: ApiIn<ClusterAdmin, "ListRebalanceProgress">;
  readonly CANCEL_REBALANCE: ApiIn<ClusterAdmin, "CancelRebalance">;
  readonly REGISTER_PRODUCER_OFFSETS: ApiIn<ProducerOffset, "RegisterProducerOffsets">;
  readonly GET_PRODUCER_OFFSETS: ApiIn<ProducerOffset, "GetProducerOffsets">;
  readonly DELETE_PRODUCER_OFFSETS: ApiIn<ProducerOffset, "DeleteProducerOffsets">;
  readonly ACQUIRE_KV_SNAPSHOT_LEASE: ApiIn<Snapshot, "AcquireKvSnapshotLease">;
  readonly RELEASE_KV_SNAPSHOT_LEASE: ApiIn<Snapshot, "ReleaseKvSnapshotLease">;
  readonly DROP_KV_SNAPSHOT_LEASE: ApiIn<Snapshot, "DropKvSnapshotLease">;
  readonly GET_TABLE_STATS: ApiIn<Scan, "GetTableStats">;
  readonly ALTER_DATABASE: ApiIn<Database, "AlterDatabase">;
  readonly SCAN_KV: ApiIn<Scan, "ScanKv">;
  readonly GET_CLUSTER_HEALTH: ApiIn<ClusterAdmin, "GetClusterHealth">;
  readonly LIST_REMOTE_LOG_MANIFESTS: ApiIn<Storage, "ListRemoteLogManifests">;
  readonly LIST_KV_SNAPSHOTS: ApiIn<Snapshot, "ListKvSnapshots">;
}

const BOTH = "both";
const COORDINATOR = "coordinator";
const TABLET = "tablet";

/**
 * Every public request, by name. The keys that are missing in between belong to requests between servers.
 *
 * Versions above 0 tell the server what the client understands: from 1 on, keys follow the table's kv format version;
 * PUT_KV 2 has a code of its own for storage back-pressure.
 */
export const API: Apis = {
  API_VERSIONS: define("API_VERSIONS", 1000, BOTH, handshake, "ApiVersions"),
  CREATE_DATABASE: define("CREATE_DATABASE", 1001, COORDINATOR, database, "CreateDatabase"),
  DROP_DATABASE: define("DROP_DATABASE", 1002, COORDINATOR, database, "DropDatabase"),
  LIST_DATABASES: define("LIST_DATABASES", 1003, BOTH, database, "ListDatabases"),
  DATABASE_EXISTS: define("DATABASE_EXISTS", 1004, BOTH, database, "DatabaseExists"),
  CREATE_TABLE: define("CREATE_TABLE", 1005, COORDINATOR, table, "CreateTable"),
  DROP_TABLE: define("DROP_TABLE", 1006, COORDINATOR, table, "DropTable"),
  GET_TABLE_INFO: define("GET_TABLE_INFO", 1007, BOTH, table, "GetTableInfo"),
  LIST_TABLES: define("LIST_TABLES", 1008, BOTH, table, "ListTables"),
  LIST_PARTITION_INFOS: define("LIST_PARTITION_INFOS", 1009, BOTH, partition, "ListPartitionInfos"),
  TABLE_EXISTS: define("TABLE_EXISTS", 1010, BOTH, table, "TableExists"),
  GET_TABLE_SCHEMA: define("GET_TABLE_SCHEMA", 1011, BOTH, table, "GetTableSchema"),
  GET_METADATA: define("GET_METADATA", 1012, BOTH, metadata, "Metadata"),
  PRODUCE_LOG: define("PRODUCE_LOG", 1014, TABLET, write, "ProduceLog"),
  FETCH_LOG: define("FETCH_LOG", 1015, TABLET, log, "FetchLog"),
  PUT_KV: define("PUT_KV", 1016, TABLET, write, "PutKv", 2),
  LOOKUP: define("LOOKUP", 1017, TABLET, lookup, "Lookup", 1),
  LIST_OFFSETS: define("LIST_OFFSETS", 1021, TABLET, log, "ListOffsets"),
  GET_LATEST_KV_SNAPSHOTS: define("GET_LATEST_KV_SNAPSHOTS", 1023, BOTH, snapshot, "GetLatestKvSnapshots"),
  GET_KV_SNAPSHOT_METADATA: define("GET_KV_SNAPSHOT_METADATA", 1024, BOTH, snapshot, "GetKvSnapshotMetadata"),
  GET_FILESYSTEM_SECURITY_TOKEN: define(
    "GET_FILESYSTEM_SECURITY_TOKEN",
    1025,
    BOTH,
    storage,
    "GetFileSystemSecurityToken",
  ),
  INIT_WRITER: define("INIT_WRITER", 1026, TABLET, write, "InitWriter"),
  GET_LAKE_SNAPSHOT: define("GET_LAKE_SNAPSHOT", 1032, BOTH, storage, "GetLakeSnapshot"),
  LIMIT_SCAN: define("LIMIT_SCAN", 1033, TABLET, scan, "LimitScan"),
  PREFIX_LOOKUP: define("PREFIX_LOOKUP", 1034, TABLET, lookup, "PrefixLookup", 1),
  GET_DATABASE_INFO: define("GET_DATABASE_INFO", 1035, BOTH, database, "GetDatabaseInfo"),
  CREATE_PARTITION: define("CREATE_PARTITION", 1036, COORDINATOR, partition, "CreatePartition"),
  DROP_PARTITION: define("DROP_PARTITION", 1037, COORDINATOR, partition, "DropPartition"),
  AUTHENTICATE: define("AUTHENTICATE", 1038, BOTH, handshake, "Authenticate"),
  CREATE_ACLS: define("CREATE_ACLS", 1039, COORDINATOR, acl, "CreateAcls"),
  LIST_ACLS: define("LIST_ACLS", 1040, BOTH, acl, "ListAcls"),
  DROP_ACLS: define("DROP_ACLS", 1041, COORDINATOR, acl, "DropAcls"),
  ALTER_TABLE: define("ALTER_TABLE", 1044, COORDINATOR, table, "AlterTable"),
  DESCRIBE_CLUSTER_CONFIGS: define("DESCRIBE_CLUSTER_CONFIGS", 1045, BOTH, clusterAdmin, "DescribeClusterConfigs"),
  ALTER_CLUSTER_CONFIGS: define("ALTER_CLUSTER_CONFIGS", 1046, COORDINATOR, clusterAdmin, "AlterClusterConfigs"),
  ADD_SERVER_TAG: define("ADD_SERVER_TAG", 1047, COORDINATOR, clusterAdmin, "AddServerTag"),
  REMOVE_SERVER_TAG: define("REMOVE_SERVER_TAG", 1048, COORDINATOR, clusterAdmin, "RemoveServerTag"),
  REBALANCE: define("REBALANCE", 1049, COORDINATOR, clusterAdmin, "Rebalance"),
  LIST_REBALANCE_PROGRESS: define("LIST_REBALANCE_PROGRESS", 1050, COORDINATOR, clusterAdmin, "ListRebalanceProgress"),
  CANCEL_REBALANCE: define("CANCEL_REBALANCE", 1051, COORDINATOR, clusterAdmin, "CancelRebalance"),
  REGISTER_PRODUCER_OFFSETS: define(
    "REGISTER_PRODUCER_OFFSETS",
    1053,
    COORDINATOR,
    producerOffset,
    "RegisterProducerOffsets",
  ),
  GET_PRODUCER_OFFSETS: define("GET_PRODUCER_OFFSETS", 1054, COORDINATOR, producerOffset, "GetProducerOffsets"),
  DELETE_PRODUCER_OFFSETS: define(
    "DELETE_PRODUCER_OFFSETS",
    1055,
    COORDINATOR,
    producerOffset,
    "DeleteProducerOffsets",
  ),
  ACQUIRE_KV_SNAPSHOT_LEASE: define("ACQUIRE_KV_SNAPSHOT_LEASE", 1056, COORDINATOR, snapshot, "AcquireKvSnapshotLease"),
  RELEASE_KV_SNAPSHOT_LEASE: define("RELEASE_KV_SNAPSHOT_LEASE", 1057, COORDINATOR, snapshot, "ReleaseKvSnapshotLease"),
  DROP_KV_SNAPSHOT_LEASE: define("DROP_KV_SNAPSHOT_LEASE", 1058, COORDINATOR, snapshot, "DropKvSnapshotLease"),
  GET_TABLE_STATS: define("GET_TABLE_STATS", 1059, TABLET, scan, "GetTableStats"),
  ALTER_DATABASE: define("ALTER_DATABASE", 1060, COORDINATOR, database, "AlterDatabase"),
  SCAN_KV: define("SCAN_KV", 1061, TABLET, scan, "ScanKv"),
  GET_CLUSTER_HEALTH: define("GET_CLUSTER_HEALTH", 1062, BOTH, clusterAdmin, "GetClusterHealth"),
  LIST_REMOTE_LOG_MANIFESTS: define("LIST_REMOTE_LOG_MANIFESTS", 1063, COORDINATOR, storage, "ListRemoteLogManifests"),
  LIST_KV_SNAPSHOTS: define("LIST_KV_SNAPSHOTS", 1064, COORDINATOR, snapshot, "ListKvSnapshots"),
};

const BY_KEY: ReadonlyMap<number, Api> = new Map(Object.values(API).map((api: Api) => [api.key, api]));

/** The request with this key; `undefined` for a key that is not public. */
export function apiByKey(key: number): Api | undefined {
  return BY_KEY.get(key);
}
