/**
 * The compiled codecs of one table layout: rows and keys to bytes, value bytes to rows.
 *
 * @module
 */
import { bucketOf } from "../../format/bucketing.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import { compileKeyWriter, type KeyWriter } from "../../format/key_encoder.ts";
import { compilePartitionName } from "../../format/partition_name.ts";
import { compileRowWriter, compileValueReader, type RowWriter, type ValueReader } from "../../format/row_codec.ts";
import type { SchemaColumn, TableSchema } from "../../schema/data_type.ts";
import { compileLogBuilder, type LogBatchBuilder, type LogFormatOptions } from "../../format/log_builder.ts";
import type { WriteVariant } from "../write/batch.ts";
import type { TableLayout } from "./layout.ts";

/** A row as users write it. */
export type Row = Readonly<Record<string, unknown>>;

/** How rows of one shape are written: which columns they carry, and the codec for it. */
export interface RowShape extends WriteVariant {
  readonly write: RowWriter;
}

/** An encoded key, and where its row is. The bytes are valid until the next key is encoded. */
export interface PlacedKey {
  /** The key is in `[0..end)`. */
  readonly bytes: Uint8Array;
  readonly end: number;
  readonly partition: string | undefined;
  readonly bucket: number;
}

const WHOLE_ROW_DELETE: WriteVariant = { kind: "put", key: "whole", targets: undefined };

/** How rows are appended to a log. */
export interface LogShape extends WriteVariant {
  /** The format of the table's log. */
  readonly format: LogFormatOptions;
  /** Begins a batch. */
  readonly begin: () => LogBatchBuilder;
}

/** No bucket key says where the row goes. */
export const ANY_BUCKET = -1;

/** See the module. */
export class TableCodec {
  readonly layout: TableLayout;
  /** The shape of a row with every column that can be written. */
  readonly fullShape: RowShape;
  /** How deletes are sent: together with whole rows. */
  readonly deletes: WriteVariant = WHOLE_ROW_DELETE;
  readonly #writeKey: KeyWriter;
  readonly #writeBucketKey: KeyWriter;
  #writePrefix: KeyWriter | undefined;
  /** Names the partition of a row; undefined when the table is not partitioned. */
  readonly #nameOf: ((row: Row) => string) | undefined;
  readonly #shapes = new Map<string, RowShape>();
  readonly #readers = new Map<string, ValueReader>();
  /** The live schema. */
  readonly #current: TableSchema;
  readonly #out = new ByteWriter(1024);
  readonly #placed: { -readonly [K in keyof PlacedKey]: PlacedKey[K] };

  constructor(layout: TableLayout) {
    this.layout = layout;
    this.#writeKey = compileKeyWriter(layout.keyColumns, layout.keyEncoding);
    this.#writeBucketKey = compileKeyWriter(layout.bucketColumns, layout.bucketEncoding);
    this.#nameOf = layout.partitionColumns.length === 0 ? undefined : compilePartitionName(layout.partitionColumns);
    this.#placed = { bytes: this.#out.bytes, end: 0, partition: undefined, bucket: 0 };
    this.#current = { schemaId: layout.schemaId, columns: layout.columns, primaryKey: [] };
    this.fullShape = this.#fullShape();
  }

  /**
   * The shape of a partial row.
   *
   * @param row its own keys say which columns it writes, besides the primary key
   */
  shapeOf(row: Row): RowShape {
    const { columns, primaryKey } = this.layout;
    let signature = "";
    for (let i = 0; i < columns.length; i++) if (Object.hasOwn(row, columns[i]!.key)) signature += `${i},`;
    let shape = this.#shapes.get(signature);
    if (shape === undefined) {
      const targets = columns.flatMap((column, i) =>
        Object.hasOwn(row, column.key) || primaryKey.includes(i) ? [i] : []
      );
      shape = this.#partialShape(targets);
      this.#shapes.set(signature, shape);
    }
    return shape;
  }

  /**
   * Encodes the key of a row, and finds its bucket and partition.
   *
   * @param row at least the key columns
   * @throws ColumnError on the first value that does not fit
   */
  place(row: Row): PlacedKey {
    return this.#place(row, this.#writeKey, this.layout.bucketByKey);
  }

