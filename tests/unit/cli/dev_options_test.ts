import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../mod.ts";
import { type DevWords, hostInUrl, readDevOptions } from "../../../src/cli/dev_options.ts";

const WORDS: DevWords = { port: "9123", host: "127.0.0.1" };

function read(words: Partial<DevWords>, users?: string) {
  return readDevOptions({ ...WORDS, ...words }, users === undefined ? {} : { SLUICE_DEV_USERS: users });
}

async function refusal(words: Partial<DevWords>, users?: string): Promise<string> {
  const error = await read(words, users).then(() => assert.fail("it was taken"), (error: unknown) => error);
  assert.ok(FlussError.is(error, "CLI.BAD_USAGE"), String(error));
  return error.message;
}

test("without more it serves from memory, for this machine alone", async () => {
  assert.deepEqual(await read({}), {
    address: "127.0.0.1",
    loopback: true,
    port: 9123,
    folder: undefined,
    users: [],
  });
});

test("users come from options and from the environment; passwords may have colons", async () => {
  const { users } = await read({ user: ["alice:a:b c"] }, " bob:b, carol:c ,");
  assert.deepEqual(users, [
    { name: "alice", password: "a:b c" },
    { name: "bob", password: "b" },
    { name: "carol", password: "c" },
  ]);
  assert.deepEqual((await read({}, "")).users, []);
});

test("users that make no sense are refused without showing them", async () => {
  for (const text of ["alice", "alice:", ":hunter2", " :hunter2"]) {
    assert.match(await refusal({ user: [text] }), /--user wants name:password/);
    assert.match(await refusal({}, text), /SLUICE_DEV_USERS wants name:password/);
    assert.ok(!(await refusal({ user: [text] })).includes("hunter2"));
  }
  assert.match(await refusal({ user: ["bob:x"] }, "bob:y"), /"bob" is given twice/);
});

test("ports leave room for all listeners", async () => {
  assert.equal((await read({ port: "0" })).port, 0);
  assert.equal((await read({ port: "65534" })).port, 65534);
  assert.equal((await read({ port: "65434", user: ["a:b"] })).port, 65434);
  for (const port of ["", "x", "-1", "1.5", "1e3", "65535", "999999"]) {
    assert.match(await refusal({ port }), /--port wants a number from 0 to 65534/);
  }
  assert.match(await refusal({ port: "65435", user: ["a:b"] }), /from 0 to 65434/);
});

test("addresses that other machines reach need users", async () => {
  for (const host of ["localhost", "127.0.0.5"]) assert.equal((await read({ host })).loopback, true, host);
  for (const host of ["::1", "[::1]"]) assert.equal((await read({ host })).address, "::1");
  for (const host of ["0.0.0.0", "::", "10.0.0.1"]) {
    assert.match(await refusal({ host }), /no users who could log in\. hint: set SLUICE_DEV_USERS/);
    assert.equal((await read({ host, user: ["a:b"] })).loopback, false, host);
  }
  assert.match(await refusal({ host: "" }), /no address of this machine/);
  assert.match(await refusal({ host: "two words" }), /no address of this machine/);
});

test("a folder is a path", async () => {
  assert.equal((await read({ data: "./data" })).folder, "./data");
  assert.match(await refusal({ data: "" }), /names no folder/);
  assert.match(await refusal({ data: "file:./data" }), /hint: write --data \.\/data$/);
  assert.match(await refusal({ data: "memory:" }), /leave it out/);
});

test("IPv6 addresses stand in brackets in URLs", () => {
  assert.deepEqual(["127.0.0.1", "::1"].map(hostInUrl), ["127.0.0.1", "[::1]"]);
});
