import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError, FlussServerError } from "../../../../src/base/errors.ts";
import { API, type Api } from "../../../../src/client/rpc/api.ts";
import { REQUEST_HEADER_BYTES } from "../../../../src/client/rpc/frame.ts";
import { type FakeRequest, FakeServer, responseFrame, versionsBody } from "../../../fake_server.ts";
import { collector, has, open, openFake, send, tick } from "./connections.ts";

test("RpcConnection matches answers in any order with their requests", async () => {
  const held: FakeRequest[] = [];
  const server = await FakeServer.start((request, peer) => {
    held.push(request);
    if (held.length < 100) return;
    for (const { id, body } of held.reverse()) peer.answer(id, body);
  });
  const connection = await open({ port: server.port });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => send(connection, { body: Uint8Array.of(i, 255 - i) })),
  );
  answers.forEach((answer, i) => assert.deepEqual([...answer], [i, 255 - i]));
  assert.equal(connection.inFlight, 0);
  assert.equal(connection.inFlightBytes, 0);
  connection.close();
  await server.close();
});

test("RpcConnection sends the requests of one tick in one write", async () => {
  const [connection, transport] = await openFake();
  const answers = [1, 2, 3].map(() => send(connection));
  assert.equal(transport.writes.length, 0);
  await tick();
  assert.equal(transport.writes.length, 1);
  assert.equal(transport.requests.length, 3);
  for (const { id } of transport.requests) transport.arrive(responseFrame(0, id, new Uint8Array(0)));
  await Promise.all(answers);
  connection.close();
});

test("RpcConnection.send() writes the header into the headroom of a body", async () => {
  const [connection, transport] = await openFake();
  for (const size of [100, 100_000]) {
    const body = new Uint8Array(REQUEST_HEADER_BYTES + size).fill(9);
    const answer = send(connection, { body, headroom: true, apiKey: API.PUT_KV.key, apiVersion: 1 });
    await tick();
    const request = transport.requests.at(-1)!;
    assert.equal(request.apiKey, API.PUT_KV.key);
    assert.equal(request.apiVersion, 1);
    assert.deepEqual(request.body, new Uint8Array(size).fill(9));
    transport.arrive(responseFrame(0, request.id, new Uint8Array(0)));
    await answer;
  }
  connection.close();
});

test("RpcConnection.call() writes the message, reads the answer and owns its bytes", async () => {
  const [connection, transport] = await openFake();
  const answer = connection.call(API.LOOKUP, { tableId: 5n, bucketsReq: [{ bucketId: 0, keys: [Uint8Array.of(1)] }] });
  while (transport.requests.length === 0) await tick();
  const { messages } = API.LOOKUP;
  assert.ok(messages !== undefined);
  const { id } = transport.requests[0]!;
  // bucketsResp { bucketId 0, values [ { values "abc" } ] }
  const body = Uint8Array.of(0x0a, 9, 0x10, 0, 0x2a, 5, 0x0a, 3, 97, 98, 99);
  transport.arrive(responseFrame(0, id, body));
  const { bucketsResp } = await answer;
  assert.deepEqual(bucketsResp[0]!.values[0]!.values, Uint8Array.of(97, 98, 99));
  connection.close();
});

test("RpcConnection.call() rejects with the server's error and goes on", async () => {
  const server = await FakeServer.start(({ apiKey, id }, peer) => {
    if (apiKey === API.TABLE_EXISTS.key) peer.error(id, 4, "no database");
    else peer.answer(id);
  });
  const connection = await open({ port: server.port });
  await assert.rejects(
    connection.call(API.TABLE_EXISTS, { tablePath: { databaseName: "d", tableName: "t" } }),
    (error) =>
      has("SERVER.DATABASE_NOT_EXIST", "TABLE_EXISTS", String(server.port), "no database")(error) &&
      error instanceof FlussServerError && error.serverCode === 4,
  );
  assert.deepEqual((await connection.call(API.LIST_DATABASES, {})).databaseName, []);
  connection.close();
  await server.close();
});

