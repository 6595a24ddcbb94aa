import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { t, table } from "../../mod.ts";
import { CommandLine } from "../cli/command_line.ts";
import { needsAddress, needsRights, target, targetRights } from "../cluster.ts";
import { withDatabase } from "./target.ts";

const orders = table("orders", { region: t.string(), id: t.int(), total: t.decimal(10, 2), note: t.string() }, {
  primaryKey: ["region", "id"],
  bucketKey: ["region"],
  buckets: 2,
});
const clicks = table("clicks", { url: t.string().notNull(), ms: t.int() }, { buckets: 2 });

interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs commands at an address as somebody, or as nobody. */
function commandsAt(bootstrap: string, database: string, login?: { username: string; password: string }) {
  const env = {
    SLUICE_URL: `fluss://${bootstrap}`,
    SLUICE_USERNAME: login?.username ?? "",
    SLUICE_PASSWORD: login?.password ?? "",
  };
  const start = (args: readonly string[], input?: string) =>
    new CommandLine([...args, "--database", database], env, { input });
  const run = async (args: readonly string[], input?: string): Promise<Run> => {
    await using command = start(args, input);
    const code = await command.ended();
    return { code, out: command.out, err: command.err };
  };
  /** The rows of a command that must work. */
  const rows = async (args: readonly string[], input?: string): Promise<unknown[]> => {
    const { code, out, err } = await run(args, input);
    assert.equal(code, 0, `${args.join(" ")}: ${err}`);
    return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
  };
  return { start, run, rows };
}

test(
  "rows go in and out by commands, and their changes are told",
  needsAddress,
  () =>
    withDatabase(async (db, database) => {
      await db.admin.create(orders);
      await db.admin.create(clicks);
      const { start, run, rows } = commandsAt(target!.bootstrap, database);
      assert.deepEqual(
        await rows(["ls", database]),
        ["clicks", "orders"].map((name) => ({ table: `${database}.${name}` })),
      );

      await rows(["upsert", "orders", "region=eu", "id=1", "total=1.50", "note:=null"]);
      const more = [{ region: "eu", id: 2, total: "2.50", note: "x\u001b[31m" }, {
        region: "us",
        id: 3,
        total: "3.00",
      }];
      await rows(["upsert", "orders", "--file", "-"], more.map((row) => JSON.stringify(row)).join("\n"));
      await rows(["update", "orders", "region=eu", "id=1", "note=late"]);
      assert.deepEqual(await rows(["lookup", "orders", "region=eu", "id=1"]), [
        { region: "eu", id: 1, total: "1.50", note: "late" },
      ]);
      assert.deepEqual((await rows(["prefix", "orders", "region=eu"])).length, 2);
      assert.deepEqual(await rows(["scan", "orders", "--where", "total > 2", "--where", "region = eu"]), [more[0]]);
      await rows(["delete", "orders", "region=us", "id=3"]);
      assert.equal(await db.table(orders).lookup({ region: "us", id: 3 }), null);

      await using tail = start(["tail", "orders", "--from", "earliest", "--limit", "5"]);
      assert.equal(await tail.ended(), 0, tail.err);
      const ops = tail.out.trimEnd().split("\n").map((line) => (JSON.parse(line) as { op: string }).op).sort();
      assert.deepEqual(ops, ["delete", "insert", "insert", "insert", "update"]);

      await rows(["append", "clicks", "--format", "csv"], 'url,ms\n/,1\n"a,""b""",\n');
      const folder = mkdtempSync(join(tmpdir(), "sluice-export-"));
      try {
        const file = join(folder, "clicks.csv");
        assert.equal((await run(["export", "clicks", "--output", file])).code, 0);
        assert.deepEqual(readFileSync(file, "utf8").split("\n").sort(), ["", '"a,""b""",', "/,1", "url,ms"]);
      } finally {
        rmSync(folder, { recursive: true });
      }
      const ends = await rows(["offsets", "clicks"]) as { latest: string }[];
      assert.equal(ends.reduce((sum, { latest }) => sum + Number(latest), 0), 2);

      const missing = await run(["scan", "nothing"]);
      assert.deepEqual([missing.code, missing.out], [5, ""]);
      assert.match(missing.err, new RegExp(`SERVER.TABLE_NOT_EXIST.*${database}.nothing`));
    }),
);

/** Servers hear of a change of rights and settings a moment later. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !await isSo(); await sleep(50)) {
    assert.ok(performance.now() < end, "it does not happen");
  }
}

test("rights are granted, listed and taken back by commands, and settings changed", needsRights, () =>
  withDatabase(
    async (db, database) => {
      await db.admin.create(orders);
      const { bootstrap, users: [admin, guest] } = targetRights!.sasl;
      const { run, rows } = commandsAt(bootstrap, database, admin);
      const reader = commandsAt(bootstrap, database, guest);
      const scan = () => reader.run(["scan", "orders"]);
      const user = guest!.username;
      const right = { user, operation: "read", on: `${database}.orders`, host: "*" };

      const refused = await scan();
      assert.equal(refused.code, 5, refused.err);
      assert.match(refused.err, /SERVER\.(AUTHORIZATION_EXCEPTION|TABLE_NOT_EXIST)/);
      assert.ok(!refused.err.includes(guest!.password));
      assert.deepEqual(
        await rows(["acl", "grant", "--user", user, "--operation", "read", "--on", right.on]),
        [right],
      );
      await until(async () => (await scan()).code === 0);
      assert.deepEqual(await rows(["acl", "--user", user, "--on", right.on]), [right]);
      const ofUser = (await rows(["users"]) as { user: string }[]).filter((line) => line.user === user);
      assert.deepEqual(ofUser, [{ user, type: "User", rights: 1, operations: ["read"] }]);
      assert.deepEqual(await rows(["acl", "revoke", "--user", user, "--on", right.on]), [right]);
      await until(async () => (await scan()).code === 5);
      assert.equal((await run(["acl", "revoke"])).code, 2);

      const key = "kv.rocksdb.shared-rate-limiter.bytes-per-sec";
      const source = async () =>
        (await rows(["config", "list", key]) as { key: string; value: string; source: string }[])[0];
      await rows(["config", "set", `${key}=200mb`]);
      assert.deepEqual(await source(), { key, value: "200mb", source: "DYNAMIC_SERVER_CONFIG" });
      await rows(["config", "remove", key]);
      assert.notEqual((await source())?.source, "DYNAMIC_SERVER_CONFIG");
    },
    {},
    targetRights,
  ));
