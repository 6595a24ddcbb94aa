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
const [{ ReaderGone }, { run }] = await Promise.all([import("./command.ts"), import("./program.ts")]);

const SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

// Whoever reads the output may leave before it ends, as `head` does; that is no reason to fail.
let gone = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: { readonly code?: string }) => {
    if (error.code !== "EPIPE") throw error;
    if (stream === process.stdout) gone = true;
  });
}

async function write(data: string | Uint8Array): Promise<void> {
  if (gone) throw new ReaderGone();
  if (process.stdout.write(data)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ["drain", "error", "close"]) process.stdout.off(event, done);
      resolve();
    };
    for (const event of ["drain", "error", "close"]) process.stdout.on(event, done);
  });
  if (gone) throw new ReaderGone();
}

async function* input(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    for await (const chunk of process.stdin) yield chunk as Uint8Array<ArrayBuffer>;
  } finally {
    // Otherwise the process would wait for the rest of it.
    process.stdin.destroy();
  }
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
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
  },
  write,
  input,
});
