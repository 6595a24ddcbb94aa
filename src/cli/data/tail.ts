/**
 * `sluice tail`: changes as they happen.
 *
 * @module
 */
import type { UntypedChange, UntypedChangesOptions } from "../../query/change_types.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { plainText } from "../text.ts";
import { textWriter } from "./cells.ts";
import { readConditions, WHERE_TEXT } from "./conditions.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { type OpenTable, openTable } from "./open_table.ts";
import { printRows, type RowForm } from "./output.ts";
import { TIME_TEXT } from "./positions.ts";
import { readFrom } from "./reading.ts";
import { tableRows } from "./rows.ts";
import { type Style, styleOf } from "./style.ts";
import { countOf, isOn, namesOf, textOf, textsOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const tail: CliCommand = {
  name: "tail",
  summary: "print changes of a table as they happen",
  about: "Prints the changes of a table until Ctrl-C: what is appended to a log table, what is inserted, updated and " +
    "deleted in a primary-key table. Order holds within each bucket.",
  words: [{ syntax: "<table>", text: "the table, as database.table" }],
  options: [
    ...CONNECTION_OPTIONS,
    { flags: "--select <columns>", text: "only these columns, in this order: a,b,c" },
    { flags: "--where <condition>", text: WHERE_TEXT, repeats: true },
    {
      flags: "--from <place>",
      text: `where to start: latest, earliest, snapshot (the current rows first), ${TIME_TEXT}, offsets, or token=...`,
      default: "latest",
    },
    { flags: "--limit <changes>", text: "end after so many" },
    { flags: "--raw", text: "records as they are stored: +A, +I, -U, +U, -D" },
  ],
  examples: [
    "tail web.clicks",
    "tail shop.orders --from snapshot --where 'status = new'",
    "tail web.clicks --from 1h --limit 100 | jq .row.url",
  ],
  exits: [
    ...CONNECTION_EXITS,
    { code: 7, errors: "SUBSCRIPTION.", text: "what was to be read next is gone, or the token is of another table" },
  ],
  run,
};

async function run(values: Values, io: Io, [name]: readonly string[]): Promise<void> {
  using interrupt = listenForInterrupt(io);
  await withDb(values, io, async (db) => {
    const table = await openTable(db, name!);
    const select = namesOf(values, "select");
    const where = readConditions(textsOf(values, "where"), table);
    const limit = countOf(values, "limit") ?? Infinity;
    const options: UntypedChangesOptions = {
      from: readFrom(textOf(values, "from")!, ["latest", "earliest", "snapshot"]),
      raw: isOn(values, "raw"),
      signal: interrupt.signal,
      ...(select === undefined ? {} : { select }),
      ...(where === undefined ? {} : { where }),
    };
    await using changes = table.handle.changes(options);
    await printRows(changeForm(table, select, io), values, io, async (output) => {
      try {
        for await (const batch of changes.batches()) {
          await output.add(batch.slice(0, limit - output.count));
          await output.flush();
          if (output.count >= limit) break;
        }
      } catch (error) {
        // Ctrl-C is the way to end it.
        if (!interrupt.signal.aborted) throw error;
      }
    });
  });
}

function changeForm(table: OpenTable, select: readonly string[] | undefined, io: Io): RowForm<UntypedChange> {
  const rows = tableRows(table, select);
  const style = styleOf(io, "out");
  const texts = new Map(table.definition.columns.map(({ key, type }) => [key, textWriter(type)]));
  const rowText = (row: Readonly<Record<string, unknown>>) =>
    rows.columns.map(({ name }) => {
      const value = row[name];
      return `${style.dim(`${plainText(name)}=`)}${
        value === null ? style.dim("null") : plainText(texts.get(name)!(value))
      }`;
    }).join(" ");
  return {
    columns: [],
    cells: () => [],
    line: (change) => {
      const { op, bucket, partition, offset, timestamp, row } = change;
      const place = plainText(`${partition === undefined ? "" : `${partition}/`}${bucket}@${offset}`);
      const before = "before" in change && change.before !== undefined
        ? ` ${style.dim("was")} ${rowText(change.before)}`
        : "";
      const time = style.dim(timestamp.toString({ smallestUnit: "millisecond" }));
      return `${time}  ${colourOf(op, style)(op.padEnd(6))}  ${style.dim(place)}  ${rowText(row)}${before}\n`;
    },
    json: (change) => {
      const { op, bucket, partition, offset, timestamp, row } = change;
      const where = partition === undefined ? "" : `,"partition":${JSON.stringify(partition)}`;
      const before = "before" in change && change.before !== undefined ? `,"before":${rows.json(change.before)}` : "";
      return `{"op":"${op}","bucket":${bucket}${where},"offset":"${offset}","timestamp":"${timestamp}","row":${
        rows.json(row)
      }${before}}`;
    },
  };
}

function colourOf(op: UntypedChange["op"], style: Style): (text: string) => string {
  switch (op) {
    case "delete":
    case "-D":
      return style.red;
    case "update":
    case "-U":
    case "+U":
      return style.yellow;
    default:
      return style.green;
  }
}
