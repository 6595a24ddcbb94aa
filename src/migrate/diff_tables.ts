/**
 * The way from one set of tables to another: what a server can do, what it cannot, and what does not matter.
 *
 * @module
 */
import { OPTION, TYPED_OPTIONS } from "../schema/server_options.ts";
import { typeSnapshotText, withoutComments } from "./column_type.ts";
import { isSameJson } from "./json_text.ts";
import { type Operation, operation } from "./operations.ts";
import { durationNanos, SERVER_WRITTEN } from "./option_values.ts";
import { ABILITIES, type ServerAbilities, type ServerVersion } from "./servers.ts";
import { type ColumnSnapshot, databaseOf, type Snapshot, type TableSnapshot } from "./snapshot.ts";

/** What kind of change a server refuses. */
export type BlockedChange =
  | "dropColumn"
  | "renameColumn"
  | "reorderColumns"
  | "insertColumn"
  | "addNotNull"
  | "addGenerated"
  | "addAggregated"
  | "changeType"
  | "changeNull"
  | "changeAggregation"
  | "changeAutoIncrement"
  | "changePrimaryKey"
  | "changeBucketKey"
  | "changeBuckets"
  | "changePartitions"
  | "changeMergeEngine"
  | "changeOption";

/** A change that servers refuse, and ways around it. */
export interface Blocked {
  /** What kind of change it is. */
  readonly change: BlockedChange;
  /** The table, as `database.table`. */
  readonly table: string;
  /** The column, by its name on the server. */
  readonly column?: string;
  /** What is wanted and why it cannot be, in one line. */
  readonly message: string;
  /** What to do instead. */
  readonly hint: string;
}

/** What is between two snapshots. */
export interface Difference {
  /** What a server can do, in order. */
  readonly operations: readonly Operation[];
  /** What it cannot. */
  readonly blocked: readonly Blocked[];
  /** What it cannot either, and what makes no difference to rows: comments. */
  readonly notes: readonly string[];
}

