import assert from "node:assert/strict";
import { test } from "node:test";
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { API, type Api } from "../../../../src/client/rpc/api.ts";
import { type AclResource, CLUSTER, OPERATIONS } from "../../../../src/embedded/catalog/acl.ts";
import { ServerFault } from "../../../../src/embedded/fault.ts";
import type { Operation } from "../../../../src/embedded/catalog/authorizer.ts";
import type { Principal } from "../../../../src/embedded/requests/handler.ts";
import { Served } from "../served.ts";

const SUPER: Principal = { name: "ANONYMOUS", type: "User" };
const GUEST: Principal = { name: "guest", type: "User", host: "10.0.0.1" };

const DENIED = 48;

interface Grant {
  readonly name?: string;
  readonly type?: string;
  readonly host?: string;
  readonly permission?: "ANY" | "ALLOW";
}

function served(): Served {
  return new Served({ authorizer: true, superUsers: ["ANONYMOUS"] });
}

function grant(
  { engine }: Served,
  resource: AclResource,
  operation: (typeof OPERATIONS)[number],
  { name = "guest", type = "User", host = "*", permission = "ALLOW" }: Grant = {},
): void {
  const entry = { principalName: name, principalType: type, host, operation, permission };
  engine.authorizer.create(SUPER, [{ resource, entry }]);
}

const TABLE: AclResource = { type: "TABLE", name: "shop.orders" };
const SHOP: AclResource = { type: "DATABASE", name: "shop" };
const WHOLE: AclResource = { type: "CLUSTER", name: CLUSTER };
const ORDERS = { database: "shop", table: "orders" };

test("without the setting everybody may do everything", () => {
  const { engine } = new Served();
  assert.ok(!engine.authorizer.enabled);
  assert.ok(engine.authorizer.may(GUEST, "DROP", "cluster"));
  engine.authorizer.check(GUEST, "DROP", "cluster");
});

test("super users may do everything, others nothing that was not granted", () => {
  const { engine: { authorizer } } = served();
  for (const resource of ["cluster", { database: "shop" }, ORDERS] as const) {
    assert.ok(authorizer.may(SUPER, "DROP", resource));
    assert.ok(!authorizer.may(GUEST, "DESCRIBE", resource));
    assert.ok(!authorizer.may({ name: "ANONYMOUS", type: "Group" }, "DESCRIBE", resource));
  }
  assert.throws(
    () => authorizer.check(GUEST, "READ", ORDERS),
    (error) =>
      error instanceof ServerFault && error.code === DENIED &&
      error.message ===
        "Principal FlussPrincipal{name='guest', type='User'} have no authorization to operate READ on " +
          "resource Resource{type=TABLE, name='shop.orders'} ",
  );
});

test("a right covers what is inside of its resource, and nothing else", () => {
  const resources = { cluster: "cluster", database: { database: "shop" }, table: ORDERS, other: { database: "bank" } };
  const covered = (resource: AclResource): string[] => {
    const one = served();
    grant(one, resource, "READ");
    return Object.entries(resources).filter(([, of]) => one.engine.authorizer.may(GUEST, "READ", of as "cluster"))
      .map(([name]) => name);
  };
  assert.deepEqual(covered(TABLE), ["table"]);
  assert.deepEqual(covered(SHOP), ["database", "table"]);
  assert.deepEqual(covered(WHOLE), ["cluster", "database", "table", "other"]);
  assert.deepEqual(covered({ type: "TABLE", name: "shop.order" }), []);
  assert.deepEqual(covered({ type: "DATABASE", name: "shop.orders" }), []);
  assert.deepEqual(covered({ type: "ANY", name: "shop.orders" }), []);
  // `*` stands for all of its own type, not for what is inside of them: so do servers.
  assert.deepEqual(covered({ type: "TABLE", name: "*" }), ["table"]);
  assert.deepEqual(covered({ type: "DATABASE", name: "*" }), ["database", "other"]);
  assert.deepEqual(covered({ type: "CLUSTER", name: "*" }), ["cluster"]);
});

