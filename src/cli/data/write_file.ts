/**
 * Rows of a file, or of standard input, into a table.
 *
 * @module
 */
import { FlussError } from "../../base/errors.ts";
import type { Io, Values } from "../command.ts";
import { csvRecords } from "./csv_records.ts";
import type { InputFile } from "./files.ts";
import { dialectOf, refuseCsvOptions } from "./formats.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { jsonRecords } from "./json_records.ts";
import { jsonText } from "./output.ts";
import { type Progress, showProgress } from "./progress.ts";
import type { FileFormat, RecordOptions } from "./records.ts";
import { Rejects } from "./rejects.ts";
import { badUsage, isOn, namesOf, textOf } from "./values.ts";
import { checkForm, checkRecords, type WriteJob, writeRecords } from "./write_rows.ts";
import { arrowRecords, arrowStream, checkArrow } from "./arrow_records.ts";
import { tellOutcome } from "./outcome.ts";

/** What is done with the rows. */
export interface FileJob extends Pick<WriteJob, "db" | "table" | "kind" | "failure"> {
  readonly operation: "upsert" | "append" | "update" | "delete";
  /** What was done to them, for messages. */
  readonly done: string;
  readonly file: InputFile;
  readonly format: FileFormat;
}

/** Writes its rows. @returns an exit code */
export async function writeFile(
  { db, done, failure, file, format, kind, operation, table }: FileJob,
  values: Values,
  io: Io,
): Promise<number> {
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
    // What else went wrong while it stopped is told.
    if (!signal.aborted || FlussError.is(error)) throw error;
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
      await checkArrow(file, options);
      Object.assign(progress, { rows: 0, done: 0 });
    }
    const { rows } = await table.handle.appendBatches(arrowStream(file, options), { signal, timeoutMs: 2 ** 31 - 1 });
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
    await tellOutcome(
      { done: what, rows, rejected: lost, ms: performance.now() - begin, stopped: signal.aborted },
      values,
      io,
    );
    return signal.aborted ? INTERRUPTED : lost > 0 ? 7 : 0;
  }
}
