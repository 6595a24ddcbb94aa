import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Alarms } from "../../../src/base/alarms.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { API } from "../../../src/client/rpc/api.ts";
import { RpcConnection } from "../../../src/client/rpc/connection.ts";
import { ErrorResponseSchema } from "../../../src/client/rpc/gen/fluss/v1/common_pb.ts";
import { FetchLogResponseSchema } from "../../../src/client/rpc/gen/fluss/v1/log_pb.ts";
import { ListDatabasesResponseSchema } from "../../../src/client/rpc/gen/fluss/v1/database_pb.ts";
import { readMessage } from "../../../src/client/rpc/required.ts";
import { dial } from "../../../src/client/transport/dial.ts";
import { listen, type Listener, type ListenOptions, type RequestLine } from "../../../src/embedded/mod.ts";
import type { Settings } from "../../../src/embedded/settings.ts";
import { compileLogBuilder } from "../../../src/format/log_builder.ts";
import { runScript } from "../../child.ts";
import { long, Random, seed } from "../../random.ts";
import { columns, type } from "../format/columns.ts";
import { Served } from "./served.ts";
import { frame, frameOf, joined, Wire } from "./wire.ts";

const USERS = [{ name: "alice", password: "alice-secret" }];

/** What all requests of a test have in common. */
interface Open extends AsyncDisposable {
  readonly served: Served;
  readonly listener: Listener;
  readonly coordinator: number;
  readonly tablet: number;
  /** Requests that were answered. */
  readonly lines: readonly RequestLine[];
}

async function open(options: Partial<ListenOptions> = {}, settings: Partial<Settings> = {}): Promise<Open> {
  const served = new Served(settings);
  const lines: RequestLine[] = [];
  const listener = await listen(served.engine, { port: 0, log: (line) => lines.push(line), ...options });
  return {
    served,
    listener,
    coordinator: listener.coordinator.port,
    tablet: listener.tablet.port,
    lines,
    async [Symbol.asyncDispose]() {
      await listener.close();
      served.engine.close();
    },
  };
}

function connect(port: number, user?: { readonly name: string; readonly password: string }): Promise<RpcConnection> {
  return RpcConnection.open({
    dial,
    host: "127.0.0.1",
    port,
    alarms: new Alarms(),
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    credentials: user === undefined ? undefined : { username: user.name, password: user.password },
  });
}

/** That an honest client is served, as if nothing had happened. */
async function assertServes({ coordinator, tablet }: Open): Promise<void> {
  for (const port of [coordinator, tablet]) {
    const connection = await connect(port);
    assert.ok((await connection.call(API.LIST_DATABASES, {})).databaseName.includes("fluss"));
    connection.close();
  }
}

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !isSo();) {
    assert.ok(performance.now() < end, "it does not happen");
    await sleep(5);
  }
}

/** Every request that has a message, in the order of their numbers. */
const PUBLIC = Object.values(API).sort((a, b) => a.key - b.key);

// ---------------------------------------------------------------------------------------------------------------------
// Bytes that are no requests.

test(`random bytes harm nobody (SLUICE_SEED=${seed})`, async () => {
  await using server = await open();
  const random = new Random(seed);
  for (let round = 0; round < (long ? 500 : 50); round++) {
    using wire = await Wire.open(random.pick([server.coordinator, server.tablet]));
    for (let i = random.int(8); i >= 0; i--) wire.send(random.bytes(1 + random.int(2000)));
    // Most lengths are too large, or never come to an end.
    if (random.int(2) === 0) await sleep(random.int(5));
  }
  await assertServes(server);
});

