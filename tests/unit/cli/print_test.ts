import assert from "node:assert/strict";
import { test } from "node:test";
import { flussError } from "../../../src/base/errors.ts";
import { completionOf } from "../../../src/cli/completion.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { printRows, type RowForm } from "../../../src/cli/data/output.ts";
import { progressText, showProgress } from "../../../src/cli/data/progress.ts";
import { styleOf } from "../../../src/cli/data/style.ts";
import { cut, widthOf } from "../../../src/cli/data/table_text.ts";
import { run } from "../../../src/cli/program.ts";
import { DataFolder } from "../../cli/data_folder.ts";
import { fakeIo } from "./fake_io.ts";

const TERMINAL = { screen: { in: true, out: true, err: true, columns: 40, rows: 24 } };
type Cells = readonly (string | null)[];
const FORM: RowForm<Cells> = {
  columns: [{ name: "id", right: true }, { name: "name\u001b[2J" }],
  cells: (row) => row,
  json: JSON.stringify,
};
const ROWS: Cells[] = [["1", "Ada"], ["20", null], ["3", `\u001b]0;x\u0007日本${"y".repeat(50)}`]];

test("people see a table as wide as their terminal, with nothing in it that moves the cursor", async () => {
  const io = fakeIo({ NO_COLOR: "1" }, TERMINAL);
  await printRows(FORM, {}, io, (output) => output.add(ROWS));
  assert.equal(
    io.stdout,
    "id  name\\u001b[2J\n" +
      " 1  Ada\n" +
      "20  null\n" +
      " 3  \\u001b]0;x\\u0007日本yyyyyyyyyyyyyyy…\n",
  );
  assert.equal(io.stderr, "3 rows\n");
});

test("rows too wide for a terminal are shown one column a line", async () => {
  const io = fakeIo({ NO_COLOR: "1" }, { screen: { ...TERMINAL.screen, columns: 9, rows: 24 } });
  await printRows(FORM, {}, io, (output) => output.add(ROWS.slice(0, 2)));
  assert.equal(io.stdout, "row 1\nid    1\nnam…  Ada\nrow 2\nid    20\nnam…  null\n");
});

test("colours are for terminals whose users want them", () => {
  assert.equal(styleOf(fakeIo({}, TERMINAL), "out").bold("x"), "\u001b[1mx\u001b[22m");
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as Record<string, string>[]) {
    assert.equal(styleOf(fakeIo(env, TERMINAL), "out").red("x"), "x");
  }
  assert.equal(styleOf(fakeIo(), "out").red("x"), "x");
});

test("in a pipe rows are JSON lines, with --json one object, also when it fails half way", async () => {
  const lines = fakeIo();
  await printRows(FORM, {}, lines, (output) => output.add(ROWS.slice(0, 2)));
  assert.deepEqual([lines.stdout, lines.stderr], ['["1","Ada"]\n["20",null]\n', ""]);
  const one = fakeIo();
  await printRows(FORM, { json: true }, one, (output) => output.add(ROWS.slice(0, 1)));
  assert.deepEqual(JSON.parse(one.stdout), { rows: [["1", "Ada"]], count: 1, ok: true });
  const none = fakeIo();
  await printRows(FORM, { json: true }, none, () => Promise.resolve());
  assert.deepEqual(JSON.parse(none.stdout), { rows: [], count: 0, ok: true });
  const io = fakeIo();
  const failing = {
    name: "failing",
    summary: "",
    about: "",
    options: [],
    examples: [],
    exits: [{ code: 4, errors: "CONNECTION.", text: "" }],
    run: async () => {
      await printRows(FORM, { json: true }, io, async (output) => {
        await output.add(ROWS.slice(0, 1));
        throw flussError("CONNECTION.CLOSED", { message: "gone" });
      });
    },
  };
  assert.equal(await run(["failing", "--json"], io, [failing]), 4);
  const { ok, rows, error } = JSON.parse(io.stdout);
  assert.deepEqual([ok, rows, error.code], [false, [["1", "Ada"]], "CONNECTION.CLOSED"]);
});

test("widths are those of terminals", () => {
  assert.deepEqual(["abc", "日本", "é", "e\u0301", "😀", ""].map(widthOf), [3, 4, 1, 1, 2, 0]);
  assert.deepEqual([cut("日本語", 4), cut("abc", 3), cut("abcd", 3)], ["日…", "abc", "ab…"]);
});

test("progress has a bar, a rate and the time left, and is for terminals alone", () => {
  assert.equal(
    progressText({ rows: 1_234_567, done: 25, total: 100 }, 10_000),
    "█████░░░░░░░░░░░░░░░  25%  1,234,567 rows  123,457/s  30 s left",
  );
  assert.equal(progressText({ rows: 10, done: 0, total: undefined }, 1000), "10 rows  10/s");
  assert.match(progressText({ rows: 1, done: 1, total: 10_000 }, 1000), / 2 h 46 min left$/);
  const io = fakeIo();
  showProgress(io, { rows: 1, done: 1, total: 2 })[Symbol.dispose]();
  assert.equal(io.stderr, "");
});

test("what a command says in the end takes the place of its progress bar", async () => {
  using folder = await DataFolder.seeded();
  const io = fakeIo({ SLUICE_URL: folder.url }, {
    screen: { in: false, out: true, err: true, columns: 80, rows: 24 },
    async *input() {
      const row = (ms: unknown) => new TextEncoder().encode(`${JSON.stringify({ url: "/", day: "d1", ms })}\n`);
      yield row(1);
      while (!io.stderr.includes(" rows  ")) await new Promise((resolve) => setTimeout(resolve, 20));
      yield row("x");
    },
  });
  const rejects = folder.path("rejects.jsonl");
  assert.equal(await run(["append", "web.clicks", "--rejects", rejects], io), 7);
  const said = io.stderr.replaceAll("\r\u001b[K", "<cleared>");
  assert.match(said, /<cleared>rejected: line 2, column "ms": /);
  assert.match(said, /<cleared>1 row appended in [^<]*, 1 rejected\n$/);
});

test("completion names every command and option, for three shells", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const io = fakeIo();
    assert.equal(await run(["completion", shell], io), 0);
    for (const { name, options } of COMMANDS) {
      assert.ok(io.stdout.includes(name), name);
      for (const { flags } of options) assert.ok(io.stdout.includes(flags.split(" ")[0]!.slice(2)), flags);
    }
  }
  const io = fakeIo();
  assert.equal(await run(["completion", "tcsh"], io), 2);
  assert.match(io.stderr, /there is no completion for "tcsh"\. hint: there is one for bash, zsh, fish/);
  assert.equal(completionOf([]).name, "completion");
});
