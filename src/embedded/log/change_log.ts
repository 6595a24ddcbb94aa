/**
 * Change logs of primary-key tables: batches that the server makes of what a write did, in the table's log format
 * (Fluss: server/kv/wal).
 *
 * @module
 */
import { recordBatchMessage } from "../../format/arrow/message_writer.ts";
import { ByteReader } from "../../format/byte_reader.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import { compactedCell } from "../../format/compacted_row.ts";
import { LOG_BATCH_HEADER_BYTES, writeLogBatchHeader } from "../../format/log_batch.ts";
import { plainType } from "../../format/plain_type.ts";
import { compileRowWriter, compileValueReader, fieldOf, isSameField } from "../../format/row_codec.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { LiveSchema } from "../../schema/descriptor.ts";
import type { CatalogTable } from "../catalog/table.ts";
import { asFault, fault } from "../fault.ts";
import { type Cell, hasListedLength, type Move, storedCell, type StoredFormat } from "./stored_cells.ts";
import { compressionOf, kvFormatOf, logFormatOf } from "./table_formats.ts";

/** One batch of a change log, while records are added to it. */
export interface ChangeLogBuilder {
  /** How many records there are; record i will have the offset `baseOffset + i`. */
  readonly count: number;
  /**
   * Adds a record.
   *
   * @param change one of the `CHANGE_` constants of `format/log_decoder.ts`, not an append
   * @param schemaId the schema that the row was written with; columns of later schemas become null
   * @param bytes the row is `[start..end)`, in the table's KV format, without the schema id that values have in front;
   * it is copied
   * @throws {ServerFault} -1 when the bytes are no such row, or hold what the log format cannot. The builder is of no use
   * then
   */
  append(change: number, schemaId: number, bytes: Uint8Array, start: number, end: number): void;
  /**
   * The whole batch of the latest schema; without records one that holds nothing but its header. The builder cannot be
   * used any more. One that is not needed after all is just dropped.
   *
   * @param writerId the idempotent writer of the write, or -1
   * @param sequence the writer's number of the write, or -1
   * @returns for {@linkcode BucketLog.appendOwn}
   */
  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer>;
}

/** Begins a batch in the change log of a table as it is now. */
export function changeLogBuilder(table: CatalogTable): ChangeLogBuilder {
  let make = factories.get(table);
  if (make === undefined) factories.set(table, make = compile(table));
  return make();
}

/** Entries of the catalog are replaced when a table changes. */
const factories = new WeakMap<CatalogTable, () => ChangeLogBuilder>();

function compile(table: CatalogTable): () => ChangeLogBuilder {
  switch (logFormatOf(table)) {
    case "arrow": {
      const spare: ArrowColumns[] = [];
      return () => new ArrowChangeLog(table, spare.pop() ?? new ArrowColumns(table), spare);
    }
    case "compacted": {
      const copiers = new Map<number, RowCopier>();
      return () => new CompactedChangeLog(table, copiers);
    }
    case "indexed":
      return () => new IndexedChangeLog(table);
  }
}

/** The schema of a stored row; rows were checked when they came. */
function schemaOf(table: CatalogTable, schemaId: number): LiveSchema {
  const schema = table.schemas.get(schemaId);
  if (schema === undefined) throw fault("SERVER.UNKNOWN_SERVER_ERROR", `there is no schema ${schemaId}`);
  return schema;
}

function stamped(
  batch: Uint8Array<ArrayBuffer>,
  table: CatalogTable,
  recordCount: number,
  writerId: bigint,
  sequence: number,
): Uint8Array<ArrayBuffer> {
  const { schemaId } = table.live.schema;
  writeLogBatchHeader(batch, { magic: 0, schemaId, appendOnly: false, recordCount, writerId, sequence });
  return batch;
}

/** Moves the columns of a row, from the null bits on, to the place `at`. */
type RowMover = (source: ByteReader, at: number) => void;

/** The columns of the latest schema, and how rows of every schema get into them. */
class ArrowColumns {
  readonly cells: readonly Cell[];
  /** The change type of each record. */
  changes: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  readonly #table: CatalogTable;
  readonly #format: StoredFormat;
  readonly #movers = new Map<number, RowMover>();
  #capacity = 0;

