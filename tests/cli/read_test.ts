import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { CommandLine } from "./command_line.ts";
import { DataFolder, HOSTILE } from "./data_folder.ts";

const ADA = {
  id: "1",
  name: `Ada ${HOSTILE}`,
  score: -0,
  tags: ["a", "日本"],
  at: "2026-01-01T00:00:00.000001Z",
};

test("ls and describe print JSON lines in a pipe", async () => {
  using folder = await DataFolder.seeded();
  const databases = await folder.rows(["ls"]) as { database: string; tables: number }[];
  assert.deepEqual(databases.map(({ database, tables }) => [database, tables]), [["fluss", 0], ["shop", 2], [
    "web",
    1,
  ]]);
  assert.deepEqual(await folder.rows(["ls", "shop"]), [{ table: "shop.orders" }, { table: "shop.users" }]);
  assert.deepEqual(await folder.rows(["ls", "web", "--long"]), [
    { table: "web.clicks", kind: "log table", columns: 3, key: "", partitionedBy: "day", buckets: 2 },
  ]);
  assert.deepEqual(await folder.rows(["ls", "web.clicks"]), [{ partition: "d1", partitionId: "0" }, {
    partition: "d2",
    partitionId: "1",
  }]);
  const [described] = await folder.rows(["describe", "shop.orders"]) as [Record<string, unknown>];
  assert.deepEqual([described["table"], described["primaryKey"], described["bucketKey"], described["columns"]], [
    "shop.orders",
    ["region", "id"],
    ["region"],
    [{ name: "region", type: "STRING NOT NULL" }, { name: "id", type: "INT NOT NULL" }, {
      name: "total",
      type: "DECIMAL(10, 2)",
    }],
  ]);
  assert.equal((await folder.rows(["describe", "shop"]) as [{ name: string }])[0].name, "shop");
  assert.deepEqual(await folder.rows(["describe", "users", "--database", "shop"]), [
    JSON.parse((await folder.run(["describe", "shop.users"])).out),
  ]);
});

