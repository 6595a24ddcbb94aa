/**
 * `sluice export`: a table as a file.
 *
 * @module
 */
import type { DataType } from "../../schema/data_type.ts";
import type { ColumnDefinition } from "../../schema/definition.ts";
import type { UntypedRow } from "../../query/handle_types.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { plainText } from "../text.ts";
import { jsonWriter, recordJson, textWriter } from "./cells.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { type CsvDialect, csvWriter } from "./csv.ts";
import { openOutput, type OutputFile } from "./files.ts";
import { CSV_OPTIONS, dialectOf, formatOf, refuseCsvOptions } from "./formats.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { type OpenTable, openTable } from "./open_table.ts";
import { jsonText } from "./output.ts";
import { type Progress, rateText, showProgress, wholeText } from "./progress.ts";
import { type AnyScan, READING_EXITS, READING_OPTIONS, readingConnection, readScan } from "./reading.ts";
import { chosenColumns } from "./rows.ts";
import { badUsage, isOn, namesOf, textOf, textsOf } from "./values.ts";
import { withDb } from "./with_db.ts";

/** Characters that are gathered before they are written. */
const CHUNK = 1 << 18;

/** See the module. */
export const exportRows: CliCommand = {
  name: "export",
  summary: "write rows of a table to a file",
  about: "Writes rows of a table as JSON lines, CSV, Arrow IPC or Parquet, to a file or to standard output; what it " +
    "writes, append and upsert read. A file gets its name when it is complete. In Parquet, nested values are JSON.",
  words: [{ syntax: "<table>", text: "the table, as database.table" }],
  options: [
    ...CONNECTION_OPTIONS,
    { flags: "--output <path>", text: "the file (default: standard output)" },
    { flags: "--overwrite", text: "replace the file, if it is there" },
    { flags: "--format <format>", text: "jsonl, csv, arrow or parquet (default: as the file is called, or jsonl)" },
    ...CSV_OPTIONS,
    ...READING_OPTIONS,
  ],
  examples: [
    "export web.clicks --output clicks.csv",
    "export web.clicks --format arrow --from 1d > clicks.arrow",
    "export shop.users --select id,name --where 'id > 100' | gzip > users.jsonl.gz",
  ],
  exits: [
    ...CONNECTION_EXITS,
    { code: 7, errors: "INPUT.", text: "values that the format cannot hold" },
    ...READING_EXITS,
    { code: INTERRUPTED, text: "Ctrl-C; no file is left behind" },
  ],
  run,
};

async function run(values: Values, io: Io, [name]: readonly string[]): Promise<number> {
  const path = textOf(values, "output");
  const format = formatOf(values, path ?? "-");
  refuseCsvOptions(values, format);
  if (path === undefined && isOn(values, "overwrite")) throw badUsage("--overwrite is for files", "add --output FILE");
  if (path === undefined && isOn(values, "json")) {
    throw badUsage("--json tells what was exported, and so do the rows", "add --output FILE");
  }
  if (path === undefined && (format === "arrow" || format === "parquet") && io.screen.out) {
    throw badUsage(`${format} is nothing for a terminal`, "add --output FILE, or pipe it somewhere");
  }
  using interrupt = listenForInterrupt(io);
  const { signal } = interrupt;
  return await withDb(values, io, async (db) => {
    const table = await openTable(db, name!);
    const scan = readScan(values, table);
    const begin = performance.now();
    // Arrow IPC goes through as it is, and nobody counts its rows.
    const progress: Progress = format === "arrow"
      ? { rows: 0, unit: "bytes", done: 0, total: undefined }
      : { rows: 0, done: 0, total: await rowsOf(db, table, values) };
    const file = await openOutput(path, io, isOn(values, "overwrite"));
    try {
      using _shown = showProgress(io, progress);
      if (format === "arrow") await writeArrow(scan, file, progress, signal);
      else if (format === "parquet") await writeParquet(scan, table, file, progress, values, signal);
      else await writeText(scan, format, table, file, progress, values, io, signal);
    } catch (error) {
      await file.undo();
      if (signal.aborted) return INTERRUPTED;
      throw error;
    }
    await file.done();
    const ms = performance.now() - begin;
    const { rows, unit = "rows" } = progress;
    if (isOn(values, "json")) {
      await io.write(`${jsonText({ ok: true, [unit]: rows, file: path, ms: Math.round(ms) })}\n`);
    } else if (path !== undefined) {
      const rate = `${(ms / 1000).toFixed(1)} s (${rateText(rows, ms)})`;
      io.err(`${wholeText(rows)} ${unit} in ${plainText(path)}, in ${rate}\n`);
    }
    return 0;
  }, readingConnection(values));
}

