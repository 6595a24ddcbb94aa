import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import { Engine } from "../../../../src/embedded/engine.ts";
import { Documents } from "../../../../src/embedded/storage/documents.ts";
import { memoryStorage } from "../../../../src/embedded/storage/memory.ts";
import { TestClock } from "../log/engine.ts";
import { refuses, Served } from "../served.ts";

const PATH = { databaseName: "shop", tableName: "orders" };
const BUCKET = { tableId: 0, partitionId: undefined, bucket: 0 };

async function databases(served: Served): Promise<string[]> {
  return (await served.ask(API.LIST_DATABASES, {})).databaseName;
}

/** The names of a table's partitions in the order in which they were made. */
async function partitions(served: Served): Promise<string[]> {
  const { partitionsInfo } = await served.ask(API.LIST_PARTITION_INFOS, { tablePath: PATH });
  return partitionsInfo.toSorted((a, b) => Number(a.partitionId - b.partitionId))
    .map(({ partitionSpec }) => partitionSpec!.partitionKeyValues.map(({ value }) => value).join("$"));
}

function set(served: Served, configKey: string, configValue: string) {
  return served.ask(API.ALTER_TABLE, {
    tablePath: PATH,
    ignoreIfNotExists: false,
    configChanges: [{ configKey, configValue, opType: 0 }],
  });
}

test("there is a database from the start; one that was dropped does not come back beside others", async () => {
  const served = new Served();
  assert.deepEqual(await databases(served), ["fluss"]);
  await served.createTable("shop", "orders");
  await served.ask(API.DROP_DATABASE, { databaseName: "fluss", ignoreIfNotExists: false, cascade: false });
  assert.deepEqual(await databases(served.restarted()), ["shop"]);
  await served.ask(API.DROP_DATABASE, { databaseName: "shop", ignoreIfNotExists: false, cascade: true });
  assert.deepEqual(await databases(served.restarted()), ["fluss"]);
});

test("everything is as it was after a restart, and ids are never given twice", async () => {
  const served = new Served();
  assert.equal(await served.createTable("shop", "gone"), 0n);
  await served.createTable("shop", "orders", { primaryKey: true, partitioned: true });
  const b = await served.createPartition("shop", "orders", "b");
  await served.createPartition("shop", "orders", "a");
  await set(served, "owner", "me");
  await served.ask(API.ALTER_TABLE, {
    tablePath: PATH,
    ignoreIfNotExists: false,
    addColumns: [{
      columnName: "more",
      dataTypeJson: new TextEncoder().encode('{"type":"INTEGER"}'),
      columnPositionType: 0,
    }],
  });
  await served.ask(API.DROP_TABLE, { tablePath: { ...PATH, tableName: "gone" }, ignoreIfNotExists: false });
  await served.ask(API.DROP_PARTITION, {
    tablePath: PATH,
    partitionSpec: { partitionKeyValues: [{ key: "day", value: "a" }] },
    ignoreIfNotExists: false,
  });
  const everything = async (of: Served) => [
    await of.ask(API.LIST_DATABASES, { includeSummary: true }),
    await of.ask(API.GET_TABLE_INFO, { tablePath: PATH }),
    await of.ask(API.GET_TABLE_SCHEMA, { tablePath: PATH, schemaId: 1 }),
    await of.ask(API.GET_METADATA, { tablePath: [PATH], partitionsId: [b] }),
    await of.ask(API.LIST_PARTITION_INFOS, { tablePath: PATH }),
  ];
  const before = await everything(served);
  const again = served.restarted();
  assert.deepEqual(await everything(again), before);
  assert.equal(await again.createTable("shop", "gone"), 2n);
  assert.equal(await again.createPartition("shop", "orders", "a"), 2n);
  const live = again.engine.catalog.tableById(1)!;
  assert.deepEqual([...live.schemas.values()].map(({ columns }) => columns.length), [2, 3]);
  assert.equal(live.live.schema, live.schemas.get(2)!);
});

test("tables and partitions are found by name and by id, as long as they are there", async () => {
  const served = new Served();
  const { catalog } = served.engine;
  const id = Number(await served.createTable("shop", "orders", { partitioned: true }));
  const partition = Number(await served.createPartition("shop", "orders", "a"));
  const path = { database: "shop", table: "orders" };
  const table = catalog.tableById(id)!;
  assert.equal(catalog.findTable(path), table);
  assert.equal(catalog.table(path), table);
  assert.equal(catalog.tableOfPartition(partition), table);
  assert.deepEqual(catalog.findPartition(table, "a"), { id: partition, name: "a", createdTime: served.clock.now() });
  assert.equal(catalog.findPartition(table, "b"), undefined);

  await set(served, "owner", "me");
  const altered = catalog.tableById(id)!;
  assert.notEqual(altered, table, "entries are replaced, never changed");
  assert.equal(table.live.customProperties["owner"], undefined);
  assert.equal(catalog.tableOfPartition(partition), altered);
  assert.equal(catalog.findPartition(altered, "a")!.id, partition);

  await served.ask(API.DROP_DATABASE, { databaseName: "shop", ignoreIfNotExists: false, cascade: true });
  assert.equal(catalog.tableById(id), undefined);
  assert.equal(catalog.findTable(path), undefined);
  assert.equal(catalog.tableOfPartition(partition), undefined);
  assert.deepEqual(served.storage.documents.list("table/"), []);
  assert.deepEqual(served.storage.documents.list("partition/"), []);
});