test("whoever may do anything but everything may look, too", () => {
  for (const granted of OPERATIONS) {
    const one = served();
    grant(one, TABLE, granted);
    const may = OPERATIONS.filter((operation) =>
      operation !== "ANY" && one.engine.authorizer.may(GUEST, operation, ORDERS)
    );
    if (granted === "ALL") assert.deepEqual(may, OPERATIONS.slice(1));
    else if (granted === "ANY") assert.deepEqual(may, []);
    else assert.deepEqual(may, granted === "DESCRIBE" ? ["DESCRIBE"] : [granted, "DESCRIBE"]);
  }
});

test("a right is that of a user or of everybody, from one address or from all", () => {
  const may = (options: Grant, principal = GUEST) => {
    const one = served();
    grant(one, TABLE, "READ", options);
    return one.engine.authorizer.may(principal, "READ", ORDERS);
  };
  assert.ok(may({}));
  assert.ok(!may({ name: "eve" }));
  assert.ok(!may({ type: "Group" }));
  assert.ok(may({ name: "*", type: "*" }));
  assert.ok(!may({ name: "*", type: "User" }));
  assert.ok(may({ host: "10.0.0.1" }));
  assert.ok(!may({ host: "10.0.0.2" }));
  assert.ok(!may({ host: "10.0.0.1" }, { name: "guest", type: "User" }));
  assert.ok(!may({ permission: "ANY" }));
});

test("rights are those of the storage after a failed commit", () => {
  const one = served();
  grant(one, TABLE, "READ");
  const [stored] = one.storage.documents.list("acl/");
  one.storage.documents.delete(stored!.name);
  assert.ok(one.engine.authorizer.may(GUEST, "READ", ORDERS));
  one.engine.authorizer.reload();
  assert.ok(!one.engine.authorizer.may(GUEST, "READ", ORDERS));
});

// ---------------------------------------------------------------------------------------------------------------------
// Requests.

/** What there is: a database `shop` with the tables `orders` (with a primary key), `clicks` and `visits` (by day). */
interface World extends Served {
  readonly orders: bigint;
  readonly clicks: bigint;
}

/** Whether a request is served, or shows what it is about, to the guest. */
type Attempt = (world: World) => Promise<boolean>;

interface Case {
  readonly needs: readonly [Operation, AclResource];
  readonly attempt: Attempt;
}

const CLICKS: AclResource = { type: "TABLE", name: "shop.clicks" };
const VISITS: AclResource = { type: "TABLE", name: "shop.visits" };

/** Refused as a whole, or not. Other failures are of no interest here: rights are asked for before. */
function whole<Q extends DescMessage, A extends DescMessage>(
  api: Api<Q, A>,
  request: (world: World) => MessageInitShape<Q>,
  shows: (answer: MessageValidType<A>) => boolean = () => true,
): Attempt {
  return async (world) => {
    try {
      return shows(await world.ask(api, request(world), { user: "guest" }));
    } catch (error) {
      assert.ok(error instanceof ServerFault, String(error));
      return error.code !== DENIED;
    }
  };
}

const path = (tableName: string) => ({ tablePath: { databaseName: "shop", tableName } });
const EMPTY = new Uint8Array(0);
const database = new TextEncoder().encode('{"version":1,"custom_properties":{}}');
const day = { partitionSpec: { partitionKeyValues: [{ key: "day", value: "b" }] } };

const allowed = ({ errorCode }: { readonly errorCode?: number }) => errorCode !== DENIED;

