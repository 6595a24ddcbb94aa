/**
 * Runs programs for the tools, with no input and their output kept.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import process from "node:process";

/** How a program is to run. */
export interface CommandOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** After this many milliseconds the program is killed; ten minutes unless told. */
  readonly timeoutMs?: number;
}

/** How a program ran. */
export interface CommandResult {
  /** 0 for success; 1 too when it was killed or did not start. */
  readonly code: number;
  /** What it printed, on either channel, in order; and why it was killed or did not start. */
  readonly output: string;
}

/** The process groups of programs that run now. */
const running = new Set<number>();

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // All of it is gone already.
  }
}

let listens = false;

/** From now on, ends every program that runs, with all that it started itself, when this process is told to end. */
function listen(): void {
  if (listens) return;
  listens = true;
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    process.once(signal, () => {
      for (const leader of running) killGroup(leader);
      process.exit(code);
    });
  }
}

/** Runs a program by its path to its end; never rejects. */
export function run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? 600_000;
  return new Promise((resolve) => {
    const child = spawn(program, [...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own, so that a program that hangs can be ended with the programs that it started.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    listen();
    if (child.pid !== undefined) running.add(child.pid);
    const chunks: Uint8Array[] = [];
    let problem = "";
    const timer = setTimeout(() => {
      problem = `\nkilled after ${timeoutMs / 1000} s`;
      if (process.platform === "win32") child.kill("SIGKILL");
      else if (child.pid !== undefined) killGroup(child.pid);
    }, timeoutMs);
    const end = (code: number) => {
      clearTimeout(timer);
      if (child.pid !== undefined) running.delete(child.pid);
      resolve({ code, output: (Buffer.concat(chunks).toString("utf8") + problem).trim() });
    };
    child.stdout.on("data", (chunk: Uint8Array) => void chunks.push(chunk));
    child.stderr.on("data", (chunk: Uint8Array) => void chunks.push(chunk));
    child.once("error", (error) => {
      problem = `\n${program} did not start: ${error.message}`;
      end(1);
    });
    child.once("close", (code, signal) => {
      if (signal !== null && problem === "") problem = `\nended by ${signal}`;
      end(code ?? 1);
    });
  });
}
