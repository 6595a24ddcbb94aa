import assert from "node:assert/strict";
import { test } from "node:test";
import { flussError } from "../../../src/base/errors.ts";
import type { CliCommand, Values } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { run } from "../../../src/cli/program.ts";
import { fakeIo } from "./fake_io.ts";

/** A command that does what it is told. */
function fake(run: (values: Values) => void): CliCommand {
  return {
    name: "fake",
    summary: "does nothing",
    about: "Does nothing.",
    options: [{ flags: "--word <text>", text: "a word", repeats: true }, {
      flags: "--size <n>",
      text: "a size",
      default: "7",
    }],
    examples: ["fake --word a"],
    exits: [{ code: 4, errors: "LISTEN.", text: "it does not listen" }],
    run: (values) => Promise.try(run, values).then(() => {}),
  };
}

test("a command gets its options, with lists and defaults", async () => {
  const io = fakeIo();
  let got: Values | undefined;
  const command = fake((values) => got = values);
  assert.equal(await run(["fake", "--word", "a", "--json", "--word=b"], io, [command]), 0);
  assert.deepEqual({ ...got }, { word: ["a", "b"], size: "7", json: true });
  assert.equal(await run(["fake"], io, [command]), 0);
  assert.deepEqual({ ...got }, { size: "7" });
  assert.deepEqual([io.stdout, io.stderr], ["", ""]);
});

test("an option that takes one value is not given two", async () => {
  const command = fake(() => assert.fail("it ran"));
  for (const [args, again] of [["--size 1 --size 2", "--size"], ["--size=7 --word a --size=7", "--size"]] as const) {
    const io = fakeIo();
    assert.equal(await run(["fake", ...args.split(" ")], io, [command]), 2);
    assert.equal(io.stderr, `CLI.BAD_USAGE: ${again} is given twice. hint: leave out one of them\n`);
  }
});

test("help of a command that is not there is refused", async () => {
  const io = fakeIo();
  assert.equal(await run(["help", "fakes"], io, [fake(() => {})]), 2);
  assert.equal(io.stderr, 'CLI.BAD_USAGE: there is no command "fakes". hint: see sluice --help\n');
});

test("what is wrong stays on its line of a terminal, in JSON and with a stack", async () => {
  const screen = { in: false, out: true, err: true, columns: 80, rows: 24 };
  const said = "x\u009b31m\u202ey";
  for (const option of ["--json", "--debug"]) {
    const io = fakeIo({}, { screen });
    const command = fake(() => {
      throw flussError("LISTEN.REFUSED", { message: said });
    });
    assert.equal(await run(["fake", option], io, [command]), 4);
    assert.doesNotMatch(io.stdout + io.stderr, /[\u009b\u202e]/);
    assert.match(io.stdout + io.stderr, /x\\u009b31m\\u202ey/);
  }
});

test("errors become one line and the exit code of their kind", async () => {
  const cases = [
    [flussError("LISTEN.PORT_IN_USE", { message: "x", hint: "y" }), 4, "LISTEN.PORT_IN_USE: x. hint: y\n"],
    [flussError("CLI.BAD_USAGE", { message: "x\n\u001b[31mred" }), 2, "CLI.BAD_USAGE: x\\u000a\\u001b[31mred\n"],
    [
      new TypeError("oh"),
      1,
      "a bug of Sluice, not of yours: TypeError: oh. hint: say it again with --debug, and report what it shows\n",
    ],
  ] as const;
  for (const [error, code, line] of cases) {
    const io = fakeIo();
    const command = fake(() => {
      throw error;
    });
    assert.equal(await run(["fake"], io, [command]), code);
    assert.deepEqual([io.stdout, io.stderr], ["", line]);
  }
});

test("with --json an error is an envelope on standard output; with --debug its stack is shown", async () => {
  const io = fakeIo();
  const command = fake(() => {
    throw flussError("LISTEN.REFUSED", { message: "x", hint: "y" });
  });
  assert.equal(await run(["fake", "--json", "--debug"], io, [command]), 4);
  const { ok, error } = JSON.parse(io.stdout);
  assert.deepEqual([ok, error.code, error.message, error.hint], [false, "LISTEN.REFUSED", "x", "y"]);
  assert.match(io.stderr, /^FlussConnectionError: LISTEN\.REFUSED[^]*\n {4}at /);
});

test("what is not understood is said with the next step, and nothing that could be a password is repeated", async () => {
  const secret = "hunter2";
  const cases: [string[], RegExp][] = [
    [["dve"], /unknown command 'dve'\. hint: did you mean dev\? See sluice --help$/],
    [[`alice:${secret}`], /no command\. hint: see sluice --help$/],
    [["dev", "--prot", "1"], /unknown option '--prot'\. hint: did you mean --port\? See sluice dev --help$/],
    [["dev", `--users=alice:${secret}`], /unknown option '--users'\. hint: see sluice dev --help$/],
    [["dev", "--user", `a:${secret}`, `b:${secret}`], /too many arguments for 'dev'.*got 1\. hint: see sluice dev/],
    [["dev", "--user"], /'--user <name:password>' argument missing\. hint/],
    [["dev", "--user", secret], /--user wants name:password.*hint: for example --user alice:secret$/],
    [["dev", "--user", `:${secret}`], /--user wants name:password/],
    [["dev", "--user", `a:${secret}`, "--user", `a:${secret}`], /user "a" is given twice/],
    [["dev", "--user", `a:${secret}`, "--port", "65500"], /--port wants a number from 0 to 65434, not "65500"/],
  ];
  for (const [args, said] of cases) {
    const io = fakeIo();
    assert.equal(await run(args, io), 2, args.join(" "));
    assert.equal(io.stdout, "");
    assert.match(io.stderr.trimEnd(), said);
    assert.equal(io.stderr.split("\n").length, 2, "one line");
    assert.ok(!io.stderr.includes(secret), io.stderr);
  }
});

test("every command has help with examples and its exit codes", async () => {
  for (const { name, exits, examples } of COMMANDS) {
    const io = fakeIo();
    assert.equal(await run([name, "--help"], io), 0);
    assert.equal(io.stderr, "");
    for (const example of examples) assert.ok(io.stdout.includes(`  sluice ${example}\n`), example);
    for (const { code, text } of exits) assert.ok(io.stdout.includes(`  ${code} ${text}\n`), text);
    // From 4: what is below has a meaning for all commands.
    assert.ok(exits.every(({ code }) => code >= 4));
  }
});

test("help for a command that is not there is not success", async () => {
  assert.equal(await run(["help", "nope"], fakeIo()), 2);
  assert.equal(await run(["help", "dev"], fakeIo()), 0);
});
