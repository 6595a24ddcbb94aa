/**
 * `sluice.config.ts`, and the tables that its schema declares.
 *
 * @module
 */
import { readdir, stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { type FlussError, flussError } from "../base/errors.ts";
import type { Project, SluiceConfig } from "../migrate/mod.ts";
import { definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { suggestion } from "../schema/suggest.ts";

/** The file that is looked for. */
export const CONFIG_FILE = "sluice.config.ts";
const OUT = "./migrations";

/** What the runtimes say where `sluice` itself is not installed. */
const NO_PACKAGE = /(["'])sluice(\/[\w/]+)?\1/;

/** A config, and where it is. */
export interface LoadedConfig {
  readonly config: SluiceConfig;
  /** The file. */
  readonly file: string;
  /** Its folder, from which its paths start. */
  readonly folder: string;
}

type Shape = "text" | "texts" | "text or texts" | "object" | readonly string[];

const SHAPE: Readonly<Record<keyof SluiceConfig, Shape>> = {
  url: "text",
  connection: "object",
  schema: "text or texts",
  out: "text",
  database: "text",
  server: ["0.9.1", "main"],
  include: "texts",
  stateDatabase: "text",
};

/**
 * Loads a config by the runtime's own import(): TypeScript runs as it is.
 *
 * @throws FlussUsageError `MIGRATION.CONFIG`
 */
export async function loadConfig(given: string | undefined): Promise<LoadedConfig> {
  const file = resolve(given ?? CONFIG_FILE);
  if (!await isFile(file)) {
    throw bad(
      `there is no ${given ?? CONFIG_FILE}${given === undefined ? " in this folder" : ""}`,
      "make one with sluice init, or name it with --config",
    );
  }
  const { default: config } = await load(file, "the config") as { readonly default?: unknown };
  const folder = dirname(file);
  return { config: withFolder(checked(config, file), folder), file, folder };
}

/** A project without its tables: for commands that look at migrations alone. */
export function projectOf({ config, folder }: LoadedConfig): Project {
  const { out = OUT, database, server, include, stateDatabase } = config;
  return { tables: [], out: resolve(folder, out), database, server, include, stateDatabase };
}

/** A folder of data is relative to the config, as those of schema and migrations are. */
function withFolder(config: SluiceConfig, folder: string): SluiceConfig {
  const [, path, rest] = /^file:(?!\/)([^?#]+)([^]*)$/i.exec(config.url ?? "") ?? [];
  if (path === undefined) return config;
  const encoded = folder.replace(/[%?#]/g, encodeURIComponent);
  return { ...config, url: `file:${join(encoded, path)}${rest}` };
}

/**
 * A project with the tables that its schema declares.
 *
 * @throws FlussUsageError `MIGRATION.CONFIG`
 */
export async function projectWithTables(loaded: LoadedConfig): Promise<Project> {
  const tables: AnyTable[] = [];
  const patterns = patternsOf(loaded.config);
  for (const pattern of patterns) {
    const files = await filesOf(loaded.folder, pattern);
    if (files.length === 0) {
      throw bad(`schema ${JSON.stringify(pattern)} names no file`, `it is relative to ${loaded.folder}`);
    }
    for (const file of files) {
      const exported = Object.values(await load(file, "the schema") as Record<string, unknown>);
      for (const value of exported) if (isTable(value)) tables.push(value);
    }
  }
  const distinct = [...new Set(tables)];
  if (distinct.length === 0) {
    throw bad(
      `the schema, ${patterns.join(", ")}, exports no table`,
      'write export const orders = table("shop.orders", ...); every table that is left out counts as dropped',
    );
  }
  return { ...projectOf(loaded), tables: distinct };
}

/** The file that `pull` writes, where nothing else is said: the first that the schema can mean. */
export function schemaFile({ config, folder }: LoadedConfig): string {
  return resolve(folder, patternsOf(config)[0]!.replace(/\*\*\//g, "").replaceAll("*", "schema"));
}

function patternsOf({ schema }: SluiceConfig): readonly string[] {
  return typeof schema === "string" ? [schema] : schema;
}

function checked(config: unknown, file: string): SluiceConfig {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw bad(`${file} has no config as its default export`, "write export default defineConfig({ ... })");
  }
  const known = Object.keys(SHAPE);
  for (const [key, value] of entriesOf(config, file)) {
    if (!Object.hasOwn(SHAPE, key)) {
      throw bad(`${file}: there is no option ${JSON.stringify(key)}`, suggestion(key, known, "options"));
    }
    const expected = value === undefined ? undefined : whyNot(value, SHAPE[key as keyof SluiceConfig]);
    if (expected !== undefined) throw bad(`${file}: ${key} must be ${expected}`, "see sluice init for an example");
  }
  const { schema } = config as Partial<SluiceConfig>;
  if (schema === undefined) throw bad(`${file}: schema is missing`, 'write schema: "./schema/*.ts"');
  return config as SluiceConfig;
}

function entriesOf(config: object, file: string): [string, unknown][] {
  try {
    return Object.entries(config);
  } catch (error) {
    throw bad(`${file}: the config cannot be read: ${firstLine(String(error))}`, "write plain values");
  }
}

function whyNot(value: unknown, shape: Shape): string | undefined {
  const isText = (text: unknown) => typeof text === "string" && text !== "";
  const areTexts = Array.isArray(value) && value.length > 0 && value.every(isText);
  switch (shape) {
    case "text":
      return isText(value) ? undefined : "a text that is not empty";
    case "texts":
      return areTexts ? undefined : "a list of texts";
    case "text or texts":
      return isText(value) || areTexts ? undefined : "a text, or a list of texts";
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : "an object";
    default:
      return shape.includes(value as string) ? undefined : `one of ${shape.map((text) => `"${text}"`).join(", ")}`;
  }
}

async function load(file: string, what: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const why = firstLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    throw flussError("MIGRATION.CONFIG", {
      message: `${what}, ${file}, cannot be loaded: ${why}`,
      hint: NO_PACKAGE.test(why)
        ? "install the package beside it: npm install sluice, bun add sluice, or deno add sluice@jsr:@sluice/sluice"
        : "repair it; --debug shows where it happened",
      cause: error,
    });
  }
}

/** Runtimes show the place of a mistake in lines of its own. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0]!.trim();
}

/** Files that a pattern means: `*` within a name, `**` for folders. Tests beside a schema declare nothing. */
async function filesOf(folder: string, pattern: string): Promise<string[]> {
  if (!pattern.includes("*")) {
    const file = resolve(folder, pattern);
    return await isFile(file) ? [file] : [];
  }
  const parts = pattern.replace(/^\.\//, "").split("/");
  const fixed = parts.slice(0, parts.findIndex((part) => part.includes("*")));
  const root = resolve(folder, ...fixed);
  const rest = parts.slice(fixed.length).map((part) =>
    part === "**" ? "(?:.*/)?" : `${part.split("*").map(quoted).join("[^/]*")}/`
  ).join("");
  const wanted = new RegExp(`^${rest.replace(/\/$/, "")}$`);
  let found: string[];
  try {
    found = await readdir(root, { recursive: true });
  } catch {
    return [];
  }
  return found.map((name) => relative(root, join(root, name)).split(sep).join("/"))
    .filter((name) => wanted.test(name) && !/(^|\/)node_modules\//.test(name) && !/[._]test\.\w+$/.test(name))
    .sort().map((name) => join(root, name));
}

function quoted(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}]/g, "\\$&");
}

function isTable(value: unknown): value is AnyTable {
  if (typeof value !== "object" || value === null) return false;
  try {
    definitionOf(value);
    return true;
  } catch {
    return false;
  }
}

async function isFile(file: string): Promise<boolean> {
  return await stat(file).then((found) => found.isFile(), () => false);
}

function bad(message: string, hint: string): FlussError {
  return flussError("MIGRATION.CONFIG", { message, hint });
}
