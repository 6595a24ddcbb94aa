/**
 * Projects in folders of their own.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Project } from "../../../src/migrate/mod.ts";

/** Runs with a folder, which is gone afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-migrate-"));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A project whose migrations are in a folder. */
export function projectIn(folder: string, tables: Project["tables"], more: Partial<Project> = {}): Project {
  return { tables, out: join(folder, "migrations"), ...more };
}
