import assert from "node:assert/strict";
import { test } from "node:test";
import { listenForStop } from "../../../src/cli/stop.ts";
import { fakeIo } from "./fake_io.ts";

test("the first signal asks, a later one ends the process at once", async () => {
  const io = fakeIo();
  let now = 0;
  const stop = listenForStop(io, () => now);
  now = 1000;
  io.signal("SIGTERM");
  assert.equal(await stop.asked, "SIGTERM");
  // The same Ctrl-C once more, from a task runner.
  now = 1100;
  io.signal("SIGINT");
  assert.deepEqual(io.exits, []);
  now = 1500;
  io.signal("SIGINT");
  assert.deepEqual(io.exits, [130]);
});

test("after its end it listens no more", () => {
  const io = fakeIo();
  let now = 0;
  {
    using _stop = listenForStop(io, () => now);
    io.signal("SIGINT");
  }
  now = 1000;
  io.signal("SIGTERM");
  assert.deepEqual(io.exits, []);
});
