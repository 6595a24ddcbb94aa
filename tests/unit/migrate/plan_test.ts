import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type AnyTable, FlussError, FlussMigrationError, t, table } from "../../../mod.ts";
import { check, plan, planRebuild } from "../../../src/migrate/mod.ts";
import { projectIn, withFolder } from "./projects.ts";

const one = table("shop.orders", { id: t.bigint(), total: t.decimal(18, 2) }, { primaryKey: ["id"], buckets: 3 });
const two = table("shop.orders", { id: t.bigint(), total: t.decimal(18, 2), email: t.string() }, {
  primaryKey: ["id"],
  buckets: 3,
});
const clicks = table("web.clicks", { url: t.string().notNull() });

const now = new Date("2026-11-23T02:16:00Z");

test("a first plan makes databases and tables, the next adds what is new, and the third is empty", () =>
  withFolder(async (folder) => {
    const first = await plan(projectIn(folder, [one, clicks]), { now });
    assert.equal(first.migration, "20261123T021600_create_orders_and_more");
    assert.deepEqual(first.operations.map(({ op }) => op), [
      "createDatabase",
      "createTable",
      "createDatabase",
      "createTable",
    ]);
    const second = await plan(projectIn(folder, [two]), { now });
    assert.equal(second.migration, "20261123T021601_add_email_and_more");
    assert.deepEqual(second.operations, [
      {
        op: "addColumn",
        table: "shop.orders",
        column: { name: "email", type: "STRING", nullable: true },
        class: "additive",
        precheck: "columnMissing",
        postcheck: "columnPresent",
      },
      {
        op: "dropTable",
        table: "web.clicks",
        class: "destructive",
        grant: "drop-table:web.clicks",
        precheck: "tablePresent",
        postcheck: "tableMissing",
      },
    ]);
    const third = await plan(projectIn(folder, [two]), { now });
    assert.deepEqual([third.migration, third.operations], [null, []]);
    const { out } = projectIn(folder, []);
    assert.deepEqual(readdirSync(out).sort(), [first.migration, second.migration]);
    const file = JSON.parse(readFileSync(join(out, second.migration, "migration.json"), "utf8"));
    assert.deepEqual(Object.keys(file), ["id", "parents", "from", "to", "ops"]);
    assert.match(file.parents[0], /^sha256:[0-9a-f]{64}$/);
    assert.deepEqual(await check(projectIn(folder, [two])), {
      ok: true,
      migrations: 2,
      heads: [second.migration],
      problems: [],
    });
  }));

test("a dry run writes nothing", () =>
  withFolder(async (folder) => {
    const { migration, operations } = await plan(projectIn(folder, [one]), { dryRun: true });
    assert.deepEqual([migration, operations.length, readdirSync(folder)], [null, 2, []]);
  }));

test("another name in TypeScript changes nothing; nor does another spelling of an option, or a default written out", () =>
  withFolder(async (folder) => {
    await plan(projectIn(folder, [
      table("a.t", { id: t.int().name("the_id"), v: t.string() }, {
        primaryKey: ["id"],
        log: { ttl: "2d", compression: { type: "lz4" } },
      }),
    ]));
    const renamed = table("a.t", { key: t.int().name("the_id"), value: t.string().name("v") }, {
      primaryKey: ["key"],
      bucketKey: ["key"],
      deleteBehavior: "allow",
      kv: { format: "compacted" },
      properties: { "table.log.ttl": "48 h", "table.log.arrow.compression.type": "lz4_Frame" },
    });
    assert.deepEqual((await plan(projectIn(folder, [renamed]))).operations, []);
  }));

/** The kinds of blocked changes between two declarations. */
async function blocked(from: AnyTable, to: AnyTable, server?: "main"): Promise<string[]> {
  return await withFolder(async (folder) => {
    const more = server === undefined ? {} : { server };
    await plan(projectIn(folder, [from], more));
    try {
      await plan(projectIn(folder, [to], more));
      return [];
    } catch (error) {
      assert.ok(error instanceof FlussMigrationError && error.code === "MIGRATION.BLOCKED", String(error));
      for (const { message, hint, table } of error.problems) {
        assert.equal(table, "a.t");
        assert.ok(message.startsWith("a.t: ") && (hint ?? "") !== "");
      }
      assert.equal(readdirSync(projectIn(folder, []).out).length, 1);
      return error.problems.map(({ kind }) => kind);
    }
  });
}

const pk = { primaryKey: ["id"] } as const;
const base = () => table("a.t", { id: t.int(), a: t.int(), b: t.string() }, pk);

