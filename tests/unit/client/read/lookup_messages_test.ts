import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { FlussError } from "../../../../src/base/errors.ts";
import { decodeLookup, encodeLookup, readValues } from "../../../../src/client/read/lookup_messages.ts";
import { API, loadApi } from "../../../../src/client/rpc/api.ts";
import { random, seed } from "../../../random.ts";

const { request, response } = await loadApi(API.LOOKUP);
const prefix = await loadApi(API.PREFIX_LOOKUP);
const ids = [0n, 1n, 127n, 128n, 300n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n];

test(`encodeLookup() writes what the generated codec writes (seed ${seed})`, () => {
  for (let i = 0; i < 300; i++) {
    const tableId = random.pick(ids);
    const buckets = Array.from({ length: random.int(5) }, () => ({
      partitionId: random.int(2) === 0 ? undefined : random.pick(ids),
      bucket: random.pick([0, 1, 200, 70_000]),
      keys: Array.from({ length: random.int(6) }, () => random.bytes(random.pick([0, 1, 9, 130, 20_000]))),
    }));
    const insert = random.int(2) === 0
      ? undefined
      : { acks: random.pick([-1, 0, 1] as const), timeoutMs: random.pick([0, 30_000]) };
    const asked = buckets.map((bucket) => ({
      ...bucket,
      // Keys lie anywhere in a larger array.
      keys: bucket.keys.map((key) => {
        const start = random.int(3);
        const bytes = new Uint8Array(start + key.length + random.int(3));
        bytes.set(key, start);
        return { bytes, start, end: start + key.length };
      }),
    }));
    const expected = toBinary(
      request,
      create(request, {
        tableId,
        bucketsReq: buckets.map(({ partitionId, bucket: bucketId, keys }) =>
          partitionId === undefined ? { bucketId, keys } : { partitionId, bucketId, keys }
        ),
        ...(insert === undefined ? {} : { insertIfNotExists: true, acks: insert.acks, timeoutMs: insert.timeoutMs }),
      }),
    );
    const headroom = random.pick([0, 12]);
    assert.deepEqual(encodeLookup(tableId, asked, insert, headroom).subarray(headroom), expected);
  }
});

test(`decodeLookup() and readValues() read what the generated codec writes (seed ${seed})`, () => {
  for (let i = 0; i < 300; i++) {
    const buckets = Array.from({ length: random.int(4) }, () => ({
      partitionId: random.int(2) === 0 ? undefined : random.pick(ids),
      bucketId: random.pick([0, 3, 90_000]),
      errorCode: random.pick([undefined, 0, 12, -1]),
      errorMessage: random.pick([undefined, "", "no: ü"]),
      values: Array.from(
        { length: random.int(5) },
        () => random.int(3) === 0 ? undefined : random.bytes(random.int(40)),
      ),
    }));
    const body = toBinary(
      response,
      create(response, {
        bucketsResp: buckets.map(({ values, ...bucket }) => ({
          ...Object.fromEntries(Object.entries(bucket).filter(([, value]) => value !== undefined)) as {
            bucketId: number;
          },
          values: values.map((value) => value === undefined ? {} : { values: value }),
        })),
      }),
    );
    const answers = decodeLookup(body);
    assert.equal(answers.length, buckets.length);
    answers.forEach((answer, b) => {
      const bucket = buckets[b]!;
      assert.equal(answer.bucket, bucket.bucketId);
      assert.equal(answer.partitionId, bucket.partitionId);
      assert.equal(answer.errorCode, bucket.errorCode ?? 0);
      assert.equal(answer.errorMessage, bucket.errorMessage);
      const values = bucket.values.map((_, v) => {
        const ranges: number[] = [];
        readValues(body, answer.elements[2 * v]!, answer.elements[2 * v + 1]!, ranges);
        return ranges.length === 0 ? undefined : body.subarray(ranges[0], ranges[1]);
      });
      assert.deepEqual(values.map((value) => value && [...value]), bucket.values.map((value) => value && [...value]));
    });
  }
});

test("readValues() reads all values of a prefix", () => {
  const lists = [[new Uint8Array([1]), new Uint8Array()], [], [new Uint8Array([2, 3])]];
  const body = toBinary(
    prefix.response,
    create(prefix.response, { bucketsResp: [{ bucketId: 0, valueLists: lists.map((values) => ({ values })) }] }),
  );
  const [answer] = decodeLookup(body);
  const read = lists.map((_, i) => {
    const ranges: number[] = [];
    readValues(body, answer!.elements[2 * i]!, answer!.elements[2 * i + 1]!, ranges);
    return Array.from({ length: ranges.length / 2 }, (_, r) => body.slice(ranges[2 * r], ranges[2 * r + 1]));
  });
  assert.deepEqual(read, lists);
});

test(`decodeLookup() refuses broken bytes with a typed error (seed ${seed})`, () => {
  const good = toBinary(
    response,
    create(response, {
      bucketsResp: [{ bucketId: 1, values: [{ values: random.bytes(30) }, {}] }, { bucketId: 2, errorCode: 12 }],
    }),
  );
  for (let i = 0; i < 20_000; i++) {
    const bytes = good.slice(0, 1 + random.int(good.length));
    bytes[random.int(bytes.length)] = random.int(256);
    try {
      for (const answer of decodeLookup(bytes)) {
        for (let e = 0; e < answer.elements.length; e += 2) {
          readValues(bytes, answer.elements[e]!, answer.elements[e + 1]!, []);
        }
      }
    } catch (error) {
      assert.ok(FlussError.is(error, "CONNECTION.PROTOCOL"), String(error));
    }
  }
});
