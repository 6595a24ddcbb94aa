/**
 * Reads record batch messages of the Arrow IPC format. Buffers that are not compressed become views where they lie at a
 * multiple of 8 in memory, all others fresh memory; only of columns that are asked for.
 *
 * @module
 */
import { int32At } from "../byte_reader.ts";
import { type Codec, decompressBuffer } from "../compression.ts";
import { corrupt } from "../corrupt.ts";
import { FlatTable, type FlatVector, sizeAt } from "./flatbuffer_reader.ts";
import type { ArrowLayout } from "./layout.ts";
import type { RawColumn } from "./raw_column.ts";

/** The types of message headers, as the metadata numbers them (Arrow: Message.fbs). */
export const HEADER_SCHEMA = 1;
/** A batch of dictionary values. */
export const HEADER_DICTIONARY_BATCH = 2;
/** A record batch. */
export const HEADER_RECORD_BATCH = 3;

/** The most that one batch may become, whatever its bytes claim. */
export interface BatchLimits {
  /** Rows. */
  readonly maxRows: number;
  /** Bytes of decompressed buffers together. */
  readonly maxBytes: number;
}

/** Far above what writers put into a batch (2 MiB on the wire by default). */
export const BATCH_LIMITS: BatchLimits = { maxRows: 2 ** 24, maxBytes: 2 ** 29 };

/** The metadata of a message. */
export interface MessageMetadata {
  /** One of the `HEADER_` constants. */
  readonly headerType: number;
  /** The header itself. */
  readonly header: FlatTable;
  /** How many bytes follow the metadata. */
  readonly bodyLength: number;
}

/** The metadata in `bytes[start..end)`. */
export function readMetadata(bytes: Uint8Array, start: number, end: number): MessageMetadata {
  const message = FlatTable.root(bytes, start, end);
  const header = message.table(2);
  if (header === undefined) throw corrupt("an Arrow message has no header");
  return { headerType: message.uint8(1), header, bodyLength: message.size(3) };
}

/** A message whose body is there. */
export interface ArrowMessage extends MessageMetadata {
  /** Where the body starts. */
  readonly bodyStart: number;
  /** Where the body ends. */
  readonly bodyEnd: number;
}

const CONTINUATION = -1;

/**
 * Reads the message in `bytes[start..end)`: a continuation mark, the size of the metadata, the metadata, the body.
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when there is none
 */
export function messageAt(bytes: Uint8Array, start: number, end: number): ArrowMessage {
  if (end - start < 8 || int32At(bytes, start) !== CONTINUATION) {
    throw corrupt(`the ${end - start} bytes at byte ${start} are no Arrow message`);
  }
  const size = int32At(bytes, start + 4);
  const metadataStart = start + 8;
  if (size < 0 || size > end - metadataStart) throw corrupt(`an Arrow message claims ${size} bytes of metadata`);
  const bodyStart = metadataStart + size;
  const metadata = readMetadata(bytes, metadataStart, bodyStart);
  if (metadata.bodyLength > end - bodyStart) {
    throw corrupt(`an Arrow message claims a body of ${metadata.bodyLength} bytes where ${end - bodyStart} are left`);
  }
  return { ...metadata, bodyStart, bodyEnd: bodyStart + metadata.bodyLength };
}

const NODE_BYTES = 16;
const BUFFER_BYTES = 16;

/** The columns of a record batch. */
export interface RawBatch {
  /** The number of rows. */
  readonly length: number;
  /** In the order of the layouts; undefined where a column was not asked for. */
  readonly columns: readonly (RawColumn | undefined)[];
}

/** How a record batch is read. */
export interface RecordBatchOptions {
  /** The layouts of the columns in the message. */
  readonly layouts: readonly ArrowLayout[];
  /** Which of them to read. Default: all */
  readonly wanted?: readonly boolean[] | undefined;
  /** The number of rows that the message must have, where it is known from elsewhere. */
  readonly rows?: number;
  /** Default {@linkcode BATCH_LIMITS} */
  readonly limits?: BatchLimits;
}

/**
 * Reads the record batch of a message.
 *
 * @param bytes the bytes of the message; the columns may be views of them
 * @throws {FlussError} CODEC.CORRUPT_BATCH when counts, lengths or positions do not fit what is there
 */
export function readRecordBatch(bytes: Uint8Array, message: ArrowMessage, options: RecordBatchOptions): RawBatch {
  const { layouts, wanted, limits = BATCH_LIMITS } = options;
  if (message.headerType !== HEADER_RECORD_BATCH) {
    throw corrupt(`an Arrow message of the type ${message.headerType} where a record batch was expected`);
  }
  const length = message.header.size(0);
  if (options.rows !== undefined && length !== options.rows) {
    throw corrupt(`an Arrow message of ${length} rows where there are ${options.rows} records`);
  }
  if (length > limits.maxRows) throw corrupt(`a batch of ${length} rows, more than ${limits.maxRows}`);
  const reader = new BatchReader(bytes, message, length, limits);
  reader.checkCounts(layouts);
  // With all columns wanted one copy of the body aligns everything; else only what is wanted is copied.
  if (wanted === undefined || wanted.every((want) => want)) reader.alignBody();
  const columns = layouts.map((layout, i) => {
    if (wanted?.[i] === false) return void reader.skip(layout);
    const column = reader.read(layout);
    if (column.length !== length) {
      throw corrupt(`a column of ${column.length} values in an Arrow message of ${length} rows`);
    }
    return column;
  });
  return { length, columns };
}

