import assert from "node:assert/strict";
import { test } from "node:test";
import { requestJson, requestText } from "../../../src/cli/request_log.ts";
import { fault } from "../../../src/embedded/fault.ts";

const AT = new Date("2026-01-02T03:04:05.678Z");

test("a request is told in a line", () => {
  const line = { apiKey: 1001, apiVersion: 0, user: "alice", ms: 1.25, bytes: 33 };
  assert.match(requestText(line, AT), /^03:04:05\.678 [A-Z_]+ alice 33 B 1\.[23] ms$/);
  const { time, request, ...rest } = JSON.parse(requestJson(line, AT));
  assert.equal(time, AT.toISOString());
  assert.match(request, /^[A-Z_]+$/);
  assert.deepEqual(rest, { version: 0, user: "alice", bytes: 33, ms: 1.25 });
});

test("a fault is told with its code, and nothing in it moves the cursor", () => {
  const error = fault("SERVER.TABLE_NOT_EXIST", "no table \u001b[2J\u202eevil\nsecond line");
  const line = { apiKey: 32000, apiVersion: 0, user: "", ms: 12.4, bytes: 0, error };
  assert.equal(
    requestText(line, AT),
    "03:04:05.678 REQUEST_32000 - 0 B 12 ms SERVER.TABLE_NOT_EXIST: no table \\u001b[2J\\u202eevil",
  );
  assert.deepEqual(JSON.parse(requestJson(line, AT)).error, {
    code: "SERVER.TABLE_NOT_EXIST",
    message: error.message,
  });
});
