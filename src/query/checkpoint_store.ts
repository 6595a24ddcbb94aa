/**
 * Where managed subscriptions keep their resume tokens.
 *
 * @module
 */
import { t } from "../schema/configure.ts";
import { table } from "../schema/table.ts";
import type { Db } from "./db.ts";

/** Keeps resume tokens by the id of a subscription. Any object with these two methods will do. */
export interface CheckpointStore {
  /** The token that was saved last, if there is one. */
  get(id: string): Promise<string | undefined>;
  /** Saves a token in place of the one before. It must be safe when the promise resolves. */
  set(id: string, token: string): Promise<void>;
}

/** How a subscription keeps its checkpoints by itself. */
export interface CheckpointOptions {
  /** Where they are kept: {@linkcode memoryCheckpoints}, {@linkcode fileCheckpoints}, {@linkcode tableCheckpoints}, or your own. */
  readonly store: CheckpointStore;
  /** The name of this subscription in the store. */
  readonly id: string;
  /** Saves after so many changes at the latest. Default 1000. */
  readonly everyRows?: number;
  /** Saves after so many milliseconds at the latest, if there is something new. Default 5000. */
  readonly everyMs?: number;
}

/**
 * A store that lives as long as the process.
 *
 * @example
 * ```ts
 * import { memoryCheckpoints } from "sluice";
 *
 * const store = memoryCheckpoints();
 * await store.set("etl-1", "a token");
 * console.log(await store.get("etl-1"));
 * ```
 */
export function memoryCheckpoints(): CheckpointStore {
  const tokens = new Map<string, string>();
  return {
    get: (id) => Promise.resolve(tokens.get(id)),
    set(id, token) {
      tokens.set(id, token);
      return Promise.resolve();
    },
  };
}

/**
 * A store in a folder, with one file per subscription. A file is replaced as a whole and written through to the disk, so
 * that a crash leaves the old token or the new one.
 *
 * @param folder made when it is not there; on Deno it must be readable and writable
 *
 * @example
 * ```ts
 * import { connect, fileCheckpoints } from "sluice";
 *
 * export async function tail(url: string): Promise<void> {
 *   await using db = await connect(url);
 *   const orders = await db.table("shop.orders");
 *   await using changes = orders.changes({
 *     from: "earliest",
 *     checkpoint: { store: fileCheckpoints("./checkpoints"), id: "tail" },
 *   });
 *   for await (const change of changes) console.log(change.op, change.row);
 * }
 * ```
 */
export function fileCheckpoints(folder: string): CheckpointStore {
  // Encoded, an id is one name: it has no separator, and no dots that lead out of the folder.
  const fileOf = (id: string) => `${folder}/${encodeURIComponent(id)}.token`;
  let saves = 0;
  return {
    async get(id) {
      const { readFile } = await import("node:fs/promises");
      try {
        return await readFile(fileOf(id), "utf8");
      } catch (error) {
        if ((error as { code?: unknown }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async set(id, token) {
      const { mkdir, open, rename, rm } = await import("node:fs/promises");
      await mkdir(folder, { recursive: true });
      const unfinished = `${fileOf(id)}.${++saves}.new`;
      try {
        const file = await open(unfinished, "w");
        try {
          await file.writeFile(token);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, fileOf(id));
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
  };
}

/**
 * A store in a primary-key table of Fluss. Database and table are made when they are not there.
 *
 * @param db the connection to use; it may be the one of the subscription
 * @param name the table, as `database.table`
 *
 * @example
 * ```ts
 * import { connect, tableCheckpoints } from "sluice";
 *
 * export async function saved(url: string): Promise<string | undefined> {
 *   await using db = await connect(url);
 *   return await tableCheckpoints(db).get("etl-1");
 * }
 * ```
 */
export function tableCheckpoints(db: Db, name: `${string}.${string}` = "sluice.checkpoints"): CheckpointStore {
  const checkpoints = table(name, { id: t.string(), token: t.string() }, {
    primaryKey: ["id"],
    buckets: 1,
    comment: "resume tokens of subscriptions",
  });
  let ready: Promise<void> | undefined;
  const prepare = async (): Promise<void> => {
    await db.admin.createDatabase(name.slice(0, name.indexOf(".")), { ignoreIfExists: true });
    await db.admin.create(checkpoints, { ignoreIfExists: true });
  };
  const prepared = async () => {
    ready ??= prepare();
    try {
      await ready;
    } catch (error) {
      ready = undefined;
      throw error;
    }
    return db.table(checkpoints);
  };
  return {
    async get(id) {
      return (await (await prepared()).lookup({ id }))?.token ?? undefined;
    },
    async set(id, token) {
      await (await prepared()).upsert({ id, token });
    },
  };
}
