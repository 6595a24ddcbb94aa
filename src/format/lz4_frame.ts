/**
 * The LZ4 frame format: written as Java writes it (independent blocks of 64 KiB, no checksums but that of the header, no
 * content size; Fluss: FlussLZ4BlockOutputStream.java), read as any conforming writer may have written it.
 *
 * @module
 */
import { int32At } from "./byte_reader.ts";
import { corrupt } from "./corrupt.ts";
import { xxHash32 } from "./xxhash.ts";

const MAGIC = 0x184d2204;
/** Version 1, independent blocks. */
const WRITTEN_FLAGS = 0x60;
/** Blocks of at most 64 KiB. */
const WRITTEN_BLOCKS = 0x40;
const WRITTEN_HEADER_BYTES = 7;
const BLOCK_BYTES = 65536;

const INDEPENDENT = 0x20;
const BLOCK_CHECKSUM = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const RESERVED = 0x02;
const DICTIONARY = 0x01;

/** The bit of a block's size that says its bytes are not compressed. */
const RAW_BLOCK = 0x80000000;

/** No frame becomes more than this many times its size: a length byte stands for at most 255. */
export const LZ4_MAX_RATIO = 255;

const MIN_MATCH = 4;
/** The last bytes of a block are always literals. */
const LAST_LITERALS = 5;
/** No match starts closer to the end of a block. */
const MATCH_MARGIN = 12;
const HASH_BITS = 13;

/** Where in the block each hash was seen last. Positions fit in 16 bits, as a block has 64 KiB. */
const seen = new Uint16Array(1 << HASH_BITS);

/** Compresses to one frame. */
export function compressLz4(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil(bytes.length / BLOCK_BYTES);
  const out = new Uint8Array(WRITTEN_HEADER_BYTES + bytes.length + blocks * 4 + 4);
  setInt32(out, 0, MAGIC);
  out[4] = WRITTEN_FLAGS;
  out[5] = WRITTEN_BLOCKS;
  out[6] = (xxHash32(out, 4, 6) >>> 8) & 255;
  let position = WRITTEN_HEADER_BYTES;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(bytes.length, start + BLOCK_BYTES);
    const length = end - start;
    const written = compressBlock(bytes, start, end, out, position + 4, position + 4 + length - 1);
    if (written === 0) {
      setInt32(out, position, RAW_BLOCK | length);
      out.set(bytes.subarray(start, end), position + 4);
      position += 4 + length;
    } else {
      setInt32(out, position, written);
      position += 4 + written;
    }
  }
  // The end mark is four zeros, which are there.
  return out.subarray(0, position + 4);
}

/**
 * Compresses one block by taking the first match that its hash finds.
 *
 * @param limit where the output has to end
 * @returns the compressed size, or 0 when it does not fit
 */
function compressBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  limit: number,
): number {
  const table = seen;
  table.fill(0);
  const matchLimit = end - LAST_LITERALS;
  const lastStart = end - MATCH_MARGIN;
  let position = from;
  let anchor = start;
  // The first position is what an empty entry points to; matches with it are real ones, so it needs no mark.
  let at = start + 1;
  let misses = 64;
  while (at < lastStart) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    let match = start + table[hash]!;
    table[hash] = at - start;
    if (
      match >= at ||
      (bytes[match]! | (bytes[match + 1]! << 8) | (bytes[match + 2]! << 16) | (bytes[match + 3]! << 24)) !== word
    ) {
      // Where nothing repeats, the steps grow.
      at += misses++ >> 6;
      continue;
    }
    misses = 64;
    while (at > anchor && match > start && bytes[at - 1] === bytes[match - 1]) {
      at--;
      match--;
    }
    let matchEnd = at + MIN_MATCH;
    for (let other = match + MIN_MATCH; matchEnd < matchLimit && bytes[matchEnd] === bytes[other]; other++) matchEnd++;
    const literals = at - anchor;
    const more = matchEnd - at - MIN_MATCH;
    // The token, the offset, and the bytes of both lengths at most.
    if (position + literals + 5 + literals / 255 + more / 255 > limit) return 0;
    position = putToken(out, position, literals, more);
    position = putLiterals(out, position, bytes, anchor, literals);
    out[position++] = at - match;
    out[position++] = (at - match) >> 8;
    if (more >= 15) position = putLength(out, position, more - 15);
    at = matchEnd;
    anchor = matchEnd;
    if (at < lastStart) {
      const behind = at - 2;
      const near = bytes[behind]! | (bytes[behind + 1]! << 8) | (bytes[behind + 2]! << 16) | (bytes[behind + 3]! << 24);
      table[Math.imul(near, 0x9e3779b1) >>> (32 - HASH_BITS)] = behind - start;
    }
  }
  const literals = end - anchor;
  if (position + literals + 2 + literals / 255 > limit) return 0;
  position = putToken(out, position, literals, 0);
  position = putLiterals(out, position, bytes, anchor, literals);
  return position - from;
}

function putToken(out: Uint8Array, position: number, literals: number, more: number): number {
  out[position] = (Math.min(literals, 15) << 4) | Math.min(more, 15);
  return literals >= 15 ? putLength(out, position + 1, literals - 15) : position + 1;
}

function putLength(out: Uint8Array, position: number, length: number): number {
  let at = position;
  let left = length;
  for (; left >= 255; left -= 255) out[at++] = 255;
  out[at++] = left;
  return at;
}

