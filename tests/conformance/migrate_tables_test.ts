import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type AnyTable, FlussError, FlussMigrationError, t, table } from "../../mod.ts";
import { apply, check, diff, plan, planFromLive, planRebuild, pull, status } from "../../src/migrate/mod.ts";
import { needsCluster, target } from "../cluster.ts";
import { long, random } from "../random.ts";
import { loadTables } from "../unit/migrate/load_source.ts";
import { changedDraft, type Draft, HOSTILE, madeOf, randomDraft } from "../unit/migrate/random_schema.ts";
import { columns } from "./all_types.ts";
import { link, type Place, withProject } from "./migrate_project.ts";

/** Pulls, loads what was written, and looks whether a plan, an apply and a diff find nothing. */
async function pullLaw({ db, folder, project }: Place, count: number): Promise<void> {
  const file = join(folder, "pulled", "schema.ts");
  mkdirSync(join(folder, "pulled"), { recursive: true });
  const pulled = await pull(db, project(), { file, types: true });
  assert.deepEqual([pulled.left, pulled.tables.length, pulled.files.length], [[], count, 2]);
  const tables = await loadTables(folder, readFileSync(file, "utf8"));
  assert.equal(tables.length, count);
  assert.deepEqual((await check(project())).problems, []);
  assert.deepEqual(await plan(project(...tables)), {
    ok: true,
    migration: null,
    folder: null,
    operations: [],
    notes: [],
  });
  const compared = await diff(db, project(...tables));
  assert.equal(compared.equal, true, JSON.stringify(compared));
  assert.deepEqual(compared.notes, []);
  const applied = await apply(db, project());
  assert.deepEqual(applied.applied.map(({ done }) => done), [[]]);
  assert.deepEqual((await status(db, project())).drift, []);
  const again = await pull(db, project(), { file, overwrite: true });
  assert.equal(again.migration, null);
}

test("pull, then plan is empty: every type", needsCluster, () =>
  withProject(async (place) => {
    const { db } = place;
    await db.admin.create(table("pk", columns, { primaryKey: ["id"] }));
    await db.admin.create(table("log", columns));
    const required = Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, column.notNull()]));
    await db.admin.create(table("required", required));
    await pullLaw(place, 3);
  }));

test("pull, then plan is empty: every option", needsCluster, () =>
  withProject(async (place) => {
    const { db } = place;
    const keyed = { id: t.int(), day: t.string(), v: t.bigint() };
    const primaryKey = ["id", "day"] as const;
    const tables: AnyTable[] = [
      table("a", keyed, {
        primaryKey,
        partitionBy: ["day"],
        autoPartition: { unit: "quarter", retain: 2, precreate: 1, timeZone: "Europe/Berlin" },
        buckets: 3,
        log: { ttl: "1 h", format: "compacted", compression: { type: "none" } },
        kv: { format: "indexed" },
        changelog: "wal",
        deleteBehavior: "disable",
        properties: {
          "table.log.tiered.local-segments": "7",
          "table.kv.format-version": "1",
          "table.auto-increment.cache-size": "5",
          "table.datalake.freshness": "10 min",
          "table.datalake.auto-compaction": "true",
          "table.datalake.auto-expire-snapshot": "true",
        },
      }),
      table("b", keyed, { primaryKey, bucketKey: ["id"], mergeEngine: { versioned: "v" } }),
      table("c", keyed, { primaryKey, mergeEngine: "first_row", deleteBehavior: "disable" }),
      table("d", {
        ...keyed,
        n: t.int().agg("sum"),
        w: t.string().agg("listagg", { delimiter: '";' }),
        m: t.bytes().agg("rbm64"),
      }, {
        primaryKey,
        mergeEngine: "aggregation",
        deleteBehavior: "allow",
        log: { compression: { type: "zstd", level: 9 } },
      }),
      table("e", { ...keyed, n: t.int().autoIncrement() }, { primaryKey: ["id"], deleteBehavior: "ignore" }),
      table("f", { a: t.string(), b: t.string(), c: t.int() }, {
        partitionBy: ["b", "a"],
        autoPartition: { unit: "year", key: "a", retain: -1 },
        bucketKey: ["c"],
        buckets: 2,
      }),
      table("g", keyed, { log: { compression: { type: "lz4" }, format: "indexed" } }),
      table("h", keyed, { datalake: { format: "lance" } }),
    ];
    for (const each of tables) await db.admin.create(each);
    await pullLaw(place, tables.length);
  }));