test("lookup, prefix and scan print rows", async () => {
  using folder = await DataFolder.seeded();
  assert.deepEqual(await folder.rows(["lookup", "shop.users", "id=1"]), [ADA]);
  assert.deepEqual(await folder.rows(["lookup", "shop.orders", 'region:="eu"', "id=3", "--select", "total"]), [
    { total: "3.50" },
  ]);
  assert.deepEqual(await folder.rows(["prefix", "shop.orders", "region=eu", "--select", "id"]), [{ id: 1 }, { id: 2 }, {
    id: 3,
  }]);
  assert.deepEqual(await folder.rows(["scan", "shop.users", "--where", "id = 2"]), [
    { id: "2", name: null, score: null, tags: null, at: null },
  ]);
  const slow = ["scan", "web.clicks", "--where", "ms >= 10", "--where", "url ^= /1"];
  const found = await folder.rows([...slow, "--select", "ms,url"]) as { ms: number }[];
  assert.deepEqual(found.map(({ ms }) => ms).sort(), [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  assert.deepEqual(Object.keys(found[0]!), ["ms", "url"]);
  assert.deepEqual(await folder.rows([...slow, "--count"]), [{ count: 10 }]);
  assert.equal((await folder.rows(["scan", "web.clicks", "--limit", "4"])).length, 4);
  assert.deepEqual(await folder.rows(["scan", "web.clicks", "--last", "1", "--partition", "day=d2"]), [
    { url: "/19", ms: 19, day: "d2" },
  ]);
  assert.deepEqual(await folder.rows(["scan", "web.clicks", "--where", "ms in 3, 4", "--where", "day not in d1"]), [
    { url: "/3", ms: 3, day: "d2" },
  ]);
  assert.deepEqual(await folder.rows(["scan", "web.clicks", "--from", "latest"]), []);
  assert.equal((await folder.rows(["scan", "web.clicks", "--from", "1h"])).length, 20);
  const [plan] = await folder.rows(["scan", "web.clicks", "--explain"]) as [{ source: string }];
  assert.equal(plan.source, "log");
});

test("--json is one object", async () => {
  using folder = await DataFolder.seeded();
  const { code, out, err } = await folder.run(["scan", "shop.users", "--where", "id = 1", "--json"]);
  assert.deepEqual([code, err, JSON.parse(out)], [0, "", { rows: [ADA], count: 1, ok: true }]);
  const missing = await folder.run(["lookup", "shop.users", "id=9", "--json"]);
  assert.equal(missing.code, 8);
  assert.deepEqual(JSON.parse(missing.out).error.code, "CLI.NOT_FOUND");
});

test("what is wrong is one line with a hint, and the exit code of its kind", async () => {
  using folder = await DataFolder.seeded();
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["lookup", "shop.users", "id=9"], 8, /^CLI\.NOT_FOUND: shop\.users has no row/],
    [["lookup", "shop.users", "nme=Ada"], 2, /there is no column "nme"\. hint: the columns are id, name/],
    [["lookup", "shop.users", "id=x"], 2, /column "id": expected a whole number\. hint: for example id=42/],
    [["lookup", "shop.users", "id"], 2, /"id" is not column=value\. hint/],
    [["lookup", "shop.users", "id=1", "id=2"], 2, /the column "id" is given twice/],
    [["lookup", "shop.orders", "id=1"], 2, /the key lacks the column "region"\. hint: .*region, id/],
    [["lookup", "web.clicks", "url=/"], 2, /no primary key/],
    [["scan", "web.clicks", "--from", "token=abc"], 7, /^SUBSCRIPTION\.BAD_TOKEN: /],
    [["scan", "nix.da"], 5, /^SERVER\.TABLE_NOT_EXIST: .*hint/],
    [["ls", "nix"], 5, /^SERVER\.DATABASE_NOT_EXIST: /],
    [["scan", "web.clicks", "--select", "no"], 2, /there is no column "no"/],
    [["scan", "web.clicks", "--where", "no = 1"], 2, /there is no column "no"/],
    [["scan", "web.clicks", "--where", "ms"], 2, /"ms" is no condition/],
    [["scan", "web.clicks", "--where", "ms = null"], 2, /expected a whole number.*is null/],
    [["scan", "web.clicks", "--limit", "0"], 2, /--limit wants a whole number of at least 1, not "0"/],
    [["scan", "web.clicks", "--from", "yesterday"], 2, /--from wants a place in the log, not "yesterday"/],
    [["scan", "web.clicks", "--partition", "day=d9"], 2, /^SCAN\./],
    [["scan", "shop.users", "--last", "2"], 2, /^SCAN\./],
    [["scan", "web.clicks", "--timeout", "never"], 2, /--timeout wants a number above 0/],
    [["ls", "--url", "fluss://alice:hunter2@host"], 2, /^CLI\.BAD_USAGE: --url has a password.*SLUICE_PASSWORD/],
    [["ls", "--url", "fluss://host?password=hunter2"], 2, /^CLI\.BAD_USAGE: --url has a password/],
    [["ls", "--url", "http://alice@host"], 2, /^CONNECTION\.BAD_URL: /],
    [["ls", "--url", "fluss://127.0.0.1:1"], 4, /^CONNECTION\.REFUSED: .*hint/],
    [["ls", "--url", `file:${folder.path("none")}`], 2, /there is no folder/],
  ];
  for (const [args, code, said] of cases) {
    const run = await folder.run(args);
    assert.deepEqual([run.code, run.out], [code, ""], `${args.join(" ")}: ${run.err}`);
    assert.match(run.err, said);
    assert.match(run.err, /^[^\n]+\n$/);
    assert.ok(!run.err.includes("hunter2"));
  }
});

test("without a URL it says how to give one", async () => {
  await using run = new CommandLine(["ls"], { SLUICE_URL: "" });
  assert.equal(await run.ended(), 2);
  assert.equal(
    run.err,
    "CLI.BAD_USAGE: no cluster is named. hint: add --url fluss://host:port, set SLUICE_URL, or have a url in sluice.config.ts\n",
  );
});

