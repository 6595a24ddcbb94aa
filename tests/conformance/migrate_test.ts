import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type AnyTable, connect, type Db, FlussError, FlussMigrationError, t, table } from "../../mod.ts";
import { apply, type ApplyOptions, check, diff, plan, type Project, push, status } from "../../src/migrate/mod.ts";
import { lockHolder, prepareLocks, takeLock } from "../../src/migrate/lock.ts";
import { needsCluster, target } from "../cluster.ts";
import { long } from "../random.ts";
import { columns } from "./all_types.ts";
import { withProject } from "./migrate_project.ts";
import { withDatabase } from "./target.ts";

const isCode = (code: string) => (error: unknown) =>
  (FlussError.is(error) && error.code === code) || assert.fail(`not ${code}: ${error}`);

const orders = table("orders", { id: t.bigint(), total: t.decimal(18, 2) }, {
  primaryKey: ["id"],
  buckets: 2,
  customProperties: { team: "a", gone: "x" },
});
const wider = table("orders", { id: t.bigint(), total: t.decimal(18, 2), email: t.string().comment("as typed") }, {
  primaryKey: ["id"],
  buckets: 2,
  customProperties: { team: "b" },
  properties: { "table.log.tiered.local-segments": "4" },
});
const clicks = table("clicks", { url: t.string().notNull(), at: t.timestampLtz(3) }, { buckets: 2 });

test(
  "plans are applied, and applied again there is nothing to do",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const first = await plan(project(orders, clicks));
      assert.deepEqual((await status(db, project(orders))).pending, [first.migration]);
      const dry = await apply(db, project(orders), { dryRun: true });
      assert.deepEqual(dry.applied.map(({ migration, done }) => [migration, done.length]), [[first.migration, 3]]);
      assert.equal(await db.admin.exists(`${database}.orders`), false);
      const events: string[] = [];
      const done = await apply(db, project(orders), { by: "ada", onEvent: ({ event }) => events.push(event) });
      assert.deepEqual(done.applied.map(({ migration }) => migration), [first.migration]);
      // The database is there.
      assert.deepEqual(events, ["migration", "operation", "operation", "operation"]);
      assert.equal((await diff(db, project(orders, clicks))).equal, true);
      const { applied, pending, drift, lock } = await status(db, project(orders));
      assert.deepEqual([pending, drift, lock], [[], [], null]);
      assert.deepEqual(applied.map(({ migration, state, by }) => [migration, state, by]), [
        [first.migration, "applied", "ada"],
      ]);
      assert.deepEqual((await apply(db, project(orders))).applied, []);

      await db.table(orders).upsert({ id: 1n, total: "1.00" });
      const second = await plan(project(wider, clicks));
      assert.deepEqual(second.operations.map(({ op }) => op), ["addColumn", "alterOptions"]);
      assert.equal((await diff(db, project(wider, clicks))).equal, false);
      await apply(db, project());
      assert.equal((await diff(db, project(wider, clicks))).equal, true);
      assert.deepEqual(await db.table(wider).lookup({ id: 1n }), { id: 1n, total: "1.00", email: null });
      const { customProperties, properties } = (await db.admin.describe("orders")).table;
      assert.deepEqual(customProperties, { team: "b" });
      assert.equal(properties["table.log.tiered.local-segments"], "4");
      assert.deepEqual((await status(db, project())).drift, []);
    }),
);

test(
  "what destroys rows is done when it is allowed by its name",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      await plan(project(orders, clicks));
      await apply(db, project());
      await plan(project(orders));
      const grant = `drop-table:${database}.clicks`;
      for (const allow of [[], [`drop-table:${database}.orders`], ["*"]]) {
        await assert.rejects(apply(db, project(), { allow }), (error) => {
          assert.ok((error as FlussError).hint?.includes(`--allow ${grant}`));
          return isCode("MIGRATION.DESTRUCTIVE")(error);
        });
      }
      assert.equal(await db.admin.exists("clicks"), true);
      assert.equal((await status(db, project())).lock, null);
      await apply(db, project(), { allow: [grant] });
      assert.equal(await db.admin.exists("clicks"), false);
    }),
);

test("a table that is gone needs no leave to be dropped", needsCluster, () =>
  withProject(async ({ db, project }) => {
    await plan(project(orders, clicks));
    await apply(db, project());
    await plan(project(orders));
    await db.admin.drop("clicks");
    assert.deepEqual((await apply(db, project())).applied.map(({ done }) => done), [[]]);
  }));

