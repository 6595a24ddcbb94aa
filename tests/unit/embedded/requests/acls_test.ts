import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { API } from "../../../../src/client/rpc/api.ts";
import type { PbAclFilter, PbAclInfo, PbAclInfoSchema } from "../../../../src/client/rpc/gen/fluss/v1/acl_pb.ts";
import { isSet } from "../../../../src/client/rpc/required.ts";
import { refuses, Served } from "../served.ts";

type Info = MessageInitShape<typeof PbAclInfoSchema> & {
  readonly resourceName: string;
  readonly operationType: number;
};
type Filter = Partial<Omit<PbAclFilter, "$typeName" | "$unknown">>;

// The numbers of the wire.
const CLUSTER = 2;
const DATABASE = 3;
const TABLE = 4;
const ALL = 2;
const READ = 3;
const WRITE = 4;
const ALTER = 7;

const SETTINGS = { authorizer: true, superUsers: ["ANONYMOUS"] };

function acl(resourceType: number, resourceName: string, operationType: number, user = "guest", host = "*"): Info {
  return {
    resourceType,
    resourceName,
    operationType,
    principalName: user,
    principalType: "User",
    host,
    permissionType: 2,
  };
}

const text = ({ resourceType, resourceName, operationType, principalName, principalType, host }: PbAclInfo) =>
  `${resourceType} ${resourceName} ${operationType} ${principalType}:${principalName}@${host}`;

const ANY = { resourceType: 1, operationType: 1, permissionType: 1 };

const create = (served: Served, acl: Info[], user?: string) =>
  served.ask(API.CREATE_ACLS, { acl }, user === undefined ? {} : { user });

async function list(served: Served, filter: Filter = {}, user?: string): Promise<string[]> {
  const request = { aclFilter: { ...ANY, ...filter } };
  const { acl } = await served.ask(API.LIST_ACLS, request, user === undefined ? {} : { user });
  return acl.map(text).sort();
}

async function drop(served: Served, filters: Filter[], user?: string): Promise<string[][]> {
  const request = { aclFilter: filters.map((filter) => ({ ...ANY, ...filter })) };
  const { filterResults } = await served.ask(API.DROP_ACLS, request, user === undefined ? {} : { user });
  return filterResults.map((result) => {
    assert.ok(!isSet(result, "errorCode"));
    return result.matchingAcls.map((one) => {
      assert.ok(!isSet(one, "errorCode"));
      return text(one.acl!);
    }).sort();
  });
}

test("a server that asks for no rights says so", async () => {
  const served = new Served();
  for (const answer of [create(served, []), list(served), drop(served, [])]) {
    await refuses(answer, "SERVER.SECURITY_DISABLED_EXCEPTION", "No Authorizer is configured.");
  }
});

test("rights are granted, found and taken back", async () => {
  const served = new Served(SETTINGS);
  assert.deepEqual((await create(served, [])).aclRes, []);
  const { aclRes } = await create(served, [
    acl(TABLE, "shop.orders", READ),
    acl(TABLE, "shop.orders", WRITE, "guest", "10.0.0.1"),
    acl(DATABASE, "shop", ALL, "bob"),
    acl(CLUSTER, "fluss-cluster", ALTER, "bob"),
  ]);
  assert.deepEqual(aclRes.map(({ errorCode, acl }) => `${errorCode} ${text(acl!)}`), [
    "0 4 shop.orders 3 User:guest@*",
    "0 4 shop.orders 4 User:guest@10.0.0.1",
    "0 3 shop 2 User:bob@*",
    "0 2 fluss-cluster 7 User:bob@*",
  ]);
  // What is there already is granted again without a word.
  await create(served, [acl(TABLE, "shop.orders", READ)]);
  const all = [
    "2 fluss-cluster 7 User:bob@*",
    "3 shop 2 User:bob@*",
    "4 shop.orders 3 User:guest@*",
    "4 shop.orders 4 User:guest@10.0.0.1",
  ];
  assert.deepEqual(await list(served), all);
  assert.deepEqual(await list(served.restarted(SETTINGS)), all);
  assert.deepEqual(await list(served, { resourceType: TABLE }), all.slice(2));
  assert.deepEqual(await list(served, { resourceType: TABLE, resourceName: "shop.orders" }), all.slice(2));
  assert.deepEqual(await list(served, { resourceType: TABLE, resourceName: "*" }), []);
  // Where any type will do, and where a name comes without its type, the name is not looked at.
  assert.deepEqual(await list(served, { resourceName: "nothing" }), all);
  assert.deepEqual(await list(served, { principalName: "nobody" }), all);
  assert.deepEqual(await list(served, { principalName: "bob", principalType: "User" }), all.slice(0, 2));
  assert.deepEqual(await list(served, { principalName: "bob", principalType: "Group" }), []);
  assert.deepEqual(await list(served, { host: "10.0.0.1" }), all.slice(3));
  assert.deepEqual(await list(served, { operationType: ALL }), [all[1]]);
  assert.deepEqual(await list(served, { permissionType: 2 }), all);
  assert.deepEqual(await drop(served, []), []);
  // Of two filters the first one has what both find.
  assert.deepEqual(
    await drop(served, [{ operationType: WRITE }, { resourceType: TABLE }, { resourceType: TABLE }, { host: "x" }]),
    [[all[3]], [all[2]], [], []],
  );
  assert.deepEqual(await list(served), all.slice(0, 2));
  assert.deepEqual(await drop(served, [{}]), [all.slice(0, 2)]);
  assert.deepEqual(served.storage.documents.list("acl/"), []);
});

