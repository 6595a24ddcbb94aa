/**
 * The few shapes that values have on the wire once their types are forgotten. A value conversion turns JavaScript
 * values into these; each row layout knows how to place them.
 *
 * @module
 */
import type { ByteWriter } from "./byte_writer.ts";

/** Turns JavaScript values into what is written, and what was read into JavaScript values. Null never reaches it. */
export interface Conversion<Wire> {
  /** @throws {ColumnError} when the value has the wrong type or does not fit */
  encode(value: unknown): Wire;
  /** @throws {ColumnError} when JavaScript cannot hold what was read */
  decode(wire: Wire): unknown;
}

/** Receives the nanoseconds above the millisecond, so that an encoder returns two numbers without an object per value. */
export interface Rest {
  /** 0 to 999999. */
  nanos: number;
}

/** As {@linkcode Conversion}, for points in time finer than a millisecond. */
export interface TimestampConversion {
  /** Returns milliseconds since 1970, rounded down, and sets the rest. */
  encode(value: unknown, rest: Rest): number;
  decode(millis: number, nanos: number): unknown;
}

/** Bytes whose length is known from outside. */
export interface Payload {
  write(out: ByteWriter, value: unknown): void;
  /** Reads a value from `bytes[start..end)`, which are within the array. */
  read(bytes: Uint8Array, start: number, end: number): unknown;
}

/** A value's shape on the wire with its conversion. */
export type Field =
  | { readonly form: "boolean"; readonly conversion: Conversion<boolean> }
  | {
    /** `safeInt64` is a 64-bit integer that is a number in JavaScript. */
    readonly form: "int8" | "int16" | "int32" | "safeInt64" | "float32" | "float64";
    readonly conversion: Conversion<number>;
  }
  | {
    /** `unscaled` is a decimal of more than 18 digits. */
    readonly form: "int64" | "unscaled";
    readonly conversion: Conversion<bigint>;
  }
  | {
    readonly form: "text";
    /** The n of CHAR(n): its width in the indexed layout. */
    readonly width: number | undefined;
    readonly conversion: Conversion<string>;
  }
  | {
    readonly form: "bytes";
    /** The n of BINARY(n). */
    readonly width: number | undefined;
    readonly conversion: Conversion<Uint8Array>;
  }
  | { readonly form: "timestamp"; readonly conversion: TimestampConversion }
  | { readonly form: "nested"; readonly payload: Payload };
