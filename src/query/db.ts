/**
 * A connection to a cluster, as users hold it.
 *
 * @module
 */
import type { CallOptions } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import { fetchTableInfo } from "../client/cluster/tables.ts";
import { definitionFromLive } from "../schema/live_definition.ts";
import { definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { Admin } from "./admin/admin.ts";
import { planSubscription } from "./change_options.ts";
import type { NamedChangeOf, Subscription, SubscriptionOptions } from "./change_types.ts";
import { RuntimeSubscription } from "./changes.ts";
import type { TableHandle, UntypedHandle } from "./handle_types.ts";
import { resolvePath } from "./path.ts";
import { RuntimeTableHandle } from "./table_handle.ts";

/**
 * A connection. Dispose of it with `await using`, or call `close()`.
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 *
 * async function greet(url: string): Promise<string> {
 *   await using db = await connect(url);
 *   const user = await db.table(users).lookup({ id: 1n });
 *   return `hello ${user?.name ?? "stranger"}`;
 * }
 * ```
 */
export class Db implements AsyncDisposable {
  /** Databases, tables, partitions, offsets and servers. */
  readonly admin: Admin;
  readonly #client: FlussClient;
  readonly #database: string | undefined;
  readonly #handles = new WeakMap<AnyTable, RuntimeTableHandle>();

  /** Use `connect()`. */
  constructor(client: FlussClient, database: string | undefined) {
    this.#client = client;
    this.#database = database;
    this.admin = new Admin(client, database);
  }

  /**
   * A handle on a table: cheap, at once, and the same one every time. The table is looked at on the handle's first call.
   *
   * Given a name instead of a declaration, the declaration is made from the live table; that takes a request, so the
   * handle comes as a promise, and its rows are untyped.
   */
  table<T extends AnyTable>(table: T): TableHandle<T>;
  /** The untyped handle of a live table. */
  table(name: string): Promise<UntypedHandle>;
  table(table: AnyTable | string): unknown {
    return typeof table === "string" ? this.#untyped(table) : this.#handle(table);
  }

  #handle(table: AnyTable): RuntimeTableHandle {
    let handle = this.#handles.get(table);
    if (handle === undefined) {
      const path = resolvePath(table.name, this.#database);
      handle = new RuntimeTableHandle(this.#client, path, definitionOf(table));
      this.#handles.set(table, handle);
    }
    return handle;
  }

  async #untyped(name: string): Promise<unknown> {
    const path = resolvePath(name, this.#database);
    const info = await fetchTableInfo(this.#client.cluster, path, {});
    return new RuntimeTableHandle(this.#client, path, definitionFromLive(path, info.table));
  }

  /**
   * The changes of several tables in one subscription, whose fetches share requests. Order holds per bucket only.
   * Changes carry the name of their table; tokens are of all tables.
   *
   * @throws FlussUsageError `SUBSCRIPTION.BAD_OPTIONS`, `SCAN.BAD_POSITION`; FlussSubscriptionError
   * `SUBSCRIPTION.BAD_TOKEN`
   *
   * @example
   * ```ts
   * import { connect, t, table } from "sluice";
   *
   * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
   * const clicks = table("web.clicks", { url: t.string().notNull() });
   *
   * export async function follow(url: string): Promise<void> {
   *   await using db = await connect(url);
   *   await using changes = db.changes([users, clicks]);
   *   for await (const change of changes) {
   *     if (change.table === "web.clicks") console.log(change.row.url);
   *     else console.log(change.op, change.row.name);
   *   }
   * }
   * ```
   */
  changes<const T extends AnyTable, const W extends boolean = false>(
    tables: readonly T[],
    options: SubscriptionOptions<W> = {},
  ): Subscription<NamedChangeOf<T, W>> {
    const followed = tables.map((table) => ({
      binding: RuntimeTableHandle.bindingOf(this.#handle(table)),
      label: table.name,
    }));
    return new RuntimeSubscription(this.#client, planSubscription(followed, options)) as Subscription<never>;
  }

  /**
   * Resolves when there is room for more rows: when no more than half of `writer.maxBytes` is queued. Await it after
   * `WRITE.QUEUE_FULL`, or between batches of writes.
   */
  get ready(): Promise<void> {
    return this.#client.writer.ready;
  }

  /** Bytes of rows that are queued and not acknowledged. */
  get queuedBytes(): number {
    return this.#client.writer.queuedBytes;
  }

  /**
   * Sends everything that is queued and waits until it is acknowledged.
   *
   * Rows that are queued and never flushed are lost when the process exits.
   *
   * @throws FlussWriteError `WRITE.FAILED` with the failures of rows whose ack nobody awaited, since the last flush
   * @throws FlussTimeoutError `TIMEOUT.FLUSH`
   */
  async flush(options: CallOptions = {}): Promise<void> {
    await this.#client.flush(options);
  }

  /**
   * Flushes, then closes all sockets. With `drop` what is queued is given up.
   *
   * @throws FlussWriteError `WRITE.FAILED`, FlussTimeoutError `TIMEOUT.CLOSE`; the sockets are closed all the same
   */
  async close(options: { readonly drop?: boolean } = {}): Promise<void> {
    await this.#client.close(options);
  }

  /** As {@linkcode Db.close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What inspection shows: no password, no rows. */
  toJSON(): { readonly url: string } {
    const { bootstrap, tls, embedded } = this.#client.options;
    if (embedded !== undefined) {
      return { url: embedded.kind === "file" ? `file:${embedded.folder}` : `memory:${embedded.name ?? ""}` };
    }
    return { url: `fluss${tls ? "+tls" : ""}://${bootstrap.map(({ host, port }) => `${host}:${port}`).join(",")}` };
  }
}
