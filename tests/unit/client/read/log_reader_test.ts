// The reader of logs against fake servers: order, limits, schemas, failures, and that nothing is left behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../../../mod.ts";
import type { FlussClient } from "../../../../src/client/client.ts";
import { LogReader, type LogReaderOptions } from "../../../../src/client/read/log_reader.ts";
import { EARLIEST } from "../../../../src/client/read/ranges.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import type { BoundTable } from "../../../../src/client/table/bound_table.ts";
import { bind, type BucketAction, type FakeLogTable, type Row, withFakeLogs } from "../../../fake_log.ts";
import { until, within } from "../../../fake_cluster.ts";

const columns = { id: t.bigint().notNull(), s: t.string(), x: t.int() };
const logs = table("d.logs", columns, { buckets: 3 });
const one = table("d.logs", columns, { buckets: 1 });
const wider = table("d.logs", { ...columns, y: t.int() }, { buckets: 1 });
const rowLogs = table("d.logs", columns, { buckets: 1, log: { format: "indexed" } });
const parts = table("d.parts", { day: t.string().notNull(), n: t.int() }, { partitionBy: ["day"], buckets: 1 });

const row = (n: number): Row => ({ id: BigInt(n), s: `row ${n}`, x: n });
const rows = (from: number, count: number): Row[] => Array.from({ length: count }, (_, i) => row(from + i));
const is = (code: FlussError["code"]) => (error: unknown) => FlussError.is(error, code);

interface Wanted {
  readonly select?: readonly string[];
  readonly start?: bigint;
  readonly stop?: bigint | undefined;
  readonly partition?: string;
}

/** Adds all buckets of a table or partition. By default from its start to what is its end now. */
function addAll(reader: LogReader, bound: BoundTable, fake: FakeLogTable, wanted: Wanted = {}): void {
  const source = { bound, columns: bound.codec.wanted(wanted.select) };
  const { id, logs } = fake.partitions.get(wanted.partition ?? "")!;
  logs.forEach(({ end }, bucket) => {
    reader.add({
      source,
      partition: wanted.partition,
      partitionId: wanted.partition === undefined ? undefined : id,
      bucket,
      start: wanted.start ?? 0n,
      stop: "stop" in wanted ? wanted.stop : end,
    });
  });
}

interface Read {
  readonly bucket: number;
  readonly offset: bigint;
  readonly row: Row;
}

/** Reads to the end, or so many rows. */
async function readAll(reader: LogReader, count = Infinity): Promise<Read[]> {
  const read: Read[] = [];
  const next = new Map<string, bigint>();
  while (read.length < count) {
    const chunk = await within(10_000, reader.next());
    if (chunk === undefined) break;
    const name = `${chunk.source.bound.target.name} ${chunk.partition} ${chunk.bucket}`;
    assert.ok(chunk.firstOffset >= (next.get(name) ?? 0n), "rows in order, none twice");
    assert.ok(chunk.nextOffset >= chunk.firstOffset + BigInt(chunk.columns.length));
    next.set(name, chunk.nextOffset);
    let offset = chunk.firstOffset;
    for (const row of chunk.columns.rows()) read.push({ bucket: chunk.bucket, offset: offset++, row });
  }
  return read;
}

function expected(fake: FakeLogTable, bucket = 0): Read[] {
  return fake.log(bucket).rows.map(({ offset, row }) => ({ bucket, offset, row }));
}

const ofBucket = (read: readonly Read[], bucket: number) => read.filter((one) => one.bucket === bucket);

function withReader(
  declared: Parameters<typeof bind>[1],
  options: LogReaderOptions,
  fill: (fake: FakeLogTable) => void,
  run: (
    made: {
      reader: LogReader;
      bound: BoundTable;
      fake: FakeLogTable;
      client: FlussClient;
      cluster: Parameters<Parameters<typeof withFakeLogs>[2]>[0];
    },
  ) => Promise<void>,
  tablets = 1,
): Promise<void> {
  return withFakeLogs(tablets, {}, async (cluster, client) => {
    const fake = cluster.create(declared);
    fill(fake);
    const bound = await bind(client, declared);
    const reader = new LogReader(client, { maxWaitMs: 30, ...options });
    try {
      await run({ reader, bound, fake, client, cluster });
    } finally {
      reader.close();
    }
    assert.equal(client.readers.size, 0);
    await until(() => cluster.waiting === 0);
  });
}

