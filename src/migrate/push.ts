/**
 * `push`: makes a cluster for development as the schema says, without migrations.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import { ungranted } from "./apply.ts";
import { databasesOf, diffLive, readLive, snapshotOfLive } from "./live.ts";
import { grantOf, type Operation, operation, operationText } from "./operations.ts";
import { refuseBlocked } from "./plan.ts";
import { declaredSnapshot, type Project } from "./project.ts";
import { runOperation } from "./run_operation.ts";

/** Options of {@linkcode push}. */
export interface PushOptions extends CallOptions {
  /** What the connection is to; it must be `memory:`, `file:` or this machine. */
  readonly url: string;
  /**
   * Destructive operations that may be done, by name: `drop-table:shop.old` for tables that are not declared,
   * `recreate-table:shop.orders` for changes that servers refuse.
   */
  readonly allow?: readonly string[] | undefined;
}

/** What `push` did. */
export interface PushResult {
  /** It went well. */
  readonly ok: true;
  /** What was done, in words. */
  readonly done: readonly string[];
  /** Tables that are not declared, and were left alone. */
  readonly kept: readonly string[];
}

/**
 * Refuses a cluster that is not for development.
 *
 * @throws FlussUsageError `MIGRATION.NOT_DEVELOPMENT`
 */
export function refuseFarAway(url: string): void {
  if (isDevelopment(url)) return;
  throw flussError("MIGRATION.NOT_DEVELOPMENT", {
    message: "push is for memory:, file: and clusters on this machine",
    hint: "use sluice plan and sluice apply",
  });
}

/**
 * Makes it so.
 *
 * @throws FlussUsageError `MIGRATION.NOT_DEVELOPMENT`, `MIGRATION.DESTRUCTIVE`
 * @throws FlussMigrationError `MIGRATION.BLOCKED` for a change that servers refuse, and that `recreate-table` was not
 * allowed for
 */
export async function push(db: Db, project: Project, options: PushOptions): Promise<PushResult> {
  const { url, allow = [], signal } = options;
  refuseFarAway(url);
  const wanted = declaredSnapshot(project);
  const live = await readLive(db, project, databasesOf(wanted), options);
  const { operations, blocked } = diffLive(snapshotOfLive(live), wanted, project);
  const anew = new Set(blocked.map(({ table }) => table).filter((table) => allow.includes(`recreate-table:${table}`)));
  const left = blocked.filter(({ table }) => !anew.has(table));
  refuseBlocked({
    blocked: left.map((one) => ({
      ...one,
      hint: `${one.hint}; or lose its rows: --allow recreate-table:${one.table}`,
    })),
  });
  const kept: string[] = [];
  const ready: Operation[] = [];
  const missing: string[] = [];
  for (const op of operations) {
    if (op.op !== "createDatabase" && anew.has(op.table)) continue;
    const grant = grantOf(op);
    if (grant === undefined || allow.includes(grant)) ready.push(op);
    else if (op.op === "dropTable") kept.push(op.table);
    else missing.push(grant);
  }
  if (missing.length > 0) throw ungranted(missing);
  for (const table of anew) {
    ready.push(operation.dropTable(table), operation.createTable(table, wanted.tables[table]!));
  }
  const done: string[] = [];
  for (const op of ready) if (await runOperation(db, op, "push", { signal })) done.push(operationText(op));
  return { ok: true, done, kept };
}

/** Whether a URL is of this machine. */
export function isDevelopment(url: string): boolean {
  if (/^(memory|file):/i.test(url)) return true;
  const hosts = /^fluss(?:\+tls)?:\/\/([^/?#]+)/i.exec(url)?.[1]?.replace(/^.*@/, "").split(",") ?? [];
  return hosts.length > 0 && hosts.every((host) => /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host));
}
