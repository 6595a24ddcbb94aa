// The detour over remote storage: what is there and what the server still has come one after the other, within bounds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError, flussError } from "../../../../src/base/errors.ts";
import { t, table } from "../../../../mod.ts";
import { type LogChunk, LogReader, type LogReaderOptions } from "../../../../src/client/read/log_reader.ts";
import { EARLIEST } from "../../../../src/client/read/ranges.ts";
import { PIECE_BYTES, type ReadRemoteLog } from "../../../../src/client/read/remote_reads.ts";
import { bind, type FakeLogCluster, type FakeLogTable, type Row, withFakeLogs } from "../../../fake_log.ts";
import { until, within } from "../../../fake_cluster.ts";

const logs = table("d.logs", { id: t.bigint().notNull(), s: t.string() }, { buckets: 2 });
const rows = (from: number, count: number, pad = 0): Row[] =>
  Array.from({ length: count }, (_, i) => ({ id: BigInt(from + i), s: "x".repeat(pad) }));

/** Lets the server have moved what is before `until` to remote storage. */
function tier(cluster: FakeLogCluster, until: bigint): void {
  cluster.onFetch = ({ offset }) =>
    offset >= until ? undefined : (answer) => ({
      ...(answer.partitionId === undefined ? {} : { partitionId: answer.partitionId }),
      bucketId: answer.bucketId!,
      highWatermark: answer.highWatermark!,
      remoteLogFetchInfo: {
        remoteLogTabletDir: "file:///remote/d/logs-1/0",
        remoteLogSegments: [{
          remoteLogSegmentId: "a",
          remoteLogStartOffset: 0n,
          remoteLogEndOffset: until,
          segmentSizeInBytes: 1000,
        }],
        firstStartPos: 0,
      },
    });
}

interface Remote {
  readonly read: ReadRemoteLog;
  pieces: number;
  open: number;
}

/** Storage that holds the batches before `end`, `size` in a piece. */
function remoteOf(fake: FakeLogTable, end: bigint, size: number, fail: (piece: number) => void = () => {}): Remote {
  const remote: Remote = {
    pieces: 0,
    open: 0,
    async *read(_client, { bucket, table }, segments, from, signal) {
      assert.equal(table, "d.logs");
      assert.equal(segments.directory, "file:///remote/d/logs-1/0");
      remote.open++;
      try {
        const batches = fake.log(bucket).batches.filter((batch) => batch.next > from && batch.base < end);
        for (let i = 0; i < batches.length; i += size) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          signal.throwIfAborted();
          fail(++remote.pieces);
          const parts = batches.slice(i, i + size).map((batch) => fake.encode(batch, undefined)!);
          yield Uint8Array.from(parts.flatMap((part) => [...part]));
        }
      } finally {
        remote.open--;
      }
    },
  };
  return remote;
}

async function withRemote(
  options: LogReaderOptions & {
    readonly piece?: number;
    readonly fail?: (piece: number) => void;
    readonly pad?: number;
  },
  run: (made: { reader: LogReader; remote: Remote; fake: FakeLogTable; cluster: FakeLogCluster }) => Promise<void>,
): Promise<void> {
  await withFakeLogs(1, {}, async (cluster, client) => {
    const fake = cluster.create(logs);
    for (let i = 0; i < 40; i++) for (const bucket of [0, 1]) fake.append(bucket, rows(i * 5, 5, options.pad));
    tier(cluster, 100n);
    const remote = remoteOf(fake, 100n, options.piece ?? 3, options.fail);
    const bound = await bind(client, logs);
    const reader = new LogReader(client, { readRemote: remote.read, ...options });
    const source = { bound, columns: bound.codec.wanted(undefined) };
    for (const [bucket, start] of [[0, EARLIEST], [1, 12n]] as const) {
      reader.add({ source, partition: undefined, partitionId: undefined, bucket, start, stop: 190n });
    }
    try {
      await run({ reader, remote, fake, cluster });
    } finally {
      reader.close();
    }
    await until(() => remote.open === 0);
  });
}

