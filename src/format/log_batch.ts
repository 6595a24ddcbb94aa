/**
 * Headers of log batches: where a batch ends, which offsets it has, who wrote it (Fluss: LogRecordBatchFormat.java,
 * DefaultLogRecordBatch.java). Records of a bucket, from a fetch or from a tiered segment, are batches one after the other.
 *
 * @module
 */
import { int16At, int32At, int64At } from "./byte_reader.ts";
import { corrupt } from "./corrupt.ts";
import { crc32c } from "./crc32c.ts";

/** One batch within bytes that hold many. Its header has been checked, its checksum has not. */
export interface LogBatch {
  /** The bytes that hold it; not owned. */
  readonly bytes: Uint8Array;
  /** Where it starts in `bytes`. */
  readonly start: number;
  /** Where the next one starts. */
  readonly end: number;
  /** The version of the header: 0, 1 (0 with statistics) or 2 (1 with the leader's epoch). */
  readonly magic: number;
  /** The offset of the first record. */
  readonly baseOffset: bigint;
  /** The last offset that the batch takes; an empty batch takes one, too. */
  readonly lastOffset: bigint;
  /** The offset after the batch: where to go on. */
  readonly nextOffset: bigint;
  /** When the server committed it, in milliseconds since 1970; never falls within a bucket. */
  readonly timestamp: number;
  /** The schema that its rows were written with. */
  readonly schemaId: number;
  /** Whether every record is an append; otherwise each has a change type of its own. */
  readonly appendOnly: boolean;
  /** How many records there are; 0 in a change log where a write changed nothing. */
  readonly recordCount: number;
  /** The idempotent writer, or -1. */
  readonly writerId: bigint;
  /** The writer's number of the batch, or -1. */
  readonly sequence: number;
  /** Where the records start in `bytes`, behind header and statistics. */
  readonly recordsStart: number;
}

/** The header of magic 0, which all writers but those of statistics use. */
export const LOG_BATCH_HEADER_BYTES = 48;

/** The header of magic 1, without the statistics that follow it. */
export const STATISTICS_HEADER_BYTES = 52;

// What comes before the checksum is not covered by it: servers fill it in.
const LENGTH = 8;
const MAGIC = 12;
const TIMESTAMP = 13;
/** The bytes up to and including the length, which the length does not count. */
const UNCOUNTED = 12;
/** Magic 2 has the leader's epoch before the checksum, so its fields are 4 bytes further. */
const EPOCH_BYTES = 4;
const CRC = 21;
const SCHEMA_ID = 25;
const ATTRIBUTES = 27;
const LAST_OFFSET_DELTA = 28;
const WRITER_ID = 32;
const SEQUENCE = 40;
const RECORD_COUNT = 44;
const STATISTICS_LENGTH = 48;

const APPEND_ONLY = 1;

const MAX_OFFSET = 2n ** 63n - 1n;

/**
 * No codec packs more records into a byte: a Zstandard block of 4 bytes holds at most 128 KiB, and no record takes less
 * than a bit.
 */
const MAX_RECORDS_PER_BYTE = 2 ** 18;

/**
 * The size of the batch at `at`, header included, as its first 12 bytes say; undefined when they are not all there.
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when no batch has that size
 */
export function logBatchSize(bytes: Uint8Array, at: number): number | undefined {
  if (at + UNCOUNTED > bytes.length) return undefined;
  const length = int32At(bytes, at + LENGTH);
  if (length < LOG_BATCH_HEADER_BYTES - UNCOUNTED) throw corrupt(`a log batch of ${length} bytes at byte ${at}`);
  return UNCOUNTED + length;
}

/**
 * Reads the header of the batch at `at`.
 *
 * @returns undefined when the rest of the bytes is a batch that was cut, as at the end of most fetches
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the header says what cannot be
 */
