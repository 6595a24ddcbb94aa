/**
 * `sluice top`: how much is written to each table, as it happens.
 *
 * @module
 */
import { FlussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { jsonText, printRows, type RowForm } from "./output.ts";
import { wholeText } from "./progress.ts";
import { styleOf } from "./style.ts";
import { TableText } from "./table_text.ts";
import { badUsage, countOf, isOn, numberOf, textOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** Tables that are asked at a time. */
const AT_ONCE = 16;

/** See the module. */
export const top: CliCommand = {
  name: "top",
  summary: "show how much is written to each table, as it happens",
  about: "Shows for each table how many records its logs have, and how many a second were added since the last look, " +
    "until Ctrl-C. The busiest come first. Changes of primary-key tables are records, too: an update is two of them.",
  words: [{ syntax: "[database]", text: "the tables of one database (default: of all)" }],
  options: [
    ...CONNECTION_OPTIONS,
    { flags: "--interval <seconds>", text: "between two looks", default: "2" },
    { flags: "--looks <count>", text: "end after so many" },
  ],
  examples: ["top", "top shop --interval 10", "top --looks 1 | jq -s 'map(.perSecond) | add'"],
  exits: CONNECTION_EXITS,
  run,
};

interface Rate {
  readonly table: string;
  readonly records: bigint;
  readonly perSecond: number;
}

const FORM: RowForm<Rate> = {
  columns: [{ name: "table" }, { name: "records/s", right: true }, { name: "records", right: true }],
  cells: (
    { table, perSecond, records },
  ) => [table, wholeText(perSecond), String(records).replaceAll(/\B(?=(\d{3})+$)/g, ",")],
  json: jsonText,
};

async function run(values: Values, io: Io, [given]: readonly string[]): Promise<void> {
  const database = given ?? textOf(values, "database");
  const interval = numberOf(values, "interval", { above: 0 }) * 1000;
  const looks = countOf(values, "looks") ?? Infinity;
  if (isOn(values, "json") && looks === Infinity) {
    throw badUsage("--json is one object, and top has no end", "add --looks 1");
  }
  using interrupt = listenForInterrupt(io);
  const { signal } = interrupt;
  await withDb(values, io, async (db) => {
    const rates = watch(db, database, interval, looks, signal);
    if (io.screen.out && !isOn(values, "json")) return await redraw(rates, io);
    await printRows(FORM, values, io, async (output) => {
      for await (const look of rates) {
        await output.add(look);
        await output.flush();
      }
    });
  });
}

async function redraw(looks: AsyncIterable<readonly Rate[]>, io: Io): Promise<void> {
  let lines = 0;
  for await (const look of looks) {
    const table = new TableText(FORM.columns, io.screen.columns, styleOf(io, "out"));
    // The heading, and the line that the cursor stands in; what does not fit would scroll away, and stay.
    const shown = look.slice(0, Math.max(1, io.screen.rows - 2));
    const text = shown.map((rate) => table.add(FORM.cells(rate))).join("") + table.flush();
    await io.write(`${lines === 0 ? "" : `\u001b[${lines}A\r\u001b[J`}${text}`);
    lines = text.split("\n").length - 1;
  }
}

async function* watch(
  db: Db,
  database: string | undefined,
  interval: number,
  looks: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Rate[]> {
  let before = await counts(db, database);
  let at = performance.now();
  for (let look = 0; look < looks && !signal.aborted; look++) {
    await pause(interval, signal);
    if (signal.aborted) return;
    const now = await counts(db, database);
    const seconds = (performance.now() - at) / 1000;
    at = performance.now();
    yield [...now].map(([table, records]): Rate => {
      // A table that was dropped and made anew has fewer.
      const added = Math.max(0, Number(records - (before.get(table) ?? 0n)));
      return { table, records, perSecond: Math.round(added / seconds * 10) / 10 };
    }).sort((a, b) => b.perSecond - a.perSecond || (a.table < b.table ? -1 : 1));
    before = now;
  }
}

/** The ends of the logs of all tables. */
async function counts(db: Db, database: string | undefined): Promise<Map<string, bigint>> {
  const databases = database === undefined ? await db.admin.databases() : [database];
  const names: string[] = [];
  for (const each of databases) names.push(...(await db.admin.tables(each)).map((table) => `${each}.${table}`));
  const found = new Map<string, bigint>();
  for (let i = 0; i < names.length; i += AT_ONCE) {
    await Promise.all(
      names.slice(i, i + AT_ONCE).map(async (name) => {
        try {
          const ends = await db.admin.offsets(name, "latest");
          found.set(name, ends.reduce((sum, { offset }) => sum + offset, 0n));
        } catch (error) {
          // It was dropped since, or this user may not look at it.
          if (!FlussError.is(error) || !error.code.startsWith("SERVER.")) throw error;
        }
      }),
    );
  }
  return found;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
