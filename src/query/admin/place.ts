/**
 * What all admin calls need: the client, and the names and numbers of tables.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import type { FlussClient } from "../../client/client.ts";
import { type PhysicalPath, physicalText, type TablePath } from "../../client/cluster/path.ts";
import { fetchTableInfo, type TableInfo } from "../../client/cluster/tables.ts";
import type { LocatedTable } from "../../client/read/ask_buckets.ts";
import type { BucketRef } from "../../client/read/ranges.ts";
import { API } from "../../client/rpc/api.ts";
import { partitionTarget, type TableTarget } from "../../client/table/target.ts";
import type { AnyTable } from "../../schema/infer.ts";
import { resolvePath } from "../path.ts";

/** A table value, or its name: `"shop.orders"`, or `"orders"` in the connection's database. */
export type TableName = AnyTable | string;

/** Options of calls that make something. */
export interface CreateOptions extends CallOptions {
  /** True: what exists already is left alone and is no error. Default false. */
  readonly ignoreIfExists?: boolean;
}

/** Options of calls that remove or alter something. */
export interface DropOptions extends CallOptions {
  /** True: what does not exist is no error. Default false. */
  readonly ignoreIfNotExists?: boolean;
}

/** Where admin calls are made. */
export interface AdminPlace {
  readonly client: FlussClient;
  /** The database of the connection. */
  readonly database: string | undefined;
}

/** The full name of a table. */
export function pathOf(place: AdminPlace, table: TableName): TablePath {
  return resolvePath(typeof table === "string" ? table : table.name, place.database);
}

/** A name as requests carry it. */
export function wirePath(path: TablePath): { databaseName: string; tableName: string } {
  return { databaseName: path.database, tableName: path.table };
}

/** The part of a call's options that is about waiting. */
export function wait(options: CallOptions): CallOptions {
  return { signal: options.signal, timeoutMs: options.timeoutMs };
}

/** A partition by its name and number. */
export interface KnownPartition {
  readonly name: string;
  readonly partitionId: bigint;
  readonly values: Readonly<Record<string, string>>;
}

/** The partitions of a table. */
export async function listPartitions(
  place: AdminPlace,
  path: TablePath,
  options: CallOptions,
  some: Readonly<Record<string, string>> = {},
): Promise<KnownPartition[]> {
  const wanted = Object.entries(some).map(([key, value]) => ({ key, value }));
  const answer = await place.client.cluster.callAny(API.LIST_PARTITION_INFOS, {
    tablePath: wirePath(path),
    ...(wanted.length === 0 ? {} : { partialPartitionSpec: { partitionKeyValues: wanted } }),
  }, wait(options));
  return answer.partitionsInfo.map(({ partitionId, partitionSpec }) => {
    const pairs = partitionSpec?.partitionKeyValues ?? [];
    return {
      partitionId,
      name: pairs.map((pair) => pair.value).join("$"),
      values: Object.fromEntries(pairs.map((pair) => [pair.key, pair.value])),
    };
  });
}

/** A table with its numbers. */
export interface FoundTable extends LocatedTable {
  readonly info: TableInfo;
}

/** Looks a table up. */
export async function findTable(place: AdminPlace, table: TableName, options: CallOptions): Promise<FoundTable> {
  const info = await fetchTableInfo(place.client.cluster, pathOf(place, table), wait(options));
  const { path, tableId } = info;
  const target: TableTarget = {
    path,
    name: physicalText({ path }),
    tableId,
    partitionColumns: info.table.partitionKey,
    gone: () => {},
  };
  return { info, target, partition: (name) => partitionTarget(target, name) };
}

/**
 * The number of a partition; undefined for a table without partitions, of which none may be named.
 *
 * @throws FlussUsageError `SCAN.UNKNOWN_PARTITION` for one that is not there, or a name that is missing or too much
 */
export async function partitionIdOf(
  place: AdminPlace,
  { info }: FoundTable,
  partition: string | undefined,
  options: CallOptions,
): Promise<bigint | undefined> {
  const partitioned = info.table.partitionKey.length > 0;
  if (!partitioned && partition === undefined) return undefined;
  const known = partitioned ? await listPartitions(place, info.path, options) : [];
  const found = known.find(({ name }) => name === partition);
  if (found !== undefined) return found.partitionId;
  throw unknownPartition({ path: info.path, partition }, known.map(({ name }) => name), partitioned);
}

function unknownPartition(physical: PhysicalPath, names: readonly string[], partitioned: boolean): Error {
  const { path, partition } = physical;
  return flussError("SCAN.UNKNOWN_PARTITION", {
    table: physicalText({ path }),
    message: partition === undefined
      ? "the table is partitioned, and no partition is named"
      : partitioned
      ? `there is no partition ${JSON.stringify(partition)}`
      : `the table has no partitions, and ${JSON.stringify(partition)} is named`,
    hint: !partitioned
      ? "leave the partition out"
      : names.length === 0
      ? "it has no partitions yet"
      : `its partitions: ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", ..." : ""}`,
  });
}

/** The buckets that are meant: of a table, of one of its partitions, or of all of them. */
export async function bucketsOf(
  place: AdminPlace,
  found: FoundTable,
  partition: string | undefined,
  wanted: readonly number[] | undefined,
  options: CallOptions,
): Promise<BucketRef[]> {
  const { info } = found;
  const count = info.table.bucketCount ?? 1;
  for (const bucket of wanted ?? []) {
    if (Number.isInteger(bucket) && bucket >= 0 && bucket < count) continue;
    throw flussError("SCAN.UNKNOWN_BUCKET", {
      table: found.target.name,
      bucket,
      message: `there is no bucket ${bucket}`,
      hint: `the buckets are 0 to ${count - 1}`,
    });
  }
  const buckets = wanted ?? Array.from({ length: count }, (_, bucket) => bucket);
  const all = info.table.partitionKey.length > 0 && partition === undefined;
  const partitions = all
    ? await listPartitions(place, info.path, options)
    : [{ name: partition, partitionId: await partitionIdOf(place, found, partition, options) }];
  return partitions.flatMap(({ name, partitionId }) =>
    buckets.map((bucket) => ({ partition: name, partitionId, bucket }))
  );
}
