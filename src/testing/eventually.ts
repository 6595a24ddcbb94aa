/**
 * Waiting for something that happens by and by.
 *
 * @module
 */
import { Alarms } from "../base/alarms.ts";
import { flussError } from "../base/errors.ts";

/** How long to wait. */
export interface EventuallyOptions {
  /** Milliseconds until it gives up. Default 5,000. */
  readonly timeoutMs?: number;
  /** Ends the wait; it then rejects with the signal's own reason. */
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 5_000;
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;

/**
 * Tries until `check` gives something that is true, and gives that back. What it throws counts as "not yet". Between
 * attempts it pauses, at first a millisecond, later a tenth of a second.
 *
 * @throws FlussTimeoutError `TIMEOUT.TEST` with the last value or error
 *
 * @example
 * ```ts
 * import { eventually } from "sluice/testing";
 *
 * let ready = false;
 * setTimeout(() => ready = true, 20);
 * await eventually(() => ready);
 * ```
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Exclude<Awaited<T>, false | null | undefined | 0 | "">> {
  const { timeoutMs = TIMEOUT_MS, signal } = options;
  const end = performance.now() + timeoutMs;
  const alarms = new Alarms();
  for (let pause = FIRST_PAUSE_MS;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    signal?.throwIfAborted();
    let last: string;
    let cause: unknown;
    try {
      const value = await check();
      if (value) return value as Exclude<Awaited<T>, false | null | undefined | 0 | "">;
      last = `the last attempt gave ${String(value)}`;
    } catch (error) {
      cause = error;
      last = `the last attempt said: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() >= end) {
      throw flussError("TIMEOUT.TEST", { message: `it did not happen within ${timeoutMs} ms; ${last}`, cause });
    }
    await rest(alarms, Math.min(pause, end - performance.now()), signal);
  }
}

async function rest(alarms: Alarms, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const alarm = alarms.set(ms, resolve);
  const onAbort = () => resolve();
  signal?.addEventListener("abort", onAbort, { once: true });
  await promise;
  alarms.clear(alarm);
  signal?.removeEventListener("abort", onAbort);
}
