/**
 * Reads the logs of buckets, of one table or several: a fetch on its way per leader, a bound on what is held ahead of the
 * caller, decoding in the caller's own turn.
 *
 * @module
 */
import { FlussError, isStaleMetadata, serverError } from "../../base/errors.ts";
import { backOffMs } from "../../base/wait.ts";
import type { FlussClient } from "../client.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import type { PbRemoteLogFetchInfo } from "../rpc/gen/fluss/v1/log_pb.ts";
import type { FetchShape } from "./fetch_message.ts";
import { type FetcherOwner, LeaderFetcher, type Refusal } from "./leader_fetcher.ts";
import { type BucketRange, type LogChunk, LogCursor } from "./log_cursor.ts";
import { type LogSource, SourcePlan } from "./log_source.ts";
import { fetchOffsets } from "./offsets.ts";
import { EARLIEST, outOfRange } from "./ranges.ts";
import { readRemoteLog } from "./remote/remote_log.ts";
import { type ReadRemoteLog, RemoteReads, type RemoteReadsOwner } from "./remote_reads.ts";

export type { BucketRange, LogChunk, LogSource };

/** The bounds of a reader. */
export interface ReaderLimits {
  /** Bytes of one answer. */
  readonly fetchMaxBytes: number;
  /** Bytes of one bucket in one answer. */
  readonly bucketMaxBytes: number;
  /** How long a server waits for the first record. */
  readonly maxWaitMs: number;
  /** Bytes that are held ahead of the caller. */
  readonly aheadBytes: number;
  /** How long an answer may take besides. */
  readonly requestTimeoutMs: number;
}

/** What a reader can be told; what is absent is as the client's `scanner` options say. */
export interface LogReaderOptions extends Partial<ReaderLimits> {
  /** Whether checksums are checked where batches have one that fits. */
  readonly checkCrc?: boolean | undefined;
  /** Closes the reader, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether `next()` waits for `add()` when no range is left, instead of ending. Default false. */
  readonly keepOpen?: boolean;
  /** Told of a range whose partition was dropped, once all that was fetched of it has been delivered. */
  readonly onGone?: (range: BucketRange) => void;
  /** Reads what servers have moved to remote storage. Default: {@linkcode readRemoteLog}. */
  readonly readRemote?: ReadRemoteLog | undefined;
}

/** What a reader has done. */
export interface ReaderStats {
  /** Fetch requests that were sent. */
  requests: number;
  /** Bytes of log batches that servers sent. */
  bytes: number;
  /** How many of them were in answers to requests for some of the columns. */
  projectedBytes: number;
  /** Bytes of log batches that came from remote storage. */
  remoteBytes: number;
}

/** Failures without a code of their own that a bucket may have in a row before they count. */
const UNKNOWN_ERRORS = 5;
/** How often segments are asked for again that could not be read, without any of them having been. */
const REMOTE_ATTEMPTS = 8;
const OUT_OF_RANGE = 19;
const INVALID_PROJECTION = 34;
const UNKNOWN_SERVER_ERROR = -1;
const FENCED_LEADER_EPOCH = 24;
/** Retriable for others, but a log that is corrupt stays so (Fluss: AbstractLogFetchCollector.java). */
const CORRUPT: readonly number[] = [3, 14];

/** See the module. One caller at a time. */
export class LogReader implements FetcherOwner, RemoteReadsOwner {
  readonly limits: ReaderLimits;
  readonly stats: ReaderStats = { requests: 0, bytes: 0, projectedBytes: 0, remoteBytes: 0 };
  readonly #client: FlussClient;
  readonly #options: LogReaderOptions;
  readonly #checkCrc: boolean;
  readonly #plans = new Map<LogSource, SourcePlan>();
  readonly #cursors = new Set<LogCursor>();
  readonly #gone = new Set<LogCursor>();
  readonly #fetchers = new Map<number, LeaderFetcher>();
  #remote: RemoteReads | undefined;
  /** Buckets that have something to deliver, each once; they take turns. */
  #ready: LogCursor[] = [];
  #waiting: PromiseWithResolvers<void> | undefined;
  /** Ends everything that waits. */
  readonly #closing = new AbortController();
  /** What the next call throws, once. */
  #failure: { readonly error: unknown } | undefined;
  readonly #onAbort = (): void => this.close(this.#options.signal!.reason);

