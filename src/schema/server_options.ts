/**
 * The server's options of tables (`table.*`): their keys, and what their values may be.
 *
 * Source: Fluss `ConfigOptions.java`, `TableDescriptorValidation.java`; values are texts, enums match without case.
 *
 * @module
 */
import { closest } from "./suggest.ts";

/** The keys that Sluice writes. */
export const OPTION = {
  mergeEngine: "table.merge-engine",
  versionColumn: "table.merge-engine.versioned.ver-column",
  deleteBehavior: "table.delete.behavior",
  changelog: "table.changelog.image",
  logTtl: "table.log.ttl",
  logFormat: "table.log.format",
  compression: "table.log.arrow.compression.type",
  zstdLevel: "table.log.arrow.compression.zstd.level",
  kvFormat: "table.kv.format",
  kvFormatVersion: "table.kv.format-version",
  autoPartition: "table.auto-partition.enabled",
  autoPartitionKey: "table.auto-partition.key",
  autoPartitionUnit: "table.auto-partition.time-unit",
  autoPartitionTimeZone: "table.auto-partition.time-zone",
  autoPartitionPrecreate: "table.auto-partition.num-precreate",
  autoPartitionRetain: "table.auto-partition.num-retention",
  autoPartitionFormat: "table.auto-partition.time-format",
  datalake: "table.datalake.enabled",
  datalakeFormat: "table.datalake.format",
  datalakeFreshness: "table.datalake.freshness",
  autoIncrementCache: "table.auto-increment.cache-size",
  replicationFactor: "table.replication.factor",
  tieredSegments: "table.log.tiered.local-segments",
} as const;

/** Options that have a member of their own in a definition, by the name that users write. */
export const TYPED_OPTIONS: ReadonlyMap<string, string> = new Map([
  [OPTION.mergeEngine, "mergeEngine"],
  [OPTION.versionColumn, "mergeEngine: { versioned: column }"],
  [OPTION.deleteBehavior, "deleteBehavior"],
  [OPTION.changelog, "changelog"],
]);

type ValueKind = "boolean" | "duration" | { readonly min: number; readonly max?: number } | readonly string[];

const KINDS: ReadonlyMap<string, ValueKind> = new Map<string, ValueKind>([
  [OPTION.logTtl, "duration"],
  [OPTION.logFormat, ["arrow", "indexed", "compacted"]],
  [OPTION.compression, ["none", "lz4_frame", "zstd"]],
  [OPTION.zstdLevel, { min: 1, max: 22 }],
  [OPTION.kvFormat, ["compacted", "indexed"]],
  [OPTION.kvFormatVersion, { min: 1, max: 2 }],
  [OPTION.autoPartition, "boolean"],
  [OPTION.autoPartitionUnit, ["hour", "day", "month", "quarter", "year"]],
  [OPTION.autoPartitionPrecreate, { min: 0 }],
  // A negative number keeps all partitions.
  [OPTION.autoPartitionRetain, { min: -2147483648 }],
  [OPTION.datalake, "boolean"],
  [OPTION.datalakeFormat, ["paimon", "lance", "iceberg", "hudi"]],
  [OPTION.datalakeFreshness, "duration"],
  // With 0 a server of 0.9.1 gives the same number twice (observed).
  [OPTION.autoIncrementCache, { min: 1, max: Number.MAX_SAFE_INTEGER }],
  [OPTION.replicationFactor, { min: 1 }],
  [OPTION.tieredSegments, { min: 1 }],
  ["table.datalake.auto-compaction", "boolean"],
  ["table.datalake.auto-expire-snapshot", "boolean"],
  ["table.datalake.historical-partition.enabled", "boolean"],
  ["table.kv.standby-replica.enabled", "boolean"],
  ["table.log.local-ttl", "duration"],
  [OPTION.autoPartitionKey, []],
  [OPTION.autoPartitionTimeZone, []],
  [OPTION.autoPartitionFormat, []],
  ["table.statistics.columns", []],
]);

/** Options without which no server would know; the others may belong to a newer one. */
const NAMES: readonly string[] = [...KINDS.keys(), ...TYPED_OPTIONS.keys()];

const INT_MAX = 2147483647;
const UNITS =
  "d|days?|h|hours?|min|m|minutes?|s|secs?|seconds?|ms|millis?|milliseconds?|µs|micros?|microseconds?|ns|nanos?|nanoseconds?";
// Source: Fluss `TimeUtils.java`.
const DURATION = new RegExp(`^(\\d{1,19})\\s*(?:${UNITS})$`, "i");

/** Why a value cannot be that of an option, or undefined when it can. `key` may be one that is not known here. */
export function whyNotValue(key: string, value: string): string | undefined {
  const kind = KINDS.get(key);
  if (kind === undefined || (Array.isArray(kind) && kind.length === 0)) return undefined;
  if (kind === "boolean") return /^(true|false)$/i.test(value) ? undefined : "true or false";
  if (kind === "duration") return isDuration(value) ? undefined : "a duration such as 7d, 12 h or 3min";
  if (!("min" in kind)) return kind.includes(value.toLowerCase()) ? undefined : `one of ${kind.join(", ")}`;
  const { min, max = INT_MAX } = kind;
  const number = Number(value);
  if (/^-?\d+$/.test(value) && number >= min && number <= max) return undefined;
  return min < 0 ? "a whole number" : `a whole number from ${min} to ${max}`;
}

/** A key that an unknown one was probably meant to be. */
export function probableOption(key: string): string | undefined {
  if (NAMES.includes(key)) return undefined;
  const near = closest(key, NAMES);
  // Names of options share long beginnings, so only a slip of the finger counts.
  return near !== undefined && Math.abs(near.length - key.length) <= 2 && sharesAllBut(key, near, 2) ? near : undefined;
}

function sharesAllBut(a: string, b: string, most: number): boolean {
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return Math.max(a.length, b.length) - start - end <= most;
}

/** `7d`, `7 d`, `3min`: digits and a unit. Zero is refused, because nothing could be kept for no time. */
export function isDuration(text: string): boolean {
  const match = DURATION.exec(text.trim());
  return match !== null && !/^0+$/.test(match[1]!);
}
