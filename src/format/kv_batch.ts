/**
 * The batch of upserts and deletes that a put carries (Fluss: DefaultKvRecordBatch.java, KvRecordBatchBuilder.java).
 *
 * @module
 */
import { int16At, int32At, int64At } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { corrupt } from "./corrupt.ts";
import { crc32c } from "./crc32c.ts";
import type { RowWriter } from "./row_codec.ts";

// Where the header's fields are. Length and magic come before the checksum and are not covered by it.
const LENGTH = 0;
const MAGIC = 4;
const CRC = 5;
const SCHEMA_ID = 9;
const ATTRIBUTES = 11;
const WRITER_ID = 12;
const SEQUENCE = 20;
const COUNT = 24;
/** The bytes before the first record. */
export const KV_BATCH_HEADER_BYTES = 28;

/** The writer id and the sequence of a batch that is not written idempotently. */
export const NO_WRITER = -1n;
export const NO_SEQUENCE = -1;

/**
 * Puts records together into one buffer, rows encoded in place. One batch goes to one bucket, and one request carries
 * one batch per bucket: servers drop a second one without a word (observed on 0.9.1).
 */
export class KvBatchBuilder {
  /** The schema that all rows of the batch are written with. */
  readonly schemaId: number;
  #count = 0;
  #lastRecord = KV_BATCH_HEADER_BYTES;
  readonly #out: ByteWriter;

  /**
   * @param capacity the bytes to begin with; the buffer grows
   * @param likely a size that the batch will hardly pass
   * @param buffer a buffer of a batch that is over, to begin with instead of a new one
   */
  constructor(schemaId: number, capacity = 1024, likely = 0, buffer?: Uint8Array<ArrayBuffer>) {
    this.schemaId = schemaId;
    this.#out = new ByteWriter(Math.max(capacity, KV_BATCH_HEADER_BYTES), likely, buffer);
    this.#out.position = KV_BATCH_HEADER_BYTES;
  }

  /** How many records there are. */
  get count(): number {
    return this.#count;
  }

  /** The buffer, for a batch to come. This batch must not be used any more. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#out.bytes;
  }

  /** How many bytes the batch has, header included. */
  get size(): number {
    return this.#out.position;
  }

  /**
   * Appends an upsert, or without a row a delete. Nothing is appended when the row cannot be encoded.
   *
   * @param key the array that holds the encoded primary key in `[start..end)`; it is copied
   * @throws {ColumnError} whatever `writeRow` throws
   */
  append(
    key: Uint8Array,
    start: number,
    end: number,
    writeRow?: RowWriter,
    row?: Readonly<Record<string, unknown>>,
  ): void {
    const out = this.#out;
    const record = out.position;
    const keyLength = end - start;
    try {
      out.ensure(9 + keyLength);
      out.position += 4;
      out.writeVarInt32(keyLength);
      const { bytes, position } = out;
      // Most keys are short, and making a view costs more than copying them.
      if (keyLength <= 32) { for (let i = 0; i < keyLength; i++) bytes[position + i] = key[start + i]!; }
      else bytes.set(key.subarray(start, end), position);
      out.position += keyLength;
      if (writeRow !== undefined && row !== undefined) writeRow(out, row);
    } catch (error) {
      out.position = record;
      throw error;
    }
    out.view.setInt32(record, out.position - record - 4, true);
    this.#lastRecord = record;
    this.#count++;
  }

  /** Takes the record that was appended last out again; once per record. */
  dropLast(): void {
    this.#out.position = this.#lastRecord;
    this.#count--;
  }

  /**
   * Writes the header and gives the batch. May be called again with another writer and sequence, when a batch has to be
   * sent again under a new one.
   *
   * @returns a view of the builder's buffer; it changes with the next call of `finish` and is not to be kept when
   * records are appended afterwards
   */
  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    const { bytes, view, position } = this.#out;
    view.setInt32(LENGTH, position - MAGIC, true);
    view.setInt8(MAGIC, 0);
    view.setInt16(SCHEMA_ID, this.schemaId, true);
    view.setInt8(ATTRIBUTES, 0);
    view.setBigInt64(WRITER_ID, writerId, true);
    view.setInt32(SEQUENCE, sequence, true);
    view.setInt32(COUNT, this.#count, true);
    view.setUint32(CRC, crc32c(bytes, SCHEMA_ID, position), true);
    return bytes.subarray(0, position);
  }
}

/** What the header of a KV batch says. */
export interface KvBatchHeader {
  /** The schema that all rows of the batch are written with. */
  readonly schemaId: number;
  readonly writerId: bigint;
  readonly sequence: number;
  readonly recordCount: number;
}

/**
 * Reads the header of a KV batch as servers do, which look at neither length nor checksum (observed on 0.9.1).
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the bytes end within it
 */
export function readKvBatchHeader(bytes: Uint8Array): KvBatchHeader {
  if (bytes.length < KV_BATCH_HEADER_BYTES) throw corrupt(`a KV batch of ${bytes.length} bytes`);
  return {
    schemaId: int16At(bytes, SCHEMA_ID),
    writerId: int64At(bytes, WRITER_ID),
    sequence: int32At(bytes, SEQUENCE),
    recordCount: int32At(bytes, COUNT),
  };
}

/** The records of a KV batch, one after the other. */
export class KvRecords {
  readonly #bytes: Uint8Array;
  #at = KV_BATCH_HEADER_BYTES;
  /** The record's key is `[keyStart..keyEnd)`. */
  keyStart = 0;
  /** The row begins where the key ends. */
  keyEnd = 0;
  /** Where the row ends; at `keyEnd` when the record is a delete. */
  end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Moves to the next record; as often as the header counts.
   *
   * @throws {FlussError} CODEC.CORRUPT_BATCH when it does not end within the batch
   */
  next(): void {
    const bytes = this.#bytes;
    const record = this.#at;
    if (record + 4 > bytes.length) throw corrupt(`no record at byte ${record} of ${bytes.length}`);
    const end = record + 4 + int32At(bytes, record);
    let at = record + 4;
    let length = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = at < bytes.length ? bytes[at++]! : 0;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    const keyEnd = at + length;
    if (length < 0 || end > bytes.length || keyEnd > end) {
      throw corrupt(`the record at byte ${record} does not end within the ${bytes.length} bytes of the batch`);
    }
    this.keyStart = at;
    this.keyEnd = keyEnd;
    this.end = end;
    this.#at = end;
  }
}
