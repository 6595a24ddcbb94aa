/**
 * A growing buffer that rows, keys and batches are written into.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { utf8Bound, writeUtf8 } from "./utf8.ts";

/** Lengths on the wire are int32, so nothing larger could be sent. */
const MAX_BYTES = 0x7fffffff;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

// Splits 64-bit values into halves. A DataView, so that the byte order is the same on every machine.
const scratch = new DataView(new ArrayBuffer(8));

/** Whether `value` fits in 64 signed bits. */
export function isInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/**
 * Bytes with a write position. All numbers are little-endian, varints are base-128 with the lowest group first and not
 * zig-zag (Fluss: CompactedRowWriter.java).
 *
 * The writer owns its buffer; `bytes` and `view` change when it grows, so read them again after each write.
 */
export class ByteWriter {
  /** The buffer; the first `position` bytes are written. */
  bytes: Uint8Array<ArrayBuffer>;
  /** A view on the whole of `bytes`. */
  view: DataView<ArrayBuffer>;
  /** Where the next byte goes. */
  position = 0;
  /** Where an indexed row's next length goes; used by the indexed layout only. */
  lengths = 0;

  readonly #likely: number;

  /**
   * @param capacity the bytes to begin with
   * @param likely a size that the content will hardly pass: growing stops there once, instead of doubling past it
   * @param bytes a buffer to begin with instead of a new one
   */
  constructor(capacity = 256, likely = 0, bytes: Uint8Array<ArrayBuffer> = new Uint8Array(capacity)) {
    this.#likely = likely;
    this.bytes = bytes;
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets what was written and keeps the buffer. */
  reset(): void {
    this.position = 0;
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.position + count > this.bytes.length) this.#grow(this.position + count);
  }

