/**
 * Appending columns: Arrow IPC and batches of scans, split by buckets and sent without becoming rows.
 *
 * @module
 */
import { bareMessage, FlussError, flussError } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import type { BoundTable, TableBinding } from "../client/table/bound_table.ts";
import { namedError } from "../client/table/row_text.ts";
import { ANY_BUCKET } from "../client/table/table_codec.ts";
import type { WriteBatch, WriteReceipt } from "../client/write/batch.ts";
import { arrowColumns, sliceRows, takeRows } from "../format/arrow/arrow_column.ts";
import { IpcReader } from "../format/arrow/ipc_reader.ts";
import type { Columns } from "../format/columns.ts";
import { encodeLogBatch } from "../format/log_builder.ts";
import { rowColumns } from "../format/row_columns.ts";
import type { SchemaColumn } from "../schema/data_type.ts";
import { type ColumnBatch, columnsOf } from "./column_batch.ts";
import { endingWith, unlessAborted } from "./abortable.ts";

/** Columns to append, in one piece. */
export type ArrowPiece = Uint8Array | ColumnBatch<unknown>;

/**
 * What `appendBatches` takes: Arrow IPC as bytes or as a stream of bytes cut anywhere, a batch of a scan, or several of
 * these. Each `Uint8Array` of an iterable is a whole IPC stream (or file).
 */
export type ArrowSource = ArrowPiece | ReadableStream<Uint8Array> | Iterable<ArrowPiece> | AsyncIterable<ArrowPiece>;

/** What became of appended columns. */
export interface AppendReceipt {
  /** The rows that were appended. */
  readonly rows: number;
  /** One for every log batch that was written, in no order across buckets. */
  readonly receipts: readonly WriteReceipt[];
}

/** How far a bulk write runs ahead of the server. */
const AHEAD_BYTES = 16 << 20;

/** See {@linkcode ArrowSource}. */
export async function appendBatches(
  client: FlussClient,
  binding: TableBinding,
  source: ArrowSource,
  options: CallOptions = {},
): Promise<AppendReceipt> {
  const closed = client.closedError;
  if (closed !== undefined) throw closed;
  const bound = await binding.find(client.cluster.deadline(options));
  const append = new ArrowAppend(client, binding, bound, options);
  try {
    await append.takeAll(source);
    return await append.finish();
  } catch (error) {
    throw append.told(error);
  }
}

/** One call of `appendBatches`. */
class ArrowAppend {
  readonly #client: FlussClient;
  readonly #binding: TableBinding;
  readonly #bound: BoundTable;
  readonly #columns: readonly SchemaColumn[];
  readonly #options: CallOptions;
  readonly #open = new Set<WriteBatch>();
  readonly #receipts: WriteReceipt[] = [];
  readonly #picked = new WeakMap<readonly SchemaColumn[], Map<string, readonly SchemaColumn[]>>();
  #acked = 0;
  #rows = 0;
  #failure: unknown;

  constructor(client: FlussClient, binding: TableBinding, bound: BoundTable, options: CallOptions) {
    this.#client = client;
    this.#binding = binding;
    this.#bound = bound;
    this.#columns = bound.codec.layout.columns;
    this.#options = options;
  }

  async takeAll(source: ArrowSource): Promise<void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    if (isPiece(source)) await this.#takePiece(source);
    else if (source instanceof ReadableStream) {
      const reader = new IpcReader(this.#columns);
      for await (const chunk of endingWith(chunksOf(source), signal)) await this.#takeBytes(reader, chunk);
      reader.end();
    } else if (Symbol.asyncIterator in source) {
      for await (const piece of endingWith(source, signal)) await this.#takePiece(piece);
    } else {
      for (const piece of source) await this.#takePiece(piece);
    }
  }