test("all rows of all buckets, in order; one request for all buckets of a leader", () =>
  withReader(logs, {}, (fake) => {
    for (let i = 0; i < 30; i++) fake.append(i % 3, rows(i * 10, 10));
  }, async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake);
    const read = await readAll(reader);
    for (const bucket of [0, 1, 2]) assert.deepEqual(ofBucket(read, bucket), expected(fake, bucket));
    assert.equal(cluster.count(API.FETCH_LOG), 1);
    assert.equal(reader.stats.requests, 1);
    assert.equal(reader.stats.bytes, cluster.sentBytes);
    assert.equal(reader.lag(), 0n);
    assert.equal(await reader.next(), undefined);
  }));

test("several tables share the requests of a leader, with one projection each", () =>
  withFakeLogs(1, {}, async (cluster, client) => {
    const fakes = [cluster.create(logs), cluster.create(table("d.more", columns, { buckets: 2 }))];
    for (const fake of fakes) for (const bucket of [0, 1]) fake.append(bucket, rows(bucket, 3));
    const reader = new LogReader(client);
    const [first, second] = fakes as [FakeLogTable, FakeLogTable];
    const bounds = await Promise.all([bind(client, first.declared), bind(client, second.declared)]);
    addAll(reader, bounds[0], first, { select: ["x"] });
    addAll(reader, bounds[1], second);
    assert.equal((await readAll(reader)).length, 12);
    assert.equal(cluster.count(API.FETCH_LOG), 1);
    assert.deepEqual(cluster.fetches[0]!.tablesReq.map((part) => part.projectedFields), [[2], []]);
    reader.close();
  }));

test("batches that are cut, a start within a batch, a stop within a batch, empty batches", () =>
  withReader(one, { bucketMaxBytes: 1000, fetchMaxBytes: 1000 }, (fake) => {
    for (let i = 0; i < 40; i++) {
      fake.append(0, rows(i * 7, 7));
      if (i % 4 === 0) fake.append(0, []);
      if (i % 20 === 3) { for (let k = 0; k < 50; k++) fake.append(0, []); }
    }
  }, async ({ reader, bound, fake, cluster }) => {
    const all = expected(fake);
    const [start, stop] = [all[10]!.offset, all[250]!.offset];
    addAll(reader, bound, fake, { start, stop });
    const read = await readAll(reader);
    assert.deepEqual(read, all.slice(10, 250));
    assert.ok(cluster.count(API.FETCH_LOG) > 10, "answers were cut");
  }));

test("a chunk's next offset is behind empty batches that follow it", () =>
  withReader(one, {}, (fake) => {
    fake.append(0, rows(0, 2));
    for (let i = 0; i < 3; i++) fake.append(0, []);
  }, async ({ reader, bound, fake }) => {
    addAll(reader, bound, fake, { stop: undefined });
    const chunk = (await reader.next())!;
    assert.deepEqual([chunk.firstOffset, chunk.nextOffset, chunk.highWatermark], [0n, 5n, 5n]);
    assert.equal(chunk.timestamp, 1_000_000);
    assert.equal(reader.lag(), 0n);
  }));

test("the earliest offset is wherever the log starts; a range behind its end is over", () =>
  withReader(one, {}, (fake) => {
    for (let i = 0; i < 4; i++) fake.append(0, rows(i * 5, 5));
    fake.log(0).start = 10n;
  }, async ({ reader, bound, fake, client }) => {
    addAll(reader, bound, fake, { start: EARLIEST });
    assert.deepEqual((await readAll(reader)).map(({ offset }) => offset), [
      10n,
      11n,
      12n,
      13n,
      14n,
      15n,
      16n,
      17n,
      18n,
      19n,
    ]);
    for (const [start, stop] of [[5n, 5n], [EARLIEST, 0n], [20n, 20n]] as const) {
      const reader = new LogReader(client);
      addAll(reader, bound, fake, { start, stop });
      assert.equal(await reader.next(), undefined);
      reader.close();
    }
    // Everything has expired since the stop was found.
    fake.log(0).start = 20n;
    const late = new LogReader(client, { maxWaitMs: 5 });
    addAll(late, bound, fake, { start: EARLIEST, stop: 20n });
    assert.equal(await within(5_000, late.next()), undefined);
    late.close();
  }));

