/**
 * `sluice lookup`: the row with a key.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS, notFound } from "./connection.ts";
import { openTable } from "./open_table.ts";
import { printRows } from "./output.ts";
import { PAIRS_TEXT, readPairs } from "./pairs.ts";
import { tableRows } from "./rows.ts";
import { badUsage, namesOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const lookup: CliCommand = {
  name: "lookup",
  summary: "print the row with a key",
  about: "Prints the row of a primary-key table that has the key.",
  words: [
    { syntax: "<table>", text: "the table, as database.table" },
    { syntax: "<key...>", text: `all columns of the key: ${PAIRS_TEXT}` },
  ],
  options: [...CONNECTION_OPTIONS, { flags: "--select <columns>", text: "only these columns: a,b,c" }],
  examples: ["lookup shop.users id=7", "lookup shop.orders region=eu order_id=12 --select status,total"],
  exits: [...CONNECTION_EXITS, { code: 8, errors: "CLI.NOT_FOUND", text: "there is no such row" }],
  run,
};

async function run(values: Values, io: Io, [name, ...words]: readonly string[]): Promise<void> {
  await withDb(values, io, async (db) => {
    const table = await openTable(db, name!);
    const { primaryKey } = table.definition;
    const key = readPairs(words, table);
    const missing = primaryKey.find((column) => !Object.hasOwn(key, column));
    if (missing !== undefined) {
      throw badUsage(
        `the key lacks the column ${JSON.stringify(missing)}`,
        `the key of ${table.name} is ${primaryKey.join(", ")}`,
      );
    }
    const select = namesOf(values, "select");
    const form = tableRows(table, select);
    const row = await table.handle.lookup(key, select === undefined ? {} : { select });
    if (row === null) throw notFound(`${table.name} has no row with this key`);
    await printRows(form, values, io, (output) => output.add([row]));
  });
}
