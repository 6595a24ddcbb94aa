/**
 * The detour of a bucket over remote storage: segments that the server has moved there are read, within the same bounds
 * as answers, until the log of the server itself goes on.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { FlussClient } from "../client.ts";
import type { PbRemoteLogFetchInfo } from "../rpc/gen/fluss/v1/log_pb.ts";
import { HeldBytes, releaseOne } from "./held_bytes.ts";
import type { LogCursor } from "./log_cursor.ts";

/** Where the oldest part of a bucket's log is. */
export interface RemoteSegments {
  /** The directory of the bucket in remote storage, as a URI. */
  readonly directory: string;
  /** The segments from the one with the wanted offset on, in order. */
  readonly segments: readonly RemoteSegment[];
  /** The byte of the first segment at which to start. */
  readonly firstPosition: number;
}

/** One file of a log in remote storage. */
export interface RemoteSegment {
  /** The name of its directory. */
  readonly id: string;
  /** Its first offset. */
  readonly startOffset: bigint;
  /** The offset behind its last one. */
  readonly endOffset: bigint;
  /** Its size in bytes. */
  readonly size: number;
}

/**
 * Reads segments: whole log batches, in order, in pieces of up to about {@linkcode PIECE_BYTES}. Batches before `from` may
 * be left out.
 */
export type ReadRemoteLog = (
  client: FlussClient,
  source: { readonly table: string; readonly bucket: number },
  segments: RemoteSegments,
  from: bigint,
  signal: AbortSignal,
) => AsyncGenerator<Uint8Array>;

/** What one piece of a segment may take; room for it is kept before it is read. */
export const PIECE_BYTES: number = 4 << 20;

/** What reads from remote storage report to their reader. */
export interface RemoteReadsOwner {
  /** Bytes that they may hold, all together. */
  readonly remoteShare: number;
  /** Records arrived. */
  remoteArrived(cursor: LogCursor, bytes: number): void;
  /** The segments are read; the log goes on at the server. */
  remoteDone(cursor: LogCursor): void;
  /** The segments could not be read. */
  remoteFailed(cursor: LogCursor, error: unknown): void;
}

/** See the module. */
export class RemoteReads {
  readonly #client: FlussClient;
  readonly #owner: RemoteReadsOwner;
  readonly #read: ReadRemoteLog;
  readonly #running = new Map<LogCursor, AbortController>();
  readonly #held = new HeldBytes(() => this.#wake());
  /** Bytes that are being read. */
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(client: FlussClient, owner: RemoteReadsOwner, read: ReadRemoteLog) {
    this.#client = client;
    this.#owner = owner;
    this.#read = read;
  }

  /** Whether no bucket is being read. */
  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Reads the part of a bucket that is in remote storage. */
  start(cursor: LogCursor, info: PbRemoteLogFetchInfo): void {
    const abort = new AbortController();
    this.#running.set(cursor, abort);
    void this.#run(cursor, segmentsOf(info), abort.signal).then((failure) => {
      // Who stopped it knows.
      if (this.#running.get(cursor) !== abort) return;
      this.#running.delete(cursor);
      if (failure === undefined) this.#owner.remoteDone(cursor);
      else this.#owner.remoteFailed(cursor, failure.error);
    });
  }

  /** Stops reading a bucket. */
  stop(cursor: LogCursor): void {
    this.#running.get(cursor)?.abort();
    this.#running.delete(cursor);
    this.#wake();
  }

  /** Stops reading all of them. */
  close(): void {
    for (const cursor of [...this.#running.keys()]) this.stop(cursor);
  }

  async #run(
    cursor: LogCursor,
    segments: RemoteSegments,
    signal: AbortSignal,
  ): Promise<{ readonly error: unknown } | undefined> {
    const { range: { bucket, partition }, target: { table: { name: table } } } = cursor;
    const start = cursor.position;
    const from = start >= 0n ? start : segments.segments[0]?.startOffset ?? 0n;
    const pieces = this.#read(this.#client, { table, bucket }, segments, from, signal);
    try {
      while (!cursor.fetched) {
        await this.#room(signal);
        if (signal.aborted) return undefined;
        this.#pending += PIECE_BYTES;
        let piece: IteratorResult<Uint8Array, void>;
        try {
          piece = await pieces.next();
        } finally {
          this.#pending -= PIECE_BYTES;
          this.#wake();
        }
        if (signal.aborted) return undefined;
        if (piece.done === true) break;
        this.#take(cursor, piece.value);
      }
    } catch (error) {
      return { error };
    } finally {
      // A reader that fails while it is ended has nothing to say any more.
      await pieces.return(undefined).catch(() => {});
    }
    if (cursor.position !== start || cursor.fetched) return undefined;
    const message =
      `bucket ${bucket}, offset ${start}: it is in none of the ${segments.segments.length} remote segments`;
    return { error: flussError("CODEC.CORRUPT_BATCH", { table, partition, bucket, message }) };
  }

  #take(cursor: LogCursor, bytes: Uint8Array): void {
    const held = this.#held.hold(bytes.buffer.byteLength);
    held.segments++;
    const added = cursor.add(bytes, cursor.plan.whole, undefined, held);
    releaseOne(held);
    if (added === "cut") {
      const { range: { bucket, partition }, target: { table: { name: table } }, position } = cursor;
      const message =
        `bucket ${bucket}, offset ${position}: ${bytes.length} bytes of a remote segment are no log batch`;
      throw flussError("CODEC.CORRUPT_BATCH", { table, partition, bucket, message });
    }
    if (added === "advanced") cursor.attempts = 0;
    this.#owner.remoteArrived(cursor, bytes.length);
  }

  /** Waits until there is room for another piece, in the order of asking. */
  async #room(signal: AbortSignal): Promise<void> {
    while (
      !signal.aborted && !this.#held.hasRoom(this.#pending + PIECE_BYTES, this.#owner.remoteShare, this.#pending)
    ) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function segmentsOf(info: PbRemoteLogFetchInfo): RemoteSegments {
  return {
    directory: info.remoteLogTabletDir,
    segments: info.remoteLogSegments.map((segment) => ({
      id: segment.remoteLogSegmentId,
      startOffset: segment.remoteLogStartOffset,
      endOffset: segment.remoteLogEndOffset,
      size: segment.segmentSizeInBytes,
    })),
    firstPosition: info.firstStartPos,
  };
}
