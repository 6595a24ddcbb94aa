/**
 * Columns that are being filled, in the layout of the Arrow columnar format. Whoever fills them says at which place a
 * value goes, makes room first, and cuts what a refused row left behind; so nothing is kept per value but the value.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import { ColumnError, inElement } from "../../base/column_error.ts";
import { ByteWriter } from "../byte_writer.ts";
import type { Rest, TimestampConversion } from "../field.ts";
import type { AppendTarget, PlanAppender } from "../row_plan.ts";
import { isRecord, nullValue, outOfRange, short, undefinedValue, wrongType } from "../value_error.ts";
import type { RawColumn } from "./raw_column.ts";

/** Places that a column begins with. */
const FIRST_CAPACITY = 64;
/** Offsets and lengths of the format are int32. */
const MAX_BYTES = 0x7fffffff;

type Items = Int8Array | Int16Array | Int32Array | BigInt64Array | Float32Array | Float64Array;
type ItemsConstructor<T> = { new (length: number): T; readonly BYTES_PER_ELEMENT: number };

const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);

const NO_CHILDREN: readonly RawColumn[] = [];

/** A column of any type. Places are filled in their order; `reserve` comes before. */
export abstract class ColumnBuilder implements AppendTarget {
  /** For {@linkcode AppendTarget}: kept by the classes that have it. */
  data: Items = NO_WORDS;
  /** For {@linkcode AppendTarget}: kept by the classes that have it. */
  words: Int32Array<ArrayBuffer> = NO_WORDS;
  /** The bits that each place takes, without what `variableBytes` counts. */
  abstract readonly bits: number;
  /** Whether `variableBytes` counts anything. */
  readonly isVariable: boolean = false;

  #capacity = 0;
  /** A set bit for each null, made when there is one; bits behind `#nullsEnd` are zero. */
  #nulls: Uint8Array = NO_BYTES;
  #nullsEnd = 0;
  #nullCount = 0;

