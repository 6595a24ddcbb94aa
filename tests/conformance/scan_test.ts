import assert from "node:assert/strict";
import { test } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { type AnyTable, type Db, FlussError, t, table } from "../../mod.ts";
import type { FlussClient } from "../../src/client/client.ts";
import { API } from "../../src/client/rpc/api.ts";
import type { LogReader } from "../../src/client/read/log_reader.ts";
import { RuntimeTableHandle } from "../../src/query/table_handle.ts";
import { definitionOf } from "../../src/schema/definition.ts";
import { RowAppender } from "../append_rows.ts";
import { needsCluster, openClient } from "../cluster.ts";
import { columns, full, plain } from "./all_types.ts";
import { withDatabase } from "./target.ts";

const clicks = table("clicks", { n: t.int().notNull(), url: t.string(), at: t.timestampLtz(3) }, { buckets: 3 });
type Click = typeof clicks.$row;

function click(n: number): Click {
  return { n, url: n % 3 === 0 ? null : `/page/${n}`, at: Temporal.Instant.fromEpochMilliseconds(n) };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Runs with a table of clicks and something to fill it. */
function withClicks(run: (db: Db, to: RowAppender, database: string) => Promise<void>): Promise<void> {
  return withDatabase(async (db, database) => {
    await db.admin.create(clicks);
    await using to = new RowAppender(database);
    await run(db, to, database);
  });
}

async function rejects(call: () => unknown, code: string, message: RegExp): Promise<void> {
  await assert.rejects(async () => await call(), (error) => {
    assert.ok(FlussError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test(
  "a scan reads what was written, in order per bucket, none twice, and stops at what was the end",
  needsCluster,
  () =>
    withClicks(async (db, to) => {
      const scan = db.table(clicks).scan();
      assert.deepEqual(await scan.toArray(), []);
      assert.equal(await scan.first(), null);
      for (let batch = 0; batch < 9; batch++) {
        await to.append(clicks, range(batch * 10, batch * 10 + 10).map(click), { bucket: batch % 3 });
      }
      const byBucket = new Map<number, number[]>();
      let batches = 0;
      for await (const batch of scan.batches()) {
        const seen = byBucket.get(batch.bucket) ?? [];
        byBucket.set(batch.bucket, [...seen, ...batch.column("n").toArray()]);
        assert.equal(batch.firstOffset, BigInt(seen.length));
        assert.deepEqual([...batch].map(plain), batch.column("n").toArray().map((n) => plain(click(n))));
        // What comes after the start is not part of the scan.
        if (batches++ === 0) await to.append(clicks, [click(1000)], { bucket: 2 });
      }
      for (const bucket of [0, 1, 2]) {
        assert.deepEqual(byBucket.get(bucket), range(0, 90).filter((n) => Math.floor(n / 10) % 3 === bucket));
      }
      assert.equal(await scan.count(), 91);
      let rows = 0;
      for await (const row of scan) {
        assert.deepEqual(plain(row), plain(click(row.n)));
        rows++;
      }
      assert.equal(rows, 91);
    }),
);

test(
  "where, select and limit give what they say, together and in any order",
  needsCluster,
  () =>
    withClicks(async (db, to) => {
      for (const bucket of [0, 1]) await to.append(clicks, range(bucket * 50, bucket * 50 + 50).map(click), { bucket });
      const scan = db.table(clicks).scan();
      const wanted = range(0, 100).filter((n) => n % 3 !== 0 && n >= 40 && n < 60);
      const some = scan.where((c) => c.n.gte(40).and(c.url.isNotNull())).where((c) => c.n.lt(60));
      const found = (await some.select("url").toArray()).map((row) => {
        assert.deepEqual(Object.keys(row), ["url"]);
        return row.url;
      });
      assert.deepEqual(found.toSorted(), wanted.map((n) => `/page/${n}`).toSorted());
      assert.equal(await some.count(), wanted.length);
      assert.equal((await some.limit(5).toArray()).length, 5);
      assert.equal((await some.select("n").limit(100).toArray()).length, wanted.length);
      assert.deepEqual(await some.select("at", "n").first(), { at: click(40).at, n: 40 });
      assert.deepEqual(await scan.where((c) => c.url.startsWith("/page/9").and(c.url.endsWith("98"))).toArray(), [
        click(98),
      ]);
      const late = Temporal.Instant.fromEpochMilliseconds(97);
      assert.deepEqual((await scan.select("n").where((c) => c.at.gt(late)).toArray()).map(({ n }) => n), [98, 99]);
      assert.deepEqual(await scan.where({ op: "in", column: "n", value: [3, 77, 3] }).select("n").count(), 2);
      // A scan is a value: none of these changed it.
      assert.equal(await scan.count(), 100);
      const first = await scan.limit(60).select("n").toArray();
      const second = await scan.select("n").limit(60).toArray();
      assert.equal(new Set([...first].map(({ n }) => n)).size, 60);
      assert.equal(second.length, 60);
      let longest = 0;
      for await (const batch of scan.limit(60).batches()) longest += batch.length;
      assert.equal(longest, 60);
    }),
);

for (const format of ["arrow", "indexed", "compacted"] as const) {
  for (const compression of format === "arrow" ? ["none", "lz4", "zstd"] as const : ["none"] as const) {
    test(
      `every type comes back from ${format} logs, ${compression}, selected and compared`,
      needsCluster,
      () =>
        withDatabase(async (db, database) => {
          const { char: _, ...rest } = full;
          const values = { ...rest, char: format === "indexed" ? "äö" : full.char };
          const log = format === "arrow" ? { format, compression: { type: compression } } : { format };
          const declared = table("everything", columns, { log });
          await db.admin.create(declared);
          await using to = new RowAppender(database);
          const nulls = Object.fromEntries(Object.keys(columns).map((key) => [key, null]));
          // deno-lint-ignore no-explicit-any -- rows made from the same columns
          const rows = [{ id: 1, ...values }, { ...nulls, id: 2 }, { id: 3, ...values }] as any[];
          await to.append(declared, rows);
          const scan = db.table(declared).scan();
          const expected = rows.map((row) =>
            plain(Object.fromEntries(Object.keys(columns).map((key) => [key, row[key]])))
          );
          assert.deepEqual((await scan.toArray()).map(plain), expected);
          for (const key of Object.keys(values) as (keyof typeof values)[]) {
            const selected = await scan.select(key).toArray();
            assert.deepEqual(selected.map(plain), rows.map((row) => plain({ [key]: row[key] })), key);
            if (["list", "map", "record", "row"].includes(key)) continue;
            const value = values[key];
            const same = await scan.select("id").where({ op: "eq", column: key, value }).toArray();
            assert.deepEqual(same, [{ id: 1 }, { id: 3 }], key);
            assert.equal(await scan.where({ op: "isNull", column: key }).count(), 1, key);
            assert.equal(await scan.where({ op: "ne", column: key, value }).count(), 0, key);
          }
        }),
    );
  }
}

/** A handle on a client that the test can look into. */
async function opened(
  declared: AnyTable,
  database: string,
  run: (handle: RuntimeTableHandle, client: FlussClient) => Promise<void>,
): Promise<void> {
  const client = openClient();
  try {
    const definition = definitionOf(declared);
    await run(new RuntimeTableHandle(client, { database, table: definition.name }, definition), client);
  } finally {
    await client.close();
  }
}

function onlyReader(client: FlussClient): LogReader {
  assert.equal(client.readers.size, 1);
  return [...client.readers][0] as LogReader;
}

test(
  "only the selected columns travel, and those that are compared",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      const log = { format: "arrow", compression: { type: "none" } } as const;
      const wide = table("wide", { n: t.int(), text: t.string(), m: t.int() }, { log });
      await db.admin.create(wide);
      await using to = new RowAppender(database);
      const text = "x".repeat(1000);
      for (let batch = 0; batch < 5; batch++) {
        await to.append(wide, range(0, 100).map((n) => ({ n, text, m: batch })));
      }
      await opened(wide, database, async (handle, client) => {
        const bytesOf = async (scan: ReturnType<RuntimeTableHandle["scan"]>) => {
          let reader: LogReader | undefined;
          let rows = 0;
          for await (const batch of scan.batches()) {
            reader ??= onlyReader(client);
            rows += batch.length;
          }
          return { rows, ...reader!.stats };
        };
        const all = await bytesOf(handle.scan());
        assert.ok(all.bytes > 500_000 && all.projectedBytes === 0, JSON.stringify(all));
        const one = await bytesOf(handle.scan().select("n"));
        assert.ok(one.bytes < 10_000 && one.projectedBytes === one.bytes, JSON.stringify(one));
        assert.equal(one.rows, 500);
        const both = await bytesOf(handle.scan().select("n").where({ op: "eq", column: "m", value: 3 }));
        assert.ok(both.bytes > one.bytes && both.bytes < 15_000, JSON.stringify(both));
        assert.equal(both.rows, 100);
        assert.equal(client.readers.size, 0);
        assert.equal(await handle.scan().count(), 500);
      });
      assert.deepEqual(await db.table(wide).scan().select("m").explain(), {
        source: "log",
        format: "arrow",
        columns: ["m"],
        buckets: 1,
        pushedDown: ["projection: m"],
        clientSide: [],
      });
    }),
);

test(
  "break, return, a failing body, an abort and a limit let go of everything at once",
  needsCluster,
  () =>
    withClicks(async (_, to, database) => {
      for (let batch = 0; batch < 6; batch++) await to.append(clicks, range(0, 20).map(click), { bucket: batch % 3 });
      await opened(clicks, database, async (handle, client) => {
        const scan = handle.scan();
        for await (const _row of scan) break;
        assert.equal(client.readers.size, 0);
        for await (const _batch of scan.batches()) break;
        assert.equal(client.readers.size, 0);
        const rows = scan[Symbol.asyncIterator]();
        await rows.next();
        assert.equal(client.readers.size, 1);
        await rows.return!();
        assert.equal(client.readers.size, 0);
        assert.deepEqual(await rows.next(), { done: true, value: undefined });
        await assert.rejects(async () => {
          for await (const _row of scan) throw new Error("mine");
        }, /mine/);
        assert.equal(client.readers.size, 0);
        await scan.limit(3).toArray();
        assert.equal(client.readers.size, 0);
        const reader = scan.ipc().getReader();
        await reader.read();
        await reader.read();
        await reader.cancel();
        assert.equal(client.readers.size, 0);

        const controller = new AbortController();
        const reason = new Error("no more");
        let seen = 0;
        await assert.rejects(async () => {
          for await (const _batch of scan.batches({ signal: controller.signal })) {
            seen++;
            controller.abort(reason);
          }
        }, reason);
        assert.equal(seen, 1);
        assert.equal(client.readers.size, 0);
        await assert.rejects(scan.toArray({ signal: controller.signal }), reason);
        // Calls that nobody awaited come out in order all the same.
        const eager = scan[Symbol.asyncIterator]();
        const taken = await Promise.all(range(0, 121).map(() => eager.next()));
        assert.equal(taken.filter(({ done }) => done !== true).length, 120);
        assert.equal(taken.at(-1)!.done, true);
        // The same scan reads again, from the start.
        assert.equal(await scan.count(), 120);
      });
    }),
);

test("from and until: ends, times, offsets, tokens", needsCluster, () =>
  withClicks(async (db, to) => {
    const scan = db.table(clicks).scan().select("n");
    const read = async (given: typeof scan) => (await given.toArray()).map(({ n }) => n).sort((a, b) => a - b);
    await to.append(clicks, range(0, 5).map(click), { bucket: 0 });
    await to.append(clicks, range(5, 10).map(click), { bucket: 1 });
    // Times are those of the server, which has the clock of this machine.
    await tick();
    const middle = Date.now();
    await tick();
    await to.append(clicks, range(10, 15).map(click), { bucket: 0 });
    const time = { timestamp: middle };
    assert.deepEqual(await read(scan.from("earliest")), range(0, 15));
    assert.deepEqual(await read(scan.from("latest")), []);
    assert.deepEqual(await read(scan.from(time)), range(10, 15));
    assert.deepEqual(await read(scan.from({ timestamp: new Date(middle) }).until("latest")), range(10, 15));
    assert.deepEqual(
      await read(scan.until({ timestamp: Temporal.Instant.fromEpochMilliseconds(middle) })),
      range(0, 10),
    );
    assert.deepEqual(await read(scan.from({ timestamp: Date.now() + 3_600_000 })), []);
    const offsets = [{ bucket: 0, offset: 3n }];
    assert.deepEqual(await read(scan.from({ offsets })), [3, 4, ...range(10, 15)]);
    assert.deepEqual(await read(scan.until({ offsets })), [0, 1, 2, ...range(5, 10)]);
    assert.deepEqual(await read(scan.from({ offsets }).until({ offsets: [{ bucket: 0, offset: 6n }] })), [3, 4, 10]);
    assert.deepEqual(await read(scan.from({ offsets }).until({ offsets })), []);

    // Every checkpoint leads to exactly what was not read before it, cut batches included.
    const done: number[] = [];
    for await (const batch of scan.limit(12).batches()) {
      done.push(...batch.column("n").toArray());
      const rest = await read(scan.from({ token: batch.checkpoint }));
      assert.deepEqual([...done, ...rest].sort((a, b) => a - b), range(0, 15));
    }
    const filtered: number[] = [];
    for await (const batch of scan.where((c) => c.n.ne(3)).limit(4).batches()) {
      filtered.push(...batch.column("n").toArray());
      const rest = await read(scan.where((c) => c.n.ne(3)).from({ token: batch.checkpoint }));
      assert.deepEqual([...filtered, ...rest].sort((a, b) => a - b), range(0, 15).filter((n) => n !== 3));
    }
    assert.equal(filtered.length, 4);
    // A scan of named buckets hands its tokens that it wants no others.
    let token = "";
    for await (const batch of scan.from({ offsets: [{ bucket: 0, offset: 0n }] }).limit(2).batches()) {
      token = batch.checkpoint;
    }
    assert.deepEqual(await read(scan.from({ token })), [2, 3, 4, ...range(10, 15)]);
  }));

/** Returns in a later millisecond: batches of one millisecond have no order between buckets. */
async function tick(): Promise<void> {
  for (const start = Date.now(); Date.now() <= start;) await new Promise((resolve) => setTimeout(resolve, 1));
}

test("the newest rows of all buckets, oldest first, by time", needsCluster, () =>
  withClicks(async (db, to) => {
    const scan = db.table(clicks).scan().select("n");
    const last = async (count: number) => (await scan.last(count).toArray()).map(({ n }) => n);
    assert.deepEqual(await last(3), []);
    for (let batch = 0; batch < 6; batch++) {
      await to.append(clicks, range(batch * 4, batch * 4 + 4).map(click), { bucket: batch % 3 });
      await tick();
    }
    assert.deepEqual(await last(1), [23]);
    assert.deepEqual(await last(6), range(18, 24));
    assert.deepEqual(await last(24), range(0, 24));
    assert.deepEqual(await last(1000), range(0, 24));
    assert.equal(await scan.last(9).count(), 9);
    assert.deepEqual(await scan.last(9).first(), { n: 15 });
    let seen: number[] = [];
    for await (const batch of scan.last(10).batches()) {
      seen = [...seen, ...batch.column("n").toArray()];
      const rest = (await scan.from({ token: batch.checkpoint }).toArray()).map(({ n }) => n);
      assert.deepEqual([...seen, ...rest].sort((a, b) => a - b), range(14, 24));
    }
    const { source, pushedDown, clientSide } = await scan.last(5).explain();
    assert.equal(source, "limit scan");
    assert.deepEqual(pushedDown, ["limit scan: the last 5 rows of each bucket"]);
    assert.deepEqual(clientSide, ["projection: n", "last: 5 of all buckets, by time"]);
  }));

test("a scan as an Arrow IPC stream, of rows and of columns", needsCluster, () =>
  withDatabase(async (db, database) => {
    for (const format of ["arrow", "indexed"] as const) {
      const some = table(`some_${format}`, { n: t.int(), text: t.string() }, { log: { format } });
      await db.admin.create(some);
      await using to = new RowAppender(database);
      const scan = db.table(some).scan();
      const read = async (given: ReadableStream<Uint8Array<ArrayBuffer>>) =>
        tableFromIPC(new Uint8Array(await new Response(given).arrayBuffer()));
      const empty = await read(scan.ipc());
      assert.deepEqual([empty.numRows, empty.schema.names], [0, ["n", "text"]]);
      for (const from of [0, 10]) {
        await to.append(some, range(from, from + 10).map((n) => ({ n, text: n % 2 === 0 ? null : `t${n}` })));
      }
      const all = await read(scan.ipc());
      assert.deepEqual(all.toArray().map((row) => ({ ...row })), await scan.toArray());
      const odd = await read(scan.where((c) => c.text.isNotNull()).select("n").limit(7).ipc());
      assert.deepEqual(odd.toArray().map((row) => ({ ...row })), range(0, 7).map((i) => ({ n: 2 * i + 1 })));
    }
    const none = db.table(table("none", { n: t.int() })).scan().ipc();
    await assert.rejects(none.getReader().read(), (error) => FlussError.is(error, "SERVER.TABLE_NOT_EXIST"));
  }));

test(
  "partitions: all, one, tokens of one, and none of that name",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      const visits = table("visits", { day: t.date(), kind: t.string(), n: t.int() }, {
        partitionBy: ["day", "kind"],
        buckets: 2,
      });
      await db.admin.create(visits);
      await using to = new RowAppender(database);
      const day = Temporal.PlainDate.from("2026-11-23");
      const scan = db.table(visits).scan();
      assert.equal(await scan.count(), 0);
      assert.equal((await scan.explain()).buckets, 0);
      for (const [i, kind] of ["a", "b"].entries()) {
        await db.admin.createPartition(visits, { day, kind });
        const rows = range(i * 10, i * 10 + 10).map((n) => ({ day, kind, n }));
        await to.append(visits, rows, { partition: `2026-11-23$${kind}`, bucket: i });
      }
      assert.equal(await scan.count(), 20);
      const one = scan.partition({ day, kind: "b" }).select("n");
      assert.deepEqual((await one.toArray()).map(({ n }) => n), range(10, 20));
      assert.deepEqual((await one.last(2).toArray()).map(({ n }) => n), [18, 19]);
      for await (const batch of one.limit(4).batches()) {
        assert.equal(batch.partition, "2026-11-23$b");
        assert.equal(await scan.from({ token: batch.checkpoint }).count(), 6);
      }
      for await (const batch of scan.limit(4).batches()) {
        assert.equal(await scan.from({ token: batch.checkpoint }).count(), 16);
      }
      const offsets = [{ bucket: 1, partition: "2026-11-23$b", offset: 7n }];
      assert.equal(await scan.from({ offsets }).count(), 3);
      await rejects(
        () => scan.partition({ day, kind: "c" }).toArray(),
        "SCAN.UNKNOWN_PARTITION",
        /"2026-11-23\$c".*hint: there are/,
      );
      await rejects(
        () => scan.from({ offsets: [{ bucket: 1, offset: 7n }] }).count(),
        "SCAN.UNKNOWN_PARTITION",
        /names no partition/,
      );
      await rejects(
        () => scan.partition({ day } as never),
        "SCAN.BAD_PARTITION",
        /no value for "kind".*\{ day, kind \}/,
      );
      await rejects(() => scan.partition({ day, kind: 5 } as never), "SCAN.BAD_PARTITION", /"kind": expected string/);
      await rejects(
        () => scan.partition({ day, kind: "a", n: 1 } as never),
        "SCAN.BAD_PARTITION",
        /"n" is no partition/,
      );
    }),
);

test(
  "a partition that is dropped under a scan ends it with an error, if rows are missing",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      const daily = table("daily", { day: t.date(), text: t.string() }, {
        partitionBy: ["day"],
        log: { format: "arrow", compression: { type: "none" } },
      });
      await db.admin.create(daily);
      const day = Temporal.PlainDate.from("2026-11-23");
      await db.admin.createPartition(daily, { day });
      await using to = new RowAppender(database);
      const text = "x".repeat(5000);
      for (let i = 0; i < 50; i++) await to.append(daily, [{ day, text }], { partition: "2026-11-23" });
      // So little is fetched ahead that most of it has to be fetched after the drop.
      const scanner = { aheadBytes: 8192, fetchMaxBytes: 4096, bucketMaxBytes: 4096 };
      const client = openClient({ scanner });
      try {
        const scan = new RuntimeTableHandle(client, { database, table: "daily" }, definitionOf(daily)).scan();
        let rows = 0;
        let failure: unknown;
        try {
          for await (const batch of scan.batches()) {
            if (rows === 0) await db.admin.dropPartition(daily, { day });
            rows += batch.length;
            if (rows < 10) await tick();
          }
        } catch (error) {
          failure = error;
        }
        if (failure === undefined) assert.equal(rows, 50);
        else assert.ok(FlussError.is(failure, "SERVER.PARTITION_NOT_EXISTS"), String(failure));
        assert.equal(client.readers.size, 0);
      } finally {
        await client.close();
      }
    }),
);

