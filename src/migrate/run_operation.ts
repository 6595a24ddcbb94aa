/**
 * One operation on a cluster: looked at, done, and looked at again.
 *
 * @module
 */
import { Alarms } from "../base/alarms.ts";
import { FlussError, FlussMigrationError } from "../base/errors.ts";
import { backOffMs, Deadline } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import type { AnyColumn } from "../schema/column.ts";
import { columnOf } from "../schema/column_spec.ts";
import { attachDefinition } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { definitionFromLive } from "../schema/live_definition.ts";
import { readType, withoutComments } from "./column_type.ts";
import { isSameJson } from "./json_text.ts";
import { describeTable, tableDifferences } from "./live.ts";
import { type Operation, operationText } from "./operations.ts";
import { canonicalOptions } from "./option_values.ts";
import {
  asLiveTable,
  type ColumnSnapshot,
  databaseOf,
  liveSnapshot,
  type Snapshot,
  type TableSnapshot,
} from "./snapshot.ts";

/** How long what was done may take to show. */
const SHOWS_MS = 15_000;

/** Where a cluster is, as one operation sees it. */
export type Standing =
  /** It is to be done. */
  | { readonly is: "ready" }
  /** It was done already. */
  | { readonly is: "done" }
  /** It cannot be done, and was not. */
  | { readonly is: "conflict"; readonly why: readonly string[] };

/** Looks whether an operation is to be done. */
export async function standingOf(db: Db, op: Operation, signal?: AbortSignal): Promise<Standing> {
  if (op.op === "createDatabase") {
    return await db.admin.databaseExists(op.database, { signal }) ? DONE : READY;
  }
  const live = await describeTable(db, op.table, { signal });
  const found = live === undefined ? undefined : liveSnapshot(live);
  switch (op.op) {
    case "createTable":
    case "adoptTable": {
      if (found === undefined) return READY;
      const why = tableDifferences(op.table, found, op.definition);
      return why.length === 0 ? DONE : { is: "conflict", why };
    }
    case "dropTable":
      return found === undefined ? DONE : READY;
    case "addColumn": {
      if (found === undefined) return { is: "conflict", why: ["there is no such table"] };
      const column = found.columns.find(({ name }) => name === op.column.name);
      if (column === undefined) return READY;
      if (isSameColumn(column, op.column)) return DONE;
      return { is: "conflict", why: [`there is a column ${JSON.stringify(column.name)} of another kind`] };
    }
    case "alterOptions": {
      if (found === undefined) return { is: "conflict", why: ["there is no such table"] };
      return isSet(found, op.set, op.remove) ? DONE : READY;
    }
  }
}

const READY: Standing = { is: "ready" };
const DONE: Standing = { is: "done" };

/** How an operation is run. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Asked right before something is done; throws when it must not be. */
  readonly confirm?: () => Promise<void>;
  /** The tables as they must be before it. Default: whatever they are. */
  readonly expected?: Snapshot;
}

/** A table that somebody altered by hand is not altered further, and not dropped. */
async function refuseDrift(
  db: Db,
  op: Operation,
  migration: string,
  expected: Snapshot | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (op.op !== "addColumn" && op.op !== "alterOptions" && op.op !== "dropTable") return;
  const wanted = expected !== undefined && Object.hasOwn(expected.tables, op.table)
    ? expected.tables[op.table]
    : undefined;
  const live = wanted === undefined ? undefined : await describeTable(db, op.table, { signal });
  if (wanted === undefined || live === undefined) return;
  const why = tableDifferences(op.table, liveSnapshot(live), wanted);
  if (why.length > 0) throw drift(op, migration, why);
}

/**
 * Does an operation, unless it was done already, and waits until it shows.
 *
 * @returns whether there was something to do
 * @throws FlussMigrationError `MIGRATION.DRIFT` when the cluster is not as it must be for it; `MIGRATION.BLOCKED` when
 * the server refuses it
 */
export async function runOperation(
  db: Db,
  op: Operation,
  migration: string,
  { signal, confirm, expected }: RunOptions = {},
): Promise<boolean> {
  const standing = await standingOf(db, op, signal);
  if (standing.is === "done") return false;
  if (standing.is === "conflict") throw drift(op, migration, standing.why);
  await refuseDrift(db, op, migration, expected, signal);
  await confirm?.();
  try {
    await perform(db, op, signal);
  } catch (error) {
    if (!FlussError.is(error, "SERVER.INVALID_ALTER_TABLE_EXCEPTION")) throw error;
    // Somebody else may have been faster.
    if ((await standingOf(db, op, signal)).is !== "done") {
      throw new FlussMigrationError("MIGRATION.BLOCKED", {
        message: `the server cannot ${operationText(op)}: ${error.message}`,
        hint: "say the version of the servers in the config (server), and plan again",
        cause: error,
        problems: [{ kind: "refused", migration, message: error.message }],
      });
    }
  }
  const deadline = new Deadline(new Alarms(), SHOWS_MS, signal);
  for (let attempt = 1;; attempt++) {
    const after = await standingOf(db, op, signal);
    if (after.is === "done") return true;
    // A server may be asked that has not heard of it yet; or the next holder of the lock has gone on.
    await confirm?.();
    if (deadline.remainingMs === 0) {
      const why = after.is === "conflict" ? after.why : ["it was done, and does not show"];
      throw drift(op, migration, why);
    }
    await deadline.pause(Math.min(backOffMs(attempt), deadline.remainingMs), operationText(op)).catch((error) => {
      if (!FlussError.is(error, "TIMEOUT.REQUEST")) throw error;
    });
  }
}

