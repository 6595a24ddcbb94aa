/**
 * Migrations as folders: `migration.json`, `snapshot.json` and perhaps `data.ts`. There is no list of them beside them.
 *
 * @module
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { bareMessage, FlussError, flussError, FlussMigrationError } from "../base/errors.ts";
import { hashJson, hashText } from "./json_text.ts";
import { type Operation, readOperation } from "./operations.ts";
import { readSnapshot, recordOf, type Snapshot, textOf, textsOf } from "./snapshot.ts";

/** What `migration.json` says. */
export interface MigrationFile {
  /** The name of the folder. */
  readonly id: string;
  /** The hashes of the migrations before it; none for the first, several where branches meet. */
  readonly parents: readonly string[];
  /** The hash of the tables before it. */
  readonly from: string;
  /** The hash of the tables after it. */
  readonly to: string;
  readonly ops: readonly Operation[];
}

/** A migration as it is on the disk. */
export interface Migration extends MigrationFile {
  /** All tables after it. */
  readonly snapshot: Snapshot;
  /** What `data.ts` holds, if there is one. */
  readonly data?: string;
  /** What the migrations after it call it: the hash of `migration.json`. */
  readonly hash: string;
  /** The hash of everything that runs: what may not change once it was applied. */
  readonly checksum: string;
}

const FILE = "migration.json";
const SNAPSHOT = "snapshot.json";
/** The file of a data step. */
export const DATA_FILE = "data.ts";

/** Names of folders that are migrations. */
const ID = /^\d{8}T\d{6}_[a-z0-9_]+$/;

/** Reads all migrations of a folder, in the order of their names. No folder means none. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  let names: string[];
  try {
    names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) =>
      name
    );
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw flussError("MIGRATION.CONFIG", {
      message: `the folder of the migrations, ${folder}, cannot be read: ${reasonOf(error)}`,
      cause: error,
    });
  }
  const migrations = names.filter((name) => ID.test(name)).sort();
  for (const name of names) {
    // What somebody renamed is not to be left out without a word; what is being written has a dot in front.
    if (ID.test(name) || name.startsWith(".") || await readText(join(folder, name, FILE)) === undefined) continue;
    throw malformed(
      name,
      invalid("its folder has not the name of a migration", "give it back the name that its id says"),
    );
  }
  return await Promise.all(migrations.map((name) => readMigration(folder, name)));
}

async function readMigration(folder: string, id: string): Promise<Migration> {
  const place = join(folder, id);
  try {
    const json = recordOf(await readJson(join(place, FILE)), FILE);
    if (json["id"] !== id) throw invalid(`${FILE} is of ${JSON.stringify(json["id"]) ?? "nothing"}`);
    if (!Array.isArray(json["ops"])) throw invalid("ops is no list");
    const file: MigrationFile = {
      id,
      parents: textsOf(json["parents"], "parents"),
      from: textOf(json["from"], "from"),
      to: textOf(json["to"], "to"),
      ops: json["ops"].map(readOperation),
    };
    const data = await readText(join(place, DATA_FILE));
    const hash = await hashJson(json);
    return {
      ...file,
      snapshot: readSnapshot(await readJson(join(place, SNAPSHOT))),
      ...(data === undefined ? {} : { data }),
      hash,
      checksum: await checksumOf(hash, data),
    };
  } catch (error) {
    if (!FlussError.is(error, "MIGRATION.INVALID")) throw error;
    throw malformed(id, error);
  }
}

function malformed(id: string, error: FlussError): FlussMigrationError {
  const message = `${id}: ${bareMessage(error)}`;
  const problems = [{ kind: "malformed" as const, migration: id, message }];
  return new FlussMigrationError("MIGRATION.INVALID", { message, hint: error.hint, cause: error, problems });
}

/** Line ends are version control's business. */
async function checksumOf(hash: string, data: string | undefined): Promise<string> {
  return await hashText(`${hash}\n${data === undefined ? "" : data.replaceAll("\r\n", "\n")}`);
}

/** Writes a migration into a new folder, which is there with all files or not at all. */
export async function writeMigration(
  folder: string,
  file: MigrationFile,
  snapshot: Snapshot,
  data?: string,
): Promise<Migration> {
  const hash = await hashJson(file);
  const made: Migration = {
    ...file,
    snapshot,
    ...(data === undefined ? {} : { data }),
    hash,
    checksum: await checksumOf(hash, data),
  };
  const place = join(folder, file.id);
  // A name that no migration has, so that a half-written one is none.
  const unfinished = join(folder, `.${file.id}.new`);
  try {
    await mkdir(unfinished, { recursive: true });
    await writeFile(join(unfinished, FILE), `${JSON.stringify(file, null, 2)}\n`);
    await writeFile(join(unfinished, SNAPSHOT), `${JSON.stringify(snapshot, null, 2)}\n`);
    if (data !== undefined) await writeFile(join(unfinished, DATA_FILE), data);
    await rename(unfinished, place);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw flussError("MIGRATION.CONFIG", {
      message: `the migration ${place} cannot be written: ${reasonOf(error)}`,
      cause: error,
    });
  }
  return made;
}

/**
 * The name of a new migration: when it was made, and what for.
 *
 * @param taken names that there are already; time passes until the new one is behind them
 */
export function newId(name: string, now: Date, taken: readonly string[]): string {
  const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, 60) || "migration";
  const stamp = (at: Date) => at.toISOString().slice(0, 19).replace(/[-:]/g, "");
  const last = taken.map((id) => id.slice(0, 15)).sort().at(-1) ?? "";
  let at = now;
  // Names are sorted by time, also those that are made within one second.
  if (stamp(at) <= last) at = new Date(secondOf(last) + 1000);
  return `${stamp(at)}_${slug}`;
}

function secondOf(stamp: string): number {
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)/.exec(stamp)!;
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  if (text === undefined) throw invalid(`it has no ${basename(file)}`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`${basename(file)} is not JSON: ${reasonOf(error)}`);
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw invalid(`${basename(file)} cannot be read: ${reasonOf(error)}`);
  }
}

/** Why something failed, in its own words. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}

function invalid(message: string, hint?: string): FlussError {
  return flussError("MIGRATION.INVALID", { message, hint });
}
