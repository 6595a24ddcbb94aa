/**
 * The standard work on primary-key tables, with our client, on whatever runtime runs this file.
 *
 *     <runtime> bench/key_work.ts HOST:PORT [upsert,lookup-1,lookup-64,lookup-1024]
 *
 * Prints lines as `measure.ts` says, for `lookup-1` with the median latency in milliseconds. The work is the one that the
 * official clients do: columns `id BIGINT, name STRING, score DOUBLE, ts TIMESTAMP(3)`, 4 buckets, 200,000 rows.
 *
 * @module
 */
import process from "node:process";
import { type AnyTable, connect, type Db, t, table } from "../mod.ts";
import { generate, measure, RUNTIME } from "./measure.ts";

const ROWS = 200_000;
const LOOKUPS = 100_000;
const AT = "2026-01-01T00:00:00";

const columns = { id: t.bigint(), name: t.string(), score: t.double() };
const options = { primaryKey: ["id"], buckets: 4 } as const;

/** The same table with every column in its default mode, and with the modes for hot paths. */
const defaults = table(`bench.${RUNTIME}_default_kv`, { ...columns, ts: t.timestamp(3) }, options);
const millis = table(
  `bench.${RUNTIME}_millis_kv`,
  { ...columns, id: t.bigint({ mode: "number" }), ts: t.timestamp(3, { mode: "epochMillis" }) },
  options,
);

let sink = 0;

/** What the benchmark does with a table, with its row types settled. */
interface Subject {
  readonly name: string;
  readonly table: AnyTable;
  upsert(i: number): void;
  upsertAll(count: number): Promise<unknown>;
  lookup(i: number): Promise<void>;
}

function defaultSubject(db: Db): Subject {
  const handle = db.table(defaults);
  const ts = Temporal.PlainDateTime.from(AT);
  return {
    name: "default modes",
    table: defaults,
    upsert: (i) => void handle.upsert({ id: BigInt(i), name: `user-${i}`, score: i * 0.5, ts }),
    upsertAll: (count) =>
      handle.upsertAll(generate(count, (i) => ({ id: BigInt(i), name: `user-${i}`, score: i * 0.5, ts }))),
    lookup: async (i) => {
      const row = await handle.lookup({ id: BigInt(i) });
      if (row === null) throw new Error(`row ${i} is missing`);
      sink += Number(row.id) + row.name!.length + row.score! + row.ts!.millisecond;
    },
  };
}

function millisSubject(db: Db): Subject {
  const handle = db.table(millis);
  const ts = Date.parse(`${AT}Z`);
  return {
    name: "number and epochMillis modes",
    table: millis,
    upsert: (i) => void handle.upsert({ id: i, name: `user-${i}`, score: i * 0.5, ts }),
    upsertAll: (count) => handle.upsertAll(generate(count, (i) => ({ id: i, name: `user-${i}`, score: i * 0.5, ts }))),
    lookup: async (i) => {
      const row = await handle.lookup({ id: i });
      if (row === null) throw new Error(`row ${i} is missing`);
      sink += row.id + row.name!.length + row.score! + row.ts!;
    },
  };
}

async function outstanding(subject: Subject, count: number, total: number): Promise<void> {
  let seed = 1;
  let left = total;
  await Promise.all(Array.from({ length: count }, async () => {
    while (left-- > 0) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      await subject.lookup(seed % ROWS);
    }
  }));
}

const [address, only] = process.argv.slice(2);
if (address === undefined) throw new Error("usage: bench/key_work.ts HOST:PORT [work,...]");
const wanted = only?.split(",") ?? ["upsert", "lookup-1", "lookup-64", "lookup-1024"];

await using db = await connect(`fluss://${address}`);
await db.admin.createDatabase("bench", { ignoreIfExists: true });
for (const subject of [defaultSubject(db), millisSubject(db)]) {
  await db.admin.drop(subject.table, { ignoreIfNotExists: true });
  await db.admin.create(subject.table);
  const upsert = async () => {
    for (let i = 0; i < ROWS; i++) subject.upsert(i);
    await db.flush();
    return "upsert(), flush()";
  };
  const upsertAll = async () => {
    await subject.upsertAll(ROWS);
    return "upsertAll()";
  };
  if (wanted.includes("upsert")) {
    await measure({ modes: subject.name, work: "upsert", operations: ROWS, passes: 3, run: upsert });
    await measure({ modes: subject.name, work: "upsert", operations: ROWS, passes: 3, run: upsertAll });
  } else await upsertAll();
  await outstanding(subject, 64, 5_000); // warm, as a service would be
  if (wanted.includes("lookup-1")) {
    const run = async () => {
      const times: number[] = [];
      for (let i = 0; i < 3000; i++) {
        const start = performance.now();
        await subject.lookup(i);
        times.push(performance.now() - start);
      }
      times.sort((a, b) => a - b);
      return `p50 ${times[1500]!.toFixed(3)} ms, p99 ${times[2970]!.toFixed(3)} ms`;
    };
    await measure({ modes: subject.name, work: "lookup-1", operations: 3000, passes: 1, run });
  }
  for (const count of [64, 1024]) {
    if (!wanted.includes(`lookup-${count}`)) continue;
    const run = () => outstanding(subject, count, LOOKUPS).then(() => "");
    await measure({ modes: subject.name, work: `lookup-${count}`, operations: LOOKUPS, passes: 3, run });
  }
}
if (sink === 42) console.log();
