/**
 * How an embedded server is set up.
 *
 * @module
 */

/** A user who may log in on listeners that ask for it. */
export interface User {
  readonly name: string;
  readonly password: string;
}

/** See the module. */
export interface Settings {
  /** Who may log in. Where there is nobody, nobody needs to. */
  readonly users: readonly User[];
  /** Whether rights (ACLs) are asked for. Without, everybody may do everything. */
  readonly authorizer: boolean;
  /** Names of users who may do everything. */
  readonly superUsers: readonly string[];
  /** `default.bucket.number`: the buckets of tables that do not say. */
  readonly defaultBuckets: number;
  /** `max.partition.num`: partitions of one table. */
  readonly maxPartitions: number;
  /** `max.bucket.num` */
  readonly maxBuckets: number;
  /** `auto-partition.check.interval` in milliseconds. */
  readonly autoPartitionCheckMs: number;
  /** How often logs are looked through for what has outlived `table.log.ttl`, in milliseconds. */
  readonly retentionCheckMs: number;
  /** Bytes of rows that may wait for one commit. Near it writers are asked to slow down, beyond it they are refused. */
  readonly maxUncommittedBytes: number;
  /** The largest request, in bytes: `netty.server.max-request-size`. */
  readonly maxRequestBytes: number;
  /** Bytes of requests that are not whole yet, of all connections: whoever sends more of one then is hung up on. */
  readonly maxUnfinishedBytes: number;
  /** Connections that say nothing for so many milliseconds are closed: `netty.connection.max-idle-time`. */
  readonly maxIdleMs: number;
}

/** The settings of a server that nothing was said of. */
export const DEFAULT_SETTINGS: Settings = {
  users: [],
  authorizer: false,
  superUsers: [],
  defaultBuckets: 1,
  maxPartitions: 1000,
  maxBuckets: 128_000,
  autoPartitionCheckMs: 600_000,
  retentionCheckMs: 60_000,
  maxUncommittedBytes: 256 << 20,
  maxRequestBytes: 100 << 20,
  maxUnfinishedBytes: 512 << 20,
  maxIdleMs: 600_000,
};
