import assert from "node:assert/strict";
import { test } from "node:test";
import { FlussError } from "../../../src/base/errors.ts";
import { readOptions } from "../../../src/query/options.ts";
import { parseUrl, redactUrl } from "../../../src/query/url.ts";

test("parseUrl() reads hosts, default port, IPv6, user and options", () => {
  const url = parseUrl("fluss://ada:p%40ss@a:1,b,[::1]:3?database=shop&writer.acks=1");
  assert.deepEqual(url.bootstrap, [{ host: "a", port: 1 }, { host: "b", port: 9123 }, { host: "::1", port: 3 }]);
  assert.equal(url.username, "ada");
  assert.equal(url.password, "p@ss");
  assert.deepEqual([...url.parameters], [["database", "shop"], ["writer.acks", "1"]]);
  assert.ok(!url.tls && parseUrl("fluss+tls://a").tls);
});

const bad: [string, RegExp][] = [
  ["", /not of the form/],
  ["localhost:9123", /no scheme|not of the form/],
  ["http://a:1", /"http:" is no scheme/],
  ["fluss://", /names no host/],
  ["fluss://a:0", /0 is no port/],
  ["fluss://a:70000", /70000 is no port/],
  ["fluss://a:x", /not host:port/],
  ["fluss://::1:9", /not host:port/],
  ["fluss://a?database=x&database=y", /twice/],
  ["fluss://u:p%zz@a", /% that begins no escape/],
  ["memory:a/b", /letters, digits/],
  ["memory:?x=1&x=2", /"x" twice/],
  ["file:", /names no folder/],
  ["file:?database=x", /names no folder/],
  ["file://host/data", /names a host/],
];
for (const [url, message] of bad) {
  test(`parseUrl() refuses ${JSON.stringify(url)}`, () => {
    assert.throws(() => parseUrl(url), (error) => {
      assert.ok(FlussError.is(error, "CONNECTION.BAD_URL"));
      assert.match(error.message, message);
      return true;
    });
  });
}

test("parseUrl() reads memory: and file:", () => {
  const placeOf = (url: string) => parseUrl(url).embedded;
  assert.deepEqual(placeOf("memory:"), { kind: "memory", name: undefined });
  assert.deepEqual(placeOf("memory:shop-1"), { kind: "memory", name: "shop-1" });
  assert.deepEqual(placeOf("MEMORY:?database=x"), { kind: "memory", name: undefined });
  assert.deepEqual(placeOf("file:./data"), { kind: "file", folder: "./data" });
  assert.deepEqual(placeOf("file:data?database=x"), { kind: "file", folder: "data" });
  assert.deepEqual(placeOf("file:///var/my%20data"), { kind: "file", folder: "/var/my data" });
  assert.deepEqual(placeOf("file:/var/data"), { kind: "file", folder: "/var/data" });
  assert.equal(placeOf("fluss://a"), undefined);
  assert.equal(readOptions("file:data?database=x").database, "x");
  assert.throws(() => readOptions("memory:", { username: "u", password: "p" }), /takes no login/);
});

test("no message about a URL shows its password", () => {
  assert.equal(redactUrl("fluss://u:secret@a?password=secret&x=1"), "fluss://***@a?password=***&x=1");
  for (const url of ["http://u:secret@a", "fluss://u:secret@a:x", "fluss://u:secret@?password=secret"]) {
    assert.throws(() => parseUrl(url), (error) => !(error as Error).message.includes("secret"));
  }
});

test("readOptions() fills in defaults, takes options from the URL, and lets the object win", () => {
  const { client, database } = readOptions("fluss://a?database=x&writer.acks=1&writer.lingerMs=9&requestTimeoutMs=77", {
    database: "y",
    writer: { lingerMs: 3 },
  });
  assert.equal(database, "y");
  assert.equal(client.requestTimeoutMs, 77);
  assert.deepEqual(client.writer, {
    batchBytes: 1 << 20,
    lingerMs: 3,
    maxBytes: 64 << 20,
    deliveryTimeoutMs: 120_000,
    idempotent: false,
    keylessBuckets: "sticky",
    acks: 1,
  });
  assert.equal(readOptions("fluss://a").client.writer.idempotent, true);
  assert.deepEqual(readOptions("fluss://a?scanner.checkCrc=false&scanner.maxWaitMs=1").client.scanner, {
    fetchMaxBytes: 16 << 20,
    bucketMaxBytes: 4 << 20,
    maxWaitMs: 1,
    aheadBytes: 32 << 20,
    fullScanRows: 100_000,
    checkCrc: false,
    remote: { roots: [], s3: {} },
  });
});

