import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketOf } from "../../../src/format/bucketing.ts";
import { ByteWriter } from "../../../src/format/byte_writer.ts";
import { crc32c } from "../../../src/format/crc32c.ts";
import { compileKeyWriter, type KeyEncoding } from "../../../src/format/key_encoder.ts";
import { KvBatchBuilder } from "../../../src/format/kv_batch.ts";
import { flussMurmur, flussMurmurAgain, standardMurmur } from "../../../src/format/murmur.ts";
import { compileRowWriter, compileValueReader } from "../../../src/format/row_codec.ts";
import { forEachValue, SCHEMA_ID_BYTES, schemaIdOf } from "../../../src/format/value_batch.ts";
import type { DataType, SchemaColumn } from "../../../src/schema/data_type.ts";
import { column, columns, decodeRow, encodeRow, FORMATS, hex, notNull, type, unhex } from "./columns.ts";
import { BUCKETS, KEYS, ROWS, WIDE } from "./vectors.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const FOX = ascii("The quick brown fox jumps over the lazy dog");

test("CRC-32C has its check value, at any start", () => {
  assert.equal(crc32c(ascii("123456789")), 0xe3069283);
  assert.equal(crc32c(ascii("xx123456789y"), 2, 11), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(0)), 0);
});

test("CRC-32C of sixteen bytes at a time equals bit by bit", () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 151 + 7) & 255);
  for (let start = 0; start < 5; start++) {
    let crc = ~0;
    for (let end = start; end <= bytes.length; end++) {
      assert.equal(crc32c(bytes, start, end), ~crc >>> 0, `${start} to ${end}`);
      crc ^= bytes[end]!;
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    }
  }
});

test("murmur gives the known hashes", () => {
  const fluss = (bytes: Uint8Array, seed: number) => (flussMurmur(bytes, 0, bytes.length, seed) >>> 0).toString(16);
  const standard = (bytes: Uint8Array, seed: number) =>
    (standardMurmur(bytes, 0, bytes.length, seed) >>> 0).toString(16);
  const empty = new Uint8Array(0);
  assert.deepEqual([fluss(empty, 0), fluss(empty, 42), fluss(empty, -1)], ["0", "87fcd5c", "81f16f39"]);
  assert.deepEqual([fluss(FOX, 0), fluss(FOX, 42)], ["5fd20a20", "1bc6f880"]);
  assert.deepEqual([0, 42, -77].map((n) => flussMurmurAgain(n).toString(16)), ["2362f9de", "43a46e1d", "2eeb27de"]);
  assert.deepEqual([standard(empty, 0), standard(empty, 1)], ["0", "514e28b7"]);
  assert.deepEqual([standard(FOX, 0), standard(FOX, 0x9747b28c)], ["2e4ff723", "2fa826cd"]);
});

for (const vector of BUCKETS) {
  test(`buckets of ${vector.key}`, () => {
    // Off the array's start, because keys lie inside of larger buffers.
    const bytes = Uint8Array.of(9, ...unhex(vector.key), 9);
    const end = bytes.length - 1;
    assert.equal(flussMurmur(bytes, 1, end, 42), vector.murmur);
    for (const bucketing of ["fluss", "paimon", "iceberg"] as const) {
      const buckets = [3, 7, 16, 1_000_000].map((n) => bucketOf(bucketing, bytes, 1, end, n));
      assert.deepEqual(buckets, vector[bucketing], bucketing);
    }
  });
}

test("an empty bucket key is refused", () => {
  for (const bucketing of ["fluss", "paimon", "iceberg"] as const) {
    assert.throws(() => bucketOf(bucketing, new Uint8Array(4), 2, 2, 3), { code: "CODEC.OUT_OF_RANGE" });
  }
});

function encodeKey(of: readonly SchemaColumn[], encoding: KeyEncoding, row: Record<string, unknown>): Uint8Array {
  const out = new ByteWriter(1);
  compileKeyWriter(of, encoding)(out, row);
  return out.toBytes();
}

for (const vector of KEYS) {
  test(`keys of ${vector.type.kind} ${String(vector.value)}`, () => {
    const [of] = columns(vector.type);
    for (
      const [encoding, bucketing] of [["compacted", "fluss"], ["paimon", "paimon"], ["iceberg", "iceberg"]] as const
    ) {
      const expected = vector[encoding];
      const encode = () => encodeKey([of!], encoding, { c0: vector.value });
      if (expected === "unsupported") {
        assert.throws(encode, { code: "SCHEMA.INVALID" });
        continue;
      }
      const key = encode();
      if (expected === "empty") {
        assert.equal(key.length, 0);
        assert.throws(() => bucketOf(bucketing, key, 0, 0, 16), { code: "CODEC.OUT_OF_RANGE" });
        continue;
      }
      assert.deepEqual([hex(key), bucketOf(bucketing, key, 0, key.length, 16)], expected, encoding);
    }
  });
}

test("keys of several columns", () => {
  const ints = columns(type("int"), type("bigint"), type("int"));
  assert.equal(hex(encodeKey(ints, "compacted", { c0: 1, c1: 3n, c2: 2, other: "ignored" })), "010302");
  const mixed = columns(type("int"), type("string"));
  assert.equal(hex(encodeKey(mixed, "compacted", { c0: 1, c1: "a2" })), "01026132");
});

