import assert from "node:assert/strict";
import { test } from "node:test";
import { API, loadApi } from "../../../../src/client/rpc/api.ts";
import { writeMessage } from "../../../../src/client/rpc/required.ts";
import { encodeLookupAnswer, type FoundValues } from "../../../../src/embedded/requests/lookup_answer.ts";

const value = (length: number) => Uint8Array.from({ length }, (_, i) => i);

const ANSWERS: readonly (readonly FoundValues[])[] = [
  [],
  [{ partitionId: undefined, bucketId: 0, values: [] }],
  [{ partitionId: undefined, bucketId: 3, values: [undefined, value(2), value(0), value(47), value(48), value(49)] }],
  [
    { partitionId: 0n, bucketId: 127, values: [value(125), value(126), value(127), value(128)] },
    { partitionId: 2n ** 40n, bucketId: 100_000, values: [value(16_380), undefined, value(70_000)] },
  ],
];

test("answers are what the generated codec writes", async () => {
  const { response } = await loadApi(API.LOOKUP);
  for (const buckets of ANSWERS) {
    const written = writeMessage(response, {
      bucketsResp: buckets.map(({ partitionId, bucketId, values }) => ({
        bucketId,
        ...(partitionId === undefined ? {} : { partitionId }),
        values: values.map((found) => found === undefined ? {} : { values: found }),
      })),
    });
    // The codec writes fields in the order of their numbers, as the hand does.
    assert.deepEqual(encodeLookupAnswer(buckets), written);
  }
});
