/**
 * `sluice plan`: the next migration.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectWithTables } from "../config.ts";
import { CONNECTION_OPTIONS } from "../data/connection.ts";
import { badUsage, isOn, textOf } from "../data/values.ts";
import { CLUSTER_EXITS, INVALID_EXITS, printJson, printLines, tell, withProjectDb } from "./common.ts";

/** See the module. */
export const plan: CliCommand = {
  name: "plan",
  summary: "write the next migration, from the last one to the schema",
  about:
    "Compares the declared tables with where the last migration ends, and writes what is between them as the next " +
    "one: a folder with migration.json and snapshot.json. Needs no cluster.\n\n" +
    "Changes that servers refuse are told with a reason and a way out, and nothing is written then.",
  options: [
    { flags: "--name <text>", text: "what the migration is for; part of its name" },
    { flags: "--dry-run", text: "say what would be planned, and write nothing" },
    { flags: "--rebuild <table>", text: "make this table anew, with its rows, where servers refuse a change" },
    { flags: "--from-live", text: "plan from what is on the cluster, and not from the last migration" },
    ...CONNECTION_OPTIONS,
  ],
  examples: ["plan", "plan --name 'add email'", "plan --rebuild shop.orders", "plan --from-live"],
  exits: [
    { code: 4, errors: "MIGRATION.BLOCKED", text: "servers refuse a change" },
    ...CLUSTER_EXITS,
    ...INVALID_EXITS,
  ],
  run,
};

async function run(values: Values, io: Io): Promise<void> {
  const loaded = await loadConfig(textOf(values, "config"));
  const project = await projectWithTables(loaded);
  const options = { name: textOf(values, "name"), dryRun: isOn(values, "dryRun") };
  // Loaded here, so that --help need not wait for them.
  const migrate = await import("../../migrate/mod.ts");
  const rebuilt = textOf(values, "rebuild");
  if (rebuilt !== undefined) {
    if (isOn(values, "fromLive")) {
      throw badUsage("--rebuild and --from-live do not go together", "leave out one of them");
    }
    const result = await migrate.planRebuild(project, rebuilt, options);
    if (isOn(values, "json")) return printJson(io, result);
    printLines(io, result.folders);
    for (const line of result.notes) tell(io, line);
    return;
  }
  const result = isOn(values, "fromLive")
    ? await withProjectDb(loaded, values, io, (db) => migrate.planFromLive(db, project, options))
    : await migrate.plan(project, options);
  if (isOn(values, "json")) return printJson(io, result);
  for (const note of result.notes) tell(io, `note: ${note}`);
  for (const op of result.operations) {
    tell(io, `${op.class === "destructive" ? "DESTRUCTIVE " : ""}${migrate.operationText(op)}`);
  }
  if (result.folder !== null) printLines(io, [result.folder]);
  else if (result.operations.length === 0) tell(io, "nothing to do: the last migration ends where the schema is");
}
