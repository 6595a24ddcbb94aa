import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { CommandLine } from "./command_line.ts";
import { clicks, DataFolder, users } from "./data_folder.ts";

test("upsert, update and delete take a row as words", async () => {
  using folder = await DataFolder.seeded();
  const { code, out, err } = await folder.run(["upsert", "shop.users", "id=7", "name=Zoë=1", 'tags:=["x",null]']);
  assert.deepEqual([code, out, err], [0, "", "1 row upserted\n"]);
  assert.deepEqual(await folder.rows(["lookup", "shop.users", "id=7"]), [
    { id: "7", name: "Zoë=1", score: null, tags: ["x", null], at: null },
  ]);
  const updated = await folder.run(["update", "shop.users", "id=7", "name:=null", "score=-0.5", "--json"]);
  assert.deepEqual([updated.code, JSON.parse(updated.out)], [0, { ok: true, rows: 1, rejected: 0 }]);
  assert.deepEqual(await folder.rows(["lookup", "shop.users", "id=7"]), [
    { id: "7", name: null, score: -0.5, tags: ["x", null], at: null },
  ]);
  assert.equal((await folder.run(["delete", "shop.users", "id=7"])).code, 0);
  assert.equal((await folder.run(["lookup", "shop.users", "id=7"])).code, 8);
});

test("rows come from standard input and from files, in every format", async () => {
  using folder = await DataFolder.seeded();
  const lines = '{"id":"10","name":"a"}\r\n\n{"id":11,"score":"NaN","tags":["x"]}';
  assert.equal((await folder.run(["upsert", "shop.users"], lines)).err.slice(0, 15), "2 rows upserted");
  writeFileSync(folder.path("users.csv"), '\ufeffname;id;score\r\n"x;""y""\nz";12;1e3\r\nNULL;13;NULL\r\n"NULL";14;');
  const csv = ["upsert", "shop.users", "--file", folder.path("users.csv"), "--delimiter", ";", "--null", "NULL"];
  const bad = await folder.run(csv);
  assert.deepEqual([bad.code, bad.out], [7, ""]);
  assert.match(bad.err, /row 3, line 5, column "score": expected a number; nothing is written\. hint/);
  writeFileSync(folder.path("users.csv"), '\ufeffname;id;score\r\n"x;""y""\nz";12;1e3\r\nNULL;13;NULL\r\n"NULL";14;2');
  assert.equal((await folder.run(csv)).code, 0);
  const rows = await folder.use((db) => db.table(users).lookupMany([10n, 11n, 12n, 13n, 14n].map((id) => ({ id }))));
  assert.deepEqual(rows.map((row) => [row!.name, row!.score]), [
    ["a", null],
    [null, NaN],
    ['x;"y"\nz', 1000],
    [null, null],
    ["NULL", 2],
  ]);
  // Without a header, keys alone, and a blank line that is no row.
  const keys = await folder.run(["delete", "shop.users", "--format", "csv", "--columns", "id"], "10\n11\n");
  assert.deepEqual([keys.code, keys.err.slice(0, 14)], [0, "2 rows deleted"]);
  const arrow = await folder.use(async (db) => {
    const bytes: Uint8Array[] = [];
    for await (const chunk of db.table(clicks).scan().ipc()) bytes.push(chunk);
    return new Uint8Array(bytes.flatMap((chunk) => [...chunk]));
  });
  assert.equal((await folder.run(["append", "web.clicks", "--format", "arrow"], arrow)).code, 0);
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 40);
  writeFileSync(folder.path("clicks.arrow"), arrow);
  assert.equal((await folder.run(["append", "web.clicks", "--file", folder.path("clicks.arrow")])).code, 0);
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 60);
});

test("Arrow IPC is upserted as rows", async () => {
  using folder = await DataFolder.seeded();
  const arrow = await folder.use(async (db) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of db.table(users).scan().ipc()) chunks.push(chunk);
    await db.table(users).delete({ id: 1n });
    return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
  });
  const { code, err } = await folder.run(["upsert", "shop.users", "--format", "arrow"], arrow);
  assert.deepEqual([code, err.slice(0, 15)], [0, "2 rows upserted"]);
  const row = await folder.use((db) => db.table(users).lookup({ id: 1n }));
  assert.equal(String(row!.at), "2026-01-01T00:00:00.000001Z");
});

