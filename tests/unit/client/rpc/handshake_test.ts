import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError } from "../../../../src/base/errors.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { type Credentials, RpcConnection } from "../../../../src/client/rpc/connection.ts";
import {
  ApiVersionsRequestSchema,
  AuthenticateRequestSchema,
} from "../../../../src/client/rpc/gen/fluss/v1/handshake_pb.ts";
import { VERSION } from "../../../../src/base/version.ts";
import { CLIENT_NAME } from "../../../../src/client/rpc/handshake.ts";
import { plainToken } from "../../../../src/client/rpc/sasl.ts";
import { commonVersion } from "../../../../src/client/rpc/versions.ts";
import { dial } from "../../../../src/client/transport/dial.ts";
import { type FakeRequest, FakeServer, type Peer, versionsBody } from "../../../fake_server.ts";

const PASSWORD = "pass-phrase-7";
const ALICE: Credentials = { username: "alice", password: PASSWORD };

function open(port: number, credentials?: Credentials, connectTimeoutMs = 5_000): Promise<RpcConnection> {
  return RpcConnection.open({
    dial,
    host: "127.0.0.1",
    port,
    alarms: new Alarms(),
    connectTimeoutMs,
    requestTimeoutMs: 5_000,
    credentials,
  });
}

function authFailed(...words: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(FlussError.is(error, "CONNECTION.AUTH_FAILED"), String(error));
    assert.equal(error.retriable, false);
    for (const word of words) assert.ok(error.message.includes(word), `"${word}" is not in: ${error.message}`);
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      assert.ok(!`${cause.message}${cause.stack}${JSON.stringify(cause)}`.includes(PASSWORD), "a password in an error");
    }
    return true;
  };
}

test("The handshake asks for versions first, under our name and version", async () => {
  const seen: FakeRequest[] = [];
  const server = await FakeServer.start((request, peer) => {
    seen.push(request);
    peer.answer(request.id, request.apiKey === API.API_VERSIONS.key ? versionsBody(1) : new Uint8Array(0));
  }, { versions: null });
  const connection = await open(server.port);
  assert.equal(seen.length, 1);
  assert.deepEqual([seen[0]!.apiKey, seen[0]!.apiVersion], [1000, 0]);
  const request = fromBinary(ApiVersionsRequestSchema, seen[0]!.body);
  assert.deepEqual([request.clientSoftwareName, request.clientSoftwareVersion], [CLIENT_NAME, VERSION]);
  assert.equal(connection.serverType, 1);
  connection.close();
  await server.close();
});

test("VERSION is that of the package", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../../../package.json", import.meta.url), "utf8"));
  assert.equal(VERSION, version);
});

test("The handshake takes a server that does not know its type", async () => {
  for (const type of [undefined, -1]) {
    const server = await FakeServer.start(() => {}, { versions: versionsBody(type) });
    const connection = await open(server.port);
    assert.equal(connection.serverType, type === undefined ? 2 : undefined, "versionsBody defaults to 2");
    connection.close();
    await server.close();
  }
});

test("commonVersion() follows the rules of the protocol", () => {
  const range = (minVersion: number, maxVersion: number) => ({ minVersion, maxVersion });
  assert.equal(commonVersion(range(0, 1), range(0, 2)), 1);
  assert.equal(commonVersion(range(0, 2), range(0, 1)), 1);
  assert.equal(commonVersion(range(1, 2), range(0, 1)), 1);
  assert.equal(commonVersion(range(2, 2), range(0, 1)), undefined);
  assert.equal(commonVersion(range(0, 1), range(2, 3)), undefined);
});

test("plainToken() is NUL user NUL password in UTF-8", () => {
  assert.deepEqual(plainToken({ username: "guest", password: "pw" }), new TextEncoder().encode("\0guest\0pw"));
  assert.deepEqual([...plainToken({ username: "ü", password: "€" })], [0, 0xc3, 0xbc, 0, 0xe2, 0x82, 0xac]);
});

/** A server that lets AUTHENTICATE be answered by the test. */
function saslServer(onLogin: (request: FakeRequest, peer: Peer) => void): Promise<FakeServer> {
  return FakeServer.start((request, peer) => {
    if (request.apiKey === API.AUTHENTICATE.key) onLogin(request, peer);
    else peer.error(request.id, 46, "The connection has not completed authentication yet.");
  });
}

/** A challenge that is present and empty. */
const COMPLETE = Uint8Array.of(0x0a, 0);

test("The login sends mechanism PLAIN and is complete with an empty challenge, or none", async () => {
  for (const answer of [COMPLETE, new Uint8Array(0)]) {
    const logins: FakeRequest[] = [];
    const server = await saslServer((request, peer) => {
      logins.push(request);
      peer.answer(request.id, answer);
    });
    const connection = await open(server.port, ALICE);
    assert.equal(logins.length, 1);
    const { protocol, token } = fromBinary(AuthenticateRequestSchema, logins[0]!.body);
    assert.equal(protocol, "PLAIN");
    assert.deepEqual(token, plainToken(ALICE));
    connection.close();
    await server.close();
  }
});

test("The login fails with CONNECTION.AUTH_FAILED, names user and address, never the password", async () => {
  const server = await saslServer(({ id }, peer) =>
    peer.error(id, 46, "Authentication failed: Invalid username or password")
  );
  await assert.rejects(open(server.port, ALICE), authFailed('"alice"', `127.0.0.1:${server.port}`, "Invalid username"));
  await server.peers[0]!.closed;
  await server.close();
});

test("The login refuses a second step, which PLAIN does not have", async () => {
  const server = await saslServer(({ id }, peer) => peer.answer(id, Uint8Array.of(0x0a, 1, 65)));
  await assert.rejects(open(server.port, ALICE), (error) => FlussError.is(error, "CONNECTION.PROTOCOL"));
  await server.close();
});

test("The login is tried again after code 51, with the first message, until the deadline", async () => {
  let logins = 0;
  const server = await saslServer(({ id }, peer) => {
    if (++logins < 3) peer.error(id, 51, "try again");
    else peer.answer(id, COMPLETE);
  });
  const connection = await open(server.port, ALICE);
  assert.equal(logins, 3);
  connection.close();

  logins = -1000;
  const start = performance.now();
  await assert.rejects(open(server.port, ALICE, 250), (error) => FlussError.is(error, "CONNECTION.REFUSED"));
  assert.ok(performance.now() - start < 1_000);
  assert.ok(logins <= -997, "it waits between attempts");
  await server.close();
});

test("A listener that wants a login says so on the first request without one", async () => {
  const server = await saslServer(() => assert.fail("no login was asked for"));
  const connection = await open(server.port);
  await assert.rejects(
    connection.call(API.LIST_DATABASES, {}),
    authFailed(`127.0.0.1:${server.port}`, "SASL", "username"),
  );
  connection.close();
  await server.close();
});

test("A login on a PLAINTEXT listener says what is wrong", async () => {
  const server = await saslServer(({ id }, peer) =>
    peer.error(
      id,
      46,
      "Authenticate protocol not match: protocol of server is 'PLAINTEXT' while protocol of client is 'PLAIN'",
    )
  );
  await assert.rejects(open(server.port, ALICE), authFailed("PLAINTEXT", '"alice"', "leave username and password out"));
  await server.close();
});
