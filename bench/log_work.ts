/**
 * The standard work on log tables, with our client, on whatever runtime runs this file.
 *
 *     <runtime> bench/log_work.ts HOST:PORT [append,append-arrow,scan-one,scan-rows,scan-arrow,project-one]
 *
 * Prints lines as `measure.ts` says. The work is the one that the official clients do: columns `id BIGINT, name STRING,
 * score DOUBLE, ts TIMESTAMP(3)`, 4 buckets, 1,000,000 rows queued one by one, 2,000,000 as Arrow batches of 20,000;
 * the scans read what `append` wrote.
 *
 * @module
 */
import process from "node:process";
import { type AnyTable, type ColumnBatch, connect, type Db, t, table } from "../mod.ts";
import { toArrow } from "../src/adapters/arrow/mod.ts";
import { generate, measure, RUNTIME } from "./measure.ts";

const ROWS = 1_000_000;
const ARROW_ROWS = 2_000_000;
const ARROW_BATCH = 20_000;
const AT = "2026-01-01T00:00:00";

const columns = { id: t.bigint(), name: t.string(), score: t.double() };

const defaults = table(`bench.${RUNTIME}_default_log`, { ...columns, ts: t.timestamp(3) }, { buckets: 4 });
const defaultsArrow = table(`bench.${RUNTIME}_default_arrow`, defaults.columns, { buckets: 4 });
const millisColumns = {
  ...columns,
  id: t.bigint({ mode: "number" }),
  ts: t.timestamp(3, { mode: "epochMillis" }),
};
const millis = table(`bench.${RUNTIME}_millis_log`, millisColumns, { buckets: 4 });
const millisArrow = table(`bench.${RUNTIME}_millis_arrow`, millisColumns, { buckets: 4 });

let sink = 0;

/** What the benchmark does with a table, with its row types settled. */
interface Subject {
  readonly modes: string;
  readonly table: AnyTable;
  readonly arrowTable: AnyTable;
  append(i: number): void;
  appendAll(count: number): Promise<unknown>;
  appendArrow(batches: Iterable<Uint8Array>): Promise<unknown>;
  batches(): AsyncIterable<ColumnBatch<{ readonly id: number | bigint | null }>>;
  project(): AsyncIterable<ColumnBatch<{ readonly id: number | bigint | null }>>;
  /** Reads all four columns of every row of every batch. */
  readRows(): Promise<number>;
  /** The same by `for await` over the scan. */
  readEach(): Promise<number>;
  readArrow(): Promise<number>;
}

function defaultSubject(db: Db): Subject {
  const handle = db.table(defaults);
  const arrow = db.table(defaultsArrow);
  const ts = Temporal.PlainDateTime.from(AT);
  return {
    modes: "default modes",
    table: defaults,
    arrowTable: defaultsArrow,
    append: (i) => void handle.append({ id: BigInt(i), name: `user-${i}`, score: i * 0.5, ts }),
    appendAll: (count) =>
      handle.appendAll(generate(count, (i) => ({ id: BigInt(i), name: `user-${i}`, score: i * 0.5, ts }))),
    appendArrow: (batches) => arrow.appendBatches(batches),
    batches: () => handle.scan().batches(),
    project: () => handle.scan().select("id").batches(),
    async readRows() {
      let rows = 0;
      for await (const batch of handle.scan().batches()) {
        for (const row of batch) {
          sink += Number(row.id) + row.name!.length + row.score! + row.ts!.millisecond;
          rows++;
        }
      }
      return rows;
    },
    async readEach() {
      let rows = 0;
      for await (const row of handle.scan()) {
        sink += Number(row.id) + row.name!.length + row.score! + row.ts!.millisecond;
        rows++;
      }
      return rows;
    },
    readArrow: async () => (await toArrow(handle.scan())).numRows,
  };
}

