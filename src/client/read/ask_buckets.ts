/**
 * Questions about many buckets at once: one request per leader and partition, until each bucket has answered.
 *
 * @module
 */
import { FlussError, serverError } from "../../base/errors.ts";
import { backOffMs, type CallOptions, type Deadline } from "../../base/wait.ts";
import type { FlussClient } from "../client.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import type { PartitionTarget, TableTarget } from "../table/target.ts";
import type { BucketRef } from "./ranges.ts";

/** A table that was found on the cluster. */
export interface LocatedTable {
  readonly target: TableTarget;
  /** The target of one partition; without a name, of the table itself. */
  readonly partition: (name: string | undefined) => PartitionTarget;
}

/** What a leader said of one bucket. */
export interface BucketAnswer<T> {
  readonly bucketId: number;
  /** 0 for an answer. */
  readonly errorCode: number;
  readonly errorMessage: string;
  /** Undefined where the leader left it out, which is asked for again. */
  readonly value: T | undefined;
}

/** The buckets of one table or partition that one leader is asked about. */
export interface BucketGroup {
  readonly tableId: bigint;
  readonly partitionId: bigint | undefined;
  readonly buckets: readonly number[];
}

/** See the module. */
export interface BucketQuestion<T> {
  /** For messages: `asking for the offsets`. */
  readonly doing: string;
  /** Asks one leader. */
  readonly ask: (
    connection: RpcConnection,
    group: BucketGroup,
    options: CallOptions,
  ) => Promise<readonly BucketAnswer<T>[]>;
}

interface Asked {
  readonly ref: BucketRef;
  /** Its place in the result. */
  readonly at: number;
}

/**
 * Asks about buckets. Errors that may pass are asked away until the deadline.
 *
 * @returns one value per bucket, in their order
 * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, `SERVER.PARTITION_NOT_EXISTS`, ...; `TIMEOUT.REQUEST`
 */
export async function askBuckets<T>(
  client: FlussClient,
  table: LocatedTable,
  buckets: readonly BucketRef[],
  question: BucketQuestion<T>,
  deadline: Deadline,
): Promise<T[]> {
  const search = new Search(client, table, question, deadline, buckets.length);
  let open: readonly Asked[] = buckets.map((ref, at) => ({ ref, at }));
  for (let attempt = 1; open.length > 0; attempt++) {
    open = await search.round(open, attempt > 1);
    if (open.length > 0) await deadline.pause(backOffMs(attempt), search.doing, search.failure);
  }
  return search.found;
}

class Search<T> {
  readonly found: T[];
  readonly doing: string;
  /** Why the last round left buckets open. */
  failure: FlussError | undefined;
  readonly #client: FlussClient;
  readonly #table: LocatedTable;
  readonly #question: BucketQuestion<T>;
  readonly #deadline: Deadline;

  constructor(
    client: FlussClient,
    table: LocatedTable,
    question: BucketQuestion<T>,
    deadline: Deadline,
    count: number,
  ) {
    this.#client = client;
    this.#table = table;
    this.#question = question;
    this.#deadline = deadline;
    this.found = new Array(count);
    this.doing = `${question.doing} of ${table.target.name}`;
  }

  /** Asks once for each bucket; returns those that are worth another try. */
  async round(asked: readonly Asked[], refresh: boolean): Promise<Asked[]> {
    const partitions = [...Map.groupBy(asked, ({ ref }) => ref.partition).values()];
    return (await Promise.all(
      partitions.map((asked) => this.#orAgain(asked, () => this.#askPartition(asked, refresh))),
    )).flat();
  }

  async #askPartition(asked: readonly Asked[], refresh: boolean): Promise<readonly Asked[]> {
    const { cluster } = this.#client;
    const { target } = this.#table;
    const { partition, partitionId } = asked[0]!.ref;
    const { physical } = this.#table.partition(partition);
    let known = await (refresh ? cluster.refresh(physical, this.#deadline) : cluster.leaders(physical, this.#deadline));
    // What the connection knows may be older than the handle: then the handle has the new table.
    if (!refresh && known !== undefined && known.tableId !== target.tableId) {
      known = await cluster.refresh(physical, this.#deadline);
    }
    if (known === undefined || (known.tableId === target.tableId && known.partitionId !== partitionId)) {
      throw this.#error(partition === undefined ? 7 : 36, undefined, asked[0]!.ref);
    }
    if (known.tableId < target.tableId) {
      // For a moment, what is known of the leaders, here or by the servers, is of the table that had the name before.
      this.failure = this.#error(7, "the servers still lead to the table that had this name before", asked[0]!.ref);
      return asked;
    }
    if (known.tableId !== target.tableId) {
      target.gone();
      throw this.#error(7, "the table was dropped and created again", asked[0]!.ref);
    }
    const { leaders: all } = known;
    const leaders = [...Map.groupBy(asked, ({ ref }) => all[ref.bucket] ?? -1)];
    return (await Promise.all(
      leaders.map(([leader, asked]) => this.#orAgain(asked, () => this.#askLeader(leader, asked))),
    )).flat();
  }

  /** The buckets that are open after `ask`: all of them, where it ends with an error that may pass. */
  async #orAgain(asked: readonly Asked[], ask: () => Promise<readonly Asked[]>): Promise<readonly Asked[]> {
    try {
      return await ask();
    } catch (error) {
      if (!FlussError.is(error) || !error.retriable) throw error;
      this.failure = error;
      return asked;
    }
  }

  async #askLeader(leader: number, asked: readonly Asked[]): Promise<readonly Asked[]> {
    if (leader < 0) throw this.#error(44, undefined, asked[0]!.ref);
    const connection = await this.#client.cluster.connect(leader, this.#deadline);
    const group = {
      tableId: this.#table.target.tableId,
      partitionId: asked[0]!.ref.partitionId,
      buckets: asked.map(({ ref }) => ref.bucket),
    };
    const answers = await this.#question.ask(connection, group, this.#deadline.options);
    const open: Asked[] = [];
    for (const one of asked) {
      const said = answers.find(({ bucketId }) => bucketId === one.ref.bucket);
      if (said !== undefined && said.errorCode !== 0) {
        const error = this.#error(said.errorCode, said.errorMessage, one.ref);
        if (!error.retriable) throw error;
        this.failure = error;
        open.push(one);
      } else if (said?.value === undefined) open.push(one);
      else this.found[one.at] = said.value;
    }
    return open;
  }

  #error(code: number, message: string | undefined, { partition, bucket }: BucketRef): FlussError {
    return serverError(code, message, { doing: this.doing, table: this.#table.target.name, partition, bucket });
  }
}
