import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alarm, Alarms } from "../../../src/base/alarms.ts";
import { PartitionWatch } from "../../../src/query/partition_watch.ts";

test("an alarm that rings early is as good as one in time, so that a reader who waits is not left waiting", async () => {
  const rings: (() => void)[] = [];
  const alarms = {
    set: (_ms: number, ring: () => void) => {
      rings.push(ring);
      return {} as Alarm;
    },
    clear: () => {},
  } as unknown as Alarms;
  const looks: (() => void)[] = [];
  const watch = new PartitionWatch({
    alarms,
    everyMs: 1_000_000,
    look: () => new Promise((resolve) => looks.push(resolve)),
  });
  watch.wait();
  rings.shift()!();
  assert.deepEqual([looks.length, rings.length], [1, 0]);
  looks.shift()!();
  await new Promise(setImmediate);
  assert.equal(rings.length, 1, "the next look is to come");
  rings.shift()!();
  assert.equal(looks.length, 1);
  watch.close();
});
