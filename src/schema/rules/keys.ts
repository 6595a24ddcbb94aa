/**
 * Rules about primary keys, bucket keys and partitions. Source: Fluss `TableDescriptor.java`,
 * `TableDescriptorValidation.java`, `AutoPartitionManager.java`, seen on 0.9.1.
 *
 * @module
 */
import { typeText } from "../data_type.ts";
import type { ColumnDefinition, TableDefinition } from "../definition.ts";
import { OPTION } from "../server_options.ts";
import type { Finding } from "../violation.ts";
import { columnsOf, columnSuggestion, isKeyed, isNested, list, quoted, repeated, type Rule } from "./rule.ts";

const MAX_BUCKETS = 128_000;

const KEY_LISTS = ["primaryKey", "bucketKey", "partitionBy"] as const;

function keysIn(table: TableDefinition, name: typeof KEY_LISTS[number]): readonly string[] {
  return table[name] ?? [];
}

/** See the module. */
export const KEY_RULES: readonly Rule[] = [
  {
    name: "key-columns-exist",
    code: "SCHEMA.KEY_MISSING",
    serverCode: 15,
    *find(table) {
      for (const name of KEY_LISTS) {
        for (const key of keysIn(table, name)) {
          if (table.columns.some((column) => column.key === key)) continue;
          yield {
            column: key,
            message: `${name} names ${quoted(key)}, which is not a column`,
            hint: columnSuggestion(table, key),
          };
        }
      }
    },
  },
  {
    name: "key-columns-distinct",
    code: "SCHEMA.KEY_DUPLICATE",
    serverCode: 15,
    *find(table) {
      for (const name of KEY_LISTS) {
        for (const key of repeated(keysIn(table, name))) {
          yield { column: key, message: `${name} names ${quoted(key)} twice`, hint: "name it once" };
        }
      }
    },
  },
  {
    name: "key-type",
    code: "SCHEMA.KEY_TYPE",
    serverCode: 15,
    *find(table) {
      for (const name of ["primaryKey", "bucketKey"] as const) {
        for (const { key, type } of columnsOf(table, keysIn(table, name))) {
          if (!isNested(type)) continue;
          yield {
            column: key,
            message: `${name} names ${quoted(key)}, which is of type ${typeText(type)}`,
            hint: "arrays, maps and rows have no key form: use a column of another type",
          };
        }
      }
    },
  },
  {
    name: "buckets",
    code: "SCHEMA.BUCKETS",
    serverCode: 49,
    *find({ buckets }) {
      if (buckets === undefined || (Number.isInteger(buckets) && buckets >= 1 && buckets <= MAX_BUCKETS)) return;
      yield { message: `buckets is ${buckets}`, hint: `use a whole number from 1 to ${MAX_BUCKETS}` };
    },
  },
  {
    name: "bucket-key-in-primary-key",
    code: "SCHEMA.BUCKET_KEY",
    serverCode: 15,
    *find(table) {
      const { primaryKey, partitionBy, bucketKey = [] } = table;
      const allowed = primaryKey.filter((key) => !partitionBy.includes(key));
      for (const key of bucketKey) {
        if (partitionBy.includes(key)) {
          yield {
            column: key,
            message: `bucketKey names the partition column ${quoted(key)}`,
            hint: "a partition has one value of it, so it cannot spread rows: leave it out",
          };
        } else if (isKeyed(table) && !primaryKey.includes(key)) {
          yield {
            column: key,
            message: `bucketKey names ${quoted(key)}, which is not in the primary key`,
            hint: `use some of ${list(allowed)}`,
          };
        }
      }
    },
  },
  {
    name: "partition-key-type",
    code: "SCHEMA.PARTITION_KEY",
    serverCode: 15,
    *find(table) {
      for (const { key, type } of columnsOf(table, table.partitionBy)) {
        if (!isNested(type) && type.kind !== "decimal") continue;
        yield {
          column: key,
          message: `partitionBy names ${quoted(key)}, which is of type ${typeText(type)}`,
          hint: "partitions have names, and values of this type make none: use a column of another type",
        };
      }
    },
  },
  {
    name: "partition-key-in-primary-key",
    code: "SCHEMA.PARTITION_KEY",
    serverCode: 15,
    *find(table) {
      if (!isKeyed(table)) return;
      for (const key of table.partitionBy) {
        if (table.primaryKey.includes(key)) continue;
        yield {
          column: key,
          message: `partitionBy names ${quoted(key)}, which is not in the primary key`,
          hint: `write primaryKey: [${list([...table.primaryKey, key])}]`,
        };
      }
    },
  },
  {
    name: "primary-key-beyond-partitions",
    code: "SCHEMA.PARTITION_KEY",
    serverCode: 15,
    *find(table) {
      if (!isKeyed(table) || table.primaryKey.some((key) => !table.partitionBy.includes(key))) return;
      yield {
        message: "the primary key has the partition columns alone, so a partition would hold one row",
        hint: "add a column to primaryKey, or take one from partitionBy",
      };
    },
  },
];

