/**
 * The two hashes of bucketing. Both are Murmur3 in 32 bits; Fluss's own treats the last bytes in a way of its own.
 *
 * @module
 */
import { int32At } from "./byte_reader.ts";

const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;

function mixWord(word: number): number {
  const mixed = Math.imul(word, C1);
  return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

function mixHash(hash: number, word: number): number {
  const mixed = hash ^ word;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/**
 * Fluss's Murmur3 over `bytes[start..end)`: every byte after the last whole word is sign-extended and mixed like a word
 * (Fluss: MurmurHashUtils.java, hashUnsafeBytes).
 *
 * @returns a signed 32-bit hash
 */
export function flussMurmur(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = mixHash(hash, mixWord(int32At(bytes, at)));
  for (; at < end; at++) hash = mixHash(hash, mixWord((bytes[at]! << 24) >> 24));
  return finish(hash, end - start);
}

/**
 * Mixes one 32-bit value once more, to a number that is not negative (Fluss: MathUtils.java, murmurHash).
 *
 * @returns 0 to 2147483647
 */
export function flussMurmurAgain(code: number): number {
  const hash = finish(mixHash(0, mixWord(code)), 4);
  if (hash >= 0) return hash;
  return hash === -2147483648 ? 0 : -hash;
}

/**
 * Murmur3 as its author wrote it, for x86 and 32 bits (Fluss: IcebergBucketingFunction.java).
 *
 * @returns a signed 32-bit hash
 */
export function standardMurmur(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed | 0;
  let at = start;
  for (; at + 4 <= end; at += 4) hash = mixHash(hash, mixWord(int32At(bytes, at)));
  let tail = 0;
  for (let shift = 0; at < end; at++, shift += 8) tail |= bytes[at]! << shift;
  // A tail of no bytes is 0, which mixes to 0.
  return finish(hash ^ mixWord(tail), end - start);
}
