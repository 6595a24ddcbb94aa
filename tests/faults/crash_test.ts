// A process that writes to `file:` is killed with SIGKILL at random moments, while it opens the folder, too. Afterwards
// the folder opens; every acknowledged row is there, and none is there twice; and the change log, folded, is the state.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type Db, FlussError } from "../../mod.ts";
import { long, Random, seed } from "../random.ts";
import { BUCKETS, events, KEYS, state } from "./crash_tables.ts";

const KILLS = long ? 500 : 6;

/** So many kills go to one folder, whose logs grow all the time. */
const PER_FOLDER = 10;

/** Keys that the test itself writes, above the others: enough for all buckets. */
const OWN_KEYS = 20;

const CHILD = fileURLToPath(new URL("crash_child.ts", import.meta.url));

/** What the writer said that it would write. */
interface Write {
  readonly kind: string;
  readonly number: number;
  readonly key: number;
}

/** Runs the writer until it is killed; returns what it said. */
async function runWriter(folder: string, report: string, random: Random, first: number): Promise<string[]> {
  const flags = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const bytes = random.pick([10, 10, 200, 200, 8000, 200_000]);
  const changedBytes = random.pick([0, 0, 5000, 200_000]);
  const output = openSync(report, "w");
  const numbers = [random.int(2 ** 31), first, bytes, changedBytes].map(String);
  const child = spawn(process.execPath, [...flags, CHILD, folder, ...numbers], {
    stdio: ["ignore", output, "inherit"],
  });
  closeSync(output);
  const ended = new Promise<string | null>((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  if (random.int(5) > 0) {
    const patience = performance.now() + 60_000;
    while (statSync(report).size === 0 && child.exitCode === null && performance.now() < patience) await pause(2);
    assert.ok(statSync(report).size > 0, "the writer does not begin");
    await pause(random.int(200));
  } else await pause(random.int(600));
  child.kill("SIGKILL");
  assert.equal(await ended, "SIGKILL", "the writer ended by itself");
  const lines = readFileSync(report, "utf8").split("\n");
  // Nothing, or half of a line.
  lines.pop();
  return lines;
}

/** What has to be there, and what may be. */
class Expected {
  /** The number that a key's row has; undefined where there is no row. */
  readonly #rows = new Map<number, number>();
  readonly #events = new Set<number>();
  #writes: Write[] = [];
  #acked = new Set<number>();

  /** The first number that was not used. */
  next = 1;
  /** How many acknowledged writes were looked for. */
  checked = 0;

  /** Takes in what a writer said. */
  read(lines: readonly string[]): void {
    for (const line of lines) {
      const [kind, number, key] = line.split(" ") as [string, string, string];
      if (kind === "ready") continue;
      if (kind === "acked") this.#acked.add(Number(number));
      else {
        this.#writes.push({ kind, number: Number(number), key: Number(key) });
        this.next = Number(number) + 1;
      }
    }
    this.checked += this.#acked.size;
  }

  /** Compares rows with what their writes allow, and takes them for certain from now on. */
  checkRows(rows: ReadonlyMap<number, number>): void {
    for (let key = 0; key < KEYS; key++) {
      // What a key had, and what each write made of it, in order: it is one of these, not before the last that was acked.
      let possible = [this.#rows.get(key)];
      for (const { kind, number, key: written } of this.#writes) {
        if (written !== key || kind === "append") continue;
        if (this.#acked.has(number)) possible = [];
        possible.push(kind === "delete" ? undefined : number);
      }
      const found = rows.get(key);
      assert.ok(possible.includes(found), `row ${key} has number ${found}, expected one of ${possible.join(", ")}`);
      if (found === undefined) this.#rows.delete(key);
      else this.#rows.set(key, found);
    }
    assert.equal(rows.size, this.#rows.size, "there are rows that nobody wrote");
  }

  checkEvents(found: readonly number[]): void {
    const all = new Set(found);
    assert.equal(all.size, found.length, "a row is there twice");
    for (const number of this.#events) assert.ok(all.has(number), `event ${number} went`);
    const appended = new Set(this.#writes.filter(({ kind }) => kind === "append").map(({ number }) => number));
    for (const number of appended) {
      assert.ok(all.has(number) || !this.#acked.has(number), `event ${number} was acknowledged and is not there`);
    }
    for (const number of found) {
      assert.ok(this.#events.has(number) || appended.has(number), `nobody wrote event ${number}`);
      this.#events.add(number);
    }
  }

  settle(): void {
    this.#writes = [];
    this.#acked = new Set();
  }
}

interface Row {
  readonly key: number;
  readonly number: number | null;
  readonly filling: string | null;
}

async function check(db: Db, expected: Expected): Promise<void> {
  const fromChanges = await folded(db, expected.next++);
  const rows = new Map<number, Row>();
  for await (const row of db.table(state).scan()) {
    assert.ok(!rows.has(row.key), `row ${row.key} is there twice`);
    rows.set(row.key, row);
  }
  assert.deepEqual(new Map([...fromChanges].sort(([a], [b]) => a - b)), new Map([...rows].sort(([a], [b]) => a - b)));
  const looked = await db.table(state).lookupMany(Array.from({ length: KEYS }, (_, key) => ({ key })));
  looked.forEach((row, key) => assert.deepEqual(row, rows.get(key) ?? null));
  expected.checkRows(new Map([...rows].flatMap(([key, { number }]) => key < KEYS ? [[key, number!]] : [])));
  const found: number[] = [];
  for await (const { number } of db.table(events).scan()) found.push(number!);
  assert.deepEqual(found, found.toSorted((a, b) => a - b), "events are not in the order in which they were written");
  expected.checkEvents(found);
  expected.settle();
}

/** The state as the change log tells it. Writes rows of its own, so that it knows when it has seen all others. */
async function folded(db: Db, number: number): Promise<Map<number, Row>> {
  const own = Array.from({ length: OWN_KEYS }, (_, i) => KEYS + i);
  await db.table(state).upsertAll(own.map((key) => ({ key, number, filling: "" })));
  const left = new Set(own);
  const rows = new Map<number, Row>();
  const last = new Map<number, bigint>();
  await using changes = db.table(state).changes({ from: "earliest", raw: true });
  for await (const { op, row, bucket, offset } of changes) {
    // A batch that changed nothing takes an offset, too.
    assert.ok(offset > (last.get(bucket) ?? -1n), "an offset is there twice");
    last.set(bucket, offset);
    const before = rows.get(row.key);
    if (op === "+I") assert.equal(before, undefined, `row ${row.key} was there already`);
    else if (op !== "+U") assert.deepEqual(before, row, `the row before ${op} is another`);
    if (op === "-D" || op === "-U") rows.delete(row.key);
    else rows.set(row.key, row);
    if (op[0] === "+" && row.number === number) left.delete(row.key);
    if (left.size === 0) break;
  }
  assert.equal(last.size, BUCKETS);
  return rows;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

test(`${KILLS} kills of a writer to file: lose nothing that was acknowledged (SLUICE_SEED=${seed})`, {
  timeout: 3_600_000,
}, async () => {
  const random = new Random(seed);
  let [checked, opening] = [0, 0];
  for (let kills = 0; kills < KILLS; kills += PER_FOLDER) {
    const base = mkdtempSync(join(tmpdir(), "sluice-crash-"));
    const [folder, report] = [join(base, "data"), join(base, "report")];
    const expected = new Expected();
    for (let kill = kills; kill < Math.min(KILLS, kills + PER_FOLDER); kill++) {
      const lines = await runWriter(folder, report, random, expected.next);
      if (lines.length === 0) opening++;
      expected.read(lines);
      await using db = await connect(`file:${folder}`);
      // The first kill may come before there is a table.
      const exists = await db.admin.describe(events).then(() => true, (error) => {
        if (FlussError.is(error, "SERVER.TABLE_NOT_EXIST") || FlussError.is(error, "SERVER.DATABASE_NOT_EXIST")) {
          return false;
        }
        throw error;
      });
      if (exists) await check(db, expected);
      else assert.equal(lines.length, 0);
    }
    checked += expected.checked;
    rmSync(base, { recursive: true });
  }
  console.log(`${checked} acknowledged writes were looked for; ${opening} kills came before the first write`);
});
