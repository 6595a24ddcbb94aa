import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromArrays, tableFromIPC, tableToIPC } from "apache-arrow";
import { type ArrowSource, type Db, FlussError, t, table } from "../../mod.ts";
import { appendArrow, toArrow } from "../../src/adapters/arrow/mod.ts";
import { needsCluster } from "../cluster.ts";
import { columns, full, plain } from "./all_types.ts";
import { withDatabase } from "./target.ts";

const clicks = table("clicks", { n: t.int().notNull(), url: t.string(), ms: t.bigint() }, { buckets: 3 });
const keyed = table("keyed", clicks.columns, { buckets: 4, bucketKey: ["url"] });
const daily = table("daily", { ...clicks.columns, day: t.string() }, { buckets: 2, partitionBy: ["day"] });

function click(n: number): typeof clicks.$row {
  return { n, url: n % 5 === 0 ? null : `/page/${n % 7}`, ms: BigInt(n) };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

async function rejects(call: () => unknown, code: string, message: RegExp): Promise<void> {
  await assert.rejects(async () => await call(), (error) => {
    assert.ok(FlussError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** The rows of a table by bucket, in the order of the log. */
async function byBucket(db: Db, of: typeof clicks | typeof keyed): Promise<Map<number, number[]>> {
  const found = new Map<number, number[]>();
  for await (const batch of db.table(of).scan().batches()) {
    found.set(batch.bucket, [...found.get(batch.bucket) ?? [], ...batch.column("n").toArray()]);
  }
  return found;
}

const COMPRESSIONS = [
  { type: "none" },
  { type: "lz4" },
  { type: "zstd", level: 1 },
  { type: "zstd", level: 12 },
] as const;

for (const format of ["arrow", "indexed", "compacted"] as const) {
  for (const compression of format === "arrow" ? COMPRESSIONS : COMPRESSIONS.slice(0, 1)) {
    const codec = format !== "arrow" ? "" : `, ${compression.type} ${"level" in compression ? compression.level : ""}`;
    test(
      `rows of every type are read back as they were appended: ${format}${codec}`,
      needsCluster,
      () =>
        withDatabase(async (db) => {
          const log = format === "arrow" ? { format, compression } : { format };
          const all = table("all", columns, { log });
          await db.admin.create(all);
          // An INDEXED row has n bytes for a CHAR(n).
          const char = format === "indexed" ? { char: "a\u00e4" } : {};
          const rows = range(50).map((id) => ({ ...id % 3 === 2 ? {} : full, ...char, id }));
          const handle = db.table(all);
          await handle.appendAll(rows as never);
          const read = await handle.scan().toArray();
          const expected = rows.map((row) =>
            Object.fromEntries(
              Object.keys(columns).map((key) => [key, (row as Record<string, unknown>)[key] ?? null]),
            )
          );
          assert.deepEqual(read.map(plain), expected.map((row) => plain(row as never)));
          // The second table of several batches is over the buffers of the scan, the first is one of an IPC stream.
          await handle.append(rows[1] as never);
          const direct = await toArrow(handle.scan());
          const streamed = tableFromIPC(await new Response(handle.scan().ipc()).bytes());
          assert.deepEqual(direct.toArray().map((row) => String(row)), streamed.toArray().map((row) => String(row)));
          // And once more as columns, which need not become rows on their way.
          const ipc = await new Response(handle.scan().ipc()).bytes();
          const { rows: appended } = await handle.appendBatches(ipc);
          assert.equal(appended, 51);
          const twice = await handle.scan().toArray();
          assert.deepEqual(twice.slice(51, 101).map(plain), expected.map((row) => plain(row as never)));
        }),
    );
  }
}

test(
  "an ack tells where a row is; rows before the first look at the table keep their order",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      const one = table("one", clicks.columns, { buckets: 1 });
      await db.admin.create(one);
      const handle = db.table(one);
      const acks = range(10).map((n) => handle.append(click(n)));
      assert.equal(acks[0]!.state, "queued");
      const receipts = await Promise.all(acks);
      assert.equal(acks[9]!.state, "acked");
      assert.deepEqual([...new Set(receipts.map(({ bucket }) => bucket))], [0]);
      assert.equal(receipts[9]!.endOffset, 10n);
      assert.equal((await handle.append(click(10))).endOffset, 11n);
      assert.deepEqual(await handle.scan().toArray(), range(11).map(click));
    }),
);

test("rows without a bucket key are spread, by batches or one by one", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(clicks);
    const handle = db.table(clicks);
    for (let round = 0; round < 12; round++) {
      for (let n = 0; n < 10; n++) handle.append(click(round * 10 + n));
      await db.flush();
    }
    const sticky = await byBucket(db, clicks);
    assert.equal(sticky.size, 3, "a new batch goes to another bucket");
    assert.deepEqual([...sticky.values()].flat().sort((a, b) => a - b), range(120));
  }).then(() =>
    withDatabase(async (db) => {
      await db.admin.create(clicks);
      await db.table(clicks).appendAll(range(99).map(click));
      const spread = await byBucket(db, clicks);
      assert.deepEqual([...spread.values()].map((rows) => rows.length), [33, 33, 33]);
      for (const rows of spread.values()) assert.deepEqual(rows, [...rows].sort((a, b) => a - b));
    }, { writer: { keylessBuckets: "roundRobin" } })
  ));

test("a bucket key decides the bucket, for rows and for columns alike", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(keyed);
    const handle = db.table(keyed);
    const rows = range(60).map((n) => ({ ...click(n), url: `/page/${n % 7}` }));
    await handle.appendAll(rows);
    const first = await byBucket(db, keyed);
    assert.ok(first.size > 1);
    const ipc = await new Response(handle.scan().ipc()).bytes();
    await handle.appendBatches(ipc);
    for (const [bucket, twice] of await byBucket(db, keyed)) {
      const own = first.get(bucket)!;
      assert.deepEqual(own, [...own].sort((a, b) => a - b), "in the order of the calls");
      assert.deepEqual(twice, [...own, ...own]);
    }
    await rejects(() => handle.append({ n: 1, url: null }), "CODEC.NULL", /url/);
    await rejects(() => handle.append({ n: 1 }), "WRITE.MISSING_COLUMN", /url/);
  }));

