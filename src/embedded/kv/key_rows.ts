/**
 * Rows of which only the key is known: what an insert-if-not-exists writes (Fluss: KeyRecordBatch.java).
 *
 * @module
 */
import type { ByteWriter } from "../../format/byte_writer.ts";
import { ByteReader } from "../../format/byte_reader.ts";
import { integerAt } from "../../format/decimal.ts";
import { plainType } from "../../format/plain_type.ts";
import { compileKeyParts, isCompactDecimal, isCompactTimestamp } from "../../format/row_parts.ts";
import { compileRowWriter, compileValueReader } from "../../format/row_codec.ts";
import type { DataType, SchemaColumn } from "../../schema/data_type.ts";
import type { LiveTable } from "../../schema/descriptor.ts";
import { OPTION } from "../../schema/server_options.ts";
import { fault } from "../fault.ts";
import { RowDraft, type StoredRow } from "./stored_row.ts";
import type { TableLayouts } from "./table_layouts.ts";

/**
 * Makes a row of the latest schema from an encoded key; good until the next one.
 *
 * @throws {Error} when the bytes are no such key. Keys of partitioned tables never are: as servers of 0.9.1 do, values
 * of the partition columns are looked for in them (observed)
 */
export type KeyRowMaker = (key: Uint8Array) => StoredRow;

/** Compiles what makes rows of the keys of a table. */
export function compileKeyRows(live: LiveTable, layouts: TableLayouts): KeyRowMaker {
  switch (keyEncodingOf(live)) {
    case "compacted":
      return compactedKeyRows(layouts);
    case "paimon":
      return decodedKeyRows(layouts, compileValueReader(plainKeyColumns(layouts), plainKeyColumns(layouts), "aligned"));
    case "iceberg":
      return decodedKeyRows(layouts, icebergReader(plainKeyColumns(layouts)));
  }
}

/** As the client's `table/layout.ts`, which has to know it as well. */
function keyEncodingOf({ properties, schema, partitionKey, bucketKey }: LiveTable): "compacted" | "paimon" | "iceberg" {
  const lake = properties[OPTION.datalakeFormat]?.toLowerCase();
  if (lake !== "paimon" && lake !== "iceberg") return "compacted";
  const keys = schema.primaryKey.filter((name) => !partitionKey.includes(name));
  const defaultBucketKey = bucketKey.length === 0 || bucketKey.join("\0") === keys.join("\0");
  return (properties[OPTION.kvFormatVersion] ?? "1") === "1" || defaultBucketKey ? lake : "compacted";
}

function keyPositions({ latest }: TableLayouts): number[] {
  return latest.primaryKey.map((name) => latest.columns.findIndex((column) => column.name === name));
}

function compactedKeyRows(layouts: TableLayouts): KeyRowMaker {
  const { latest: { columns, schemaId }, format } = layouts;
  const positions = keyPositions(layouts);
  const parts = compileKeyParts(positions.map((i) => columns[i]!));
  const spans = new Int32Array(2 * parts.count);
  const layout = layouts.of(schemaId);
  const draft = new RowDraft();
  const places = columns.map((_, i) => positions.indexOf(i));
  const indexed = format === "indexed" ? columns.map(({ type }) => indexedValue(type)) : [];
  const value = new RowDraft();
  return (key) => {
    parts.locate(key, 0, key.length, spans);
    const out = draft.begin();
    const start = layout.begin(out);
    for (let i = 0; i < columns.length; i++) {
      const place = places[i]!;
      if (place < 0) {
        layout.putNull(out, start, i);
        continue;
      }
      const from = spans[2 * place]!;
      const to = spans[2 * place + 1]!;
      const convert = indexed[i];
      if (convert === undefined) layout.put(out, i, key, from, to);
      else {
        const converted = value.begin();
        const begin = converted.position;
        convert(new ByteReader(key, from, to), converted);
        layout.put(out, i, converted.bytes, begin, converted.position);
      }
    }
    return draft.finish(schemaId);
  };
}

