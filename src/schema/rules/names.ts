/**
 * Rules about names. Source: Fluss `TablePath.java`, `TableDescriptorValidation.java`, seen on 0.9.1.
 *
 * @module
 */
import { list, quoted, repeated, type Rule, typesOf } from "./rule.ts";

/** Servers add these columns to change logs and lake tables. */
const RESERVED = ["__offset", "__timestamp", "__bucket", "_change_type", "_log_offset", "_commit_timestamp"];
const MAX_NAME = 200;

function whyNotName(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name === "." || name === "..") return "is not a name";
  if (name.length > MAX_NAME) return `is longer than ${MAX_NAME} characters`;
  if (name.startsWith("__")) return "begins with __, which is reserved";
  return /^[A-Za-z0-9_-]+$/.test(name) ? undefined : "has other characters than A-Z, a-z, 0-9, _ and -";
}

/** See the module. */
export const NAME_RULES: readonly Rule[] = [
  {
    name: "database-name",
    code: "SCHEMA.NAME",
    serverCode: 16,
    *find({ database }) {
      const why = database === undefined ? undefined : whyNotName(database);
      if (why !== undefined) {
        yield {
          message: `the database name ${quoted(database!)} ${why}`,
          hint: 'a table is named "database.table", or "table" in the database of the connection',
        };
      }
    },
  },
  {
    name: "table-name",
    code: "SCHEMA.NAME",
    serverCode: 15,
    *find({ name }) {
      const why = whyNotName(name);
      if (why === undefined) return;
      yield {
        message: `the table name ${quoted(name)} ${why}`,
        hint: 'a table is named "database.table", or "table" in the database of the connection',
      };
    },
  },
  {
    name: "has-columns",
    code: "SCHEMA.NO_COLUMNS",
    *find({ columns }) {
      if (columns.length === 0) yield { message: "the table has no columns" };
    },
  },
  {
    name: "column-name",
    code: "SCHEMA.NAME",
    serverCode: 15,
    *find({ columns }) {
      for (const column of columns) {
        for (const { type, path } of typesOf(column.type, column.key)) {
          if (type.kind !== "row") continue;
          for (const field of type.fields) {
            if (field.name.trim() === "") {
              yield { column: column.key, message: `field ${quoted(field.key)} of ${path} has a blank name` };
            }
          }
        }
        if (column.name.trim() === "") {
          yield {
            column: column.key,
            message: `column ${quoted(column.key)} has the blank name ${quoted(column.name)}`,
          };
        }
      }
    },
  },
  {
    name: "reserved-name",
    code: "SCHEMA.RESERVED_NAME",
    serverCode: 15,
    *find({ columns }) {
      for (const { key, name } of columns) {
        if (!RESERVED.includes(name)) continue;
        yield {
          column: key,
          message: `column ${quoted(key)} is called ${quoted(name)}, which is the server's own`,
          hint: `give it another name; ${RESERVED.join(", ")} are taken`,
        };
      }
    },
  },
  {
    name: "distinct-columns",
    code: "SCHEMA.DUPLICATE_COLUMN",
    serverCode: 15,
    *find({ columns }) {
      for (const name of repeated(columns.map((column) => column.name))) {
        const keys = columns.filter((column) => column.name === name).map((column) => column.key);
        yield {
          column: keys[1]!,
          message: `the columns ${list(keys)} have the same name ${quoted(name)} on the server`,
        };
      }
      for (const column of columns) {
        for (const { type, path } of typesOf(column.type, column.key)) {
          if (type.kind !== "row") continue;
          for (const name of repeated(type.fields.map((field) => field.name))) {
            yield {
              column: column.key,
              message: `${path} has several fields with the name ${quoted(name)} on the server`,
            };
          }
        }
      }
    },
  },
];
