/**
 * Which migrations were applied: a table of the cluster.
 *
 * @module
 */
import type { CallOptions } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import { t } from "../schema/configure.ts";
import { table } from "../schema/table.ts";
import { createOnce, prepareLocks } from "./lock.ts";
import type { Project } from "./project.ts";

/** The database that keeps it, where nothing else is said. */
const STATE_DATABASE = "sluice";

/** Where a migration is: some operations are done; all are, and its data step is not; everything is. */
export type MigrationState = "running" | "data" | "applied";

/** What is known of a migration. */
export interface StateRow {
  readonly id: string;
  /** What it was when it was applied, or begun. */
  readonly checksum: string;
  /** How many of its operations are done. */
  readonly opIndex: number;
  readonly state: MigrationState;
  /** When this was written. */
  readonly appliedAt: Date;
  /** Who applied it. */
  readonly by: string;
  /** What its data step keeps, to go on where it ended. */
  readonly saved: string | null;
}

function stateTable(database: string) {
  return table(`${database}.migrations`, {
    id: t.string(),
    checksum: t.string(),
    opIndex: t.int().name("op_index"),
    state: t.string(),
    appliedAt: t.timestampLtz(3, { mode: "date" }).name("applied_at"),
    by: t.string(),
    saved: t.string(),
  }, { primaryKey: ["id"], buckets: 1, comment: "which migrations were applied" });
}

/** The database that keeps the state of a project. */
export function stateDatabaseOf({ stateDatabase }: Project): string {
  return stateDatabase ?? STATE_DATABASE;
}

/** Makes the tables that keep state and lock, where there are none. */
export async function prepareState(db: Db, database: string, options: CallOptions = {}): Promise<void> {
  await db.admin.createDatabase(database, { ...options, ignoreIfExists: true });
  await createOnce(db, stateTable(database), options);
  await prepareLocks(db, database, options);
}

/** What is known of all migrations, by their names. Empty where nothing was ever applied. */
export async function readState(db: Db, database: string, options: CallOptions = {}): Promise<Map<string, StateRow>> {
  const states = stateTable(database);
  if (!await db.admin.exists(states, options)) return new Map();
  const rows = new Map<string, StateRow>();
  for (const row of await db.table(states).scan().toArray()) {
    const { id, checksum, opIndex, state, appliedAt, by, saved } = row;
    rows.set(id, {
      id,
      checksum: checksum ?? "",
      opIndex: opIndex ?? 0,
      state: state === "applied" || state === "data" ? state : "running",
      appliedAt: appliedAt ?? new Date(0),
      by: by ?? "",
      saved,
    });
  }
  return rows;
}

/** Writes what is known of a migration; it is kept when the promise resolves. */
export async function writeState(db: Db, database: string, row: StateRow): Promise<void> {
  await db.table(stateTable(database)).upsert({ ...row });
}
