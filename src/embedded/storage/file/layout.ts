/**
 * The tables of the file, in all versions there were.
 *
 * @module
 */
import { flussError } from "../../../base/errors.ts";
import type { Database } from "./database.ts";

/** "sluc": tells files of Sluice from those of others. */
const APPLICATION_ID = 0x736c7563;

/** Step n makes version n of version n - 1. What was released is never changed: add a step. */
export const UPGRADES: readonly string[] = [
  `
  -- Counters and the like.
  CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE documents (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
  -- Numbers of buckets are not used again. What is left of a dropped one is deleted bit by bit.
  CREATE TABLE buckets (
    number INTEGER PRIMARY KEY,
    table_id INTEGER NOT NULL,
    partition_id INTEGER,
    bucket INTEGER NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0,
    log_start INTEGER NOT NULL,
    log_end INTEGER NOT NULL,
    last_timestamp INTEGER NOT NULL,
    log_size INTEGER NOT NULL,
    row_count INTEGER NOT NULL
  );
  -- Where batches are. Their bytes are apart, so that those of all buckets are appended at one place.
  CREATE TABLE batches (
    bucket INTEGER NOT NULL,
    base_offset INTEGER NOT NULL,
    last_offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (bucket, base_offset)
  ) WITHOUT ROWID;
  CREATE TABLE batch_bytes (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  -- The last batches of each idempotent writer: sequence, base offset, last offset and time of each, as float64.
  CREATE TABLE writers (
    bucket INTEGER NOT NULL,
    writer TEXT NOT NULL,
    batches BLOB NOT NULL,
    PRIMARY KEY (bucket, writer)
  ) WITHOUT ROWID;
  -- Rows, but for what was written last: that is in row_changes, from the number "changes_done" + 1 on, in order.
  CREATE TABLE rows (bucket INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (bucket, key))
    WITHOUT ROWID;
  CREATE TABLE row_changes (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  `,
];

/** Refuses files of others, and those of newer versions. */
export function checkVersion(database: Database, folder: string, upgrades: readonly string[]): void {
  const version = database.pragma("user_version");
  // Making a file may have ended after its first page was written.
  const empty = version === 0 && database.query("SELECT 1 FROM sqlite_schema").get() === undefined;
  if (database.pragma("application_id") !== (empty ? 0 : APPLICATION_ID)) {
    throw flussError("STORAGE.CORRUPT", { message: `${folder}: its file was not made by Sluice` });
  }
  if (version > upgrades.length) {
    throw flussError("STORAGE.NEWER_VERSION", {
      message: `${folder}: its file has version ${version}, and this version of Sluice knows ${upgrades.length}`,
    });
  }
}

/** Brings a file to the last version that there is a step to; an empty one becomes one of Sluice. */
export function upgrade(database: Database, upgrades: readonly string[]): void {
  const version = database.pragma("user_version");
  if (version === upgrades.length) return;
  database.transaction(() => {
    for (const step of upgrades.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${upgrades.length}`);
  });
}
