import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { connect, FlussError, t, table } from "../../mod.ts";
import { freshDatabase, needsAddress, needsCluster, target } from "../cluster.ts";

const SECRET = "not-the-password";

test("SASL/PLAIN with the right password", needsAddress, async () => {
  const { bootstrap, username, password } = target!.sasl;
  await using db = await connect(`fluss://${bootstrap}`, { username, password });
  assert.ok((await db.admin.databases()).length > 0);
  const database = freshDatabase();
  const declared = table(`${database}.t`, { id: t.int() }, { primaryKey: ["id"] });
  await db.admin.createDatabase(database);
  await db.admin.create(declared);
  // Connections to the leaders log in, too.
  await db.table(declared).upsert({ id: 1 });
  assert.deepEqual(await db.table(declared).lookup({ id: 1 }), { id: 1 });
  await db.admin.dropDatabase(database, { cascade: true });
  for (const shown of [inspect(db, { depth: 9, showHidden: true }), JSON.stringify(db), String(db)]) {
    assert.ok(!shown.includes(password), "the password shows");
  }
});

test("SASL/PLAIN with a wrong password, an unknown user, or none at all", needsAddress, async () => {
  const { bootstrap, username } = target!.sasl;
  for (const credentials of [{ username, password: SECRET }, { username: "nobody", password: SECRET }, {}]) {
    await assert.rejects(connect(`fluss://${bootstrap}`, credentials), (error) => {
      assert.ok(FlussError.is(error, "CONNECTION.AUTH_FAILED"), String(error));
      assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(SECRET));
      return true;
    });
  }
});

test("credentials for a plaintext listener are refused with a way out", needsAddress, async () => {
  await assert.rejects(connect(target!.url, { username: "admin", password: SECRET }), (error) => {
    assert.ok(FlussError.is(error) && error.code.startsWith("CONNECTION."), String(error));
    assert.ok(error.hint !== undefined && !inspect(error, { depth: 9 }).includes(SECRET));
    return true;
  });
});

test("a host that is not there is CONNECTION.REFUSED, well within the deadline", async () => {
  const start = performance.now();
  await assert.rejects(connect("fluss://127.0.0.1:1", { requestTimeoutMs: 5_000 }), (error) => {
    assert.ok(FlussError.is(error, "CONNECTION.REFUSED") && error.message.includes("127.0.0.1:1"), String(error));
    return true;
  });
  assert.ok(performance.now() - start < 5_500);
});

test("bootstrap addresses are tried one after another", needsAddress, async () => {
  await using db = await connect(`fluss://127.0.0.1:1,127.0.0.1:2,${target!.bootstrap}`);
  assert.ok((await db.admin.servers()).some((server) => server.kind === "tabletServer"));
});

test("connect.lazy() connects with the first call", needsCluster, async () => {
  await using db = connect.lazy(target!.url);
  assert.ok((await db.admin.databases()).includes("fluss"));
  await using dead = connect.lazy("fluss://127.0.0.1:1", { requestTimeoutMs: 2_000 });
  await assert.rejects(dead.admin.databases(), (error) => FlussError.is(error, "CONNECTION.REFUSED"));
});

test("resolveAddress maps what servers advertise", needsAddress, async () => {
  const asked = new Set<string>();
  await using db = await connect(`fluss://${target!.bootstrap.replace("127.0.0.1", "cluster.invalid")}`, {
    resolveAddress: (host, port) => {
      asked.add(`${host}:${port}`);
      return { host: "127.0.0.1", port };
    },
  });
  const database = freshDatabase();
  const declared = table(`${database}.t`, { id: t.int() }, { primaryKey: ["id"] });
  await db.admin.createDatabase(database);
  await db.admin.create(declared);
  await db.table(declared).upsert({ id: 1 });
  await db.admin.dropDatabase(database, { cascade: true });
  assert.ok([...asked].some((address) => address.startsWith("cluster.invalid:")));
  assert.ok([...asked].some((address) => address.startsWith("127.0.0.1:")), "the tablet server was not mapped");
});