test("pull, then plan is empty: names and comments of strangers", needsCluster, () =>
  withProject(async (place) => {
    const { db } = place;
    const names = Object.fromEntries(
      HOSTILE.map((name, i) => [`k${i}`, t.string().name(name).comment(HOSTILE.at(-i - 1)!)]),
    );
    await db.admin.create(table("class", names, {
      comment: HOSTILE.join(" "),
      customProperties: Object.fromEntries(HOSTILE.map((name, i) => [`p${i}`, name])),
    }));
    await db.admin.create(table("rows", {
      r: t.row(Object.fromEntries(HOSTILE.map((name, i) => [`k${i}`, t.int().name(name).comment(name)]))),
    }));
    await pullLaw(place, 2);
  }));

test(
  "pull, then plan is empty: after columns were added and options altered by hand",
  needsCluster,
  () =>
    withProject(async (place) => {
      const { db, project } = place;
      const before = table("t", { id: t.int() }, { primaryKey: ["id"] });
      await plan(project(before));
      await apply(db, project());
      await db.admin.alter("t", { addColumns: { "new one": t.array(t.int().notNull()).comment("x") } });
      await db.admin.alter("t", { setOptions: { mine: "1", "table.log.tiered.local-segments": "5" } });
      await db.admin.create(table("other", { id: t.int() }));
      await pullLaw(place, 2);
    }),
);

const PULLED = long ? 120 : target?.kind === "cluster" ? 6 : 20;

test(`pull, then plan is empty: ${PULLED} random tables`, needsCluster, () =>
  withProject(async (place) => {
    for (let i = 0; i < PULLED; i++) await place.db.admin.create(madeOf(randomDraft(random, `t${i}`))!);
    await pullLaw(place, PULLED);
  }));

const PLANS = long ? 300 : target?.kind === "cluster" ? 8 : 40;

test(
  `from random schema A to B, ${PLANS} times: what can be reached is, and the rest says why not`,
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      let reached = 0;
      let blocked = 0;
      // Dropped by the plan of the next round.
      let left: string[] = [];
      // A few plans may all be of one kind: then it goes on until the other one was seen.
      for (let i = 0; i < PLANS || ((reached === 0 || blocked === 0) && i < PLANS + 100); i++) {
        if (i % 20 === 19) {
          for (const name of [...left, "migrations"]) await db.admin.drop(name);
          rmSync(project().out, { recursive: true });
          left = [];
        }
        const drafts: Draft[] = Array.from({ length: 1 + random.int(2) }, (_, n) => randomDraft(random, `r${i}_${n}`));
        const others: Draft[] = random.int(3) === 0 ? [randomDraft(random, `r${i}_x`)] : [];
        const from = drafts.map((draft) => madeOf(draft)!);
        const changed = drafts.map((draft) => changedDraft(random, draft));
        const to = [...changed.slice(random.int(4) === 0 ? 1 : 0), ...others].map((draft) => madeOf(draft)!);
        const allow = [...left, ...drafts.map(({ name }) => name)].map((name) => `drop-table:${database}.${name}`);
        await plan(project(...from));
        await apply(db, project(), { allow });
        left = from.map(({ name }) => name);
        try {
          await plan(project(...to));
          reached++;
        } catch (error) {
          assert.ok(error instanceof FlussMigrationError && error.code === "MIGRATION.BLOCKED", String(error));
          assert.ok(error.problems.every(({ message, hint, table }) => message && hint && table));
          blocked++;
          // Nothing was approximated.
          assert.deepEqual((await status(db, project())).pending, []);
          continue;
        }
        await apply(db, project(), { allow });
        const after = { ...project(...to), include: [`${database}.r${i}_*`] };
        const compared = await diff(db, after);
        assert.equal(compared.equal, true, JSON.stringify([compared, drafts, changed]));
        assert.deepEqual((await status(db, project())).drift, []);
        assert.deepEqual((await plan(project(...to))).operations, []);
        left = to.map(({ name }) => name);
      }
      console.log(`${reached} plans were applied and verified, ${blocked} were blocked with reasons`);
      assert.ok(reached > 0 && blocked > 0);
    }),
);