/** By request; those that ask for nothing have none. */
const CASES: Readonly<Record<keyof typeof API, Case | undefined>> = {
  API_VERSIONS: undefined,
  AUTHENTICATE: undefined,
  DATABASE_EXISTS: undefined,
  TABLE_EXISTS: undefined,
  GET_FILESYSTEM_SECURITY_TOKEN: undefined,
  CREATE_ACLS: undefined,
  LIST_ACLS: undefined,
  DROP_ACLS: undefined,
  // These need the right to the tables that were registered or leased: see their own tests, and below.
  GET_PRODUCER_OFFSETS: undefined,
  DELETE_PRODUCER_OFFSETS: undefined,
  DROP_KV_SNAPSHOT_LEASE: undefined,

  CREATE_DATABASE: {
    needs: ["CREATE", WHOLE],
    attempt: whole(API.CREATE_DATABASE, () => ({
      databaseName: "bank",
      databaseJson: database,
      ignoreIfExists: false,
    })),
  },
  ALTER_DATABASE: {
    needs: ["ALTER", SHOP],
    attempt: whole(API.ALTER_DATABASE, () => ({ databaseName: "shop", ignoreIfNotExists: false })),
  },
  DROP_DATABASE: {
    needs: ["DROP", SHOP],
    attempt: whole(API.DROP_DATABASE, () => ({ databaseName: "shop", ignoreIfNotExists: false, cascade: true })),
  },
  GET_DATABASE_INFO: {
    needs: ["DESCRIBE", SHOP],
    attempt: whole(API.GET_DATABASE_INFO, () => ({ databaseName: "shop" })),
  },
  LIST_DATABASES: {
    needs: ["DESCRIBE", SHOP],
    attempt: whole(API.LIST_DATABASES, () => ({}), ({ databaseName }) => databaseName.includes("shop")),
  },
  CREATE_TABLE: {
    needs: ["CREATE", SHOP],
    attempt: whole(API.CREATE_TABLE, () => ({ ...path("more"), tableJson: EMPTY, ignoreIfExists: false })),
  },
  ALTER_TABLE: {
    needs: ["ALTER", TABLE],
    attempt: whole(API.ALTER_TABLE, () => ({ ...path("orders"), ignoreIfNotExists: false })),
  },
  DROP_TABLE: {
    needs: ["DROP", TABLE],
    attempt: whole(API.DROP_TABLE, () => ({ ...path("orders"), ignoreIfNotExists: false })),
  },
  GET_TABLE_INFO: { needs: ["DESCRIBE", TABLE], attempt: whole(API.GET_TABLE_INFO, () => path("orders")) },
  GET_TABLE_SCHEMA: { needs: ["DESCRIBE", TABLE], attempt: whole(API.GET_TABLE_SCHEMA, () => path("orders")) },
  LIST_TABLES: {
    needs: ["DESCRIBE", TABLE],
    attempt: whole(API.LIST_TABLES, () => ({ databaseName: "shop" }), ({ tableName }) => tableName.includes("orders")),
  },
  GET_METADATA: {
    needs: ["DESCRIBE", TABLE],
    attempt: whole(
      API.GET_METADATA,
      () => ({ tablePath: [path("orders").tablePath] }),
      ({ tableMetadata }) => tableMetadata.length === 1,
    ),
  },
  LIST_PARTITION_INFOS: { needs: ["DESCRIBE", VISITS], attempt: whole(API.LIST_PARTITION_INFOS, () => path("visits")) },
  CREATE_PARTITION: {
    needs: ["WRITE", VISITS],
    attempt: whole(API.CREATE_PARTITION, () => ({ ...path("visits"), ...day, ignoreIfNotExists: false })),
  },
  DROP_PARTITION: {
    needs: ["WRITE", VISITS],
    attempt: whole(API.DROP_PARTITION, () => ({ ...path("visits"), ...day, ignoreIfNotExists: true })),
  },
  INIT_WRITER: {
    needs: ["WRITE", TABLE],
    attempt: whole(API.INIT_WRITER, () => ({ tablePath: [path("clicks").tablePath, path("orders").tablePath] })),
  },
  PRODUCE_LOG: {
    needs: ["WRITE", CLICKS],
    attempt: whole(API.PRODUCE_LOG, ({ clicks }) => ({ acks: -1, tableId: clicks, timeoutMs: 1000 })),
  },
  FETCH_LOG: {
    needs: ["READ", CLICKS],
    attempt: whole(
      API.FETCH_LOG,
      ({ clicks }) => ({
        followerServerId: -1,
        maxBytes: 1000,
        tablesReq: [{
          tableId: clicks,
          projectionPushdownEnabled: false,
          bucketsReq: [{ bucketId: 0, fetchOffset: 0n, maxFetchBytes: 1000 }],
        }],
      }),
      ({ tablesResp }) => allowed(tablesResp[0]!.bucketsResp[0]!),
    ),
  },
  PUT_KV: {
    needs: ["WRITE", TABLE],
    attempt: whole(API.PUT_KV, ({ orders }) => ({ acks: -1, tableId: orders, timeoutMs: 1000 })),
  },
  LOOKUP: {
    needs: ["READ", TABLE],
    attempt: whole(
      API.LOOKUP,
      ({ orders }) => ({ tableId: orders, bucketsReq: [{ bucketId: 0, keys: [] }] }),
      ({ bucketsResp }) => allowed(bucketsResp[0]!),
    ),
  },
  PREFIX_LOOKUP: {
    needs: ["READ", TABLE],
    attempt: whole(
      API.PREFIX_LOOKUP,
      ({ orders }) => ({ tableId: orders, bucketsReq: [{ bucketId: 0, keys: [] }] }),
      ({ bucketsResp }) => allowed(bucketsResp[0]!),
    ),
  },
  LIST_OFFSETS: {
    needs: ["DESCRIBE", CLICKS],
    attempt: whole(API.LIST_OFFSETS, ({ clicks }) => ({
      followerServerId: -1,
      offsetType: 1,
      tableId: clicks,
      bucketId: [0],
    })),
  },
  LIMIT_SCAN: {
    needs: ["READ", TABLE],
    attempt: whole(API.LIMIT_SCAN, ({ orders }) => ({ tableId: orders, bucketId: 0, limit: 1 }), allowed),
  },
  SCAN_KV: {
    needs: ["READ", TABLE],
    attempt: whole(
      API.SCAN_KV,
      ({ orders }) => ({ bucketScanReq: { tableId: orders, bucketId: 0 }, batchSizeBytes: 1000 }),
      allowed,
    ),
  },
  GET_TABLE_STATS: {
    needs: ["READ", TABLE],
    attempt: whole(API.GET_TABLE_STATS, ({ orders }) => ({ tableId: orders, bucketsReq: [{ bucketId: 0 }] })),
  },
  GET_LATEST_KV_SNAPSHOTS: {
    needs: ["DESCRIBE", TABLE],
    attempt: whole(API.GET_LATEST_KV_SNAPSHOTS, () => path("orders")),
  },
  GET_KV_SNAPSHOT_METADATA: {
    needs: ["DESCRIBE", TABLE],
    attempt: whole(
      API.GET_KV_SNAPSHOT_METADATA,
      ({ orders }) => ({ tableId: orders, bucketId: 0, snapshotId: 1n }),
    ),
  },
  LIST_KV_SNAPSHOTS: {
    needs: ["DESCRIBE", TABLE],
    attempt: whole(API.LIST_KV_SNAPSHOTS, ({ orders }) => ({ tableId: orders })),
  },
  LIST_REMOTE_LOG_MANIFESTS: {
    needs: ["DESCRIBE", TABLE],
    attempt: whole(API.LIST_REMOTE_LOG_MANIFESTS, ({ orders }) => ({ tableId: orders })),
  },
  GET_LAKE_SNAPSHOT: { needs: ["DESCRIBE", TABLE], attempt: whole(API.GET_LAKE_SNAPSHOT, () => path("orders")) },
  ACQUIRE_KV_SNAPSHOT_LEASE: {
    needs: ["READ", TABLE],
    attempt: whole(API.ACQUIRE_KV_SNAPSHOT_LEASE, ({ orders }) => ({
      leaseId: "l",
      leaseDurationMs: 1000n,
      snapshotsToLease: [{ tableId: orders, bucketSnapshots: [] }],
    })),
  },
  RELEASE_KV_SNAPSHOT_LEASE: {
    needs: ["READ", TABLE],
    attempt: whole(API.RELEASE_KV_SNAPSHOT_LEASE, ({ orders }) => ({
      leaseId: "l",
      bucketsToRelease: [{ tableId: orders, bucketId: 0 }],
    })),
  },
  REGISTER_PRODUCER_OFFSETS: {
    needs: ["WRITE", TABLE],
    attempt: whole(API.REGISTER_PRODUCER_OFFSETS, ({ orders }) => ({
      producerId: "p",
      tableOffsets: [{ tableId: orders, bucketOffsets: [] }],
    })),
  },
  DESCRIBE_CLUSTER_CONFIGS: { needs: ["DESCRIBE", WHOLE], attempt: whole(API.DESCRIBE_CLUSTER_CONFIGS, () => ({})) },
  GET_CLUSTER_HEALTH: { needs: ["DESCRIBE", WHOLE], attempt: whole(API.GET_CLUSTER_HEALTH, () => ({})) },
  ALTER_CLUSTER_CONFIGS: {
    needs: ["ALTER", WHOLE],
    attempt: whole(API.ALTER_CLUSTER_CONFIGS, () => ({ alterConfigs: [{ configKey: "x", opType: 1 }] })),
  },
  ADD_SERVER_TAG: {
    needs: ["ALTER", WHOLE],
    attempt: whole(API.ADD_SERVER_TAG, () => ({ serverIds: [0], serverTag: 0 })),
  },
  REMOVE_SERVER_TAG: {
    needs: ["ALTER", WHOLE],
    attempt: whole(API.REMOVE_SERVER_TAG, () => ({ serverIds: [0], serverTag: 0 })),
  },
  REBALANCE: { needs: ["WRITE", WHOLE], attempt: whole(API.REBALANCE, () => ({ goals: [0] })) },
  LIST_REBALANCE_PROGRESS: { needs: ["DESCRIBE", WHOLE], attempt: whole(API.LIST_REBALANCE_PROGRESS, () => ({})) },
  CANCEL_REBALANCE: { needs: ["WRITE", WHOLE], attempt: whole(API.CANCEL_REBALANCE, () => ({})) },
};

