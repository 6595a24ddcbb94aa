import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { CommandLine } from "./command_line.ts";
import { clicks, DataFolder, HOSTILE, users } from "./data_folder.ts";

test("export writes what the options choose, to standard output or to a file of its own", async () => {
  using folder = await DataFolder.seeded();
  const csv = await folder.run(["export", "web.clicks", "--format", "csv", "--select", "ms,url", "--where", "ms < 2"]);
  assert.deepEqual([csv.code, csv.err, csv.out.split("\n").sort()], [0, "", ["", "0,/0", "1,/1", "ms,url"]]);
  const tabs = [
    "export",
    "shop.users",
    "--format",
    "csv",
    "--delimiter",
    "\\t",
    "--null",
    "NULL",
    "--select",
    "id,name",
  ];
  assert.equal(
    (await folder.run([...tabs, "--where", "id = 1"])).out,
    `id\tname\n1\t"Ada ${HOSTILE}"\n`,
  );
  assert.equal((await folder.run([...tabs, "--where", "id = 2"])).out, "id\tname\n2\tNULL\n");
  const file = folder.path("users.jsonl");
  const { code, err, out } = await folder.run(["export", "shop.users", "--output", file]);
  assert.deepEqual([code, out], [0, ""]);
  assert.match(err, /^2 rows in .*users\.jsonl, in [\d.]+ s \([\d,]+\/s\)\n$/);
  assert.equal(readFileSync(file, "utf8").split("\n").length, 3);
  assert.deepEqual(readdirSync(folder.folder).filter((name) => name.endsWith(".part")), []);
  const json = await folder.run(["export", "shop.users", "--output", file, "--overwrite", "--json"]);
  const { ok, rows } = JSON.parse(json.out);
  assert.deepEqual([json.code, json.err, ok, rows], [0, "", true, 2]);
});

test("export replaces what a link leads to, writes into what is no plain file, and touches nothing beside", async () => {
  using folder = await DataFolder.seeded();
  const export_ = (path: string, ...more: string[]) =>
    folder.run(["export", "shop.users", "--select", "id", "--format", "csv", "--output", path, ...more]);
  const [target, link, beside] = [folder.path("target.csv"), folder.path("link.csv"), folder.path("target.csv.part")];
  writeFileSync(target, "old");
  writeFileSync(beside, "precious");
  symlinkSync("target.csv", link);
  assert.match((await export_(link)).err, /is there already/);
  assert.equal((await export_(link, "--overwrite")).code, 0);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(target, "utf8"), "id\n1\n2\n");
  assert.equal(readFileSync(beside, "utf8"), "precious");
  assert.equal((await export_("/dev/null", "--overwrite")).code, 0);
  assert.ok(lstatSync("/dev/null").isCharacterDevice());
  mkdirSync(folder.path("folder"));
  const refused = await export_(folder.path("folder"), "--overwrite");
  assert.deepEqual([refused.code, /cannot write .*folder: it is a folder/.test(refused.err)], [7, true], refused.err);
  assert.deepEqual(readdirSync(folder.folder).sort(), ["data", "folder", "link.csv", "target.csv", "target.csv.part"]);
});

test("output that cannot be written is no bug of ours", {
  skip: existsSync("/dev/full") ? false : "no /dev/full here",
}, async () => {
  using folder = await DataFolder.seeded();
  for (const args of [["scan", "shop.users"], ["ls", "--json"], ["describe", "shop.users"]]) {
    const { code, err } = await folder.run([...args], undefined, "/dev/full");
    // Deno has no code for it, but words.
    assert.match(err, /^INPUT\.FAILED: cannot write standard output: (the disk is full|No space left)/);
    assert.equal(code, 7);
  }
});

test("what cannot be exported leaves no file, and none is overwritten by mistake", async () => {
  using folder = await DataFolder.seeded();
  writeFileSync(folder.path("there.csv"), "mine");
  const cases: readonly [readonly string[], number, RegExp][] = [
    [
      ["shop.users", "--output", folder.path("there.csv")],
      7,
      /is there already\. hint: name another file, or add --overw/,
    ],
    [["shop.users", "--output", folder.path("no/x.csv")], 7, /cannot write .*: it is not there/],
    [["nix.da", "--output", folder.path("x.csv")], 5, /^SERVER\.TABLE_NOT_EXIST/],
    [["shop.users", "--output", folder.path("x.csv"), "--select", "no"], 2, /no column "no"/],
    [["shop.users", "--json"], 2, /add --output FILE/],
  ];
  for (const [args, code, said] of cases) {
    const run = await folder.run(["export", ...args]);
    assert.equal(run.code, code, run.err);
    // With --json an error is data.
    assert.equal(args.includes("--json") ? run.err : run.out, "");
    assert.match(run.out + run.err, said);
  }
  assert.equal(readFileSync(folder.path("there.csv"), "utf8"), "mine");
  for (const name of ["x.csv", "x.csv.part"]) assert.ok(!existsSync(folder.path(name)), name);
});

