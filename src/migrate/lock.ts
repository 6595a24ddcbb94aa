/**
 * The lock that lets one at a time apply migrations: a lease, kept in a table of the cluster.
 *
 * A row per generation of the lock. `holder` keeps the first value that was written, so one of many writers wins, and
 * finds that out by looking. `expires_at` and `released_at` keep the highest. A generation is over when it was released,
 * or when its lease ended without being renewed; then the next one can be had. Who looks first writes only where there is
 * no row, and writes `holder` alone: a loser that wrote a time as well would keep the lease of somebody dead alive.
 *
 * @module
 */
import { Alarms } from "../base/alarms.ts";
import { FlussError, flussError, FlussMigrationError } from "../base/errors.ts";
import { backOffMs, type CallOptions, Deadline } from "../base/wait.ts";
import type { Db } from "../query/db.ts";
import type { TableHandle } from "../query/handle_types.ts";
import { t } from "../schema/configure.ts";
import type { AnyTable } from "../schema/infer.ts";
import { table } from "../schema/table.ts";

const NAME = "migrations";
const LEASE_MS = 30_000;
/** A winner writes its lease within milliseconds. */
const SILENT_MS = 5_000;
/** Somebody else's table is there after one or two. */
const CREATE_ATTEMPTS = 6;
/** How long a round of looking and writing may take. */
const STEP_MS = 20_000;

/** The table, in a database. */
function locksTable(database: string) {
  return table(`${database}.migration_locks`, {
    name: t.string(),
    generation: t.bigint(),
    holder: t.string().agg("first_value"),
    expiresAt: t.bigint({ mode: "number" }).name("expires_at").agg("max"),
    releasedAt: t.bigint({ mode: "number" }).name("released_at").agg("max"),
  }, {
    primaryKey: ["name", "generation"],
    bucketKey: ["name"],
    buckets: 1,
    mergeEngine: "aggregation",
    deleteBehavior: "allow",
    comment: "who applies migrations",
  });
}

type Locks = TableHandle<ReturnType<typeof locksTable>>;

/** Somebody who has the lock. */
export interface LockHolder {
  /** Who, as `--break-lock` takes it. */
  readonly holder: string;
  /** When the lease ends, unless it is renewed; ISO 8601. Null when it was not written yet. */
  readonly expiresAt: string | null;
}

/** How the lock is taken. */
export interface LockOptions {
  /** Who takes it. */
  readonly by: string;
  /** How long to wait for somebody else, in milliseconds. Default 0. */
  readonly waitMs?: number | undefined;
  /** How long a lease lasts, in milliseconds; it is renewed three times in that. Default 30,000. */
  readonly leaseMs?: number | undefined;
  /** A holder whose lease ends now. */
  readonly breakLock?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of a holder that is waited for. */
  readonly onWait?: ((holder: LockHolder) => void) | undefined;
}

/** The lock, held. */
export interface Lock extends AsyncDisposable {
  /** Who holds it. */
  readonly holder: string;
  /** Aborted when the lock is lost. */
  readonly signal: AbortSignal;
  /**
   * Looks whether it is still held.
   *
   * @throws FlussMigrationError `MIGRATION.LOCK_LOST`
   */
  confirm(): Promise<void>;
  /** Gives it back. */
  release(): Promise<void>;
}

interface Generation {
  readonly generation: bigint;
  readonly holder: string | null;
  readonly expiresAt: number | null;
  readonly releasedAt: number | null;
}

/**
 * Makes a table, also when others make it at the same time: a server of 0.9.1 then fails for all but one, with a code
 * that says nothing (observed).
 */
export async function createOnce(db: Db, wanted: AnyTable, options: CallOptions): Promise<void> {
  const alarms = new Alarms();
  for (let attempt = 1;; attempt++) {
    if (await db.admin.exists(wanted, options)) return;
    try {
      return await db.admin.create(wanted, { ...options, ignoreIfExists: true });
    } catch (error) {
      if (!FlussError.is(error, "SERVER.UNKNOWN_SERVER_ERROR") || attempt === CREATE_ATTEMPTS) throw error;
    }
    await pause(alarms, 100 + backOffMs(attempt), options.signal);
  }
}

/** Makes the table of locks where there is none. */
export async function prepareLocks(db: Db, database: string, options: CallOptions = {}): Promise<void> {
  await createOnce(db, locksTable(database), options);
}

/** Who holds the lock; null when nobody does. */
export async function lockHolder(db: Db, database: string, options: CallOptions = {}): Promise<LockHolder | null> {
  const locks = locksTable(database);
  if (!await db.admin.exists(locks, options)) return null;
  const newest = await newestOf(db.table(locks), options);
  return newest !== undefined && isHeld(newest, Date.now()) ? holderOf(newest) : null;
}

/**
 * Takes the lock.
 *
 * @throws FlussMigrationError `MIGRATION.LOCKED` when somebody else has it after `waitMs`
 */
