/**
 * Bitmaps of 64-bit numbers as RoaringBitmap 1.3 writes them (Roaring64Bitmap.java): an adaptive radix tree from the
 * high 48 bits to places in a list of containers for the low 16.
 *
 * @module
 */
import { ByteReader } from "../../format/byte_reader.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import {
  cardinalityOf,
  type Container,
  Form,
  optimized,
  readContainer,
  unite,
  writeContainer,
} from "./roaring_containers.ts";
import { type ArtNode, find, insert, leaves, readArt, writeArt } from "./roaring_art.ts";

/** Lists of containers end so, because Java arrays do. */
const NOT_TRIMMED = -2;

interface Bitmap {
  root: ArtNode | undefined;
  /** With empty places at the end, as in the array that it is in Java. */
  places: (Container | undefined)[];
  /** How many places are taken. */
  taken: number;
  count: number;
}

/**
 * The union of two bitmaps, as a server writes it.
 *
 * @throws {Error} when one of them is no such bitmap
 */
export function uniteBitmaps64(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bitmap = read(a);
  const other = read(b);
  for (const { key, place } of leaves(other.root)) {
    const container = other.places[place]!;
    const known = find(bitmap.root, key);
    if (known === undefined) add(bitmap, key, container);
    else bitmap.places[known] = unite(bitmap.places[known]!, container);
  }
  bitmap.places = bitmap.places.map((container) => {
    if (container === undefined) return undefined;
    const better = optimized(container);
    return better.form === Form.RUN ? better : container;
  });
  return write(bitmap);
}

function add(bitmap: Bitmap, key: Uint8Array, container: Container): void {
  const place = bitmap.taken++;
  if (place === bitmap.places.length) {
    const grown = Math.max(place + 1, bitmap.places.length + (bitmap.places.length >> 1));
    bitmap.places = bitmap.places.concat(new Array(grown - bitmap.places.length).fill(undefined));
  }
  bitmap.places[place] = container;
  bitmap.count++;
  bitmap.root = insert(bitmap.root, key, place);
}

function read(bytes: Uint8Array): Bitmap {
  const reader = new ByteReader(bytes, 0, bytes.length);
  if (reader.readInt8() === 0) return { root: undefined, places: [], taken: 0, count: 0 };
  reader.readInt64();
  const root = readArt(reader);
  const lists = reader.readInt32();
  if (lists !== 1) throw new Error(`${lists} lists of containers`);
  reader.readInt8();
  const length = reader.readInt32();
  const places: (Container | undefined)[] = [];
  for (let i = 0; i < length; i++) {
    const mark = reader.readInt8();
    if (mark !== 0 && mark !== 1) throw new Error(`the null tag byte value:${mark} is not right!`);
    if (mark === 0) {
      places.push(undefined);
      continue;
    }
    const form = reader.readInt8();
    places.push(readContainer(reader, form, reader.readInt32()));
  }
  const count = Number(reader.readInt64());
  reader.readInt32();
  return { root, places, taken: reader.readInt32() + 1, count };
}

function write({ root, places, taken, count }: Bitmap): Uint8Array {
  const out = new ByteWriter(1024);
  if (root === undefined) {
    out.writeInt8(0);
    return out.toBytes();
  }
  out.writeInt8(1);
  out.writeInt64(BigInt(count));
  writeArt(out, root);
  out.writeInt32(1);
  out.writeInt8(NOT_TRIMMED);
  out.writeInt32(places.length);
  for (const container of places) {
    out.writeInt8(container === undefined ? 0 : 1);
    if (container === undefined) continue;
    out.writeInt8(container.form);
    out.writeInt32(cardinalityOf(container));
    writeContainer(out, container);
  }
  out.writeInt64(BigInt(count));
  out.writeInt32(0);
  out.writeInt32(taken - 1);
  return out.toBytes();
}
