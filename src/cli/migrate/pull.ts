/**
 * `sluice pull`: the tables of a cluster as source.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { plainText } from "../text.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectOf, schemaFile } from "../config.ts";
import { CONNECTION_OPTIONS } from "../data/connection.ts";
import { isOn, textOf, textsOf } from "../data/values.ts";
import { CLUSTER_EXITS, INVALID_EXITS, printJson, printLines, problemLine, tell, withProjectDb } from "./common.ts";

const LEFT = 4;

/** See the module. */
export const pull: CliCommand = {
  name: "pull",
  summary: "write the tables of a cluster down as a schema",
  about:
    "Reads the tables of a cluster, and writes them as a schema module, with a migration that takes them as they " +
    "are: a plan after it is empty, and its apply changes nothing where they come from.",
  options: [
    { flags: "--file <file>", text: "the module to write (default: what schema in the config means)" },
    { flags: "--types", text: "write row types, too, into a module beside it" },
    { flags: "--allow <name>", text: "overwrite:<file> replaces a file that is there", repeats: true },
    ...CONNECTION_OPTIONS,
  ],
  examples: ["pull", "pull --file ./schema/live.ts --types"],
  exits: [{ code: LEFT, text: "some tables were left out" }, ...CLUSTER_EXITS, ...INVALID_EXITS],
  run,
};

async function run(values: Values, io: Io): Promise<number> {
  const loaded = await loadConfig(textOf(values, "config"));
  const given = textOf(values, "file");
  const file = given === undefined ? schemaFile(loaded) : resolve(given);
  const granted = textsOf(values, "allow").some((name) =>
    name.startsWith("overwrite:") && resolve(name.slice("overwrite:".length)) === file
  );
  const migrate = await import("../../migrate/mod.ts");
  const found = await withProjectDb(
    loaded,
    values,
    io,
    (db) => migrate.pull(db, projectOf(loaded), { file, types: isOn(values, "types"), overwrite: granted }),
  );
  if (isOn(values, "json")) printJson(io, found);
  else {
    printLines(io, found.files.map((each) => relative(".", each)));
    for (const problem of found.left) tell(io, `left out: ${problemLine(problem)}`);
    tell(io, `${found.tables.length} tables${found.migration === null ? "" : `, and ${plainText(found.migration)}`}`);
  }
  return found.left.length > 0 ? LEFT : 0;
}
