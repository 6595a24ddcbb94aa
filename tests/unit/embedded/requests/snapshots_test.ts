import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { API } from "../../../../src/client/rpc/api.ts";
import type { PbKvSnapshotLeaseForBucketSchema } from "../../../../src/client/rpc/gen/fluss/v1/snapshot_pb.ts";
import { isSet } from "../../../../src/client/rpc/required.ts";
import { refuses, Served } from "../served.ts";

const path = (tableName: string) => ({ databaseName: "shop", tableName });

test("buckets have no snapshot, of tables that could have one", async () => {
  const served = new Served();
  const orders = await served.createTable("shop", "orders", { primaryKey: true });
  await served.createTable("shop", "clicks");
  const visits = await served.createTable("shop", "visits", { primaryKey: true, partitioned: true });
  const day = await served.createPartition("shop", "visits", "a");
  const latest = (tableName: string, partitionName?: string) =>
    served.ask(API.GET_LATEST_KV_SNAPSHOTS, {
      tablePath: path(tableName),
      ...(partitionName === undefined ? {} : { partitionName }),
    });
  const whole = await latest("orders");
  assert.equal(whole.tableId, orders);
  assert.ok(!isSet(whole, "partitionId"));
  assert.deepEqual(whole.latestSnapshots.map((one) => [one.bucketId, isSet(one, "snapshotId")]), [
    [0, false],
    [1, false],
  ]);
  const part = await latest("visits", "a");
  assert.deepEqual([part.tableId, part.partitionId, part.latestSnapshots.length], [visits, day, 2]);
  await refuses(latest("nope"), "SERVER.TABLE_NOT_EXIST", "Table 'shop.nope' does not exist.");
  for (const partition of [undefined, "a"]) {
    await refuses(
      latest("clicks", partition),
      "SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION",
      "Table 'shop.clicks' is not a primary key table, so it doesn't have any kv snapshots.",
    );
  }
  await refuses(
    latest("orders", "a"),
    "SERVER.TABLE_NOT_PARTITIONED_EXCEPTION",
    "Table 'shop.orders' is not a partitioned table.",
  );
  await refuses(
    latest("visits"),
    "SERVER.PARTITION_NOT_EXISTS",
    "Table 'shop.visits' is a partitioned table, but partition name is not provided.",
  );
  await refuses(
    latest("visits", "b"),
    "SERVER.UNKNOWN_SERVER_ERROR",
    "Error: The partition 'b' of table 'shop.visits' does not exist.",
  );
  await refuses(
    served.ask(API.GET_KV_SNAPSHOT_METADATA, { tableId: visits, partitionId: day, bucketId: 1, snapshotId: 3n }),
    "SERVER.KV_SNAPSHOT_NOT_EXIST",
    `Failed to get kv snapshot metadata for table bucket TableBucket{tableId=${visits}, partitionId=${day}, bucket=1} ` +
      "and snapshot id 3. Error: Kv snapshot not found",
  );
});

test("lists of what is kept are empty, of tables and partitions that are there", async () => {
  const served = new Served();
  const visits = await served.createTable("shop", "visits", { primaryKey: true, partitioned: true });
  const orders = await served.createTable("shop", "orders", { primaryKey: true });
  const partitionId = await served.createPartition("shop", "visits", "a");
  const kept = await served.ask(API.LIST_KV_SNAPSHOTS, { tableId: visits, partitionId });
  assert.deepEqual([kept.tableId, kept.partitionId, kept.activeSnapshots], [visits, partitionId, []]);
  assert.ok(!isSet(await served.ask(API.LIST_KV_SNAPSHOTS, { tableId: orders }), "partitionId"));
  assert.deepEqual((await served.ask(API.LIST_REMOTE_LOG_MANIFESTS, { tableId: orders })).manifests, []);
  assert.deepEqual((await served.ask(API.LIST_REMOTE_LOG_MANIFESTS, { tableId: 99n })).manifests, []);
  await refuses(
    served.ask(API.LIST_KV_SNAPSHOTS, { tableId: 99n }),
    "SERVER.TABLE_NOT_EXIST",
    "Table 99 does not exist",
  );
  type Listed = { readonly tableId: bigint; readonly partitionId: bigint };
  for (
    const list of [
      (of: Listed) => served.ask(API.LIST_KV_SNAPSHOTS, of),
      (of: Listed) => served.ask(API.LIST_REMOTE_LOG_MANIFESTS, of),
    ]
  ) {
    await refuses(
      list({ tableId: orders, partitionId }),
      "SERVER.PARTITION_NOT_EXISTS",
      `Partition ${partitionId} does not belong to table ${orders}`,
    );
    await refuses(
      list({ tableId: visits, partitionId: 99n }),
      "SERVER.PARTITION_NOT_EXISTS",
      "Partition 99 does not exist",
    );
  }
});