async function addColumn(database: string, tableName: string, columnName: string): Promise<void> {
  const client = openClient();
  try {
    await client.cluster.callCoordinator(API.ALTER_TABLE, {
      tablePath: { databaseName: database, tableName },
      ignoreIfNotExists: false,
      addColumns: [{ columnName, dataTypeJson: new TextEncoder().encode('{"type":"STRING"}'), columnPositionType: 0 }],
    });
  } finally {
    await client.close();
  }
}

for (const format of ["arrow", "indexed"] as const) {
  test(
    `a column that was added in the middle of a log, ${format}`,
    needsCluster,
    () =>
      withDatabase(async (db, database) => {
        const before = table("evolving", { id: t.int(), name: t.string() }, { log: { format } });
        const after = table("evolving", { id: t.int(), name: t.string(), note: t.string() }, { log: { format } });
        await db.admin.create(before);
        const old = db.table(before).scan();
        await using to = new RowAppender(database);
        await to.append(before, range(0, 3).map((id) => ({ id, name: `n${id}` })));
        assert.equal(await old.count(), 3);
        await addColumn(database, "evolving", "note");
        await to.append(after, range(3, 6).map((id) => ({ id, name: `n${id}`, note: `new ${id}` })));
        const young = db.table(after).scan();
        const note = (id: number) => id < 3 ? null : `new ${id}`;
        assert.deepEqual(await young.toArray(), range(0, 6).map((id) => ({ id, name: `n${id}`, note: note(id) })));
        assert.deepEqual(await young.select("note").toArray(), range(0, 6).map((id) => ({ note: note(id) })));
        assert.deepEqual(
          await young.select("id").where((c) => c.note.isNull()).toArray(),
          range(0, 3).map((id) => ({ id })),
        );
        assert.deepEqual(await young.select("note", "id").where((c) => c.note.eq("new 4")).toArray(), [
          { note: "new 4", id: 4 },
        ]);
        assert.deepEqual(await young.last(4).select("note").toArray(), range(2, 6).map((id) => ({ note: note(id) })));
        assert.equal(await young.count(), 6);
        // The handle that knows the old schema goes on.
        assert.deepEqual(await old.toArray(), range(0, 6).map((id) => ({ id, name: `n${id}` })));
        assert.deepEqual(await old.select("name").first(), { name: "n0" });
      }),
  );
}