for (const vector of ROWS) {
  for (const format of FORMATS) {
    test(`${format} row of ${vector.name}`, () => {
      const of = columns(vector.type);
      const bytes = encodeRow(of, format, { c0: vector.value });
      assert.equal(hex(bytes), vector[format]);
      assert.deepEqual(decodeRow(of, format, bytes), { c0: vector.value });
    });
  }
}

for (const format of FORMATS) {
  const of = columns(...ROWS.map((vector) => vector.type));
  const full = Object.fromEntries(ROWS.map((vector, i) => [`c${i}`, vector.value]));
  const nulls = Object.fromEntries(ROWS.map((_, i) => [`c${i}`, i === 0 ? -7 : null]));

  test(`${format} row of all types`, () => {
    assert.equal(hex(encodeRow(of, format, full)), WIDE[format].full);
    assert.deepEqual(decodeRow(of, format, unhex(WIDE[format].full)), full);
  });

  test(`${format} row of nulls`, () => {
    assert.equal(hex(encodeRow(of, format, { c0: -7 })), WIDE[format].nulls);
    assert.deepEqual(decodeRow(of, format, unhex(WIDE[format].nulls)), nulls);
  });

  test(`${format} row inside of other bytes`, () => {
    const row = unhex(WIDE[format].full);
    const bytes = Uint8Array.of(1, 2, 3, ...row, 4, 5);
    assert.deepEqual(compileValueReader(of, of, format)(bytes, 3, 3 + row.length), full);
    const out = new ByteWriter(1);
    out.writeInt8(1);
    compileRowWriter(of, format)(out, full);
    assert.equal(hex(out.toBytes()), `01${WIDE[format].full}`);
  });
}

const A: DataType = notNull(type("int"));
const AB = [column(0, "a", A), column(1, "b", type("string"))];
const BATCHES = {
  compacted: "3000000000d2ac1c4d010000e8030000000000000000000003000000060000000101000101610400000001020202020000000103",
  indexed:
    "3d00000000f2e693e0010000e80300000000000000000000030000000c0000000101000100000001000000610b0000000102020000000002000000020000000103",
} as const;

for (const format of ["compacted", "indexed"] as const) {
  test(`KV batch of ${format} rows`, () => {
    const writeRow = compileRowWriter(AB, format);
    const batch = new KvBatchBuilder(1, 1);
    const upsert = (row: { a: number; b: string | null }) => {
      const key = encodeKey([AB[0]!], "compacted", row);
      batch.append(key, 0, key.length, writeRow, row);
    };
    upsert({ a: 1, b: "a" });
    upsert({ a: 2, b: null });
    const { size } = batch;
    const wrong = { a: 5, b: 5 } as unknown as { a: number; b: string };
    assert.throws(() => upsert(wrong), { code: "CODEC.WRONG_TYPE", column: "b" });
    assert.deepEqual([batch.size, batch.count], [size, 2]);
    batch.append(Uint8Array.of(0, 3), 1, 2);
    const first = hex(batch.finish(1000n, 0));
    assert.equal(first, BATCHES[format]);
    const again = batch.finish(7n, 5);
    assert.equal(hex(again.subarray(28)), first.slice(56));
    assert.deepEqual([again[12], again[20]], [7, 5]);
    assert.equal(new DataView(again.buffer).getUint32(5, true), crc32c(again, 9));
    assert.equal(hex(batch.finish(1000n, 0)), first);
  });
}

test("long keys, many records: the batch grows and keeps its order", () => {
  const of = [column(0, "k", notNull(type("string")))];
  const writeRow = compileRowWriter(of, "compacted");
  const batch = new KvBatchBuilder(3, 1);
  const keys = Array.from({ length: 50 }, (_, i) => "k".repeat(i * 7));
  for (const k of keys) {
    const key = encodeKey(of, "compacted", { k });
    batch.append(key, 0, key.length, writeRow, { k });
  }
  const bytes = batch.finish(-1n, -1);
  const view = new DataView(bytes.buffer);
  let at = 28;
  for (const k of keys) {
    const end = at + 4 + view.getInt32(at, true);
    const encoded = hex(encodeKey(of, "compacted", { k }));
    const lengthBytes = encoded.length / 2 < 128 ? 1 : 2;
    assert.equal(hex(bytes.subarray(at + 4 + lengthBytes, end)), `${encoded}00${encoded}`);
    at = end;
  }
  assert.equal(at, bytes.length);
});

test("values of lookups and limit scans", () => {
  const lookup = unhex("010000010161");
  assert.equal(schemaIdOf(lookup), 1);
  assert.deepEqual(compileValueReader(AB, AB, "compacted")(lookup, SCHEMA_ID_BYTES, lookup.length), { a: 1, b: "a" });
  const bytes = unhex("1900000000020000000600000001000001016106000000020000010161");
  const seen: unknown[] = [];
  const read = compileValueReader(AB, AB, "compacted");
  forEachValue(bytes, (schemaId, start, end) => seen.push([schemaId, read(bytes, start, end)]));
  assert.deepEqual(seen, [[1, { a: 1, b: "a" }], [2, { a: 1, b: "a" }]]);
});

test("value batches without values", () => {
  let count = 0;
  forEachValue(new Uint8Array(0), () => count++);
  forEachValue(unhex("050000000000000000"), () => count++);
  assert.equal(count, 0);
});
