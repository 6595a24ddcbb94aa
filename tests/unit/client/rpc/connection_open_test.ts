import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError } from "../../../../src/base/errors.ts";
import type { Dial } from "../../../../src/client/transport/port.ts";
import { errorBody, type FakeRequest, FakeServer, type Peer, responseFrame } from "../../../fake_server.ts";
import { dialTo, FakeTransport } from "../../../fake_transport.ts";
import { has, open } from "./connections.ts";

test("RpcConnection.open() ends at its deadline: no connection, and no handshake", async () => {
  const alarms = new Alarms();
  let aborted: unknown;
  const blackHole: Dial = (_host, _port, { signal }) =>
    new Promise((_, reject) =>
      signal!.addEventListener("abort", () => {
        aborted = signal!.reason;
        reject(signal!.reason);
      })
    );
  await assert.rejects(
    open({ port: 9123, dial: blackHole, connectTimeoutMs: 30, alarms }),
    has("CONNECTION.REFUSED", "127.0.0.1:9123", "did not accept", "30 ms"),
  );
  assert.ok(FlussError.is(aborted));

  const silent = await FakeServer.start(() => {}, { versions: null });
  await assert.rejects(
    open({ port: silent.port, connectTimeoutMs: 50, alarms }),
    has("CONNECTION.REFUSED", "did not finish the handshake"),
  );
  await silent.peers[0]!.closed;
  assert.equal(alarms.size, 0);
  await silent.close();
});

test("RpcConnection.open() ends with the signal's reason and closes the connection", async () => {
  const silent = await FakeServer.start(() => controller.abort(reason), { versions: null });
  const controller = new AbortController();
  const reason = new Error("enough");
  await assert.rejects(open({ port: silent.port, signal: controller.signal }), reason);
  await silent.peers[0]!.closed;
  await assert.rejects(open({ port: silent.port, signal: controller.signal }), reason);
  assert.equal(silent.peers.length, 1);
  await silent.close();
});

test("RpcConnection.open() says what a server did that hangs up or talks nonsense during the handshake", async () => {
  const cases: [string, (request: FakeRequest, peer: Peer) => void][] = [
    ["CONNECTION.CLOSED", (_, peer) => peer.destroy()],
    ["CONNECTION.PROTOCOL", (_, peer) => peer.raw(new TextEncoder().encode("SSH-2.0-OpenSSH"))],
    ["CONNECTION.PROTOCOL", ({ id }, peer) => peer.answer(id, Uint8Array.of(0x0a, 200))],
    ["SERVER.UNSUPPORTED_VERSION", ({ id }, peer) => peer.raw(responseFrame(1, id, errorBody(2)))],
  ];
  for (const [code, onRequest] of cases) {
    const server = await FakeServer.start(onRequest, { versions: null });
    await assert.rejects(open({ port: server.port }), has(code));
    await server.peers[0]!.closed;
    await server.close();
  }
});

test("RpcConnection.open() names the address of the user and where it was dialed", async () => {
  await assert.rejects(
    open({
      port: 9123,
      host: "tablet-1",
      target: { host: "127.0.0.1", port: 1 },
      dial: () => Promise.reject(new Error("connect ECONNREFUSED")),
    }),
    has("CONNECTION.REFUSED", "tablet-1:9123 (dialed at 127.0.0.1:1)", "ECONNREFUSED"),
  );
  const transport = new FakeTransport();
  const connection = await open({
    port: 9123,
    host: "tablet-1",
    target: { host: "127.0.0.1", port: 1 },
    dial: dialTo(transport),
  });
  assert.equal(connection.address, "tablet-1:9123 (dialed at 127.0.0.1:1)");
  connection.close();
});
