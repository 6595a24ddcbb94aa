/**
 * Values in slots of a fixed size with a variable part behind them: the elements of arrays and the fields of aligned
 * rows (Fluss: AbstractBinaryWriter.java, BinaryArrayWriter.java, AlignedRowWriter.java).
 *
 * @module
 */
import { checkNanos, float32At, float64At, int16At, int32At, int64At, safeInt64At } from "./byte_reader.ts";
import { type ByteWriter, setFloat32, setFloat64, setSafeInt64 } from "./byte_writer.ts";
import { corrupt } from "./corrupt.ts";
import type { Field, Payload, Rest, TimestampConversion } from "./field.ts";
import { bytesPayload, textPayload, UNSCALED_BYTES, unscaledPayload } from "./payload.ts";

/** Writes and reads one value that is not null, in a slot whose place is known. */
export interface Slot {
  /** The bytes of a slot in an array; in an aligned row every slot has 8. */
  readonly size: number;
  /**
   * Writes a value to the zeroed slot at `at`, and its variable part at the writer's position.
   *
   * @param base where the array or row starts; offsets count from there
   */
  write(out: ByteWriter, base: number, at: number, value: unknown): void;
  /** Reads the value of the slot at `at`, which lies within the region. */
  read(region: Region, at: number): unknown;
}

/** The bytes of one array or aligned row that is being read. */
export class Region {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  #left: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.#left = end - start;
  }

  /**
   * Checks a claimed part of the region and returns where it starts. No writer lets parts overlap, so together they
   * cannot be larger than the region; without that rule a small hostile array could unfold to gigabytes.
   */
  part(offset: number, length: number): number {
    if (offset < 0 || length < 0 || length > this.end - this.start - offset || length > this.#left) {
      throw corrupt(`${length} bytes at offset ${offset} of a value of ${this.end - this.start} bytes`);
    }
    this.#left -= length;
    return this.start + offset;
  }
}

/** The highest bit of a slot marks a value of at most 7 bytes that lies in the slot itself. */
const INLINE_MARK = 0x80;
const INLINE_MAX = 7;

/** The slot form of a field. */
export function slotOf(field: Field): Slot {
  switch (field.form) {
    case "boolean": {
      const { encode, decode } = field.conversion;
      return {
        size: 1,
        write: (out, _base, at, value) => void (out.bytes[at] = encode(value) ? 1 : 0),
        read: (region, at) => decode(region.bytes[at] !== 0),
      };
    }
    case "int8": {
      const { encode, decode } = field.conversion;
      return {
        size: 1,
        write: (out, _base, at, value) => out.view.setInt8(at, encode(value)),
        read: (region, at) => decode((region.bytes[at]! << 24) >> 24),
      };
    }
    case "int16": {
      const { encode, decode } = field.conversion;
      return {
        size: 2,
        write: (out, _base, at, value) => out.view.setInt16(at, encode(value), true),
        read: (region, at) => decode(int16At(region.bytes, at)),
      };
    }
    case "int32": {
      const { encode, decode } = field.conversion;
      return {
        size: 4,
        write: (out, _base, at, value) => out.view.setInt32(at, encode(value), true),
        read: (region, at) => decode(int32At(region.bytes, at)),
      };
    }
    case "int64": {
      const { encode, decode } = field.conversion;
      return {
        size: 8,
        write: (out, _base, at, value) => out.view.setBigInt64(at, encode(value), true),
        read: (region, at) => decode(int64At(region.bytes, at)),
      };
    }
    case "safeInt64": {
      const { encode, decode } = field.conversion;
      return {
        size: 8,
        write: (out, _base, at, value) => setSafeInt64(out.view, at, encode(value)),
        read: (region, at) => decode(safeInt64At(region.bytes, at)),
      };
    }
    case "float32": {
      const { encode, decode } = field.conversion;
      return {
        size: 4,
        write: (out, _base, at, value) => setFloat32(out.view, at, encode(value)),
        read: (region, at) => decode(float32At(region.bytes, at)),
      };
    }
    case "float64": {
      const { encode, decode } = field.conversion;
      return {
        size: 8,
        write: (out, _base, at, value) => setFloat64(out.view, at, encode(value)),
        read: (region, at) => decode(float64At(region.bytes, at)),
      };
    }
    case "timestamp":
      return timestampSlot(field.conversion);
    case "unscaled":
      return unscaledSlot(unscaledPayload(field.conversion));
    case "text":
      return inlineSlot(textPayload(field.conversion));
    case "bytes":
      return inlineSlot(bytesPayload(field.conversion));
    case "nested":
      return variableSlot(field.payload);
  }
}

/** The milliseconds lie in the variable part, the nanoseconds in the slot. */
function timestampSlot(conversion: TimestampConversion): Slot {
  const rest: Rest = { nanos: 0 };
  return {
    size: 8,
    write(out, base, at, value) {
      const millis = conversion.encode(value, rest);
      setPart(out, base, at, rest.nanos);
      out.writeSafeInt64(millis);
    },
    read(region, at) {
      const nanos = checkNanos(int32At(region.bytes, at), at + 4);
      return conversion.decode(safeInt64At(region.bytes, region.part(int32At(region.bytes, at + 4), 8)), nanos);
    },
  };
}

/** Always 16 bytes in the variable part, whatever the value takes. */
function unscaledSlot(payload: Payload): Slot {
  return {
    size: 8,
    write(out, base, at, value) {
      const start = out.position;
      payload.write(out, value);
      const length = out.position - start;
      out.writeZeros(UNSCALED_BYTES - length);
      setPartAt(out, start - base, at, length);
    },
    read: (region, at) => readPart(region, at, payload),
  };
}

/** Up to 7 bytes in the slot itself, more in the variable part. */
function inlineSlot(payload: Payload): Slot {
  return {
    size: 8,
    write(out, base, at, value) {
      const start = out.position;
      payload.write(out, value);
      const length = out.position - start;
      if (length > INLINE_MAX) {
        padTo8(out, base);
        setPartAt(out, start - base, at, length);
        return;
      }
      const { bytes } = out;
      for (let i = 0; i < length; i++) bytes[at + i] = bytes[start + i]!;
      bytes[at + 7] = INLINE_MARK | length;
      out.position = start;
    },
    read(region, at) {
      const mark = region.bytes[at + 7]!;
      if (mark < INLINE_MARK) return readPart(region, at, payload);
      const length = mark & 127;
      if (length > INLINE_MAX) throw corrupt(`${length} bytes are claimed in the slot at byte ${at}`);
      return payload.read(region.bytes, at, at + length);
    },
  };
}

/** Always in the variable part. */
function variableSlot(payload: Payload): Slot {
  return {
    size: 8,
    write(out, base, at, value) {
      const start = out.position;
      payload.write(out, value);
      const length = out.position - start;
      padTo8(out, base);
      setPartAt(out, start - base, at, length);
    },
    read: (region, at) => readPart(region, at, payload),
  };
}

function readPart(region: Region, at: number, payload: Payload): unknown {
  const length = int32At(region.bytes, at);
  const start = region.part(int32At(region.bytes, at + 4), length);
  return payload.read(region.bytes, start, start + length);
}

function setPart(out: ByteWriter, base: number, at: number, low: number): void {
  setPartAt(out, out.position - base, at, low);
}

function setPartAt(out: ByteWriter, offset: number, at: number, low: number): void {
  out.view.setInt32(at, low, true);
  out.view.setInt32(at + 4, offset, true);
}

/** Zeros up to the next multiple of 8, counted from `base`. */
export function padTo8(out: ByteWriter, base: number): void {
  out.writeZeros(-(out.position - base) & 7);
}
