/**
 * Arrow IPC streams for other tools: a schema, record batches, an end. Bodies are not compressed, so that every tool
 * reads them.
 *
 * @module
 */
import type { RowField } from "../../schema/data_type.ts";
import type { Columns } from "../columns.ts";
import { compileColumnsBuilder } from "./builder.ts";
import { recordBatchMessage } from "./message_writer.ts";
import type { RawColumn } from "./raw_column.ts";
import { schemaMessage } from "./schema_message.ts";

/**
 * The beginning of a stream. Fields have the columns' keys as names, and TIMESTAMP_LTZ the time zone UTC.
 *
 * @param schema the columns of all batches
 */
export function ipcSchema(schema: readonly RowField[]): Uint8Array<ArrayBuffer> {
  return schemaMessage(schema);
}

/** Some rows as a record batch. Rows that did not come as columns become some. */
export function ipcBatch(columns: Columns): Uint8Array<ArrayBuffer> {
  const message = recordBatchMessage(rawOf(columns), columns.length, { type: "none" });
  const bytes = new Uint8Array(message.size);
  message.writeTo(bytes, 0);
  return bytes;
}

/** The end of a stream. */
export function ipcEnd(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);
}

function rawOf(columns: Columns): RawColumn[] {
  const raw = columns.columns.map((column) => column.raw);
  if (raw.every((column) => column !== undefined)) return raw;
  const builder = compileColumnsBuilder(columns.schema)();
  for (const row of columns.rows()) builder.append(row);
  return builder.raw();
}
