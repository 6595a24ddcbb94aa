/**
 * What migrations are made of: operations that a server can do, each with what must hold before and after it.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { typeSnapshotText } from "./column_type.ts";
import {
  type ColumnSnapshot,
  readColumn,
  readName,
  readTable,
  recordOf,
  type Snapshot,
  snapshotOf,
  type TableSnapshot,
  textOf,
  textRecordOf,
  textsOf,
} from "./snapshot.ts";

/** Makes a database where there is none. Databases are never dropped: they may hold what is not ours. */
export interface CreateDatabase {
  /** Which operation it is. */
  readonly op: "createDatabase";
  /** Its name. */
  readonly database: string;
  /** Whether rows can be lost. */
  readonly class: "additive";
  /** What must hold before it. */
  readonly precheck: "none";
  /** What holds after it; where it does already, there is nothing to do. */
  readonly postcheck: "databasePresent";
}

/** Makes a table. */
export interface CreateTable {
  /** Which operation it is. */
  readonly op: "createTable";
  /** The table, as `database.table`. */
  readonly table: string;
  /** What the table is like. */
  readonly definition: TableSnapshot;
  /** Whether rows can be lost. */
  readonly class: "additive";
  /** What must hold before it. */
  readonly precheck: "tableMissing";
  /** What holds after it; where it does already, there is nothing to do. */
  readonly postcheck: "tablePresent";
}

/** Takes a table as it is on the cluster into the project; makes it on clusters that lack it. */
export interface AdoptTable {
  /** Which operation it is. */
  readonly op: "adoptTable";
  /** The table, as `database.table`. */
  readonly table: string;
  /** What the table is like. */
  readonly definition: TableSnapshot;
  /** Whether rows can be lost. */
  readonly class: "additive";
  /** What must hold before it. */
  readonly precheck: "tableMissing";
  /** What holds after it; where it does already, there is nothing to do. */
  readonly postcheck: "tablePresent";
}

/** Adds a nullable column behind the others. */
export interface AddColumn {
  /** Which operation it is. */
  readonly op: "addColumn";
  /** The table, as `database.table`. */
  readonly table: string;
  /** The column. */
  readonly column: ColumnSnapshot;
  /** Whether rows can be lost. */
  readonly class: "additive";
  /** What must hold before it. */
  readonly precheck: "columnMissing";
  /** What holds after it; where it does already, there is nothing to do. */
  readonly postcheck: "columnPresent";
}

/** Sets and removes options and custom properties. Destructive where rows are kept for a shorter time than before. */
export interface AlterOptions {
  /** Which operation it is. */
  readonly op: "alterOptions";
  /** The table, as `database.table`. */
  readonly table: string;
  /** Options and custom properties by name, in one spelling. */
  readonly set: Readonly<Record<string, string>>;
  /** Names of options and custom properties. */
  readonly remove: readonly string[];
  /** Whether rows can be lost. */
  readonly class: "additive" | "destructive";
  /** What `--allow` must name, where it is destructive. */
  readonly grant?: string;
  /** What must hold before it. */
  readonly precheck: "tablePresent";
  /** What holds after it; where it does already, there is nothing to do. */
  readonly postcheck: "optionsSet";
}

/** Drops a table with all its rows. */
export interface DropTable {
  /** Which operation it is. */
  readonly op: "dropTable";
  /** The table, as `database.table`. */
  readonly table: string;
  /** Whether rows can be lost. */
  readonly class: "destructive";
  /** What `--allow` must name. */
  readonly grant: string;
  /** What must hold before it. */
  readonly precheck: "tablePresent";
  /** What holds after it; where it does already, there is nothing to do. */
  readonly postcheck: "tableMissing";
}

/** One step of a migration. */
export type Operation = CreateDatabase | CreateTable | AdoptTable | AddColumn | AlterOptions | DropTable;

/** The operations as they are made: the checks follow from what they are. */
export const operation = {
  createDatabase: (database: string): CreateDatabase => ({
    op: "createDatabase",
    database,
    class: "additive",
    precheck: "none",
    postcheck: "databasePresent",
  }),
  createTable: (table: string, definition: TableSnapshot): CreateTable => ({
    op: "createTable",
    table,
    definition,
    class: "additive",
    precheck: "tableMissing",
    postcheck: "tablePresent",
  }),
  adoptTable: (table: string, definition: TableSnapshot): AdoptTable => ({
    op: "adoptTable",
    table,
    definition,
    class: "additive",
    precheck: "tableMissing",
    postcheck: "tablePresent",
  }),
  addColumn: (table: string, column: ColumnSnapshot): AddColumn => ({
    op: "addColumn",
    table,
    column,
    class: "additive",
    precheck: "columnMissing",
    postcheck: "columnPresent",
  }),
  alterOptions: (
    table: string,
    set: Readonly<Record<string, string>>,
    remove: readonly string[],
    shrinks: boolean,
  ): AlterOptions => ({
    op: "alterOptions",
    table,
    set,
    remove,
    ...(shrinks ? { class: "destructive", grant: `expire:${table}` } : { class: "additive" }),
    precheck: "tablePresent",
    postcheck: "optionsSet",
  }),
  dropTable: (table: string): DropTable => ({
    op: "dropTable",
    table,
    class: "destructive",
    grant: `drop-table:${table}`,
    precheck: "tablePresent",
    postcheck: "tableMissing",
  }),
} as const;

