// Scans a whole table and watches the process, as scan_memory_test.ts runs it: the URL, and how the table is read.
import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";
import { connect } from "../../mod.ts";
import { flooded } from "./flood_table.ts";

const [url, way] = process.argv.slice(2) as [string, "batches" | "rows"];
const { Bun } = globalThis as unknown as { Bun?: { gc(now: boolean): void } };

/** What is in use once all garbage is gone, in bytes. Bun gives back what it has freed, and V8 counts what it holds. */
const held: () => number = Bun !== undefined
  ? () => {
    Bun.gc(true);
    return process.memoryUsage.rss();
  }
  : () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
if (Bun === undefined) v8.setFlagsFromString("--expose-gc");
const collect: () => void = Bun === undefined ? vm.runInNewContext("gc") : () => {};

await using db = await connect(url);
const handle = db.table(flooded);
let rows = 0;
let sum = 0;
/** Each time another part of the table was read: what the process had, and what of it was in use. */
const curve: { readonly resident: number; readonly held: number }[] = [];
const EVERY = 1_000_000;
let next = EVERY;
const watch = () => {
  if (rows < next) return;
  next += EVERY;
  curve.push({ resident: process.memoryUsage.rss(), held: held() });
};
if (way === "batches") {
  for await (const batch of handle.scan().batches()) {
    for (const id of batch.column("id")) sum += id!;
    rows += batch.length;
    watch();
  }
} else {
  for await (const row of handle.scan()) {
    sum += row.name!.length;
    rows++;
    watch();
  }
}
console.log(JSON.stringify({ rows, sum, curve }));
