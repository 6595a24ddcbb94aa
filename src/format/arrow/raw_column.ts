/**
 * Arrow columns as buffers, whatever they were made from: a log batch, an IPC stream, rows that are being appended.
 *
 * @module
 */

/** One column, or one child of a nested column, in the layout of the Arrow columnar format. */
export interface RawColumn {
  /** The number of values, null ones included. */
  readonly length: number;
  /** How many of them are null. */
  readonly nullCount: number;
  /**
   * Bit `i & 7` of byte `i >> 3` is set when value i is not null. Undefined when no value is null. Bits behind the last
   * value mean nothing.
   */
  readonly validity: Uint8Array | undefined;
  /** For strings, bytes, lists and maps: `length + 1` positions in `data` or in the child, ascending. */
  readonly offsets: Int32Array | undefined;
  /**
   * The values of scalar types: bits for booleans, little-endian values of a fixed width, or the bytes that `offsets`
   * divides. Starts at a multiple of 8 in its buffer, so that typed arrays can be laid over it.
   */
  readonly data: Uint8Array | undefined;
  /** The element of a list, the `entries` struct of a map (whose children are key and value), the fields of a struct. */
  readonly children: readonly RawColumn[];
}
