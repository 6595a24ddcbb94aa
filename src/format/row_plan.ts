/**
 * What there is to do for a row, column by column: the data from which `generate.ts` makes functions and which its
 * loops interpret where no function may be made.
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { nullValue, undefinedValue } from "./value_error.ts";

/** One stored column of a row that is read front to back. */
export interface ReadStep {
  /** The column's null bit; -1 for a NOT NULL column, whose bit Java ignores as well (Fluss: CompactedRowReader.java). */
  readonly nullBit: number;
  /** Reads the value, or moves over it where `target` is -1. */
  readonly read: (source: ByteReader) => unknown;
  /** The place of the value in the row object, or -1 for a column that nobody wants. */
  readonly target: number;
}

/** How to make a row object from bytes. */
export interface ReadPlan {
  /** The keys of the row object, in their order. A key that no step has as target is null. */
  readonly keys: readonly string[];
  /** In the order of the bytes, up to the last column that is wanted. */
  readonly steps: readonly ReadStep[];
}

/** One column of a row that is written front to back. */
export interface WriteStep {
  readonly key: string;
  readonly nullBit: number;
  readonly nullable: boolean;
  /** For messages. */
  readonly typeName: string;
  /** Absent for a column that is not written in this kind of write: it becomes null. */
  readonly write: ((out: ByteWriter, value: unknown) => void) | undefined;
}

/** One column of rows that are taken apart into columns. */
export interface AppendStep {
  readonly key: string;
  readonly nullable: boolean;
  /** For messages. */
  readonly typeName: string;
  /**
   * How the encoded value is stored: as an item of `data`; as two items of `words`, for a safe integer of 64 bits; by
   * `writeText`; or by `write`, which encodes the value itself.
   */
  readonly form: "data" | "words" | "text" | "column";
  /** Checks and converts a value. Not called where the form is `column`. */
  readonly encode: (value: unknown) => unknown;
}

/** A column that is being filled, as far as {@linkcode PlanAppender} sees it. There is room for the value. */
export interface AppendTarget {
  /** For the form `data`: the typed array. */
  readonly data: { [index: number]: unknown };
  /** For the form `words`: halves of 64-bit integers, the low one first. */
  readonly words: Int32Array;
  /** For the form `text`. */
  writeText(at: number, text: string): void;
  /** For the form `column`. */
  write(at: number, value: unknown): void;
  /** For all forms. */
  writeNull(at: number): void;
}

/**
 * Puts the values of a row at the place `at` of the columns, one for each step.
 *
 * @throws {ColumnError} when a value does not fit; columns may then have the row's values and have to be cut
 */
export type PlanAppender = (
  columns: readonly AppendTarget[],
  at: number,
  row: Readonly<Record<string, unknown>>,
) => void;

/** Makes a row object; the null bits start at `nulls`, the reader stands at the first value. */
export type PlanReader = (source: ByteReader, nulls: number) => Record<string, unknown>;

/** Writes the values of a row; the null bits start at `nulls` and are zero. */
export type PlanWriter = (out: ByteWriter, nulls: number, row: Readonly<Record<string, unknown>>) => void;

/** Where the values of a column come from: nowhere, out of a typed array as they are, or made one by one. */
export type ColumnForm = "null" | "values" | "read";

/** A column that rows are made of. */
export interface ColumnSource {
  readonly form: ColumnForm;
  /** Bit `i & 7` of byte `i >> 3` is set when value i is not null; undefined when none is null. */
  readonly validity: Uint8Array | undefined;
  /** For the form `values`. */
  readonly values: { readonly [index: number]: unknown } | undefined;
  /** For the form `read`: makes a value that is not null. */
  readonly read: (i: number) => unknown;
}

/** Makes the function that makes row i of some columns, whose forms are known. */
export type RowSource = (columns: readonly ColumnSource[]) => (i: number) => Record<string, unknown>;

/** Whether `row.key` could find something on the prototype instead of a column. */
export function needsOwnCheck(key: string): boolean {
  return key in Object.prototype || key === "__proto__";
}

/** The value of a column whose key exists on every object. */
export function ownValue(row: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(row, key) ? row[key] : undefined;
}

/**
 * Decides about a column without a value: null where the column may be null.
 *
 * @throws {ColumnError} CODEC.NULL, WRITE.MISSING_COLUMN, or WRITE.UNDEFINED_VALUE where the key is there
 */
export function checkAbsent(
  row: Readonly<Record<string, unknown>>,
  value: unknown,
  step: Pick<WriteStep, "key" | "nullable" | "typeName">,
): void {
  if (value === undefined && Object.hasOwn(row, step.key)) throw undefinedValue();
  if (step.nullable) return;
  if (value === null) throw nullValue(step.typeName);
  throw new ColumnError("WRITE.MISSING_COLUMN", `the row lacks a value of ${step.typeName}`);
}
