/**
 * Follows a table of ids with managed checkpoints, writes each id to a file, and ends as it is told: by itself once it
 * has seen all ids, or killed after some changes.
 *
 *     <runtime> tests/changes_child.ts URL TABLE FOLDER SINK CHANGES kill|end
 */
import { appendFileSync, readFileSync } from "node:fs";
import process from "node:process";
import { connect, fileCheckpoints } from "../mod.ts";

const [url, name, folder, sink, changes, end] = process.argv.slice(2) as [
  string,
  `${string}.${string}`,
  string,
  string,
  string,
  "kill" | "end",
];

await using db = await connect(url);
const numbers = await db.table(name);
await using subscription = numbers.changes({
  checkpoint: { store: fileCheckpoints(folder), id: "numbers", everyRows: 3 },
});
let count = 0;
for await (const { row } of subscription) {
  appendFileSync(sink, `${String(row["id"])}\n`);
  count++;
  if (end === "kill" && count === Number(changes)) process.kill(process.pid, "SIGKILL");
  if (end === "end" && new Set(readFileSync(sink, "utf8").trimEnd().split("\n")).size === Number(changes)) break;
}