async function readAll(reader: LogReader): Promise<bigint[][]> {
  const read: bigint[][] = [[], []];
  while (true) {
    const chunk: LogChunk | undefined = await within(10_000, reader.next());
    if (chunk === undefined) return read;
    for (let i = 0; i < chunk.columns.length; i++) {
      const offset: bigint = chunk.firstOffset + BigInt(i);
      assert.equal(chunk.columns.row(i).id, offset);
      read[chunk.bucket]!.push(offset);
    }
  }
}

const offsets = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => BigInt(from + i));

test("remote records, then the server's, without a gap or a repeat", () =>
  withRemote({}, async ({ reader, remote }) => {
    assert.deepEqual(await readAll(reader), [offsets(0, 190), offsets(12, 190)]);
    assert.equal(remote.pieces, 7 + 6);
    assert.ok(reader.stats.remoteBytes > 0 && reader.stats.bytes > 0);
  }));

test("storage that fails for a moment is read again from where it stopped", () =>
  withRemote({
    fail: (piece) => {
      if (piece % 4 === 0) throw flussError("CONNECTION.CLOSED", { message: "the storage hung up" });
    },
  }, async ({ reader }) => {
    assert.deepEqual(await readAll(reader), [offsets(0, 190), offsets(12, 190)]);
  }));

test("storage that fails for good: its error, behind what was read before", () =>
  withRemote({
    fail: (piece) => {
      if (piece > 4) throw flussError("CODEC.CORRUPT_BATCH", { message: "the segment is cut" });
    },
  }, async ({ reader }) => {
    let count = 0;
    await assert.rejects(async () => {
      while (await within(5_000, reader.next()) !== undefined) count++;
    }, /the segment is cut/);
    assert.ok(count >= 3);
  }));

test("segments without the wanted records are refused, not asked for again and again", () =>
  withFakeLogs(1, {}, async (cluster, client) => {
    const fake = cluster.create(logs);
    fake.append(0, rows(0, 5));
    tier(cluster, 5n);
    const bound = await bind(client, logs);
    const source = { bound, columns: bound.codec.wanted(undefined) };
    const range = { source, partition: undefined, partitionId: undefined, bucket: 0, start: 0n, stop: 5n };
    const reader = new LogReader(client, { readRemote: remoteOf(fake, 0n, 1).read });
    reader.add(range);
    await assert.rejects(reader.next(), /bucket 0, offset 0: it is in none of the 1 remote segments/);
    const without = new LogReader(client);
    without.add(range);
    // The fake's folder is none that a server could name.
    await assert.rejects(without.next(), (error) => FlussError.is(error, "REMOTE.NOT_ALLOWED"));
  }));

test("a slow reader stops reading from storage", () =>
  withRemote({ piece: 1, aheadBytes: PIECE_BYTES + 30_000, pad: 2_000 }, async ({ reader, remote }) => {
    await reader.next();
    let before = -1;
    while (before !== remote.pieces) {
      before = remote.pieces;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    // Each piece has some 10 kB, and room is kept for a whole one.
    assert.ok(before >= 2 && before < 10, `${before} pieces`);
    assert.deepEqual((await readAll(reader)).map((read) => read.length).reduce((a, b) => a + b), 190 + 178 - 5);
  }));

test("closing and removing stop reading from storage", async () => {
  for (const how of ["close", "remove"]) {
    await withRemote({ piece: 1 }, async ({ reader, remote }) => {
      const chunk = (await reader.next())!;
      if (how === "close") reader.close();
      else reader.remove(chunk.source);
      await until(() => remote.open === 0);
      const { pieces } = remote;
      await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(remote.pieces, pieces);
      assert.equal(await reader.next(), undefined);
    });
  }
});
