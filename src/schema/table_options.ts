/**
 * The options of `table()` as types.
 *
 * @module
 */
import type { DeleteBehavior } from "./definition.ts";
import type { KeyOf, VersionKeys } from "./infer.ts";

/** How rows with the same key are merged; `versioned` names the column whose highest value wins. */
export type MergeEngine<T> = "last_row" | "first_row" | "aggregation" | { readonly versioned: VersionKeys<T> };

/** Partitions that the server makes ahead of time and drops when they are old. */
export interface AutoPartitionOptions<Key> {
  /** The partition column that holds the time; needed when there are several partition columns. */
  readonly key?: Key;
  /** The time that one partition spans. Values look like `2026112310`, `20261123`, `202611`, `20264`, `2026`. */
  readonly unit: "hour" | "day" | "month" | "quarter" | "year";
  /** How many past partitions are kept; -1 keeps all. Default 7. Older ones are dropped, with their rows. */
  readonly retain?: number;
  /** How many partitions are made ahead, the current one included. Default 2, and 0 with several partition columns. */
  readonly precreate?: number;
  /** The zone in which partitions begin, such as `UTC`. Default the server's own. */
  readonly timeZone?: string;
}

/** The log of a table: all rows of a log table, the changes of a primary-key table. */
export interface LogOptions {
  /** How long records are kept, such as `7d`. Default 7 days. */
  readonly ttl?: string;
  /** The layout of records. Default `arrow`, which alone can leave columns out on the server. */
  readonly format?: "arrow" | "indexed" | "compacted";
  /** Compression of the `arrow` format. Default `zstd` at level 3; levels are 1 to 22, for `zstd` alone. */
  readonly compression?: { readonly type: "none" | "lz4" | "zstd"; readonly level?: number };
}

/** The stored rows of a primary-key table. */
export interface KvOptions {
  /** The layout of rows. Default `compacted`. */
  readonly format?: "compacted" | "indexed";
}

/** The copy of a table in a data lake. The format decides how keys are encoded, also while it is not enabled. */
export interface DatalakeOptions {
  /** Whether the table is copied to the lake. Default false. */
  readonly enabled?: boolean;
  /** The format of the lake. Default the cluster's. */
  readonly format?: "paimon" | "iceberg" | "lance";
  /** How old the copy may be, such as `3min`. Default 3 minutes. */
  readonly freshness?: string;
}

/** The second half of a table's declaration. */
export interface TableOptions<T, P, B, Q, E, L, D> {
  /** The key columns in order; they become NOT NULL. Without it the table is a log table. */
  readonly primaryKey?: P;
  /**
   * The columns whose values choose the bucket. Default the primary key without the partition columns. A leading part of
   * that allows `prefixLookup`.
   */
  readonly bucketKey?: B;
  /** The number of buckets, 1 to 128,000. Default the server's. */
  readonly buckets?: number;
  /** The columns whose values choose the partition. They are part of the primary key, if there is one. */
  readonly partitionBy?: Q;
  /** Partitions that the server makes and drops. Default none. */
  readonly autoPartition?: AutoPartitionOptions<KeyOf<T>>;
  /** Default `last_row`: the last written row wins. */
  readonly mergeEngine?: E;
  /** Default `allow`; with a merge engine `ignore`, which answers deletes with success. */
  readonly deleteBehavior?: D;
  /** What the changelog of a primary-key table holds. Default `full`: updates with the row before. */
  readonly changelog?: L;
  /** The log: how long it is kept, and how it is stored. */
  readonly log?: LogOptions;
  /** The stored rows of a primary-key table. */
  readonly kv?: KvOptions;
  /** The copy in a data lake. */
  readonly datalake?: DatalakeOptions;
  /** A comment, kept with the table on the server. */
  readonly comment?: string;
  /** Other options of the server, for which there is no name here. */
  readonly properties?: Readonly<Record<`table.${string}`, string>>;
  /** Whatever you want to keep with the table. */
  readonly customProperties?: Readonly<Record<string, string>>;
}

/** Every {@linkcode DeleteBehavior}, or that nothing was said. */
export type AnyDeleteBehavior = DeleteBehavior | undefined;
