/**
 * What the commands that write have in common: rows from words, files or standard input.
 *
 * @module
 */
import { FlussError, flussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import { type Operation, refusal } from "../../query/forbidden.ts";
import type { RowKind } from "../../schema/row_kind.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { openInput } from "./files.ts";
import { CSV_OPTIONS, formatOf } from "./formats.ts";
import { INTERRUPTED } from "./interrupt.ts";
import { type OpenTable, openTable } from "./open_table.ts";
import { PAIRS_TEXT, readPairs } from "./pairs.ts";
import { problemOf } from "./records.ts";
import { badUsage, isOn, textOf } from "./values.ts";
import { withDb } from "./with_db.ts";
import { WRITER_BYTES } from "./write_rows.ts";
import { tellOutcome } from "./outcome.ts";
import { writeFile } from "./write_file.ts";

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
    const format = formatOf(values, source!);
    const { operation, done } = verb;
    const job = { db, table, file, format, operation, done, kind: KINDS[operation], failure: () => failure };
    return await writeFile(job, values, io);
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
  await tellOutcome({ done: dry ? "looked at" : done, rows: 1, rejected: 0 }, values, io);
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