function putLiterals(out: Uint8Array, position: number, bytes: Uint8Array, start: number, count: number): number {
  // For few bytes a view costs more than a loop.
  if (count <= 32) { for (let i = 0; i < count; i++) out[position + i] = bytes[start + i]!; }
  else out.set(bytes.subarray(start, start + count), position);
  return position + count;
}

function setInt32(out: Uint8Array, at: number, value: number): void {
  out[at] = value;
  out[at + 1] = value >> 8;
  out[at + 2] = value >> 16;
  out[at + 3] = value >> 24;
}

/**
 * Decompresses one frame, checksums included where it has them.
 *
 * @param length the length of the content, which must be right
 * @throws {FlussError} CODEC.CORRUPT_BATCH when the bytes are no frame of that content
 */
export function decompressLz4(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const flags = bytes[4]!;
  let at = headerEnd(bytes, flags, length);
  // 64 KiB, 256 KiB, 1 MiB or 4 MiB.
  const largest = 2 ** (8 + 2 * (bytes[5]! >> 4));
  const out = new Uint8Array(length);
  let position = 0;
  for (;;) {
    if (bytes.length - at < 4) throw broken("ends without an end mark");
    const size = int32At(bytes, at);
    at += 4;
    if (size === 0) break;
    const count = size & 0x7fffffff;
    const stop = at + count;
    if (count > largest || stop > bytes.length) throw broken(`has a block of ${count} bytes`);
    if (size < 0) {
      if (count > length - position) throw broken(`holds more than ${length} bytes`);
      out.set(bytes.subarray(at, stop), position);
      position += count;
    } else {
      const earliest = (flags & INDEPENDENT) === 0 ? 0 : position;
      position = decompressBlock(bytes, at, stop, out, position, earliest, Math.min(length, position + largest));
    }
    if ((flags & BLOCK_CHECKSUM) !== 0) {
      checkHash(bytes, stop, xxHash32(bytes, at, stop));
      at = stop + 4;
    } else {
      at = stop;
    }
  }
  if (position !== length) throw broken(`holds ${position} bytes instead of ${length}`);
  if ((flags & CONTENT_CHECKSUM) !== 0) {
    checkHash(bytes, at, xxHash32(out, 0, length));
    at += 4;
  }
  if (at !== bytes.length) throw broken(`ends ${bytes.length - at} bytes early`);
  return out;
}

/** Checks the frame header and returns where it ends. */
function headerEnd(bytes: Uint8Array, flags: number, length: number): number {
  if (bytes.length < WRITTEN_HEADER_BYTES || int32At(bytes, 0) !== MAGIC) throw broken("has no header");
  const blocks = bytes[5]!;
  if (flags >> 6 !== 1 || (flags & RESERVED) !== 0 || (blocks & 0x8f) !== 0 || blocks >> 4 < 4) {
    throw broken("is of an unknown version");
  }
  if ((flags & DICTIONARY) !== 0) throw broken("needs a dictionary");
  let at = 6;
  if ((flags & CONTENT_SIZE) !== 0) {
    if (bytes.length < at + 9) throw broken("has no header");
    const size = (int32At(bytes, at) >>> 0) + int32At(bytes, at + 4) * 4294967296;
    if (size !== length) throw broken(`holds ${size} bytes instead of ${length}`);
    at += 8;
  }
  if (bytes[at] !== ((xxHash32(bytes, 4, at) >>> 8) & 255)) throw broken("has a wrong header checksum");
  return at + 1;
}

function checkHash(bytes: Uint8Array, at: number, found: number): void {
  if (bytes.length - at < 4 || int32At(bytes, at) >>> 0 !== found) throw broken("has a wrong checksum");
}

/**
 * @param earliest where in `out` matches may reach back to
 * @param limit where in `out` the block has to end
 * @returns where in `out` the block ended
 */
function decompressBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  earliest: number,
  limit: number,
): number {
  let at = start;
  let position = from;
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (at >= end) throw broken("has a cut length");
        more = bytes[at++]!;
        literals += more;
      }
    }
    if (literals > end - at || literals > limit - position) throw broken(`has ${literals} literals too many`);
    if (literals <= 32) { for (let i = 0; i < literals; i++) out[position + i] = bytes[at + i]!; }
    else out.set(bytes.subarray(at, at + literals), position);
    position += literals;
    at += literals;
    // The last sequence has no match.
    if (at === end) return position;
    if (end - at < 2) throw broken("has a cut match");
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let count = (token & 15) + MIN_MATCH;
    if (count === 15 + MIN_MATCH) {
      let more = 255;
      while (more === 255) {
        if (at >= end) throw broken("has a cut length");
        more = bytes[at++]!;
        count += more;
      }
    }
    const match = position - distance;
    if (distance === 0 || match < earliest) throw broken(`has a match ${distance} bytes back`);
    if (count > limit - position) throw broken(`has a match of ${count} bytes`);
    const stop = position + count;
    if (distance === 1) out.fill(out[match]!, position, stop);
    else if (count > 32 && distance >= count) out.copyWithin(position, match, match + count);
    else for (let i = position, j = match; i < stop; i++, j++) out[i] = out[j]!;
    position = stop;
  }
  throw broken("has a block without an end");
}

function broken(what: string): Error {
  return corrupt(`an LZ4 frame ${what}`);
}
