/**
 * Protobuf's numbers, for the few messages that are written by hand.
 *
 * @module
 */

/** How many bytes an int32 takes: a negative one is sent as 64 bits. */
export function int32Size(value: number): number {
  return value < 0 ? 10 : intSize(value);
}

/** Writes an int32, and returns where the next byte goes. */
export function writeInt32(out: Uint8Array, at: number, value: number): number {
  return value < 0 ? writeLong(out, at, BigInt.asUintN(64, BigInt(value))) : writeInt(out, at, value);
}

/** How many bytes a number from 0 to 2^32 - 1 takes. */
export function intSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** How many bytes a number from 0 to 2^64 - 1 takes. */
export function longSize(value: bigint): number {
  let size = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size++;
  return size;
}

/** Writes a number from 0 to 2^32 - 1, and returns where the next byte goes. */
export function writeInt(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** Writes a number from 0 to 2^64 - 1, and returns where the next byte goes. */
export function writeLong(out: Uint8Array, at: number, value: bigint): number {
  let rest = value;
  while (rest > 0x7fn) {
    out[at++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  out[at++] = Number(rest);
  return at;
}
