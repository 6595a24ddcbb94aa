import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../mod.ts";
import { freshDatabase, needsCluster } from "../cluster.ts";
import { withDatabase } from "./target.ts";

test("databases are created, listed, described and dropped", needsCluster, () =>
  withDatabase(async (db) => {
    const name = freshDatabase();
    assert.equal(await db.admin.databaseExists(name), false);
    await db.admin.createDatabase(name, { comment: "ours", customProperties: { team: "a" } });
    await assert.rejects(
      db.admin.createDatabase(name),
      (error) => FlussError.is(error, "SERVER.DATABASE_ALREADY_EXIST"),
    );
    await db.admin.createDatabase(name, { ignoreIfExists: true });
    assert.equal(await db.admin.databaseExists(name), true);
    assert.ok((await db.admin.databases()).includes(name));
    const info = await db.admin.describeDatabase(name);
    assert.equal(info.comment, "ours");
    assert.deepEqual(info.customProperties, { team: "a" });
    assert.ok(Math.abs(Date.now() - info.createdAt.getTime()) < 60_000);
    await db.admin.create(table(`${name}.t`, { id: t.int() }, { primaryKey: ["id"] }));
    await assert.rejects(db.admin.dropDatabase(name), (error) => FlussError.is(error, "SERVER.DATABASE_NOT_EMPTY"));
    await db.admin.dropDatabase(name, { cascade: true });
    await assert.rejects(db.admin.dropDatabase(name), (error) => FlussError.is(error, "SERVER.DATABASE_NOT_EXIST"));
    await db.admin.dropDatabase(name, { ignoreIfNotExists: true });
    await assert.rejects(db.admin.describeDatabase(name), (error) => FlussError.is(error, "SERVER.DATABASE_NOT_EXIST"));
  }));

const users = table("users", { id: t.bigint().comment("the key"), name: t.string() }, {
  primaryKey: ["id"],
  buckets: 3,
  comment: "people",
  customProperties: { owner: "us" },
});

test("tables are created, listed, described and dropped", needsCluster, () =>
  withDatabase(async (db, database) => {
    assert.equal(await db.admin.exists(users), false);
    await db.admin.create(users);
    await assert.rejects(db.admin.create(users), (error) => FlussError.is(error, "SERVER.TABLE_ALREADY_EXIST"));
    await db.admin.create(users, { ignoreIfExists: true });
    assert.equal(await db.admin.exists("users"), true);
    assert.deepEqual(await db.admin.tables(), ["users"]);
    assert.deepEqual(await db.admin.tables(database), ["users"]);
    const info = await db.admin.describe(users);
    assert.equal(info.schemaId, 1);
    assert.deepEqual(info.table.schema.columns.map((column) => column.name), ["id", "name"]);
    assert.equal(info.table.bucketCount, 3);
    assert.equal(info.table.comment, "people");
    assert.equal(info.table.customProperties.owner, "us");
    await db.admin.drop(`${database}.users`);
    await assert.rejects(db.admin.drop(users), (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST"));
    await db.admin.drop(users, { ignoreIfNotExists: true });
  }));

test("offsets tell where logs begin and end", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const before = Date.now();
    for (let id = 0n; id < 30n; id++) db.table(users).upsert({ id });
    await db.flush();
    const latest = await db.admin.offsets(users, "latest");
    assert.deepEqual(latest.map((offset) => offset.bucket), [0, 1, 2]);
    assert.equal(latest.reduce((sum, { offset }) => sum + offset, 0n), 30n);
    assert.ok((await db.admin.offsets(users, "earliest")).every(({ offset }) => offset === 0n));
    assert.ok((await db.admin.offsets(users, { timestamp: before })).every(({ offset }) => offset === 0n));
    assert.equal((await db.admin.offsets(users, "latest", { buckets: [1] })).length, 1);
    await assert.rejects(db.admin.offsets(users, "latest", { buckets: [7] }), (error) =>
      FlussError.is(error, "SCAN.UNKNOWN_BUCKET"));
    await assert.rejects(
      db.admin.offsets(users, { timestamp: Date.now() + 3_600_000 }),
      (error) =>
        FlussError.is(error, "SERVER.INVALID_TIMESTAMP_EXCEPTION"),
    );
  }));