test("what is wrong with rows is said with line and column, and nothing is half written", async () => {
  using folder = await DataFolder.seeded();
  const cases: readonly [readonly string[], string, number, RegExp][] = [
    [[], '{"url":"/","day":"d1"}\n{"url":"/",\n', 7, /row 2, line 2: it is not JSON; nothing is written\. hint/],
    [[], "[1]\n", 7, /line 1: it is not an object/],
    [
      [],
      '{"url":"/","day":"d1","mss":1}\n',
      7,
      /line 1, column "mss": there is no such column to write; there are url/,
    ],
    [[], '{"url":"/","day":"d1","ms":3000000000}\n', 7, /line 1, column "ms": .*nothing is written/],
    [[], '{"day":"d1"}\n', 7, /line 1, column "url": is missing/],
    [[], '{"url":null,"day":"d1"}\n', 7, /line 1, column "url": is null/],
    [
      ["--format", "csv"],
      "url,day,mss\n",
      7,
      /column 3: there is no column "mss" to write\. hint: the columns are url/,
    ],
    [["--format", "csv"], "url,day,url\n", 7, /column 3: "url" is there twice/],
    [["--format", "csv"], "url,ms\n", 7, /lacks the column "day", which cannot be left out/],
    [["--format", "csv"], "", 7, /standard input is empty\. hint: its first line names the columns/],
    [
      ["--format", "csv"],
      "url,day\n/,d1\n/\n",
      7,
      /row 2, line 3: it has 1 cell, and there should be 2 cells; nothing/,
    ],
    [["--format", "csv"], 'url,day\n"/"x,d1\n', 7, /row 1, line 2: cell 1 goes on behind its closing quote/],
    [["--format", "csv"], 'url,day\n"/,d1\n', 7, /line 2: a quote is not closed/],
    [["--format", "csv", "--delimiter", "ab"], "", 2, /--delimiter wants one character/],
    [["--format", "arrow"], "no arrow", 7, /^(ARROW|CODEC)\./],
    [["--format", "xml"], "", 2, /--format "xml" is no format\. hint: there are jsonl, csv, arrow and parquet/],
    [["--format", "parquet"], "", 7, /Parquet cannot be read from standard input.*\. hint: save it first/],
    [["--file", folder.path("none.csv")], "", 7, /^INPUT\.FAILED: cannot read .*none\.csv: it is not there/],
    [["--file", folder.folder], "", 7, /^INPUT\.FAILED: cannot read .*: it is a folder/],
    [["--file", "x.csv", "url=/"], "", 2, /a row is given as words, and --file is for files/],
  ];
  for (const [options, input, code, said] of cases) {
    const run = await folder.run(["append", "web.clicks", ...options], input);
    assert.deepEqual([run.code, run.out], [code, ""], run.err);
    assert.match(run.err, said);
  }
  const wrong = await folder.run(["upsert", "web.clicks", "url=/"]);
  assert.deepEqual([wrong.code, /log tables are append-only/.test(wrong.err)], [9, true], wrong.err);
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 20);
});

test("a signal ends a command that waits for its input, and what it has is written", async () => {
  using folder = await DataFolder.seeded();
  for (const [format, input] of [["jsonl", '{"url":"/a","day":"d1"}\n'], ["csv", "url,day\n/a,d1\n"]] as const) {
    const args = ["append", "web.clicks", "--format", format, "--rejects", folder.path(`${format}.rejects`)];
    await using run = new CommandLine(args, { SLUICE_URL: folder.url }, { input, openInput: true });
    // It listens for signals before it makes that file.
    await run.until(() => readdirSync(folder.folder).some((name) => name.startsWith(`${format}.rejects.`)));
    run.signal("SIGTERM");
    assert.equal(await run.ended(), 130, run.err);
    assert.match(run.err, /^stopped; [01] rows? appended/);
  }
  assert.deepEqual(readdirSync(folder.folder), ["data"]);
});

