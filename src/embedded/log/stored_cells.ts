/**
 * Values of stored rows moved into Arrow columns without becoming JavaScript values, and without the checks that clients
 * do: whatever a row holds goes into the log as servers put it there (Fluss: row/arrow/writers).
 *
 * @module
 */
import { columnBuilder } from "../../format/arrow/builder.ts";
import {
  BooleanColumn,
  BytesColumn,
  type ColumnBuilder,
  DecimalColumn,
  FixedBytesColumn,
  NumberColumn,
  SafeIntegerColumn,
} from "../../format/arrow/column_builder.ts";
import { type ByteReader, int32At } from "../../format/byte_reader.ts";
import { integerAt } from "../../format/decimal.ts";
import { plainType } from "../../format/plain_type.ts";
import { fieldOf } from "../../format/row_codec.ts";
import type { DataType, DecimalType } from "../../schema/data_type.ts";
import { fault, type ServerFault } from "../fault.ts";

/** How rows are stored: `table.kv.format`. */
export type StoredFormat = "compacted" | "indexed";

/** Moves the reader's next value, which is not null, to the place `at` of its column. There is room for it. */
export type Move = (source: ByteReader, at: number) => void;

/** A column, and how a stored value gets into it. */
export interface Cell {
  readonly column: ColumnBuilder;
  readonly move: Move;
}

/** Whether the length of values of a type stands in the list at the head of an indexed row. */
export function hasListedLength(type: DataType): boolean {
  switch (type.kind) {
    case "string":
    case "bytes":
    case "array":
    case "map":
    case "row":
      return true;
    case "decimal":
      return type.precision > COMPACT_PRECISION;
    default:
      return false;
  }
}

/** Decimals of so many digits are integers of 64 bits, larger ones are bytes. */
const COMPACT_PRECISION = 18;

/** Makes a new column for a type, and the function that fills it from rows of a format. */
export function storedCell(type: DataType, format: StoredFormat): Cell {
  const compacted = format === "compacted";
  switch (type.kind) {
    case "boolean": {
      const column = new BooleanColumn(asItIs<boolean>);
      return { column, move: (source, at) => column.write(at, source.readBoolean()) };
    }
    case "tinyint":
      return numbers(Int8Array, (source) => source.readInt8());
    case "smallint":
      return numbers(Int16Array, (source) => source.readInt16());
    case "int":
    case "date":
      return numbers(Int32Array, intReader(compacted));
    case "float":
      return numbers(Float32Array, (source) => source.readFloat32());
    case "double":
      return numbers(Float64Array, (source) => source.readFloat64());
    case "bigint": {
      const column = longs();
      return {
        column,
        move: compacted
          ? (source, at) => source.readVarHalves(column.words, 2 * at)
          : (source, at) => source.readHalves(column.words, 2 * at),
      };
    }
    case "time":
      return timeCell(type.precision, intReader(compacted));
    case "timestamp":
    case "timestampLtz":
      return timestampCell(type.precision, compacted);
    case "decimal":
      return type.precision <= COMPACT_PRECISION
        ? smallDecimalCell(type, compacted)
        : largeDecimalCell(type, partReader(type, compacted));
    case "string":
    case "char":
    case "bytes": {
      const column = new BytesColumn(asItIs<Uint8Array>);
      const take = partReader(type, compacted);
      return {
        column,
        move(source, at) {
          const start = take(source);
          column.writeFrom(at, source.bytes, start, source.position);
        },
      };
    }
    case "binary":
      return binaryCell(type.length, compacted);
    case "array":
    case "map":
    case "row": {
      const plain = plainType(type);
      const column = columnBuilder(plain);
      const field = fieldOf(format, plain, plain);
      const take = partReader(type, compacted);
      return {
        column,
        move(source, at) {
          const start = take(source);
          if (field.form === "nested") column.write(at, field.payload.read(source.bytes, start, source.position));
        },
      };
    }
  }
}

function asItIs<T>(value: unknown): T {
  return value as T;
}

/** Integers of 64 bits in halves. */
function longs(): SafeIntegerColumn {
  return new SafeIntegerColumn(asItIs<number>);
}

function numbers(items: ConstructorParameters<typeof NumberColumn>[0], read: (source: ByteReader) => number): Cell {
  const column = new NumberColumn(items, asItIs<number>);
  return {
    column,
    move(source, at) {
      column.data[at] = read(source);
    },
  };
}

function intReader(compacted: boolean): (source: ByteReader) => number {
  return compacted ? (source) => source.readVarInt32() : (source) => source.readInt32();
}

