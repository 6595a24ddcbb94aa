/**
 * JavaScript values of booleans, numbers, strings and bytes. What does not fit is refused, never bent.
 *
 * @module
 */
import { isInt64 } from "./byte_writer.ts";
import type { Conversion } from "./field.ts";
import { outOfRange, unsafeInteger, wrongType } from "./value_error.ts";

function same<T>(value: T): T {
  return value;
}

/** BOOLEAN. */
export const BOOLEAN: Conversion<boolean> = {
  encode(value) {
    if (typeof value !== "boolean") throw wrongType("boolean", value);
    return value;
  },
  decode: same,
};

/** TINYINT. */
export const TINYINT: Conversion<number> = integer("TINYINT", -128, 127);
/** SMALLINT. */
export const SMALLINT: Conversion<number> = integer("SMALLINT", -32768, 32767);
/** INT. */
export const INT: Conversion<number> = integer("INT", -2147483648, 2147483647);
/** DATE as the number of days since 1970-01-01. */
export const DAYS: Conversion<number> = integer("DATE", -2147483648, 2147483647);

function integer(name: string, min: number, max: number): Conversion<number> {
  return {
    encode(value) {
      if (typeof value !== "number") throw wrongType("integer number", value);
      if (!(Number.isInteger(value) && value >= min && value <= max)) throw notInteger(name, min, max, value);
      return value;
    },
    decode: same,
  };
}

function notInteger(name: string, min: number, max: number, value: number): unknown {
  return outOfRange(value, Number.isInteger(value) ? `is outside of ${name} (${min} to ${max})` : "is not an integer");
}

/** BIGINT as bigint. */
export const BIGINT: Conversion<bigint> = {
  encode(value) {
    if (typeof value !== "bigint") throw wrongType("bigint", value);
    if (!isInt64(value)) throw outOfRange(value, "is outside of BIGINT (64 bits)");
    return value;
  },
  decode: same,
};

/** BIGINT as number. */
export const BIGINT_NUMBER: Conversion<number> = {
  encode(value) {
    if (typeof value !== "number") throw wrongType("integer number", value);
    if (!Number.isSafeInteger(value)) {
      throw Number.isInteger(value) ? unsafeInteger(value) : outOfRange(value, "is not an integer");
    }
    return value;
  },
  decode: same,
};

/** DOUBLE. */
export const DOUBLE: Conversion<number> = {
  encode(value) {
    if (typeof value !== "number") throw wrongType("number", value);
    return value;
  },
  decode: same,
};

/** FLOAT: the nearest float; a finite number beyond its range is refused, because it would become infinite. */
export const FLOAT: Conversion<number> = {
  encode(value) {
    if (typeof value !== "number") throw wrongType("number", value);
    const float = Math.fround(value);
    if (!Number.isFinite(float) && Number.isFinite(value)) throw outOfRange(value, "is outside of FLOAT");
    return float;
  },
  decode: same,
};

/** STRING. */
export const STRING: Conversion<string> = {
  encode(value) {
    if (typeof value !== "string") throw wrongType("string", value);
    return value;
  },
  decode: same,
};

/** CHAR(n): at most n characters. No server checks it (observed on 0.9.1), so it is checked here. */
export function charConversion(length: number): Conversion<string> {
  return {
    encode(value) {
      if (typeof value !== "string") throw wrongType("string", value);
      if (value.length > length && characters(value, length) > length) {
        throw outOfRange(value, `has more than the ${length} characters of CHAR(${length})`);
      }
      return value;
    },
    decode: same,
  };
}

/** Counts code points, and stops above `enough`. */
function characters(text: string, enough: number): number {
  let count = 0;
  for (const _ of text) if (++count > enough) break;
  return count;
}

/** BYTES. What was read is a copy of the value's own. */
export const BYTES: Conversion<Uint8Array> = {
  encode(value) {
    if (!(value instanceof Uint8Array)) throw wrongType("Uint8Array", value);
    return value;
  },
  decode: same,
};

/** BINARY(n): exactly n bytes. Servers cut longer values in change logs and fail on shorter ones (observed on 0.9.1). */
export function binaryConversion(length: number): Conversion<Uint8Array> {
  return {
    encode(value) {
      if (!(value instanceof Uint8Array)) throw wrongType("Uint8Array", value);
      if (value.length !== length) throw outOfRange(value, `is not exactly the ${length} bytes of BINARY(${length})`);
      return value;
    },
    decode: same,
  };
}
