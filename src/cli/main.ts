#!/usr/bin/env node
/**
 * The program `sluice`. The only module that touches the process which it runs in.
 *
 *     deno run -A jsr:@sluice/sluice/cli --help
 *     npx sluice --help
 *     bunx sluice --help
 *
 * @module
 */
import process from "node:process";
import type { StopSignal } from "./command.ts";

// An older Node cannot even read the modules that follow.
const node = "bun" in process.versions || "deno" in process.versions ? undefined : process.versions.node;
if (node !== undefined && Number.parseInt(node) < 26) {
  process.stderr.write(`sluice needs Node 26 or newer, and this is ${node}; Deno 2.9 and Bun 1.4 run it, too\n`);
  process.exit(2);
}
const [{ ReaderGone }, { fileError, FILE_EXIT }, { run }] = await Promise.all([
  import("./command.ts"),
  import("./data/files.ts"),
  import("./program.ts"),
]);

const SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

let broken: Error & { readonly code?: string } | undefined;
process.stdout.on("error", (error) => broken ??= error);
// Of what cannot be told, nothing can be told.
process.stderr.on("error", () => {});

function checkOutput(): void {
  // Whoever reads the output may leave before it ends, as `head` does; that is no reason to fail.
  if (broken?.code === "EPIPE") throw new ReaderGone();
  if (broken !== undefined) throw fileError("cannot write standard output", broken);
}

/** @returns whether there is room for more */
function put(data: string | Uint8Array): boolean {
  try {
    return process.stdout.write(data);
  } catch (error) {
    // Deno throws what the others tell by an event.
    broken ??= error as Error;
    return true;
  }
}

async function write(data: string | Uint8Array): Promise<void> {
  checkOutput();
  if (put(data)) return checkOutput();
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ["drain", "error", "close"]) process.stdout.off(event, done);
      resolve();
    };
    for (const event of ["drain", "error", "close"]) process.stdout.on(event, done);
  });
  checkOutput();
}

/** Somebody waits for input, and will not get it. */
let leftInput = false;

async function* input(signal?: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  if (signal?.aborted === true) return;
  const letGo = () => leftInput = true;
  signal?.addEventListener("abort", letGo);
  try {
    for await (const chunk of process.stdin) yield chunk as Uint8Array<ArrayBuffer>;
  } finally {
    signal?.removeEventListener("abort", letGo);
    // Otherwise the process would wait for the rest of it.
    process.stdin.destroy();
  }
}

const code = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => void put(text),
  err: (text) => void process.stderr.write(text),
  onSignal(listener) {
    const listeners = SIGNALS.map((signal) => [signal, () => listener(signal)] as const);
    for (const [signal, listen] of listeners) process.on(signal, listen);
    return () => listeners.forEach(([signal, listen]) => process.off(signal, listen));
  },
  exit: (code) => process.exit(code),
  screen: {
    in: process.stdin.isTTY === true,
    out: process.stdout.isTTY === true,
    err: process.stderr.isTTY === true,
    columns: process.stdout.columns || process.stderr.columns || 80,
    rows: process.stdout.rows || process.stderr.rows || 24,
  },
  write,
  input,
});
// What became of the last output is told a moment later.
await new Promise<void>((resolve) => broken === undefined ? process.stdout.write("", () => resolve()) : resolve());
process.exitCode = code;
if (broken !== undefined && broken.code !== "EPIPE") {
  // Of errors, those are told already that do not go to the output.
  const told = code !== 0 && !process.argv.includes("--json");
  if (!told) process.stderr.write(`${fileError("cannot write standard output", broken).message}\n`);
  if (code === 0) process.exitCode = FILE_EXIT.code;
}
// A read of input that is under way cannot be called off, and would keep the process.
if (leftInput) process.exit();