test("an endless range waits at the server, and gives what arrives", () =>
  withReader(one, { maxWaitMs: 5_000 }, () => {}, async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake, { stop: undefined });
    assert.equal(reader.tryNext(), undefined);
    for (let i = 0; i < 3; i++) {
      await until(() => cluster.waiting === 1);
      fake.append(0, rows(i, 1));
      assert.deepEqual(await readAll(reader, 1), expected(fake).slice(i));
    }
    assert.ok(cluster.count(API.FETCH_LOG) <= 4);
  }));

test("a slow reader stops fetching; what is held stays within the budget", () =>
  withReader(logs, { aheadBytes: 40_000, fetchMaxBytes: 8_000, bucketMaxBytes: 2_000 }, (fake) => {
    for (let i = 0; i < 900; i++) fake.append(i % 3, rows(i * 5, 5));
  }, async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake);
    await reader.next();
    let before = -1;
    // Until nothing moves any more.
    while (before !== cluster.sentBytes) {
      before = cluster.sentBytes;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(before > 20_000 && before <= 41_000, `${before} bytes are held`);
    const requests = cluster.count(API.FETCH_LOG);
    let most = 0;
    let taken = 0;
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      most = Math.max(most, cluster.sentBytes - taken);
      taken += fake.encode(fake.log(chunk.bucket).batches[Number(chunk.firstOffset) / 5]!, undefined)!.length;
    }
    assert.ok(cluster.count(API.FETCH_LOG) > requests);
    // Cut ends of batches are sent again, so they count twice here.
    const overhead = cluster.sentBytes - taken;
    assert.ok(most <= 41_000 + overhead, `${most} bytes were ahead, and ${overhead} were sent again`);
  }));

test("no bucket starves when an answer has room for few, not even with batches above its limit", () =>
  withReader(logs, { aheadBytes: 6_000, fetchMaxBytes: 3_000, bucketMaxBytes: 1_000 }, (fake) => {
    for (let i = 0; i < 90; i++) fake.append(i % 3, rows(i * 60, i % 3 === 1 ? 60 : 5));
  }, async ({ reader, bound, fake }) => {
    addAll(reader, bound, fake);
    const read = await readAll(reader);
    for (const bucket of [0, 1, 2]) assert.deepEqual(ofBucket(read, bucket), expected(fake, bucket));
    const firstOf = (bucket: number) => read.findIndex((one) => one.bucket === bucket);
    for (const bucket of [0, 1, 2]) assert.ok(firstOf(bucket) < read.length / 3, `bucket ${bucket} came late`);
  }));

test("columns are projected by the server, in its order, and come in the order asked for", () =>
  withReader(one, {}, (fake) => fake.append(0, rows(0, 4)), async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake, { select: ["x", "id"] });
    const read = await readAll(reader);
    assert.deepEqual(read.map(({ row }) => row), rows(0, 4).map(({ id, x }) => ({ x, id })));
    assert.deepEqual(cluster.fetches.map(({ tablesReq }) => tablesReq[0]!.projectedFields), [[0, 2]]);
    assert.equal(reader.stats.projectedBytes, cluster.sentBytes);
  }));

test("no column: rows are counted over the cheapest one", () =>
  withReader(one, {}, (fake) => fake.append(0, rows(0, 4)), async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake, { select: [] });
    const chunk = (await reader.next())!;
    assert.deepEqual([chunk.columns.length, chunk.columns.columns.length], [4, 0]);
    assert.deepEqual(cluster.fetches[0]!.tablesReq[0]!.projectedFields, [2]);
  }));

test("all columns, and logs of rows, are not projected by the server", async () => {
  for (const [declared, select] of [[one, ["x", "s", "id"]], [rowLogs, ["x"]]] as const) {
    await withReader(declared, {}, (fake) => fake.append(0, rows(0, 4)), async ({ reader, bound, fake, cluster }) => {
      addAll(reader, bound, fake, { select });
      assert.deepEqual((await readAll(reader)).map(({ row }) => row.x), [0, 1, 2, 3]);
      assert.equal(cluster.fetches[0]!.tablesReq[0]!.projectionPushdownEnabled, false);
    });
  }
});

