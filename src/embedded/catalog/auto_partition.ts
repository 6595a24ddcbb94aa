/**
 * Which partitions are made ahead of time, and which are old. Source: Fluss `AutoPartitionManager.java`,
 * `PartitionUtils.java`.
 *
 * @module
 */
import type { LiveTable } from "../../schema/descriptor.ts";
import { flag, wholeNumber, word } from "./table_options.ts";

/** How a table is partitioned by time. */
export interface AutoPartition {
  /** The position of the partition key that holds the time. */
  readonly keyAt: number;
  /** The names of the partitions that are made ahead, the current one first. */
  readonly ahead: (now: number) => Iterable<string>;
  /** The oldest value of the partition key that is kept; undefined where all are. */
  readonly oldest: ((now: number) => string) | undefined;
}

/** `Temporal` ends before Java's time does: so many units reach further than anybody's partitions. */
const FOREVER = 100_000;

/** Undefined for tables whose partitions nobody makes. */
export function autoPartition({ partitionKey, properties, schema }: LiveTable): AutoPartition | undefined {
  if (partitionKey.length === 0 || flag(properties, "table.auto-partition.enabled") !== true) return undefined;
  const key = word(properties, "table.auto-partition.key");
  const unit = word(properties, "table.auto-partition.time-unit") ?? "DAY";
  const zone = zoneOf(word(properties, "table.auto-partition.time-zone"));
  const keyAt = partitionKey.length === 1 ? 0 : partitionKey.indexOf(key ?? "");
  const isDate = schema.columns.find(({ name }) => name === partitionKey[keyAt])?.type.kind === "date";
  const count = partitionKey.length === 1 ? wholeNumber(properties, "table.auto-partition.num-precreate") ?? 2 : 0;
  const retained = wholeNumber(properties, "table.auto-partition.num-retention") ?? 7;
  const valueOf = (now: number, offset: number) => {
    const time = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone);
    // Rows with a DATE name their partitions so; 0.9.1 would not find them under its own names.
    return isDate ? time.add({ days: offset }).toPlainDate().toString() : timeText(time, offset, unit);
  };
  return {
    keyAt,
    *ahead(now) {
      for (let i = 0; i < Math.min(count, FOREVER); i++) yield valueOf(now, i);
    },
    oldest: retained < 0 || retained > FOREVER ? undefined : (now) => valueOf(now, -retained),
  };
}

/** A zone that nobody knows is that of Greenwich, as Java has it. */
function zoneOf(name: string | undefined): string {
  if (name === undefined) return Temporal.Now.timeZoneId();
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return "UTC";
  }
}

function timeText(now: Temporal.ZonedDateTime, offset: number, unit: string): string {
  const digits = (value: number, count: number) => String(value).padStart(count, "0");
  const month = (time: Temporal.ZonedDateTime) => digits(time.year, 4) + digits(time.month, 2);
  switch (unit) {
    case "YEAR":
      return digits(now.add({ years: offset }).year, 4);
    case "QUARTER": {
      const time = now.add({ months: 3 * offset });
      return digits(time.year, 4) + Math.ceil(time.month / 3);
    }
    case "MONTH":
      return month(now.add({ months: offset }));
    case "HOUR": {
      const time = now.add({ hours: offset });
      return month(time) + digits(time.day, 2) + digits(time.hour, 2);
    }
    default: {
      const time = now.add({ days: offset });
      return month(time) + digits(time.day, 2);
    }
  }
}
