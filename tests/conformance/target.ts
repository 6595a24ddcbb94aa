/**
 * A database of its own for every test of the conformance suite.
 *
 * @module
 */
import { connect, type ConnectOptions, type Db } from "../../mod.ts";
import { freshDatabase, type Target, target } from "../cluster.ts";

/** Connects, makes a database, runs the test in it, and removes it. */
export async function withDatabase(
  run: (db: Db, database: string) => Promise<void>,
  options: ConnectOptions = {},
  on: Target | undefined = target,
): Promise<void> {
  const database = freshDatabase();
  await using db = await connect(`fluss://${on!.bootstrap}`, { database, ...options });
  await db.admin.createDatabase(database);
  try {
    await run(db, database);
  } finally {
    await settlePartitions(db, database);
    await db.admin.dropDatabase(database, { cascade: true, ignoreIfNotExists: true });
  }
}

/**
 * Waits until every partition has its leaders. A coordinator of 0.9.1 that is still busy with a new partition when its
 * table is dropped fails with a null pointer, and elects no leader any more for as long as it lives (observed).
 */
async function settlePartitions(db: Db, database: string): Promise<void> {
  for (const name of await db.admin.tables(database)) {
    const table = `${database}.${name}`;
    if ((await db.admin.describe(table)).table.partitionKey.length === 0) continue;
    for (const partition of await db.admin.partitions(table)) {
      await db.admin.offsets(table, "latest", { partition: partition.name });
    }
  }
}
