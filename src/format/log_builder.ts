/**
 * Log batches of appended rows, in the log format of the table (Fluss: MemoryLogRecordsArrowBuilder.java,
 * MemoryLogRecordsRowBuilder.java). Clients do nothing but append: no batch here has change types.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { bareTypeText, type SchemaColumn } from "../schema/data_type.ts";
import { type ColumnsBuilder, compileColumnsBuilder } from "./arrow/builder.ts";
import { type BodyCompression, recordBatchMessage } from "./arrow/message_writer.ts";
import { refuseNulls } from "./arrow/null_check.ts";
import type { RawColumn } from "./arrow/raw_column.ts";
import { ByteWriter } from "./byte_writer.ts";
import type { Columns } from "./columns.ts";
import { LOG_BATCH_HEADER_BYTES, STATISTICS_HEADER_BYTES, writeLogBatchHeader } from "./log_batch.ts";
import type { LogFormat } from "./log_decoder.ts";
import { compileStatistics, type StatisticsWriter } from "./log_statistics.ts";
import { compileRowWriter, type RowWriter } from "./row_codec.ts";

/** How batches of a table are written. */
export interface LogFormatOptions {
  /** `table.log.format`. */
  readonly format: LogFormat;
  /**
   * `table.log.arrow.compression.*`. It must be the table's own: servers take any other, but a reader that asks for some
   * of the columns could not read the batch. The row formats are never compressed.
   */
  readonly compression: BodyCompression;
  /**
   * The columns that have statistics, by position; with them batches have the version 1, which servers of 0.9.1 read as
   * something else. ARROW only. Default: none
   */
  readonly statistics?: readonly number[];
}

/** A log batch whose rows are all there. */
export interface EncodedLogBatch {
  /** The schema of the rows. */
  readonly schemaId: number;
  /** How many rows there are. */
  readonly count: number;
  /** About how many bytes the batch takes, before compression. */
  readonly size: number;
  /**
   * Compresses and lays out the batch, once: with another writer or sequence only the header changes. No row can be
   * appended afterwards.
   *
   * @param writerId the idempotent writer, or -1
   * @param sequence the writer's number of the batch, or -1
   * @returns the batch's own bytes; they change with the next call
   */
  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer>;
}

/** A log batch that grows row by row. */
export interface LogBatchBuilder extends EncodedLogBatch {
  /**
   * Appends a row, an object by column key. A row that is refused leaves nothing behind.
   *
   * @throws {ColumnError} as a row writer (`compileRowWriter`) does
   */
  append(row: Readonly<Record<string, unknown>>): void;
  /** Takes the row that was appended last out again; once per row. */
  dropLast(): void;
}

/** Begins a batch of rows with a schema id. */
export type LogBatchFactory = (schemaId: number) => LogBatchBuilder;

/** Sets of column buffers that wait for the next batch of the table. */
const SPARE_BUILDERS = 2;
/** Larger ones are let go: a batch of this size was an exception. */
const SPARE_BYTES = 8 * 2 ** 20;

/** Length and attributes of a row in the row formats. */
const RECORD_OVERHEAD = 5;

/**
 * Compiles what begins the batches of a table.
 *
 * @param columns all columns of the live schema, in its order
 * @param options the table's
 */
export function compileLogBuilder(columns: readonly SchemaColumn[], options: LogFormatOptions): LogBatchFactory {
  if (options.format !== "arrow") {
    const writeRow = compileRowWriter(columns, options.format);
    return (schemaId) => new RowLogBuilder(schemaId, writeRow);
  }
  const layout = batchLayout(columns, options);
  const make = compileColumnsBuilder(columns);
  const spare: ColumnsBuilder[] = [];
  const giveBack = (builder: ColumnsBuilder): void => {
    if (spare.length === SPARE_BUILDERS || builder.size > SPARE_BYTES) return;
    builder.cut(0);
    spare.push(builder);
  };
  return (schemaId) => new ArrowLogBuilder(schemaId, spare.pop() ?? make(), layout, giveBack);
}