test(
  "only a part is applied with --to, and an unknown name is refused",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      const first = await plan(project(orders));
      const second = await plan(project(wider));
      const third = await plan(project(wider, clicks));
      await assert.rejects(apply(db, project(), { to: "20200101T000000_nothing" }), isCode("MIGRATION.UNKNOWN"));
      const { applied, pending } = await apply(db, project(), { to: second.migration! });
      assert.deepEqual(applied.map(({ migration }) => migration), [first.migration, second.migration]);
      assert.deepEqual(pending, [third.migration]);
      assert.deepEqual((await status(db, project())).pending, [third.migration]);
    }),
);

test(
  "a migration that changed after it was applied, or that is missing, is told and nothing is done",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      const { migration } = await plan(project(orders));
      const { out } = project();
      await apply(db, project());
      writeFileSync(join(out, migration!, "data.ts"), "export default async () => {};\n");
      await plan(project(orders, clicks));
      await assert.rejects(apply(db, project()), isCode("MIGRATION.CHECKSUM"));
      assert.deepEqual((await status(db, project())).problems.map(({ kind }) => kind), ["checksum"]);
      assert.equal(await db.admin.exists("clicks"), false);
      rmSync(join(out, migration!, "data.ts"));
      await apply(db, project());
      rmSync(out, { recursive: true });
      assert.deepEqual((await status(db, project())).problems.map(({ kind }) => kind), ["missing", "missing"]);
      await assert.rejects(apply(db, project()), isCode("MIGRATION.CHECKSUM"));
    }),
);

test(
  "a table that somebody altered by hand is reported, and never reset",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      await plan(project(orders, clicks));
      await apply(db, project());
      await db.admin.alter("orders", { addColumns: { email: t.int() } });
      await db.admin.alter("orders", { setOptions: { team: "c" } });
      await db.admin.drop("clicks");
      const { drift } = await status(db, project());
      assert.equal(drift.length, 3, JSON.stringify(drift));
      assert.ok(drift.every(({ hint }) => hint?.includes("sluice pull")));
      const { equal, blocked, operations } = await diff(db, project(orders, clicks));
      assert.deepEqual([equal, blocked.map(({ change }) => change), operations.map(({ op }) => op)], [
        false,
        ["dropColumn"],
        ["createTable", "alterOptions"],
      ]);
      // The column is there, and is another.
      await plan(project(wider, clicks));
      await assert.rejects(apply(db, project()), (error) => {
        assert.ok(error instanceof FlussMigrationError && error.problems.length === 1);
        return isCode("MIGRATION.DRIFT")(error);
      });
      assert.deepEqual((await status(db, project())).lock, null);
    }),
);

test("what somebody did by hand already is not done again", needsCluster, () =>
  withProject(async ({ db, project }) => {
    await plan(project(orders));
    await apply(db, project());
    await plan(project(wider));
    await db.admin.alter("orders", { addColumns: { email: t.string() } });
    const { applied: [one] } = await apply(db, project());
    assert.deepEqual(one!.done.length, 1, String(one!.done));
    assert.deepEqual((await status(db, project())).drift, []);
  }));