export async function takeLock(db: Db, database: string, options: LockOptions): Promise<Lock> {
  const { by, waitMs = 0, leaseMs = LEASE_MS, breakLock, signal, onWait } = options;
  if (!(leaseMs > 0 && Number.isFinite(leaseMs))) {
    throw flussError("MIGRATION.CONFIG", {
      message: `leaseMs must be a number of milliseconds above 0, not ${leaseMs}`,
    });
  }
  const locks = db.table(locksTable(database));
  const holder = `${by}#${crypto.randomUUID().slice(0, 8)}`;
  const alarms = new Alarms();
  const deadline = new Deadline(alarms, waitMs, signal);
  /** A holder without a lease: seen first then. */
  let silent: { readonly generation: bigint; readonly since: number } | undefined;
  for (let attempt = 1;; attempt++) {
    const newest = await newestOf(locks, { signal, timeoutMs: STEP_MS });
    if (newest !== undefined && isHeld(newest, Date.now())) {
      if (breakLock !== undefined && newest.holder === breakLock) {
        await locks.update({ name: NAME, generation: newest.generation, releasedAt: Date.now() });
        continue;
      }
      // Between winning and writing its lease a process can die. If it was only slow, it finds out before it does anything.
      if (newest.expiresAt !== null) silent = undefined;
      else if (silent?.generation !== newest.generation) {
        silent = { generation: newest.generation, since: performance.now() };
      }
      const dead = silent !== undefined && performance.now() - silent.since > Math.min(leaseMs, SILENT_MS);
      if (!dead) {
        onWait?.(holderOf(newest));
        if (deadline.remainingMs === 0) throw locked(newest, breakLock);
        // The last look is at the end of the wait.
        await pause(alarms, Math.min(250 + backOffMs(attempt), deadline.remainingMs), signal);
        continue;
      }
    }
    const generation = (newest?.generation ?? 0n) + 1n;
    if (await win(locks, generation, holder, leaseMs, signal)) {
      return hold(locks, generation, holder, leaseMs, alarms);
    }
  }
}

/** Puts a holder where there is none, and looks who it is then. */
async function win(
  locks: Locks,
  generation: bigint,
  holder: string,
  leaseMs: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  await locks.update({ name: NAME, generation, holder });
  const rows = await all(locks, { signal, timeoutMs: STEP_MS });
  // Old generations are deleted, so a writer that was slow can be first in one that is long over.
  const newest = rows.at(-1);
  if (newest?.generation !== generation || newest.holder !== holder) return false;
  await locks.update({ name: NAME, generation, expiresAt: Date.now() + leaseMs });
  for (const old of rows.slice(0, -1)) await locks.delete({ name: NAME, generation: old.generation });
  return true;
}

function hold(locks: Locks, generation: bigint, holder: string, leaseMs: number, alarms: Alarms): Lock {
  const lost = new AbortController();
  let over = false;
  let renewing: Promise<void> = Promise.resolve();
  // By a clock that nobody sets.
  let until = performance.now() + leaseMs;
  const isOver = () => {
    lost.abort(flussError("MIGRATION.LOCK_LOST", { message: "the lease ended before it could be renewed" }));
  };
  let end = alarms.set(leaseMs, isOver);
  const look = async (): Promise<void> => {
    const newest = await newestOf(locks, { timeoutMs: STEP_MS });
    if (newest?.generation === generation && newest.holder === holder && newest.releasedAt === null) return;
    throw flussError("MIGRATION.LOCK_LOST", {
      message: newest?.generation === generation
        ? "the lock was broken"
        : `the lease ended, and ${newest?.holder ?? "nobody"} has the lock now`,
    });
  };
  const renew = async (): Promise<void> => {
    try {
      await look();
      const from = performance.now();
      await locks.update({ name: NAME, generation, expiresAt: Date.now() + leaseMs });
      until = from + leaseMs;
      alarms.clear(end);
      if (!over) end = alarms.set(Math.max(1, until - performance.now()), isOver);
    } catch (error) {
      // A server that does not answer for a moment takes nothing away, until the lease is over.
      if (!(error instanceof FlussMigrationError) && performance.now() < until) return;
      lost.abort(error);
    }
  };
  let alarm = alarms.set(leaseMs / 3, tick);
  function tick(): void {
    if (over || lost.signal.aborted) return;
    renewing = renew();
    alarm = alarms.set(leaseMs / 3, tick);
  }
  const release = async (): Promise<void> => {
    if (over) return;
    over = true;
    alarms.clear(alarm);
    alarms.clear(end);
    await renewing;
    if (!lost.signal.aborted) await locks.update({ name: NAME, generation, releasedAt: Date.now() });
  };
  return {
    holder,
    signal: lost.signal,
    async confirm() {
      await look();
      // A process that was suspended has not heard its alarms yet.
      if (performance.now() >= until) isOver();
      lost.signal.throwIfAborted();
    },
    release,
    async [Symbol.asyncDispose]() {
      // A lease that cannot be given back ends by itself; what went wrong before is what is told.
      await release().catch(() => {});
    },
  };
}

async function all(locks: Locks, options: CallOptions): Promise<Generation[]> {
  const rows = await locks.prefixLookup({ name: NAME }, options);
  return rows.sort((a, b) => a.generation < b.generation ? -1 : 1);
}

async function newestOf(locks: Locks, options: CallOptions): Promise<Generation | undefined> {
  return (await all(locks, options)).at(-1);
}

function isHeld({ expiresAt, releasedAt }: Generation, now: number): boolean {
  return releasedAt === null && (expiresAt === null || expiresAt > now);
}

function holderOf({ holder, expiresAt }: Generation): LockHolder {
  return {
    holder: holder ?? "somebody unknown",
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}

function locked(generation: Generation, breakLock: string | undefined): Error {
  const { holder, expiresAt } = holderOf(generation);
  const other = breakLock === undefined ? "" : `, not ${JSON.stringify(breakLock)}`;
  return flussError("MIGRATION.LOCKED", {
    message: `${JSON.stringify(holder)} applies migrations${other}; its lease lasts until ${
      expiresAt ?? "it is written"
    }, unless it is renewed`,
  });
}

async function pause(alarms: Alarms, ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const alarm = alarms.set(ms, resolve);
  const wake = () => resolve();
  signal?.addEventListener("abort", wake, { once: true });
  await promise;
  alarms.clear(alarm);
  signal?.removeEventListener("abort", wake);
  signal?.throwIfAborted();
}