test("columns and tables with any name", needsCluster, () =>
  withDatabase(async (db, database) => {
    const keys = ["__proto__", "constructor", "toString", "hasOwnProperty", "then", "length", "a b", "ключ"];
    const names = keys.map((key, i) => [key, t.int().name(`c${i}`)] as const);
    for (const format of ["arrow", "indexed"] as const) {
      const strange = table(`strange_${format}`, Object.fromEntries(names), { log: { format } });
      await db.admin.create(strange);
      await using to = new RowAppender(database);
      const row = Object.fromEntries(names.map(([key], i) => [key, i]));
      await to.append(strange, [row]);
      const scan = db.table(strange).scan();
      const [found] = await scan.toArray();
      assert.deepEqual(Object.entries(found!), Object.entries(row));
      for (const key of Object.keys(row)) {
        const [one] = await scan.select(key).where((c) => c[key]!.eq(row[key]!).and(c["__proto__"]!.eq(0))).toArray();
        assert.deepEqual(Object.entries(one!), [[key, row[key]]]);
      }
      for await (const batch of scan.batches()) {
        assert.deepEqual(batch.column("__proto__").toArray(), [0]);
        assert.equal(batch.column("then").get(0), 4);
      }
    }
  }));

test(
  "current rows: all, some, the first that match, and never a part of a table",
  needsCluster,
  () =>
    withDatabase(async (db, database) => {
      const users = table("users", { id: t.int(), name: t.string(), age: t.int() }, { primaryKey: ["id"], buckets: 3 });
      await db.admin.create(users);
      const handle = db.table(users);
      const scan = handle.scan();
      assert.deepEqual(await scan.toArray(), []);
      const rows = range(0, 100).map((id) => ({ id, name: `user ${id}`, age: id % 50 === 0 ? null : id % 50 }));
      await handle.upsertAll(rows);
      await handle.delete({ id: 99 });
      await handle.upsert({ id: 98, name: "changed", age: 1 });
      const expected = [...rows.slice(0, 98), { id: 98, name: "changed", age: 1 }];
      const byId = <R extends { id: number }>(found: R[]) => found.sort((a, b) => a.id - b.id);
      assert.deepEqual(byId(await scan.toArray()), expected);
      assert.equal(await scan.count(), 99);
      assert.equal((await scan.limit(7).toArray()).length, 7);
      assert.equal((await scan.limit(1000).toArray()).length, 99);
      assert.equal(new Set((await scan.limit(70).toArray()).map(({ id }) => id)).size, 70);
      const young = scan.where((c) => c.age.lt(3)).select("id", "name");
      const ids = [1, 2, 51, 52, 98];
      assert.deepEqual(byId(await young.toArray()).map(({ id }) => id), ids);
      assert.deepEqual(Object.keys((await young.first())!), ["id", "name"]);
      assert.equal((await young.limit(2).toArray()).length, 2);
      assert.equal(await young.count(), 5);
      for await (const batch of scan.batches()) {
        assert.equal(batch.firstOffset, undefined);
        assert.throws(() => batch.checkpoint, (error) => FlussError.is(error, "SCAN.NO_CHECKPOINT"));
      }
      const { source, format, pushedDown, clientSide } = await young.limit(2).explain();
      assert.equal(format, "compacted");
      assert.deepEqual(clientSide, ["predicate: age < 3", "limit: 2"]);
      if (source === "limit scan") {
        assert.deepEqual(pushedDown, ["limit scan: all rows of each bucket, up to scanner.fullScanRows"]);
      }
      assert.equal((await scan.limit(2).explain()).source, "limit scan");
      assert.deepEqual((await scan.limit(2).explain()).pushedDown, ["limit scan: the first 2 rows of each bucket"]);

      const bounded = openClient({ scanner: { fullScanRows: 20 } });
      try {
        const narrow = new RuntimeTableHandle(bounded, { database, table: "users" }, definitionOf(users)).scan();
        if (source === "limit scan") {
          await rejects(
            () => narrow.toArray(),
            "SCAN.FULL_SCAN_UNSUPPORTED",
            /more than 20 rows.*fullScanRows.*changes/,
          );
          await rejects(() => narrow.count(), "SCAN.FULL_SCAN_UNSUPPORTED", /bucket 0/);
          await rejects(
            () => narrow.where({ op: "eq", column: "age", value: 49 }).limit(3).toArray(),
            "SCAN.FULL_SCAN_UNSUPPORTED",
            /bucket 0/,
          );
          await rejects(
            async () => {
              for await (const row of narrow) assert.fail(`a row of a table that is too large: ${JSON.stringify(row)}`);
            },
            "SCAN.FULL_SCAN_UNSUPPORTED",
            /bucket 0/,
          );
        }
        assert.equal((await narrow.limit(60).toArray()).length, 60);
        // The first rows are known to be the first, whatever follows.
        assert.equal((await narrow.where({ op: "gte", column: "id", value: 0 }).limit(5).toArray()).length, 5);
      } finally {
        await bounded.close();
      }
      const bare: Record<string, (given: unknown) => unknown> = scan as never;
      await rejects(() => bare["last"]!(3), "SCAN.NOT_SUPPORTED", /current rows have no age/);
      await rejects(() => bare["from"]!("earliest"), "SCAN.NOT_SUPPORTED", /use changes\(\)/);
      await rejects(() => bare["until"]!("latest"), "SCAN.NOT_SUPPORTED", /use changes\(\)/);
    }),
);

