/**
 * Decimals as text and as unscaled integers, and the bytes of integers above 18 digits.
 *
 * @module
 */
import type { ColumnError } from "../base/column_error.ts";
import { outOfRange, wrongType } from "./value_error.ts";

/** What a decimal column can hold. */
export interface DecimalShape {
  readonly precision: number;
  readonly scale: number;
}

/** Up to this precision every unscaled value is a safe integer. */
export const NUMBER_PRECISION = 15;

/** Powers of ten up to the largest precision. */
const POWERS: readonly bigint[] = Array.from({ length: 39 }, (_, exponent) => 10n ** BigInt(exponent));

const PLAIN = /^[+-]?\d+(?:\.\d+)?$/;

/** A decimal of at most {@linkcode NUMBER_PRECISION} digits, from plain digits to the unscaled integer. */
export function parseSmallDecimal(text: string, shape: DecimalShape): number {
  const digits = scaledDigits(text, shape);
  return text.charCodeAt(0) === 45 && digits !== "" ? -Number(digits) : Number(digits);
}

/** A decimal of any precision, from plain digits to the unscaled integer. */
export function parseDecimal(text: string, shape: DecimalShape): bigint {
  const unscaled = BigInt(scaledDigits(text, shape));
  return text.charCodeAt(0) === 45 ? -unscaled : unscaled;
}

/** The digits of the unscaled value, without sign and without leading zeros; empty for 0. */
function scaledDigits(text: string, shape: DecimalShape): string {
  if (!PLAIN.test(text)) throw wrongType('plain decimal digits such as "-12.50"', text);
  const first = text.charCodeAt(0);
  const start = first === 45 || first === 43 ? 1 : 0;
  const point = text.indexOf(".");
  let digits: string;
  if (point < 0) {
    digits = text.slice(start) + "0".repeat(shape.scale);
  } else {
    let end = text.length;
    const most = point + 1 + shape.scale;
    while (end > most && text.charCodeAt(end - 1) === 48) end--;
    if (end > most) throw tooFine(text, shape);
    digits = text.slice(start, point) + text.slice(point + 1, end).padEnd(shape.scale, "0");
  }
  let zeros = 0;
  while (digits.charCodeAt(zeros) === 48) zeros++;
  const significant = digits.slice(zeros);
  if (significant.length > shape.precision) throw tooLarge(text, shape);
  return significant;
}

/** Plain digits with exactly `scale` decimals. */
export function decimalText(unscaled: number | bigint, scale: number): string {
  const text = String(unscaled);
  if (scale === 0) return text;
  const sign = text.charCodeAt(0) === 45 ? "-" : "";
  const digits = (sign === "" ? text : text.slice(1)).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Checks an unscaled integer against the precision. */
export function checkUnscaled(unscaled: bigint, shape: DecimalShape): bigint {
  const limit = POWERS[shape.precision]!;
  if (unscaled >= limit || unscaled <= -limit) throw tooLarge(decimalText(unscaled, shape.scale), shape);
  return unscaled;
}

/** Brings an unscaled integer from one scale to that of the column, exactly. */
export function rescale(unscaled: bigint, scale: number, shape: DecimalShape): bigint {
  if (scale === shape.scale) return checkUnscaled(unscaled, shape);
  if (scale < shape.scale) return checkUnscaled(unscaled * POWERS[shape.scale - scale]!, shape);
  const divisor = 10n ** BigInt(scale - shape.scale);
  if (unscaled % divisor !== 0n) throw tooFine(decimalText(unscaled, scale), shape);
  return checkUnscaled(unscaled / divisor, shape);
}

/** The nearest decimal of a number, as plain digits; for columns whose mode accepts the loss. */
export function numberToDecimalText(value: number, shape: DecimalShape): string {
  if (!Number.isFinite(value)) throw outOfRange(value, `is not a value of ${nameOf(shape)}`);
  // toFixed() rounds the exact binary value and is plain below 1e21; above it, every double is an integer.
  return Math.abs(value) < 1e21 ? value.toFixed(shape.scale) : String(BigInt(value));
}

function tooFine(text: string, shape: DecimalShape): ColumnError {
  return outOfRange(text, `has more than ${shape.scale} decimals, ${nameOf(shape)} would lose them`);
}

function tooLarge(text: string, shape: DecimalShape): ColumnError {
  return outOfRange(text, `has more digits than ${nameOf(shape)} can hold`);
}

function nameOf(shape: DecimalShape): string {
  return `DECIMAL(${shape.precision}, ${shape.scale})`;
}

// 38 digits need 127 bits.
const scratch = new DataView(new ArrayBuffer(16));
const scratchBytes = new Uint8Array(scratch.buffer);

/** The shortest big-endian two's complement of an integer of at most 38 digits (Java: `BigInteger.toByteArray`). */
export function integerBytes(value: bigint): Uint8Array<ArrayBuffer> {
  scratch.setBigInt64(0, value >> 64n);
  scratch.setBigInt64(8, value);
  // A leading byte goes when the next one says the same about the sign.
  const sign = scratchBytes[0]! >> 7 === 0 ? 0 : 255;
  let start = 0;
  while (start < 15 && scratchBytes[start] === sign && (scratchBytes[start + 1]! ^ sign) < 128) start++;
  return scratchBytes.slice(start);
}

/** The integer of at most 16 bytes of big-endian two's complement. */
export function integerAt(bytes: Uint8Array, at: number, length: number): bigint {
  const first = 16 - length;
  scratchBytes.fill(bytes[at]! >> 7 === 0 ? 0 : 255, 0, first);
  for (let i = 0; i < length; i++) scratchBytes[first + i] = bytes[at + i]!;
  return (scratch.getBigInt64(0) << 64n) | scratch.getBigUint64(8);
}