/** Where a right may be granted that covers a resource. */
function coverers(resource: AclResource): AclResource[] {
  if (resource.type === "CLUSTER") return [resource];
  return resource.type === "DATABASE" ? [resource, WHOLE] : [resource, SHOP, WHOLE];
}

async function world(): Promise<World> {
  const one = served();
  const orders = await one.createTable("shop", "orders", { primaryKey: true });
  const clicks = await one.createTable("shop", "clicks");
  await one.createTable("shop", "visits", { partitioned: true });
  return Object.assign(one, { orders, clicks });
}

test("every request asks for its right, and for no other", async () => {
  for (const [name, one] of Object.entries(CASES)) {
    if (one === undefined) continue;
    const { needs: [needed, resource], attempt } = one;
    assert.ok(!await attempt(await world()), `${name} needs no right`);
    for (const operation of OPERATIONS) {
      const suffices = operation === needed || operation === "ALL" ||
        needed === "DESCRIBE" && operation !== "ANY";
      const at = await world();
      grant(at, resource, operation);
      assert.equal(await attempt(at), suffices, `${name} with ${operation}`);
    }
    for (const covering of coverers(resource)) {
      const at = await world();
      grant(at, covering, needed);
      assert.ok(await attempt(at), `${name} with the right to ${covering.name}`);
    }
  }
});

