import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError } from "../../../../src/base/errors.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { ConnectionPool, type PoolOptions, reconnectMs } from "../../../../src/client/rpc/pool.ts";
import { dial } from "../../../../src/client/transport/dial.ts";
import { FakeServer } from "../../../fake_server.ts";
import { FakeTransport } from "../../../fake_transport.ts";

function poolOf(options: Partial<PoolOptions> = {}): ConnectionPool {
  return new ConnectionPool({ dial, alarms: new Alarms(), requestTimeoutMs: 5_000, ...options });
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("ConnectionPool.get() opens one connection for all who ask, and keeps it", async () => {
  const server = await FakeServer.start(({ id }, peer) => peer.answer(id));
  const pool = poolOf();
  assert.equal(pool.current(server.host, server.port), undefined);
  const connections = await Promise.all(Array.from({ length: 20 }, () => pool.get(server.host, server.port)));
  assert.equal(new Set(connections).size, 1);
  assert.equal(pool.current(server.host, server.port), connections[0]);
  assert.equal(await pool.get(server.host, server.port), connections[0]);
  assert.deepEqual([...pool.connections()], [connections[0]]);
  assert.equal(server.peers.length, 1);
  pool.close();
  await server.close();
});

test("ConnectionPool.get() opens a lost connection again", async () => {
  const server = await FakeServer.start(({ id }, peer) => peer.answer(id));
  const pool = poolOf();
  const first = await pool.get(server.host, server.port);
  const lost = first.call(API.LIST_DATABASES, {}).then(async () => {
    server.peers[0]!.destroy();
    await server.peers[0]!.closed;
  });
  await lost;
  while (pool.current(server.host, server.port) !== undefined) await wait(1);
  assert.equal(first.closed, true);
  // It was lost within a second: the address rests for a moment.
  await assert.rejects(pool.get(server.host, server.port), (error) => FlussError.is(error, "CONNECTION.CLOSED"));
  await wait(80);
  const second = await pool.get(server.host, server.port);
  assert.notEqual(second, first);
  await second.call(API.LIST_DATABASES, {});
  // What an old connection says later is none of the new one's business.
  first.close();
  assert.equal(pool.current(server.host, server.port), second);
  pool.close();
  await server.close();
});

test("ConnectionPool.get() fails fast with the last failure while an address rests, and rests longer each time", async () => {
  let dials = 0;
  const pool = poolOf({
    dial: () => {
      dials++;
      return Promise.reject(new Error("connect ECONNREFUSED"));
    },
  });
  const refused = (error: unknown) => FlussError.is(error, "CONNECTION.REFUSED") && error.retriable;
  for (const restMs of [50, 100, 200]) {
    const before = dials;
    const start = performance.now();
    await assert.rejects(pool.get("h", 1), refused);
    await Promise.all(Array.from({ length: 10 }, () => assert.rejects(pool.get("h", 1), refused)));
    while (performance.now() - start < restMs) {
      await assert.rejects(pool.get("h", 1), refused);
      await wait(5);
    }
    assert.equal(dials, before + 1, `a dial within ${restMs} ms`);
    await wait(restMs / 2 + 5);
  }
  pool.close();
});

test("reconnectMs() doubles from 50 ms up to 2 s and adds 20 to 50 percent", () => {
  for (const [failures, base] of [[1, 50], [2, 100], [3, 200], [6, 1_600], [7, 2_000], [1_000, 2_000]] as const) {
    for (let i = 0; i < 50; i++) {
      const ms = reconnectMs(failures);
      assert.ok(ms >= base * 1.2 && ms <= base * 1.5, `${failures}: ${ms}`);
    }
  }
});

test("ConnectionPool.get() ends with the caller's signal or deadline while the attempt goes on for others", async () => {
  const opening = Promise.withResolvers<FakeTransport>();
  const pool = poolOf({ dial: () => opening.promise });
  const patient = pool.get("h", 1);
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = assert.rejects(pool.get("h", 1, { signal: controller.signal }), reason);
  const late = assert.rejects(
    pool.get("h", 1, { timeoutMs: 20 }),
    (error) => FlussError.is(error, "TIMEOUT.REQUEST") && error.message.includes("h:1"),
  );
  controller.abort(reason);
  await aborted;
  await late;
  opening.resolve(new FakeTransport());
  assert.equal((await patient).closed, false);
  await assert.rejects(pool.get("h", 1, { signal: AbortSignal.abort(reason) }), reason);
  pool.close();
});

test("ConnectionPool dials where resolveAddress says, at once or later", async () => {
  const server = await FakeServer.start();
  const target = { host: server.host, port: server.port };
  for (const resolveAddress of [() => target, () => Promise.resolve(target)]) {
    const asked: unknown[] = [];
    const pool = poolOf({
      resolveAddress: (host, port) => {
        asked.push([host, port]);
        return resolveAddress();
      },
    });
    const connection = await pool.get("tablet-0.internal", 9124);
    assert.deepEqual(asked, [["tablet-0.internal", 9124]]);
    assert.equal(connection.address, `tablet-0.internal:9124 (dialed at 127.0.0.1:${server.port})`);
    assert.equal(pool.current("tablet-0.internal", 9124), connection);
    pool.close();
  }
  await server.close();
});

test("ConnectionPool says that resolveAddress failed, or does not answer", async () => {
  const broken = poolOf({
    resolveAddress: () => {
      throw new Error("no such tunnel");
    },
  });
  await assert.rejects(
    broken.get("h", 1),
    (error) => FlussError.is(error, "CONNECTION.REFUSED") && /resolveAddress.*h:1.*no such tunnel/.test(error.message),
  );
  broken.close();
  const hanging = poolOf({ resolveAddress: () => new Promise(() => {}), connectTimeoutMs: 20 });
  await assert.rejects(hanging.get("h", 1), (error) => FlussError.is(error, "CONNECTION.REFUSED"));
  hanging.close();
});

test("ConnectionPool.close() closes connections, ends attempts and leaves no alarm", async () => {
  const server = await FakeServer.start();
  const silent = await FakeServer.start(() => {}, { versions: null });
  const alarms = new Alarms();
  const pool = poolOf({ alarms });
  const open = await pool.get(server.host, server.port);
  const opening = pool.get(silent.host, silent.port);
  const unanswered = open.call(API.LIST_DATABASES, {});
  const closed = (error: unknown) => FlussError.is(error, "CONNECTION.CLOSED") && !error.retriable;
  const ended = [assert.rejects(opening, closed), assert.rejects(unanswered, closed)];
  pool.close();
  await Promise.all(ended);
  await assert.rejects(pool.get(server.host, server.port), closed);
  assert.equal(pool.current(server.host, server.port), undefined);
  await Promise.all([...server.peers, ...silent.peers].map((peer) => peer.closed));
  assert.equal(alarms.size, 0);
  await server.close();
  await silent.close();
});

test("ConnectionPool closes a connection that opens after the pool was closed", async () => {
  const opening = Promise.withResolvers<FakeTransport>();
  const pool = poolOf({ dial: () => opening.promise });
  const ended = assert.rejects(pool.get("h", 1), (error) => FlussError.is(error, "CONNECTION.CLOSED"));
  await wait(0);
  pool.close();
  const transport = new FakeTransport();
  opening.resolve(transport);
  await ended;
  assert.equal(transport.closed, true);
  assert.equal(transport.writes.length, 0);
});

test("ConnectionPool.close() leaves nothing open, in whatever step of opening it comes", async () => {
  for (let steps = 0; steps < 80; steps++) {
    const transports: FakeTransport[] = [];
    const pool = poolOf({
      dial: () => {
        const transport = new FakeTransport();
        transports.push(transport);
        return Promise.resolve(transport);
      },
    });
    const got = pool.get("h", 1).catch(() => {});
    for (let i = 0; i < steps; i++) await Promise.resolve();
    pool.close();
    await got;
    await wait(0);
    for (const transport of transports) assert.equal(transport.closed, true, `after ${steps} steps`);
  }
});
