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
import { liveSnapshot } from "./snapshot.ts";

/** What is copied. */
export interface CopyOptions {
  /** The table to read, as `database.table`. */
  readonly from: string;
  /** The table to write. What it holds from a run that was cut off is written again, or dropped first. */
  readonly to: string;
  /** From a row of the one to a row of the other. Default: as it is. */
  readonly row?: (row: UntypedRow) => UntypedRow;
}

/**
 * Copies all rows. Nobody else may write either table meanwhile.
 *
 * @returns how many
 * @throws FlussUsageError `SCAN.FULL_SCAN_UNSUPPORTED` for a primary-key table that is larger than
 * `scanner.fullScanRows` of the connection
 */
export async function copyRows(db: Db, context: DataContext, options: CopyOptions): Promise<number> {
  const { from, to, row: convert = (row: UntypedRow) => row } = options;
  const { signal, progress } = context;
  await emptyIfCounted(db, to, signal);
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

/** Where a row that is written twice counts twice, a run that was cut off must leave nothing behind. */
async function emptyIfCounted(db: Db, name: string, signal: AbortSignal): Promise<void> {
  const live = await describeTable(db, name, { signal });
  if (live === undefined) {
    throw flussError("SERVER.TABLE_NOT_EXIST", { table: name, message: "it is to be written to" });
  }
  const table = liveSnapshot(live);
  const counted = table.primaryKey.length === 0 || table.options["table.merge-engine"] === "AGGREGATION";
  if (!counted) return;
  const first = await (await db.table(name)).scan().limit(1).toArray({ signal });
  if (first.length === 0) return;
  await db.admin.drop(name, { signal });
  await db.admin.create(declaredTable(name, table), { signal });
}
