/**
 * `sluice status`: what was applied, what is pending, what drifted, who applies.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectOf } from "../config.ts";
import { CONNECTION_OPTIONS } from "../data/connection.ts";
import { isOn, textOf } from "../data/values.ts";
import { CLUSTER_EXITS, INVALID_EXITS, printJson, printLines, problemLine, tell, withProjectDb } from "./common.ts";

const DRIFTED = 4;
const PENDING = 5;

/** See the module. */
export const status: CliCommand = {
  name: "status",
  summary: "say what was applied, what is pending and what drifted",
  about: "Compares the migrations with the cluster: which were applied, when and by whom, which are pending, where " +
    "tables are not what the migrations made them, and who applies migrations now. It changes nothing.",
  options: CONNECTION_OPTIONS,
  examples: ["status", "status --json"],
  exits: [
    { code: PENDING, text: "something is pending" },
    { code: DRIFTED, text: "nothing is pending, and something drifted or changed" },
    ...CLUSTER_EXITS,
    ...INVALID_EXITS,
  ],
  run,
};

async function run(values: Values, io: Io): Promise<number> {
  const loaded = await loadConfig(textOf(values, "config"));
  const migrate = await import("../../migrate/mod.ts");
  const found = await withProjectDb(loaded, values, io, (db) => migrate.status(db, projectOf(loaded)));
  const { applied, pending, drift, problems, lock } = found;
  if (isOn(values, "json")) printJson(io, found);
  else {
    printLines(io, [
      ...applied.map(({ migration, state, at, by }) => `${state.padEnd(8)} ${migration}  ${at}  ${by}`),
      ...pending.map((migration) => `pending  ${migration}`),
      ...drift.map((problem) => `drift    ${problemLine(problem)}`),
      ...problems.map((problem) => `changed  ${problemLine(problem)}`),
      ...(lock === null ? [] : [`lock     ${lock.holder}  until ${lock.expiresAt ?? "it is written"}`]),
    ]);
    if (applied.length === 0 && pending.length === 0) tell(io, "there are no migrations: plan one first");
  }
  if (pending.length > 0) return PENDING;
  return drift.length > 0 || problems.length > 0 ? DRIFTED : 0;
}
