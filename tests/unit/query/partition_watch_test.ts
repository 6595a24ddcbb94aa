import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alarm, Alarms } from "../../../src/base/alarms.ts";
import { PartitionWatch } from "../../../src/query/partition_watch.ts";

test("an alarm that rings early is set again, so that a reader who waits is not left waiting", async () => {
  const rings: (() => void)[] = [];
  const alarms = {
    set: (_ms: number, ring: () => void) => {
      rings.push(ring);
      return {} as Alarm;
    },
    clear: () => {},
  } as unknown as Alarms;
  let looks = 0;
  const watch = new PartitionWatch({
    alarms,
    everyMs: 30,
    look: () => {
      looks++;
      return Promise.resolve();
    },
  });
  watch.wait();
  rings.shift()!();
  assert.deepEqual([looks, rings.length], [0, 1]);
  await new Promise((resolve) => setTimeout(resolve, 40));
  rings.shift()!();
  assert.equal(looks, 1);
  watch.close();
});
