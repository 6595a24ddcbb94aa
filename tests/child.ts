/**
 * Runs a script in a process of its own, on the runtime that runs the test.
 *
 * @module
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** How long a script may take unless told. */
const CHILD_MS = 30_000;

/** How a script ended. */
export interface Ended {
  /** Its exit code; null or above 128 when it had to be ended. */
  readonly code: number | null;
  /** What it printed. */
  readonly output: string;
}

/**
 * Runs a script to its end.
 *
 * @param permissions what Deno allows; the network is all that a program which uses the client needs
 */
export function runScript(
  script: URL,
  args: readonly string[],
  permissions: readonly string[] = ["--allow-net"],
  timeoutMs = CHILD_MS,
): Promise<Ended> {
  const path = fileURLToPath(script);
  const { Deno } = globalThis as unknown as { Deno?: DenoCommands };
  if (Deno !== undefined) {
    return runOnDeno(Deno, ["run", ...permissions, "--no-check", "--no-prompt", path, ...args], timeoutMs);
  }
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => output += chunk);
  const alarm = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearTimeout(alarm);
      resolve({ code, output });
    })
  );
}

/** The part of Deno that starts a process. */
interface DenoCommands {
  Command: new (path: string, options: { args: readonly string[]; signal: AbortSignal }) => {
    output(): Promise<{ code: number; stdout: Uint8Array; stderr: Uint8Array }>;
  };
}

/** Deno's `node:child_process` gives a child that is Deno all rights, whatever its arguments say. */
async function runOnDeno({ Command }: DenoCommands, args: readonly string[], timeoutMs: number): Promise<Ended> {
  const stop = new AbortController();
  const alarm = setTimeout(() => stop.abort(), timeoutMs);
  const { code, stdout, stderr } = await new Command(process.execPath, { args, signal: stop.signal }).output();
  clearTimeout(alarm);
  const text = new TextDecoder();
  return { code, output: text.decode(stdout) + text.decode(stderr) };
}
