/**
 * Waiting that can be told to stop: a deadline and an `AbortSignal` in one value, and the few ways to wait on it.
 *
 * @module
 */
import type { Alarms } from "./alarms.ts";
import { flussError } from "./errors.ts";

/** How long a call may take, and what may end it early. */
export interface CallOptions {
  /** Ends the wait; the call then rejects with the signal's own reason. What was sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the call gives up with a `TIMEOUT.*` error. Defaults to the connection's `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** A point in time and a signal; whichever comes first ends a wait. */
export class Deadline {
  /** The point in time, on the clock of `performance.now()`. */
  readonly at: number;
  /** The signal, if the caller gave one. */
  readonly signal: AbortSignal | undefined;
  readonly #alarms: Alarms;
  readonly #ms: number;

  constructor(alarms: Alarms, ms: number, signal?: AbortSignal) {
    this.#alarms = alarms;
    this.#ms = ms;
    this.at = performance.now() + ms;
    this.signal = signal;
  }

  /** Milliseconds left, never below 0. */
  get remainingMs(): number {
    return Math.max(0, this.at - performance.now());
  }

  /** The same deadline in the form that calls take. */
  get options(): { readonly signal: AbortSignal | undefined; readonly timeoutMs: number } {
    return { signal: this.signal, timeoutMs: this.remainingMs };
  }

  /**
   * Throws when the wait is over.
   *
   * @param doing what was waited for, for the message: `looking up shop.orders`
   * @param cause why it took so long, where that is known
   */
  check(doing: string, cause?: unknown): void {
    this.signal?.throwIfAborted();
    if (performance.now() >= this.at) throw this.error(doing, cause);
  }

  /** The error that says that this deadline has passed. */
  error(doing: string, cause?: unknown): Error {
    const because = cause instanceof Error ? `; the last attempt said: ${cause.message}` : "";
    return flussError("TIMEOUT.REQUEST", {
      message: `${doing} did not finish within ${Math.round(this.#ms)} ms${because}`,
      cause,
    });
  }

  /** Waits for `ms` milliseconds, or until this deadline ends the wait. */
  async pause(ms: number, doing: string, cause?: unknown): Promise<void> {
    this.check(doing, cause);
    const { promise, resolve } = Promise.withResolvers<void>();
    const alarm = this.#alarms.set(Math.min(ms, this.remainingMs), resolve);
    this.signal?.addEventListener("abort", resolve as () => void, { once: true });
    await promise;
    this.#alarms.clear(alarm);
    this.signal?.removeEventListener("abort", resolve as () => void);
    this.check(doing, cause);
  }

  /** Waits for a promise that knows nothing of this deadline; what the promise stands for goes on by itself. */
  async wait<T>(promise: Promise<T>, doing: string): Promise<T> {
    // Nobody looks at the promise any more where the wait is over before it began.
    promise.catch(() => {});
    this.check(doing);
    const over = Promise.withResolvers<never>();
    const alarm = this.#alarms.set(this.remainingMs, () => over.reject(this.error(doing)));
    const onAbort = () => over.reject(this.signal?.reason);
    this.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([promise, over.promise]);
    } finally {
      this.#alarms.clear(alarm);
      this.signal?.removeEventListener("abort", onAbort);
    }
  }
}

/** Milliseconds to wait before attempt `attempt` (the first retry is 1): 20, 40, ... 1000, less a random half. */
export function backOffMs(attempt: number): number {
  const full = Math.min(1000, 20 * 2 ** Math.min(attempt - 1, 10));
  return full * (0.5 + Math.random() / 2);
}