test(
  "what is wrong with a scan is said in the call, or when it is read, with what to do",
  needsCluster,
  () =>
    withClicks(async (db, to) => {
      await to.append(clicks, range(0, 5).map(click), { bucket: 0 });
      const scan = db.table(clicks).scan();
      // deno-lint-ignore no-explicit-any -- what JavaScript can do
      const loose = scan as any;
      const refused: [() => unknown, string, RegExp][] = [
        [() => loose.select("nope"), "SCAN.UNKNOWN_COLUMN", /"nope".*the columns are n, url, at/],
        [() => loose.select("toString"), "SCAN.UNKNOWN_COLUMN", /"toString"/],
        [() => loose.select(undefined), "SCAN.UNKNOWN_COLUMN", /no column undefined/],
        [() => scan.select(), "SCAN.BAD_SELECT", /names no column/],
        [() => scan.select("n", "url", "n"), "SCAN.BAD_SELECT", /"n" twice/],
        [() => scan.limit(0), "SCAN.BAD_LIMIT", /limit\(0\)/],
        [() => scan.limit(-1), "SCAN.BAD_LIMIT", /limit\(-1\)/],
        [() => scan.limit(NaN), "SCAN.BAD_LIMIT", /limit\(NaN\)/],
        [() => scan.limit(1.5), "SCAN.BAD_LIMIT", /limit\(1.5\)/],
        [() => loose.limit(5n), "SCAN.BAD_LIMIT", /limit\(5\)/],
        [() => scan.last(0), "SCAN.BAD_LIMIT", /last\(0\)/],
        [() => scan.last(3).limit(2), "SCAN.CONFLICT", /last\(3\) cannot be combined with limit\(2\)/],
        [() => scan.limit(2).last(3), "SCAN.CONFLICT", /last\(3\) cannot be combined with limit\(2\)/],
        [() => scan.last(3).where((c) => c.n.eq(1)), "SCAN.CONFLICT", /with where\(\).*filter the rows of last\(n\)/],
        [() => scan.from("earliest").last(3), "SCAN.CONFLICT", /with from\(\)/],
        [() => loose.partition({ n: 1 }), "SCAN.BAD_PARTITION", /not partitioned/],
        [() => loose.from("snapshot"), "SCAN.BAD_POSITION", /"snapshot".*from takes "earliest", "latest"/],
        [() => loose.from(undefined), "SCAN.BAD_POSITION", /undefined/],
        [() => loose.from({}), "SCAN.BAD_POSITION", /exactly one/],
        [() => loose.until({ token: "x" }), "SCAN.BAD_POSITION", /where to start/],
        [() => loose.from({ timestamp: "today" }), "SCAN.BAD_POSITION", /today is no time/],
        [() => scan.from({ timestamp: new Date(NaN) }), "SCAN.BAD_POSITION", /is no time/],
        [() => scan.from({ offsets: [] }), "SCAN.BAD_POSITION", /not empty/],
        [() => scan.from({ offsets: [{ bucket: 0, offset: -1n }] }), "SCAN.BAD_POSITION", /at least 0n/],
        [() => loose.from({ offsets: [{ bucket: 0, offset: 1 }] }), "SCAN.BAD_POSITION", /bigint/],
        [
          () => scan.from({ offsets: [{ bucket: 0, offset: 1n }, { bucket: 0, offset: 2n }] }),
          "SCAN.BAD_POSITION",
          /twice/,
        ],
        [() => scan.from({ timestamp: 5 }).until({ timestamp: 4 }), "SCAN.CONFLICT", /until 4 is before from 5/],
        [() => scan.until({ timestamp: 4 }).from("latest"), "SCAN.CONFLICT", /ends before it starts/],
        [
          () => scan.from({ offsets: [{ bucket: 0, offset: 3n }] }).until({ offsets: [{ bucket: 0, offset: 2n }] }),
          "SCAN.CONFLICT",
          /bucket 0 from 3 until 2/,
        ],
        [() => scan.from({ token: "nonsense" }), "SUBSCRIPTION.BAD_TOKEN", /cannot be read/],
        [() => loose.where((c: Record<string, never>) => c["nope"]), "PREDICATE.UNKNOWN_COLUMN", /"nope"/],
        [
          () => loose.where((c: typeof refs) => c.n.eq(undefined)),
          "PREDICATE.UNDEFINED_VALUE",
          /"n": eq with undefined/,
        ],
        [() => loose.where((c: typeof refs) => c.n.eq(null)), "PREDICATE.NULL_VALUE", /isNull\(\)/],
        [() => loose.where((c: typeof refs) => c.n.eq("1")), "CODEC.WRONG_TYPE", /column "n": eq/],
        [() => loose.where(() => true), "PREDICATE.INVALID", /returns a condition/],
        [
          () => loose.where((c: typeof refs) => c.n.eq(1).and(true)),
          "PREDICATE.INVALID",
          /\.and\(\) takes a condition/,
        ],
        [() => loose.where("n > 5"), "PREDICATE.INVALID", /an object with op/],
      ];
      const refs = undefined as never as Record<string, { eq(value: unknown): { and(other: unknown): unknown } }>;
      for (const [call, code, message] of refused) {
        assert.throws(call, (error) => {
          assert.ok(FlussError.is(error), `${code}: ${String(error)}`);
          assert.equal(error.code, code, error.message);
          assert.match(error.message, message);
          return true;
        });
      }
      const at = (bucket: number, offset: bigint) => scan.from({ offsets: [{ bucket, offset }] }).count();
      await rejects(() => at(3, 0n), "SCAN.UNKNOWN_BUCKET", /no bucket 3.*0 to 2/);
      await rejects(() => at(0, 6n), "SUBSCRIPTION.OFFSET_OUT_OF_RANGE", /offset 6 of bucket 0 .* 0 to 5/);
      assert.equal(await at(0, 5n), 0);
      await rejects(
        () => scan.until({ offsets: [{ bucket: 0, offset: 99n }] }).count(),
        "SUBSCRIPTION.OFFSET_OUT_OF_RANGE",
        /99/,
      );
      const others = table("others", { n: t.int() });
      await db.admin.create(others);
      await using own = new RowAppender((await db.admin.describe(others)).path.database);
      await own.append(others, [{ n: 1 }]);
      let token = "";
      for await (const batch of db.table(others).scan().batches()) token = batch.checkpoint;
      await rejects(() => scan.from({ token }).count(), "SUBSCRIPTION.TOKEN_MISMATCH", /was made for .*others/);
      await db.admin.drop(others);
      await db.admin.create(others);
      await rejects(
        () => db.table(others).scan().from({ token }).count(),
        "SUBSCRIPTION.TOKEN_MISMATCH",
        /dropped and made anew/,
      );
      await rejects(
        () => db.table(table("not_there", { n: t.int() })).scan().toArray(),
        "SERVER.TABLE_NOT_EXIST",
        /not_there/,
      );
      for await (const batch of scan.batches()) {
        assert.throws(() => batch.column("nope" as never), (error) => FlussError.is(error, "SCAN.UNKNOWN_COLUMN"));
        assert.throws(() => batch.column("n").get(5), (error) => FlussError.is(error, "SCAN.ROW_OUT_OF_RANGE"));
      }
    }),
);

test(
  "an untyped handle scans, and columns that a declaration lacks are not read",
  needsCluster,
  () =>
    withClicks(async (db, to) => {
      await to.append(clicks, range(0, 5).map(click), { bucket: 0 });
      const untyped = await db.table("clicks");
      const rows = await untyped.scan().where((c) => c["n"]!.gt(2)).select("n").toArray();
      assert.deepEqual(rows, [{ n: 3 }, { n: 4 }]);
      const less = table("clicks", { n: t.int().notNull() }, { buckets: 3 });
      assert.deepEqual(await db.table(less).scan().toArray(), range(0, 5).map((n) => ({ n })));
    }),
);
