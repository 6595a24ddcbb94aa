// What must not be lost when migrations are cut off, overtaken, or meet what somebody did by hand.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Db, FlussError, t, table } from "../../mod.ts";
import { apply, check, copyRows, plan, planFromLive, planRebuild, pull, status } from "../../src/migrate/mod.ts";
import { lockHolder, takeLock } from "../../src/migrate/lock.ts";
import { readMigrations } from "../../src/migrate/folder.ts";
import { prepareState } from "../../src/migrate/state.ts";
import { needsCluster } from "../cluster.ts";
import { link, type Place, withProject } from "./migrate_project.ts";

const isCode = (code: string, says = /./) => (error: unknown) =>
  FlussError.is(error) && error.code === code && says.test(error.message) || assert.fail(`not ${code}: ${error}`);

const keyed = (buckets: number) => table("t", { id: t.int() }, { primaryKey: ["id"], buckets });
const log = (buckets: number) => table("t", { id: t.int() }, { buckets });

const grants = (database: string) => [`drop-table:${database}.t`, `drop-table:${database}.t__rebuild`];

/** A table with two rows whose rebuild is planned. */
async function rebuilding(
  { db, database, project }: Place,
  make: typeof keyed | typeof log,
): Promise<{ readonly folders: readonly string[]; readonly migrations: readonly string[] }> {
  await plan(project(make(1)), { name: "first" });
  await apply(db, project());
  const rows = [{ id: 1 }, { id: 2 }];
  await (make === log ? db.table(log(1)).appendAll(rows) : db.table(keyed(1)).upsertAll(rows));
  const { folders, migrations } = await planRebuild(project(make(2)), `${database}.t`);
  for (const folder of folders.slice(0, 2)) link(join(folder, "data.ts"));
  return { folders, migrations };
}

/** A connection whose calls of `admin` go through a function. */
function watched(db: Db, call: (name: string, args: unknown[], run: () => Promise<unknown>) => Promise<unknown>): Db {
  const through = (at: object, key: PropertyKey): unknown => {
    const member: unknown = Reflect.get(at, key, at);
    return typeof member === "function" ? member.bind(at) : member;
  };
  const admin = new Proxy(db.admin, {
    get(at, key) {
      const member = through(at, key);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => call(String(key), args, () => member(...args) as Promise<unknown>);
    },
  });
  return new Proxy(db, { get: (at, key) => key === "admin" ? admin : through(at, key) });
}

const idsOf = async (db: Db) =>
  (await (await db.table("t")).scan().toArray()).map((row) => (row as { id: number }).id).sort();