for (
  const [what, to, kinds] of [
    ["a column less", table("a.t", { id: t.int(), a: t.int() }, pk), ["dropColumn"]],
    ["a renamed column", table("a.t", { id: t.int(), a: t.int(), c: t.string() }, pk), ["renameColumn"]],
    ["another order", table("a.t", { id: t.int(), b: t.string(), a: t.int() }, pk), ["reorderColumns"]],
    [
      "a column in the middle",
      table("a.t", { id: t.int(), c: t.int(), a: t.int(), b: t.string() }, pk),
      ["insertColumn"],
    ],
    ["another type", table("a.t", { id: t.int(), a: t.bigint(), b: t.string() }, pk), ["changeType"]],
    ["NOT NULL", table("a.t", { id: t.int(), a: t.int().notNull(), b: t.string() }, pk), ["changeNull"]],
    [
      "a new NOT NULL column",
      table("a.t", { id: t.int(), a: t.int(), b: t.string(), c: t.int().notNull() }, pk),
      ["addNotNull"],
    ],
    [
      "a new numbered column",
      table("a.t", { id: t.int(), a: t.int(), b: t.string(), c: t.int().autoIncrement() }, pk),
      ["addGenerated"],
    ],
    ["no key", table("a.t", { id: t.int().notNull(), a: t.int(), b: t.string() }), ["changePrimaryKey"]],
    ["buckets", table("a.t", { id: t.int(), a: t.int(), b: t.string() }, { ...pk, buckets: 3 }), ["changeBuckets"]],
    [
      "a merge engine",
      table("a.t", { id: t.int(), a: t.int(), b: t.string() }, { ...pk, mergeEngine: "first_row" }),
      ["changeMergeEngine"],
    ],
    [
      "an option",
      table("a.t", { id: t.int(), a: t.int(), b: t.string() }, { ...pk, log: { ttl: "1d" } }),
      ["changeOption"],
    ],
    [
      "a changelog",
      table("a.t", { id: t.int(), a: t.int(), b: t.string() }, { ...pk, changelog: "wal" }),
      ["changeOption"],
    ],
  ] as const
) {
  test(`blocked, with a reason and a way out: ${what}`, async () => {
    assert.deepEqual(await blocked(base(), to as unknown as AnyTable), kinds);
  });
}

test("blocked: key columns, aggregation, partitions, types inside of types", async () => {
  const sums = (fn: "sum" | "max") =>
    table("a.t", { id: t.int(), n: t.int().agg(fn) }, { ...pk, mergeEngine: "aggregation" });
  assert.deepEqual(await blocked(sums("sum"), sums("max")), ["changeAggregation"]);
  const more = table("a.t", { id: t.int(), n: t.int().agg("sum"), m: t.int().agg("max") }, {
    ...pk,
    mergeEngine: "aggregation",
  });
  assert.deepEqual(await blocked(sums("sum"), more), ["addAggregated"]);
  assert.deepEqual(await blocked(sums("sum"), more, "main"), []);
  const rows = (x: AnyTable["columns"]) => table("a.t", { id: t.int(), r: t.row(x) });
  assert.deepEqual(await blocked(rows({ x: t.int() }), rows({ x: t.int().notNull() })), ["changeType"]);
  assert.deepEqual(await blocked(rows({ x: t.int() }), rows({ x: t.int().comment("new") })), []);
  const parts = (by: readonly ("d" | "e")[]) =>
    table("a.t", { id: t.int(), d: t.string(), e: t.string() }, { partitionBy: by });
  assert.deepEqual(await blocked(parts(["d"]), parts(["d", "e"])), ["changePartitions"]);
});

test("servers differ in the options that they alter, and a shorter life of rows is destructive", () =>
  withFolder(async (folder) => {
    const kept = (ttl: string) => table("a.t", { id: t.int() }, { log: { ttl } });
    await plan(projectIn(folder, [kept("5d")]));
    await assert.rejects(
      plan(projectIn(folder, [kept("2d")])),
      (error) => FlussError.is(error, "MIGRATION.BLOCKED"),
    );
    const shorter = await plan(projectIn(folder, [kept("2d")], { server: "main" }));
    assert.deepEqual(shorter.operations.map((op) => "grant" in op && op.grant), ["expire:a.t"]);
    const longer = await plan(projectIn(folder, [kept("3d")], { server: "main" }));
    assert.deepEqual(longer.operations.map((op) => op.class), ["additive"]);
    assert.deepEqual((await check(projectIn(folder, []))).problems.map(({ kind }) => kind), ["blocked", "blocked"]);
    assert.equal((await check(projectIn(folder, [], { server: "main" }))).ok, true);
  }));

