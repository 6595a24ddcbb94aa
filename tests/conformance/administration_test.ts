import assert from "node:assert/strict";
import { test } from "node:test";
import { type Db, FlussError, t, table } from "../../mod.ts";
import { freshDatabase, needsCluster } from "../cluster.ts";
import { RowAppender } from "../append_rows.ts";
import { withDatabase } from "./target.ts";

const users = table("users", { id: t.int(), name: t.string() }, { primaryKey: ["id"], buckets: 2 });
const clicks = table("clicks", { url: t.string(), day: t.string() }, { partitionBy: ["day"], buckets: 2 });

/** Expects an error with one of these codes. */
async function refused(call: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(FlussError.is(error) && codes.includes(error.code), String(error));
    return true;
  });
}

/** Whether the server is one that is not released yet: it can alter databases. */
async function isNewer(db: Db): Promise<boolean> {
  try {
    await db.admin.health();
    return true;
  } catch (error) {
    if (FlussError.is(error, "CONNECTION.UNSUPPORTED_VERSION")) return false;
    throw error;
  }
}

test(
  "databases are summed up, and altered where the server can",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(users);
      const summary = (await db.admin.databaseSummaries()).find(({ name }) => name === database);
      assert.equal(summary?.tableCount, 1);
      assert.ok(Math.abs(Date.now() - summary!.createdAt.getTime()) < 600_000);
      const changes = { comment: "altered", set: { team: "b" }, remove: ["nothing"] };
      if (!await isNewer(db)) {
        return await refused(db.admin.alterDatabase(database, changes), "CONNECTION.UNSUPPORTED_VERSION");
      }
      await db.admin.alterDatabase(database, changes);
      const info = await db.admin.describeDatabase(database);
      assert.equal(info.comment, "altered");
      assert.deepEqual(info.customProperties, { team: "b" });
      await refused(db.admin.alterDatabase(freshDatabase(), changes), "SERVER.DATABASE_NOT_EXIST");
    }),
);

test("columns are added, and every schema that there was is told", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    await db.table(users).upsert({ id: 1, name: "ada" });
    await db.admin.alter(users, {
      addColumns: { email: t.string().comment("as typed"), tags: t.array(t.string()).name("Tags") },
    });
    const { columns, schemaId } = await db.admin.schema(users);
    assert.equal(schemaId, 2);
    assert.deepEqual(columns.map(({ name }) => name), ["id", "name", "email", "Tags"]);
    assert.equal(columns[2]!.comment, "as typed");
    const first = await db.admin.schema("users", { schemaId: 1 });
    assert.deepEqual(first.columns.map(({ name }) => name), ["id", "name"]);
    await refused(db.admin.schema(users, { schemaId: 7 }), "SERVER.SCHEMA_NOT_EXIST");
    const wider = table("users", {
      id: t.int(),
      name: t.string(),
      email: t.string(),
      tags: t.array(t.string()).name("Tags"),
    }, { primaryKey: ["id"], buckets: 2 });
    assert.deepEqual(await db.table(wider).lookup({ id: 1 }), { id: 1, name: "ada", email: null, tags: null });
    await db.table(wider).upsert({ id: 2, name: "bob", email: "b@b", tags: ["x"] });
    assert.deepEqual(await db.table(wider).lookup({ id: 2 }), { id: 2, name: "bob", email: "b@b", tags: ["x"] });
  }));

test(
  "options are altered; what cannot be is refused before anything is sent, or by the server",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(users);
      await db.admin.alter(users, { setOptions: { owner: "us", "table.log.tiered.local-segments": "4" } });
      const { table: live } = await db.admin.describe(users);
      assert.equal(live.customProperties["owner"], "us");
      assert.equal(live.properties["table.log.tiered.local-segments"], "4");
      await db.admin.alter(users, { removeOptions: ["owner"] });
      assert.equal((await db.admin.describe(users)).table.customProperties["owner"], undefined);
      const notNull = { addColumns: { email: t.string().notNull() } };
      const both = { addColumns: { email: t.string() }, setOptions: { owner: "us" } };
      await refused(db.admin.alter(users, notNull), "ADMIN.BAD_OPTION");
      await refused(db.admin.alter(users, both), "ADMIN.BAD_OPTION");
      await refused(db.admin.alter(users, {}), "ADMIN.BAD_OPTION");
      await refused(db.admin.alter(users, { setOptions: { a: "1" }, removeOptions: ["a"] }), "ADMIN.BAD_OPTION");
      await refused(db.admin.alter(users, { addColumns: { __offset: t.int() } }), "SCHEMA.RESERVED_NAME");
      await refused(db.admin.alter(users, { addColumns: { name: t.int() } }), "SERVER.INVALID_ALTER_TABLE_EXCEPTION");
      await refused(
        db.admin.alter(users, { setOptions: { "table.merge-engine": "first_row" } }),
        "SERVER.INVALID_ALTER_TABLE_EXCEPTION",
        "SERVER.INVALID_CONFIG_EXCEPTION",
      );
      await refused(db.admin.alter("nope", { setOptions: { a: "1" } }), "SERVER.TABLE_NOT_EXIST");
      await db.admin.alter("nope", { setOptions: { a: "1" } }, { ignoreIfNotExists: true });
      assert.equal((await db.admin.describe(users)).schemaId, 1);
    }),
);

