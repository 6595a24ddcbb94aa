import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type AnyColumn, type AnyTable, t, table } from "../../mod.ts";
import { needsCluster } from "../cluster.ts";
import type { KeyEncoding } from "../../src/format/key_encoder.ts";
import { long, Random, random, seed } from "../random.ts";
import {
  type Direction,
  type Format,
  type Kind,
  type Language,
  limitOf,
  NESTED,
  type Sample,
  scalar,
  SCALARS,
} from "./kinds.ts";
import { OTHER_BUCKETS, sameBucketFor } from "./pyfluss_buckets.ts";
import type { Description, Text, WireType } from "./protocol.ts";
import {
  createBeforePartitions,
  createTable,
  exchange,
  LANGUAGES,
  openSession,
  openTheirs,
  show,
  type Theirs,
  together,
  untyped,
} from "./session.ts";

console.log(`SLUICE_SEED=${seed}`);

const session = await openSession();

/** Options of tests that need a counterpart. */
function needs(language: Language): { readonly skip: string | false } {
  return { skip: session.absent.get(language) ?? false };
}

const KINDS: readonly Kind[] = [...SCALARS, ...NESTED];
const FORMATS: readonly Format[] = ["compacted", "indexed"];
/** How many exchanges go on at a time. */
const WIDTH = 4;

/** The name of a type as a part of a table's name. */
function plainName(kind: Kind): string {
  return kind.name.toLowerCase().replace(/\W+/g, "_");
}

const INT: WireType = { type: "INT" };
const BIGINT: WireType = { type: "BIGINT" };
const STRING: WireType = { type: "STRING" };

/** What a counterpart cannot do at all. */
const CANNOT = {
  "python indexed": "pyfluss 1.0.0 has no INDEXED rows",
  "python describe": "pyfluss shows types in a notation of its own",
  "python names": "pyfluss 1.0.0 keeps zeros at the end of a fraction of a second, and has no exponents and no .0",
  "python insertIfMissing": "pyfluss 1.0.0 has no insertIfMissing",
} as const;

// ---------------------------------------------------------------------------------------------------------------------
// Every type, null, both row formats, both directions.

type Mismatches = ReadonlyMap<string, string[]>;

const NULL: Sample = { value: null, text: null };

/** Rows in which every kind goes through its values, then null, then random values. */
function rowsFor(language: Language, format: Format, direction: Direction): Sample[][] {
  const possible = (item: Sample) =>
    limitOf(item, language, direction) === undefined && !(format === "indexed" && item.limits?.indexed !== undefined);
  const columns = KINDS.map((kind) => kind.samples.filter(possible));
  const most = Math.max(...columns.map((samples) => samples.length));
  const mixed = new Random(seed);
  const rows = Array.from({ length: most + 4 }, (_, at) =>
    KINDS.map((kind, column) => {
      const samples = columns[column]!;
      if (at < samples.length) return samples[at]!;
      if (at === samples.length) return NULL;
      const item = kind.random(mixed);
      return possible(item) ? item : NULL;
    }));
  return [...rows, KINDS.map(() => NULL)];
}

const typeColumns = KINDS.map((kind, i) => [`c${i}`, kind] as const);

function compareColumns(found: Map<string, string[]>, direction: string, at: number, pairs: [string, string][]): void {
  pairs.forEach(([actual, expected], i) => {
    if (actual !== expected) {
      found.get(KINDS[i]!.name)!.push(`${direction}, row ${at}: got ${actual} instead of ${expected}`);
    }
  });
}