  #grow(needed: number): void {
    if (needed > MAX_BYTES) {
      throw flussError("WRITE.TOO_LARGE", { message: `${needed} bytes are more than one batch can hold` });
    }
    const doubled = this.bytes.length * 2;
    const size = needed <= this.#likely && doubled > this.#likely ? this.#likely : Math.max(needed, doubled);
    const bytes = new Uint8Array(Math.min(MAX_BYTES, size));
    bytes.set(this.bytes.subarray(0, this.position));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.position);
  }

  /** Writes the low 8 bits. */
  writeInt8(value: number): void {
    this.ensure(1);
    this.bytes[this.position++] = value;
  }

  /** Writes the low 16 bits. */
  writeInt16(value: number): void {
    this.ensure(2);
    this.bytes[this.position++] = value;
    this.bytes[this.position++] = value >> 8;
  }

  /** Writes 32 bits. */
  writeInt32(value: number): void {
    this.ensure(4);
    this.view.setInt32(this.position, value, true);
    this.position += 4;
  }

  /** Writes 64 bits; the caller checked the range. */
  writeInt64(value: bigint): void {
    this.ensure(8);
    this.view.setBigInt64(this.position, value, true);
    this.position += 8;
  }

  /** Writes a safe integer as 64 bits. */
  writeSafeInt64(value: number): void {
    this.ensure(8);
    setSafeInt64(this.view, this.position, value);
    this.position += 8;
  }

  /** Writes 4 bytes of IEEE 754. */
  writeFloat32(value: number): void {
    this.ensure(4);
    setFloat32(this.view, this.position, value);
    this.position += 4;
  }

  /** Writes 8 bytes of IEEE 754. */
  writeFloat64(value: number): void {
    this.ensure(8);
    setFloat64(this.view, this.position, value);
    this.position += 8;
  }

  /** Writes a 32-bit varint; negative numbers take 5 bytes. */
  writeVarInt32(value: number): void {
    this.ensure(5);
    const { bytes } = this;
    let at = this.position;
    let rest = value | 0;
    while ((rest & ~127) !== 0) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.position = at;
  }

  /** Writes a 64-bit varint; negative numbers take 10 bytes. The caller checked the range. */
  writeVarInt64(value: bigint): void {
    scratch.setBigInt64(0, value, true);
    this.#writeVarHalves(scratch.getInt32(0, true), scratch.getInt32(4, true));
  }

  /** Writes a safe integer as a 64-bit varint. */
  writeSafeVarInt64(value: number): void {
    this.#writeVarHalves(value | 0, Math.floor(value / 4294967296));
  }

  #writeVarHalves(lowHalf: number, highHalf: number): void {
    this.ensure(10);
    const { bytes } = this;
    let at = this.position;
    let low = lowHalf;
    let high = highHalf;
    while (high !== 0 || (low & ~127) !== 0) {
      bytes[at++] = (low & 127) | 128;
      low = (low >>> 7) | (high << 25);
      high >>>= 7;
    }
    bytes[at++] = low;
    this.position = at;
  }

  /** Writes bytes as they are, without a length. */
  writeBytes(value: Uint8Array): void {
    this.ensure(value.length);
    this.bytes.set(value, this.position);
    this.position += value.length;
  }

  /** Writes the bytes `[start..end)` of others as they are, without a length. */
  writePart(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.ensure(length);
    const { bytes, position } = this;
    // For short values a view costs more than a loop.
    if (length <= 32) { for (let i = 0; i < length; i++) bytes[position + i] = source[start + i]!; }
    else bytes.set(source.subarray(start, end), position);
    this.position = position + length;
  }

  /** Writes UTF-8 without a length. */
  writeUtf8(text: string): void {
    this.ensure(utf8Bound(text));
    this.position = writeUtf8(this.bytes, this.position, text);
  }

  /** Writes `count` zero bytes. */
  writeZeros(count: number): void {
    this.ensure(count);
    this.bytes.fill(0, this.position, this.position + count);
    this.position += count;
  }

  /** Writes a varint byte length and UTF-8. */
  writeVarUtf8(text: string): void {
    this.ensure(5 + utf8Bound(text));
    const guess = varIntSize(text.length);
    const start = this.position;
    const end = writeUtf8(this.bytes, start + guess, text);
    this.#closeVarLength(start, guess, end);
  }

  /** Opens a value with a varint length in front: writing continues one byte later, {@linkcode endVarLength} closes it. */
  beginVarLength(): number {
    this.ensure(1);
    return this.position++;
  }

  /** Writes the length of everything since {@linkcode beginVarLength} gave `start`. */
  endVarLength(start: number): void {
    this.ensure(4);
    this.#closeVarLength(start, 1, this.position);
  }

  /** Puts the length in the `reserved` bytes at `start`, moving the content where the length needs more of them. */
  #closeVarLength(start: number, reserved: number, end: number): void {
    const length = end - start - reserved;
    if (length < 128) {
      this.bytes[start] = length;
      this.position = end;
      return;
    }
    const needed = varIntSize(length);
    if (needed !== reserved) this.bytes.copyWithin(start + needed, start + reserved, end);
    this.position = start;
    this.writeVarInt32(length);
    this.position = start + needed + length;
  }
}

/** How many bytes the varint of a length takes. */
export function varIntSize(value: number): number {
  if (value < 128) return 1;
  if (value < 16384) return 2;
  if (value < 2097152) return 3;
  return value < 268435456 ? 4 : 5;
}

/** Sets a safe integer as 64 bits. */
export function setSafeInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, value | 0, true);
  view.setInt32(at + 4, Math.floor(value / 4294967296), true);
}

/** Sets a float; every NaN becomes the one that Java writes, because key bytes must be equal for equal values. */
export function setFloat32(view: DataView, at: number, value: number): void {
  if (value === value) view.setFloat32(at, value, true);
  else view.setInt32(at, 0x7fc00000, true);
}

/** Sets a double; NaN as in {@linkcode setFloat32}. */
export function setFloat64(view: DataView, at: number, value: number): void {
  if (value === value) {
    view.setFloat64(at, value, true);
  } else {
    view.setInt32(at, 0, true);
    view.setInt32(at + 4, 0x7ff80000, true);
  }
}
