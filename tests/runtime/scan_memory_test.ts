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
 * Scans the flood. What the process has is a saw, for collectors let buffers lie for a while, Bun's the longest, so it
 * need only stay under the ceiling. What is in use after a collection moves with what is under way just then, by more than
 * what may be read ahead; a leak lifts all of it, so the middle of the second half is held against that of the first.
 */
async function scan(way: "batches" | "rows", bytes: number): Promise<void> {
  await using flood = await startFlood(bytes);
  const script = new URL("scan_memory_child.ts", import.meta.url);
  const { code, output } = await runScript(script, [flood.url, way], ["-A"], 3_000_000);
  assert.equal(code, 0, output);
  const { rows, curve } = JSON.parse(output) as Curve;
  assert.equal(rows, flood.rows);
  const every = Math.ceil(curve.length / 20);
  const shown = curve.filter((_, i) => i % every === 0).map(({ resident, held }) => `${mib(resident)}/${mib(held)}`);
  console.log(`${(flood.sent() / 1e9).toFixed(1)} GB by ${way}, MiB resident/in use: ${shown.join(" ")}`);
  const half = Math.ceil(curve.length / 2);
  const early = median(curve.slice(0, half).map(({ held }) => held));
  const late = median(curve.slice(half).map(({ held }) => held));
  assert.ok(late - early < AHEAD, `in use: grew from ${mib(early)} to ${mib(late)} MiB: ${shown.join(" ")}`);
  assert.ok(Math.max(...curve.map(({ resident }) => resident)) < CEILING, `MiB resident/in use: ${shown.join(" ")}`);
}

interface Curve {
  readonly rows: number;
  readonly curve: readonly { readonly resident: number; readonly held: number }[];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

test(`${BYTES / 1e9} GB of log pass through batches() with memory flat`, () => scan("batches", BYTES));

test(`${BYTES / 4e9} GB of log pass through a scan of rows with memory flat`, () => scan("rows", BYTES / 4));
