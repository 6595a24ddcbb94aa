/**
 * A read position in bytes that came from elsewhere. Every read checks what is left, so nonsense becomes an error
 * with a code and never a crash.
 *
 * @module
 */
import { corrupt } from "./corrupt.ts";
import { readUtf8 } from "./utf8.ts";
import { ColumnError } from "../base/column_error.ts";

// Joins 32-bit halves. Bytes are put together by shifts and not by a DataView on the source, because making such a
// view costs more than reading a small row.
const scratch = new DataView(new ArrayBuffer(8));

/** Bytes with a read position and an end. Numbers are little-endian, varints as in `ByteWriter`. */
export class ByteReader {
  /** The bytes; not owned. */
  readonly bytes: Uint8Array;
  /** Where the next byte is read. */
  position: number;
  /** Nothing is read at or after this position. */
  end: number;
  /** Where an indexed row's next length is read; used by the indexed layout only. */
  lengths = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw corrupt(`bytes ${start} to ${end} are asked for, but there are ${bytes.length}`);
    }
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Moves on by `count` bytes and returns where they start. */
  take(count: number): number {
    const at = this.position;
    if (count < 0 || count > this.end - at) throw cut(this, count);
    this.position = at + count;
    return at;
  }

  /** Reads a signed byte. */
  readInt8(): number {
    return (this.bytes[this.take(1)]! << 24) >> 24;
  }

  /** Reads a byte as a boolean; like Java, anything but 0 is true. */
  readBoolean(): boolean {
    return this.bytes[this.take(1)] !== 0;
  }

  /** Reads 16 signed bits. */
  readInt16(): number {
    return int16At(this.bytes, this.take(2));
  }

  /** Reads 32 signed bits. */
  readInt32(): number {
    return int32At(this.bytes, this.take(4));
  }

  /** Reads 64 signed bits. */
  readInt64(): bigint {
    return int64At(this.bytes, this.take(8));
  }

  /** Reads 64 signed bits that must be a safe integer. */
  readSafeInt64(): number {
    return safeInt64At(this.bytes, this.take(8));
  }

  /** Reads 64 bits as two halves of 32, the low one first, which it puts at `at` and behind it. */
  readHalves(halves: Int32Array, at: number): void {
    const from = this.take(8);
    halves[at] = int32At(this.bytes, from);
    halves[at + 1] = int32At(this.bytes, from + 4);
  }

  /** As {@linkcode readHalves}, of a varint. */
  readVarHalves(halves: Int32Array, at: number): void {
    halves[at] = this.#readVarHalves();
    halves[at + 1] = highHalf;
  }

  /** Reads 4 bytes of IEEE 754. */
  readFloat32(): number {
    return float32At(this.bytes, this.take(4));
  }

  /** Reads 8 bytes of IEEE 754. */
  readFloat64(): number {
    return float64At(this.bytes, this.take(8));
  }

  /** Reads a 32-bit varint. */
  readVarInt32(): number {
    const { bytes, end } = this;
    let at = this.position;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw cut(this, 1);
      const byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) {
        this.position = at;
        return value;
      }
    }
    throw corrupt(`the varint at byte ${this.position} has more than 5 bytes`);
  }

  /** Reads a 64-bit varint. */
  readVarInt64(): bigint {
    const low = this.#readVarHalves();
    return joinInt64(low, highHalf);
  }

  /** Reads a 64-bit varint that must be a safe integer. */
  readSafeVarInt64(): number {
    const low = this.#readVarHalves();
    return joinSafe(low, highHalf);
  }

  /** Returns the low half and leaves the high one in `highHalf`, so that nothing is allocated. */
  #readVarHalves(): number {
    const { bytes, end } = this;
    let at = this.position;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw cut(this, 1);
      const byte = bytes[at++]!;
      low |= (byte & 127) << shift;
      if (byte < 128) {
        this.position = at;
        highHalf = 0;
        return low;
      }
    }
    let high = 0;
    for (let shift = 0; shift < 42; shift += 7) {
      if (at >= end) throw cut(this, 1);
      const byte = bytes[at++]!;
      const group = byte & 127;
      if (shift === 0) {
        low |= group << 28;
        high = group >> 4;
      } else {
        high |= group << (shift - 4);
      }
      if (byte < 128) {
        this.position = at;
        highHalf = high;
        return low;
      }
    }
    throw corrupt(`the varint at byte ${this.position} has more than 10 bytes`);
  }

  /** Moves over a varint of at most `limit` bytes. */
  skipVarInt(limit: number): void {
    const { bytes, end } = this;
    const stop = Math.min(end, this.position + limit);
    let at = this.position;
    while (at < stop) {
      if (bytes[at++]! < 128) {
        this.position = at;
        return;
      }
    }
    throw stop === end ? cut(this, limit) : corrupt(`the varint at byte ${this.position} has more than ${limit} bytes`);
  }

  /** Reads a varint length that must fit in what is left. */
  readVarLength(): number {
    const length = this.readVarInt32();
    if (length < 0 || length > this.end - this.position) throw cut(this, length);
    return length;
  }

  /** Reads `length` bytes of UTF-8. */
  readUtf8(length: number): string {
    const at = this.take(length);
    return utf8At(this.bytes, at, length);
  }

  /** Reads `length` bytes as a copy of their own. */
  readBytes(length: number): Uint8Array<ArrayBuffer> {
    const at = this.take(length);
    return copyAt(this.bytes, at, length);
  }
}

