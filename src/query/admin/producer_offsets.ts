/**
 * Offsets that a producer leaves with the cluster before it writes, so that after a crash what it wrote since can be
 * found and undone: the means by which stream processors write exactly once.
 *
 * @module
 */
import type { CallOptions } from "../../base/wait.ts";
import { API } from "../../client/rpc/api.ts";
import { optionalField } from "../../client/rpc/required.ts";
import type { BucketOffset } from "./buckets.ts";
import { type AdminPlace, findTable, partitionIdOf, type TableName, wait } from "./place.ts";

/** Where the logs of one table ended. */
export interface TableOffsets {
  /** The table. */
  readonly table: TableName;
  /** As `db.admin.offsets(table, "latest")` gives them. */
  readonly offsets: readonly BucketOffset[];
}

/** Options of {@linkcode Admin.registerProducerOffsets}. */
export interface ProducerOffsetsOptions extends CallOptions {
  /** How long the cluster keeps them, in milliseconds. Default: the cluster's own, a day. */
  readonly ttlMs?: number;
}

/** One offset as the cluster kept it, with the numbers of table and partition. */
export interface ProducerOffset {
  /** The number of the table, as `db.admin.describe()` gives it. */
  readonly tableId: bigint;
  /** The number of the partition, where the table is partitioned. */
  readonly partitionId?: bigint;
  /** The bucket. */
  readonly bucket: number;
  /** Where the log ended. */
  readonly offset: bigint;
}

/** What a producer left. */
export interface ProducerOffsets {
  /** When the cluster forgets them. */
  readonly expiresAt: Date;
  /** One per bucket. */
  readonly offsets: readonly ProducerOffset[];
}

export async function registerProducerOffsets(
  place: AdminPlace,
  producerId: string,
  tables: readonly TableOffsets[],
  options: ProducerOffsetsOptions,
): Promise<"created" | "alreadyExists"> {
  const deadline = place.client.cluster.deadline(options);
  const tableOffsets = [];
  for (const { table, offsets } of tables) {
    const found = await findTable(place, table, deadline.options);
    const ids = new Map<string | undefined, bigint | undefined>();
    for (const partition of new Set(offsets.map((one) => one.partition))) {
      ids.set(partition, await partitionIdOf(place, found, partition, deadline.options));
    }
    tableOffsets.push({
      tableId: found.target.tableId,
      bucketOffsets: offsets.map(({ bucket: bucketId, partition, offset: logEndOffset }) => {
        const partitionId = ids.get(partition);
        return { bucketId, logEndOffset, ...(partitionId === undefined ? {} : { partitionId }) };
      }),
    });
  }
  const answer = await place.client.cluster.callCoordinator(API.REGISTER_PRODUCER_OFFSETS, {
    producerId,
    tableOffsets,
    ...(options.ttlMs === undefined ? {} : { ttlMs: BigInt(Math.trunc(options.ttlMs)) }),
  }, deadline.options);
  return answer.result === 1 ? "alreadyExists" : "created";
}

export async function producerOffsets(
  place: AdminPlace,
  producerId: string,
  options: CallOptions,
): Promise<ProducerOffsets | undefined> {
  const answer = await place.client.cluster.callCoordinator(API.GET_PRODUCER_OFFSETS, { producerId }, {
    ...wait(options),
    repeatable: true,
  });
  if (optionalField(answer, "producerId") === undefined) return undefined;
  return {
    expiresAt: new Date(Number(answer.expirationTime)),
    offsets: answer.tableOffsets.flatMap(({ tableId, bucketOffsets }) =>
      bucketOffsets.map((one) => {
        const partitionId = optionalField(one, "partitionId");
        const place = { tableId, bucket: one.bucketId, offset: one.logEndOffset };
        return partitionId === undefined ? place : { ...place, partitionId };
      })
    ),
  };
}

export async function deleteProducerOffsets(
  place: AdminPlace,
  producerId: string,
  options: CallOptions,
): Promise<void> {
  await place.client.cluster.callCoordinator(API.DELETE_PRODUCER_OFFSETS, { producerId }, {
    ...wait(options),
    repeatable: true,
  });
}