test(`frames with anything in them are answered or hung up on (SLUICE_SEED=${seed})`, async () => {
  await using server = await open();
  const random = new Random(seed + 1);
  for (let round = 0; round < (long ? 200 : 20); round++) {
    const port = random.pick([server.coordinator, server.tablet]);
    using wire = await Wire.open(port);
    const count = 30;
    const frames = Array.from({ length: count }, (_, id) => {
      const { key, maxVersion } = random.pick(PUBLIC);
      const apiKey = random.int(10) === 0 ? random.int(65536) : key;
      const apiVersion = random.int(10) === 0 ? random.int(65536) : random.int(maxVersion + 1);
      return frame(apiKey, apiVersion, id, random.bytes(random.int(40)));
    });
    wire.send(joined(frames));
    const answers = await wire.answers(count);
    assert.deepEqual(answers.map(({ id }) => id).sort((a, b) => a - b), frames.map((_, id) => id));
    assert.equal(wire.hungUp, false);
  }
  await assertServes(server);
});

test(`requests with bytes changed, missing or added are answered (SLUICE_SEED=${seed})`, async () => {
  await using server = await open();
  const { served } = server;
  const tableId = await served.createTable("shop", "orders", { primaryKey: true });
  const tablePath = { databaseName: "shop", tableName: "orders" };
  const good = await Promise.all([
    frameOf(API.GET_METADATA, { tablePath: [tablePath] }, 0),
    frameOf(API.LOOKUP, { tableId, bucketsReq: [{ bucketId: 0, keys: [new Uint8Array(8)] }] }, 0),
    frameOf(API.PUT_KV, {
      tableId,
      acks: -1,
      timeoutMs: 100,
      bucketsReq: [{ bucketId: 1, records: new Uint8Array(50) }],
    }, 0),
    frameOf(API.SCAN_KV, { bucketScanReq: { tableId, bucketId: 0 }, batchSizeBytes: 100 }, 0),
    frameOf(API.FETCH_LOG, {
      followerServerId: -1,
      maxBytes: 1000,
      tablesReq: [{
        tableId,
        projectionPushdownEnabled: true,
        projectedFields: [0],
        bucketsReq: [{ bucketId: 0, fetchOffset: 0n, maxFetchBytes: 100 }],
      }],
    }, 0),
    frameOf(API.REGISTER_PRODUCER_OFFSETS, { producerId: "p", tableOffsets: [{ tableId }] }, 0),
    frameOf(API.CREATE_PARTITION, { tablePath, partitionSpec: {}, ignoreIfNotExists: true }, 0),
  ]);
  const random = new Random(seed + 2);
  const rounds = long ? 3000 : 300;
  for (const port of [server.coordinator, server.tablet]) {
    using wire = await Wire.open(port);
    for (let id = 0; id < rounds; id++) {
      const [apiKey, apiVersion, body] = partsOf(random.pick(good));
      let bytes = body.slice();
      for (let i = random.int(3); i >= 0 && bytes.length > 0; i--) bytes[random.int(bytes.length)] = random.int(256);
      if (random.int(3) === 0) bytes = bytes.slice(0, random.int(bytes.length + 1));
      if (random.int(3) === 0) bytes = joined([bytes, random.bytes(random.int(10))]).slice();
      wire.send(frame(apiKey, apiVersion, id, bytes));
    }
    const answers = await wire.answers(rounds);
    assert.deepEqual(answers.map(({ id }) => id).sort((a, b) => a - b), answers.map((_, id) => id));
    assert.equal(answers.length, rounds);
  }
  await served.ask(API.DROP_DATABASE, { databaseName: "shop", cascade: true, ignoreIfNotExists: true });
  await assertServes(server);
});

function partsOf(bytes: Uint8Array): [apiKey: number, apiVersion: number, body: Uint8Array] {
  return [(bytes[4]! << 8) | bytes[5]!, (bytes[6]! << 8) | bytes[7]!, bytes.subarray(12)];
}