test(
  "branches that met are applied in whichever order, and nothing drifts",
  needsCluster,
  () =>
    withProject(async ({ db, folder, project }) => {
      const wide = (...names: string[]) =>
        table("t", { id: t.int(), ...Object.fromEntries(names.map((name) => [name, t.string()])) }, {
          primaryKey: ["id"],
        });
      const first = await plan(project(wide()));
      const a = await plan(project(wide("a")), { name: "a" });
      // The other branch has its own folder, and meets the first later.
      const other = { ...project(wide("b")), out: join(folder, "other") };
      const { cpSync } = await import("node:fs");
      cpSync(join(project().out, first.migration!), join(other.out, first.migration!), { recursive: true });
      const b = await plan(other, { name: "b", now: new Date(Date.now() - 3_600_000) });
      await apply(db, project());
      cpSync(join(other.out, b.migration!), join(project().out, b.migration!), { recursive: true });
      assert.deepEqual((await check(project())).heads.length, 2);
      assert.deepEqual((await apply(db, project())).applied.map(({ migration }) => migration), [b.migration]);
      const { drift, applied } = await status(db, project());
      assert.deepEqual([drift, applied.length], [[], 3]);
      assert.equal((await diff(db, project(wide("b", "a")))).equal, true);
      const joined = await plan(project(wide("b", "a", "c")));
      assert.deepEqual(joined.operations.length, 1);
      await apply(db, project());
      assert.deepEqual((await status(db, project())).drift, []);
      assert.ok(a.migration);
    }),
);

test(
  "a plan from live takes what drifted as it is, and goes on from there",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const before = table("t", { id: t.int() }, { primaryKey: ["id"] });
      const gone = table("gone", { id: t.int() });
      await plan(project(before, gone));
      await apply(db, project());
      await db.admin.alter("t", { addColumns: { hand: t.int() } });
      await db.admin.drop("gone");
      await db.admin.create(table("somebody_elses", { id: t.int() }));
      const after = table("t", { id: t.int(), hand: t.int(), next: t.string() }, { primaryKey: ["id"] });
      const planned = await planFromLive(db, project(after));
      assert.deepEqual(planned.operations.map(({ op }) => op), ["addColumn", "dropTable", "addColumn"]);
      const done = await apply(db, project());
      assert.deepEqual(done.applied.map(({ done }) => done), [[`add column "next" STRING to ${database}.t`]]);
      assert.deepEqual((await status(db, project())).drift, []);
      assert.deepEqual((await plan(project(after))).operations, []);
      assert.deepEqual((await planFromLive(db, project(after))).operations, []);
    }),
);

test(
  "a table that was made anew by hand is adopted as it is now",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      await plan(project(table("t", { id: t.int() }, { primaryKey: ["id"] })));
      await apply(db, project());
      await db.admin.drop("t");
      const now = table("t", { id: t.string(), v: t.int() }, { primaryKey: ["id"], buckets: 2 });
      await db.admin.create(now);
      assert.ok((await status(db, project())).drift.length > 0);
      const planned = await planFromLive(db, project(now));
      assert.deepEqual(planned.operations.map(({ op }) => op), ["adoptTable"]);
      assert.deepEqual((await apply(db, project())).applied.map(({ done }) => done), [[]]);
      assert.deepEqual((await status(db, project())).drift, []);
    }),
);

