/**
 * Rules about server options. Source: Fluss `ConfigOptions.java`, `TableDescriptorValidation.java`, seen on 0.9.1.
 *
 * @module
 */
import { type DataType, typeText } from "../data_type.ts";
import type { TableDefinition } from "../definition.ts";
import { OPTION, probableOption, whyNotValue } from "../server_options.ts";
import { columnsOf, isKeyed, list, quoted, type Rule } from "./rule.ts";

function formatOf(table: TableDefinition, key: string, usual: string): string {
  return (table.properties[key] ?? usual).toLowerCase();
}

/** Types that keys of Iceberg tables can have (Fluss: IcebergKeyEncoder.java). */
const ICEBERG_KINDS: readonly DataType["kind"][] = [
  "int",
  "bigint",
  "float",
  "double",
  "decimal",
  "date",
  "time",
  "timestamp",
  "char",
  "string",
  "binary",
  "bytes",
];

/** The columns that choose the bucket: what was said, or what the server makes of it. */
function bucketColumns(table: TableDefinition): readonly string[] {
  return table.bucketKey ?? table.primaryKey.filter((key) => !table.partitionBy.includes(key));
}

/** See the module. */
export const OPTION_RULES: readonly Rule[] = [
  {
    name: "property-key",
    code: "SCHEMA.OPTION",
    serverCode: 39,
    *find({ properties }) {
      for (const key of Object.keys(properties)) {
        if (!key.startsWith("table.")) {
          yield {
            message: `properties has the key ${quoted(key)}, and server options begin with "table."`,
            hint: "put your own keys into customProperties",
          };
          continue;
        }
        const near = probableOption(key);
        if (near !== undefined) {
          yield { message: `there is no server option ${quoted(key)}`, hint: `did you mean ${quoted(near)}?` };
        }
      }
    },
  },
  {
    name: "property-value",
    code: "SCHEMA.OPTION",
    serverCode: 39,
    *find({ properties }) {
      for (const [key, value] of Object.entries(properties)) {
        const expected = whyNotValue(key, value);
        if (expected !== undefined) {
          yield { message: `the option ${key} is ${quoted(value)}`, hint: `it takes ${expected}` };
        }
      }
    },
  },
  {
    name: "log-format-of-compacted-rows",
    code: "SCHEMA.FORMAT",
    serverCode: 39,
    *find(table) {
      if (!isKeyed(table) || formatOf(table, OPTION.kvFormat, "compacted") !== "compacted") return;
      if (formatOf(table, OPTION.logFormat, "arrow") !== "indexed") return;
      yield {
        message: 'a primary-key table with compacted rows cannot have log.format "indexed"',
        hint: 'leave log.format out, or write "arrow" or "compacted"',
      };
    },
  },
  {
    name: "log-format-of-indexed-rows",
    code: "SCHEMA.FORMAT",
    *find(table) {
      if (!isKeyed(table) || formatOf(table, OPTION.kvFormat, "compacted") !== "indexed") return;
      if (formatOf(table, OPTION.logFormat, "arrow") !== "indexed") return;
      yield {
        message: 'a primary-key table with kv.format "indexed" and log.format "indexed" cannot be written',
        hint: 'leave log.format out, or write "arrow" or "compacted"',
      };
    },
  },
  {
    name: "iceberg-key",
    code: "SCHEMA.DATALAKE",
    *find(table) {
      if (formatOf(table, OPTION.datalakeFormat, "") !== "iceberg") return;
      const keys = bucketColumns(table);
      if (keys.length > 1) {
        yield {
          message: `an Iceberg table has one bucket column, not ${keys.length}: ${list(keys)}`,
          hint: `write bucketKey: [${quoted(keys[0]!)}]`,
        };
      }
      for (const { key, type } of columnsOf(table, keys)) {
        if (ICEBERG_KINDS.includes(type.kind)) continue;
        yield {
          column: key,
          message: `the bucket column ${quoted(key)} of an Iceberg table is of type ${typeText(type)}`,
          hint: `use one of ${ICEBERG_KINDS.join(", ")}`,
        };
      }
    },
  },
];