test("--dry-run looks at a row as closely as writing does", async () => {
  using folder = await DataFolder.seeded();
  for (
    const [row, code, said] of [
      [
        ["url=/", "ms=99999999999", "day=d1"],
        7,
        /^INPUT\.BAD_ROW: column "ms": 99999999999 is outside of INT .*; nothing is written/,
      ],
      [["ms=1", "day=d1"], 7, /^INPUT\.BAD_ROW: column "url": the row lacks a value .*; nothing is written/],
      [["url=/", "day=d1"], 0, /^1 row looked at\n$/],
    ] as const
  ) {
    for (const dry of code === 0 ? [["--dry-run"]] : [["--dry-run"], []]) {
      const run = await folder.run(["append", "web.clicks", ...row, ...dry]);
      assert.deepEqual([run.code, run.out], [code, ""], run.err);
      assert.match(run.err, said);
    }
  }
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 20);
});

test("numbers in JSON keep their digits, or are refused", async () => {
  using folder = await DataFolder.seeded();
  const line = (total: string) => `{"region":"eu","id":9,"total":${total}}\n`;
  for (const total of ["1.5", "12345678.91", "0.30", "-7", "1e3"]) {
    const { code, err } = await folder.run(["upsert", "shop.orders"], line(total));
    assert.equal(code, 0, err);
    const [row] = await folder.rows(["lookup", "shop.orders", "region=eu", "id=9"]) as { total: string }[];
    assert.equal(row!.total, total === "1e3" ? "1000.00" : Number(total).toFixed(2));
  }
  for (const total of ["1.000000000000000001", "0.301", "1e400"]) {
    const { code, err } = await folder.run(["upsert", "shop.orders"], line(total));
    assert.deepEqual([code, /column "total"/.test(err)], [7, true], err);
  }
  const far = await folder.run(["upsert", "shop.users"], '{"id":5,"score":1e999}');
  assert.match(far.err, /column "score": is larger than any number of this kind; nothing is written/);
});

test("a broken file of Arrow is not written in part", async () => {
  using folder = await DataFolder.seeded();
  const file = folder.path("clicks.arrow");
  const bytes = await folder.use(async (db) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of db.table(clicks).scan().ipc()) chunks.push(chunk);
    return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
  });
  writeFileSync(file, bytes.subarray(0, bytes.length - 40));
  const { code, err } = await folder.run(["append", "web.clicks", "--file", file]);
  assert.deepEqual([code, /^CODEC\.CORRUPT_BATCH/.test(err)], [7, true], err);
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 20);
});

test("options that would do nothing are refused", async () => {
  using folder = await DataFolder.seeded();
  writeFileSync(folder.path("x.jsonl"), '{"url":"/"}\n');
  const file = ["append", "web.clicks", "--file", folder.path("x.jsonl")];
  for (
    const [args, said] of [
      [["append", "web.clicks", "url=/", "--format", "csv"], /a row is given as words, and --format is for files/],
      [["append", "web.clicks", "url=/", "--unchecked"], /a row is given as words, and --unchecked is for files/],
      [[...file, "--columns", "url"], /--columns is for CSV, and this is jsonl/],
      [[...file, "--delimiter", ";"], /--delimiter is for CSV, and this is jsonl/],
      [[...file, "--dry-run", "--rejects", folder.path("r")], /--dry-run writes nothing, no rejects either/],
      [["export", "web.clicks", "--null", "-"], /--null is for CSV, and this is jsonl/],
      [["export", "web.clicks", "--overwrite"], /--overwrite is for files/],
      [["scan", "web.clicks", "--count", "--explain"], /--count and --explain do not go together/],
    ] as const
  ) {
    const { code, err } = await folder.run([...args]);
    assert.equal(code, 2, err);
    assert.match(err, said);
  }
});

