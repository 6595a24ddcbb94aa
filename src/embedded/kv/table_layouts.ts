/**
 * How the rows of a table lie, for every schema that it ever had.
 *
 * @module
 */
import { compileRowParts, type RowParts, type StoredFormat } from "../../format/row_parts.ts";
import type { LiveSchema } from "../../schema/descriptor.ts";
import { type CatalogTable, tableText } from "../catalog/table.ts";
import { fault } from "../fault.ts";

/** See the module. */
export interface TableLayouts {
  readonly format: StoredFormat;
  readonly latest: LiveSchema;
  /** Which columns of the latest schema are of the primary key. */
  readonly keyFlags: readonly boolean[];
  /** @throws {ServerFault} 9 when there is no such schema */
  schema(schemaId: number): LiveSchema;
  /**
   * The layout of the rows of a schema.
   *
   * @throws {ServerFault} 9 when there is no such schema
   */
  of(schemaId: number): RowParts;
}

/** Makes the layouts of a table as it is now. */
export function tableLayouts(table: CatalogTable, format: StoredFormat): TableLayouts {
  const latest = table.live.schema;
  const known: RowParts[] = [];
  const schema = (schemaId: number): LiveSchema => {
    const found = table.schemas.get(schemaId);
    if (found !== undefined) return found;
    throw fault(
      "SERVER.SCHEMA_NOT_EXIST",
      `Schema for table ${tableText(table.path)} with schema id ${schemaId} does not exist.`,
    );
  };
  return {
    format,
    latest,
    keyFlags: latest.columns.map(({ name }) => latest.primaryKey.includes(name)),
    schema,
    of: (schemaId) => known[schemaId] ??= compileRowParts(schema(schemaId).columns, format),
  };
}
