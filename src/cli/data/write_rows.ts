/**
 * Records on their way into a table.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { Db } from "../../query/db.ts";
import { compileRowCheck } from "../../schema/row_check.ts";
import type { RowKind } from "../../schema/row_kind.ts";
import type { OpenTable } from "./open_table.ts";
import type { Progress } from "./progress.ts";
import { type FileRecord, problemOf, type Records, type Row, RowProblem } from "./records.ts";
import { problemText, type Rejects } from "./rejects.ts";

/** Bytes that are queued before the file is read on. The queue may take twice as many: a batch of records is one step. */
const AHEAD_BYTES = 32 << 20;
/** What the writer of the connection may queue. */
export const WRITER_BYTES: number = 64 << 20;
/** Records of standard input that are checked before the first one is written. */
const LOOK_AHEAD = 10_000;

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
}

/**
 * Looks at all records, and writes none.
 *
 * @throws FlussUsageError `INPUT.BAD_ROW`
 */
export async function checkRecords(records: Records, job: WriteJob): Promise<void> {
  const check = rowCheck(job);
  let rows = 0;
  for await (const batch of records.batches()) {
    if (job.signal.aborted) return;
    for (const record of batch) {
      const problem = check(record);
      if (problem !== undefined) throw badRow(job.name, rows, record, problem, "nothing is written");
      rows++;
    }
    job.progress.rows = rows;
  }
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
 * @param headChecked whether the first ones are to be looked at before any is written
 * @returns how many were written
 * @throws FlussUsageError `INPUT.BAD_ROW`; FlussWriteError
 */
export async function writeRecords(records: Records, job: WriteJob, headChecked: boolean): Promise<number> {
  const { db, name, progress, rejects, signal, write } = job;
  const batches = headChecked && rejects === undefined ? lookedAt(records.batches(), job) : records.batches();
  const check = rowCheck(job);
  let written = 0;
  for await (const batch of batches) {
    for (const record of batch) {
      if (signal.aborted) return await settled(written, job);
      try {
        write(record.row());
        written++;
      } catch (error) {
        // The check has shorter words for it, where it finds it too.
        const said = problemOf(error);
        const problem = check(record) ?? said;
        if (rejects !== undefined) await rejects.add(record, problem);
        else {
          const count = await settled(written, job);
          throw badRow(
            name,
            count,
            record,
            problem,
            count === 0 ? "nothing is written" : `${count} rows before it are`,
          );
        }
      }
      if (db.queuedBytes > AHEAD_BYTES) await room(job);
    }
    progress.rows = written;
  }
  return await settled(written, job);
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

/** The same batches, but nothing before the first records were looked at. */
async function* lookedAt(
  batches: AsyncIterable<readonly FileRecord[]>,
  job: WriteJob,
): AsyncGenerator<readonly FileRecord[]> {
  const check = rowCheck(job);
  let held: (readonly FileRecord[])[] | undefined = [];
  let rows = 0;
  for await (const batch of batches) {
    if (held === undefined) {
      yield batch;
      continue;
    }
    for (const record of batch) {
      const problem = check(record);
      if (problem !== undefined) throw badRow(job.name, rows, record, problem, "nothing is written");
      rows++;
    }
    held.push(batch);
    if (rows < LOOK_AHEAD) continue;
    yield* held;
    held = undefined;
  }
  if (held !== undefined) yield* held;
}

function badRow(name: string, before: number, record: FileRecord, problem: RowProblem, end: string): Error {
  return flussError("INPUT.BAD_ROW", {
    row: before + 1,
    ...(problem.column === undefined ? {} : { column: problem.column }),
    message: `${name}: row ${before + 1}, ${problemText(record.line, problem)}; ${end}`,
    hint: "correct it, or add --rejects FILE to keep such rows there and write the others",
  });
}