test(
  "tables of every type and kind are made, and are equal to their declarations",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      const { id: _, ...rest } = columns;
      const tables = [
        table("all_pk", columns, { primaryKey: ["id"], kv: { format: "indexed" }, log: { ttl: "3 d" } }),
        table("all_log", columns, {
          buckets: 3,
          bucketKey: ["id"],
          log: { compression: { type: "lz4" } },
          comment: "c",
        }),
        table("all_added", { id: t.int() }, { primaryKey: ["id"] }),
        table("parts", { id: t.int(), day: t.string(), n: t.int() }, {
          primaryKey: ["id", "day"],
          partitionBy: ["day"],
          autoPartition: { unit: "day", retain: 3, timeZone: "UTC" },
        }),
        table("sums", { id: t.int(), n: t.int().agg("sum"), l: t.string().agg("listagg", { delimiter: ";" }) }, {
          primaryKey: ["id"],
          mergeEngine: "aggregation",
          deleteBehavior: "allow",
        }),
        table("versions", { id: t.int(), v: t.bigint() }, { primaryKey: ["id"], mergeEngine: { versioned: "v" } }),
        table("firsts", { id: t.int(), v: t.bigint() }, { primaryKey: ["id"], mergeEngine: "first_row" }),
        table("numbers", { name: t.string(), id: t.bigint().autoIncrement() }, { primaryKey: ["name"] }),
        table("wal", { id: t.int() }, { primaryKey: ["id"], changelog: "wal", deleteBehavior: "disable" }),
      ];
      await plan(project(...tables));
      await apply(db, project());
      const { equal, operations, blocked } = await diff(db, project(...tables));
      assert.equal(equal, true, JSON.stringify([operations, blocked]));
      assert.deepEqual((await status(db, project())).drift, []);
      const all = table("all_added", { id: t.int(), ...rest }, { primaryKey: ["id"] });
      await plan(project(...tables.filter(({ name }) => name !== "all_added"), all));
      const { applied: [added] } = await apply(db, project());
      assert.equal(added!.done.length, Object.keys(rest).length);
      assert.deepEqual((await status(db, project())).drift, []);
    }),
);

/** Puts a data step into a migration that was planned. */
function addData(project: Project, migration: string | null, source: string): void {
  writeFileSync(join(project.out, migration!, "data.ts"), source);
}

test(
  "a data step runs after its operations, keeps where it is, and goes on after it failed",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      const first = await plan(project(orders));
      addData(
        project(),
        first.migration,
        `export default async (db, { saved, save, progress }) => {
        const orders = await db.table("orders");
        const from = saved === null ? 0 : Number(saved);
        for (let id = from; id < 10; id++) {
          await orders.upsert({ id: BigInt(id), total: String(from) + ".00" });
          await save(String(id + 1));
          progress(id + 1, 10);
          if (id === 4 && saved === null) throw new Error("the power is out");
        }
      };\n`,
      );
      const told: unknown[] = [];
      const onEvent: ApplyOptions["onEvent"] = (event) =>
        event.event === "data" && told.push([event.done, event.total]);
      await assert.rejects(apply(db, project(), { onEvent }), (error) => {
        assert.match(String(error), /the power is out/);
        return isCode("MIGRATION.DATA_FAILED")(error);
      });
      assert.deepEqual(told.at(-1), [5, 10]);
      const { applied: [known], pending } = await status(db, project());
      assert.deepEqual([known!.state, pending], ["data", [first.migration]]);
      await apply(db, project(), { onEvent });
      assert.deepEqual(told.at(-1), [10, 10]);
      const rows = await db.table(orders).scan().toArray();
      assert.deepEqual(rows.map(({ total }) => total).sort(), [...Array(5).fill("0.00"), ...Array(5).fill("5.00")]);
      assert.equal((await status(db, project())).applied[0]!.state, "applied");
    }),
);

test("a data step that is none is one clear error", needsCluster, () =>
  withProject(async ({ db, project }) => {
    for (
      const [i, source] of ["export const x = 1;\n", "throw new Error('at once');\n", "export default 7;\n"].entries()
    ) {
      const { migration } = await plan(project(table(`t${i}`, { id: t.int() })), { name: `bad ${i}` });
      addData(project(), migration, source);
      await assert.rejects(apply(db, project()), isCode("MIGRATION.DATA_FAILED"));
      rmSync(project().out, { recursive: true });
      await db.admin.drop("migrations");
    }
  }));

// ---------------------------------------------------------------------------------------------------------------------
// The lock.

test(
  "the lock has one holder at a time, who can be seen, waited for and broken",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await prepareLocks(db, database);
      assert.equal(await lockHolder(db, database), null);
      const first = await takeLock(db, database, { by: "ada" });
      assert.equal((await lockHolder(db, database))?.holder, first.holder);
      assert.match(first.holder, /^ada#/);
      await assert.rejects(takeLock(db, database, { by: "bob" }), (error) => {
        assert.ok(String(error).includes(first.holder));
        return isCode("MIGRATION.LOCKED")(error);
      });
      await assert.rejects(takeLock(db, database, { by: "bob", breakLock: "eve#1" }), isCode("MIGRATION.LOCKED"));
      await first.confirm();

      const waits: string[] = [];
      const waiting = takeLock(db, database, { by: "bob", waitMs: 10_000, onWait: ({ holder }) => waits.push(holder) });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await first.release();
      const second = await waiting;
      assert.equal(waits[0], first.holder);

      const third = await takeLock(db, database, { by: "eve", breakLock: second.holder });
      await assert.rejects(second.confirm(), isCode("MIGRATION.LOCK_LOST"));
      await second.release();
      await third.confirm();
      await third.release();
      assert.equal(await lockHolder(db, database), null);
    }),
);

