/**
 * Tables as commands use them: described by the cluster, with values that are quick to print.
 *
 * @module
 */
import type { TableInfo } from "../../client/cluster/tables.ts";
import type { DataType } from "../../schema/data_type.ts";
import { attachDefinition, type TableDefinition } from "../../schema/definition.ts";
import type { AnyTable } from "../../schema/infer.ts";
import { definitionFromLive } from "../../schema/live_definition.ts";
import type { Db } from "../../query/db.ts";
import type { UntypedHandle } from "../../query/handle_types.ts";
import { RuntimeTableHandle } from "../../query/table_handle.ts";

/** A table of the cluster. */
export interface OpenTable {
  /** `database.table`. */
  readonly name: string;
  readonly info: TableInfo;
  /** The live table, with dates and times as text. */
  readonly definition: TableDefinition;
  readonly handle: UntypedHandle;
  /** Queues what is written from now on; the function that it returns sends it. */
  readonly suspendWrites: () => () => void;
}

/** Looks a table up. */
export async function openTable(db: Db, name: string): Promise<OpenTable> {
  const info = await db.admin.describe(name);
  const live = definitionFromLive(info.path, info.table);
  const definition: TableDefinition = {
    ...live,
    columns: live.columns.map((column) => ({ ...column, type: withTexts(column.type) })),
  };
  const full = `${info.path.database}.${info.path.table}`;
  const table = { name: full, columns: {} };
  attachDefinition(table, definition);
  // What the types of a declaration say is not known here: the handle checks everything at run time.
  const handle = db.table(table as unknown as AnyTable) as unknown as UntypedHandle;
  const suspendWrites = () => RuntimeTableHandle.suspendWrites(handle as unknown as RuntimeTableHandle);
  return { name: full, info, definition, handle, suspendWrites };
}

/** Dates and times as text, which hold all that the server can store, and need not be made into objects first. */
function withTexts(type: DataType): DataType {
  switch (type.kind) {
    case "date":
    case "time":
    case "timestamp":
    case "timestampLtz":
      return { ...type, mode: "string" };
    case "array":
      return { ...type, element: withTexts(type.element) };
    case "map":
      return { ...type, key: withTexts(type.key), value: withTexts(type.value) };
    case "row":
      return { ...type, fields: type.fields.map((field) => ({ ...field, type: withTexts(field.type) })) };
    default:
      return type;
  }
}