/** The grant that an operation needs; undefined when it destroys nothing. */
export function grantOf(op: Operation): string | undefined {
  return op.class === "destructive" ? op.grant : undefined;
}

/** The table that an operation is about. */
export function tableOf(op: Operation): string | undefined {
  return op.op === "createDatabase" ? undefined : op.table;
}

/** An operation in one line, for people. Names may come from anybody. */
export function operationText(op: Operation): string {
  switch (op.op) {
    case "createDatabase":
      return `create database ${op.database}`;
    case "createTable":
      return `create table ${op.table} (${op.definition.columns.length} columns)`;
    case "adoptTable":
      return `adopt table ${op.table} (${op.definition.columns.length} columns)`;
    case "addColumn":
      return `add column ${JSON.stringify(op.column.name)} ${typeSnapshotText(op.column.type)} to ${op.table}`;
    case "alterOptions": {
      const set = Object.entries(op.set).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
      return `alter ${op.table}: ${[...set, ...op.remove.map((key) => `remove ${key}`)].join(", ")}`;
    }
    case "dropTable":
      return `drop table ${op.table} with all its rows`;
  }
}

/**
 * What tables are like after an operation.
 *
 * @throws FlussMigrationError `MIGRATION.INVALID` when it cannot be done there
 */
export function applyTo(snapshot: Snapshot, op: Operation): Snapshot {
  if (op.op === "createDatabase") return snapshot;
  const { table: name } = op;
  const tables = new Map(Object.entries(snapshot.tables));
  const found = tables.get(name);
  if (op.op === "createTable" || op.op === "adoptTable") {
    if (found !== undefined && op.op === "createTable") throw impossible(op, "the table is there already");
    tables.set(name, op.definition);
    return snapshotOf(tables);
  }
  if (found === undefined) throw impossible(op, "there is no such table");
  if (op.op === "dropTable") {
    tables.delete(name);
    return snapshotOf(tables);
  }
  if (op.op === "addColumn") {
    if (found.columns.some((column) => column.name === op.column.name)) throw impossible(op, "the column is there");
    tables.set(name, { ...found, columns: [...found.columns, op.column] });
    return snapshotOf(tables);
  }
  const kept = (record: Readonly<Record<string, string>>, ours: boolean) =>
    Object.fromEntries(
      [
        ...Object.entries(record).filter(([key]) => !op.remove.includes(key) && !Object.hasOwn(op.set, key)),
        ...Object.entries(op.set).filter(([key]) => key.startsWith("table.") === ours),
      ].sort(([a], [b]) => a < b ? -1 : 1),
    );
  tables.set(name, {
    ...found,
    options: kept(found.options, true),
    customProperties: kept(found.customProperties, false),
  });
  return snapshotOf(tables);
}

function impossible(op: Operation, why: string): Error {
  return flussError("MIGRATION.INVALID", { message: `cannot ${operationText(op)}: ${why}` });
}

/**
 * Reads an operation from a file. What follows from what it is (class, checks, grants) is not believed but made anew.
 *
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export function readOperation(json: unknown): Operation {
  const object = recordOf(json, "an operation");
  const read = readKnown(object);
  for (const key of ["class", "grant", "precheck", "postcheck"] as const) {
    const made = (read as unknown as Record<string, unknown>)[key];
    if (object[key] === made) continue;
    // Whether rows expire earlier than before depends on what was before: there the file is believed.
    if (read.op === "alterOptions" && (key === "class" || key === "grant")) continue;
    throw flussError("MIGRATION.INVALID", {
      message: `an operation to ${operationText(read)} says ${key} ${JSON.stringify(object[key]) ?? "nothing"}`,
      hint: made === undefined ? `leave ${key} out` : `it is ${JSON.stringify(made)}`,
    });
  }
  return read;
}

function readKnown(object: Readonly<Record<string, unknown>>): Operation {
  const kind = object["op"];
  if (kind === "createDatabase") return operation.createDatabase(textOf(object["database"], "database"));
  if (typeof kind !== "string" || !Object.hasOwn(operation, kind)) {
    throw flussError("MIGRATION.INVALID", {
      message: `there is no operation ${JSON.stringify(kind) ?? "without a name"}`,
      hint: `there are ${Object.keys(operation).join(", ")}`,
    });
  }
  const table = readName(object["table"]);
  switch (kind) {
    case "createTable":
    case "adoptTable":
      return operation[kind](table, readTable(object["definition"], table));
    case "addColumn":
      return operation.addColumn(table, readColumn(object["column"], table));
    case "alterOptions":
      return operation.alterOptions(
        table,
        textRecordOf(object["set"], "set"),
        textsOf(object["remove"], "remove"),
        object["class"] === "destructive",
      );
    default:
      return operation.dropTable(table);
  }
}