test("whether something exists may be asked by anybody", async () => {
  const at = await world();
  const user = { user: "guest" };
  assert.ok((await at.ask(API.DATABASE_EXISTS, { databaseName: "shop" }, user)).exists);
  assert.ok((await at.ask(API.TABLE_EXISTS, path("orders"), user)).exists);
  assert.equal((await at.ask(API.GET_FILESYSTEM_SECURITY_TOKEN, {}, user)).schema, "file");
});

test("a row that is put where there is none needs the right to write", async () => {
  const insert = whole(
    API.LOOKUP,
    ({ orders }) => ({ tableId: orders, bucketsReq: [], insertIfNotExists: true, acks: -1, timeoutMs: 1000 }),
  );
  for (const [operation, may] of [["READ", false], ["WRITE", true]] as const) {
    const at = await world();
    grant(at, TABLE, operation);
    assert.equal(await insert(at), may);
  }
});

test("a lease is dropped by whoever may read what it holds", async () => {
  const at = await world();
  const snapshotsToLease = [{ tableId: at.orders, bucketSnapshots: [{ bucketId: 0, snapshotId: 1n }] }];
  await at.ask(API.ACQUIRE_KV_SNAPSHOT_LEASE, { leaseId: "l", leaseDurationMs: 1000n, snapshotsToLease });
  const drop = whole(API.DROP_KV_SNAPSHOT_LEASE, () => ({ leaseId: "l" }));
  assert.ok(!await drop(at));
  grant(at, TABLE, "READ");
  assert.ok(await drop(at));
  assert.deepEqual(at.storage.documents.list("kv-snapshot-lease/"), []);
});