async function perform(db: Db, op: Operation, signal: AbortSignal | undefined): Promise<void> {
  switch (op.op) {
    case "createDatabase":
      return await db.admin.createDatabase(op.database, { ignoreIfExists: true, signal });
    case "createTable":
      return await db.admin.create(declaredTable(op.table, op.definition), { ignoreIfExists: true, signal });
    case "adoptTable":
      await db.admin.createDatabase(databaseOf(op.table), { ignoreIfExists: true, signal });
      return await db.admin.create(declaredTable(op.table, op.definition), { ignoreIfExists: true, signal });
    case "addColumn":
      return await db.admin.alter(op.table, { addColumns: { added: columnFor(op.column) } }, { signal });
    case "alterOptions":
      return await db.admin.alter(op.table, { setOptions: op.set, removeOptions: op.remove }, { signal });
    case "dropTable":
      return await db.admin.drop(op.table, { ignoreIfNotExists: true, signal });
  }
}

/** A table value that says what a snapshot says. It has no types, and is for making the table alone. */
export function declaredTable(name: string, table: TableSnapshot): AnyTable {
  const at = name.indexOf(".");
  const path = { database: name.slice(0, at), table: name.slice(at + 1) };
  const definition = definitionFromLive(path, asLiveTable(table));
  // What follows from the primary key is left to the server, unless the number of buckets is said beside it.
  const { bucketKey: _, ...rest } = definition;
  const value = { name };
  attachDefinition(value, table.buckets === undefined && isUsualBucketKey(table) ? rest : definition);
  return value as unknown as AnyTable;
}

function isUsualBucketKey({ primaryKey, partitionBy, bucketKey }: TableSnapshot): boolean {
  return isSameJson(bucketKey, primaryKey.filter((key) => !partitionBy.includes(key)));
}

/** The run-time side of a column, as {@linkcode columnOf} makes it. */
interface ColumnMethods {
  name(physical: string): ColumnMethods;
  comment(text: string): ColumnMethods;
  agg(fn: string, parameters?: Readonly<Record<string, string>>): ColumnMethods;
}

function columnFor({ name, type, nullable, comment, aggregate }: ColumnSnapshot): AnyColumn {
  let column = (columnOf(readType(type, nullable)) as ColumnMethods).name(name);
  if (comment !== undefined) column = column.comment(comment);
  if (aggregate !== undefined) column = column.agg(aggregate.fn, aggregate.parameters);
  return column as unknown as AnyColumn;
}

function isSameColumn(live: ColumnSnapshot, wanted: ColumnSnapshot): boolean {
  return live.nullable === wanted.nullable && isSameJson(withoutComments(live.type), withoutComments(wanted.type)) &&
    isSameJson(live.aggregate ?? null, wanted.aggregate ?? null);
}

function isSet(
  table: TableSnapshot,
  set: Readonly<Record<string, string>>,
  remove: readonly string[],
): boolean {
  const context = { keyed: table.primaryKey.length > 0, partitionColumns: table.partitionBy.length };
  const has = (key: string) => {
    const place = key.startsWith("table.") ? table.options : table.customProperties;
    return Object.hasOwn(place, key) ? place[key] : undefined;
  };
  const options = Object.entries(set).filter(([key]) => key.startsWith("table."));
  // A default that is written out is the same as nothing.
  const wanted = canonicalOptions(Object.fromEntries(options), context);
  return Object.entries(set).every(([key, value]) =>
    has(key) === (key.startsWith("table.") ? Object.hasOwn(wanted, key) ? wanted[key] : undefined : value)
  ) && remove.every((key) => has(key) === undefined);
}

function drift(op: Operation, migration: string, why: readonly string[]): Error {
  const table = op.op === "createDatabase" ? undefined : op.table;
  return new FlussMigrationError("MIGRATION.DRIFT", {
    table,
    message: `${migration} cannot ${operationText(op)}: ${why.join("; ")}`,
    problems: why.map((message) => ({ kind: "drift", migration, ...(table === undefined ? {} : { table }), message })),
  });
}
