import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { t, table } from "../../mod.ts";
import { DataFolder } from "./data_folder.ts";

const events = table("web.events", { id: t.int().notNull(), at: t.timestamp(9), tags: t.array(t.int()) });
const narrow = table("web.narrow", { id: t.tinyint().notNull(), at: t.timestamp(3), tags: t.array(t.int()) });
const other = table("web.other", { id: t.int(), at: t.boolean() });
const fewer = table("web.fewer", { id: t.int() });
const far = table("web.far", { at: t.timestamp(9) }, { log: { format: "indexed" } });

async function withEvents(work: (folder: DataFolder, file: string) => Promise<void>): Promise<void> {
  using folder = new DataFolder();
  await folder.use(async (db) => {
    await db.admin.createDatabase("web");
    for (const each of [events, narrow, other, fewer, far]) await db.admin.create(each);
    const at = Temporal.PlainDateTime.from("2026-11-23T01:02:03.5");
    await db.table(events).appendAll([{ id: 1, at, tags: [1] }, { id: 1000, at: null, tags: [] }, { id: 3 }]);
    await db.table(far).append({ at: Temporal.PlainDateTime.from("3000-01-01T00:00") });
  });
  const file = folder.path("events.parquet");
  const { code, err } = await folder.run(["export", "web.events", "--output", file]);
  assert.equal(code, 0, err);
  await work(folder, file);
}

test("Parquet that does not fit, or is none, is refused with its column, and nothing is written", () =>
  withEvents(async (folder, file) => {
    const none = folder.path("none.parquet");
    writeFileSync(none, "PAR1 this is not what it says PAR1");
    const cut = folder.path("cut.parquet");
    writeFileSync(cut, readFileSync(file).subarray(0, -20));
    const cases: readonly [readonly string[], RegExp][] = [
      [
        ["web.other", "--file", file],
        /column "at" is INT64 \(TIMESTAMP, local\), which is no BOOLEAN/,
      ],
      [["web.fewer", "--file", file], /column "at" is none of the table's to write; there are id/],
      [["web.narrow", "--file", file], /row 2, line 2, column "id": .*; nothing is written/],
      [["web.events", "--file", none], /none\.parquet cannot be read as Parquet: /],
      [["web.events", "--file", cut], /cut\.parquet cannot be read as Parquet: /],
    ];
    for (const [args, said] of cases) {
      const { code, out, err } = await folder.run(["append", ...args]);
      assert.deepEqual([code, out], [7, ""], err);
      assert.match(err, /^INPUT\.BAD_(FORMAT|ROW): /);
      assert.match(err, said);
    }
    for (const each of [other, fewer, narrow]) {
      assert.equal(await folder.use((db) => db.table(each).scan().count()), 0);
    }
  }));

test("rows of Parquet that are refused are kept as JSON lines", () =>
  withEvents(async (folder, file) => {
    const rejects = folder.path("rejects.jsonl");
    const { code, err } = await folder.run(["append", "web.narrow", "--file", file, "--rejects", rejects]);
    assert.equal(code, 7, err);
    assert.match(err, /2 rows appended .*, 1 rejected/);
    assert.deepEqual(JSON.parse(readFileSync(rejects, "utf8")), { id: 1000, at: null, tags: [] });
    const rows = await folder.use((db) => db.table(narrow).scan().toArray());
    assert.deepEqual(rows.map(({ id, at, tags }) => [id, at?.toString(), tags]), [
      [1, "2026-11-23T01:02:03.5", [1]],
      [3, undefined, null],
    ]);
  }));

test("rows of Parquet that were refused come back as they were, once they are corrected", async () => {
  using folder = new DataFolder();
  const columns = { price: t.decimal(10, 2), at: t.timestamp(6), on: t.date(), by: t.bytes(), big: t.bigint() };
  const wide = table("web.wide", { id: t.int(), ...columns });
  const tiny = table("web.tiny", { id: t.tinyint(), ...columns });
  const row = {
    id: 1000,
    price: "12.50",
    at: Temporal.PlainDateTime.from("2026-01-01T10:00:00.000001"),
    on: Temporal.PlainDate.from("2026-01-01"),
    by: new Uint8Array([255, 0, 1]),
    big: 9007199254740993n,
  };
  await folder.use(async (db) => {
    await db.admin.createDatabase("web");
    await db.admin.create(wide);
    await db.admin.create(tiny);
    await db.table(wide).append(row);
  });
  const [file, rejects] = [folder.path("wide.parquet"), folder.path("rejects.jsonl")];
  assert.equal((await folder.run(["export", "web.wide", "--output", file])).code, 0);
  assert.equal((await folder.run(["append", "web.tiny", "--file", file, "--rejects", rejects])).code, 7);
  writeFileSync(rejects, readFileSync(rejects, "utf8").replace('"id":1000', '"id":100'));
  assert.equal((await folder.run(["append", "web.tiny", "--file", rejects])).code, 0);
  const [back] = await folder.use((db) => db.table(tiny).scan().toArray());
  const plain = (each: object) => Object.values(each).map(String);
  assert.deepEqual(plain(back!), plain({ ...row, id: 100 }));
});

test("Parquet of wall clocks is none of instants, and the other way round", async () => {
  using folder = new DataFolder();
  const local = table("web.local", { at: t.timestamp(6) });
  const instants = table("web.instants", { at: t.timestampLtz(6) });
  await folder.use(async (db) => {
    await db.admin.createDatabase("web");
    for (const each of [local, instants]) await db.admin.create(each);
    await db.table(local).append({ at: Temporal.PlainDateTime.from("2026-01-01T10:00") });
    await db.table(instants).append({ at: Temporal.Instant.from("2026-01-01T10:00Z") });
  });
  for (
    const [from, to, said] of [
      ["local", "instants", /"at" is INT64 \(TIMESTAMP, local\), which is no TIMESTAMP_LTZ\(6\)/],
      ["instants", "local", /"at" is INT64 \(TIMESTAMP, in UTC\), which is no TIMESTAMP\(6\)/],
    ] as const
  ) {
    const file = folder.path(`${from}.parquet`);
    assert.equal((await folder.run(["export", `web.${from}`, "--output", file])).code, 0);
    const { code, err } = await folder.run(["append", `web.${to}`, "--file", file]);
    assert.equal(code, 7, err);
    assert.match(err, said);
  }
});

test("a value that Parquet cannot hold ends the export, with its column, and leaves no file", () =>
  withEvents(async (folder) => {
    const file = folder.path("far.parquet");
    const { code, err } = await folder.run(["export", "web.far", "--output", file]);
    assert.equal(code, 7, err);
    assert.match(err, /column "at": 3000-01-01T00:00.* is outside of what Parquet has for nanos\. hint: export it as/);
    assert.ok(!existsSync(file) && !existsSync(`${file}.part`));
  }));