test(
  "a lease is renewed while it is held, and ends by itself when its holder is gone",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await prepareLocks(db, database);
      {
        await using lock = await takeLock(db, database, { by: "ada", leaseMs: 1500 });
        await new Promise((resolve) => setTimeout(resolve, 2500));
        await lock.confirm();
        await assert.rejects(takeLock(db, database, { by: "bob" }), isCode("MIGRATION.LOCKED"));
      }
      const gone = await connect(target!.url, { database });
      await takeLock(gone, database, { by: "gone", leaseMs: 600 });
      await gone.close({ drop: true });
      await using next = await takeLock(db, database, { by: "bob", waitMs: 15_000 });
      assert.match(next.holder, /^bob#/);
    }),
);

const RACES = long ? 100 : 6;

test(
  `of ${RACES} races of five for the lock every one has one winner`,
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await prepareLocks(db, database);
      for (let race = 0; race < RACES; race++) {
        const tries = await Promise.allSettled(
          Array.from({ length: 5 }, (_, i) => takeLock(db, database, { by: `r${race}_${i}` })),
        );
        const won = tries.filter((one) => one.status === "fulfilled");
        assert.equal(
          won.length,
          1,
          tries.map((one) => one.status === "fulfilled" ? "won" : String(one.reason)).join("\n"),
        );
        for (const one of tries) if (one.status === "rejected") isCode("MIGRATION.LOCKED")(one.reason);
        await won[0]!.value.release();
      }
    }),
);

const TWICE = long ? 100 : 4;

test(
  `two apply at once, ${TWICE} times: one wins, the other waits or says who holds the lock`,
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      await using other = await connect(target!.url, { database });
      let refused = 0;
      const tables: AnyTable[] = [];
      for (let i = 0; i < TWICE; i++) {
        tables.push(table(`t${i}`, { id: t.int() }, { primaryKey: ["id"] }));
        await plan(project(...tables));
        const waitMs = i % 2 === 0 ? 30_000 : 0;
        const both = await Promise.allSettled([
          apply(db, project(), { by: "one", waitMs }),
          apply(other, project(), { by: "two", waitMs }),
        ]);
        let applied = 0;
        for (const one of both) {
          if (one.status === "fulfilled") applied += one.value.applied.length;
          else {
            isCode("MIGRATION.LOCKED")(one.reason);
            assert.match(String(one.reason), /"(one|two)#/);
            refused++;
            assert.equal(waitMs, 0);
          }
        }
        assert.equal(applied, 1);
        assert.deepEqual((await status(db, project())).pending, []);
        assert.equal((await diff(db, project(...tables))).blocked.length, 0);
      }
      console.log(`of ${TWICE} pairs, ${refused} losers were told who holds the lock`);
    }),
);

// ---------------------------------------------------------------------------------------------------------------------
// Cut off.

class Killed extends Error {}

/** A connection that is dead after some calls; the last one may have arrived or not. */
function dying(db: Db, calls: number, arrives: boolean): { readonly db: Db; readonly made: () => number } {
  let made = 0;
  const wrap = <T extends object>(value: T): T =>
    new Proxy(value, {
      get(at, key) {
        const member = Reflect.get(at, key, at) as unknown;
        if (key === "admin") return wrap(member as object);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          if (key === "table" && typeof args[0] !== "string") return wrap(member.apply(at, args) as object);
          made++;
          if (made < calls) return member.apply(at, args);
          if (made > calls || !arrives) throw new Killed();
          const sent = member.apply(at, args) as unknown;
          if (typeof (sent as PromiseLike<unknown>).then !== "function") throw new Killed();
          return (sent as PromiseLike<unknown>).then(() => {
            throw new Killed();
          });
        };
      },
    });
  return { db: wrap(db), made: () => made };
}

