/**
 * `sluice upsert`, `update`, `delete` and `append`: rows into tables.
 *
 * @module
 */
import type { CliCommand } from "../command.ts";
import { writeCommand } from "./write_command.ts";

/** Writes rows of primary-key tables. */
export const upsert: CliCommand = writeCommand({
  operation: "upsert",
  done: "upserted",
  summary: "write rows of a primary-key table",
  about:
    "Writes rows of a primary-key table: each replaces the row with its key, or is merged with it as the table's " +
    "merge engine says.",
  examples: [
    "upsert shop.users id=7 name=Ada tags:='[\"a\"]' email:=null",
    "upsert shop.users --file users.csv --rejects refused.csv",
    "upsert shop.users < users.jsonl",
  ],
});

/** Writes some columns of rows of primary-key tables. */
export const update: CliCommand = writeCommand({
  operation: "update",
  done: "updated",
  summary: "write some columns of rows",
  about: "Writes the given columns of rows of a primary-key table, and leaves the others as they are. A row that is " +
    "not there is made.",
  examples: ["update shop.users id=7 name:=null", "update shop.users --file names.csv"],
});

/** Removes rows of primary-key tables. */
export const remove: CliCommand = writeCommand({
  operation: "delete",
  done: "deleted",
  summary: "remove rows by their keys",
  about: "Removes the rows of a primary-key table that have the keys.",
  examples: ["delete shop.users id=7", "delete shop.users --file keys.jsonl"],
});

/** Adds rows to log tables. */
export const append: CliCommand = writeCommand({
  operation: "append",
  done: "appended",
  summary: "add rows to a log table",
  about: "Adds rows to the end of a log table. Arrow IPC is added as it is, without becoming rows.",
  examples: [
    "append web.clicks url=/buy ms=12",
    "append web.clicks --file clicks.csv --delimiter ';' --null '\\N'",
    "export old.clicks --format arrow | sluice append web.clicks --format arrow",
  ],
});
