import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "../../../src/format/byte_reader.ts";
import { ByteWriter, setFloat32, setFloat64 } from "../../../src/format/byte_writer.ts";
import { readAscii, readUtf8 } from "../../../src/format/utf8.ts";
import { hex } from "./columns.ts";
import { Random, rounds, SEED } from "./random.ts";

test(`numbers come back as they were, in both forms (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const edges = [0n, 1n, 127n, 128n, 2n ** 28n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 56n, 2n ** 63n - 1n];
  for (let i = 0; i < rounds(3000, 200_000); i++) edges.push(random.big(63));
  for (const edge of edges) {
    for (const value of [edge, -edge, -edge - 1n]) {
      const out = new ByteWriter(1);
      out.writeVarInt64(value);
      const bytes = hex(out.toBytes());
      assert.equal(bytes, varint(BigInt.asUintN(64, value)));
      out.writeInt64(value);
      const source = new ByteReader(out.toBytes(), 0, out.position);
      assert.deepEqual([source.readVarInt64(), source.readInt64()], [value, value]);
      if (value === BigInt.asIntN(32, value)) {
        const small = new ByteWriter(1);
        small.writeVarInt32(Number(value));
        assert.equal(hex(small.toBytes()), varint(BigInt.asUintN(32, value)));
        assert.equal(new ByteReader(small.bytes, 0, small.position).readVarInt32(), Number(value));
      }
      const number = Number(value);
      if (!Number.isSafeInteger(number)) continue;
      const safe = new ByteWriter(1);
      safe.writeSafeVarInt64(number);
      assert.equal(hex(safe.toBytes()), bytes);
      safe.writeSafeInt64(number);
      assert.equal(hex(safe.toBytes()), hex(out.toBytes()));
      const again = new ByteReader(safe.toBytes(), 0, safe.position);
      assert.deepEqual([again.readSafeVarInt64(), again.readSafeInt64()], [number, number]);
    }
  }
});

/** A varint by the definition. */
function varint(value: bigint): string {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return hex(Uint8Array.from(bytes));
}

test("skipping a varint ends where reading does", () => {
  for (const value of [0n, 128n, -1n]) {
    const out = new ByteWriter();
    out.writeVarInt64(value);
    out.writeInt8(1);
    const source = new ByteReader(out.bytes, 0, out.position);
    source.skipVarInt(10);
    assert.equal(source.position, out.position - 1);
  }
});

test("every NaN is written as the one of Java", () => {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(4, 0xfff80000, true);
  const odd = bits.getFloat64(0, true);
  const view = new DataView(new ArrayBuffer(12));
  setFloat32(view, 0, odd);
  setFloat64(view, 4, odd);
  assert.equal(hex(new Uint8Array(view.buffer)), "0000c07f000000000000f87f");
});

test(`texts of every length come back, wherever they lie (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const encoder = new TextEncoder();
  for (let length = 0; length < 150; length++) {
    for (let i = 0; i < 6; i++) {
      const text = random.text(length);
      const out = new ByteWriter(1);
      out.writeInt8(0xff);
      out.writeVarUtf8(text);
      const encoded = encoder.encode(text);
      assert.equal(hex(out.toBytes()), `ff${varint(BigInt(encoded.length))}${hex(encoded)}`);
      const source = new ByteReader(out.bytes, 1, out.position);
      assert.equal(source.readUtf8(source.readVarLength()), text);
    }
  }
});

test("bytes that are not UTF-8 are told apart from a written U+FFFD", () => {
  assert.equal(readUtf8(Uint8Array.of(0xef, 0xbf, 0xbd), 0, 3), "\ufffd");
  assert.equal(readUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), 0, 4), "\ufeffa");
  for (const bytes of [[0x80], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x61, 0xff]]) {
    assert.equal(readUtf8(Uint8Array.from(bytes), 0, bytes.length), undefined, hex(Uint8Array.from(bytes)));
  }
});

test("ASCII of any length at any place in memory", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => 97 + i % 26);
  const text = String.fromCharCode(...bytes);
  for (let shift = 0; shift < 4; shift++) {
    const moved = new Uint8Array(44).subarray(shift, shift + 40);
    moved.set(bytes);
    for (let start = 0; start <= 8; start++) {
      for (let end = start; end <= 40; end++) {
        assert.equal(readAscii(moved, start, end), text.slice(start, end));
        if (end > start) {
          for (const at of [start, end - 1, (start + end) >> 1]) {
            moved[at] = 0x80;
            assert.equal(readAscii(moved, start, end), undefined, `byte ${at} of ${start} to ${end}`);
            moved[at] = bytes[at]!;
          }
        }
      }
    }
  }
});
