/**
 * Reads flatbuffers, the metadata of Arrow messages. Every offset and count is checked against what is there before it
 * is used.
 *
 * @module
 */
import { int32At } from "../byte_reader.ts";
import { corrupt } from "../corrupt.ts";

/** Structs or tables that follow each other. */
export interface FlatVector {
  /** Where the first item starts. */
  readonly start: number;
  /** How many there are. */
  readonly length: number;
}

/** One table of a flatbuffer. Fields go by their number in the schema; absent ones have a default. */
export class FlatTable {
  /** The bytes that the table lies in. */
  readonly bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  readonly #at: number;
  readonly #size: number;
  readonly #fields: number;
  readonly #fieldsEnd: number;

  /**
   * @param start where the flatbuffer starts in `bytes`
   * @param end where it ends
   * @param at where the table is
   */
  constructor(bytes: Uint8Array, start: number, end: number, at: number) {
    this.bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = at;
    checkRange(start, end, at, 4);
    const fields = at - int32At(bytes, at);
    checkRange(start, end, fields, 4);
    const fieldsSize = uint16At(bytes, fields);
    this.#size = uint16At(bytes, fields + 2);
    checkRange(start, end, fields, Math.max(4, fieldsSize));
    checkRange(start, end, at, this.#size);
    this.#fields = fields;
    this.#fieldsEnd = fields + fieldsSize;
  }

  /** The root of the flatbuffer in `bytes[start..end)`. */
  static root(bytes: Uint8Array, start: number, end: number): FlatTable {
    checkRange(start, end, start, 4);
    return new FlatTable(bytes, start, end, start + int32At(bytes, start));
  }

  /** Where a field of `size` bytes is, or -1 when it is absent. */
  #field(number: number, size: number): number {
    const entry = this.#fields + 4 + number * 2;
    if (entry + 2 > this.#fieldsEnd) return -1;
    const offset = uint16At(this.bytes, entry);
    if (offset === 0) return -1;
    if (offset < 4 || offset + size > this.#size) {
      throw corrupt(`field ${number} of the Arrow metadata is not in its table`);
    }
    return this.#at + offset;
  }

  /** A boolean. */
  boolean(number: number): boolean {
    const at = this.#field(number, 1);
    return at >= 0 && this.bytes[at] !== 0;
  }

  /** A byte, 0 when absent. */
  uint8(number: number): number {
    const at = this.#field(number, 1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  /** 16 bits, `absent` when absent. */
  int16(number: number, absent = 0): number {
    const at = this.#field(number, 2);
    return at < 0 ? absent : (uint16At(this.bytes, at) << 16) >> 16;
  }

  /** 32 bits, `absent` when absent. */
  int32(number: number, absent = 0): number {
    const at = this.#field(number, 4);
    return at < 0 ? absent : int32At(this.bytes, at);
  }

  /** A length or a position in 64 bits, 0 when absent. */
  size(number: number): number {
    const at = this.#field(number, 8);
    return at < 0 ? 0 : sizeAt(this.bytes, at);
  }

  /** Another table, or undefined. */
  table(number: number): FlatTable | undefined {
    const at = this.#field(number, 4);
    return at < 0 ? undefined : new FlatTable(this.bytes, this.#start, this.#end, this.#target(at));
  }

  /** Items of `itemSize` bytes; none when absent. */
  vector(number: number, itemSize: number): FlatVector {
    const at = this.#field(number, 4);
    if (at < 0) return { start: this.#end, length: 0 };
    const from = this.#target(at);
    checkRange(this.#start, this.#end, from, 4);
    const length = int32At(this.bytes, from);
    if (length < 0) throw corrupt(`${length} items are claimed in the Arrow metadata`);
    checkRange(this.#start, this.#end, from + 4, length * itemSize);
    return { start: from + 4, length };
  }

  /** The table at a place of a vector of tables. */
  item(vector: FlatVector, index: number): FlatTable {
    return new FlatTable(this.bytes, this.#start, this.#end, this.#target(vector.start + index * 4));
  }

  /** The UTF-8 bytes of a string, or undefined. */
  string(number: number): FlatVector | undefined {
    const at = this.#field(number, 4);
    return at < 0 ? undefined : this.vector(number, 1);
  }

  #target(at: number): number {
    return at + (int32At(this.bytes, at) >>> 0);
  }
}

/** A length or a position in 64 bits, which cannot be negative nor as large as 4 GiB. */
export function sizeAt(bytes: Uint8Array, at: number): number {
  if (int32At(bytes, at + 4) !== 0) {
    throw corrupt(`a size in the Arrow metadata, at byte ${at}, is negative or beyond 4 GiB`);
  }
  return int32At(bytes, at) >>> 0;
}

function uint16At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function checkRange(start: number, end: number, at: number, size: number): void {
  if (at < start || size > end - at) throw corrupt(`the Arrow metadata points to ${size} bytes outside of itself`);
}
