/**
 * Some columns of a batch in the ARROW format, taken out of it without decoding anything: the buffers of its record batch
 * are copied as they are, compressed or not, and only the metadata is written anew (Fluss: FileLogProjection.java). The
 * checksum stays that of the whole batch.
 *
 * @module
 */
import { arrowLayout } from "../../format/arrow/layout.ts";
import { bufferCount, codecOf, HEADER_RECORD_BATCH, messageAt, nodeCount } from "../../format/arrow/message_reader.ts";
import { headSize, type MessageHead, writeHead } from "../../format/arrow/message_writer.ts";
import { sizeAt } from "../../format/arrow/flatbuffer_reader.ts";
import { corrupt } from "../../format/corrupt.ts";
import { logBatchAt } from "../../format/log_batch.ts";
import type { LiveSchema } from "../../schema/descriptor.ts";
import { fault } from "../fault.ts";

/** A batch with fewer columns, ready to be written. */
export interface ProjectedBatch {
  /** Whether there is nothing in it but a header. */
  readonly empty: boolean;
  readonly size: number;
  writeTo(out: Uint8Array<ArrayBuffer>, at: number): void;
}

/** Takes columns out of the batches of one schema. */
export type Projector = (batch: Uint8Array) => ProjectedBatch;

/** Nodes and buffers of the wanted columns, by their place in a message. */
interface Places {
  readonly nodes: readonly number[];
  readonly buffers: readonly number[];
  /** How many there are of all columns. */
  readonly nodeCount: number;
  readonly bufferCount: number;
}

/** A node and a buffer of the metadata have two numbers of 8 bytes. */
const ENTRY_BYTES = 16;
/** What the length in a header does not count. */
const UNCOUNTED = 12;
const LENGTH = 8;

/**
 * Compiles a projection.
 *
 * @param schema of the batches
 * @param positions of the wanted columns
 * @throws {ServerFault} 34 when they are not ascending, or the schema has not so many columns
 */
export function compileProjector(schema: LiveSchema, positions: readonly number[]): Projector {
  const places = placesOf(schema, positions);
  return (bytes) => {
    const batch = logBatchAt(bytes, 0);
    if (batch === undefined) throw corrupt(`a stored batch of ${bytes.length} bytes`);
    const { magic, recordsStart } = batch;
    const headerBytes = magic === 0 ? 48 : magic === 1 ? 52 : 56;
    if (bytes.length === headerBytes) return asItIs(bytes);
    if (positions.length === 0) throw fault("SERVER.UNKNOWN_SERVER_ERROR", "Invalid metadata length");
    const changeBytes = batch.appendOnly ? 0 : batch.recordCount;
    const messageStart = recordsStart + changeBytes;
    const { head, cuts } = pick(bytes, messageStart, places);
    const messageAfter = headerBytes + changeBytes;
    const bodyAfter = messageAfter + headSize(head);
    const size = bodyAfter + head.bodyLength;
    return {
      empty: false,
      size,
      writeTo(out, at) {
        const view = new DataView(out.buffer, out.byteOffset + at, headerBytes);
        out.set(bytes.subarray(0, headerBytes), at);
        view.setInt32(LENGTH, size - UNCOUNTED, true);
        // The statistics, whose length is the last field of the header, are left out.
        if (magic !== 0) view.setInt32(headerBytes - 4, 0, true);
        out.set(bytes.subarray(recordsStart, messageStart), at + headerBytes);
        writeHead(out, at + messageAfter, head);
        let to = at + bodyAfter;
        for (let i = 0; i < cuts.length; i += 2) {
          out.set(bytes.subarray(cuts[i]!, cuts[i + 1]!), to);
          to += cuts[i + 1]! - cuts[i]!;
        }
      },
    };
  };
}

function asItIs(bytes: Uint8Array): ProjectedBatch {
  return { empty: true, size: bytes.length, writeTo: (out, at) => out.set(bytes, at) };
}

function placesOf({ columns }: LiveSchema, positions: readonly number[]): Places {
  const text = `[${positions.join(", ")}]`;
  let before = -1;
  for (const position of positions) {
    if (position < before) throw refused(`The projection indexes should be in field order, but is ${text}`);
    if (position === before) {
      throw refused(`The projection indexes should not contain duplicated fields, but is ${text}`);
    }
    if (position >= columns.length) {
      throw refused(`Projected fields ${text} is out of bound for schema with ${columns.length} fields.`);
    }
    before = position;
  }
  const wanted = new Set(positions);
  const nodes: number[] = [];
  const buffers: number[] = [];
  let node = 0;
  let buffer = 0;
  columns.forEach(({ type }, i) => {
    const layout = arrowLayout(type);
    const nodesEnd = node + nodeCount(layout);
    const buffersEnd = buffer + bufferCount(layout);
    for (; node < nodesEnd; node++) if (wanted.has(i)) nodes.push(node);
    for (; buffer < buffersEnd; buffer++) if (wanted.has(i)) buffers.push(buffer);
  });
  return { nodes, buffers, nodeCount: node, bufferCount: buffer };
}

function refused(message: string): Error {
  return fault("SERVER.INVALID_COLUMN_PROJECTION", message);
}

/**
 * The new metadata, and what of `bytes` becomes the body: from and to, again and again.
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the message has other columns than its schema: nobody checked that
 */
function pick(bytes: Uint8Array, start: number, places: Places): { head: MessageHead; cuts: number[] } {
  const { headerType, header, bodyStart, bodyLength } = messageAt(bytes, start, bytes.length);
  if (headerType !== HEADER_RECORD_BATCH) throw corrupt(`an Arrow message of the type ${headerType}`);
  const allNodes = header.vector(1, ENTRY_BYTES);
  const allBuffers = header.vector(2, ENTRY_BYTES);
  if (allNodes.length !== places.nodeCount || allBuffers.length !== places.bufferCount) {
    throw corrupt(`an Arrow message of ${allNodes.length} columns and ${allBuffers.length} buffers`);
  }
  const nodes: number[] = [];
  for (const node of places.nodes) {
    const at = allNodes.start + node * ENTRY_BYTES;
    nodes.push(sizeAt(bytes, at), sizeAt(bytes, at + 8));
  }
  const buffers: number[] = [];
  const cuts: number[] = [];
  let length = 0;
  for (const buffer of places.buffers) {
    const at = allBuffers.start + buffer * ENTRY_BYTES;
    const from = sizeAt(bytes, at);
    // With its padding, up to the next buffer.
    const to = buffer + 1 < allBuffers.length ? sizeAt(bytes, at + ENTRY_BYTES) : bodyLength;
    if (to < from || to > bodyLength) throw corrupt(`buffer ${buffer} of an Arrow message is outside of its body`);
    buffers.push(length, sizeAt(bytes, at + 8));
    length += to - from;
    const last = cuts.length - 1;
    if (cuts[last] === bodyStart + from) cuts[last] = bodyStart + to;
    else cuts.push(bodyStart + from, bodyStart + to);
  }
  const head = { codec: codecOf(header.table(3)), length: header.size(0), nodes, buffers, bodyLength: length };
  return { head, cuts };
}
