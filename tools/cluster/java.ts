/**
 * Finds Java and Maven, and says what to install where they are missing.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { MissingTool } from "./errors.ts";

const OLDEST_JAVA = 11;

const WINDOWS = process.platform === "win32";

/** The absolute path of a program in a list of folders (`PATH` unless told), if it is there and may be run. */
export function findProgram(
  name: string,
  folders: readonly string[] = pathFolders(),
): string | undefined {
  const names = WINDOWS ? [`${name}.exe`, `${name}.cmd`] : [name];
  for (const folder of folders) {
    for (const candidate of names) {
      const path = join(folder, candidate);
      try {
        accessSync(path, constants.X_OK);
        if (statSync(path).isFile()) return path;
      } catch {
        // Not in this folder, or not ours to run.
      }
    }
  }
  return undefined;
}

function pathFolders(): string[] {
  return (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
}

/** The major version in what `java -version` prints: `17.0.15`, `21`, and `1.8.0_402` for Java 8. */
export function javaMajor(text: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The `java` to use: the one of `JAVA_HOME`, else the first on `PATH`.
 *
 * @throws {MissingTool} when there is none, or it is older than Java 11.
 */
export function findJava(): string {
  const home = process.env["JAVA_HOME"];
  const java = (home === undefined ? undefined : findProgram("java", [join(home, "bin")])) ?? findProgram("java");
  if (java === undefined) {
    throw new MissingTool(
      `no Java found in JAVA_HOME or on PATH; install a Java runtime, version ${OLDEST_JAVA} or newer (17 is a good choice)`,
    );
  }
  const { stderr, stdout, error } = spawnSync(java, ["-version"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = `${stderr ?? ""}${stdout ?? ""}`.trim();
  const major = javaMajor(said);
  if (major === undefined) {
    throw new MissingTool(
      `${java} does not run (${error?.message ?? (said.split("\n")[0] || "it prints no version")}); ` +
        `install a Java runtime, version ${OLDEST_JAVA} or newer`,
    );
  }
  if (major < OLDEST_JAVA) {
    throw new MissingTool(
      `${java} is Java ${major}; install Java ${OLDEST_JAVA} or newer and let JAVA_HOME name it`,
    );
  }
  return java;
}

/**
 * The `mvn` to use, which downloads the servers' jars once.
 *
 * @throws {MissingTool} when there is none.
 */
export function findMaven(): string {
  const maven = findProgram("mvn");
  if (maven === undefined) {
    throw new MissingTool(
      "no Maven (mvn) found on PATH, which downloads the server's jars once; " +
        "install Maven, or let FLUSS_JARS name a folder that holds the jars",
    );
  }
  return maven;
}
