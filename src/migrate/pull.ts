/**
 * `pull`: an existing cluster as a schema module, and as the migration that every later one comes after.
 *
 * @module
 */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { flussError, FlussMigrationError, type MigrationProblem } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import { OPTION } from "../schema/server_options.ts";
import { soundGraph } from "./check.ts";
import { diffSnapshots } from "./diff_tables.ts";
import { mergeHeads } from "./graph.ts";
import { databasesOf, readLive, snapshotOfLive } from "./live.ts";
import { applyTo, type Operation, operation } from "./operations.ts";
import { addMigration, nameFor, type PlanOptions, type PlanResult, refuseBlocked, settled } from "./plan.ts";
import { belongsTo, declaredSnapshot, type Project, serverOf } from "./project.ts";
import { rowTypesSource } from "./row_types.ts";
import { nameTables, schemaSource } from "./source.ts";
import { type Snapshot, snapshotOf, type TableSnapshot } from "./snapshot.ts";
import { unreadableProblems } from "./status.ts";

/** Options of {@linkcode pull}. */
export interface PullOptions extends CallOptions {
  /** The module to write. */
  readonly file: string;
  /** True: write row types, too, into a module beside it. Default false. */
  readonly types?: boolean | undefined;
  /** True: replace the files if they are there. Default false. */
  readonly overwrite?: boolean | undefined;
  /** The time that the migration is named by. Default now. */
  readonly now?: Date | undefined;
}

/** What `pull` did. */
export interface PullResult {
  /** It went well. */
  readonly ok: true;
  /** The files that were written. */
  readonly files: readonly string[];
  /** The tables in them. */
  readonly tables: readonly string[];
  /** Tables that were left out, and why. */
  readonly left: readonly MigrationProblem[];
  /** The migration that takes the tables as they are; null where the last one ends there already. */
  readonly migration: string | null;
}

/**
 * Writes the tables of a cluster down. A plan after it is empty.
 *
 * @throws FlussUsageError `MIGRATION.CONFIG` for a file that is there
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export async function pull(db: Db, project: Project, options: PullOptions): Promise<PullResult> {
  const { file, types = false, overwrite = false, now = new Date() } = options;
  const typesFile = file.replace(/(\.[cm]?ts)?$/, "_types.ts");
  const files = types ? [file, typesFile] : [file];
  if (!overwrite) { for (const each of files) await refuseExisting(each); }
  const graph = await soundGraph(project);
  const { snapshot: before } = mergeHeads(graph);
  const everywhere = project.include === undefined && project.database === undefined;
  const live = await readLive(
    db,
    project,
    everywhere ? undefined : [project.database!, ...databasesOf(before)],
    options,
  );
  const pulled = await portable(db, snapshotOfLive(live), options);
  const named = nameTables(pulled);
  const known = new Set(named.tables.map(({ name }) => name));
  const adopted = snapshotOf(Object.entries(pulled.tables).filter(([name]) => known.has(name)));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, schemaSource(named));
  if (types) await writeFile(typesFile, rowTypesSource(named.tables));
  // What is there and cannot be declared is not gone.
  const isThere = (name: string) => Object.hasOwn(pulled.tables, name) || live.unreadable.has(name);
  const operations = adoption(before, adopted, project, isThere);
  const migration = operations.length === 0 ? null : await addMigration(project, graph.heads, graph.ordered, {
    name: "pull",
    now,
    before,
    after: operations.reduce(applyTo, before),
    operations,
  });
  return {
    ok: true,
    files,
    tables: [...known],
    left: [
      ...unreadableProblems(live.unreadable),
      ...[...named.left].map(([table, why]) => ({
        kind: "undeclarable",
        table,
        message: `${table}: no declaration can stand for it: ${why}`,
        hint: 'it can be read and written by its name: db.table("...")',
      })),
    ],
    migration: migration?.id ?? null,
  };
}

/**
 * Plans from what is on the cluster, and not from where the last migration ends: what drifted is taken as it is first.
 *
 * @throws FlussMigrationError `MIGRATION.BLOCKED`, `.INVALID`
 */
