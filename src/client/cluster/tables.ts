/**
 * What the cluster says of tables: descriptors and schemas.
 *
 * @module
 */
import type { TableSchema } from "../../schema/data_type.ts";
import { type LiveTable, parseDescriptor, parseSchema } from "../../schema/descriptor.ts";
import type { CallOptions, Deadline } from "../../base/wait.ts";
import { API } from "../rpc/api.ts";
import type { Cluster } from "./cluster.ts";
import { pathText, type TablePath } from "./path.ts";

/** A table as it is now. */
export interface TableInfo {
  /** Database and name. */
  readonly path: TablePath;
  /** The server's number for this table; a table made anew under the same name has another. */
  readonly tableId: bigint;
  /** The number of the latest schema; the first is 1. */
  readonly schemaId: number;
  /** Columns, keys, buckets and options. */
  readonly table: LiveTable;
  /** When it was created. */
  readonly createdAt: Date;
  /** When it was altered last. */
  readonly modifiedAt: Date;
}

/** Asks for a table's descriptor. */
export async function fetchTableInfo(cluster: Cluster, path: TablePath, options: CallOptions): Promise<TableInfo> {
  const tablePath = { databaseName: path.database, tableName: path.table };
  const answer = await cluster.callAny(API.GET_TABLE_INFO, { tablePath }, options);
  return {
    path,
    tableId: answer.tableId,
    schemaId: answer.schemaId,
    table: parseDescriptor(answer.tableJson, answer.schemaId, pathText(path)),
    createdAt: new Date(Number(answer.createdTime)),
    modifiedAt: new Date(Number(answer.modifiedTime)),
  };
}

/** The schemas of tables, by table id and schema id. A schema never changes once it has a number. */
export class Schemas {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, TableSchema>();
  readonly #asked = new Map<string, Promise<TableSchema>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The schema, if it is known. */
  get(tableId: bigint, schemaId: number): TableSchema | undefined {
    return this.#known.get(`${tableId} ${schemaId}`);
  }

  /** Takes a schema in that came with something else. */
  add(tableId: bigint, schema: TableSchema): void {
    this.#known.set(`${tableId} ${schema.schemaId}`, schema);
  }

  /** The schema, asked for if need be. Concurrent callers share one request. */
  async fetch(path: TablePath, tableId: bigint, schemaId: number, deadline: Deadline): Promise<TableSchema> {
    const key = `${tableId} ${schemaId}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#ask(path, schemaId).then((schema) => {
        this.#known.set(key, schema);
        return schema;
      }).finally(() => this.#asked.delete(key));
      asked.catch(() => {});
      this.#asked.set(key, asked);
    }
    return await deadline.wait(asked, `asking for schema ${schemaId} of ${pathText(path)}`);
  }

  async #ask(path: TablePath, schemaId: number): Promise<TableSchema> {
    const tablePath = { databaseName: path.database, tableName: path.table };
    const answer = await this.#cluster.callAny(API.GET_TABLE_SCHEMA, { tablePath, schemaId });
    return parseSchema(answer.schemaJson, answer.schemaId, pathText(path));
  }
}
