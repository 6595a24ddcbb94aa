/**
 * What keeps a rebuild from losing rows: before a table is dropped to be made anew, the table beside it must have them.
 *
 * @module
 */
import { flussError, FlussMigrationError } from "../base/errors.ts";
import type { Db } from "../query/db.ts";
import { describeTable } from "./live.ts";
import type { Operation } from "./operations.ts";
import { besideOf } from "./rebuild_marks.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where an operation stands. */
export interface LossContext {
  readonly migration: string;
  /** What the migrations made of the tables so far. */
  readonly tables: Snapshot;
  /** What may be lost, by name. */
  readonly allow: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Looks before the drop of a table that is being rebuilt.
 *
 * @throws FlussMigrationError `MIGRATION.DRIFT` when the table beside is gone
 * @throws FlussUsageError `MIGRATION.DESTRUCTIVE` when it has fewer rows, and `fewer-rows` is not allowed
 */
export async function refuseLoss(
  db: Db,
  op: Operation,
  { migration, tables, allow, signal }: LossContext,
): Promise<void> {
  if (op.op !== "dropTable") return;
  const { table } = op;
  const beside = besideOf(table);
  if (!Object.hasOwn(tables.tables, beside)) return;
  const rows = await countRows(db, table, signal);
  if (rows === undefined) return;
  const copied = await countRows(db, beside, signal);
  if (copied === undefined) {
    const message = `${beside}, which is to have the rows of ${table}, is gone`;
    throw new FlussMigrationError("MIGRATION.DRIFT", {
      table,
      message: `${migration} cannot drop ${table}: ${message}`,
      problems: [{ kind: "drift", migration, table, message }],
    });
  }
  const grant = `fewer-rows:${table}`;
  if (copied >= rows || allow.includes(grant)) return;
  throw flussError("MIGRATION.DESTRUCTIVE", {
    table,
    message:
      `${table} has ${rows} rows, and ${beside}, which takes its place, ${copied}: rows were written after they ` +
      "were copied, or several have the same new key",
    hint: `write those rows into ${beside}, too; or, if it is meant, add --allow ${grant}`,
  });
}

async function countRows(db: Db, name: string, signal: AbortSignal): Promise<number | undefined> {
  if (await describeTable(db, name, { signal }) === undefined) return undefined;
  return await (await db.table(name)).scan().count({ signal });
}
