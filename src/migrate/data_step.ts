/**
 * Data steps: what `data.ts` of a migration exports, and how it is run.
 *
 * @module
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { FlussMigrationError } from "../base/errors.ts";
import type { Db } from "../query/db.ts";
import { DATA_FILE, reasonOf } from "./folder.ts";

/** What a data step gets besides the connection. */
export interface DataContext {
  /** Ends the step: Ctrl-C, or the lock was lost. Give it to every call that takes one. */
  readonly signal: AbortSignal;
  /** What {@linkcode DataContext.save} kept, when an earlier run was cut off; null in the first. */
  readonly saved: string | null;
  /** Keeps where the step is; it is safe when the promise resolves. */
  save(text: string): Promise<void>;
  /** Tells how far the step is, for the progress bar. */
  progress(done: number, total?: number): void;
}

/**
 * The default export of a `data.ts`. It may be cut off at any point, and is then run again: let it do what was done
 * already without harm (upsert does), or go on from what it saved. In `data.ts` it is the default export.
 *
 * @example
 * ```ts
 * import type { DataStep } from "sluice/migrate";
 *
 * export const backfill: DataStep = async (db, { signal, progress }) => {
 *   const orders = await db.table("shop.orders");
 *   let done = 0;
 *   for await (const row of orders.scan()) {
 *     signal.throwIfAborted();
 *     orders.upsert({ ...row, currency: "EUR" });
 *     if (++done % 1000 === 0) {
 *       await db.flush({ signal });
 *       progress(done);
 *     }
 *   }
 * };
 * ```
 */
export type DataStep = (db: Db, context: DataContext) => Promise<void>;

/**
 * Runs the data step of a migration, `version` of it; what it queued is written when the promise resolves.
 *
 * @throws FlussMigrationError `MIGRATION.DATA_FAILED`, with what was thrown as its cause
 */
export async function runData(
  db: Db,
  { folder, id, version }: { readonly folder: string; readonly id: string; readonly version: string },
  context: DataContext,
): Promise<void> {
  try {
    // By the runtime's own import(): TypeScript runs as it is on all three.
    const file = pathToFileURL(resolve(folder, id, DATA_FILE));
    // One that was repaired is another module than the one that failed in this process.
    file.search = version;
    const step = (await import(file.href) as { readonly default?: unknown }).default;
    if (typeof step !== "function") {
      throw new TypeError("it has no function as its default export");
    }
    await (step as DataStep)(db, context);
    await db.flush();
  } catch (error) {
    // It ended because it was told to.
    if (context.signal.aborted) throw context.signal.reason;
    throw new FlussMigrationError("MIGRATION.DATA_FAILED", {
      message: `${DATA_FILE} of ${id} failed: ${reasonOf(error)}`,
      cause: error,
      problems: [{ kind: "data", migration: id, message: reasonOf(error) }],
    });
  }
}
