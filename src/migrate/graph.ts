/**
 * Migrations as a graph: each names those before it by their hashes, so branches meet without a list that both change.
 *
 * @module
 */
import { FlussMigrationError, type MigrationProblem } from "../base/errors.ts";
import type { Migration } from "./folder.ts";
import { isSameJson } from "./json_text.ts";
import { applyTo, type Operation, tableOf } from "./operations.ts";
import { EMPTY, type Snapshot } from "./snapshot.ts";

/** Migrations in an order in which they can be applied. */
export interface Graph {
  /** Parents first, and by name where that leaves a choice. */
  readonly ordered: readonly Migration[];
  /** Those that none comes after. */
  readonly heads: readonly Migration[];
}

/** Orders migrations. What does not fit is told with the rest, and left out. */
export function graphOf(migrations: readonly Migration[]): { graph: Graph; problems: MigrationProblem[] } {
  const problems: MigrationProblem[] = [];
  const byHash = new Map<string, Migration>();
  for (const migration of migrations) byHash.set(migration.hash, migration);
  for (const { id, parents } of migrations) {
    for (const parent of parents.filter((hash) => !byHash.has(hash))) {
      problems.push({
        kind: "parent",
        migration: id,
        message: `${id} comes after ${parent}, which is not there, or is not what it was when ${id} was planned`,
        hint: "restore it from version control, or remove this one and plan again",
      });
    }
  }
  const ordered: Migration[] = [];
  const done = new Set<string>();
  // A hash names its parents' hashes, so there can be no cycle, and every round finds some.
  for (let left = [...migrations];;) {
    const ready = left.find(({ parents }) => parents.every((hash) => !byHash.has(hash) || done.has(hash)));
    if (ready === undefined) break;
    ordered.push(ready);
    done.add(ready.hash);
    left = left.filter((migration) => migration !== ready);
  }
  const named = new Set(migrations.flatMap(({ parents }) => parents));
  const heads = ordered.filter(({ hash }) => !named.has(hash));
  return { graph: { ordered, heads }, problems };
}

/** The migrations before some, and these themselves. */
export function historyOf(graph: Graph, last: readonly Migration[]): Set<Migration> {
  const byHash = new Map(graph.ordered.map((migration) => [migration.hash, migration]));
  const found = new Set<Migration>();
  const walk = (migration: Migration): void => {
    if (found.has(migration)) return;
    found.add(migration);
    for (const hash of migration.parents) {
      const parent = byHash.get(hash);
      if (parent !== undefined) walk(parent);
    }
  };
  last.forEach(walk);
  return found;
}

/** What the tables are like after the migrations, applied in their order. */
export function replay(migrations: readonly Pick<Migration, "ops">[], from: Snapshot = EMPTY): Snapshot {
  return migrations.reduce((tables, { ops }) => ops.reduce(applyTo, tables), from);
}

/** Where branches met, or will. */
export interface Merged {
  /** The tables after all heads. */
  readonly snapshot: Snapshot;
  /** Columns that branches added side by side, by table: their order is open. */
  readonly unordered: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * What the tables are like after all heads.
 *
 * @throws FlussMigrationError `MIGRATION.INVALID` when the heads contradict each other
 */
export function mergeHeads(graph: Graph): Merged {
  const problems = conflictsOf(graph);
  if (problems.length > 0) throw invalidGraph(problems);
  const [only] = graph.heads;
  if (graph.heads.length === 1) return { snapshot: only!.snapshot, unordered: new Map() };
  const unordered = new Map<string, Set<string>>();
  for (const head of branchOperations(graph)) {
    for (const op of head.operations) {
      if (op.op !== "addColumn") continue;
      const columns = unordered.get(op.table) ?? new Set();
      unordered.set(op.table, columns.add(op.column.name));
    }
  }
  // From the first head on, which knows the order that earlier meetings settled.
  const known = only === undefined ? new Set<Migration>() : historyOf(graph, [only]);
  const rest = graph.ordered.filter((migration) => !known.has(migration));
  return { snapshot: replay(rest, only?.snapshot), unordered };
}

/** What two heads do that cannot both be: everything but other tables, and columns of other names. */
export function conflictsOf(graph: Graph): MigrationProblem[] {
  const problems: MigrationProblem[] = [];
  const branches = graph.heads.map((head) => ({ head, history: historyOf(graph, [head]) }));
  for (const [i, one] of branches.entries()) {
    for (const other of branches.slice(i + 1)) {
      const theirs = operationsIn(graph, other.history, (migration) => !one.history.has(migration));
      for (const a of operationsIn(graph, one.history, (migration) => !other.history.has(migration))) {
        const b = theirs.find((b) => isConflict(a, b));
        if (b === undefined) continue;
        const table = tableOf(a)!;
        problems.push({
          kind: "heads",
          migration: other.head.id,
          table,
          message: `${one.head.id} and ${other.head.id} come after the same migration, and both change ${table}`,
          hint: `remove one of them and plan it again after the other`,
        });
        break;
      }
    }
  }
  return problems;
}

function isConflict(a: Operation, b: Operation): boolean {
  const table = tableOf(a);
  if (table === undefined || table !== tableOf(b)) return false;
  if (a.op === "addColumn" && b.op === "addColumn") return a.column.name === b.column.name;
  return !isSameJson(a, b) || a.op !== "alterOptions";
}

/** What each head does that not all others do as well. */
function branchOperations(graph: Graph): { readonly head: Migration; readonly operations: readonly Operation[] }[] {
  const histories = graph.heads.map((head) => historyOf(graph, [head]));
  return graph.heads.map((head, i) => ({
    head,
    operations: operationsIn(graph, histories[i]!, (one) => !histories.every((history) => history.has(one))),
  }));
}

/** The operations of some migrations of a history, in the order in which they are applied. */
function operationsIn(
  graph: Graph,
  history: ReadonlySet<Migration>,
  isWanted: (migration: Migration) => boolean,
): readonly Operation[] {
  return [...history].filter(isWanted)
    .sort((a, b) => graph.ordered.indexOf(a) - graph.ordered.indexOf(b))
    .flatMap(({ ops }) => ops);
}

/** The error for migrations that do not fit each other. */
export function invalidGraph(problems: readonly MigrationProblem[]): Error {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  return new FlussMigrationError("MIGRATION.INVALID", {
    message: `${first!.message}${more}`,
    hint: first!.hint,
    problems,
  });
}
