/**
 * A database for one test: in memory, empty but for the tables of the test, with a clock that can be moved.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { FlussClient } from "../client/client.ts";
import { dialEngine, Engine } from "../embedded/mod.ts";
import { scannersOf } from "../embedded/kv/scanners.ts";
import { memoryStorage } from "../embedded/storage/memory.ts";
import type { ChangeOf } from "../query/change_types.ts";
import { Db } from "../query/db.ts";
import { type ConnectOptions, readOptions } from "../query/options.ts";
import { resolvePath } from "../query/path.ts";
import { definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { ServerClock, type TestClock } from "./clock.ts";
import { type Failure, type FailureOptions, Failures, type Operation } from "./failures.ts";

/** The database of tables whose names have none. */
const DATABASE = "test";

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
  #closed = false;

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
    const { table } = options;
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
   * Flushes, closes the connection and the server, and looks for what the test has left open.
   *
   * @throws FlussUsageError `TEST.LEAKED` for scans and subscriptions that were neither read to their end nor ended, and
   * for failures that were asked for and never happened; and what `Db.close()` throws
   */
  override async close(options: { readonly drop?: boolean } = {}): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const leaks = this.#leaks();
    try {
      await super.close(options);
    } finally {
      this.#engine.close();
    }
    // Streams end, and those who wait are told, a turn later.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#client.alarms.size > 0) leaks.push(`${this.#client.alarms.size} timers of the connection`);
    if (this.#clock.size > 0) leaks.push(`${this.#clock.size} timers of the server`);
    if (leaks.length === 0) return;
    throw flussError("TEST.LEAKED", { message: `the test has left behind ${leaks.join(", ")}` });
  }

  #leaks(): string[] {
    const leaks: string[] = [];
    const readers = this.#client.readers.size + scannersOf(this.#engine).size;
    if (readers > 0) leaks.push(`${readers} open ${readers === 1 ? "scan or subscription" : "scans or subscriptions"}`);
    for (const { operation, left } of this.#failures.waiting) {
      leaks.push(`a failure of ${operation} that never happened (${left} left)`);
    }
    return leaks;
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
