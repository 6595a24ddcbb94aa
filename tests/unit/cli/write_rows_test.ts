// What is looked at before rows are sent, and what is left behind when one of them is wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Db, FlussError, t, table } from "../../../mod.ts";
import { flussError } from "../../../src/base/errors.ts";
import { openTable } from "../../../src/cli/data/open_table.ts";
import type { FileRecord, Records, Row } from "../../../src/cli/data/records.ts";
import { type WriteJob, writeRecords } from "../../../src/cli/data/write_rows.ts";

const lines = table("d.lines", { id: t.int(), text: t.string() }, { buckets: 1 });

/** Rows with numbers from 0, in batches of 100; the ones in `wrong` have no number. */
class FakeFile implements Records {
  readonly header = "";
  readonly #count: number;
  readonly #wrong: readonly number[];
  /** How many times it was read, and how many of its rows were made. */
  reads = 0;
  made = 0;
  onRow: (id: number) => void = () => {};
  atEnd: () => Promise<void> = async () => {};

  constructor(count: number, ...wrong: number[]) {
    this.#count = count;
    this.#wrong = wrong;
  }

  async *batches(): AsyncGenerator<readonly FileRecord[]> {
    this.reads++;
    for (let from = 0; from < this.#count; from += 100) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      yield Array.from({ length: Math.min(100, this.#count - from) }, (_, i) => this.#record(from + i));
    }
    await this.atEnd();
  }

  #record(id: number): FileRecord {
    const row = (): Row => {
      this.made++;
      this.onRow(id);
      return { id: this.#wrong.includes(id) ? "none" : id, text: "x".repeat(20) };
    };
    return { line: id + 1, row, text: () => `${id}` };
  }
}

interface Made {
  readonly db: Db;
  readonly job: WriteJob;
  readonly abort: () => void;
  /** The numbers that the server has. */
  readonly stored: () => Promise<number[]>;
}

/** A table on a server that outlives the connection of the work. */
async function withTable(more: Partial<WriteJob>, work: (made: Made) => Promise<void>): Promise<void> {
  const url = `memory:write-rows-${crypto.randomUUID()}`;
  await using other = await connect(url);
  await other.admin.createDatabase("d");
  await other.admin.create(lines);
  await using db = await connect(url, { writer: { batchBytes: 2048 } });
  const opened = await openTable(db, "d.lines");
  await opened.handle.scan().explain();
  const ending = new AbortController();
  const job: WriteJob = {
    db,
    table: opened,
    name: "rows.csv",
    kind: "insert",
    write: (row) => opened.handle.append(row),
    rejects: undefined,
    progress: { rows: 0, done: 0, total: undefined },
    signal: ending.signal,
    failure: () => undefined,
    ...more,
  };
  const stored = async () => (await Array.fromAsync(other.table(lines).scan())).map(({ id }) => id!);
  await work({ db, job, abort: () => ending.abort(), stored });
}

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);
const badRow = (row: number, end: RegExp) => (error: unknown) =>
  FlussError.is(error, "INPUT.BAD_ROW") && error.row === row && end.test(error.message) || assert.fail(String(error));

test("rows that fit in the queue are made once, and sent when all were looked at", () =>
  withTable({}, async ({ job, stored }) => {
    const file = new FakeFile(1000);
    let early: number[] | undefined;
    file.atEnd = async () => void (early = await stored());
    assert.equal(await writeRecords(file, job, "all"), 1000);
    assert.deepEqual([file.reads, file.made, early], [1, 1000, []]);
    assert.deepEqual(await stored(), upTo(1000));
  }));

test("a wrong row at the end leaves nothing, whether the file fits in the queue or not", async () => {
  for (const lookAheadBytes of [1 << 20, 4096]) {
    await withTable({ lookAheadBytes }, async ({ db, job, stored }) => {
      const file = new FakeFile(1000, 999);
      await assert.rejects(writeRecords(file, job, "all"), badRow(1000, /line 1000, .*; nothing is written/));
      await db.close({ drop: true });
      assert.deepEqual([file.reads, await stored()], [lookAheadBytes === 4096 ? 2 : 1, []]);
    });
  }
});

test("what does not fit in the queue is looked at, then made again and written once", () =>
  withTable({ lookAheadBytes: 4096 }, async ({ job, stored }) => {
    const file = new FakeFile(1000);
    assert.equal(await writeRecords(file, job, "all"), 1000);
    assert.equal(file.reads, 2);
    assert.ok(file.made > 1000 && file.made < 2000, `${file.made}`);
    assert.deepEqual(await stored(), upTo(1000));
    assert.equal(job.progress.rows, 1000);
  }));

test("of what is read once, the first rows are looked at", async () => {
  await withTable({}, async ({ db, job, stored }) => {
    await assert.rejects(writeRecords(new FakeFile(9_000, 8_000), job, "first"), badRow(8_001, /nothing is written/));
    await db.close({ drop: true });
    assert.deepEqual(await stored(), []);
  });
  await withTable({}, async ({ job, stored }) => {
    const file = new FakeFile(12_000, 11_000);
    await assert.rejects(writeRecords(file, job, "first"), badRow(11_001, /11000 rows before it are written/));
    assert.deepEqual([file.reads, await stored()], [1, upTo(11_000)]);
  });
});

test("a file that cannot be read on says what became of its rows", async () => {
  for (
    const [look, end] of [["all", /^.*; nothing is written/], ["none", /; 1000 rows before it are written/]] as const
  ) {
    await withTable({}, async ({ db, job, stored }) => {
      const file = new FakeFile(1000);
      file.atEnd = () =>
        Promise.reject(flussError("INPUT.BAD_FORMAT", { message: "line 1001: a quote is not closed" }));
      await assert.rejects(
        writeRecords(file, job, look),
        (error: unknown) =>
          FlussError.is(error, "INPUT.BAD_FORMAT") && /1001: a quote/.test(error.message) && end.test(error.message),
      );
      await db.close({ drop: true });
      assert.deepEqual(await stored(), upTo(look === "all" ? 0 : 1000));
    });
  }
});

test("rows of a slow stream are sent though it has not ended", () =>
  withTable({}, async ({ job, stored }) => {
    const file = new FakeFile(100);
    file.atEnd = async () => {
      while ((await stored()).length < 100) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    assert.equal(await writeRecords(file, job, "first"), 100);
  }));

test("an interrupt while rows are looked at leaves nothing, and later what was queued", async () => {
  for (const lookAheadBytes of [1 << 20, 4096]) {
    for (const look of ["all", "none"] as const) {
      await withTable({ lookAheadBytes }, async ({ abort, job, stored }) => {
        const file = new FakeFile(1000);
        file.onRow = (id) => {
          if (id === 500) abort();
        };
        const rows = await writeRecords(file, job, look);
        assert.equal(rows, look === "all" ? 0 : 501);
        assert.deepEqual(await stored(), upTo(rows));
      });
    }
  }
});
