import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { type AnyColumn, type AnyTable, type LogOptions, t, table } from "../../mod.ts";
import { needsCluster } from "../cluster.ts";
import { Random, seed } from "../random.ts";
import { type Kind, type Language, limitOf, NESTED, type Sample, SCALARS } from "./kinds.ts";
import { inOrder, type LogFormat, logLimitOf, NO_FORMAT } from "./log_limits.ts";
import type { Text, WireType } from "./protocol.ts";
import { createTable, exchange, LANGUAGES, openSession, openTheirs, show, type Theirs, untyped } from "./session.ts";

console.log(`SLUICE_SEED=${seed}`);

const session = await openSession();

/** Options of tests that need counterparts. */
function needs(...languages: readonly Language[]): { readonly skip: string | false } {
  return { skip: languages.map((language) => session.absent.get(language)).find((reason) => reason) ?? false };
}

const KINDS: readonly Kind[] = [...SCALARS, ...NESTED];
const NULL: Sample = { value: null, text: null };
const INT: WireType = { type: "INT" };
const typeColumns = KINDS.map((kind, i) => [`c${i}`, kind] as const);
const wire = [["id", INT] as const, ...typeColumns.map(([key, kind]) => [key, kind.type] as const)];

function columnsOfAllTypes(): Record<string, AnyColumn> {
  return { id: t.int(), ...Object.fromEntries(typeColumns.map(([key, kind]) => [key, kind.column])) };
}

/** Who takes part in an exchange, and how its log is stored. */
interface Case {
  readonly others: readonly Language[];
  readonly format: LogFormat;
  readonly log: LogOptions;
}

function logsOf(format: LogFormat): LogOptions[] {
  if (format !== "arrow") return [{ format }];
  return (["none", "lz4", "zstd"] as const).map((type) => ({ format, compression: { type } }));
}

/** All three, and each of the others alone with us for what only two can exchange. */
const CASES: readonly Case[] = (["arrow", "indexed", "compacted"] as const).flatMap((format) => {
  const able = LANGUAGES.filter((language) => NO_FORMAT[`${language} ${format}`] === undefined);
  const groups = able.length > 1 ? [able, ...able.map((language) => [language])] : [able];
  return groups.flatMap((others) => logsOf(format).map((log) => ({ others, format, log })));
});

function titleOf({ others, log }: Case): string {
  return `${others.join(" and ")}, ${log.format}${
    log.compression === undefined ? "" : ` with ${log.compression.type}`
  }`;
}

function tableNameOf(prefix: string, { others, log }: Case): string {
  return [prefix, ...others, log.format, log.compression?.type ?? ""].join("_");
}

