import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStream } from "../../../../src/client/transport/memory.ts";
import { HIGH_WATER_BYTES } from "../../../../src/client/transport/outbox.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

test("what one end writes arrives at the other, in order and in a later turn", async () => {
  const [one, other] = memoryStream();
  const arrived: number[] = [];
  other.onData = (chunk) => arrived.push(...chunk);
  one.write(Uint8Array.of(1, 2));
  one.write(Uint8Array.of(3));
  await Promise.resolve();
  assert.deepEqual(arrived, []);
  await turn();
  assert.deepEqual(arrived, [1, 2, 3]);
  const back: number[] = [];
  one.onData = (chunk) => back.push(...chunk);
  other.write(Uint8Array.of(4));
  await turn();
  assert.deepEqual(back, [4]);
});

test("nothing arrives while the reader is paused, and the writer is asked to wait", async () => {
  const [one, other] = memoryStream();
  let arrived = 0;
  other.onData = (chunk) => arrived += chunk.length;
  other.pause();
  assert.equal(one.write(new Uint8Array(HIGH_WATER_BYTES)), undefined);
  const room = one.write(new Uint8Array(1));
  assert.ok(room instanceof Promise);
  await turn();
  assert.equal(arrived, 0);
  other.resume();
  await room;
  assert.equal(arrived, HIGH_WATER_BYTES + 1);
});

test("a reader that pauses in the middle gets no more in that turn", async () => {
  const [one, other] = memoryStream();
  let chunks = 0;
  other.onData = () => {
    chunks++;
    other.pause();
  };
  one.write(new Uint8Array(10));
  one.write(new Uint8Array(10));
  await turn();
  assert.equal(chunks, 1);
  other.resume();
  await turn();
  assert.equal(chunks, 2);
});

test("closing one end ends the other once, and neither says more", async () => {
  const [one, other] = memoryStream();
  let ends = 0;
  other.onClose = () => ends++;
  one.onClose = () => ends += 100;
  other.onData = () => assert.fail("it was closed before it arrived");
  one.write(Uint8Array.of(1));
  one.close();
  one.close();
  assert.equal(one.closed, true);
  await turn();
  assert.deepEqual([ends, other.closed], [1, true]);
  other.write(Uint8Array.of(1));
  other.close();
  await turn();
  assert.equal(ends, 1);
});

test("a writer that waits for room is let go when the stream ends", async () => {
  const [one, other] = memoryStream();
  other.pause();
  const room = one.write(new Uint8Array(HIGH_WATER_BYTES + 1));
  other.close();
  await room;
  assert.equal(one.closed, true);
});