test("lengths that cannot be, and frames without a whole header, end the connection, which is told why", async () => {
  await using server = await open({}, { maxRequestBytes: 1000 });
  const versions = frame(API.API_VERSIONS.key, 0, 2, new Uint8Array(0));
  for (
    const [bytes, why] of [
      [[0, 0, 0, 0], /a frame cannot have 0 bytes/],
      [[0xff, 0xff, 0xff, 0xff], /a frame cannot have -1 bytes/],
      [[0x7f, 0xff, 0xff, 0xff], /a frame claims 2147483647 bytes, more than the 996 that are accepted/],
      [[0, 0, 3, 0xe5], /a frame claims 997 bytes/],
      [[0, 0, 0, 1, 3], /a request of 1 bytes has no header/],
      [[0, 0, 0, 7, 3, 0xe8, 0, 0, 0, 0, 0], /a request of 7 bytes has no header/],
    ] as const
  ) {
    using wire = await Wire.open(server.coordinator);
    // What came before it is answered, what comes after it is not looked at.
    wire.send(joined([versions, Uint8Array.from(bytes), versions]));
    wire.send(versions);
    await wire.end();
    assert.deepEqual((await wire.answers(2)).map(({ id }) => id), [2]);
    assert.match(wire.failure ?? "", why);
  }
  using wire = await Wire.open(server.coordinator);
  wire.send(frame(API.LIST_DATABASES.key, 0, 1, new Uint8Array(1000 - 12)), versions);
  assert.deepEqual((await wire.answers(2)).map(({ id }) => id), [1, 2]);
  assert.equal(wire.failure, undefined);
  await assertServes(server);
});

test("messages that are none are refused in words for clients, and the connection goes on", async () => {
  await using server = await open();
  using wire = await Wire.open(server.coordinator);
  wire.send(
    frame(API.GET_TABLE_INFO.key, 0, 1, Uint8Array.of(0xff, 0xff, 0xff)),
    frame(API.GET_TABLE_INFO.key, 0, 2, new Uint8Array(0)),
    frame(API.AUTHENTICATE.key, 0, 3, Uint8Array.of(0xff)),
    frame(API.LIST_DATABASES.key, 0, 4, new Uint8Array(0)),
  );
  const answers = await wire.answers(4);
  assert.deepEqual(answers.map(({ id, code }) => [id, code]), [[1, -1], [2, -1], [3, -1], [4, 0]]);
  assert.deepEqual(answers.slice(0, 3).map(({ body }) => readMessage(ErrorResponseSchema, body).errorMessage), [
    "FlussConnectionError: 3 bytes are not a GetTableInfoRequest: premature EOF",
    "FlussConnectionError: GetTableInfoRequest lacks the required field tablePath",
    "FlussConnectionError: 1 bytes are not a AuthenticateRequest: premature EOF",
  ]);
});

test("frames that come byte by byte, or many at once, are served as any", async () => {
  await using server = await open();
  using wire = await Wire.open(server.tablet);
  const request = await frameOf(API.LIST_DATABASES, {}, 7);
  for (const byte of request) {
    wire.send(Uint8Array.of(byte));
    await sleep(1);
  }
  const [slow] = await wire.answers(1);
  assert.deepEqual(readMessage(ListDatabasesResponseSchema, slow!.body).databaseName, ["fluss"]);
  const many = 5000;
  wire.send(joined(Array.from({ length: many }, (_, id) => frame(API.LIST_DATABASES.key, 0, id, new Uint8Array(0)))));
  const answers = await wire.answers(many);
  assert.deepEqual(answers.map(({ id }) => id), answers.map((_, id) => id));
  assert.equal(answers.length, many);
});

test("requests are served in the order in which they came, also while the first one loads its messages", async () => {
  await using server = await open();
  using wire = await Wire.open(server.coordinator);
  // Producer offsets are of a group that no other test of this file has loaded when it runs alone.
  const parts = await Promise.all(
    ["a", "b"].map((producerId, id) => frameOf(API.REGISTER_PRODUCER_OFFSETS, { producerId, tableOffsets: [] }, id)),
  );
  wire.send(joined([...parts, frame(API.LIST_DATABASES.key, 0, 2, new Uint8Array(0))]));
  assert.deepEqual((await wire.answers(3)).map(({ id }) => id), [0, 1, 2]);
  assert.deepEqual(server.lines.map(({ apiKey }) => apiKey), [
    API.REGISTER_PRODUCER_OFFSETS.key,
    API.REGISTER_PRODUCER_OFFSETS.key,
    API.LIST_DATABASES.key,
  ]);
});