test(
  "rows are counted, in all partitions or one; offsets too",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(users);
      await db.table(users).upsertAll(Array.from({ length: 20 }, (_, id) => ({ id, name: "x" })));
      await db.table(users).delete({ id: 0 });
      const statistics = await db.admin.statistics(users);
      assert.equal(statistics.rowCount, 19n);
      assert.deepEqual(statistics.buckets.map(({ bucket }) => bucket), [0, 1]);
      await db.admin.create(clicks);
      assert.deepEqual(await db.admin.statistics(clicks), { rowCount: 0n, buckets: [] });
      for (const day of ["a", "b"]) await db.admin.createPartition(clicks, { day });
      await using rows = new RowAppender(database);
      await rows.append(clicks, [{ url: "1", day: "a" }, { url: "2", day: "a" }], { partition: "a", bucket: 1 });
      await rows.append(clicks, [{ url: "3", day: "b" }], { partition: "b" });
      assert.equal((await db.admin.statistics(clicks)).rowCount, 3n);
      assert.deepEqual(await db.admin.statistics(clicks, { partition: "a" }), {
        rowCount: 2n,
        buckets: [{ bucket: 0, partition: "a", rowCount: 0n }, { bucket: 1, partition: "a", rowCount: 2n }],
      });
      assert.deepEqual(
        (await db.admin.offsets(clicks, "latest")).map(({ partition, bucket, offset }) =>
          `${partition} ${bucket} ${offset}`
        )
          .sort(),
        ["a 0 0", "a 1 2", "b 0 1", "b 1 0"],
      );
      assert.deepEqual(await db.admin.offsets(clicks, "latest", { partition: "b", buckets: [0] }), [
        { partition: "b", bucket: 0, offset: 1n },
      ]);
      assert.deepEqual((await db.admin.partitions(clicks, { where: { day: "b" } })).map(({ name }) => name), ["b"]);
      await refused(db.admin.offsets(clicks, "latest", { partition: "c" }), "SCAN.UNKNOWN_PARTITION");
      await refused(db.admin.offsets(users, "latest", { partition: "c" }), "SCAN.UNKNOWN_PARTITION");
      await refused(db.admin.offsets(users, "latest", { buckets: [2] }), "SCAN.UNKNOWN_BUCKET");
      const wal = table("wal", { id: t.int(), name: t.string() }, { primaryKey: ["id"], changelog: "wal" });
      await db.admin.create(wal);
      await refused(db.admin.statistics(wal), "SERVER.INVALID_TABLE_EXCEPTION");
    }),
);

test("offsets and counts are those of the table that has the name now", needsCluster, () =>
  withDatabase(async (db) => {
    for (let round = 0; round < 3; round++) {
      await db.admin.create(users);
      assert.equal((await db.admin.statistics(users)).rowCount, 0n);
      assert.ok((await db.admin.offsets(users, "latest")).every(({ offset }) => offset === 0n));
      if (round === 0) {
        await db.table(users).upsertAll([{ id: 1, name: "x" }]);
        assert.equal((await db.admin.statistics(users)).rowCount, 1n);
      }
      await db.admin.drop(users);
    }
  }));

test(
  "offsets of a producer are registered once, told and removed",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(users);
      await db.admin.create(clicks);
      await db.admin.createPartition(clicks, { day: "a" });
      await db.table(users).upsert({ id: 1, name: "ada" });
      const producer = `producer-${database}`;
      assert.equal(await db.admin.producerOffsets(producer), undefined);
      const tables = [
        { table: users, offsets: await db.admin.offsets(users, "latest") },
        { table: clicks, offsets: await db.admin.offsets(clicks, "latest") },
      ];
      const before = Date.now();
      assert.equal(await db.admin.registerProducerOffsets(producer, tables, { ttlMs: 3_600_000 }), "created");
      assert.equal(await db.admin.registerProducerOffsets(producer, []), "alreadyExists");
      const kept = (await db.admin.producerOffsets(producer))!;
      assert.ok(Math.abs(kept.expiresAt.getTime() - before - 3_600_000) < 60_000, String(kept.expiresAt));
      const { tableId } = await db.admin.describe(users);
      const ofUsers = kept.offsets.filter((one) => one.tableId === tableId);
      assert.equal(ofUsers.reduce((sum, { offset }) => sum + offset, 0n), 1n);
      const [partition] = await db.admin.partitions(clicks);
      assert.equal(kept.offsets.filter(({ partitionId }) => partitionId === partition!.partitionId).length, 2);
      await db.admin.deleteProducerOffsets(producer);
      assert.equal(await db.admin.producerOffsets(producer), undefined);
      await db.admin.deleteProducerOffsets(producer);
      await refused(db.admin.registerProducerOffsets("", []), "SERVER.INVALID_PRODUCER_ID_EXCEPTION");
    }),
);

