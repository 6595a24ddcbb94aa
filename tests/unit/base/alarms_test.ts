import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../src/base/alarms.ts";

/** Resolves when an alarm set for `ms` rings, with the time that passed. */
function ring(alarms: Alarms, ms: number): Promise<number> {
  const start = performance.now();
  return new Promise((resolve) => alarms.set(ms, () => resolve(performance.now() - start)));
}

test("Alarms.set() never rings early", async () => {
  const alarms = new Alarms();
  const asked = [0, 1, 7, 8, 9, 20, 33];
  const waited = await Promise.all(asked.map((ms) => ring(alarms, ms)));
  // Timers of the runtimes may be a millisecond short of what performance.now() says.
  for (let i = 0; i < asked.length; i++) {
    assert.ok(waited[i]! >= asked[i]! - 1.1, `${asked[i]} ms rang after ${waited[i]} ms`);
  }
  assert.equal(alarms.size, 0);
});

test("Alarms.set() rings in the order of time, whatever the order of calls", async () => {
  const alarms = new Alarms();
  const rang: number[] = [];
  await Promise.all([60, 20, 40].map((ms) => ring(alarms, ms).then(() => rang.push(ms))));
  assert.deepEqual(rang, [20, 40, 60]);
});

test("Alarms.clear() calls an alarm off, and twice is no mistake", async () => {
  const alarms = new Alarms();
  const off = alarms.set(5, () => assert.fail("rang"));
  alarms.clear(off);
  alarms.clear(off);
  assert.equal(alarms.size, 0);
  await ring(alarms, 30);
});

test("an alarm may set another while it rings", async () => {
  const alarms = new Alarms();
  await new Promise<void>((resolve) => alarms.set(1, () => alarms.set(1, resolve)));
  assert.equal(alarms.size, 0);
});
