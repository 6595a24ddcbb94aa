/**
 * From the bytes of a log batch to its rows as columns, for every log format (Fluss: LogRecordReadContext.java).
 *
 * @module
 */
import type { DataType, RowField, RowType, SchemaColumn } from "../schema/data_type.ts";
import { arrowColumns } from "./arrow/arrow_column.ts";
import { withoutPadding } from "./arrow/char_padding.ts";
import { arrowLayout, nullRaw } from "./arrow/layout.ts";
import { BATCH_LIMITS, type BatchLimits, messageAt, readRecordBatch } from "./arrow/message_reader.ts";
import type { RawColumn } from "./arrow/raw_column.ts";
import { int32At } from "./byte_reader.ts";
import type { Columns } from "./columns.ts";
import { corrupt } from "./corrupt.ts";
import type { LogBatch } from "./log_batch.ts";
import { compileValueReader, isSameField, viewed } from "./row_codec.ts";
import { rowColumns } from "./row_columns.ts";

/** How the records of a log are laid out: `table.log.format`. */
export type LogFormat = "arrow" | "indexed" | "compacted";

/** Change types as they stand in batches (Fluss: ChangeType.java). */
export const CHANGE_APPEND = 0;
/** A row that was not there before. */
export const CHANGE_INSERT = 1;
/** A row as it was before an update. */
export const CHANGE_UPDATE_BEFORE = 2;
/** A row as it is after an update. */
export const CHANGE_UPDATE_AFTER = 3;
/** A row that is gone. */
export const CHANGE_DELETE = 4;

/** The records of one batch. Record i has the offset `baseOffset + i`. */
export interface DecodedBatch {
  /** The offset of the first record. */
  readonly baseOffset: bigint;
  /** When the server committed the batch, in milliseconds since 1970. */
  readonly timestamp: number;
  /** The schema that the rows were written with. */
  readonly schemaId: number;
  /** One of the `CHANGE_` constants for each record; undefined when all are appends. */
  readonly changeTypes: Uint8Array | undefined;
  /** The rows. They may be views of the batch's bytes. */
  readonly columns: Columns;
}

/** What a decoder is made for. */
export interface LogDecoderOptions {
  /** The log format of the table. */
  readonly format: LogFormat;
  /** The columns in the batch, in order: those of its schema, or what a server's projection left of them. */
  readonly sent: readonly SchemaColumn[];
  /** The columns to produce, in order; matched to sent ones by id. One that was not sent is null. */
  readonly wanted: readonly SchemaColumn[];
  /**
   * Whether the rows of the table are INDEXED where they are looked up: servers leave the padding of their CHARs in an
   * ARROW change log (observed on 0.9.1), and it is taken off here, as it is where rows are looked up. Default: false
   */
  readonly paddedChars?: boolean;
  /** The most that a batch may become. Default {@linkcode BATCH_LIMITS} */
  readonly limits?: BatchLimits;
}

/**
 * Compiles the decoder of batches with these columns. Only wanted columns are decompressed and decoded.
 *
 * The decoder throws CODEC.CORRUPT_BATCH when the bytes are no such batch. A value that JavaScript cannot hold in the
 * form that was asked for is a {@linkcode ColumnError}: of the decoder for INDEXED and COMPACTED, of whoever asks for the
 * value for ARROW.
 *
 * @throws {FlussError} SCHEMA.DRIFT when a wanted column has another type than the sent one
 */
export function compileLogDecoder(options: LogDecoderOptions): (batch: LogBatch) => DecodedBatch {
  return options.format === "arrow" ? arrowDecoder(options) : rowDecoder(options, options.format);
}

function decoded(batch: LogBatch, changeTypes: Uint8Array | undefined, columns: Columns): DecodedBatch {
  const { baseOffset, timestamp, schemaId } = batch;
  return { baseOffset, timestamp, schemaId, changeTypes, columns };
}

function arrowDecoder(options: LogDecoderOptions): (batch: LogBatch) => DecodedBatch {
  const { sent, wanted, paddedChars = false, limits = BATCH_LIMITS } = options;
  const sources = wanted.map((column) => sent.findIndex((other) => isSameField(other, column)));
  const views = wanted.map((column, i) => viewOf(sent[sources[i]!]?.type, column.type, paddedChars));
  const schema = wanted.map((column, i): SchemaColumn => ({ ...column, type: views[i]!.type }));
  const layouts = sent.map((column) => arrowLayout(column.type));
  const read = sent.map((_, i) => sources.includes(i));
  const nothing = wanted.map(() => undefined);
  return (batch) => {
    const { bytes, end, recordCount, appendOnly } = batch;
    if (recordCount === 0) return decoded(batch, undefined, arrowColumns(schema, nothing, 0));
    let start = batch.recordsStart;
    let changeTypes: Uint8Array | undefined;
    if (!appendOnly) {
      changeTypes = new Uint8Array(recordCount);
      changeTypes.set(bytes.subarray(start, start + recordCount));
      for (let i = 0; i < recordCount; i++) checkChange(changeTypes[i]!, i);
      start += recordCount;
    }
    const message = messageAt(bytes, start, end);
    const raw = readRecordBatch(bytes, message, { layouts, wanted: read, rows: recordCount, limits }).columns;
    const columns = sources.map((source, i) => source < 0 ? undefined : views[i]!.adapt(raw[source]!));
    return decoded(batch, changeTypes, arrowColumns(schema, columns, recordCount));
  };
}

