import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOrder } from "../../../../src/embedded/catalog/java.ts";

test("texts come in the order of Java's sets", () => {
  // What jshell printed of a HashSet that got them one by one.
  for (
    const [added, expected] of [
      [
        ["table.replication.factor", "table.log.ttl", "foo", "table.b", "ü", "日本", ""],
        ["", "table.replication.factor", "table.b", "foo", "table.log.ttl", "日本", "ü"],
      ],
      [[..."lkjihgfedcba"], [..."abcdefghijkl"]],
      [[..."abcdefghijklmn"].map((c) => `x.${c}`), [..."acbedgfihkjmln"].map((c) => `x.${c}`)],
      // These have the same hash.
      [["Aa", "BB", "C#", "AaAa", "BBBB", "AaBB"], ["Aa", "BB", "C#", "AaAa", "BBBB", "AaBB"]],
      [["id", "v", "id"], ["v", "id"]],
      [[], []],
    ] as const
  ) assert.deepEqual(hashOrder(added), expected);
});
