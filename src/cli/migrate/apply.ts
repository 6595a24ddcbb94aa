/**
 * `sluice apply`: runs what is pending.
 *
 * @module
 */
import { hostname } from "node:os";
import type { ApplyEvent, ApplyResult } from "../../migrate/mod.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { loadConfig, projectOf } from "../config.ts";
import { CONNECTION_OPTIONS } from "../data/connection.ts";
import { INTERRUPTED, listenForInterrupt } from "../data/interrupt.ts";
import { showProgress } from "../data/progress.ts";
import { countOf, isOn, textOf } from "../data/values.ts";
import {
  CLUSTER_EXITS,
  grantsOf,
  INVALID_EXITS,
  makeFolder,
  printJson,
  printLines,
  projectUrl,
  tell,
  withProjectDb,
} from "./common.ts";

/** See the module. */
export const apply: CliCommand = {
  name: "apply",
  summary: "run the migrations that are pending",
  about: "Runs what is pending, in order, one process at a time in the whole cluster. Every operation is looked at " +
    "before and after it, so a run that was cut off is finished by the next one. There is no way back but a new " +
    "migration.\n\n" +
    "What destroys rows must be allowed by its name; what that name is, is said.",
  options: [
    { flags: "--to <migration>", text: "the last one to run (default: all)" },
    { flags: "--dry-run", text: "say what would be done, and do nothing" },
    {
      flags: "--allow <name>",
      text: "allow what destroys rows: drop-table:shop.old; may be given again",
      repeats: true,
    },
    { flags: "--wait <seconds>", text: "how long to wait for somebody else who applies (default: not at all)" },
    { flags: "--break-lock <holder>", text: "end the lease of this holder, whom status names" },
    ...CONNECTION_OPTIONS,
  ],
  examples: ["apply", "apply --dry-run --json", "apply --allow drop-table:shop.old --wait 60"],
  exits: [
    { code: 4, errors: "MIGRATION.DRIFT", text: "the cluster is not what the migrations made it" },
    { code: 4, errors: "MIGRATION.BLOCKED", text: "the server refuses a change" },
    { code: 5, errors: "MIGRATION.LOCK", text: "somebody else applies migrations" },
    ...CLUSTER_EXITS,
    ...INVALID_EXITS,
    { code: 8, errors: "MIGRATION.DATA_FAILED", text: "a data step failed" },
  ],
  run,
};

async function run(values: Values, io: Io): Promise<number | void> {
  const loaded = await loadConfig(textOf(values, "config"));
  const project = projectOf(loaded);
  const migrate = await import("../../migrate/mod.ts");
  const json = isOn(values, "json");
  const allow = grantsOf(values, ["drop-table", "fewer-rows", "expire"]);
  using interrupt = listenForInterrupt(io);
  const progress: { rows: number; done: number; total: number | undefined } = { rows: 0, done: 0, total: undefined };
  let bar: Disposable | undefined;
  const clear = () => {
    bar?.[Symbol.dispose]();
    bar = undefined;
  };
  const onEvent = (event: ApplyEvent) => {
    if (event.event === "data") {
      Object.assign(progress, { rows: event.done, done: event.done, total: event.total });
      bar ??= showProgress(io, progress);
      return;
    }
    clear();
    const line = eventText(event, migrate.operationText);
    if (!json && line !== undefined) tell(io, line);
  };
  await makeFolder(projectUrl(loaded, values, io));
  let result: ApplyResult;
  try {
    result = await withProjectDb(loaded, values, io, (db) =>
      migrate.apply(db, project, {
        to: textOf(values, "to"),
        dryRun: isOn(values, "dryRun"),
        allow,
        breakLock: textOf(values, "breakLock"),
        waitMs: 1000 * (countOf(values, "wait") ?? 0),
        by: `${io.env["USER"] ?? io.env["USERNAME"] ?? "somebody"}@${hostname()}`,
        signal: interrupt.signal,
        onEvent,
      }));
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    tell(io, "stopped; sluice apply goes on where it ended");
    return INTERRUPTED;
  } finally {
    clear();
  }
  if (json) return printJson(io, result);
  if (result.dryRun) { for (const { done } of result.applied) for (const line of done) tell(io, `would ${line}`); }
  printLines(io, result.applied.map(({ migration }) => migration));
  if (result.applied.length === 0) tell(io, "nothing is pending");
  if (result.pending.length > 0) tell(io, `left: ${result.pending.join(", ")}`);
}

/** What is said of an event. */
function eventText(
  event: ApplyEvent,
  operationText: typeof import("../../migrate/mod.ts").operationText,
): string | undefined {
  switch (event.event) {
    case "waiting":
      return `waiting for ${event.holder.holder}, whose lease lasts until ${event.holder.expiresAt ?? "it is written"}`;
    case "migration":
      return `${event.migration}${event.resumed ? " goes on" : ""}`;
    case "operation":
      return `  ${operationText(event.operation)}${event.changed ? "" : " (was done)"}`;
    case "data":
      return undefined;
  }
}
