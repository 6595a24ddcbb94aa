/**
 * Offsets of buckets, asked of their leaders: followers answer too, with what they know (seen on Fluss 0.9.1).
 *
 * @module
 */
import type { CallOptions, Deadline } from "../../base/wait.ts";
import type { FlussClient } from "../client.ts";
import { API } from "../rpc/api.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import { optionalField } from "../rpc/required.ts";
import { askBuckets, type BucketAnswer, type BucketGroup, type LocatedTable } from "./ask_buckets.ts";
import type { AtTimestamp, BucketRef } from "./ranges.ts";

/**
 * Which offset: that of the oldest record, the one behind the newest that may be read, or that of the first batch that
 * was written at or after a time (the latest one, when there is none yet).
 */
export type OffsetQuestion = "earliest" | "latest" | AtTimestamp;

/** `INVALID_TIMESTAMP`: the time is later than the server's clock. */
const IN_THE_FUTURE = 38;
const FOLLOWER_ID_OF_CLIENTS = -1;

/**
 * Asks for offsets, one request per leader and partition, until each bucket has answered. A time in the future is
 * answered with the latest offset.
 *
 * @returns one offset per bucket, in their order
 * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, `SERVER.PARTITION_NOT_EXISTS`; `TIMEOUT.REQUEST`
 */
export async function fetchOffsets(
  client: FlussClient,
  table: LocatedTable,
  buckets: readonly BucketRef[],
  question: OffsetQuestion,
  deadline: Deadline,
): Promise<bigint[]> {
  const ask = async (connection: RpcConnection, group: BucketGroup, options: CallOptions) => {
    const answers = await listOffsets(connection, group, question, options);
    const late = answers.filter(({ errorCode }) => errorCode === IN_THE_FUTURE).map(({ bucketId }) => bucketId);
    if (late.length === 0) return answers;
    const latest = await listOffsets(connection, { ...group, buckets: late }, "latest", options);
    return [...answers.filter(({ errorCode }) => errorCode !== IN_THE_FUTURE), ...latest];
  };
  return await askBuckets(client, table, buckets, { doing: "asking for the offsets", ask }, deadline);
}

/** As {@linkcode fetchOffsets}, but a time in the future is an error, `SERVER.INVALID_TIMESTAMP_EXCEPTION`. */
export async function fetchExactOffsets(
  client: FlussClient,
  table: LocatedTable,
  buckets: readonly BucketRef[],
  question: OffsetQuestion,
  deadline: Deadline,
): Promise<bigint[]> {
  const ask = (connection: RpcConnection, group: BucketGroup, options: CallOptions) =>
    listOffsets(connection, group, question, options);
  return await askBuckets(client, table, buckets, { doing: "asking for the offsets", ask }, deadline);
}

async function listOffsets(
  connection: RpcConnection,
  { tableId, partitionId, buckets }: BucketGroup,
  question: OffsetQuestion,
  options: CallOptions,
): Promise<BucketAnswer<bigint>[]> {
  const answer = await connection.call(API.LIST_OFFSETS, {
    followerServerId: FOLLOWER_ID_OF_CLIENTS,
    offsetType: question === "earliest" ? 0 : question === "latest" ? 1 : 2,
    tableId,
    bucketId: [...buckets],
    ...(partitionId === undefined ? {} : { partitionId }),
    ...(typeof question === "string" ? {} : { startTimestamp: BigInt(question.timestamp) }),
  }, options);
  return answer.bucketsResp.map((said) => ({
    bucketId: said.bucketId,
    errorCode: said.errorCode,
    errorMessage: said.errorMessage,
    value: optionalField(said, "offset"),
  }));
}