function millisSubject(db: Db): Subject {
  const handle = db.table(millis);
  const arrow = db.table(millisArrow);
  const ts = Date.parse(`${AT}Z`);
  return {
    modes: "number and epochMillis modes",
    table: millis,
    arrowTable: millisArrow,
    append: (i) => void handle.append({ id: i, name: `user-${i}`, score: i * 0.5, ts }),
    appendAll: (count) => handle.appendAll(generate(count, (i) => ({ id: i, name: `user-${i}`, score: i * 0.5, ts }))),
    appendArrow: (batches) => arrow.appendBatches(batches),
    batches: () => handle.scan().batches(),
    project: () => handle.scan().select("id").batches(),
    async readRows() {
      let rows = 0;
      for await (const batch of handle.scan().batches()) {
        for (const row of batch) {
          sink += row.id! + row.name!.length + row.score! + row.ts!;
          rows++;
        }
      }
      return rows;
    },
    async readEach() {
      let rows = 0;
      for await (const row of handle.scan()) {
        sink += row.id! + row.name!.length + row.score! + row.ts!;
        rows++;
      }
      return rows;
    },
    readArrow: async () => (await toArrow(handle.scan())).numRows,
  };
}

/** Reads one field of every row. */
async function readOne(batches: AsyncIterable<ColumnBatch<{ readonly id: number | bigint | null }>>): Promise<number> {
  let rows = 0;
  for await (const batch of batches) {
    const ids = batch.column("id");
    // Numbers lie in a typed array; where none is null they need not be asked for one by one.
    if (ids.values !== undefined && ids.nullCount === 0) { for (const id of ids.values) sink += Number(id); }
    else for (const id of ids.toArray()) sink += Number(id);
    rows += batch.length;
  }
  return rows;
}

/** An Arrow IPC stream of one batch, made from rows that were read back. */
async function arrowBatch(subject: Subject): Promise<Uint8Array> {
  for await (const batch of subject.batches()) return batch.toIPC();
  throw new Error("nothing was appended");
}

const [address, only] = process.argv.slice(2);
if (address === undefined) throw new Error("usage: bench/log_work.ts HOST:PORT [work,...]");
const wanted = only?.split(",") ?? ["append", "append-arrow", "scan-one", "scan-rows", "scan-arrow", "project-one"];

await using db = await connect(`fluss://${address}`);
await db.admin.createDatabase("bench", { ignoreIfExists: true });
for (const subject of [defaultSubject(db), millisSubject(db)]) {
  const { modes } = subject;
  for (const each of [subject.table, subject.arrowTable]) {
    await db.admin.drop(each, { ignoreIfNotExists: true });
    await db.admin.create(each);
  }

  // One batch of 20,000 rows, to be appended again and again as Arrow.
  await subject.appendAll(ARROW_BATCH);
  let total = ARROW_BATCH;
  const ipc = await arrowBatch(subject);

  if (wanted.includes("append")) {
    const rowByRow = async () => {
      for (let i = 0; i < ROWS; i++) {
        subject.append(i);
        if (db.queuedBytes > 32 << 20) await db.ready;
      }
      await db.flush();
      total += ROWS;
      return "append(), db.ready, flush()";
    };
    await measure({ modes, work: "append", operations: ROWS, passes: 2, run: rowByRow });
    const all = async () => {
      await subject.appendAll(ROWS);
      total += ROWS;
      return "appendAll()";
    };
    await measure({ modes, work: "append", operations: ROWS, passes: 2, run: all });
  } else {
    await subject.appendAll(2 * ROWS);
    total += 2 * ROWS;
  }
  if (wanted.includes("append-arrow")) {
    const run = async () => {
      await subject.appendArrow(generate(ARROW_ROWS / ARROW_BATCH, () => ipc));
      return "appendBatches() of IPC streams";
    };
    await measure({ modes, work: "append-arrow", operations: ARROW_ROWS, passes: 2, run });
  }
  const scans: [string, string, () => Promise<number>][] = [
    ["scan-one", "column() of batches()", () => readOne(subject.batches())],
    ["scan-rows", "rows of batches()", () => subject.readRows()],
    ["scan-rows", "for await over the scan", () => subject.readEach()],
    ["scan-arrow", "toArrow()", () => subject.readArrow()],
    ["project-one", "select(), column() of batches()", () => readOne(subject.project())],
  ];
  for (const [work, api, read] of scans) {
    if (!wanted.includes(work)) continue;
    const run = async () => {
      const rows = await read();
      if (rows !== total) throw new Error(`${work} read ${rows} rows of ${total}`);
      return api;
    };
    await measure({ modes, work, operations: total, passes: 3, run });
  }
}
if (sink === 42) console.log();