/** The auto-partition settings of a table, or undefined when it has none. */
function autoPartitionOf(table: TableDefinition) {
  const { properties } = table;
  if (properties[OPTION.autoPartition]?.toLowerCase() !== "true") return undefined;
  const name = properties[OPTION.autoPartitionKey];
  return {
    /** The TypeScript key of the column; undefined when nothing says which it is. */
    key: name !== undefined
      ? table.columns.find((column) => column.name === name)?.key ?? name
      : (table.partitionBy.length === 1 ? table.partitionBy[0] : undefined),
    unit: (properties[OPTION.autoPartitionUnit] ?? "day").toLowerCase(),
    // Source of the defaults: Fluss ConfigOptions.java.
    precreate: Number(properties[OPTION.autoPartitionPrecreate] ?? (table.partitionBy.length > 1 ? 0 : 2)),
    retain: Number(properties[OPTION.autoPartitionRetain] ?? 7),
    timeZone: properties[OPTION.autoPartitionTimeZone],
    format: properties[OPTION.autoPartitionFormat],
  };
}

function autoPartitionColumn(table: TableDefinition): ColumnDefinition | undefined {
  const key = autoPartitionOf(table)?.key;
  return key === undefined || !table.partitionBy.includes(key)
    ? undefined
    : table.columns.find((column) => column.key === key);
}

/** Types whose values have the same text as the server's times: `20261123`. */
const TIME_TEXT_KINDS = ["string", "char", "smallint", "int", "bigint"];

/** Java takes an unknown zone for GMT without a word, so it is checked here. */
function isTimeZone(name: string): boolean {
  if (/^(?:GMT|UTC|UT)?[+-]\d{1,2}(?::?\d{2})?$/.test(name)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Rules about partitions that the server makes and drops. */
export const AUTO_PARTITION_RULES: readonly Rule[] = [
  {
    name: "auto-partition-partitioned",
    code: "SCHEMA.AUTO_PARTITION",
    serverCode: 39,
    *find(table) {
      if (autoPartitionOf(table) === undefined || table.partitionBy.length > 0) return;
      yield {
        message: "autoPartition is set, and the table has no partitions",
        hint: "name the column in partitionBy",
      };
    },
  },
  {
    name: "auto-partition-key",
    code: "SCHEMA.AUTO_PARTITION",
    serverCode: 15,
    *find(table) {
      const auto = autoPartitionOf(table);
      if (auto === undefined || table.partitionBy.length === 0) return;
      if (auto.key === undefined) {
        yield {
          message: `autoPartition lacks key, and there are several partition columns: ${list(table.partitionBy)}`,
          hint: `write autoPartition: { key: ${quoted(table.partitionBy[0]!)}, ... }`,
        };
      } else if (!table.partitionBy.includes(auto.key)) {
        yield {
          column: auto.key,
          message: `autoPartition.key is ${quoted(auto.key)}, which is not a partition column`,
          hint: `use one of ${list(table.partitionBy)}`,
        };
      }
    },
  },
  {
    name: "auto-partition-precreate",
    code: "SCHEMA.AUTO_PARTITION",
    serverCode: 15,
    *find(table) {
      const auto = autoPartitionOf(table);
      if (auto === undefined || table.partitionBy.length < 2 || !(auto.precreate > 0)) return;
      yield {
        message:
          `autoPartition.precreate is ${auto.precreate}, and with several partition columns none can be made ahead`,
        hint: "leave precreate out, or write 0",
      };
    },
  },
  {
    name: "auto-partition-type",
    code: "SCHEMA.AUTO_PARTITION",
    *find(table) {
      const column = autoPartitionColumn(table);
      if (column === undefined || TIME_TEXT_KINDS.includes(column.type.kind) || column.type.kind === "date") return;
      yield {
        column: column.key,
        message:
          `the auto-partition column ${quoted(column.key)} is of type ${typeText(column.type)}, and the server ` +
          "would take all of its partitions for expired",
        hint: "use t.string() or t.int() with values such as 20261123, or t.date()",
      };
    },
  },
  {
    name: "auto-partition-date-unit",
    code: "SCHEMA.AUTO_PARTITION",
    *find(table) {
      const column = autoPartitionColumn(table);
      const unit = autoPartitionOf(table)?.unit;
      if (column?.type.kind !== "date" || unit === "day") return;
      yield {
        column: column.key,
        message: `the auto-partition column ${quoted(column.key)} is a DATE, and unit is ${quoted(unit!)}`,
        hint: 'write unit: "day", or use t.string()',
      };
    },
  },
  {
    name: "auto-partition-time-zone",
    code: "SCHEMA.AUTO_PARTITION",
    *find(table) {
      const zone = autoPartitionOf(table)?.timeZone;
      if (zone === undefined || isTimeZone(zone)) return;
      yield {
        message: `autoPartition.timeZone is ${quoted(zone)}, which is no time zone`,
        hint: "use a name such as UTC or Europe/Berlin",
      };
    },
  },
];

/**
 * What makes a declaration unsafe on servers without `table.auto-partition.time-format`, such as 0.9.1: their times look
 * like `20261123` and the partitions of a DATE column like `2026-11-23`. As text that comes before every time of its
 * year, so the server drops such a partition, with its rows, the next time it looks for expired ones (Fluss 0.9.1:
 * AutoPartitionManager.java, dropPartitions). A newer server can be told the format.
 */
export function dateAutoPartitionHazard(table: TableDefinition): Finding | undefined {
  const auto = autoPartitionOf(table);
  const column = autoPartitionColumn(table);
  if (auto === undefined || column?.type.kind !== "date" || (auto.retain < 0 && auto.precreate === 0)) return undefined;
  return {
    column: column.key,
    message:
      `the server takes the partitions of the DATE column ${quoted(column.key)} for expired and would drop them ` +
      "with their rows",
    hint: "use t.string() with values such as 20261123, or autoPartition: { retain: -1, precreate: 0 }",
  };
}