  constructor(table: CatalogTable) {
    this.#table = table;
    this.#format = kvFormatOf(table);
    this.cells = table.live.schema.columns.map(({ type }) => storedCell(type, this.#format));
  }

  /** Makes room for the record at a place. */
  reserve(at: number): void {
    if (at < this.#capacity) return;
    for (const { column } of this.cells) column.reserve(at + 1);
    this.#capacity = this.cells.reduce((least, { column }) => Math.min(least, column.capacity), 2 ** 30);
    if (at >= this.changes.length) {
      const larger = new Uint8Array(this.#capacity);
      larger.set(this.changes);
      this.changes = larger;
    }
    this.#capacity = Math.min(this.#capacity, this.changes.length);
  }

  moverOf(schemaId: number): RowMover {
    let mover = this.#movers.get(schemaId);
    if (mover === undefined) this.#movers.set(schemaId, mover = this.#compile(schemaOf(this.#table, schemaId)));
    return mover;
  }

  /** Columns are only ever added, at the end: those of an older schema are the first ones of the latest. */
  #compile({ columns }: LiveSchema): RowMover {
    const { cells } = this;
    const latest = this.#table.live.schema.columns;
    const stored = columns.filter((column, i) => latest[i] !== undefined && isSameField(latest[i], column));
    if (stored.length !== columns.length) throw fault("SERVER.UNKNOWN_SERVER_ERROR", "columns have changed places");
    const moves: readonly Move[] = cells.map(({ move }) => move);
    const nullable = columns.map(({ type }) => type.nullable);
    const nullBytes = (columns.length + 7) >> 3;
    const lengths = this.#format === "indexed" ? 4 * columns.filter(({ type }) => hasListedLength(type)).length : 0;
    return (source, at) => {
      const { bytes } = source;
      const nulls = source.take(nullBytes);
      if (lengths > 0) source.lengths = source.take(lengths);
      for (let i = 0; i < nullable.length; i++) {
        // Servers do not look at the null bit of a NOT NULL column.
        if (nullable[i] && (bytes[nulls + (i >> 3)]! & (1 << (i & 7))) !== 0) cells[i]!.column.writeNull(at);
        else moves[i]!(source, at);
      }
      for (let i = nullable.length; i < cells.length; i++) cells[i]!.column.writeNull(at);
    };
  }
}

/** Sets of columns that wait for the next batch of a table. */
const SPARE_COLUMNS = 2;
/** Those of larger batches are let go. */
const SPARE_RECORDS = 1 << 16;

class ArrowChangeLog implements ChangeLogBuilder {
  count = 0;
  readonly #table: CatalogTable;
  readonly #columns: ArrowColumns;
  readonly #spare: ArrowColumns[];

  constructor(table: CatalogTable, columns: ArrowColumns, spare: ArrowColumns[]) {
    this.#table = table;
    this.#columns = columns;
    this.#spare = spare;
  }

  append(change: number, schemaId: number, bytes: Uint8Array, start: number, end: number): void {
    const at = this.count;
    const columns = this.#columns;
    columns.reserve(at);
    try {
      columns.moverOf(schemaId)(new ByteReader(bytes, start, end), at);
    } catch (error) {
      throw asFault(error);
    }
    columns.changes[at] = change;
    this.count = at + 1;
  }

  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    const { count } = this;
    const { cells, changes } = this.#columns;
    if (count === 0) return this.#done(new Uint8Array(LOG_BATCH_HEADER_BYTES), writerId, sequence);
    const raw = cells.map(({ column }) => column.raw(count));
    const message = recordBatchMessage(raw, count, compressionOf(this.#table));
    const batch = new Uint8Array(LOG_BATCH_HEADER_BYTES + count + message.size);
    batch.set(changes.subarray(0, count), LOG_BATCH_HEADER_BYTES);
    message.writeTo(batch, LOG_BATCH_HEADER_BYTES + count);
    return this.#done(batch, writerId, sequence);
  }

  #done(batch: Uint8Array<ArrayBuffer>, writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    const { count } = this;
    if (this.#spare.length < SPARE_COLUMNS && count <= SPARE_RECORDS) {
      for (const { column } of this.#columns.cells) column.cut(0);
      this.#spare.push(this.#columns);
    }
    return stamped(batch, this.#table, count, writerId, sequence);
  }
}

/** Writes a stored row as a compacted one of the latest schema. */
type RowCopier = (out: ByteWriter, bytes: Uint8Array, start: number, end: number) => void;

/** Length and change type in front of each row. */
const RECORD_HEADER_BYTES = 5;

class CompactedChangeLog implements ChangeLogBuilder {
  count = 0;
  readonly #table: CatalogTable;
  readonly #copiers: Map<number, RowCopier>;
  readonly #out = new ByteWriter(1024);

  constructor(table: CatalogTable, copiers: Map<number, RowCopier>) {
    this.#table = table;
    this.#copiers = copiers;
    this.#out.position = LOG_BATCH_HEADER_BYTES;
  }

  append(change: number, schemaId: number, bytes: Uint8Array, start: number, end: number): void {
    let copy = this.#copiers.get(schemaId);
    if (copy === undefined) {
      this.#copiers.set(schemaId, copy = rowCopier(this.#table, schemaOf(this.#table, schemaId)));
    }
    const out = this.#out;
    const record = out.position;
    out.writeZeros(RECORD_HEADER_BYTES);
    try {
      copy(out, bytes, start, end);
    } catch (error) {
      throw asFault(error);
    }
    out.view.setInt32(record, out.position - record - 4, true);
    out.bytes[record + 4] = change;
    this.count++;
  }

  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    const batch = this.#out.bytes.subarray(0, this.#out.position);
    return stamped(batch, this.#table, this.count, writerId, sequence);
  }
}

function rowCopier(table: CatalogTable, { columns }: LiveSchema): RowCopier {
  const latest = table.live.schema.columns;
  if (kvFormatOf(table) === "indexed") {
    const plain = (column: SchemaColumn): SchemaColumn => ({ ...column, type: plainType(column.type) });
    const wanted = latest.map(plain);
    const read = compileValueReader(columns.map(plain), wanted, "indexed");
    const write = compileRowWriter(wanted, "compacted");
    return (out, bytes, start, end) => write(out, read(bytes, start, end));
  }
  const nullBytes = (columns.length + 7) >> 3;
  const more = ((latest.length + 7) >> 3) - nullBytes;
  const skips = columns.map(({ type }) => {
    const plain = plainType(type);
    return compactedCell(fieldOf("compacted", plain, plain)).skip;
  });
  const nullable = columns.map(({ type }) => type.nullable);
  return (out, bytes, start, end) => {
    // Servers read every value, and write what they have read: bytes that are no row are refused, and those behind
    // a row are left out.
    const source = new ByteReader(bytes, start, end);
    source.take(nullBytes);
    const nulls = out.position;
    out.writeZeros(nullBytes + more);
    for (let i = 0; i < skips.length; i++) {
      const bit = 1 << (i & 7);
      if (nullable[i] && (bytes[start + (i >> 3)]! & bit) !== 0) out.bytes[nulls + (i >> 3)]! |= bit;
      else skips[i]!(source);
    }
    for (let i = skips.length; i < latest.length; i++) out.bytes[nulls + (i >> 3)]! |= 1 << (i & 7);
    out.writePart(bytes, start + nullBytes, source.position);
  };
}

/** Servers create such tables, and then fail every write to them (observed on 0.9.1, and newer). */
class IndexedChangeLog implements ChangeLogBuilder {
  readonly count = 0;
  readonly #table: CatalogTable;

  constructor(table: CatalogTable) {
    this.#table = table;
  }

  append(): void {
    throw fault("SERVER.UNKNOWN_SERVER_ERROR", "IndexWalBuilder requires the log row to be IndexedRow.");
  }

  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer> {
    return stamped(new Uint8Array(LOG_BATCH_HEADER_BYTES), this.#table, 0, writerId, sequence);
  }
}
