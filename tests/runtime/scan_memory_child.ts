// Scans a whole table and watches the process, as scan_memory_test.ts runs it: the URL, and how the table is read.
import process from "node:process";
import { connect } from "../../mod.ts";
import { flooded } from "./flood_table.ts";

const [url, way] = process.argv.slice(2) as [string, "batches" | "rows"];
await using db = await connect(url);
const handle = db.table(flooded);
let rows = 0;
let sum = 0;
/** Resident bytes, each time another part of the table was read. */
const curve: number[] = [];
const EVERY = 2_000_000;
let next = EVERY;
const watch = () => {
  if (rows < next) return;
  next += EVERY;
  curve.push(process.memoryUsage.rss());
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
