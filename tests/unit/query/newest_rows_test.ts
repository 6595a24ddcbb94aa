import assert from "node:assert/strict";
import { test } from "node:test";
import { rowColumns } from "../../../src/format/row_columns.ts";
import { newestRuns, type Tail } from "../../../src/query/newest_rows.ts";
import { long, Random, seed } from "../../random.ts";

interface Row {
  readonly bucket: number;
  readonly time: number;
  readonly offset: number;
}

function randomTail(random: Random, bucket: number, times: number): { tail: Tail; rows: Row[] } {
  const rows: Row[] = [];
  let time = random.int(times);
  let offset = random.int(3);
  const parts = Array.from({ length: random.int(5) }, () => {
    const length = 1 + random.int(4);
    const part = {
      columns: rowColumns([], Array.from({ length }, () => ({}))),
      firstOffset: BigInt(offset),
      timestamp: time,
    };
    for (let i = 0; i < length; i++) rows.push({ bucket, time, offset: offset + i });
    offset += length + random.int(2);
    time += random.int(times);
    return part;
  });
  const ref = { partition: undefined, partitionId: undefined, bucket };
  return { rows, tail: { ref, parts, part: parts.length - 1, left: parts.at(-1)?.columns.length ?? 0 } };
}

test("the newest rows over all buckets, by time and then by offset, oldest first", () => {
  const random = new Random(seed);
  for (let round = 0; round < (long ? 20_000 : 500); round++) {
    const made = Array.from({ length: random.int(5) }, (_, i) => randomTail(random, i, random.pick([1, 2, 10])));
    const count = 1 + random.int(30);
    const expected = made.flatMap(({ rows }) => rows)
      .sort((a, b) => a.time - b.time || a.offset - b.offset || b.bucket - a.bucket).slice(-count);
    const runs = newestRuns(made.map(({ tail }) => tail), count);
    const found = runs.flatMap(({ tail, part, from, to }) =>
      Array.from({ length: to - from }, (_, i): Row => {
        const { firstOffset, timestamp } = tail.parts[part]!;
        return { bucket: tail.ref.bucket, time: timestamp!, offset: Number(firstOffset) + from + i };
      })
    );
    assert.deepEqual(found, expected, `seed ${seed}, round ${round}`);
  }
});

test("a bucket keeps its order when the clock of its leader went back", () => {
  const part = (firstOffset: bigint, timestamp: number) => {
    return { columns: rowColumns([], [{}, {}]), firstOffset, timestamp };
  };
  const ref = { partition: undefined, partitionId: undefined, bucket: 0 };
  const tail: Tail = { ref, parts: [part(0n, 9), part(2n, 5)], part: 1, left: 2 };
  const other: Tail = { ref: { ...ref, bucket: 1 }, parts: [part(0n, 7)], part: 0, left: 2 };
  const runs = newestRuns([tail, other], 5).map(({ tail, part, from, to }) => [tail.ref.bucket, part, from, to]);
  assert.deepEqual(runs, [[0, 0, 1, 2], [0, 1, 0, 2], [1, 0, 0, 2]]);
});
