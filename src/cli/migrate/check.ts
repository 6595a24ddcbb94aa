/**
 * `sluice check`: whether the migrations fit each other.
 *
 * @module
 */
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectOf } from "../config.ts";
import { CONFIG_OPTION } from "../data/connection.ts";
import { isOn, textOf } from "../data/values.ts";
import { printJson, printLines, problemLine, tell } from "./common.ts";

const WRONG = 4;

/** See the module. */
export const check: CliCommand = {
  name: "check",
  summary: "look whether the migrations fit each other",
  about:
    "Looks at all migrations: whether each begins where the one before it ends, whether their files are what they " +
    "were, whether branches that met contradict each other, and whether servers can do it. Needs no cluster.",
  options: [CONFIG_OPTION],
  examples: ["check", "check --json"],
  exits: [{ code: WRONG, text: "something is wrong" }],
  run,
};

async function run(values: Values, io: Io): Promise<number> {
  const project = projectOf(await loadConfig(textOf(values, "config")));
  const migrate = await import("../../migrate/mod.ts");
  const result = await migrate.check(project);
  if (isOn(values, "json")) printJson(io, result);
  else {
    printLines(io, result.problems.map(problemLine));
    if (result.ok) tell(io, `${result.migrations} migrations, and nothing is wrong with them`);
    if (result.heads.length > 1) tell(io, `several are the last: ${result.heads.join(", ")}; the next plan joins them`);
  }
  return result.ok ? 0 : WRONG;
}
