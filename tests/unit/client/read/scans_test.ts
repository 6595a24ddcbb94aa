// Whole buckets and offsets, asked of fake servers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, t, table } from "../../../../mod.ts";
import { kvScan, servesKvScan } from "../../../../src/client/read/kv_scan.ts";
import { limitScan } from "../../../../src/client/read/limit_scan.ts";
import { fetchOffsets } from "../../../../src/client/read/offsets.ts";
import { EARLIEST, listBuckets, resolveStart, resolveStop } from "../../../../src/client/read/ranges.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { bind, type Row, withFakeLogs } from "../../../fake_log.ts";
import { until } from "../../../fake_cluster.ts";

const columns = { id: t.int(), s: t.string() };
const kv = table("d.kv", columns, { primaryKey: ["id"], buckets: 2 });
const widerKv = table("d.kv", { ...columns, n: t.int() }, { primaryKey: ["id"], buckets: 2 });
const logs = table("d.logs", columns, { buckets: 2 });
const parts = table("d.parts", { day: t.string().notNull(), n: t.int() }, { partitionBy: ["day"], buckets: 2 });

const row = (id: number): Row => ({ id, s: `row ${id}` });
const rows = (from: number, count: number): Row[] => Array.from({ length: count }, (_, i) => row(from + i));
const is = (code: FlussError["code"]) => (error: unknown) => FlussError.is(error, code);

test("a limit scan of a primary-key table: the first rows, of any schema; coming back short says that there are no more", () =>
  withFakeLogs(1, {}, async (cluster, client) => {
    const fake = cluster.create(kv);
    fake.evolve(widerKv);
    fake.log(1).values = [
      ...rows(0, 5).map((row) => ({ schemaId: 1, row })),
      ...rows(5, 5).map((row) => ({ schemaId: 2, row: { ...row, n: 7 } })),
    ];
    const bound = await bind(client, widerKv);
    const [, ref] = await listBuckets(client, bound, undefined, client.cluster.deadline());
    const scan = async (limit: number, select?: string[]) => {
      const [part] = await limitScan(client, bound, ref!, limit, bound.codec.wanted(select), client.cluster.deadline());
      return [...part!.columns.rows()];
    };
    assert.deepEqual(await scan(3), rows(0, 3).map((row) => ({ ...row, n: null })));
    assert.deepEqual((await scan(11, ["n", "id"]))[9], { n: 7, id: 9 });
    assert.equal((await scan(11)).length, 10);
    assert.equal((await scan(4, [])).length, 4);
  }));

test("a limit scan of a log table: the last rows, of whole batches only those that were asked for", () =>
  withFakeLogs(2, {}, async (cluster, client) => {
    const fake = cluster.create(logs);
    for (let i = 0; i < 4; i++) fake.append(0, rows(i * 5, 5));
    const bound = await bind(client, logs);
    const refs = await listBuckets(client, bound, undefined, client.cluster.deadline());
    const scan = async (limit: number, bucket = 0) =>
      (await limitScan(client, bound, refs[bucket]!, limit, bound.codec.wanted(undefined), client.cluster.deadline()))
        .flatMap(({ columns, firstOffset }) => [...columns.rows()].map((row, i) => [firstOffset! + BigInt(i), row.id]));
    const last = (count: number) => rows(20 - count, count).map(({ id }) => [BigInt(id as number), id]);
    for (const count of [1, 5, 7, 20]) assert.deepEqual(await scan(count), last(count));
    assert.deepEqual(await scan(100), last(20));
    assert.deepEqual(await scan(3, 1), []);
    // The leader moves in the meantime.
    fake.log(0).leader = 1;
    assert.deepEqual(await scan(2), last(2));
    // Part of it is not on the server any more: the log says what there is.
    fake.log(0).start = 15n;
    const before = cluster.count(API.FETCH_LOG);
    assert.deepEqual(await scan(7), last(5));
    assert.equal(cluster.count(API.FETCH_LOG), before + 1);
    assert.equal(client.readers.size, 0);
  }));

test("a KV scan: all rows in parts, the offset of the log, and an end that the server hears of", () =>
  withFakeLogs(1, {}, async (cluster, client) => {
    const fake = cluster.create(kv);
    fake.append(0, rows(0, 3));
    fake.log(0).values = rows(0, 10).map((row) => ({ schemaId: 1, row }));
    const bound = await bind(client, kv);
    const deadline = client.cluster.deadline();
    const [ref, empty] = await listBuckets(client, bound, undefined, deadline);
    assert.ok(await servesKvScan(client, bound, ref!, deadline));
    const read: unknown[] = [];
    const scan = () => kvScan(client, bound, ref!, bound.codec.wanted(undefined), { batchBytes: 3 * 1024 });
    for await (const { columns, logOffset } of scan()) {
      read.push(...columns.rows());
      assert.equal(logOffset, 3n);
    }
    assert.deepEqual(read, rows(0, 10));
    assert.equal(cluster.count(API.SCAN_KV), 4);
    assert.equal(cluster.closedScans, 0);
    for await (const _ of scan()) break;
    await until(() => cluster.closedScans === 1);
    const parts = await Array.fromAsync(kvScan(client, bound, empty!, bound.codec.wanted(["id"])));
    assert.deepEqual(parts.map(({ columns, logOffset }) => [columns.length, logOffset]), [[0, 0n]]);
    // A scan cannot go on elsewhere: it does not begin anew by itself.
    let taken = 0;
    await assert.rejects(async () => {
      for await (const { columns } of scan()) {
        taken += columns.length;
        cluster.onCall = ({ api }) => api === "SCAN_KV" ? { code: 12 } : undefined;
      }
    }, is("SERVER.NOT_LEADER_OR_FOLLOWER"));
    assert.equal(taken, 3);
  }));