test("a column that old batches lack: whole records until they are behind, then projected again", () =>
  withReader(one, { bucketMaxBytes: 1_000 }, (fake) => {
    fake.evolve(wider);
    const more = (from: number, count: number) => rows(from, count).map((row) => ({ ...row, y: Number(row.id) * 2 }));
    for (let i = 0; i < 10; i++) fake.append(0, rows(i * 10, 10), { schemaId: 1 });
    for (let i = 10; i < 40; i++) fake.append(0, more(i * 10, 10));
    // A writer that has not heard of the new schema.
    fake.append(0, rows(400, 10), { schemaId: 1 });
    for (let i = 41; i < 60; i++) fake.append(0, more(i * 10, 10));
  }, async ({ reader, fake, client, cluster }) => {
    const bound = await bind(client, wider);
    addAll(reader, bound, fake, { select: ["y"] });
    const read = await readAll(reader);
    assert.deepEqual(read.map(({ row }) => row.y), fake.log(0).rows.map(({ row }) => row.y ?? null));
    const shapes = cluster.fetches.map(({ tablesReq }) => tablesReq[0]!.projectionPushdownEnabled ? "p" : "w").join("");
    assert.match(shapes, /^pw+p+w[wp]*p+$/);
  }));

test("batches of a schema that is not known are decoded once it was asked for", () =>
  withReader(one, {}, (fake) => fake.append(0, rows(0, 2)), async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake, { stop: undefined });
    assert.equal((await readAll(reader, 2)).length, 2);
    fake.evolve(wider);
    cluster.onCall = ({ api, nth }) => api === "GET_TABLE_SCHEMA" && nth === 1 ? { code: 9 } : undefined;
    fake.append(0, [{ ...row(2), y: 5 }]);
    fake.append(0, rows(3, 1), { schemaId: 1 });
    assert.deepEqual((await readAll(reader, 2)).map(({ row }) => row), rows(2, 2));
  }));

test("a leader that moves, dies or refuses: reading goes on, nothing is lost or repeated", async () => {
  const faults: BucketAction[] = [
    ...[12, 10, 11, 21, 24, 25, 26, 1, 44].map((code) => ({ code })),
    "omit",
    { code: -1, message: "java.lang.IllegalStateException\n at x" },
  ];
  for (const fault of faults) {
    await withReader(logs, { bucketMaxBytes: 1_000, fetchMaxBytes: 2_000 }, (fake) => {
      for (let i = 0; i < 30; i++) fake.append(i % 3, rows(i * 9, 9));
    }, async ({ reader, bound, fake, cluster }) => {
      const failed = new Set<string>();
      cluster.onFetch = ({ bucket, offset }) => {
        // Once at the start of each bucket, and once in its middle.
        const place = `${bucket} ${offset > 40n}`;
        if (failed.has(place)) return undefined;
        failed.add(place);
        fake.log(bucket).leader = 1 - fake.log(bucket).leader;
        return fault;
      };
      cluster.onCall = ({ api, nth }) => api === "FETCH_LOG" && nth === 5 ? { hangUp: true } : undefined;
      addAll(reader, bound, fake);
      const read = await readAll(reader);
      assert.equal(failed.size, 6);
      for (const bucket of [0, 1, 2]) assert.deepEqual(ofBucket(read, bucket), expected(fake, bucket));
    }, 2);
  }
});

