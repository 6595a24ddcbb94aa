/**
 * What the tests of this folder share: our connection, a database of their own, and the official clients.
 *
 * @module
 */
import { type AnyTable, connect, type Db, FlussError, t, table, type UntypedHandle } from "../../mod.ts";
import { dropDatabase, freshDatabase, repairing, target } from "../cluster.ts";
import { type Counterpart, start } from "./counterpart.ts";
import type { Language } from "./kinds.ts";
import type { ArrowText, LogText, Text, WireType } from "./protocol.ts";

export const LANGUAGES: readonly Language[] = ["java", "python"];

/** A running exchange. */
export interface Session {
  readonly db: Db;
  readonly database: string;
  readonly counterparts: ReadonlyMap<Language, Counterpart>;
  /** Why a counterpart is missing. */
  readonly absent: ReadonlyMap<Language, string>;
  /** Ends everything and resolves to how each counterpart ended. */
  close(): Promise<string[]>;
}

/** Starts what there is. Without a cluster there is no session, and every language says so. */
export async function openSession(): Promise<Session> {
  const absent = new Map<Language, string>();
  const counterparts = new Map<Language, Counterpart>();
  if (target === undefined) {
    for (const language of LANGUAGES) absent.set(language, "no cluster: SLUICE_CLUSTER is not set");
    return { db: undefined as never, database: "", counterparts, absent, close: () => Promise.resolve([]) };
  }
  const database = freshDatabase();
  const [db, ...starts] = await Promise.all([
    // A row that does not arrive is a failure of its test, well before the runner gives up on the file.
    connect(`fluss://${target.bootstrap}`, { database, writer: { deliveryTimeoutMs: 20_000 } }),
    ...LANGUAGES.map((language) => start(language, target!.bootstrap)),
  ]);
  starts.forEach((started, i) => {
    if ("absent" in started) absent.set(LANGUAGES[i]!, started.absent);
    else counterparts.set(LANGUAGES[i]!, started.counterpart);
  });
  await db.admin.createDatabase(database);
  return {
    db,
    database,
    counterparts,
    absent,
    async close(): Promise<string[]> {
      const ends = Promise.all([...counterparts.values()].map((counterpart) => counterpart.close()));
      await dropDatabase(db, database);
      await db.close();
      return await ends;
    },
  };
}

let turn: Promise<void> = Promise.resolve();

/**
 * Creates a table and waits until all its buckets have leaders; one table after another, whoever asks.
 *
 * A busy coordinator of 0.9.1 can miss that a table was created: it takes the table's node for new only when it saw the
 * node while it was still empty (Fluss: TableChangeWatcher.java), and on a busy machine it may look too late. Such a
 * table never gets a leader (observed: 1 in 200), so it is dropped and created again.
 */
export function createTable(db: Db, declared: AnyTable): Promise<void> {
  const created = turn.then(async () => {
    for (let attempt = 1;; attempt++) {
      await db.admin.create(declared);
      try {
        return void await db.admin.offsets(declared, "latest", { timeoutMs: 5_000 });
      } catch (error) {
        if (attempt === 3 || !FlussError.is(error, "TIMEOUT.REQUEST")) throw error;
        console.warn(`${declared.name} got no leader, so it is created again: ${(error as Error).message}`);
        await db.admin.drop(declared);
      }
    }
  });
  turn = created.catch(() => {});
  return created;
}

/**
 * Creates tables that will get partitions, and resolves when the coordinator has taken notice of them.
 *
 * When it hears of a partition of a table that it does not know (yet), it fails with a null pointer and elects no
 * leader any more for as long as it lives. Nothing tells when it knows a partitioned table; that a table created later
 * has leaders is the nearest to it.
 */
export async function createBeforePartitions(db: Db, tables: readonly AnyTable[]): Promise<void> {
  for (const declared of tables) await db.admin.create(declared);
  await createTable(db, table(`after_${tables[0]!.name}`, { id: t.int() }, { primaryKey: ["id"], buckets: 1 }));
}

