/**
 * The compiled codecs of one table layout: rows and keys to bytes, value bytes to rows.
 *
 * @module
 */
import { bucketOf } from "../../format/bucketing.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import { compileKeyWriter, type KeyWriter } from "../../format/key_encoder.ts";
import { partitionValue } from "../../format/partition_name.ts";
import { compileRowWriter, compileValueReader, type RowWriter, type ValueReader } from "../../format/row_codec.ts";
import type { SchemaColumn, TableSchema } from "../../schema/data_type.ts";
import type { WriteVariant } from "../write/batch.ts";
import type { TableLayout } from "./layout.ts";

/** A row as users write it. */
export type Row = Readonly<Record<string, unknown>>;

/** How rows of one shape are written: which columns they carry, and the codec for it. */
export interface RowShape extends WriteVariant {
  readonly write: RowWriter;
}

/** An encoded row, and where it goes. The bytes are valid until the next row is encoded. */
export interface PlacedRow {
  /** Holds key and row. */
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly partition: string | undefined;
  readonly bucket: number;
}

const WHOLE_ROW_DELETE: WriteVariant = { key: "whole", targets: undefined };

/** See the module. */
export class TableCodec {
  readonly layout: TableLayout;
  /** The shape of a row with every column that can be written. */
  readonly fullShape: RowShape;
  /** How deletes are sent: together with whole rows. */
  readonly deletes: WriteVariant = WHOLE_ROW_DELETE;
  readonly #writeKey: KeyWriter;
  readonly #writeBucketKey: KeyWriter;
  readonly #shapes = new Map<string, RowShape>();
  readonly #readers = new Map<string, ValueReader>();
  readonly #out = new ByteWriter(1024);
  readonly #placed = {
    bytes: this.#out.bytes as Uint8Array,
    keyStart: 0,
    keyEnd: 0,
    rowStart: 0,
    rowEnd: 0,
    partition: undefined as string | undefined,
    bucket: 0,
  };

  constructor(layout: TableLayout) {
    this.layout = layout;
    this.#writeKey = compileKeyWriter(layout.keyColumns, layout.keyEncoding);
    this.#writeBucketKey = compileKeyWriter(layout.bucketColumns, layout.bucketEncoding);
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
   * Encodes the key and the row, and finds the bucket.
   *
   * @param shape how the row is written; undefined encodes a delete: the key alone
   * @throws ColumnError on the first value that does not fit
   */
  place(row: Row, shape: RowShape | undefined): PlacedRow {
    const out = this.#out;
    const placed = this.#placed;
    const { layout } = this;
    out.reset();
    placed.keyStart = 0;
    this.#writeKey(out, row);
    placed.keyEnd = placed.rowStart = out.position;
    shape?.write(out, row);
    placed.rowEnd = out.position;
    placed.partition = this.partitionOf(row);
    if (layout.bucketByKey) {
      placed.bucket = bucketOf(layout.bucketing, out.bytes, 0, placed.keyEnd, layout.buckets);
    } else {
      this.#writeBucketKey(out, row);
      placed.bucket = bucketOf(layout.bucketing, out.bytes, placed.rowEnd, out.position, layout.buckets);
    }
    placed.bytes = out.bytes;
    return placed;
  }

  /** Encodes the prefix of keys that a bucket key stands for. The prefix and the bucket key may be encoded differently. */
  placePrefix(prefix: Row): PlacedRow {
    const out = this.#out;
    const placed = this.#placed;
    const { layout } = this;
    out.reset();
    this.#prefixWriter ??= compileKeyWriter(layout.bucketColumns, layout.keyEncoding);
    this.#prefixWriter(out, prefix);
    placed.keyStart = 0;
    placed.keyEnd = placed.rowStart = placed.rowEnd = out.position;
    placed.partition = this.partitionOf(prefix);
    this.#writeBucketKey(out, prefix);
    placed.bucket = bucketOf(layout.bucketing, out.bytes, placed.rowEnd, out.position, layout.buckets);
    placed.bytes = out.bytes;
    return placed;
  }
  #prefixWriter: KeyWriter | undefined;

  /** The name of the row's partition; undefined when the table is not partitioned. */
  partitionOf(row: Row): string | undefined {
    const { partitionColumns } = this.layout;
    if (partitionColumns.length === 0) return undefined;
    if (partitionColumns.length === 1) return partitionValue(partitionColumns[0]!.type, row[partitionColumns[0]!.key]);
    return partitionColumns.map((column) => partitionValue(column.type, row[column.key])).join("$");
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
      // Columns of the live schema are typed by the declaration; those of other schemas are the same ones by id.
      const typed = stored.columns.map((column): SchemaColumn =>
        this.layout.stored.find((known) => known.id === column.id) ?? column
      );
      reader = compileValueReader(typed, this.wanted(selected), this.layout.rowFormat);
      // Selections are few in a program; one that makes them up as it goes must not grow the map for ever.
      if (this.#readers.size >= 1000) this.#readers.clear();
      this.#readers.set(key, reader);
    }
    return reader;
  }

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
    return { key: WHOLE_ROW_DELETE.key, targets: undefined, write };
  }

  #partialShape(targets: readonly number[]): RowShape {
    const write = compileRowWriter(this.layout.columns, this.layout.rowFormat, targets);
    return { key: `partial ${targets.join(",")}`, targets, write };
  }

  #mayBePartial(): boolean {
    const { stored, primaryKey } = this.layout;
    return this.layout.partialUpdates && stored.every((column, i) => column.type.nullable || primaryKey.includes(i));
  }
}
