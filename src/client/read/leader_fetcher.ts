/**
 * Fetches the buckets that one tablet server leads, for one reader: one request at a time, with all of them in it.
 *
 * @module
 */
import { FlussError, flussError } from "../../base/errors.ts";
import { API, loadApi } from "../rpc/api.ts";
import type { RpcConnection, SentRequest } from "../rpc/connection.ts";
import type { PbRemoteLogFetchInfo } from "../rpc/gen/fluss/v1/log_pb.ts";
import { type BucketAnswer, decodeFetch, encodeFetch, type FetchShape } from "./fetch_message.ts";
import { type Held, HeldBytes, releaseOne } from "./held_bytes.ts";
import { bucketKey, type LogCursor } from "./log_cursor.ts";
import type { ReaderLimits } from "./log_reader.ts";
import { EARLIEST } from "./ranges.ts";

/** Why a bucket could not be fetched. */
export interface Refusal {
  /** The code on the wire; undefined when the request failed as a whole. */
  readonly code: number | undefined;
  readonly message: string;
  /** The failure of the request. */
  readonly error: FlussError | undefined;
}

/** What a fetcher reports to its reader. */
export interface FetcherOwner {
  readonly limits: ReaderLimits;
  /** Bytes that the fetchers may hold, each. */
  readonly share: number;
  /** The open connection to the server, or one that is being opened. */
  connection(serverId: number): RpcConnection | Promise<RpcConnection>;
  /** Records arrived, or the bucket's range is over. */
  arrived(cursor: LogCursor): void;
  /** The bucket was refused, in answer to a request of this shape. It is not fetched until it is added again. */
  refused(cursor: LogCursor, refusal: Refusal, shape: FetchShape): void;
  /** The records of the bucket are in remote storage. It is not fetched until it is added again. */
  moved(cursor: LogCursor, info: PbRemoteLogFetchInfo): void;
  /** A request left. */
  sent(): void;
  /** Records arrived, in answer to a request of this shape. */
  received(bytes: number, shape: FetchShape): void;
}

/** The least that a bucket is asked for when many share an answer; most batches are smaller. */
const SHARED_BYTES = 1 << 20;

/** A bucket in the request that is out. */
interface Asked {
  readonly cursor: LogCursor;
  readonly shape: FetchShape;
  readonly maxBytes: number;
}

/** See the module. */
export class LeaderFetcher {
  readonly serverId: number;
  readonly #owner: FetcherOwner;
  /** The buckets, those that were served last at the end. */
  readonly #cursors = new Set<LogCursor>();
  /** Answers that are not delivered in full. */
  readonly #held = new HeldBytes(() => this.schedule());
  #sent: SentRequest | undefined;
  #connecting = false;
  #scheduled = false;
  #closed = false;
  /** The last answer had nothing for anybody: asking again at once would bring nothing either. */
  #idle = false;

  constructor(serverId: number, owner: FetcherOwner) {
    this.serverId = serverId;
    this.#owner = owner;
  }

  /** Whether it has nothing to do. */
  get empty(): boolean {
    return this.#cursors.size === 0;
  }

  /** Takes care of a bucket until it is refused, moved or fetched. */
  add(cursor: LogCursor): void {
    this.#cursors.add(cursor);
    this.schedule();
  }

  /** Lets a bucket go. */
  delete(cursor: LogCursor): void {
    this.#cursors.delete(cursor);
  }

  /** Ends the request that is out. */
  close(): void {
    this.#closed = true;
    this.#sent?.cancel();
    this.#sent = undefined;
    this.#cursors.clear();
  }

