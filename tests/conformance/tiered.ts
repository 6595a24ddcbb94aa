/**
 * Tables whose logs servers move to remote storage, and what a read of them brings from where.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Db, type RemoteOptions, t, table } from "../../mod.ts";
import { FlussClient } from "../../src/client/client.ts";
import { LogReader } from "../../src/client/read/log_reader.ts";
import { listBuckets } from "../../src/client/read/ranges.ts";
import { TableBinding } from "../../src/client/table/bound_table.ts";
import { readOptions } from "../../src/query/options.ts";
import { definitionOf } from "../../src/schema/definition.ts";
import type { Target } from "../cluster.ts";

const properties = { "table.log.tiered.local-segments": "1" };

/** A log table. */
export const events = table("events", { n: t.int().notNull(), text: t.string() }, { buckets: 2, properties });

/** A primary-key table. */
export const users = table("users", { id: t.int(), n: t.int(), text: t.string() }, { primaryKey: ["id"], properties });

/** Texts that compression does not make small. */
export function textOf(n: number): string {
  let text = "";
  for (let i = 0; i < 12; i++) text += Math.imul(n * 31 + i, 0x9e3779b1).toString(36);
  return text;
}

/** Creates the log table with rows from 0 up. */
export async function writeEvents(db: Db, count: number): Promise<void> {
  await db.admin.create(events);
  for (let n = 0; n < count; n += 500) {
    await db.table(events).appendAll(Array.from({ length: 500 }, (_, i) => ({ n: n + i, text: textOf(n + i) })));
  }
}

/** Creates the primary-key table and writes all its rows, several times. */
export async function writeUsers(db: Db, ids: number, rounds: number): Promise<void> {
  await db.admin.create(users);
  for (let n = 0; n < rounds; n++) {
    await db.table(users).upsertAll(Array.from({ length: ids }, (_, id) => ({ id, n, text: textOf(n * ids + id) })));
  }
}

/** Reads all changes of what `writeUsers()` wrote. */
export async function followUsers(db: Db, ids: number, rounds: number): Promise<void> {
  const last = new Map<number, number>();
  await using changes = db.table(users).changes({ from: "earliest" });
  for await (const event of changes) {
    const { id, n, text } = event.row;
    assert.equal(n, last.has(id) ? last.get(id)! + 1 : 0);
    assert.equal(text, textOf(n! * ids + id));
    assert.equal(event.op, n === 0 ? "insert" : "update");
    if (event.op === "update") assert.equal(event.before.n, n! - 1);
    last.set(id, n!);
    if (last.size === ids && [...last.values()].every((n) => n === rounds - 1)) break;
  }
}

/** What one read of a table brought. */
export interface Found {
  readonly rows: number;
  /** Bytes of log batches that came from remote storage. */
  readonly remoteBytes: number;
  /** Bytes of log batches that came from the servers. */
  readonly bytes: number;
}

/** Reads a whole log. */
async function read(
  on: Target,
  db: Db,
  database: string,
  of: typeof events | typeof users,
  remote: RemoteOptions,
): Promise<Found> {
  const { client: options } = readOptions(`fluss://${on.bootstrap}`, { scanner: { remote } });
  const client = new FlussClient(options);
  try {
    await client.cluster.start();
    const binding = new TableBinding(client, { database, table: of.name }, definitionOf(of));
    const deadline = client.cluster.deadline();
    const bound = await binding.find(deadline);
    const reader = new LogReader(client);
    const source = { bound, columns: bound.codec.layout.declared };
    const ends = await db.admin.offsets(of, "latest");
    for (const bucket of await listBuckets(client, bound, undefined, deadline)) {
      const stop = ends.find((end) => end.bucket === bucket.bucket)!.offset;
      reader.add({ source, ...bucket, start: -2n, stop });
    }
    const offsets = new Map<number, bigint>();
    let rows = 0;
    for (let chunk = await reader.next(); chunk !== undefined; chunk = await reader.next()) {
      assert.equal(chunk.firstOffset, offsets.get(chunk.bucket) ?? 0n, "neither a gap nor a repeat");
      offsets.set(chunk.bucket, chunk.nextOffset);
      rows += chunk.columns.length;
    }
    for (const { bucket, offset } of ends) assert.equal(offsets.get(bucket) ?? 0n, offset);
    return { rows, remoteBytes: reader.stats.remoteBytes, bytes: reader.stats.bytes };
  } finally {
    await client.close();
  }
}

/** Reads a whole log until a part of it comes from remote storage. */
export async function whenRemote(
  on: Target,
  db: Db,
  database: string,
  of: typeof events | typeof users,
  remote: RemoteOptions = {},
): Promise<Found> {
  const end = performance.now() + 60_000;
  while (true) {
    const found = await read(on, db, database, of, remote);
    if (found.remoteBytes > 0) return found;
    assert.ok(performance.now() < end, "nothing was moved to remote storage in a minute");
    // The server moves segments by its own clock, and says so to nobody but those who read.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
