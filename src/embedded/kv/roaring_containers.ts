/**
 * Sets of 16-bit numbers, in the three forms that Roaring bitmaps have for them (RoaringBitmap 1.3: ArrayContainer.java,
 * BitmapContainer.java, RunContainer.java). Which form a union gets is what that library chooses, so that bitmaps are
 * the same bytes as those of a server.
 *
 * @module
 */
import type { ByteReader } from "../../format/byte_reader.ts";
import type { ByteWriter } from "../../format/byte_writer.ts";

/** The forms, as 64-bit bitmaps number them. */
export const Form = { RUN: 0, BITMAP: 1, ARRAY: 2 } as const;

/** A set of 16-bit numbers; never changed. */
export type Container =
  /** Pairs: where a run starts, and how many numbers follow its first one. */
  | { readonly form: typeof Form.RUN; readonly runs: Uint16Array }
  /** 65536 bits. */
  | { readonly form: typeof Form.BITMAP; readonly bits: Uint8Array }
  /** The numbers, ascending. */
  | { readonly form: typeof Form.ARRAY; readonly values: Uint16Array };

/** Arrays are never longer. */
export const MOST_IN_ARRAY = 4096;
const BITMAP_BYTES = 8192;
const ALL = 65536;

/** Reads a container; arrays have so many numbers. */
export function readContainer(reader: ByteReader, form: number, cardinality: number): Container {
  switch (form) {
    case Form.RUN:
      return { form: Form.RUN, runs: readNumbers(reader, 2 * (reader.readInt16() & 0xffff)) };
    case Form.BITMAP:
      return { form: Form.BITMAP, bits: reader.readBytes(BITMAP_BYTES) };
    case Form.ARRAY:
      return { form: Form.ARRAY, values: readNumbers(reader, cardinality) };
    default:
      throw new Error(`Not supported container type:${form}`);
  }
}

function readNumbers(reader: ByteReader, count: number): Uint16Array {
  const at = reader.take(2 * count);
  const numbers = new Uint16Array(count);
  for (let i = 0; i < count; i++) numbers[i] = reader.bytes[at + 2 * i]! | (reader.bytes[at + 2 * i + 1]! << 8);
  return numbers;
}

/** Writes what `readContainer` reads. */
export function writeContainer(out: ByteWriter, container: Container): void {
  switch (container.form) {
    case Form.RUN:
      out.writeInt16(container.runs.length / 2);
      writeNumbers(out, container.runs);
      break;
    case Form.BITMAP:
      out.writeBytes(container.bits);
      break;
    case Form.ARRAY:
      writeNumbers(out, container.values);
  }
}

function writeNumbers(out: ByteWriter, numbers: Uint16Array): void {
  for (const number of numbers) out.writeInt16(number);
}

/** How many bytes `writeContainer` writes. */
export function containerSize(container: Container): number {
  switch (container.form) {
    case Form.RUN:
      return 2 + 2 * container.runs.length;
    case Form.BITMAP:
      return BITMAP_BYTES;
    case Form.ARRAY:
      return 2 * container.values.length;
  }
}

/** How many numbers there are. */
export function cardinalityOf(container: Container): number {
  switch (container.form) {
    case Form.RUN: {
      let count = 0;
      for (let i = 0; i < container.runs.length; i += 2) count += container.runs[i + 1]! + 1;
      return count;
    }
    case Form.BITMAP:
      return countBits(container.bits);
    case Form.ARRAY:
      return container.values.length;
  }
}

/** All numbers of two containers. */
export function unite(a: Container, b: Container): Container {
  if (a.form === Form.ARRAY && b.form === Form.ARRAY) {
    if (a.values.length + b.values.length <= MOST_IN_ARRAY) {
      return { form: Form.ARRAY, values: mergedArrays(a.values, b.values) };
    }
    return ofBits(unitedBits(a, b), MOST_IN_ARRAY);
  }
  if (a.form === Form.BITMAP || b.form === Form.BITMAP) return ofBits(unitedBits(a, b), 0);
  return efficient({ form: Form.RUN, runs: runsOf(unitedBits(a, b)) });
}