test("comments are noted and stay as they are", () =>
  withFolder(async (folder) => {
    await plan(projectIn(folder, [table("a.t", { id: t.int().comment("old") }, { comment: "x" })]));
    const { operations, notes } = await plan(projectIn(folder, [table("a.t", { id: t.int().comment("new") })]));
    assert.deepEqual([operations.length, notes.length], [0, 2]);
  }));

test("custom properties are set and removed, whatever they are called", () =>
  withFolder(async (folder) => {
    const kept = (customProperties: Record<string, string>) => table("a.t", { id: t.int() }, { customProperties });
    await plan(projectIn(folder, [kept({ a: "1", b: "2" })]));
    const { operations } = await plan(projectIn(folder, [kept({ b: "3", ["__proto__"]: "4" })]));
    assert.equal(
      JSON.stringify(operations.map((op) => op.op === "alterOptions" && [op.set, op.remove])),
      '[[{"__proto__":"4","b":"3"},["a"]]]',
    );
    assert.deepEqual((await check(projectIn(folder, []))).problems, []);
    assert.deepEqual((await plan(projectIn(folder, [kept({ b: "3", ["__proto__"]: "4" })]))).operations, []);
  }));

/** Two migrations that come after the same one, as branches of version control make them. */
async function branches(folder: string, a: readonly AnyTable[], b: readonly AnyTable[]): Promise<void> {
  const { out } = projectIn(folder, []);
  cpSync(out, join(folder, "before"), { recursive: true });
  const { migration } = await plan(projectIn(folder, a), { now: new Date("2026-11-24T00:00:00Z"), name: "a" });
  cpSync(join(out, migration!), join(folder, migration!), { recursive: true });
  rmSync(out, { recursive: true });
  cpSync(join(folder, "before"), out, { recursive: true });
  await plan(projectIn(folder, b), { now: new Date("2026-11-25T00:00:00Z"), name: "b" });
  cpSync(join(folder, migration!), join(out, migration!), { recursive: true });
}

const wide = (...names: string[]) =>
  table("shop.orders", {
    id: t.bigint(),
    total: t.decimal(18, 2),
    ...Object.fromEntries(names.map((name) => [name, t.string()])),
  }, { primaryKey: ["id"], buckets: 3 });

test("two heads that add different columns are no problem, in whichever order, and the next plan joins them", async () => {
  for (const order of [["x", "y"], ["y", "x"]]) {
    await withFolder(async (folder) => {
      await plan(projectIn(folder, [one]), { now });
      await branches(folder, [wide("x")], [wide("y"), clicks]);
      const both = projectIn(folder, [wide(...order), clicks]);
      assert.deepEqual((await check(both)).heads.length, 2);
      assert.equal((await check(both)).ok, true);
      assert.deepEqual((await plan(both)).operations, []);
      const joined = await plan(projectIn(folder, [wide(...order, "z"), clicks]), { name: "joined" });
      assert.deepEqual(joined.operations.map(({ op }) => op), ["addColumn"]);
      assert.deepEqual(await check(both), { ok: true, migrations: 4, heads: [joined.migration], problems: [] });
      assert.deepEqual((await plan(projectIn(folder, [wide(...order, "z"), clicks]))).operations, []);
    });
  }
});

test("two heads that change the same are told, and nothing is planned behind them", () =>
  withFolder(async (folder) => {
    await plan(projectIn(folder, [one]), { now });
    const other = table("shop.orders", { id: t.bigint(), total: t.decimal(18, 2), x: t.int() }, {
      primaryKey: ["id"],
      buckets: 3,
    });
    await branches(folder, [wide("x")], [other]);
    const { ok, problems } = await check(projectIn(folder, [other]));
    assert.deepEqual([ok, problems.map(({ kind }) => kind)], [false, ["heads"]]);
    await assert.rejects(plan(projectIn(folder, [other])), (error) => FlussError.is(error, "MIGRATION.INVALID"));
  }));

