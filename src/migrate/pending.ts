/**
 * What is left to apply: the migrations of a folder against those that the cluster knows.
 *
 * @module
 */
import { flussError, FlussMigrationError, type MigrationProblem } from "../base/errors.ts";
import type { Migration } from "./folder.ts";
import { type Graph, historyOf } from "./graph.ts";
import { applyTo } from "./operations.ts";
import { EMPTY, type Snapshot } from "./snapshot.ts";
import type { StateRow } from "./state.ts";

/** A migration that is not applied, or not in full. */
export interface Pending {
  readonly migration: Migration;
  /** What is known of it; undefined when it was never begun. */
  readonly state: StateRow | undefined;
}

/**
 * What is remembered of a migration, so that it does not change: everything once it is applied; before that not its data
 * step, which may have to be repaired.
 */
export function checksumIn({ checksum, hash }: Migration, state: StateRow["state"]): string {
  return state === "applied" ? checksum : hash;
}

/** What is wrong between a folder and a cluster: migrations that changed since, and some that the folder lacks. */
export function stateProblems(graph: Graph, states: ReadonlyMap<string, StateRow>): MigrationProblem[] {
  const problems: MigrationProblem[] = [];
  const known = new Map(graph.ordered.map((migration) => [migration.id, migration]));
  for (const { id, checksum, state, by, appliedAt } of states.values()) {
    const migration = known.get(id);
    if (migration === undefined) {
      problems.push({
        kind: "missing",
        migration: id,
        message:
          `${id} was applied to the cluster by ${by} (${appliedAt.toISOString()}), and the folder does not have it`,
        hint: "fetch it from version control; if another project applied it, give each a stateDatabase of its own",
      });
    } else if (checksumIn(migration, state) !== checksum) {
      problems.push({
        kind: "checksum",
        migration: id,
        message: `${id} is not what it was when it was ${state === "applied" ? "applied" : "begun"}`,
        hint: "restore it from version control, and put the change into a new one: sluice plan",
      });
    }
  }
  return problems;
}

/** @throws FlussMigrationError `MIGRATION.CHECKSUM` */
export function refuseState(problems: readonly MigrationProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new FlussMigrationError("MIGRATION.CHECKSUM", {
    message: `${first.message}${more}`,
    hint: first.hint,
    problems,
  });
}

/**
 * What is left to apply, in order.
 *
 * @param to the last one; those that it does not need are left out
 * @throws FlussUsageError `MIGRATION.UNKNOWN`
 */
export function pendingOf(graph: Graph, states: ReadonlyMap<string, StateRow>, to: string | undefined): Pending[] {
  let wanted: readonly Migration[] = graph.ordered;
  if (to !== undefined) {
    const last = graph.ordered.find(({ id }) => id === to);
    if (last === undefined) {
      throw flussError("MIGRATION.UNKNOWN", {
        message: `there is no migration ${JSON.stringify(to)}`,
        hint: `the last one is ${graph.ordered.at(-1)?.id ?? "none: plan one first"}`,
      });
    }
    const history = historyOf(graph, [last]);
    wanted = graph.ordered.filter((migration) => history.has(migration));
  }
  return wanted
    .map((migration) => ({ migration, state: states.get(migration.id) }))
    .filter(({ state }) => state?.state !== "applied");
}

/** What the tables should be like now, by what was applied of each migration. */
export function expectedTables(graph: Graph, states: ReadonlyMap<string, StateRow>): Snapshot {
  let tables: Snapshot = EMPTY;
  for (const { id, ops } of graph.ordered) {
    const state = states.get(id);
    if (state === undefined) continue;
    const done = state.state === "running" ? ops.slice(0, state.opIndex) : ops;
    tables = done.reduce(applyTo, tables);
  }
  return tables;
}
