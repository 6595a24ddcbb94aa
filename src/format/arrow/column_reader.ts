/**
 * From the buffers of a column to JavaScript values: the same that rows of the other layouts give, by the same
 * conversions.
 *
 * @module
 */
import { ColumnError, inElement } from "../../base/column_error.ts";
import type {
  ArrayType,
  DataType,
  DecimalType,
  MapType,
  RowType,
  SizedType,
  TimeType,
} from "../../schema/data_type.ts";
import { bareTypeText } from "../../schema/data_type.ts";
import { copyAt, utf8At } from "../byte_reader.ts";
import type { ColumnValues } from "../columns.ts";
import { corrupt } from "../corrupt.ts";
import type { Field } from "../field.ts";
import { compileRowSource } from "../generate.ts";
import type { ColumnSource } from "../row_plan.ts";
import { readAscii, readUtf8 } from "../utf8.ts";
import { outOfRange } from "../value_error.ts";
import { scalarField, type ScalarType, userDecode } from "../values.ts";
import { timeUnit } from "./layout.ts";
import type { RawColumn } from "./raw_column.ts";

/** Makes value i, which is not null. */
type Read = (i: number) => unknown;

/** What a type makes of buffers; made once per type, used for each batch. */
export interface ColumnReader {
  /** `values` where the typed array holds the JavaScript values themselves. */
  readonly form: "values" | "read";
  /** The values as they lie in memory. */
  values(raw: RawColumn): ColumnValues | undefined;
  /** Makes values. */
  read(raw: RawColumn): Read;
}

/** The reader of columns of a type. */
export function columnReader(type: DataType): ColumnReader {
  switch (type.kind) {
    case "array":
      return nested(type, listRead(type));
    case "map":
      return nested(type, mapRead(type));
    case "row":
      return nested(type, structRead(type));
    default:
      return scalarReader(type);
  }
}

function nested(type: ArrayType | MapType | RowType, read: (raw: RawColumn) => Read): ColumnReader {
  const { codec } = type;
  if (codec === undefined) return { form: "read", values: none, read };
  return {
    form: "read",
    values: none,
    read(raw) {
      const plain = read(raw);
      return (i) => userDecode(codec, plain(i));
    },
  };
}

function none(): undefined {}

function scalarReader(type: ScalarType): ColumnReader {
  const field = scalarField(type);
  const decode = decodeOf(field);
  switch (type.kind) {
    case "boolean":
      return { form: "read", values: none, read: (raw) => bitRead(raw.data!, decode) };
    case "tinyint":
      return valuesReader(type.codec === undefined, int8Values, decode);
    case "smallint":
      return valuesReader(type.codec === undefined, int16Values, decode);
    case "int":
      return valuesReader(type.codec === undefined, int32Values, decode);
    case "date":
      return valuesReader(type.codec === undefined && type.mode === "days", int32Values, decode);
    case "float":
      return valuesReader(type.codec === undefined, float32Values, decode);
    case "double":
      return valuesReader(type.codec === undefined, float64Values, decode);
    case "bigint":
      return type.mode === "number"
        ? { form: "read", values: int64Values, read: (raw) => safeInt64Read(words(raw), type.codec && decode) }
        : valuesReader(type.codec === undefined, int64Values, decode);
    case "string":
    case "char":
      return { form: "read", values: none, read: (raw) => textRead(raw.offsets!, raw.data!, type.codec && decode) };
    case "bytes":
      return { form: "read", values: none, read: (raw) => bytesRead(raw.offsets!, raw.data!, decode) };
    case "binary":
      return { form: "read", values: none, read: (raw) => binaryRead(raw.data!, type, decode) };
    case "decimal":
      return decimalReader(type);
    case "time":
      return timeReader(type, decode);
    case "timestamp":
    case "timestampLtz":
      return timestampReader(type);
  }
}

/** A conversion of values that are one thing on the wire; what that is, is the reader's to know. */
function decodeOf(field: Field): (wire: unknown) => unknown {
  if (field.form === "nested") throw new Error("a scalar type has no nested form");
  return field.conversion.decode as (wire: unknown) => unknown;
}

