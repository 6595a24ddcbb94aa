/**
 * Waiting for Ctrl-C and its kin.
 *
 * @module
 */
import type { Io, StopSignal } from "./command.ts";

/** What a shell says of a program that a signal ended. */
const EXIT_CODES: Readonly<Record<StopSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * Within this time a second signal is taken for the first: Ctrl-C reaches every program of a terminal, and those that
 * run others (`deno task`, `npm run`) hand it on once more.
 */
const SAME_MS = 300;

/** The wish to end. */
export interface Stop extends Disposable {
  /** Resolves at the first signal. A later one ends the process at once. */
  readonly asked: Promise<StopSignal>;
}

/** Listens for signals until it is disposed. */
export function listenForStop(io: Io, now: () => number = () => performance.now()): Stop {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let first: number | undefined;
  const off = io.onSignal((signal) => {
    if (first === undefined) {
      first = now();
      resolve(signal);
    } else if (now() - first > SAME_MS) io.exit(EXIT_CODES[signal]);
  });
  return { asked: promise, [Symbol.dispose]: off };
}
