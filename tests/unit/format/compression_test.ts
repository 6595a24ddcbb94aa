import assert from "node:assert/strict";
import { test } from "node:test";
import { type Codec, compressBuffer, decompressBuffer } from "../../../src/format/compression.ts";
import { xxHash32 } from "../../../src/format/xxhash.ts";
import { decompressByScript } from "../../../src/format/zstd.ts";
import { hex, unhex } from "./columns.ts";
import { Random, rounds, SEED } from "./random.ts";

const CODECS: readonly Codec[] = ["lz4", "zstd"];
const text = (of: string): Uint8Array => new TextEncoder().encode(of);

/** Content of one of the kinds that codecs treat differently. */
function content(random: Random, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  switch (random.int(0, 4)) {
    case 0:
      return bytes.fill(random.int(0, 255));
    case 1:
      return random.bytes(length);
    case 2: {
      // Ascending numbers, as offsets and ids are.
      const view = new DataView(bytes.buffer);
      for (let at = 0; at + 4 <= length; at += 4) view.setInt32(at, at * 3, true);
      return bytes;
    }
    case 3: {
      const period = random.int(1, 40);
      for (let i = 0; i < length; i++) bytes[i] = i % period;
      return bytes;
    }
    default:
      // Words, now and then repeated from far away.
      for (let at = 0; at < length;) {
        const from = random.chance(0.5) ? random.int(0, at) : -1;
        for (let count = random.int(1, 60); count > 0 && at < length; count--, at++) {
          bytes[at] = from < 0 ? random.int(97, 122) : bytes[from + at % 7] ?? 1;
        }
      }
      return bytes;
  }
}