function valuesReader(
  plain: boolean,
  values: (raw: RawColumn) => ColumnValues,
  decode: (wire: unknown) => unknown,
): ColumnReader {
  return {
    form: plain ? "values" : "read",
    values,
    read(raw) {
      const items: ColumnValues = values(raw);
      return plain ? (i) => items[i] : (i) => decode(items[i]);
    },
  };
}

function int8Values({ data, length }: RawColumn): Int8Array {
  return new Int8Array(data!.buffer, data!.byteOffset, length);
}

function int16Values({ data, length }: RawColumn): Int16Array {
  return new Int16Array(data!.buffer, data!.byteOffset, length);
}

function int32Values({ data, length }: RawColumn): Int32Array {
  return new Int32Array(data!.buffer, data!.byteOffset, length);
}

function int64Values({ data, length }: RawColumn): BigInt64Array {
  return new BigInt64Array(data!.buffer, data!.byteOffset, length);
}

function float32Values({ data, length }: RawColumn): Float32Array {
  return new Float32Array(data!.buffer, data!.byteOffset, length);
}

function float64Values({ data, length }: RawColumn): Float64Array {
  return new Float64Array(data!.buffer, data!.byteOffset, length);
}

/** The halves of 64-bit values, the low one first: numbers are made of them without a bigint between. */
function words({ data }: RawColumn): Int32Array {
  return new Int32Array(data!.buffer, data!.byteOffset, data!.length >> 2);
}

function bitRead(bits: Uint8Array, decode: (wire: unknown) => unknown): Read {
  return (i) => decode((bits[i >> 3]! & (1 << (i & 7))) !== 0);
}

function safeInt64Read(halves: Int32Array, decode: ((wire: unknown) => unknown) | undefined): Read {
  if (decode !== undefined) return (i) => decode(safe(halves[2 * i]!, halves[2 * i + 1]!));
  return (i) => safe(halves[2 * i]!, halves[2 * i + 1]!);
}

function safe(low: number, high: number): number {
  const value = high * 4294967296 + (low >>> 0);
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw unsafe(low, high);
  return value;
}

function unsafe(low: number, high: number): ColumnError {
  const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
  return new ColumnError("CODEC.UNSAFE_INTEGER", `${value} is beyond 2^53`);
}

/** The values that are decoded at once, as a power of two. */
const BLOCK_BITS = 8;
/** A block's text lives as long as one of its values, so it must not be much. */
const MAX_BLOCK_BYTES = 65536;

/**
 * Cuts texts out of a block of them, which is decoded once: that takes half the time of decoding each, or less. Blocks
 * of long texts, and those with bytes that are not UTF-8, are decoded text by text.
 */
function textRead(
  offsets: Int32Array,
  data: Uint8Array,
  decode: ((wire: unknown) => unknown) | undefined,
): Read {
  const last = offsets.length - 1;
  const places = new Int32Array((1 << BLOCK_BITS) + 1);
  let current = -1;
  let text: string | undefined;
  const load = (block: number) => {
    current = block;
    const first = block << BLOCK_BITS;
    text = blockText(data, offsets, first, Math.min(last, first + (1 << BLOCK_BITS)), places);
  };
  const read = (i: number): string => {
    if (i >> BLOCK_BITS !== current) load(i >> BLOCK_BITS);
    if (text === undefined) return utf8At(data, offsets[i]!, offsets[i + 1]! - offsets[i]!);
    const place = i & ((1 << BLOCK_BITS) - 1);
    return text.substring(places[place]!, places[place + 1]!);
  };
  return decode === undefined ? read : (i) => decode(read(i));
}

/**
 * Decodes the texts `first` up to `last` as one.
 *
 * @param places gets where each begins in it, and where the last one ends
 * @returns undefined where that is not to be done
 */
