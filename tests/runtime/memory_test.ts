import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../mod.ts";
import { runScript } from "../child.ts";
import { freshDatabase, needsCluster, target } from "../cluster.ts";
import { long } from "../random.ts";

const ROWS = long ? 10_000_000 : 2_000_000;

test(
  `${ROWS} rows, upserted as fast as the queue takes them, grow the process by less than 3 times its limit`,
  needsCluster,
  async () => {
    const database = freshDatabase();
    const script = new URL("memory_child.ts", import.meta.url);
    const { code, output } = await runScript(
      script,
      [`fluss://${target!.bootstrap}`, database, String(ROWS)],
      ["-A"],
      600_000,
    );
    assert.equal(code, 0, output);
    const { rows, waits, growth, limit } = JSON.parse(output) as Record<"rows" | "waits" | "growth" | "limit", number>;
    console.log(
      `${rows} rows: ${waits} waits for room, growth ${(growth / 2 ** 20).toFixed(0)} MiB, limit ${
        limit / 2 ** 20
      } MiB`,
    );
    assert.ok(waits > 0, "the queue was never full, so nothing was shown");
    assert.ok(growth < 3 * limit, output);
    await using db = await connect(`fluss://${target!.bootstrap}`);
    await db.admin.dropDatabase(database, { cascade: true });
  },
);