/** The form that takes the least room; of an array or a bitmap only runs when they take less. */
export function optimized(container: Container): Container {
  if (container.form === Form.RUN) return efficient(container);
  const runs = container.form === Form.ARRAY ? countRuns(container.values) : countRunsOfBits(container.bits);
  if (containerSize(container) <= 2 + 4 * runs) return container;
  return { form: Form.RUN, runs: runsOf(bitsOf(container)) };
}

/** Runs as they are, when they take no more room than the other forms. */
function efficient(container: Container & { form: typeof Form.RUN }): Container {
  const cardinality = cardinalityOf(container);
  if (containerSize(container) <= Math.min(BITMAP_BYTES, 2 * cardinality + 2)) return container;
  return cardinality <= MOST_IN_ARRAY
    ? { form: Form.ARRAY, values: valuesOf(bitsOf(container), cardinality) }
    : { form: Form.BITMAP, bits: bitsOf(container) };
}

/** A bitmap; an array when it has at most so many numbers, and one run when it has all. */
function ofBits(bits: Uint8Array, mostInArray: number): Container {
  const cardinality = countBits(bits);
  if (cardinality <= mostInArray) return { form: Form.ARRAY, values: valuesOf(bits, cardinality) };
  if (cardinality === ALL) return { form: Form.RUN, runs: Uint16Array.of(0, ALL - 1) };
  return { form: Form.BITMAP, bits };
}

function mergedArrays(a: Uint16Array, b: Uint16Array): Uint16Array {
  const merged = new Uint16Array(a.length + b.length);
  let count = 0;
  let i = 0;
  let k = 0;
  while (i < a.length || k < b.length) {
    const left = i < a.length ? a[i]! : ALL;
    const right = k < b.length ? b[k]! : ALL;
    merged[count++] = Math.min(left, right);
    if (left <= right) i++;
    if (right <= left) k++;
  }
  return merged.slice(0, count);
}

function unitedBits(a: Container, b: Container): Uint8Array {
  const bits = bitsOf(a);
  addTo(bits, b);
  return bits;
}

/** The numbers of a container as bits of their own. */
function bitsOf(container: Container): Uint8Array {
  const bits = new Uint8Array(BITMAP_BYTES);
  addTo(bits, container);
  return bits;
}

function addTo(bits: Uint8Array, container: Container): void {
  switch (container.form) {
    case Form.RUN:
      for (let i = 0; i < container.runs.length; i += 2) {
        const last = container.runs[i]! + container.runs[i + 1]!;
        for (let value = container.runs[i]!; value <= last; value++) bits[value >> 3]! |= 1 << (value & 7);
      }
      break;
    case Form.BITMAP:
      for (let i = 0; i < BITMAP_BYTES; i++) bits[i]! |= container.bits[i]!;
      break;
    case Form.ARRAY:
      for (const value of container.values) bits[value >> 3]! |= 1 << (value & 7);
  }
}

function countBits(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}

function valuesOf(bits: Uint8Array, cardinality: number): Uint16Array {
  const values = new Uint16Array(cardinality);
  let count = 0;
  for (let value = 0; value < ALL; value++) if (hasBit(bits, value)) values[count++] = value;
  return values;
}

function runsOf(bits: Uint8Array): Uint16Array {
  const runs = new Uint16Array(2 * countRunsOfBits(bits));
  let at = 0;
  for (let value = 0; value < ALL; value++) {
    if (!hasBit(bits, value)) continue;
    const start = value;
    while (value + 1 < ALL && hasBit(bits, value + 1)) value++;
    runs[at++] = start;
    runs[at++] = value - start;
  }
  return runs;
}

function countRuns(values: Uint16Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (i === 0 || values[i]! !== values[i - 1]! + 1) count++;
  return count;
}

function countRunsOfBits(bits: Uint8Array): number {
  let count = 0;
  let before = 0;
  for (const byte of bits) {
    // Bits that are set after one that is not.
    for (let starts = byte & ~((byte << 1) | before); starts !== 0; starts &= starts - 1) count++;
    before = byte >> 7;
  }
  return count;
}

function hasBit(bits: Uint8Array, value: number): boolean {
  return (bits[value >> 3]! & (1 << (value & 7))) !== 0;
}
