/**
 * What the tests and the official clients say to each other: one JSON object per line, one answer per command,
 * in any order.
 *
 * Values travel as canonical text, so that every client is compared with what a case says and not with another client:
 *
 * | type                        | text                                                                    |
 * |-----------------------------|-------------------------------------------------------------------------|
 * | BOOLEAN                     | `true`, `false`                                                         |
 * | TINYINT, SMALLINT, INT      | a number                                                                |
 * | BIGINT                      | a string of decimal digits                                              |
 * | FLOAT, DOUBLE               | the bits as a string of 8 or 16 hex digits, so that -0 and NaN count    |
 * | CHAR, STRING                | the string                                                              |
 * | DECIMAL                     | plain digits with exactly `scale` decimals                              |
 * | DATE                        | days since 1970-01-01                                                   |
 * | TIME                        | milliseconds of the day                                                 |
 * | TIMESTAMP, TIMESTAMP_LTZ    | `"<epoch milliseconds>+<nanoseconds of the millisecond>"`               |
 * | BINARY, BYTES               | a string of hex digits                                                  |
 * | ARRAY                       | an array                                                                |
 * | MAP                         | an array of `[key, value]`                                              |
 * | ROW                         | an array of the fields' values in order                                 |
 *
 * Null is null. A row is an array of texts in the order of the columns.
 *
 * @module
 */

/** A canonical text. */
export type Text = null | boolean | number | string | readonly Text[];

/** A type, as the counterparts that cannot ask their own client for it need it. */
export interface WireType {
  readonly type: string;
  readonly scale?: number;
  readonly element?: WireType;
  readonly key?: WireType;
  readonly value?: WireType;
  readonly fields?: readonly (readonly [name: string, type: WireType])[];
}

/** A table as an official client describes it. */
export interface Description {
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly primaryKey: readonly string[];
  readonly bucketKey: readonly string[];
  readonly partitionBy: readonly string[];
  readonly buckets: number;
}

/** A record of a log, with its change in the notation of Fluss: `+A`, `+I`, `-U`, `+U` or `-D`. */
export type LogText = readonly [bucket: number, offset: string, change: string, row: readonly Text[]];

/** What an Arrow IPC stream holds; the types as pyarrow writes them. */
export interface ArrowText {
  readonly types: readonly (readonly [name: string, type: string])[];
  readonly rows: readonly Text[][];
}

/** A command; `table` is `database.table`. */
export type Command =
  | { readonly op: "hello" }
  | { readonly op: "open"; readonly table: string; readonly columns: readonly (readonly [string, WireType])[] }
  | ({ readonly op: "create"; readonly table: string; readonly properties: Record<string, string> } & Description)
  | { readonly op: "describe"; readonly table: string }
  /** Answers lines like `TABLET_SERVER 127.0.0.1:9124`, in the words of each client. */
  | { readonly op: "servers" }
  | { readonly op: "databases" }
  | { readonly op: "createDatabase" | "databaseExists" | "tables"; readonly database: string }
  | { readonly op: "dropDatabase"; readonly database: string; readonly cascade: boolean }
  | { readonly op: "tableExists" | "dropTable"; readonly table: string }
  /** Java only. */
  | { readonly op: "addColumn"; readonly table: string; readonly column: string; readonly type: string }
  /** Answers their names. */
  | { readonly op: "partitions"; readonly table: string }
  | {
    readonly op: "createPartition" | "dropPartition";
    readonly table: string;
    readonly spec: Readonly<Record<string, string>>;
  }
  /** Answers one offset for each bucket, as text. */
  | {
    readonly op: "offsets";
    readonly table: string;
    readonly partition?: string;
    readonly buckets: readonly number[];
    readonly which: "earliest" | "latest";
  }
  /** At most so many rows of every bucket. Answers `Text[][]`. */
  | { readonly op: "limitScan"; readonly table: string; readonly partition?: string; readonly limit: number }
  | { readonly op: "append"; readonly table: string; readonly rows: readonly Text[][] }
  /** Python only: the rows as one Arrow batch. */
  | { readonly op: "appendArrow"; readonly table: string; readonly rows: readonly Text[][] }
  /** The log from its beginning; `count` is how many records there should be. Answers `LogText[]`. */
  | { readonly op: "readLog"; readonly table: string; readonly count: number }
  /** Python only: rows as an Arrow IPC stream in base64. */
  | {
    readonly op: "toArrow";
    readonly table: string;
    readonly rows: readonly Text[][];
    readonly compression: "lz4" | "zstd" | null;
  }
  /** Python only: an Arrow IPC stream in base64, read and validated. Answers `ArrowText`. */
  | { readonly op: "fromArrow"; readonly stream: string }
  /** With `columns` a partial update: the rows have the values of these columns only. */
  | { readonly op: "upsert"; readonly table: string; readonly rows: readonly Text[][]; readonly columns?: string[] }
  | { readonly op: "delete"; readonly table: string; readonly keys: readonly Text[][] }
  | { readonly op: "lookup"; readonly table: string; readonly keys: readonly Text[][]; readonly insertIfMissing?: true }
  | {
    readonly op: "prefixLookup";
    readonly table: string;
    readonly columns: readonly string[];
    readonly prefixes: readonly Text[][];
  };
