/**
 * What the commands that write have in common: rows from words, files or standard input.
 *
 * @module
 */
import { FlussError, flussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import { type Operation, refusal } from "../../query/forbidden.ts";
import { ipcRows } from "../../query/ipc_rows.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { RowKind } from "../../schema/row_kind.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { plainText } from "../text.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { csvRecords } from "./csv_records.ts";
import { type InputFile, openInput } from "./files.ts";
import { CSV_OPTIONS, dialectOf, formatOf, refuseCsvOptions } from "./formats.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { jsonRecords } from "./json_records.ts";
import { type OpenTable, openTable } from "./open_table.ts";
import { jsonText } from "./output.ts";
import { PAIRS_TEXT, readPairs } from "./pairs.ts";
import { type Progress, rateText, showProgress, wholeText } from "./progress.ts";
import { type FileFormat, type FileRecord, problemOf, type RecordOptions, type Records, type Row } from "./records.ts";
import { Rejects } from "./rejects.ts";
import { badUsage, isOn, namesOf, textOf } from "./values.ts";
import { withDb } from "./with_db.ts";
import { checkForm, checkRecords, type WriteJob, WRITER_BYTES, writeRecords } from "./write_rows.ts";

/** One of the commands. */
export interface WriteVerb {
  readonly operation: Exclude<Operation, "lookup" | "prefixLookup">;
  /** What was done to the rows, for messages. */
  readonly done: string;
  readonly summary: string;
  readonly about: string;
  readonly examples: readonly string[];
}

const KINDS: Readonly<Record<WriteVerb["operation"], RowKind>> = {
  upsert: "insert",
  append: "insert",
  update: "patch",
  delete: "key",
};

const SOURCES =
  "\n\nThe row comes as words, or rows come from a file or from standard input: JSON lines, CSV of which " +
  "the first line names the columns, or Arrow IPC; or from a Parquet file. A file is looked at as a whole before its " +
  "first row is written; of standard input, the first 10,000 rows are, or those of the first second.";

/** Makes it. */
export function writeCommand(verb: WriteVerb): CliCommand {
  return {
    name: verb.operation,
    summary: verb.summary,
    about: verb.about + SOURCES,
    words: [
      { syntax: "<table>", text: "the table, as database.table" },
      { syntax: "[columns...]", text: PAIRS_TEXT },
    ],
    options: [
      ...CONNECTION_OPTIONS,
      { flags: "--file <path>", text: "rows from a file; - is standard input" },
      { flags: "--format <format>", text: "jsonl, csv, arrow or parquet (default: as the file is called, or jsonl)" },
      { flags: "--columns <columns>", text: "the columns of CSV whose first line does not name them: a,b,c" },
      ...CSV_OPTIONS,
      { flags: "--rejects <path>", text: "write the rows that the table takes, and the others to this file" },
      { flags: "--unchecked", text: "do not look at a file first: faster, and rows before a bad one stay written" },
      { flags: "--dry-run", text: "look at all rows, and write none" },
    ],
    examples: verb.examples,
    exits: [
      ...CONNECTION_EXITS,
      { code: 7, errors: "INPUT.", text: "a file has rows that the table does not take, or is not in its format" },
      { code: 7, errors: "ARROW.", text: "Arrow IPC has other columns than the table" },
      { code: 9, errors: "WRITE.", text: "rows could not be written" },
      { code: INTERRUPTED, text: "Ctrl-C; what was acknowledged is written" },
    ],
    run: (values, io, words) => run(verb, values, io, words),
  };
}

async function run(verb: WriteVerb, values: Values, io: Io, [name, ...words]: readonly string[]): Promise<number> {
  const source = sourceOf(values, io, words);
  const file = source === undefined ? undefined : await openInput(source, io);
  let failure: unknown;
  const log = (error: FlussError) => void (failure ??= error);
  return await withDb(values, io, async (db) => {
    const table = await openTable(db, name!);
    const refused = refusal(table.definition, verb.operation, table.name);
    if (refused !== undefined) throw refused;
    if (file === undefined) return await writeWords(verb, db, table, words, values, io);
    return await writeFile(verb, db, table, file, formatOf(values, source!), values, io, () => failure);
  }, { log, writer: { maxBytes: WRITER_BYTES } });
}

/** Where rows come from; undefined for words. */
function sourceOf(values: Values, io: Io, words: readonly string[]): string | undefined {
  const file = textOf(values, "file");
  if (isOn(values, "dryRun") && textOf(values, "rejects") !== undefined) {
    throw badUsage("--dry-run writes nothing, no rejects either", "leave out one of them");
  }
  if (words.length > 0) {
    const other = ["file", "format", "columns", "null", "rejects", "unchecked"].find((name) =>
      values[name] !== undefined
    );
    if (other === undefined) return undefined;
    throw badUsage(`a row is given as words, and --${other} is for files`, "leave out one of them");
  }
  if (file === undefined && io.screen.in) {
    throw badUsage("no row is given", "for example name=Ada, or --file rows.csv, or pipe JSON lines into it");
  }
  return file ?? "-";
}

async function writeWords(
  { operation, done }: WriteVerb,
  db: Db,
  table: OpenTable,
  words: readonly string[],
  values: Values,
  io: Io,
): Promise<number> {
  const row = readPairs(words, table);
  const dry = isOn(values, "dryRun");
  // The judge of a row is who writes it.
  if (dry) table.suspendWrites();
  const ack = write();
  if (dry) await db.close({ drop: true });
  else {
    await db.flush();
    await ack;
  }
  await tell({ done: dry ? "looked at" : done, rows: 1, rejected: 0 }, values, io);
  return 0;

  function write(): PromiseLike<unknown> {
    try {
      return table.handle[operation](row);
    } catch (error) {
      const { column, message } = problemOf(error);
      throw flussError("INPUT.BAD_ROW", {
        message: `${message}; nothing is written`,
        ...(column === undefined ? {} : { column }),
        hint: FlussError.is(error) && error.hint !== undefined ? error.hint : "correct it",
        cause: error,
      });
    }
  }
}

async function writeFile(
  { operation, done }: WriteVerb,
  db: Db,
  table: OpenTable,
  file: InputFile,
  format: FileFormat,
  values: Values,
  io: Io,
  failure: () => unknown,
): Promise<number> {
  const kind = KINDS[operation];
  // Arrow IPC that is appended as it is has no rows to count on the way.
  const whole = format === "arrow" && operation === "append" && !isOn(values, "dryRun");
  const progress: Progress = { rows: 0, done: 0, total: file.size, ...(whole ? { unit: "bytes" } : {}) };
  const onBytes = (bytes: number) => {
    progress.done += bytes;
    if (whole) progress.rows += bytes;
  };
  refuseCsvOptions(values, format);
  using interrupt = listenForInterrupt(io);
  const { signal } = interrupt;
  const rejected = textOf(values, "rejects");
  if (format === "arrow" && rejected !== undefined) {
    throw badUsage("--rejects is not for Arrow IPC", "it has no single rows to keep");
  }
  const begin = performance.now();
  const job: WriteJob = {
    db,
    table,
    name: file.name,
    kind,
    write: (row) => table.handle[operation](row),
    rejects: undefined,
    progress,
    signal,
    failure,
  };
  const options: RecordOptions = { table, kind, onBytes, signal };
  using shown = showProgress(io, progress);
  try {
    return whole ? await appendWhole() : await writeRows();
  } catch (error) {
    if (!signal.aborted) throw error;
    // How much of Arrow IPC is written, nobody knows then.
    if (whole) {
      if (isOn(values, "json")) await io.write(`${jsonText({ ok: false, interrupted: true })}\n`);
      else io.err("stopped; what was acknowledged is written\n");
      return INTERRUPTED;
    }
    return await end(done, 0, 0);
  }

  async function appendWhole(): Promise<number> {
    if (file.again && !isOn(values, "unchecked")) {
      // Reading looks at everything: frames, types, nulls and values.
      for await (const _ of ipcRows(counted(file, options), ipcColumns(table)));
      Object.assign(progress, { rows: 0, done: 0 });
    }
    const stream = streamOf(counted(file, options));
    const { rows } = await table.handle.appendBatches(stream, { signal, timeoutMs: 2 ** 31 - 1 });
    return await end(done, rows, 0);
  }

  async function writeRows(): Promise<number> {
    const records = format === "arrow"
      ? arrowRecords(file, options)
      : format === "csv"
      ? await csvRecords(file, { ...options, dialect: dialectOf(values), columns: namesOf(values, "columns") })
      : format === "parquet"
      ? await (await import("./parquet_records.ts")).parquetRecords(file, options)
      : jsonRecords(file, options);
    if (isOn(values, "dryRun")) {
      await checkRecords(records, job);
      return await end("looked at", progress.rows, 0);
    }
    const rejects = rejected === undefined ? undefined : await Rejects.open(rejected, records.header, io);
    // Rows are placed in batches from the start, so the table is looked at first.
    await table.handle.scan().explain();
    // Rows may be bad then, but not the form of the file.
    if (rejects !== undefined && file.again && !isOn(values, "unchecked")) {
      await checkForm(records, job);
      progress.done = 0;
    }
    const look = rejects !== undefined || isOn(values, "unchecked") ? "none" : file.again ? "all" : "first";
    let written: number;
    try {
      written = await writeRecords(records, { ...job, rejects }, look);
    } finally {
      await rejects?.end();
    }
    return await end(done, written, rejects?.count ?? 0);
  }

  async function end(what: string, rows: number, lost: number): Promise<number> {
    // The last line takes the place of the bar.
    shown[Symbol.dispose]();
    await tell(
      { done: what, rows, rejected: lost, ms: performance.now() - begin, stopped: signal.aborted },
      values,
      io,
    );
    return signal.aborted ? INTERRUPTED : lost > 0 ? 7 : 0;
  }
}

function arrowRecords(file: InputFile, options: RecordOptions): Records {
  return {
    header: "",
    async *batches() {
      let line = 0;
      for await (const rows of ipcRows(counted(file, options), ipcColumns(options.table))) {
        yield Array.from(rows, (row: Row): FileRecord => ({ line: ++line, row: () => row, text: () => "" }));
      }
    },
  };
}

function ipcColumns({ definition, info }: OpenTable): readonly SchemaColumn[] {
  const ids = new Map(info.table.schema.columns.map(({ key, id }) => [key, id]));
  return definition.columns.map(({ key, name, type }) => ({ key, name, type, id: ids.get(key)! }));
}

function streamOf(chunks: AsyncGenerator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void await chunks.return(undefined),
  }, { highWaterMark: 0 });
}