export function logBatchAt(bytes: Uint8Array, at: number): LogBatch | undefined {
  const size = logBatchSize(bytes, at);
  if (size === undefined || size > bytes.length - at) return undefined;
  const magic = bytes[at + MAGIC]!;
  if (magic > 2) throw corrupt(`a log batch of the unknown version ${magic} at byte ${at}`);
  const end = at + size;
  const from = magic === 2 ? at + EPOCH_BYTES : at;
  let recordsStart = from + (magic === 0 ? LOG_BATCH_HEADER_BYTES : STATISTICS_HEADER_BYTES);
  if (recordsStart > end) throw corrupt(`a log batch of ${size} bytes at byte ${at}, shorter than its header`);
  if (magic !== 0) {
    const statistics = int32At(bytes, from + STATISTICS_LENGTH);
    if (statistics < 0 || statistics > end - recordsStart) {
      throw corrupt(`${statistics} bytes of statistics in the log batch of ${size} bytes at byte ${at}`);
    }
    recordsStart += statistics;
  }
  const appendOnly = (bytes[from + ATTRIBUTES]! & APPEND_ONLY) !== 0;
  const recordCount = int32At(bytes, from + RECORD_COUNT);
  const room = end - recordsStart;
  if (recordCount < 0 || recordCount > (appendOnly ? room * MAX_RECORDS_PER_BYTE : room)) {
    throw corrupt(`${recordCount} records in the ${room} bytes of the log batch at byte ${at}`);
  }
  const lastOffsetDelta = int32At(bytes, from + LAST_OFFSET_DELTA);
  if (lastOffsetDelta !== Math.max(0, recordCount - 1)) {
    throw corrupt(`${recordCount} records with a last offset of +${lastOffsetDelta} in the log batch at byte ${at}`);
  }
  const baseOffset = int64At(bytes, at);
  if (baseOffset < 0n || baseOffset >= MAX_OFFSET - BigInt(lastOffsetDelta)) {
    throw corrupt(`a log batch with the offset ${baseOffset} at byte ${at}`);
  }
  const timestamp = Number(int64At(bytes, at + TIMESTAMP));
  if (!Number.isSafeInteger(timestamp)) throw corrupt(`a log batch of the time ${timestamp} at byte ${at}`);
  const lastOffset = baseOffset + BigInt(lastOffsetDelta);
  return {
    bytes,
    start: at,
    end,
    magic,
    baseOffset,
    lastOffset,
    nextOffset: lastOffset + 1n,
    timestamp,
    schemaId: int16At(bytes, from + SCHEMA_ID),
    appendOnly,
    recordCount,
    writerId: int64At(bytes, from + WRITER_ID),
    sequence: int32At(bytes, from + SEQUENCE),
    recordsStart,
  };
}

/**
 * Checks the checksum of a batch. Batches that a server projected keep that of the whole batch: they must not be checked
 * (Fluss: FileLogProjection.java).
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH with the expected and the found checksum
 */
export function checkCrc(batch: LogBatch): void {
  const from = batch.magic === 2 ? batch.start + EPOCH_BYTES : batch.start;
  const expected = int32At(batch.bytes, from + CRC) >>> 0;
  const found = crc32c(batch.bytes, from + SCHEMA_ID, batch.end);
  if (found !== expected) {
    throw corrupt(
      `the log batch at offset ${batch.baseOffset} has the CRC-32C ${hex(found)}, and its header says ${hex(expected)}`,
    );
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** What a writer says of its batch. */
export interface LogBatchHeader {
  /** 0, or 1 for a batch with statistics behind the header. */
  readonly magic: 0 | 1;
  /** The schema of the rows. */
  readonly schemaId: number;
  /** Whether every record is an append; clients write nothing else. */
  readonly appendOnly: boolean;
  /** How many records there are. */
  readonly recordCount: number;
  /** The idempotent writer, or -1. */
  readonly writerId: bigint;
  /** The writer's number of the batch, or -1. */
  readonly sequence: number;
  /** The bytes of the statistics between header and records, with magic 1. Default 0. */
  readonly statisticsLength?: number;
}

/**
 * Writes the header of a whole batch, the checksum last. Offset and time stay 0 for the server to fill in.
 *
 * @param batch all bytes of the batch; records and statistics are in their places already
 */
export function writeLogBatchHeader(batch: Uint8Array, header: LogBatchHeader): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
  batch.fill(0, 0, CRC);
  view.setInt32(LENGTH, batch.length - UNCOUNTED, true);
  view.setInt8(MAGIC, header.magic);
  view.setInt16(SCHEMA_ID, header.schemaId, true);
  view.setInt8(ATTRIBUTES, header.appendOnly ? APPEND_ONLY : 0);
  view.setInt32(LAST_OFFSET_DELTA, Math.max(0, header.recordCount - 1), true);
  view.setBigInt64(WRITER_ID, header.writerId, true);
  view.setInt32(SEQUENCE, header.sequence, true);
  view.setInt32(RECORD_COUNT, header.recordCount, true);
  if (header.magic === 1) view.setInt32(STATISTICS_LENGTH, header.statisticsLength ?? 0, true);
  view.setUint32(CRC, crc32c(batch, SCHEMA_ID, batch.length), true);
}
