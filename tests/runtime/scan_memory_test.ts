import assert from "node:assert/strict";
import { test } from "node:test";
import { runScript } from "../child.ts";
import { long } from "../random.ts";
import { startFlood } from "./log_flood.ts";

const BYTES = long ? 20e9 : 1.2e9;
/** `scanner.aheadBytes`, which bounds what is read ahead. */
const AHEAD = 32 << 20;

/** No process comes near this, whatever its collector lets lie. */
const CEILING = 768 << 20;

/**
 * Scans the flood. The curve is a saw: collectors let buffers lie for a while, Bun's the longest. What is held for good
 * raises its lowest points, so those of the second half must be no higher than those of the second quarter, give or take
 * twice what may be held ahead. The first quarter is what runtimes grow by until they know the program.
 */
async function scan(way: "batches" | "rows", bytes: number): Promise<void> {
  await using flood = await startFlood(bytes);
  const script = new URL("scan_memory_child.ts", import.meta.url);
  const { code, output } = await runScript(script, [flood.url, way], ["-A"], 3_000_000);
  assert.equal(code, 0, output);
  const { rows, curve } = JSON.parse(output) as { readonly rows: number; readonly curve: readonly number[] };
  assert.equal(rows, flood.rows);
  const mib = curve.map((bytes) => Math.round(bytes / 2 ** 20));
  const shown = mib.filter((_, i) => i % Math.ceil(mib.length / 20) === 0);
  console.log(`${(flood.sent() / 1e9).toFixed(1)} GB by ${way}, resident MiB: ${shown.join(" ")}`);
  const half = Math.ceil(curve.length / 2);
  const early = Math.min(...curve.slice(Math.floor(curve.length / 4), half));
  const late = Math.min(...curve.slice(half));
  assert.ok(late - early < 2 * AHEAD, `grew from ${early} to ${late} bytes: ${mib.join(" ")} MiB`);
  assert.ok(Math.max(...curve) < CEILING, `${mib.join(" ")} MiB`);
}

test(`${BYTES / 1e9} GB of log pass through batches() with memory flat`, () => scan("batches", BYTES));

test(`${BYTES / 4e9} GB of log pass through a scan of rows with memory flat`, () => scan("rows", BYTES / 4));
