// Reads segments in a folder of this machine, as servers name them and as they should not.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FlussError } from "../../../../../mod.ts";
import { FlussClient } from "../../../../../src/client/client.ts";
import { readRemoteLog } from "../../../../../src/client/read/remote/remote_log.ts";
import type { RemoteSegment } from "../../../../../src/client/read/remote_reads.ts";
import { readOptions } from "../../../../../src/query/options.ts";
import { joined, logBatch as batch, offsetsOf } from "./segments.ts";

const place = { table: "d.rows", bucket: 0 };
const TABLET = "/log/d/rows-1/0";

/** A folder with segments, and a client that may read it as a loopback cluster's own, or within roots. */
async function withFolder(
  run: (folder: string, put: (id: string, start: number, bytes: Uint8Array) => Promise<RemoteSegment>) => Promise<void>,
): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "sluice-remote-")));
  try {
    await run(folder, async (id, start, bytes) => {
      await mkdir(join(folder, TABLET, id), { recursive: true });
      await writeFile(join(folder, TABLET, id, `${`${start}`.padStart(20, "0")}.log`), bytes);
      const endOffset = offsetsOf(bytes).at(-1)?.next ?? BigInt(start);
      return { id, startOffset: BigInt(start), endOffset, size: bytes.length };
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function client(host: string, roots: string[] = []): FlussClient {
  return new FlussClient(readOptions(`fluss://${host}:1`, { scanner: { remote: { roots } } }).client);
}

/** The offsets of the batches that are read. */
async function read(
  reader: FlussClient,
  directory: string,
  segments: RemoteSegment[],
  from: number,
  firstPosition = 0,
): Promise<number[]> {
  const found: number[] = [];
  const { signal } = new AbortController();
  for await (
    const piece of readRemoteLog(reader, place, { directory, segments, firstPosition }, BigInt(from), signal)
  ) {
    found.push(...offsetsOf(piece).map(({ base }) => Number(base)));
  }
  return found;
}

async function refused(reading: Promise<unknown>, code: string, message: RegExp): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(FlussError.is(error), String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });
}

test("segments are read in order, from a byte of the first one on, without what is before the offset", () =>
  withFolder(async (folder, put) => {
    const first = [batch(0, 10), batch(10, 10), batch(20, 5)];
    const one = await put("a", 0, joined(first));
    // One batch that is larger than a piece.
    const two = await put("b", 25, joined([batch(25, 1, "y".repeat(5 << 20)), batch(26, 4)]));
    const own = client("127.0.0.1");
    assert.deepEqual(await read(own, folder + TABLET, [one, two], 0), [0, 10, 20, 25, 26]);
    assert.deepEqual(await read(own, folder + TABLET, [one, two], 12), [10, 20, 25, 26]);
    assert.deepEqual(await read(own, `file://${folder}${TABLET}`, [one, two], 20, first[0]!.length), [20, 25, 26]);
    assert.deepEqual(await read(own, folder + TABLET, [one, two], 27), [26]);
  }));

test("a segment that is not what the server said is refused", () =>
  withFolder(async (folder, put) => {
    const own = client("localhost");
    const directory = folder + TABLET;
    const bytes = joined([batch(0, 10), batch(10, 10)]);
    const one = await put("a", 0, bytes);
    await refused(read(own, directory, [{ ...one, size: 7 }], 0), "CODEC.CORRUPT_BATCH", /segment a .* has \d+ bytes/);
    const cut = await put("b", 0, bytes.slice(0, -9));
    await refused(read(own, directory, [cut], 0), "CODEC.CORRUPT_BATCH", /claims a batch of \d+ bytes at byte \d+/);
    const gap = await put("c", 0, joined([batch(0, 10), batch(11, 10)]));
    await refused(read(own, directory, [gap], 0), "CODEC.CORRUPT_BATCH", /goes on at offset 11, and 10 is next/);
    await refused(read(own, directory, [{ ...one, id: "gone" }], 0), "REMOTE.UNAVAILABLE", /cannot be read: .*ENOENT/);
  }));

test("files are read within the roots alone, whatever their names lead to", () =>
  withFolder(async (folder, put) => {
    const one = await put("a", 0, batch(0, 10));
    const directory = folder + TABLET;
    const NOT = "REMOTE.NOT_ALLOWED";
    await refused(read(client("fluss.example"), directory, [one], 0), NOT, /scanner\.remote\.roots allows none/);
    assert.deepEqual(await read(client("fluss.example", [folder]), directory, [one], 0), [0]);
    assert.deepEqual(await read(client("fluss.example", [`file://${folder}/`]), directory, [one], 0), [0]);
    await refused(
      read(client("fluss.example", [`${folder}/log/d/rows-2`]), directory, [one], 0),
      NOT,
      /allows .*rows-2/,
    );
    // A sibling whose name begins like the root's is not in it.
    await refused(read(client("fluss.example", [folder.slice(0, -1)]), directory, [one], 0), NOT, /allows/);
    const own = client("127.0.0.1");
    for (const wrong of [`${folder}/../x${TABLET}`, `${folder}/a.log`, "/etc", "relative/log/d/rows-1/0x"]) {
      await refused(read(own, wrong, [one], 0), NOT, /is no folder of a log/);
    }
    await refused(read(own, directory, [{ ...one, id: "../../x" }], 0), NOT, /is no folder of a log/);
    await refused(read(own, `hdfs://name${TABLET}`, [one], 0), "REMOTE.NOT_SUPPORTED", /"hdfs:\/\/name"/);
    // A link that leads out of the root is followed, and what it leads to is what counts.
    const outside = await realpath(await mkdtemp(join(tmpdir(), "sluice-outside-")));
    try {
      await writeFile(join(outside, `${"0".repeat(20)}.log`), batch(0, 10));
      await symlink(outside, join(folder, TABLET, "link"));
      await refused(read(own, directory, [{ ...one, id: "link" }], 0), NOT, /allows none/);
    } finally {
      await rm(outside, { recursive: true });
    }
  }));