test("whoever may alter a database grants rights to its tables, and sees those that he may describe", async () => {
  const served = new Served(SETTINGS);
  const orders = acl(TABLE, "shop.orders", READ, "eve");
  const denied = (answer: Promise<unknown>, operation: string, type: string, name: string) =>
    refuses(
      answer,
      "SERVER.AUTHORIZATION_EXCEPTION",
      `Principal FlussPrincipal{name='guest', type='User'} have no authorization to operate ${operation} on resource ` +
        `Resource{type=${type}, name='${name}'} `,
    );
  await create(served, [acl(TABLE, "shop.orders", ALL)]);
  await denied(create(served, [orders], "guest"), "ALTER", "DATABASE", "shop");
  await create(served, [acl(DATABASE, "shop", ALTER)]);
  await create(served, [orders], "guest");
  // One that may not be granted, and none is.
  await denied(
    create(served, [acl(TABLE, "shop.clicks", READ, "eve"), acl(TABLE, "bank.money", READ, "eve")], "guest"),
    "ALTER",
    "DATABASE",
    "bank",
  );
  await denied(create(served, [acl(CLUSTER, "fluss-cluster", READ)], "guest"), "ALTER", "CLUSTER", "fluss-cluster");
  await create(served, [acl(TABLE, "bank.money", READ, "eve")]);
  assert.deepEqual(await list(served, {}, "guest"), [
    "3 shop 7 User:guest@*",
    "4 shop.orders 2 User:guest@*",
    "4 shop.orders 3 User:eve@*",
  ]);
  // A filter that is about somebody else's resource is refused, and takes nothing, whatever it would find there.
  await denied(drop(served, [{ principalName: "x", principalType: "User" }], "guest"), "ALTER", "DATABASE", "bank");
  assert.equal((await list(served)).length, 4);
  const mine = { principalName: "eve", principalType: "User" };
  assert.deepEqual(await drop(served, [{ resourceType: TABLE, resourceName: "shop.orders", ...mine }], "guest"), [
    ["4 shop.orders 3 User:eve@*"],
  ]);
  assert.deepEqual(await drop(served, [{ resourceType: TABLE, resourceName: "shop.nothing" }], "guest"), [[]]);
});

test("what is no right is refused", async () => {
  const served = new Served(SETTINGS);
  const one = acl(TABLE, "shop.orders", READ);
  const refused = (answer: Promise<unknown>, why: string) =>
    refuses(answer, "SERVER.UNKNOWN_SERVER_ERROR", `Error: ${why}`);
  await refused(create(served, [{ ...one, resourceType: 5 }]), "Unknown resource type code 5");
  await refused(create(served, [{ ...one, operationType: 0 }]), "Unknown operation type code: 0");
  await refused(create(served, [{ ...one, permissionType: 3 }]), "Unknown permission type: 3");
  await refused(list(served, { operationType: 9 }), "Unknown operation type code: 9");
  await refused(drop(served, [{ resourceType: 0 }]), "Unknown resource type code 0");
  await refused(
    create(served, [one, one]),
    "Duplicate key: READ on Resource{type=TABLE, name='shop.orders'}",
  );
  assert.deepEqual(await list(served), []);
});
