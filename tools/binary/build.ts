/**
 * `deno task compile [FILE]`: makes one binary of the command line, with Bun in it. Nothing is downloaded for that but
 * Bun itself, where it is not there.
 *
 * @module
 */
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { run } from "../command.ts";
import { ROOT } from "../install.ts";
import { findRuntime } from "../runtimes.ts";

const ENTRY = fileURLToPath(new URL("entry.ts", import.meta.url));

/** Compiles; throws with what Bun said where that fails. */
export async function compile(bun: string, file: string): Promise<void> {
  const { code, output } = await run(bun, ["build", "--compile", "--minify-syntax", ENTRY, "--outfile", file], {
    cwd: ROOT,
  });
  if (code !== 0) throw new Error(`bun build --compile failed:\n${output}`);
}

if (import.meta.main) {
  const [file = "dist/sluice", ...rest] = process.argv.slice(2);
  if (rest.length > 0 || file.startsWith("-")) {
    console.error("Usage: deno task compile [FILE]     dist/sluice unless told");
    process.exit(2);
  }
  const path = resolve(file);
  await compile((await findRuntime("bun")).path, path);
  console.log(path);
}
