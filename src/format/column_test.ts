/**
 * One comparison of one column, for all rows of a batch at once: compiled to a loop over the buffers of the column, in
 * the units that they have, where rows came as columns; value by value where they did not.
 *
 * @module
 */
import type { DataType, SchemaColumn } from "../schema/data_type.ts";
import type { RawColumn } from "./arrow/raw_column.ts";
import type { Column } from "./columns.ts";
import { type LeafPredicate, type Literal, literalEncoder, namedColumn, wireEncoder } from "./predicate.ts";

/** Sets `mask[i]` to 1 where the value of row i passes; the mask comes zeroed and as long as the column. */
export type ColumnTest = (column: Column, mask: Uint8Array) => void;

/** A loop over buffers; what it says of nulls means nothing. */
type RawTest = (raw: RawColumn, mask: Uint8Array) => void;

/** Up to this many values of a list are compared one after another; above, they are looked up. */
const FEW = 4;

/** Compiles a comparison that was checked. */
export function compileColumnTest(predicate: LeafPredicate, column: SchemaColumn, table: string): ColumnTest {
  switch (predicate.op) {
    case "isNull":
      return (values, mask) => markNulls(values, mask, 1);
    case "isNotNull":
      return (values, mask) => markNulls(values, mask, 0);
    case "in":
    case "notIn": {
      const encode = literalEncoder(column, table);
      const literals = predicate.value.map((value) => encode(predicate.op, value));
      const raw = literals.length <= FEW
        ? anyOf(literals.map((literal) => rawTest("eq", literal, column.type)))
        : undefined;
      return withNulls(raw, listTest(literals, column, table), predicate.op === "notIn");
    }
    default: {
      const literal = literalEncoder(column, table)(predicate.op, predicate.value);
      const negated = predicate.op === "ne";
      const op = negated ? "eq" : predicate.op;
      return withNulls(rawTest(op, literal, column.type), valueTest(op, literal, column, table), negated);
    }
  }
}

function markNulls(column: Column, mask: Uint8Array, ofNull: 0 | 1): void {
  if (column.nullCount === 0 || column.nullCount === column.length) {
    return void mask.fill(column.nullCount === 0 ? 1 - ofNull : ofNull);
  }
  for (let i = 0; i < mask.length; i++) mask[i] = column.isNull(i) ? ofNull : 1 - ofNull;
}

/** Runs the loop that the column allows, turns the result around if asked to, and takes the nulls out. */
function withNulls(raw: RawTest | undefined, byValue: ColumnTest, negated: boolean): ColumnTest {
  return (column, mask) => {
    if (column.nullCount === column.length) return;
    if (raw === undefined || column.raw === undefined) byValue(column, mask);
    else raw(column.raw, mask);
    if (negated) { for (let i = 0; i < mask.length; i++) mask[i]! ^= 1; }
    if (column.nullCount > 0) clearNulls(column, mask);
  };
}

function clearNulls(column: Column, mask: Uint8Array): void {
  const validity = column.raw?.validity;
  if (validity === undefined) {
    for (let i = 0; i < mask.length; i++) if (column.isNull(i)) mask[i] = 0;
  } else for (let i = 0; i < mask.length; i++) mask[i]! &= (validity[i >> 3]! >> (i & 7)) & 1;
}

function anyOf(tests: readonly RawTest[]): RawTest {
  return (raw, mask) => {
    const one = new Uint8Array(mask.length);
    for (const test of tests) {
      test(raw, one);
      for (let i = 0; i < mask.length; i++) mask[i]! |= one[i]!;
    }
  };
}

// Value by value.

function valueTest(op: string, literal: Literal, column: SchemaColumn, table: string): ColumnTest {
  const passes = literalTest(op, literal);
  return eachValue(column, table, op, passes);
}

function listTest(literals: readonly Literal[], column: SchemaColumn, table: string): ColumnTest {
  const keys = new Set(literals.map(keyOf));
  return eachValue(column, table, "in", (value) => keys.has(keyOf(value)));
}

/** Something that a Set compares as the server compares values. */
function keyOf(value: Literal): unknown {
  if (value instanceof Uint8Array) return `bytes ${value.join()}`;
  return Object.is(value, -0) ? "-0" : value;
}

function eachValue(column: SchemaColumn, table: string, op: string, passes: (value: Literal) => boolean): ColumnTest {
  const encode = wireEncoder(column.type);
  return (values, mask) => {
    try {
      for (let i = 0; i < mask.length; i++) {
        if (!values.isNull(i) && passes(encode(values.get(i)))) mask[i] = 1;
      }
    } catch (error) {
      throw namedColumn(error, column.key, table, op);
    }
  };
}

function literalTest(op: string, literal: Literal): (value: Literal) => boolean {
  switch (op) {
    case "startsWith":
      return (value) => (value as string).startsWith(literal as string);
    case "endsWith":
      return (value) => (value as string).endsWith(literal as string);
    case "contains":
      return (value) => (value as string).includes(literal as string);
    case "eq":
      return (value) => compareLiterals(value, literal) === 0;
    case "lt":
      return (value) => compareLiterals(value, literal) < 0;
    case "lte":
      return (value) => compareLiterals(value, literal) <= 0;
    case "gt":
      return (value) => compareLiterals(value, literal) > 0;
    default:
      return (value) => compareLiterals(value, literal) >= 0;
  }
}

