import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "../../../src/format/crc32c.ts";
import {
  checkCrc,
  LOG_BATCH_HEADER_BYTES,
  logBatchAt,
  logBatchSize,
  STATISTICS_HEADER_BYTES,
  writeLogBatchHeader,
} from "../../../src/format/log_batch.ts";
import { hex, unhex } from "./columns.ts";
import { LOG_BATCHES } from "./log_vectors.ts";

const CHANGES = unhex(LOG_BATCHES.arrowNoneChanges);

/** A batch with a field of its header changed. */
function lying(batch: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const bytes = batch.slice();
  change(new DataView(bytes.buffer));
  return bytes;
}

test("a header of version 0", () => {
  // Not at the start, because batches follow each other.
  const bytes = Uint8Array.of(...unhex(LOG_BATCHES.empty), ...CHANGES, 1, 2, 3);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(48, 2n ** 40n, true);
  view.setBigInt64(48 + 13, 1_700_000_000_000n, true);
  const batch = logBatchAt(bytes, 48)!;
  checkCrc(batch);
  const { bytes: held, ...header } = batch;
  assert.equal(held, bytes);
  assert.deepEqual(header, {
    start: 48,
    end: 48 + CHANGES.length,
    magic: 0,
    baseOffset: 2n ** 40n,
    lastOffset: 2n ** 40n + 2n,
    nextOffset: 2n ** 40n + 3n,
    timestamp: 1_700_000_000_000,
    schemaId: 1,
    appendOnly: false,
    recordCount: 3,
    writerId: 1000n,
    sequence: 5,
    recordsStart: 96,
  });
  assert.equal(logBatchSize(bytes, 48), CHANGES.length);
});

test("an empty batch takes one offset", () => {
  const batch = logBatchAt(unhex(LOG_BATCHES.empty), 0)!;
  checkCrc(batch);
  assert.deepEqual(
    [batch.recordCount, batch.baseOffset, batch.lastOffset, batch.nextOffset, batch.end, batch.writerId],
    [0, 0n, 0n, 1n, 48, 1000n],
  );
});

test("headers with statistics, and with the leader's epoch", () => {
  const statistics = Uint8Array.of(9, 8, 7, 6, 5);
  const records = CHANGES.subarray(48);
  for (const magic of [1, 2]) {
    const header = new Uint8Array(magic === 1 ? 52 : 56);
    const shift = magic === 1 ? 0 : 4;
    header.set(CHANGES.subarray(0, 21));
    header.set(CHANGES.subarray(25, 48), 25 + shift);
    header[12] = magic;
    if (magic === 2) header.set([7, 0, 0, 0], 21);
    const bytes = Uint8Array.of(...header, ...statistics, ...records);
    const view = new DataView(bytes.buffer);
    view.setInt32(8, bytes.length - 12, true);
    view.setInt32(48 + shift, statistics.length, true);
    view.setUint32(21 + shift, crc32c(bytes, 25 + shift), true);
    const batch = logBatchAt(bytes, 0)!;
    checkCrc(batch);
    assert.deepEqual(
      [batch.magic, batch.recordsStart, batch.recordCount, batch.writerId, batch.sequence, batch.schemaId],
      [magic, header.length + 5, 3, 1000n, 5, 1],
    );
    assert.equal(hex(bytes.subarray(batch.recordsStart, batch.end)), hex(records));
    for (const length of [-1, records.length + 6, 2 ** 31 - 1]) {
      const wrong = lying(bytes, (of) => of.setInt32(48 + shift, length, true));
      assert.throws(() => logBatchAt(wrong, 0), { code: "CODEC.CORRUPT_BATCH" }, `statistics of ${length} bytes`);
    }
    const all = lying(bytes, (of) => {
      of.setInt32(48 + shift, records.length + 5, true);
      of.setInt32(44 + shift, 0, true);
      of.setInt32(28 + shift, 0, true);
    });
    assert.equal(logBatchAt(all, 0)!.recordsStart, bytes.length);
  }
});

test("a batch that is cut is none", () => {
  for (let length = 0; length < CHANGES.length; length++) {
    assert.equal(logBatchAt(CHANGES.slice(0, length), 0), undefined, `${length} bytes`);
    assert.equal(logBatchSize(CHANGES.slice(0, length), 0), length < 12 ? undefined : CHANGES.length);
  }
});

