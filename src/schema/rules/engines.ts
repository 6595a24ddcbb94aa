/**
 * Rules about merge engines, aggregation, auto-increment and deletes. Source: Fluss `TableDescriptorValidation.java`,
 * `AggFunctionType.java`, `Schema.java`, seen on 0.9.1.
 *
 * @module
 */
import { type DataType, typeText } from "../data_type.ts";
import { columnsOf, columnSuggestion, isKeyed, list, quoted, type Rule } from "./rule.ts";

const NUMBERS: readonly DataType["kind"][] = ["tinyint", "smallint", "int", "bigint", "float", "double", "decimal"];
const TEXTS: readonly DataType["kind"][] = ["char", "string"];
const ORDERED: readonly DataType["kind"][] = [...NUMBERS, ...TEXTS, "date", "time", "timestamp", "timestampLtz"];
const VERSIONS: readonly DataType["kind"][] = ["int", "bigint", "timestamp", "timestampLtz"];

/** The types of each aggregation function; undefined stands for all. */
const AGGREGATIONS: ReadonlyMap<string, readonly DataType["kind"][] | undefined> = new Map([
  ["sum", NUMBERS],
  ["product", NUMBERS],
  ["max", ORDERED],
  ["min", ORDERED],
  ["listagg", TEXTS],
  ["string_agg", TEXTS],
  ["bool_and", ["boolean"] as const],
  ["bool_or", ["boolean"] as const],
  ["rbm32", ["bytes"] as const],
  ["rbm64", ["bytes"] as const],
  ["last_value", undefined],
  ["last_value_ignore_nulls", undefined],
  ["first_value", undefined],
  ["first_value_ignore_nulls", undefined],
]);

/** The names of all aggregation functions. */
export const AGGREGATION_NAMES: readonly string[] = [...AGGREGATIONS.keys()];

const DELIMITED = ["listagg", "string_agg"];