/** Moves over a value of any length, and returns where it starts; the reader stands at its end. */
function partReader(type: DataType, compacted: boolean): (source: ByteReader) => number {
  if (compacted) return (source) => source.take(source.readVarLength());
  if (hasListedLength(type)) {
    return (source) => {
      const length = int32At(source.bytes, source.lengths);
      source.lengths += 4;
      return source.take(length);
    };
  }
  const { length } = type as { readonly length: number };
  return (source) => source.take(length);
}

function timeCell(precision: number, read: (source: ByteReader) => number): Cell {
  if (precision === 0) return numbers(Int32Array, (source) => Math.trunc(read(source) / 1000));
  if (precision <= 3) return numbers(Int32Array, read);
  const column = longs();
  const perMilli = precision <= 6 ? 1000 : 1_000_000;
  return { column, move: (source, at) => column.write(at, read(source) * perMilli) };
}

/** Up to this precision points in time are milliseconds alone. */
const MILLIS_PRECISION = 3;

function timestampCell(precision: number, compacted: boolean): Cell {
  const column = longs();
  const halves = new Int32Array(2);
  const readMillis = compacted
    ? (source: ByteReader) => source.readVarHalves(halves, 0)
    : (source: ByteReader) => source.readHalves(halves, 0);
  const readNanos = intReader(compacted);
  if (precision === 0) {
    return {
      column,
      move(source, at) {
        readMillis(source);
        column.write(at, Math.trunc((halves[1]! * 4294967296 + (halves[0]! >>> 0)) / 1000));
      },
    };
  }
  const perMilli = precision <= MILLIS_PRECISION ? 1 : precision <= 6 ? 1000 : 1_000_000;
  return {
    column,
    move(source, at) {
      readMillis(source);
      const rest = perMilli === 1 ? 0 : Math.trunc(readNanos(source) / (1_000_000 / perMilli));
      // At most 2^32 times 10^6: exact. What is too large for 64 bits wraps, as in Java.
      const low = (halves[0]! >>> 0) * perMilli + rest;
      column.words[2 * at] = low | 0;
      column.words[2 * at + 1] = halves[1]! * perMilli + Math.floor(low / 4294967296);
    },
  };
}

/** Numbers have this many digits without losing any. */
const NUMBER_DIGITS = 15;

function smallDecimalCell({ precision }: DecimalType, compacted: boolean): Cell {
  const column = new DecimalColumn(asItIs<bigint>);
  const halves = new Int32Array(2);
  const limit = 10 ** precision;
  return {
    column,
    move(source, at) {
      if (compacted) source.readVarHalves(halves, 0);
      else source.readHalves(halves, 0);
      const low = halves[0]!;
      const high = halves[1]!;
      if (precision <= NUMBER_DIGITS) {
        const value = high * 4294967296 + (low >>> 0);
        if (value >= limit || value <= -limit) throw tooPrecise(joined(low, high), precision);
      } else checkDigits(joined(low, high), precision);
      const { words } = column;
      words[4 * at] = low;
      words[4 * at + 1] = high;
      words[4 * at + 2] = words[4 * at + 3] = high >> 31;
    },
  };
}

function joined(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function largeDecimalCell({ precision }: DecimalType, take: (source: ByteReader) => number): Cell {
  const column = new DecimalColumn(asItIs<bigint>);
  return {
    column,
    move(source, at) {
      const start = take(source);
      const length = source.position - start;
      const value = length === 0 ? 0n : integerAt(source.bytes, start, length);
      checkDigits(value, precision);
      column.write(at, value);
    },
  };
}

function checkDigits(unscaled: bigint, precision: number): void {
  const limit = 10n ** BigInt(precision);
  if (unscaled >= limit || unscaled <= -limit) throw tooPrecise(unscaled, precision);
}

function tooPrecise(unscaled: bigint, precision: number): ServerFault {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).length;
  return unknown(
    `BigDecimal precision cannot be greater than that in the Arrow vector: ${digits} > ${precision}`,
  );
}

/** Longer values are cut, shorter ones refused. */
function binaryCell(width: number, compacted: boolean): Cell {
  const column = new FixedBytesColumn(width, asItIs<Uint8Array>);
  const take = partReader({ kind: "binary", length: width, nullable: true }, compacted);
  return {
    column,
    move(source, at) {
      const start = take(source);
      const length = source.position - start;
      // Servers take zeros at the end of a fixed width for padding, and then miss them.
      if (length < width || (!compacted && source.bytes[source.position - 1] === 0)) {
        throw unknown("Not enough space to copy data from byte array");
      }
      column.writeFrom(at, source.bytes, start);
    },
  };
}

function unknown(message: string): ServerFault {
  return fault("SERVER.UNKNOWN_SERVER_ERROR", message);
}
