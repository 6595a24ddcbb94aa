/**
 * Calls to the leader of a bucket that are made again until a deadline: for requests without a queue of their own.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { FlussError, type FlussServerError, isStaleMetadata, serverError } from "../../base/errors.ts";
import { backOffMs, type Deadline } from "../../base/wait.ts";
import type { FlussClient } from "../client.ts";
import type { Api } from "../rpc/api.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import type { BoundTable } from "../table/bound_table.ts";
import type { BucketRef } from "./ranges.ts";

/** A bucket of a table that was found. */
export interface BoundBucket {
  readonly client: FlussClient;
  readonly bound: BoundTable;
  readonly ref: BucketRef;
  /** What is done with it, for messages: `scanning`. */
  readonly doing: string;
}

/** An answer that carries its error in itself. */
interface Refusable {
  readonly errorCode: number;
  readonly errorMessage: string;
}

/** Codes that pass when scanners of others end (Fluss: KvBatchScanner.java). */
const TOO_MANY_SCANNERS = 69;

/**
 * A connection to the leader of a bucket.
 *
 * @param refresh whether to ask who leads it even if that is known
 * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, `SERVER.PARTITION_NOT_EXISTS`; a retriable error when there is no
 * leader at the moment
 */
export async function leaderOf(at: BoundBucket, refresh: boolean, deadline: Deadline): Promise<RpcConnection> {
  const { client: { cluster }, bound, ref } = at;
  const { physical } = bound.partition(ref.partition);
  let known = await (refresh ? cluster.refresh(physical, deadline) : cluster.leaders(physical, deadline));
  // What the connection knows may be older than the handle: then the handle has the new table.
  if (!refresh && known !== undefined && known.tableId !== bound.target.tableId) {
    known = await cluster.refresh(physical, deadline);
  }
  if (known !== undefined && known.tableId !== bound.target.tableId) {
    bound.target.gone();
    throw bucketError(at, 7, "the table was dropped and created again");
  }
  if (known === undefined || known.partitionId !== ref.partitionId) {
    throw bucketError(at, ref.partition === undefined ? 7 : 36, undefined);
  }
  const leader = known.leaders[ref.bucket] ?? -1;
  if (leader < 0) throw bucketError(at, 44, undefined);
  return await cluster.connect(leader, deadline);
}

/** Calls the leader until it answers without an error that may pass. */
export async function callLeader<Q extends DescMessage, A extends DescMessage>(
  at: BoundBucket,
  api: Api<Q, A>,
  request: MessageInitShape<Q>,
  deadline: Deadline,
): Promise<{ readonly connection: RpcConnection; readonly answer: MessageValidType<A> }> {
  let failure: FlussError | undefined;
  for (let attempt = 1;; attempt++) {
    try {
      const connection = await leaderOf(at, isStaleMetadata(failure), deadline);
      const answer = await connection.call(api, request, deadline.options);
      const { errorCode, errorMessage } = answer as unknown as Refusable;
      if (errorCode === 0) return { connection, answer };
      throw bucketError(at, errorCode, errorMessage);
    } catch (error) {
      if (!FlussError.is(error)) throw error;
      const passes = (error as FlussServerError).serverCode === TOO_MANY_SCANNERS;
      if (!error.retriable && !passes) throw error;
      failure = error;
    }
    await deadline.pause(backOffMs(attempt), `${at.doing} ${at.bound.target.name}`, failure);
  }
}

/** What a server said of the bucket. */
export function bucketError({ bound, ref, doing }: BoundBucket, code: number, message: string | undefined): FlussError {
  const { partition, bucket } = ref;
  return serverError(code, message, { doing, table: bound.target.name, partition, bucket });
}