test("RpcConnection.call() says CONNECTION.PROTOCOL for an answer that is no message, and goes on", async () => {
  let count = 0;
  const server = await FakeServer.start(({ id }, peer) =>
    peer.answer(id, Uint8Array.from(count++ === 0 ? [0x0a, 99] : []))
  );
  const connection = await open({ port: server.port });
  await assert.rejects(connection.call(API.LIST_DATABASES, {}), has("CONNECTION.PROTOCOL"));
  assert.deepEqual((await connection.call(API.LIST_DATABASES, {})).databaseName, []);
  connection.close();
  await server.close();
});

test("RpcConnection passes on what onAnswer throws to onFailure, and reads the next answer", async () => {
  const [connection, transport] = await openFake();
  const broken = send(connection, {
    onAnswer: () => {
      throw new RangeError("out of bounds");
    },
  });
  const good = send(connection);
  await tick();
  const frames = transport.requests.map(({ id }) => responseFrame(0, id, new Uint8Array(0)));
  transport.arrive(Uint8Array.from([...frames[0]!, ...frames[1]!]));
  await assert.rejects(broken, has("CONNECTION.PROTOCOL", "LOOKUP"));
  await good;
  connection.close();
});

test("RpcConnection drops the late answer of a request that timed out, and the next request works", async () => {
  const { server, next } = await collector();
  const connection = await open({ port: server.port });
  const late = send(connection, { timeoutMs: 30 });
  const [first, peer] = await next();
  await assert.rejects(late, has("TIMEOUT.REQUEST", "LOOKUP", `127.0.0.1:${server.port}`, "30 ms"));
  assert.equal(connection.inFlight, 0);
  const answer = send(connection);
  const [second] = await next();
  peer.answer(first.id, Uint8Array.of(1));
  peer.answer(second.id, Uint8Array.of(2));
  assert.deepEqual([...await answer], [2]);
  assert.equal(connection.droppedAnswers, 1);
  connection.close();
  await server.close();
});

test("RpcConnection keeps every deadline, whatever the order in which they were set", async () => {
  const [connection] = await openFake();
  const start = performance.now();
  const ended: number[] = [];
  await Promise.all([90, 30, 60, 30, 120].map((timeoutMs) =>
    assert.rejects(
      send(connection, { timeoutMs }).finally(() => ended.push(timeoutMs)),
      has("TIMEOUT.REQUEST"),
    ).then(() => assert.ok(performance.now() - start >= timeoutMs - 1))
  ));
  assert.deepEqual(ended, [30, 30, 60, 90, 120]);
  connection.close();
});

test("RpcConnection.call() rejects with the signal's reason: before, while and after", async () => {
  const { server, next } = await collector();
  const connection = await open({ port: server.port });
  const reason = new Error("enough");
  await assert.rejects(connection.call(API.LIST_DATABASES, {}, { signal: AbortSignal.abort(reason) }), reason);

  const controller = new AbortController();
  const call = connection.call(API.LIST_DATABASES, {}, { signal: controller.signal });
  const [request, peer] = await next();
  controller.abort(reason);
  await assert.rejects(call, reason);
  assert.equal(connection.inFlight, 0);
  peer.answer(request.id);

  const after = new AbortController();
  const done = connection.call(API.LIST_DATABASES, {}, { signal: after.signal });
  const [second] = await next();
  peer.answer(second.id);
  await done;
  after.abort(reason);
  assert.equal(connection.closed, false);
  assert.equal(connection.droppedAnswers, 1);
  connection.close();
  await server.close();
});

