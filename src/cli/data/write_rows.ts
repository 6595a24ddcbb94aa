/**
 * Records on their way into a table.
 *
 * @module
 */
import { bareMessage, FlussError, flussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import { compileRowCheck } from "../../schema/row_check.ts";
import type { RowKind } from "../../schema/row_kind.ts";
import type { OpenTable } from "./open_table.ts";
import type { Progress } from "./progress.ts";
import { type FileRecord, problemOf, type Records, type Row, RowProblem } from "./records.ts";
import { problemText, type Rejects } from "./rejects.ts";

/** Bytes that are queued before the file is read on. */
const AHEAD_BYTES = 32 << 20;
const LOOK_AHEAD_BYTES = 64 << 20;
/** What the writer of the connection may queue: what is looked at, and a row more. */
export const WRITER_BYTES: number = 96 << 20;
/** Records of standard input that are looked at before the first one is sent. */
const LOOK_AHEAD = 10_000;
/** And no longer than that from the first of them on: a stream may be slow, or never end. */
const LOOK_AHEAD_MS = 1000;

/** What is written, and how. */
export interface WriteJob {
  readonly db: Db;
  readonly table: OpenTable;
  /** For messages: the name of the file. */
  readonly name: string;
  readonly kind: RowKind;
  /** Queues one row. */
  readonly write: (row: Row) => unknown;
  /** Where rows go that the table does not take; without it, the first one ends the work. */
  readonly rejects: Rejects | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** A write that failed. */
  readonly failure: () => unknown;
  /** Bytes that are queued, and not sent, while a file is looked at. Default: 64 MiB. */
  readonly lookAheadBytes?: number;
}

/**
 * Looks at records, and writes none.
 *
 * @param first how many of them were looked at already
 * @throws FlussUsageError `INPUT.BAD_ROW`
 */
export async function checkRecords(records: Records, job: WriteJob, first = 0): Promise<void> {
  const check = rowCheck(job);
  let rows = 0;
  for await (const batch of readOn(records, job, () => Promise.resolve(0))) {
    if (job.signal.aborted) return;
    for (const record of batch) {
      if (rows++ < first) continue;
      const problem = check(record);
      if (problem !== undefined) throw badRow(job.name, rows - 1, record, problem, endOf(0));
    }
    job.progress.rows = Math.max(first, rows);
  }
}

/**
 * Looks whether records can be read to the end, and not at what they are.
 *
 * @throws FlussUsageError `INPUT.BAD_FORMAT`
 */
export async function checkForm(records: Records, job: WriteJob): Promise<void> {
  for await (const _ of readOn(records, job, () => Promise.resolve(0)));
}

/** What is wrong with a record, as far as it can be known without writing it. */
function rowCheck({ table, kind }: WriteJob): (record: FileRecord) => RowProblem | undefined {
  const check = compileRowCheck(table.definition, kind);
  return (record) => {
    try {
      const issue = check(record.row())[0];
      return issue === undefined
        ? undefined
        : new RowProblem(issue.message, issue.path.length === 0 ? undefined : issue.path.map(String).join("."));
    } catch (error) {
      return problemOf(error);
    }
  };
}

/**
 * Queues all records, no faster than they are written, and waits until they are.
 *
 * @param look what is looked at before the first row is sent: every record of a file that can be read twice; the first
 * ones; or nothing
 * @returns how many were written
 * @throws FlussUsageError `INPUT.BAD_ROW`; FlussWriteError
 */
export async function writeRecords(records: Records, job: WriteJob, look: "all" | "first" | "none"): Promise<number> {
  const { db, lookAheadBytes = LOOK_AHEAD_BYTES, name, progress, rejects, signal, table, write } = job;
  const check = rowCheck(job);
  // What fits in the queue need not be read and made into rows twice.
  let send = look === "none" ? undefined : table.suspendWrites();
  const most = look === "all" ? Infinity : LOOK_AHEAD;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const goOn = () => {
    clearTimeout(timer);
    send?.();
    send = undefined;
  };
  let written = 0;
  for await (const batch of readOn(records, job, stopped)) {
    for (const record of batch) {
      if (signal.aborted) return await stopped();
      try {
        write(record.row());
        if (written++ === 0 && look === "first") timer = setTimeout(goOn, LOOK_AHEAD_MS);
      } catch (error) {
        // The check has shorter words for it, where it finds it too.
        const said = problemOf(error);
        const problem = check(record) ?? said;
        if (rejects !== undefined) await rejects.add(record, problem);
        else {
          throw badRow(name, written, record, problem, endOf(await stopped()));
        }
      }
      if (send !== undefined && (db.queuedBytes > lookAheadBytes || written >= most)) {
        if (look === "all") await checkRest(records, job, written);
        if (signal.aborted) return await stopped();
        goOn();
      }
      if (send === undefined && db.queuedBytes > AHEAD_BYTES) await room(job);
    }
    progress.rows = written;
  }
  if (signal.aborted) return await stopped();
  goOn();
  return await settled(written, job);

  /** @returns how many rows are written */
  async function stopped(): Promise<number> {
    clearTimeout(timer);
    if (send === undefined) return await settled(written, job);
    await db.close({ drop: true });
    return 0;
  }
}

/**
 * The batches, until the signal ends them.
 *
 * @param stopped gives up, and tells how many rows are written
 * @throws FlussUsageError `INPUT.*` of a file that cannot be read on, which says what became of its rows
 */
async function* readOn(
  records: Records,
  { signal }: WriteJob,
  stopped: () => Promise<number>,
): AsyncGenerator<readonly FileRecord[]> {
  try {
    for await (const batch of records.batches()) yield batch;
  } catch (error) {
    if (signal.aborted) return;
    if (!FlussError.is(error) || !error.code.startsWith("INPUT.")) throw error;
    throw flussError(error.code, {
      message: `${bareMessage(error)}; ${endOf(await stopped())}`,
      hint: error.hint,
      cause: error,
    });
  }
}

function endOf(written: number): string {
  return written === 0 ? "nothing is written" : `${written} rows before it are written`;
}

/** Looks at what does not fit in the queue. */
async function checkRest(records: Records, job: WriteJob, first: number): Promise<void> {
  const { done } = job.progress;
  job.progress.done = 0;
  await checkRecords(records, job, first);
  job.progress.done = done;
}

/** Resolves when less is queued. Whatever failed on the way is thrown. */
async function room({ db, failure }: WriteJob): Promise<void> {
  while (db.queuedBytes > AHEAD_BYTES / 2) {
    if (failure() !== undefined) throw failure();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function settled(written: number, { db, failure }: WriteJob): Promise<number> {
  await db.flush();
  if (failure() !== undefined) throw failure();
  return written;
}

function badRow(name: string, before: number, record: FileRecord, problem: RowProblem, end: string): Error {
  return flussError("INPUT.BAD_ROW", {
    row: before + 1,
    ...(problem.column === undefined ? {} : { column: problem.column }),
    message: `${name}: row ${before + 1}, ${problemText(record.line, problem)}; ${end}`,
    hint: "correct it, or add --rejects FILE to keep such rows there and write the others",
  });
}