function blockText(
  data: Uint8Array,
  offsets: Int32Array,
  first: number,
  last: number,
  places: Int32Array,
): string | undefined {
  const start = offsets[first]!;
  const end = offsets[last]!;
  if (end - start > MAX_BLOCK_BYTES) return undefined;
  const ascii = readAscii(data, start, end);
  if (ascii !== undefined) {
    for (let i = first; i <= last; i++) places[i - first] = offsets[i]! - start;
    return ascii;
  }
  const text = readUtf8(data, start, end);
  if (text === undefined) return undefined;
  let place = 0;
  let at = start;
  for (let i = first; i < last; i++) {
    places[i - first] = place;
    const next = offsets[i + 1]!;
    // Together they may be UTF-8 where a text that begins within a character is not.
    if (at < next && (data[at]! & 0xc0) === 0x80) return undefined;
    for (; at < next; at++) {
      const byte = data[at]!;
      // A character counts once, at its first byte; one of four bytes is two units of UTF-16.
      if ((byte & 0xc0) !== 0x80) place += byte < 0xf0 ? 1 : 2;
    }
  }
  places[last - first] = place;
  return text;
}

function bytesRead(offsets: Int32Array, data: Uint8Array, decode: (wire: unknown) => unknown): Read {
  return (i) => {
    const start = offsets[i]!;
    return decode(copyAt(data, start, offsets[i + 1]! - start));
  };
}

function binaryRead(data: Uint8Array, { length }: SizedType, decode: (wire: unknown) => unknown): Read {
  return (i) => decode(copyAt(data, i * length, length));
}

function decimalReader(type: DecimalType): ColumnReader {
  const field = scalarField(type);
  if (field.form === "safeInt64") {
    const { decode } = field.conversion;
    return {
      form: "read",
      values: none,
      read(raw) {
        const quarters = words(raw);
        return (i) => {
          const low = quarters[4 * i]!;
          const high = quarters[4 * i + 1]!;
          const sign = high >> 31;
          if (quarters[4 * i + 2] !== sign || quarters[4 * i + 3] !== sign) throw tooLarge(type);
          return decode(safe(low, high));
        };
      },
    };
  }
  const decode: (unscaled: bigint) => unknown = decodeOf(field);
  return {
    form: "read",
    values: none,
    read({ data, length }) {
      const halves = new BigInt64Array(data!.buffer, data!.byteOffset, 2 * length);
      return (i) => {
        const low = halves[2 * i]!;
        const high = halves[2 * i + 1]!;
        return decode(high === low >> 63n ? low : (high << 64n) | BigInt.asUintN(64, low));
      };
    },
  };
}

function tooLarge(type: DecimalType): ColumnError {
  return new ColumnError("CODEC.OUT_OF_RANGE", `a value has more digits than ${bareTypeText(type)} can hold`);
}

/** TIME has milliseconds for every precision; like Java's reader, this one cuts what is finer (Fluss: ArrowTimeColumnVector.java). */
function timeReader(type: TimeType, decode: (wire: unknown) => unknown): ColumnReader {
  const unit = timeUnit(type.precision);
  if (unit === 0) {
    return {
      form: "read",
      values: int32Values,
      read(raw) {
        const seconds = int32Values(raw);
        return (i) => decode(seconds[i]! * 1000);
      },
    };
  }
  if (unit === 1) return valuesReader(type.codec === undefined && type.mode === "millis", int32Values, decode);
  return {
    form: "read",
    values: int64Values,
    read(raw) {
      const halves = words(raw);
      return (i) => decode(unit === 2 ? microMillis(halves, i) : nanoMillis(halves, i));
    },
  };
}

/** 2^32 microseconds are so many milliseconds and microseconds above. */
const MICROS_MILLIS = 4294967;
const MICROS_REST = 296;
/** 2^32 nanoseconds are so many milliseconds and nanoseconds above. */
const NANOS_MILLIS = 4294;
const NANOS_REST = 967296;

/** The nanoseconds above the milliseconds that were read last; a second result without an object. */
let restNanos = 0;

/** The milliseconds of microseconds, rounded down also before 1970, where Java's reader fails. */
function microMillis(halves: Int32Array, i: number): number {
  const high = halves[2 * i + 1]!;
  const rest = high * MICROS_REST + (halves[2 * i]! >>> 0);
  const millis = Math.floor(rest / 1000);
  restNanos = (rest - millis * 1000) * 1000;
  return high * MICROS_MILLIS + millis;
}

