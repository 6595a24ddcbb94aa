/**
 * The jars of the Fluss server: downloaded once by Maven, or taken from the folder that `FLUSS_JARS` names.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ClusterError } from "./errors.ts";
import { findJava, findMaven } from "./java.ts";

/** The released server that the tests and the demo run on. */
export const FLUSS_VERSION = "0.9.1-incubating";

const MINUTES_FOR_MAVEN = 10;

/** Where what was downloaded is kept. */
export function cacheFolder(): string {
  const fromUser = process.env["XDG_CACHE_HOME"];
  if (fromUser) return fromUser;
  return process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
}

function downloadedJars(): string {
  return join(cacheFolder(), "sluice", `fluss-server-${FLUSS_VERSION}`);
}

/**
 * The folder that `FLUSS_JARS` names, when it holds another server than the released one.
 *
 * @throws {ClusterError} when it holds no jars.
 */
export function unreleasedJars(): string | undefined {
  const given = givenJars();
  return given === undefined || existsSync(join(given, `fluss-server-${FLUSS_VERSION}.jar`)) ? undefined : given;
}

function givenJars(): string | undefined {
  const given = process.env["FLUSS_JARS"];
  if (given === undefined || existsSync(given) && readdirSync(given).some((name) => name.endsWith(".jar"))) {
    return given;
  }
  throw new ClusterError(`FLUSS_JARS names ${given}, which holds no jars`);
}

/**
 * Makes sure that everything a cluster needs from outside is here, downloading nothing.
 *
 * @throws {MissingTool} naming what to install.
 */
export function checkRequirements(): void {
  findJava();
  if (
    process.env["FLUSS_JARS"] === undefined && !existsSync(downloadedJars())
  ) findMaven();
}

/**
 * The folder that holds the server's jars; downloads them the first time.
 *
 * @throws {MissingTool} when Maven is needed and not installed.
 * @throws {ClusterError} when the download fails, or `FLUSS_JARS` names a folder without jars.
 */
export function serverJars(say: (line: string) => void): string {
  const given = givenJars();
  if (given !== undefined) return given;
  const target = downloadedJars();
  if (existsSync(target)) return target;

  const maven = findMaven();
  say(`downloading Fluss ${FLUSS_VERSION} to ${target} (once)`);
  mkdirSync(dirname(target), { recursive: true });
  // Into a folder of its own, then renamed: a download that is cut off leaves nothing that looks complete.
  const partial = mkdtempSync(`${target}-`);
  try {
    const pom = fileURLToPath(new URL("pom.xml", import.meta.url));
    const { status, stdout, error } = spawnSync(
      maven,
      [
        "-B",
        "-q",
        "-f",
        pom,
        "dependency:copy-dependencies",
        `-Dfluss.version=${FLUSS_VERSION}`,
        `-DoutputDirectory=${partial}`,
      ],
      {
        stdio: ["ignore", "pipe", "inherit"],
        encoding: "utf8",
        timeout: MINUTES_FOR_MAVEN * 60_000,
        // Maven's start script on Windows is no program but a script of the shell.
        shell: process.platform === "win32",
      },
    );
    if (status !== 0) {
      throw new ClusterError(
        `Maven could not download the jars of Fluss ${FLUSS_VERSION}: ${
          error?.message ?? `exit code ${status}`
        }\n${stdout}`
          .trimEnd(),
      );
    }
    try {
      renameSync(partial, target);
    } catch (cause) {
      // Someone else was faster, and theirs is the same.
      if (!existsSync(target)) throw cause;
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return target;
}
