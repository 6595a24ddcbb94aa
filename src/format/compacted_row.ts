/**
 * Values of a compacted row: varints, no offsets, no padding (Fluss: CompactedRowWriter.java, CompactedRowReader.java).
 * Compacted keys are the same values without null bits (Fluss: CompactedKeyWriter.java).
 *
 * @module
 */
import { checkNanos } from "./byte_reader.ts";
import type { Cell } from "./cell.ts";
import type { Conversion, Field, Payload, Rest, TimestampConversion } from "./field.ts";
import { bytesPayload, unscaledPayload } from "./payload.ts";

const VARINT32 = 5;
const VARINT64 = 10;

/** The compacted form of a field. */
export function compactedCell(field: Field): Cell {
  switch (field.form) {
    case "boolean": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeInt8(encode(value) ? 1 : 0),
        read: (source) => decode(source.readBoolean()),
        skip: (source) => void source.take(1),
      };
    }
    case "int8": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeInt8(encode(value)),
        read: (source) => decode(source.readInt8()),
        skip: (source) => void source.take(1),
      };
    }
    case "int16": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeInt16(encode(value)),
        read: (source) => decode(source.readInt16()),
        skip: (source) => void source.take(2),
      };
    }
    case "int32": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeVarInt32(encode(value)),
        read: (source) => decode(source.readVarInt32()),
        skip: (source) => source.skipVarInt(VARINT32),
      };
    }
    case "int64": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeVarInt64(encode(value)),
        read: (source) => decode(source.readVarInt64()),
        skip: (source) => source.skipVarInt(VARINT64),
      };
    }
    case "safeInt64": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeSafeVarInt64(encode(value)),
        read: (source) => decode(source.readSafeVarInt64()),
        skip: (source) => source.skipVarInt(VARINT64),
      };
    }
    case "float32": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeFloat32(encode(value)),
        read: (source) => decode(source.readFloat32()),
        skip: (source) => void source.take(4),
      };
    }
    case "float64": {
      const { encode, decode } = field.conversion;
      return {
        write: (out, value) => out.writeFloat64(encode(value)),
        read: (source) => decode(source.readFloat64()),
        skip: (source) => void source.take(8),
      };
    }
    case "timestamp":
      return timestampCell(field.conversion);
    case "text":
      return textCell(field.conversion);
    case "bytes":
      return payloadCell(bytesPayload(field.conversion));
    case "unscaled":
      return payloadCell(unscaledPayload(field.conversion));
    case "nested":
      return payloadCell(field.payload);
  }
}

function timestampCell(conversion: TimestampConversion): Cell {
  const rest: Rest = { nanos: 0 };
  return {
    write(out, value) {
      out.writeSafeVarInt64(conversion.encode(value, rest));
      out.writeVarInt32(rest.nanos);
    },
    read(source) {
      const millis = source.readSafeVarInt64();
      return conversion.decode(millis, checkNanos(source.readVarInt32(), source.position));
    },
    skip(source) {
      source.skipVarInt(VARINT64);
      source.skipVarInt(VARINT32);
    },
  };
}

function textCell({ encode, decode }: Conversion<string>): Cell {
  return {
    write: (out, value) => out.writeVarUtf8(encode(value)),
    read: (source) => decode(source.readUtf8(source.readVarLength())),
    skip: (source) => void source.take(source.readVarLength()),
  };
}

function payloadCell(payload: Payload): Cell {
  return {
    write(out, value) {
      const start = out.beginVarLength();
      payload.write(out, value);
      out.endVarLength(start);
    },
    read(source) {
      const start = source.take(source.readVarLength());
      return payload.read(source.bytes, start, source.position);
    },
    skip: (source) => void source.take(source.readVarLength()),
  };
}
