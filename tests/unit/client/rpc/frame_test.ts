import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FrameError,
  FrameReader,
  FrameWriter,
  readInt32,
  REQUEST_HEADER_BYTES,
} from "../../../../src/client/rpc/frame.ts";
import { responseFrame } from "../../../fake_server.ts";

/** Reads all chunks and copies what comes out; each chunk is overwritten afterwards, as runtimes may do. */
function readAll(chunks: readonly Uint8Array[], maxFrameBytes?: number): { frames: string[]; reader: FrameReader } {
  const frames: string[] = [];
  const reader = new FrameReader((bytes, start, end) => frames.push(hex(bytes.slice(start, end))), maxFrameBytes);
  for (const chunk of chunks) {
    const reused = chunk.slice();
    reader.push(reused);
    reused.fill(0xee);
  }
  return { frames, reader };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function concat(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const FRAMES = [
  bytesOf("000000110100000001080712086e6f207461626c65"),
  responseFrame(0, 7, new Uint8Array(0)),
  bytesOf("000000120208ffffffffffffffffff011204626f6f6d"),
  responseFrame(0, 0x7fffffff, Uint8Array.from({ length: 300 }, (_, i) => i)),
];
const EXPECTED = FRAMES.map((frame) => hex(frame.subarray(4)));

test("FrameReader.push() gives the same frames when the stream is cut at any two offsets", () => {
  const stream = concat(...FRAMES);
  for (let first = 0; first <= stream.length; first++) {
    for (const second of [first, first + 1, first + 3, first + 100, stream.length]) {
      const end = Math.min(second, stream.length);
      const chunks = [stream.subarray(0, first), stream.subarray(first, end), stream.subarray(end)];
      assert.deepEqual(readAll(chunks).frames, EXPECTED, `cut at ${first} and ${end}`);
    }
  }
});

test("FrameReader.push() gives the same frames byte by byte", () => {
  const stream = concat(...FRAMES);
  const { frames, reader } = readAll(Array.from(stream, (byte) => Uint8Array.of(byte)));
  assert.deepEqual(frames, EXPECTED);
  assert.equal(reader.partial, false);
});

test("FrameReader.push() hands out a frame within a chunk as a view, and one in pieces as a buffer of its own", () => {
  const seen: { bytes: Uint8Array; owned: boolean }[] = [];
  const reader = new FrameReader((bytes, _start, _end, owned) => seen.push({ bytes, owned }));
  const chunk = concat(FRAMES[0]!, FRAMES[1]!.subarray(0, 6));
  reader.push(chunk);
  assert.equal(reader.partial, true);
  reader.push(FRAMES[1]!.subarray(6));
  assert.equal(seen[0]!.bytes, chunk);
  assert.equal(seen[0]!.owned, false);
  assert.equal(seen[1]!.owned, true);
  assert.notEqual(seen[1]!.bytes.buffer, FRAMES[1]!.buffer);
});

test("FrameReader.push() gathers frames that are larger than what it believes at once", () => {
  const body = new Uint8Array(5_000_001);
  for (let i = 0; i < body.length; i++) body[i] = i * 31;
  const frame = responseFrame(0, 3, body);
  let got: Uint8Array | undefined;
  const reader = new FrameReader((bytes, start, end) => got = bytes.slice(start + 5, end));
  for (let at = 0; at < frame.length; at += 65_536) reader.push(frame.subarray(at, at + 65_536));
  assert.ok(got !== undefined);
  assert.equal(Buffer.compare(got, body), 0);
});

test("FrameReader.push() refuses lengths that cannot be", () => {
  for (const length of [0, -1, -0x80000000, 1001, 0x7fffffff, 0x48545450]) {
    const head = new Uint8Array(5);
    new DataView(head.buffer).setInt32(0, length);
    assert.throws(() => readAll([head], 1000), FrameError, `length ${length}`);
  }
  assert.equal(readAll([concat(Uint8Array.of(0, 0, 3, 232), new Uint8Array(1000))], 1000).frames.length, 1);
});

test("FrameReader.push() does not allocate what a length merely claims", () => {
  const before = process.memoryUsage();
  const readers = Array.from({ length: 100 }, () => {
    const { reader } = readAll([Uint8Array.of(0x0f, 0xff, 0xff, 0xff, 0, 0)]);
    assert.equal(reader.partial, true);
    return reader;
  });
  const after = process.memoryUsage();
  const grown = after.arrayBuffers + after.external - before.arrayBuffers - before.external;
  // 100 claims of 256 MB would be 25 GB.
  assert.ok(grown < 500e6, `${readers.length} readers hold ${grown} bytes`);
});

test("FrameReader.stop() drops the rest of the chunk that is being read", () => {
  let count = 0;
  const reader = new FrameReader(() => {
    count++;
    reader.stop();
  });
  reader.push(concat(...FRAMES));
  reader.push(concat(...FRAMES));
  assert.equal(count, 1);
});

test("FrameWriter writes the recorded request frames", () => {
  const cases = [
    ["0000001903e80000000000010a08666c7573732d74731205302e312e30", 1000, 1],
    ["0000001103ef0000000000020a070a026462120174", 1007, 2],
    ["0000001a040e0000000000030a05504c41494e1209006775657374007077", 1038, 3],
  ] as const;
  for (const headroom of [false, true]) {
    for (const [expected, apiKey, id] of cases) {
      const writes: Uint8Array[] = [];
      const writer = new FrameWriter((bytes) => void writes.push(bytes));
      const message = bytesOf(expected).subarray(REQUEST_HEADER_BYTES);
      const body = headroom ? concat(new Uint8Array(REQUEST_HEADER_BYTES), message) : message;
      writer.add(apiKey, 0, id, body, headroom);
      assert.equal(writes.length, 0);
      writer.flush();
      assert.deepEqual(writes.map(hex), [expected]);
    }
  }
});

test("FrameWriter gathers small frames into one write and never writes over what it gave away", () => {
  const writes: Uint8Array[] = [];
  const writer = new FrameWriter((bytes) => void writes.push(bytes));
  const copies: string[] = [];
  let id = 0;
  for (let tick = 0; tick < 200; tick++) {
    for (let i = 0; i < 5; i++) writer.add(1012, 0, id++, new Uint8Array(100).fill(tick), false);
    writer.flush();
    while (copies.length < writes.length) copies.push(hex(writes[copies.length]!));
  }
  // 1000 frames of 112 bytes fill more than one buffer; apart from the changes of buffer each tick is one write.
  assert.ok(writes.length >= 200 && writes.length <= 202, `${writes.length} writes`);
  assert.deepEqual(writes.map(hex), copies);
  const frames = readAll(writes).frames;
  assert.equal(frames.length, 1000);
  frames.forEach((frame, i) => assert.equal(readInt32(bytesOf(frame), 4), i));
});

test("FrameWriter sends a large body at once, in order, and without a copy", () => {
  for (const headroom of [false, true]) {
    const writes: Uint8Array[] = [];
    const writer = new FrameWriter((bytes) => void writes.push(bytes));
    const large = new Uint8Array(20_000).fill(7);
    writer.add(1012, 0, 1, new Uint8Array(3), false);
    writer.add(1016, 1, 2, large, headroom);
    writer.add(1012, 0, 3, new Uint8Array(3), false);
    assert.equal(writes.length, 2, "small frames and header, then the body");
    assert.equal(writes[1], large);
    writer.flush();
    const frames = readAll(writes).frames.map(bytesOf);
    assert.deepEqual(frames.map((frame) => readInt32(frame, 4)), [1, 2, 3]);
    assert.equal(frames[1]!.length, headroom ? 20_000 - 4 : 20_000 + 8);
  }
});

test("FrameWriter hands on that the sink wants to wait", async () => {
  const wait = Promise.resolve();
  const writer = new FrameWriter(() => wait);
  assert.equal(writer.add(1012, 0, 1, new Uint8Array(3), false), undefined);
  assert.equal(writer.flush(), wait);
  assert.equal(writer.add(1012, 0, 1, new Uint8Array(30_000), false), wait);
  await wait;
});
