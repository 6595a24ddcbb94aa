/**
 * Typed data access to Apache Fluss for Deno, Bun and Node.
 *
 * Declare a table, connect, and read and write typed rows:
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 *
 * export async function rename(url: string, id: bigint, name: string): Promise<void> {
 *   await using db = await connect(url);
 *   await db.table(users).upsert({ id, name });
 * }
 * ```
 *
 * @module
 */
export * from "./src/schema/mod.ts";
export {
  FlussCodecError,
  FlussConnectionError,
  FlussError,
  type FlussErrorDetails,
  FlussMigrationError,
  FlussServerError,
  FlussStorageError,
  FlussSubscriptionError,
  FlussTimeoutError,
  FlussUsageError,
  FlussValidationError,
  FlussWriteError,
  type MigrationProblem,
  type ValidationIssue,
  type WriteFailure,
} from "./src/base/errors.ts";
export { ERROR_TABLE, type ErrorCode, type ServerErrorCode } from "./src/base/error_table.ts";
export type { CallOptions } from "./src/base/wait.ts";
export { type Connect, connect } from "./src/query/connect.ts";
export type { ConnectOptions } from "./src/query/options.ts";
export type { Address } from "./src/client/cluster/cluster.ts";
export type {
  LookupOptions as LookupLimits,
  RemoteOptions,
  ResolveAddress,
  S3Options,
  ScannerOptions,
  WriterOptions,
} from "./src/client/options.ts";
export { Db } from "./src/query/db.ts";
export { Admin } from "./src/query/admin/admin.ts";
export type { CreateOptions, DropOptions, TableName } from "./src/query/admin/place.ts";
export type {
  CreateDatabaseOptions,
  DatabaseChanges,
  DatabaseInfo,
  DatabaseSummary,
} from "./src/query/admin/databases.ts";
export type { TableChanges } from "./src/query/admin/tables.ts";
export type { PartitionInfo } from "./src/query/admin/partitions.ts";
export type {
  BucketOffset,
  BucketStatistics,
  OffsetPosition,
  OffsetsOptions,
  StatisticsOptions,
  TableStatistics,
} from "./src/query/admin/buckets.ts";
export type {
  KvSnapshot,
  KvSnapshotLeaseOptions,
  KvSnapshotMetadata,
  KvSnapshotOptions,
  LakeSnapshot,
  LakeSnapshotOptions,
} from "./src/query/admin/snapshots.ts";
export type {
  ProducerOffset,
  ProducerOffsets,
  ProducerOffsetsOptions,
  TableOffsets,
} from "./src/query/admin/producer_offsets.ts";
export type { Acl, AclFilter, AclOperation, AclResource } from "./src/query/admin/acls.ts";
export type { ClusterHealth, ConfigChanges, ConfigEntry, ServerInfo, ServerTag } from "./src/query/admin/servers.ts";
export type {
  BucketMove,
  RebalanceGoal,
  RebalanceOptions,
  RebalanceProgress,
  RebalanceStatus,
} from "./src/query/admin/rebalance.ts";
export type {
  ArrayType,
  DataType,
  DecimalType,
  MapType,
  RowField,
  RowType,
  SchemaColumn,
  SimpleType,
  SizedType,
  TableSchema,
  TimeType,
  TypeTraits,
  ValueMode,
} from "./src/schema/data_type.ts";
export type { Aggregation } from "./src/schema/definition.ts";
export type { TablePath } from "./src/client/cluster/path.ts";
export type { LiveColumn, LiveSchema, LiveTable } from "./src/schema/descriptor.ts";
export type { TableInfo } from "./src/client/cluster/tables.ts";
export type { WriteAck } from "./src/client/write/ack.ts";
export type { WriteReceipt } from "./src/client/write/batch.ts";
export type {
  AppendEvent,
  ChangeBatch,
  Changelog,
  ChangeOf,
  ChangePosition,
  ChangesOptions,
  DeleteEvent,
  InsertEvent,
  KeyedChange,
  NamedChangeOf,
  OnExpired,
  PartitionChange,
  RawEvent,
  RawKind,
  Subscription,
  SubscriptionOptions,
  UntypedChange,
  UntypedChangesOptions,
  UpdateEvent,
} from "./src/query/change_types.ts";
export {
  type CheckpointOptions,
  type CheckpointStore,
  fileCheckpoints,
  memoryCheckpoints,
  tableCheckpoints,
} from "./src/query/checkpoint_store.ts";
export type {
  ColumnWriter,
  DeleteOf,
  Engine,
  LogHandle,
  LookupOptions,
  NotNullOf,
  NoUpdates,
  OnePerKey,
  Picked,
  PrefixLookupOf,
  PrimaryKeyHandle,
  ReadHandle,
  ReadOptions,
  Rows,
  TableHandle,
  UntypedColumn,
  UntypedHandle,
  UntypedRow,
  UntypedTable,
  UpdateOf,
  WriterOf,
} from "./src/query/handle_types.ts";
export type { FromOf, LastOf, PartitionOf, Scan, ScanOptions, ScanPlan, UntilOf } from "./src/query/scan_types.ts";
export type { AtOffsets, AtTime, AtToken, From, PointInTime, ScanFrom, Until } from "./src/query/read_position.ts";
export type { AppendReceipt, ArrowPiece, ArrowSource } from "./src/query/append_batches.ts";
export type { BatchColumn, ColumnBatch } from "./src/query/column_batch.ts";
export type { ColumnValues } from "./src/format/columns.ts";
export type { Condition, EqualityRef, OrderedRef, RefOf, Refs, TextRef } from "./src/query/predicate_refs.ts";
export type {
  CompareOperator,
  ComparePredicate,
  CompoundPredicate,
  LeafPredicate,
  ListOperator,
  ListPredicate,
  NullOperator,
  NullPredicate,
  Predicate,
} from "./src/format/predicate.ts";