  /** Fetches at the end of the tick what may be fetched. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#fetch();
    });
  }

  #fetch(): void {
    if (this.#closed || this.#sent !== undefined || this.#connecting) return;
    for (const cursor of this.#cursors) if (cursor.fetched) this.#cursors.delete(cursor);
    if (this.#cursors.size === 0) return;
    const { share, limits } = this.#owner;
    // Half of it, so that one answer can be on its way while another is delivered.
    const most = Math.max(1, Math.min(limits.fetchMaxBytes, Math.floor(share / 2)));
    const cursors = this.#choose(Math.max(1, Math.floor(most / Math.min(limits.bucketMaxBytes, SHARED_BYTES))));
    const maxBytes = Math.min(most, cursors.length * limits.bucketMaxBytes);
    if (!this.#held.hasRoom(maxBytes, share)) return;
    const connection = API.FETCH_LOG.messages === undefined
      ? loadApi(API.FETCH_LOG).then(() => this.#owner.connection(this.serverId))
      : this.#owner.connection(this.serverId);
    if (connection instanceof Promise) this.#connect(connection);
    else this.#send(connection, cursors, maxBytes);
  }

  #connect(connection: Promise<RpcConnection>): void {
    this.#connecting = true;
    connection.then(() => {
      this.#connecting = false;
      this.schedule();
    }, (error: unknown) => {
      this.#connecting = false;
      if (this.#closed) return;
      const refusal = { code: undefined, message: "", error: asFlussError(error) };
      for (const cursor of [...this.#cursors]) this.#refuse(cursor, refusal, cursor.shape);
    });
  }

  /**
   * The buckets of the next request. Of those that have more than was fetched only as many as one answer has room for:
   * servers fill answers in an order of their own, and would always leave out the same ones.
   */
  #choose(most: number): LogCursor[] {
    const chosen: LogCursor[] = [];
    const keys = new Set<string>();
    let behind = 0;
    for (const cursor of this.#cursors) {
      if (cursor.starved) return [cursor];
      if (!cursor.caughtUp && ++behind > most) continue;
      // A bucket that two ranges read is in one request once.
      if (keys.has(cursor.key)) continue;
      keys.add(cursor.key);
      chosen.push(cursor);
    }
    return chosen;
  }

  #send(connection: RpcConnection, cursors: readonly LogCursor[], maxBytes: number): void {
    const { limits } = this.#owner;
    const behind = cursors.reduce((count, cursor) => cursor.caughtUp ? count : count + 1, 0);
    const bucketBytes = Math.min(limits.bucketMaxBytes, Math.max(1, Math.floor(maxBytes / Math.max(1, behind))));
    const asked = cursors.map((cursor): Asked => ({ cursor, shape: cursor.shape, maxBytes: bucketBytes }));
    const waits = this.#idle || cursors.some((cursor) => cursor.stop === undefined) ||
      cursors.every((cursor) => cursor.caughtUp);
    try {
      const apiVersion = connection.versionOf(API.FETCH_LOG);
      const fetches = asked.map(({ cursor: { position, range }, shape, maxBytes }) => {
        return { shape, partitionId: range.partitionId, bucket: range.bucket, offset: position, maxBytes };
      });
      this.#sent = connection.send({
        apiKey: API.FETCH_LOG.key,
        apiVersion,
        body: encodeFetch(fetches, maxBytes, waits ? limits.maxWaitMs : undefined),
        timeoutMs: limits.requestTimeoutMs + limits.maxWaitMs,
        onAnswer: (body, owned) => this.#answered(asked, decodeFetch(body), owned ? body.buffer.byteLength : undefined),
        onFailure: (error) => this.#failed(asked, error),
      });
      this.#owner.sent();
    } catch (error) {
      this.#failed(asked, asFlussError(error));
    }
  }

  #failed(asked: readonly Asked[], error: FlussError): void {
    this.#sent = undefined;
    for (const { cursor, shape } of asked) this.#refuse(cursor, { code: undefined, message: "", error }, shape);
    this.schedule();
  }

  #refuse(cursor: LogCursor, refusal: Refusal, shape: FetchShape): void {
    this.#cursors.delete(cursor);
    if (!cursor.over) this.#owner.refused(cursor, refusal, shape);
  }

  /** @param frameBytes the size of the memory that the answers are views of, if it may be kept */
  #answered(asked: readonly Asked[], answers: readonly BucketAnswer[], frameBytes: number | undefined): void {
    this.#sent = undefined;
    const byKey = new Map(answers.map((answer) => {
      return [bucketKey(answer.tableId, answer.partitionId, answer.bucket), answer];
    }));
    const frame = frameBytes === undefined ? undefined : this.#held.hold(frameBytes);
    // Until all buckets have taken what is theirs.
    if (frame !== undefined) frame.segments++;
    const alone = asked.length === 1;
    this.#idle = true;
    for (const { cursor, shape } of asked) {
      const answer = byKey.get(cursor.key);
      if (answer === undefined || answer.errorCode !== 0) {
        const refusal = answer === undefined
          ? { code: undefined, message: "", error: incomplete(cursor) }
          : { code: answer.errorCode, message: answer.errorMessage, error: undefined };
        this.#refuse(cursor, refusal, shape);
        continue;
      }
      if (cursor.over) continue;
      if (answer.highWatermark !== undefined) cursor.highWatermark = answer.highWatermark;
      // Nothing was there to be sent, which is no lack of room: the bucket waits together with the others.
      if (cursor.position === EARLIEST && isEmpty(answer)) cursor.position = answer.highWatermark!;
      if (answer.remote !== undefined) {
        this.#cursors.delete(cursor);
        this.#idle = false;
        this.#owner.moved(cursor, answer.remote);
        continue;
      }
      this.#take(cursor, shape, answer, frame, alone);
    }
    if (frame !== undefined) releaseOne(frame);
    this.schedule();
  }

  #take(cursor: LogCursor, shape: FetchShape, answer: BucketAnswer, frame: Held | undefined, alone: boolean): void {
    const { records, filteredEndOffset } = answer;
    this.#owner.received(records.length, shape);
    const bytes = frame === undefined ? records.slice() : records;
    const held = frame ?? this.#held.hold(bytes.length);
    held.segments++;
    const added = cursor.add(bytes, shape, filteredEndOffset, held);
    releaseOne(held);
    if (added === "cut" && alone) {
      const { table } = cursor.target;
      cursor.failure = flussError("CODEC.CORRUPT_BATCH", {
        table: table.name,
        partition: cursor.range.partition,
        bucket: cursor.range.bucket,
        message: `bucket ${cursor.range.bucket}, offset ${cursor.position}: the server sent ${records.length} bytes, ` +
          "which are no whole log batch",
      });
    }
    if (added === "advanced") {
      cursor.starved = false;
      cursor.attempts = 0;
      this.#idle = false;
      // To the end of the line: the others come first when there is not room for all.
      this.#cursors.delete(cursor);
      this.#cursors.add(cursor);
    } else cursor.starved = !alone && !cursor.caughtUp;
    this.#owner.arrived(cursor);
  }
}

/** Whether the log of the bucket has no record that may be read. */
function isEmpty({ highWatermark, logStartOffset = 0n, records, remote }: BucketAnswer): boolean {
  return highWatermark !== undefined && highWatermark <= logStartOffset && records.length === 0 && remote === undefined;
}

function incomplete(cursor: LogCursor): FlussError {
  return flussError("CONNECTION.PROTOCOL", {
    table: cursor.target.table.name,
    bucket: cursor.range.bucket,
    message: "the server's answer to a fetch leaves the bucket out",
    retriable: true,
  });
}

function asFlussError(error: unknown): FlussError {
  if (FlussError.is(error)) return error;
  const said = error instanceof Error ? error.message : String(error);
  return flussError("CONNECTION.PROTOCOL", { message: `a fetch could not be made or read: ${said}`, cause: error });
}