/** Does it again where the short lease ended, as it does on a machine that stands still for a moment. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      if (!FlussError.is(error, "MIGRATION.LOCK_LOST") || attempt === 10) throw error;
    }
  }
}

test(
  "apply that is killed at any step and run again ends in the same state",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const small = table("orders", { id: t.bigint() }, { primaryKey: ["id"], customProperties: { a: "1" } });
      const big = table("orders", { id: t.bigint(), x: t.string(), y: t.int() }, {
        primaryKey: ["id"],
        customProperties: { b: "2" },
      });
      await plan(project(small, clicks));
      const second = await plan(project(big));
      addData(
        project(),
        second.migration,
        `export default async (db) => {
        const orders = await db.table(${JSON.stringify(`${database}.orders`)});
        await orders.upsert({ id: 7n, x: "x", y: 1 });
      };\n`,
      );
      const allow = [`drop-table:${database}.clicks`];
      const clean = async () => {
        for (const name of ["migrations", "migration_locks", "orders", "clicks"]) {
          await db.admin.drop(name, { ignoreIfNotExists: true });
        }
      };
      const state = async () => ({
        rows: await db.table(big).scan().toArray(),
        status: { ...await status(db, project()), applied: (await status(db, project())).applied.map((a) => a.state) },
        equal: (await diff(db, project(big))).equal,
      });
      const whole = dying(db, Infinity, true);
      await apply(whole.db, project(), { allow });
      const steps = whole.made();
      const wanted = await state();
      assert.deepEqual([wanted.equal, wanted.rows.length], [true, 1]);
      const every = long ? 1 : target!.kind === "cluster" ? 9 : 3;
      let runs = 0;
      for (let step = 1; step <= steps; step += every) {
        for (const arrives of [false, true]) {
          await insist(async () => {
            await clean();
            const dead = dying(db, step, arrives);
            await apply(dead.db, project(), { allow, leaseMs: 150 }).then(
              // A lock that could not be given back is no failure: everything was done before that.
              () => assert.ok(step >= steps - 1, `not killed at ${step}`),
              (error: Error) => {
                const reason = error.cause ?? error;
                if (FlussError.is(reason, "MIGRATION.LOCK_LOST")) throw reason;
                assert.ok(reason instanceof Killed, `at ${step}: ${error}`);
              },
            );
          });
          await insist(() => apply(db, project(), { allow, leaseMs: 150, waitMs: 15_000 }));
          // Where everything was done, nobody needed the lock that the dead one left; its lease ends by itself.
          for (let wait = 0; wait < 50 && (await status(db, project())).lock !== null; wait++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          assert.deepEqual(await state(), wanted, `after step ${step}`);
          runs++;
        }
      }
      console.log(`${steps} steps, killed at ${runs} places`);
    }),
);

// ---------------------------------------------------------------------------------------------------------------------

test(
  "push makes tables without migrations, drops and makes anew what it is allowed to",
  needsCluster,
  () =>
    withProject(async ({ db, database, project }) => {
      const { url } = target!;
      await assert.rejects(
        push(db, project(orders), { url: "fluss://example.org:9123" }),
        isCode("MIGRATION.NOT_DEVELOPMENT"),
      );
      assert.equal((await push(db, project(orders, clicks), { url })).done.length, 2);
      const { done, kept } = await push(db, project(wider), { url });
      assert.deepEqual([done.length, kept], [2, [`${database}.clicks`]]);
      const other = table("orders", { id: t.string() }, { primaryKey: ["id"] });
      await assert.rejects(push(db, project(other), { url }), isCode("MIGRATION.BLOCKED"));
      const allow = [`drop-table:${database}.clicks`, `recreate-table:${database}.orders`];
      assert.equal((await push(db, project(other), { url, allow })).done.length, 3);
      assert.equal((await diff(db, project(other))).equal, true);
      assert.deepEqual(await push(db, project(other), { url, allow }), { ok: true, done: [], kept: [] });
    }),
);

test(
  "a project without migrations has nothing to apply, and its status is empty",
  needsCluster,
  () =>
    withProject(async ({ db, project }) => {
      mkdirSync(project().out);
      assert.deepEqual((await apply(db, project())).applied, []);
      assert.deepEqual(await status(db, project()), {
        ok: true,
        applied: [],
        pending: [],
        drift: [],
        problems: [],
        lock: null,
      });
      assert.equal((await check(project())).ok, true);
      assert.equal(await db.admin.exists("migrations"), false);
    }),
);
