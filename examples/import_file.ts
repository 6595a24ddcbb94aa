/**
 * Imports a file of JSON lines into a primary-key table, no faster than the cluster takes the rows.
 *
 *     deno run --allow-net --allow-read examples/import_file.ts users.jsonl fluss://127.0.0.1:9123
 */
import { createReadStream } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { connect, type Db, FlussError, fromJson, type InferInsert } from "../mod.ts";
import { users } from "./http_service.ts";

/** The rows of a file, one JSON object a line. */
async function* readRows(file: string): AsyncIterable<InferInsert<typeof users>> {
  for await (const line of createInterface({ input: createReadStream(file, "utf8") })) {
    if (line.trim() !== "") yield fromJson(users, JSON.parse(line), "insert");
  }
}

/** Imports a file. Resolves when every row is acknowledged, with their number. */
export async function importFile(db: Db, file: string): Promise<number> {
  const { rows } = await db.table(users).upsertAll(readRows(file));
  return rows;
}

if (import.meta.main) {
  const [file, url = "fluss://127.0.0.1:9123"] = process.argv.slice(2);
  if (file === undefined) {
    console.error("usage: import_file.ts FILE [URL]");
    process.exit(2);
  }
  await using db = await connect(url);
  await db.admin.createDatabase("example", { ignoreIfExists: true });
  await db.admin.create(users, { ignoreIfExists: true });
  try {
    console.log(`${await importFile(db, file)} rows`);
  } catch (error) {
    if (!FlussError.is(error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