test("three heads of which two have a migration in common do not contradict each other", () =>
  withFolder(async (folder) => {
    const make = (name: string) => table(`shop.${name}`, { id: t.int() }, { primaryKey: ["id"], buckets: 1 });
    const [r, w, x, y, z] = ["r", "w", "x", "y", "z"].map(make);
    const at = (place: string, ...tables: AnyTable[]) => ({ tables, out: join(folder, place) });
    const copy = (from: string, to: string) => cpSync(join(folder, from), join(folder, to), { recursive: true });
    const on = (day: number) => ({ now: new Date(Date.UTC(2026, 10, day)) });
    await plan(at("main", r!), on(1));
    copy("main", "c");
    await plan(at("c", r!, w!), on(2));
    copy("main", "a");
    await plan(at("a", r!, x!), on(3));
    copy("a", "b");
    await plan(at("a", r!, x!, y!), on(4));
    await plan(at("b", r!, x!, z!), on(5));
    for (const each of ["a", "b", "c"]) copy(each, "all");
    const { heads, problems } = await check(at("all"));
    assert.deepEqual([heads.length, problems], [3, []]);
    assert.deepEqual((await plan(at("all", r!, w!, x!, y!, z!))).operations, []);
  }));

test("a table that is not there cannot be rebuilt, whatever its name is", () =>
  withFolder(async (folder) => {
    await plan(projectIn(folder, [one]), { now });
    for (const name of ["constructor", "toString", "shop.nothing"]) {
      await assert.rejects(
        planRebuild(projectIn(folder, [one]), name),
        (error) => FlussError.is(error, "MIGRATION.UNKNOWN"),
      );
    }
  }));

test("a migration that was changed, or is no migration, is told with its name", async () => {
  const cases: [kind: string, change: (place: string) => void][] = [
    ["malformed", (place) => writeFileSync(join(place, "migration.json"), "{")],
    ["malformed", (place) => rmSync(join(place, "snapshot.json"))],
    ["malformed", (place) => edit(place, "migration.json", '"createTable"', '"dropEverything"')],
    ["malformed", (place) => edit(place, "migration.json", '"tableMissing"', '"none"')],
    ["malformed", (place) => edit(place, "snapshot.json", '"BIGINT"', '"BIGGER"')],
    ["checksum", (place) => edit(place, "snapshot.json", '"BIGINT"', '"INT"')],
    ["operations", (place) => edit(place, "migration.json", '"BIGINT"', '"INT"')],
    ["checksum", (place) => edit(place, "migration.json", '"from": "sha256:', '"from": "sha256:0')],
    ["parent", (place) => edit(place, "migration.json", '"parents": [', '"parents": ["sha256:0"')],
  ];
  for (const [kind, change] of cases) {
    await withFolder(async (folder) => {
      const { migration } = await plan(projectIn(folder, [one]), { now });
      change(join(projectIn(folder, []).out, migration!));
      const { ok, problems } = await check(projectIn(folder, [one]));
      assert.equal(ok, false);
      assert.deepEqual([problems[0]!.kind, problems[0]!.migration], [kind, migration], problems[0]!.message);
      await assert.rejects(plan(projectIn(folder, [two])), (error) => FlussError.is(error, "MIGRATION.INVALID"));
    });
  }
});

test("a migration whose folder was renamed is not left out without a word", () =>
  withFolder(async (folder) => {
    const { migration } = await plan(projectIn(folder, [one]), { now });
    const { out } = projectIn(folder, []);
    renameSync(join(out, migration!), join(out, "add_email"));
    const { ok, problems } = await check(projectIn(folder, [one]));
    assert.deepEqual([ok, problems[0]!.kind], [false, "malformed"]);
    assert.match(problems[0]!.message, /^add_email: its folder has not the name of a migration/);
  }));

function edit(place: string, file: string, from: string, to: string): void {
  const text = readFileSync(join(place, file), "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(join(place, file), text.replace(from, to));
}

test("spaces and the order of keys in files mean nothing", () =>
  withFolder(async (folder) => {
    const { migration } = await plan(projectIn(folder, [one]), { now });
    const file = join(projectIn(folder, []).out, migration!, "migration.json");
    const json = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify(Object.fromEntries(Object.entries(json).reverse())));
    assert.equal((await check(projectIn(folder, [one]))).ok, true);
  }));

test("a table without a database takes the project's, or is refused; a name declared twice is refused", () =>
  withFolder(async (folder) => {
    const plain = table("t", { id: t.int() });
    const { operations } = await plan(projectIn(folder, [plain], { database: "d" }), { dryRun: true });
    assert.deepEqual(operations.map((op) => "table" in op ? op.table : op.database), ["d", "d.t"]);
    for (const tables of [[plain], [one, two]]) {
      await assert.rejects(plan(projectIn(folder, tables)), (error) => FlussError.is(error, "MIGRATION.CONFIG"));
    }
  }));