async function exchangeTypes(language: Language, name: string, format: Format): Promise<Mismatches> {
  const { db } = session;
  const columns: Record<string, AnyColumn> = { id: t.int() };
  for (const [key, kind] of typeColumns) columns[key] = kind.column;
  const kv = format === "compacted" ? {} : { kv: { format } };
  const declared = table(name, columns, { primaryKey: ["id"], buckets: 7, ...kv });
  await createTable(db, declared);
  const ours = untyped(db, declared);
  const wire = [["id", INT] as const, ...typeColumns.map(([key, kind]) => [key, kind.type] as const)];
  const theirs = await openTheirs(session, language, name, wire);
  const found = new Map(KINDS.map((kind) => [kind.name, [] as string[]]));

  const forThem = rowsFor(language, format, "reads");
  forThem.forEach((samples, id) => {
    ours.upsert({ id, ...Object.fromEntries(samples.map((item, i) => [`c${i}`, item.value])) });
  });
  await db.flush();
  const read = await theirs.lookup(forThem.map((_, id) => [id]));
  forThem.forEach((samples, id) => {
    assert.equal(read[id]?.[0], id, `${language} does not find our row ${id}`);
    const texts = read[id]!.slice(1);
    const pairs = samples.map((item, i) => [JSON.stringify(texts[i]), JSON.stringify(item.text)] as [string, string]);
    compareColumns(found, `${format}, written here`, id, pairs);
  });

  const fromThem = rowsFor(language, format, "writes");
  const idOf = (at: number) => forThem.length + at;
  await theirs.upsert(fromThem.map((samples, at) => [idOf(at), ...samples.map((item) => item.text)]));
  const got = await ours.lookupMany(fromThem.map((_, at) => ({ id: idOf(at) })));
  fromThem.forEach((samples, at) => {
    const row = got[at];
    assert.equal(row?.id, idOf(at), `we do not find row ${idOf(at)} of ${language}`);
    const pairs = samples.map((item, i) => [show(row![`c${i}`]), show(item.value)] as [string, string]);
    compareColumns(found, `${format}, written by ${language}`, at, pairs);
  });
  return found;
}

for (const language of LANGUAGES) {
  const formats = FORMATS.filter((format) => !(`${language} ${format}` in CANNOT));
  let exchanged: Promise<Mismatches[]> | undefined;
  for (const kind of KINDS) {
    test(`${language} and we agree on ${kind.name}`, needs(language), async () => {
      exchanged ??= Promise.all(
        formats.map((format) =>
          exchange(session, `types_${language}_${format}`, (name) => exchangeTypes(language, name, format))
        ),
      );
      assert.deepEqual((await exchanged).flatMap((found) => found.get(kind.name)!), []);
    });
  }
  for (const direction of ["reads", "writes"] as const) {
    const reasons = new Map<string, string[]>();
    for (const kind of KINDS) {
      for (const reason of new Set(kind.samples.map((item) => limitOf(item, language, direction)))) {
        if (reason !== undefined) reasons.set(reason, [...reasons.get(reason) ?? [], kind.name]);
      }
    }
    for (const [reason, names] of reasons) {
      test(`${language} ${direction} some values of ${names.join(", ")}`, { skip: reason }, () => {});
    }
  }
}
test("python and we agree on rows of the INDEXED format", { skip: CANNOT["python indexed"] }, () => {});

// ---------------------------------------------------------------------------------------------------------------------
// Every key type under every bucketing function, with seven buckets: a row is where the other side looks for it.

const LAKES = [undefined, "paimon", "iceberg"] as const;
type Lake = typeof LAKES[number];
const NOT_IN_ICEBERG = /^(BOOLEAN|TINYINT|SMALLINT|TIMESTAMP_LTZ)/;

