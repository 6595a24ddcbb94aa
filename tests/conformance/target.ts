/**
 * A database of its own for every test of the conformance suite.
 *
 * @module
 */
import { connect, type ConnectOptions, type Db } from "../../mod.ts";
import { inFreshDatabase, type Target, target } from "../cluster.ts";

/** What cannot be done in this time fails its test well before the runner gives up on the file. */
const PATIENCE_MS = 20_000;

/** Connects with a new database and runs the test in it, again where the server's bug was in its way. */
export function withDatabase(
  run: (db: Db, database: string) => Promise<void>,
  options: ConnectOptions = {},
  on: Target | undefined = target,
): Promise<void> {
  return inFreshDatabase(on!, async (database) => {
    await using db = await connect(on!.url, {
      database,
      requestTimeoutMs: PATIENCE_MS,
      ...options,
      writer: { deliveryTimeoutMs: PATIENCE_MS, ...options.writer },
    });
    await run(db, database);
  });
}
