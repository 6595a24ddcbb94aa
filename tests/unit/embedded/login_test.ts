import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerFault } from "../../../src/embedded/fault.ts";
import { Login } from "../../../src/embedded/login.ts";

const USERS = [{ name: "alice", password: "a secret" }, { name: "bob", password: "bob-secret" }];

const token = (...parts: string[]) => new TextEncoder().encode(parts.join("\0"));

function refusal(login: Login, protocol: string, bytes: Uint8Array, code = 46): string {
  try {
    login.authenticate(protocol, bytes);
  } catch (error) {
    assert.ok(error instanceof ServerFault);
    assert.equal(error.code, code);
    return error.message;
  }
  assert.fail("it was let in");
}

test("where there are no users everybody is in, as ANONYMOUS", () => {
  const login = new Login([]);
  assert.deepEqual(login.principal, { name: "ANONYMOUS", type: "User" });
  assert.equal(login.authenticate("plaintext", token("")), undefined);
  assert.equal(
    refusal(login, "PLAIN", token("", "alice", "a secret")),
    "Authenticate protocol not match: protocol of server is 'PLAINTEXT' while protocol of client is 'PLAIN'",
  );
});

test("a user is in with the right password, once and for all", () => {
  const login = new Login(USERS);
  assert.deepEqual([login.principal], [undefined]);
  assert.deepEqual(login.authenticate("PLAIN", token("", "alice", "a secret")), new Uint8Array(0));
  assert.deepEqual(login.principal, { name: "alice", type: "User" });
  assert.equal(login.authenticate("plain", token("", "bob", "bob-secret")), undefined);
  assert.equal(login.principal?.name, "alice");
  const other = new Login(USERS);
  other.authenticate("PLAIN", token("bob", "bob", "bob-secret"));
  assert.equal(other.principal?.name, "bob");
});

test("nobody else is in, and is told why as 0.9.1 does", () => {
  const failed = "Authentication failed: ";
  const cases: [string, Uint8Array, string][] = [
    ["GSSAPI", token("", "alice", "a secret"), "SASL server enables [PLAIN] while protocol of client is 'GSSAPI'"],
    ["PLAIN", token("", "alice", "wrong"), `${failed}Invalid username or password`],
    ["PLAIN", token("", "carol", "a secret"), `${failed}Invalid username or password`],
    ["PLAIN", token("", "alice", "bob-secret"), `${failed}Invalid username or password`],
    ["PLAIN", token("", "", "a secret"), `${failed}username not specified`],
    ["PLAIN", token("", "alice", ""), `${failed}password not specified`],
    [
      "PLAIN",
      token("bob", "alice", "a secret"),
      `${failed}Client requested an authorization id that is different from username`,
    ],
    ["PLAIN", token("alice", "a secret"), "Invalid SASL/PLAIN response: expected 3 tokens, got 2"],
    ["PLAIN", token(""), "Invalid SASL/PLAIN response: expected 3 tokens, got 1"],
    ["PLAIN", token("a", "b", "c", "d", "e"), "Invalid SASL/PLAIN response: expected 3 tokens, got 4"],
    ["PLAIN", Uint8Array.of(0, 0xff, 0, 0xfe), `${failed}Invalid username or password`],
  ];
  const login = new Login(USERS);
  for (const [protocol, bytes, said] of cases) {
    const words = refusal(login, protocol, bytes);
    assert.equal(words, said);
    for (const { password } of USERS) assert.ok(!words.includes(password));
    assert.equal(login.principal, undefined);
  }
  // One that failed may try again.
  login.authenticate("PLAIN", token("", "alice", "a secret"));
  assert.equal(login.principal?.name, "alice");
});

test("a login that begins with the mechanism in another case fails, as it does on 0.9.1", () => {
  const login = new Login(USERS);
  for (const name of ["plain", "Plain"]) {
    assert.equal(
      refusal(login, name, token("", "alice", "a secret"), -1),
      `java.lang.RuntimeException: java.lang.IllegalArgumentException: Unsupported mechanism: ${name}`,
    );
    assert.equal(login.principal, undefined);
  }
  refusal(login, "PLAIN", token("", "alice", "wrong"));
  // The server has its mechanism by now.
  assert.deepEqual(login.authenticate("plain", token("", "alice", "a secret")), new Uint8Array(0));
  assert.equal(login.principal?.name, "alice");
});

test("names and passwords are compared whole", () => {
  const users = [{ name: "a", password: "aa" }, { name: "aa", password: "a" }, { name: "empty", password: "" }];
  const isIn = (name: string, password: string): boolean => {
    try {
      new Login(users).authenticate("PLAIN", token("", name, password));
      return true;
    } catch {
      return false;
    }
  };
  assert.ok(isIn("a", "aa"));
  assert.ok(isIn("aa", "a"));
  // What repeats, begins or goes on beyond the right one is another one.
  for (
    const [name, password] of [["a", "a"], ["a", "aaa"], ["a", "aaaa"], ["aa", "aa"], ["aaa", "a"], ["empty", "a"]]
  ) {
    assert.ok(!isIn(name!, password!), `${name} ${password}`);
  }
});
