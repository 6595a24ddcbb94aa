/**
 * Rows as they are stored: a schema id and bytes in the table's format, never decoded.
 *
 * @module
 */
import { ByteWriter } from "../../format/byte_writer.ts";
import { SCHEMA_ID_BYTES } from "../../format/value_batch.ts";

const NOTHING = new Uint8Array(0);

/**
 * Where a row is. Objects of this class are used again for one row after the other.
 *
 * The two bytes before the row belong to whoever holds the row: a schema id may be written there, so that the value to
 * store is one piece.
 */
export class StoredRow {
  schemaId = 0;
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;

  /** Says where the row is. */
  set(schemaId: number, bytes: Uint8Array, start: number, end: number): this {
    this.schemaId = schemaId;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }

  /** Says that the row is the one in a stored value. */
  setValue(value: Uint8Array): this {
    return this.set(((value[0]! | (value[1]! << 8)) << 16) >> 16, value, SCHEMA_ID_BYTES, value.length);
  }
}

/** A row that is made here, with room for its schema id; it is good until the next one is begun. */
export class RowDraft {
  readonly out: ByteWriter = new ByteWriter(256);
  readonly #row = new StoredRow();

  /** Begins the next row: it is to be written to `out` from its position on. */
  begin(): ByteWriter {
    this.out.position = SCHEMA_ID_BYTES;
    return this.out;
  }

  /** The row that was written. */
  finish(schemaId: number): StoredRow {
    const { bytes, position } = this.out;
    return this.#row.set(schemaId, bytes, SCHEMA_ID_BYTES, position);
  }
}