test("SentRequest.cancel() calls no callback and frees its place", async () => {
  const [connection, transport] = await openFake({ limits: { count: 1, bytes: 1000 } });
  const sent = connection.send({
    apiKey: 1017,
    apiVersion: 1,
    body: new Uint8Array(5),
    timeoutMs: 1000,
    onAnswer: () => assert.fail("answered"),
    onFailure: () => assert.fail("failed"),
  });
  const second = send(connection);
  const third = connection.send({
    apiKey: 1017,
    apiVersion: 1,
    body: new Uint8Array(5),
    timeoutMs: 1000,
    onAnswer: () => assert.fail("answered"),
    onFailure: () => assert.fail("failed"),
  });
  await tick();
  assert.deepEqual([connection.inFlight, connection.waiting], [1, 2]);
  third.cancel();
  assert.equal(connection.waiting, 1);
  sent.cancel();
  sent.cancel();
  await tick();
  assert.deepEqual([connection.inFlight, connection.waiting], [1, 0]);
  for (const { id } of transport.requests) transport.arrive(responseFrame(0, id, new Uint8Array(0)));
  await second;
  assert.equal(connection.droppedAnswers, 1);
  connection.close();
  await tick();
});

test("RpcConnection holds back what exceeds the limits, in order, with the deadline running", async () => {
  const [connection, transport] = await openFake({ limits: { count: 3, bytes: 100 } });
  const order: number[] = [];
  const answers = [60, 30, 20, 5, 5].map((size, i) =>
    send(connection, { body: new Uint8Array(size).fill(i) }).then((body) => order.push(body[0]!))
  );
  const starving = assert.rejects(send(connection, { timeoutMs: 20 }), has("TIMEOUT.REQUEST", "could not be sent"));
  await tick();
  // 60 + 30 fit, 20 more would not; the small ones behind it keep their place.
  assert.deepEqual(transport.requests.map(({ body }) => body[0]), [0, 1]);
  assert.equal(connection.inFlightBytes, 90);
  await starving;
  const answer = (i: number) =>
    transport.arrive(responseFrame(0, transport.requests[i]!.id, transport.requests[i]!.body));
  answer(1);
  await tick();
  assert.deepEqual(transport.requests.map(({ body }) => body[0]), [0, 1, 2, 3], "by bytes, then by count");
  answer(0);
  await tick();
  for (const i of [2, 3, 4]) answer(i);
  await Promise.all(answers);
  assert.deepEqual(order, [1, 0, 2, 3, 4]);

  // Larger than the limit: alone, but it leaves.
  const large = send(connection, { body: new Uint8Array(500) });
  await tick();
  answer(5);
  await large;
  connection.close();
});

test("SentRequest.cancel() lets go what a waiting request held back", async () => {
  const [connection, transport] = await openFake({ limits: { count: 10, bytes: 100 } });
  const ignore = { apiKey: 1017, apiVersion: 1, timeoutMs: 1000, onAnswer: () => {}, onFailure: () => {} };
  connection.send({ ...ignore, body: new Uint8Array(60) });
  const large = connection.send({ ...ignore, body: new Uint8Array(50) });
  connection.send({ ...ignore, body: new Uint8Array(30) });
  await tick();
  assert.deepEqual(transport.requests.map(({ body }) => body.length), [60]);
  large.cancel();
  await tick();
  assert.deepEqual(transport.requests.map(({ body }) => body.length), [60, 30]);
  connection.close();
});

test("RpcConnection holds back requests while the socket asks to wait", async () => {
  const [connection, transport] = await openFake();
  const room = Promise.withResolvers<void>();
  transport.pressure = room.promise;
  const first = send(connection);
  await tick();
  transport.pressure = undefined;
  const second = send(connection);
  await tick();
  assert.equal(transport.requests.length, 1);
  assert.equal(connection.waiting, 1);
  room.resolve();
  await tick();
  assert.equal(transport.requests.length, 2);
  for (const { id } of transport.requests) transport.arrive(responseFrame(0, id, new Uint8Array(0)));
  await Promise.all([first, second]);
  connection.close();
});

test("RpcConnection fails everything when the server closes, and names where", async () => {
  const server = await FakeServer.start((_, peer) => {
    peer.raw(responseFrame(0, 0, new Uint8Array(100)).subarray(0, 20));
    peer.socket.end();
  });
  const closed: (FlussError | undefined)[] = [];
  const connection = await open({
    port: server.port,
    limits: { count: 1, bytes: 100 },
    onClose: (error) => closed.push(error),
  });
  const [first, second] = [send(connection), send(connection)];
  for (const request of [first, second]) {
    await assert.rejects(
      request,
      (error) =>
        has("CONNECTION.CLOSED", `127.0.0.1:${server.port}`, "in the middle of an answer")(error) &&
        (error as FlussError).retriable,
    );
  }
  assert.equal(connection.closed, true);
  assert.equal(closed.length, 1);
  assert.ok(FlussError.is(closed[0], "CONNECTION.CLOSED"));
  await assert.rejects(send(connection), has("CONNECTION.CLOSED"));
  await server.close();
});

