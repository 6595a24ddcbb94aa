/**
 * `sluice push`: a cluster for development as the schema says.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectWithTables } from "../config.ts";
import { refuseFarAway } from "../../migrate/push.ts";
import { CONNECTION_OPTIONS } from "../data/connection.ts";
import { isOn, textOf } from "../data/values.ts";
import {
  CLUSTER_EXITS,
  grantsOf,
  makeFolder,
  printJson,
  printLines,
  projectUrl,
  tell,
  withProjectDb,
} from "./common.ts";

/** See the module. */
export const push: CliCommand = {
  name: "push",
  summary: "make a cluster for development as the schema says",
  about: "Makes the tables of memory:, file: or a cluster on this machine as the schema says, without migrations. " +
    "Tables that are not declared stay, unless drop-table is allowed for them by name; a change that servers refuse " +
    "needs recreate-table, which loses the rows of the table.",
  options: [
    {
      flags: "--allow <name>",
      text: "drop-table:shop.old, recreate-table:shop.orders; may be given again",
      repeats: true,
    },
    ...CONNECTION_OPTIONS,
  ],
  examples: ["push", "push --url fluss://127.0.0.1:9123 --allow recreate-table:shop.orders"],
  exits: [
    { code: 4, errors: "MIGRATION.BLOCKED", text: "servers refuse a change" },
    { code: 4, errors: "MIGRATION.DRIFT", text: "somebody else changes the tables at the same time" },
    ...CLUSTER_EXITS,
  ],
  run,
};

async function run(values: Values, io: Io): Promise<void> {
  const loaded = await loadConfig(textOf(values, "config"));
  const project = await projectWithTables(loaded);
  const migrate = await import("../../migrate/mod.ts");
  const allow = grantsOf(values, ["drop-table", "recreate-table", "expire"]);
  const url = projectUrl(loaded, values, io);
  refuseFarAway(url);
  await makeFolder(url);
  const { done, kept } = await withProjectDb(
    loaded,
    values,
    io,
    (db) => migrate.push(db, project, { url, allow }),
  );
  if (isOn(values, "json")) return printJson(io, { ok: true, done, kept });
  printLines(io, done);
  if (done.length === 0) tell(io, "nothing to do");
  for (const table of kept) tell(io, `${table} is not declared, and stays`);
}