test("CSV that is rejected stands there as it came, and headings may have spaces", async () => {
  using folder = await DataFolder.seeded();
  const rejects = folder.path("rejects.csv");
  const args = ["append", "web.clicks", "--format", "csv"];
  const { code } = await folder.run([...args, "--rejects", rejects], ' url ,day\n"/a"xyz,d1\n/b,d1\n');
  assert.equal(code, 7);
  assert.equal(readFileSync(rejects, "utf8"), 'url,day\n"/a"xyz,d1\n');
  const wrong = await folder.run(args, '"url"zz,day\n/a,d1\n');
  assert.match(wrong.err, /line 1: cell 1 goes on behind its closing quote/);
  await folder.use((db) => db.admin.create(table("web.odd", { " a": t.int(), "b,c": t.int() })));
  const odd = folder.path("odd.csv");
  assert.equal((await folder.run(["append", "web.odd", " a=1", "b,c=2"])).code, 0);
  assert.equal((await folder.run(["export", "web.odd", "--output", odd, "--select", '"b,c"," a"'])).code, 0);
  assert.equal((await folder.run(["append", "web.odd", "--file", odd])).code, 0);
  assert.deepEqual(await folder.rows(["scan", "web.odd"]), [{ " a": 1, "b,c": 2 }, { " a": 1, "b,c": 2 }]);
});

test("--rejects keeps the rows that are refused, as they came", async () => {
  using folder = await DataFolder.seeded();
  const input = 'url,ms,day\n/a,1,d1\n/b,x,d1\n,1,d1\n/c,2,d1\n"/d,""",3\n';
  const rejects = folder.path("rejects.csv");
  const args = ["append", "web.clicks", "--format", "csv", "--rejects", rejects];
  const { code, err } = await folder.run(args, input);
  assert.equal(code, 7);
  assert.deepEqual(err.split("\n").slice(0, 3), [
    'rejected: line 3, column "ms": expected a whole number',
    'rejected: line 4, column "url": is null, and the column takes no null',
    "rejected: line 6: it has 2 cells, and there should be 3 cells",
  ]);
  assert.match(err, /2 rows appended in .*, 3 rejected\n$/);
  assert.equal(readFileSync(rejects, "utf8"), 'url,ms,day\n/b,x,d1\n,1,d1\n"/d,""",3\n');
  assert.match((await folder.run(args, input)).err, /rejects\.csv is there already\. hint: name another file\n/);
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 22);
  const none = folder.path("none.csv");
  assert.equal(
    (await folder.run(["append", "web.clicks", "--format", "csv", "--rejects", none], "url,day\n/a,d1\n")).code,
    0,
  );
  assert.ok(!existsSync(none));
});

test("--dry-run writes nothing", async () => {
  using folder = await DataFolder.seeded();
  assert.equal((await folder.run(["append", "web.clicks", "url=/", "day=d1", "--dry-run"])).code, 0);
  const { code, err } = await folder.run(["append", "web.clicks", "--dry-run"], '{"url":"/","day":"d1"}\n');
  assert.deepEqual([code, err.slice(0, 15)], [0, "1 row looked at"]);
  assert.equal(await folder.use((db) => db.table(clicks).scan().count()), 20);
});

test("tail prints changes until Ctrl-C", async () => {
  using folder = await DataFolder.seeded();
  await using server = new CommandLine(["dev", "--port", "0", "--data", folder.path("data")]);
  const [url] = await server.urls(1);
  await using tail = new CommandLine([
    "tail",
    "shop.users",
    "--from",
    "snapshot",
    "--url",
    url!,
    "--select",
    "id,name",
  ]);
  await tail.until(() => tail.out.split("\n").length === 3);
  await using write = new CommandLine(["upsert", "shop.users", "id=2", "name=Bo", "--url", url!]);
  assert.equal(await write.ended(), 0, write.err);
  const { found } = await tail.until(() => /^.*"update".*$/m.exec(tail.out)?.[0]);
  const { op, row, before } = JSON.parse(found);
  assert.deepEqual({ op, row, before }, {
    op: "update",
    row: { id: "2", name: "Bo" },
    before: { id: "2", name: null },
  });
  tail.signal("SIGINT");
  assert.equal(await tail.ended(), 0, tail.err);
  await using some = new CommandLine(["tail", "web.clicks", "--from", "earliest", "--limit", "3", "--url", url!]);
  assert.equal(await some.ended(), 0, some.err);
  assert.equal(some.out.split("\n").length, 4);
});
