/**
 * Partitions of tables.
 *
 * @module
 */
import { API } from "../../client/rpc/api.ts";
import { partitionValue } from "../../format/partition_name.ts";
import { definitionOf } from "../../schema/definition.ts";
import type { AnyTable } from "../../schema/infer.ts";
import { type AdminPlace, type CreateOptions, type DropOptions, pathOf, wait, wirePath } from "./place.ts";

/** A partition of a table. */
export interface PartitionInfo {
  /** The server's number for it. */
  readonly partitionId: bigint;
  /** The name on the wire: the values in key order, joined by `$`. */
  readonly name: string;
  /** Column name to value, as text. */
  readonly values: Readonly<Record<string, string>>;
}

/** The values of partition columns, as a row would have them. */
type Values = Readonly<Record<string, unknown>>;

export async function createPartition(
  place: AdminPlace,
  table: AnyTable,
  values: Values,
  options: CreateOptions,
): Promise<void> {
  await place.client.cluster.callCoordinator(API.CREATE_PARTITION, {
    tablePath: wirePath(pathOf(place, table)),
    partitionSpec: { partitionKeyValues: pairs(table, values) },
    // The field's name on the wire is a slip: true means that an existing partition is no error.
    ignoreIfNotExists: options.ignoreIfExists === true,
  }, { ...wait(options), repeatable: options.ignoreIfExists === true });
}

export async function dropPartition(
  place: AdminPlace,
  table: AnyTable,
  values: Values,
  options: DropOptions,
): Promise<void> {
  await place.client.cluster.callCoordinator(API.DROP_PARTITION, {
    tablePath: wirePath(pathOf(place, table)),
    partitionSpec: { partitionKeyValues: pairs(table, values) },
    ignoreIfNotExists: options.ignoreIfNotExists === true,
  }, { ...wait(options), repeatable: options.ignoreIfNotExists === true });
}

/** The partition columns by their names on the server. */
function pairs(table: AnyTable, values: Values): { key: string; value: string }[] {
  const definition = definitionOf(table);
  return definition.partitionBy.map((key) => {
    const column = definition.columns.find((column) => column.key === key)!;
    return { key: column.name, value: partitionValue(column.type, values[key]) };
  });
}
