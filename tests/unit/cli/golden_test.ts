/**
 * What users see: the help of every command, and what commands print. `SLUICE_UPDATE=1 deno test -A tests/unit/cli/` writes
 * down what is printed now; look at the difference before you keep it.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { run } from "../../../src/cli/program.ts";
import { DataFolder } from "../../cli/data_folder.ts";
import { fakeIo } from "./fake_io.ts";

const GOLDEN = fileURLToPath(new URL("golden", import.meta.url));
const update = process.env["SLUICE_UPDATE"] === "1";

function compare(name: string, said: string): void {
  const file = join(GOLDEN, name);
  if (update) writeFileSync(file, said);
  assert.equal(said, readFileSync(file, "utf8"), `${name} is not what is printed; see golden_test.ts`);
}

test("the help of every command is as it was reviewed", async () => {
  if (update) mkdirSync(join(GOLDEN, "help"), { recursive: true });
  const names = ["sluice", ...COMMANDS.map(({ name }) => name)];
  for (const name of names) {
    const io = fakeIo();
    assert.equal(await run([...(name === "sluice" ? [] : [name]), "--help"], io), 0);
    assert.equal(io.stderr, "");
    // Examples are to be copied, so they are not broken.
    const wide = io.stdout.split("\n").filter((line) => line.length > 80 && !/^ +(sluice|export) /.test(line));
    assert.deepEqual(wide, [], `${name} is wider than a terminal`);
    compare(`help/${name}.txt`, io.stdout);
  }
  assert.deepEqual(readdirSync(join(GOLDEN, "help")).sort(), names.map((name) => `${name}.txt`).sort());
});

const TERMINAL = { in: false, out: true, err: true, columns: 72, rows: 24 };
const PIPE = { in: false, out: false, err: false, columns: 80, rows: 24 };

/** Commands on the tables of `DataFolder.seeded()`, on a terminal with and without colours, and in a pipe. */
const SEEN: readonly (readonly string[])[] = [
  ["ls"],
  ["ls", "shop", "--long"],
  ["ls", "web.clicks"],
  ["describe", "shop.orders"],
  ["lookup", "shop.users", "id=1"],
  ["lookup", "shop.users", "id=9"],
  ["prefix", "shop.orders", "region=eu"],
  ["scan", "shop.orders", "--where", "id > 1", "--json"],
  ["scan", "shop.users"],
  ["offsets", "shop.orders"],
  ["tail", "shop.orders", "--from", "earliest", "--limit", "3"],
  ["upsert", "shop.orders", "region=eu", "id=x"],
  ["upsert", "shop.orders", "region=eu", "total=1"],
  ["append", "shop.orders", "id=1"],
  ["scan", "shop.nothing"],
  ["scan", "shop.orders", "--where", "totl > 1"],
  ["scan", "shop.orders", "--where", "totl > 1", "--json"],
  ["lokup", "shop.orders"],
];

/** What differs from run to run has no place in the files. */
function steady(text: string, folder: DataFolder): string {
  return text.replaceAll(folder.folder, "<folder>").replace(/\b\d+\.\d s\b/g, "<time>")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z/g, "<the time it was made>")
    .replace(/\([\d,]+\/s\)/g, "(<rate>)").replaceAll("\u001b", "␛");
}

test("what commands print is as it was reviewed, on terminals and in pipes", async () => {
  if (update) mkdirSync(GOLDEN, { recursive: true });
  using folder = await DataFolder.seeded();
  for (
    const [name, screen, env] of [
      ["terminal", TERMINAL, {}],
      ["terminal_without_colours", TERMINAL, { NO_COLOR: "1" }],
      ["pipe", PIPE, {}],
    ] as const
  ) {
    let seen = "";
    for (const args of SEEN) {
      const io = fakeIo({ SLUICE_URL: folder.url, ...env }, { screen });
      const code = await run(args, io);
      seen += `$ sluice ${args.join(" ")}\n${io.stdout}`;
      seen += io.stderr.replace(/^(?=.)/gm, "2> ");
      seen += `[exit ${code}]\n\n`;
    }
    compare(`${name}.txt`, steady(seen, folder));
  }
});
