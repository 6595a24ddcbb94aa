import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { API, loadApi } from "../../../../src/client/rpc/api.ts";
import { encodeWrite } from "../../../../src/client/write/write_message.ts";
import { random, seed } from "../../../random.ts";

const { request } = await loadApi(API.PUT_KV);
const { request: produce } = await loadApi(API.PRODUCE_LOG);
const ids = [0n, 1n, 127n, 128n, 2n ** 31n, 2n ** 63n - 1n];

test(`encodeWrite() writes what the generated codec writes (seed ${seed})`, () => {
  for (let i = 0; i < 300; i++) {
    const acks = random.pick([-1, 0, 1] as const);
    const tableId = random.pick(ids);
    const timeoutMs = random.pick([0, 127, 30_000]);
    const targets = random.pick([undefined, [0], [0, 1, 200, 1000], Array.from({ length: 300 }, (_, i) => i)]);
    const buckets = Array.from({ length: random.int(5) }, () => ({
      partitionId: random.pick([undefined, ...ids]),
      bucket: random.pick([0, 1, 200, 70_000]),
      records: random.bytes(random.pick([28, 127, 128, 5000])),
    }));
    const bucketsReq = buckets.map(({ partitionId, bucket: bucketId, records }) =>
      partitionId === undefined ? { bucketId, records } : { partitionId, bucketId, records }
    );
    const expected = toBinary(
      request,
      create(request, {
        acks,
        tableId,
        timeoutMs,
        targetColumns: [...targets ?? []],
        aggMode: 0,
        bucketsReq,
      }),
    );
    const headroom = random.pick([0, 12]);
    const rest = { acks, tableId, timeoutMs, buckets };
    assert.deepEqual(encodeWrite({ kind: "put", targets, ...rest }, headroom).subarray(headroom), expected);
    const appended = toBinary(produce, create(produce, { acks, tableId, timeoutMs, bucketsReq }));
    assert.deepEqual(
      encodeWrite({ kind: "produce", targets: undefined, ...rest }, headroom).subarray(headroom),
      appended,
    );
  }
});
