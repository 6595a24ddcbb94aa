/**
 * Reads Arrow IPC for a table: the stream format in pieces of any size, and the file format, which is a stream with a
 * frame around it. A file whose schema is in its footer alone has to come in one piece.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import { int32At } from "../byte_reader.ts";
import type { Columns } from "../columns.ts";
import { corrupt } from "../corrupt.ts";
import { arrowColumns } from "./arrow_column.ts";
import { FlatTable } from "./flatbuffer_reader.ts";
import { bindSchema, type IpcBinding } from "./ipc_schema.ts";
import {
  type ArrowMessage,
  BATCH_LIMITS,
  type BatchLimits,
  HEADER_DICTIONARY_BATCH,
  HEADER_RECORD_BATCH,
  HEADER_SCHEMA,
  messageAt,
  readMetadata,
  readRecordBatch,
} from "./message_reader.ts";
import type { RawColumn } from "./raw_column.ts";
import { refuseNulls } from "./null_check.ts";
import { readSchema } from "./schema_message.ts";
import { refuseValues } from "./value_check.ts";

const CONTINUATION = -1;
/** Continuation mark and size of the metadata. */
const PREFIX_BYTES = 8;
/** `ARROW1`, and two bytes of padding at the beginning. */
const FILE_MAGIC = [65, 82, 82, 79, 87, 49];
/** Behind the footer of a file: its length, and the magic again. */
const FILE_END_BYTES = 10;

/**
 * Takes a stream apart. Every batch is checked when it is read: its schema once, then its buffers, nulls and values.
 */
export class IpcReader {
  readonly #columns: readonly SchemaColumn[];
  readonly #limits: BatchLimits;
  #state: "start" | "messages" | "end" = "start";
  #isFile = false;
  #binding: IpcBinding | undefined;
  #fromFooter = false;
  readonly #dictionaries = new Map<number, RawColumn>();
  /** One message that is not yet there as a whole: the first `#held` bytes. */
  #partial: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #held = 0;

  /**
   * @param columns the columns of the table, in its order; batches have the same
   * @param limits what a batch may have at most
   */
  constructor(columns: readonly SchemaColumn[], limits: BatchLimits = BATCH_LIMITS) {
    this.#columns = columns;
    this.#limits = limits;
  }