  constructor(client: FlussClient, options: LogReaderOptions = {}) {
    const { scanner, requestTimeoutMs } = client.options;
    this.#client = client;
    this.#options = options;
    this.limits = {
      fetchMaxBytes: options.fetchMaxBytes ?? scanner.fetchMaxBytes,
      bucketMaxBytes: options.bucketMaxBytes ?? scanner.bucketMaxBytes,
      maxWaitMs: options.maxWaitMs ?? scanner.maxWaitMs,
      aheadBytes: options.aheadBytes ?? scanner.aheadBytes,
      requestTimeoutMs: options.requestTimeoutMs ?? requestTimeoutMs,
    };
    this.#checkCrc = options.checkCrc ?? scanner.checkCrc;
    client.readers.add(this);
    const { signal } = options;
    if (signal?.aborted === true) this.close(signal.reason);
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (client.closedError !== undefined) this.close(client.closedError);
  }

  /** Whether the reader was closed, by the caller, by the signal or by a failure. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** The names of the tables whose logs are read. */
  get tables(): readonly string[] {
    return [...new Set([...this.#plans.keys()].map(({ bound }) => bound.target.name))];
  }

  /** Begins to read a range. */
  add(range: BucketRange): void {
    if (this.closed) return;
    const { source, start, stop } = range;
    if (stop !== undefined && (start >= stop || stop === 0n)) return this.#wake();
    let plan = this.#plans.get(source);
    if (plan === undefined) this.#plans.set(source, plan = new SourcePlan(source));
    const cursor = new LogCursor(range, plan, this.#client.schemas, this.#checkCrc);
    this.#cursors.add(cursor);
    this.#route(cursor);
  }

  /** Stops reading the buckets of a partition (of the table, where it is not partitioned), and lets go what is held of them. */
  remove(source: LogSource, partition?: string): void {
    for (const cursor of [...this.#cursors]) {
      if (cursor.range.source === source && cursor.range.partition === partition) this.#forget(cursor);
    }
    this.#wake();
  }

  /**
   * The next rows of some bucket; undefined when all ranges are read, or the reader was closed.
   *
   * @throws what ended a range before its end, once, and closes the reader; the reason of `close(reason)` or the signal
   */
  async next(): Promise<LogChunk | undefined> {
    while (true) {
      const chunk = this.tryNext();
      if (chunk !== undefined) return chunk;
      if (this.closed || (this.#cursors.size === 0 && this.#options.keepOpen !== true)) return undefined;
      await (this.#waiting ??= Promise.withResolvers<void>()).promise;
    }
  }

  /**
   * What {@linkcode next} would give without waiting; undefined when there is nothing at the moment.
   *
   * @throws as {@linkcode next}
   */
  tryNext(): LogChunk | undefined {
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined;
      throw error;
    }
    let cursor: LogCursor | undefined;
    while ((cursor = this.#ready.shift()) !== undefined) {
      cursor.queued = false;
      let chunk: LogChunk | undefined;
      try {
        chunk = cursor.take();
      } catch (error) {
        this.close();
        throw error;
      }
      if (cursor.over) this.#finish(cursor);
      else if (cursor.missingSchema !== undefined) this.#askSchema(cursor, cursor.missingSchema);
      else this.#enqueue(cursor);
      if (chunk !== undefined) return chunk;
    }
    return undefined;
  }

  /** Rows that are in the logs and were not delivered yet, as far as answers have told. */
  lag(): bigint {
    let lag = 0n;
    for (const cursor of this.#cursors) lag += cursor.lag;
    return lag;
  }

  /**
   * Ends requests and waits, and lets everything go that is held.
   *
   * @param reason what a call that waits, or the next call, throws; without it they end with undefined
   */
  close(reason?: unknown): void {
    if (this.closed) return;
    this.#closing.abort(reason);
    this.#client.readers.delete(this);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    for (const fetcher of this.#fetchers.values()) fetcher.close();
    this.#fetchers.clear();
    this.#remote?.close();
    for (const cursor of this.#cursors) cursor.end();
    this.#cursors.clear();
    this.#gone.clear();
    this.#ready = [];
    if (reason !== undefined) this.#failure = { error: reason };
    this.#wake();
  }

  // What fetchers need of their reader.

  get share(): number {
    const remote = this.#remote === undefined || this.#remote.idle ? 0 : 1;
    return this.limits.aheadBytes / Math.max(1, this.#fetchers.size + remote);
  }

  get remoteShare(): number {
    return this.share;
  }

  connection(serverId: number): RpcConnection | Promise<RpcConnection> {
    const { cluster } = this.#client;
    return cluster.current(serverId) ??
      cluster.connect(serverId, cluster.deadline({ signal: this.#closing.signal }));
  }

  sent(): void {
    this.stats.requests++;
  }

  received(bytes: number, shape: FetchShape): void {
    this.stats.bytes += bytes;
    if (shape.projection !== undefined) this.stats.projectedBytes += bytes;
  }

  arrived(cursor: LogCursor): void {
    if (cursor.fetched) this.#leave(cursor);
    this.#enqueue(cursor);
    if (!cursor.queued && cursor.position === EARLIEST && cursor.stop !== undefined) this.#findStart(cursor);
  }

  moved(cursor: LogCursor, info: PbRemoteLogFetchInfo): void {
    this.#leave(cursor);
    this.#remote ??= new RemoteReads(this.#client, this, this.#options.readRemote ?? readRemoteLog);
    this.#remote.start(cursor, info);
  }

  remoteArrived(cursor: LogCursor, bytes: number): void {
    this.stats.remoteBytes += bytes;
    this.#enqueue(cursor);
  }

  remoteDone(cursor: LogCursor): void {
    if (cursor.fetched) this.#enqueue(cursor);
    else this.#route(cursor);
  }

  remoteFailed(cursor: LogCursor, error: unknown): void {
    // Asked again, the server knows better what is there, or that the records have expired; if it does not, who reads
    // must be told.
    if (FlussError.is(error) && error.retriable && cursor.attempts < REMOTE_ATTEMPTS) this.#recover(cursor, error);
    else this.#fail(cursor, error);
  }

  refused(cursor: LogCursor, refusal: Refusal, shape: FetchShape): void {
    const { code } = refusal;
    if (code === INVALID_PROJECTION && shape.projection !== undefined) {
      // A batch is older than a wanted column. Whole records are fetched until such batches are behind.
      cursor.unprojected = true;
      this.#route(cursor);
      return;
    }
    const error = refusal.error ?? this.#bucketError(cursor, code!, refusal.message);
    if (code === OUT_OF_RANGE) this.#tellEnds(cursor, error);
    else if (mayPass(cursor, error, code)) this.#recover(cursor, error);
    else this.#fail(cursor, error);
  }

  /** Hands a bucket to the fetcher of its leader, or looks for the leader. */
  #route(cursor: LogCursor): void {
    const known = this.#client.cluster.metadata.leaders(cursor.target.key);
    const { tableId } = cursor.target.table;
    const { partitionId, bucket } = cursor.range;
    const leader = known?.tableId === tableId && known.partitionId === partitionId ? known.leaders[bucket] ?? -1 : -1;
    if (leader < 0) this.#recover(cursor, undefined);
    else {
      let fetcher = this.#fetchers.get(leader);
      if (fetcher === undefined) this.#fetchers.set(leader, fetcher = new LeaderFetcher(leader, this));
      fetcher.add(cursor);
    }
  }

  /** Fetches a bucket again once its leader is known, and some time has passed since the failure. */
  #recover(cursor: LogCursor, error: FlussError | undefined): void {
    this.#leave(cursor);
    if (error !== undefined) cursor.attempts++;
    this.#findLeader(cursor, error).then((found) => {
      if (cursor.over) return;
      if (found) this.#route(cursor);
      else this.#partitionGone(cursor);
    }, (failure: unknown) => {
      if (cursor.over) return;
      if (FlussError.is(failure) && failure.retriable) this.#recover(cursor, failure);
      else this.#fail(cursor, failure);
    });
  }

  /** @returns false when the partition is gone */
  async #findLeader(cursor: LogCursor, error: FlussError | undefined): Promise<boolean> {
    const { cluster } = this.#client;
    const { target, range: { partitionId, bucket } } = cursor;
    const { name } = target.table;
    const doing = `reading the log of ${name}`;
    const deadline = cluster.deadline({ signal: this.#closing.signal });
    if (cursor.attempts > 0) await deadline.pause(backOffMs(cursor.attempts), doing, error);
    const known = cluster.metadata.leaders(target.key);
    const fresh = known !== undefined && known.tableId === target.table.tableId && (known.leaders[bucket] ?? -1) >= 0;
    if (fresh && error !== undefined && !needsLeader(error)) return true;
    const found = await cluster.refresh(target.physical, deadline);
    if (found === undefined && target.physical.partition !== undefined) return false;
    if (found === undefined || found.tableId !== target.table.tableId) {
      target.table.gone();
      throw serverError(7, found === undefined ? undefined : "the table was dropped and created again", {
        doing,
        table: name,
      });
    }
    if (found.partitionId !== partitionId) return false;
    if ((found.leaders[bucket] ?? -1) < 0) throw serverError(44, undefined, { doing, table: name, bucket });
    return true;
  }

  /** What was fetched of a dropped partition is delivered; then its range ends. */
  #partitionGone(cursor: LogCursor): void {
    this.#gone.add(cursor);
    cursor.stop = cursor.position < 0n ? 0n : cursor.position;
    cursor.position = cursor.stop;
    this.#enqueue(cursor);
  }

  /** A bounded range that starts at the earliest record, wherever that is, may start behind its end. */
  #findStart(cursor: LogCursor): void {
    this.#leave(cursor);
    this.#offset(cursor, "earliest").then((earliest) => {
      if (cursor.over) return;
      cursor.position = earliest;
      if (cursor.fetched) this.#enqueue(cursor);
      else this.#route(cursor);
    }, (error: unknown) => this.#fail(cursor, error));
  }

  /** The server says only that it does not have the offset: it is asked which ones it has. */
  #tellEnds(cursor: LogCursor, error: FlussError): void {
    const { range, target: { table }, position } = cursor;
    Promise.all([this.#offset(cursor, "earliest"), this.#offset(cursor, "latest")]).then(
      ([earliest, latest]) => this.#fail(cursor, outOfRange(table.name, range, position, { earliest, latest }, error)),
      () => this.#fail(cursor, outOfRange(table.name, range, position, {}, error)),
    );
  }

  async #offset({ range }: LogCursor, question: "earliest" | "latest"): Promise<bigint> {
    const deadline = this.#client.cluster.deadline({ signal: this.#closing.signal });
    return (await fetchOffsets(this.#client, range.source.bound, [range], question, deadline))[0]!;
  }

  #askSchema(cursor: LogCursor, schemaId: number, attempt = 1): void {
    const { cluster, schemas } = this.#client;
    const { path, tableId } = cursor.target.table;
    const deadline = cluster.deadline({ signal: this.#closing.signal });
    schemas.fetch(path, tableId, schemaId, deadline).then(() => {
      cursor.missingSchema = undefined;
      this.#enqueue(cursor);
    }, async (error: unknown) => {
      if (cursor.over) return;
      if (FlussError.is(error) && error.retriable) {
        await deadline.pause(backOffMs(attempt), "asking for a schema", error).catch(() => {});
        if (!cursor.over) this.#askSchema(cursor, schemaId, attempt + 1);
        return;
      }
      this.close(error);
    });
  }

  #bucketError({ range, target }: LogCursor, code: number, message: string): FlussError {
    const { partition, bucket } = range;
    return serverError(code, message, { doing: "reading the log", table: target.table.name, partition, bucket });
  }

  /** Ends a range with an error, which is thrown when everything before it was delivered. */
  #fail(cursor: LogCursor, error: unknown): void {
    if (cursor.over) return;
    cursor.failure ??= error;
    this.#leave(cursor);
    this.#enqueue(cursor);
  }

  #enqueue(cursor: LogCursor): void {
    if (cursor.queued || !cursor.ready) return;
    cursor.queued = true;
    this.#ready.push(cursor);
    this.#wake();
  }

  #finish(cursor: LogCursor): void {
    const gone = this.#gone.has(cursor);
    this.#forget(cursor);
    if (gone) this.#options.onGone?.(cursor.range);
  }

  #forget(cursor: LogCursor): void {
    cursor.end();
    this.#remote?.stop(cursor);
    this.#leave(cursor);
    this.#cursors.delete(cursor);
    this.#gone.delete(cursor);
  }

  /** Takes a bucket away from its fetcher; one without buckets has no share of what may be held. */
  #leave(cursor: LogCursor): void {
    for (const [serverId, fetcher] of this.#fetchers) {
      fetcher.delete(cursor);
      if (!fetcher.empty) continue;
      fetcher.close();
      this.#fetchers.delete(serverId);
    }
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

/** Whether an error of a bucket may be gone when it is asked again. */
function mayPass(cursor: LogCursor, error: FlussError, code: number | undefined): boolean {
  if (code === UNKNOWN_SERVER_ERROR) return cursor.attempts < UNKNOWN_ERRORS;
  if (code !== undefined && CORRUPT.includes(code)) return false;
  return error.retriable || code === FENCED_LEADER_EPOCH;
}

function needsLeader(error: FlussError): boolean {
  return isStaleMetadata(error) || FlussError.is(error, "SERVER.FENCED_LEADER_EPOCH_EXCEPTION");
}
