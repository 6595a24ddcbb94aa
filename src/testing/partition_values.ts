/**
 * Values of partition columns: few, and such that servers make partitions of them.
 *
 * @module
 */
import { autoPartition } from "../embedded/catalog/auto_partition.ts";
import { partitionValue } from "../format/partition_name.ts";
import type { DataType } from "../schema/data_type.ts";
import type { ColumnDefinition, TableDefinition } from "../schema/definition.ts";
import { type LiveTable, parseDescriptor, toDescriptorJson } from "../schema/descriptor.ts";
import { OPTION } from "../schema/server_options.ts";
import type { Random } from "./random.ts";
import { ATTEMPTS, NoValue, passes } from "./ruled_values.ts";

/** With two such columns there are at most 16 partitions. */
const COUNT = 4;
/** Servers take names of 200, of all columns together. */
const MAX_LENGTH = 50;

/**
 * The values that a partition column takes in random rows.
 *
 * @param make a value that keeps to what is declared
 * @param now by which partitions are made and dropped
 * @throws {NoValue} when a check refuses whatever comes
 */
export function partitionValues(
  random: Random,
  definition: TableDefinition,
  column: ColumnDefinition,
  make: () => unknown,
  now: number,
): readonly unknown[] {
  const times = timesOf(definition, column, now);
  if (times !== undefined) return times.map((text) => timeValue(column.type, text));
  const { kind, codec } = column.type;
  const isText = (kind === "string" || kind === "char") && column.oneOf === undefined && codec === undefined;
  const values: unknown[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && values.length < COUNT; attempt++) {
    const value = isText ? word(random, kind === "char" ? column.type.length : 8) : make();
    if (isName(column.type, value) && column.checks.every((check) => passes(check, value))) values.push(value);
  }
  if (values.length === 0) throw new NoValue();
  return values;
}

/** The names of this partition and the next one, where partitions are made by time. */
function timesOf(definition: TableDefinition, { name }: ColumnDefinition, now: number): string[] | undefined {
  const live = liveTable(definition);
  const auto = autoPartition(live);
  if (auto === undefined || live.partitionKey[auto.keyAt] !== name) return undefined;
  // Asked of a table with this key alone, and with two partitions ahead.
  const properties = { ...live.properties, [OPTION.autoPartitionPrecreate]: "2" };
  return [...autoPartition({ ...live, partitionKey: [name], properties })!.ahead(now)];
}

function liveTable(definition: TableDefinition): LiveTable {
  const json = new TextEncoder().encode(JSON.stringify(toDescriptorJson(definition)));
  return parseDescriptor(json, 1, definition.name);
}

/** The value whose partition has this name: `20261123` is a text or a number, `2026-11-23` a day. */
function timeValue(type: DataType, text: string): unknown {
  const { codec, mode, temporal = Temporal } = type;
  const value = type.kind === "bigint"
    ? (mode === "number" ? Number(text) : BigInt(text))
    : type.kind === "int" || type.kind === "smallint"
    ? Number(text)
    : type.kind !== "date" || mode === "string"
    ? text
    : mode === "days"
    ? Date.parse(text) / 86_400_000
    : temporal.PlainDate.from(text);
  return codec === undefined ? value : codec.decode(value);
}

function word(random: Random, length: number): string {
  const letters = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"];
  const text = Array.from({ length: random.int(1, Math.min(length, 8)) }, () => random.pick(letters)).join("");
  // Names that begin so are the server's own.
  return text.startsWith("__") ? `a${text.slice(1)}` : text;
}

function isName(type: DataType, value: unknown): boolean {
  try {
    const name = partitionValue(type, value);
    return name.length <= MAX_LENGTH && /^(?!__)[A-Za-z0-9_-]+$/.test(name);
  } catch {
    // A year that no partition can have, for one.
    return false;
  }
}
