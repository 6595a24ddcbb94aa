/**
 * How commands that write rows tell what became of them.
 *
 * @module
 */
import type { Io, Values } from "../command.ts";
import { plainText } from "../text.ts";
import { jsonText } from "./output.ts";
import { rateText, wholeText } from "./progress.ts";
import { isOn } from "./values.ts";

/** What became of rows. */
export interface Outcome {
  /** The verb, as in "appended". */
  readonly done: string;
  readonly rows: number;
  readonly rejected: number;
  readonly ms?: number;
  /** By Ctrl-C. */
  readonly stopped?: boolean;
}

/** Tells it: as an envelope with `--json`, else to people. */
export async function tellOutcome(
  { done, rows, rejected, ms, stopped = false }: Outcome,
  values: Values,
  io: Io,
): Promise<void> {
  if (isOn(values, "json")) {
    const ok = rejected === 0 && !stopped;
    const more = { ...(ms === undefined ? {} : { ms: Math.round(ms) }), ...(stopped ? { interrupted: true } : {}) };
    return await io.write(`${jsonText({ ok, rows, rejected, ...more })}\n`);
  }
  const time = ms === undefined ? "" : ` in ${(ms / 1000).toFixed(1)} s (${rateText(rows, ms)})`;
  const lost = rejected === 0 ? "" : `, ${wholeText(rejected)} rejected`;
  const what = `${wholeText(rows)} ${rows === 1 ? "row" : "rows"} ${plainText(done)}`;
  io.err(`${stopped ? "stopped; " : ""}${what}${time}${lost}\n`);
}
