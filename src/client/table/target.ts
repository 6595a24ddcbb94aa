/**
 * Where rows are written to and keys are looked up: a table, or one partition of it.
 *
 * @module
 */
import { type PhysicalPath, physicalText, type TablePath } from "../cluster/path.ts";

/** A table of the cluster. */
export interface TableTarget {
  readonly path: TablePath;
  /** `database.table`, for messages. */
  readonly name: string;
  readonly tableId: bigint;
  /** Physical names of the partition columns; empty when the table is not partitioned. */
  readonly partitionColumns: readonly string[];
  /** Called when the cluster says that this table is not there any more, or is another one by now. */
  readonly gone: () => void;
}

/** A table, or one partition of a table. */
export interface PartitionTarget {
  readonly table: TableTarget;
  readonly physical: PhysicalPath;
  /** One text per target, to look things up by. */
  readonly key: string;
}

/** The target for a table (without a name) or one of its partitions. */
export function partitionTarget(table: TableTarget, partition: string | undefined): PartitionTarget {
  const physical: PhysicalPath = { path: table.path, partition };
  return { table, physical, key: physicalText(physical) };
}