test("RpcConnection fails everything on SERVER_FAILURE", async () => {
  const server = await FakeServer.start((_, peer) => peer.failure(-1, "TooLongFrameException: 5 > 4\n\tat x.y"));
  const connection = await open({ port: server.port });
  const requests = [send(connection), send(connection)];
  for (const request of requests) {
    await assert.rejects(
      request,
      (error) =>
        has("CONNECTION.CLOSED", "TooLongFrameException: 5 > 4")(error) &&
        ((error as Error).cause as FlussServerError).serverCode === -1,
    );
  }
  assert.equal(connection.closed, true);
  await server.close();
});

test("RpcConnection refuses what is no Fluss protocol and hangs up", async () => {
  const cases: [string, Uint8Array][] = [
    ["1213486160 bytes", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n")],
    ["2147483647 bytes", Uint8Array.of(0x7f, 0xff, 0xff, 0xff)],
    ["cannot have -1 bytes", Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
    ["unknown type 9", responseFrame(9, 0, new Uint8Array(4))],
    ["too short", Uint8Array.of(0, 0, 0, 3, 0, 0, 0)],
    ["cannot be read", Uint8Array.of(0, 0, 0, 2, 2, 0x0a)],
  ];
  for (const [words, bytes] of cases) {
    const server = await FakeServer.start((_, peer) => peer.raw(bytes));
    const connection = await open({ port: server.port });
    await assert.rejects(send(connection), has("CONNECTION.PROTOCOL", words, `127.0.0.1:${server.port}`));
    assert.equal(connection.closed, true);
    await server.peers[0]!.closed;
    await server.close();
  }
});

test("RpcConnection accepts answers up to maxFrameBytes", async () => {
  const [connection, transport] = await openFake({ maxFrameBytes: 5_000 });
  const answer = send(connection);
  await tick();
  transport.arrive(responseFrame(0, transport.requests[0]!.id, new Uint8Array(4_995)));
  assert.equal((await answer).length, 4_995);
  const refused = send(connection);
  await tick();
  transport.arrive(responseFrame(0, transport.requests[1]!.id, new Uint8Array(4_996)));
  await assert.rejects(refused, has("CONNECTION.PROTOCOL", "5001"));
});

test("RpcConnection.onAnswer gets bytes to keep only when it says so", async () => {
  const [connection, transport] = await openFake();
  const got: [Uint8Array, boolean][] = [];
  const ask = async (deliver: (frame: Uint8Array) => void) => {
    const done = new Promise<void>((resolve, reject) =>
      connection.send({
        apiKey: 1017,
        apiVersion: 1,
        body: new Uint8Array(1),
        timeoutMs: 1000,
        onAnswer: (body, owned) => {
          got.push([owned ? body : body.slice(), owned]);
          resolve();
        },
        onFailure: reject,
      })
    );
    await tick();
    deliver(responseFrame(0, transport.requests.at(-1)!.id, Uint8Array.of(1, 2, 3)));
    await done;
  };
  await ask((frame) => transport.arrive(frame));
  await ask((frame) => {
    transport.arrive(frame.subarray(0, 10));
    transport.arrive(frame.subarray(10));
  });
  assert.deepEqual(got, [[Uint8Array.of(1, 2, 3), false], [Uint8Array.of(1, 2, 3), true]]);
  connection.close();
});

test("RpcConnection moves 10 MB frames both ways", async () => {
  const body = new Uint8Array(10 << 20);
  for (let i = 0; i < body.length; i += 1000) body[i] = i >> 3;
  const server = await FakeServer.start(({ id, body }, peer) => peer.answer(id, body));
  const connection = await open({ port: server.port });
  const answers = await Promise.all([1, 2, 3].map(() => send(connection, { body: body.slice(), timeoutMs: 20_000 })));
  for (const answer of answers) assert.equal(Buffer.compare(answer, body), 0);
  connection.close();
  await server.close();
});

test("RpcConnection.close() fails what is open with the given error, once, and stops the deadlines", async () => {
  const alarms = new Alarms();
  const [connection, transport] = await openFake({ alarms });
  const failures: FlussError[] = [];
  connection.send({
    apiKey: 1017,
    apiVersion: 1,
    body: new Uint8Array(1),
    timeoutMs: 60_000,
    onAnswer: () => assert.fail("answered"),
    onFailure: (error) => failures.push(error),
  });
  // An earlier deadline takes the place of the alarm.
  send(connection, { timeoutMs: 30_000 }).catch(() => {});
  await tick();
  assert.equal(alarms.size, 1);
  connection.close();
  connection.close();
  transport.onData(responseFrame(0, transport.requests[0]!.id, new Uint8Array(0)));
  assert.equal(failures.length, 1);
  assert.equal(failures[0]!.code, "CONNECTION.CLOSED");
  assert.equal(alarms.size, 0);
  assert.equal(transport.closed, true);
});

test("RpcConnection.close() from within a callback ends the reading of the chunk", async () => {
  const [connection, transport] = await openFake();
  const first = send(connection, { onAnswer: () => connection.close() });
  const second = send(connection, { onAnswer: () => assert.fail("answered after close") });
  first.catch(() => {});
  await tick();
  const frames = transport.requests.map(({ id }) => responseFrame(0, id, new Uint8Array(0)));
  transport.arrive(Uint8Array.from([...frames[0]!, ...frames[1]!]));
  await assert.rejects(second, has("CONNECTION.CLOSED"));
  assert.equal(connection.inFlightBytes, 0);
  assert.equal(connection.droppedAnswers, 0);
});

test("RpcConnection starts again at id 0 after the largest int32", async () => {
  const [connection, transport] = await openFake({ firstRequestId: 0x7fffffff - 2 });
  const answers = [1, 2, 3, 4].map((i) => send(connection, { body: Uint8Array.of(i) }));
  await tick();
  // The handshake took the first id.
  assert.deepEqual(transport.requests.map(({ id }) => id), [0x7ffffffe, 0x7fffffff, 0, 1]);
  for (const { id, body } of transport.requests) transport.arrive(responseFrame(0, id, body));
  assert.deepEqual((await Promise.all(answers)).map((answer) => answer[0]), [1, 2, 3, 4]);
  connection.close();
});

test("RpcConnection.versionOf() chooses the highest version that both know", async () => {
  const offered = (apis: Partial<Record<"key" | "minVersion" | "maxVersion", number>>[]) =>
    FakeServer.start(() => {}, { versions: versionsBody(2, apis as Pick<Api, "key" | "minVersion" | "maxVersion">[]) });
  const server = await offered([
    { key: API.LOOKUP.key, minVersion: 0, maxVersion: 0 },
    { key: API.PUT_KV.key, minVersion: 0, maxVersion: 99 },
    { key: API.GET_METADATA.key, minVersion: 50, maxVersion: 51 },
  ]);
  const connection = await open({ port: server.port });
  assert.equal(connection.serverType, 2);
  assert.equal(connection.versionOf(API.LOOKUP), 0);
  assert.equal(connection.versionOf(API.PUT_KV), API.PUT_KV.maxVersion);
  assert.throws(
    () => connection.versionOf(API.GET_METADATA),
    has("CONNECTION.UNSUPPORTED_VERSION", "GET_METADATA", "50 to 51", `127.0.0.1:${server.port}`),
  );
  await assert.rejects(
    connection.call(API.CREATE_DATABASE, { databaseName: "d", ignoreIfExists: true }),
    has("CONNECTION.UNSUPPORTED_VERSION", "tablet server", "CREATE_DATABASE"),
  );
  connection.close();
  await server.close();
});