function keysFor(kind: Kind, lake: Lake, language: Language, sameBucket: (key: unknown) => boolean): Sample[] {
  const keys = new Map<string, Sample>();
  const add = (item: Sample) => {
    if (limitOf(item, language, "reads") !== undefined || limitOf(item, language, "writes") !== undefined) return;
    if (language === "python" && !sameBucket(item.value)) return;
    if (lake !== "iceberg") keys.set(JSON.stringify(item.text), item);
    // An empty key has no bucket, and times that differ below the microsecond are one key.
    else if (item.text !== "") keys.set(JSON.stringify(item.text).replace(/(?<=\+\d+)\d{3}"$/, '"'), item);
  };
  kind.samples.forEach(add);
  for (let tries = 0; keys.size < 16 && tries < 100; tries++) add(kind.random(random));
  return [...keys.values()];
}

async function exchangeKeys(language: Language, name: string, kind: Kind, lake: Lake): Promise<void> {
  const { db } = session;
  const declared = table(name, { k: kind.column, v: t.string() }, {
    primaryKey: ["k"],
    buckets: 7,
    ...(lake === undefined ? {} : { datalake: { format: lake } }),
  });
  await createTable(db, declared);
  const ours = untyped(db, declared);
  const theirs = await openTheirs(session, language, name, [["k", kind.type], ["v", STRING]]);
  const sameBucket = sameBucketFor(declared, lake ?? "compacted");
  const keys = keysFor(kind, lake, language, (k) => sameBucket({ k }));
  const ourKeys = keys.map((key) => ({ k: key.value }));
  const theirKeys = keys.map((key) => [key.text]);

  ourKeys.forEach((key, i) => ours.upsert({ ...key, v: `ours ${i}` }));
  await db.flush();
  assert.deepEqual(await theirs.lookup(theirKeys), keys.map((key, i) => [key.text, `ours ${i}`]));

  await theirs.upsert(keys.map((key, i) => [key.text, `theirs ${i}`]));
  const expected = keys.map((key, i) => show({ k: key.value, v: `theirs ${i}` }));
  assert.deepEqual((await ours.lookupMany(ourKeys)).map(show), expected);

  const half = keys.length >> 1;
  await theirs.delete(theirKeys.slice(0, half));
  ourKeys.slice(half).forEach((key) => ours.delete(key));
  await db.flush();
  assert.deepEqual(await ours.lookupMany(ourKeys), keys.map(() => null));
  assert.deepEqual(await theirs.lookup(theirKeys), keys.map(() => null));
}

test("python and we find each other's rows by keys with high last bytes", { skip: OTHER_BUCKETS }, () => {});
for (const lake of LAKES) {
  const possible = SCALARS.filter((kind) => lake !== "iceberg" || !NOT_IN_ICEBERG.test(kind.name));
  // In CI key types take turns, so that a run stays short: its seed says which, and brings them back.
  const share = long ? possible : possible.filter(() => random.int(lake === undefined ? 2 : 6) === 0);
  if (!long) {
    console.log(`keys encoded for ${lake ?? "Fluss"} in this share: ${share.map((kind) => kind.name).join(", ")}`);
  }
  for (const language of LANGUAGES) {
    const jobs = share.map((kind) => () =>
      exchange(
        session,
        `keys_${language}_${lake ?? "none"}_${plainName(kind)}`,
        (name) => exchangeKeys(language, name, kind, lake),
      )
    );
    together(jobs, WIDTH).forEach((outcome, i) => {
      const what = `${language} and we find each other's rows by a key of ${share[i]!.name}`;
      test(lake === undefined ? what : `${what}, encoded for ${lake}`, needs(language), outcome);
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Keys of several columns, bucket keys, partitions.

interface Event {
  readonly region: string;
  readonly user: bigint;
  readonly at: number;
  readonly note: string | null;
}

const eventColumns = { note: t.string(), region: t.string(), user: t.bigint(), at: t.int() };
const eventTypes = [["note", STRING], ["region", STRING], ["user", BIGINT], ["at", INT]] as const;
const eventText = (event: Event): Text[] => [event.note, event.region, String(event.user), event.at];
const eventKeyText = (event: Event): Text[] => [event.region, String(event.user), event.at];

/** Regions times users times times; the note names the writer. */
function events(writer: string): Event[] {
  const all: Event[] = [];
  for (const region of ["eu", "us-1", "zone_c"]) {
    for (const user of [0n, -1n, 2n ** 62n, 77n]) {
      for (const at of [1, 2, -3]) {
        all.push({ region, user, at, note: at === 2 ? null : `${writer} ${region} ${user} ${at}` });
      }
    }
  }
  return all;
}

const sorted = (rows: readonly unknown[]): string[] => rows.map(show).sort();

async function exchangeEvents(
  language: Language,
  name: string,
  declared: AnyTable,
  prefix: readonly ("region" | "user")[],
  { encoding = "compacted", partitioned = false }: { encoding?: KeyEncoding; partitioned?: boolean } = {},
): Promise<void> {
  const { db } = session;
  if (partitioned) await createBeforePartitions(db, [declared]);
  else await createTable(db, declared);
  const ours = untyped(db, declared);
  const theirs = await openTheirs(session, language, name, eventTypes);
  const prefixes = [{ region: "eu", user: 2n ** 62n }, { region: "zone_c", user: -1n }, { region: "us-1", user: 5n }];
  const partOf = (row: { region: string; user: bigint }) => prefix.map((column) => show(row[column])).join();
  const byPrefix = (rows: Event[], part: { region: string; user: bigint }) =>
    rows.filter((row) => partOf(row) === partOf(part));

  const sameBucket = sameBucketFor(declared, encoding);
  const exchanged = (event: Event) => language !== "python" || sameBucket({ ...event });
  const fromUs = events("ours").filter(exchanged);
  for (const event of fromUs) ours.upsert({ ...event });
  await db.flush();
  // Ours first: a row that was not written must not hide behind the patience with the other client.
  const written = fromUs.map(({ region, user, at }) => ({ region, user, at }));
  assert.deepEqual((await ours.lookupMany(written)).map(show), fromUs.map((event) => show(inColumnOrder(event))));
  const asked = fromUs.map(eventKeyText);
  assert.deepEqual(
    await (partitioned ? lookupInNewPartitions(theirs, asked) : theirs.lookup(asked)),
    fromUs.map(eventText),
  );

  const fromThem = events("theirs").filter(exchanged);
  await theirs.upsert(fromThem.map(eventText));
  const keys = fromThem.map(({ region, user, at }) => ({ region, user, at }));
  assert.deepEqual((await ours.lookupMany(keys)).map(show), fromThem.map((event) => show(inColumnOrder(event))));
  if (prefix.length === 0) return;

  const texts = prefixes.map((part) => prefix.map((column) => column === "user" ? String(part.user) : part.region));
  const found = await theirs.prefixLookup(prefix, texts);
  for (const [i, part] of prefixes.entries()) {
    const expected = byPrefix(fromThem, part);
    assert.deepEqual(sorted(found[i]!), sorted(expected.map(eventText)));
    const key = Object.fromEntries(prefix.map((column) => [column, part[column]]));
    assert.deepEqual(sorted(await ours.prefixLookup(key)), sorted(expected.map(inColumnOrder)));
  }
}

const inColumnOrder = ({ note, region, user, at }: Event) => ({ note, region, user, at });

for (const language of LANGUAGES) {
  const primaryKey = ["region", "user", "at"] as const;
  test(
    `${language} and we agree on buckets and prefixes of a leading bucket key`,
    needs(language),
    () =>
      exchange(session, `bucket_leading_${language}`, async (name) => {
        const declared = table(name, eventColumns, { primaryKey, bucketKey: ["region", "user"], buckets: 7 });
        await exchangeEvents(language, name, declared, ["region", "user"]);
      }),
  );
  test(
    `${language} and we agree on buckets of a bucket key that does not lead`,
    needs(language),
    () =>
      exchange(session, `bucket_inner_${language}`, async (name) => {
        const declared = table(name, eventColumns, { primaryKey, bucketKey: ["user"], buckets: 7 });
        await exchangeEvents(language, name, declared, []);
      }),
  );
  test(
    `${language} and we agree on partitions and on prefixes in them`,
    needs(language),
    () =>
      exchange(session, `partitioned_${language}`, async (name) => {
        const options = { primaryKey, partitionBy: ["region"], bucketKey: ["user"], buckets: 7 } as const;
        await exchangeEvents(language, name, table(name, eventColumns, options), ["region", "user"], {
          partitioned: true,
        });
      }),
  );
  for (const lake of ["paimon", "iceberg"] as const) {
    test(
      `${language} and we agree on a bucket key of a table for ${lake}`,
      needs(language),
      () =>
        exchange(session, `bucket_${lake}_${language}`, async (name) => {
          const options = { primaryKey, bucketKey: ["region"], buckets: 7, datalake: { format: lake } } as const;
          await exchangeEvents(language, name, table(name, eventColumns, options), ["region"], { encoding: lake });
        }),
    );
  }
}

/**
 * Types of partition keys with values whose names servers accept. Several share a table, for every partitioned table is
 * a risk to a coordinator of 0.9.1, see `createBeforePartitions`.
 */
const PARTITIONS: readonly (readonly (readonly [Kind, readonly Sample[]])[])[] = [
  ["BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE"],
  ["CHAR(8)", "BINARY(4)", "BYTES", "DATE", "TIME(0)", "TIME(3)"],
  ["TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP_LTZ(0)", "TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(6)"],
].map((names) =>
  names.map((name) => {
    const named = ({ text, limits }: Sample) =>
      limits === undefined && (typeof text !== "string" || /^[\w+-]{1,24}$/.test(text));
    return [scalar(name), scalar(name).samples.filter(named)] as const;
  })
);

/** Whether pyfluss 1.0.0 names the partition of a value as Java does. */
function sameName({ name }: Kind, { value, text }: Sample): boolean {
  if (/^TIMESTAMP/.test(name)) return /[0-9]*[1-9][+]0$|000[+]0$/.test(String(text));
  if (name === "FLOAT" || name === "DOUBLE") {
    return !Number.isFinite(value) || !Number.isInteger(value) && !/e/.test(`${value}`);
  }
  return true;
}

interface PartitionCase {
  readonly language: Language;
  readonly kinds: readonly Kind[];
  /** One value of every kind, row by row. */
  readonly rows: readonly Sample[][];
  readonly name: string;
  readonly declare: (name: string) => AnyTable;
}

const partitionCases = LANGUAGES.flatMap((language) =>
  PARTITIONS.map((group, at): PartitionCase => {
    const kinds = group.map(([kind]) => kind);
    const values = group.map(([kind, all]) => all.filter((item) => language !== "python" || sameName(kind, item)));
    const most = Math.max(...values.map((each) => each.length));
    const rows = Array.from({ length: most }, (_, i) => values.map((each) => each[i % each.length]!));
    const columns: Record<string, AnyColumn> = { id: t.int(), v: t.string() };
    kinds.forEach((kind, i) => columns[`p${i}`] = kind.column);
    const partitionBy = kinds.map((_, i) => `p${i}`);
    const options = { primaryKey: [...partitionBy, "id"], partitionBy, buckets: 1 };
    return {
      language,
      kinds,
      rows: long ? rows : rows.slice(-4),
      name: `partitions_${language}_${at}`,
      declare: (name) => table(name, columns, options),
    };
  })
);
let partitionTables: Promise<void> | undefined;

async function exchangePartitions(each: PartitionCase, name: string): Promise<void> {
  const { db } = session;
  const { language, kinds, rows } = each;
  const declared = each.declare(name);
  if (name === each.name) {
    await (partitionTables ??= createBeforePartitions(
      db,
      partitionCases.filter(({ language }) => session.counterparts.has(language)).map((one) => one.declare(one.name)),
    ));
  } else {
    await createBeforePartitions(db, [declared]);
  }
  const ours = untyped(db, declared);
  const partition = kinds.map((kind, i) => [`p${i}`, kind.type] as const);
  const theirs = await openTheirs(session, language, declared.name, [["id", INT], ["v", STRING], ...partition]);
  const key = (samples: Sample[], id: number) => ({
    id,
    ...Object.fromEntries(samples.map((item, i) => [`p${i}`, item.value])),
  });
  const texts = (samples: Sample[]) => samples.map((item) => item.text);
  rows.forEach((samples, id) => ours.upsert({ ...key(samples, id), v: "ours" }));
  await db.flush();
  const found = (await ours.lookupMany(rows.map(key))).map((row) => row?.v);
  assert.deepEqual(found, rows.map(() => "ours"));
  const read = await lookupInNewPartitions(theirs, rows.map((samples, id) => [...texts(samples), id]));
  assert.deepEqual(read, rows.map((samples, id) => [id, "ours", ...texts(samples)]));
  await theirs.upsert(rows.map((samples, id) => [id, "theirs", ...texts(samples)]));
  const expected = rows.map((samples, id) => show({ v: "theirs", ...key(samples, id) }));
  const got = await ours.lookupMany(rows.map(key));
  assert.deepEqual(got.map((row) => row && show({ v: row.v, ...row })), expected);
  assert.equal((await db.admin.partitions(declared)).length, rows.length, "both sides gave a value the same name");
}

/** How long a server may take to hear of a partition that another one serves already. */
const PARTITION_KNOWN_MS = 5_000;

/** A counterpart finds no row in a partition of which the server that it asks has not heard yet; ours asks again. */
async function lookupInNewPartitions(theirs: Theirs, keys: Text[][]): Promise<(Text[] | null)[]> {
  const end = performance.now() + PARTITION_KNOWN_MS;
  for (;;) {
    const rows = await theirs.lookup(keys);
    if (!rows.includes(null) || performance.now() > end) return rows;
    await sleep(50);
  }
}

for (const each of partitionCases) {
  const names = each.kinds.map((kind) => kind.name).join(", ");
  test(
    `${each.language} and we give partitions of ${names} the same names`,
    needs(each.language),
    () => exchange(session, each.name, (name) => exchangePartitions(each, name)),
  );
}
test("python and we name partitions of some times and numbers alike", { skip: CANNOT["python names"] }, () => {});

// ---------------------------------------------------------------------------------------------------------------------
// Partial updates, generated columns, declarations.

const patchColumns = { id: t.int(), a: t.string(), b: t.bigint(), c: t.array(t.int()) };
const patchTypes = [["id", INT], ["a", STRING], ["b", BIGINT], ["c", { type: "ARRAY", element: INT }]] as const;

async function exchangePatches(language: Language, name: string, format: Format): Promise<void> {
  const { db } = session;
  const declared = table(name, patchColumns, { primaryKey: ["id"], buckets: 7, kv: { format } });
  await createTable(db, declared);
  const ours = db.table(declared);
  const theirs: Theirs = await openTheirs(session, language, name, patchTypes);
  const ids = Array.from({ length: 20 }, (_, id) => id);
  for (const id of ids) ours.upsert({ id, a: `a${id}`, b: BigInt(id), c: [id, null] });
  await db.flush();

  await theirs.upsert(ids.map((id) => [id, String(-id)]), ["id", "b"]);
  assert.deepEqual(
    await ours.lookupMany(ids.map((id) => ({ id }))),
    ids.map((id) => ({ id, a: `a${id}`, b: BigInt(-id), c: [id, null] })),
  );
  for (const id of ids) ours.update({ id, a: null, c: [] });
  await db.flush();
  assert.deepEqual(await theirs.lookup(ids.map((id) => [id])), ids.map((id) => [id, null, String(-id), []]));

  // A patch of a row that is not there makes it.
  await theirs.upsert([[100, "theirs"]], ["id", "a"]);
  await ours.update({ id: 101, b: 5n });
  assert.deepEqual(await ours.lookup({ id: 100 }), { id: 100, a: "theirs", b: null, c: null });
  assert.deepEqual(await theirs.lookup([[101]]), [[101, null, "5", null]]);

  await theirs.delete([[0], [100]]);
  ours.delete({ id: 1 });
  await db.flush();
  assert.deepEqual(await ours.lookupMany([{ id: 0 }, { id: 1 }, { id: 100 }]), [null, null, null]);
  assert.deepEqual(await theirs.lookup([[0], [1], [100]]), [null, null, null]);
}

for (const language of LANGUAGES) {
  for (const format of FORMATS) {
    const cannot = `${language} ${format}` in CANNOT && CANNOT["python indexed"];
    const options = cannot === false ? needs(language) : { skip: cannot };
    test(
      `${language} and we patch and delete each other's ${format} rows`,
      options,
      () => exchange(session, `patches_${language}_${format}`, (name) => exchangePatches(language, name, format)),
    );
  }
}

test("java and we get the same generated ids", needs("java"), () =>
  exchange(session, "dictionary", async (name) => {
    const { db } = session;
    const declared = table(name, { word: t.string(), id: t.bigint().autoIncrement() }, {
      primaryKey: ["word"],
      buckets: 7,
    });
    await createTable(db, declared);
    const ours = db.table(declared);
    const theirs = await openTheirs(session, "java", name, [["word", STRING], ["id", BIGINT]]);
    const words = Array.from({ length: 24 }, (_, i) => `word ${i}`);
    const half = words.slice(0, 12);
    const made = await theirs.lookup(half.map((word) => [word]), { insertIfMissing: true });
    const rows = await Promise.all(words.map((word) => ours.lookup({ word }, { insertIfMissing: true })));
    assert.deepEqual(made, rows.slice(0, 12).map((row) => [row.word, String(row.id)]));
    const again = await theirs.lookup(words.map((word) => [word]), { insertIfMissing: true });
    assert.deepEqual(again, rows.map((row) => [row.word, String(row.id)]));
    assert.equal(new Set(rows.map((row) => row.id)).size, words.length);
  }));
test("python and we get the same generated ids", { skip: CANNOT["python insertIfMissing"] }, () => {});

const allColumns: Record<string, AnyColumn> = { id: t.int() };
for (const [key, kind] of typeColumns) allColumns[key] = kind.column;
const description: Description = {
  columns: [["id", "INT NOT NULL"], ...typeColumns.map(([key, kind]) => [key, kind.name] as const)],
  primaryKey: ["id"],
  bucketKey: ["id"],
  partitionBy: [],
  buckets: 3,
};

test(
  "java describes our table of all types as we declare it",
  needs("java"),
  () =>
    exchange(session, "described", async (name) => {
      const { db, database, counterparts } = session;
      await createTable(db, table(name, allColumns, { primaryKey: ["id"], buckets: 3 }));
      const said = await counterparts.get("java")!.call({ op: "describe", table: `${database}.${name}` });
      assert.deepEqual(said, description);
    }),
);
test("python describes our table of all types as we declare it", { skip: CANNOT["python describe"] }, () => {});

test(
  "a table of all types that java made fits our declaration",
  needs("java"),
  () =>
    exchange(session, "theirs", async (name) => {
      const { db, database, counterparts } = session;
      const path = `${database}.${name}`;
      await counterparts.get("java")!.call({ op: "create", table: path, ...description, properties: {} });
      const declared = table(name, allColumns, { primaryKey: ["id"], buckets: 3 });
      const row = { id: 1, ...Object.fromEntries(typeColumns.map(([key, kind]) => [key, kind.samples.at(-1)!.value])) };
      await untyped(db, declared).upsert(row);
      const untypedHandle = await db.table(path);
      assert.equal(show(await untypedHandle.lookup({ id: 1 })), show(row));
      // Its declaration in our words is the one that we would have made.
      const live = await db.admin.describe(declared);
      await createTable(db, table(`${name}_again`, allColumns, { primaryKey: ["id"], buckets: 3 }));
      assert.deepEqual(live.table.schema, (await db.admin.describe(`${name}_again`)).table.schema);
    }),
);

test("the counterparts end when they are told to", needsCluster, async () => {
  assert.deepEqual(await session.close(), [...session.counterparts].map(() => "exit code 0"));
});
