/**
 * Options of tables in one spelling, so that what means the same is the same: `7 d` and `168h`, `zstd` and `ZSTD`, and a
 * default that was written out.
 *
 * Source of the defaults: Fluss `ConfigOptions.java`, `CoordinatorService.java` (applySystemDefaults).
 *
 * @module
 */
import { isDuration, OPTION } from "../schema/server_options.ts";

const WORDS: readonly string[] = [
  OPTION.mergeEngine,
  OPTION.deleteBehavior,
  OPTION.changelog,
  OPTION.logFormat,
  OPTION.compression,
  OPTION.kvFormat,
  OPTION.autoPartitionUnit,
  OPTION.datalakeFormat,
];

/** Names and formats, which have their case. */
const TEXTS: readonly string[] = [
  OPTION.versionColumn,
  OPTION.autoPartitionKey,
  OPTION.autoPartitionTimeZone,
  OPTION.autoPartitionFormat,
  "table.statistics.columns",
];

const DURATIONS: readonly string[] = [OPTION.logTtl, OPTION.datalakeFreshness, "table.log.local-ttl"];

const SECOND = 1_000_000_000n;
/** Longest first; every text of a duration is a whole number of one of them. */
const UNITS: readonly (readonly [name: string, nanos: bigint, words: RegExp])[] = [
  ["d", 86_400n * SECOND, /^(d|days?)$/],
  ["h", 3600n * SECOND, /^(h|hours?)$/],
  ["min", 60n * SECOND, /^(min|m|minutes?)$/],
  ["s", SECOND, /^(s|secs?|seconds?)$/],
  ["ms", 1_000_000n, /^(ms|millis?|milliseconds?)$/],
  ["µs", 1000n, /^(µs|micros?|microseconds?)$/],
  ["ns", 1n, /^(ns|nanos?|nanoseconds?)$/],
];

/** What servers do where nothing is said; the same on all of them. */
const DEFAULTS: Readonly<Record<string, string>> = {
  [OPTION.changelog]: "FULL",
  [OPTION.logTtl]: "7d",
  [OPTION.logFormat]: "ARROW",
  [OPTION.compression]: "ZSTD",
  [OPTION.zstdLevel]: "3",
  [OPTION.kvFormat]: "COMPACTED",
  [OPTION.kvFormatVersion]: "2",
  [OPTION.autoPartition]: "false",
  [OPTION.autoPartitionUnit]: "DAY",
  [OPTION.autoPartitionRetain]: "7",
  [OPTION.datalake]: "false",
  [OPTION.datalakeFreshness]: "3min",
  [OPTION.autoIncrementCache]: "100000",
  [OPTION.tieredSegments]: "2",
  "table.datalake.auto-compaction": "false",
  "table.datalake.auto-expire-snapshot": "false",
};

/** Options that servers write into new tables when nothing is said; the value is the cluster's choice. */
export const SERVER_WRITTEN: readonly string[] = [
  OPTION.replicationFactor,
  OPTION.datalakeFormat,
  "table.kv.standby-replica.enabled",
];

/** What decides the defaults of some options. */
export interface OptionContext {
  /** Whether the table has a primary key. */
  readonly keyed: boolean;
  /** How many partition columns it has. */
  readonly partitionColumns: number;
}

/** One value in its one spelling. A value that makes no sense stays as it is. */
export function canonicalValue(key: string, value: string): string {
  if (TEXTS.includes(key) || !key.startsWith("table.")) return value;
  const text = value.trim();
  if (DURATIONS.includes(key)) return durationText(text);
  if (WORDS.includes(key)) return text.toUpperCase();
  if (/^(true|false)$/i.test(text)) return text.toLowerCase();
  return /^[+-]?\d+$/.test(text) ? BigInt(text).toString() : value;
}

/** All options in one spelling and in order, without those that say what holds anyway. */
export function canonicalOptions(
  options: Readonly<Record<string, string>>,
  { keyed, partitionColumns }: OptionContext,
): Record<string, string> {
  const canonical = Object.entries(options).map(([key, value]) => [key, canonicalValue(key, value)] as const);
  const engine = canonical.find(([key]) => key === OPTION.mergeEngine)?.[1];
  const defaults: Readonly<Record<string, string>> = {
    ...DEFAULTS,
    ...(keyed ? { [OPTION.deleteBehavior]: engine === undefined ? "ALLOW" : "IGNORE" } : {}),
    [OPTION.autoPartitionPrecreate]: partitionColumns > 1 ? "0" : "2",
  };
  return Object.fromEntries(
    canonical
      .filter(([key, value]) => !(Object.hasOwn(defaults, key) && defaults[key] === value))
      .sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/** How long a duration is, in nanoseconds. */
export function durationNanos(text: string): bigint | undefined {
  const [, digits, word] = /^(\d+)\s*(\S+)$/.exec(text.trim().toLowerCase()) ?? [];
  const unit = UNITS.find(([, , words]) => words.test(word ?? ""));
  return digits === undefined || unit === undefined ? undefined : BigInt(digits) * unit[1];
}

function durationText(text: string): string {
  const nanos = isDuration(text) ? durationNanos(text) : undefined;
  if (nanos === undefined) return text;
  const [name, size] = UNITS.find(([, size]) => nanos % size === 0n)!;
  return `${nanos / size}${name}`;
}