test("a request for the other server, or of no version, is refused, and the connection goes on", async () => {
  await using server = await open();
  using wire = await Wire.open(server.coordinator);
  wire.send(
    frame(API.LOOKUP.key, 0, 1, new Uint8Array(0)),
    frame(API.LIST_DATABASES.key, 1, 2, new Uint8Array(0)),
    frame(4711, 0, 3, new Uint8Array(0)),
    frame(API.LIST_DATABASES.key, 0, 4, new Uint8Array(0)),
  );
  assert.deepEqual((await wire.answers(4)).map(({ id, code }) => [id, code]), [[1, 2], [2, 2], [3, 2], [4, 0]]);
});

// ---------------------------------------------------------------------------------------------------------------------
// Who may ask.

test("nothing is served before the login, nor after one that failed", async () => {
  await using server = await open({ users: USERS });
  using wire = await Wire.open(server.coordinator);
  const others = PUBLIC.filter(({ name }) => name !== "API_VERSIONS" && name !== "AUTHENTICATE");
  wire.send(joined(others.map(({ key, maxVersion }) => frame(key, maxVersion, key, new Uint8Array(100)))));
  for (const { id, code } of await wire.answers(others.length)) assert.equal(code, 46, `request ${id}`);
  wire.send(frame(API.API_VERSIONS.key, 0, 1, new Uint8Array(0)));
  assert.equal((await wire.answers(1))[0]!.code, 0);
  const token = (password: string) => new TextEncoder().encode(`\0alice\0${password}`);
  const list = frame(API.LIST_DATABASES.key, 0, 3, new Uint8Array(0));
  wire.send(await frameOf(API.AUTHENTICATE, { protocol: "PLAIN", token: token("guess") }, 2), list);
  assert.deepEqual((await wire.answers(2)).map(({ code }) => code), [46, 46]);
  wire.send(await frameOf(API.AUTHENTICATE, { protocol: "PLAIN", token: token("alice-secret") }, 2), list);
  assert.deepEqual((await wire.answers(2)).map(({ code }) => code), [0, 0]);
  // Another connection is another login.
  using other = await Wire.open(server.coordinator);
  other.send(list);
  assert.equal((await other.answers(1))[0]!.code, 46);
  await assert.rejects(connect(server.coordinator, { name: "alice", password: "guess" }));
  const connection = await connect(server.tablet, USERS[0]);
  assert.equal((await connection.call(API.LIST_DATABASES, {})).databaseName.length, 1);
  connection.close();
  assert.equal(server.lines.at(-1)!.user, "alice");
});

test("rights are those of the user, at the address that it comes from", async () => {
  const settings = { authorizer: true, superUsers: ["ANONYMOUS"] };
  await using plain = await open({}, settings);
  await using sasl = await listen(plain.served.engine, { port: 0, users: USERS });
  const admin = await connect(plain.coordinator);
  const alice = await connect(sasl.coordinator.port, USERS[0]);
  const right = (host: string) => ({
    resourceType: 2,
    resourceName: "fluss-cluster",
    principalName: "alice",
    principalType: "User",
    host,
    operationType: 5,
    permissionType: 2,
  });
  const create = (databaseName: string) => alice.call(API.CREATE_DATABASE, { databaseName, ignoreIfExists: false });
  const isDenied = (error: unknown) => FlussError.is(error, "SERVER.AUTHORIZATION_EXCEPTION");
  await assert.rejects(create("one"), isDenied);
  await admin.call(API.CREATE_ACLS, { acl: [right("10.1.2.3")] });
  await assert.rejects(create("one"), isDenied);
  await assert.rejects(alice.call(API.CREATE_ACLS, { acl: [right("*")] }), isDenied);
  await admin.call(API.CREATE_ACLS, { acl: [right("127.0.0.1")] });
  await create("one");
  assert.deepEqual((await alice.call(API.LIST_DATABASES, {})).databaseName, ["fluss", "one"]);
  admin.close();
  alice.close();
});