class BatchReader {
  #bytes: Uint8Array;
  #bodyStart: number;
  readonly #bodyLength: number;
  readonly #metadata: Uint8Array;
  readonly #nodes: FlatVector;
  readonly #buffers: FlatVector;
  readonly #codec: Codec;
  #left: number;
  #rows: number;
  #node = 0;
  #buffer = 0;

  constructor(bytes: Uint8Array, message: ArrowMessage, rows: number, limits: BatchLimits) {
    this.#bytes = bytes;
    this.#bodyStart = message.bodyStart;
    this.#bodyLength = message.bodyLength;
    this.#metadata = message.header.bytes;
    this.#nodes = message.header.vector(1, NODE_BYTES);
    this.#buffers = message.header.vector(2, BUFFER_BYTES);
    this.#codec = codecOf(message.header.table(3));
    this.#left = limits.maxBytes;
    this.#rows = rows;
  }

  /** Checks that there are as many nodes and buffers as columns need, and that buffers lie in the body one after the other. */
  checkCounts(layouts: readonly ArrowLayout[]): void {
    const nodes = layouts.reduce((sum, layout) => sum + nodeCount(layout), 0);
    const buffers = layouts.reduce((sum, layout) => sum + bufferCount(layout), 0);
    if (nodes !== this.#nodes.length || buffers !== this.#buffers.length) {
      throw corrupt(
        `an Arrow message of ${this.#nodes.length} columns and ${this.#buffers.length} buffers, expected ${nodes} and ${buffers}`,
      );
    }
    let end = 0;
    for (let i = 0; i < buffers; i++) {
      const offset = this.#bufferOffset(i);
      const length = this.#bufferLength(i);
      if (length === 0) continue;
      // Buffers that overlap could unfold a small body to a large batch.
      if (offset < end || length > this.#bodyLength - offset) {
        throw corrupt(`buffer ${i} claims ${length} bytes at ${offset} of an Arrow body of ${this.#bodyLength} bytes`);
      }
      end = offset + length;
    }
  }