const wrong: [object, RegExp][] = [
  [{ databse: "x" }, /no option "databse"/],
  [{ writer: { acks: 2 } }, /writer.acks must be one of "all", 0, 1/],
  [{ writer: { batchBytes: -1 } }, /writer.batchBytes must be a number of at least 128, not -1/],
  [{ writer: { lingerMs: NaN } }, /writer.lingerMs/],
  [{ writer: 3 }, /writer must be an object/],
  [{ writer: { acks: 1, idempotent: true } }, /needs writer.acks "all"/],
  [{ writer: { batchBytes: 2048, maxBytes: 1024 } }, /above writer.maxBytes/],
  [{ scanner: { aheadBytes: 0 } }, /scanner.aheadBytes must be a number of at least 1024, not 0/],
  [{ scanner: { maxWaitMs: 0 } }, /scanner.maxWaitMs must be a number of at least 1, not 0/],
  [{ scanner: { fullScanRows: 2 ** 31 } }, /scanner.fullScanRows must be a whole number below 2147483647/],
  [{ scanner: { bucketMaxBytes: 2048.5 } }, /scanner.bucketMaxBytes must be a whole number/],
  [{ scanner: { checkCrc: 1 } }, /scanner.checkCrc must be a boolean/],
  [{ scanner: { pollMs: 1 } }, /no option "scanner.pollMs"/],
  [{ scanner: { remote: { roots: "/a" } } }, /scanner.remote.roots must be a list of texts/],
  [{ scanner: { remote: { roots: ["a/b"] } } }, /roots has "a\/b", which is no absolute path, file: or s3: URI/],
  [{ scanner: { remote: { roots: ["s3:///x"] } } }, /roots has "s3:\/\/\/x"/],
  [{ scanner: { remote: { s3: { accessKeyId: "a" } } } }, /needs accessKeyId and secretAccessKey, or neither/],
  [{ scanner: { remote: { s3: { secretAccessKey: "secret" } } } }, /needs accessKeyId and secretAccessKey, or neither/],
  [{ scanner: { remote: { s3: { sessionToken: "secret" } } } }, /sessionToken is given, but accessKeyId is missing/],
  [{ scanner: { remote: { s3: { endpoint: "minio:9000" } } } }, /s3.endpoint must be a URL/],
  [{ scanner: { remote: { s3: { endpoint: "http://u:secret@minio" } } } }, /s3.endpoint must be a URL/],
  [{ scanner: { remote: { s3: { region: "us east" } } } }, /s3.region must be like us-east-1, not "us east"/],
  [{ username: "u" }, /password is missing/],
  [{ password: "secret" }, /username is missing/],
  [{ username: "u", password: "" }, /password must be a text that is not empty/],
  [{ schemaCheck: "maybe" }, /schemaCheck must be one of/],
  [{ resolveAddress: "x" }, /resolveAddress must be a function/],
];
for (const [options, message] of wrong) {
  test(`readOptions() refuses ${JSON.stringify(options)}`, () => {
    assert.throws(() => readOptions("fluss://a", options), (error) => {
      assert.ok(FlussError.is(error, "CONNECTION.BAD_OPTION"));
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret(?!AccessKey)/);
      return true;
    });
  });
}

test("readOptions() refuses what a URL cannot give", () => {
  const wrong = ["writer=1", "log=1", "nope=1", "writer.acks=7", "requestTimeoutMs=soon", "writer.idempotent=maybe"];
  const remote = ["scanner.remote=a", "scanner.remote.roots=/", "scanner.remote.s3.endpoint=http://evil.example"];
  for (const query of [...wrong, ...remote]) {
    assert.throws(
      () => readOptions(`fluss://a?${query}`),
      (error) => FlussError.is(error, "CONNECTION.BAD_OPTION"),
      query,
    );
  }
});
