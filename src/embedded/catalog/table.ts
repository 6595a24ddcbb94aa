/**
 * A table as the catalog holds it. Entries are replaced, never changed: whoever needs the newest asks the catalog again.
 *
 * @module
 */
import type { LiveSchema, LiveTable } from "../../schema/descriptor.ts";

/** Names a table. */
export interface TablePath {
  readonly database: string;
  readonly table: string;
}

/** A partition of a table. */
export interface CatalogPartition {
  readonly id: number;
  /** `2026-11-23`, or with several keys their values joined by `$`. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly createdTime: number;
}

/** See the module. */
export interface CatalogTable {
  /** Unique among all tables there ever were. */
  readonly id: number;
  readonly path: TablePath;
  /** The descriptor with the latest schema and the server's defaults filled in. */
  readonly live: LiveTable;
  /** The descriptor as clients get it: JSON, UTF-8. */
  readonly json: Uint8Array<ArrayBuffer>;
  readonly bucketCount: number;
  /** Every schema there was, by its id; the latest is `live.schema`. */
  readonly schemas: ReadonlyMap<number, LiveSchema>;
  /** By id; empty when the table is not partitioned. */
  readonly partitions: ReadonlyMap<number, CatalogPartition>;
  /** Milliseconds since 1970. */
  readonly createdTime: number;
  readonly modifiedTime: number;
}

/** `shop.orders` */
export function tableText({ database, table }: TablePath): string {
  return `${database}.${table}`;
}