  /**
   * Finds the partition of a row of a log table, and its bucket: {@linkcode ANY_BUCKET} when the table has no bucket key.
   *
   * @throws ColumnError on the first value that does not fit
   */
  placeInLog(row: Row): PlacedKey {
    const placed = this.#placed;
    const { bucketing, bucketColumns, buckets } = this.layout;
    if (bucketColumns.length === 0) placed.bucket = ANY_BUCKET;
    else {
      const out = this.#out;
      out.reset();
      this.#writeBucketKey(out, row);
      placed.bucket = bucketOf(bucketing, out.bytes, 0, out.position, buckets);
    }
    if (this.#nameOf !== undefined) placed.partition = this.#nameOf(row);
    return placed;
  }

  /** How rows are appended; for log tables. */
  get logShape(): LogShape {
    return this.#logShape ??= this.#compileLogShape();
  }
  #logShape: LogShape | undefined;

  #compileLogShape(): LogShape {
    const { columns, logFormat, compression, statistics, schemaId } = this.layout;
    const format: LogFormatOptions = { format: logFormat, compression, statistics };
    const begin = compileLogBuilder(columns, format);
    return { kind: "produce", key: "append", targets: undefined, format, begin: () => begin(schemaId) };
  }

  /**
   * Encodes the prefix that all keys with a bucket key share. It is encoded as keys are, which need not be the way in
   * which bucket keys are.
   */
  placePrefix(prefix: Row): PlacedKey {
    this.#writePrefix ??= compileKeyWriter(this.layout.bucketColumns, this.layout.keyEncoding);
    return this.#place(prefix, this.#writePrefix, this.layout.keyEncoding === this.layout.bucketEncoding);
  }

  #place(row: Row, writeKey: KeyWriter, bucketByKey: boolean): PlacedKey {
    const out = this.#out;
    const placed = this.#placed;
    const { bucketing, buckets } = this.layout;
    out.reset();
    writeKey(out, row);
    placed.end = out.position;
    if (bucketByKey) placed.bucket = bucketOf(bucketing, out.bytes, 0, placed.end, buckets);
    else {
      this.#writeBucketKey(out, row);
      placed.bucket = bucketOf(bucketing, out.bytes, placed.end, out.position, buckets);
    }
    placed.bytes = out.bytes;
    if (this.#nameOf !== undefined) placed.partition = this.#nameOf(row);
    return placed;
  }

  /**
   * The reader of stored values.
   *
   * @param stored the schema that the value was written with
   * @param selected keys of the columns to read; undefined reads all declared ones
   */
  reader(stored: TableSchema, selected: readonly string[] | undefined): ValueReader {
    const key = selected === undefined ? `${stored.schemaId}` : `${stored.schemaId} ${JSON.stringify(selected)}`;
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = compileValueReader(this.typed(stored), this.wanted(selected), this.layout.rowFormat);
      // Selections are few in a program; one that makes them up as it goes must not grow the map for ever.
      if (this.#readers.size >= 1000) this.#readers.clear();
      this.#readers.set(key, reader);
    }
    return reader;
  }

  /** The columns of any schema of the table. Those that the live one has too are typed by the declaration. */
  typed(stored: TableSchema): SchemaColumn[] {
    return stored.columns.map((column) => this.layout.stored.find((known) => known.id === column.id) ?? column);
  }

  /** The reader of values that were written with the live schema. */
  currentReader(selected: readonly string[] | undefined): ValueReader {
    if (selected !== undefined) return this.reader(this.#current, selected);
    return this.#wholeReader ??= this.reader(this.#current, undefined);
  }
  #wholeReader: ValueReader | undefined;

  /** The declared columns with these keys, in the order asked for. */
  wanted(selected: readonly string[] | undefined): readonly SchemaColumn[] {
    const { declared } = this.layout;
    if (selected === undefined) return declared;
    return selected.map((key) => declared.find((column) => column.key === key)!);
  }

  #fullShape(): RowShape {
    const { columns, declared, autoIncrement } = this.layout;
    const writable = columns.flatMap((_, i) => i === autoIncrement ? [] : [i]);
    if (autoIncrement >= 0) return this.#partialShape(writable);
    const known = columns.flatMap((column, i) => declared.some((own) => own.name === column.name) ? [i] : []);
    // The live table has columns that the declaration does not know. Whole rows would erase them.
    if (known.length < columns.length && this.#mayBePartial()) return this.#partialShape(known);
    const write = compileRowWriter(columns, this.layout.rowFormat);
    return { ...WHOLE_ROW_DELETE, write };
  }

  #partialShape(targets: readonly number[]): RowShape {
    const write = compileRowWriter(this.layout.columns, this.layout.rowFormat, targets);
    return { kind: "put", key: `partial ${targets.join(",")}`, targets, write };
  }

  #mayBePartial(): boolean {
    const { stored, primaryKey } = this.layout;
    return this.layout.partialUpdates && stored.every((column, i) => column.type.nullable || primaryKey.includes(i));
  }
}