test("offsets: earliest, latest, by time, in the future; leaders that move", () =>
  withFakeLogs(2, {}, async (cluster, client) => {
    const fake = cluster.create(logs);
    for (let i = 0; i < 4; i++) fake.append(i % 2, rows(i * 5, 5), { at: 1000 + i });
    fake.log(0).start = 5n;
    cluster.now = 5000;
    const bound = await bind(client, logs);
    const deadline = client.cluster.deadline();
    const refs = await listBuckets(client, bound, undefined, deadline);
    const ask = (question: Parameters<typeof fetchOffsets>[3]) => fetchOffsets(client, bound, refs, question, deadline);
    assert.deepEqual(await ask("earliest"), [5n, 0n]);
    assert.deepEqual(await ask("latest"), [10n, 10n]);
    assert.deepEqual(await ask({ timestamp: 1001 }), [5n, 0n]);
    assert.deepEqual(await ask({ timestamp: 1002 }), [5n, 5n]);
    assert.deepEqual(await ask({ timestamp: 4999 }), [10n, 10n]);
    assert.deepEqual(await ask({ timestamp: 99999 }), [10n, 10n]);
    fake.log(0).leader = 1;
    assert.deepEqual(await ask("latest"), [10n, 10n]);
    cluster.create(logs);
    fake.log(0).leader = 0;
    await assert.rejects(ask("latest"), is("SERVER.TABLE_NOT_EXIST"));
  }));

test("offsets are asked for until the deadline, also while nobody knows the leaders", () =>
  withFakeLogs(2, {}, async (cluster, client) => {
    const fake = cluster.create(logs);
    fake.append(0, rows(0, 5));
    const bound = await bind(client, logs);
    const deadline = client.cluster.deadline();
    const refs = await listBuckets(client, bound, undefined, deadline);
    fake.log(0).leader = 1;
    let failures = 0;
    cluster.onCall = ({ api }) => api === "GET_METADATA" && failures++ < 20 ? { code: 1 } : undefined;
    assert.deepEqual(await fetchOffsets(client, bound, refs, "latest", deadline), [5n, 0n]);
    assert.equal(failures, 21);
  }));

test("buckets and where reading starts and ends", () =>
  withFakeLogs(1, {}, async (cluster, client) => {
    const fake = cluster.create(parts);
    for (const day of ["a", "b"]) {
      cluster.createPartition(fake, day);
      fake.append(1, [{ day, n: 1 }, { day, n: 2 }], { partition: day });
    }
    const bound = await bind(client, parts);
    const deadline = client.cluster.deadline();
    const refs = await listBuckets(client, bound, undefined, deadline);
    assert.deepEqual(refs.map(({ partition, bucket }) => `${partition} ${bucket}`), ["a 0", "a 1", "b 0", "b 1"]);
    assert.equal((await listBuckets(client, bound, "b", deadline)).length, 2);
    await assert.rejects(listBuckets(client, bound, "c", deadline), (error) => {
      assert.ok(FlussError.is(error, "SCAN.UNKNOWN_PARTITION"));
      assert.match(error.message, /there is no partition "c".*there are "a", "b"/);
      return true;
    });
    const start = (at: Parameters<typeof resolveStart>[3]) => resolveStart(client, bound, refs, at, deadline);
    const stop = (at: Parameters<typeof resolveStop>[3]) => resolveStop(client, bound, refs, at, deadline);
    assert.deepEqual(await start("earliest"), [EARLIEST, EARLIEST, EARLIEST, EARLIEST]);
    assert.deepEqual(await start("latest"), [0n, 2n, 0n, 2n]);
    assert.deepEqual(await start({ offsets: [{ partition: "b", bucket: 1, offset: 1n }] }), [
      undefined,
      undefined,
      undefined,
      1n,
    ]);
    assert.deepEqual(await stop("latest"), [0n, 2n, 0n, 2n]);
    assert.deepEqual(await stop({ offsets: [{ partition: "a", bucket: 1, offset: 1n }] }), [0n, 1n, 0n, 2n]);
    const refused: [() => Promise<unknown>, FlussError["code"], RegExp][] = [
      [() => start({ offsets: [{ bucket: 1, offset: 0n }] }), "SCAN.UNKNOWN_PARTITION", /names no partition/],
      [
        () => start({ offsets: [{ partition: "x", bucket: 1, offset: 0n }] }),
        "SCAN.UNKNOWN_PARTITION",
        /no partition "x"/,
      ],
      [
        () => stop({ offsets: [{ partition: "a", bucket: 2, offset: 0n }] }),
        "SCAN.UNKNOWN_BUCKET",
        /no bucket 2.*0 to 1/,
      ],
      [
        () => start({ offsets: [{ partition: "a", bucket: 1, offset: 3n }] }),
        "SUBSCRIPTION.OFFSET_OUT_OF_RANGE",
        /offset 3 of bucket 1 of partition "a" is not among those that are kept, 0 to 2/,
      ],
      [
        () => stop({ offsets: [{ partition: "a", bucket: 1, offset: 3n }] }),
        "SUBSCRIPTION.OFFSET_OUT_OF_RANGE",
        /offset 3 of bucket 1 of partition "a" is above the end, 2/,
      ],
    ];
    for (const [call, code, message] of refused) {
      await assert.rejects(call, (error) => {
        assert.ok(FlussError.is(error, code), String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    fake.partitions.delete("b");
    await assert.rejects(
      fetchOffsets(client, bound, refs.slice(2), "latest", client.cluster.deadline({ timeoutMs: 2_000 })),
      is("SERVER.PARTITION_NOT_EXISTS"),
    );
  }));
