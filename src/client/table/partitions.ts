/**
 * Partitions that come into being with their first row.
 *
 * @module
 */
import { FlussError } from "../../base/errors.ts";
import type { Deadline } from "../../base/wait.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { API } from "../rpc/api.ts";
import type { PartitionTarget } from "./target.ts";

/** Creates the partition of `target`; that it exists by now is no error. */
export async function createPartition(cluster: Cluster, target: PartitionTarget, deadline: Deadline): Promise<void> {
  const { path, partition } = target.physical;
  // A name of several levels is its values joined by `$`, which no value may contain.
  const values = partition!.split("$");
  try {
    await cluster.callCoordinator(API.CREATE_PARTITION, {
      tablePath: { databaseName: path.database, tableName: path.table },
      partitionSpec: {
        partitionKeyValues: target.table.partitionColumns.map((key, i) => ({ key, value: values[i] ?? "" })),
      },
      ignoreIfNotExists: true,
    }, { ...deadline.options, repeatable: true });
  } catch (error) {
    if (!FlussError.is(error, "SERVER.PARTITION_ALREADY_EXISTS")) throw error;
  }
}
