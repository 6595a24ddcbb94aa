/**
 * `sluice scan`: rows of a table.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { openTable } from "./open_table.ts";
import { jsonText, printObject, printRows } from "./output.ts";
import { plainText } from "../text.ts";
import { READING_EXITS, READING_OPTIONS, readingConnection, readScan } from "./reading.ts";
import { tableRows } from "./rows.ts";
import { badUsage, isOn, namesOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const scan: CliCommand = {
  name: "scan",
  summary: "print rows of a table",
  about: "Prints the rows of a log table from the oldest on, or the current rows of a primary-key table. Order holds " +
    "within each bucket.",
  words: [{ syntax: "<table>", text: "the table, as database.table" }],
  options: [
    ...CONNECTION_OPTIONS,
    ...READING_OPTIONS,
    { flags: "--count", text: "print how many rows there are" },
    { flags: "--explain", text: "print what the servers would do and what is left to do here, and read nothing" },
  ],
  examples: [
    "scan web.clicks --last 20",
    "scan web.clicks --select url,ms --where 'ms > 100' --where 'url ^= /buy' --limit 50",
    "scan web.clicks --from 15m | jq .url",
    "scan shop.orders --partition region=eu --count",
  ],
  exits: [...CONNECTION_EXITS, ...READING_EXITS],
  run,
};

async function run(values: Values, io: Io, [name]: readonly string[]): Promise<void> {
  if (isOn(values, "count") && isOn(values, "explain")) {
    throw badUsage("--count and --explain do not go together", "leave out one of them");
  }
  await withDb(values, io, async (db) => {
    const table = await openTable(db, name!);
    const form = tableRows(table, namesOf(values, "select"));
    const found = readScan(values, table);
    if (isOn(values, "explain")) {
      const plan = await found.explain();
      return await printObject(
        { ...plan },
        values,
        io,
        (style) =>
          Object.entries(plan).map(([key, value]) =>
            `${style.dim(key.padEnd(10))}  ${plainText(typeof value === "string" ? value : jsonText(value))}\n`
          ).join(""),
      );
    }
    if (isOn(values, "count")) {
      const count = await found.count();
      return await printObject({ count }, values, io, () => `${count}\n`);
    }
    await printRows(form, values, io, async (output) => {
      for await (const batch of found.batches()) await output.add(batch);
    });
  }, readingConnection(values));
}
