/**
 * Record batch messages of the Arrow IPC format, as Fluss has them in log batches and as any Arrow tool reads them: a
 * continuation mark, the metadata's size, the metadata (version V5), and the body with every buffer padded to 8 bytes.
 *
 * The metadata is a flatbuffer whose shape depends on nothing but the codec, so it is a prefix of fixed bytes, the same
 * that Java writes (observed on 0.9.1), with a few numbers to fill in and the lists of buffers and nodes behind it.
 *
 * @module
 */
import { setSafeInt64 } from "../byte_writer.ts";
import { type Codec, compressBuffer } from "../compression.ts";
import type { RawColumn } from "./raw_column.ts";

/** How the buffers of a message are compressed. */
export interface BodyCompression {
  /** The codec. */
  readonly type: Codec;
  /** The level of "zstd", 1 to 22. Default 3 */
  readonly level?: number;
}

/** A record batch that is ready to be written: its size is known, its buffers are compressed. */
export interface RecordBatchMessage {
  /** The bytes of the whole message. */
  readonly size: number;
  /** Writes the message at `at`. May be called while the columns it was made of are unchanged. */
  writeTo(out: Uint8Array<ArrayBuffer>, at: number): void;
}

/** The fixed bytes before the list of buffers, and where the numbers go that differ. */
interface Prefix {
  readonly bytes: Uint8Array;
  readonly bodyLength: number;
  /** The offset to the list of nodes, counted from where it stands itself. */
  readonly nodes: number;
  readonly rowCount: number;
}

const NO_CODEC: Prefix = {
  bytes: bytesOf(
    // The root at 20, then the message's table of fields: version, type of header, header, body length.
    "1400000000000000 0c0016000e00150010000400 0c0000000000000000000000 0000040010000000 0003",
    // The record batch's table of fields, and at 52 the record batch: buffers, nodes, row count.
    "0a0018000c0008000400 0a000000 14000000 00000000 0000000000000000 00000000",
  ),
  bodyLength: 24,
  nodes: 60,
  rowCount: 64,
};

const LZ4: Prefix = {
  bytes: bytesOf(
    "1400000000000000 0c0018000e00170010000400 0c0000000000000000000000 0000040014000000 00000003",
    // At 56 the record batch, which begins with the compression at 88: without fields, since LZ4_FRAME is the default.
    "0c001c0010000c0008000400 0c000000 1c000000 1c000000 00000000 0000000000000000 00000000",
    "04000400 04000000",
  ),
  bodyLength: 24,
  nodes: 68,
  rowCount: 72,
};

const ZSTD: Prefix = {
  bytes: bytesOf(
    "1400000000000000 0c0018000e00170010000400 0c0000000000000000000000 0000040014000000 00000003",
    // As above, with the compression at 92, whose codec is 1.
    "0c001e0010000c0008000400 0c000000 20000000 24000000 00000000 0000000000000000 00000000",
    "0000 060008000700 06000000 00000001",
  ),
  bodyLength: 24,
  nodes: 68,
  rowCount: 72,
};

/** Continuation mark and metadata size. */
const ENCAPSULATION_BYTES = 8;
const COUNT_BYTES = 4;
/** An offset and a length; a row count and a null count. */
const ENTRY_BYTES = 16;
/** The uncompressed length that precedes each buffer of a compressed body; -1 says that the buffer is as it was. */
const LENGTH_BYTES = 8;

/** Which lengths and buffers a message has, in the order of the format: depth first. */
interface Parts {
  /** Row count and null count of each node. */
  readonly nodes: number[];
  readonly buffers: Uint8Array[];
}

/**
 * Prepares the message of some columns.
 *
 * @param columns in the order of the schema
 * @param length the number of rows
 * @param compression the codec of the body
 */
export function recordBatchMessage(
  columns: readonly RawColumn[],
  length: number,
  compression: BodyCompression,
): RecordBatchMessage {
  const parts: Parts = { nodes: [], buffers: [] };
  for (const column of columns) collect(column, parts);
  const { nodes, buffers } = parts;
  const plain = compression.type === "none";
  // For each buffer what lies in the body. An empty buffer stays empty.
  const bodies = plain ? buffers : buffers.map((buffer) => packed(buffer, compression));
  const places: number[] = [];
  let bodyLength = 0;
  for (const body of bodies) {
    const bytes = plain || body.length === 0 ? body.length : body.length + LENGTH_BYTES;
    places.push(bodyLength, bytes);
    bodyLength += (bytes + 7) & ~7;
  }
  const head: MessageHead = { codec: compression.type, length, nodes, buffers: places, bodyLength };
  const headBytes = headSize(head);
  return {
    size: headBytes + bodyLength,
    writeTo(out, at) {
      writeHead(out, at, head);
      const view = new DataView(out.buffer, out.byteOffset);
      const start = at + headBytes;
      for (let i = 0; i < bodies.length; i++) {
        const bytes = places[2 * i + 1]!;
        let end = start + places[2 * i]!;
        const next = end + ((bytes + 7) & ~7);
        if (!plain && bytes > 0) {
          setSafeInt64(view, end, bodies[i] === buffers[i] ? -1 : buffers[i]!.length);
          end += LENGTH_BYTES;
        }
        out.set(bodies[i]!, end);
        out.fill(0, end + bodies[i]!.length, next);
      }
    },
  };
}

