/**
 * xxHash32, the checksum inside of LZ4 frames.
 *
 * @module
 */
import { int32At } from "./byte_reader.ts";

const PRIME1 = 0x9e3779b1;
const PRIME2 = 0x85ebca77;
const PRIME3 = 0xc2b2ae3d;
const PRIME4 = 0x27d4eb2f;
const PRIME5 = 0x165667b1;

/**
 * The xxHash32 of `bytes[start..end)` with the seed 0.
 *
 * @returns 0 to 4294967295
 */
export function xxHash32(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (PRIME1 + PRIME2) | 0;
    let b = PRIME2 | 0;
    let c = 0;
    let d = -PRIME1 | 0;
    for (; at <= end - 16; at += 16) {
      a = round(a, int32At(bytes, at));
      b = round(b, int32At(bytes, at + 4));
      c = round(c, int32At(bytes, at + 8));
      d = round(d, int32At(bytes, at + 12));
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
  } else {
    hash = PRIME5;
  }
  hash = (hash + end - start) | 0;
  for (; at <= end - 4; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(int32At(bytes, at), PRIME3)) | 0, 17), PRIME4);
  }
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, PRIME5)) | 0, 11), PRIME1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME2)) | 0, 13), PRIME1);
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
