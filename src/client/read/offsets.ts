/**
 * Offsets of buckets, asked of their leaders: followers answer too, with what they know (seen on Fluss 0.9.1).
 *
 * @module
 */
import { FlussError, serverError } from "../../base/errors.ts";
import { backOffMs, type Deadline } from "../../base/wait.ts";
import type { FlussClient } from "../client.ts";
import { API } from "../rpc/api.ts";
import { optionalField } from "../rpc/required.ts";
import type { BoundTable } from "../table/bound_table.ts";
import type { AtTimestamp, BucketRef } from "./ranges.ts";

/**
 * Which offset: that of the oldest record, the one behind the newest that may be read, or that of the first batch that
 * was written at or after a time (the latest one, when there is none yet).
 */
export type OffsetQuestion = "earliest" | "latest" | AtTimestamp;

/** `INVALID_TIMESTAMP`: the time is later than the server's clock. */
const IN_THE_FUTURE = 38;
const FOLLOWER_ID_OF_CLIENTS = -1;

interface Asked {
  readonly ref: BucketRef;
  /** Its place in the result. */
  readonly at: number;
}

/**
 * Asks for offsets, one request per leader and partition, until each bucket has answered.
 *
 * @returns one offset per bucket, in their order
 * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, `SERVER.PARTITION_NOT_EXISTS`; `TIMEOUT.REQUEST`
 */
export async function fetchOffsets(
  client: FlussClient,
  bound: BoundTable,
  buckets: readonly BucketRef[],
  question: OffsetQuestion,
  deadline: Deadline,
): Promise<bigint[]> {
  const search = new OffsetSearch(client, bound, question, deadline, buckets.length);
  let open: readonly Asked[] = buckets.map((ref, at) => ({ ref, at }));
  for (let attempt = 1; open.length > 0; attempt++) {
    open = await search.round(open, attempt > 1);
    if (open.length > 0) await deadline.pause(backOffMs(attempt), search.doing, search.failure);
  }
  return search.found;
}

class OffsetSearch {
  readonly found: bigint[];
  readonly doing: string;
  /** Why the last round left buckets open. */
  failure: FlussError | undefined;
  readonly #client: FlussClient;
  readonly #bound: BoundTable;
  readonly #question: OffsetQuestion;
  readonly #deadline: Deadline;

  constructor(client: FlussClient, bound: BoundTable, question: OffsetQuestion, deadline: Deadline, count: number) {
    this.#client = client;
    this.#bound = bound;
    this.#question = question;
    this.#deadline = deadline;
    this.found = new Array(count);
    this.doing = `asking for the offsets of ${bound.target.name}`;
  }

  /** Asks once for each bucket; returns those that are worth another try. */
  async round(asked: readonly Asked[], refresh: boolean): Promise<Asked[]> {
    const partitions = [...Map.groupBy(asked, ({ ref }) => ref.partition).values()];
    return (await Promise.all(partitions.map((asked) => this.#askPartition(asked, refresh)))).flat();
  }

  async #askPartition(asked: readonly Asked[], refresh: boolean): Promise<Asked[]> {
    const { cluster } = this.#client;
    const { partition, partitionId } = asked[0]!.ref;
    const { physical } = this.#bound.partition(partition);
    const known =
      await (refresh ? cluster.refresh(physical, this.#deadline) : cluster.leaders(physical, this.#deadline));
    if (known === undefined || (known.tableId === this.#bound.target.tableId && known.partitionId !== partitionId)) {
      throw this.#error(partition === undefined ? 7 : 36, undefined, asked[0]!.ref);
    }
    if (known.tableId !== this.#bound.target.tableId) {
      this.#bound.target.gone();
      throw this.#error(7, "the table was dropped and created again", asked[0]!.ref);
    }
    const leaders = [...Map.groupBy(asked, ({ ref }) => known.leaders[ref.bucket] ?? -1)];
    return (await Promise.all(leaders.map(([leader, asked]) => this.#askLeader(leader, asked)))).flat();
  }

  async #askLeader(leader: number, asked: readonly Asked[]): Promise<readonly Asked[]> {
    if (leader < 0) {
      this.failure = this.#error(44, undefined, asked[0]!.ref);
      return asked;
    }
    try {
      return await this.#ask(leader, asked, this.#question);
    } catch (error) {
      if (!FlussError.is(error) || !error.retriable) throw error;
      this.failure = error;
      return asked;
    }
  }

  async #ask(leader: number, asked: readonly Asked[], question: OffsetQuestion): Promise<readonly Asked[]> {
    const connection = await this.#client.cluster.connect(leader, this.#deadline);
    const { partitionId } = asked[0]!.ref;
    const answer = await connection.call(API.LIST_OFFSETS, {
      followerServerId: FOLLOWER_ID_OF_CLIENTS,
      offsetType: question === "earliest" ? 0 : question === "latest" ? 1 : 2,
      tableId: this.#bound.target.tableId,
      bucketId: asked.map(({ ref }) => ref.bucket),
      ...(partitionId === undefined ? {} : { partitionId }),
      ...(typeof question === "string" ? {} : { startTimestamp: BigInt(question.timestamp) }),
    }, this.#deadline.options);
    const open: Asked[] = [];
    const inFuture: Asked[] = [];
    for (const one of asked) {
      const said = answer.bucketsResp.find(({ bucketId }) => bucketId === one.ref.bucket);
      const offset = said === undefined ? undefined : optionalField(said, "offset");
      if (said !== undefined && said.errorCode === IN_THE_FUTURE) inFuture.push(one);
      else if (said !== undefined && said.errorCode !== 0) {
        const error = this.#error(said.errorCode, said.errorMessage, one.ref);
        if (!error.retriable) throw error;
        this.failure = error;
        open.push(one);
      } else if (offset === undefined) open.push(one);
      else this.found[one.at] = offset;
    }
    return inFuture.length === 0 ? open : [...open, ...await this.#ask(leader, inFuture, "latest")];
  }

  #error(code: number, message: string | undefined, { partition, bucket }: BucketRef): FlussError {
    return serverError(code, message, { doing: this.doing, table: this.#bound.target.name, partition, bucket });
  }
}
