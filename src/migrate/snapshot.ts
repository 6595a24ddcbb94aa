/**
 * Snapshots: all tables of a project at one point, in one form, whether they come from declarations, from a cluster or
 * from a file.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { Aggregation, TableDefinition } from "../schema/definition.ts";
import { type LiveTable, serverProperties } from "../schema/descriptor.ts";
import { OPTION } from "../schema/server_options.ts";
import { readType, type TypeSnapshot, typeSnapshot } from "./column_type.ts";
import { hashJson } from "./json_text.ts";
import { canonicalOptions } from "./option_values.ts";

/** A column. Names are those of the server. */
export interface ColumnSnapshot {
  /** The name on the server. */
  readonly name: string;
  /** What it holds. */
  readonly type: TypeSnapshot;
  /** Whether null is a value. */
  readonly nullable: boolean;
  /** What its creator said of it. */
  readonly comment?: string;
  /** How values are merged, in an aggregation table. */
  readonly aggregate?: { readonly fn: string; readonly parameters?: Readonly<Record<string, string>> };
  /** Whether the server numbers it. */
  readonly autoIncrement?: true;
}

/** A table. */
export interface TableSnapshot {
  /** In their order. */
  readonly columns: readonly ColumnSnapshot[];
  /** Empty for a log table. */
  readonly primaryKey: readonly string[];
  /** As the server sees it: for a primary-key table never empty. */
  readonly bucketKey: readonly string[];
  /** Absent: the server's choice. */
  readonly buckets?: number;
  /** Physical names of the partition columns, in order; empty when it is not partitioned. */
  readonly partitionBy: readonly string[];
  /** Options of the server that say something other than what holds anyway, in one spelling. */
  readonly options: Readonly<Record<string, string>>;
  /** Whatever its creator kept with it. */
  readonly customProperties: Readonly<Record<string, string>>;
  /** What its creator said of it. */
  readonly comment?: string;
}

/** All tables by their names, `database.table`, in order. */
export interface Snapshot {
  /** The form of this document. */
  readonly version: 1;
  /** The tables. */
  readonly tables: Readonly<Record<string, TableSnapshot>>;
}

/** No tables. */
export const EMPTY: Snapshot = { version: 1, tables: {} };

/** The hash of a snapshot: what migrations call `from` and `to`. */
export function hashOf(snapshot: Snapshot): Promise<string> {
  return hashJson(snapshot);
}

/** A snapshot of these tables. */
export function snapshotOf(tables: Iterable<readonly [name: string, table: TableSnapshot]>): Snapshot {
  return { version: 1, tables: Object.fromEntries([...tables].sort(([a], [b]) => a < b ? -1 : 1)) };
}

/** The database of a full name. */
export function databaseOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}

/**
 * The full name of a declared table.
 *
 * @param database for names without one
 * @throws FlussUsageError `MIGRATION.CONFIG`
 */
export function fullName(definition: TableDefinition, database: string | undefined): string {
  const inside = definition.database ?? database;
  if (inside !== undefined) return `${inside}.${definition.name}`;
  throw flussError("MIGRATION.CONFIG", {
    message: `the table ${JSON.stringify(definition.name)} names no database, and neither does the config`,
    hint: `write table("shop.${definition.name}", ...), or database: "shop" in the config`,
  });
}

/** The snapshot of a declared table. */
export function tableSnapshot(definition: TableDefinition): TableSnapshot {
  const { primaryKey, partitionBy, buckets, comment } = definition;
  const physical = (keys: readonly string[]) =>
    keys.map((key) => definition.columns.find((column) => column.key === key)?.name ?? key);
  const bucketKey = definition.bucketKey ?? primaryKey.filter((key) => !partitionBy.includes(key));
  return {
    columns: definition.columns.map(({ name, type, comment, aggregate, autoIncrement }): ColumnSnapshot => ({
      name,
      type: typeSnapshot(type),
      nullable: type.nullable,
      ...(comment === undefined ? {} : { comment }),
      ...(aggregate === undefined ? {} : { aggregate: aggregateSnapshot(aggregate) }),
      ...(autoIncrement ? { autoIncrement } : {}),
    })),
    primaryKey: physical(primaryKey),
    bucketKey: physical(bucketKey),
    ...(buckets === undefined ? {} : { buckets }),
    partitionBy: physical(partitionBy),
    options: canonicalOptions(serverProperties(definition), {
      keyed: primaryKey.length > 0,
      partitionColumns: partitionBy.length,
    }),
    customProperties: sorted(definition.customProperties),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** The snapshot of a live table, with everything that the server wrote into it. */
export function liveSnapshot(live: LiveTable): TableSnapshot {
  const { schema, partitionKey, bucketKey, bucketCount, comment } = live;
  const { primaryKey, autoIncrement } = schema;
  const keyed = primaryKey.length > 0;
  // Tables from before there was a second version of stored rows say nothing of it; new ones always do.
  const version: Record<string, string> = keyed ? { [OPTION.kvFormatVersion]: "1" } : {};
  return {
    columns: schema.columns.map(({ name, type, comment, aggregate }): ColumnSnapshot => ({
      name,
      type: typeSnapshot(type),
      nullable: type.nullable,
      ...(comment === undefined ? {} : { comment }),
      ...(aggregate === undefined ? {} : { aggregate: aggregateSnapshot(aggregate) }),
      ...(name === autoIncrement ? { autoIncrement: true } : {}),
    })),
    primaryKey,
    bucketKey: bucketKey.length > 0 ? bucketKey : primaryKey.filter((key) => !partitionKey.includes(key)),
    ...(bucketCount === undefined ? {} : { buckets: bucketCount }),
    partitionBy: partitionKey,
    options: canonicalOptions({ ...version, ...live.properties }, { keyed, partitionColumns: partitionKey.length }),
    customProperties: sorted(live.customProperties),
    ...(comment === undefined ? {} : { comment }),
  };
}

function aggregateSnapshot({ fn, parameters }: Aggregation): NonNullable<ColumnSnapshot["aggregate"]> {
  const entries = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return entries.length === 0 ? { fn } : { fn, parameters: Object.fromEntries(entries) };
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1));
}

