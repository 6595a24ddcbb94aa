/**
 * Rows from one table into another: what data steps of rebuilt tables do.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { Db } from "../query/db.ts";
import type { UntypedRow } from "../query/handle_types.ts";
import type { DataContext } from "./data_step.ts";
import { describeTable } from "./live.ts";
import { declaredTable } from "./run_operation.ts";
import { liveSnapshot, type TableSnapshot } from "./snapshot.ts";

/** What is copied. */
export interface CopyOptions {
  /** The table to read, as `database.table`. */
  readonly from: string;
  /** The table to write, which is empty. What it holds from a run that was cut off is written again, or dropped first. */
  readonly to: string;
  /** From a row of the one to a row of the other. Default: as it is. */
  readonly row?: (row: UntypedRow) => UntypedRow;
}

/**
 * Copies all rows. Nobody else may write either table meanwhile. It keeps what it needs to go on by `context.save()`.
 *
 * @returns how many
 * @throws FlussUsageError `MIGRATION.DESTRUCTIVE` for a table to write that has rows of somebody else; `SCAN.FULL_SCAN_UNSUPPORTED` for a primary-key table that is larger than
 * `scanner.fullScanRows` of the connection
 */
export async function copyRows(db: Db, context: DataContext, options: CopyOptions): Promise<number> {
  const { from, to, row: convert = (row: UntypedRow) => row } = options;
  const { signal, progress } = context;
  await begin(db, to, context);
  const [source, destination] = await Promise.all([db.table(from), db.table(to)]);
  const append = "append" in destination && (await describeTable(db, to, { signal }))!.schema.primaryKey.length === 0;
  const total = await db.admin.statistics(from, { signal }).then(({ rowCount }) => Number(rowCount), () => undefined);
  let done = 0;
  for await (const batch of source.scan().batches({ signal })) {
    for (const row of batch as Iterable<UntypedRow>) {
      if (append) destination.append(convert(row));
      else destination.upsert(convert(row));
      done++;
    }
    await db.flush({ signal });
    progress(done, total);
  }
  return done;
}

/** What is kept while it runs. */
interface Kept {
  readonly copyRows: string;
  /** How the table to write was. */
  readonly table: TableSnapshot;
}

/** An empty table to write; where a row that is written twice does not count twice, it may have some from an earlier run. */
async function begin(db: Db, to: string, { saved, save, signal }: DataContext): Promise<void> {
  const kept = keptIn(saved, to);
  const live = await describeTable(db, to, { signal });
  if (live === undefined) {
    // Cut off between the drop and what follows it.
    if (kept !== undefined) return await db.admin.create(declaredTable(to, kept.table), { signal });
    throw flussError("SERVER.TABLE_NOT_EXIST", { table: to, message: "it is to be written to" });
  }
  const table = liveSnapshot(live);
  const isEmpty = (await (await db.table(to)).scan().limit(1).toArray({ signal })).length === 0;
  if (kept === undefined) {
    if (!isEmpty) {
      throw flussError("MIGRATION.DESTRUCTIVE", {
        table: to,
        message: `${to} has rows, and copyRows() begins with an empty table`,
        hint: "look whose they are, and drop the table or write them by a step of your own",
      });
    }
    return await save(JSON.stringify({ copyRows: to, table } satisfies Kept));
  }
  const counted = table.primaryKey.length === 0 || table.options["table.merge-engine"] === "AGGREGATION";
  if (!counted || isEmpty) return;
  await db.admin.drop(to, { signal });
  await db.admin.create(declaredTable(to, kept.table), { signal });
}

/** What an earlier run kept; undefined where there was none, or it was of something else. */
function keptIn(saved: string | null, to: string): Kept | undefined {
  try {
    const kept = JSON.parse(saved ?? "null") as Kept | null;
    return kept?.copyRows === to ? kept : undefined;
  } catch {
    return undefined;
  }
}
