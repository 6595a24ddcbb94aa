/**
 * One SQLite file, of which this is the only user.
 *
 * @module
 */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { FlussError } from "../../../base/errors.ts";
import { storageError } from "./errors.ts";

/** What SQLite takes and gives. */
export type Value = SQLInputValue;

/** A prepared statement; rows are arrays of columns. */
export interface Query {
  run(...values: Value[]): void;
  /** The first row. */
  get(...values: Value[]): Value[] | undefined;
  all(...values: Value[]): Value[][];
}

/** Larger pages than usual: batches and rows take several hundred bytes. */
const PAGE_SIZE = 8192;

const CACHE_KIBIBYTES = 64 << 10;

/** SQLite's own limit is 2 GiB; reads of what lies beyond are slower. */
const MAPPED_BYTES = 0x7fff0000;

/** From this size what was written ahead is brought into the file. */
const LOG_PAGES = 2048;

/** See the module. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #folder: string;

  /**
   * Opens the file for this alone.
   *
   * @param folder for messages
   * @param check called when there is a file, which is as it was: throws when it is not to be used
   * @param maxPages the file gets no larger
   */
  constructor(path: string, folder: string, check: (database: Database) => void, maxPages: number | undefined) {
    this.#folder = folder;
    this.#database = this.#try(() => new DatabaseSync(path, { timeout: 0 }));
    try {
      // SQLite's lock is the system's, which lets go of it when the process ends, however it ends.
      this.exec("PRAGMA locking_mode = EXCLUSIVE");
      if (this.pragma("page_count") === 0) {
        this.exec(`PRAGMA page_size = ${PAGE_SIZE}`);
        this.exec("PRAGMA auto_vacuum = INCREMENTAL");
      } else check(this);
      this.exec("PRAGMA journal_mode = WAL");
      // In this mode, only FULL brings a commit to the disk before it returns. On macOS, only this asks the disk itself.
      this.exec("PRAGMA synchronous = FULL");
      this.exec("PRAGMA fullfsync = ON");
      this.exec("PRAGMA checkpoint_fullfsync = ON");
      this.exec(`PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
      this.exec(`PRAGMA mmap_size = ${MAPPED_BYTES}`);
      this.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
      this.exec(`PRAGMA journal_size_limit = ${LOG_PAGES * PAGE_SIZE}`);
      if (maxPages !== undefined) this.exec(`PRAGMA max_page_count = ${maxPages}`);
      // A file that others opened first is found out about here at the latest.
      this.transaction(() => {}, "EXCLUSIVE");
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  exec(sql: string): void {
    this.#try(() => this.#database.exec(sql));
  }

  /** Prepares a statement once, to be run often. */
  query(sql: string): Query {
    // Not all types know of rows as arrays.
    const rows = this.#try(() => this.#database.prepare(sql)) as unknown as Query & {
      setReturnArrays(on: boolean): void;
    };
    rows.setReturnArrays(true);
    return {
      run: (...values) => this.#try(() => rows.run(...values)),
      get: (...values) => this.#try(() => rows.get(...values)),
      all: (...values) => this.#try(() => rows.all(...values)),
    };
  }

  /** A number that a pragma gives. */
  pragma(name: string): number {
    return Number(this.query(`PRAGMA ${name}`).get()?.[0]);
  }

  /** Runs `body` as one transaction: durable when this returns, undone when it throws. */
  transaction(body: () => void, kind: "IMMEDIATE" | "EXCLUSIVE" = "IMMEDIATE"): void {
    this.exec(`BEGIN ${kind}`);
    try {
      body();
      this.exec("COMMIT");
    } catch (error) {
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // Some failures, as of a full disk, have ended it already.
      }
      throw error;
    }
  }

  /** Brings what was written ahead into the file, and makes the log of that as short as it gets. */
  shorten(): void {
    this.query("PRAGMA wal_checkpoint(TRUNCATE)").all();
  }

  close(): void {
    this.#try(() => this.#database.close());
  }

  error(cause: unknown): FlussError {
    return storageError(cause, this.#folder);
  }

  #try<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.error(error);
    }
  }
}
