/**
 * A process that is none.
 *
 * @module
 */
import type { Io, StopSignal } from "../../../src/cli/command.ts";

/** Keeps what is written, and sends signals. */
export interface FakeIo extends Io {
  stdout: string;
  stderr: string;
  /** The codes that it was to exit with. */
  readonly exits: number[];
  signal(name: StopSignal): void;
}

/** A process with an environment. */
export function fakeIo(env: Readonly<Record<string, string>> = {}, more: Partial<FakeIo> = {}): FakeIo {
  const listeners = new Set<(signal: StopSignal) => void>();
  const io: FakeIo = {
    env,
    stdout: "",
    stderr: "",
    exits: [],
    out: (text) => void (io.stdout += text),
    err: (text) => void (io.stderr += text),
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => void io.exits.push(code),
    signal: (name) => listeners.forEach((listener) => listener(name)),
    screen: { in: false, out: false, err: false, columns: 80, rows: 24 },
    write(data) {
      io.stdout += typeof data === "string" ? data : new TextDecoder().decode(data);
      return Promise.resolve();
    },
    async *input() {},
    ...more,
  };
  return io;
}
