/**
 * Values of an indexed row: fixed widths, and the lengths of all others in a list before the values
 * (Fluss: IndexedRowWriter.java, IndexedRow.java).
 *
 * @module
 */
import { type ByteReader, checkNanos, copyAt, int32At, utf8At } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";
import type { Cell } from "./cell.ts";
import type { Conversion, Field, Payload, Rest, TimestampConversion } from "./field.ts";
import { bytesPayload, textPayload, unscaledPayload } from "./payload.ts";
import { outOfRange } from "./value_error.ts";

/** Whether a field's length stands in the row's length list. */
export function hasListedLength(field: Field): boolean {
  switch (field.form) {
    case "text":
    case "bytes":
      return field.width === undefined;
    case "unscaled":
    case "nested":
      return true;
    default:
      return false;
  }
}

/** The indexed form of a field. */
export function indexedCell(field: Field): Cell {
  switch (field.form) {
    case "boolean": {
      const { encode, decode } = field.conversion;
      return fixedCell(
        1,
        (out, value) => out.writeInt8(encode(value) ? 1 : 0),
        (source) => decode(source.readBoolean()),
      );
    }
    case "int8": {
      const { encode, decode } = field.conversion;
      return fixedCell(1, (out, value) => out.writeInt8(encode(value)), (source) => decode(source.readInt8()));
    }
    case "int16": {
      const { encode, decode } = field.conversion;
      return fixedCell(2, (out, value) => out.writeInt16(encode(value)), (source) => decode(source.readInt16()));
    }
    case "int32": {
      const { encode, decode } = field.conversion;
      return fixedCell(4, (out, value) => out.writeInt32(encode(value)), (source) => decode(source.readInt32()));
    }
    case "int64": {
      const { encode, decode } = field.conversion;
      return fixedCell(8, (out, value) => out.writeInt64(encode(value)), (source) => decode(source.readInt64()));
    }
    case "safeInt64": {
      const { encode, decode } = field.conversion;
      return fixedCell(
        8,
        (out, value) => out.writeSafeInt64(encode(value)),
        (source) => decode(source.readSafeInt64()),
      );
    }
    case "float32": {
      const { encode, decode } = field.conversion;
      return fixedCell(4, (out, value) => out.writeFloat32(encode(value)), (source) => decode(source.readFloat32()));
    }
    case "float64": {
      const { encode, decode } = field.conversion;
      return fixedCell(8, (out, value) => out.writeFloat64(encode(value)), (source) => decode(source.readFloat64()));
    }
    case "timestamp":
      return timestampCell(field.conversion);
    case "text":
      return field.width === undefined
        ? listedCell(textPayload(field.conversion))
        : charCell(field.width, field.conversion);
    case "bytes":
      return field.width === undefined
        ? listedCell(bytesPayload(field.conversion))
        : binaryCell(field.width, field.conversion);
    case "unscaled":
      return listedCell(unscaledPayload(field.conversion));
    case "nested":
      return listedCell(field.payload);
  }
}

function fixedCell(
  size: number,
  write: (out: ByteWriter, value: unknown) => void,
  read: (source: ByteReader) => unknown,
): Cell {
  return { write, read, skip: (source) => void source.take(size) };
}

function timestampCell(conversion: TimestampConversion): Cell {
  const rest: Rest = { nanos: 0 };
  return fixedCell(12, (out, value) => {
    out.writeSafeInt64(conversion.encode(value, rest));
    out.writeInt32(rest.nanos);
  }, (source) => {
    const millis = source.readSafeInt64();
    return conversion.decode(millis, checkNanos(source.readInt32(), source.position));
  });
}

/** CHAR(n) takes n bytes here, padded with zero bytes that readers strip. */
function charCell(width: number, { encode, decode }: Conversion<string>): Cell {
  return fixedCell(width, (out, value) => {
    const text = encode(value);
    const start = out.position;
    out.writeUtf8(text);
    const written = out.position - start;
    if (written > width) {
      throw outOfRange(text, `takes ${written} bytes, and CHAR(${width}) has room for ${width} in the INDEXED format`);
    }
    if (written > 0 && out.bytes[out.position - 1] === 0) {
      throw outOfRange(text, `ends with U+0000, which CHAR(${width}) loses in the INDEXED format`);
    }
    out.writeZeros(width - written);
  }, (source) => {
    const { bytes } = source;
    const start = source.take(width);
    let end = source.position;
    while (end > start && bytes[end - 1] === 0) end--;
    return decode(utf8At(bytes, start, end - start));
  });
}

function binaryCell(width: number, { encode, decode }: Conversion<Uint8Array>): Cell {
  return fixedCell(
    width,
    (out, value) => {
      const bytes = encode(value);
      // Servers drop trailing zeros of a fixed-width value, and then fail the whole batch for its length (observed on 0.9.1).
      if (bytes[width - 1] === 0) {
        throw outOfRange(
          bytes,
          `ends in a zero byte, which BINARY(${width}) cannot hold in the INDEXED format`,
          'use t.bytes(), or kv: { format: "compacted" }',
        );
      }
      out.writeBytes(bytes);
    },
    (source) => decode(copyAt(source.bytes, source.take(width), width)),
  );
}

function listedCell(payload: Payload): Cell {
  return {
    write(out, value) {
      // A nested row in the payload uses the list position for its own list.
      const { lengths, position } = out;
      payload.write(out, value);
      out.view.setInt32(lengths, out.position - position, true);
      out.lengths = lengths + 4;
    },
    read(source) {
      const start = takeListed(source);
      return payload.read(source.bytes, start, source.position);
    },
    skip: (source) => void takeListed(source),
  };
}

/** Moves over the next value whose length is in the list, and returns where it starts. */
function takeListed(source: ByteReader): number {
  const length = int32At(source.bytes, source.lengths);
  source.lengths += 4;
  return source.take(length);
}

/** Reserves the length list of a row with `count` listed fields. */
export function beginLengths(out: ByteWriter, count: number): void {
  out.lengths = out.position;
  out.writeZeros(count * 4);
}

/** Reads past the length list. Its unused end is where columns are null. */
export function openLengths(source: ByteReader, count: number): void {
  source.lengths = source.take(count * 4);
}
