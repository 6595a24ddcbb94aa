import assert from "node:assert/strict";
import { test } from "node:test";
import { HIGH_WATER_BYTES, Outbox } from "../../../../src/client/transport/outbox.ts";

/** Takes everything out, `step` bytes at a time. */
function drain(outbox: Outbox, step: number): number[] {
  const taken: number[] = [];
  while (outbox.bytes > 0) {
    const part = outbox.first().subarray(0, step);
    taken.push(...part);
    outbox.took(part.length);
  }
  return taken;
}

test("Outbox gives bytes in order, whatever the socket takes at a time", () => {
  for (const step of [1, 2, 3, 7, 1000]) {
    const outbox = new Outbox();
    const expected: number[] = [];
    for (let i = 0; i < 200; i++) {
      const bytes = Uint8Array.from({ length: i % 5 }, (_, j) => i + j);
      outbox.push(bytes);
      expected.push(...bytes);
    }
    assert.equal(outbox.bytes, expected.length);
    assert.deepEqual(drain(outbox, step), expected);
    assert.equal(outbox.bytes, 0);
  }
});

test("Outbox joins chunks that lie side by side, but not the one a socket may be at work on", () => {
  const buffer = Uint8Array.from({ length: 100 }, (_, i) => i);
  const outbox = new Outbox();
  for (const [start, end] of [[0, 10], [10, 30], [30, 40], [50, 60]] as const) outbox.push(buffer.subarray(start, end));
  assert.deepEqual([...outbox.first()], [...buffer.subarray(0, 10)]);
  outbox.took(10);
  assert.deepEqual([...outbox.first()], [...buffer.subarray(10, 40)]);
  outbox.took(30);
  assert.deepEqual([...outbox.first()], [...buffer.subarray(50, 60)]);
});

test("Outbox.pressure() asks to wait above the high-water mark until half of it is left", async () => {
  const outbox = new Outbox();
  outbox.push(new Uint8Array(HIGH_WATER_BYTES));
  assert.equal(outbox.pressure(), undefined);
  outbox.push(new Uint8Array(1));
  const pressure = outbox.pressure();
  assert.ok(pressure instanceof Promise);
  let released = false;
  pressure.then(() => released = true);
  outbox.took(HIGH_WATER_BYTES / 2);
  await Promise.resolve();
  assert.equal(released, false);
  outbox.took(1);
  await pressure;

  outbox.push(new Uint8Array(HIGH_WATER_BYTES));
  const again = outbox.pressure();
  assert.ok(again instanceof Promise);
  outbox.clear();
  await again;
  assert.equal(outbox.bytes, 0);
});
