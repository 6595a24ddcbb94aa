import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CommandLine } from "./command_line.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

test("--version and --help are data: they go to standard output", async () => {
  for (
    const [args, said] of [[["--version"], `${version}\n`], [["--help"], "Usage: sluice"], [
      ["dev", "--help"],
      "Usage: sluice dev",
    ]] as const
  ) {
    await using run = new CommandLine(args);
    assert.equal(await run.ended(), 0, run.err);
    assert.ok(run.out.startsWith(said), run.out);
    assert.equal(run.err, "");
  }
});

test("without a command it shows its help and fails", async () => {
  await using run = new CommandLine([]);
  assert.equal(await run.ended(), 2);
  assert.equal(run.out, "");
  assert.match(run.err, /^Usage: sluice/);
});

test("wrong arguments are one line on standard error, and exit code 2", async () => {
  await using run = new CommandLine(["dev", "--port", "http"]);
  assert.equal(await run.ended(), 2);
  assert.equal(run.out, "");
  assert.equal(
    run.err,
    'CLI.BAD_USAGE: --port wants a number from 0 to 65534, not "http". hint: 0 takes ports that are free\n',
  );
});
