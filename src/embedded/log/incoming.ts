/**
 * The batches that a client sends, checked as servers check them: sizes and checksums, but not the records
 * (Fluss: LogTablet.java analyzeAndValidateRecords, MemorySegmentLogInputStream.java).
 *
 * @module
 */
import { int32At } from "../../format/byte_reader.ts";
import { checkCrc, LOG_BATCH_HEADER_BYTES, type LogBatch, logBatchAt } from "../../format/log_batch.ts";
import { bucketText } from "../bucket_text.ts";
import { fault } from "../fault.ts";
import type { BucketId } from "../storage/storage.ts";

/** One batch as it came. */
export interface IncomingBatch {
  /** The whole batch. */
  readonly bytes: Uint8Array;
  readonly writerId: bigint;
  readonly sequence: number;
  /** The last offset that it takes, counted from the first. */
  readonly lastOffsetDelta: number;
}

/** The places in a header of what is needed before the rest of it can be believed. */
const LENGTH = 8;
const MAGIC = 12;
const TIMESTAMP = 13;
const CRC = 21;
/** The bytes that the length does not count. */
const UNCOUNTED = 12;
/** The newest header has four bytes more before its checksum. */
const NEWEST_MAGIC = 2;

/**
 * The batches in `records`. What is left behind the last whole one is nothing.
 *
 * @throws {ServerFault} 14 when a batch is damaged, -1 for a header that is newer than the server
 */
export function splitBatches(records: Uint8Array, bucket: BucketId): IncomingBatch[] {
  const batches: IncomingBatch[] = [];
  for (let at = 0; records.length - at >= LOG_BATCH_HEADER_BYTES;) {
    const size = int32At(records, at + LENGTH) + UNCOUNTED;
    if (size > records.length - at) break;
    // Offset and time are the server's: whatever a client has put there means nothing.
    records.fill(0, at, at + 8).fill(0, at + TIMESTAMP, at + CRC);
    const { writerId, sequence, lastOffset } = checkedBatch(records, at, bucket);
    batches.push({ bytes: records.subarray(at, at + size), writerId, sequence, lastOffsetDelta: Number(lastOffset) });
    at += size;
  }
  return batches;
}

function checkedBatch(records: Uint8Array, at: number, bucket: BucketId): LogBatch {
  const magic = records[at + MAGIC]!;
  if (magic > NEWEST_MAGIC) throw fault("SERVER.UNKNOWN_SERVER_ERROR", `Unsupported magic value ${magic}`);
  try {
    const batch = logBatchAt(records, at)!;
    checkCrc(batch);
    return batch;
  } catch {
    const crc = int32At(records, at + (magic === NEWEST_MAGIC ? CRC + 4 : CRC)) >>> 0;
    throw fault(
      "SERVER.CORRUPT_RECORD_EXCEPTION",
      `Record is corrupt (stored crc = ${crc}) in table bucket ${bucketText(bucket)}`,
    );
  }
}
