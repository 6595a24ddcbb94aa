/**
 * Aggregation functions on the bytes of values (Fluss: server/kv/rowmerger/aggregate/functions).
 *
 * @module
 */
import type { ByteWriter } from "../../format/byte_writer.ts";
import { ByteReader } from "../../format/byte_reader.ts";
import { integerAt, integerBytes } from "../../format/decimal.ts";
import { isCompactDecimal, isCompactTimestamp, type StoredFormat } from "../../format/row_parts.ts";
import type { DataType } from "../../schema/data_type.ts";
import type { Aggregation } from "../../schema/definition.ts";
import { uniteBitmaps32 } from "./roaring32.ts";
import { uniteBitmaps64 } from "./roaring64.ts";

/** What a function says of a value that is there and one that is written. */
export const Choice = { OLD: 0, NEW: 1, NULL: 2, MADE: 3 } as const;
/** See {@linkcode Choice}. */
export type Choice = (typeof Choice)[keyof typeof Choice];

/** The bytes of a value. */
export interface ValueSpan {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Aggregates two values.
 *
 * @param old the value that is there; undefined for null
 * @param value the value that is written; undefined for null
 * @param out where a value that is neither goes (`MADE`), from its position on
 */
export type AggregateFunction = (old: ValueSpan | undefined, value: ValueSpan | undefined, out: ByteWriter) => Choice;

/** For the columns of the key, whose values are the same anyway. */
export const lastValue: AggregateFunction = (_old, value) => value === undefined ? Choice.NULL : Choice.NEW;

/** The function of columns that name none. */
export const lastValueIgnoreNulls: AggregateFunction = (old, value) =>
  value !== undefined ? Choice.NEW : old !== undefined ? Choice.OLD : Choice.NULL;

/** Both keep the first value that is not null. */
const firstValue: AggregateFunction = (old, value) =>
  old !== undefined ? Choice.OLD : value !== undefined ? Choice.NEW : Choice.NULL;

/**
 * Finds the function of a column.
 *
 * @param aggregation what the schema says
 * @throws {Error} for a function that the type does not have; the catalog refuses such tables
 */
export function aggregateFunction(
  { fn, parameters }: Aggregation,
  type: DataType,
  format: StoredFormat,
): AggregateFunction {
  switch (fn) {
    case "last_value":
      return lastValue;
    case "last_value_ignore_nulls":
      return lastValueIgnoreNulls;
    case "first_value":
    case "first_value_ignore_nulls":
      return firstValue;
    case "sum":
      return ofBoth(arithmetic(type, format, SUM));
    case "product":
      return ofBoth(arithmetic(type, format, PRODUCT));
    case "max": {
      const compare = comparison(type, format);
      return ofBoth((old, value) => compare(old, value) < 0 ? Choice.NEW : Choice.OLD);
    }
    case "min": {
      const compare = comparison(type, format);
      return ofBoth((old, value) => compare(old, value) < 0 ? Choice.OLD : Choice.NEW);
    }
    case "bool_and":
      return ofBoth((old, value) => isTrue(old) ? isTrue(value) ? Choice.OLD : Choice.NEW : Choice.OLD);
    case "bool_or":
      return ofBoth((old, value) => isTrue(old) ? Choice.OLD : isTrue(value) ? Choice.NEW : Choice.OLD);
    case "listagg":
    case "string_agg":
      return ofBoth(joined(parameters["delimiter"] ?? ","));
    case "rbm32":
      return ofBoth(united(uniteBitmaps32));
    case "rbm64":
      return ofBoth(united(uniteBitmaps64));
    default:
      throw new Error(`there is no aggregation function ${fn}`);
  }
}

type Both = (old: ValueSpan, value: ValueSpan, out: ByteWriter) => Choice;

/** Where one of two values is null, the other one stays. */
function ofBoth(both: Both): AggregateFunction {
  return (old, value, out) => {
    if (old === undefined) return value === undefined ? Choice.NULL : Choice.NEW;
    return value === undefined ? Choice.OLD : both(old, value, out);
  };
}

function isTrue({ bytes, start }: ValueSpan): boolean {
  return bytes[start] !== 0;
}

function joined(delimiter: string): Both {
  const between = new TextEncoder().encode(delimiter);
  return (old, value, out) => {
    out.writeBytes(old.bytes.subarray(old.start, old.end));
    out.writeBytes(between);
    out.writeBytes(value.bytes.subarray(value.start, value.end));
    return Choice.MADE;
  };
}

function united(unite: (a: Uint8Array, b: Uint8Array) => Uint8Array): Both {
  return (old, value, out) => {
    out.writeBytes(unite(old.bytes.subarray(old.start, old.end), value.bytes.subarray(value.start, value.end)));
    return Choice.MADE;
  };
}

/** An operation on numbers as Java does it: integers wrap. */
interface Operation {
  readonly number: (a: number, b: number) => number;
  readonly int32: (a: number, b: number) => number;
  readonly bigint: (a: bigint, b: bigint) => bigint;
  /** On unscaled values of the same scale, rounded to it. */
  readonly decimal: (a: bigint, b: bigint, scale: number) => bigint;
  /**
   * Whether decimals that fit into 64 bits are not held against their precision (Fluss: DecimalUtils.add). The log
   * batch refuses them later, where it is an ARROW one.
   */
  readonly unchecked: boolean;
}

const SUM: Operation = {
  number: (a, b) => a + b,
  int32: (a, b) => a + b,
  bigint: (a, b) => a + b,
  decimal: (a, b) => a + b,
  unchecked: true,
};

const PRODUCT: Operation = {
  number: (a, b) => a * b,
  int32: Math.imul,
  bigint: (a, b) => a * b,
  decimal: (a, b, scale) => roundedHalfUp(a * b, 10n ** BigInt(scale)),
  unchecked: false,
};

function roundedHalfUp(value: bigint, unit: bigint): bigint {
  const quotient = value / unit;
  const rest = value % unit;
  const twice = 2n * (rest < 0n ? -rest : rest);
  return twice < unit ? quotient : quotient + (value < 0n ? -1n : 1n);
}

function arithmetic(type: DataType, format: StoredFormat, operation: Operation): Both {
  switch (type.kind) {
    case "tinyint":
      return onNumbers(type, format, (a, b) => (operation.int32(a, b) << 24) >> 24);
    case "smallint":
      return onNumbers(type, format, (a, b) => (operation.int32(a, b) << 16) >> 16);
    case "int":
      return onNumbers(type, format, (a, b) => operation.int32(a, b) | 0);
    case "float":
      return onNumbers(type, format, (a, b) => Math.fround(operation.number(a, b)));
    case "double":
      return onNumbers(type, format, operation.number);
    case "bigint":
      return onBigints(type, format, (a, b) => BigInt.asIntN(64, operation.bigint(a, b)));
    case "decimal": {
      const { precision, scale } = type;
      const limit = 10n ** BigInt(precision);
      const compact = isCompactDecimal(type);
      return onBigints(type, format, (a, b) => {
        const result = operation.decimal(a, b, scale);
        if (compact && operation.unchecked && BigInt.asIntN(64, result) === result) return result;
        return result < limit && result > -limit ? result : undefined;
      });
    }
    default:
      throw new Error(`there is no arithmetic on ${type.kind}`);
  }
}

function onNumbers(type: DataType, format: StoredFormat, compute: (a: number, b: number) => number): Both {
  const { read, write } = numberForm(type, format);
  return (old, value, out) => {
    write(out, compute(read(old), read(value)));
    return Choice.MADE;
  };
}

function onBigints(type: DataType, format: StoredFormat, compute: (a: bigint, b: bigint) => bigint | undefined): Both {
  const { read, write } = bigintForm(type, format);
  return (old, value, out) => {
    const result = compute(read(old), read(value));
    if (result === undefined) return Choice.NULL;
    write(out, result);
    return Choice.MADE;
  };
}

/** How values of a type are read and written. */
export interface ValueForm<T> {
  read(span: ValueSpan): T;
  write(out: ByteWriter, value: T): void;
}

function opened({ bytes, start, end }: ValueSpan): ByteReader {
  return new ByteReader(bytes, start, end);
}

/** Numbers of at most 32 bits, and doubles. */
export function numberForm(type: DataType, format: StoredFormat): ValueForm<number> {
  switch (type.kind) {
    case "tinyint":
      return { read: (span) => opened(span).readInt8(), write: (out, value) => out.writeInt8(value) };
    case "smallint":
      return { read: (span) => opened(span).readInt16(), write: (out, value) => out.writeInt16(value) };
    case "int":
    case "date":
    case "time":
      return format === "compacted"
        ? { read: (span) => opened(span).readVarInt32(), write: (out, value) => out.writeVarInt32(value) }
        : { read: (span) => opened(span).readInt32(), write: (out, value) => out.writeInt32(value) };
    case "float":
      return { read: (span) => opened(span).readFloat32(), write: (out, value) => out.writeFloat32(value) };
    case "double":
      return { read: (span) => opened(span).readFloat64(), write: (out, value) => out.writeFloat64(value) };
    default:
      throw new Error(`values of ${type.kind} are no numbers`);
  }
}

/** Integers of 64 bits, and decimals by their unscaled values. */
export function bigintForm(type: DataType, format: StoredFormat): ValueForm<bigint> {
  if (type.kind === "decimal" && !isCompactDecimal(type)) {
    return {
      read: ({ bytes, start, end }) => integerAt(bytes, start, end - start),
      write: (out, value) => out.writeBytes(integerBytes(value)),
    };
  }
  return format === "compacted"
    ? { read: (span) => opened(span).readVarInt64(), write: (out, value) => out.writeVarInt64(value) }
    : { read: (span) => opened(span).readInt64(), write: (out, value) => out.writeInt64(value) };
}

/** Compares two values of a type as Java does (Fluss: InternalRowUtils.compare). */
export function comparison(type: DataType, format: StoredFormat): (a: ValueSpan, b: ValueSpan) => number {
  switch (type.kind) {
    case "float":
    case "double": {
      const { read } = numberForm(type, format);
      return (a, b) => compareFloats(read(a), read(b));
    }
    case "tinyint":
    case "smallint":
    case "int":
    case "date":
    case "time": {
      const { read } = numberForm(type, format);
      return (a, b) => read(a) - read(b);
    }
    case "bigint":
    case "decimal":
      return bigintComparison(bigintForm(type, format).read);
    case "timestamp":
    case "timestampLtz":
      return bigintComparison(timestampReader(type, format));
    case "char":
      return format === "compacted" ? compareBytes : (a, b) => compareBytes(withoutPadding(a), withoutPadding(b));
    case "string":
    case "binary":
    case "bytes":
      return compareBytes;
    default:
      throw new Error(`there is no order of ${type.kind}`);
  }
}

/** Reads timestamps as one number that orders them: nanoseconds since 1970. */
function timestampReader(type: DataType & { readonly precision: number }, format: StoredFormat) {
  const compacted = format === "compacted";
  const compact = isCompactTimestamp(type);
  return (span: ValueSpan): bigint => {
    const reader = opened(span);
    const millis = compacted ? reader.readVarInt64() : reader.readInt64();
    const nanos = compact ? 0 : compacted ? reader.readVarInt32() : reader.readInt32();
    return millis * 1_000_000n + BigInt(nanos);
  };
}

function bigintComparison(read: (span: ValueSpan) => bigint): (a: ValueSpan, b: ValueSpan) => number {
  return (a, b) => {
    const left = read(a);
    const right = read(b);
    return left < right ? -1 : left > right ? 1 : 0;
  };
}

/** As Float.compare of Java: NaN is the largest, and -0 is less than 0. */
function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return a !== 0 ? 0 : Number(Object.is(a, 0)) - Number(Object.is(b, 0));
  return Number(a !== a) - Number(b !== b);
}

/** CHAR(n) of indexed rows without the zero bytes behind it. */
function withoutPadding(span: ValueSpan): ValueSpan {
  const { bytes, start } = span;
  let { end } = span;
  while (end > start && bytes[end - 1] === 0) end--;
  return { bytes, start, end };
}

function compareBytes(a: ValueSpan, b: ValueSpan): number {
  const length = Math.min(a.end - a.start, b.end - b.start);
  for (let i = 0; i < length; i++) {
    const difference = a.bytes[a.start + i]! - b.bytes[b.start + i]!;
    if (difference !== 0) return difference;
  }
  return a.end - a.start - (b.end - b.start);
}
