/**
 * What somebody does first with the command line, wherever it comes from: from an empty folder to a row in a table.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";
import { Failed } from "../test/tally.ts";

const DATA = ["--url", "file:./data"];

/** The commands, and what each says. */
const SESSION: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [["--help"], /^Usage: sluice <command>/],
  [["init"], /sluice\.config\.ts/],
  [["plan", "--name", "first"], /create table shop\.orders/],
  [["apply"], /_first/],
  [["upsert", "shop.orders", "id=1", "status=new", "total=3.50", ...DATA], /1 row upserted/],
  [["lookup", "shop.orders", "id=1", ...DATA], /"status":"new","total":"3\.50"/],
  [["diff"], /the cluster is as the schema says/],
  [["status"], /^applied/],
];

/**
 * Runs the session.
 *
 * @param command a program and what comes before its arguments
 * @param within a folder, in which it gets one of its own
 */
export async function checkSession(command: readonly [string, ...string[]], within: string): Promise<void> {
  const folder = mkdtempSync(join(within, "session-"));
  const [program, ...first] = command;
  try {
    for (const [args, says] of SESSION) {
      const { code, output } = await run(program, [...first, ...args], { cwd: folder, timeoutMs: 60_000 });
      if (code !== 0 || !says.test(output)) throw new Failed(`sluice ${args.join(" ")} ended with ${code}:\n${output}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
