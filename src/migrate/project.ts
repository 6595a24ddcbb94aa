/**
 * What all commands know of a project: its tables, its migrations, its servers.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { ConnectOptions } from "../query/options.ts";
import { definitionOf, type TableDefinition } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { SERVER_VERSIONS, type ServerVersion } from "./servers.ts";
import { fullName, type Snapshot, snapshotOf, tableSnapshot } from "./snapshot.ts";

/** A project, as functions take it. */
export interface Project {
  /** The declared tables. */
  readonly tables: readonly AnyTable[];
  /** The folder of the migrations. */
  readonly out: string;
  /** The database of tables without one. */
  readonly database?: string | undefined;
  /** The oldest servers that migrations are for. Default `0.9.1`. */
  readonly server?: ServerVersion | undefined;
  /**
   * Which tables of the cluster belong to the project, such as `["shop.*"]`. Default: all in the databases of the
   * declared tables; for `pull` without any, all tables there are.
   */
  readonly include?: readonly string[] | undefined;
  /** The database that keeps which migrations were applied. Default `sluice`. */
  readonly stateDatabase?: string | undefined;
}

/** `sluice.config.ts`: what {@linkcode defineConfig} takes. */
export interface SluiceConfig {
  /**
   * What to connect to; `--url` and `SLUICE_URL` win. A folder (`file:./data`) is relative to the config. Not needed by
   * commands that only look at files.
   */
  readonly url?: string;
  /** Options of the connection. Passwords are better kept in `SLUICE_PASSWORD`. */
  readonly connection?: ConnectOptions;
  /** The modules that declare tables: files or patterns, relative to the config. */
  readonly schema: string | readonly string[];
  /** The folder of the migrations, relative to the config. Default `./migrations`. */
  readonly out?: string;
  /** The database of tables without one. */
  readonly database?: string;
  /** The oldest servers that migrations are for. Default `0.9.1`. */
  readonly server?: ServerVersion;
  /** As in {@linkcode Project.include}. */
  readonly include?: readonly string[];
  /** As in {@linkcode Project.stateDatabase}. */
  readonly stateDatabase?: string;
}

/**
 * Says what a config is; it comes back as it is.
 *
 * @example
 * ```ts
 * import { defineConfig } from "sluice/migrate";
 *
 * export default defineConfig({ url: "fluss://127.0.0.1:9123", schema: "./schema/*.ts", out: "./migrations" });
 * ```
 */
export function defineConfig(config: SluiceConfig): SluiceConfig {
  return config;
}

/** The version of server that a project is for. */
export function serverOf({ server }: Project): ServerVersion {
  return server ?? SERVER_VERSIONS[0]!;
}

/** Whether a table belongs to a project, as far as `include` says. */
export function belongsTo({ include }: Project, name: string): boolean {
  return include === undefined || include.some((pattern) => patternOf(pattern).test(name));
}

/** `shop.*` as a pattern for whole names. */
function patternOf(text: string): RegExp {
  return new RegExp(`^${text.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")).join(".*")}$`);
}

/**
 * The declared tables by their full names.
 *
 * @throws FlussUsageError `MIGRATION.CONFIG` for two declarations of one name
 */
export function declaredTables(project: Project): Map<string, TableDefinition> {
  const found = new Map<string, TableDefinition>();
  for (const definition of new Set(project.tables.map(definitionOf))) {
    const name = fullName(definition, project.database);
    if (found.has(name)) {
      throw flussError("MIGRATION.CONFIG", {
        table: name,
        message: "the schema declares it twice",
        hint: "keep one of the two",
      });
    }
    found.set(name, definition);
  }
  return found;
}

/** The snapshot of the declared tables. */
export function declaredSnapshot(project: Project): Snapshot {
  return snapshotOf([...declaredTables(project)].map(([name, definition]) => [name, tableSnapshot(definition)]));
}