  async finish(): Promise<AppendReceipt> {
    const { signal } = this.#options;
    const { writer, requestTimeoutMs } = this.#client.options;
    const timeoutMs = this.#options.timeoutMs ?? writer.deliveryTimeoutMs + requestTimeoutMs;
    const deadline = this.#client.cluster.deadline({ signal, timeoutMs });
    await deadline.wait(Promise.all([...this.#open].map((batch) => batch.settled())), "appending");
    if (this.#failure !== undefined) throw this.#failure;
    return { rows: this.#rows, receipts: this.#receipts };
  }

  /** The error with the table's name, and with how far the call came. What is on its way may still be written. */
  told(error: unknown): unknown {
    if (!FlussError.is(error) || (this.#rows === 0 && error.table !== undefined)) return error;
    const table = this.#binding.name;
    const { code, column, hint } = error;
    const progress = this.#rows === 0 ? "" : `; of the rows before it, ${this.#acked} were acknowledged and ` +
      `${this.#rows - this.#acked} more were on their way`;
    return flussError(code, {
      table,
      ...(column === undefined ? {} : { column }),
      ...(hint === undefined ? {} : { hint }),
      message: bareMessage(error) + progress,
      cause: error,
    });
  }

  async #takePiece(piece: ArrowPiece): Promise<void> {
    if (piece instanceof Uint8Array) {
      const reader = new IpcReader(this.#columns);
      await this.#takeBytes(reader, piece);
      reader.end();
      return;
    }
    const columns = columnsOf(piece);
    if (columns === undefined) {
      throw flussError("ARROW.NOT_SUPPORTED", {
        table: this.#binding.name,
        message: "appendBatches() takes Arrow IPC bytes, a stream of them, batches of a scan, or several of these",
        hint: 'for values of apache-arrow there is appendArrow() in "sluice/arrow"',
      });
    }
    await this.#take(this.#arranged(columns));
  }

  async #takeBytes(reader: IpcReader, chunk: Uint8Array): Promise<void> {
    for (const batch of reader.push(chunk)) await this.#take(batch);
  }

  /** The columns of a batch that was read, in the order of this table. */
  #arranged(found: Columns): Columns {
    const missing = this.#columns.filter((column) => !found.schema.some(({ key }) => key === column.key));
    const extra = found.schema.filter(({ key }) => !this.#columns.some((column) => column.key === key));
    if (missing.length > 0 || extra.length > 0) {
      throw flussError("ARROW.SCHEMA_MISMATCH", {
        table: this.#binding.name,
        message: `the batch has the columns ${found.schema.map(({ key }) => key).join(", ")}, and the table ` +
          this.#columns.map(({ key }) => key).join(", "),
        hint: "append batches with all columns of the table and no others",
      });
    }
    return this.#pick(found, this.#columns);
  }

  /** Queues the rows of a batch, and waits while there is no room. */
  async #take(rows: Columns): Promise<void> {
    for (const { partition, bucket, rows: part } of this.#split(rows)) {
      for (const piece of inPieces(part, this.#client.writer.limits.batchBytes)) {
        await this.#room();
        this.#send(partition, bucket, piece);
      }
    }
  }

  #send(partition: string | undefined, bucket: number, rows: Columns): void {
    const { codec: { layout, logShape } } = this.#bound;
    const encoded = encodeLogBatch(layout.columns, rows, logShape.format, layout.schemaId);
    // Laid out at once: the columns may be views of bytes that are the caller's again when this call goes on.
    encoded.finish(-1n, -1);
    const batch = this.#client.writer.appendBatch(this.#bound, partition, bucket, encoded);
    this.#rows += rows.length;
    this.#open.add(batch);
    batch.outcome().then((receipt) => {
      this.#open.delete(batch);
      this.#acked += batch.rows;
      this.#receipts.push(receipt);
    }, (error: unknown) => {
      this.#open.delete(batch);
      this.#failure ??= error;
    });
  }

  async #room(): Promise<void> {
    const { writer } = this.#client;
    const { signal } = this.#options;
    signal?.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const most = Math.min(AHEAD_BYTES, writer.limits.maxBytes / 2);
    if (writer.queuedBytes > most) await unlessAborted(writer.belowBytes(most / 2), signal);
    if (this.#failure !== undefined) throw this.#failure;
    const closed = this.#client.closedError;
    if (closed !== undefined) throw closed;
  }

  /** Some columns, in another order. */
  #pick(rows: Columns, wanted: readonly SchemaColumn[]): Columns {
    const places = wanted.map(({ key }) => rows.schema.findIndex((column) => column.key === key));
    // What is compiled for a schema hangs on its array, so the same choice has to be the same array.
    let choices = this.#picked.get(rows.schema);
    if (choices === undefined) this.#picked.set(rows.schema, choices = new Map());
    const name = places.join(",");
    let schema = choices.get(name);
    if (schema === undefined) choices.set(name, schema = places.map((place) => rows.schema[place]!));
    const raw = places.map((place) => rows.columns[place]!.raw);
    if (raw.every((column) => column !== undefined)) return arrowColumns(schema, raw, rows.length);
    return rowColumns(schema, [...rows.rows()]);
  }

  /** The rows by partition and bucket, those of one bucket in their order. */
  #split(rows: Columns): { partition: string | undefined; bucket: number; rows: Columns }[] {
    const { codec } = this.#bound;
    const { bucketColumns, partitionColumns } = codec.layout;
    const placing = [...new Set([...bucketColumns, ...partitionColumns])];
    if (rows.length === 0) return [];
    if (placing.length === 0) return [{ partition: undefined, bucket: ANY_BUCKET, rows }];
    const keys = this.#pick(rows, placing);
    const groups = new Map<string, { partition: string | undefined; bucket: number; indices: number[] }>();
    for (let i = 0; i < rows.length; i++) {
      const key = keys.row(i);
      let placed;
      try {
        placed = codec.placeInLog(key);
      } catch (error) {
        throw namedError(error, this.#binding.name, this.#binding.definition, key);
      }
      const { partition, bucket } = placed;
      const name = `${bucket} ${partition ?? ""}`;
      const group = groups.get(name);
      if (group === undefined) groups.set(name, { partition, bucket, indices: [i] });
      else group.indices.push(i);
    }
    return [...groups.values()].map(({ partition, bucket, indices }) => ({
      partition,
      bucket,
      rows: indices.length === rows.length ? rows : takeRows(rows, Int32Array.from(indices)),
    }));
  }
}

function isPiece(source: ArrowSource): source is ArrowPiece {
  return source instanceof Uint8Array || columnsOf(source) !== undefined;
}

/** Rows in pieces of about so many bytes. */
function* inPieces(rows: Columns, bytes: number): Generator<Columns> {
  const size = rows.columns.reduce((sum, { raw }) => sum + (raw === undefined ? 16 * rows.length : rawBytes(raw)), 0);
  const pieces = Math.ceil(size / bytes);
  if (pieces <= 1) return yield rows;
  const each = Math.max(1, Math.ceil(rows.length / pieces));
  for (let from = 0; from < rows.length; from += each) {
    yield sliceRows(rows, from, Math.min(rows.length, from + each));
  }
}

function rawBytes(raw: NonNullable<Columns["columns"][number]["raw"]>): number {
  const own = (raw.data?.length ?? 0) + (raw.offsets?.byteLength ?? 0);
  return raw.children.reduce((sum, child) => sum + rawBytes(child), own);
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let ended = false;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