test(
  "a table is rebuilt with its rows, also when that is cut off and run again",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const name = `${database}.t`;
      const old = table("t", { id: t.int(), n: t.int(), gone: t.string() }, { primaryKey: ["id"], buckets: 1 });
      await plan(project(old));
      await apply(db, project());
      const handle = db.table(old);
      await handle.upsertAll(Array.from({ length: 500 }, (_, id) => ({ id, n: id % 7 === 0 ? null : id, gone: "x" })));
      const next = table("t", { id: t.bigint(), n: t.string(), extra: t.int().notNull() }, {
        primaryKey: ["id"],
        buckets: 3,
      });
      await assert.rejects(plan(project(next)), (error) => FlussError.is(error, "MIGRATION.BLOCKED"));
      await assert.rejects(
        planRebuild(project(next), `${database}.x`),
        (error) => FlussError.is(error, "MIGRATION.UNKNOWN"),
      );
      const { migrations, folders } = await planRebuild(project(next), name);
      assert.equal(migrations.length, 3);
      assert.deepEqual((await plan(project(next))).operations, []);
      // What extra becomes, nobody but a person knows.
      assert.deepEqual((await check(project())).problems.map(({ kind }) => kind), ["data"]);
      const [copy, swap] = folders.map((folder) => join(folder, "data.ts"));
      writeFileSync(copy!, readFileSync(copy!, "utf8").replace(/\["extra"\]: todo\(.*\),/, '["extra"]: 5,'));
      for (const file of [copy!, swap!]) link(file);
      assert.deepEqual((await check(project())).problems, []);
      const allow = [`drop-table:${name}`, `drop-table:${name}__rebuild`];
      const stop = new AbortController();
      await assert.rejects(apply(db, project(), {
        allow,
        signal: stop.signal,
        onEvent: ({ event }) => event === "data" && stop.abort(new Error("enough")),
      }));
      await apply(db, project(), { allow });
      const rows = await db.table(next).scan().toArray();
      assert.equal(rows.length, 500);
      rows.sort((a, b) => Number(a.id - b.id));
      assert.deepEqual(rows.slice(0, 2), [{ id: 0n, n: null, extra: 5 }, { id: 1n, n: "1", extra: 5 }]);
      assert.equal(await db.admin.exists(`${name}__rebuild`), false);
      assert.equal((await diff(db, project(next))).equal, true);
    }),
);

test(
  "a log table and sums are rebuilt without a row too many",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const make = (buckets: number) =>
        [
          table("log", { id: t.int() }, { buckets }),
          table("sums", { id: t.int(), n: t.bigint().agg("sum") }, {
            primaryKey: ["id"],
            mergeEngine: "aggregation",
            buckets,
          }),
        ] as const;
      const [log, sums] = make(1);
      await plan(project(log, sums));
      await apply(db, project());
      await db.table(log).appendAll(Array.from({ length: 300 }, (_, id) => ({ id })));
      await db.table(sums).upsertAll(Array.from({ length: 300 }, (_, id) => ({ id: id % 100, n: 1n })));
      const [nextLog, nextSums] = make(2);
      for (const name of ["log", "sums"]) {
        const { folders } = await planRebuild(project(nextLog, nextSums), `${database}.${name}`);
        for (const folder of folders.slice(0, 2)) link(join(folder, "data.ts"));
      }
      const allow = ["log", "sums"].flatMap((name) =>
        ["", "__rebuild"].map((end) => `drop-table:${database}.${name}${end}`)
      );
      for (let cut = 1; cut <= 2; cut++) {
        const stop = new AbortController();
        let left = cut;
        await assert.rejects(apply(db, project(), {
          allow,
          signal: stop.signal,
          onEvent: ({ event }) => event === "data" && --left === 0 && stop.abort(new Error("enough")),
        }));
      }
      await apply(db, project(), { allow });
      assert.equal(await db.table(nextLog).scan().count(), 300);
      const rows = await db.table(nextSums).scan().toArray();
      assert.deepEqual([rows.length, rows.every(({ n }) => n === 3n)], [100, true]);
      assert.equal((await diff(db, project(nextLog, nextSums))).equal, true);
    }),
);
