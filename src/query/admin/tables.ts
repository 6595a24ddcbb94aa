/**
 * Tables: how they are made, altered and described.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import { pathText } from "../../client/cluster/path.ts";
import { API } from "../../client/rpc/api.ts";
import type { AnyColumn } from "../../schema/column.ts";
import { dataTypeToJson } from "../../schema/data_type_json.ts";
import { defineColumns } from "../../schema/define.ts";
import { definitionOf } from "../../schema/definition.ts";
import { type LiveSchema, parseSchema, toDescriptorJson } from "../../schema/descriptor.ts";
import type { AnyTable } from "../../schema/infer.ts";
import { dateAutoPartitionHazard } from "../../schema/rules/keys.ts";
import { optionChanges } from "./databases.ts";
import {
  type AdminPlace,
  type CreateOptions,
  type DropOptions,
  pathOf,
  type TableName,
  wait,
  wirePath,
} from "./place.ts";

/**
 * What is changed about a table: its columns or its options; servers of 0.9.1 do not take both at once.
 *
 * @example
 * ```ts
 * import { t, type TableChanges } from "sluice";
 *
 * export const withEmail: TableChanges = { addColumns: { email: t.string().comment("as typed") } };
 * export const keptLonger: TableChanges = { setOptions: { "table.log.tiered.local-segments": "4" } };
 * ```
 */
export interface TableChanges {
  /** Columns to add behind the others, in this order. They must be nullable: rows that are there have no value. */
  readonly addColumns?: Readonly<Record<string, AnyColumn>>;
  /** Options to set, `table.*` ones and custom properties. Servers allow few of the first. */
  readonly setOptions?: Readonly<Record<string, string>>;
  /** Names of options to remove. */
  readonly removeOptions?: readonly string[];
}

/** Where `addColumns` puts them: servers know no other place (Fluss: ColumnPositionType.java). */
const LAST = 0;

export async function createTable(place: AdminPlace, table: AnyTable, options: CreateOptions): Promise<void> {
  const { cluster } = place.client;
  const hazard = dateAutoPartitionHazard(definitionOf(table));
  // Servers that can be told how partitions are named came with ALTER_DATABASE.
  if (hazard !== undefined && !await cluster.coordinatorServes(API.ALTER_DATABASE, wait(options))) {
    throw flussError("SCHEMA.AUTO_PARTITION", { ...hazard, table: table.name });
  }
  await cluster.callCoordinator(API.CREATE_TABLE, {
    tablePath: wirePath(pathOf(place, table)),
    tableJson: json(toDescriptorJson(definitionOf(table))),
    ignoreIfExists: options.ignoreIfExists === true,
  }, { ...wait(options), repeatable: options.ignoreIfExists === true });
}

export async function alterTable(
  place: AdminPlace,
  table: TableName,
  changes: TableChanges,
  options: DropOptions,
): Promise<void> {
  const path = pathOf(place, table);
  const { addColumns = {}, setOptions, removeOptions } = changes;
  const configChanges = optionChanges(setOptions, removeOptions);
  const columns = defineColumns(pathText(path), addColumns);
  if (columns.length > 0 && configChanges.length > 0) {
    throw flussError("ADMIN.BAD_OPTION", {
      table: pathText(path),
      message: "columns and options are altered in one call, which servers refuse",
      hint: "make two calls",
    });
  }
  if (columns.length === 0 && configChanges.length === 0) {
    throw flussError("ADMIN.BAD_OPTION", {
      table: pathText(path),
      message: "nothing is altered",
      hint: "name columns or options",
    });
  }
  for (const { key, type, autoIncrement } of columns) {
    if (type.nullable && !autoIncrement) continue;
    throw flussError("ADMIN.BAD_OPTION", {
      table: pathText(path),
      column: key,
      message: `the column "${key}" is ${autoIncrement ? "generated" : "NOT NULL"}, and rows that are there have none`,
      hint: "add it as a nullable column",
    });
  }
  await place.client.cluster.callCoordinator(API.ALTER_TABLE, {
    tablePath: wirePath(path),
    ignoreIfNotExists: options.ignoreIfNotExists === true,
    configChanges,
    addColumns: columns.map(({ name, type, comment, aggregate }) => ({
      columnName: name,
      // The server numbers fields itself, whatever they are numbered here (observed on 0.9.1).
      dataTypeJson: json(dataTypeToJson(type, counter())),
      columnPositionType: LAST,
      ...(comment === undefined ? {} : { comment }),
      ...(aggregate === undefined ? {} : {
        aggFunctionType: aggregate.fn,
        aggFunctionParams: Object.entries(aggregate.parameters).map(([key, value]) => ({ key, value })),
      }),
    })),
  }, wait(options));
}

export async function describeSchema(
  place: AdminPlace,
  table: TableName,
  schemaId: number | undefined,
  options: CallOptions,
): Promise<LiveSchema> {
  const path = pathOf(place, table);
  const answer = await place.client.cluster.callAny(API.GET_TABLE_SCHEMA, {
    tablePath: wirePath(path),
    ...(schemaId === undefined ? {} : { schemaId }),
  }, wait(options));
  return parseSchema(answer.schemaJson, answer.schemaId, pathText(path));
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

function counter(): () => number {
  let next = 0;
  return () => next++;
}
