/**
 * `sluice ls`: what there is.
 *
 * @module
 */
import { FlussError } from "../../base/errors.ts";
import type { DatabaseSummary } from "../../query/admin/databases.ts";
import type { Db } from "../../query/db.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { jsonText, type OutputColumn, printRows } from "./output.ts";
import { isOn, textOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const ls: CliCommand = {
  name: "ls",
  summary: "list databases, the tables of one, or the partitions of a table",
  about: "Lists the databases of the cluster; the tables of a database; or the partitions of a table.",
  words: [{
    syntax: "[name]",
    text: "a database, or a table as database.table (default: --database, or all databases)",
  }],
  options: [
    ...CONNECTION_OPTIONS,
    { flags: "--long", text: "also what kind of tables they are, which takes a request for each" },
  ],
  examples: ["ls", "ls shop --long", "ls shop.orders"],
  exits: CONNECTION_EXITS,
  run,
};

type Entry = Readonly<Record<string, string | number | bigint | undefined>>;

async function run(values: Values, io: Io, [given]: readonly string[]): Promise<void> {
  const name = given ?? textOf(values, "database");
  await withDb(values, io, async (db) => {
    const long = isOn(values, "long");
    const entries = name === undefined
      ? await databases(db)
      : name.includes(".")
      ? await partitions(db, name)
      : await tables(db, name, long);
    await printRows(
      {
        columns: columnsOf(name, long),
        cells: (entry: Entry) => columnsOf(name, long).map((column) => String(entry[column.name] ?? "")),
        json: jsonText,
      },
      values,
      io,
      (output) => output.add(entries),
    );
  });
}

function columnsOf(name: string | undefined, long: boolean): readonly OutputColumn[] {
  if (name === undefined) return [{ name: "database" }, { name: "tables", right: true }, { name: "createdAt" }];
  if (name.includes(".")) return [{ name: "partition" }, { name: "partitionId", right: true }];
  if (!long) return [{ name: "table" }];
  return [
    { name: "table" },
    { name: "kind" },
    { name: "columns", right: true },
    { name: "key" },
    { name: "partitionedBy" },
    { name: "buckets", right: true },
  ];
}

async function databases(db: Db): Promise<Entry[]> {
  try {
    return (await db.admin.databaseSummaries()).map(({ name, tableCount, createdAt }: DatabaseSummary) => ({
      database: name,
      tables: tableCount,
      createdAt: createdAt.toISOString(),
    }));
  } catch (error) {
    // Servers that cannot tell more know the names.
    if (!FlussError.is(error, "CONNECTION.UNSUPPORTED_VERSION")) throw error;
    return (await db.admin.databases()).map((database) => ({ database }));
  }
}

async function tables(db: Db, database: string, long: boolean): Promise<Entry[]> {
  const names = await db.admin.tables(database);
  if (!long) return names.map((table) => ({ table: `${database}.${table}` }));
  const entries: Entry[] = [];
  for (const name of names) {
    const { table: { schema, bucketCount, partitionKey } } = await db.admin.describe(`${database}.${name}`);
    entries.push({
      table: `${database}.${name}`,
      kind: schema.primaryKey.length > 0 ? "primary-key table" : "log table",
      columns: schema.columns.length,
      key: schema.primaryKey.join(", "),
      partitionedBy: partitionKey.join(", "),
      buckets: bucketCount,
    });
  }
  return entries;
}

async function partitions(db: Db, table: string): Promise<Entry[]> {
  const found = await db.admin.partitions(table);
  return found.map(({ name, partitionId }) => ({ partition: name, partitionId }));
}