  /** Makes room for the places below `count`. */
  reserve(count: number): void {
    if (count <= this.#capacity) return;
    this.#capacity = Math.max(count, this.#capacity * 2, FIRST_CAPACITY);
    if (this.#capacity * this.bits / 8 > MAX_BYTES) throw tooLarge();
    this.grow(this.#capacity);
  }

  /** How many places there is room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Puts a value that is not null at a place. */
  abstract write(at: number, value: unknown): void;

  /** As `write`, for text that was checked. */
  writeText(_at: number, _text: string): void {
    throw new TypeError("not a column of text");
  }

  /** Puts null at a place. */
  writeNull(at: number): void {
    if (at >> 3 >= this.#nulls.length) {
      const grown = new Uint8Array(Math.max((this.#capacity + 7) >> 3, (at >> 3) + 1));
      grown.set(this.#nulls);
      this.#nulls = grown;
    }
    this.#nulls[at >> 3]! |= 1 << (at & 7);
    this.#nullCount++;
    this.#nullsEnd = at + 1;
    this.blank(at);
  }

  /** Forgets every place from `length` on, also those that were filled in part. */
  cut(length: number): void {
    for (let i = length; i < this.#nullsEnd; i++) {
      const bit = 1 << (i & 7);
      if ((this.#nulls[i >> 3]! & bit) === 0) continue;
      this.#nulls[i >> 3]! &= ~bit;
      this.#nullCount--;
    }
    this.#nullsEnd = Math.min(this.#nullsEnd, length);
    this.shorten(length);
  }

  /** The bytes of the first `length` values beyond `bits`. */
  variableBytes(_length: number): number {
    return 0;
  }

  /** The first `length` values; views of the buffers here, which the next values overwrite after a cut. */
  raw(length: number): RawColumn {
    return {
      length,
      nullCount: this.#nullCount,
      validity: this.#nullCount === 0 ? undefined : this.#validity(length),
      ...this.parts(length),
    };
  }

  #validity(length: number): Uint8Array {
    const validity = new Uint8Array((length + 7) >> 3).fill(255);
    const end = Math.min(validity.length, this.#nulls.length);
    for (let i = 0; i < end; i++) validity[i] = ~this.#nulls[i]!;
    return validity;
  }

  /** Gives the buffers room for `capacity` places. */
  protected abstract grow(capacity: number): void;
  /** Puts zeros in the place of a null, so that nothing of an earlier batch is sent. */
  protected abstract blank(at: number): void;
  /** What `cut` means to the buffers. */
  protected shorten(_length: number): void {}
  /** The buffers and children of `raw`. */
  protected abstract parts(length: number): Pick<RawColumn, "offsets" | "data" | "children">;
}

/** Numbers of a fixed width: the value is what `encode` gives. */
export class NumberColumn extends ColumnBuilder {
  readonly bits: number;
  readonly #type: ItemsConstructor<Items>;
  readonly #encode: (value: unknown) => number | bigint;

  constructor(type: ItemsConstructor<Items>, encode: (value: unknown) => number | bigint) {
    super();
    this.bits = type.BYTES_PER_ELEMENT * 8 + 1;
    this.#type = type;
    this.#encode = encode;
    this.data = new type(0);
  }

  write(at: number, value: unknown): void {
    this.data[at] = this.#encode(value);
  }

  protected grow(capacity: number): void {
    const grown = new this.#type(capacity);
    (grown as Int32Array).set(this.data as Int32Array);
    this.data = grown;
  }

  protected blank(at: number): void {
    this.data[at] = this.data instanceof BigInt64Array ? 0n : 0;
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    return {
      offsets: undefined,
      data: bytesOf(this.data, length * this.data.BYTES_PER_ELEMENT),
      children: NO_CHILDREN,
    };
  }
}

/** Integers of 64 bits or more in halves of 32, the low one first. */
abstract class HalvesColumn extends ColumnBuilder {
  /** Halves of one value. */
  protected abstract readonly width: number;

  protected grow(capacity: number): void {
    const grown = new Int32Array(capacity * this.width);
    grown.set(this.words);
    this.words = grown;
  }

  protected blank(at: number): void {
    this.words.fill(0, at * this.width, (at + 1) * this.width);
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    return { offsets: undefined, data: bytesOf(this.words, length * this.width * 4), children: NO_CHILDREN };
  }
}

/** Safe integers of 64 bits. */
export class SafeIntegerColumn extends HalvesColumn {
  readonly bits = 65;
  protected readonly width = 2;
  readonly #encode: (value: unknown) => number;

  constructor(encode: (value: unknown) => number) {
    super();
    this.#encode = encode;
  }

  write(at: number, value: unknown): void {
    const integer = this.#encode(value);
    this.words[2 * at] = integer | 0;
    this.words[2 * at + 1] = Math.floor(integer / 4294967296);
  }
}

/** Points in time finer than a millisecond: micro- or nanoseconds since 1970. */
export class TimestampColumn extends HalvesColumn {
  readonly bits = 65;
  protected readonly width = 2;
  readonly #conversion: TimestampConversion;
  readonly #perMilli: number;
  readonly #nanosPerUnit: number;
  readonly #rest: Rest = { nanos: 0 };

  /** @param perMilli units of a millisecond: 1000 or 1000000 */
  constructor(conversion: TimestampConversion, perMilli: number) {
    super();
    this.#conversion = conversion;
    this.#perMilli = perMilli;
    this.#nanosPerUnit = 1_000_000 / perMilli;
  }

  write(at: number, value: unknown): void {
    const rest = this.#rest;
    const millis = this.#conversion.encode(value, rest);
    const high = Math.floor(millis / 4294967296);
    // At most 2^32 times 10^6: exact.
    const low = (millis - high * 4294967296) * this.#perMilli + rest.nanos / this.#nanosPerUnit;
    const carry = Math.floor(low / 4294967296);
    const top = high * this.#perMilli + carry;
    if (top !== (top | 0)) {
      throw outOfRange(
        value,
        "is too far from 1970 for nanoseconds of 64 bits (1677-09-21 to 2262-04-11)",
        "use a precision of at most 6",
      );
    }
    this.words[2 * at] = low | 0;
    this.words[2 * at + 1] = top;
  }
}

/** Decimals: 16 bytes, little-endian. */
export class DecimalColumn extends HalvesColumn {
  readonly bits = 129;
  protected readonly width = 4;
  #longs: BigInt64Array<ArrayBuffer> = new BigInt64Array(0);
  readonly #encode: (value: unknown) => number | bigint;

  /** @param encode gives the unscaled value; a number must be a safe integer */
  constructor(encode: (value: unknown) => number | bigint) {
    super();
    this.#encode = encode;
  }

  write(at: number, value: unknown): void {
    const unscaled = this.#encode(value);
    if (typeof unscaled === "bigint") {
      this.#longs[2 * at] = unscaled;
      this.#longs[2 * at + 1] = unscaled >> 64n;
      return;
    }
    const { words } = this;
    const high = Math.floor(unscaled / 4294967296);
    words[4 * at] = unscaled | 0;
    words[4 * at + 1] = high;
    words[4 * at + 2] = words[4 * at + 3] = high >> 31;
  }

  protected override grow(capacity: number): void {
    super.grow(capacity);
    this.#longs = new BigInt64Array(this.words.buffer);
  }
}

/** Booleans, a bit each. */
export class BooleanColumn extends ColumnBuilder {
  readonly bits = 2;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #encode: (value: unknown) => boolean;

  constructor(encode: (value: unknown) => boolean) {
    super();
    this.#encode = encode;
  }

  write(at: number, value: unknown): void {
    if (this.#encode(value)) this.#bytes[at >> 3]! |= 1 << (at & 7);
    else this.blank(at);
  }

  protected grow(capacity: number): void {
    this.#bytes = larger(this.#bytes, (capacity + 7) >> 3);
  }

  protected blank(at: number): void {
    this.#bytes[at >> 3]! &= ~(1 << (at & 7));
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    const data = this.#bytes.subarray(0, (length + 7) >> 3);
    // Earlier, longer batches leave bits behind the last value.
    if ((length & 7) !== 0) data[data.length - 1]! &= (1 << (length & 7)) - 1;
    return { offsets: undefined, data, children: NO_CHILDREN };
  }
}

/** Bytes of one length for all values. */
export class FixedBytesColumn extends ColumnBuilder {
  readonly bits: number;
  readonly #width: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly #encode: (value: unknown) => Uint8Array;

  constructor(width: number, encode: (value: unknown) => Uint8Array) {
    super();
    this.bits = width * 8 + 1;
    this.#width = width;
    this.#encode = encode;
  }

  write(at: number, value: unknown): void {
    this.#bytes.set(this.#encode(value), at * this.#width);
  }

  /** As `write`, with bytes that lie in others from `start` on. */
  writeFrom(at: number, bytes: Uint8Array, start: number): void {
    for (let i = 0, to = at * this.#width; i < this.#width; i++) this.#bytes[to + i] = bytes[start + i]!;
  }

  protected grow(capacity: number): void {
    this.#bytes = larger(this.#bytes, capacity * this.#width);
  }

  protected blank(at: number): void {
    this.#bytes.fill(0, at * this.#width, (at + 1) * this.#width);
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    return { offsets: undefined, data: this.#bytes.subarray(0, length * this.#width), children: NO_CHILDREN };
  }
}

/** Columns whose values have lengths of their own: `offsets` has one number more than there are values. */
abstract class OffsetsColumn extends ColumnBuilder {
  readonly bits = 33;
  override readonly isVariable = true;
  protected offsets: Int32Array<ArrayBuffer> = new Int32Array(1);

  protected grow(capacity: number): void {
    const grown = new Int32Array(capacity + 1);
    grown.set(this.offsets);
    this.offsets = grown;
  }

  protected blank(at: number): void {
    this.offsets[at + 1] = this.offsets[at]!;
  }
}

/** Texts and bytes of any length. */
abstract class BytesOfAnyLength extends OffsetsColumn {
  protected readonly out: ByteWriter = new ByteWriter(256);

  protected override shorten(length: number): void {
    this.out.position = this.offsets[length]!;
  }

  override variableBytes(): number {
    return this.out.position;
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    const { out, offsets } = this;
    return {
      offsets: offsets.subarray(0, length + 1),
      data: out.bytes.subarray(0, out.position),
      children: NO_CHILDREN,
    };
  }
}

/** Texts, as UTF-8. */
export class TextColumn extends BytesOfAnyLength {
  readonly #encode: (value: unknown) => string;

  constructor(encode: (value: unknown) => string) {
    super();
    this.#encode = encode;
  }

  write(at: number, value: unknown): void {
    this.writeText(at, this.#encode(value));
  }

  override writeText(at: number, text: string): void {
    const { out } = this;
    out.writeUtf8(text);
    this.offsets[at + 1] = out.position;
  }
}

/** Bytes of any length, also those of texts. */
export class BytesColumn extends BytesOfAnyLength {
  readonly #encode: (value: unknown) => Uint8Array;

  constructor(encode: (value: unknown) => Uint8Array) {
    super();
    this.#encode = encode;
  }

  write(at: number, value: unknown): void {
    const { out } = this;
    out.writeBytes(this.#encode(value));
    this.offsets[at + 1] = out.position;
  }

  /** As `write`, with the bytes `[start..end)` of others. */
  writeFrom(at: number, bytes: Uint8Array, start: number, end: number): void {
    this.out.writePart(bytes, start, end);
    this.offsets[at + 1] = this.out.position;
  }
}

/** Elements of arrays, keys or values of maps: a column, and what it says of null. */
export interface ElementsColumn {
  readonly column: ColumnBuilder;
  readonly nullable: boolean;
  /** For messages: `INT`. */
  readonly typeName: string;
}

/** Writes values behind each other, from the place `start` on. */
function writeElements(
  { column, nullable, typeName }: ElementsColumn,
  start: number,
  values: readonly unknown[],
  label: (value: unknown, index: number) => number | string,
): void {
  let i = 0;
  column.reserve(start + values.length);
  try {
    for (; i < values.length; i++) {
      const value = values[i];
      if (value !== null) {
        if (value === undefined) throw undefinedValue();
        column.write(start + i, value);
      } else if (nullable) {
        column.writeNull(start + i);
      } else {
        throw nullValue(typeName);
      }
    }
  } catch (error) {
    throw inElement(error, label(values[i], i));
  }
}

/** ARRAY: the elements of all arrays behind each other. */
export class ListColumn extends OffsetsColumn {
  readonly #elements: ElementsColumn;
  readonly #encode: (value: unknown) => unknown;

  /** @param encode the type's own codec */
  constructor(elements: ElementsColumn, encode: (value: unknown) => unknown) {
    super();
    this.#elements = elements;
    this.#encode = encode;
  }

  write(at: number, coded: unknown): void {
    const value = this.#encode(coded);
    if (!Array.isArray(value)) throw wrongType("array", value);
    const start = this.offsets[at]!;
    writeElements(this.#elements, start, value, (_value, i) => i);
    this.offsets[at + 1] = start + value.length;
  }

  protected override shorten(length: number): void {
    this.#elements.column.cut(this.offsets[length]!);
  }

  override variableBytes(length: number): number {
    return bytesIn(this.#elements.column, this.offsets[length]!);
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    const offsets = this.offsets.subarray(0, length + 1);
    return { offsets, data: undefined, children: [this.#elements.column.raw(offsets[length]!)] };
  }
}

/** MAP: the keys and the values of all maps behind each other. */
export class MapColumn extends OffsetsColumn {
  readonly #keys: ElementsColumn;
  readonly #values: ElementsColumn;
  readonly #isObject: boolean;

  readonly #encode: (value: unknown) => unknown;

  /**
   * @param isObject whether maps are objects instead of `Map`
   * @param encode the type's own codec
   */
  constructor(
    keys: ElementsColumn,
    values: ElementsColumn,
    isObject: boolean,
    encode: (value: unknown) => unknown,
  ) {
    super();
    this.#keys = keys;
    this.#values = values;
    this.#isObject = isObject;
    this.#encode = encode;
  }

  write(at: number, coded: unknown): void {
    const value = this.#encode(coded);
    const start = this.offsets[at]!;
    const names = this.#isObject ? Object.keys(record(value)) : [...entries(value).keys()];
    const contents = this.#isObject ? Object.values(record(value)) : [...entries(value).values()];
    writeElements(this.#keys, start, names, (name) => `key ${short(name)}`);
    writeElements(this.#values, start, contents, (_value, i) => short(names[i]));
    this.offsets[at + 1] = start + names.length;
  }

  protected override shorten(length: number): void {
    this.#keys.column.cut(this.offsets[length]!);
    this.#values.column.cut(this.offsets[length]!);
  }

  override variableBytes(length: number): number {
    const count = this.offsets[length]!;
    return bytesIn(this.#keys.column, count) + bytesIn(this.#values.column, count) + (count >> 3);
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    const offsets = this.offsets.subarray(0, length + 1);
    const count = offsets[length]!;
    const children = [this.#keys.column.raw(count), this.#values.column.raw(count)];
    const entry = { length: count, nullCount: 0, validity: undefined, offsets: undefined, data: undefined, children };
    return { offsets, data: undefined, children: [entry] };
  }
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw wrongType("object", value);
  return value;
}

function entries(value: unknown): Map<unknown, unknown> {
  if (!(value instanceof Map)) throw wrongType("Map", value);
  return value;
}

/** ROW: a column per field. */
export class StructColumn extends ColumnBuilder {
  readonly bits: number;
  override readonly isVariable: boolean;
  readonly #fields: readonly ColumnBuilder[];
  readonly #keys: ReadonlySet<string>;
  readonly #append: PlanAppender;
  readonly #encode: (value: unknown) => unknown;

  /**
   * @param append puts a row into the fields
   * @param encode the type's own codec
   */
  constructor(
    fields: readonly ColumnBuilder[],
    keys: ReadonlySet<string>,
    append: PlanAppender,
    encode: (value: unknown) => unknown,
  ) {
    super();
    this.#encode = encode;
    this.bits = fields.reduce((sum, field) => sum + field.bits, 1);
    this.isVariable = fields.some((field) => field.isVariable);
    this.#fields = fields;
    this.#keys = keys;
    this.#append = append;
  }

  write(at: number, coded: unknown): void {
    const value = this.#encode(coded);
    if (!isRecord(value)) throw wrongType("object", value);
    for (const key of Object.keys(value)) {
      if (!this.#keys.has(key)) throw new ColumnError("WRITE.UNKNOWN_COLUMN", `the type has no field ${short(key)}`);
    }
    this.#append(this.#fields, at, value);
  }

  protected grow(capacity: number): void {
    for (const field of this.#fields) field.reserve(capacity);
  }

  /** Where a row is null its fields are, too, also those that are declared NOT NULL: the format has a place for them. */
  protected blank(at: number): void {
    for (const field of this.#fields) field.writeNull(at);
  }

  protected override shorten(length: number): void {
    for (const field of this.#fields) field.cut(length);
  }

  override variableBytes(length: number): number {
    let sum = 0;
    for (const field of this.#fields) sum += field.variableBytes(length);
    return sum;
  }

  protected parts(length: number): Pick<RawColumn, "offsets" | "data" | "children"> {
    return { offsets: undefined, data: undefined, children: this.#fields.map((field) => field.raw(length)) };
  }
}

/** The bytes of the first `length` values. */
export function bytesIn(column: ColumnBuilder, length: number): number {
  return Math.ceil(length * column.bits / 8) + column.variableBytes(length);
}

function bytesOf(items: Items, length: number): Uint8Array {
  return new Uint8Array(items.buffer, items.byteOffset, length);
}

function larger(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(length);
  grown.set(bytes);
  return grown;
}

function tooLarge(): Error {
  return flussError("WRITE.TOO_LARGE", { message: "a column would have more bytes than one batch can hold" });
}
