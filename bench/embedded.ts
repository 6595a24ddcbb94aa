/**
 * What the embedded server does, client included, on whatever runtime runs this file.
 *
 *     <runtime> bench/embedded.ts [upsert,file-upsert,lookup,append,scan,first-query,tables,large] [--rows MILLIONS]
 *
 * Prints lines as `measure.ts` says. The rows are those of the standard work, in a table with one bucket. `--rows` is how
 * many millions of keys `upsert` and `file-upsert` write (default 1), and how many rows the file of `large` has
 * (default 10).
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { connect, type Db, t, table } from "../mod.ts";
import { generate, measure, RUNTIME } from "./measure.ts";

const MODES = "number and epochMillis modes";
const LOOKUPS = 200_000;
const OUTSTANDING = 1024;
const TS = Date.parse("2026-01-01T00:00:00Z");

const columns = {
  id: t.bigint({ mode: "number" }),
  name: t.string(),
  score: t.double(),
  ts: t.timestamp(3, { mode: "epochMillis" }),
};
const users = table("bench.users", columns, { primaryKey: ["id"], buckets: 1 });
const events = table("bench.events", columns, { buckets: 1 });

const row = (i: number) => ({ id: i, name: `user-${i}`, score: i * 0.5, ts: TS });

const { values, positionals } = parseArgs({ options: { rows: { type: "string" } }, allowPositionals: true });
const works = positionals[0]?.split(",") ??
  ["upsert", "file-upsert", "lookup", "append", "scan", "first-query", "tables"];
const keys = Number(values.rows ?? 1) * 1_000_000;

let sink = 0;

async function fresh(db: Db): Promise<void> {
  await db.admin.createDatabase("bench", { ignoreIfExists: true });
  for (const declared of [users, events]) {
    await db.admin.drop(declared, { ignoreIfNotExists: true });
    await db.admin.create(declared);
  }
}

async function lookUp(db: Db, total: number, among: number): Promise<void> {
  const handle = db.table(users);
  let seed = 1;
  let left = total;
  await Promise.all(Array.from({ length: OUTSTANDING }, async () => {
    while (left-- > 0) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      const found = await handle.lookup({ id: seed % among });
      if (found === null) throw new Error("a row is missing");
      sink += found.score!;
    }
  }));
}

const folder = (): string => mkdtempSync(join(tmpdir(), "sluice-bench-"));
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const WORK: Record<string, () => Promise<void>> = {
  async upsert() {
    await using db = await connect("memory:");
    await fresh(db);
    const run = async () => {
      await db.table(users).upsertAll(generate(keys, row));
      return `upsertAll() of ${keys} keys to memory:, ${megabytes(process.memoryUsage().rss)} resident`;
    };
    await measure({ modes: MODES, work: "upsert", operations: keys, passes: 3, run });
  },
  async "file-upsert"() {
    const at = folder();
    try {
      await using db = await connect(`file:${at}`);
      await fresh(db);
      const run = async () => {
        await db.table(users).upsertAll(generate(keys, row));
        return `upsertAll() of ${keys} keys to file:`;
      };
      await measure({ modes: MODES, work: "file-upsert", operations: keys, passes: 2, run });
    } finally {
      rmSync(at, { recursive: true });
    }
  },
  async lookup() {
    await using db = await connect("memory:");
    await fresh(db);
    await db.table(users).upsertAll(generate(1_000_000, row));
    const run = () => lookUp(db, LOOKUPS, 1_000_000).then(() => "1024 outstanding, memory:");
    await measure({ modes: MODES, work: "lookup", operations: LOOKUPS, passes: 3, run });
  },
  async append() {
    await using db = await connect("memory:");
    await fresh(db);
    const run = async () => {
      await db.table(events).appendAll(generate(1_000_000, row));
      return "appendAll() to memory:";
    };
    await measure({ modes: MODES, work: "append", operations: 1_000_000, passes: 5, run });
  },
  async scan() {
    await using db = await connect("memory:");
    await fresh(db);
    await db.table(events).appendAll(generate(2_000_000, row));
    const byBatches = async () => {
      let seen = 0;
      for await (const batch of db.table(events).scan().batches()) {
        const scores = batch.column("score");
        for (let i = 0; i < scores.length; i++) sink += scores.get(i)!;
        seen += batch.length;
      }
      if (seen !== 2_000_000) throw new Error(`${seen} rows`);
      return "batches(), one column, memory:";
    };
    const byRows = async () => {
      let seen = 0;
      for await (const event of db.table(events).scan()) {
        sink += event.score!;
        seen++;
      }
      if (seen !== 2_000_000) throw new Error(`${seen} rows`);
      return "for await, memory:";
    };
    await measure({ modes: MODES, work: "scan", operations: 2_000_000, passes: 3, run: byBatches });
    await measure({ modes: MODES, work: "scan", operations: 2_000_000, passes: 3, run: byRows });
  },
  /** From the start of the process to the answer, as the process itself sees it. */
  first: async () => {
    await using db = await connect("memory:");
    await fresh(db);
    await db.table(users).upsert(row(1));
    sink += (await db.table(users).lookup({ id: 1 }))!.score!;
    console.log(performance.timeOrigin + performance.now());
  },
  "first-query": () => {
    const flags = RUNTIME === "deno" ? ["run", "-A", "--no-check"] : [];
    const times = Array.from({ length: 7 }, () => {
      const start = performance.timeOrigin + performance.now();
      const { stdout } = spawnSync(process.execPath, [...flags, import.meta.filename!, "first"], { encoding: "utf8" });
      return Number(stdout) - start;
    }).sort((a, b) => a - b);
    const said = `${times[0]!.toFixed(0)} to ${
      times[6]!.toFixed(0)
    } ms from spawning the process: connect, two tables, upsert, lookup`;
    console.log([`sluice ${RUNTIME}, ${MODES}`, "first-query", `${times[3]!.toFixed(0)} ms`, "", said].join("\t"));
    return Promise.resolve();
  },
  async tables() {
    await using db = await connect("memory:");
    await db.admin.createDatabase("many");
    const before = process.memoryUsage().rss;
    const start = performance.now();
    for (let i = 0; i < 1000; i++) {
      const one = table(`many.t${i}`, columns, { primaryKey: ["id"], buckets: 1 });
      await db.admin.create(one);
      await db.table(one).upsert(row(i));
    }
    const { rss } = process.memoryUsage();
    const said = `resident ${megabytes(before)} before, ${megabytes(rss)} with 1,000 tables of one row, ` +
      `${(performance.now() - start).toFixed(0)} ms`;
    console.log([`sluice ${RUNTIME}, ${MODES}`, "tables", megabytes(rss), "", said].join("\t"));
  },
  async large() {
    const rows = Number(values.rows ?? 10) * 1_000_000;
    const at = folder();
    try {
      const rate = async (among: number): Promise<number> => {
        const opening = performance.now();
        await using db = await connect(`file:${at}`);
        await db.table(users).lookup({ id: 1 });
        const opened = performance.now() - opening;
        await lookUp(db, LOOKUPS, among);
        const start = performance.now();
        await lookUp(db, LOOKUPS, among);
        const found = LOOKUPS / (performance.now() - start) * 1000;
        const said = `opened in ${opened.toFixed(0)} ms, ${found.toFixed(0)} lookups a second`;
        console.log([`sluice ${RUNTIME}, ${MODES}`, `large: ${among} rows`, found.toFixed(0), "", said].join("\t"));
        return found;
      };
      const fill = async (from: number, to: number): Promise<void> => {
        await using db = await connect(`file:${at}`);
        if (from === 0) await fresh(db);
        const start = performance.now();
        await db.table(users).upsertAll(generate(to - from, (i) => row(from + i)));
        const seconds = (performance.now() - start) / 1000;
        const said = `rows ${from} to ${to} written`;
        console.log(
          [`sluice ${RUNTIME}, ${MODES}`, "large: upsert", ((to - from) / seconds).toFixed(0), "", said].join("\t"),
        );
      };
      await fill(0, 100_000);
      const small = await rate(100_000);
      await fill(100_000, rows);
      const big = await rate(rows);
      console.log(`lookups of the small file are ${(small / big).toFixed(2)} times as fast`);
    } finally {
      rmSync(at, { recursive: true });
    }
  },
};

for (const work of works) {
  const run = WORK[work];
  if (run === undefined) throw new Error(`no such work: ${work}`);
  await run();
}
if (sink === 42) console.log();
