import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { connect, t, table } from "../../mod.ts";
import { CommandLine } from "./command_line.ts";

const TREE = new URL("../../", import.meta.url);

/** A project in a folder of its own. */
class Place implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), "sluice-project-"));
  readonly url = `file:${join(this.folder, "data")}`;

  constructor(config: string = this.config()) {
    this.write("sluice.config.ts", config);
  }

  config(more: string = ""): string {
    return `export default { url: ${JSON.stringify(this.url)}, schema: "./schema/*.ts", ${more} };\n`;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), linked(text));
  }

  schema(columns: string, more: string = ""): void {
    this.write(
      "schema/shop.ts",
      `import { t, table } from "sluice";\nexport const orders = table("shop.orders", { id: t.bigint(), ${columns} }, ` +
        `{ primaryKey: ["id"] });\n${more}\n`,
    );
  }

  async run(...args: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
    const [command, ...rest] = args;
    const config = command === "init" ? [] : ["--config", this.path("sluice.config.ts")];
    await using run = new CommandLine([command!, ...config, ...rest], { SLUICE_URL: "" });
    const code = await run.ended();
    return { code, out: run.out, err: run.err };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** With this tree in the place of the package. */
function linked(text: string): string {
  return text.replaceAll('from "sluice/migrate"', `from ${JSON.stringify(new URL("src/migrate/mod.ts", TREE).href)}`)
    .replaceAll('from "sluice"', `from ${JSON.stringify(new URL("mod.ts", TREE).href)}`);
}

test("init, plan, apply, status, diff and check: from nothing to a table and on", async () => {
  using place = new Place();
  rmSync(place.path("sluice.config.ts"));
  const made = await place.run("init", "--folder", place.folder, "--url", place.url);
  assert.deepEqual([made.code, made.out], [0, "sluice.config.ts\ntsconfig.json\nschema/shop.ts\n"], made.err);
  const again = await place.run("init", "--folder", place.folder, "--json");
  assert.deepEqual(JSON.parse(again.out), {
    ok: true,
    made: [],
    kept: ["sluice.config.ts", "tsconfig.json", "schema/shop.ts"],
  });
  for (const name of ["sluice.config.ts", "schema/shop.ts"]) place.write(name, readFileSync(place.path(name), "utf8"));

  const planned = await place.run("plan", "--name", "first one");
  assert.equal(planned.code, 0, planned.err);
  assert.match(planned.out, /\/migrations\/\d{8}T\d{6}_first_one\n$/);
  assert.match(planned.err, /create table shop\.orders \(4 columns\)\n/);
  assert.deepEqual(readdirSync(planned.out.trim()), ["migration.json", "snapshot.json"]);
  assert.match((await place.run("plan")).err, /nothing to do/);
  assert.deepEqual([(await place.run("check")).code, (await place.run("check")).out], [0, ""]);

  const dry = await place.run("apply", "--dry-run", "--json");
  assert.deepEqual([dry.code, JSON.parse(dry.out).applied[0].done.length], [0, 2], dry.err);
  const applied = await place.run("apply");
  assert.deepEqual([applied.code, applied.out.trim()], [0, planned.out.trim().split("/").at(-1)], applied.err);
  const status = await place.run("status");
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /^applied {2}\S+_first_one {2}\S+Z {2}\S+@\S+\n$/);
  assert.deepEqual([(await place.run("diff")).code, (await place.run("apply", "--json")).out], [
    0,
    '{"ok":true,"dryRun":false,"applied":[],"pending":[]}\n',
  ]);

  place.write(
    "schema/shop.ts",
    readFileSync(place.path("schema/shop.ts"), "utf8").replace("}, {", "  note: t.string(),\n}, {"),
  );
  const differs = await place.run("diff");
  assert.deepEqual([differs.code, differs.out], [4, 'to do    add column "note" STRING to shop.orders\n']);
  await place.run("plan");
  const pending = await place.run("status", "--json");
  assert.deepEqual([pending.code, JSON.parse(pending.out).pending.length], [5, 1]);
  assert.equal((await place.run("apply")).code, 0);
  assert.equal((await place.run("status")).code, 0);
});

test("what destroys rows ends with 2 and the flag to add", async () => {
  using place = new Place();
  place.schema("v: t.int()", 'export const old = table("shop.old", { id: t.int() });');
  await place.run("plan");
  await place.run("apply");
  place.schema("v: t.int()");
  assert.match((await place.run("plan")).err, /DESTRUCTIVE drop table shop\.old/);
  const refused = await place.run("apply");
  assert.deepEqual([refused.code, refused.out], [2, ""]);
  assert.match(refused.err, /^MIGRATION\.DESTRUCTIVE: .*add --allow drop-table:shop\.old\n$/);
  const done = await place.run("apply", "--allow", "drop-table:shop.old");
  assert.equal(done.code, 0, done.err);
});

