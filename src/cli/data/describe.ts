/**
 * `sluice describe`: all that the cluster says of a table, or of a database.
 *
 * @module
 */
import { FlussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import { typeText } from "../../schema/data_type.ts";
import type { TableInfo } from "../../client/cluster/tables.ts";
import type { DatabaseInfo } from "../../query/admin/databases.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { plainText } from "../text.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { printObject } from "./output.ts";
import type { Style } from "./style.ts";
import { TableText } from "./table_text.ts";
import { textOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const describe: CliCommand = {
  name: "describe",
  summary: "describe a table or a database",
  about:
    "Says what the cluster knows of a table: columns, keys, buckets, options. Of a database: comment and properties.",
  words: [{ syntax: "<name>", text: "a table as database.table, or a database" }],
  options: CONNECTION_OPTIONS,
  examples: ["describe shop.orders", "describe shop.orders | jq '.columns[].name'", "describe shop"],
  exits: CONNECTION_EXITS,
  run,
};

async function run(values: Values, io: Io, [name]: readonly string[]): Promise<void> {
  await withDb(values, io, async (db) => {
    const found = name!.includes(".") || textOf(values, "database") !== undefined
      ? await db.admin.describe(name!)
      : await databaseOrTable(db, name!);
    if (!("table" in found)) {
      return await printObject({ ...found }, values, io, (style) => databaseText(found, style));
    }
    const info = found;
    await printObject(tableJson(info), values, io, (style) => tableText(info, io.screen.columns, style));
  });
}

/** A database; where there is none of that name, a table of the database that a config names. */
async function databaseOrTable(db: Db, name: string): Promise<DatabaseInfo | TableInfo> {
  try {
    return await db.admin.describeDatabase(name);
  } catch (error) {
    if (!FlussError.is(error, "SERVER.DATABASE_NOT_EXIST")) throw error;
    return await db.admin.describe(name).catch((other: unknown) => {
      throw FlussError.is(other, "SCHEMA.NAME") ? error : other;
    });
  }
}

function tableJson({ path, tableId, schemaId, table, createdAt, modifiedAt }: TableInfo): Record<string, unknown> {
  const { schema, comment, partitionKey, bucketKey, bucketCount, properties, customProperties } = table;
  return {
    table: `${path.database}.${path.table}`,
    tableId,
    schemaId,
    ...(comment === undefined ? {} : { comment }),
    columns: schema.columns.map(({ name, type, comment, aggregate }) => ({
      name,
      type: typeText(type),
      ...(comment === undefined ? {} : { comment }),
      ...(aggregate === undefined ? {} : { aggregate }),
      ...(schema.autoIncrement === name ? { autoIncrement: true } : {}),
    })),
    primaryKey: schema.primaryKey,
    bucketKey,
    partitionKey,
    buckets: bucketCount ?? null,
    properties,
    customProperties,
    createdAt,
    modifiedAt,
  };
}

function tableText(info: TableInfo, width: number, style: Style): string {
  const { path, tableId, schemaId, table, createdAt, modifiedAt } = info;
  const { schema, comment, partitionKey, bucketKey, bucketCount } = table;
  const kind = schema.primaryKey.length > 0 ? "primary-key table" : "log table";
  const facts: [string, string | undefined][] = [
    ["comment", comment],
    ["primary key", schema.primaryKey.join(", ")],
    ["bucket key", bucketKey.join(", ")],
    ["partitioned by", partitionKey.join(", ")],
    ["buckets", String(bucketCount ?? "")],
    ["id", `${tableId}, schema ${schemaId}`],
    ["created", createdAt.toISOString()],
    ["modified", modifiedAt.toISOString()],
  ];
  const columns = new TableText([{ name: "column" }, { name: "type" }, { name: "comment" }], width, style);
  let text = `${style.bold(plainText(`${path.database}.${path.table}`))}  ${kind}\n${factsText(facts, style)}\n`;
  for (const { name, type, comment, aggregate } of schema.columns) {
    const notes = [
      comment,
      aggregate === undefined ? undefined : `merged by ${aggregate.fn}`,
      schema.autoIncrement === name ? "numbered by the server" : undefined,
    ].filter((note) => note !== undefined);
    text += columns.add([name, typeText(type), notes.join("; ")]);
  }
  text += columns.flush();
  return text + propertiesText(table.properties, style) + propertiesText(table.customProperties, style);
}

function databaseText({ name, comment, customProperties, createdAt, modifiedAt }: DatabaseInfo, style: Style): string {
  const facts: [string, string | undefined][] = [
    ["comment", comment],
    ["created", createdAt.toISOString()],
    ["modified", modifiedAt.toISOString()],
  ];
  return `${style.bold(plainText(name))}  database\n${factsText(facts, style)}${
    propertiesText(customProperties, style)
  }`;
}

function factsText(facts: readonly (readonly [string, string | undefined])[], style: Style): string {
  return facts
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${style.dim(name.padEnd(14))}  ${plainText(value!)}\n`)
    .join("");
}

function propertiesText(properties: Readonly<Record<string, string>>, style: Style): string {
  const lines = Object.entries(properties).sort().map(([key, value]) =>
    `${style.dim(plainText(key))} = ${plainText(value)}\n`
  );
  return lines.length === 0 ? "" : `\n${lines.join("")}`;
}