function checkChange(change: number, record: number): void {
  if (change > CHANGE_DELETE) throw corrupt(`record ${record} has the unknown change type ${change}`);
}

/** How a stored type is seen as a wanted one. */
interface View {
  /** The stored layout with the JavaScript side of the wanted type. */
  readonly type: DataType;
  /** Brings buffers of the stored type to the layout of `type`. */
  adapt(raw: RawColumn): RawColumn;
}

function same(raw: RawColumn): RawColumn {
  return raw;
}

function viewOf(stored: DataType | undefined, wanted: DataType, padded: boolean): View {
  if (stored === undefined) return { type: wanted, adapt: same };
  const type = viewed(stored, wanted);
  if (stored.kind === "char" && padded) return { type, adapt: withoutPadding };
  // Only rows pad: elements, keys and values have lengths of their own, but may be rows again.
  const partOf = (part: DataType, seen: DataType) => viewOf(part, seen, padded && part.kind !== "char");
  if (stored.kind === "array" && wanted.kind === "array") {
    return nestedView(
      [partOf(stored.element, wanted.element)],
      ([element]) => ({ ...type, element } as DataType),
    );
  }
  if (stored.kind === "map" && wanted.kind === "map") {
    const parts = [partOf(stored.key, wanted.key), partOf(stored.value, wanted.value)];
    return nestedView(parts, ([key, value]) => ({ ...type, key, value } as DataType), true);
  }
  if (stored.kind === "row" && wanted.kind === "row") return rowView(stored, wanted, padded);
  return { type, adapt: same };
}

/** An array or a map, whose parts may have to be adapted. */
function nestedView(
  parts: readonly View[],
  typeOf: (parts: readonly DataType[]) => DataType,
  isMap = false,
): View {
  const adaptAll = (children: readonly RawColumn[]) => children.map((child, i) => parts[i]!.adapt(child));
  return {
    type: typeOf(parts.map((part) => part.type)),
    adapt: parts.every((part) => part.adapt === same) ? same : (raw) => {
      const [child] = raw.children;
      return isMap
        ? { ...raw, children: [{ ...child!, children: adaptAll(child!.children) }] }
        : { ...raw, children: adaptAll(raw.children) };
    },
  };
}

/** The fields of a nested row are matched as columns are: those that are not stored are null. */
function rowView(stored: RowType, wanted: RowType, padded: boolean): View {
  const sources = wanted.fields.map((field) => stored.fields.findIndex((other) => isSameField(other, field)));
  const views = wanted.fields.map((field, i) => viewOf(stored.fields[sources[i]!]?.type, field.type, padded));
  const fields = wanted.fields.map((field, i): RowField => ({ ...field, type: views[i]!.type }));
  const type: DataType = { ...viewed(stored, wanted), fields };
  const inPlace = sources.length === stored.fields.length && sources.every((source, i) => source === i);
  if (inPlace && views.every((view) => view.adapt === same)) return { type, adapt: same };
  const layouts = fields.map((field) => arrowLayout(field.type));
  return {
    type,
    adapt: (raw) => ({
      ...raw,
      children: sources.map((source, i) =>
        source < 0 ? nullRaw(layouts[i]!, raw.length) : views[i]!.adapt(raw.children[source]!)
      ),
    }),
  };
}

/** The length and the change type before each row. */
const RECORD_HEADER_BYTES = 5;

function rowDecoder(
  { sent, wanted, limits = BATCH_LIMITS }: LogDecoderOptions,
  format: "indexed" | "compacted",
): (batch: LogBatch) => DecodedBatch {
  const read = compileValueReader(sent, wanted, format);
  return (batch) => {
    const { bytes, end, recordCount, appendOnly } = batch;
    let at = batch.recordsStart;
    if (recordCount * RECORD_HEADER_BYTES > end - at || recordCount > limits.maxRows) {
      throw corrupt(`${recordCount} records in ${end - at} bytes`);
    }
    const changeTypes = appendOnly ? undefined : new Uint8Array(recordCount);
    const rows: Record<string, unknown>[] = [];
    for (let i = 0; i < recordCount; i++) {
      const length = end - at < RECORD_HEADER_BYTES ? 0 : int32At(bytes, at);
      if (length < 1 || length > end - at - 4) {
        throw corrupt(`record ${i} of ${recordCount} has ${length} bytes where ${end - at} are left`);
      }
      const change = bytes[at + 4]!;
      checkChange(change, i);
      if (changeTypes !== undefined) changeTypes[i] = change;
      const next = at + 4 + length;
      rows.push(read(bytes, at + RECORD_HEADER_BYTES, next));
      at = next;
    }
    return decoded(batch, recordCount === 0 ? undefined : changeTypes, rowColumns(wanted, rows));
  };
}
