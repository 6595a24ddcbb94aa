/**
 * A store of the S3 kind for a cluster: moto's server, from PyPI, and Fluss's plugin for S3, from Maven. Both are
 * downloaded once.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { MissingTool } from "./errors.ts";
import { cacheFolder, FLUSS_VERSION } from "./jars.ts";
import { findMaven, findProgram } from "./java.ts";
import { HOST } from "./ports.ts";

const SERVER = fileURLToPath(new URL("s3_store.py", import.meta.url));
/** What the store is made of; `moto[server]` would bring much more, for the other services of AWS. */
const PACKAGES = fileURLToPath(new URL("s3_store.txt", import.meta.url));
const PLUGIN = "fluss-fs-s3";
const MINUTES_TO_DOWNLOAD = 10;

/** How programs reach the store of a cluster. */
export interface S3Store {
  /** The URL. */
  readonly endpoint: string;
  /** The bucket that holds the cluster's remote storage. */
  readonly bucket: string;
  /** The keys of the servers, which may do everything. */
  readonly accessKeyId: string;
  /** Their secret part. */
  readonly secretAccessKey: string;
}

/** The store on a port. */
export function storeAt(port: number): S3Store {
  return {
    endpoint: `http://${HOST}:${port}`,
    bucket: "fluss",
    accessKeyId: "sluice-test-key",
    secretAccessKey: "sluice-test-secret",
  };
}

/** The options of servers that have their remote storage in a store (Fluss: S3FileSystemPlugin.java). */
export function storeOptions({ endpoint, bucket, accessKeyId, secretAccessKey }: S3Store): Record<string, string> {
  return {
    "remote.data.dir": `s3://${bucket}/remote`,
    "s3.endpoint": endpoint,
    "s3.access-key": accessKeyId,
    "s3.secret-key": secretAccessKey,
    "s3.path-style-access": "true",
    "s3.region": "us-east-1",
    // Clients are given keys of this role, which expire.
    "s3.assumed.role.arn": "arn:aws:iam::123456789012:role/sluice",
    "s3.assumed.role.sts.endpoint": endpoint,
  };
}

/** The program and its arguments that serve the store on a port. */
export function storeCommand(python: string, port: number, directory: string): [string, string[]] {
  const { bucket, accessKeyId, secretAccessKey } = storeAt(port);
  return [python, [SERVER, directory, HOST, String(port), bucket, accessKeyId, secretAccessKey]];
}

/**
 * The Python that has the store's packages.
 *
 * @throws {MissingTool} when there is no Python, or its packages cannot be had.
 */
export function storePython(say: (line: string) => void): string {
  const base = findProgram("python3");
  if (base === undefined) throw new MissingTool("no Python (python3) found on PATH, which runs a store of the S3 kind");
  const version = createHash("sha256").update(readFileSync(PACKAGES)).digest("hex").slice(0, 12);
  const target = join(cacheFolder(), "sluice", `s3-store-${version}`);
  const python = pythonOf(target);
  if (existsSync(python)) return python;
  say(`downloading a store of the S3 kind to ${target} (once)`);
  // One whose Python was uninstalled.
  rmSync(target, { recursive: true, force: true });
  download(target, (partial) => {
    mustRun(base, ["-m", "venv", partial]);
    mustRun(pythonOf(partial), ["-m", "pip", "-q", "install", "-r", PACKAGES]);
  });
  return python;
}

function pythonOf(environment: string): string {
  return process.platform === "win32" ? join(environment, "Scripts", "python.exe") : join(environment, "bin", "python");
}

/**
 * The jar of Fluss's plugin for S3.
 *
 * @throws {MissingTool} when Maven is missing, or cannot download it.
 */
export function storePlugin(say: (line: string) => void): string {
  const name = `${PLUGIN}-${FLUSS_VERSION}.jar`;
  const target = join(cacheFolder(), "sluice", `${PLUGIN}-${FLUSS_VERSION}`);
  if (existsSync(target)) return join(target, name);
  const maven = findMaven();
  say(`downloading ${name} to ${target} (once)`);
  download(target, (partial) => {
    // The jar alone: it holds all that it needs, and its parent was never published.
    const artifact = `-Dartifact=org.apache.fluss:${PLUGIN}:${FLUSS_VERSION}`;
    mustRun(maven, ["-B", "-q", "dependency:copy", artifact, `-DoutputDirectory=${partial}`]);
  });
  return join(target, name);
}

/** Fills a folder aside and renames it into place, so that a download that is cut off leaves nothing that looks complete. */
function download(target: string, fill: (partial: string) => void): void {
  mkdirSync(dirname(target), { recursive: true });
  const partial = mkdtempSync(`${target}-`);
  try {
    fill(partial);
    try {
      renameSync(partial, target);
    } catch (cause) {
      // Someone else was faster, and theirs is the same.
      if (!existsSync(target)) throw cause;
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function mustRun(program: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(program, [...args], {
    encoding: "utf8",
    timeout: MINUTES_TO_DOWNLOAD * 60_000,
    shell: process.platform === "win32" && program.endsWith(".cmd"),
  });
  if (status === 0) return;
  const said = error?.message ?? `${stdout}${stderr}`.trim().split("\n").slice(-3).join(" ");
  throw new MissingTool(`${program} ${args.slice(0, 4).join(" ")} did not work: ${said || `exit code ${status}`}`);
}