// ---------------------------------------------------------------------------------------------------------------------
// Clients that say or read nothing.

test("hundreds of idle connections are in nobody's way, and are hung up on at the end", async () => {
  const server = await open();
  const count = long ? 1000 : 200;
  const idle: Wire[] = [];
  for (let i = 0; i < count; i++) {
    const wire = await Wire.open(i % 2 === 0 ? server.coordinator : server.tablet);
    // Some are in the middle of a frame.
    if (i % 3 === 0) wire.send(Uint8Array.from([0, 0x10, 0, 0, 3, 0xe8, 0, 0]));
    idle.push(wire);
  }
  await assertServes(server);
  assert.equal(idle.filter(({ hungUp }) => hungUp).length, 0);
  await server[Symbol.asyncDispose]();
  await Promise.all(idle.map((wire) => wire.end()));
  await assert.rejects(Wire.open(server.coordinator));
  await assert.rejects(Wire.open(server.tablet));
});

test("a connection that says nothing for too long is closed", async () => {
  await using server = await open({}, { maxIdleMs: 300 });
  using silent = await Wire.open(server.coordinator);
  using half = await Wire.open(server.tablet);
  half.send(Uint8Array.from([0, 0]));
  using busy = await Wire.open(server.coordinator);
  const from = performance.now();
  await Promise.all([
    silent.end(),
    half.end(),
    (async () => {
      while (performance.now() - from < 900) {
        busy.send(frame(API.API_VERSIONS.key, 0, 0, new Uint8Array(0)));
        await busy.answers(1);
        await sleep(20);
      }
      assert.equal(busy.hungUp, false);
    })(),
  ]);
});

/** What a connection that has sent two bytes of 100 MB may cost, with both of its sockets, whatever it announced. */
const HALF_BYTES = 200 << 10;

test("requests that never end cost little more than what was sent of them, and others are served", async () => {
  await using server = await open();
  const before = process.memoryUsage().rss;
  const count = long ? 1000 : 200;
  const half: Wire[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const wire = await Wire.open(i % 2 === 0 ? server.coordinator : server.tablet);
      // Each announces 100 MB.
      wire.send(Uint8Array.from([0x06, 0x3f, 0xff, 0x00, 3, 0xe8]));
      half.push(wire);
    }
    await assertServes(server);
    assert.equal(server.served.engine.intake.bytes, 2 * count);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < (32 << 20) + count * HALF_BYTES, `${grown >> 20} MB for ${count} connections`);
    assert.equal(half.filter(({ hungUp }) => hungUp).length, 0);
  } finally {
    for (const wire of half) wire[Symbol.dispose]();
  }
  await until(() => server.served.engine.intake.bytes === 0);
});

test("all requests together that never end have a bound, and whoever goes beyond it is hung up on", async () => {
  const most = 8 << 20;
  await using server = await open({ users: USERS }, { maxUnfinishedBytes: most });
  const half: Wire[] = [];
  try {
    for (let i = 0; i < 20; i++) {
      const wire = await Wire.open(server.coordinator);
      wire.send(joined([Uint8Array.from([0x06, 0x3f, 0xff, 0x00]), new Uint8Array(1 << 20)]));
      half.push(wire);
    }
    await until(() => half.filter(({ hungUp }) => hungUp).length >= 12);
    assert.ok(server.served.engine.intake.bytes <= most, `${server.served.engine.intake.bytes} bytes`);
    const gone = half.filter(({ hungUp }) => hungUp);
    assert.ok(gone.length < 20, "those who were within it went, too");
    for (const { failure } of gone) assert.match(failure ?? "", /begun to come and do not end/);
    const connection = await connect(server.coordinator, USERS[0]);
    assert.equal((await connection.call(API.LIST_DATABASES, {})).databaseName.length, 1);
    connection.close();
  } finally {
    for (const wire of half) wire[Symbol.dispose]();
  }
  await until(() => server.served.engine.intake.bytes === 0);
});

/** What the system takes for a socket, whoever reads. */
const SYSTEM_BYTES = 24 << 20;

