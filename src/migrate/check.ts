/**
 * `check`: whether the migrations of a folder fit each other, without a cluster.
 *
 * @module
 */
import { bareMessage, FlussError, type FlussMigrationError, type MigrationProblem } from "../base/errors.ts";
import { diffSnapshots } from "./diff_tables.ts";
import { type Migration, readMigrations } from "./folder.ts";
import { conflictsOf, type Graph, graphOf, historyOf, invalidGraph, replay } from "./graph.ts";
import { isSameJson } from "./json_text.ts";
import { type Operation, operationText } from "./operations.ts";
import { type Project, serverOf } from "./project.ts";
import { TODO_MARK } from "./rebuild_marks.ts";
import { EMPTY, hashOf, type Snapshot, snapshotOf } from "./snapshot.ts";

/** What `check` found. */
export interface CheckResult {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** How many migrations there are. */
  readonly migrations: number;
  /** The last migrations; several where branches met and the next plan will join them. */
  readonly heads: readonly string[];
  /** What is wrong. */
  readonly problems: readonly MigrationProblem[];
}

/** Looks at all migrations of a project. */
export async function check(project: Project): Promise<CheckResult> {
  let migrations: Migration[];
  try {
    migrations = await readMigrations(project.out);
  } catch (error) {
    if (!FlussError.is(error, "MIGRATION.INVALID")) throw error;
    const { problems } = error as FlussMigrationError;
    return { ok: false, migrations: 0, heads: [], problems };
  }
  const { graph, problems } = await look(migrations, project);
  return {
    ok: problems.length === 0,
    migrations: migrations.length,
    heads: graph.heads.map(({ id }) => id),
    problems,
  };
}

/**
 * The migrations of a project, when nothing is wrong with them.
 *
 * @param purpose to `run` them, data steps must be complete
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export async function soundGraph(project: Project, purpose: "read" | "run" = "read"): Promise<Graph> {
  const { graph, problems: all } = await look(await readMigrations(project.out), project);
  const problems = all.filter(({ kind }) => purpose === "run" || kind !== "data");
  if (problems.length > 0) throw invalidGraph(problems);
  return graph;
}

async function look(migrations: readonly Migration[], project: Project) {
  const { graph, problems } = graphOf(migrations);
  const ofEach = await Promise.all(graph.ordered.map((migration) => problemsOf(migration, graph, project)));
  return { graph, problems: [...problems, ...ofEach.flat(), ...conflictsOf(graph)] };
}

async function problemsOf(migration: Migration, graph: Graph, project: Project): Promise<MigrationProblem[]> {
  const { id, snapshot, to, from, ops, data } = migration;
  const problems: MigrationProblem[] = [];
  const add = (kind: string, message: string, hint: string) =>
    problems.push({ kind, migration: id, message: `${id}: ${message}`, hint });
  const restore = "restore it from version control, or remove it and plan again";
  if (await hashOf(snapshot) !== to) add("checksum", "snapshot.json is not what migration.json says", restore);
  const before = beforeOf(migration, graph);
  if (before !== undefined) {
    const [only] = before.parents;
    const start = before.parents.length === 1 ? only!.to : before.parents.length === 0 ? await hashOf(EMPTY) : from;
    if (start !== from) add("checksum", "it does not begin where the migration before it ends", restore);
    const after = replayed(before.snapshot, ops);
    if (typeof after === "string") add("operations", after, restore);
    else if (!isSameJson(unordered(after), unordered(snapshot))) {
      add("operations", "its operations do not lead to its snapshot", restore);
    } else {
      for (const message of beyond(before.snapshot, ops, serverOf(project))) {
        add("blocked", message, "plan it again, or say server in the config");
      }
    }
  }
  if (data?.includes(TODO_MARK)) {
    add("data", `data.ts has places that say ${TODO_MARK}`, "say there what the values become");
  }
  return problems;
}

/** What the tables were like before a migration; undefined where a parent is missing. */
function beforeOf(
  { parents }: Migration,
  graph: Graph,
): { readonly parents: readonly Migration[]; readonly snapshot: Snapshot } | undefined {
  const found = parents.map((hash) => graph.ordered.find((migration) => migration.hash === hash));
  if (found.includes(undefined)) return undefined;
  const known = found as Migration[];
  if (known.length < 2) return { parents: known, snapshot: known[0]?.snapshot ?? EMPTY };
  const all = historyOf(graph, known);
  try {
    return { parents: known, snapshot: replay(graph.ordered.filter((migration) => all.has(migration))) };
  } catch {
    // The heads contradicted each other, which is told of them.
    return undefined;
  }
}

function replayed(from: Snapshot, ops: readonly Operation[]): Snapshot | string {
  try {
    return replay([{ ops }], from);
  } catch (error) {
    if (FlussError.is(error)) return bareMessage(error);
    throw error;
  }
}

/** The order of columns is open where branches met. */
function unordered(snapshot: Snapshot): Snapshot {
  return snapshotOf(
    Object.entries(snapshot.tables).map(([name, table]) => [
      name,
      { ...table, columns: [...table.columns].sort((a, b) => a.name < b.name ? -1 : 1) },
    ]),
  );
}

/** Operations that the servers of the project do not have. */
function beyond(from: Snapshot, ops: readonly Operation[], server: ReturnType<typeof serverOf>): string[] {
  const wrong: string[] = [];
  let before = from;
  for (const op of ops) {
    const after = replay([{ ops: [op] }], before);
    if (op.op === "addColumn" || op.op === "alterOptions") {
      const { blocked } = diffSnapshots(before, after, { server });
      wrong.push(...blocked.map(({ message }) => `cannot ${operationText(op)}: ${message}`));
    }
    before = after;
  }
  return wrong;
}