/** The high half of the 64-bit varint that was read last. */
let highHalf = 0;

/** Checks that `nanos`, read before byte `at`, are 0 to 999999. */
export function checkNanos(nanos: number, at: number): number {
  if (nanos < 0 || nanos > 999_999) throw corrupt(`${nanos} nanoseconds of a millisecond before byte ${at}`);
  return nanos;
}

/** The error for a read past the end. */
function cut(reader: ByteReader, count: number): Error {
  const left = reader.end - reader.position;
  return corrupt(`${count} bytes are claimed at byte ${reader.position}, but ${left} are left`);
}

/** Two signed 32-bit halves as a bigint. */
function joinInt64(low: number, high: number): bigint {
  scratch.setInt32(0, low, true);
  scratch.setInt32(4, high, true);
  return scratch.getBigInt64(0, true);
}

/** Two signed 32-bit halves as a number; the edge of what is safe is the same as for `Number.isSafeInteger`. */
function joinSafe(low: number, high: number): number {
  const value = (high | 0) * 4294967296 + (low >>> 0);
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) {
    throw new ColumnError("CODEC.UNSAFE_INTEGER", `${joinInt64(low, high)} is beyond 2^53`);
  }
  return value;
}

/** The int16 at a checked position. */
export function int16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16;
}

/** The int32 at a checked position. */
export function int32At(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** The int64 at a checked position. */
export function int64At(bytes: Uint8Array, at: number): bigint {
  return joinInt64(int32At(bytes, at), int32At(bytes, at + 4));
}

/** The int64 at a checked position, as a number that must be safe. */
export function safeInt64At(bytes: Uint8Array, at: number): number {
  return joinSafe(int32At(bytes, at), int32At(bytes, at + 4));
}

/** The float at a checked position. */
export function float32At(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, int32At(bytes, at), true);
  return scratch.getFloat32(0, true);
}

/** The double at a checked position. */
export function float64At(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, int32At(bytes, at), true);
  scratch.setInt32(4, int32At(bytes, at + 4), true);
  return scratch.getFloat64(0, true);
}

/** The UTF-8 text at a checked position. */
export function utf8At(bytes: Uint8Array, at: number, length: number): string {
  const text = readUtf8(bytes, at, at + length);
  if (text === undefined) throw corrupt(`the ${length} bytes at byte ${at} are not UTF-8`);
  return text;
}

/** A copy of the bytes at a checked position. */
export function copyAt(bytes: Uint8Array, at: number, length: number): Uint8Array<ArrayBuffer> {
  // Not `slice`: on a Buffer, which a runtime may hand us, that is a view.
  const copy = new Uint8Array(length);
  // For short values a view costs more than a loop.
  if (length <= 32) { for (let i = 0; i < length; i++) copy[i] = bytes[at + i]!; }
  else copy.set(bytes.subarray(at, at + length));
  return copy;
}
