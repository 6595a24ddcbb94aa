/**
 * Runs the command line in a process of its own, on the runtime that runs the test.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Deno's; wherever a command runs, Sluice has its own. */
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** A busy machine takes its time. */
const PATIENCE_MS = 30_000;

/** Where a command runs, and what it reads and writes. */
export interface CommandLineOptions {
  /** What it reads; without it there is nothing to read. */
  readonly input?: string | Uint8Array | undefined;
  /** Whether there may be more to read behind that. */
  readonly openInput?: boolean;
  /** A file in the place of its standard output. */
  readonly output?: string | undefined;
  readonly cwd?: string;
}

/** A command line that runs, or has ended. */
export class CommandLine implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #since = performance.now();
  /** What it wrote so far. */
  out = "";
  err = "";

  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    { cwd, input, openInput = false, output }: CommandLineOptions = {},
  ) {
    const runtime = "deno" in process.versions ? ["run", "-A", "--no-check", "--config", CONFIG] : [];
    const outputFile = output === undefined ? undefined : openSync(output, "w");
    this.#child = spawn(process.execPath, [...runtime, MAIN, ...args], {
      stdio: [input === undefined ? "ignore" : "pipe", outputFile ?? "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, NO_COLOR: "1", ...env },
    });
    if (outputFile !== undefined) closeSync(outputFile);
    // It may end before it has read everything.
    this.#child.stdin?.on("error", () => {});
    if (openInput) this.#child.stdin!.write(input!);
    else this.#child.stdin?.end(input);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => this.out += text);
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => this.err += text);
    // Its streams may be closed before it is gone, and the other way round.
    this.#ended = once(this.#child, "close").then(([code]) => code as number | null);
  }

  /** The most memory that it had so far, in MiB; undefined where the system does not say. */
  get mostMiB(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      const match = /^VmHWM:\s*(\d+) kB$/m.exec(status);
      return match === null ? undefined : Math.round(Number(match[1]) / 1024);
    } catch {
      return undefined;
    }
  }

  /** Resolves to what `read` finds in its output, as soon as it finds something. */
  async until<T>(read: () => T | undefined | false): Promise<{ readonly found: T; readonly ms: number }> {
    const end = performance.now() + PATIENCE_MS;
    let over = false;
    void this.#ended.then(() => over = true);
    for (;;) {
      // Asked first: what it wrote before it ended is there then.
      const last = over || performance.now() > end;
      const found = read();
      if (found !== undefined && found !== false) return { found, ms: performance.now() - this.#since };
      if (last) throw new Error(`it ${over ? "ended" : "goes on"} without that; it said:\n${this.out}\n${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The URLs that it printed, once it printed as many. */
  async urls(count: number): Promise<string[]> {
    const { found } = await this.until(() => {
      const lines = this.out.split("\n").slice(0, -1);
      return lines.length >= count && lines;
    });
    return found;
  }

  signal(name: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL"): void {
    // Deno's own kill() takes for granted that the child dies of it, and tells no exit code.
    try {
      process.kill(this.#child.pid!, name);
    } catch {
      // It is gone.
    }
  }

  /** Reads no more of what it writes, as a pipe that is closed. */
  stopReading(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr!.destroy();
  }

  /** Its exit code. */
  async ended(patienceMs: number = PATIENCE_MS): Promise<number | null> {
    const alarm = setTimeout(() => this.signal("SIGKILL"), patienceMs);
    const code = await this.#ended;
    clearTimeout(alarm);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }
}
