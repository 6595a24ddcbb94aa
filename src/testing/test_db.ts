/**
 * A database for one test: in memory, empty but for the tables of the test, with a clock that can be moved.
 *
 * @module
 */
import { FlussError } from "../base/errors.ts";
import { FlussClient } from "../client/client.ts";
import { dialEngine, Engine } from "../embedded/mod.ts";
import { memoryStorage } from "../embedded/storage/memory.ts";
import type { ChangeOf } from "../query/change_types.ts";
import { Db } from "../query/db.ts";
import { type ConnectOptions, readOptions } from "../query/options.ts";
import { resolvePath } from "../query/path.ts";
import { definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { ServerClock, type TestClock } from "./clock.ts";
import { badOption, type Failure, type FailureOptions, Failures, type Operation } from "./failures.ts";
import { failureLeaks, type Leak, leaked, lookupLeaks, readerLeaks, timerLeaks } from "./leaks.ts";

/** The database of tables whose names have none. */
const DATABASE = "test";

/** Turns of the event loop that what was ended just now may take. */
const SETTLING_TURNS = 50;

const FAIL_OPTIONS: readonly string[] = ["table", "code", "times", "message"];

/** What {@linkcode TestDb.fail} is told. */
export interface FailOptions extends FailureOptions {
  /** The table whose requests fail. Default: any. */
  readonly table?: AnyTable | string;
}

/**
 * A connection to a server of its own, see {@linkcode testDb}.
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 * import { testDb } from "sluice/testing";
 *
 * const orders = table("shop.orders", { id: t.int(), status: t.string() }, { primaryKey: ["id"] });
 *
 * await using db = await testDb([orders]);
 * await db.seed(orders, [{ id: 1, status: "new" }]);
 * db.fail("upsert", { table: orders }); // once; the writer tries again
 * await db.table(orders).upsert({ id: 1, status: "paid" });
 * const changes = await db.changesOf(orders);
 * console.log(changes.map(({ op }) => op)); // ["insert", "update"]
 * ```
 */
export class TestDb extends Db {
  /** The server's clock: logs expire and partitions come and go by it. */
  readonly clock: TestClock;
  readonly #client: FlussClient;
  readonly #engine: Engine;
  readonly #failures: Failures;
  readonly #clock: ServerClock;
  readonly #database: string;
  #ending: Promise<unknown> | undefined;

  /** Use {@linkcode testDb}. */
  constructor(client: FlussClient, database: string, engine: Engine, clock: ServerClock) {
    super(client, database);
    this.clock = this.#clock = clock;
    this.#client = client;
    this.#engine = engine;
    this.#database = database;
    this.#failures = new Failures(engine);
  }

  /**
   * Makes the server fail: the next request of this kind is refused, and whatever the client does about it happens for
   * real.
   *
   * @throws FlussUsageError `TEST.BAD_OPTION` for what cannot fail, or a code that no server sends
   */
  fail(operation: Operation, options: FailOptions = {}): Failure {
    for (const key of Object.keys(options)) {
      if (!FAIL_OPTIONS.includes(key)) {
        throw badOption(`there is no option "${key}"`, `there are ${FAIL_OPTIONS.join(", ")}`);
      }
    }
    const { table } = options;
    if (typeof table === "object") checkKind(operation, table);
    return this.#failures.add(operation, table === undefined ? undefined : this.#nameOf(table), options);
  }

  /** Writes rows and waits until they are there: upserts, or appends where the table has no key. */
  async seed<T extends AnyTable>(table: T, rows: Iterable<T["$insert"]>): Promise<void> {
    const handle = this.table(table as AnyTable) as unknown as {
      upsertAll(rows: Iterable<unknown>): Promise<unknown>;
      appendAll(rows: Iterable<unknown>): Promise<unknown>;
    };
    if (definitionOf(table).primaryKey.length > 0) await handle.upsertAll(rows);
    else await handle.appendAll(rows);
  }

  /** Every change of a table so far, in the order of each bucket; of a log table its records. */
  async changesOf<T extends AnyTable>(table: T): Promise<ChangeOf<T, keyof T["$row"] & string, false>[]> {
    await this.flush();
    const found: ChangeOf<T, keyof T["$row"] & string, false>[] = [];
    const changes = this.table(table).changes({ until: "latest" }) as unknown as AsyncIterable<typeof found[number]>;
    for await (const change of changes) found.push(change);
    return found;
  }

  /**
   * Flushes, closes the connection and the server, and looks for what the test has left behind.
   *
   * @throws FlussUsageError `TEST.LEAKED` for scans and subscriptions that are open, lookups without an answer, and
   * failures that were asked for and never happened; what `Db.close()` throws, `WRITE.FAILED` for one
   */
  override async close(options: { readonly drop?: boolean } = {}): Promise<void> {
    await this.#end(options, () => true);
  }

  /**
   * As {@linkcode TestDb.close}, also for a test that has failed. Runtimes then show a `SuppressedError`, and neither the
   * test's own error nor the one that is thrown here. So leaks are printed, and those that such a test may well have,
   * lookups and failures that never happened, are printed alone.
   */
  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#end({}, ({ incidental }) => !incidental);
    } catch (error) {
      if (FlussError.is(error, "TEST.LEAKED")) console.warn(String(error));
      throw error;
    }
  }

  async #end(options: { readonly drop?: boolean }, isThrown: (leak: Leak) => boolean): Promise<void> {
    if (this.#ending !== undefined) {
      // Told already.
      await this.#ending.catch(() => {});
      return;
    }
    const ending = this.#ending = this.#close(options);
    const { leaks, failure } = await ending;
    const thrown = leaks.filter(isThrown);
    const told = leaks.filter((leak) => !isThrown(leak));
    if (told.length > 0) console.warn(String(leaked(told, undefined)));
    if (thrown.length > 0) throw leaked(thrown, failure);
    if (failure !== undefined) throw failure;
  }

  async #close(options: { readonly drop?: boolean }): Promise<{ readonly leaks: Leak[]; readonly failure?: unknown }> {
    const leaks = lookupLeaks(this.#client);
    await this.#settle();
    leaks.push(...readerLeaks(this.#client, this.#engine));
    let failure: unknown;
    try {
      await super.close(options);
    } catch (error) {
      failure = error;
    } finally {
      this.#engine.close();
    }
    // Streams end, and those who wait are told, a turn later.
    await turn();
    // What was queued is written by now, or has failed.
    leaks.push(...failureLeaks(this.#failures), ...timerLeaks(this.#client, this.#clock));
    return { leaks, failure };
  }

  /** Scans that the test has left tell the server so, and that takes a few turns. */
  async #settle(): Promise<void> {
    for (let turns = 0; turns < SETTLING_TURNS && readerLeaks(this.#client, this.#engine).length > 0; turns++) {
      await turn();
    }
  }

  #nameOf(table: AnyTable | string): string {
    const path = resolvePath(typeof table === "string" ? table : table.name, this.#database);
    return `${path.database}.${path.table}`;
  }
}

/** What {@linkcode testDb} is told: options of a connection. The database is `test` unless told. */
export type TestDbOptions = Omit<ConnectOptions, "username" | "password" | "resolveAddress">;

/**
 * Opens a database for one test: in memory, seen by nobody else, with these tables made. Dispose of it with
 * `await using`; that looks for leaks.
 *
 * @param tables the tables of the test; their databases are made as well
 * @throws FlussUsageError and FlussServerError, as `connect()` and `db.admin.create()` do
 */
export async function testDb(tables: readonly AnyTable[] = [], options: TestDbOptions = {}): Promise<TestDb> {
  const { client: clientOptions, database = DATABASE } = readOptions("memory:", options);
  const clock = new ServerClock();
  const engine = new Engine({ storage: memoryStorage(), clock });
  const client = new FlussClient(clientOptions, {
    dial: (_host, port) => Promise.resolve(dialEngine(engine, port)),
    close: () => Promise.resolve(),
  });
  const db = new TestDb(client, database, engine, clock);
  try {
    const databases = new Set(tables.map((table) => resolvePath(table.name, database).database));
    for (const name of databases.add(database)) await db.admin.createDatabase(name, { ignoreIfExists: true });
    for (const table of tables) await db.admin.create(table);
  } catch (error) {
    await db.close({ drop: true });
    throw error;
  }
  return db;
}

/** A failure that cannot happen would only be found at the end. */
function checkKind(operation: Operation, table: AnyTable): void {
  const hasKey = definitionOf(table).primaryKey.length > 0;
  const needsKey = ["upsert", "update", "delete", "lookup", "prefixLookup"].includes(operation);
  if (hasKey ? operation !== "append" : !needsKey) return;
  throw badOption(
    `${operation}() is nothing that can be done with ${table.name}, which has ${hasKey ? "a" : "no"} primary key`,
    hasKey ? 'let "upsert" fail' : 'let "append" fail',
  );
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
