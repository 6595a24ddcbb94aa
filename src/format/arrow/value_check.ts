/**
 * Whether the values of Arrow columns are ones that their types can hold. The layout alone does not say: text may be no
 * UTF-8, a CHAR too long, a time have digits that its precision does not name. Rows are refused for the same.
 *
 * @module
 */
import { isAscii, isUtf8 } from "node:buffer";
import { type FlussError, flussError } from "../../base/errors.ts";
import { bareTypeText, type DataType, type SchemaColumn } from "../../schema/data_type.ts";
import { timeUnit } from "./layout.ts";
import type { RawColumn } from "./raw_column.ts";

/** Finds the first value that is wrong, and says why; -1 when there is none. */
type Find = (raw: RawColumn) => { readonly at: number; readonly why: string } | undefined;

/**
 * Refuses values that the column's type cannot hold.
 *
 * @throws {FlussError} CODEC.OUT_OF_RANGE with the first of them
 */
export function refuseValues(column: SchemaColumn, raw: RawColumn): void {
  refuse(column.key, column.type, raw, true);
}

function refuse(path: string, type: DataType, raw: RawColumn, isTop: boolean): void {
  switch (type.kind) {
    case "array":
      return refuse(`${path}[]`, type.element, raw.children[0]!, false);
    case "map": {
      const [key, value] = raw.children[0]!.children;
      refuse(`${path}[key]`, type.key, key!, false);
      return refuse(`${path}[]`, type.value, value!, false);
    }
    case "row":
      return type.fields.forEach((field, i) => refuse(`${path}.${field.key}`, field.type, raw.children[i]!, isTop));
    default: {
      const found = finderOf(type)?.(raw);
      if (found !== undefined) throw refusal(path, type, isTop ? found.at : undefined, found.why);
    }
  }
}

function refusal(path: string, type: DataType, row: number | undefined, why: string): FlussError {
  return flussError("CODEC.OUT_OF_RANGE", {
    message: `${row === undefined ? "a value" : `row ${row}`} of the Arrow batch has in ${path} what ${
      bareTypeText(type)
    } cannot hold: ${why}`,
    column: path,
    ...(row === undefined ? {} : { row }),
  });
}

function finderOf(type: DataType): Find | undefined {
  switch (type.kind) {
    case "string":
      return findBadText;
    case "char":
      return (raw) => findBadText(raw) ?? findLongText(raw, type.length);
    case "time":
      return findBadTime(type.precision);
    case "timestamp":
    case "timestampLtz": {
      const digits = [0, 3, 6, 9][timeUnit(type.precision)]!;
      if (digits === type.precision) return undefined;
      const unit = 10n ** BigInt(digits - type.precision);
      return (raw) => {
        const values = new BigInt64Array(raw.data!.buffer, raw.data!.byteOffset, raw.length);
        return find(raw, (i) => values[i]! % unit !== 0n, `more than ${type.precision} digits of a second`);
      };
    }
    case "decimal":
      return findBadDecimal(type.precision);
    default:
      return undefined;
  }
}

function find(raw: RawColumn, isBad: (i: number) => boolean, why: string): ReturnType<Find> {
  const { validity } = raw;
  for (let i = 0; i < raw.length; i++) {
    if (isBad(i) && (validity === undefined || (validity[i >> 3]! & (1 << (i & 7))) !== 0)) return { at: i, why };
  }
  return undefined;
}

function findBadText(raw: RawColumn): ReturnType<Find> {
  const { offsets, data, length } = raw;
  const from = offsets![0]!;
  const all = data!.subarray(from, offsets![length]!);
  // On an empty array the functions of some runtimes fail.
  if (all.length === 0 || isAscii(all)) return undefined;
  const isWhole = isUtf8(all);
  // Where all of it is UTF-8, a value is as well unless it is cut within a character.
  const isCut = (at: number): boolean => at < from + all.length && (data![at]! & 0xc0) === 0x80;
  return find(raw, (i) => {
    const start = offsets![i]!;
    const end = offsets![i + 1]!;
    if (start === end) return false;
    return isWhole ? isCut(start) || isCut(end) : !isUtf8(data!.subarray(start, end));
  }, "bytes that are not UTF-8");
}

function findLongText(raw: RawColumn, most: number): ReturnType<Find> {
  const { offsets, data } = raw;
  return find(raw, (i) => {
    const end = offsets![i + 1]!;
    if (end - offsets![i]! <= most) return false;
    let count = 0;
    for (let at = offsets![i]!; at < end; at++) if ((data![at]! & 0xc0) !== 0x80) count++;
    return count > most;
  }, `more than ${most} characters`);
}

function findBadTime(precision: number): Find {
  const unit = timeUnit(precision);
  const perDay = 86_400 * 10 ** (3 * unit);
  // Fluss keeps milliseconds, whatever the precision is.
  const step = 10 ** (3 * unit - Math.min(precision, 3));
  return (raw) => {
    const { data, length } = raw;
    const values = unit <= 1
      ? new Int32Array(data!.buffer, data!.byteOffset, length)
      : new BigInt64Array(data!.buffer, data!.byteOffset, length);
    return find(raw, (i) => {
      const value = Number(values[i]!);
      return value < 0 || value >= perDay || value % step !== 0;
    }, `no time of a day, or more than ${Math.min(precision, 3)} digits of a second`);
  };
}

function findBadDecimal(precision: number): Find {
  const limit = 10n ** BigInt(precision);
  return (raw) => {
    const halves = new BigInt64Array(raw.data!.buffer, raw.data!.byteOffset, raw.length * 2);
    return find(raw, (i) => {
      const low = halves[2 * i]!;
      const high = halves[2 * i + 1]!;
      const value = high === low >> 63n ? low : (high << 64n) | BigInt.asUintN(64, low);
      return value >= limit || value <= -limit;
    }, `more than ${precision} digits`);
  };
}