test("a sluice.config.ts in the folder names the cluster", async () => {
  using folder = await DataFolder.seeded();
  const text = (database: string) =>
    `export default { url: ${JSON.stringify(folder.url)}, schema: "./schema.ts", database: ${database} };\n`;
  for (const [database, args, code] of [['"shop"', ["lookup", "users", "id=2"], 0], ["1", ["ls"], 2]] as const) {
    writeFileSync(folder.path("sluice.config.ts"), text(database));
    await using run = new CommandLine(args, { SLUICE_URL: "" }, { cwd: folder.folder });
    assert.equal(await run.ended(), code, run.err);
    if (code === 0) assert.equal(JSON.parse(run.out).id, "2");
    else assert.match(run.err, /^MIGRATION\.CONFIG: .*database must be a text/);
  }
});

test("a folder of data that a config names is relative to the config", async () => {
  using folder = await DataFolder.seeded();
  const config = folder.path("sluice.config.ts");
  for (const url of ["file:./data", "file:data?database=web", "FILE:../" + basename(folder.folder) + "/data"]) {
    writeFileSync(config, `export default { url: ${JSON.stringify(url)}, schema: "./schema.ts" };\n`);
    await using run = new CommandLine(["lookup", "shop.users", "id=2", "--config", config], { SLUICE_URL: "" });
    assert.equal(await run.ended(), 0, run.err);
    assert.equal(JSON.parse(run.out).id, "2");
  }
});

test("--config names the config of every command on data; an address that is given goes before its url", async () => {
  using folder = await DataFolder.seeded();
  const config = folder.path("of_shop.config.ts");
  const none = folder.path("none.config.ts");
  const write = (file: string, more: object) =>
    writeFileSync(file, `export default ${JSON.stringify({ schema: "./schema.ts", ...more })};\n`);
  write(config, { url: folder.url, database: "shop" });
  write(none, { database: "shop", connection: { requestTimeoutMs: -1 } });
  const at = async (args: readonly string[], url: string = "") => {
    await using run = new CommandLine(args, { SLUICE_URL: url });
    return { code: await run.ended(), out: run.out, err: run.err };
  };
  // The one that makes a config has none yet.
  const data = COMMANDS.filter(({ name, options }) =>
    name !== "init" && options.some(({ flags }) => flags === "--url <url>")
  );
  assert.ok(data.length >= 18, `${data.length} commands connect`);
  for (const { name, options } of data) {
    assert.equal(options.filter(({ flags }) => flags === "--config <file>").length, 1, name);
  }
  const cases: readonly [args: readonly string[], url: string, code: number, out: RegExp, err: RegExp][] = [
    [["lookup", "users", "id=2", "--config", config], "", 0, /"id":"2"/, /^$/],
    [["upsert", "users", "id=3", "--config", config], "", 0, /^$/, /^1 row upserted\n$/],
    [["scan", "users", "--config", config, "--limit", "9"], "", 0, /"id":"3"/, /^$/],
    [["ls", "shop", "--config", config], "", 0, /shop\.orders/, /^$/],
    [["describe", "users", "--config", config], "", 0, /"table":"shop\.users"/, /^$/],
    [["describe", "shop", "--config", config], "", 0, /"name":"shop"/, /^$/],
    [["describe", "nothing", "--config", config], "", 5, /^$/, /^SERVER\.TABLE_NOT_EXIST: .*shop\.nothing/],
    [["describe", "nothing"], folder.url, 5, /^$/, /^SERVER\.DATABASE_NOT_EXIST: /],
    // The database is the config's, the address is not.
    [["lookup", "users", "id=2", "--config", config], "file:./nowhere", 2, /^$/, /there is no folder .*nowhere/],
    [["ls", "--config", config, "--url", "file:./nowhere"], folder.url, 2, /^$/, /there is no folder .*nowhere/],
    [["ls", "--config", none], folder.url, 2, /^$/, /^CONNECTION\.BAD_OPTION: .*requestTimeoutMs/],
    [["ls", "--config", none], "", 2, /^$/, /no cluster is named.*, or have a url in .*none\.config\.ts/],
    [["ls", "--config", folder.path("gone.ts")], folder.url, 2, /^$/, /^MIGRATION\.CONFIG: there is no .*gone\.ts/],
  ];
  for (const [args, url, code, out, err] of cases) {
    const run = await at(args, url);
    assert.equal(run.code, code, `${args.join(" ")}: ${run.err}`);
    assert.match(run.out, out);
    assert.match(run.err, err);
  }
});
