/**
 * `sluice diff`: the cluster beside the schema.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectWithTables } from "../config.ts";
import { CONNECTION_OPTIONS } from "../data/connection.ts";
import { isOn, textOf } from "../data/values.ts";
import { CLUSTER_EXITS, printJson, printLines, problemLine, tell, withProjectDb } from "./common.ts";

const DIFFERENT = 4;

/** See the module. */
export const diff: CliCommand = {
  name: "diff",
  summary: "compare the cluster with the schema",
  about:
    "Compares the tables of the cluster with the declared ones, and says what is between them. It changes nothing.",
  options: CONNECTION_OPTIONS,
  examples: ["diff", "diff --json"],
  exits: [{ code: DIFFERENT, text: "they differ" }, ...CLUSTER_EXITS],
  run,
};

async function run(values: Values, io: Io): Promise<number> {
  const loaded = await loadConfig(textOf(values, "config"));
  const project = await projectWithTables(loaded);
  const migrate = await import("../../migrate/mod.ts");
  const found = await withProjectDb(loaded, values, io, (db) => migrate.diff(db, project));
  if (isOn(values, "json")) printJson(io, found);
  else {
    printLines(io, [
      ...found.operations.map((op) => `to do    ${migrate.operationText(op)}`),
      ...found.blocked.map(({ table, message, hint }) => `blocked  ${table}: ${message}. hint: ${hint}`),
      ...found.unreadable.map((problem) => `unknown  ${problemLine(problem)}`),
    ]);
    for (const note of found.notes) tell(io, `note: ${note}`);
    if (found.equal) tell(io, "the cluster is as the schema says");
    else tell(io, "ways on: sluice pull, sluice plan --from-live, sluice apply");
  }
  return found.equal ? 0 : DIFFERENT;
}
