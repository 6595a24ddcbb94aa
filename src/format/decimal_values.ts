/**
 * JavaScript values of DECIMAL(p, s): plain digits, an unscaled bigint, a number, or what a codec makes of the
 * unscaled value and its scale.
 *
 * @module
 */
import type { DecimalType } from "../schema/data_type.ts";
import {
  checkUnscaled,
  decimalText,
  NUMBER_PRECISION,
  numberToDecimalText,
  parseDecimal,
  parseSmallDecimal,
  rescale,
} from "./decimal.ts";
import type { Conversion, Field } from "./field.ts";
import { wrongType } from "./value_error.ts";

/** Up to this precision a decimal is a 64-bit integer on the wire (Fluss: Decimal.java, MAX_COMPACT_PRECISION). */
const COMPACT_PRECISION = 18;

/** The shape and conversion of a decimal column. The type's own codec is applied here, because its raw form is special. */
export function decimalField(type: DecimalType): Field {
  const big = bigConversion(type);
  if (type.precision > COMPACT_PRECISION) return { form: "unscaled", conversion: big };
  if (type.precision > NUMBER_PRECISION) return { form: "int64", conversion: big };
  return { form: "safeInt64", conversion: smallConversion(type, big) };
}

function smallConversion(type: DecimalType, big: Conversion<bigint>): Conversion<number> {
  const { scale } = type;
  if (type.codec === undefined && type.mode === undefined) {
    return {
      encode(value) {
        if (typeof value !== "string") throw wrongType("string of decimal digits", value);
        return parseSmallDecimal(value, type);
      },
      decode: (unscaled) => decimalText(unscaled, scale),
    };
  }
  return { encode: (value) => Number(big.encode(value)), decode: (unscaled) => big.decode(BigInt(unscaled)) };
}

function bigConversion(type: DecimalType): Conversion<bigint> {
  const { scale } = type;
  if (type.codec !== undefined) {
    return {
      encode(value) {
        if (!isRaw(value)) throw wrongType("{ unscaled: bigint, scale: number } from the codec", value);
        return rescale(value.unscaled, value.scale, type);
      },
      decode: (unscaled) => ({ unscaled, scale }),
    };
  }
  if (type.mode === "unscaled") {
    return {
      encode(value) {
        if (typeof value !== "bigint") throw wrongType("bigint", value);
        return checkUnscaled(value, type);
      },
      decode: (unscaled) => unscaled,
    };
  }
  if (type.mode === "number") {
    return {
      encode(value) {
        if (typeof value !== "number") throw wrongType("number", value);
        return parseDecimal(numberToDecimalText(value, type), type);
      },
      decode: (unscaled) => Number(decimalText(unscaled, scale)),
    };
  }
  return {
    encode(value) {
      if (typeof value !== "string") throw wrongType("string of decimal digits", value);
      return parseDecimal(value, type);
    },
    decode: (unscaled) => decimalText(unscaled, scale),
  };
}

function isRaw(value: unknown): value is { unscaled: bigint; scale: number } {
  if (typeof value !== "object" || value === null) return false;
  const { unscaled, scale } = value as { unscaled?: unknown; scale?: unknown };
  return typeof unscaled === "bigint" && typeof scale === "number" && Number.isInteger(scale) && scale >= 0 &&
    scale <= 1000;
}
