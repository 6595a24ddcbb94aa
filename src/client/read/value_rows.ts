/**
 * Rows of primary-key tables as scans send them: value batches, whose rows may have been written with any schema.
 *
 * @module
 */
import { ColumnError } from "../../base/column_error.ts";
import { flussError } from "../../base/errors.ts";
import type { Deadline } from "../../base/wait.ts";
import type { Columns } from "../../format/columns.ts";
import type { ValueReader } from "../../format/row_codec.ts";
import { rowColumns } from "../../format/row_columns.ts";
import { forEachValue } from "../../format/value_batch.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { BoundBucket } from "./call_leader.ts";
import type { ReadRow } from "./table_reader.ts";

/**
 * Decodes a value batch.
 *
 * @param wanted columns of the table, in any order
 * @throws FlussError `CODEC.*` naming table, bucket and column
 */
export async function readValueBatch(
  { client, bound, ref }: BoundBucket,
  bytes: Uint8Array,
  wanted: readonly SchemaColumn[],
  deadline: Deadline,
): Promise<Columns> {
  const { target: { path, tableId, name: table }, codec } = bound;
  const readers = new Map<number, ValueReader>();
  forEachValue(bytes, (schemaId) => void readers.set(schemaId, undefined!));
  const keys = wanted.map((column) => column.key);
  for (const schemaId of readers.keys()) {
    const schema = await client.schemas.fetch(path, tableId, schemaId, deadline);
    readers.set(schemaId, codec.reader(schema, keys));
  }
  const rows: ReadRow[] = [];
  try {
    forEachValue(bytes, (schemaId, start, end) => void rows.push(readers.get(schemaId)!(bytes, start, end)));
  } catch (error) {
    if (!(error instanceof ColumnError)) throw error;
    const { code, column, hint, cause } = error;
    const { partition, bucket } = ref;
    const message = `bucket ${bucket}, row ${rows.length}, column "${column}": ${error.message}`;
    throw flussError(code, { table, partition, bucket, column, message, hint, cause });
  }
  return rowColumns(wanted, rows);
}
