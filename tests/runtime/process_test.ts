import assert from "node:assert/strict";
import { test } from "node:test";
import { runScript } from "../child.ts";
import { inFreshDatabase, needsCluster, target } from "../cluster.ts";

const program = new URL("program_child.ts", import.meta.url);

// Deno gets the right to the network and nothing else, so this shows too that `--allow-net` is enough.
for (
  const [how, expected] of [
    ["close", ["done"]],
    ["lookup", ["n999", "done"]],
    ["drop", ["log CONNECTION.CLOSED", "done"]],
    ["failure", ["log SERVER.TABLE_NOT_EXIST", "WRITE.FAILED", "done"]],
  ] as const
) {
  test(
    `a whole program with ${how} ends by itself, with the right to the network alone`,
    needsCluster,
    () =>
      inFreshDatabase(target!, async (database) => {
        const { code, output } = await runScript(program, [`fluss://${target!.bootstrap}`, database, how]);
        assert.deepEqual(output.trim().split("\n"), expected);
        assert.equal(code, 0, output);
      }),
  );
}
