/**
 * Arrays and maps as they lie in rows of every format (Fluss: BinaryArray.java, BinaryArrayWriter.java, BinaryMap.java).
 *
 * @module
 */
import { inElement } from "../base/column_error.ts";
import { int32At } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { corrupt } from "./corrupt.ts";
import type { Payload } from "./field.ts";
import { Region, type Slot } from "./slot.ts";
import { isRecord, nullValue, short, undefinedValue, wrongType } from "./value_error.ts";

/** The elements of an array, or the keys or values of a map. */
export interface Elements {
  readonly slot: Slot;
  readonly nullable: boolean;
  /** For messages: `INT`. */
  readonly typeName: string;
}

/** The payload of ARRAY<T>, a JavaScript array. */
export function arrayPayload(elements: Elements): Payload {
  return {
    write(out, value) {
      if (!Array.isArray(value)) throw wrongType("array", value);
      writeArray(out, elements, value, indexLabel);
    },
    read: (bytes, start, end) => readArray(elements, bytes, start, end),
  };
}

/** The payload of MAP<K, V>, a `Map`. */
export function mapPayload(keys: Elements, values: Elements): Payload {
  return {
    write(out, value) {
      if (!(value instanceof Map)) throw wrongType("Map", value);
      writeMap(out, keys, values, [...value.keys()], [...value.values()]);
    },
    read(bytes, start, end) {
      const { names, contents } = readMap(keys, values, bytes, start, end);
      const map = new Map<unknown, unknown>();
      for (let i = 0; i < names.length; i++) map.set(names[i], contents[i]);
      return map;
    },
  };
}

/** The payload of MAP<STRING, V>, an object. */
export function objectPayload(keys: Elements, values: Elements): Payload {
  return {
    write(out, value) {
      if (!isRecord(value)) throw wrongType("object", value);
      writeMap(out, keys, values, Object.keys(value), Object.values(value));
    },
    read(bytes, start, end) {
      const { names, contents } = readMap(keys, values, bytes, start, end);
      // Not by assignment: the key `__proto__` is data, too.
      return Object.fromEntries(names.map((name, i) => [name as string, contents[i]]));
    },
  };
}

function indexLabel(_value: unknown, index: number): number {
  return index;
}

function writeMap(out: ByteWriter, keys: Elements, values: Elements, names: unknown[], contents: unknown[]): void {
  const start = out.position;
  out.writeZeros(4);
  writeArray(out, keys, names, (name) => `key ${short(name)}`);
  out.view.setInt32(start, out.position - start - 4, true);
  writeArray(out, values, contents, (_value, i) => short(names[i]));
}

function writeArray(
  out: ByteWriter,
  elements: Elements,
  values: readonly unknown[],
  label: (value: unknown, index: number) => number | string,
): void {
  const { slot, nullable } = elements;
  const base = out.position;
  const count = values.length;
  const header = headerSize(count);
  out.writeZeros(Math.ceil((header + count * slot.size) / 8) * 8);
  out.view.setInt32(base, count, true);
  let i = 0;
  try {
    for (; i < count; i++) {
      const value = values[i];
      if (value !== null) {
        if (value === undefined) throw undefinedValue();
        slot.write(out, base, base + header + i * slot.size, value);
      } else if (nullable) {
        out.bytes[base + 4 + (i >> 3)]! |= 1 << (i & 7);
      } else {
        throw nullValue(elements.typeName);
      }
    }
  } catch (error) {
    throw inElement(error, label(values[i], i));
  }
}

function readArray(elements: Elements, bytes: Uint8Array, start: number, end: number): unknown[] {
  const { slot } = elements;
  if (end - start < 4) throw corrupt(`an array of ${end - start} bytes at byte ${start}`);
  const count = int32At(bytes, start);
  if (count < 0 || headerSize(count) + count * slot.size > end - start) {
    throw corrupt(`an array of ${count} elements in ${end - start} bytes at byte ${start}`);
  }
  const region = new Region(bytes, start, end);
  const first = start + headerSize(count);
  const values: unknown[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const isNull = (bytes[start + 4 + (i >> 3)]! & (1 << (i & 7))) !== 0;
      values.push(isNull ? null : slot.read(region, first + i * slot.size));
    }
  } catch (error) {
    throw inElement(error, values.length);
  }
  return values;
}

function readMap(
  keys: Elements,
  values: Elements,
  bytes: Uint8Array,
  start: number,
  end: number,
): { names: unknown[]; contents: unknown[] } {
  if (end - start < 4) throw corrupt(`a map of ${end - start} bytes at byte ${start}`);
  const keyBytes = int32At(bytes, start);
  if (keyBytes < 0 || keyBytes > end - start - 4) {
    throw corrupt(`a map with ${keyBytes} bytes of keys in ${end - start} bytes at byte ${start}`);
  }
  const middle = start + 4 + keyBytes;
  const names = readArray(keys, bytes, start + 4, middle);
  const contents = readArray(values, bytes, middle, end);
  if (names.length !== contents.length) {
    throw corrupt(`a map with ${names.length} keys and ${contents.length} values at byte ${start}`);
  }
  return { names, contents };
}

/** The element count and the null bits, in whole words. */
function headerSize(count: number): number {
  return 4 + Math.ceil(count / 32) * 4;
}
