/**
 * The runtimes that the tests run on: the Deno that runs this, and for Bun and Node a fitting one on PATH, else the one of
 * the platform's npm packages, whose versions are pinned in `runtimes/<platform>/`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { findProgram } from "./cluster/java.ts";
import { denoPath, install, TOOLS } from "./install.ts";

/** A runtime's name. */
export type RuntimeName = "deno" | "bun" | "node";

/** All of them, in the order in which they run. */
export const RUNTIMES: readonly RuntimeName[] = ["deno", "bun", "node"];

/** A runtime that is there. */
export interface Runtime {
  readonly name: RuntimeName;
  /** Absolute path of its binary. */
  readonly path: string;
  readonly version: string;
}

/** The oldest version that this project supports. */
const OLDEST = { bun: [1, 4], node: [26, 0] } as const;

/** The version in what `--version` prints (`v26.10.0`, `1.4.5`), if it is one. */
export function versionIn(text: string): string | undefined {
  return /^v?(\d+\.\d+\.\d+\S*)/.exec(text.trim())?.[1];
}

/** Whether a version is as new as `[major, minor]`. */
export function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [itsMajor, itsMinor] = version.split(".").map(Number) as [number, number];
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
}

function versionOf(path: string): string | undefined {
  const { status, stdout } = spawnSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return status === 0 ? versionIn(stdout) : undefined;
}

function onPath(name: "bun" | "node"): Runtime | undefined {
  const path = findProgram(name);
  const version = path === undefined ? undefined : versionOf(path);
  if (path === undefined || version === undefined || !isAtLeast(version, OLDEST[name])) return undefined;
  return { name, path, version };
}

async function fromPackage(name: "bun" | "node"): Promise<Runtime> {
  const platform = `${process.platform}-${process.arch}`;
  const folder = join(TOOLS, "runtimes", platform);
  if (!existsSync(folder)) {
    throw new Error(
      `no ${name} ${OLDEST[name].join(".")} or newer on PATH, and tools/runtimes has none for ${platform}`,
    );
  }
  await install(folder);
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const dependency of Object.keys(dependencies)) {
    const path = join(folder, "node_modules", dependency, "bin", name);
    if (!existsSync(path)) continue;
    const version = versionOf(path);
    if (version === undefined) throw new Error(`${path} does not run on this machine; put a fitting ${name} on PATH`);
    return { name, path, version };
  }
  throw new Error(`no package in tools/runtimes/${platform} holds ${name}`);
}

/** Finds a runtime, installing it where needed. */
export async function findRuntime(name: RuntimeName): Promise<Runtime> {
  if (name === "deno") return { name, path: denoPath(), version: process.versions["deno"]! };
  return onPath(name) ?? await fromPackage(name);
}
