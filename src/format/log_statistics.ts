/**
 * Statistics of the columns of a log batch, by which servers skip batches (Fluss: LogRecordBatchStatisticsWriter.java,
 * LogRecordBatchStatisticsCollector.java; servers of 0.9.1 do not know them).
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";
import type { DataType, SchemaColumn } from "../schema/data_type.ts";
import type { RawColumn } from "./arrow/raw_column.ts";
import { ByteWriter } from "./byte_writer.ts";
import { plainType } from "./plain_type.ts";
import { compileRowWriter } from "./row_codec.ts";
import { readUtf8 } from "./utf8.ts";

const VERSION = 1;

/** Makes the statistics block from all columns of a batch; empty when a value cannot be put into it. */
export type StatisticsWriter = (columns: readonly RawColumn[]) => Uint8Array;

/** The least and the greatest value of a column; undefined when there is none. */
type Bounds = { readonly min: unknown; readonly max: unknown } | undefined;

/** Whether a server can use statistics of a type. */
export function hasStatistics(type: DataType): boolean {
  return boundsOf(type) !== undefined || type.kind === "char";
}

/**
 * Compiles the writer of statistics.
 *
 * @param columns all columns of the schema, in order
 * @param positions those that have statistics, by position; see {@linkcode hasStatistics}
 */
export function compileStatistics(columns: readonly SchemaColumn[], positions: readonly number[]): StatisticsWriter {
  // Rows of bounds have plain values, whatever the modes and codecs of the table's declaration are.
  const plain = positions.map((position, i): SchemaColumn => ({
    id: i,
    key: `${i}`,
    name: `${i}`,
    type: { ...plainType(columns[position]!.type), nullable: true },
  }));
  const writeRow = compileRowWriter(plain, "aligned");
  const finders = positions.map((position) => boundsOf(columns[position]!.type));
  return (raw) => {
    const out = new ByteWriter(64);
    out.writeInt8(VERSION);
    out.writeInt16(positions.length);
    for (const position of positions) out.writeInt16(position);
    for (const position of positions) out.writeInt32(raw[position]!.nullCount);
    // Java has no bounds of CHAR either, although it takes such columns.
    const bounds = positions.map((position, i) => finders[i]?.(raw[position]!));
    try {
      for (const side of ["min", "max"] as const) {
        const start = out.position;
        out.writeInt32(0);
        writeRow(out, Object.fromEntries(bounds.map((found, i) => [`${i}`, found?.[side] ?? null])));
        out.view.setInt32(start, out.position - start - 4, true);
      }
    } catch (error) {
      // Arrow input may hold a TIME that is none. The batch goes without statistics then, as from Java.
      if (error instanceof ColumnError) return new Uint8Array(0);
      throw error;
    }
    return out.toBytes();
  };
}

/** Finds the bounds of a column; undefined for types that have none. */
function boundsOf(type: DataType): ((column: RawColumn) => Bounds) | undefined {
  switch (type.kind) {
    case "boolean":
      return ({ data, ...column }) => scan(column, (i) => (data![i >> 3]! & (1 << (i & 7))) !== 0);
    case "tinyint":
      return numbers(Int8Array);
    case "smallint":
      return numbers(Int16Array);
    case "int":
    case "date":
      return numbers(Int32Array);
    case "bigint":
      return numbers(BigInt64Array);
    case "float":
      return numbers(Float32Array);
    case "double":
      return numbers(Float64Array);
    case "time":
      if (type.precision === 0) return numbers(Int32Array, (seconds) => seconds * 1000);
      if (type.precision <= 3) return numbers(Int32Array);
      return numbers(BigInt64Array, (units) => Number(units / (type.precision <= 6 ? 1000n : 1_000_000n)));
    case "timestamp":
    case "timestampLtz": {
      const unit = type.precision === 0 ? 0 : type.precision <= 3 ? 3 : type.precision <= 6 ? 6 : 9;
      const scale = 10n ** BigInt(9 - unit);
      return numbers(BigInt64Array, (units) => units * scale);
    }
    case "decimal":
      return ({ data, ...column }) => {
        const view = new DataView(data!.buffer, data!.byteOffset);
        return scan(column, (i) => (view.getBigInt64(16 * i + 8, true) << 64n) | view.getBigUint64(16 * i, true));
      };
    case "string":
      return texts;
    default:
      return undefined;
  }
}

/** Bounds of the items of a typed array; `convert` keeps their order. */
function numbers<T extends { readonly [index: number]: number | bigint }>(
  items: new (buffer: ArrayBufferLike, at: number, length: number) => T,
  convert?: (item: T[number]) => unknown,
): (column: RawColumn) => Bounds {
  return (column) => {
    const { data, length } = column;
    const values = new items(data!.buffer, data!.byteOffset, length);
    const found = scan(column, (i) => values[i]!);
    return found === undefined || convert === undefined
      ? found
      : { min: convert(found.min as T[number]), max: convert(found.max as T[number]) };
  };
}

function scan<T extends boolean | number | bigint>(
  { length, validity }: Pick<RawColumn, "length" | "validity">,
  valueAt: (i: number) => T,
): Bounds {
  let min: T | undefined;
  let max: T | undefined;
  for (let i = 0; i < length; i++) {
    if (validity !== undefined && (validity[i >> 3]! & (1 << (i & 7))) === 0) continue;
    const value = valueAt(i);
    if (min === undefined || isBelow(value, min)) min = value;
    if (max === undefined || isBelow(max, value)) max = value;
  }
  return min === undefined ? undefined : { min, max };
}

/** Java's order: NaN above all others, -0 below 0 (Java: `Double.compare`). */
function isBelow<T extends boolean | number | bigint>(a: T, b: T): boolean {
  if (a < b) return true;
  if (b !== b) return a === a;
  return a === 0 && b === 0 && Object.is(a, -0) && !Object.is(b, -0);
}

/** Texts in the order of their UTF-8 bytes; only the bounds are decoded. */
function texts({ length, validity, offsets, data }: RawColumn): Bounds {
  let min = -1;
  let max = -1;
  for (let i = 0; i < length; i++) {
    if (validity !== undefined && (validity[i >> 3]! & (1 << (i & 7))) === 0) continue;
    if (min < 0 || order(offsets!, data!, i, min) < 0) min = i;
    if (max < 0 || order(offsets!, data!, i, max) > 0) max = i;
  }
  if (min < 0) return undefined;
  const textAt = (i: number) => readUtf8(data!, offsets![i]!, offsets![i + 1]!);
  return { min: textAt(min), max: textAt(max) };
}

function order(offsets: Int32Array, data: Uint8Array, a: number, b: number): number {
  const endA = offsets[a + 1]!;
  const endB = offsets[b + 1]!;
  let i = offsets[a]!;
  let j = offsets[b]!;
  for (; i < endA && j < endB; i++, j++) {
    const difference = data[i]! - data[j]!;
    if (difference !== 0) return difference;
  }
  return (endA - i) - (endB - j);
}