const fatal: [string, BucketAction, FlussError["code"]][] = [
  ["no right", { code: 48 }, "SERVER.AUTHORIZATION_EXCEPTION"],
  ["a corrupt log", { code: 14 }, "SERVER.CORRUPT_RECORD_EXCEPTION"],
  ["a message that is not understood", { code: 3 }, "SERVER.CORRUPT_MESSAGE"],
  ["whole records refused as a projection", { code: 34 }, "SERVER.INVALID_COLUMN_PROJECTION"],
  ["a failure without a code that stays", { code: -1 }, "SERVER.UNKNOWN_SERVER_ERROR"],
];
for (const [name, action, code] of fatal) {
  test(`fatal: ${name}, thrown once, behind what was read before`, () =>
    withReader(one, { bucketMaxBytes: 1_000, aheadBytes: 100_000 }, (fake) => {
      for (let i = 0; i < 9; i++) fake.append(0, rows(i * 10, 10));
    }, async ({ reader, bound, fake, cluster }) => {
      cluster.onFetch = ({ offset }) => offset >= 40n ? action : undefined;
      addAll(reader, bound, fake);
      const read: Read[] = [];
      await assert.rejects(async () => {
        while (true) read.push(...await readAll(reader, 1));
      }, (error) => {
        assert.ok(FlussError.is(error, code), String(error));
        assert.equal(error.table, "d.logs");
        assert.equal(error.bucket, 0);
        return true;
      });
      assert.ok(read.length >= 40 && read.length < 60);
      assert.equal(await reader.next(), undefined);
      assert.ok(reader.closed);
    }));
}

test("an offset that has expired: the error says what there is", () =>
  withReader(one, {}, (fake) => {
    for (let i = 0; i < 4; i++) fake.append(0, rows(i * 5, 5));
    fake.log(0).start = 10n;
  }, async ({ reader, bound, fake }) => {
    addAll(reader, bound, fake, { start: 3n });
    await assert.rejects(reader.next(), (error) => {
      assert.ok(FlussError.is(error, "SUBSCRIPTION.OFFSET_OUT_OF_RANGE"));
      assert.match(error.message, /offset 3 of bucket 0 is not among those that are kept, 10 to 20/);
      assert.equal((error as unknown as { earliest: bigint }).earliest, 10n);
      return true;
    });
  }));

test("a table that was dropped, or made anew", async () => {
  for (const anew of [false, true]) {
    await withReader(one, {}, (fake) => fake.append(0, rows(0, 2)), async ({ reader, bound, fake, cluster }) => {
      addAll(reader, bound, fake, { stop: undefined });
      await readAll(reader, 2);
      if (anew) cluster.create(one);
      else cluster.tables.clear();
      await assert.rejects(reader.next(), is("SERVER.TABLE_NOT_EXIST"));
    });
  }
});

test("a partition that is dropped ends quietly, one that is made anew is another", async () => {
  for (const anew of [false, true]) {
    const gone: unknown[] = [];
    await withReader(parts, { onGone: ({ partition }) => gone.push(partition) }, () => {}, async (made) => {
      const { reader, bound, fake, cluster } = made;
      for (const day of ["a", "b"]) {
        cluster.createPartition(fake, day);
        fake.append(0, [{ day, n: 1 }, { day, n: 2 }], { partition: day });
      }
      addAll(reader, bound, fake, { partition: "a", stop: undefined });
      addAll(reader, bound, fake, { partition: "b", stop: undefined });
      assert.equal((await readAll(reader, 4)).length, 4);
      fake.partitions.delete("a");
      if (anew) cluster.createPartition(fake, "a");
      const next = reader.next();
      await until(() => gone.length === 1);
      fake.append(0, [{ day: "b", n: 3 }], { partition: "b" });
      assert.equal((await within(5_000, next))!.partition, "b");
      assert.deepEqual(gone, ["a"]);
    });
  }
});

test("lies of a server: a typed error that names bucket and offset", async () => {
  const lies: [(records: Uint8Array) => Uint8Array, RegExp][] = [
    [(bytes) => flip(bytes, bytes.length - 9), /bucket 0, offset 10: the log batch at offset 10 has the CRC-32C/],
    [(bytes) => bytes.subarray(0, 40), /bucket 0, offset 10: the server sent 40 bytes, which are no whole log batch/],
    [(bytes) => flip(bytes, 12), /unknown version/],
    [(bytes) => new Uint8Array([...bytes.subarray(0, 8), 3, 0, 0, 0, ...bytes.subarray(12)]), /a log batch of 3 bytes/],
  ];
  for (const [lie, message] of lies) {
    await withReader(one, {}, (fake) => fake.append(0, rows(0, 10)), async ({ reader, bound, fake, cluster }) => {
      addAll(reader, bound, fake, { stop: undefined });
      await readAll(reader, 10);
      cluster.onFetch = ({ offset }) =>
        offset < 10n
          ? undefined
          : (answer) => answer.records!.length === 0 ? answer : { ...answer, records: lie(answer.records!.slice()) };
      fake.append(0, rows(10, 5));
      await assert.rejects(reader.next(), (error) => {
        assert.ok(FlussError.is(error, "CODEC.CORRUPT_BATCH"), String(error));
        assert.match(error.message, message);
        assert.deepEqual([error.table, error.bucket], ["d.logs", 0]);
        return true;
      });
    });
  }
  // An answer that stays before what was asked for would be asked for again and again.
  await withReader(one, {}, (fake) => fake.append(0, rows(0, 10)), async ({ reader, bound, fake, cluster }) => {
    cluster.onFetch = () => (answer) => ({ ...answer, records: fake.encode(fake.log(0).batches[0]!, undefined)! });
    fake.append(0, rows(10, 10));
    addAll(reader, bound, fake, { start: 10n, stop: 20n });
    await assert.rejects(reader.next(), /the answer for offset 10 ends before it/);
  });
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at]! ^= 0x55;
  return bytes;
}

