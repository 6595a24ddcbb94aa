/**
 * The cluster that the conformance suite runs against, and a database of its own for every test file.
 *
 * @module
 */
import process from "node:process";
import { connect, type ConnectOptions, type Db } from "../../mod.ts";

/** What the runner says of a cluster, as JSON in the environment. */
export interface Target {
  readonly bootstrap: string;
  readonly sasl: { readonly bootstrap: string; readonly username: string; readonly password: string };
}

function read(name: string): Target | undefined {
  const json = process.env[name];
  return json === undefined ? undefined : JSON.parse(json) as Target;
}

/** One tablet server. */
export const target: Target | undefined = read("SLUICE_CLUSTER");
/** Three tablet servers, replication 3. */
export const target3: Target | undefined = read("SLUICE_CLUSTER3");

/** Options of tests that need the cluster. */
export const needsCluster: { readonly skip: string | false } = {
  skip: target === undefined ? "no cluster: SLUICE_CLUSTER is not set" : false,
};
/** Options of tests that need the large cluster. */
export const needsCluster3: { readonly skip: string | false } = {
  skip: target3 === undefined ? "no cluster of three: SLUICE_CLUSTER3 is not set" : false,
};

/** A database name that no other run uses. */
export function freshDatabase(): string {
  return `t_${Date.now().toString(36)}_${Math.floor(Math.random() * 1e9).toString(36)}`;
}

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
    await db.admin.dropDatabase(database, { cascade: true, ignoreIfNotExists: true });
  }
}