/** What stands before the body of a message. */
export interface MessageHead {
  /** The codec of the body. */
  readonly codec: Codec;
  /** The number of rows. */
  readonly length: number;
  /** Row count and null count of each node. */
  readonly nodes: readonly number[];
  /** Of each buffer where it is in the body, and how many bytes it has. */
  readonly buffers: readonly number[];
  /** A multiple of 8. */
  readonly bodyLength: number;
}

/** The bytes of a head, a multiple of 8: mark, size and metadata. */
export function headSize({ codec, nodes, buffers }: MessageHead): number {
  // Behind both lists the entries begin at a multiple of 8, and so does the body.
  return ENCAPSULATION_BYTES + prefixOf(codec).bytes.length + COUNT_BYTES + buffers.length / 2 * ENTRY_BYTES +
    2 * COUNT_BYTES + nodes.length / 2 * ENTRY_BYTES;
}

/** Writes a head; the body follows it. */
export function writeHead(out: Uint8Array<ArrayBuffer>, at: number, head: MessageHead): void {
  const { nodes, buffers } = head;
  const prefix = prefixOf(head.codec);
  const view = new DataView(out.buffer, out.byteOffset);
  view.setInt32(at, -1, true);
  view.setInt32(at + 4, headSize(head) - ENCAPSULATION_BYTES, true);
  const metadata = at + ENCAPSULATION_BYTES;
  out.set(prefix.bytes, metadata);
  setSafeInt64(view, metadata + prefix.bodyLength, head.bodyLength);
  setSafeInt64(view, metadata + prefix.rowCount, head.length);
  let entry = metadata + prefix.bytes.length;
  view.setInt32(entry, buffers.length / 2, true);
  entry += COUNT_BYTES;
  for (let i = 0; i < buffers.length; i++, entry += 8) setSafeInt64(view, entry, buffers[i]!);
  view.setInt32(entry, 0, true);
  entry += COUNT_BYTES;
  view.setInt32(metadata + prefix.nodes, entry - metadata - prefix.nodes, true);
  view.setInt32(entry, nodes.length / 2, true);
  entry += COUNT_BYTES;
  for (let i = 0; i < nodes.length; i++, entry += 8) setSafeInt64(view, entry, nodes[i]!);
}

function prefixOf(codec: Codec): Prefix {
  return codec === "none" ? NO_CODEC : codec === "lz4" ? LZ4 : ZSTD;
}

function packed(buffer: Uint8Array, compression: BodyCompression): Uint8Array {
  if (buffer.length === 0) return buffer;
  const compressed = compressBuffer(compression.type, compression.level, buffer);
  // The buffer itself stands for "stored as it is".
  return compressed.length < buffer.length ? compressed : buffer;
}

function collect(column: RawColumn, parts: Parts): void {
  const { length, offsets, data } = column;
  parts.nodes.push(length, column.nullCount);
  parts.buffers.push(validityOf(column));
  if (offsets !== undefined) {
    parts.buffers.push(new Uint8Array(offsets.buffer, offsets.byteOffset, (length + 1) * 4));
  }
  if (data !== undefined) parts.buffers.push(offsets === undefined ? data : data.subarray(0, offsets[length]!));
  for (const child of column.children) collect(child, parts);
}

/**
 * The whole bitmap, also where no value is null: Java's writer does the same, and not all readers know the short form.
 * Bits behind the last value are zero.
 */
function validityOf({ length, validity }: RawColumn): Uint8Array {
  const bytes = new Uint8Array((length + 7) >> 3);
  if (validity === undefined) bytes.fill(255);
  else bytes.set(validity.subarray(0, bytes.length));
  const spare = -length & 7;
  if (spare > 0) bytes[bytes.length - 1]! &= 255 >> spare;
  return bytes;
}

/** Bytes from hexadecimal digits, with spaces for people. */
function bytesOf(...hex: string[]): Uint8Array {
  const pairs = hex.join("").replaceAll(" ", "").match(/../g)!;
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}