/** How many rows there will be; undefined where nobody knows, or nobody looks. */
async function rowsOf(
  db: { readonly admin: { statistics(name: string): Promise<{ readonly rowCount: bigint }> } },
  { name, info: { table } }: OpenTable,
  values: Values,
): Promise<number | undefined> {
  const whole = ["limit", "last", "from", "until"].every((option) => textOf(values, option) === undefined) &&
    textsOf(values, "where").length === 0 && textsOf(values, "partition").length === 0;
  if (!whole || table.schema.columns.length === 0) return undefined;
  // A server that does not count has rows all the same.
  return await db.admin.statistics(name).then(({ rowCount }) => Number(rowCount), () => undefined);
}

async function writeArrow(scan: AnyScan, file: OutputFile, progress: Progress, signal: AbortSignal): Promise<void> {
  const reader = scan.ipc({ signal }).getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    await file.write(step.value);
    progress.rows += step.value.length;
  }
}

async function writeParquet(
  scan: AnyScan,
  table: OpenTable,
  file: OutputFile,
  progress: Progress,
  values: Values,
  signal: AbortSignal,
): Promise<void> {
  const { parquetOutput } = await import("./parquet_write.ts");
  const output = await parquetOutput(chosenColumns(table, namesOf(values, "select")), file);
  for await (const batch of scan.batches({ signal })) {
    for (const row of batch) {
      const full = output.add(row);
      if (full !== undefined) await full;
    }
    progress.rows += batch.length;
    progress.done = progress.rows;
  }
  await output.end();
}

async function writeText(
  scan: AnyScan,
  format: "jsonl" | "csv",
  table: OpenTable,
  file: OutputFile,
  progress: Progress,
  values: Values,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  // On a terminal, nothing in a cell may move the cursor.
  const shown = io.screen.out && textOf(values, "output") === undefined ? plainText : undefined;
  const columns = chosenColumns(table, namesOf(values, "select"));
  const { header, line } = format === "csv" ? csvLines(columns, dialectOf(values), shown) : jsonLines(columns, shown);
  let text = header;
  for await (const batch of scan.batches({ signal })) {
    for (const row of batch) {
      text += line(row);
      if (text.length < CHUNK) continue;
      await file.write(text);
      text = "";
    }
    progress.rows += batch.length;
    progress.done = progress.rows;
  }
  if (text !== "") await file.write(text);
}

interface Lines {
  readonly header: string;
  line(row: UntypedRow): string;
}

type Shown = ((text: string) => string) | undefined;

function jsonLines(columns: readonly ColumnDefinition[], shown: Shown): Lines {
  const write = recordJson(columns.map(({ key, type }) => [key, jsonWriter(type)]));
  return { header: "", line: shown === undefined ? (row) => `${write(row)}\n` : (row) => `${shown(write(row))}\n` };
}

/** The types whose values have nothing in them that could need quotes. */
const PLAIN: readonly DataType["kind"][] = [
  "boolean",
  "tinyint",
  "smallint",
  "int",
  "bigint",
  "decimal",
  "float",
  "double",
  "date",
  "time",
  "timestamp",
  "timestampLtz",
];

function csvLines(columns: readonly ColumnDefinition[], dialect: CsvDialect, shown: Shown): Lines {
  const { any, plain, record } = csvWriter(dialect);
  const keys = columns.map(({ key }) => key);
  const writers = columns.map(({ type }): (value: unknown) => string => {
    const text = textWriter(type);
    if (PLAIN.includes(type.kind)) return (value) => plain(text(value));
    return shown === undefined ? (value) => any(text(value)) : (value) => any(shown(text(value)));
  });
  return {
    header: record(shown === undefined ? keys : keys.map(shown)),
    line: (row) => {
      let line = "";
      for (let i = 0; i < keys.length; i++) {
        if (i > 0) line += dialect.delimiter;
        const value = row[keys[i]!];
        line += value === null ? dialect.nullText : writers[i]!(value);
      }
      return `${line}\n`;
    },
  };
}