/**
 * Makes a batch of rows that are columns already. In the ARROW format their buffers are sent as they are.
 *
 * @param columns all columns of the live schema, in its order
 * @param rows the same columns; of nobody else until the batch was finished
 * @param options the table's
 * @param schemaId the schema of `columns`
 * @throws {FlussError} SCHEMA.DRIFT when the rows have other columns; CODEC.NULL for null in a NOT NULL column
 */
export function encodeLogBatch(
  columns: readonly SchemaColumn[],
  rows: Columns,
  options: LogFormatOptions,
  schemaId: number,
): EncodedLogBatch {
  checkColumns(columns, rows);
  const raw = rows.columns.map((column) => column.raw);
  if (options.format !== "arrow" || raw.includes(undefined)) {
    const builder = factoryOf(columns, options)(schemaId);
    for (const row of rows.rows()) builder.append(row);
    return builder;
  }
  const arrow = raw as RawColumn[];
  columns.forEach((column, i) => refuseNulls(column, arrow[i]!));
  const layout = batchLayout(columns, options);
  let bytes: Laid | undefined;
  return {
    schemaId,
    count: rows.length,
    size: layout.overhead + arrow.reduce((sum, column) => sum + rawSize(column), 0),
    finish(writerId, sequence) {
      bytes ??= layout.lay(arrow, rows.length);
      return stamped(bytes, schemaId, rows.length, writerId, sequence);
    },
  };
}

/** Factories of tables whose Arrow input has to go through rows. */
const factories = new WeakMap<readonly SchemaColumn[], { options: LogFormatOptions; make: LogBatchFactory }>();

function factoryOf(columns: readonly SchemaColumn[], options: LogFormatOptions): LogBatchFactory {
  let known = factories.get(columns);
  if (known?.options !== options) {
    known = { options, make: compileLogBuilder(columns, options) };
    factories.set(columns, known);
  }
  return known.make;
}

function checkColumns(columns: readonly SchemaColumn[], rows: Columns): void {
  const expected = columns.map((column) => bareTypeText(column.type));
  const found = rows.schema.map((column) => bareTypeText(column.type));
  for (let i = 0; i < Math.max(expected.length, found.length); i++) {
    if (expected[i] === found[i]) continue;
    const name = columns[i]?.name ?? rows.schema[i]!.name;
    throw flussError("SCHEMA.DRIFT", {
      message: `column ${JSON.stringify(name)} is ${expected[i] ?? "not there"} in the table and ` +
        `${found[i] ?? "missing"} in the rows`,
    });
  }
}

/** A whole batch without its header. */
interface Laid {
  readonly batch: Uint8Array<ArrayBuffer>;
  readonly magic: 0 | 1;
  readonly statisticsLength: number;
}

/** What the batches of an ARROW table have in common. */
interface BatchLayout {
  /** The bytes of a batch beyond its buffers, about. */
  readonly overhead: number;
  lay(raw: readonly RawColumn[], count: number): Laid;
}

function batchLayout(columns: readonly SchemaColumn[], options: LogFormatOptions): BatchLayout {
  const { statistics = [], compression } = options;
  const writeStatistics: StatisticsWriter | undefined = statistics.length === 0
    ? undefined
    : compileStatistics(columns, statistics);
  return {
    // A node and about two buffers per column, and their padding.
    overhead: STATISTICS_HEADER_BYTES + 96 + columns.length * 64,
    lay(raw, count) {
      const block = writeStatistics?.(raw);
      const start = block === undefined ? LOG_BATCH_HEADER_BYTES : STATISTICS_HEADER_BYTES + block.length;
      const message = recordBatchMessage(raw, count, compression);
      const batch = new Uint8Array(start + message.size);
      if (block !== undefined) batch.set(block, STATISTICS_HEADER_BYTES);
      message.writeTo(batch, start);
      return { batch, magic: block === undefined ? 0 : 1, statisticsLength: block?.length ?? 0 };
    },
  };
}

