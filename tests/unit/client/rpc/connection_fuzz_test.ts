import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError } from "../../../../src/base/errors.ts";
import { API, loadApi } from "../../../../src/client/rpc/api.ts";
import { RpcConnection } from "../../../../src/client/rpc/connection.ts";
import { readMessage } from "../../../../src/client/rpc/required.ts";
import { errorBody, responseFrame, versionsBody } from "../../../fake_server.ts";
import { dialTo, FakeTransport } from "../../../fake_transport.ts";
import { long, type Random, random, seed } from "../../../random.ts";

/** Frames to mutate: a million in a long run, else a share of them with a fresh seed. */
const FRAMES = long ? 1_000_000 : 20_000;
const PER_CONNECTION = 8;

/** A good answer with some bytes changed, cut, doubled or put in. */
function mutate(frame: Uint8Array, random: Random): Uint8Array {
  const bytes = [...frame];
  for (let changes = random.int(4); changes > 0; changes--) {
    const at = random.int(bytes.length + 1);
    switch (random.int(6)) {
      case 0:
        bytes[Math.min(at, bytes.length - 1)] = random.int(256);
        break;
      case 1:
        bytes.splice(at, 1 + random.int(8));
        break;
      case 2:
        bytes.splice(at, 0, ...Array.from({ length: 1 + random.int(8) }, () => random.int(256)));
        break;
      case 3:
        bytes[random.int(4)] = [0, 1, 0x7f, 0x80, 0xff][random.int(5)]!;
        break;
      case 4:
        bytes[4 + random.int(5)] = random.int(4);
        break;
      default:
        bytes.splice(at, 0, ...bytes.slice(at, at + random.int(64)));
    }
    if (bytes.length === 0) bytes.push(random.int(256));
  }
  return Uint8Array.from(bytes);
}

test(`${FRAMES} mutated answers give answers or typed errors, and nothing hangs (SLUICE_SEED=${seed})`, {
  timeout: 600_000,
}, async () => {
  const alarms = new Alarms();
  const { response } = await loadApi(API.API_VERSIONS);
  const bodies = [versionsBody(), errorBody(7, "no such table"), new Uint8Array(0), versionsBody(1).subarray(0, 60)];
  const ends: Record<string, number> = {};
  let largest = 0;
  let connections = 0;
  for (let done = 0; done < FRAMES;) {
    const transport = new FakeTransport();
    const connection = await RpcConnection.open({
      dial: dialTo(transport),
      host: "h",
      port: 1,
      alarms,
      connectTimeoutMs: 60_000,
      requestTimeoutMs: 60_000,
    });
    let settled = 0;
    const settle = (end: string) => {
      settled++;
      ends[end] = (ends[end] ?? 0) + 1;
    };
    for (let i = 0; i < PER_CONNECTION; i++) {
      let calls = 0;
      connection.send({
        apiKey: API.API_VERSIONS.key + 12,
        apiVersion: 0,
        body: new Uint8Array(4),
        timeoutMs: 60_000,
        onAnswer: (body) => {
          const message = readMessage(response, body);
          assert.equal(++calls, 1);
          assert.ok(Array.isArray(message.apiVersions));
          settle("answer");
        },
        onFailure: (error) => {
          assert.equal(++calls, 1);
          assert.ok(FlussError.is(error), String(error));
          settle(error.code);
        },
      });
    }
    await Promise.resolve();
    for (const { id } of transport.requests) {
      // Only what is read counts: after a broken frame the connection is closed.
      if (connection.closed) break;
      done++;
      const type = random.int(20) === 0 ? 2 : random.int(3) === 0 ? 1 : 0;
      const good = responseFrame(type, type === 2 ? undefined : id, bodies[random.int(bodies.length)]!);
      const bytes = mutate(good, random);
      for (let at = 0; at < bytes.length;) {
        const end = random.int(2) === 0 ? bytes.length : at + 1 + random.int(bytes.length - at);
        transport.arrive(bytes.subarray(at, end));
        at = end;
      }
    }
    // What is still open waits for an answer that never came; hanging up must end it.
    transport.hangUp();
    assert.equal(settled, PER_CONNECTION, `after ${done} frames`);
    assert.equal(connection.closed, true);
    if (connections++ % 500 === 0) largest = Math.max(largest, process.memoryUsage().rss);
  }
  assert.equal(alarms.size, 0);
  // The mutations reach every way to end; a fuzz that only ever breaks the stream would prove little.
  for (const end of ["answer", "CONNECTION.PROTOCOL", "CONNECTION.CLOSED", "SERVER.TABLE_NOT_EXIST"]) {
    assert.ok((ends[end] ?? 0) > FRAMES / 1_000, `${end}: ${JSON.stringify(ends)}`);
  }
  assert.ok(largest < 1 << 30, `the process grew to ${largest} bytes`);
});

test(`Random bytes give typed errors, and nothing hangs (SLUICE_SEED=${seed})`, { timeout: 600_000 }, async () => {
  for (let round = 0; round < FRAMES / 20; round++) {
    const transport = new FakeTransport();
    const connection = await RpcConnection.open({
      dial: dialTo(transport),
      host: "h",
      port: 1,
      alarms: new Alarms(),
      connectTimeoutMs: 60_000,
      requestTimeoutMs: 60_000,
    });
    const ended = new Promise<FlussError>((resolve, reject) =>
      connection.send({
        apiKey: 1012,
        apiVersion: 0,
        body: new Uint8Array(4),
        timeoutMs: 60_000,
        onAnswer: () => reject(new Error("random bytes were an answer")),
        onFailure: resolve,
      })
    );
    await Promise.resolve();
    for (let chunk = 0; chunk < 5; chunk++) {
      transport.arrive(Uint8Array.from({ length: 1 + random.int(200) }, () => random.int(256)));
    }
    transport.hangUp();
    assert.ok(FlussError.is(await ended));
  }
});
