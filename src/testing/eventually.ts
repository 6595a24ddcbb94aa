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

/** How an attempt ended. */
type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * Tries until `check` gives something that is true, and gives that back. What it throws counts as "not yet". Between
 * attempts it pauses, at first a millisecond, later a tenth of a second. When the time is over, it does not wait for an
 * attempt that has not come back.
 *
 * @throws FlussTimeoutError `TIMEOUT.TEST` with the last value or error; the signal's reason
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
): Promise<Exclude<Awaited<T>, false | null | undefined | 0 | 0n | "">> {
  const { timeoutMs = TIMEOUT_MS, signal } = options;
  const end = performance.now() + timeoutMs;
  const alarms = new Alarms();
  let last: Outcome | undefined;
  for (let pause = FIRST_PAUSE_MS;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    signal?.throwIfAborted();
    const attempt = outcomeOf(check);
    const outcome = await within(alarms, end - performance.now(), signal, attempt);
    signal?.throwIfAborted();
    if (outcome !== undefined && "value" in outcome && outcome.value) {
      return outcome.value as Awaited<ReturnType<typeof eventually<T>>>;
    }
    last = outcome ?? last;
    if (outcome === undefined || performance.now() >= end) throw late(timeoutMs, last, outcome === undefined);
    await within(alarms, Math.min(pause, end - performance.now()), signal);
  }
}

async function outcomeOf(check: () => unknown): Promise<Outcome> {
  try {
    return { value: await check() };
  } catch (error) {
    return { error };
  }
}

/** Waits for an attempt, or without one for the time or the signal; undefined when they came first. */
async function within(
  alarms: Alarms,
  ms: number,
  signal: AbortSignal | undefined,
  attempt?: Promise<Outcome>,
): Promise<Outcome | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  const alarm = alarms.set(ms, stop);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await (attempt === undefined ? over : Promise.race([attempt, over]));
  } finally {
    alarms.clear(alarm);
    signal?.removeEventListener("abort", stop);
  }
}

/** @param hangs whether the last attempt has not come back; `last` is the one before it */
function late(timeoutMs: number, last: Outcome | undefined, hangs: boolean): Error {
  const said = last === undefined
    ? ""
    : "value" in last
    ? ` gave ${valueText(last.value)}`
    : ` said: ${last.error instanceof Error ? last.error.message : String(last.error)}`;
  const story = !hangs
    ? `the last attempt${said}`
    : `the last attempt did not come back${last === undefined ? "" : `; the one before${said}`}`;
  return flussError("TIMEOUT.TEST", {
    message: `it did not happen within ${timeoutMs} ms; ${story}`,
    ...(last !== undefined && "error" in last ? { cause: last.error } : {}),
  });
}

function valueText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "bigint" ? `${value}n` : String(value);
}