function stamped(
  laid: Laid,
  schemaId: number,
  recordCount: number,
  writerId: bigint,
  sequence: number,
): Uint8Array<ArrayBuffer> {
  const { batch, magic, statisticsLength } = laid;
  writeLogBatchHeader(batch, {
    magic,
    schemaId,
    appendOnly: true,
    recordCount,
    writerId,
    sequence,
    statisticsLength,
  });
  return batch;
}

function rawSize(column: RawColumn): number {
  const own = ((column.length + 7) >> 3) + (column.offsets?.byteLength ?? 0) + (column.data?.length ?? 0);
  return column.children.reduce((sum, child) => sum + rawSize(child), own);
}

class ArrowLogBuilder implements LogBatchBuilder {
  readonly schemaId: number;
  readonly #layout: BatchLayout;
  readonly #giveBack: (builder: ColumnsBuilder) => void;
  /** Gone once the batch is laid out: another batch uses the buffers. */
  #columns: ColumnsBuilder | undefined;
  #laid: Laid | undefined;
  #count = 0;
  #size = 0;

  constructor(
    schemaId: number,
    columns: ColumnsBuilder,
    layout: BatchLayout,
    giveBack: (builder: ColumnsBuilder) => void,
  ) {
    this.schemaId = schemaId;
    this.#columns = columns;
    this.#layout = layout;
    this.#giveBack = giveBack;
  }

  get count(): number {
    return this.#columns === undefined ? this.#count : this.#columns.count;
  }

  get size(): number {
    return this.#columns === undefined ? this.#size : this.#layout.overhead + this.#columns.size;
  }

  append(row: Readonly<Record<string, unknown>>): void {
    this.#open().append(row);
  }

  dropLast(): void {
    const columns = this.#open();
    columns.cut(columns.count - 1);
  }

  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    if (this.#laid === undefined) {
      const columns = this.#open();
      this.#laid = this.#layout.lay(columns.raw(), columns.count);
      this.#count = columns.count;
      this.#size = this.size;
      this.#columns = undefined;
      this.#giveBack(columns);
    }
    return stamped(this.#laid, this.schemaId, this.#count, writerId, sequence);
  }

  #open(): ColumnsBuilder {
    if (this.#columns === undefined) throw new TypeError("the log batch is finished");
    return this.#columns;
  }
}

/** Records one after the other: a length, an attribute byte that says "append", a row (Fluss: IndexedLogRecord.java). */
class RowLogBuilder implements LogBatchBuilder {
  readonly schemaId: number;
  readonly #writeRow: RowWriter;
  readonly #out = new ByteWriter(1024);
  #count = 0;
  #last = LOG_BATCH_HEADER_BYTES;

  constructor(schemaId: number, writeRow: RowWriter) {
    this.schemaId = schemaId;
    this.#writeRow = writeRow;
    this.#out.position = LOG_BATCH_HEADER_BYTES;
  }

  get count(): number {
    return this.#count;
  }

  get size(): number {
    return this.#out.position;
  }

  append(row: Readonly<Record<string, unknown>>): void {
    const out = this.#out;
    const record = out.position;
    try {
      out.writeZeros(RECORD_OVERHEAD);
      this.#writeRow(out, row);
    } catch (error) {
      out.position = record;
      throw error;
    }
    out.view.setInt32(record, out.position - record - 4, true);
    this.#last = record;
    this.#count++;
  }

  dropLast(): void {
    this.#out.position = this.#last;
    this.#count--;
  }

  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    const batch = this.#out.bytes.subarray(0, this.#out.position);
    return stamped({ batch, magic: 0, statisticsLength: 0 }, this.schemaId, this.#count, writerId, sequence);
  }
}