test("what is dropped takes its records along", async () => {
  const served = new Served();
  await served.createTable("shop", "orders");
  const fill = (bucket: { readonly tableId: number; readonly partitionId: number | undefined }) =>
    [0, 1].forEach((number) =>
      served.storage.log({ ...bucket, bucket: number }).append(
        { baseOffset: 0, lastOffset: 4, timestamp: 1, size: 3 },
        new Uint8Array(3),
      )
    );
  fill(BUCKET);
  const held = served.engine.buckets.get(0, undefined, 1);
  await served.ask(API.DROP_TABLE, { tablePath: PATH, ignoreIfNotExists: false });
  assert.deepEqual([0, 1].map((bucket) => served.storage.log({ ...BUCKET, bucket }).end), [0, 0]);
  assert.throws(() => served.engine.buckets.get(0, undefined, 1), /Unknown table or bucket/);
  assert.ok(held);

  await served.createTable("shop", "orders", { partitioned: true });
  const [a, b] = [
    await served.createPartition("shop", "orders", "a"),
    await served.createPartition("shop", "orders", "b"),
  ];
  for (const id of [a, b]) fill({ tableId: 1, partitionId: Number(id) });
  await served.ask(API.DROP_PARTITION, {
    tablePath: PATH,
    partitionSpec: { partitionKeyValues: [{ key: "day", value: "a" }] },
    ignoreIfNotExists: false,
  });
  const ends = () => [a, b].map((id) => served.storage.log({ tableId: 1, partitionId: Number(id), bucket: 1 }).end);
  assert.deepEqual(ends(), [0, 5]);
  await served.ask(API.DROP_DATABASE, { databaseName: "shop", ignoreIfNotExists: false, cascade: true });
  assert.deepEqual(ends(), [0, 0]);
});

test("when a commit fails, nothing is there that is not stored", async () => {
  // A storage that forgets what it could not commit.
  const documents = new Documents(() => storage.dirty = true);
  let kept: [string, string][] = [];
  let full = false;
  const storage = {
    ...memoryStorage(),
    documents,
    dirty: false,
    commit() {
      storage.dirty = false;
      if (full) {
        documents.load(kept);
        throw new Error("the disk is full");
      }
      kept = documents.list("").map(({ name }) => [name, documents.text(name)!]);
    },
  };
  const engine = new Engine({ storage, clock: new TestClock() });
  const served = Object.assign(Object.create(Served.prototype) as Served, { engine, storage, clock: engine.clock });
  await served.createTable("shop", "orders", { partitioned: true });
  await served.createPartition("shop", "orders", "a");

  full = true;
  const refused = (answer: Promise<unknown>) => refuses(answer, "SERVER.STORAGE_EXCEPTION", "the disk is full");
  await refused(served.ask(API.DROP_DATABASE, { databaseName: "shop", ignoreIfNotExists: false, cascade: true }));
  await refused(served.ask(API.CREATE_DATABASE, { databaseName: "other", ignoreIfExists: false }));
  await refused(served.createPartition("shop", "orders", "b"));
  await refused(set(served, "owner", "me"));
  full = false;
  assert.deepEqual(await databases(served), ["fluss", "shop"]);
  assert.deepEqual(await partitions(served), ["a"]);
  assert.deepEqual(engine.catalog.tableById(0)!.live.customProperties, {});
  assert.equal(await served.createPartition("shop", "orders", "b"), 1n);
});

test("options that change say when; new columns do not, as with newer servers", async () => {
  const served = new Served();
  await served.createTable("shop", "orders");
  const created = BigInt(served.clock.now());
  served.clock.move(1000);
  await served.ask(API.ALTER_TABLE, {
    tablePath: PATH,
    ignoreIfNotExists: false,
    addColumns: [{ columnName: "n", dataTypeJson: new TextEncoder().encode('{"type":"DATE"}'), columnPositionType: 0 }],
  });
  const times = async () => {
    const { createdTime, modifiedTime } = await served.ask(API.GET_TABLE_INFO, { tablePath: PATH });
    return [createdTime, modifiedTime];
  };
  assert.deepEqual(await times(), [created, created]);
  await set(served, "owner", "me");
  assert.deepEqual(await times(), [created, created + 1000n]);
  served.clock.move(1000);
  await set(served, "owner", "me");
  assert.deepEqual(await times(), [created, created + 1000n]);
});