for (const where of ["before the drop of the swap", "behind it", "behind the create of the swap"] as const) {
  test(
    `who lost the lock ${where} undoes nothing of what the next one did`,
    needsCluster,
    () =>
      withProject(async (place) => {
        const { db, database, project } = place;
        const { migrations } = await rebuilding(place, keyed);
        const allow = grants(database);
        await apply(db, project(), { to: migrations[0]! });
        const [thawed, frozen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
        let begun = false;
        let armed = true;
        const pause = async () => {
          if (!armed) return;
          armed = false;
          frozen.resolve();
          await thawed.promise;
        };
        const slow = watched(db, async (name, args, run) => {
          const answer = await run();
          const isTable = (args[0] as { name?: string }).name === `${database}.t` || args[0] === `${database}.t`;
          const now = where === "before the drop of the swap"
            ? begun && name === "describe"
            : isTable && name === (where === "behind it" ? "drop" : "create");
          if (now) await pause();
          return answer;
        });
        const one = apply(slow, project(), {
          allow,
          by: "one",
          onEvent: ({ event }) => void (begun ||= event === "migration"),
        }).then(() => assert.fail("it went on"), (error: unknown) => error);
        await frozen.promise;
        const { holder } = (await lockHolder(db, database))!;
        await apply(db, project(), { allow, by: "two", breakLock: holder });
        thawed.resolve();
        isCode("MIGRATION.LOCK_LOST")(await one);
        assert.deepEqual(await idsOf(db), [1, 2]);
        const { applied, drift, pending } = await status(db, project());
        assert.deepEqual([pending, drift, applied.every(({ state }) => state === "applied")], [[], [], true]);
        assert.deepEqual((await apply(db, project(), { allow })).applied, []);
      }),
  );
}

test(
  "a lease that ends is lost, though the server does not answer",
  needsCluster,
  () =>
    withProject(async ({ db, database }) => {
      await prepareState(db, database);
      const silent = Promise.withResolvers<never>();
      let hangs = false;
      const slow = new Proxy(db, {
        get(at, key) {
          const member: unknown = Reflect.get(at, key, at);
          if (typeof member !== "function") return member;
          if (key !== "table") return member.bind(at);
          return (...args: unknown[]) =>
            new Proxy(member.apply(at, args) as object, {
              get(handle, name) {
                const method: unknown = Reflect.get(handle, name, handle);
                if (typeof method !== "function") return method;
                return (...rest: unknown[]) => hangs && name === "update" ? silent.promise : method.apply(handle, rest);
              },
            });
        },
      });
      const lock = await takeLock(slow, database, { by: "one", leaseMs: 500 });
      await lock.confirm();
      hangs = true;
      await new Promise((resolve) => lock.signal.addEventListener("abort", resolve, { once: true }));
      isCode("MIGRATION.LOCK_LOST", /ended before it could be renewed/)(lock.signal.reason);
      await assert.rejects(lock.confirm(), isCode("MIGRATION.LOCK_LOST"));
      silent.reject(new Error("too late"));
      for (const leaseMs of [0, -1, NaN, Infinity]) {
        await assert.rejects(takeLock(db, database, { by: "two", leaseMs }), isCode("MIGRATION.CONFIG"));
      }
    }),
);

test(
  "a table is not dropped for its rebuild while the table beside has fewer rows, or is gone",
  needsCluster,
  () =>
    withProject(async (place) => {
      const { db, database, project } = place;
      const { migrations } = await rebuilding(place, keyed);
      const allow = grants(database);
      await apply(db, project(), { to: migrations[0]! });
      await db.table(keyed(1)).upsert({ id: 3 });
      const fewer = isCode("MIGRATION.DESTRUCTIVE", /t has 3 rows, and .*t__rebuild, which takes its place, 2: /);
      await assert.rejects(apply(db, project(), { allow }), fewer);
      assert.deepEqual(await idsOf(db), [1, 2, 3]);
      // Written there, too, it is not lost.
      await (await db.table("t__rebuild")).upsert({ id: 3 });
      await apply(db, project(), { allow });
      assert.deepEqual(await idsOf(db), [1, 2, 3]);
    }),
);

test("a table whose rows nobody has is not dropped", needsCluster, () =>
  withProject(async (place) => {
    const { db, database, project } = place;
    const { migrations } = await rebuilding(place, log);
    await apply(db, project(), { to: migrations[0]! });
    await db.admin.drop("t__rebuild");
    await assert.rejects(
      apply(db, project(), { allow: grants(database) }),
      isCode("MIGRATION.DRIFT", /t__rebuild, which is to have the rows of .*t, is gone/),
    );
    assert.deepEqual(await idsOf(db), [1, 2]);
  }));

test("rows are lost by name alone", needsCluster, () =>
  withProject(async (place) => {
    const { db, database, project } = place;
    const { migrations } = await rebuilding(place, keyed);
    await apply(db, project(), { to: migrations[0]! });
    await db.table(keyed(1)).upsert({ id: 3 });
    await apply(db, project(), { allow: [...grants(database), `fewer-rows:${database}.t`] });
    assert.deepEqual(await idsOf(db), [1, 2]);
  }));

test(
  "a table with a column that somebody added is neither altered nor dropped",
  needsCluster,
  () =>
    withProject(async (place) => {
      const { db, database, project } = place;
      await rebuilding(place, keyed);
      await db.admin.alter("t", { addColumns: { hand: t.string() } });
      const drift = isCode("MIGRATION.DRIFT", /hand/);
      await assert.rejects(apply(db, project(), { allow: grants(database) }), drift);
      assert.deepEqual(await idsOf(db), [1, 2]);
    }),
);

test("a column is not added to a table that is another", needsCluster, () =>
  withProject(async ({ db, project }) => {
    await plan(project(keyed(1)));
    await apply(db, project());
    await db.admin.alter("t", { addColumns: { hand: t.string() } });
    await plan(project(table("t", { id: t.int(), email: t.string() }, { primaryKey: ["id"], buckets: 1 })));
    await assert.rejects(apply(db, project()), isCode("MIGRATION.DRIFT", /hand/));
  }));

test(
  "a rebuild that leaves one of several rows waits for a person",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      await plan(project(table("t", { a: t.int(), b: t.int() }, { primaryKey: ["a", "b"], buckets: 1 })));
      await apply(db, project());
      const next = table("t", { a: t.int(), b: t.int().notNull() }, { primaryKey: ["a"], buckets: 1 });
      const { notes } = await planRebuild(project(next), `${database}.t`);
      assert.ok(notes.some((note) => note.includes("of rows with the same a one is left")), notes.join("\n"));
      assert.deepEqual((await check(project())).problems.map(({ kind }) => kind), ["data"]);
    }),
);

