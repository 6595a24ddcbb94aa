/**
 * Reads the segments of a log that a server has moved to remote storage: in order, in pieces, without a gap.
 *
 * @module
 */
import { flussError } from "../../../base/errors.ts";
import { logBatchAt, logBatchSize } from "../../../format/log_batch.ts";
import type { FlussClient } from "../../client.ts";
import { PIECE_BYTES, type RemoteSegment, type RemoteSegments } from "../remote_reads.ts";
import { openLocal } from "./local.ts";
import { remoteFile } from "./remote_file.ts";
import { isS3 } from "./s3_place.ts";

/** A file in remote storage that is being read. */
export interface OpenFile {
  /** Its size in bytes. */
  readonly size: number;
  /**
   * Fills `into` with the bytes from `position` on.
   *
   * @returns how many there were; fewer than asked for at the end of the file alone
   */
  read(into: Uint8Array, position: number, signal: AbortSignal): Promise<number>;
  /** Lets the file go. */
  close(): Promise<void>;
}

/** Whose segments are read, for errors. */
export interface Place {
  /** As `database.table`. */
  readonly table: string;
  /** The bucket. */
  readonly bucket: number;
}

/** The largest batch that is read: what a server would take as a request. */
const MAX_BATCH_BYTES = 256 << 20;

/**
 * Reads segments in pieces of whole log batches. Batches that end before `from` are left out.
 *
 * @param from the first offset that is wanted
 * @throws FlussUsageError `REMOTE.NOT_ALLOWED`, `REMOTE.NOT_SUPPORTED`
 * @throws FlussConnectionError `REMOTE.UNAVAILABLE`; retriable where the segment has been removed meanwhile
 * @throws FlussCodecError `CODEC.CORRUPT_BATCH` when a segment is not what the server said
 */
export async function* readRemoteLog(
  client: FlussClient,
  place: Place,
  { directory, segments, firstPosition }: RemoteSegments,
  from: bigint,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const next = { offset: from };
  for (const [i, segment] of segments.entries()) {
    if (segment.endOffset <= from) continue;
    const file = await openFile(client, place, directory, segment, signal);
    try {
      if (file.size !== segment.size) {
        throw corrupt(place, segment, `has ${file.size} bytes, and the server said ${segment.size}`);
      }
      yield* readSegment(place, segment, file, i === 0 ? firstPosition : 0, next, signal);
    } finally {
      await file.close();
    }
  }
}

async function openFile(
  client: FlussClient,
  place: Place,
  directory: string,
  segment: RemoteSegment,
  signal: AbortSignal,
): Promise<OpenFile> {
  const file = remoteFile(place, directory, segment);
  if (!isS3(file.root)) return await openLocal(client, place, file, signal);
  // What signs requests is loaded by those who need it.
  const { openS3 } = await import("./s3.ts");
  signal.throwIfAborted();
  return openS3(client, place, file, segment.size);
}

async function* readSegment(
  place: Place,
  segment: RemoteSegment,
  file: OpenFile,
  start: number,
  next: { offset: bigint },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let position = start;
  let want = PIECE_BYTES;
  while (position < file.size) {
    // A piece of its own each time: what is made of it may be views.
    const piece = new Uint8Array(Math.min(want, file.size - position));
    const read = await file.read(piece, position, signal);
    signal.throwIfAborted();
    if (read < piece.length) throw corrupt(place, segment, `ends at byte ${position + read} of ${file.size}`);
    const { begin, end, need } = wholeBatches(place, segment, piece, next);
    if (end === 0) {
      if (need > MAX_BATCH_BYTES || need > file.size - position) {
        throw corrupt(place, segment, `claims a batch of ${need} bytes at byte ${position} of ${file.size}`);
      }
      want = need;
      continue;
    }
    want = PIECE_BYTES;
    position += end;
    if (begin < end) yield piece.subarray(begin, end);
  }
}

/** The batches of a piece that are whole, from the first one that is wanted on; or what the first one needs. */
function wholeBatches(
  place: Place,
  segment: RemoteSegment,
  piece: Uint8Array,
  next: { offset: bigint },
): { readonly begin: number; readonly end: number; readonly need: number } {
  let begin = -1;
  let at = 0;
  while (true) {
    const size = logBatchSize(piece, at);
    // The header itself may be cut; one more piece has it.
    const need = size ?? piece.length - at + PIECE_BYTES;
    if (size === undefined || size > piece.length - at) return { begin: begin < 0 ? at : begin, end: at, need };
    const batch = logBatchAt(piece, at)!;
    if (batch.nextOffset > next.offset) {
      if (batch.baseOffset > next.offset) {
        throw corrupt(place, segment, `goes on at offset ${batch.baseOffset}, and ${next.offset} is next`);
      }
      if (begin < 0) begin = at;
      next.offset = batch.nextOffset;
    }
    at += size;
    if (at === piece.length) return { begin: begin < 0 ? at : begin, end: at, need: 0 };
  }
}

function corrupt({ table, bucket }: Place, { id, startOffset }: RemoteSegment, what: string): Error {
  return flussError("CODEC.CORRUPT_BATCH", {
    table,
    bucket,
    message: `bucket ${bucket}: the remote segment ${id} from offset ${startOffset} on ${what}`,
  });
}
