/**
 * Aligned rows: one slot of 8 bytes per field. They are nested rows of aligned rows, the statistics of log batches, and
 * the keys of tables in Paimon's format (Fluss: AlignedRow.java, AlignedRowWriter.java). Nothing here is hot, so the
 * rows are plain loops.
 *
 * @module
 */
import { inColumn } from "../base/column_error.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { corrupt } from "./corrupt.ts";
import { compileRowMaker } from "./generate.ts";
import { checkAbsent, ownValue } from "./row_plan.ts";
import { Region, type Slot } from "./slot.ts";

/** One field of an aligned row. */
export interface AlignedField {
  readonly key: string;
  readonly nullable: boolean;
  /** For messages. */
  readonly typeName: string;
  readonly slot: Slot;
  /** False for a column that becomes null without being looked at. */
  readonly written: boolean;
}

/** The first byte of the null bits is the row kind, 0 in Fluss. */
const HEADER_BITS = 8;
const SLOT_BYTES = 8;

/** Compiles the writer of rows with these fields. */
export function compileAlignedWriter(
  fields: readonly AlignedField[],
): (out: ByteWriter, row: Readonly<Record<string, unknown>>) => void {
  const first = nullBytesOf(fields.length);
  const fixed = first + fields.length * SLOT_BYTES;
  return (out, row) => {
    const base = out.position;
    out.writeZeros(fixed);
    fields.forEach((field, i) => {
      try {
        const value = field.written ? ownValue(row, field.key) : null;
        if (value !== null && value !== undefined) {
          field.slot.write(out, base, base + first + i * SLOT_BYTES, value);
          return;
        }
        if (field.written) checkAbsent(row, value, field);
      } catch (error) {
        throw inColumn(error, field.key);
      }
      out.bytes[base + ((i + HEADER_BITS) >> 3)]! |= 1 << (i & 7);
    });
  };
}

/**
 * Compiles the reader of rows with these fields.
 *
 * @param targets for each field its place in the row object, or -1
 * @param keys the keys of the row object
 */
export function compileAlignedReader(
  fields: readonly AlignedField[],
  targets: readonly number[],
  keys: readonly string[],
): (bytes: Uint8Array, start: number, end: number) => Record<string, unknown> {
  const first = nullBytesOf(fields.length);
  const fixed = first + fields.length * SLOT_BYTES;
  const make = compileRowMaker(keys);
  return (bytes, start, end) => {
    if (!(start >= 0 && end <= bytes.length && end - start >= fixed)) {
      throw corrupt(`an aligned row of ${end - start} bytes at byte ${start}, ${fields.length} fields need ${fixed}`);
    }
    const region = new Region(bytes, start, end);
    const values: unknown[] = new Array(keys.length).fill(null);
    fields.forEach((field, i) => {
      const target = targets[i]!;
      if (target < 0 || (bytes[start + ((i + HEADER_BITS) >> 3)]! & (1 << (i & 7))) !== 0) return;
      try {
        values[target] = field.slot.read(region, start + first + i * SLOT_BYTES);
      } catch (error) {
        throw inColumn(error, keys[target]!);
      }
    });
    return make(values);
  };
}

function nullBytesOf(fieldCount: number): number {
  return Math.floor((fieldCount + 63 + HEADER_BITS) / 64) * 8;
}
