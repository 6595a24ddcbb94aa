/**
 * Writes to a folder until it is killed. Says on standard output, which is a file, what it is about to write and what
 * was acknowledged.
 *
 *     <runtime> tests/faults/crash_child.ts FOLDER SEED FIRST_NUMBER BYTES_PER_ROW CHANGED_BYTES
 *
 * Changes of rows settle in their table from `CHANGED_BYTES` on, all the time where that is little. 0 is the default, by
 * `connect("file:")`; else the same server runs on ports of this process, because there is no option for it.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { connect } from "../../mod.ts";
import { Engine, listen } from "../../src/embedded/mod.ts";
import { openFileStorage } from "../../src/embedded/storage/file.ts";
import { Random } from "../random.ts";
import { events, KEYS, state } from "./crash_tables.ts";

const [folder, seed, first, bytes, changedBytes] = process.argv.slice(2) as [string, string, string, string, string];

/** How many writes wait for their acks at a time. */
const OUTSTANDING = 64;

const random = new Random(Number(seed));
const say = (line: string) => writeSync(1, `${line}\n`);

async function url(): Promise<string> {
  if (changedBytes === "0") return `file:${folder}`;
  const storage = await openFileStorage(folder, { changedBytes: Number(changedBytes) });
  const { coordinator } = await listen(new Engine({ storage }), { port: 0 });
  return `fluss://${coordinator.host}:${coordinator.port}`;
}

await using db = await connect(await url());
await db.admin.createDatabase("crash", { ignoreIfExists: true });
for (const declared of [state, events]) await db.admin.create(declared, { ignoreIfExists: true });
say("ready");
const [states, log] = [db.table(state), db.table(events)];
let number = Number(first);

async function write(): Promise<never> {
  for (;;) {
    const own = number++;
    const key = random.int(KEYS);
    const kind = random.pick(["upsert", "upsert", "upsert", "update", "delete", "append", "append"]);
    const filling = "x".repeat(random.int(Number(bytes)));
    say(`${kind} ${own} ${key}`);
    if (kind === "append") await log.append({ number: own, filling });
    else if (kind === "delete") await states.delete({ key });
    // A partial update: the filling stays.
    else if (kind === "update") await states.update({ key, number: own });
    else await states.upsert({ key, number: own, filling });
    say(`acked ${own}`);
  }
}

await Promise.all(Array.from({ length: OUTSTANDING }, write));