  /**
   * Reads the batches that are complete with these bytes. Take them all before the next call.
   *
   * @param chunk the next bytes; the batches may be views of them
   * @throws {FlussError} ARROW.SCHEMA_MISMATCH, ARROW.NOT_SUPPORTED, CODEC.NULL, CODEC.OUT_OF_RANGE, or
   * CODEC.CORRUPT_BATCH when the bytes are no such stream
   */
  *push(chunk: Uint8Array): Generator<Columns, void, undefined> {
    let at = 0;
    if (this.#state === "start" && this.#held === 0 && isWholeFile(chunk)) this.#readFooter(chunk);
    while (at < chunk.length && this.#state !== "end") {
      if (this.#held === 0) {
        const need = this.#needed(chunk, at, chunk.length);
        if (need <= chunk.length - at) {
          const batch = this.#take(chunk, at, at + need);
          at += need;
          if (batch !== undefined) yield batch;
          continue;
        }
      }
      // What is claimed is reserved only as it comes.
      const need = this.#needed(this.#partial, 0, this.#held);
      const more = Math.min(need - this.#held, chunk.length - at);
      this.#hold(chunk, at, more);
      at += more;
      if (this.#held < need || this.#needed(this.#partial, 0, this.#held) > this.#held) continue;
      const whole = this.#partial.subarray(0, this.#held);
      this.#partial = new Uint8Array(0);
      this.#held = 0;
      const batch = this.#take(whole, 0, whole.length);
      if (batch !== undefined) yield batch;
    }
    if (at < chunk.length && !this.#isFile) {
      throw corrupt(`${chunk.length - at} bytes follow the end of the Arrow stream`);
    }
  }

  /**
   * Says that no more bytes come.
   *
   * @throws {FlussError} CODEC.CORRUPT_BATCH when they end within a message or before the schema
   */
  end(): void {
    if (this.#held > 0) throw corrupt(`the Arrow stream ends after ${this.#held} bytes of a message`);
    if (this.#binding === undefined) throw corrupt("the Arrow stream has no schema");
  }

  /** Some writers of files put the schema nowhere else (apache-arrow for JavaScript). */
  #readFooter(file: Uint8Array): void {
    const end = file.length - FILE_END_BYTES;
    const length = int32At(file, end);
    if (length <= 0 || length > end - PREFIX_BYTES) throw corrupt(`an Arrow file claims a footer of ${length} bytes`);
    const schema = FlatTable.root(file, end - length, end).table(1);
    if (schema === undefined) throw corrupt("the footer of an Arrow file has no schema");
    this.#binding = bindSchema(this.#columns, readSchema(schema));
    this.#fromFooter = true;
  }

  /** How many bytes the item at `start` takes, as far as can be said with those that are there. */
  #needed(bytes: Uint8Array, start: number, end: number): number {
    const have = end - start;
    if (have < PREFIX_BYTES) return PREFIX_BYTES;
    if (this.#state === "start" && FILE_MAGIC.every((byte, i) => bytes[start + i] === byte)) return PREFIX_BYTES;
    if (int32At(bytes, start) !== CONTINUATION) {
      throw corrupt(
        this.#state === "start"
          ? "the bytes are no Arrow IPC stream and no Arrow IPC file"
          : "an Arrow message does not begin with a continuation mark",
      );
    }
    const metadata = int32At(bytes, start + 4);
    if (metadata < 0 || metadata > this.#limits.maxBytes) {
      throw corrupt(`an Arrow message claims ${metadata} bytes of metadata`);
    }
    const bodyStart = PREFIX_BYTES + metadata;
    if (metadata === 0 || have < bodyStart) return bodyStart;
    const { bodyLength } = readMetadata(bytes, start + PREFIX_BYTES, start + bodyStart);
    if (bodyLength > this.#limits.maxBytes) {
      throw corrupt(`an Arrow message claims a body of ${bodyLength} bytes, and ${this.#limits.maxBytes} are taken`);
    }
    return bodyStart + bodyLength;
  }

  /** Takes a whole item. */
  #take(bytes: Uint8Array, start: number, end: number): Columns | undefined {
    if (int32At(bytes, start) !== CONTINUATION) {
      this.#state = "messages";
      this.#isFile = true;
      return undefined;
    }
    if (end - start === PREFIX_BYTES) {
      this.#state = "end";
      return undefined;
    }
    this.#state = "messages";
    const message = messageAt(bytes, start, end);
    switch (message.headerType) {
      case HEADER_SCHEMA:
        if (this.#fromFooter) return undefined;
        if (this.#binding !== undefined) throw corrupt("the Arrow stream has a second schema");
        this.#binding = bindSchema(this.#columns, readSchema(message.header));
        return undefined;
      case HEADER_RECORD_BATCH: {
        const binding = this.#binding;
        if (binding === undefined) throw schemaless(this.#isFile);
        const batch = readRecordBatch(bytes, message, { layouts: binding.layouts, limits: this.#limits });
        // All of them were asked for.
        const { maxBytes } = this.#limits;
        const raw = binding.arrange(batch.columns.map((column) => column!), { values: this.#dictionaries, maxBytes });
        this.#columns.forEach((column, i) => {
          refuseNulls(column, raw[i]!);
          refuseValues(column, raw[i]!);
        });
        return arrowColumns(this.#columns, raw, batch.length);
      }
      case HEADER_DICTIONARY_BATCH:
        this.#readDictionary(bytes, message);
        return undefined;
      default:
        throw flussError("ARROW.NOT_SUPPORTED", {
          message: `the Arrow stream has a message of the type ${message.headerType}`,
        });
    }
  }

  #readDictionary(bytes: Uint8Array, message: ArrowMessage): void {
    const id = message.header.size(0);
    const header = message.header.table(1);
    const layout = this.#binding?.dictionaries.get(id);
    if (header === undefined || layout === undefined) {
      throw corrupt(`dictionary ${id} of the Arrow stream is not in its schema`);
    }
    if (message.header.boolean(2)) {
      throw flussError("ARROW.NOT_SUPPORTED", {
        message: "the Arrow stream adds to a dictionary",
        hint: "write one whole dictionary, or plain values",
      });
    }
    const batch = { ...message, headerType: HEADER_RECORD_BATCH, header };
    const { columns } = readRecordBatch(bytes, batch, { layouts: [layout], limits: this.#limits });
    this.#dictionaries.set(id, columns[0]!);
  }

  #hold(chunk: Uint8Array, at: number, count: number): void {
    const size = this.#held + count;
    if (size > this.#partial.length) {
      const grown = new Uint8Array(Math.max(size, Math.min(this.#partial.length * 2, this.#limits.maxBytes)));
      grown.set(this.#partial.subarray(0, this.#held));
      this.#partial = grown;
    }
    this.#partial.set(chunk.subarray(at, at + count), this.#held);
    this.#held = size;
  }
}

function isWholeFile(bytes: Uint8Array): boolean {
  return bytes.length >= PREFIX_BYTES + FILE_END_BYTES &&
    FILE_MAGIC.every((byte, i) => bytes[i] === byte && bytes[bytes.length - FILE_MAGIC.length + i] === byte);
}

function schemaless(isFile: boolean): Error {
  return isFile
    ? flussError("ARROW.NOT_SUPPORTED", {
      message: "the Arrow file has its schema at the end",
      hint: "pass all bytes of the file at once, or write a stream instead of a file",
    })
    : corrupt("the Arrow stream does not begin with a schema");
}