test("databases can be altered, as with newer servers", async () => {
  const served = new Served();
  const alter = (
    request: { comment?: string; configChanges?: { configKey: string; configValue?: string; opType: number }[] },
  ) => served.ask(API.ALTER_DATABASE, { databaseName: "fluss", ignoreIfNotExists: false, ...request });
  const info = async () => {
    const { databaseJson, createdTime, modifiedTime } = await served.ask(API.GET_DATABASE_INFO, {
      databaseName: "fluss",
    });
    const { comment, custom_properties: own } = JSON.parse(new TextDecoder().decode(databaseJson));
    return [comment, own, Number(modifiedTime - createdTime)];
  };
  assert.deepEqual(await info(), [undefined, {}, 0]);
  served.clock.move(5);
  await alter({ comment: "ours", configChanges: [{ configKey: "a", configValue: "1", opType: 0 }] });
  assert.deepEqual(await info(), ["ours", { a: "1" }, 5]);
  await alter({ configChanges: [{ configKey: "a", opType: 1 }, { configKey: "b", configValue: "2", opType: 0 }] });
  assert.deepEqual(await info(), ["ours", { b: "2" }, 5]);
  await refuses(
    alter({ configChanges: [{ configKey: "a", configValue: "1", opType: 2 }] }),
    "SERVER.UNKNOWN_SERVER_ERROR",
    "java.lang.IllegalArgumentException: Unsupported alter configs op type 2",
  );
  const nowhere = { databaseName: "nowhere", comment: "x" };
  await refuses(
    served.ask(API.ALTER_DATABASE, { ...nowhere, ignoreIfNotExists: false }),
    "SERVER.DATABASE_NOT_EXIST",
    "Database 'nowhere' does not exist.",
  );
  await served.ask(API.ALTER_DATABASE, { ...nowhere, ignoreIfNotExists: true });
});

test("metadata names the servers where the client reaches them", async () => {
  const served = new Served();
  const endpoints = { coordinator: { host: "here", port: 7 }, tablet: { host: "there", port: 8 } };
  for (const server of ["coordinator", "tablet"] as const) {
    const { coordinatorServer, tabletServers } = await served.ask(API.GET_METADATA, {}, { endpoints, server });
    assert.deepEqual([coordinatorServer!.host, coordinatorServer!.port], ["here", 7]);
    assert.deepEqual(tabletServers.map(({ host, port }) => [host, port]), [["there", 8]]);
  }
});

test("nobody is shown what he may not see", async () => {
  const served = new Served({ authorizer: true, superUsers: ["ANONYMOUS"] });
  await served.createTable("shop", "orders", { partitioned: true });
  const partition = await served.createPartition("shop", "orders", "a");
  await served.createTable("shop", "secret", { partitioned: true });
  const secret = await served.createPartition("shop", "secret", "a");
  const acl = (resourceType: number, resourceName: string) => ({
    resourceType,
    resourceName,
    operationType: 8,
    principalName: "guest",
    principalType: "User",
    host: "*",
    permissionType: 2,
  });
  const guest = { user: "guest" };
  assert.deepEqual((await served.ask(API.LIST_DATABASES, {}, guest)).databaseName, []);
  await served.ask(API.CREATE_ACLS, { acl: [acl(4, "shop.orders")] });
  assert.deepEqual((await served.ask(API.LIST_TABLES, { databaseName: "shop" }, guest)).tableName, ["orders"]);

  const names = ["orders", "secret"];
  const answer = await served.ask(API.GET_METADATA, {
    tablePath: [...names, "nope"].map((tableName) => ({ databaseName: "shop", tableName })),
    partitionsPath: names.map((tableName) => ({ databaseName: "shop", tableName, partitionName: "a" })),
    partitionsId: [partition, secret],
  }, guest);
  assert.deepEqual(answer.tableMetadata.map(({ tablePath }) => tablePath!.tableName), ["orders"]);
  assert.deepEqual(answer.partitionMetadata.map(({ partitionId }) => partitionId), [partition]);
  await refuses(
    served.ask(API.LIST_PARTITION_INFOS, { tablePath: { databaseName: "shop", tableName: "secret" } }, guest),
    "SERVER.AUTHORIZATION_EXCEPTION",
    /^Principal FlussPrincipal\{name='guest', type='User'\} have no authorization to operate DESCRIBE on resource /,
  );
});

test("partitions and buckets have their limits", async () => {
  const served = new Served({ maxPartitions: 2, maxBuckets: 3 });
  await served.createTable("shop", "orders", { partitioned: true });
  await served.createPartition("shop", "orders", "a");
  await refuses(
    served.createPartition("shop", "orders", "b"),
    "SERVER.BUCKET_MAX_NUM_EXCEPTION",
    "Adding partition 'b' would result in 4 total buckets for table shop.orders, exceeding the maximum of 3 buckets.",
  );
  const wide = served.restarted({ maxPartitions: 2, maxBuckets: 100 });
  await wide.createPartition("shop", "orders", "b");
  await refuses(
    wide.createPartition("shop", "orders", "c"),
    "SERVER.PARTITION_MAX_NUM_EXCEPTION",
    "Exceed the maximum number of partitions for table shop.orders, only allow 2 partitions.",
  );
  assert.deepEqual(await partitions(wide), ["a", "b"]);
});
