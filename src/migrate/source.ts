/**
 * Tables as TypeScript source. Every name, comment and value that came from a server is written as a string literal, so
 * that it stays data, whatever it is.
 *
 * @module
 */
import { check } from "../schema/check.ts";
import type { DataType } from "../schema/data_type.ts";
import type { TableDefinition } from "../schema/definition.ts";
import { definitionFromLive } from "../schema/live_definition.ts";
import { OPTION } from "../schema/server_options.ts";
import { asLiveTable, type Snapshot, type TableSnapshot } from "./snapshot.ts";

/** A table in generated source. */
export interface NamedTable {
  /** `database.table`. */
  readonly name: string;
  /** The name of its constant. */
  readonly constant: string;
  readonly definition: TableDefinition;
}

/** What became of the tables. */
export interface Named {
  readonly tables: readonly NamedTable[];
  /** Tables that no declaration can stand for, and why. */
  readonly left: ReadonlyMap<string, string>;
}

/** Gives every table a constant, and leaves out those that `table()` would refuse. */
export function nameTables({ tables }: Snapshot): Named {
  const named: NamedTable[] = [];
  const left = new Map<string, string>();
  const taken = new Set<string>(RESERVED);
  for (const [name, snapshot] of Object.entries(tables)) {
    const definition = keyedDefinition(name, snapshot);
    const [violation] = check(definition);
    if (violation !== undefined) {
      left.set(name, violation.message);
      continue;
    }
    named.push({ name, constant: constantFor(name, taken), definition });
  }
  return { tables: named, left };
}

