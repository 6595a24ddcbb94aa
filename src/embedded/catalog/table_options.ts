/**
 * The options of tables (`table.*`) and what their values may be. Source: Fluss `ConfigOptions.java`, 0.9.1; and
 * `table.statistics.columns` of the servers after it, for the batches that are left out by statistics.
 *
 * @module
 */
import { fault, illegalArgument, type ServerFault } from "../fault.ts";
import { hashOrder } from "./java.ts";

/** Options as they were sent. */
export type Options = Readonly<Record<string, string>>;

type Kind = "boolean" | "int" | "long" | "duration" | "text" | readonly string[];

const MERGE_ENGINES = ["FIRST_ROW", "VERSIONED", "AGGREGATION"] as const;
const DELETE_BEHAVIORS = ["ALLOW", "IGNORE", "DISABLE"] as const;

const OPTIONS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["table.replication.factor", "int"],
  ["table.log.format", ["ARROW", "INDEXED", "COMPACTED"]],
  ["table.log.arrow.compression.type", ["NONE", "LZ4_FRAME", "ZSTD"]],
  ["table.log.arrow.compression.zstd.level", "int"],
  ["table.kv.format", ["COMPACTED", "INDEXED"]],
  ["table.kv.format-version", "int"],
  ["table.merge-engine", MERGE_ENGINES],
  ["table.merge-engine.versioned.ver-column", "text"],
  ["table.delete.behavior", DELETE_BEHAVIORS],
  ["table.changelog.image", ["FULL", "WAL"]],
  ["table.auto-increment.cache-size", "long"],
  ["table.auto-partition.enabled", "boolean"],
  ["table.auto-partition.key", "text"],
  ["table.auto-partition.time-unit", ["YEAR", "QUARTER", "MONTH", "DAY", "HOUR"]],
  ["table.auto-partition.time-zone", "text"],
  ["table.auto-partition.num-precreate", "int"],
  ["table.auto-partition.num-retention", "int"],
  ["table.log.ttl", "duration"],
  ["table.log.tiered.local-segments", "int"],
  ["table.datalake.enabled", "boolean"],
  ["table.datalake.format", ["PAIMON", "LANCE", "ICEBERG"]],
  ["table.datalake.freshness", "duration"],
  ["table.datalake.auto-compaction", "boolean"],
  ["table.datalake.auto-expire-snapshot", "boolean"],
  ["table.statistics.columns", "text"],
]);

/** What ALTER_TABLE may change. */
export const ALTERABLE: readonly string[] = [
  "table.datalake.enabled",
  "table.datalake.freshness",
  "table.log.tiered.local-segments",
];

/** Whether an option is Fluss's own; others are whatever users keep with a table. */
export function isTableOption(key: string): boolean {
  return key.startsWith("table.");
}

/**
 * Looks at every option.
 *
 * @throws {ServerFault} 39 for an option that is not known, or a value that it cannot have
 */
export function checkOptions(options: Options): void {
  for (const key of hashOrder(Object.keys(options))) {
    const value = options[key]!;
    const kind = OPTIONS.get(key);
    if (kind === undefined) {
      throw invalid(
        isTableOption(key)
          ? `'${key}' is not a recognized Fluss table property in the current cluster version. You may be using an ` +
            "older Fluss cluster that does not support this property."
          : `'${key}' is not a Fluss table property. Please use '.customProperty(..)' to set custom properties.`,
      );
    }
    if (parse(kind, value) === undefined) {
      throw invalid(`Invalid value for config '${key}'. Reason: ${whyNot(key, value)}`);
    }
  }
}

/** An option that is one of some words, in capitals; undefined when it is not there. Throws a fault -1 otherwise. */
export function word(options: Options, key: string): string | undefined {
  return read(options, key) as string | undefined;
}

/** An option that is a whole number; undefined when it is not there. Throws a fault -1 when it is none. */
export function wholeNumber(options: Options, key: string): number | undefined {
  return read(options, key) as number | undefined;
}

/** An option that is a duration, in milliseconds; undefined when it is not there. */
export function duration(options: Options, key: string): number | undefined {
  return read(options, key) as number | undefined;
}

/** An option that is true or false; undefined when it is not there. */
export function flag(options: Options, key: string): boolean | undefined {
  return read(options, key) as boolean | undefined;
}

function read(options: Options, key: string): unknown {
  if (!Object.hasOwn(options, key)) return undefined;
  const kind = OPTIONS.get(key)!;
  const value = parse(kind, options[key]!);
  // Servers answer with -1 where they trip over a value before they look at the options.
  if (value === undefined) throw illegalArgument(whyNot(key, options[key]!));
  return value;
}

function parse(kind: Kind, value: string): string | number | boolean | undefined {
  switch (kind) {
    case "text":
      return value;
    case "boolean":
      return /^true$/i.test(value) ? true : /^false$/i.test(value) ? false : undefined;
    case "int":
    case "long": {
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
      const most = kind === "int" ? 2 ** 31 : 2 ** 63;
      return number >= -most && number < most ? number : undefined;
    }
    case "duration":
      return milliseconds(value);
    default: {
      const found = value.toUpperCase();
      return kind.includes(found) ? found : undefined;
    }
  }
}

/** Source: Fluss `TimeUtils.java`: digits, and a unit (bare numbers are refused, observed on 0.9.1). */
function milliseconds(text: string): number | undefined {
  const found = /^(\d+)\s*([a-zµ]+)$/.exec(text.trim().toLowerCase());
  const unit = found === null ? undefined : UNITS.find(([names]) => names.includes(found[2]!));
  if (unit === undefined) return undefined;
  const value = BigInt(found![1]!);
  // Java counts the seconds of a duration in 64 bits.
  const most = unit[1] <= 1000 ? MAX_LONG : MAX_LONG * 1000n / BigInt(unit[1]);
  return value > most ? undefined : Number(value) * unit[1];
}

const MAX_LONG = 2n ** 63n - 1n;

const UNITS: readonly (readonly [names: readonly string[], ms: number])[] = [
  [["ms", "milli", "millis", "millisecond", "milliseconds"], 1],
  [["s", "sec", "secs", "second", "seconds"], 1000],
  [["m", "min", "minute", "minutes"], 60_000],
  [["h", "hour", "hours"], 3_600_000],
  [["d", "day", "days"], 86_400_000],
  [["µs", "micro", "micros", "microsecond", "microseconds"], 1e-3],
  [["ns", "nano", "nanos", "nanosecond", "nanoseconds"], 1e-6],
];

function whyNot(key: string, value: string): string {
  return `Could not parse value '${value}' for key '${key}'.`;
}

/** A fault 39. */
export function invalid(message: string): ServerFault {
  return fault("SERVER.INVALID_CONFIG_EXCEPTION", message);
}
