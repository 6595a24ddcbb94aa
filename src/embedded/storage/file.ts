/**
 * Storage in a folder: behind `file:`.
 *
 * @module
 */
import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { FlussError, flussError } from "../../base/errors.ts";
import { Database } from "./file/database.ts";
import { storageError } from "./file/errors.ts";
import { checkVersion, upgrade, UPGRADES } from "./file/layout.ts";
import { holder, leaveNote, removeNote } from "./file/lock_note.ts";
import { FileStorage } from "./file/storage.ts";
import type { Storage } from "./storage.ts";

/** For tests. */
export interface FileOptions {
  /** The file gets no larger than this, as on a full disk. */
  readonly maxPages?: number;
  /** When so many bytes of changes of rows were stored, they begin to settle in their table. */
  readonly changedBytes?: number;
  /** What makes each version of the file of the one before. */
  readonly upgrades?: readonly string[];
  /** Called with the file when it is open. */
  readonly opened?: (database: Database) => void;
}

/**
 * Opens the storage in a folder, which is made if need be. No other process can use it meanwhile.
 *
 * @throws {FlussStorageError} the folder cannot be used; then nothing stays open
 */
// deno-lint-ignore require-await
export async function openFileStorage(folder: string, options: FileOptions = {}): Promise<Storage> {
  const upgrades = options.upgrades ?? UPGRADES;
  try {
    mkdirSync(folder, { recursive: true });
    const database = openDatabase(folder, upgrades, options.maxPages);
    try {
      leaveNote(folder);
      upgrade(database, upgrades);
      options.opened?.(database);
      return new FileStorage(database, options.changedBytes, () => removeNote(folder));
    } catch (error) {
      removeNote(folder);
      database.close();
      throw error;
    }
  } catch (error) {
    throw storageError(error, folder);
  }
}

function openDatabase(folder: string, upgrades: readonly string[], maxPages: number | undefined): Database {
  const path = join(folder, "sluice.db");
  const check = (database: Database) => {
    checkSize(database, path);
    checkVersion(database, folder, upgrades);
  };
  try {
    return new Database(path, folder, check, maxPages);
  } catch (error) {
    if (FlussError.is(error, "STORAGE.LOCKED")) {
      throw flussError("STORAGE.LOCKED", { message: `${folder}: ${holder(folder)}`, cause: error });
    }
    // SQLite opens a file that it may not write, and fails to lock it.
    if (FlussError.is(error, "STORAGE.FAILED")) tryToWrite(path);
    throw error;
  }
}

/** Throws when a file may not be written. Not for files that this process has locked: this lets go of them. */
function tryToWrite(path: string): void {
  closeSync(openSync(path, "r+"));
}

/** A file that was cut off is found out about here rather than when the missing part is read. */
function checkSize(database: Database, path: string): void {
  // What was written ahead may make the file longer than it is yet.
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  const expected = database.pragma("page_count") * database.pragma("page_size");
  const { size } = statSync(path);
  if (size !== expected) {
    throw flussError("STORAGE.CORRUPT", { message: `${path} has ${size} bytes, expected ${expected}` });
  }
}