/** The order of two values of one type, as the server has it: negative, zero or positive. */
export function compareLiterals(a: Literal, b: Literal): number {
  if (typeof a === "string") return compareText(a, b as string);
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  if (typeof a === "number") return compareNumbers(a, b as number);
  return a === b ? 0 : a < b ? -1 : 1;
}

/** As Java's `Double.compare`: -0 below 0, NaN above everything. */
function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (Object.is(a, b)) return 0;
  if (a === b) return Object.is(a, -0) ? -1 : 1;
  return Number.isNaN(a) ? 1 : -1;
}

/** Code points are in the order of their UTF-8 bytes; UTF-16 units are so but for surrogates. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return above(x) - above(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above the units behind them, where their code points are. */
function above(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

// Loops over buffers.

function rawTest(op: string, literal: Literal, type: DataType): RawTest {
  switch (type.kind) {
    case "boolean":
      return bitTest(literal as boolean);
    case "char":
    case "string":
      return bytesTest(op, new TextEncoder().encode(literal as string), undefined);
    case "bytes":
      return bytesTest(op, literal as Uint8Array, undefined);
    case "binary":
      return bytesTest(op, literal as Uint8Array, type.length);
    case "float":
      return floatTest(op, literal as number, (raw) => over(Float32Array, raw));
    case "double":
      return floatTest(op, literal as number, (raw) => over(Float64Array, raw));
    default:
      return integerTest(op, BigInt(literal as number | bigint), type);
  }
}

interface Elements<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): A;
}

function over<A>(elements: Elements<A>, raw: RawColumn, perValue = 1): A {
  const data = raw.data!;
  return new elements(data.buffer, data.byteOffset, raw.length * perValue);
}

function bitTest(wanted: boolean): RawTest {
  const flip = wanted ? 0 : 1;
  return ({ data }, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = ((data![i >> 3]! >> (i & 7)) & 1) ^ flip;
  };
}

function floatTest(op: string, literal: number, of: (raw: RawColumn) => Float32Array | Float64Array): RawTest {
  // The operators of JavaScript know one zero, and put NaN nowhere.
  if (literal === 0 || Number.isNaN(literal)) {
    const passes = literalTest(op, literal);
    return (raw, mask) => {
      const values = of(raw);
      for (let i = 0; i < mask.length; i++) mask[i] = passes(values[i]!) ? 1 : 0;
    };
  }
  switch (op) {
    case "eq":
      return (raw, mask) => {
        const values = of(raw);
        for (let i = 0; i < mask.length; i++) mask[i] = values[i] === literal ? 1 : 0;
      };
    case "lt":
      return (raw, mask) => {
        const values = of(raw);
        for (let i = 0; i < mask.length; i++) mask[i] = values[i]! < literal ? 1 : 0;
      };
    case "lte":
      return (raw, mask) => {
        const values = of(raw);
        for (let i = 0; i < mask.length; i++) mask[i] = values[i]! <= literal ? 1 : 0;
      };
    case "gt":
      return (raw, mask) => {
        const values = of(raw);
        for (let i = 0; i < mask.length; i++) mask[i] = values[i]! <= literal ? 0 : 1;
      };
    default:
      return (raw, mask) => {
        const values = of(raw);
        for (let i = 0; i < mask.length; i++) mask[i] = values[i]! < literal ? 0 : 1;
      };
  }
}

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const INT128 = { min: -(2n ** 127n), max: 2n ** 127n - 1n };

/** Whole numbers: every comparison asks whether a value is between two others, both included. */
function integerTest(op: string, literal: bigint, type: DataType): RawTest {
  const { min, max } = INT128;
  let low = min;
  let high = max;
  if (op === "eq" || op === "gte") low = literal;
  if (op === "gt") low = literal + 1n;
  if (op === "eq" || op === "lte") high = literal;
  if (op === "lt") high = literal - 1n;
  const unit = unitOf(type);
  // An open end stays open in every unit.
  if (low !== min) low = unit > 0n ? low * unit : -floorDivide(low, unit);
  if (high !== max) high = unit > 0n ? high * unit + (unit - 1n) : floorDivide(high, -unit);
  switch (type.kind) {
    case "tinyint":
      return numbersBetween(low, high, (raw) => over(Int8Array, raw));
    case "smallint":
      return numbersBetween(low, high, (raw) => over(Int16Array, raw));
    case "int":
    case "date":
      return numbersBetween(low, high, (raw) => over(Int32Array, raw));
    case "time":
      return type.precision <= 3
        ? numbersBetween(low, high, (raw) => over(Int32Array, raw))
        : int64Between(low, high, 2);
    case "decimal":
      // Up to 18 digits the upper half only repeats the sign.
      return type.precision <= 18 ? int64Between(low, high, 4) : int128Between(low, high);
    default:
      return int64Between(low, high, 2);
  }
}