test("servers and configuration", needsCluster, () =>
  withDatabase(async (db) => {
    const servers = await db.admin.servers();
    assert.equal(servers.filter((server) => server.kind === "coordinator").length, 1);
    assert.equal(servers.filter((server) => server.kind === "tabletServer").length, 1);
    assert.ok((await db.admin.config()).some((entry) => entry.key === "default.bucket.number" && entry.value === "1"));
  }));

test(
  "a declaration that does not fit the live table is SCHEMA.DRIFT before anything is sent",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(users);
      const email = table("users", { id: t.bigint(), name: t.string(), email: t.string() }, { primaryKey: ["id"] });
      await assert.rejects(db.table(email).lookup({ id: 1n }), (error) => {
        assert.ok(FlussError.is(error, "SCHEMA.DRIFT"), String(error));
        assert.ok(error.message.includes(`${database}.users`) && error.message.includes('"email"'), error.message);
        return true;
      });
      await assert.rejects(
        Promise.resolve(db.table(email).upsert({ id: 1n })),
        (error) => FlussError.is(error, "SCHEMA.DRIFT"),
      );
      await db.flush();
      const retyped = table("users", { id: t.bigint(), name: t.int() }, { primaryKey: ["id"] });
      await assert.rejects(db.table(retyped).lookup({ id: 1n }), (error) => FlussError.is(error, "SCHEMA.DRIFT"));
      const rekeyed = table("users", { id: t.bigint(), name: t.string() }, { primaryKey: ["name"] });
      await assert.rejects(db.table(rekeyed).lookup({ name: "x" }), (error) => FlussError.is(error, "SCHEMA.DRIFT"));
      const fewer = table("users", { id: t.bigint() }, { primaryKey: ["id"] });
      await db.table(users).upsert({ id: 1n, name: "ada" });
      assert.deepEqual(await db.table(fewer).lookup({ id: 1n }), { id: 1n });
      // A program that does not know a column must not erase it.
      await db.table(fewer).upsert({ id: 1n });
      assert.deepEqual(await db.table(users).lookup({ id: 1n }), { id: 1n, name: "ada" });
    }),
);

test("db.table(name) gives an untyped handle of the live table", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    const handle = await db.table("users");
    await handle.upsert({ id: 1n, name: "ada" });
    assert.deepEqual(await handle.lookup({ id: 1n }), { id: 1n, name: "ada" });
    await handle.update({ id: 1n, name: null });
    await handle.delete({ id: 1n });
    assert.equal(await handle.lookup({ id: 1n }), null);
    assert.throws(() => handle.upsert({ id: 1n, nope: 1 }), (error) => FlussError.is(error, "WRITE.UNKNOWN_COLUMN"));
    await assert.rejects(db.table("missing"), (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST"));
  }));

test("log tables: their handle says what they cannot do", needsCluster, () =>
  withDatabase(async (db) => {
    const clicks = table("clicks", { url: t.string() }, { buckets: 1 });
    await db.admin.create(clicks);
    const handle = db.table(clicks) as unknown as {
      upsert(row: object): unknown;
      lookup(key: object): Promise<unknown>;
    };
    assert.throws(
      () => handle.upsert({ url: "/" }),
      (error) => FlussError.is(error, "WRITE.NOT_SUPPORTED") && /append-only/.test(error.message),
    );
    await assert.rejects(
      handle.lookup({ url: "/" }),
      (error) => FlussError.is(error, "LOOKUP.NOT_SUPPORTED") && /no primary key/.test(error.message),
    );
  }));
