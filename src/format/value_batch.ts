/**
 * Values of primary key tables as servers send them: a schema id and a row (Fluss: ValueEncoder.java), alone in the
 * answer to a lookup, and many in the batch of a limit scan (Fluss: DefaultValueRecordBatch.java).
 *
 * @module
 */
import { int16At, int32At } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";
import { corrupt } from "./corrupt.ts";

/** The bytes of the schema id; the row begins after them. */
export const SCHEMA_ID_BYTES = 2;

const HEADER_BYTES = 9;
const RECORD_LENGTH_BYTES = 4;

/**
 * The schema id of the value in `bytes[start..end)`; the row follows at `start + SCHEMA_ID_BYTES`.
 *
 * @throws {FlussError} CODEC.CORRUPT_BATCH when there is none
 */
export function schemaIdOf(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  if (end - start < SCHEMA_ID_BYTES) throw corrupt(`a value of ${end - start} bytes`);
  return int16At(bytes, start);
}

/**
 * Calls `visit` with every value of a value record batch. Bytes without a batch hold no values.
 *
 * @param visit gets the schema id and where the row lies in `bytes`
 * @throws {FlussError} CODEC.CORRUPT_BATCH when lengths or counts do not fit
 */
export function forEachValue(
  bytes: Uint8Array,
  visit: (schemaId: number, start: number, end: number) => void,
): void {
  if (bytes.length === 0) return;
  if (bytes.length < HEADER_BYTES) throw corrupt(`a value batch of ${bytes.length} bytes`);
  const end = 4 + int32At(bytes, 0);
  if (end < HEADER_BYTES || end > bytes.length) {
    throw corrupt(`a value batch of ${end} bytes in ${bytes.length}`);
  }
  if (bytes[4] !== 0) throw corrupt(`a value batch of the unknown version ${bytes[4]}`);
  const count = int32At(bytes, 5);
  let at = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const start = at + RECORD_LENGTH_BYTES;
    const length = start <= end ? int32At(bytes, at) : -1;
    if (length < SCHEMA_ID_BYTES || length > end - start) {
      throw corrupt(`value ${i + 1} of ${count} at byte ${at} is longer than the batch of ${end} bytes`);
    }
    at = start + length;
    visit(schemaIdOf(bytes, start, at), start + SCHEMA_ID_BYTES, at);
  }
  if (count < 0 || at !== end) throw corrupt(`a value batch of ${count} values ends at byte ${at} of ${end}`);
}

/** Puts values together into a value record batch. */
export class ValueBatchBuilder {
  readonly #out: ByteWriter;
  #count = 0;

  /** @param capacity the bytes to begin with; the buffer grows */
  constructor(capacity = 1024) {
    this.#out = new ByteWriter(Math.max(HEADER_BYTES, capacity));
    this.#out.position = HEADER_BYTES;
  }

  /** How many values there are. */
  get count(): number {
    return this.#count;
  }

  /** How many bytes the batch has, header included. */
  get size(): number {
    return this.#out.position;
  }

  /** Appends a value: a schema id and a row. It is copied. */
  append(value: Uint8Array): void {
    this.#out.writeInt32(value.length);
    this.#out.writeBytes(value);
    this.#count++;
  }

  /** The batch. Nothing can be appended afterwards. */
  finish(): Uint8Array<ArrayBuffer> {
    const { bytes, view, position } = this.#out;
    view.setInt32(0, position - 4, true);
    view.setInt8(4, 0);
    view.setInt32(5, this.#count, true);
    return bytes.subarray(0, position);
  }
}