test("partitions are made as rows and columns come", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(daily);
    const handle = db.table(daily);
    const rows = range(40).map((n) => ({ ...click(n), day: `d${n % 2}` }));
    await handle.appendAll(rows);
    assert.deepEqual((await db.admin.partitions(daily)).map(({ name }) => name).sort(), ["d0", "d1"]);
    const even = await handle.scan().partition({ day: "d0" }).toArray();
    assert.deepEqual(even.map(({ n }) => n).sort((a, b) => a - b), range(40).filter((n) => n % 2 === 0));
    const data = tableFromArrays({
      n: Int32Array.of(100, 101, 102),
      url: ["/a", null, "/c"],
      ms: BigInt64Array.of(1n, 2n, 3n),
      day: ["d2", "d0", "d2"],
    });
    const { rows: appended, receipts } = await appendArrow(handle, data);
    assert.equal(appended, 3);
    assert.deepEqual([...new Set(receipts.map(({ partition }) => partition))].sort(), ["d0", "d2"]);
    const made = await handle.scan().partition({ day: "d2" }).toArray();
    assert.deepEqual(made.map(({ n, url }) => [n, url]).sort(), [[100, "/a"], [102, "/c"]]);
  }));

test("writable() appends; closing it waits for the acks", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(clicks);
    const handle = db.table(clicks);
    const rows = new ReadableStream({
      start(controller) {
        for (const n of range(5000)) controller.enqueue(click(n));
        controller.close();
      },
    });
    await rows.pipeTo(handle.writable());
    assert.equal(db.queuedBytes, 0);
    assert.equal(await handle.scan().count(), 5000);
  }));

test(
  "columns come as bytes, as a stream cut anywhere, as batches of a scan, and from apache-arrow",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(clicks);
      const copy = table("copy", clicks.columns, { buckets: 2 });
      await db.admin.create(copy);
      const handle = db.table(clicks);
      await handle.appendAll(range(300).map(click));
      const ipc = await new Response(handle.scan().ipc()).bytes();
      const cut = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < ipc.length; at += 97) controller.enqueue(ipc.slice(at, at + 97));
          controller.close();
        },
      });
      const arrow = await toArrow(handle.scan());
      assert.equal(arrow.numRows, 300);
      const sources: ArrowSource[] = [
        ipc,
        [ipc, ipc],
        cut,
        handle.scan().batches(),
        tableToIPC(arrow, "file"),
      ];
      let expected = 0;
      for (const [i, source] of sources.entries()) {
        const { rows } = await db.table(copy).appendBatches(source);
        assert.equal(rows, i === 1 ? 600 : 300);
        expected += rows;
      }
      for (const batch of arrow.batches) expected += (await appendArrow(db.table(copy), batch)).rows;
      const read = await db.table(copy).scan().toArray();
      assert.equal(read.length, expected);
      for (const row of read) assert.deepEqual(row, click(row.n));
      assert.deepEqual(read.map(({ n }) => n).sort((a, b) => a - b), range(expected).map((i) => Math.floor(i / 7)));
    }),
);

