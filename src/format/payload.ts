/**
 * Texts, bytes and large integers as bytes whose length is known from outside; every layout writes the length its own
 * way.
 *
 * @module
 */
import { copyAt, utf8At } from "./byte_reader.ts";
import { integerAt, integerBytes } from "./decimal.ts";
import type { Conversion, Payload } from "./field.ts";
import { corrupt } from "./corrupt.ts";

/** UTF-8. */
export function textPayload(conversion: Conversion<string>): Payload {
  const { encode, decode } = conversion;
  return {
    write: (out, value) => out.writeUtf8(encode(value)),
    read: (bytes, start, end) => decode(utf8At(bytes, start, end - start)),
  };
}

/** Bytes; what is read is a copy. */
export function bytesPayload(conversion: Conversion<Uint8Array>): Payload {
  const { encode, decode } = conversion;
  return {
    write: (out, value) => out.writeBytes(encode(value)),
    read: (bytes, start, end) => decode(copyAt(bytes, start, end - start)),
  };
}

/** 38 digits need 16 bytes, and the aligned layout reserves as many (Fluss: AbstractBinaryWriter.java). */
export const UNSCALED_BYTES = 16;

/** Decimals of more than 18 digits, big-endian (Fluss: Decimal.java). */
export function unscaledPayload(conversion: Conversion<bigint>): Payload {
  const { encode, decode } = conversion;
  return {
    write: (out, value) => out.writeBytes(integerBytes(encode(value))),
    read(bytes, start, end) {
      const length = end - start;
      if (length < 1 || length > UNSCALED_BYTES) throw corrupt(`a decimal of ${length} bytes at byte ${start}`);
      return decode(integerAt(bytes, start, length));
    },
  };
}
