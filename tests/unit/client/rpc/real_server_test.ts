import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../../src/base/alarms.ts";
import { FlussError } from "../../../../src/base/errors.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { type Credentials, RpcConnection } from "../../../../src/client/rpc/connection.ts";
import { dial } from "../../../../src/client/transport/dial.ts";

/** Where the real cluster of this run is, if there is one. */
const CLUSTER = process.env["SLUICE_CLUSTER"] === undefined ? undefined : JSON.parse(process.env["SLUICE_CLUSTER"]) as {
  readonly bootstrap: string;
  readonly sasl?: { readonly bootstrap: string; readonly username: string; readonly password: string };
};
const { bootstrap, sasl } = CLUSTER ?? {};
const plain = { skip: bootstrap === undefined && "no real cluster: SLUICE_CLUSTER is not set" };
const withSasl = { skip: sasl === undefined && "no real cluster with SASL: SLUICE_CLUSTER does not name one" };

function open(bootstrap: string, credentials?: Credentials): Promise<RpcConnection> {
  const [host, port] = bootstrap.split(",")[0]!.split(":") as [string, string];
  return RpcConnection.open({
    dial,
    host,
    port: Number(port),
    alarms: new Alarms(),
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    credentials,
  });
}

function authFailed(...words: string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(FlussError.is(error, "CONNECTION.AUTH_FAILED"), String(error));
    for (const word of words) assert.ok(error.message.includes(word), `"${word}" is not in: ${error.message}`);
    for (const secret of [sasl?.password, "wrong-pass-phrase"]) {
      if (secret !== undefined) assert.ok(!`${error.message}${error.stack}${error.cause}`.includes(secret));
    }
    return true;
  };
}

test("A real server answers the handshake and pipelined requests", plain, async () => {
  const connection = await open(bootstrap!);
  assert.ok(connection.serverType === 1 || connection.serverType === 2);
  const answers = await Promise.all(Array.from({ length: 200 }, () => connection.call(API.GET_METADATA, {})));
  for (const { tabletServers } of answers) assert.ok(tabletServers.length >= 1);
  await assert.rejects(
    connection.call(API.GET_TABLE_INFO, { tablePath: { databaseName: "no_such_database", tableName: "t" } }),
    (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST") || FlussError.is(error, "SERVER.DATABASE_NOT_EXIST"),
  );
  assert.equal((await connection.call(API.DATABASE_EXISTS, { databaseName: "no_such_database" })).exists, false);
  connection.close();
});

test("A real server refuses credentials on its plaintext listener, and we say why", plain, async () => {
  await assert.rejects(
    open(bootstrap!, { username: "alice", password: "wrong-pass-phrase" }),
    authFailed("PLAINTEXT", '"alice"', "leave username and password out"),
  );
});

test("A real server takes the right password", withSasl, async () => {
  const { bootstrap, username, password } = sasl!;
  const connection = await open(bootstrap, { username, password });
  assert.ok((await connection.call(API.GET_METADATA, {})).tabletServers.length >= 1);
  connection.close();
});

test("A real server refuses a wrong password and an unknown user", withSasl, async () => {
  const { bootstrap, username } = sasl!;
  for (const user of [username, "nobody-of-that-name"]) {
    await assert.rejects(
      open(bootstrap, { username: user, password: "wrong-pass-phrase" }),
      authFailed(`"${user}"`, bootstrap),
    );
  }
});

test("A real server wants a login on its SASL listener, and we say so", withSasl, async () => {
  const connection = await open(sasl!.bootstrap);
  await assert.rejects(connection.call(API.GET_METADATA, {}), authFailed("SASL", "username"));
  connection.close();
});

test(
  "A real server that gets an oversized frame gives the connection up, and the request fails with it",
  plain,
  async () => {
    const connection = await open(bootstrap!);
    const ended = new Promise<FlussError>((resolve, reject) =>
      connection.send({
        apiKey: API.GET_METADATA.key,
        apiVersion: 0,
        body: new Uint8Array(101 << 20),
        timeoutMs: 20_000,
        onAnswer: () => reject(new Error("an answer")),
        onFailure: resolve,
      })
    );
    const error = await ended;
    assert.equal(error.code, "CONNECTION.CLOSED");
    assert.equal(connection.closed, true);
  },
);
