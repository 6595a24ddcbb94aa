/**
 * How one value lies in a row whose values follow each other.
 *
 * @module
 */
import type { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";

/** Writes, reads and skips one value that is not null. */
export interface Cell {
  /** @throws {ColumnError} when the value does not fit; what was written so far is then to be dropped */
  write(out: ByteWriter, value: unknown): void;
  read(source: ByteReader): unknown;
  /** Moves over the value without making anything of it. */
  skip(source: ByteReader): void;
}
