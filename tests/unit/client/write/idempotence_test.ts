import assert from "node:assert/strict";
import { test } from "node:test";
import { flussError, serverError } from "../../../../src/base/errors.ts";
import { type BatchStanding, decide, type Decision, nextSequence } from "../../../../src/client/write/idempotence.ts";

const standing: BatchStanding = {
  sequence: 5,
  lastAcked: 4,
  sequenceMoved: false,
  sentBefore: false,
  writerIdChanged: false,
};

// The decision table: wire code, how the batch stands, what to do.
const rows: [string, number, Partial<BatchStanding>, Decision][] = [
  ["a duplicate is written", 32, {}, "written"],
  ["out of order, but acknowledged already", 31, { lastAcked: 5 }, "written"],
  ["out of order behind a batch that is missing", 31, { lastAcked: 3 }, "retry"],
  ["out of order after its sequence moved", 31, { sequenceMoved: true }, "retry"],
  ["out of order although it is next", 31, {}, "failAndReset"],
  ["out of order before anything was acknowledged", 31, { sequence: 0, lastAcked: -1 }, "failAndReset"],
  ["out of order under an old writer id", 31, { writerIdChanged: true }, "failUnknownWriter"],
  ["an unknown writer", 33, {}, "failAndReset"],
  ["an unknown writer after its sequence moved", 33, { sequenceMoved: true }, "retry"],
  ["an unknown writer under an old writer id", 33, { writerIdChanged: true }, "failUnknownWriter"],
  ["a retriable error", 12, {}, "retry"],
  ["a retriable error under an old writer id", 12, { writerIdChanged: true }, "failUnknownWriter"],
  ["a fatal error", 48, {}, "fail"],
  ["a fatal error on the second attempt", 48, { sentBefore: true }, "failAndReset"],
  ["a fatal error on the second attempt without idempotence", 48, { sentBefore: true, sequence: -1 }, "fail"],
  ["a fatal error under an old writer id", 48, { writerIdChanged: true }, "fail"],
  ["a retriable error without idempotence", 12, { sequence: -1 }, "retry"],
  ["out of order without idempotence", 31, { sequence: -1 }, "fail"],
  ["out of order right after the wrap of sequences", 31, { sequence: 0, lastAcked: 0x7fffffff }, "failAndReset"],
  ["out of order across the wrap, acknowledged already", 31, { sequence: 0x7fffffff, lastAcked: 0 }, "written"],
];
for (const [name, code, change, expected] of rows) {
  test(`decide(): ${name}`, () => {
    assert.equal(decide(serverError(code, undefined, { doing: "writing" }), { ...standing, ...change }), expected);
  });
}

test("decide(): an answer that cannot be read leaves open whether the batch is written", () => {
  const error = flussError("CONNECTION.PROTOCOL", { message: "x" });
  assert.equal(decide(error, standing), "failAndReset");
  assert.equal(decide(error, { ...standing, sequence: -1 }), "fail");
});

test("nextSequence() goes from the largest int32 to 0", () => {
  assert.equal(nextSequence(-1), 0);
  assert.equal(nextSequence(7), 8);
  assert.equal(nextSequence(0x7fffffff), 0);
});
