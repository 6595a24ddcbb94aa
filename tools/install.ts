/**
 * Installs packages with the Deno that runs this, exactly as the lock files say. No install script runs.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { run } from "./command.ts";

/** The folder of the project. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** The folder whose package.json names what tests and checks need. */
export const TOOLS: string = fileURLToPath(new URL("./", import.meta.url));

/** The path of the Deno that runs this. */
export function denoPath(): string {
  if (!("deno" in process.versions)) throw new Error("the tools run on Deno: deno task test");
  return process.execPath;
}

/**
 * Installs what the package.json of a folder names into its `node_modules`; quick when all is there.
 *
 * @throws {Error} with what Deno said, when a package cannot be had or the lock file does not fit.
 */
export async function install(folder: string): Promise<void> {
  const { code, output } = await run(denoPath(), ["install", "--frozen", "--quiet"], { cwd: folder });
  if (code !== 0) throw new Error(`deno install failed in ${folder}:\n${output}`);
}
