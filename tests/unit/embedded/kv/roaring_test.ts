import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { uniteBitmaps32 } from "../../../../src/embedded/kv/roaring32.ts";
import { uniteBitmaps64 } from "../../../../src/embedded/kv/roaring64.ts";
import { Random } from "../../format/random.ts";
// Made with RoaringBitmap 1.3.0: two bitmaps, and what a server writes of both.
import vectors from "./roaring_vectors.json" with { type: "json" };

for (const [bits, name, a, b, both] of vectors as [number, string, string, string, string][]) {
  test(`a union of ${bits}-bit bitmaps is what the Java library writes: ${name}`, () => {
    const unite = bits === 32 ? uniteBitmaps32 : uniteBitmaps64;
    assert.equal(Buffer.from(unite(bytes(a), bytes(b))).toString("base64"), both);
  });
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

test("unions hold what both bitmaps hold, in whichever form", () => {
  const random = new Random(7);
  for (let round = 0; round < 40; round++) {
    const left = numbers(random);
    const right = numbers(random);
    const union = uniteBitmaps32(bitmap32(left), bitmap32(right));
    const expected = [...new Set([...left, ...right])].sort((a, b) => a - b);
    assert.deepEqual(read32(union), expected);
    // The forms that unions have are read as well.
    assert.deepEqual(read32(uniteBitmaps32(union, bitmap32([70_000]))), [...expected, 70_000]);
    assert.deepEqual(uniteBitmaps32(union, union), union);
  }
});

test("what is no bitmap is refused", () => {
  const one = bitmap32([1]);
  for (const wrong of [Uint8Array.of(), Uint8Array.of(1, 2, 3, 4), one.subarray(0, one.length - 1)]) {
    assert.throws(() => uniteBitmaps32(one, wrong));
    assert.throws(() => uniteBitmaps32(wrong, one));
  }
  for (const wrong of [Uint8Array.of(), Uint8Array.of(1, 2), Uint8Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, 9)]) {
    assert.throws(() => uniteBitmaps64(Uint8Array.of(0), wrong));
  }
});

/** Numbers below 65536: few, many, or in runs; ascending. */
function numbers(random: Random): number[] {
  const found = new Set<number>();
  const runs = random.chance(0.5);
  for (let i = random.int(0, runs ? 20 : 8000); i > 0; i--) {
    const start = random.int(0, 65_535);
    for (let k = runs ? random.int(0, 5000) : 0; k >= 0; k--) found.add(Math.min(65_535, start + k));
  }
  return [...found].sort((a, b) => a - b);
}

/** One container, an array or bits. */
function bitmap32(values: readonly number[]): Uint8Array {
  const byKey = new Map<number, number[]>();
  for (const value of values) {
    const low = byKey.get(value >> 16);
    if (low === undefined) byKey.set(value >> 16, [value & 0xffff]);
    else low.push(value & 0xffff);
  }
  const parts: number[] = [...int32(12_346), ...int32(byKey.size)];
  for (const [key, low] of byKey) parts.push(...int16(key), ...int16(low.length - 1));
  for (const _ of byKey) parts.push(...int32(0));
  for (const low of byKey.values()) {
    if (low.length <= 4096) parts.push(...low.flatMap(int16));
    else {
      const bits = new Uint8Array(8192);
      for (const value of low) bits[value >> 3]! |= 1 << (value & 7);
      parts.push(...bits);
    }
  }
  return Uint8Array.from(parts);
}

const int16 = (value: number) => [value & 255, (value >> 8) & 255];
const int32 = (value: number) => [...int16(value), ...int16(value >> 16)];

/** The numbers of a bitmap, read by the letter of the format's description. */
function read32(bitmap: Uint8Array): number[] {
  const view = new DataView(bitmap.buffer, bitmap.byteOffset, bitmap.byteLength);
  const cookie = view.getUint16(0, true);
  const hasRuns = cookie === 12_347;
  const count = hasRuns ? view.getUint16(2, true) + 1 : view.getUint32(4, true);
  let at = hasRuns ? 4 : 8;
  const marks = at;
  if (hasRuns) at += (count + 7) >> 3;
  const heads = Array.from({ length: count }, (_, i) => ({
    key: view.getUint16(at + 4 * i, true),
    size: view.getUint16(at + 4 * i + 2, true) + 1,
    run: hasRuns && (bitmap[marks + (i >> 3)]! & (1 << (i & 7))) !== 0,
  }));
  at += 4 * count + (hasRuns && count < 4 ? 0 : 4 * count);
  const values: number[] = [];
  for (const { key, size, run } of heads) {
    const base = key * 65_536;
    if (run) {
      for (let left = view.getUint16(at, true), first = (at += 2); left > 0; left--, first += 4, at = first) {
        const start = view.getUint16(first, true);
        for (let k = 0; k <= view.getUint16(first + 2, true); k++) values.push(base + start + k);
      }
    } else if (size > 4096) {
      for (let k = 0; k < 65_536; k++) if ((bitmap[at + (k >> 3)]! & (1 << (k & 7))) !== 0) values.push(base + k);
      at += 8192;
    } else {
      for (let k = 0; k < size; k++, at += 2) values.push(base + view.getUint16(at, true));
    }
  }
  assert.equal(at, bitmap.length);
  return values;
}
