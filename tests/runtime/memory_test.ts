import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../mod.ts";
import { runScript } from "../child.ts";
import { freshDatabase, needsCluster, repairing, target } from "../cluster.ts";
import { long } from "../random.ts";

const ROWS = long ? 10_000_000 : 2_000_000;

function grow(way: "upsertAll" | "upsert"): Promise<void> {
  return repairing(target!, freshDatabase, (database) => growIn(database, way));
}

async function growIn(database: string, way: "upsertAll" | "upsert"): Promise<void> {
  const script = new URL("memory_child.ts", import.meta.url);
  const args = [`fluss://${target!.bootstrap}`, database, String(ROWS), way];
  const { code, output } = await runScript(script, args, ["-A"], 600_000);
  assert.equal(code, 0, output);
  const { waits, growth, limit } = JSON.parse(output) as Record<"waits" | "growth" | "limit", number>;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(`${ROWS} rows by ${way}: ${waits} waits for room, growth ${mib(growth)}, limit ${mib(limit)}`);
  assert.ok(way === "upsertAll" || waits > 0, "the queue was never full, so nothing was shown");
  assert.ok(growth < 3 * limit, output);
  await using db = await connect(`fluss://${target!.bootstrap}`);
  await db.admin.dropDatabase(database, { cascade: true });
}

test(
  `${ROWS} rows by upsertAll() grow the process by less than 3 times the writer's limit`,
  needsCluster,
  () => grow("upsertAll"),
);

// A loop that never lets go leaves its rows and acks to the garbage collector, and Bun's lets them pile up.
const loop = "Bun" in globalThis
  ? { skip: "Bun collects too late in a loop without a pause: docs/performance.md" }
  : needsCluster;
test(
  `${ROWS} rows by upsert(), as fast as the queue takes them, grow the process by less than 3 times its limit`,
  loop,
  () => grow("upsert"),
);