test("whoever does not read gets no more answers, until he reads", async () => {
  await using server = await open();
  using wire = await Wire.open(server.coordinator);
  wire.pause();
  // Answers are thirty times as large as what asks for them.
  const count = 100_000;
  const frames = Array.from({ length: count }, (_, id) => frame(API.API_VERSIONS.key, 0, id, new Uint8Array(0)));
  wire.send(joined(frames));
  const settled = async () => {
    for (let before = -1; before < server.lines.length;) {
      before = server.lines.length;
      await sleep(100);
    }
  };
  await settled();
  assert.ok(server.lines.length < count, "all of them were answered");
  await assertServes(server);
  wire.resume();
  const answers = await wire.answers(count);
  assert.equal(answers.length, count);
  assert.ok(answers.every(({ id }, i) => id === i), "they came in another order");
  const size = answers[0]!.body.length;
  assert.ok(size * count > 1.5 * SYSTEM_BYTES, `only ${size * count} bytes`);
});

const BATCH_BYTES = 1 << 20;

/** A log of batches, each of a megabyte. */
async function fill({ served }: Open, batches: number): Promise<bigint> {
  const tableId = await served.createTable("shop", "clicks");
  const build = compileLogBuilder(columns(type("int"), type("string")), {
    format: "arrow",
    compression: { type: "none" },
    statistics: [],
  });
  for (let i = 0; i < batches; i++) {
    const builder = build(1);
    builder.append({ c0: i, c1: "x".repeat(BATCH_BYTES) });
    const bucketsReq = [{ bucketId: 0, records: builder.finish(-1n, -1).slice() }];
    const answer = await served.ask(API.PRODUCE_LOG, { tableId, acks: -1, timeoutMs: 1000, bucketsReq });
    assert.equal(answer.bucketsResp[0]!.errorCode, 0);
  }
  return tableId;
}

function fetchFrame(tableId: bigint, id: number, waiting: { minBytes?: number; maxWaitMs?: number }) {
  return frameOf(API.FETCH_LOG, {
    followerServerId: -1,
    maxBytes: 100 << 20,
    ...waiting,
    tablesReq: [{
      tableId,
      projectionPushdownEnabled: false,
      bucketsReq: [{ bucketId: 0, fetchOffset: 0n, maxFetchBytes: 100 << 20 }],
    }],
  }, id);
}

for (
  const [how, waiting] of [
    ["at once", {}],
    ["all at the same time, after a wait", { minBytes: 1 << 30, maxWaitMs: 1000 }],
  ] as const
) {
  test(`large answers are made one after another, as they are read: ${how}`, async () => {
    await using server = await open();
    const batches = 8;
    const tableId = await fill(server, batches);
    using wire = await Wire.open(server.tablet);
    wire.pause();
    const count = 40;
    wire.send(joined(await Promise.all(Array.from({ length: count }, (_, id) => fetchFrame(tableId, id, waiting)))));
    await sleep(200);
    if ("minBytes" in waiting) {
      assert.equal(server.lines.length, 0);
      assert.equal(server.served.clock.alarms, count);
      server.served.clock.move(1000);
    }
    await sleep(200);
    const made = server.lines.length;
    assert.ok(made >= 1 && made * batches * BATCH_BYTES <= SYSTEM_BYTES, `${made} answers were made`);
    await assertServes(server);
    wire.resume();
    const answers = await wire.answers(count);
    assert.equal(answers.length, count);
    for (const { code, body } of answers) {
      assert.equal(code, 0);
      const { records } = readMessage(FetchLogResponseSchema, body).tablesResp[0]!.bucketsResp[0]!;
      assert.ok(records.length > batches * BATCH_BYTES);
    }
  });
}

