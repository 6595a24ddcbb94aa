/**
 * Projects of migrations on the target.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AnyTable, Db } from "../../mod.ts";
import type { Project } from "../../src/migrate/mod.ts";
import { withFolder } from "../unit/migrate/projects.ts";
import { withDatabase } from "./target.ts";

/** Where a project is. */
export interface Place {
  readonly db: Db;
  readonly database: string;
  readonly folder: string;
  /** With these tables declared. */
  project(...tables: AnyTable[]): Project;
}

/** A project in a database and a folder of its own. */
export function withProject(run: (place: Place) => Promise<void>): Promise<void> {
  return withDatabase((db, database) =>
    withFolder((folder) =>
      run({
        db,
        database,
        folder,
        project: (...tables) => ({ tables, out: join(folder, "migrations"), database, stateDatabase: database }),
      })
    )
  );
}

const MIGRATE = new URL("../../src/migrate/mod.ts", import.meta.url).href;

/** Puts this tree in the place of the package. */
export function link(file: string): void {
  writeFileSync(
    file,
    readFileSync(file, "utf8").replace('from "sluice/migrate"', `from ${JSON.stringify(MIGRATE)}`),
  );
}
