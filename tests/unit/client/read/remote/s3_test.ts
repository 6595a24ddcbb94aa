// Reads segments in a store of the S3 kind, from a server that plays one: ranges, failures, keys, and where it may be.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";
import { FlussError, type RemoteOptions } from "../../../../../mod.ts";
import { FlussClient } from "../../../../../src/client/client.ts";
import { signGet } from "../../../../../src/client/read/remote/s3.ts";
import { addressOf, holds } from "../../../../../src/client/read/remote/s3_place.ts";
import { SecurityToken } from "../../../../../src/client/read/remote/tokens.ts";
import { readRemoteLog } from "../../../../../src/client/read/remote/remote_log.ts";
import type { RemoteSegment } from "../../../../../src/client/read/remote_reads.ts";
import { readOptions } from "../../../../../src/query/options.ts";
import { within } from "../../../../fake_cluster.ts";
import { joined, logBatch, offsetsOf } from "./segments.ts";

const place = { table: "d.rows", bucket: 0 };
const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "the-secret-of-the-key" };
const DIRECTORY = "s3://fluss/data/log/d/rows-1/0";
const roots = ["s3://fluss/data"];

/** What a test does with a request; undefined lets the store answer it. */
type Answer = (request: IncomingMessage, response: ServerResponse, bytes: Uint8Array) => boolean | void;

interface Store {
  readonly url: string;
  /** Path to object. */
  readonly objects: Map<string, Uint8Array>;
  /** The ranges that were asked for, in order. */
  readonly ranges: string[];
  /** Requests whose connection ended before their answer did. */
  aborted: number;
  answer: Answer | undefined;
}

