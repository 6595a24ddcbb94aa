import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { table } from "../../mod.ts";
import { DataFolder } from "../cli/data_folder.ts";
import { columns, full, plain } from "../conformance/all_types.ts";
import { pythonScript } from "./counterpart.ts";

const script = await pythonScript("parquet.py");
const needsPython = { skip: "absent" in script ? script.absent : false };

const from = table("shop.all_from", columns);
const nulls = Object.fromEntries(Object.keys(columns).map((key) => [key, null]));

test("pyarrow reads what export writes, and append reads what pyarrow makes of it", needsPython, async () => {
  using folder = new DataFolder();
  await folder.use(async (db) => {
    await db.admin.createDatabase("shop");
    await db.admin.create(from);
    await db.table(from).appendAll([full, nulls, full].map((row, id) => ({ ...row, id }) as never));
  });
  const file = folder.path("ours.parquet");
  assert.equal((await folder.run(["export", "shop.all_from", "--output", file])).code, 0);
  const ways = folder.path("ways");
  mkdirSync(ways);
  const [program, ...args] = script as readonly string[];
  const said = JSON.parse(execFileSync(program!, [...args, file, ways], { encoding: "utf8" })) as {
    readonly rows: number;
    readonly types: Readonly<Record<string, string>>;
  };
  assert.equal(said.rows, 3);
  const { tiny, big, price, huge, text, date, time, stamp, stampMillis, instant, bytes } = said.types;
  assert.deepEqual([tiny, big, price, huge, text, date, time, stamp, stampMillis, instant, bytes], [
    "int8",
    "int64",
    "decimal128(10, 2)",
    "decimal128(38, 10)",
    "string",
    "date32[day]",
    "time32[ms]",
    "timestamp[ns]",
    "timestamp[ms]",
    "timestamp[ns, tz=UTC]",
    "binary",
  ]);
  for (const name of readdirSync(ways)) {
    const to = table(`shop.${name.replace(".parquet", "")}`, columns);
    await folder.use((db) => db.admin.create(to));
    const { code, err } = await folder.run(["append", `${to.name}`, "--file", join(ways, name)]);
    assert.equal(code, 0, `${name}: ${err}`);
    await folder.use(async (db) => {
      const wanted = (await db.table(from).scan().toArray()).map(plain);
      assert.deepEqual((await db.table(to).scan().toArray()).map(plain), wanted, name);
    });
  }
});
