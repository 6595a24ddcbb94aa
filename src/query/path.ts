/**
 * Table names as users write them.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { TablePath } from "../client/cluster/path.ts";

/**
 * The full name of a table.
 *
 * @param name `database.table`, or `table` in the database of the connection
 * @throws FlussUsageError `SCHEMA.NAME`
 */
export function resolvePath(name: string, database: string | undefined): TablePath {
  const parts = name.split(".");
  if (parts.length === 2 && parts[0] !== "" && parts[1] !== "") return { database: parts[0]!, table: parts[1]! };
  if (parts.length === 1 && name !== "" && database !== undefined) return { database, table: name };
  throw flussError("SCHEMA.NAME", {
    message: parts.length === 1 && name !== ""
      ? `table "${name}" names no database, and the connection has none`
      : `"${name}" is not the name of a table`,
    hint: 'write "database.table", or connect(url, { database })',
  });
}
