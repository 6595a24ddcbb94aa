/**
 * Arrow IPC as rows, for tables that are written row by row.
 *
 * @module
 */
import { IpcReader } from "../format/arrow/ipc_reader.ts";
import type { SchemaColumn } from "../schema/data_type.ts";

/**
 * The rows of an Arrow IPC stream or file, batch by batch.
 *
 * @param columns those of the table: the stream has the same
 * @throws FlussUsageError `ARROW.SCHEMA_MISMATCH`, `ARROW.NOT_SUPPORTED`; FlussCodecError `CODEC.NULL`,
 * `CODEC.OUT_OF_RANGE`, `CODEC.CORRUPT_BATCH`
 */
export async function* ipcRows(
  chunks: AsyncIterable<Uint8Array>,
  columns: readonly SchemaColumn[],
): AsyncGenerator<Iterable<Record<string, unknown>>> {
  const reader = new IpcReader(columns);
  for await (const chunk of chunks) {
    for (const batch of reader.push(chunk)) yield batch.rows();
  }
  reader.end();
}