  /** Copies the body to where its buffers are aligned, unless it lies so already or will be decompressed anyway. */
  alignBody(): void {
    if (this.#codec !== "none" || (this.#bytes.byteOffset + this.#bodyStart) % 8 === 0) return;
    const body = new Uint8Array(this.#bodyLength);
    body.set(this.#bytes.subarray(this.#bodyStart, this.#bodyStart + this.#bodyLength));
    this.#bytes = body;
    this.#bodyStart = 0;
  }

  /** Moves over a column. */
  skip(layout: ArrowLayout): void {
    this.#node += nodeCount(layout);
    this.#buffer += bufferCount(layout);
  }

  read(layout: ArrowLayout): RawColumn {
    const at = this.#nodes.start + this.#node++ * NODE_BYTES;
    const length = sizeAt(this.#metadata, at);
    const nullCount = sizeAt(this.#metadata, at + 8);
    // No value takes less than a bit, and no codec packs more than 2 ** 15 bytes into one.
    if (length > this.#bodyLength * (this.#codec === "none" ? 8 : 2 ** 18)) {
      throw corrupt(`an Arrow column of ${length} values in a body of ${this.#bodyLength} bytes`);
    }
    if (nullCount > length) throw corrupt(`${nullCount} nulls in an Arrow column of ${length} values`);
    const validity = this.#validity(length, nullCount);
    switch (layout.form) {
      case "bits":
      case "fixed": {
        const data = this.#take(layout.form === "bits" ? (length + 7) >> 3 : length * layout.width);
        return { length, nullCount, validity, offsets: undefined, data, children: [] };
      }
      case "variable": {
        const offsets = this.#offsets(length);
        const data = this.#take(offsets[length]!, this.#left);
        return { length, nullCount, validity, offsets, data, children: [] };
      }
      case "list": {
        const offsets = this.#offsets(length);
        const child = this.read(layout.children[0]!);
        if (offsets[length]! > child.length) {
          throw corrupt(`an Arrow list ends at element ${offsets[length]} of ${child.length}`);
        }
        return { length, nullCount, validity, offsets, data: undefined, children: [child] };
      }
      case "struct": {
        const children = layout.children.map((child) => this.read(child));
        for (const child of children) {
          if (child.length !== length) {
            throw corrupt(`an Arrow struct of ${length} values has a field of ${child.length}`);
          }
        }
        return { length, nullCount, validity, offsets: undefined, data: undefined, children };
      }
    }
  }

  #validity(length: number, nullCount: number): Uint8Array | undefined {
    if (nullCount === 0) {
      this.#buffer++;
      return undefined;
    }
    const needed = (length + 7) >> 3;
    if (nullCount === length && this.#isEmpty(this.#buffer)) {
      this.#buffer++;
      this.#spend(needed);
      return new Uint8Array(needed);
    }
    const validity = this.#take(needed);
    if (countNulls(validity, length) !== nullCount) {
      throw corrupt(`an Arrow column has not the ${nullCount} nulls it claims`);
    }
    return validity;
  }

  #offsets(length: number): Int32Array {
    if (length === 0 && this.#isEmpty(this.#buffer)) {
      this.#buffer++;
      return new Int32Array(1);
    }
    const bytes = this.#take((length + 1) * 4);
    const offsets = new Int32Array(bytes.buffer, bytes.byteOffset, length + 1);
    let before = 0;
    for (let i = 0; i <= length; i++) {
      const offset = offsets[i]!;
      if (offset < before) throw corrupt(`Arrow offset ${i} is ${offset}, after ${before}`);
      before = offset;
    }
    return offsets;
  }

  /**
   * The next buffer, cut to the `needed` bytes.
   *
   * @param most the bytes that it may have when decompressed: writers may pad
   */
  #take(needed: number, most: number = needed + 128): Uint8Array {
    const i = this.#buffer++;
    const length = this.#bufferLength(i);
    const start = this.#bodyStart + this.#bufferOffset(i);
    if (needed === 0) return new Uint8Array(0);
    if (this.#codec === "none") return this.#plain(i, start, length, needed);
    if (length < 8) throw corrupt(`buffer ${i} of an Arrow message has ${length} bytes, which is too short`);
    const low = int32At(this.#bytes, start);
    const high = int32At(this.#bytes, start + 4);
    // Not compressed after all, because that would have made it larger.
    if (low === -1 && high === -1) return this.#plain(i, start + 8, length - 8, needed);
    const claimed = low >>> 0;
    if (high !== 0 || claimed < needed || claimed > most) {
      throw corrupt(
        `buffer ${i} of an Arrow message claims ${high * 4294967296 + claimed} bytes, ${needed} are expected`,
      );
    }
    this.#spend(claimed);
    const content = decompressBuffer(this.#codec, this.#bytes.subarray(start + 8, start + length), claimed);
    return content.subarray(0, needed);
  }

  #plain(i: number, start: number, length: number, needed: number): Uint8Array {
    if (length < needed) throw corrupt(`buffer ${i} of an Arrow message has ${length} bytes, ${needed} are needed`);
    const view = this.#bytes.subarray(start, start + needed);
    if (view.byteOffset % 8 === 0) return view;
    const copy = new Uint8Array(needed);
    copy.set(view);
    return copy;
  }

  /** Whether the buffer has no content, with or without the length in front of it. */
  #isEmpty(i: number): boolean {
    const length = this.#bufferLength(i);
    if (length === 0) return true;
    if (this.#codec === "none" || length < 8) return false;
    const start = this.#bodyStart + this.#bufferOffset(i);
    return int32At(this.#bytes, start) === 0 && int32At(this.#bytes, start + 4) === 0;
  }

  #spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw corrupt(`a batch of ${this.#rows} rows is larger than what a reader may hold`);
  }

  #bufferOffset(i: number): number {
    return sizeAt(this.#metadata, this.#buffers.start + i * BUFFER_BYTES);
  }

  #bufferLength(i: number): number {
    return sizeAt(this.#metadata, this.#buffers.start + i * BUFFER_BYTES + 8);
  }
}

/** The codec that a record batch names; `compression` is its field 3. */
export function codecOf(compression: FlatTable | undefined): Codec {
  if (compression === undefined) return "none";
  const codec = compression.uint8(0);
  if (codec > 1 || compression.uint8(1) !== 0) throw corrupt(`an Arrow message with the unknown compression ${codec}`);
  return codec === 0 ? "lz4" : "zstd";
}

/** How many nodes a column has in a message. */
export function nodeCount(layout: ArrowLayout): number {
  return layout.children.reduce((sum, child) => sum + nodeCount(child), 1);
}

/** How many buffers a column has in a message. */
export function bufferCount(layout: ArrowLayout): number {
  const own = layout.form === "struct" ? 1 : layout.form === "variable" ? 3 : 2;
  return layout.children.reduce((sum, child) => sum + bufferCount(child), own);
}

/** How many of the first `length` bits are not set. */
export function countNulls(validity: Uint8Array, length: number): number {
  const whole = length >> 3;
  let set = 0;
  for (let i = 0; i < whole; i++) set += ONES[validity[i]!]!;
  if ((length & 7) !== 0) set += ONES[validity[whole]! & ((1 << (length & 7)) - 1)]!;
  return length - set;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let left = byte; left !== 0; left >>= 1) count += left & 1;
  return count;
});
