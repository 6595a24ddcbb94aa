/**
 * Names of tables and partitions, and the texts that maps use as keys.
 *
 * @module
 */

/** The full name of a table. */
export interface TablePath {
  /** The database. */
  readonly database: string;
  /** The table, without the database. */
  readonly table: string;
}

/** `database.table`. */
export function pathText(path: TablePath): string {
  return `${path.database}.${path.table}`;
}

/** A table and, where it is partitioned, one of its partitions. */
export interface PhysicalPath {
  readonly path: TablePath;
  /** The partition's name on the wire: its values joined by `$`. */
  readonly partition?: string | undefined;
}

/** One text per physical table; `/` occurs in no name. */
export function physicalText(physical: PhysicalPath): string {
  return physical.partition === undefined
    ? pathText(physical.path)
    : `${pathText(physical.path)}/${physical.partition}`;
}
