/**
 * The schemas of a table's rows, as Standard Schema and Standard JSON Schema.
 *
 * @module
 */
import type { TableDefinition } from "./definition.ts";
import type { TableSchemaV1 } from "./standard_schema_types.ts";

/** The schemas of one table. */
export interface TableSchemas {
  readonly row: TableSchemaV1<unknown>;
  readonly insert: TableSchemaV1<unknown>;
  readonly patch: TableSchemaV1<unknown>;
  readonly key: TableSchemaV1<unknown>;
}

/** Makes them. */
export function tableSchemas(_definition: TableDefinition): TableSchemas {
  return {} as TableSchemas;
}