function nanoMillis(halves: Int32Array, i: number): number {
  const high = halves[2 * i + 1]!;
  const rest = high * NANOS_REST + (halves[2 * i]! >>> 0);
  const millis = Math.floor(rest / 1_000_000);
  restNanos = rest - millis * 1_000_000;
  return high * NANOS_MILLIS + millis;
}

function timestampReader(type: TimeType): ColumnReader {
  const unit = timeUnit(type.precision);
  const field = scalarField(type);
  if (field.form === "timestamp") {
    const { decode } = field.conversion;
    return {
      form: "read",
      values: int64Values,
      read(raw) {
        const halves = words(raw);
        if (unit === 3) {
          return (i) => {
            const millis = nanoMillis(halves, i);
            return decode(millis, restNanos);
          };
        }
        return (i) => {
          const millis = microMillis(halves, i);
          if (!Number.isSafeInteger(millis)) throw outOfRange(millis, "milliseconds are too far from 1970");
          return decode(millis, restNanos);
        };
      },
    };
  }
  const decode = decodeOf(field);
  const plain = type.mode === "epochMillis" && type.codec === undefined;
  return {
    form: "read",
    values: int64Values,
    read(raw) {
      const halves = words(raw);
      if (unit === 1) return safeInt64Read(halves, plain ? undefined : decode);
      return (i) => {
        const millis = safe(halves[2 * i]!, halves[2 * i + 1]!) * 1000;
        if (!Number.isSafeInteger(millis)) throw outOfRange(millis, "milliseconds are too far from 1970");
        return decode(millis);
      };
    },
  };
}

/** Reads a value or null: what an element of a list may be. */
function elementReader(type: DataType): (raw: RawColumn) => (i: number) => unknown {
  const reader = columnReader(type);
  return (raw) => {
    const { validity } = raw;
    const read = reader.read(raw);
    if (validity === undefined) return read;
    return (i) => (validity[i >> 3]! & (1 << (i & 7))) === 0 ? null : read(i);
  };
}

function listRead(type: ArrayType): (raw: RawColumn) => Read {
  const elements = elementReader(type.element);
  return (raw) => {
    const offsets = raw.offsets!;
    const read = elements(raw.children[0]!);
    return (i) => {
      const start = offsets[i]!;
      const end = offsets[i + 1]!;
      const values: unknown[] = [];
      try {
        for (let at = start; at < end; at++) values.push(read(at));
      } catch (error) {
        throw inElement(error, values.length);
      }
      return values;
    };
  };
}

function mapRead(type: MapType): (raw: RawColumn) => Read {
  const keysOf = elementReader(type.key);
  const valuesOf = elementReader(type.value);
  const asObject = type.mode === "object";
  return (raw) => {
    const offsets = raw.offsets!;
    const entries = raw.children[0]!;
    const key = keysOf(entries.children[0]!);
    const value = valuesOf(entries.children[1]!);
    return (i) => {
      const start = offsets[i]!;
      const end = offsets[i + 1]!;
      const pairs: [unknown, unknown][] = [];
      try {
        for (let at = start; at < end; at++) {
          const name = key(at);
          if (name === null) throw corrupt("a map has a null key");
          pairs.push([name, value(at)]);
        }
      } catch (error) {
        throw inElement(error, pairs.length);
      }
      // Not by assignment: the key `__proto__` is data, too.
      return asObject ? Object.fromEntries(pairs as [string, unknown][]) : new Map(pairs);
    };
  };
}

function structRead(type: RowType): (raw: RawColumn) => Read {
  const readers = type.fields.map((field) => columnReader(field.type));
  const rows = compileRowSource(type.fields.map((field) => field.key), readers.map((reader) => reader.form));
  return (raw) => rows(readers.map((reader, i) => columnSource(reader, raw.children[i]!)));
}

/** A column's buffers with what its type makes of them. */
export function columnSource(reader: ColumnReader, raw: RawColumn): ColumnSource {
  return { form: reader.form, validity: raw.validity, values: reader.values(raw), read: reader.read(raw) };
}