/** Runs an exchange over a table by the rules of `repairing()`; every attempt gets a name of its own for the table. */
export async function exchange<T>(session: Session, name: string, run: (name: string) => Promise<T>): Promise<T> {
  let result: T;
  await repairing(target!, () => session.database, async (_, attempt) => {
    result = await run(attempt === 1 ? name : `${name}_${attempt}`);
  });
  return result!;
}

/** The operations of a counterpart on one table. */
export interface Theirs {
  append(rows: readonly Text[][]): Promise<void>;
  appendArrow(rows: readonly Text[][]): Promise<void>;
  readLog(count: number): Promise<LogText[]>;
  toArrow(rows: readonly Text[][], compression: "lz4" | "zstd" | null): Promise<string>;
  fromArrow(stream: string): Promise<ArrowText>;
  upsert(rows: readonly Text[][], columns?: string[]): Promise<void>;
  delete(keys: readonly Text[][]): Promise<void>;
  lookup(keys: readonly Text[][], options?: { insertIfMissing: true }): Promise<(Text[] | null)[]>;
  prefixLookup(columns: readonly string[], prefixes: readonly Text[][]): Promise<Text[][][]>;
}

/** Our handle of a table whose columns come from data. */
export function untyped(db: Db, declared: AnyTable): UntypedHandle {
  return db.table(declared) as unknown as UntypedHandle;
}

/** Opens a table, which exists, on a counterpart. */
export async function openTheirs(
  session: Session,
  language: Language,
  name: string,
  columns: readonly (readonly [string, WireType])[],
): Promise<Theirs> {
  const counterpart = session.counterparts.get(language)!;
  const table = `${session.database}.${name}`;
  await counterpart.call({ op: "open", table, columns });
  return {
    append: (rows) => counterpart.call({ op: "append", table, rows }),
    appendArrow: (rows) => counterpart.call({ op: "appendArrow", table, rows }),
    readLog: (count) => counterpart.call({ op: "readLog", table, count }),
    toArrow: (rows, compression) => counterpart.call({ op: "toArrow", table, rows, compression }),
    fromArrow: (stream) => counterpart.call({ op: "fromArrow", stream }),
    upsert: (rows, columns) =>
      counterpart.call({ op: "upsert", table, rows, ...(columns === undefined ? {} : { columns }) }),
    delete: (keys) => counterpart.call({ op: "delete", table, keys }),
    lookup: (keys, options = undefined) => counterpart.call({ op: "lookup", table, keys, ...options }),
    prefixLookup: (columns, prefixes) => counterpart.call({ op: "prefixLookup", table, columns, prefixes }),
  };
}

/** Runs jobs a few at a time, from when the outcome of one is first asked for; much of their time is waiting. */
export function together(jobs: readonly (() => Promise<void>)[], width: number): (() => Promise<void>)[] {
  const outcomes = jobs.map(() => Promise.withResolvers<void>());
  let started = false;
  const run = async () => {
    started = true;
    let next = 0;
    const worker = async () => {
      while (next < jobs.length) {
        const at = next++;
        await jobs[at]!().then(outcomes[at]!.resolve, outcomes[at]!.reject);
      }
    };
    await Promise.all(Array.from({ length: width }, worker));
  };
  // A failure belongs to the test that asks for it, which may be later.
  for (const { promise } of outcomes) promise.catch(() => {});
  return outcomes.map(({ promise }) => async () => {
    if (!started) void run();
    await promise;
  });
}

/** A value as text that shows everything about it, to compare and to print. */
export function show(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `bytes ${Array.from(value, (b) => b.toString(16).padStart(2, "0")).join("")}`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (value instanceof Map) return `Map{${[...value].map(([k, v]) => `${show(k)} => ${show(v)}`).join(", ")}}`;
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  if (typeof tag === "string" && tag.startsWith("Temporal.")) return `${tag} ${value}`;
  return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${show(v)}`).join(", ")}}`;
}
