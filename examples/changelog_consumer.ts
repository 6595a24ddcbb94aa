/**
 * A resumable changelog consumer: it follows a primary-key table and keeps a total per status up to date. Stop it at any
 * time and start it again: it goes on where it was, because the totals and the position in the log are one file.
 *
 *     deno run --allow-net --allow-read=. --allow-write=. examples/changelog_consumer.ts fluss://127.0.0.1:9123
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import { connect, type Db, t, table } from "../mod.ts";

export const orders = table("example.orders", {
  id: t.bigint(),
  status: t.string().oneOf("new", "paid", "shipped"),
  cents: t.bigint(),
}, { primaryKey: ["id"], buckets: 4 });

/** What is kept: how much money is in which status, and up to where the log was read. */
interface State {
  readonly token?: string;
  readonly totals: Record<string, number>;
}

/**
 * Follows the orders until the signal says stop.
 *
 * @param onBatch called whenever the totals are on disk
 */
export async function follow(
  db: Db,
  file: string,
  signal: AbortSignal,
  onBatch: (totals: Readonly<Record<string, number>>) => void = () => {},
): Promise<void> {
  const { token, totals } = await load(file);
  const add = (row: { status: string | null; cents: bigint | null }, sign: 1 | -1) => {
    const status = row.status ?? "unknown";
    totals[status] = (totals[status] ?? 0) + sign * Number(row.cents ?? 0n);
  };
  await using changes = db.table(orders).changes({
    from: token === undefined ? "earliest" : { token },
    select: ["status", "cents"],
    signal,
  });
  try {
    for await (const batch of changes.batches()) {
      for (const change of batch) {
        if (change.op === "update") add(change.before, -1);
        add(change.row, change.op === "delete" ? -1 : 1);
      }
      // Totals and position go to the disk in one piece, so that no change is counted twice, and none is lost.
      await save(file, { token: batch.checkpoint, totals });
      onBatch(totals);
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

async function load(file: string): Promise<State> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return { totals: {} };
    throw error;
  }
}

async function save(file: string, state: State): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(state));
  await rename(`${file}.new`, file);
}

if (import.meta.main) {
  await using db = await connect(process.argv[2] ?? "fluss://127.0.0.1:9123");
  await db.admin.createDatabase("example", { ignoreIfExists: true });
  await db.admin.create(orders, { ignoreIfExists: true });
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  await follow(db, "totals.json", stop.signal, (totals) => console.log(totals));
}
