/**
 * `apply`: runs what is pending, one at a time in the whole cluster, and goes on where it was cut off.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { Db } from "../query/db.ts";
import { soundGraph } from "./check.ts";
import { runData } from "./data_step.ts";
import { type LockHolder, type LockOptions, takeLock } from "./lock.ts";
import { applyTo, grantOf, type Operation, operationText } from "./operations.ts";
import { checksumIn, expectedTables, type Pending, pendingOf, refuseState, stateProblems } from "./pending.ts";
import type { Project } from "./project.ts";
import { refuseLoss } from "./rebuild_guard.ts";
import { runOperation, standingOf } from "./run_operation.ts";
import type { Snapshot } from "./snapshot.ts";
import { prepareState, readState, stateDatabaseOf, type StateRow, writeState } from "./state.ts";

/** What `apply` tells while it runs. */
export type ApplyEvent =
  /** Somebody else has the lock, and is waited for. */
  | { readonly event: "waiting"; readonly holder: LockHolder }
  /** A migration begins, or is gone on with. */
  | { readonly event: "migration"; readonly migration: string; readonly resumed: boolean }
  /** An operation is done; `changed` is false when it was done already. */
  | {
    readonly event: "operation";
    readonly migration: string;
    readonly operation: Operation;
    readonly changed: boolean;
  }
  /** A data step is so far. */
  | { readonly event: "data"; readonly migration: string; readonly done: number; readonly total?: number };

/** Options of {@linkcode apply}. */
export interface ApplyOptions {
  /** The last migration to apply. Default: all. */
  readonly to?: string | undefined;
  /** True: say what would be done, and do nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Destructive operations that may be done, by name: `drop-table:shop.old`. */
  readonly allow?: readonly string[] | undefined;
  /** A holder of the lock, as `status` names it, whose lease ends now. */
  readonly breakLock?: string | undefined;
  /** How long to wait for the lock, in milliseconds. Default 0. */
  readonly waitMs?: number | undefined;
  /** How long a lease of the lock lasts without being renewed, in milliseconds. Default 30,000. */
  readonly leaseMs?: number | undefined;
  /** Who applies: kept with what was applied. Default `sluice`. */
  readonly by?: string | undefined;
  /** Ends it between two steps; a later call goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Told of everything that happens. */
  readonly onEvent?: ((event: ApplyEvent) => void) | undefined;
}

/** A migration that was applied. */
export interface AppliedMigration {
  /** Its name. */
  readonly migration: string;
  /** What was done, in words; operations that were done before are not among them. */
  readonly done: readonly string[];
  /** Whether it had a data step. */
  readonly data: boolean;
}

/** What `apply` did. */
export interface ApplyResult {
  /** It went well. */
  readonly ok: true;
  /** Whether it was only tried. */
  readonly dryRun: boolean;
  /** What was applied; with `dryRun`, what would be. */
  readonly applied: readonly AppliedMigration[];
  /** What is left, where `to` ended it early. */
  readonly pending: readonly string[];
}

/**
 * Applies what is pending.
 *
 * There are no transactions: every operation is looked at before and after it, and what was done already is not done
 * again. So a call that was cut off, in whichever place, is finished by the next one.
 *
 * @throws FlussMigrationError `MIGRATION.LOCKED`, `.LOCK_LOST`, `.CHECKSUM`, `.INVALID`, `.DRIFT`, `.BLOCKED`,
 * `.DATA_FAILED`
 * @throws FlussUsageError `MIGRATION.DESTRUCTIVE` for what `allow` does not name, before anything is done;
 * `MIGRATION.UNKNOWN`
 *
 * @example
 * ```ts
 * import { connect } from "sluice";
 * import { apply } from "sluice/migrate";
 *
 * export async function migrated(url: string): Promise<number> {
 *   await using db = await connect(url);
 *   return (await apply(db, { tables: [], out: "./migrations" })).applied.length;
 * }
 * ```
 */