async function withStore(run: (store: Store) => Promise<void>): Promise<void> {
  const store: Store = { url: "", objects: new Map(), ranges: [], aborted: 0, answer: undefined };
  const server = createServer((request, response) => {
    const bytes = store.objects.get(decodeURIComponent(request.url!));
    store.ranges.push(`${request.headers.range}`);
    response.on("close", () => response.writableFinished || store.aborted++);
    if (store.answer?.(request, response, bytes ?? new Uint8Array()) === true) return;
    if (bytes === undefined) {
      response.writeHead(404).end("<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>");
      return;
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!;
    const part = bytes.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, {
      "content-range": `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`,
      "content-length": part.length,
    }).end(part);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  try {
    await run(Object.assign(store, { url: `http://127.0.0.1:${port}` }));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function client(remote: RemoteOptions, requestTimeoutMs = 30_000): FlussClient {
  return new FlussClient(readOptions("fluss://fluss.example:1", { requestTimeoutMs, scanner: { remote } }).client);
}

function put({ objects }: Store, id: string, start: number, bytes: Uint8Array): RemoteSegment {
  objects.set(`/fluss/data/log/d/rows-1/0/${id}/${`${start}`.padStart(20, "0")}.log`, bytes);
  const offsets = offsetsOf(bytes);
  return { id, startOffset: BigInt(start), endOffset: offsets.at(-1)!.next, size: bytes.length };
}

async function read(
  reader: FlussClient,
  segments: RemoteSegment[],
  from = 0,
  signal: AbortSignal = new AbortController().signal,
): Promise<number[]> {
  const found: number[] = [];
  const remote = { directory: DIRECTORY, segments, firstPosition: 0 };
  for await (const piece of readRemoteLog(reader, place, remote, BigInt(from), signal)) {
    found.push(...offsetsOf(piece).map(({ base }) => Number(base)));
  }
  return found;
}

async function refused(reading: Promise<unknown>, code: string, message: RegExp): Promise<FlussError> {
  const error = await within(20_000, reading.then(() => assert.fail("it was read"), (error: unknown) => error));
  assert.ok(FlussError.is(error), String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  assert.equal(error.table, "d.rows");
  assert.ok(!inspect(error, { depth: 9 }).includes(KEYS.secretAccessKey), "a secret in an error");
  return error;
}

test("requests are signed as AWS's own example", async () => {
  // Signature Calculations for the Authorization Header, Example: GET Object (AWS: Amazon S3 API Reference).
  const headers = await signGet(
    { url: "https://examplebucket.s3.amazonaws.com/test.txt", region: "us-east-1" },
    "bytes=0-9",
    {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      sessionToken: undefined,
    },
    "20130524T000000Z",
  );
  assert.equal(
    headers.get("authorization"),
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
      "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, " +
      "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  assert.equal(headers.get("range"), "bytes=0-9");
});

test("segments are got in ranges, one after the other, and a batch that is larger than a range comes whole", () =>
  withStore(async (store) => {
    const big = "x".repeat(1 << 20);
    const one = put(store, "a", 0, joined([0, 1, 2, 3, 4, 5].map((n) => logBatch(n, 1, big))));
    const two = put(store, "b", 6, joined([logBatch(6, 1, "y".repeat(6 << 20)), logBatch(7, 3)]));
    const own = client({ roots, s3: { ...KEYS, endpoint: store.url } });
    assert.deepEqual(await read(own, [one, two]), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(await read(own, [one, two], 6), [6, 7]);
    assert.ok(store.ranges.length > 4);
    for (const range of store.ranges) {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range)!;
      assert.ok(Number(last) - Number(first) < 7 << 20, range);
    }
  }));

test("what fails on its way is asked for again from where it stopped", () =>
  withStore(async (store) => {
    const bytes = joined(Array.from({ length: 40 }, (_, n) => logBatch(n, 1, "z".repeat(50_000))));
    const one = put(store, "a", 0, bytes);
    let request = 0;
    store.answer = (_, response, whole) => {
      request++;
      if (request === 1) return !!response.writeHead(503).end("<Error><Code>SlowDown</Code></Error>");
      if (request === 2) return response.destroy() !== undefined;
      if (request > 4) return false;
      // A part of the range, then nothing any more.
      const first = Number(/\d+/.exec(store.ranges.at(-1)!)![0]);
      response.writeHead(206, {
        "content-range": `bytes ${first}-${whole.length - 1}/${whole.length}`,
        "content-length": whole.length - first,
      });
      response.write(whole.subarray(first, first + 300_000), () => response.destroy());
      return true;
    };
    const own = client({ roots, s3: { ...KEYS, endpoint: store.url } });
    assert.deepEqual(await read(own, [one]), Array.from({ length: 40 }, (_, n) => n));
    const starts = store.ranges.map((range) => Number(/\d+/.exec(range)![0]));
    assert.deepEqual(starts.slice(0, 3), [0, 0, 0]);
    assert.ok(starts.at(-1)! > 0, "what had come was asked for again");
  }));

test("a store that stands still or only fails is given up in time, with its words", () =>
  withStore(async (store) => {
    const one = put(store, "a", 0, logBatch(0, 10));
    const own = client({ roots, s3: { ...KEYS, endpoint: store.url } }, 300);
    store.answer = (_, response) => !!response.writeHead(500).end("<Error><Code>InternalError</Code></Error>");
    await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /cannot be read: the store answers 500 InternalError/);
    store.answer = () => true;
    await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /cannot be read: .*did not finish within 100 ms/);
    // The head of an answer without its body.
    store.answer = (_, response, bytes) => {
      response.writeHead(206, { "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}` }).flushHeaders();
      return true;
    };
    await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /cannot be read: .*did not finish within 100 ms/);
    const nobody = client({ roots, s3: { ...KEYS, endpoint: "http://127.0.0.1:1" } }, 300);
    await refused(read(nobody, [one]), "REMOTE.UNAVAILABLE", /cannot be read/);
  }));

test("answers that cannot be true are refused", () =>
  withStore(async (store) => {
    const one = put(store, "a", 0, logBatch(0, 10));
    const own = client({ roots, s3: { ...KEYS, endpoint: store.url } });
    const CORRUPT = "CODEC.CORRUPT_BATCH";
    await refused(read(own, [{ ...one, size: one.size + 1 }]), CORRUPT, /has \d+ bytes, and the server said \d+/);
    const say = (head: Record<string, string>, body: Uint8Array, status = 206) => {
      store.answer = (_, response) => !!response.writeHead(status, head).end(body);
    };
    const bytes = logBatch(0, 10);
    say({ "content-range": `bytes 1-${one.size}/${one.size}` }, bytes);
    await refused(read(own, [one]), CORRUPT, /answered with the range "bytes 1-/);
    say({}, bytes);
    await refused(read(own, [one]), CORRUPT, /answered with the range ""/);
    say({ "content-range": `bytes 0-${one.size - 1}/${one.size}` }, joined([bytes, bytes]));
    await refused(read(own, [one]), CORRUPT, /more bytes than were asked for/);
    // Without ranges a store would send all of a segment, however large.
    say({}, bytes, 200);
    await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /the store answers 200/);
    say({}, new Uint8Array(), 416);
    await refused(read(own, [one]), CORRUPT, /is shorter than the \d+ bytes/);
    // Nor is a redirect followed: it could lead anywhere.
    say({ location: "http://127.0.0.1:1/", "x-amz-bucket-region": "eu-west-1" }, new Uint8Array(), 301);
    await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /answers 301.*region: "eu-west-1"/);
    say({ location: "http://127.0.0.1:1/" }, new Uint8Array(), 307);
    await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /answers 307/);
  }));

test("a segment that is gone may be asked for again, one that is refused not", () =>
  withStore(async (store) => {
    const one = put(store, "a", 0, logBatch(0, 10));
    store.objects.clear();
    const own = client({ roots, s3: { ...KEYS, endpoint: store.url } });
    const gone = await refused(read(own, [one]), "REMOTE.UNAVAILABLE", /is not there \(404 NoSuchKey\)/);
    assert.ok(gone.retriable, "the server may know better by now");
    store.answer = (_, response) =>
      !!response.writeHead(403).end(
        `<Error><Code>SignatureDoesNotMatch</Code><StringToSign>${KEYS.secretAccessKey}</StringToSign></Error>`,
      );
    const denied = await refused(
      read(own, [one]),
      "REMOTE.UNAVAILABLE",
      /is refused \(403 SignatureDoesNotMatch\).*scanner\.remote\.s3/,
    );
    assert.ok(!denied.retriable);
    assert.equal(store.ranges.length, 2);
  }));

test("abort and return end the request that is out", () =>
  withStore(async (store) => {
    const one = put(store, "a", 0, logBatch(0, 10, "x".repeat(1000)));
    const own = client({ roots, s3: { ...KEYS, endpoint: store.url } });
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    store.answer = (_, response, bytes) => {
      response.on("close", () => gone.resolve());
      response.writeHead(206, { "content-range": `bytes 0-${bytes.length - 1}/${bytes.length}` });
      response.write(bytes.subarray(0, 10), () => asked.resolve());
      return true;
    };
    const abort = new AbortController();
    const reading = read(own, [one], 0, abort.signal);
    reading.catch(() => {});
    await within(5_000, asked.promise);
    const reason = new Error("enough");
    abort.abort(reason);
    await assert.rejects(within(5_000, reading), (error) => error === reason);
    await within(5_000, gone.promise);
    assert.equal(store.aborted, 1);
  }));

test("objects are got within the roots alone, and from endpoints that the user or AWS has named", async () => {
  const object = { bucket: "fluss", key: "data/log/d/t-1/0/a/00000000000000000000.log" };
  assert.ok(holds("s3://fluss", "fluss", object.key));
  assert.ok(holds("s3://fluss/", "fluss", object.key));
  assert.ok(holds("s3a://fluss/data/", "fluss", object.key));
  assert.ok(!holds("s3://fluss/dat", "fluss", object.key));
  assert.ok(!holds("s3://fluss/data/log/d/t-2", "fluss", object.key));
  assert.ok(!holds("s3://flus", "fluss", object.key));
  assert.ok(!holds("/", "fluss", object.key));
  const segment = { id: "a", startOffset: 0n, endOffset: 10n, size: 100 };
  for (const given of [[], ["/"], ["s3://other/"], ["s3://fluss/data2"]]) {
    await refused(
      read(client({ roots: given, s3: KEYS }), [segment]),
      "REMOTE.NOT_ALLOWED",
      /names the object s3:\/\/fluss\/data\/.*roots allows .*hint: .*roots: \["s3:\/\/fluss\/"\]/,
    );
  }
  const at = (s3: RemoteOptions["s3"] = {}, info: Record<string, string> = {}) =>
    addressOf(place, object, s3, new Map(Object.entries(info))).url.replace(object.key, "KEY");
  assert.equal(at(), "https://fluss.s3.us-east-1.amazonaws.com/KEY");
  assert.equal(at({ region: "cn-north-1" }), "https://fluss.s3.cn-north-1.amazonaws.com.cn/KEY");
  assert.equal(at({ pathStyle: true }), "https://s3.us-east-1.amazonaws.com/fluss/KEY");
  assert.equal(at({}, { "fs.s3a.region": "eu-west-1" }), "https://fluss.s3.eu-west-1.amazonaws.com/KEY");
  assert.equal(at({ endpoint: "http://minio:9000/" }), "http://minio:9000/fluss/KEY");
  assert.equal(at({ endpoint: "http://minio:9000", pathStyle: false }), "http://fluss.minio:9000/KEY");
  const ofAws = { "fs.s3a.endpoint": "s3.eu-west-1.amazonaws.com", "fs.s3a.path.style.access": "true" };
  assert.equal(at({}, ofAws), "https://s3.eu-west-1.amazonaws.com/fluss/KEY");
  // The user's endpoint stands above the server's.
  assert.equal(
    at({ endpoint: "http://minio:9000" }, { "fs.s3a.endpoint": "http://evil" }),
    "http://minio:9000/fluss/KEY",
  );
  const evil = [
    "http://169.254.169.254",
    "minio:9000",
    "https://s3.amazonaws.com.evil.example",
    "http://s3.amazonaws.com",
  ];
  for (const endpoint of [...evil, "https://evil.example/s3.amazonaws.com", "https://u@s3.amazonaws.com:444", "%"]) {
    assert.throws(() => at({}, { "fs.s3a.endpoint": endpoint }), (error) => {
      assert.ok(FlussError.is(error, "REMOTE.NOT_ALLOWED"), String(error));
      assert.match(error.message, /the server names the endpoint .*hint: .*s3: \{ endpoint \}/);
      return true;
    });
  }
  for (const region of ["evil.example/", "us-east-1.evil.example#", ""]) {
    assert.throws(() => at({}, { "fs.s3a.region": region }), (error) => FlussError.is(error, "REMOTE.NOT_ALLOWED"));
  }
  // Keys are text, not URLs.
  const odd = addressOf(place, { bucket: "b1", key: "a b/?x=1#y/é+%/(z)" }, {}, new Map());
  assert.equal(new URL(odd.url).pathname, "/a%20b/%3Fx%3D1%23y/%C3%A9%2B%25/(z)");
});

test("tokens keep their secrets to themselves and are renewed before they end", () => {
  const now = Date.now();
  const token = new SecurityToken({ ...KEYS, sessionToken: "the-session" }, new Map(), now + 1000_000);
  assert.ok(Math.abs(token.renewAt - now - 750_000) < 1000);
  for (const shown of [inspect(token, { depth: 9, showHidden: true }), JSON.stringify(token)]) {
    assert.ok(!shown.includes(KEYS.secretAccessKey) && !shown.includes("the-session"), shown);
  }
});
