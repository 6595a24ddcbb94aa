import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type AclFilter, connect, type Db, FlussError, t, table } from "../../mod.ts";
import { needsRights, targetRights } from "../cluster.ts";
import { withDatabase } from "./target.ts";

const orders = table("orders", { id: t.int(), total: t.int() }, { primaryKey: ["id"] });
const clicks = table("clicks", { url: t.string() });

/** Servers hear of a change of rights a moment later. */
const PATIENCE_MS = 10_000;

/** A user without any rights of its own. */
function connectAsGuest(database: string): Promise<Db> {
  const { bootstrap, users } = targetRights!.sasl;
  const { username, password } = users[1]!;
  return connect(`fluss://${bootstrap}`, { database, username, password, requestTimeoutMs: PATIENCE_MS });
}

const guest = (): string => targetRights!.sasl.users[1]!.username;

const isDenied = (error: unknown): boolean => FlussError.is(error, "SERVER.AUTHORIZATION_EXCEPTION");

/** Tries until it works. */
async function allowed<T>(call: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS;;) {
    try {
      return await call();
    } catch (error) {
      const unknown = FlussError.is(error, "SERVER.TABLE_NOT_EXIST");
      if (!(isDenied(error) || unknown) || performance.now() > end) throw error;
      await sleep(20);
    }
  }
}

/** Tries until it is refused. */
async function denied(call: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS;;) {
    try {
      await call();
    } catch (error) {
      if (isDenied(error)) return;
      throw error;
    }
    assert.ok(performance.now() < end, "it is still allowed");
    await sleep(20);
  }
}

/** Waits until the servers know that a filter finds these operations. */
async function known(db: Db, filter: AclFilter, operations: readonly string[]): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS;;) {
    const found = (await db.admin.acls(filter)).map(({ operation }) => operation).sort();
    if (found.join() === operations.join() || performance.now() > end) return assert.deepEqual(found, operations);
    await sleep(20);
  }
}

test("rights are granted, listed, felt, and taken back", needsRights, () =>
  withDatabase(
    async (db, database) => {
      await db.admin.create(orders);
      await db.admin.create(clicks);
      await db.table(orders).upsert({ id: 1, total: 10 });
      const resource = { table: `${database}.orders` };
      const all: AclFilter = { user: guest() };
      await db.admin.dropAcls([all]);
      await known(db, all, []);

      await using other = await connectAsGuest(database);
      // What somebody may not see is not there.
      assert.deepEqual(await other.admin.tables(), []);
      await db.admin.createAcls([{ resource, user: guest(), operation: "read" }]);
      await known(db, all, ["read"]);
      assert.deepEqual(await db.admin.acls(all), [
        { resource, user: guest(), operation: "read", userType: "User", host: "*" },
      ]);
      assert.deepEqual(await allowed(() => other.table(orders).lookup({ id: 1 })), { id: 1, total: 10 });
      assert.deepEqual(await other.admin.tables(), ["orders"]);
      await denied(() => Promise.resolve(other.table(orders).upsert({ id: 2, total: 20 })));
      await denied(() => other.admin.drop(orders));
      await denied(() => other.admin.createAcls([{ resource, user: guest(), operation: "write" }]));

      await db.admin.createAcls([{ resource, user: guest(), operation: "write" }]);
      await allowed(() => Promise.resolve(other.table(orders).upsert({ id: 2, total: 20 })));
      assert.deepEqual(await db.table(orders).lookup({ id: 2 }), { id: 2, total: 20 });

      // A right to a database is one to its tables.
      await db.admin.createAcls([{ resource: { database }, user: guest(), operation: "all" }]);
      await allowed(() => Promise.resolve(other.table(clicks).append({ url: "/" })));
      await known(db, { resource: { database } }, ["all"]);
      await known(db, { ...all, operation: "write" }, ["write"]);
      assert.equal((await db.admin.dropAcls([{ resource: { database } }])).length, 1);
      await denied(() => Promise.resolve(other.table(clicks).append({ url: "/" })));
      const dropped = await db.admin.dropAcls([all]);
      assert.deepEqual(dropped.map(({ operation }) => operation).sort(), ["read", "write"]);
      await denied(() => other.table(orders).lookup({ id: 1 }));
      await other.close({ drop: true });
    },
    {},
    targetRights,
  ));
