/**
 * UTF-8, fast for the short ASCII strings that most columns hold.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { ColumnError } from "../base/column_error.ts";

const encoder = new TextEncoder();
// `ignoreBOM` keeps a leading U+FEFF, which is data here.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Slice = (this: Uint8Array, start: number, end: number) => string;

/**
 * The runtimes' own ways from bytes to a string: 25 to 45 ns for any length that columns have, where `TextDecoder` takes
 * up to 260 ns (Deno). They are in all three runtimes but in no documentation, so their absence costs speed only.
 */
const { latin1Slice, utf8Slice } = Buffer.prototype as { latin1Slice?: Slice; utf8Slice?: Slice };

/** What every lenient decoder puts in place of bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

/** Up to this many bytes a string is put together in JavaScript, which beats every call. */
const SHORT = 8;

/** Above this many UTF-16 units the runtime's encoder beats our loop. */
const LONG = 96;

/**
 * Reads `bytes[start..end)` as UTF-8.
 *
 * @returns the string, or undefined when the bytes are not UTF-8
 */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  let seen = 0;
  for (let i = start; i < end; i++) seen |= bytes[i]!;
  if (seen > 127) return decode(bytes, start, end);
  const length = end - start;
  if (length <= SHORT) return shortAscii(bytes, start, length);
  return latin1Slice === undefined ? decode(bytes, start, end) : latin1Slice.call(bytes, start, end);
}

function decode(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (utf8Slice !== undefined) {
    const text = utf8Slice.call(bytes, start, end);
    // With one, the strict decoder has to tell whether it was in the data.
    if (!text.includes(REPLACEMENT)) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/**
 * Reads `bytes[start..end)` where all of it is ASCII, so that every byte is one character.
 *
 * @returns the string, or undefined when there are other bytes
 */
export function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let at = start;
  let seen = 0;
  let high = 0;
  // Four bytes at once, from the first multiple of four in memory on.
  const aligned = Math.min(end, start + (-(bytes.byteOffset + start) & 3));
  for (; at < aligned; at++) seen |= bytes[at]!;
  const count = (end - at) >> 2;
  // Where it ends before that multiple, no word can be laid over it.
  if (count > 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, count);
    for (let i = 0; i < count; i++) high |= words[i]!;
    at += count * 4;
  }
  for (; at < end; at++) seen |= bytes[at]!;
  if (seen > 127 || (high & 0x80808080) !== 0) return undefined;
  return latin1Slice === undefined ? decoder.decode(bytes.subarray(start, end)) : latin1Slice.call(bytes, start, end);
}

function shortAscii(bytes: Uint8Array, start: number, length: number): string {
  let text = "";
  let at = start;
  let left = length;
  if (left >= 4) {
    text = String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
    at += 4;
    left -= 4;
    if (left === 4) {
      return text + String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
    }
  }
  for (; left > 0; left--) text += String.fromCharCode(bytes[at++]!);
  return text;
}

/** The most bytes that the UTF-8 form of a string can take. */
export function utf8Bound(text: string): number {
  return text.length * 3;
}

/**
 * Writes `text` as UTF-8 at `position`; there must be room for {@linkcode utf8Bound}.
 *
 * @returns the position after the last byte
 * @throws {ColumnError} CODEC.OUT_OF_RANGE for a lone surrogate, which UTF-8 cannot hold
 */
export function writeUtf8(bytes: Uint8Array, position: number, text: string): number {
  const length = text.length;
  if (length > LONG) return writeLong(bytes, position, text);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return writeMixed(bytes, position + i, text, i);
    bytes[position + i] = unit;
  }
  return position + length;
}

function writeLong(bytes: Uint8Array, position: number, text: string): number {
  // The encoder would replace a lone surrogate in silence.
  if (!text.isWellFormed()) throw loneSurrogate();
  return position + encoder.encodeInto(text, bytes.subarray(position)).written;
}

function writeMixed(bytes: Uint8Array, start: number, text: string, from: number): number {
  let at = start;
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[at++] = unit;
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 63);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      bytes[at++] = 0xe0 | (unit >> 12);
      bytes[at++] = 0x80 | ((unit >> 6) & 63);
      bytes[at++] = 0x80 | (unit & 63);
    } else {
      const point = text.codePointAt(i)!;
      if (point < 0x10000) throw loneSurrogate();
      i++;
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 63);
      bytes[at++] = 0x80 | ((point >> 6) & 63);
      bytes[at++] = 0x80 | (point & 63);
    }
  }
  return at;
}

function loneSurrogate(): ColumnError {
  return new ColumnError("CODEC.OUT_OF_RANGE", "the string has half of a surrogate pair, which UTF-8 cannot hold", {
    hint: "clean the string with toWellFormed()",
  });
}