test("who hangs up while fetches wait, or answers do, leaves nothing behind", async () => {
  await using server = await open();
  const tableId = await fill(server, 4);
  for (const waiting of [{}, { minBytes: 1 << 30, maxWaitMs: 1000 }]) {
    const wire = await Wire.open(server.tablet);
    wire.pause();
    wire.send(joined(await Promise.all(Array.from({ length: 30 }, (_, id) => fetchFrame(tableId, id, waiting)))));
    await sleep(100);
    wire[Symbol.dispose]();
    for (let i = 0; i < 100 && server.served.clock.alarms > 0; i++) await sleep(10);
    assert.equal(server.served.clock.alarms, 0);
  }
  using wire = await Wire.open(server.tablet);
  wire.send(await fetchFrame(tableId, 1, {}));
  assert.equal((await wire.answers(1))[0]!.code, 0);
});

// ---------------------------------------------------------------------------------------------------------------------
// Beginning and end.

test("a port that is taken is an error, and then neither server listens", async () => {
  const taken = createServer();
  // Two ports in a row, of which the second one is taken.
  let port = 0;
  for (let tries = 0; port === 0; tries++) {
    assert.ok(tries < 20, "no two free ports in a row");
    await using probe = await open();
    const candidate = probe.coordinator + 1 < 65_000 ? probe.coordinator : 20_000;
    await probe.listener.close();
    const done = Promise.withResolvers<boolean>();
    taken.once("error", () => done.resolve(false));
    taken.listen(candidate + 1, "127.0.0.1", () => done.resolve(true));
    if (await done.promise) port = candidate;
  }
  const served = new Served();
  await assert.rejects(listen(served.engine, { port }), (error: { code?: string }) => error.code === "EADDRINUSE");
  await assert.rejects(Wire.open(port));
  await new Promise((resolve) => taken.close(resolve));
  await using listener = await listen(served.engine, { port });
  assert.deepEqual([listener.coordinator.port, listener.tablet.port], [port, port + 1]);
});

test("an engine that closes hangs up on everybody, whatever they wait for", async () => {
  const server = await open();
  const tableId = await fill(server, 1);
  using waiting = await Wire.open(server.tablet);
  waiting.send(await fetchFrame(tableId, 1, { minBytes: 1 << 30, maxWaitMs: 60_000 }));
  using idle = await Wire.open(server.coordinator);
  while (server.served.clock.alarms === 0) await sleep(5);
  server.served.engine.close();
  await waiting.end();
  await idle.end();
  assert.equal(server.served.clock.alarms, 0);
  await server.listener.close();
  await server.listener.close();
});

test("a server that was misused until its end lets its process end", async () => {
  const { promise: childConnected, resolve } = Promise.withResolvers<Socket>();
  const control = createServer(resolve);
  await new Promise<void>((done) => control.listen(0, "127.0.0.1", done));
  const { port } = control.address() as { readonly port: number };
  const script = new URL("listener_child.ts", import.meta.url);
  const end = runScript(script, [`${port}`], ["--allow-net", "--allow-env", "--allow-read"]);
  const abusers: Wire[] = [];
  try {
    const child = await Promise.race([childConnected, end.then(({ output }) => assert.fail(output))]);
    const ports = JSON.parse(`${await new Promise((told) => child.once("data", told))}`) as number[];
    const versions = frame(API.API_VERSIONS.key, 0, 1, new Uint8Array(0));
    for (const at of ports) {
      const [idle, half, slow, bad] = [
        await Wire.open(at),
        await Wire.open(at),
        await Wire.open(at),
        await Wire.open(at),
      ];
      abusers.push(idle, half, slow, bad);
      half.send(Uint8Array.from([0x06, 0x3f, 0xff, 0x00, 3]));
      slow.pause();
      slow.send(joined(Array.from({ length: 50_000 }, () => versions)));
      bad.send(versions, Uint8Array.from([0xff, 0xff, 0xff, 0xff]));
    }
    // It is at work when it is told to end.
    assert.equal((await abusers[3]!.answers(1)).length, 1);
    child.destroy();
    assert.deepEqual(await end, { code: 0, output: "closed\n" });
    for (const wire of abusers) wire.resume();
    await Promise.all(abusers.map((wire) => wire.end()));
  } finally {
    for (const wire of abusers) wire[Symbol.dispose]();
    control.close();
  }
});
