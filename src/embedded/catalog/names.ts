/**
 * Which names databases, tables and partitions may have. Source: Fluss `TablePath.java`, `PartitionUtils.java`.
 *
 * @module
 */
import { fault, runtimeFailure } from "../fault.ts";
import { hashOrder } from "./java.ts";
import { type TablePath, tableText } from "./table.ts";

const MAX_LENGTH = 200;
const INTERNAL_PREFIX = "__";

/** Why nothing may have this name; undefined when it is good. */
export function invalidName(name: string): string | undefined {
  if (name === "") return "the empty string is not allowed";
  if (name === "." || name === "..") return `'${name}' is not allowed`;
  if (name.length > MAX_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_LENGTH}`;
  }
  return /^[A-Za-z0-9_-]*$/.test(name)
    ? undefined
    : `'${name}' contains one or more characters other than ASCII alphanumerics, '_' and '-'`;
}

function internalName(name: string): string | undefined {
  return name.startsWith(INTERNAL_PREFIX)
    ? `'${INTERNAL_PREFIX}' is not allowed as prefix, since it is reserved for internal databases/internal ` +
      "tables/internal partitions in Fluss server"
    : undefined;
}

/**
 * Whether servers can look for something that is named so. They keep databases and tables as paths in ZooKeeper, and
 * of some requests they check no names.
 */
function isPath(name: string): boolean {
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..") &&
    // deno-lint-ignore no-control-regex -- the very characters that ZooKeeper refuses
    !/[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/.test(name);
}

/** @throws {ServerFault} -1 with these words for a database that servers cannot look for */
export function checkDatabasePath(name: string, words = "Fail to check database exists or not"): void {
  if (!isPath(name)) throw runtimeFailure(words);
}

/** @throws {ServerFault} -1 with these words, in which `%` stands for the table, where servers cannot look for it */
export function checkPath(path: TablePath, words: string): void {
  if (!isPath(path.database) || !isPath(path.table)) throw runtimeFailure(words.replace("%", tableText(path)));
}

/** @throws {ServerFault} 16 */
export function checkDatabaseName(name: string): void {
  const why = invalidName(name) ?? internalName(name);
  if (why !== undefined) throw fault("SERVER.INVALID_DATABASE_EXCEPTION", `Database name ${name} is invalid: ${why}`);
}

/** @throws {ServerFault} 16 or 15 */
export function checkTablePath({ database, table }: TablePath): void {
  checkDatabaseName(database);
  const why = invalidName(table) ?? internalName(table);
  if (why !== undefined) throw fault("SERVER.INVALID_TABLE_EXCEPTION", `Table name ${table} is invalid: ${why}`);
}

/**
 * The name of a partition by the values of the partition keys.
 *
 * @param create whether it is about to be made: reserved names may be asked for
 * @throws {ServerFault} 43 when the values do not fit the keys, or a value cannot be a name
 */
export function partitionName(
  table: string,
  keys: readonly string[],
  values: ReadonlyMap<string, string>,
  create: boolean,
): string {
  const code = "SERVER.PARTITION_SPEC_INVALID_EXCEPTION";
  if (values.size !== keys.length) {
    throw fault(code, `PartitionSpec size is not equal to partition keys size for partitioned table ${table}.`);
  }
  const ordered = keys.map((key) => {
    const value = values.get(key);
    if (value !== undefined) return value;
    const spec = hashOrder(values.keys()).map((key) => `${key}=${values.get(key)}`).join(", ");
    throw fault(
      code,
      `PartitionSpec PartitionSpec{{${spec}}} does not contain partition key '${key}' for partitioned table ${table}.`,
    );
  });
  for (const value of ordered) {
    const why = invalidName(value) ?? (create ? internalName(value) : undefined);
    if (why !== undefined) throw fault(code, `The partition value ${value} is invalid: ${why}`);
  }
  return ordered.join("$");
}