/** From the compacted form of a value to the indexed one; undefined where they are the same. */
function indexedValue(type: DataType): ((from: ByteReader, out: ByteWriter) => void) | undefined {
  switch (type.kind) {
    case "int":
    case "date":
    case "time":
      return (from, out) => out.writeInt32(from.readVarInt32());
    case "bigint":
      return (from, out) => out.writeInt64(from.readVarInt64());
    case "decimal":
      return isCompactDecimal(type) ? (from, out) => out.writeInt64(from.readVarInt64()) : undefined;
    case "timestamp":
    case "timestampLtz":
      return (from, out) => {
        out.writeInt64(from.readVarInt64());
        if (!isCompactTimestamp(type)) out.writeInt32(from.readVarInt32());
      };
    case "char":
    case "binary":
      return ({ bytes, position, end }, out) => {
        const length = end - position;
        if (length > type.length) throw new Error(`${length} bytes do not fit into ${type.kind}(${type.length})`);
        out.writeBytes(bytes.subarray(position, end));
        out.writeZeros(type.length - length);
      };
    default:
      return undefined;
  }
}

/** Key columns whose values come as they lie. */
function plainKeyColumns(layouts: TableLayouts): SchemaColumn[] {
  return keyPositions(layouts).map((i) => {
    const column = layouts.latest.columns[i]!;
    return { ...column, type: { ...plainType(column.type), nullable: false } };
  });
}

type KeyReader = (key: Uint8Array, start: number, end: number) => Record<string, unknown>;

function decodedKeyRows(layouts: TableLayouts, read: KeyReader): KeyRowMaker {
  const { latest: { columns, schemaId }, format } = layouts;
  const keys = new Map(plainKeyColumns(layouts).map((column) => [column.id, column]));
  const plain = columns.map((column) => keys.get(column.id) ?? { ...column, type: { ...column.type, nullable: true } });
  const write = compileRowWriter(plain, format, keyPositions(layouts));
  const draft = new RowDraft();
  return (key) => {
    write(draft.begin(), read(key, 0, key.length));
    return draft.finish(schemaId);
  };
}

/** One column, its value alone (Fluss: IcebergKeyDecoder.java). */
function icebergReader(columns: readonly SchemaColumn[]): KeyReader {
  const [column] = columns;
  if (column === undefined || columns.length !== 1) throw notDecodable();
  const { key, type } = column;
  switch (type.kind) {
    case "int":
    case "date":
      return (bytes, start, end) => ({ [key]: Number(new ByteReader(bytes, start, end).readInt64()) });
    case "time":
      return (bytes, start, end) => ({ [key]: Number(new ByteReader(bytes, start, end).readInt64() / 1000n) });
    case "timestamp":
      return (bytes, start, end) => ({ [key]: new ByteReader(bytes, start, end).readInt64() * 1000n });
    case "bigint":
      return (bytes, start, end) => ({ [key]: new ByteReader(bytes, start, end).readInt64() });
    case "decimal":
      return (bytes, start, end) => ({ [key]: integerAt(bytes, start, end - start) });
    case "float":
      return (bytes, start, end) => ({ [key]: new ByteReader(bytes, start, end).readFloat32() });
    case "double":
      return (bytes, start, end) => ({ [key]: new ByteReader(bytes, start, end).readFloat64() });
    case "string":
    case "char":
      return (bytes, start, end) => ({ [key]: new ByteReader(bytes, start, end).readUtf8(end - start) });
    case "binary":
    case "bytes":
      return (bytes, start, end) => ({ [key]: bytes.slice(start, end) });
    default:
      throw notDecodable();
  }
}

function notDecodable(): Error {
  return fault(
    "SERVER.UNKNOWN_SERVER_ERROR",
    "java.lang.IllegalArgumentException: the key encoding of the table's lake format cannot be read",
  );
}