test(
  "a large batch is split by what requests take, and waits for room",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(clicks);
      const handle = db.table(clicks);
      const count = 20_000;
      const data = tableFromArrays({
        n: Int32Array.from(range(count)),
        url: range(count).map((n) => `${n}`.padStart(50, "x")),
        ms: BigInt64Array.from(range(count).map(BigInt)),
      });
      const { rows, receipts } = await appendArrow(handle, data);
      assert.equal(rows, count);
      assert.ok(receipts.length >= 10, `${receipts.length} batches`);
      assert.equal(await handle.scan().count(), count);
    }, { writer: { batchBytes: 100_000, maxBytes: 300_000 } }),
);

test("Arrow that does not fit is refused before anything is written", needsCluster, () =>
  withDatabase(async (db) => {
    await db.admin.create(clicks);
    const handle = db.table(clicks);
    const n = Int32Array.of(1, 2);
    const ms = BigInt64Array.of(1n, 2n);
    const url = ["a", "b"];
    await rejects(() => appendArrow(handle, tableFromArrays({ n, url })), "ARROW.SCHEMA_MISMATCH", /lacks .*"ms"/);
    await rejects(
      () => appendArrow(handle, tableFromArrays({ n, url, ms, more: n })),
      "ARROW.SCHEMA_MISMATCH",
      /"more"/,
    );
    await rejects(() => appendArrow(handle, tableFromArrays({ n: ms, url, ms })), "ARROW.SCHEMA_MISMATCH", /\bn\b/);
    const loose = table("loose", { n: t.int(), url: t.string(), ms: t.bigint() });
    await db.admin.create(loose);
    await db.table(loose).appendAll([{ n: 1 }, { url: "a" }]);
    const holes = await new Response(db.table(loose).scan().ipc()).bytes();
    await rejects(() => handle.appendBatches(holes), "CODEC.NULL", /clicks: row 1 of .* has null in n,/);
    await rejects(
      () => handle.appendBatches(db.table(loose).scan().batches()),
      "CODEC.NULL",
      /null in n,/,
    );
    await rejects(
      () => handle.appendBatches(db.table(loose).scan().select("n").batches()),
      "ARROW.SCHEMA_MISMATCH",
      /has the columns n, and the table n, url, ms/,
    );
    await rejects(() => handle.appendBatches(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9])), "CODEC.CORRUPT_BATCH", /./);
    await rejects(() => handle.appendBatches([{}] as never), "ARROW.NOT_SUPPORTED", /appendBatches\(\) takes/);
    const half = await new Response(handle.scan().ipc()).bytes();
    await rejects(() => handle.appendBatches(half.slice(0, half.length - 20)), "CODEC.CORRUPT_BATCH", /./);
    assert.equal(tableFromIPC(half).numRows, 0);
    const stop = AbortSignal.abort(new Error("enough"));
    await assert.rejects(handle.appendBatches([half], { signal: stop }), /enough/);
    assert.equal(await handle.scan().count(), 0);
  }));

test(
  "log tables refuse what they cannot do, and primary-key tables refuse append()",
  needsCluster,
  () =>
    withDatabase(async (db) => {
      await db.admin.create(clicks);
      const untyped = await db.table("clicks");
      await untyped.append({ n: 1, url: "a", ms: 1n });
      await rejects(() => untyped.append({ n: 1, nope: 2 }), "WRITE.UNKNOWN_COLUMN", /"nope"/);
      await rejects(() => untyped.append({ n: 1, url: undefined }), "WRITE.UNDEFINED_VALUE", /url/);
      await rejects(() => untyped.append({ url: "a" }), "WRITE.MISSING_COLUMN", /\bn\b/);
      await rejects(() => untyped.append({ n: "x" }), "CODEC.WRONG_TYPE", /\bn\b/);
      await rejects(() => untyped.upsert({ n: 1 }), "WRITE.NOT_SUPPORTED", /append\(\)/);
      const users = table("users", { id: t.int(), name: t.string() }, { primaryKey: ["id"] });
      await db.admin.create(users);
      const handle = await db.table("users");
      await rejects(() => handle.append({ id: 1 }), "WRITE.NOT_SUPPORTED", /upsert\(\)/);
      await rejects(() => handle.appendBatches(new Uint8Array(0)), "WRITE.NOT_SUPPORTED", /upsert\(\)/);
      assert.equal(await db.table(clicks).scan().count(), 1);
    }),
);
