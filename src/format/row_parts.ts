/**
 * Rows taken apart into the bytes of their values, and put together again, without looking at what the bytes mean: how
 * a server merges rows that it never shows to anybody.
 *
 * @module
 */
import type { DataType } from "../schema/data_type.ts";
import { int32At } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { corrupt } from "./corrupt.ts";

/** The layouts of rows that primary-key tables hold: `table.kv.format`. */
export type StoredFormat = "compacted" | "indexed";

/** What a span says of null. */
export const NULL_SPAN = -1;

/** The layout of the rows of one schema. */
export interface RowParts {
  /** How many columns the rows have. */
  readonly count: number;
  /**
   * Finds the values of the row in `bytes[start..end)`.
   *
   * @param spans gets where the value of column i lies, at 2 i its start and at 2 i + 1 its end; both are
   * {@linkcode NULL_SPAN} for null. A length that the layout writes for a value is not part of it
   * @throws {FlussError} CODEC.CORRUPT_BATCH when the row is too short for its values
   */
  locate(bytes: Uint8Array, start: number, end: number, spans: Int32Array): void;
  /** Whether the null bit of a column is set: all that Java looks at when it asks for null alone. */
  isNull(bytes: Uint8Array, start: number, column: number): boolean;
  /** Begins a row; all its values follow in their order. Gives what {@linkcode putNull} wants to know. */
  begin(out: ByteWriter): number;
  /** Writes the next value: the bytes that `locate` found in a row of this format and the column's type. */
  put(out: ByteWriter, column: number, bytes: Uint8Array, start: number, end: number): void;
  /** Writes null as the next value. */
  putNull(out: ByteWriter, row: number, column: number): void;
}

/** Columns of which the parts of rows are made: their types are all that matters. */
export type PartColumns = readonly { readonly type: DataType }[];

/** Compiles the layout of rows with these columns. */
export function compileRowParts(columns: PartColumns, format: StoredFormat): RowParts {
  return format === "compacted" ? new CompactedParts(columns) : new IndexedParts(columns);
}

/** Compiles the layout of compacted keys: the values of a compacted row, none of which is null, without null bits. */
export function compileKeyParts(columns: PartColumns): Pick<RowParts, "count" | "locate"> {
  return new CompactedParts(columns.map(({ type }) => ({ type: { ...type, nullable: false } })), 0);
}

/** Both layouts begin with a null bit per column. NOT NULL columns are read without a look at theirs, as Java does. */
abstract class Parts implements RowParts {
  readonly count: number;
  protected readonly nullBytes: number;
  /** 1 where a column may be null. */
  protected readonly nullable: Uint8Array;

  constructor(columns: PartColumns, nullBytes = (columns.length + 7) >> 3) {
    this.count = columns.length;
    this.nullBytes = nullBytes;
    this.nullable = Uint8Array.from(columns, ({ type }) => type.nullable ? 1 : 0);
  }

  isNull(bytes: Uint8Array, start: number, column: number): boolean {
    return (bytes[start + (column >> 3)]! & (1 << (column & 7))) !== 0;
  }

  putNull(out: ByteWriter, row: number, column: number): void {
    out.bytes[row + (column >> 3)]! |= 1 << (column & 7);
  }

  protected writeNullBits(out: ByteWriter): number {
    const row = out.position;
    out.writeZeros(this.nullBytes);
    return row;
  }

  abstract locate(bytes: Uint8Array, start: number, end: number, spans: Int32Array): void;
  abstract begin(out: ByteWriter): number;
  abstract put(out: ByteWriter, column: number, bytes: Uint8Array, start: number, end: number): void;
}

// How a value of a compacted row lies: so many bytes, or one of these.
const VARINT = -1;
const TWO_VARINTS = -2;
const COUNTED = -3;

class CompactedParts extends Parts {
  readonly #shapes: Int8Array;

  constructor(columns: PartColumns, nullBytes?: number) {
    super(columns, nullBytes);
    this.#shapes = Int8Array.from(columns, ({ type }) => compactedShape(type));
  }