async function* counted(
  file: InputFile,
  { onBytes, signal }: RecordOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const bytes of file.read(signal)) {
    onBytes(bytes.length);
    yield bytes;
  }
}

/** What became of rows. */
interface Outcome {
  readonly done: string;
  readonly rows: number;
  readonly rejected: number;
  readonly ms?: number;
  /** By Ctrl-C. */
  readonly stopped?: boolean;
}

async function tell({ done, rows, rejected, ms, stopped = false }: Outcome, values: Values, io: Io): Promise<void> {
  if (isOn(values, "json")) {
    const ok = rejected === 0 && !stopped;
    const more = { ...(ms === undefined ? {} : { ms: Math.round(ms) }), ...(stopped ? { interrupted: true } : {}) };
    return await io.write(`${jsonText({ ok, rows, rejected, ...more })}\n`);
  }
  const time = ms === undefined ? "" : ` in ${(ms / 1000).toFixed(1)} s (${rateText(rows, ms)})`;
  const lost = rejected === 0 ? "" : `, ${wholeText(rejected)} rejected`;
  const what = `${wholeText(rows)} ${rows === 1 ? "row" : "rows"} ${plainText(done)}`;
  io.err(`${stopped ? "stopped; " : ""}${what}${time}${lost}\n`);
}