/** See the module. */
export const ENGINE_RULES: readonly Rule[] = [
  {
    name: "merge-engine-keyed",
    code: "SCHEMA.MERGE_ENGINE",
    serverCode: 39,
    *find(table) {
      if (isKeyed(table) || table.mergeEngine === "last_row") return;
      yield {
        message: `mergeEngine is ${quoted(table.mergeEngine)}, and a log table has no rows to merge`,
        hint: "give the table a primaryKey, or leave mergeEngine out",
      };
    },
  },
  {
    name: "version-column",
    code: "SCHEMA.MERGE_ENGINE",
    serverCode: 39,
    *find(table) {
      if (table.mergeEngine !== "versioned") return;
      const { versionColumn } = table;
      if (versionColumn === undefined) {
        yield {
          message: "a versioned table lacks its version column",
          hint: "write mergeEngine: { versioned: column }",
        };
        return;
      }
      const [column] = columnsOf(table, [versionColumn]);
      if (column === undefined) {
        yield {
          column: versionColumn,
          message: `mergeEngine names the version column ${quoted(versionColumn)}, which is not a column`,
          hint: columnSuggestion(table, versionColumn),
        };
      } else if (!VERSIONS.includes(column.type.kind)) {
        yield {
          column: column.key,
          message: `the version column ${quoted(column.key)} is of type ${typeText(column.type)}`,
          hint: "versions are INT, BIGINT, TIMESTAMP or TIMESTAMP_LTZ",
        };
      }
    },
  },
  {
    name: "changelog",
    code: "SCHEMA.CHANGELOG",
    serverCode: 39,
    *find(table) {
      if (table.mergeEngine !== "aggregation" || table.changelog !== "wal") return;
      yield { message: 'an aggregation table cannot have changelog "wal"', hint: "leave changelog out" };
    },
  },
  {
    name: "delete-behavior",
    code: "SCHEMA.DELETE_BEHAVIOR",
    serverCode: 39,
    *find(table) {
      if (table.deleteBehavior === undefined) return;
      if (!isKeyed(table)) {
        yield { message: "a log table has no deletes", hint: "leave deleteBehavior out" };
      } else if (table.deleteBehavior === "allow" && ["first_row", "versioned"].includes(table.mergeEngine)) {
        yield {
          message: `deleteBehavior is "allow", and ${table.mergeEngine} tables cannot delete`,
          hint: 'leave it out, or write "ignore" or "disable"',
        };
      }
    },
  },
  {
    name: "aggregation-engine",
    code: "SCHEMA.AGGREGATION",
    *find(table) {
      if (table.mergeEngine === "aggregation") return;
      for (const { key, aggregate } of table.columns) {
        if (aggregate === undefined) continue;
        yield {
          column: key,
          message: `column ${quoted(key)} has .agg(${quoted(aggregate.fn)}), which the merge engine ` +
            `${quoted(table.mergeEngine)} ignores`,
          hint: 'write mergeEngine: "aggregation", or leave .agg() out',
        };
      }
    },
  },
  {
    name: "aggregation-value-column",
    code: "SCHEMA.AGGREGATION",
    serverCode: 15,
    *find(table) {
      for (const { key, aggregate } of columnsOf(table, table.primaryKey)) {
        if (aggregate === undefined) continue;
        yield {
          column: key,
          message: `the key column ${quoted(key)} has .agg(${quoted(aggregate.fn)})`,
          hint: "leave it out",
        };
      }
    },
  },
  {
    name: "aggregation-function",
    code: "SCHEMA.AGGREGATION",
    serverCode: 39,
    *find(table) {
      for (const { key, type, aggregate } of table.columns) {
        if (aggregate === undefined) continue;
        const { fn, parameters } = aggregate;
        if (!AGGREGATIONS.has(fn)) {
          yield {
            column: key,
            message: `column ${quoted(key)} has .agg(${quoted(String(fn))}), which is no aggregation function`,
            hint: `the functions are ${AGGREGATION_NAMES.join(", ")}`,
          };
          continue;
        }
        const kinds = AGGREGATIONS.get(fn);
        if (kinds !== undefined && !kinds.includes(type.kind)) {
          yield {
            column: key,
            message: `column ${quoted(key)} is of type ${typeText(type)}, which ${fn} cannot merge`,
            hint: `${fn} is for ${kinds.join(", ")}`,
          };
        }
        for (const [name, value] of Object.entries(parameters)) {
          if (name === "delimiter" && DELIMITED.includes(fn) && typeof value === "string" && value !== "") continue;
          yield {
            column: key,
            message: name === "delimiter" && DELIMITED.includes(fn)
              ? `column ${quoted(key)} has an empty delimiter`
              : `column ${quoted(key)}: ${fn} has no parameter ${quoted(name)}`,
            hint: 'only listagg and string_agg take one: { delimiter: ";" }',
          };
        }
      }
    },
  },
  {
    name: "auto-increment",
    code: "SCHEMA.AUTO_INCREMENT",
    serverCode: 15,
    *find(table) {
      const numbered = table.columns.filter((column) => column.autoIncrement);
      if (numbered.length > 1) {
        yield {
          column: numbered[1]!.key,
          message: `the table has ${numbered.length} auto-increment columns: ${
            list(numbered.map((column) => column.key))
          }`,
          hint: "the server numbers one column",
        };
      }
      for (const { key, type } of numbered) {
        if (!isKeyed(table)) {
          yield {
            column: key,
            message: `column ${quoted(key)} is auto-increment, and the table has no primary key`,
            hint: "give the table a primaryKey, or leave .autoIncrement() out",
          };
        } else if (table.primaryKey.includes(key)) {
          yield {
            column: key,
            message: `the key column ${quoted(key)} is auto-increment`,
            hint: "the server numbers value columns: a row is found by its key, and gets its number then",
          };
        }
        if (type.kind !== "int" && type.kind !== "bigint") {
          yield {
            column: key,
            message: `the auto-increment column ${quoted(key)} is of type ${typeText({ ...type, nullable: true })}`,
            hint: "use t.int() or t.bigint()",
          };
        }
      }
    },
  },
  {
    name: "auto-increment-engine",
    code: "SCHEMA.AUTO_INCREMENT",
    *find(table) {
      const column = table.columns.find((column) => column.autoIncrement);
      if (column === undefined || !["first_row", "versioned"].includes(table.mergeEngine)) return;
      yield {
        column: column.key,
        message: `column ${
          quoted(column.key)
        } is auto-increment, and a ${table.mergeEngine} table with one cannot be written`,
        hint: "leave mergeEngine out",
      };
    },
  },
  {
    name: "auto-increment-nullable-values",
    code: "SCHEMA.AUTO_INCREMENT_NOT_NULL",
    *find(table) {
      if (!table.columns.some((column) => column.autoIncrement)) return;
      for (const { key, type, autoIncrement } of table.columns) {
        if (type.nullable || autoIncrement || table.primaryKey.includes(key)) continue;
        yield {
          column: key,
          message: `column ${
            quoted(key)
          } is NOT NULL, and a table with an auto-increment column can then not be written`,
          hint: "leave .notNull() out",
        };
      }
    },
  },
];
