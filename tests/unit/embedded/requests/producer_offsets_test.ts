import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { API } from "../../../../src/client/rpc/api.ts";
import type { PbProducerTableOffsetsSchema } from "../../../../src/client/rpc/gen/fluss/v1/producer_offset_pb.ts";
import { isSet, optionalField } from "../../../../src/client/rpc/required.ts";
import { refuses, Served } from "../served.ts";

type TableOffsets = MessageInitShape<typeof PbProducerTableOffsetsSchema>;

const CREATED = 0;
const ALREADY_EXISTS = 1;
const DAY_MS = 86_400_000;

async function register(
  served: Served,
  producerId: string,
  tableOffsets: TableOffsets[],
  ttlMs?: bigint,
  user?: string,
) {
  const request = { producerId, tableOffsets, ...(ttlMs === undefined ? {} : { ttlMs }) };
  return (await served.ask(API.REGISTER_PRODUCER_OFFSETS, request, user === undefined ? {} : { user })).result;
}

/** Offsets as texts, and when they expire. */
async function told(served: Served, producerId: string, user?: string) {
  const answer = await served.ask(API.GET_PRODUCER_OFFSETS, { producerId }, user === undefined ? {} : { user });
  if (!isSet(answer, "producerId")) {
    assert.ok(!isSet(answer, "expirationTime"));
    assert.deepEqual(answer.tableOffsets, []);
    return undefined;
  }
  assert.equal(answer.producerId, producerId);
  const offsets = answer.tableOffsets.map(({ tableId, bucketOffsets }) =>
    `${tableId}: ` +
    bucketOffsets.map((one) =>
      [optionalField(one, "partitionId") ?? "-", one.bucketId, optionalField(one, "logEndOffset")].join("/")
    ).join(" ")
  );
  return { expiresAt: Number(answer.expirationTime), offsets };
}

const table = (tableId: bigint, ...offsets: (readonly [bucket: number, offset: bigint, partition?: bigint])[]) => ({
  tableId,
  bucketOffsets: offsets.map(([bucketId, logEndOffset, partitionId]) => ({
    bucketId,
    logEndOffset,
    ...(partitionId === undefined ? {} : { partitionId }),
  })),
});

test("offsets are registered once, told and deleted; they outlive a restart", async () => {
  const served = new Served();
  assert.equal(await told(served, "p"), undefined);
  // Of several for a bucket the last one counts; a table without offsets is none, and -1 is no offset.
  const most = 2n ** 63n - 1n;
  const offsets = [
    table(7n, [1, 5n], [0, 4n], [1, 6n]),
    table(8n),
    table(7n, [2, most], [3, -1n]),
    table(9n, [0, 1n, 3n], [0, 2n, 4n]),
  ];
  assert.equal(await register(served, "p", offsets), CREATED);
  const expected = {
    expiresAt: served.clock.now() + DAY_MS,
    offsets: [`7: -/1/6 -/0/4 -/2/${most}`, "9: 3/0/1 4/0/2"],
  };
  assert.deepEqual(await told(served, "p"), expected);
  assert.deepEqual(await told(served.restarted(), "p"), expected);
  assert.equal(await register(served, "p", [], 1n), ALREADY_EXISTS);
  assert.deepEqual(await told(served, "p"), expected);
  await served.ask(API.DELETE_PRODUCER_OFFSETS, { producerId: "p" });
  await served.ask(API.DELETE_PRODUCER_OFFSETS, { producerId: "p" });
  assert.equal(await told(served, "p"), undefined);
});

test("offsets that have expired are replaced, and in the end forgotten", async () => {
  const served = new Served();
  await register(served, "a", [table(1n, [0, 1n])], 1000n);
  await register(served, "b", [table(1n, [0, 1n])], 1000n);
  served.clock.move(1000);
  assert.equal(await register(served, "a", []), ALREADY_EXISTS);
  served.clock.move(1);
  assert.deepEqual((await told(served, "a"))?.offsets, ["1: -/0/1"]);
  assert.equal(await register(served, "a", [table(2n, [0, 2n])], 100n * BigInt(DAY_MS)), CREATED);
  assert.deepEqual((await told(served, "a"))?.offsets, ["2: -/0/2"]);
  assert.deepEqual((await told(served, "b"))?.offsets, ["1: -/0/1"]);
  served.clock.move(3_600_000);
  await register(served, "c", []);
  assert.equal(await told(served, "b"), undefined);
  assert.deepEqual((await told(served, "a"))?.offsets, ["2: -/0/2"]);
});

test("what cannot be is refused", async () => {
  const served = new Served();
  for (
    const [id, why] of [
      ["", "the empty string is not allowed"],
      ["..", "'..' is not allowed"],
      ["a b", "'a b' contains one or more characters other than ASCII alphanumerics, '_' and '-'"],
    ] as const
  ) {
    const message = `Invalid producer ID '${id}': ${why}`;
    for (
      const answer of [
        register(served, id, []),
        told(served, id),
        served.ask(API.DELETE_PRODUCER_OFFSETS, { producerId: id }),
      ]
    ) await refuses(answer, "SERVER.INVALID_PRODUCER_ID_EXCEPTION", message);
  }
  // Servers keep what begins like their own names.
  assert.equal(await register(served, "__x", []), CREATED);
  for (const offsets of [table(1n, [0, 1n], [0, 1n, 3n]), { tableId: 1n, bucketOffsets: [{ bucketId: 0 }] }]) {
    await refuses(
      register(served, "p", [offsets]),
      "SERVER.UNKNOWN_SERVER_ERROR",
      "Error: Failed to register producer offsets for producer p",
    );
  }
  assert.equal(await told(served, "p"), undefined);
});

test("whoever may not write a table registers no offsets of it; whoever may not read it is told none", async () => {
  const served = new Served({ authorizer: true, superUsers: ["ANONYMOUS"] });
  const orders = await served.createTable("shop", "orders", { primaryKey: true });
  const clicks = await served.createTable("shop", "clicks");
  const grant = (operation: number, name: string) =>
    served.engine.authorizer.create({ name: "ANONYMOUS", type: "User" }, [{
      resource: { type: "TABLE", name },
      entry: {
        principalName: "guest",
        principalType: "User",
        host: "*",
        operation: operation === 3 ? "READ" : "WRITE",
        permission: "ALLOW",
      },
    }]);
  const offsets = [table(orders, [0, 1n]), table(clicks, [0, 2n])];
  grant(4, "shop.orders");
  await refuses(register(served, "p", offsets, undefined, "guest"), "SERVER.AUTHORIZATION_EXCEPTION", /shop.clicks/);
  await refuses(
    register(served, "p", [table(99n, [0, 1n])], undefined, "guest"),
    "SERVER.UNKNOWN_TABLE_OR_BUCKET_EXCEPTION",
    /^This server coordinator does not know this table ID 99\./,
  );
  assert.equal(await register(served, "p", offsets), CREATED);
  assert.deepEqual((await told(served, "p", "guest"))?.offsets, []);
  grant(3, "shop.clicks");
  assert.deepEqual((await told(served, "p", "guest"))?.offsets, [`${clicks}: -/0/2`]);
  const remove = () => served.ask(API.DELETE_PRODUCER_OFFSETS, { producerId: "p" }, { user: "guest" });
  await refuses(remove(), "SERVER.AUTHORIZATION_EXCEPTION", /WRITE.*shop.clicks/);
  grant(4, "shop.clicks");
  await remove();
  assert.equal(await told(served, "p"), undefined);
});
