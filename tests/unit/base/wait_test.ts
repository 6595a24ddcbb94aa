import assert from "node:assert/strict";
import { test } from "node:test";
import { Alarms } from "../../../src/base/alarms.ts";
import { FlussError } from "../../../src/base/errors.ts";
import { backOffMs, Deadline } from "../../../src/base/wait.ts";

const never = new Promise<never>(() => {});

test("Deadline.wait() gives what the promise gives and leaves no alarm", async () => {
  const alarms = new Alarms();
  assert.equal(await new Deadline(alarms, 1000).wait(Promise.resolve(7), "x"), 7);
  await assert.rejects(new Deadline(alarms, 1000).wait(Promise.reject(new Error("no")), "x"), /no/);
  assert.equal(alarms.size, 0);
});

test("Deadline.wait() ends with TIMEOUT.REQUEST that names what was waited for", async () => {
  await assert.rejects(new Deadline(new Alarms(), 10).wait(never, "the moon"), (error) => {
    assert.ok(FlussError.is(error, "TIMEOUT.REQUEST"));
    assert.match(error.message, /the moon did not finish within 10 ms/);
    return true;
  });
});

test("Deadline.wait() and pause() end with the signal's own reason", async () => {
  const reason = new Error("enough");
  for (const early of [true, false]) {
    for (const way of ["wait", "pause"] as const) {
      const control = new AbortController();
      const alarms = new Alarms();
      const deadline = new Deadline(alarms, 10_000, control.signal);
      if (early) control.abort(reason);
      const waiting = way === "wait" ? deadline.wait(never, "x") : deadline.pause(10_000, "x");
      if (!early) control.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
      assert.equal(alarms.size, 0);
    }
  }
});

test("a promise that fails after a wait that was over before it began is nobody's unhandled rejection", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  await assert.rejects(new Deadline(new Alarms(), 1000, AbortSignal.abort()).wait(promise, "x"), {
    name: "AbortError",
  });
  reject(new Error("too late"));
  // Runtimes look for these when a turn ends.
  await new Promise((resolve) => setTimeout(resolve));
});

test("Deadline.pause() lasts no longer than the deadline, and names the last failure", async () => {
  const deadline = new Deadline(new Alarms(), 15);
  await assert.rejects(deadline.pause(60_000, "asking", new Error("server 3 is down")), /server 3 is down/);
});

test("backOffMs() grows, is bounded and never the same for all", () => {
  for (let attempt = 1; attempt < 100; attempt++) {
    const ms = backOffMs(attempt);
    assert.ok(ms >= 10 && ms <= 1000, `${attempt}: ${ms}`);
  }
  assert.ok(new Set(Array.from({ length: 20 }, () => backOffMs(5))).size > 1);
});