export async function apply(db: Db, project: Project, options: ApplyOptions = {}): Promise<ApplyResult> {
  const { by = "sluice", signal, dryRun = false } = options;
  const graph = await soundGraph(project, "run");
  const database = stateDatabaseOf(project);
  const look = async () => {
    const states = await readState(db, database, { signal });
    refuseState(stateProblems(graph, states));
    return states;
  };
  const before = await look();
  const planned = pendingOf(graph, before, options.to);
  const rest = (done: readonly Pending[], states: ReadonlyMap<string, StateRow>) => {
    const ids = new Set(done.map(({ migration }) => migration.id));
    return pendingOf(graph, states, undefined).map(({ migration }) => migration.id).filter((id) => !ids.has(id));
  };
  await refuseUngranted(db, planned, options.allow ?? [], signal);
  if (dryRun || (planned.length === 0 && options.breakLock === undefined)) {
    return { ok: true, dryRun, applied: planned.map(preview), pending: rest(planned, before) };
  }
  await prepareState(db, database, { signal });
  const lockOptions: LockOptions = {
    by,
    waitMs: options.waitMs,
    leaseMs: options.leaseMs,
    breakLock: options.breakLock,
    signal,
    onWait: (holder) => options.onEvent?.({ event: "waiting", holder }),
  };
  await using lock = await takeLock(db, database, lockOptions);
  // Somebody else may have applied some of it, until the lock was free.
  const states = await look();
  const pending = pendingOf(graph, states, options.to);
  await refuseUngranted(db, pending, options.allow ?? [], signal);
  const ended = signal === undefined ? lock.signal : AbortSignal.any([signal, lock.signal]);
  const applied: AppliedMigration[] = [];
  const place: Place = {
    db,
    project,
    database,
    by,
    allow: options.allow ?? [],
    signal: ended,
    tables: expectedTables(graph, states),
    async confirm() {
      ended.throwIfAborted();
      await lock.confirm();
      ended.throwIfAborted();
    },
    tell: (event) => options.onEvent?.(event),
  };
  for (const one of pending) applied.push(await applyOne(one, place));
  return { ok: true, dryRun, applied, pending: rest(pending, states) };
}

interface Place {
  readonly db: Db;
  readonly project: Project;
  readonly database: string;
  readonly by: string;
  readonly allow: readonly string[];
  readonly signal: AbortSignal;
  /** What the migrations made of the tables so far. */
  tables: Snapshot;
  /** Throws when the lock is not held any more. */
  confirm(): Promise<void>;
  tell(event: ApplyEvent): void;
}

async function applyOne({ migration, state }: Pending, place: Place): Promise<AppliedMigration> {
  const { id, ops, data } = migration;
  const { allow, confirm, db, database, by, signal, tell } = place;
  const keep = async (opIndex: number, state: StateRow["state"], saved: string | null) => {
    // Whoever lost the lock must not write over what the next one wrote.
    await confirm();
    const checksum = checksumIn(migration, state);
    await writeState(db, database, { id, checksum, opIndex, state, appliedAt: new Date(), by, saved });
  };
  tell({ event: "migration", migration: id, resumed: state !== undefined });
  const done: string[] = [];
  if (state?.state !== "data") {
    let at = state?.opIndex ?? 0;
    // From here on it is begun: what was begun may not change any more.
    if (state === undefined) await keep(0, "running", null);
    for (; at < ops.length; at++) {
      const operation = ops[at]!;
      await confirm();
      let changed: boolean;
      try {
        await refuseLoss(db, operation, { migration: id, tables: place.tables, allow, signal });
        changed = await runOperation(db, operation, id, { signal, confirm, expected: place.tables });
      } catch (error) {
        // What the next holder of the lock did is not drift.
        await confirm();
        throw error;
      }
      place.tables = applyTo(place.tables, operation);
      if (changed) done.push(operationText(operation));
      tell({ event: "operation", migration: id, operation, changed });
      await keep(at + 1, "running", null);
    }
  }
  if (data !== undefined) {
    let saved = state?.state === "data" ? state.saved : null;
    if (state?.state !== "data") await keep(ops.length, "data", null);
    await runData(db, { folder: place.project.out, id, version: migration.checksum.slice(-16) }, {
      signal,
      saved,
      async save(text) {
        saved = text;
        await keep(ops.length, "data", text);
      },
      progress: (count, total) =>
        tell({ event: "data", migration: id, done: count, ...(total === undefined ? {} : { total }) }),
    });
  }
  await keep(ops.length, "applied", null);
  return { migration: id, done, data: data !== undefined };
}

function preview({ migration: { id, ops, data }, state }: Pending): AppliedMigration {
  const left = state?.state === "data" ? [] : ops.slice(state?.opIndex ?? 0);
  return { migration: id, done: left.map(operationText), data: data !== undefined };
}

/** Everything destructive must be named before anything is done. What is gone already needs no leave. */
async function refuseUngranted(
  db: Db,
  pending: readonly Pending[],
  allow: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing: string[] = [];
  for (const { migration: { ops }, state } of pending) {
    for (const op of state?.state === "data" ? [] : ops.slice(state?.opIndex ?? 0)) {
      const grant = grantOf(op);
      if (grant === undefined || allow.includes(grant) || missing.includes(grant)) continue;
      const standing = await standingOf(db, op, signal);
      // A table that an earlier migration will make, and a later one drop again, holds nothing of anybody's.
      if (standing.is === "ready") missing.push(grant);
    }
  }
  if (missing.length > 0) throw ungranted(missing);
}

/** The error for destructive operations that were not allowed. */
export function ungranted(missing: readonly string[]): Error {
  const flags = missing.map((grant) => `--allow ${grant}`).join(" ");
  return flussError("MIGRATION.DESTRUCTIVE", {
    message: `rows would be lost, and that is not allowed: ${missing.join(", ")}`,
    hint: `if it is meant, add ${flags}`,
  });
}