for (const codec of CODECS) {
  test(`${codec} gives back what it took (seed ${SEED})`, () => {
    const random = new Random(SEED + 10);
    for (let round = 0; round < rounds(150, 5000); round++) {
      const length = random.pick([
        random.int(0, 40),
        random.int(0, 3000),
        random.int(65_000, 66_000),
        random.int(0, 200_000),
      ]);
      // Off the array's start, because buffers lie inside of messages.
      const bytes = content(random, length + 3).subarray(3);
      const packed = compressBuffer(codec, codec === "zstd" ? random.int(1, 6) : undefined, bytes);
      const moved = new Uint8Array(packed.length + 1);
      moved.set(packed, 1);
      const back = decompressBuffer(codec, moved.subarray(1), length);
      assert.ok(same(back, bytes), `seed ${SEED}, round ${round}, ${length} bytes`);
      assert.equal(back.byteOffset % 8, 0);
      if (codec === "zstd") assert.ok(same(decompressByScript(packed, length), bytes), `fzstd, round ${round}`);
      else assert.ok(packed.length <= length + 7 + 4 + 4 * Math.ceil(length / 65536), "stored blocks bound the size");
    }
  });

  test(`${codec} makes repetition small`, () => {
    const bytes = new Uint8Array(500_000).fill(7);
    assert.ok(compressBuffer(codec, undefined, bytes).length < 2500);
  });

  test(`${codec} of another length than claimed is refused`, () => {
    const bytes = text("sluice sluice sluice sluice sluice sluice sluice");
    const packed = compressBuffer(codec, undefined, bytes);
    for (const length of [0, 1, bytes.length - 1, bytes.length + 1, bytes.length + 5000, 2 ** 32]) {
      assert.throws(() => decompressBuffer(codec, packed, length), { code: "CODEC.CORRUPT_BATCH" }, `${length}`);
    }
  });

  test(`damaged ${codec} is read or refused (seed ${SEED})`, () => {
    const random = new Random(SEED + 11);
    for (let round = 0; round < rounds(1500, 100_000); round++) {
      const bytes = content(random, random.int(1, 400));
      const packed = new Uint8Array(compressBuffer(codec, undefined, bytes));
      for (let left = random.int(1, 3); left > 0; left--) {
        packed[random.int(0, packed.length - 1)] = random.pick([0, 1, 127, 128, 255, random.int(0, 255)]);
      }
      const cut = packed.subarray(0, random.chance(0.2) ? random.int(0, packed.length) : packed.length);
      const read = [decompressBuffer.bind(undefined, codec)];
      if (codec === "zstd") read.push(decompressByScript);
      for (const decompress of read) {
        try {
          assert.equal(decompress(cut, bytes.length).length, bytes.length);
        } catch (error) {
          assert.equal(
            (error as { code?: string }).code,
            "CODEC.CORRUPT_BATCH",
            `seed ${SEED}, round ${round}: ${error}`,
          );
        }
      }
    }
  });
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

test("zstd of what cannot be compressed", () => {
  const bytes = new Random(1).bytes(3000);
  assert.deepEqual([...decompressBuffer("zstd", compressBuffer("zstd", 22, bytes), 3000)], [...bytes]);
});

test("a Zstandard window is not made as large as it claims to be", () => {
  // Single segment, 4 bytes of size: 4 GiB; and a window of 2 GiB.
  for (const frame of ["28b52ffda0ffffffff010000", "28b52ffd00a8010000000000"]) {
    assert.throws(() => decompressByScript(unhex(frame), 10), { code: "CODEC.CORRUPT_BATCH", message: /window/ });
    assert.throws(() => decompressBuffer("zstd", unhex(frame), 10), { code: "CODEC.CORRUPT_BATCH" });
  }
});

test("xxHash32 gives the known hashes", () => {
  const hash = (of: string) => xxHash32(text(of), 0, of.length).toString(16);
  assert.equal(hash(""), "2cc5d05");
  assert.equal(hash("a"), "550d7456");
  assert.equal(hash("abc"), "32d153ff");
  assert.equal(hash("Nobody inspects the spammish repetition"), "e2293b2f");
});

test("LZ4 frames have the header that Java writes", () => {
  assert.equal(hex(compressBuffer("lz4", undefined, new Uint8Array(0))), "04224d1860408200000000");
  // The last five bytes are literals, the match before them covers 34.
  assert.equal(
    hex(compressBuffer("lz4", undefined, new Uint8Array(40).fill(97))),
    "04224d186040820b0000001f6101000f" + "506161616161" + "00000000",
  );
});

/** A frame around blocks, with what the flags promise. */
function frame(flags: number, blockSizes: number, blocks: readonly Uint8Array[], bytes: Uint8Array): Uint8Array {
  const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
  const descriptor = [flags, blockSizes, ...((flags & 8) !== 0 ? [...word(bytes.length), 0, 0, 0, 0] : [])];
  const parts = [...word(0x184d2204), ...descriptor];
  parts.push((xxHash32(Uint8Array.from(descriptor), 0, descriptor.length) >>> 8) & 255);
  for (const block of blocks) {
    parts.push(...word(block.length), ...block);
    if ((flags & 16) !== 0) parts.push(...word(xxHash32(block, 0, block.length)));
  }
  parts.push(0, 0, 0, 0);
  if ((flags & 4) !== 0) parts.push(...word(xxHash32(bytes, 0, bytes.length)));
  return Uint8Array.from(parts);
}

/** 16 literals, then a match of 20 bytes, 16 bytes back, then 5 literals; the second block reaches back into the first. */
const FIRST = Uint8Array.of(0xff, 1, ...text("0123456789abcdef"), 16, 0, 1, 0x50, ...text("vwxyz"));
const SECOND = Uint8Array.of(0x0f, 41, 0, 2, 0x50, ...text("VWXYZ"));
const LINKED = text("0123456789abcdef0123456789abcdef0123vwxyz0123456789abcdef01234VWXYZ");

test("LZ4 frames of other writers: linked blocks, sizes, checksums", () => {
  for (const more of [0, 8, 16, 4, 28]) {
    for (const blockSizes of [0x40, 0x50, 0x60, 0x70]) {
      const linked = frame(0x40 | more, blockSizes, [FIRST, SECOND], LINKED);
      assert.deepEqual(decompressBuffer("lz4", linked, LINKED.length), LINKED, `flags ${more}`);
      const single = frame(0x60 | more, blockSizes, [FIRST], LINKED.subarray(0, 41));
      assert.deepEqual(decompressBuffer("lz4", single, 41), LINKED.slice(0, 41));
    }
  }
});

for (
  const [name, bytes, length] of [
    ["an independent block that reaches back into another", frame(0x60, 0x40, [FIRST, SECOND], LINKED), LINKED.length],
    ["a wrong block checksum", flip(frame(0x50, 0x40, [FIRST, SECOND], LINKED), -9), LINKED.length],
    ["a wrong content checksum", flip(frame(0x44, 0x40, [FIRST, SECOND], LINKED), -1), LINKED.length],
    ["a wrong header checksum", flip(frame(0x40, 0x40, [FIRST, SECOND], LINKED), 6), LINKED.length],
    ["a content size that is not the buffer's", frame(0x48, 0x40, [FIRST], LINKED), 41],
    ["a dictionary", frame(0x41, 0x40, [FIRST], LINKED), 41],
    ["an unknown version", frame(0x80, 0x40, [FIRST], LINKED), 41],
    ["blocks of an unknown size", frame(0x40, 0x30, [FIRST], LINKED), 41],
    ["bytes behind its end", Uint8Array.of(...frame(0x40, 0x40, [FIRST], LINKED), 0), 41],
    ["no end mark", frame(0x40, 0x40, [FIRST], LINKED).slice(0, -4), 41],
    ["a block beyond its end", frame(0x40, 0x40, [FIRST], LINKED).slice(0, -8), 41],
    ["a match before its start", frame(0x40, 0x40, [SECOND], LINKED), 26],
    ["a match at no distance", frame(0x40, 0x40, [Uint8Array.of(0x10, 97, 0, 0, 0x50, 1, 2, 3, 4, 5)], LINKED), 10],
    ["a block that ends in a match", frame(0x40, 0x40, [Uint8Array.of(0x10, 97, 1, 0)], LINKED), 5],
    ["a length that never ends", frame(0x40, 0x40, [Uint8Array.of(0xf0, 255, 255)], LINKED), 600],
    ["an empty block of content", frame(0x40, 0x40, [], LINKED), 1],
  ] as const
) {
  test(`an LZ4 frame with ${name} is refused`, () => {
    assert.throws(() => decompressBuffer("lz4", bytes, length), { code: "CODEC.CORRUPT_BATCH", message: /LZ4/ });
  });
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  return bytes;
}