test("checksums can be left out", () =>
  withReader(
    one,
    { checkCrc: false },
    (fake) => fake.append(0, rows(0, 3)),
    async ({ reader, bound, fake, cluster }) => {
      cluster.onFetch = () => (answer) => ({ ...answer, records: flip(answer.records!.slice(), 21) });
      addAll(reader, bound, fake);
      assert.equal((await readAll(reader)).length, 3);
    },
  ));

test("a filter of the server moves the position past what it left out", () =>
  withReader(one, {}, (fake) => {
    for (let i = 0; i < 4; i++) fake.append(0, rows(i * 5, 5));
  }, async ({ reader, bound, fake, cluster }) => {
    cluster.onFetch = ({ offset }) => (answer) => ({
      ...answer,
      records: offset === 0n ? fake.encode(fake.log(0).batches[0]!, undefined)! : new Uint8Array(),
      filteredEndOffset: offset === 0n ? 15n : 20n,
    });
    const source = {
      bound,
      columns: bound.codec.wanted(undefined),
      filter: { op: "lt", column: "x", value: 3 } as const,
    };
    reader.add({ source, partition: undefined, partitionId: undefined, bucket: 0, start: 0n, stop: 20n });
    assert.equal((await readAll(reader)).length, 5);
    assert.deepEqual(cluster.fetches.map(({ tablesReq }) => tablesReq[0]!.bucketsReq[0]!.fetchOffset), [0n, 15n]);
    const [part] = cluster.fetches[0]!.tablesReq;
    assert.equal(part!.filterSchemaId, 1);
    assert.equal(part!.filterPredicate!.leaf!.fieldId, 2);
  }));

test("a bucket that two ranges read is in a request once", () =>
  withReader(one, {}, (fake) => {
    for (let i = 0; i < 4; i++) fake.append(0, rows(i * 5, 5));
  }, async ({ reader, bound, fake, cluster }) => {
    addAll(reader, bound, fake);
    addAll(reader, bound, fake, { select: ["x"], start: 7n });
    const seen: Row[] = [];
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      for (const row of chunk.columns.rows()) seen.push(row);
    }
    assert.equal(seen.length, 20 + 13);
    for (const { tablesReq } of cluster.fetches) assert.equal(tablesReq.flatMap((part) => part.bucketsReq).length, 1);
  }));

test("buckets take turns", () =>
  withReader(logs, {}, (fake) => {
    for (let i = 0; i < 30; i++) fake.append(i % 3, rows(i, 1));
  }, async ({ reader, bound, fake }) => {
    addAll(reader, bound, fake);
    const read = await readAll(reader);
    for (let i = 0; i < 30; i += 3) assert.equal(new Set(read.slice(i, i + 3).map(({ bucket }) => bucket)).size, 3);
  }));

