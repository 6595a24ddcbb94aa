/**
 * `status` and `diff`: what a cluster is like, beside the migrations and beside the schema.
 *
 * @module
 */
import { bareMessage, type MigrationProblem } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import { soundGraph } from "./check.ts";
import type { Blocked } from "./diff_tables.ts";
import {
  databasesOf,
  describeTable,
  diffLive,
  isUnreadable,
  readLive,
  snapshotOfLive,
  tableDifferences,
} from "./live.ts";
import { type LockHolder, lockHolder } from "./lock.ts";
import type { Operation } from "./operations.ts";
import { expectedTables, pendingOf, stateProblems } from "./pending.ts";
import { declaredSnapshot, type Project } from "./project.ts";
import { liveSnapshot } from "./snapshot.ts";
import { type MigrationState, readState, stateDatabaseOf } from "./state.ts";

/** A migration that the cluster knows. */
export interface KnownMigration {
  /** Its name. */
  readonly migration: string;
  /** `running` and `data`: it was begun, and cut off. */
  readonly state: MigrationState;
  /** When, ISO 8601. */
  readonly at: string;
  /** Who. */
  readonly by: string;
}

/** What `status` found. */
export interface StatusResult {
  /** It went well. */
  readonly ok: true;
  /** What the cluster knows, by name. */
  readonly applied: readonly KnownMigration[];
  /** What is left to apply, in order; what was cut off is among it. */
  readonly pending: readonly string[];
  /** Where tables are not what the migrations made them. Nothing here resets anything. */
  readonly drift: readonly MigrationProblem[];
  /** Migrations that changed since they were applied, and some that the folder lacks. */
  readonly problems: readonly MigrationProblem[];
  /** Who applies migrations now. */
  readonly lock: LockHolder | null;
}

/**
 * Says what was applied, what is pending, what drifted, and who holds the lock.
 *
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export async function status(db: Db, project: Project, options: CallOptions = {}): Promise<StatusResult> {
  const graph = await soundGraph(project);
  const database = stateDatabaseOf(project);
  const [states, lock] = await Promise.all([
    readState(db, database, options),
    lockHolder(db, database, options),
  ]);
  const drift: MigrationProblem[] = [];
  for (const [table, wanted] of Object.entries(expectedTables(graph, states).tables)) {
    let differences: string[];
    try {
      const live = await describeTable(db, table, options);
      differences = live === undefined ? ["the table is gone"] : tableDifferences(table, liveSnapshot(live), wanted);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      differences = [bareMessage(error)];
    }
    drift.push(...differences.map((message) => ({
      kind: "drift",
      table,
      message: `${table}: ${message}`,
      hint: "take it as it is with sluice pull or sluice plan --from-live, or alter it back",
    })));
  }
  return {
    ok: true,
    applied: [...states.values()].sort((a, b) => a.id < b.id ? -1 : 1).map(({ id, state, appliedAt, by }) => ({
      migration: id,
      state,
      at: appliedAt.toISOString(),
      by,
    })),
    pending: pendingOf(graph, states, undefined).map(({ migration }) => migration.id),
    drift,
    problems: stateProblems(graph, states),
    lock,
  };
}

/** What `diff` found. */
export interface DiffResult {
  /** It went well. */
  readonly ok: true;
  /** Whether the cluster is as the schema says. */
  readonly equal: boolean;
  /** What would make it so. */
  readonly operations: readonly Operation[];
  /** Differences that no operation takes away. */
  readonly blocked: readonly Blocked[];
  /** Tables that this version cannot read, and why. */
  readonly unreadable: readonly MigrationProblem[];
  /** Differences that mean nothing to rows. */
  readonly notes: readonly string[];
}

/** Compares a cluster with the declared tables. */
export async function diff(db: Db, project: Project, options: CallOptions = {}): Promise<DiffResult> {
  const wanted = declaredSnapshot(project);
  const live = await readLive(db, project, databasesOf(wanted), options);
  const { operations, blocked, notes } = diffLive(snapshotOfLive(live), wanted, project);
  const unreadable = unreadableProblems(live.unreadable);
  return {
    ok: true,
    equal: operations.length === 0 && blocked.length === 0 && unreadable.length === 0,
    operations: operations.filter((op) => op.op !== "createTable" || !live.unreadable.has(op.table)),
    blocked,
    unreadable,
    notes,
  };
}

/** Tables that could not be read, as problems. */
export function unreadableProblems(unreadable: ReadonlyMap<string, string>): MigrationProblem[] {
  return [...unreadable].map(([table, why]) => ({
    kind: "unreadable",
    table,
    message: `${table}: ${why}`,
    hint: "use a newer version of Sluice",
  }));
}
