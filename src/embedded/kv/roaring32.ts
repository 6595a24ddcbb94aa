/**
 * Bitmaps of 32-bit numbers in the portable format of Roaring bitmaps (RoaringBitmap 1.3: RoaringArray.java,
 * https://github.com/RoaringBitmap/RoaringFormatSpec).
 *
 * @module
 */
import { ByteReader } from "../../format/byte_reader.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import {
  cardinalityOf,
  type Container,
  containerSize,
  Form,
  MOST_IN_ARRAY,
  optimized,
  readContainer,
  unite,
  writeContainer,
} from "./roaring_containers.ts";

const COOKIE = 12347;
const COOKIE_WITHOUT_RUNS = 12346;
/** With fewer containers, and runs among them, there are no offsets. */
const NO_OFFSETS_BELOW = 4;
const MOST_CONTAINERS = 65536;

/** The high half of numbers with the low halves. */
type Entry = readonly [key: number, container: Container];

/**
 * The union of two bitmaps, as a server writes it.
 *
 * @throws {Error} when one of them is no such bitmap
 */
export function uniteBitmaps32(a: Uint8Array, b: Uint8Array): Uint8Array {
  return write(united(read(a), read(b)).map(([key, container]): Entry => [key, optimized(container)]));
}

function united(a: readonly Entry[], b: readonly Entry[]): Entry[] {
  const all: Entry[] = [];
  let i = 0;
  let k = 0;
  while (i < a.length || k < b.length) {
    const left = a[i];
    const right = b[k];
    if (right === undefined || (left !== undefined && left[0] < right[0])) {
      all.push(left!);
      i++;
    } else if (left === undefined || right[0] < left[0]) {
      all.push(right);
      k++;
    } else {
      all.push([left[0], unite(left[1], right[1])]);
      i++;
      k++;
    }
  }
  return all;
}

function read(bytes: Uint8Array): Entry[] {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const cookie = reader.readInt32();
  const hasRuns = (cookie & 0xffff) === COOKIE;
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) {
    throw new Error(
      `org.roaringbitmap.InvalidRoaringFormat: I failed to find one of the right cookies. ${cookie}`,
    );
  }
  const count = hasRuns ? (cookie >>> 16) + 1 : reader.readInt32();
  if (count < 0 || count > MOST_CONTAINERS) throw new Error("org.roaringbitmap.InvalidRoaringFormat: Size too large");
  const runs = hasRuns ? reader.readBytes((count + 7) >> 3) : undefined;
  const heads: { readonly key: number; readonly cardinality: number }[] = [];
  for (let i = 0; i < count; i++) {
    const key = reader.readInt16() & 0xffff;
    heads.push({ key, cardinality: (reader.readInt16() & 0xffff) + 1 });
  }
  if (!hasRuns || count >= NO_OFFSETS_BELOW) reader.take(4 * count);
  return heads.map(({ key, cardinality }, i): Entry => {
    const isRun = runs !== undefined && (runs[i >> 3]! & (1 << (i & 7))) !== 0;
    const form = isRun ? Form.RUN : cardinality > MOST_IN_ARRAY ? Form.BITMAP : Form.ARRAY;
    return [key, readContainer(reader, form, cardinality)];
  });
}

function write(entries: readonly Entry[]): Uint8Array {
  const out = new ByteWriter(1024);
  const count = entries.length;
  const hasRuns = entries.some(([, { form }]) => form === Form.RUN);
  if (hasRuns) {
    out.writeInt32(COOKIE | ((count - 1) << 16));
    for (let i = 0; i < count; i += 8) {
      let marks = 0;
      for (let k = i; k < Math.min(i + 8, count); k++) if (entries[k]![1].form === Form.RUN) marks |= 1 << (k - i);
      out.writeInt8(marks);
    }
  } else {
    out.writeInt32(COOKIE_WITHOUT_RUNS);
    out.writeInt32(count);
  }
  for (const [key, container] of entries) {
    out.writeInt16(key);
    out.writeInt16(cardinalityOf(container) - 1);
  }
  if (!hasRuns || count >= NO_OFFSETS_BELOW) {
    let offset = out.position + 4 * count;
    for (const [, container] of entries) {
      out.writeInt32(offset);
      offset += containerSize(container);
    }
  }
  for (const [, container] of entries) writeContainer(out, container);
  return out.toBytes();
}