test("there is no lake", async () => {
  const served = new Served();
  const id = await served.createTable("shop", "orders");
  const ask = (options: { snapshotId?: bigint; readable?: boolean }, tableName = "orders") =>
    served.ask(API.GET_LAKE_SNAPSHOT, { tablePath: path(tableName), ...options });
  const missing = (what: string, rest = "") =>
    `Lake table ${what} doesn't exist for table: shop.orders, table id: ${id}${rest}`;
  const code = "SERVER.LAKE_SNAPSHOT_NOT_EXIST";
  await refuses(ask({}), code, missing("snapshot"));
  await refuses(ask({ readable: false, snapshotId: 4n }), code, missing("snapshot", ", snapshot id: 4"));
  await refuses(ask({ readable: true }), code, missing("readable snapshot"));
  await refuses(ask({ readable: true, snapshotId: 4n }), "SERVER.UNKNOWN_SERVER_ERROR", /cannot set both/);
  await refuses(ask({}, "nope"), "SERVER.TABLE_NOT_EXIST", "Table 'shop.nope' does not exist.");
});

test("files need no token", async () => {
  const answer = await new Served().ask(API.GET_FILESYSTEM_SECURITY_TOKEN, {});
  assert.deepEqual([answer.schema, answer.token.length, answer.additionInfo], ["file", 0, []]);
  assert.ok(!isSet(answer, "expirationTime"));
});

test("any snapshot is leased, released and dropped", async () => {
  const served = new Served();
  const orders = await served.createTable("shop", "orders", { primaryKey: true });
  const visits = await served.createTable("shop", "visits", { primaryKey: true, partitioned: true });
  const clicks = await served.createTable("shop", "clicks");
  type Bucket = MessageInitShape<typeof PbKvSnapshotLeaseForBucketSchema>;
  const acquire = async (leaseId: string, tableId: bigint, ...bucketSnapshots: Bucket[]) => {
    const request = { leaseId, leaseDurationMs: 1000n, snapshotsToLease: [{ tableId, bucketSnapshots }] };
    assert.deepEqual((await served.ask(API.ACQUIRE_KV_SNAPSHOT_LEASE, request)).unavailableSnapshots, []);
  };
  const release = (
    leaseId: string,
    ...bucketsToRelease: { tableId: bigint; bucketId: number; partitionId?: bigint }[]
  ) => served.ask(API.RELEASE_KV_SNAPSHOT_LEASE, { leaseId, bucketsToRelease });
  const leases = () => served.storage.documents.list("kv-snapshot-lease/").map(({ document }) => document);
  await acquire("a", orders, { bucketId: 0, snapshotId: 5n }, { bucketId: 1, snapshotId: 6n });
  await acquire("a", visits, { bucketId: 0, snapshotId: 1n, partitionId: 0n });
  await acquire("b", orders, { bucketId: 0, snapshotId: 5n });
  await release("nothing", { tableId: orders, bucketId: 0 });
  await release("a", { tableId: orders, bucketId: 0 }, { tableId: visits, bucketId: 1 });
  const expiresAt = served.clock.now() + 1000;
  assert.deepEqual(leases(), [
    { expiresAt, tables: { [`${orders}`]: ["/1"], [`${visits}`]: ["0/0"] } },
    { expiresAt, tables: { [`${orders}`]: ["/0"] } },
  ]);
  await release("a", { tableId: orders, bucketId: 1 }, { tableId: visits, bucketId: 0, partitionId: 0n });
  await served.ask(API.DROP_KV_SNAPSHOT_LEASE, { leaseId: "b" });
  await served.ask(API.DROP_KV_SNAPSHOT_LEASE, { leaseId: "b" });
  assert.deepEqual(leases(), []);
  // What is over is forgotten when another one comes.
  await acquire("a", orders, { bucketId: 0, snapshotId: 5n });
  served.clock.move(3_600_000);
  await acquire("c", orders, { bucketId: 0, snapshotId: 5n });
  assert.deepEqual(leases().length, 1);
  await refuses(
    acquire("c", clicks, { bucketId: 0, snapshotId: 1n }),
    "SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION",
    "Table 'shop.clicks' is not a primary key table",
  );
  await refuses(
    release("c", { tableId: 99n, bucketId: 0 }),
    "SERVER.UNKNOWN_TABLE_OR_BUCKET_EXCEPTION",
    /^This server coordinator does not know this table ID 99\./,
  );
  await refuses(acquire("", orders), "SERVER.UNKNOWN_SERVER_ERROR", /Failed to acquire kv snapshot lease for$/);
  await refuses(acquire("c", orders, { bucketId: -1, snapshotId: 1n }), "SERVER.UNKNOWN_SERVER_ERROR", /lease forc$/);
  await refuses(release("c", { tableId: visits, bucketId: 0 }), "SERVER.UNKNOWN_SERVER_ERROR", /lease forc$/);
});
