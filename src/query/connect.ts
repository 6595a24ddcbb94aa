/**
 * Opening a connection.
 *
 * @module
 */
import { FlussClient } from "../client/client.ts";
import { Db } from "./db.ts";
import { type EmbeddedServer, embeddedServer } from "./embedded.ts";
import { type ConnectOptions, readOptions } from "./options.ts";

/** The function {@linkcode connect}, with its lazy form. */
export interface Connect {
  /**
   * Connects to a Fluss cluster, or to a server inside of this process. Resolves when it has answered for the first
   * time.
   *
   * @param url one of
   *   - `fluss://host:port,host:port`: one or more servers of the cluster, of any kind; they stay a fallback for as long
   *     as the connection lives
   *   - `memory:`: a server of this connection alone, gone when it closes; `memory:name` is shared by the connections of
   *     this process, and gone when the last one closes
   *   - `file:./data`: a server that keeps everything in a folder, for one process at a time
   * @throws FlussUsageError `CONNECTION.BAD_URL`, `CONNECTION.BAD_OPTION`
   * @throws FlussConnectionError `CONNECTION.REFUSED`, `CONNECTION.AUTH_FAILED`, ...
   * @throws FlussStorageError `STORAGE.LOCKED` when another process has the folder, and others of its kind
   *
   * @example
   * ```ts
   * import { connect } from "sluice";
   *
   * async function listDatabases(): Promise<string[]> {
   *   await using db = await connect("fluss://127.0.0.1:9123", { requestTimeoutMs: 5_000 });
   *   return await db.admin.databases();
   * }
   * ```
   */
  (url: string, options?: ConnectOptions): Promise<Db>;
  /**
   * As `connect`, but returns at once; the first call that needs the cluster connects. For module scope.
   *
   * @throws FlussUsageError `CONNECTION.BAD_URL`, `CONNECTION.BAD_OPTION`
   */
  lazy(url: string, options?: ConnectOptions): Db;
}

function open(
  url: string,
  options: ConnectOptions | undefined,
): { readonly client: FlussClient; readonly db: Db; readonly server: EmbeddedServer | undefined } {
  const { client: clientOptions, database } = readOptions(url, options);
  const { embedded } = clientOptions;
  const server = embedded === undefined ? undefined : embeddedServer(embedded);
  const client = new FlussClient(clientOptions, server);
  return { client, db: new Db(client, database), server };
}

/** Connects to a Fluss cluster; see {@linkcode Connect}. */
export const connect: Connect = Object.assign(
  async (url: string, options?: ConnectOptions): Promise<Db> => {
    const { client, db, server } = open(url, options);
    try {
      await server?.open();
      await client.cluster.start();
    } catch (error) {
      await client.close({ drop: true });
      throw error;
    }
    return db;
  },
  { lazy: (url: string, options?: ConnectOptions): Db => open(url, options).db },
);
