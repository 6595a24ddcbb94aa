/**
 * `sluice init`: a config, a tsconfig and a first schema.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { flussError } from "../../base/errors.ts";
import type { CliCommand, Io, Values } from "../command.ts";
import { CONFIG_FILE } from "../config.ts";
import { refusePassword } from "../data/connection.ts";
import { textOf } from "../data/values.ts";
import { printJson, printLines, tell } from "./common.ts";

const URL = "file:./data";

const SCHEMA = `import { t, table } from "sluice";

export const orders = table("shop.orders", {
  id: t.bigint(),
  status: t.string().oneOf("new", "paid", "shipped"),
  total: t.decimal(18, 2),
  updatedAt: t.timestampLtz(3).name("updated_at"),
}, { primaryKey: ["id"], buckets: 1 });
`;

const TSCONFIG = {
  compilerOptions: {
    target: "esnext",
    lib: ["esnext", "dom"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    noEmit: true,
  },
};

/** See the module. */
export const init: CliCommand = {
  name: "init",
  summary: "make a config, a tsconfig and a first schema",
  about: "Makes sluice.config.ts, tsconfig.json and schema/shop.ts. A file that is there already is left alone.",
  options: [
    { flags: "--folder <folder>", text: "where to make them", default: "." },
    { flags: "--url <url>", text: "what the config says to connect to", default: URL },
  ],
  examples: ["init", "init --url fluss://127.0.0.1:9123"],
  exits: [],
  run,
};

async function run(values: Values, io: Io): Promise<void> {
  const folder = resolve(textOf(values, "folder") ?? ".");
  const url = textOf(values, "url") ?? URL;
  refusePassword(url);
  const files: [name: string, text: string][] = [
    [CONFIG_FILE, configSource(url)],
    ["tsconfig.json", `${JSON.stringify(TSCONFIG, null, 2)}\n`],
    ["schema/shop.ts", SCHEMA],
  ];
  const made: string[] = [];
  const kept: string[] = [];
  for (const [name, text] of files) {
    try {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text, { flag: "wx" });
      made.push(name);
    } catch (error) {
      if ((error as { readonly code?: string }).code !== "EEXIST") {
        throw flussError("MIGRATION.CONFIG", {
          message: `${join(folder, name)} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
          cause: error,
        });
      }
      kept.push(name);
    }
  }
  if (values["json"] === true) return printJson(io, { ok: true, made, kept });
  printLines(io, made);
  for (const name of kept) tell(io, `${name} is there already, and stays as it is`);
  tell(io, "next: sluice plan, then sluice apply; or sluice pull, for tables that are there");
}

function configSource(url: string): string {
  return `import { defineConfig } from "sluice/migrate";

export default defineConfig({
  url: ${JSON.stringify(url)},
  schema: "./schema/*.ts",
  out: "./migrations",
});
`;
}
