/**
 * `sluice prefix`: the rows whose keys begin alike.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { openTable } from "./open_table.ts";
import { printRows } from "./output.ts";
import { PAIRS_TEXT, readPairs } from "./pairs.ts";
import { tableRows } from "./rows.ts";
import { namesOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const prefix: CliCommand = {
  name: "prefix",
  summary: "print the rows of a bucket key",
  about: "Prints all rows of a primary-key table that have the bucket key (and the partition), in the order of their " +
    "keys. The bucket key must be the first part of the primary key, and not all of it.",
  words: [
    { syntax: "<table>", text: "the table, as database.table" },
    { syntax: "<key...>", text: `all columns of the bucket key and the partition: ${PAIRS_TEXT}` },
  ],
  options: [...CONNECTION_OPTIONS, { flags: "--select <columns>", text: "only these columns: a,b,c" }],
  examples: ["prefix shop.orders region=eu", "prefix shop.orders region=eu --select order_id,status"],
  exits: CONNECTION_EXITS,
  run,
};

async function run(values: Values, io: Io, [name, ...words]: readonly string[]): Promise<void> {
  await withDb(values, io, async (db) => {
    const table = await openTable(db, name!);
    const select = namesOf(values, "select");
    const form = tableRows(table, select);
    const rows = await table.handle.prefixLookup(readPairs(words, table), select === undefined ? {} : { select });
    await printRows(form, values, io, (output) => output.add(rows));
  });
}