for (
  const [name, change] of [
    ["a negative length", (view) => view.setInt32(8, -1, true)],
    ["a length below that of a header", (view) => view.setInt32(8, 35, true)],
    ["a length that ends inside of a header with statistics", (view) => {
      view.setInt8(12, 1);
      view.setInt32(8, 36, true);
    }],
    ["an unknown version", (view) => view.setInt8(12, 3)],
    ["a negative version", (view) => view.setInt8(12, -1)],
    ["a negative offset", (view) => view.setBigInt64(0, -1n, true)],
    ["an offset that does not leave room for the records", (view) => view.setBigInt64(0, 2n ** 63n - 2n, true)],
    ["a time beyond 2^53", (view) => view.setBigInt64(13, 2n ** 60n, true)],
    ["a negative number of records", (view) => view.setInt32(44, -1, true)],
    ["more records than bytes", (view) => {
      view.setInt32(44, CHANGES.length, true);
      view.setInt32(28, CHANGES.length - 1, true);
    }],
    ["more records than offsets", (view) => view.setInt32(28, 1, true)],
    ["more offsets than records", (view) => view.setInt32(28, 3, true)],
    ["a negative last offset", (view) => view.setInt32(28, -1, true)],
  ] as const satisfies readonly (readonly [string, (view: DataView) => void])[]
) {
  test(`${name} is refused`, () => {
    assert.throws(() => logBatchAt(lying(CHANGES, change), 0), { code: "CODEC.CORRUPT_BATCH" });
  });
}

test("two billion appended records in a few bytes are refused", () => {
  const bytes = lying(unhex(LOG_BATCHES.indexed), (view) => {
    view.setInt32(44, 2 ** 31 - 1, true);
    view.setInt32(28, 2 ** 31 - 2, true);
  });
  assert.throws(() => logBatchAt(bytes, 0), { code: "CODEC.CORRUPT_BATCH" });
});

test("every changed bit behind the checksum is found, none before it", () => {
  for (let at = 0; at < CHANGES.length; at++) {
    const bytes = CHANGES.slice();
    bytes[at]! ^= 4;
    // These make another header: other tests.
    if ((at >= 8 && at < 13) || at === 20 || (at >= 28 && at < 32) || (at >= 44 && at < 48) || at === 7) continue;
    const batch = logBatchAt(bytes, 0)!;
    if (at < 21) checkCrc(batch);
    else {assert.throws(
        () => checkCrc(batch),
        { code: "CODEC.CORRUPT_BATCH", message: /CRC-32C [0-9a-f]{8}/ },
        `byte ${at}`,
      );}
  }
});

test("what a writer writes is what a reader reads", () => {
  for (const magic of [0, 1] as const) {
    const statisticsLength = magic === 1 ? 3 : 0;
    const headerBytes = magic === 1 ? STATISTICS_HEADER_BYTES : LOG_BATCH_HEADER_BYTES;
    // Bytes of an earlier batch may be in the buffer.
    const buffer = new Uint8Array(200).fill(0xee);
    const batch = buffer.subarray(5, 5 + headerBytes + statisticsLength + 20);
    for (const [writerId, sequence] of [[-1n, -1], [2n ** 50n, 77]] as const) {
      const header = { magic, schemaId: 32767, appendOnly: true, recordCount: 4, writerId, sequence } as const;
      writeLogBatchHeader(batch, magic === 1 ? { ...header, statisticsLength } : header);
      const read = logBatchAt(batch, 0)!;
      checkCrc(read);
      const { bytes: _, ...rest } = read;
      assert.deepEqual(rest, {
        start: 0,
        end: batch.length,
        magic,
        baseOffset: 0n,
        lastOffset: 3n,
        nextOffset: 4n,
        timestamp: 0,
        schemaId: 32767,
        appendOnly: true,
        recordCount: 4,
        writerId,
        sequence,
        recordsStart: headerBytes + statisticsLength,
      });
    }
    assert.deepEqual([buffer[4], buffer[5 + batch.length]], [0xee, 0xee]);
  }
});
