/**
 * Loads generated modules as users would, with this tree in the place of the package.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyTable } from "../../../mod.ts";

const MOD = new URL("../../../mod.ts", import.meta.url).href;
let loads = 0;

/** The tables that a module declares. */
export async function loadTables(folder: string, source: string): Promise<AnyTable[]> {
  // A module is loaded once per name.
  const file = join(folder, `schema_${++loads}.ts`);
  writeFileSync(file, source.replace('from "sluice"', `from ${JSON.stringify(MOD)}`));
  return Object.values(await import(pathToFileURL(file).href) as Record<string, AnyTable>);
}
