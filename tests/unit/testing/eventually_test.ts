import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../mod.ts";
import { eventually } from "../../../src/testing/mod.ts";
import { isCode } from "./is_code.ts";

test("it gives what came, whatever happened before", async () => {
  let attempts = 0;
  assert.equal(await eventually(() => ++attempts === 4 && "there"), "there");
  assert.equal(attempts, 4);
  const answers: unknown[] = [null, undefined, 0, 0n, "", new Error("not yet"), { found: true }];
  assert.deepEqual(
    await eventually(() => {
      const answer = answers.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as { found: boolean } | null);
    }),
    { found: true },
  );
  assert.equal(await eventually(() => true, { timeoutMs: 0 }), true);
});

test("it says why nothing came: the last value or error", async () => {
  const gave = async (value: unknown) => {
    const error = await eventually(() => value, { timeoutMs: 5 }).then(() => assert.fail(), (error: unknown) => error);
    assert.ok(FlussError.is(error, "TIMEOUT.TEST"), String(error));
    return error.message;
  };
  assert.match(await gave(0), /did not happen within 5 ms; the last attempt gave 0$/);
  assert.match(await gave(""), /the last attempt gave ""$/);
  assert.match(await gave(0n), /the last attempt gave 0n$/);
  assert.match(await gave(undefined), /the last attempt gave undefined$/);
  let count = 0;
  const cause = new Error("not yet");
  await assert.rejects(
    eventually(() => {
      count++;
      throw cause;
    }, { timeoutMs: 20 }),
    (error) => isCode("TIMEOUT.TEST", /the last attempt said: not yet/)(error) && (error as Error).cause === cause,
  );
  // It pauses, longer and longer.
  assert.ok(count >= 2 && count <= 8, `${count} attempts`);
});

test("it does not wait for an attempt that does not come back", async () => {
  await assert.rejects(
    eventually(() => new Promise(() => {}), { timeoutMs: 10 }),
    isCode("TIMEOUT.TEST", /within 10 ms; the last attempt did not come back/),
  );
  let attempts = 0;
  await assert.rejects(
    eventually(() => attempts++ === 0 ? 0 : new Promise(() => {}), { timeoutMs: 20 }),
    isCode("TIMEOUT.TEST", /the last attempt did not come back; the one before gave 0/),
  );
  // What fails when nobody waits any more is nobody's rejection.
  const late = Promise.withResolvers<boolean>();
  await assert.rejects(eventually(() => late.promise, { timeoutMs: 5 }), isCode("TIMEOUT.TEST"));
  late.reject(new Error("too late"));
  await new Promise((resolve) => setTimeout(resolve, 1));
});

test("a signal ends it with its own reason: before, during an attempt, and between attempts", async () => {
  const reason = new Error("over");
  let attempts = 0;
  await assert.rejects(
    eventually(() => {
      attempts++;
      return false;
    }, { signal: AbortSignal.abort(reason) }),
    reason,
  );
  assert.equal(attempts, 0);
  for (const check of [() => false, () => new Promise<boolean>(() => {})]) {
    const end = new AbortController();
    const started = performance.now();
    setTimeout(() => end.abort(reason), 15);
    await assert.rejects(eventually(check, { signal: end.signal }), reason);
    assert.ok(performance.now() - started < 1_000);
  }
});
