/**
 * `sluice config`: the settings of the cluster.
 *
 * @module
 */
import type { ConfigChanges, ConfigEntry } from "../../query/admin/servers.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONNECTION_EXITS, CONNECTION_OPTIONS } from "./connection.ts";
import { jsonText, printRows } from "./output.ts";
import { badUsage } from "./values.ts";
import { withDb } from "./with_db.ts";

/** See the module. */
export const config: CliCommand = {
  name: "config",
  summary: "show and change the settings of the cluster",
  about: "Shows the settings of the cluster, or changes some of them while it runs; servers allow few. Values of " +
    "settings that look like secrets are not shown.",
  words: [
    { syntax: "[action]", text: "list (the default), set, remove, append or subtract (for settings that are lists)" },
    { syntax: "[settings...]", text: "key=value, or the keys to remove; behind list, what keys begin with" },
  ],
  options: CONNECTION_OPTIONS,
  examples: ["config", "config list datalake.", "config set datalake.format=paimon", "config remove datalake.format"],
  exits: CONNECTION_EXITS,
  run,
};

const SECRET = /password|secret|token|credential|access[-.]?key|jaas/i;

async function run(values: Values, io: Io, [action = "list", ...words]: readonly string[]): Promise<void> {
  const changes = action === "list" ? undefined : changesOf(action, words);
  await withDb(values, io, async (db) => {
    if (changes !== undefined) return await db.admin.alterConfig(changes);
    const entries = (await db.admin.config())
      .filter(({ key }) => words.length === 0 || words.some((word) => key.startsWith(word)))
      .map((entry): ConfigEntry =>
        SECRET.test(entry.key) && entry.value !== undefined ? { ...entry, value: "***" } : entry
      )
      .sort((a, b) => a.key < b.key ? -1 : 1);
    await printRows(
      {
        columns: [{ name: "key" }, { name: "value" }, { name: "source" }],
        cells: ({ key, value, source }: ConfigEntry) => [key, value ?? null, source],
        json: jsonText,
      },
      values,
      io,
      (output) => output.add(entries),
    );
  });
}

function changesOf(action: string, words: readonly string[]): ConfigChanges {
  if (!["set", "remove", "append", "subtract"].includes(action)) {
    throw badUsage(
      `config ${JSON.stringify(action)} is nothing to do`,
      "there are list, set, remove, append and subtract",
    );
  }
  if (words.length === 0) {
    throw badUsage(`config ${action} names no setting`, `for example sluice config ${action} key=value`);
  }
  if (action === "remove") return { remove: words };
  const pairs = words.map((word): [string, string] => {
    const at = word.indexOf("=");
    // The value may be a secret: only what stands before it is shown.
    if (at < 1) throw badUsage(`config ${action} wants key=value`, "for example datalake.format=paimon");
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return { [action]: Object.fromEntries(pairs) };
}
