import assert from "node:assert/strict";
import { test } from "node:test";
import { listen, type Listener } from "../../src/embedded/mod.ts";
import { connect, t, table } from "../../mod.ts";
import { Served } from "../unit/embedded/served.ts";
import { CommandLine } from "./command_line.ts";

const ADMIN = { name: "admin", password: "admin-hunter2" };
const ALICE = { name: "alice", password: "alice-hunter2" };
const orders = table("shop.orders", { id: t.int(), total: t.int() }, { primaryKey: ["id"], buckets: 1 });

type User = typeof ADMIN;

/** Our own server, which asks everybody but the admin for rights, and commands of its users. */
async function withServer(
  work: (
    run: (user: User, args: readonly string[]) => Promise<{ code: number | null; out: string; err: string }>,
  ) => Promise<void>,
): Promise<void> {
  const served = new Served({ authorizer: true, superUsers: [ADMIN.name] });
  let listener: Listener | undefined;
  try {
    listener = await listen(served.engine, { port: 0, users: [ADMIN, ALICE] });
    const url = `fluss://127.0.0.1:${listener.coordinator.port}`;
    await using db = await connect(url, { username: ADMIN.name, password: ADMIN.password });
    await db.admin.createDatabase("shop");
    await db.admin.create(orders);
    await db.table(orders).upsertAll([{ id: 1, total: 5 }]);
    await work(async ({ name, password }, args) => {
      await using command = new CommandLine(args, {
        SLUICE_URL: url,
        SLUICE_USERNAME: name,
        SLUICE_PASSWORD: password,
      });
      const code = await command.ended();
      assert.ok(!(command.out + command.err).includes("hunter2"));
      return { code, out: command.out, err: command.err };
    });
  } finally {
    await listener?.close();
    served.engine.close();
  }
}

test("rights are granted, listed, counted and taken back by commands", () =>
  withServer(async (run) => {
    const rows = async (args: readonly string[]) => {
      const { code, out, err } = await run(ADMIN, args);
      assert.deepEqual([code, err], [0, ""], args.join(" "));
      return out.split("\n").slice(0, -1).map((line) => JSON.parse(line) as unknown);
    };
    const grant = (operation: string, on: string, ...more: string[]) =>
      rows(["acl", "grant", "--user", "alice", "--operation", operation, "--on", on, ...more]);
    const read = { user: "alice", operation: "read", on: "shop.orders", host: "*" };
    const describe = { user: "alice", operation: "describe", on: "shop", host: "127.0.0.1" };
    const alter = { user: "alice", operation: "alter", on: "cluster", host: "*" };
    const scan = () => run(ALICE, ["scan", "shop.orders"]);

    assert.deepEqual([await rows(["acl"]), await rows(["users"])], [[], []]);
    const refused = await scan();
    assert.deepEqual([refused.code, refused.out], [5, ""]);
    assert.match(refused.err, /^SERVER\./);

    const own = await run(ALICE, ["acl", "grant", "--user", "alice", "--operation", "all", "--on", "cluster"]);
    assert.equal(own.code, 5, own.err);
    assert.match(own.err, /^SERVER\.AUTHORIZATION_EXCEPTION/);

    assert.deepEqual(await grant("read", "shop.orders"), [read]);
    const scanned = await scan();
    assert.deepEqual([scanned.code, scanned.out], [0, '{"id":1,"total":5}\n'], scanned.err);
    assert.deepEqual(await grant("describe", "shop", "--host", "127.0.0.1"), [describe]);
    assert.deepEqual(await grant("alter", "cluster"), [alter]);
    await rows(["acl", "grant", "--user", "bob", "--operation", "read", "--on", "shop"]);

    assert.deepEqual(await rows(["acl", "--user", "alice", "--on", "cluster"]), [alter]);
    assert.deepEqual(await rows(["acl", "list", "--operation", "read", "--user", "alice"]), [read]);
    assert.equal((await rows(["acl"])).length, 4);
    assert.deepEqual(await rows(["users"]), [
      { user: "alice", type: "User", rights: 3, operations: ["alter", "describe", "read"] },
      { user: "bob", type: "User", rights: 1, operations: ["read"] },
    ]);
    assert.deepEqual(await rows(["acl", "revoke", "--user", "alice", "--on", "shop.orders"]), [read]);
    assert.equal((await scan()).code, 5);
    assert.equal((await rows(["acl", "revoke", "--all"])).length, 3);
    assert.deepEqual(await rows(["users"]), []);
  }));

test("settings are changed, shown and put back by commands, by those who may", () =>
  withServer(async (run) => {
    const key = "kv.rocksdb.shared-rate-limiter.bytes-per-sec";
    const settings = async () => {
      const { code, out, err } = await run(ADMIN, ["config", "list", key]);
      assert.equal(code, 0, err);
      return out;
    };
    assert.equal(await settings(), "");
    const denied = await run(ALICE, ["config", "set", `${key}=200mb`]);
    assert.equal(denied.code, 5, denied.err);
    assert.match(denied.err, /^SERVER\.AUTHORIZATION_EXCEPTION/);
    assert.equal(await settings(), "");

    const set = await run(ADMIN, ["config", "set", `${key}=200mb`]);
    assert.deepEqual(set, { code: 0, out: "", err: "" });
    assert.deepEqual(JSON.parse(await settings()), { key, value: "200mb", source: "DYNAMIC_SERVER_CONFIG" });
    const wrong = await run(ADMIN, ["config", "set", `${key}=much`]);
    assert.equal(wrong.code, 5, wrong.err);
    assert.match(wrong.err, /Cannot parse 'much' as MemorySize/);
    assert.match(await settings(), /200mb/);
    assert.deepEqual(await run(ADMIN, ["config", "remove", key]), { code: 0, out: "", err: "" });
    assert.equal(await settings(), "");
  }));
