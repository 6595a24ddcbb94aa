/**
 * The one table of error codes. The classes of `errors.ts`, the type {@linkcode ErrorCode} and `docs/errors.md` all come
 * from it; a code that is not here does not exist.
 *
 * @module
 */

/** Which class an error code belongs to. */
export type ErrorKind =
  | "usage"
  | "validation"
  | "codec"
  | "connection"
  | "timeout"
  | "server"
  | "write"
  | "subscription"
  | "storage"
  | "migration";

interface Entry {
  readonly kind: ErrorKind;
  /** What the code means, for the documentation and where nothing better is known. */
  readonly summary: string;
  /** The usual next step. */
  readonly hint?: string;
  /** The same call may succeed later without a change. Default false. */
  readonly retriable?: true;
  /** The client's picture of the cluster is out of date. Default false. */
  readonly staleMetadata?: true;
  /** The number on the wire. */
  readonly serverCode?: number;
}

/** Every error code with its class, what it means, and the usual next step. */
export const ERROR_TABLE = {
  // A table's declaration.
  "SCHEMA.INVALID": { kind: "usage", summary: "the declaration of a table is not valid" },
  "SCHEMA.NAME": {
    kind: "usage",
    summary: "a database, table or column has a name that servers refuse",
    hint: "give it another name",
  },
  "SCHEMA.NO_COLUMNS": {
    kind: "usage",
    summary: "a table has no columns",
    hint: "declare one: { id: t.bigint() }",
  },
  "SCHEMA.RESERVED_NAME": {
    kind: "usage",
    summary: "a column has the name of one of the server's own columns",
    hint: "give it another name",
  },
  "SCHEMA.DUPLICATE_COLUMN": {
    kind: "usage",
    summary: "two columns, or two fields of a row, have the same name on the server",
    hint: "give one of them another .name()",
  },
  "SCHEMA.PRECISION": {
    kind: "usage",
    summary: "a length, precision, scale or depth of a type is out of range",
    hint: "lengths start at 1, decimals have 1 to 38 digits, times 0 to 9 digits of a second",
  },
  "SCHEMA.MODE": {
    kind: "usage",
    summary: "a column or a preset has a mode that its type or precision does not allow",
    hint: "leave mode out for the default",
  },
  "SCHEMA.ONE_OF": {
    kind: "usage",
    summary: "the values that .oneOf() allows make no sense",
    hint: "name each value once",
  },
  "SCHEMA.KEY_MISSING": { kind: "usage", summary: "a key names a column that does not exist" },
  "SCHEMA.KEY_DUPLICATE": { kind: "usage", summary: "a key names a column twice", hint: "name it once" },
  "SCHEMA.KEY_TYPE": {
    kind: "usage",
    summary: "a key column is an array, a map or a row",
    hint: "use a column of another type",
  },
  "SCHEMA.BUCKETS": { kind: "usage", summary: "the number of buckets is out of range", hint: "use 1 to 128000" },
  "SCHEMA.BUCKET_KEY": {
    kind: "usage",
    summary: "the bucket key has a column that cannot choose buckets",
    hint: "use columns of the primary key that are not partition columns",
  },
  "SCHEMA.PARTITION_KEY": {
    kind: "usage",
    summary: "the partition columns do not fit the primary key or have a type that names no partition",
  },
  "SCHEMA.AUTO_PARTITION": {
    kind: "usage",
    summary: "the server could not make and drop partitions as autoPartition says",
  },
  "SCHEMA.MERGE_ENGINE": { kind: "usage", summary: "the merge engine does not fit the table" },
  "SCHEMA.CHANGELOG": { kind: "usage", summary: "the changelog does not fit the merge engine" },
  "SCHEMA.DELETE_BEHAVIOR": { kind: "usage", summary: "the delete behaviour does not fit the table" },
  "SCHEMA.AGGREGATION": { kind: "usage", summary: "an aggregation function does not fit its column or table" },
  "SCHEMA.AUTO_INCREMENT": { kind: "usage", summary: "a table cannot have this auto-increment column" },
  "SCHEMA.AUTO_INCREMENT_NOT_NULL": {
    kind: "usage",
    summary: "a table with an auto-increment column has a NOT NULL value column, and could not be written",
    hint: "leave .notNull() out",
  },
  "SCHEMA.FORMAT": { kind: "usage", summary: "the formats of log and rows do not fit each other" },
  "SCHEMA.DATALAKE": { kind: "usage", summary: "the key does not fit the format of the data lake" },
  "SCHEMA.OPTION": { kind: "usage", summary: "an option of a table is not known or has a wrong value" },
  "SCHEMA.DRIFT": {
    kind: "usage",
    summary: "the live table does not fit its declaration",
    hint: 'change the declaration or the table, or connect with schemaCheck: "off"',
  },

  // A write that was refused before anything was queued.
  "WRITE.UNKNOWN_COLUMN": { kind: "usage", summary: "a row has a column that the table does not have" },
  "WRITE.UNDEFINED_VALUE": {
    kind: "usage",
    summary: "a value is undefined, which could mean null or leave as it is",
    hint: "write null, or leave the column out",
  },
  "WRITE.MISSING_COLUMN": { kind: "usage", summary: "a row lacks a column that cannot be null" },
  "WRITE.GENERATED_COLUMN": {
    kind: "usage",
    summary: "a row carries a value for a column that the server generates",
    hint: "leave the column out",
  },
  "WRITE.NOT_SUPPORTED": { kind: "usage", summary: "the table cannot do this operation" },
  "WRITE.DELETE_IGNORED": {
    kind: "usage",
    summary: "the server would answer the delete with success and keep the row",
    hint: 'declare deleteBehavior: "allow", or "ignore" if that is what you want',
  },
  "WRITE.QUEUE_FULL": {
    kind: "write",
    retriable: true,
    summary: "the writer holds as many bytes as it may",
    hint: "await db.ready before the next write, use upsertAll() or writable(), or raise writer.maxBytes",
  },
  "WRITE.TOO_LARGE": { kind: "usage", summary: "a row is larger than a request may be" },
  "WRITE.FAILED": { kind: "write", summary: "queued rows were not written" },
  "WRITE.CLOSED": { kind: "usage", summary: "the connection is closed" },

  "LOOKUP.QUEUE_FULL": {
    kind: "usage",
    retriable: true,
    summary: "more keys wait to be looked up than lookup.maxBytes allows",
    hint: "await some of them first, use lookupMany(), or raise lookup.maxBytes",
  },
  "LOOKUP.UNKNOWN_COLUMN": { kind: "usage", summary: "a column was asked for that the table does not have" },
  "TEST.BAD_OPTION": { kind: "usage", summary: "something of sluice/testing was told what makes no sense" },
  "TEST.LEAKED": {
    kind: "usage",
    summary: "a test has left something behind: an open scan or subscription, or a failure that never happened",
    hint: "end scans and subscriptions: read them to the end, break, or declare them with await using",
  },
  "TIMEOUT.TEST": { kind: "timeout", summary: "what a test waited for did not happen in time" },
  "ADMIN.BAD_OPTION": { kind: "usage", summary: "an administrative call was asked for something that servers refuse" },
  "LOOKUP.NOT_SUPPORTED": { kind: "usage", summary: "the table cannot be read in this way" },

  // A scan that was refused before anything was read.
  "SCAN.UNKNOWN_COLUMN": { kind: "usage", summary: "a scan names a column that the table does not have" },
  "SCAN.BAD_SELECT": {
    kind: "usage",
    summary: "select names no column, or one twice",
    hint: "name each column once, or leave select out to read all columns",
  },
  "SCAN.BAD_LIMIT": {
    kind: "usage",
    summary: "limit or last is not a whole number of at least 1",
    hint: "leave it out to read all rows",
  },
  "SCAN.CONFLICT": { kind: "usage", summary: "two parts of a scan exclude each other" },
  "SCAN.NOT_SUPPORTED": { kind: "usage", summary: "tables of this kind cannot be scanned in this way" },
  "SCAN.BAD_POSITION": { kind: "usage", summary: "from or until is not a position" },
  "SCAN.BAD_PARTITION": {
    kind: "usage",
    summary: "a partition is not one value for each partition column of the table",
  },
  "SCAN.UNKNOWN_PARTITION": { kind: "usage", summary: "the table has no such partition" },
  "SCAN.UNKNOWN_BUCKET": { kind: "usage", summary: "the table has no such bucket" },
  "SCAN.NO_CHECKPOINT": {
    kind: "usage",
    summary: "current rows of a primary-key table have no position that a scan could resume from",
    hint: "use changes(), whose checkpoints are positions",
  },
  "SCAN.ROW_OUT_OF_RANGE": { kind: "usage", summary: "a batch was asked for a row that it does not have" },
  "SCAN.FULL_SCAN_UNSUPPORTED": {
    kind: "usage",
    summary: "the server cannot scan a primary-key table of this size as a whole",
    hint: "raise scanner.fullScanRows, use .limit(n), read the log with .changes(), or look keys up",
  },
  "PREDICATE.UNDEFINED_VALUE": {
    kind: "usage",
    summary: "a value to compare with is undefined, which could mean null or any value",
    hint: "leave the predicate out, or use isNull()",
  },
  "PREDICATE.NULL_VALUE": {
    kind: "usage",
    summary: "a value to compare with is null, and nothing equals null",
    hint: "use isNull() or isNotNull()",
  },
  "PREDICATE.NOT_SUPPORTED": { kind: "usage", summary: "columns of this type cannot be compared in this way" },
  "PREDICATE.UNKNOWN_COLUMN": { kind: "usage", summary: "a predicate names a column that the table does not have" },
  "PREDICATE.INVALID": { kind: "usage", summary: "a predicate is not one that scans understand" },

  // Subscriptions and resume tokens.
  "SUBSCRIPTION.BAD_TOKEN": {
    kind: "subscription",
    summary: "a resume token is cut, damaged, or from a newer version of this package",
    hint: "use the text of a checkpoint as it was given",
  },
  "SUBSCRIPTION.TOKEN_MISMATCH": {
    kind: "subscription",
    summary: "a resume token was made for another table, or for one of the same name that was dropped since",
    hint: 'use the token of this table, or start with from: "earliest"',
  },
  "SUBSCRIPTION.OFFSET_OUT_OF_RANGE": {
    kind: "subscription",
    summary: "the log does not have the offset that reading should start from, often because it has expired",
    hint: 'start with from: "earliest", or say onExpired: "earliest" to go on with what is left',
  },
  "SUBSCRIPTION.BAD_OPTIONS": { kind: "usage", summary: "an option of changes() is not valid" },
  "SUBSCRIPTION.IN_USE": {
    kind: "usage",
    summary: "a subscription was iterated a second time, and it has one reader only",
    hint: "call changes() again for a subscription of its own",
  },
  "SUBSCRIPTION.NOT_STARTED": {
    kind: "usage",
    summary: "a subscription was asked for a checkpoint before its first change was asked for",
    hint: "ask for it in the loop, or after it",
  },
  "SUBSCRIPTION.SNAPSHOT_UNSUPPORTED": {
    kind: "usage",
    summary: "the server cannot say where the log goes on after its current rows",
    hint: 'use from: "earliest", which tells the current rows with their history',
  },
  "SUBSCRIPTION.CHECKPOINT_FAILED": {
    kind: "subscription",
    summary: "the store of a managed checkpoint failed; events since the last one it has will come again",
    hint: "see the cause; the subscription can be opened again with the same store and id",
  },

  // Values.
  "VALIDATION.FAILED": { kind: "validation", summary: "a value was refused by a column's check" },
  "VALIDATION.ASYNC": {
    kind: "validation",
    summary: "a column's check is asynchronous",
    hint: "use a schema that validates at once",
  },
  "CODEC.WRONG_TYPE": { kind: "codec", summary: "a value has the wrong type for its column" },
  "CODEC.OUT_OF_RANGE": { kind: "codec", summary: "a value does not fit its column" },
  "CODEC.NULL": { kind: "codec", summary: "a column that cannot be null got null" },
  "CODEC.UNSAFE_INTEGER": {
    kind: "codec",
    summary: "an integer beyond 2^53 cannot be a number without loss",
    hint: "use the default mode of t.bigint(), which reads and writes bigint",
  },
  "CODEC.CORRUPT_BATCH": { kind: "codec", summary: "bytes from the server or a file could not be read" },

  // Arrow that is to be written.
  "REMOTE.NOT_ALLOWED": {
    kind: "usage",
    summary: "a server named a file, an object or an endpoint that the program has not allowed",
    hint: "if the folder is the cluster's remote storage, name it in scanner.remote.roots of connect()",
  },
  "REMOTE.NOT_SUPPORTED": {
    kind: "usage",
    summary: "records are in a kind of remote storage that Sluice does not read",
  },
  "REMOTE.UNAVAILABLE": {
    kind: "connection",
    summary: "records in remote storage cannot be read at the moment, or the program has no right to",
  },
  "ARROW.SCHEMA_MISMATCH": { kind: "usage", summary: "the columns of Arrow data do not fit those of the table" },
  "ARROW.NOT_SUPPORTED": { kind: "usage", summary: "Arrow data has a form that Sluice does not read" },

  // Connections.
  "CONNECTION.BAD_URL": { kind: "usage", summary: "the URL is not one that Sluice can connect to" },
  "CONNECTION.BAD_OPTION": { kind: "usage", summary: "an option of connect() is not valid" },
  "CONNECTION.REFUSED": {
    kind: "connection",
    retriable: true,
    staleMetadata: true,
    summary: "no server answered at the address",
    hint: "check host and port, and that the cluster runs",
  },
  "CONNECTION.CLOSED": {
    kind: "connection",
    retriable: true,
    staleMetadata: true,
    summary: "the connection was lost before the answer came",
  },
  "CONNECTION.PROTOCOL": {
    kind: "connection",
    summary: "the other side does not speak the Fluss protocol",
    hint: "check that host and port are those of a Fluss server",
  },
  "CONNECTION.AUTH_FAILED": {
    kind: "connection",
    summary: "the server refused the credentials",
    hint: "check username and password",
  },
  "CONNECTION.UNSUPPORTED_VERSION": { kind: "connection", summary: "the server does not offer what is needed" },

  // The command line.
  // Migrations.
  "MIGRATION.CONFIG": { kind: "usage", summary: "the config of a project cannot be used" },
  "MIGRATION.UNKNOWN": { kind: "usage", summary: "a migration or a table was named that the project does not have" },
  "MIGRATION.DESTRUCTIVE": {
    kind: "usage",
    summary: "an operation destroys rows, and was not allowed by its name",
    hint: "allow it by name: --allow drop-table:shop.old",
  },
  "MIGRATION.NOT_DEVELOPMENT": {
    kind: "usage",
    summary: "push changes tables without a migration, and the cluster is not on this machine",
    hint: "use sluice plan and sluice apply",
  },
  "MIGRATION.BLOCKED": { kind: "migration", summary: "the schema has changes that servers refuse" },
  "MIGRATION.INVALID": {
    kind: "migration",
    summary: "a migration cannot be read, or does not fit the others",
    hint: "restore it from version control, or see sluice check",
  },
  "MIGRATION.CHECKSUM": {
    kind: "migration",
    summary: "a migration is not what it was when it was applied",
    hint: "restore it from version control, and put the change into a new one: sluice plan",
  },
  "MIGRATION.DRIFT": {
    kind: "migration",
    summary: "tables on the cluster are not what the migrations made them",
    hint:
      "take them as they are with sluice pull or sluice plan --from-live, or alter them back and sluice apply again",
  },
  "MIGRATION.LOCKED": {
    kind: "migration",
    retriable: true,
    summary: "somebody else applies migrations",
    hint: "wait for it with --wait; if its process is gone, its lease ends by itself, or at once with --break-lock",
  },
  "MIGRATION.LOCK_LOST": {
    kind: "migration",
    summary: "the lease of the lock ended, or was broken, while migrations were applied",
    hint: "sluice apply goes on where it ended",
  },
  "MIGRATION.DATA_FAILED": {
    kind: "migration",
    summary: "the data step of a migration failed",
    hint: "repair it; sluice apply goes on with it",
  },
  "CLI.BAD_USAGE": { kind: "usage", summary: "a command was called with something that it does not understand" },
  "CLI.NOT_FOUND": { kind: "usage", summary: "what was asked for is not there" },
  "INPUT.BAD_ROW": {
    kind: "usage",
    summary: "a row of a file, or of standard input, is not one of the table",
    hint: "correct it, or keep such rows with --rejects FILE and write the others",
  },
  "INPUT.BAD_FORMAT": { kind: "usage", summary: "a file, or standard input, is not of the format that it should be" },
  "INPUT.FAILED": { kind: "usage", summary: "a file cannot be read or written" },
  "LISTEN.PORT_IN_USE": {
    kind: "connection",
    summary: "a port to listen on is taken",
    hint: "end what listens there, or choose another --port; 0 takes ports that are free",
  },
  "LISTEN.REFUSED": {
    kind: "connection",
    summary: "the system does not let us listen on a port",
    hint: "choose another --port (from 1024) or --host",
  },

  "TIMEOUT.REQUEST": { kind: "timeout", retriable: true, summary: "no answer came in time" },
  "TIMEOUT.DELIVERY": { kind: "timeout", retriable: true, summary: "a batch could not be delivered in time" },
  "TIMEOUT.FLUSH": { kind: "timeout", retriable: true, summary: "flush() did not finish in time" },
  "TIMEOUT.CLOSE": { kind: "timeout", summary: "close() did not finish in time" },

  // Mistakes of Sluice itself.
  "INTERNAL.MESSAGE": {
    kind: "codec",
    summary: "a message of the protocol could not be written",
    hint: "this is a mistake in Sluice: please report it, with the stack trace",
  },

  // The runtime.
  "RUNTIME.TEMPORAL_MISSING": {
    kind: "usage",
    summary: "the runtime has no Temporal",
    hint: "use Node 26, Deno 2.9 or Bun 1.4, pass a polyfill with configure({ Temporal }), or choose another mode",
  },
  "RUNTIME.NO_ZSTD": {
    kind: "usage",
    summary: "the runtime cannot compress with Zstandard",
    hint: "use Node 26, Deno 2.9 or Bun 1.4; reading works without",
  },

  // The folder of a `file:` URL.
  "STORAGE.LOCKED": {
    kind: "storage",
    retriable: true,
    summary: "another process uses the folder",
    hint: "end that process, or serve the folder with it by `sluice dev --data` and connect by TCP",
  },
  "STORAGE.READ_ONLY": {
    kind: "storage",
    summary: "the folder cannot be made, or not be written",
    hint: "name another folder, or give this process the right to write it",
  },
  "STORAGE.FULL": {
    kind: "storage",
    retriable: true,
    summary: "the disk is full: what was to be written is undone, and what was acknowledged is there",
    hint: "free some space on it",
  },
  "STORAGE.CORRUPT": {
    kind: "storage",
    summary: "the folder's file is damaged, or is not one of Sluice",
    hint: "bring it back from a copy",
  },
  "STORAGE.NEWER_VERSION": {
    kind: "storage",
    summary: "a newer version of Sluice wrote the folder",
    hint: "update Sluice",
  },
  "STORAGE.FAILED": { kind: "storage", summary: "the disk failed" },

  // What servers say; the numbers and names are those of the wire (Fluss: rpc/protocol/Errors.java).
  "SERVER.UNKNOWN_SERVER_ERROR": {
    kind: "server",
    serverCode: -1,
    summary: "the server failed without a code of its own",
  },
  "SERVER.NETWORK_EXCEPTION": {
    kind: "server",
    serverCode: 1,
    retriable: true,
    staleMetadata: true,
    summary: "the server could not reach another server",
  },
  "SERVER.UNSUPPORTED_VERSION": {
    kind: "server",
    serverCode: 2,
    summary: "the server does not support this request in this version",
  },
  "SERVER.CORRUPT_MESSAGE": {
    kind: "server",
    serverCode: 3,
    retriable: true,
    summary: "the server could not read the message",
  },
  "SERVER.DATABASE_NOT_EXIST": {
    kind: "server",
    serverCode: 4,
    summary: "the database does not exist",
    hint: "create it first: db.admin.createDatabase(name, { ignoreIfExists: true })",
  },
  "SERVER.DATABASE_NOT_EMPTY": {
    kind: "server",
    serverCode: 5,
    summary: "the database is not empty",
    hint: "drop its tables first, or pass { cascade: true }",
  },
  "SERVER.DATABASE_ALREADY_EXIST": { kind: "server", serverCode: 6, summary: "the database exists already" },
  "SERVER.TABLE_NOT_EXIST": {
    kind: "server",
    serverCode: 7,
    summary: "the table does not exist",
    hint: "create it first: db.admin.create(table)",
  },
  "SERVER.TABLE_ALREADY_EXIST": { kind: "server", serverCode: 8, summary: "the table exists already" },
  "SERVER.SCHEMA_NOT_EXIST": {
    kind: "server",
    serverCode: 9,
    retriable: true,
    summary: "the server does not know this schema of the table (yet)",
  },
  "SERVER.LOG_STORAGE_EXCEPTION": {
    kind: "server",
    serverCode: 10,
    retriable: true,
    summary: "the server could not use its log storage",
  },
  "SERVER.KV_STORAGE_EXCEPTION": {
    kind: "server",
    serverCode: 11,
    retriable: true,
    summary: "the server could not use its key-value storage",
  },
  "SERVER.NOT_LEADER_OR_FOLLOWER": {
    kind: "server",
    serverCode: 12,
    retriable: true,
    staleMetadata: true,
    summary: "this server does not lead the bucket (any more)",
  },
  "SERVER.RECORD_TOO_LARGE_EXCEPTION": {
    kind: "server",
    serverCode: 13,
    summary: "a record is larger than the server takes",
  },
  "SERVER.CORRUPT_RECORD_EXCEPTION": {
    kind: "server",
    serverCode: 14,
    retriable: true,
    summary: "a record batch is corrupt",
  },
  "SERVER.INVALID_TABLE_EXCEPTION": { kind: "server", serverCode: 15, summary: "the table descriptor is not valid" },
  "SERVER.INVALID_DATABASE_EXCEPTION": {
    kind: "server",
    serverCode: 16,
    summary: "the database descriptor is not valid",
  },
  "SERVER.INVALID_REPLICATION_FACTOR": {
    kind: "server",
    serverCode: 17,
    summary: "the replication factor does not fit the cluster",
  },
  "SERVER.INVALID_REQUIRED_ACKS": { kind: "server", serverCode: 18, summary: "acks must be -1, 0 or 1" },
  "SERVER.LOG_OFFSET_OUT_OF_RANGE_EXCEPTION": {
    kind: "server",
    serverCode: 19,
    summary: "the offset is outside of what the bucket holds",
  },
  "SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION": { kind: "server", serverCode: 20, summary: "the table has no primary key" },
  "SERVER.UNKNOWN_TABLE_OR_BUCKET_EXCEPTION": {
    kind: "server",
    serverCode: 21,
    retriable: true,
    staleMetadata: true,
    summary: "the server does not know the table or bucket",
  },
  "SERVER.INVALID_UPDATE_VERSION_EXCEPTION": {
    kind: "server",
    serverCode: 22,
    summary: "the update carries an old version",
  },
  "SERVER.INVALID_COORDINATOR_EXCEPTION": {
    kind: "server",
    serverCode: 23,
    summary: "another coordinator is in charge",
  },
  "SERVER.FENCED_LEADER_EPOCH_EXCEPTION": { kind: "server", serverCode: 24, summary: "the leader epoch is old" },
  "SERVER.REQUEST_TIME_OUT": { kind: "server", serverCode: 25, retriable: true, summary: "the server ran out of time" },
  "SERVER.STORAGE_EXCEPTION": {
    kind: "server",
    serverCode: 26,
    retriable: true,
    summary: "the server could not use its storage",
  },
  "SERVER.OPERATION_NOT_ATTEMPTED_EXCEPTION": {
    kind: "server",
    serverCode: 27,
    summary: "the server did not attempt the operation",
  },
  "SERVER.NOT_ENOUGH_REPLICAS_AFTER_APPEND_EXCEPTION": {
    kind: "server",
    serverCode: 28,
    retriable: true,
    summary: "too few replicas were in sync after the write; it is stored, but may not be safe",
  },
  "SERVER.NOT_ENOUGH_REPLICAS_EXCEPTION": {
    kind: "server",
    serverCode: 29,
    retriable: true,
    summary: "too few replicas are in sync",
  },
  "SERVER.SECURITY_TOKEN_EXCEPTION": {
    kind: "server",
    serverCode: 30,
    summary: "the file system token could not be made",
  },
  "SERVER.OUT_OF_ORDER_SEQUENCE_EXCEPTION": { kind: "server", serverCode: 31, summary: "a batch arrived out of order" },
  "SERVER.DUPLICATE_SEQUENCE_EXCEPTION": { kind: "server", serverCode: 32, summary: "the batch was written before" },
  "SERVER.UNKNOWN_WRITER_ID_EXCEPTION": {
    kind: "server",
    serverCode: 33,
    summary: "the server does not know the writer id",
  },
  "SERVER.INVALID_COLUMN_PROJECTION": { kind: "server", serverCode: 34, summary: "the projection is not valid" },
  "SERVER.INVALID_TARGET_COLUMN": { kind: "server", serverCode: 35, summary: "the target columns are not valid" },
  "SERVER.PARTITION_NOT_EXISTS": { kind: "server", serverCode: 36, summary: "the partition does not exist" },
  "SERVER.TABLE_NOT_PARTITIONED_EXCEPTION": { kind: "server", serverCode: 37, summary: "the table is not partitioned" },
  "SERVER.INVALID_TIMESTAMP_EXCEPTION": { kind: "server", serverCode: 38, summary: "the timestamp is not valid" },
  "SERVER.INVALID_CONFIG_EXCEPTION": { kind: "server", serverCode: 39, summary: "a configuration value is not valid" },
  "SERVER.LAKE_STORAGE_NOT_CONFIGURED_EXCEPTION": {
    kind: "server",
    serverCode: 40,
    summary: "the cluster has no lake storage",
  },
  "SERVER.KV_SNAPSHOT_NOT_EXIST": { kind: "server", serverCode: 41, summary: "the snapshot does not exist" },
  "SERVER.PARTITION_ALREADY_EXISTS": { kind: "server", serverCode: 42, summary: "the partition exists already" },
  "SERVER.PARTITION_SPEC_INVALID_EXCEPTION": {
    kind: "server",
    serverCode: 43,
    summary: "the partition values are not valid",
  },
  "SERVER.LEADER_NOT_AVAILABLE_EXCEPTION": {
    kind: "server",
    serverCode: 44,
    retriable: true,
    staleMetadata: true,
    summary: "the bucket has no leader at the moment",
  },
  "SERVER.PARTITION_MAX_NUM_EXCEPTION": {
    kind: "server",
    serverCode: 45,
    summary: "the table has too many partitions",
  },
  "SERVER.AUTHENTICATE_EXCEPTION": {
    kind: "server",
    serverCode: 46,
    summary: "the server refused the credentials",
    hint: "check username and password; the listener may want SASL: connect(url, { username, password })",
  },
  "SERVER.SECURITY_DISABLED_EXCEPTION": {
    kind: "server",
    serverCode: 47,
    summary: "the cluster runs without an authorizer",
  },
  "SERVER.AUTHORIZATION_EXCEPTION": {
    kind: "server",
    serverCode: 48,
    summary: "the user has no right to do this",
    hint: "ask for the right on the resource named, or use another user",
  },
  "SERVER.BUCKET_MAX_NUM_EXCEPTION": { kind: "server", serverCode: 49, summary: "too many buckets" },
  "SERVER.FENCED_TIERING_EPOCH_EXCEPTION": { kind: "server", serverCode: 50, summary: "the tiering epoch is old" },
  "SERVER.RETRIABLE_AUTHENTICATE_EXCEPTION": {
    kind: "server",
    serverCode: 51,
    summary: "authentication failed, but may be tried again",
  },
  "SERVER.INVALID_SERVER_RACK_INFO_EXCEPTION": {
    kind: "server",
    serverCode: 52,
    summary: "the rack information is not valid",
  },
  "SERVER.LAKE_SNAPSHOT_NOT_EXIST": { kind: "server", serverCode: 53, summary: "the lake snapshot does not exist" },
  "SERVER.LAKE_TABLE_ALREADY_EXIST": { kind: "server", serverCode: 54, summary: "the lake table exists already" },
  "SERVER.INELIGIBLE_REPLICA_EXCEPTION": {
    kind: "server",
    serverCode: 55,
    summary: "the replica cannot join the in-sync set",
  },
  "SERVER.INVALID_ALTER_TABLE_EXCEPTION": {
    kind: "server",
    serverCode: 56,
    summary: "the table cannot be altered in this way",
  },
  "SERVER.DELETION_DISABLED_EXCEPTION": {
    kind: "server",
    serverCode: 57,
    summary: "deletes are disabled for this table",
  },
  "SERVER.SERVER_NOT_EXIST_EXCEPTION": { kind: "server", serverCode: 58, summary: "the server does not exist" },
  "SERVER.SERVER_TAG_ALREADY_EXIST_EXCEPTION": {
    kind: "server",
    serverCode: 59,
    summary: "the server tag exists already",
  },
  "SERVER.SERVER_TAG_NOT_EXIST_EXCEPTION": { kind: "server", serverCode: 60, summary: "the server tag does not exist" },
  "SERVER.REBALANCE_FAILURE_EXCEPTION": { kind: "server", serverCode: 61, summary: "the rebalance failed" },
  "SERVER.NO_REBALANCE_IN_PROGRESS_EXCEPTION": {
    kind: "server",
    serverCode: 62,
    summary: "no rebalance is in progress",
  },
  "SERVER.INVALID_PRODUCER_ID_EXCEPTION": { kind: "server", serverCode: 63, summary: "the producer id is not valid" },
  "SERVER.CONFIG_EXCEPTION": { kind: "server", serverCode: 64, summary: "a cluster configuration is not valid" },
  "SERVER.NOT_COORDINATOR_LEADER_EXCEPTION": {
    kind: "server",
    serverCode: 65,
    staleMetadata: true,
    summary: "this coordinator is on standby",
  },
  "SERVER.SCANNER_EXPIRED": { kind: "server", serverCode: 66, summary: "the scanner has expired" },
  "SERVER.UNKNOWN_SCANNER_ID": { kind: "server", serverCode: 67, summary: "the server does not know the scanner" },
  "SERVER.INVALID_SCAN_REQUEST": { kind: "server", serverCode: 68, summary: "the scan request is not valid" },
  "SERVER.TOO_MANY_SCANNERS": { kind: "server", serverCode: 69, summary: "too many scanners are open" },
  "SERVER.DISK_WRITE_LOCKED": {
    kind: "server",
    serverCode: 70,
    retriable: true,
    summary: "the server's disk is write-locked",
  },
  "SERVER.INSUFFICIENT_KV_LEADER_REPLICA_CAPACITY": {
    kind: "server",
    serverCode: 71,
    summary: "too few servers can lead key-value replicas",
  },
  "SERVER.STORAGE_BACKPRESSURE_EXCEPTION": {
    kind: "server",
    serverCode: 72,
    retriable: true,
    summary: "the server asks writers to slow down",
  },
  "SERVER.HISTORICAL_PARTITION_THROTTLED": {
    kind: "server",
    serverCode: 73,
    retriable: true,
    summary: "reads of historical partitions are throttled",
  },
} as const;

/** Every error code there is. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/** The codes that mirror a wire error. */
export type ServerErrorCode = Extract<ErrorCode, `SERVER.${string}`>;

/** The same table, where a code is not known beforehand. */
export const ERRORS: Readonly<Record<ErrorCode, Entry>> = ERROR_TABLE;

/** From wire error codes to ours. */
export const SERVER_CODES: ReadonlyMap<number, ServerErrorCode> = new Map(
  Object.entries(ERRORS).flatMap(([code, entry]) =>
    entry.serverCode === undefined ? [] : [[entry.serverCode, code as ServerErrorCode]]
  ),
);