test("snapshots of lakes, and those that only newer servers tell of", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(users);
    await refused(
      db.admin.lakeSnapshot(users),
      "SERVER.LAKE_SNAPSHOT_NOT_EXIST",
      "SERVER.LAKE_STORAGE_NOT_CONFIGURED_EXCEPTION",
    );
    if (await isNewer(db)) assert.deepEqual(await db.admin.keptKvSnapshots(users), []);
    else await refused(db.admin.keptKvSnapshots(users), "CONNECTION.UNSUPPORTED_VERSION");
  }));

test("servers are tagged, buckets rebalanced, settings altered", needsCluster, () =>
  withDatabase(async (db) => {
    const [server] = (await db.admin.servers()).filter(({ kind }) => kind === "tabletServer");
    await db.admin.addServerTag([server!.id], "temporaryOffline");
    await refused(
      db.admin.addServerTag([server!.id], "permanentOffline"),
      "SERVER.SERVER_TAG_ALREADY_EXIST_EXCEPTION",
    );
    await refused(db.admin.removeServerTag([server!.id], "permanentOffline"), "SERVER.SERVER_TAG_NOT_EXIST_EXCEPTION");
    await db.admin.removeServerTag([server!.id], "temporaryOffline");
    // A server without any tag is left alone.
    await db.admin.removeServerTag([server!.id], "temporaryOffline");
    await refused(db.admin.addServerTag([4711], "temporaryOffline"), "SERVER.SERVER_NOT_EXIST_EXCEPTION");
    await refused(db.admin.rebalance(["nonsense" as "rackAware"]), "ADMIN.BAD_OPTION");
    // The result depends on what runs on the cluster; that it is told and can be ended does not.
    let id: string | undefined;
    try {
      id = await db.admin.rebalance(["leaderDistribution", "replicaDistribution"]);
    } catch (error) {
      assert.ok(FlussError.is(error) && error.code.startsWith("SERVER."), String(error));
    }
    const progress = await db.admin.rebalanceProgress(id === undefined ? {} : { id });
    if (id !== undefined) assert.equal(progress?.id, id);
    try {
      await db.admin.cancelRebalance();
    } catch (error) {
      assert.ok(FlussError.is(error, "SERVER.NO_REBALANCE_IN_PROGRESS_EXCEPTION"), String(error));
    }
    const key = "kv.rocksdb.shared-rate-limiter.bytes-per-sec";
    await db.admin.alterConfig({ set: { [key]: "200mb" } });
    const entry = (await db.admin.config()).find((one) => one.key === key);
    assert.deepEqual(entry, { key, value: "200mb", source: "DYNAMIC_SERVER_CONFIG" });
    await db.admin.alterConfig({ remove: [key] });
    assert.notEqual((await db.admin.config()).find((one) => one.key === key)?.source, "DYNAMIC_SERVER_CONFIG");
    await assert.rejects(
      db.admin.alterConfig({ set: { "zookeeper.address": "x" } }),
      (error) => FlussError.is(error) && /zookeeper.address is not allowed/.test(error.message),
    );
    if (await isNewer(db)) assert.equal((await db.admin.health()).status, "green");
  }));

test(
  "rights: a server that does not ask for them says so; what is no right is refused here",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const acl = { resource: { table: "shop.orders" }, user: "reports", operation: "read" } as const;
      for (const call of [() => db.admin.createAcls([acl]), () => db.admin.acls(), () => db.admin.dropAcls([{}])]) {
        await refused(call(), "SERVER.SECURITY_DISABLED_EXCEPTION");
      }
      await refused(db.admin.createAcls([{ ...acl, resource: { table: "orders" } }]), "ADMIN.BAD_OPTION");
      await refused(db.admin.createAcls([{ ...acl, operation: "look" as "read" }]), "ADMIN.BAD_OPTION");
      await refused(db.admin.createAcls([{ ...acl, resource: "all" as "cluster" }]), "ADMIN.BAD_OPTION");
    }),
);