test("closing ends a call that waits; a reason is thrown once", () =>
  withReader(one, { maxWaitMs: 60_000 }, () => {}, async ({ reader, bound, fake, client, cluster }) => {
    addAll(reader, bound, fake, { stop: undefined });
    const quiet = reader.next();
    await until(() => cluster.waiting === 1);
    reader.close();
    assert.equal(await within(1_000, quiet), undefined);
    const abort = new AbortController();
    const aborted = new LogReader(client, { signal: abort.signal, maxWaitMs: 60_000 });
    addAll(aborted, bound, fake, { stop: undefined });
    const loud = aborted.next();
    await until(() => cluster.waiting === 2);
    abort.abort(new Error("enough"));
    await assert.rejects(within(1_000, loud), /enough/);
    assert.equal(await aborted.next(), undefined);
    const late = new LogReader(client, { signal: abort.signal });
    addAll(late, bound, fake, { stop: undefined });
    await assert.rejects(late.next(), /enough/);
    fake.append(0, rows(0, 1));
  }));

test("closing in every state leaves nothing behind", async () => {
  const states: [
    string,
    (
      made: { reader: LogReader; cluster: Parameters<Parameters<typeof withFakeLogs>[2]>[0]; fake: FakeLogTable },
    ) => unknown,
  ][] = [
    ["at once", () => {}],
    ["in the next tick", () => Promise.resolve()],
    ["with a request out", ({ cluster }) => until(() => cluster.waiting > 0)],
    ["with records held", ({ reader }) => until(() => reader.stats.bytes > 0)],
    ["in the middle of a batch list", async ({ reader }) => void await reader.next()],
    ["without a leader", async ({ fake, cluster }) => {
      fake.log(0).leader = -1;
      const before = cluster.count(API.GET_METADATA);
      fake.append(0, rows(0, 1));
      await until(() => cluster.count(API.GET_METADATA) > before + 1);
    }],
    ["with a server that does not answer", async ({ cluster }) => {
      cluster.onCall = ({ api }) => api === "FETCH_LOG" ? { silent: true } : undefined;
      await until(() => cluster.count(API.FETCH_LOG) > 0);
    }],
    ["with a schema asked for", async ({ cluster, fake, reader }) => {
      cluster.onCall = ({ api }) => api === "GET_TABLE_SCHEMA" ? { silent: true } : undefined;
      fake.evolve(wider);
      fake.append(0, [{ ...row(1), y: 1 }]);
      void reader.next().catch(() => {});
      await until(() => cluster.count(API.GET_TABLE_SCHEMA) > 0);
    }],
    ["with the ends asked for", async ({ cluster, fake, reader }) => {
      cluster.onCall = ({ api }) => api === "LIST_OFFSETS" ? { silent: true } : undefined;
      cluster.onFetch = () => ({ code: 19 });
      fake.append(0, rows(0, 1));
      void reader.next().catch(() => {});
      await until(() => cluster.count(API.LIST_OFFSETS) > 0);
    }],
  ];
  for (const [name, reach] of states) {
    for (const how of ["close", "abort", "client"] as const) {
      await withFakeLogs(1, {}, async (cluster, client) => {
        const fake = cluster.create(one);
        if (name.includes("records") || name.includes("batch list")) {
          for (let i = 0; i < 50; i++) fake.append(0, rows(i, 5));
        }
        const bound = await bind(client, one);
        const abort = new AbortController();
        const reader = new LogReader(client, { signal: abort.signal, maxWaitMs: 100, aheadBytes: 4_096 });
        addAll(reader, bound, fake, { stop: undefined });
        await reach({ reader, cluster, fake });
        if (how === "close") reader.close();
        else if (how === "abort") abort.abort(new Error("enough"));
        else await client.close({ drop: true });
        assert.ok(reader.closed, `${name}, ${how}`);
        assert.equal(reader.lag(), 0n);
        assert.equal(client.readers.size, 0);
        // What left before may still arrive.
        await new Promise((resolve) => setTimeout(resolve, 5));
        const requests = cluster.count(API.FETCH_LOG);
        fake.append(0, rows(0, 1));
        await new Promise((resolve) => setTimeout(resolve, 5));
        assert.equal(cluster.count(API.FETCH_LOG), requests, `${name}, ${how}: no more requests`);
      });
    }
  }
});

test("with keepOpen next() waits for ranges", () =>
  withReader(one, { keepOpen: true }, (fake) => fake.append(0, rows(0, 3)), async ({ reader, bound, fake }) => {
    const waits = reader.next();
    addAll(reader, bound, fake);
    assert.equal((await within(5_000, waits))!.columns.length, 3);
    const again = reader.next();
    reader.close();
    assert.equal(await again, undefined);
  }));