test(
  "a table with numbers of the server is rebuilt",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const make = (buckets: number) =>
        table("t", { k: t.string(), n: t.bigint().autoIncrement(), v: t.string() }, { primaryKey: ["k"], buckets });
      await plan(project(make(1)));
      await apply(db, project());
      await db.table(make(1)).upsertAll([{ k: "a", v: "x" }, { k: "b", v: "y" }]);
      const { folders } = await planRebuild(project(make(2)), `${database}.t`);
      const [copy, swap] = folders.map((folder) => join(folder, "data.ts"));
      writeFileSync(copy!, readFileSync(copy!, "utf8").replace(/.*TODO\(sluice\): rows get new numbers.*\n/, ""));
      for (const file of [copy!, swap!]) link(file);
      await apply(db, project(), { allow: grants(database) });
      const rows = await db.table(make(2)).scan().toArray();
      assert.deepEqual(rows.map(({ k, v }) => [k, v]).sort(), [["a", "x"], ["b", "y"]]);
      assert.equal(new Set(rows.map(({ n }) => n)).size, 2);
    }),
);

/** A command runs in a process of its own, which reads it anew. */
const readsAnew = "bun" in process.versions
  ? { skip: needsCluster.skip || "Bun keeps the module of a path for the life of the process" }
  : needsCluster;

test("a data step that failed is repaired, and goes on", readsAnew, () =>
  withProject(async ({ db, project }) => {
    const { folder } = await plan(project(keyed(1)));
    const data = join(folder!, "data.ts");
    writeFileSync(data, 'export default () => { throw new Error("a bug"); };\n');
    await assert.rejects(apply(db, project()), isCode("MIGRATION.DATA_FAILED", /a bug/));
    writeFileSync(data, "export default async (db) => await (await db.table('t')).upsert({ id: 7 });\n");
    assert.deepEqual((await status(db, project())).problems, []);
    await apply(db, project());
    assert.deepEqual(await idsOf(db), [7]);
    // Now it is what was applied.
    writeFileSync(data, "export default () => {};\n");
    await assert.rejects(apply(db, project()), isCode("MIGRATION.CHECKSUM"));
  }));

test(
  "rows are copied after a kill between the drop and the create of where they go",
  needsCluster,
  () =>
    withProject(async (place) => {
      const { db, database, project } = place;
      await rebuilding(place, log);
      const allow = grants(database);
      const stop = new AbortController();
      const onEvent = ({ event }: { event: string }) => void (event === "data" && stop.abort(new Error("enough")));
      await assert.rejects(apply(db, project(), { allow, signal: stop.signal, onEvent }));
      let drops = 0;
      const dying = watched(db, async (name, args, run) => {
        if (name === "create" && drops > 0) throw new Error("killed");
        if (name === "drop" && String(args[0]).endsWith("__rebuild")) drops++;
        return await run();
      });
      await assert.rejects(apply(dying, project(), { allow }), /killed/);
      assert.equal(drops, 1);
      await apply(db, project(), { allow });
      assert.deepEqual(await idsOf(db), [1, 2]);
    }),
);

test("rows that are there are not dropped by a copy", needsCluster, () =>
  withProject(async ({ db, database }) => {
    const [a, b] = ["a", "b"].map((name) => table(name, { id: t.int() }, { buckets: 1 }));
    for (const each of [a!, b!]) {
      await db.admin.create(each);
      await (await db.table(each.name)).append({ id: 1 });
    }
    const context = {
      signal: new AbortController().signal,
      saved: null,
      save: async () => {},
      progress: () => {},
    };
    const names = { from: `${database}.a`, to: `${database}.b` };
    await assert.rejects(copyRows(db, context, names), isCode("MIGRATION.DESTRUCTIVE", /b has rows/));
    assert.equal(await (await db.table("b")).scan().count(), 1);
  }));

test(
  "tables of other databases are not planned to be dropped",
  needsCluster,
  () =>
    withProject(async ({ db, database, folder, project }) => {
      const other = `${database}_audit`;
      try {
        const audit = table(`${other}.log`, { id: t.bigint() }, { buckets: 1 });
        await plan(project(keyed(1), audit));
        await apply(db, project());
        const pulled = await pull(db, project(), { file: join(folder, "schema.ts") });
        const last = (await readMigrations(project().out)).at(-1)!;
        assert.deepEqual([
          pulled.migration === null ? [] : last.ops.map(({ op }) => op).filter((op) => op === "dropTable"),
        ], [[]]);
        assert.deepEqual(pulled.tables.toSorted(), [`${other}.log`, `${database}.t`].toSorted());
      } finally {
        await db.admin.dropDatabase(other, { cascade: true, ignoreIfNotExists: true });
      }
    }),
);

test(
  "what somebody made anew is taken as it is, on servers that could not have altered it",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      await plan(project(log(1)));
      await apply(db, project());
      await db.admin.drop("t");
      const now = table("t", { id: t.int() }, { buckets: 1, log: { ttl: "3d" } });
      await db.admin.create(now);
      const { operations } = await planFromLive(db, project(now));
      assert.deepEqual((await check(project())).problems, []);
      assert.deepEqual((await apply(db, project())).applied.map(({ done }) => done), [[]]);
      assert.deepEqual([(await status(db, project())).drift, operations.length], [[], 1]);
    }),
);
