/**
 * Tables as they are on a cluster.
 *
 * @module
 */
import { bareMessage, FlussError } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import type { LiveTable } from "../schema/descriptor.ts";
import { type Difference, diffSnapshots } from "./diff_tables.ts";
import { belongsTo, type Project, serverOf } from "./project.ts";
import { databaseOf, liveSnapshot, type Snapshot, snapshotOf, type TableSnapshot } from "./snapshot.ts";
import { stateDatabaseOf } from "./state.ts";

/** How many tables are asked for at a time. */
const AT_ONCE = 16;

/** What was found. */
export interface LiveTables {
  /** Tables by their full names, in order. */
  readonly tables: ReadonlyMap<string, LiveTable>;
  /** Tables that this version cannot read, and why. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Reads the tables that belong to a project.
 *
 * @param databases where to look when the project does not say what belongs to it; undefined for everywhere
 */
export async function readLive(
  db: Db,
  project: Project,
  databases: Iterable<string> | undefined,
  options: CallOptions = {},
): Promise<LiveTables> {
  const { include } = project;
  const state = stateDatabaseOf(project);
  const wanted = new Set(databases ?? []);
  const everywhere = await db.admin.databases(options);
  const names: string[] = [];
  for (const database of everywhere.sort()) {
    if (include === undefined && databases !== undefined && !wanted.has(database)) continue;
    let tables: string[];
    try {
      tables = await db.admin.tables(database, options);
    } catch (error) {
      // It was dropped a moment ago.
      if (FlussError.is(error, "SERVER.DATABASE_NOT_EXIST")) continue;
      throw error;
    }
    for (const table of tables.sort()) {
      if (database === state && (table === "migrations" || table === "migration_locks")) continue;
      const name = `${database}.${table}`;
      if (belongsTo(project, name)) names.push(name);
    }
  }
  const tables = new Map<string, LiveTable>();
  const unreadable = new Map<string, string>();
  for (let at = 0; at < names.length; at += AT_ONCE) {
    await Promise.all(
      names.slice(at, at + AT_ONCE).map(async (name) => {
        try {
          const live = await describeTable(db, name, options);
          if (live !== undefined) tables.set(name, live);
        } catch (error) {
          if (!isUnreadable(error)) throw error;
          unreadable.set(name, bareMessage(error));
        }
      }),
    );
  }
  return { tables: new Map([...tables].sort(([a], [b]) => a < b ? -1 : 1)), unreadable };
}

/** Whether an error is about a table that this version cannot read. */
export function isUnreadable(error: unknown): error is FlussError {
  return FlussError.is(error, "CONNECTION.UNSUPPORTED_VERSION") || FlussError.is(error, "CONNECTION.PROTOCOL");
}

/** A table as it is; undefined when there is none. */
export async function describeTable(db: Db, name: string, options: CallOptions = {}): Promise<LiveTable | undefined> {
  try {
    return (await db.admin.describe(name, options)).table;
  } catch (error) {
    if (FlussError.is(error, "SERVER.TABLE_NOT_EXIST") || FlussError.is(error, "SERVER.DATABASE_NOT_EXIST")) {
      return undefined;
    }
    throw error;
  }
}

/** The same as a snapshot. */
export function snapshotOfLive({ tables }: LiveTables): Snapshot {
  return snapshotOf([...tables].map(([name, live]) => [name, liveSnapshot(live)]));
}

/** The databases of tables. */
export function databasesOf(...snapshots: readonly Snapshot[]): Set<string> {
  return new Set(snapshots.flatMap(({ tables }) => Object.keys(tables).map(databaseOf)));
}

/** What is between tables on a cluster and what they should be. The order of columns means nothing here. */
export function diffLive(live: Snapshot, wanted: Snapshot, project: Project): Difference {
  const unordered = new Map(
    Object.entries(live.tables).map(([name, { columns }]) => [name, new Set(columns.map((column) => column.name))]),
  );
  return diffSnapshots(live, wanted, { server: serverOf(project), unordered });
}

/** The same for one table: nothing when it is as it should be. */
export function tableDifferences(name: string, live: TableSnapshot, wanted: TableSnapshot): string[] {
  const unordered = new Map([[name, new Set(live.columns.map((column) => column.name))]]);
  const { operations, blocked } = diffSnapshots(snapshotOf([[name, live]]), snapshotOf([[name, wanted]]), {
    server: "main",
    unordered,
  });
  return [
    ...blocked.filter(({ change }) => change !== "insertColumn").map(({ message }) => message),
    ...operations.map(missingText),
  ];
}

function missingText(op: Difference["operations"][number]): string {
  switch (op.op) {
    case "addColumn":
      return `the column ${JSON.stringify(op.column.name)} is missing`;
    case "alterOptions":
      return [
        ...Object.entries(op.set).map(([key, value]) => `${key} is not ${JSON.stringify(value)}`),
        ...op.remove.map((key) => `${key} is set`),
      ].join(", ");
    default:
      return op.op;
  }
}
