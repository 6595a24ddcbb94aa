/**
 * Ctrl-C as the end of work that cleans up behind itself.
 *
 * @module
 */
import type { Io } from "../command.ts";
import { listenForStop } from "../stop.ts";

/** What a shell says of a program that Ctrl-C ended. */
export const INTERRUPTED = 130;

/** The wish to end. */
export interface Interrupt extends Disposable {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
}

/** Listens until it is disposed. */
export function listenForInterrupt(io: Io): Interrupt {
  const stop = listenForStop(io);
  const abort = new AbortController();
  void stop.asked.then(() => abort.abort());
  return { signal: abort.signal, [Symbol.dispose]: () => stop[Symbol.dispose]() };
}
