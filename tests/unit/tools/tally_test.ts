import assert from "node:assert/strict";
import { test } from "node:test";
import { Failed, Skipped, Tally } from "../../../tools/test/tally.ts";

function make(): { tally: Tally; lines: string[] } {
  const lines: string[] = [];
  return { tally: new Tally((line) => lines.push(...line.split("\n"))), lines };
}

test("steps and tests are summed up in the closing line", async () => {
  const { tally, lines } = make();
  assert.equal(await tally.step("works", () => Promise.resolve()), true);
  assert.equal(await tally.step("breaks", () => Promise.reject(new Failed("what it printed"))), false);
  assert.equal(await tally.step("cannot", () => Promise.reject(new Skipped("no Java"))), false);
  tally.suite("node", {
    results: [
      { name: "one", file: "/x/tests/a_test.ts", outcome: "passed", detail: "" },
      { name: "two", file: "/x/tests/a_test.ts", outcome: "failed", detail: "1 !== 2" },
      { name: "three", file: "/x/tests/a_test.ts", outcome: "skipped", detail: "no cluster" },
    ],
    problems: ["tests/b_test.ts ran no test"],
    output: "SyntaxError",
  }, performance.now());
  assert.equal(tally.close(), false);
  assert.equal(lines.at(-1), "2 passed, 3 failed, 2 skipped");
  const text = lines.join("\n");
  for (
    const part of [
      "what it printed",
      "1 !== 2",
      "SyntaxError",
      "cannot: no Java",
      "tests/a_test.ts > three: no cluster",
    ]
  ) assert.ok(text.includes(part), `"${part}" is not in:\n${text}`);
});

test("a run in which nothing failed is well, whatever was skipped", async () => {
  const { tally, lines } = make();
  await tally.step("works", () => Promise.resolve());
  tally.skip("a suite", "no Java");
  tally.note("something to know");
  assert.equal(tally.close(), true);
  assert.equal(lines.at(-2), "something to know");
  assert.equal(lines.at(-1), "1 passed, 0 failed, 1 skipped");
});
