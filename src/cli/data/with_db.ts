/**
 * Work with a connection, which is closed behind it.
 *
 * @module
 */
import type { Db } from "../../query/db.ts";
import type { ConnectOptions } from "../../query/options.ts";
import type { Io, Values } from "../command.ts";
import { openDb } from "./connection.ts";

/**
 * Connects, works, and closes. Where the work fails, what is queued is given up: its error is the one to tell.
 *
 * @param more options that the command itself needs
 */
export async function withDb<T>(
  values: Values,
  io: Io,
  work: (db: Db) => Promise<T>,
  more: ConnectOptions = {},
): Promise<T> {
  const db = await openDb(values, io, more);
  let result: T;
  try {
    result = await work(db);
  } catch (error) {
    await db.close({ drop: true }).catch(() => {});
    throw error;
  }
  await db.close();
  return result;
}
