/**
 * `plan`: the next migration, from where the last one ends to the declared tables. Needs no cluster.
 *
 * @module
 */
import { FlussMigrationError, type MigrationProblem } from "../base/errors.ts";
import { soundGraph } from "./check.ts";
import { type Blocked, type Difference, diffSnapshots } from "./diff_tables.ts";
import { type Migration, newId, writeMigration } from "./folder.ts";
import { mergeHeads } from "./graph.ts";
import { applyTo, type Operation, operationText } from "./operations.ts";
import { declaredSnapshot, type Project, serverOf } from "./project.ts";
import { hashOf, type Snapshot, snapshotOf } from "./snapshot.ts";

/** Options of {@linkcode plan}. */
export interface PlanOptions {
  /** What the migration is for; part of its name. Default: what its first operation does. */
  readonly name?: string | undefined;
  /** True: say what would be planned, and write nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** The time that the migration is named by. Default now. */
  readonly now?: Date | undefined;
}

/** What `plan` did. */
export interface PlanResult {
  /** It went well. */
  readonly ok: true;
  /** The new migration; null when there is nothing to do. */
  readonly migration: string | null;
  /** Its folder. */
  readonly folder: string | null;
  /** What is done, in order. */
  readonly operations: readonly Operation[];
  /** Differences that no server can take away and that mean nothing to rows. */
  readonly notes: readonly string[];
}

/**
 * Plans the next migration.
 *
 * @throws FlussMigrationError `MIGRATION.BLOCKED` when servers refuse a change; nothing is written then. `.INVALID`
 * when the migrations that are there do not fit each other
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 * import { plan } from "sluice/migrate";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 *
 * export async function planned(): Promise<number> {
 *   return (await plan({ tables: [users], out: "./migrations" }, { name: "users" })).operations.length;
 * }
 * ```
 */
export async function plan(project: Project, options: PlanOptions = {}): Promise<PlanResult> {
  const graph = await soundGraph(project);
  const { snapshot: before, unordered } = mergeHeads(graph);
  const wanted = declaredSnapshot(project);
  const difference = diffSnapshots(before, wanted, { server: serverOf(project), unordered });
  refuseBlocked(difference);
  const { operations, notes } = difference;
  if (operations.length === 0) return { ok: true, migration: null, folder: null, operations, notes };
  const after = settled(operations.reduce(applyTo, before), wanted, unordered);
  if (options.dryRun) return { ok: true, migration: null, folder: null, operations, notes };
  const migration = await addMigration(project, graph.heads, graph.ordered, {
    name: options.name ?? nameFor(operations),
    now: options.now ?? new Date(),
    before,
    after,
    operations,
  });
  return { ok: true, migration: migration.id, folder: `${project.out}/${migration.id}`, operations, notes };
}

/** A migration to write. */
export interface NewMigration {
  readonly name: string;
  readonly now: Date;
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly operations: readonly Operation[];
  readonly data?: string;
}

/** Writes a migration behind others. */
export async function addMigration(
  project: Project,
  heads: readonly Migration[],
  known: readonly Migration[],
  { name, now, before, after, operations, data }: NewMigration,
): Promise<Migration> {
  const file = {
    id: newId(name, now, known.map(({ id }) => id)),
    parents: heads.map(({ hash }) => hash).sort(),
    from: await hashOf(before),
    to: await hashOf(after),
    ops: operations,
  };
  return await writeMigration(project.out, file, after, data);
}

/** @throws FlussMigrationError `MIGRATION.BLOCKED` */
export function refuseBlocked({ blocked }: Pick<Difference, "blocked">): void {
  const [first] = blocked;
  if (first === undefined) return;
  const more = blocked.length > 1 ? ` (and ${blocked.length - 1} more)` : "";
  throw new FlussMigrationError("MIGRATION.BLOCKED", {
    table: first.table,
    message: `${first.message}${more}`,
    hint: first.hint,
    problems: blocked.map(problemOf),
  });
}

/** A blocked change as errors carry it. */
export function problemOf({ change, table, column, message, hint }: Blocked): MigrationProblem {
  return { kind: change, table, ...(column === undefined ? {} : { column }), message: `${table}: ${message}`, hint };
}

/** Columns that branches added side by side take the order of the schema. */
export function settled(
  after: Snapshot,
  wanted: Snapshot,
  unordered: ReadonlyMap<string, ReadonlySet<string>>,
): Snapshot {
  return snapshotOf(
    Object.entries(after.tables).map(([name, table]) => {
      const order = wanted.tables[name]?.columns.map((column) => column.name);
      if (order === undefined || !unordered.has(name)) return [name, table];
      const columns = [...table.columns].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
      return [name, { ...table, columns }];
    }),
  );
}

/** A name from what is done. */
export function nameFor(operations: readonly Operation[]): string {
  const [first] = operations.filter(({ op }) => op !== "createDatabase");
  if (first === undefined) return operationText(operations[0]!);
  const more = operations.filter(({ op }) => op !== "createDatabase").length > 1 ? " and more" : "";
  const short = (table: string) => table.slice(table.indexOf(".") + 1);
  switch (first.op) {
    case "addColumn":
      return `add ${first.column.name}${more}`;
    case "createTable":
      return `create ${short(first.table)}${more}`;
    case "adoptTable":
      return `adopt ${short(first.table)}${more}`;
    case "dropTable":
      return `drop ${short(first.table)}${more}`;
    default:
      return `alter ${"table" in first ? short(first.table) : first.database}${more}`;
  }
}
