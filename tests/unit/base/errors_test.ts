import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import { type ErrorCode, ERRORS } from "../../../src/base/error_table.ts";
import {
  FlussError,
  flussError,
  FlussServerError,
  FlussUsageError,
  isStaleMetadata,
  serverError,
} from "../../../src/base/errors.ts";

test("a message has code, table, what happened and the next step", () => {
  const error = flussError("SCHEMA.DRIFT", {
    table: "shop.orders",
    message: 'live table has no column "email"',
    hint: "look",
  });
  assert.equal(error.message, 'SCHEMA.DRIFT shop.orders: live table has no column "email". hint: look');
  assert.equal(error.name, "FlussUsageError");
  assert.ok(error instanceof FlussUsageError && error instanceof Error);
  assert.equal(error.table, "shop.orders");
});

test("details that are unknown are no properties", () => {
  assert.deepEqual(Object.keys(flussError("TIMEOUT.REQUEST", { message: "x" })).sort(), ["code", "name", "retriable"]);
});

test("FlussError.is() narrows by code, and works for a copy of the class", () => {
  const error: unknown = flussError("WRITE.QUEUE_FULL", { message: "x" });
  assert.ok(FlussError.is(error));
  assert.ok(FlussError.is(error, "WRITE.QUEUE_FULL"));
  assert.ok(!FlussError.is(error, "WRITE.FAILED"));
  assert.ok(!FlussError.is(new Error("x")));
  assert.ok(!FlussError.is(null));
  // Another copy of the package shares nothing with this one but the registered symbol.
  const copy = Object.assign(new Error("x"), { code: "WRITE.FAILED", [Symbol.for("sluice.FlussError")]: true });
  assert.ok(FlussError.is(copy, "WRITE.FAILED"));
});

test("wire codes become our codes; unknown ones keep their number", () => {
  const known = serverError(12, "", { doing: "looking up", table: "a.b", bucket: 3 });
  assert.equal(known.code, "SERVER.NOT_LEADER_OR_FOLLOWER");
  assert.ok(known.retriable && isStaleMetadata(known));
  const unknown = serverError(9999, "what\nat java.lang", { doing: "writing" });
  assert.equal(unknown.code, "SERVER.UNKNOWN_SERVER_ERROR");
  assert.equal(unknown.serverCode, 9999);
  assert.equal(unknown.serverMessage, "what\nat java.lang");
  assert.match(unknown.message, /writing failed: what$/);
  assert.ok(!unknown.retriable);
});

test("every code of the table makes an error of its class", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const error = flussError(code, { message: "m" });
    assert.equal(error.code, code);
    assert.equal(error instanceof FlussServerError, code.startsWith("SERVER."), code);
    assert.match(code, /^[A-Z]+\.[A-Z_]+$/);
    assert.ok(inspect(error).includes(code));
  }
});

test("the wire codes are those of the protocol, each once", () => {
  const codes = Object.values(ERRORS).flatMap((entry) => entry.serverCode === undefined ? [] : [entry.serverCode]);
  assert.deepEqual(codes, [-1, ...Array.from({ length: 73 }, (_, i) => i + 1)]);
});