test("a blocked plan ends with 4, says all of it and writes nothing", async () => {
  using place = new Place();
  place.schema("a: t.int(), b: t.int()");
  await place.run("plan");
  place.schema("a: t.string(), b: t.int().notNull()");
  const text = await place.run("plan");
  assert.deepEqual([text.code, text.out], [4, ""]);
  assert.equal(text.err.trim().split("\n").length, 3, text.err);
  const json = await place.run("plan", "--json");
  const { ok, error } = JSON.parse(json.out);
  assert.deepEqual([json.code, ok, error.code, error.problems.map(({ kind }: { kind: string }) => kind)], [
    4,
    false,
    "MIGRATION.BLOCKED",
    ["changeType", "changeNull"],
  ]);
  assert.equal(readdirSync(place.path("migrations")).length, 1);
});

test("pull writes what is there, and plan and diff find nothing after it", async () => {
  using place = new Place();
  {
    await using db = await connect(place.url);
    await db.admin.createDatabase("shop");
    await db.admin.create(
      table("shop.orders", {
        id: t.bigint().comment("*/ throw 1 /*"),
        evil: t.string().name("x: t.int(), ").comment("\u001b[31m"),
        when: t.timestampLtz(3),
      }, { primaryKey: ["id"], buckets: 3, comment: "`${1}`" }),
    );
  }
  const pulled = await place.run("pull", "--types");
  assert.equal(pulled.code, 0, pulled.err);
  assert.ok(existsSync(place.path("schema/schema_types.ts")));
  rmSync(place.path("schema/schema_types.ts"));
  place.write("schema/schema.ts", readFileSync(place.path("schema/schema.ts"), "utf8"));
  for (const args of [["plan"], ["diff"]]) {
    const { code, out, err } = await place.run(...args);
    assert.deepEqual([code, out], [0, ""], err);
  }
  assert.equal((await place.run("status")).code, 5);
  const applied = await place.run("apply");
  assert.match(applied.err, /adopt table shop\.orders \(3 columns\) \(was done\)/);
  const again = await place.run("pull");
  assert.equal(again.code, 2);
  assert.match(again.err, /--allow overwrite:/);
  assert.equal((await place.run("pull", "--allow", `overwrite:${place.path("schema/schema.ts")}`)).code, 0);
});

test("push makes it so on this machine, and nowhere else", async () => {
  using place = new Place();
  place.schema("v: t.int()");
  const done = await place.run("push");
  assert.deepEqual(
    [done.code, done.out],
    [0, "create database shop\ncreate table shop.orders (2 columns)\n"],
    done.err,
  );
  place.schema("v: t.string()");
  assert.equal((await place.run("push")).code, 4);
  assert.equal((await place.run("push", "--allow", "recreate-table:shop.orders")).code, 0);
  assert.equal((await place.run("diff")).code, 0);
});

test("a config that is missing, throws or has the wrong shape is one clear message", async () => {
  const cases: [config: string | undefined, message: RegExp][] = [
    [undefined, /there is no .*sluice init/],
    ["throw new Error('not today');\n", /cannot be loaded: Error: not today\. hint/],
    ["export default {;\n", /cannot be loaded: \w*Error\b/],
    [
      "import 'sluice/nothing';\n",
      /cannot be loaded: .*sluice.*\. hint: install the package beside it: npm install sluice/,
    ],
    ["export const config = {};\n", /no config as its default export/],
    ["export default { schema: 7 };\n", /schema must be a text, or a list of texts/],
    ['export default { url: "memory:" };\n', /schema is missing/],
    ['export default { schema: "./s.ts", shema: "x" };\n', /no option "shema"\. hint: did you mean "schema"\?/],
    ['export default { schema: "./s.ts", server: "0.8" };\n', /server must be one of "0\.9\.1", "main"/],
    ['export default { schema: "./nothing/*.ts" };\n', /schema "\.\/nothing\/\*\.ts" names no file/],
    ['export default { schema: "./sluice.config.ts" };\n', /exports no table/],
  ];
  for (const [config, message] of cases) {
    using place = new Place(config ?? "");
    if (config === undefined) rmSync(place.path("sluice.config.ts"));
    const { code, out, err } = await place.run("plan");
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, message);
    assert.equal(err.trim().split("\n").length, 1, err);
    assert.ok(!err.includes("    at "));
  }
});

test("a malformed migration and an unreachable cluster have exit codes of their own", async () => {
  using place = new Place();
  place.schema("v: t.int()");
  const planned = await place.run("plan");
  writeFileSync(join(planned.out.trim(), "snapshot.json"), "{");
  const check = await place.run("check");
  assert.deepEqual([check.code, /snapshot\.json is not JSON/.test(check.out)], [4, true], check.err);
  assert.equal((await place.run("plan")).code, 7);
  assert.equal((await place.run("apply")).code, 7);
  rmSync(place.path("migrations"), { recursive: true });
  const away = await place.run("status", "--url", "fluss://127.0.0.1:1", "--timeout", "3");
  assert.equal(away.code, 6, away.err);
});
