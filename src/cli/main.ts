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
import { run } from "./program.ts";

const SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

// Whoever reads the output may leave before it ends, as `head` does; that is no reason to fail.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: { readonly code?: string }) => {
    if (error.code !== "EPIPE") throw error;
  });
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
});