/** The module that declares tables. */
export function schemaSource({ tables }: Named): string {
  const lines = [
    'import { t, table } from "sluice";',
    ...tables.flatMap((one) => ["", ...declaration(one)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The definition of a snapshot, with a key for every column that JavaScript keeps in its place. */
function keyedDefinition(name: string, snapshot: TableSnapshot): TableDefinition {
  const at = name.indexOf(".");
  const live = definitionFromLive(
    { database: name.slice(0, at), table: name.slice(at + 1) },
    asLiveTable(snapshot),
  );
  const keys = keysFor(live.columns.map((column) => column.name));
  const keyed = (names: readonly string[]) => names.map((one) => keys.get(one) ?? one);
  return {
    ...live,
    columns: live.columns.map((column) => ({ ...column, key: keys.get(column.name)!, type: keyedType(column.type) })),
    primaryKey: keyed(live.primaryKey),
    ...(live.bucketKey === undefined ? {} : { bucketKey: keyed(live.bucketKey) }),
    partitionBy: keyed(live.partitionBy),
    ...(live.versionColumn === undefined ? {} : { versionColumn: keyed([live.versionColumn])[0]! }),
  };
}

/** JavaScript puts keys that are numbers before all others, which would change the order of columns. */
function keysFor(names: readonly string[]): Map<string, string> {
  const taken = new Set(names);
  return new Map(names.map((name) => {
    if (!/^(?:0|[1-9]\d*)$/.test(name)) return [name, name];
    let key = `c${name}`;
    while (taken.has(key)) key = `c${key}`;
    taken.add(key);
    return [name, key];
  }));
}

function keyedType(type: DataType): DataType {
  switch (type.kind) {
    case "array":
      return { ...type, element: keyedType(type.element) };
    case "map":
      return { ...type, key: keyedType(type.key), value: keyedType(type.value) };
    case "row": {
      const keys = keysFor(type.fields.map((field) => field.name));
      return {
        ...type,
        fields: type.fields.map((field) => ({ ...field, key: keys.get(field.name)!, type: keyedType(field.type) })),
      };
    }
    default:
      return type;
  }
}

const RESERVED: readonly string[] = [
  ..."await break case catch class const continue debugger default delete do else enum export extends false finally for"
    .split(" "),
  ..."function if import in instanceof let new null return static super switch this throw true try typeof var void"
    .split(" "),
  ..."while with yield async of arguments eval implements interface package private protected public t table".split(
    " ",
  ),
];

function constantFor(name: string, taken: Set<string>): string {
  const camel = (text: string) => {
    const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
    const joined = words.map((word, i) => i === 0 ? word[0]!.toLowerCase() + word.slice(1) : upperFirst(word)).join("");
    return /^[A-Za-z]/.test(joined) ? joined : `t${joined}`;
  };
  const at = name.indexOf(".");
  const [database, table] = [camel(name.slice(0, at)), camel(name.slice(at + 1))];
  const candidates = [table, `${database}${upperFirst(table)}`];
  for (let n = 2;; n++) {
    const free = candidates.find((candidate) => !taken.has(candidate));
    if (free !== undefined) {
      taken.add(free);
      return free;
    }
    candidates.push(`${database}${upperFirst(table)}${n}`);
  }
}

/** The first letter as a capital. */
export function upperFirst(word: string): string {
  return word === "" ? "" : word[0]!.toUpperCase() + word.slice(1);
}

/** A text as a literal. */
export function literal(text: string): string {
  // Line ends of Unicode are no line ends in a literal, and are for some tools.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A key of an object, as data: `__proto__: x` would be something else. */
export function keyText(key: string): string {
  if (key === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : literal(key);
}

function declaration({ name, constant, definition }: NamedTable): string[] {
  const options = optionLines(definition);
  const columns = definition.columns.map((column) => {
    const { key, name, type, comment, aggregate, autoIncrement } = column;
    const isKey = definition.primaryKey.includes(key);
    const parts = [typeSource(autoIncrement || isKey ? { ...type, nullable: true } : type)];
    if (autoIncrement) parts.push(".autoIncrement()");
    if (key !== name) parts.push(`.name(${literal(name)})`);
    if (aggregate !== undefined) {
      const { delimiter } = aggregate.parameters;
      const said = delimiter === undefined ? "" : `, { delimiter: ${literal(delimiter)} }`;
      parts.push(`.agg(${literal(aggregate.fn)}${said})`);
    }
    if (comment !== undefined) parts.push(`.comment(${literal(comment)})`);
    return `  ${keyText(key)}: ${parts.join("")},`;
  });
  return [
    `export const ${constant} = table(${literal(name)}, {`,
    ...columns,
    ...(options.length === 0 ? ["});"] : ["}, {", ...options.map((line) => `  ${line},`), "});"]),
  ];
}

/** `t.array(t.int().notNull())`. */
export function typeSource(type: DataType): string {
  return `t.${bareSource(type)}${type.nullable ? "" : ".notNull()"}`;
}

function bareSource(type: DataType): string {
  switch (type.kind) {
    case "char":
    case "binary":
      return `${type.kind}(${type.length})`;
    case "decimal":
      return `decimal(${type.precision}, ${type.scale})`;
    case "time":
    case "timestamp":
    case "timestampLtz":
      return `${type.kind}(${type.precision})`;
    case "array":
      return `array(${typeSource(type.element)})`;
    case "map":
      return `map(${typeSource({ ...type.key, nullable: true })}, ${typeSource(type.value)})`;
    case "row":
      return `row({ ${
        type.fields.map(({ key, name, type: inner, comment }) => {
          const named = key === name ? "" : `.name(${literal(name)})`;
          const said = comment === undefined ? "" : `.comment(${literal(comment)})`;
          return `${keyText(key)}: ${typeSource(inner)}${named}${said}`;
        }).join(", ")
      } })`;
    default:
      return `${type.kind}()`;
  }
}

function optionLines(definition: TableDefinition): string[] {
  const { primaryKey, bucketKey, buckets, partitionBy, mergeEngine, versionColumn, deleteBehavior, changelog } =
    definition;
  const usual = primaryKey.filter((key) => !partitionBy.includes(key));
  const lines: string[] = [];
  const list = (keys: readonly string[]) => `[${keys.map(literal).join(", ")}]`;
  if (primaryKey.length > 0) lines.push(`primaryKey: ${list(primaryKey)}`);
  if (bucketKey !== undefined && JSON.stringify(bucketKey) !== JSON.stringify(usual)) {
    lines.push(`bucketKey: ${list(bucketKey)}`);
  }
  if (buckets !== undefined) lines.push(`buckets: ${buckets}`);
  if (partitionBy.length > 0) lines.push(`partitionBy: ${list(partitionBy)}`);
  if (mergeEngine === "versioned") lines.push(`mergeEngine: { versioned: ${literal(versionColumn ?? "")} }`);
  else if (mergeEngine !== "last_row") lines.push(`mergeEngine: ${literal(mergeEngine)}`);
  if (deleteBehavior !== undefined) lines.push(`deleteBehavior: ${literal(deleteBehavior)}`);
  if (changelog === "wal") lines.push('changelog: "wal"');
  const left = new Map(Object.entries(definition.properties));
  lines.push(...namedOptions(left, definition));
  const record = (entries: Iterable<readonly [string, string]>) =>
    `{ ${[...entries].map(([key, value]) => `${keyText(key)}: ${literal(value)}`).join(", ")} }`;
  if (left.size > 0) lines.push(`properties: ${record(left)}`);
  const custom = Object.entries(definition.customProperties);
  if (custom.length > 0) lines.push(`customProperties: ${record(custom)}`);
  if (definition.comment !== undefined) lines.push(`comment: ${literal(definition.comment)}`);
  return lines;
}

/** Options that have names of their own are taken out of `left`, where their values are ones that the names take. */
function namedOptions(left: Map<string, string>, { columns }: TableDefinition): string[] {
  const lines: string[] = [];
  const take = (key: string, allowed: RegExp): string | undefined => {
    const value = left.get(key);
    if (value === undefined || !allowed.test(value)) return undefined;
    left.delete(key);
    return value;
  };
  if (left.get(OPTION.autoPartition) === "true") {
    const parts: string[] = [];
    const key = columns.find(({ name }) => name === left.get(OPTION.autoPartitionKey))?.key;
    if (key !== undefined) {
      left.delete(OPTION.autoPartitionKey);
      parts.push(`key: ${literal(key)}`);
    }
    if (
      !left.has(OPTION.autoPartitionUnit) || /^(HOUR|MONTH|QUARTER|YEAR)$/.test(left.get(OPTION.autoPartitionUnit)!)
    ) {
      left.delete(OPTION.autoPartition);
      const unit = take(OPTION.autoPartitionUnit, /./) ?? "DAY";
      parts.push(`unit: ${literal(unit.toLowerCase())}`);
      const retain = take(OPTION.autoPartitionRetain, /^-?\d{1,9}$/);
      if (retain !== undefined) parts.push(`retain: ${retain}`);
      const precreate = take(OPTION.autoPartitionPrecreate, /^\d{1,9}$/);
      if (precreate !== undefined) parts.push(`precreate: ${precreate}`);
      const timeZone = take(OPTION.autoPartitionTimeZone, /./);
      if (timeZone !== undefined) parts.push(`timeZone: ${literal(timeZone)}`);
      lines.push(`autoPartition: { ${parts.join(", ")} }`);
    }
  }
  const log: string[] = [];
  const ttl = take(OPTION.logTtl, /./);
  if (ttl !== undefined) log.push(`ttl: ${literal(ttl)}`);
  const format = take(OPTION.logFormat, /^(ARROW|INDEXED|COMPACTED)$/);
  if (format !== undefined) log.push(`format: ${literal(format.toLowerCase())}`);
  // A level is for zstd, which is what holds where nothing is said.
  const compression = take(OPTION.compression, /^(NONE|LZ4_FRAME)$/);
  const level = compression === undefined && !left.has(OPTION.compression)
    ? take(OPTION.zstdLevel, /^\d{1,2}$/)
    : undefined;
  if (compression !== undefined) {
    log.push(`compression: { type: ${literal(compression === "NONE" ? "none" : "lz4")} }`);
  } else if (level !== undefined) log.push(`compression: { type: "zstd", level: ${level} }`);
  if (log.length > 0) lines.push(`log: { ${log.join(", ")} }`);
  const kv = take(OPTION.kvFormat, /^(COMPACTED|INDEXED)$/);
  if (kv !== undefined) lines.push(`kv: { format: ${literal(kv.toLowerCase())} }`);
  const lake: string[] = [];
  const enabled = take(OPTION.datalake, /^(true|false)$/);
  if (enabled !== undefined) lake.push(`enabled: ${enabled}`);
  const lakeFormat = take(OPTION.datalakeFormat, /^(PAIMON|ICEBERG|LANCE)$/);
  if (lakeFormat !== undefined) lake.push(`format: ${literal(lakeFormat.toLowerCase())}`);
  const freshness = take(OPTION.datalakeFreshness, /./);
  if (freshness !== undefined) lake.push(`freshness: ${literal(freshness)}`);
  if (lake.length > 0) lines.push(`datalake: { ${lake.join(", ")} }`);
  return lines;
}