/**
 * How many units of the buffer one unit of the wire has; below zero, how many of the wire one of the buffer has. Source:
 * Fluss `ArrowUtils.java`.
 */
function unitOf(type: DataType): bigint {
  if (type.kind === "time") {
    return type.precision === 0 ? -1000n : type.precision <= 3 ? 1n : type.precision <= 6 ? 1000n : 1_000_000n;
  }
  if (type.kind !== "timestamp" && type.kind !== "timestampLtz") return 1n;
  if (type.precision === 0) return -1000n;
  return type.precision > 3 && type.precision <= 6 ? -1000n : 1n;
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && (a < 0n) !== (b < 0n) ? quotient - 1n : quotient;
}

const none: RawTest = () => {};

function numbersBetween(
  low: bigint,
  high: bigint,
  of: (raw: RawColumn) => Int8Array | Int16Array | Int32Array,
): RawTest {
  if (low > high) return none;
  const from = Number(low);
  const to = Number(high);
  return (raw, mask) => {
    const values = of(raw);
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! >= from && values[i]! <= to ? 1 : 0;
  };
}

/** Values of 64 bits, read as two of 32: a bigint per value would cost more than the comparison. */
function int64Between(low: bigint, high: bigint, words: 2 | 4): RawTest {
  const { min, max } = INT64;
  if (low > high || low > max || high < min) return none;
  const from = low < min ? min : low;
  const to = high > max ? max : high;
  const fromHigh = Number(from >> 32n);
  const fromLow = Number(from & 0xffff_ffffn);
  const toHigh = Number(to >> 32n);
  const toLow = Number(to & 0xffff_ffffn);
  return (raw, mask) => {
    const values = over(Int32Array, raw, words);
    for (let i = 0, at = 0; i < mask.length; i++, at += words) {
      const high = values[at + 1]!;
      const low = values[at]! >>> 0;
      mask[i] = (high > fromHigh || (high === fromHigh && low >= fromLow)) &&
          (high < toHigh || (high === toHigh && low <= toLow))
        ? 1
        : 0;
    }
  };
}

function int128Between(low: bigint, high: bigint): RawTest {
  if (low > high) return none;
  const from = wordsOf(low);
  const to = wordsOf(high);
  return (raw, mask) => {
    const values = over(Int32Array, raw, 4);
    for (let i = 0; i < mask.length; i++) {
      mask[i] = compareWords(values, i * 4, from) >= 0 && compareWords(values, i * 4, to) <= 0 ? 1 : 0;
    }
  };
}

/** Four words of 32 bits, the lowest first. */
function wordsOf(value: bigint): Int32Array {
  return Int32Array.from({ length: 4 }, (_, i) => Number(BigInt.asIntN(32, value >> BigInt(32 * i))));
}

function compareWords(values: Int32Array, at: number, other: Int32Array): number {
  if (values[at + 3] !== other[3]) return values[at + 3]! - other[3]!;
  for (let word = 2; word >= 0; word--) {
    const difference = (values[at + word]! >>> 0) - (other[word]! >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function bytesTest(op: string, wanted: Uint8Array, width: number | undefined): RawTest {
  const passes = slicePasses(op, wanted);
  return ({ data, offsets }, mask) => {
    const bytes = data!;
    for (let i = 0; i < mask.length; i++) {
      const start = width === undefined ? offsets![i]! : i * width;
      const end = width === undefined ? offsets![i + 1]! : start + width;
      mask[i] = passes(bytes, start, end) ? 1 : 0;
    }
  };
}

type SliceTest = (bytes: Uint8Array, start: number, end: number) => boolean;

function slicePasses(op: string, wanted: Uint8Array): SliceTest {
  const { length } = wanted;
  switch (op) {
    case "eq":
      return (bytes, start, end) => end - start === length && isAt(bytes, start, wanted);
    case "startsWith":
      return (bytes, start, end) => end - start >= length && isAt(bytes, start, wanted);
    case "endsWith":
      return (bytes, start, end) => end - start >= length && isAt(bytes, end - length, wanted);
    case "contains":
      return (bytes, start, end) => {
        for (let at = start; at <= end - length; at++) if (isAt(bytes, at, wanted)) return true;
        return false;
      };
    case "lt":
      return (bytes, start, end) => compareSlice(bytes, start, end, wanted) < 0;
    case "lte":
      return (bytes, start, end) => compareSlice(bytes, start, end, wanted) <= 0;
    case "gt":
      return (bytes, start, end) => compareSlice(bytes, start, end, wanted) > 0;
    default:
      return (bytes, start, end) => compareSlice(bytes, start, end, wanted) >= 0;
  }
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function compareSlice(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): number {
  const length = Math.min(end - start, wanted.length);
  for (let i = 0; i < length; i++) {
    const difference = bytes[start + i]! - wanted[i]!;
    if (difference !== 0) return difference;
  }
  return end - start - wanted.length;
}