/** Why an exchange leaves a value out, if it does. */
function limitIn({ others, format }: Case, kind: Kind, item: Sample): string | undefined {
  for (const language of others) {
    const reason = limitOf(item, language, "reads") ?? limitOf(item, language, "writes") ??
      logLimitOf(language, format, kind.type, item.text);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Rows in which every kind goes through its values, then null, then random values. */
function rowsFor(each: Case): Sample[][] {
  const columns = KINDS.map((kind) => kind.samples.filter((item) => limitIn(each, kind, item) === undefined));
  const most = Math.max(...columns.map((samples) => samples.length));
  const mixed = new Random(seed);
  const rows = Array.from({ length: most + 4 }, (_, at) =>
    KINDS.map((kind, column) => {
      const samples = columns[column]!;
      if (at < samples.length) return samples[at]!;
      if (at === samples.length) return NULL;
      const item = kind.random(mixed);
      return limitIn(each, kind, item) === undefined ? item : NULL;
    }));
  return [...rows, KINDS.map(() => NULL)];
}

const valuesOf = (id: number, samples: readonly Sample[]): Record<string, unknown> => ({
  id,
  ...Object.fromEntries(samples.map((item, i) => [`c${i}`, item.value])),
});
const textsOf = (id: number, samples: readonly Sample[]): Text[] => [id, ...samples.map((item) => item.text)];

/** What is wrong, by kind. */
type Mismatches = Map<string, string[]>;

function noMismatches(): Mismatches {
  return new Map(KINDS.map((kind) => [kind.name, []]));
}

/** Compares the values of a row with what they should be, both as texts. */
function compareRow(found: Mismatches, where: string, actual: readonly string[], expected: readonly string[]): void {
  KINDS.forEach((kind, i) => {
    if (actual[i] !== expected[i]) found.get(kind.name)!.push(`${where}: got ${actual[i]} instead of ${expected[i]}`);
  });
}

const shownValues = (row: Record<string, unknown>): string[] => typeColumns.map(([key]) => show(row[key]));
const shownTexts = (texts: readonly Text[]): string[] =>
  KINDS.map((kind, i) => JSON.stringify(inOrder(kind.type, texts[i]!)));

// ---------------------------------------------------------------------------------------------------------------------
// Append-only logs: the same rows by everyone, read by everyone.

/** Ids of the rows of one writer are this far from those of the next. */
const IDS_PER_WRITER = 1000;

async function exchangeRows(name: string, each: Case): Promise<Mismatches> {
  const { db } = session;
  const declared = table(name, columnsOfAllTypes(), { buckets: 1, log: each.log });
  await createTable(db, declared);
  const ours = untyped(db, declared);
  const theirs = await Promise.all(each.others.map((language) => openTheirs(session, language, name, wire)));
  const rows = rowsFor(each);
  const ids = (writer: number) => rows.map((_, at) => writer * IDS_PER_WRITER + at);

  ids(0).forEach((id, at) => ours.append(valuesOf(id, rows[at]!)));
  await db.flush();
  for (const [i, their] of theirs.entries()) {
    await their.append(ids(i + 1).map((id, at) => textsOf(id, rows[at]!)));
  }
  const writers = ["us", ...each.others];
  if (each.others.includes("python")) {
    const python = theirs[each.others.indexOf("python")]!;
    await python.appendArrow(ids(writers.length).map((id, at) => textsOf(id, rows[at]!)));
    writers.push("python's batch");
  }

  const found = noMismatches();
  const check = (reader: string, gotIds: readonly number[], shown: (at: number) => string[], expect: string[][]) => {
    // One bucket and one writer after the other: the log is in the order of writing.
    assert.deepEqual(gotIds, writers.flatMap((_, writer) => ids(writer)), `${reader} finds other rows`);
    gotIds.forEach((id, at) => {
      const where = `${titleOf(each)}, row ${id % IDS_PER_WRITER} of ${writers[Math.floor(id / IDS_PER_WRITER)]}`;
      compareRow(found, `${where}, read by ${reader}`, shown(at), expect[id % IDS_PER_WRITER]!);
    });
  };
  const read: Record<string, unknown>[] = [];
  for await (const row of ours.scan()) read.push(row);
  const values = rows.map((samples) => samples.map((item) => show(item.value)));
  check("us", read.map((row) => row["id"] as number), (at) => shownValues(read[at]!), values);

  const texts = rows.map((samples) => shownTexts(samples.map((item) => item.text)));
  for (const [i, language] of each.others.entries()) {
    const records = await theirs[i]!.readLog(read.length);
    assert.deepEqual(records.map(([, offset]) => Number(offset)), records.map((_, at) => at), `offsets of ${language}`);
    assert.deepEqual(new Set(records.map(([, , change]) => change)), new Set(["+A"]), `changes of ${language}`);
    const gotIds = records.map(([, , , row]) => row[0] as number);
    check(language, gotIds, (at) => shownTexts(records[at]![3].slice(1)), texts);
  }
  return found;
}

for (const format of ["arrow", "indexed", "compacted"] as const) {
  const cases = CASES.filter((each) => each.format === format && !each.others.some((one) => session.absent.has(one)));
  const everyone = LANGUAGES.filter((language) => NO_FORMAT[`${language} ${format}`] === undefined);
  let exchanged: Promise<Mismatches[]> | undefined;
  const run = async () => {
    const all: Mismatches[] = [];
    for (const each of cases) {
      all.push(await exchange(session, tableNameOf("log", each), (name) => exchangeRows(name, each)));
    }
    return all;
  };
  for (const kind of KINDS) {
    test(`${everyone.join(", ")} and we agree on ${kind.name} in logs, ${format}`, needs(...everyone), async () => {
      exchanged ??= run();
      assert.deepEqual((await exchanged).flatMap((found) => found.get(kind.name)!), []);
    });
  }
  for (const language of LANGUAGES) {
    const reason = NO_FORMAT[`${language} ${format}`];
    if (reason !== undefined) test(`${language} and we agree on logs, ${format}`, { skip: reason }, () => {});
    const reasons = new Map<string, Set<string>>();
    for (const kind of KINDS) {
      for (const item of kind.samples) {
        const limit = logLimitOf(language, format, kind.type, item.text);
        if (limit !== undefined) reasons.set(limit, (reasons.get(limit) ?? new Set()).add(kind.name));
      }
    }
    for (const [limit, names] of reasons) {
      test(`${language} reads logs with some values of ${[...names].join(", ")}, ${format}`, { skip: limit }, () => {});
    }
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Change logs.

/** The records of a row that is written twice and then deleted. */
const LIFE = ["+I", "-U", "+U", "-D"] as const;

async function exchangeChanges(name: string, each: Case): Promise<Mismatches> {
  const { db } = session;
  const declared = table(name, columnsOfAllTypes(), { primaryKey: ["id"], buckets: 1, log: each.log });
  await createTable(db, declared);
  const ours = untyped(db, declared);
  const theirs = await Promise.all(each.others.map((language) => openTheirs(session, language, name, wire)));
  const rows = rowsFor(each);
  /** The next row of a writer, with what the one before it had at first. */
  const next = (at: number) => rows[(at + 1) % rows.length]!;
  const ids = (writer: number) => rows.map((_, at) => writer * IDS_PER_WRITER + at);

  const mine = ids(0);
  for (const version of [(at: number) => rows[at]!, next]) {
    mine.forEach((id, at) => ours.upsert(valuesOf(id, version(at))));
    await db.flush();
  }
  mine.forEach((id) => ours.delete({ id }));
  await db.flush();
  for (const [i, their] of theirs.entries()) {
    const yours = ids(i + 1);
    await their.upsert(yours.map((id, at) => textsOf(id, rows[at]!)));
    await their.upsert(yours.map((id, at) => textsOf(id, next(at))));
    await their.delete(yours.map((id) => [id]));
  }

  const writers = ["us", ...each.others];
  const count = writers.length * rows.length * LIFE.length;
  const found = noMismatches();
  const check = (
    reader: string,
    records: readonly { id: number; change: string; shown: string[] }[],
    expected: (samples: readonly Sample[]) => string[],
  ) => {
    assert.equal(records.length, count, `${reader} finds another number of changes`);
    const lives = Map.groupBy(records, (record) => record.id);
    assert.deepEqual([...lives.keys()].sort((a, b) => a - b), writers.flatMap((_, writer) => ids(writer)));
    for (const [id, life] of lives) {
      const at = id % IDS_PER_WRITER;
      assert.deepEqual(life.map((record) => record.change), LIFE, `${reader}: changes of row ${id}`);
      const versions = [rows[at]!, rows[at]!, next(at), next(at)];
      const where = `${titleOf(each)}, changes of row ${at} of ${writers[Math.floor(id / IDS_PER_WRITER)]}`;
      life.forEach(({ shown }, i) =>
        compareRow(found, `${where}, ${LIFE[i]} read by ${reader}`, shown, expected(versions[i]!))
      );
    }
  };

  const events: { id: number; change: string; shown: string[] }[] = [];
  await using subscription = ours.changes({ from: "earliest", raw: true });
  for await (const { op, row } of subscription) {
    events.push({ id: row["id"] as number, change: op, shown: shownValues(row) });
    if (events.length === count) break;
  }
  check("us", events, (samples) => samples.map((item) => show(item.value)));
  for (const [i, language] of each.others.entries()) {
    const records = (await theirs[i]!.readLog(count)).map(([, , change, row]) => ({
      id: row[0] as number,
      change,
      shown: shownTexts(row.slice(1)),
    }));
    const expected = (samples: readonly Sample[]) => shownTexts(samples.map((item) => item.text));
    check(language, records, expected);
  }
  return found;
}

// Servers write change logs of primary-key tables with COMPACTED rows in these formats only.
for (const each of CASES.filter(({ format }) => format !== "indexed")) {
  test(
    `we agree on the changes of all types with ${titleOf(each)}`,
    needs(...each.others),
    async () => {
      const name = tableNameOf("changes", each);
      const found = await exchange(session, name, (name) => exchangeChanges(name, each));
      assert.deepEqual([...found.values()].flat(), []);
    },
  );
}

// ---------------------------------------------------------------------------------------------------------------------
// Arrow with pyarrow.

const PYTHON: Case = { others: ["python"], format: "arrow", log: { format: "arrow" } };
/** pyarrow knows all years and nanoseconds, so it is compared on everything. */
const allRows = (() => {
  const most = Math.max(...KINDS.map((kind) => kind.samples.length));
  const rows = Array.from({ length: most }, (_, at) => KINDS.map((kind) => kind.samples[at] ?? NULL));
  return [...rows, KINDS.map(() => NULL)];
})();

async function openArrow(name: string): Promise<{ declared: AnyTable; python: Theirs }> {
  const declared = table(name, columnsOfAllTypes(), { buckets: 1, log: PYTHON.log });
  await createTable(session.db, declared);
  return { declared, python: await openTheirs(session, "python", name, wire) };
}

async function collect(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("pyarrow opens the Arrow streams of our scans, with all types", needs("python"), async () => {
  const found = await exchange(session, "arrow_out", async (name) => {
    const { db } = session;
    const { declared, python } = await openArrow(name);
    const ours = untyped(db, declared);
    allRows.forEach((samples, id) => ours.append(valuesOf(id, samples)));
    await db.flush();
    const said = await python.fromArrow((await collect(ours.scan().ipc())).toString("base64"));
    assert.deepEqual(said.types.map(([key]) => key), ["id", ...typeColumns.map(([key]) => key)]);
    assert.deepEqual(said.rows.map((row) => row[0]), allRows.map((_, id) => id));
    const found = noMismatches();
    said.rows.forEach((row, at) => {
      const expected = shownTexts(allRows[at]!.map((item) => item.text));
      compareRow(found, `row ${at}`, shownTexts(row.slice(1)), expected);
    });
    return found;
  });
  assert.deepEqual([...found.values()].flat(), []);
});

for (const compression of [null, "lz4", "zstd"] as const) {
  test(
    `we append the Arrow streams of pyarrow, with all types, ${compression ?? "not compressed"}`,
    needs("python"),
    async () => {
      const found = await exchange(session, `arrow_in_${compression}`, async (name) => {
        const { declared, python } = await openArrow(name);
        const ours = untyped(session.db, declared);
        const stream = await python.toArrow(allRows.map((samples, id) => textsOf(id, samples)), compression);
        const written = await ours.appendBatches(Buffer.from(stream, "base64"));
        assert.equal(written.rows, allRows.length);
        const found = noMismatches();
        let at = 0;
        for await (const row of ours.scan()) {
          assert.equal(row["id"], at);
          compareRow(found, `row ${at}`, shownValues(row), allRows[at++]!.map((item) => show(item.value)));
        }
        assert.equal(at, allRows.length);
        return found;
      });
      assert.deepEqual([...found.values()].flat(), []);
    },
  );
}

test("the counterparts of logs end when they are told to", needsCluster, async () => {
  assert.deepEqual(await session.close(), [...session.counterparts].map(() => "exit code 0"));
});