/** How they are compared. */
export interface DiffOptions {
  /** The servers that migrations are for. */
  readonly server: ServerVersion;
  /** Columns whose order is open, because they were added side by side; by table. Default none. */
  readonly unordered?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Compares two snapshots: what must be done to get from the first to the second. */
export function diffSnapshots(from: Snapshot, to: Snapshot, options: DiffOptions): Difference {
  const operations: Operation[] = [];
  const blocked: Blocked[] = [];
  const notes: string[] = [];
  const databases = new Set(Object.keys(from.tables).map(databaseOf));
  for (const [name, wanted] of Object.entries(to.tables)) {
    const found = Object.hasOwn(from.tables, name) ? from.tables[name] : undefined;
    if (found === undefined) {
      const database = databaseOf(name);
      if (!databases.has(database)) operations.push(operation.createDatabase(database));
      databases.add(database);
      operations.push(operation.createTable(name, wanted));
      continue;
    }
    const one = diffTable(name, found, wanted, ABILITIES[options.server], options.unordered?.get(name) ?? new Set());
    operations.push(...one.operations);
    blocked.push(...one.blocked);
    notes.push(...one.notes);
  }
  // Last, so that what was moved elsewhere is there before its old place is gone.
  for (const name of Object.keys(from.tables)) {
    if (!Object.hasOwn(to.tables, name)) operations.push(operation.dropTable(name));
  }
  return { operations, blocked, notes };
}

function diffTable(
  table: string,
  from: TableSnapshot,
  to: TableSnapshot,
  abilities: ServerAbilities,
  unordered: ReadonlySet<string>,
): Difference {
  const operations: Operation[] = [];
  const notes: string[] = [];
  const blocked: Blocked[] = [
    ...columnChanges(table, from, to, unordered),
    ...keyChanges(table, from, to),
  ];
  const names = new Set(from.columns.map((column) => column.name));
  for (const column of to.columns) {
    if (names.has(column.name)) continue;
    const why = whyNotAdded(table, column, to, abilities);
    if (why === undefined) operations.push(operation.addColumn(table, column));
    else blocked.push(why);
  }
  const options = optionChanges(table, from, to, abilities);
  blocked.push(...options.blocked);
  if (options.operation !== undefined) operations.push(options.operation);
  notes.push(...commentNotes(table, from, to));
  return { operations, blocked, notes };
}

const REBUILD = (table: string) => `or make the table anew: sluice plan --rebuild ${table}`;

function whyNotAdded(
  table: string,
  column: ColumnSnapshot,
  to: TableSnapshot,
  { addsAggregated }: ServerAbilities,
): Blocked | undefined {
  const { name } = column;
  const of = `column ${JSON.stringify(name)}`;
  if (to.primaryKey.includes(name) || to.partitionBy.includes(name)) {
    // What changes is the key, and that is said.
    return {
      change: "addNotNull",
      table,
      column: name,
      message: `${of} is new and part of a key, and rows that are there have no value for it`,
      hint: `leave it out of the key, ${REBUILD(table)}`,
    };
  }
  if (column.autoIncrement) {
    return {
      change: "addGenerated",
      table,
      column: name,
      message: `${of} is new and numbered by the server, which numbers only columns that were there from the start`,
      hint: REBUILD(table).slice(3),
    };
  }
  if (!column.nullable) {
    return {
      change: "addNotNull",
      table,
      column: name,
      message: `${of} is new and NOT NULL, and rows that are there have no value for it`,
      hint: `leave .notNull() out, ${REBUILD(table)}`,
    };
  }
  if (column.aggregate !== undefined && !addsAggregated) {
    return {
      change: "addAggregated",
      table,
      column: name,
      message: `${of} is new and aggregated by ${column.aggregate.fn}, which servers of 0.9.1 forget`,
      hint: `leave .agg() out, ${REBUILD(table)}`,
    };
  }
  return undefined;
}

function* columnChanges(
  table: string,
  from: TableSnapshot,
  to: TableSnapshot,
  unordered: ReadonlySet<string>,
): Iterable<Blocked> {
  const wanted = new Map(to.columns.map((column) => [column.name, column]));
  const had = new Set(from.columns.map((column) => column.name));
  const added = to.columns.filter((column) => !had.has(column.name));
  for (const column of from.columns) {
    const now = wanted.get(column.name);
    if (now === undefined) yield dropped(table, column, added);
    else yield* changed(table, column, now);
  }
  const kept = to.columns.map(({ name }) => name).filter((name) => had.has(name));
  const before = from.columns.map(({ name }) => name).filter((name) => wanted.has(name));
  const fixed = (names: readonly string[]) => names.filter((name) => !unordered.has(name));
  if (!isSameJson(fixed(kept), fixed(before))) {
    yield {
      change: "reorderColumns",
      table,
      message: `its columns are in the order ${list(before)}, and shall be in the order ${list(kept)}`,
      hint: `put them into the order that they have: rows are objects, so it means nothing to them; ${REBUILD(table)}`,
    };
  }
  const lastKept = to.columns.findLastIndex(({ name }) => had.has(name));
  for (const [at, { name }] of to.columns.entries()) {
    if (had.has(name) || at > lastKept) continue;
    yield {
      change: "insertColumn",
      table,
      column: name,
      message: `column ${JSON.stringify(name)} is new and stands before ${
        JSON.stringify(to.columns[lastKept]!.name)
      }, and servers add columns at the end`,
      hint: "move it behind the others",
    };
  }
}

function dropped(table: string, column: ColumnSnapshot, added: readonly ColumnSnapshot[]): Blocked {
  const { name } = column;
  const twin = added.find(({ type, nullable }) =>
    nullable === column.nullable && isSameJson(withoutComments(type), withoutComments(column.type))
  );
  if (twin !== undefined) {
    return {
      change: "renameColumn",
      table,
      column: name,
      message: `column ${JSON.stringify(name)} is gone and ${JSON.stringify(twin.name)} is new, of the same type, ` +
        "and servers rename no columns",
      hint: `keep the name on the server, which costs nothing in TypeScript: ${JSON.stringify(twin.name)}: t....name(${
        JSON.stringify(name)
      }); ${REBUILD(table)}`,
    };
  }
  return {
    change: "dropColumn",
    table,
    column: name,
    message: `column ${JSON.stringify(name)} is gone, and servers drop no columns`,
    hint: `leave it in the schema, ${REBUILD(table)}`,
  };
}

function* changed(table: string, from: ColumnSnapshot, to: ColumnSnapshot): Iterable<Blocked> {
  const { name } = from;
  const of = `column ${JSON.stringify(name)}`;
  const keep = (what: string) => `keep ${what}, ${REBUILD(table)}`;
  if (!isSameJson(withoutComments(from.type), withoutComments(to.type))) {
    yield {
      change: "changeType",
      table,
      column: name,
      message:
        `${of} is ${typeSnapshotText(from.type)} and shall be ${typeSnapshotText(to.type)}, and servers change ` +
        "no types",
      hint: `keep the type, add a column of the new one, ${REBUILD(table)}`,
    };
  }
  if (from.nullable !== to.nullable) {
    yield {
      change: "changeNull",
      table,
      column: name,
      message: to.nullable
        ? `${of} is NOT NULL and shall be nullable, which servers do not change`
        : `${of} is nullable and shall be NOT NULL, which servers do not change`,
      hint: to.nullable ? keep(".notNull()") : `leave .notNull() out, ${REBUILD(table)}`,
    };
  }
  if (!isSameJson(from.aggregate ?? null, to.aggregate ?? null)) {
    const text = ({ aggregate }: ColumnSnapshot) =>
      aggregate === undefined
        ? "nothing in particular"
        : `${aggregate.fn}${aggregate.parameters === undefined ? "" : ` ${JSON.stringify(aggregate.parameters)}`}`;
    yield {
      change: "changeAggregation",
      table,
      column: name,
      message: `${of} is aggregated by ${text(from)} and shall be by ${text(to)}, which servers do not change`,
      hint: keep(".agg()"),
    };
  }
  if (from.autoIncrement !== to.autoIncrement) {
    yield {
      change: "changeAutoIncrement",
      table,
      column: name,
      message: `${of} ${from.autoIncrement ? "is" : "is not"} numbered by the server and ${
        to.autoIncrement ? "shall be" : "shall not be"
      }, which servers do not change`,
      hint: keep(from.autoIncrement ? ".autoIncrement()" : "it as it is"),
    };
  }
}

function* keyChanges(table: string, from: TableSnapshot, to: TableSnapshot): Iterable<Blocked> {
  const pairs = [
    ["changePrimaryKey", "primary key", from.primaryKey, to.primaryKey],
    ["changePartitions", "partition key", from.partitionBy, to.partitionBy],
    ["changeBucketKey", "bucket key", from.bucketKey, to.bucketKey],
  ] as const;
  for (const [change, what, had, wanted] of pairs) {
    if (isSameJson(had, wanted)) continue;
    // The bucket key follows from the primary key unless it is said; one complaint is enough.
    if (change === "changeBucketKey" && !isSameJson(from.primaryKey, to.primaryKey)) continue;
    yield {
      change,
      table,
      message: `the ${what} is ${list(had)} and shall be ${list(wanted)}, and servers change no keys`,
      hint: `keep it, ${REBUILD(table)}`,
    };
  }
  if (to.buckets !== undefined && from.buckets !== to.buckets) {
    yield {
      change: "changeBuckets",
      table,
      message: from.buckets === undefined
        ? `the number of buckets was the server's choice and shall be ${to.buckets}, and servers do not change it`
        : `the table has ${from.buckets} buckets and shall have ${to.buckets}, and servers do not change it`,
      hint: from.buckets === undefined
        ? `leave buckets out, or take what the cluster has with sluice plan --from-live; ${REBUILD(table)}`
        : `keep buckets: ${from.buckets}, ${REBUILD(table)}`,
    };
  }
}

interface OptionChanges {
  readonly operation: Operation | undefined;
  readonly blocked: readonly Blocked[];
}

function optionChanges(
  table: string,
  from: TableSnapshot,
  to: TableSnapshot,
  { options: alterable }: ServerAbilities,
): OptionChanges {
  const set = new Map<string, string>();
  const remove: string[] = [];
  const blocked: Blocked[] = [];
  const keys = new Set([...Object.keys(from.options), ...Object.keys(to.options)]);
  for (const key of [...keys].sort()) {
    const [had, wanted] = [own(from.options, key), own(to.options, key)];
    if (had === wanted || (wanted === undefined && SERVER_WRITTEN.includes(key))) continue;
    if (alterable.includes(key)) {
      if (wanted === undefined) remove.push(key);
      else set.set(key, wanted);
      continue;
    }
    const typed = TYPED_OPTIONS.get(key);
    blocked.push({
      change: typed !== undefined && typed.startsWith("mergeEngine") ? "changeMergeEngine" : "changeOption",
      table,
      message: `${key} is ${quoted(had)} and shall be ${quoted(wanted)}, and these servers do not change it`,
      hint: `keep it as it is, ${REBUILD(table)}`,
    });
  }
  const custom = new Set([...Object.keys(from.customProperties), ...Object.keys(to.customProperties)]);
  for (const key of [...custom].sort()) {
    const [had, wanted] = [own(from.customProperties, key), own(to.customProperties, key)];
    if (had === wanted) continue;
    if (key.startsWith("table.")) {
      blocked.push({
        change: "changeOption",
        table,
        message:
          `the custom property ${key} is ${quoted(had)} and shall be ${quoted(wanted)}, and servers take a name ` +
          'that begins with "table." for an option of their own',
        hint: `use another name, ${REBUILD(table)}`,
      });
    } else if (wanted === undefined) remove.push(key);
    else set.set(key, wanted);
  }
  if (set.size === 0 && remove.length === 0) return { operation: undefined, blocked };
  return { operation: operation.alterOptions(table, Object.fromEntries(set), remove, shrinks(from, to)), blocked };
}

/** Whether rows that are there now would be dropped earlier. */
function shrinks(from: TableSnapshot, to: TableSnapshot): boolean {
  const time = ({ options }: TableSnapshot) => durationNanos(own(options, OPTION.logTtl) ?? "7d") ?? 0n;
  const kept = ({ options }: TableSnapshot) => {
    if (own(options, OPTION.autoPartition) !== "true") return Infinity;
    const count = Number(own(options, OPTION.autoPartitionRetain) ?? 7);
    return count < 0 ? Infinity : count;
  };
  return time(to) < time(from) || kept(to) < kept(from);
}

function* commentNotes(table: string, from: TableSnapshot, to: TableSnapshot): Iterable<string> {
  const had = new Map(from.columns.map((column) => [column.name, column]));
  if ((from.comment ?? "") !== (to.comment ?? "")) yield `the comment of ${table} stays: servers change none`;
  for (const { name, comment, type } of to.columns) {
    const before = had.get(name);
    if (before === undefined) continue;
    const same = (before.comment ?? "") === (comment ?? "");
    const sameInside = isSameJson(before.type, type) ||
      !isSameJson(withoutComments(before.type), withoutComments(type));
    if (same && sameInside) continue;
    yield `the comment of column ${JSON.stringify(name)} of ${table} stays: servers change none`;
  }
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function quoted(value: string | undefined): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.map((name) => JSON.stringify(name)).join(", ");
}