/** The same as a server would describe it. */
export function asLiveTable(table: TableSnapshot): LiveTable {
  const numbered = table.columns.find((column) => column.autoIncrement)?.name;
  const { buckets, comment } = table;
  return {
    schema: {
      schemaId: 1,
      columns: table.columns.map(({ name, type, nullable, comment, aggregate }, id) => ({
        key: name,
        name,
        id,
        type: readType(type, nullable),
        ...(comment === undefined ? {} : { comment }),
        ...(aggregate === undefined ? {} : { aggregate: { fn: aggregate.fn, parameters: aggregate.parameters ?? {} } }),
      })),
      primaryKey: table.primaryKey,
      ...(numbered === undefined ? {} : { autoIncrement: numbered }),
    },
    ...(comment === undefined ? {} : { comment }),
    partitionKey: table.partitionBy,
    bucketKey: table.bucketKey,
    ...(buckets === undefined ? {} : { bucketCount: buckets }),
    properties: table.options,
    customProperties: table.customProperties,
  };
}

/**
 * Reads a snapshot from a file.
 *
 * @throws FlussMigrationError `MIGRATION.INVALID`
 */
export function readSnapshot(json: unknown): Snapshot {
  const { version, tables } = recordOf(json, "the snapshot");
  if (version !== 1) {
    throw flussError("MIGRATION.INVALID", {
      message: `the snapshot has the version ${JSON.stringify(version) ?? "undefined"}, and this Sluice reads 1`,
      hint: "use a newer version of Sluice",
    });
  }
  return snapshotOf(
    Object.entries(recordOf(tables, "tables")).map(([name, table]) => [readName(name), readTable(table, name)]),
  );
}

/** Reads a table from a file. */
export function readTable(json: unknown, name: string): TableSnapshot {
  const object = recordOf(json, `table ${JSON.stringify(name)}`);
  const { columns, buckets, comment } = object;
  if (!Array.isArray(columns)) throw invalid(`table ${JSON.stringify(name)} has no list of columns`);
  if (buckets !== undefined && !Number.isInteger(buckets)) throw invalid(`${name}.buckets is no whole number`);
  return {
    columns: columns.map((column) => readColumn(column, name)),
    primaryKey: textsOf(object["primaryKey"], `${name}.primaryKey`),
    bucketKey: textsOf(object["bucketKey"], `${name}.bucketKey`),
    ...(buckets === undefined ? {} : { buckets: buckets as number }),
    partitionBy: textsOf(object["partitionBy"], `${name}.partitionBy`),
    options: textRecordOf(object["options"], `${name}.options`),
    customProperties: textRecordOf(object["customProperties"], `${name}.customProperties`),
    ...(comment === undefined ? {} : { comment: textOf(comment, `${name}.comment`) }),
  };
}

/** Reads a column from a file. */
export function readColumn(json: unknown, table: string): ColumnSnapshot {
  const object = recordOf(json, `a column of ${table}`);
  const { type, nullable, comment, aggregate, autoIncrement } = object;
  const name = textOf(object["name"], `the name of a column of ${table}`);
  const where = `column ${JSON.stringify(name)} of ${table}`;
  if (typeof nullable !== "boolean") throw invalid(`${where}: nullable is neither true nor false`);
  if (autoIncrement !== undefined && autoIncrement !== true) throw invalid(`${where}: autoIncrement is not true`);
  const merged = aggregate === undefined ? undefined : recordOf(aggregate, `${where}: aggregate`);
  const parameters = merged?.["parameters"];
  return {
    name,
    type: typeSnapshot(readType(type, nullable)),
    nullable,
    ...(comment === undefined ? {} : { comment: textOf(comment, `${where}: comment`) }),
    ...(merged === undefined ? {} : {
      aggregate: {
        fn: textOf(merged["fn"], `${where}: fn`),
        ...(parameters === undefined ? {} : { parameters: textRecordOf(parameters, `${where}: parameters`) }),
      },
    }),
    ...(autoIncrement === true ? { autoIncrement } : {}),
  };
}

/** Reads the full name of a table from a file. */
export function readName(name: unknown): string {
  if (typeof name === "string" && /^[^.]+\.[^.]+$/.test(name)) return name;
  throw invalid(`${JSON.stringify(name) ?? "nothing"} is no name of a table`);
}

/** A text of a file. */
export function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw invalid(`${what} is no text`);
}

/** A list of texts of a file. */
export function textsOf(value: unknown, what: string): string[] {
  if (Array.isArray(value)) return value.map((text) => textOf(text, `an entry of ${what}`));
  throw invalid(`${what} is no list`);
}

/** Texts by name. */
export function textRecordOf(value: unknown, what: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(value, what)).map(([key, text]) => [key, textOf(text, `${what}.${key}`)]),
  );
}

/** An object of a file. */
export function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw invalid(`${what} is no object`);
}

function invalid(message: string): Error {
  return flussError("MIGRATION.INVALID", { message });
}