  locate(bytes: Uint8Array, start: number, end: number, spans: Int32Array): void {
    let at = start + this.nullBytes;
    if (at > end) throw cut(start, end, 0);
    for (let i = 0; i < this.count; i++) {
      if (this.nullable[i] === 1 && (bytes[start + (i >> 3)]! & (1 << (i & 7))) !== 0) {
        spans[2 * i] = spans[2 * i + 1] = NULL_SPAN;
        continue;
      }
      const shape = this.#shapes[i]!;
      let from = at;
      if (shape > 0) at += shape;
      else if (shape === COUNTED) {
        let length = 0;
        let byte = 128;
        for (let shift = 0; shift < 35 && byte > 127 && at < end; shift += 7) {
          byte = bytes[at++]!;
          length |= (byte & 127) << shift;
        }
        if (byte > 127 || length < 0) throw cut(start, end, i);
        from = at;
        at += length;
      } else {
        while (bytes[at]! > 127) at++;
        at++;
        if (shape === TWO_VARINTS) {
          while (bytes[at]! > 127) at++;
          at++;
        }
      }
      // What was read behind the end shows in `at`.
      if (at > end) throw cut(start, end, i);
      spans[2 * i] = from;
      spans[2 * i + 1] = at;
    }
  }

  begin(out: ByteWriter): number {
    return this.writeNullBits(out);
  }

  put(out: ByteWriter, column: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#shapes[column] === COUNTED) out.writeVarInt32(end - start);
    copyTo(out, bytes, start, end);
  }
}

function compactedShape(type: DataType): number {
  switch (type.kind) {
    case "boolean":
    case "tinyint":
      return 1;
    case "smallint":
      return 2;
    case "float":
      return 4;
    case "double":
      return 8;
    case "int":
    case "date":
    case "time":
    case "bigint":
      return VARINT;
    case "decimal":
      return isCompactDecimal(type) ? VARINT : COUNTED;
    case "timestamp":
    case "timestampLtz":
      return isCompactTimestamp(type) ? VARINT : TWO_VARINTS;
    default:
      return COUNTED;
  }
}

/** A value whose length stands in the list before the values. */
const LISTED = -1;

class IndexedParts extends Parts {
  readonly #widths: Int32Array;
  readonly #listBytes: number;

  constructor(columns: PartColumns) {
    super(columns);
    this.#widths = Int32Array.from(columns, ({ type }) => indexedWidth(type));
    this.#listBytes = 4 * this.#widths.filter((width) => width === LISTED).length;
  }

  locate(bytes: Uint8Array, start: number, end: number, spans: Int32Array): void {
    let lengths = start + this.nullBytes;
    let at = lengths + this.#listBytes;
    if (at > end) throw cut(start, end, 0);
    for (let i = 0; i < this.count; i++) {
      if (this.nullable[i] === 1 && (bytes[start + (i >> 3)]! & (1 << (i & 7))) !== 0) {
        spans[2 * i] = spans[2 * i + 1] = NULL_SPAN;
        continue;
      }
      const from = at;
      const width = this.#widths[i]!;
      if (width === LISTED) {
        const length = int32At(bytes, lengths);
        lengths += 4;
        if (length < 0) throw cut(start, end, i);
        at += length;
      } else at += width;
      if (at > end) throw cut(start, end, i);
      spans[2 * i] = from;
      spans[2 * i + 1] = at;
    }
  }

  begin(out: ByteWriter): number {
    const row = this.writeNullBits(out);
    out.lengths = out.position;
    out.writeZeros(this.#listBytes);
    return row;
  }

  put(out: ByteWriter, column: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#widths[column] === LISTED) {
      out.view.setInt32(out.lengths, end - start, true);
      out.lengths += 4;
    }
    copyTo(out, bytes, start, end);
  }
}

function indexedWidth(type: DataType): number {
  switch (type.kind) {
    case "boolean":
    case "tinyint":
      return 1;
    case "smallint":
      return 2;
    case "int":
    case "date":
    case "time":
    case "float":
      return 4;
    case "bigint":
    case "double":
      return 8;
    case "decimal":
      return isCompactDecimal(type) ? 8 : LISTED;
    case "timestamp":
    case "timestampLtz":
      return isCompactTimestamp(type) ? 8 : 12;
    case "char":
    case "binary":
      return type.length;
    default:
      return LISTED;
  }
}

/** Whether decimals of a type are 64-bit integers on the wire (Fluss: Decimal.java). */
export function isCompactDecimal({ precision }: { readonly precision: number }): boolean {
  return precision <= 18;
}

/** Whether timestamps of a type are milliseconds alone on the wire (Fluss: TimestampNtz.java). */
export function isCompactTimestamp({ precision }: { readonly precision: number }): boolean {
  return precision <= 3;
}

function copyTo(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  out.ensure(length);
  const { position } = out;
  // Most values are short, and making a view costs more than copying them.
  if (length <= 32) { for (let i = 0; i < length; i++) out.bytes[position + i] = bytes[start + i]!; }
  else out.bytes.set(bytes.subarray(start, end), position);
  out.position = position + length;
}

function cut(start: number, end: number, column: number): Error {
  return corrupt(`column ${column} of a row does not end within its ${end - start} bytes`);
}
