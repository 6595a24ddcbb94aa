/**
 * Picks values out of Arrow buffers: the kernel under filtering, limits and spreading over buckets.
 *
 * @module
 */
import type { ArrowLayout } from "./layout.ts";
import { countNulls } from "./message_reader.ts";
import type { RawColumn } from "./raw_column.ts";

/** The values at these places, in this order, as a column of their own. */
export function takeRaw(raw: RawColumn, layout: ArrowLayout, indices: Int32Array): RawColumn {
  const length = indices.length;
  const validity = raw.validity === undefined ? undefined : takeBits(raw.validity, indices);
  const nullCount = validity === undefined ? 0 : countNulls(validity, length);
  const common = { length, nullCount, validity: nullCount === 0 ? undefined : validity };
  switch (layout.form) {
    case "bits":
      return { ...common, offsets: undefined, data: takeBits(raw.data!, indices), children: [] };
    case "fixed":
      return { ...common, offsets: undefined, data: takeFixed(raw.data!, layout.width, indices), children: [] };
    case "variable": {
      const offsets = takeOffsets(raw.offsets!, indices);
      return { ...common, offsets, data: takeBytes(raw.offsets!, raw.data!, indices, offsets[length]!), children: [] };
    }
    case "list": {
      const offsets = takeOffsets(raw.offsets!, indices);
      const elements = elementIndices(raw.offsets!, indices, offsets[length]!);
      return {
        ...common,
        offsets,
        data: undefined,
        children: [takeRaw(raw.children[0]!, layout.children[0]!, elements)],
      };
    }
    case "struct":
      return {
        ...common,
        offsets: undefined,
        data: undefined,
        children: raw.children.map((child, i) => takeRaw(child, layout.children[i]!, indices)),
      };
  }
}

function takeBits(bits: Uint8Array, indices: Int32Array): Uint8Array {
  const { length } = indices;
  const taken = new Uint8Array((length + 7) >> 3);
  for (let i = 0; i < length;) {
    const stop = Math.min(length, i + 8);
    let byte = 0;
    for (let bit = 0; i < stop; i++, bit++) {
      const from = indices[i]!;
      byte |= ((bits[from >> 3]! >> (from & 7)) & 1) << bit;
    }
    taken[(i - 1) >> 3] = byte;
  }
  return taken;
}

function takeFixed(data: Uint8Array, width: number, indices: Int32Array): Uint8Array {
  const { length } = indices;
  const taken = new Uint8Array(length * width);
  if (width === 1) {
    for (let i = 0; i < length; i++) taken[i] = data[indices[i]!]!;
  } else if (width === 2) {
    const from = new Int16Array(data.buffer, data.byteOffset, data.length >> 1);
    const to = new Int16Array(taken.buffer);
    for (let i = 0; i < length; i++) to[i] = from[indices[i]!]!;
  } else if (width === 4) {
    const from = new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
    const to = new Int32Array(taken.buffer);
    for (let i = 0; i < length; i++) to[i] = from[indices[i]!]!;
  } else if (width % 8 === 0) {
    // As halves: as bigints each value would be an object.
    const words = width >> 2;
    const from = new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
    const to = new Int32Array(taken.buffer);
    for (let i = 0, at = 0; i < length; i++) {
      const start = indices[i]! * words;
      for (let word = 0; word < words; word++) to[at++] = from[start + word]!;
    }
  } else {
    for (let i = 0, at = 0; i < length; i++) {
      const start = indices[i]! * width;
      for (let byte = 0; byte < width; byte++) taken[at++] = data[start + byte]!;
    }
  }
  return taken;
}

function takeOffsets(offsets: Int32Array, indices: Int32Array): Int32Array {
  const taken = new Int32Array(indices.length + 1);
  let end = 0;
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]!;
    end += offsets[from + 1]! - offsets[from]!;
    taken[i + 1] = end;
  }
  return taken;
}

function takeBytes(offsets: Int32Array, data: Uint8Array, indices: Int32Array, size: number): Uint8Array {
  const taken = new Uint8Array(size);
  let position = 0;
  for (let i = 0; i < indices.length;) {
    const first = indices[i]!;
    // Neighbours are copied together: most filters keep runs, and slices are one.
    let last = first;
    for (i++; i < indices.length && indices[i] === last + 1; i++) last++;
    const start = offsets[first]!;
    const end = offsets[last + 1]!;
    if (end - start <= 32) { for (let at = start; at < end; at++) taken[position++] = data[at]!; }
    else {
      taken.set(data.subarray(start, end), position);
      position += end - start;
    }
  }
  return taken;
}

function elementIndices(offsets: Int32Array, indices: Int32Array, count: number): Int32Array {
  const elements = new Int32Array(count);
  let position = 0;
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]!;
    const end = offsets[from + 1]!;
    for (let at = offsets[from]!; at < end; at++) elements[position++] = at;
  }
  return elements;
}