test("whoever reads only the beginning ends it, and that is no failure", async () => {
  using folder = await DataFolder.seeded();
  await folder.use((db) =>
    db.table(clicks).appendAll(Array.from({ length: 200_000 }, (_, i) => ({ url: `/${i}`, ms: i, day: "d1" })))
  );
  await using run = new CommandLine(["scan", "web.clicks"], { SLUICE_URL: folder.url });
  await run.until(() => run.out.length > 1000);
  run.stopReading();
  assert.equal(await run.ended(), 0);
});

test("Ctrl-C ends an export, and leaves no file", async () => {
  using folder = await DataFolder.seeded();
  await folder.use((db) =>
    db.table(clicks).appendAll(Array.from({ length: 300_000 }, (_, i) => ({ url: `/${i}`, ms: i, day: "d1" })))
  );
  const file = folder.path("clicks.jsonl");
  await using run = new CommandLine(["export", "web.clicks", "--output", file], { SLUICE_URL: folder.url });
  const partial = () => readdirSync(folder.folder).some((name) => name.endsWith(".part"));
  await run.until(partial);
  run.signal("SIGINT");
  // A machine that is quick enough may be done by then.
  if (await run.ended() === 0) assert.ok(existsSync(file));
  else assert.deepEqual([existsSync(file), partial()], [false, false]);
});

test("offsets, config, top and acl tell of the cluster", async () => {
  using folder = await DataFolder.seeded();
  const offsets = await folder.rows(["offsets", "web.clicks", "--partition", "d1"]) as {
    records: string;
    bucket: number;
  }[];
  assert.deepEqual(offsets.map(({ bucket }) => bucket), [0, 1]);
  assert.equal(offsets.reduce((sum, { records }) => sum + Number(records), 0), 10);
  const [first] = await folder.rows(["offsets", "shop.users", "--at", "earliest"]);
  assert.deepEqual(first, { bucket: 0, offset: "0" });
  const config = await folder.rows(["config", "list", "default."]) as { key: string }[];
  assert.ok(config.length > 0 && config.every(({ key }) => key.startsWith("default.")));
  const top = await folder.rows(["top", "web", "--looks", "1", "--interval", "0.05"]);
  assert.deepEqual(top, [{ table: "web.clicks", records: "20", perSecond: 0 }]);
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["acl"], 5, /^SERVER\.SECURITY_DISABLED_EXCEPTION/],
    [["users"], 5, /^SERVER\.SECURITY_DISABLED_EXCEPTION/],
    [["acl", "forbid"], 2, /there are list, grant and revoke/],
    [["acl", "revoke"], 2, /would take back every right\. hint: name them, or add --all/],
    [["acl", "grant", "--user", "a"], 2, /needs --user, --operation and --on/],
    [["acl", "--operation", "fly"], 2, /there are all, read, write/],
    [["config", "set"], 2, /names no setting/],
    [["config", "set", "hunter2"], 2, /wants key=value/],
    [["config", "drop", "x"], 2, /there are list, set, remove/],
    [["offsets", "web.clicks", "--at", "0:1"], 2, /--at wants earliest, latest or a time/],
    [["offsets", "web.clicks", "--partition", "d9"], 2, /^SCAN\.UNKNOWN_PARTITION/],
    [["top", "--json"], 2, /add --looks 1/],
    [["top", "--interval", "0"], 2, /--interval wants a number above 0/],
  ];
  for (const [args, code, said] of cases) {
    const run = await folder.run(args);
    assert.equal(run.code, code, run.err);
    // With --json an error is data.
    assert.equal(args.includes("--json") ? run.err : run.out, "");
    assert.match(run.out + run.err, said);
    assert.ok(!run.err.includes("hunter2"));
  }
});

test("a user logs in with the password of the environment", async () => {
  await using server = new CommandLine(["dev", "--port", "0"], { SLUICE_DEV_USERS: "alice:alice-hunter2" });
  const [, url] = await server.urls(2);
  const wrong: readonly [Readonly<Record<string, string>>, RegExp][] = [
    [{ SLUICE_USERNAME: "alice", SLUICE_PASSWORD: "wrong-hunter2" }, /^CONNECTION\.AUTH_FAILED/],
    [
      { SLUICE_USERNAME: "alice", SLUICE_PASSWORD: "" },
      /^CLI\.BAD_USAGE: no password is given for the user alice\. hint: set SLUICE_PASSWORD/,
    ],
  ];
  for (const [env, said] of wrong) {
    await using run = new CommandLine(["ls", "--url", url!], env);
    assert.notEqual(await run.ended(), 0);
    assert.match(run.err, said);
    assert.ok(!run.err.includes("hunter2"));
  }
  await using run = new CommandLine(["ls", "--username", "alice"], {
    SLUICE_URL: url!,
    SLUICE_PASSWORD: "alice-hunter2",
  });
  assert.equal(await run.ended(), 0, run.err);
});

test("rows of a table with every name and value stay data", async () => {
  using folder = await DataFolder.seeded();
  const row = await folder.use((db) => db.table(users).lookup({ id: 1n }));
  assert.equal(row!.name, `Ada ${HOSTILE}`);
  const [found] = await folder.rows(["scan", "shop.users", "--where", `name = 'Ada ${HOSTILE}'`]) as [{ name: string }];
  assert.equal(found.name, `Ada ${HOSTILE}`);
});