export async function planFromLive(
  db: Db,
  project: Project,
  options: PlanOptions & CallOptions = {},
): Promise<PlanResult> {
  const graph = await soundGraph(project);
  const { snapshot: before } = mergeHeads(graph);
  const wanted = declaredSnapshot(project);
  const live = await readLive(db, project, databasesOf(before, wanted), options);
  const found = await portable(db, snapshotOfLive(live), options);
  // Tables that nobody declared and no migration made are somebody else's.
  const ours = snapshotOf(
    Object.entries(found.tables).filter(([name]) =>
      Object.hasOwn(wanted.tables, name) || Object.hasOwn(before.tables, name)
    ).map(([name, { buckets, ...table }]) => {
      // What was the server's choice stays so, until somebody says a number.
      const said = before.tables[name]?.buckets ?? wanted.tables[name]?.buckets;
      return [name, said === undefined || buckets === undefined ? table : { ...table, buckets }];
    }),
  );
  const hidden = unreadableProblems(live.unreadable).filter(({ table }) =>
    Object.hasOwn(wanted.tables, table!) || Object.hasOwn(before.tables, table!)
  );
  if (hidden.length > 0) {
    const { table, message, hint } = hidden[0]!;
    throw new FlussMigrationError("MIGRATION.BLOCKED", { table, message, hint, problems: hidden });
  }
  const adopted = adoption(before, ours, project, () => false);
  const middle = adopted.reduce(applyTo, before);
  const unordered = new Map(
    Object.entries(middle.tables).map(([name, { columns }]) => [name, new Set(columns.map((column) => column.name))]),
  );
  const difference = diffSnapshots(middle, wanted, { server: serverOf(project), unordered });
  refuseBlocked(difference);
  const operations = [...adopted, ...difference.operations];
  const { notes } = difference;
  if (operations.length === 0 || options.dryRun) return { ok: true, migration: null, folder: null, operations, notes };
  const migration = await addMigration(project, graph.heads, graph.ordered, {
    name: options.name ?? nameFor(operations),
    now: options.now ?? new Date(),
    before,
    after: settled(difference.operations.reduce(applyTo, middle), wanted, unordered),
    operations,
  });
  return { ok: true, migration: migration.id, folder: `${project.out}/${migration.id}`, operations, notes };
}

/** What leads from where the migrations end to what is there: steps where there are some, and tables as a whole. */
function adoption(
  before: Snapshot,
  live: Snapshot,
  project: Project,
  isThere: (table: string) => boolean,
): Operation[] {
  const operations: Operation[] = [];
  for (const [name, table] of Object.entries(live.tables)) {
    const known = Object.hasOwn(before.tables, name) ? before.tables[name] : undefined;
    if (known === undefined) {
      operations.push(operation.adoptTable(name, table));
      continue;
    }
    const unordered = new Map([[name, new Set(known.columns.map((column) => column.name))]]);
    const one = (table: TableSnapshot) => snapshotOf([[name, table]]);
    const { operations: steps, blocked } = diffSnapshots(one(known), one(table), {
      server: serverOf(project),
      unordered,
    });
    if (blocked.length === 0) operations.push(...steps);
    else operations.push(operation.adoptTable(name, table));
  }
  for (const name of Object.keys(before.tables)) {
    if (!Object.hasOwn(live.tables, name) && !isThere(name) && belongsTo(project, name)) {
      operations.push(operation.dropTable(name));
    }
  }
  return operations;
}

/** Without what a server writes into every table: it is the cluster's choice, and another cluster has another. */
async function portable(db: Db, live: Snapshot, options: CallOptions): Promise<Snapshot> {
  let replicas = "1";
  try {
    const entry = (await db.admin.config(options)).find(({ key }) => key === "default.replication.factor");
    replicas = entry?.value ?? replicas;
  } catch {
    // Not everybody may look at the settings of the cluster.
  }
  const usual: Readonly<Record<string, string>> = {
    [OPTION.replicationFactor]: replicas,
    "table.kv.standby-replica.enabled": "true",
  };
  return snapshotOf(
    Object.entries(live.tables).map(([name, table]) => [name, {
      ...table,
      options: Object.fromEntries(Object.entries(table.options).filter(([key, value]) => usual[key] !== value)),
    }]),
  );
}

async function refuseExisting(file: string): Promise<void> {
  const found = await stat(file).then(() => true, () => false);
  if (!found) return;
  throw flussError("MIGRATION.CONFIG", {
    message: `${file} is there already`,
    hint: `write to another file with --file, or replace it with --allow overwrite:${file}`,
  });
}
