import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../../src/testing/clock.ts";
import { isCode } from "./is_code.ts";

/** What the clock shows, beside the time of the machine. */
const ahead = (clock: ServerClock) => Math.round((clock.now() - Date.now()) / 1000);

test("a clock runs on by itself, and rings", async () => {
  const clock = new ServerClock();
  assert.equal(ahead(clock), 0);
  const { promise, resolve } = Promise.withResolvers<void>();
  clock.set(5, resolve);
  assert.equal(clock.size, 1);
  await promise;
  assert.equal(clock.size, 0);
});

test("a clock is moved by milliseconds, by durations, and by their parts", () => {
  const clock = new ServerClock();
  clock.advance(90_000);
  assert.equal(ahead(clock), 90);
  clock.advance("PT1H");
  assert.equal(ahead(clock), 3690);
  clock.advance("P8D");
  assert.equal(ahead(clock), 3690 + 8 * 86_400);
  clock.advance({ days: 2, hours: 1 });
  assert.equal(ahead(clock), 3690 + 10 * 86_400 + 3600);
  clock.advance(Temporal.Duration.from({ minutes: 1 }));
  assert.equal(ahead(clock), 3690 + 10 * 86_400 + 3660);
  clock.advance(0);
  assert.equal(ahead(clock), 3690 + 10 * 86_400 + 3660);
});

test("months are those of the clock", () => {
  const clock = new ServerClock();
  const day = () => Temporal.Instant.fromEpochMilliseconds(clock.now()).toZonedDateTimeISO("UTC").toPlainDate();
  for (let month = 0; month < 12; month++) {
    const before = day();
    clock.advance("P1M");
    assert.equal(day().toString(), before.add({ months: 1 }).toString());
  }
});

test("what was set rings in order, each at its own time, and what it sets in turn rings as well", () => {
  const clock = new ServerClock();
  const rung: [string, number][] = [];
  const ring = (name: string, then?: () => void) => () => {
    rung.push([name, ahead(clock)]);
    then?.();
  };
  clock.set(30_000, ring("30"));
  clock.set(10_000, ring("10", () => clock.set(10_000, ring("10+10"))));
  clock.set(10_000, ring("10, too"));
  const later = clock.set(40_000, ring("40"));
  const off = clock.set(5_000, ring("off"));
  clock.clear(off);
  clock.clear(off);
  clock.advance(30_000);
  assert.deepEqual(rung, [["10", 10], ["10, too", 10], ["10+10", 20], ["30", 30]]);
  assert.equal(clock.size, 1);
  clock.clear(later);
  assert.equal(clock.size, 0);
});

test("nothing leads back, and what is no duration is refused", () => {
  const clock = new ServerClock();
  for (const by of [-1, NaN, Infinity, "soon", "-P1D", "", { days: -1 }, {}, { dais: 1 }, null, 1n]) {
    assert.throws(() => clock.advance(by as number), isCode("TEST.BAD_OPTION", /"P8D"/), String(by));
  }
  assert.equal(ahead(clock), 0);
});
