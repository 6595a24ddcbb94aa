import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Db, FlussError, t, table } from "../../mod.ts";
import { FlussClient } from "../../src/client/client.ts";
import { LogReader } from "../../src/client/read/log_reader.ts";
import { listBuckets } from "../../src/client/read/ranges.ts";
import { TableBinding } from "../../src/client/table/bound_table.ts";
import { readOptions } from "../../src/query/options.ts";
import { definitionOf } from "../../src/schema/definition.ts";
import { needsTiered, targetTiered } from "../cluster.ts";
import { withDatabase } from "./target.ts";

const properties = { "table.log.tiered.local-segments": "1" };
const events = table("events", { n: t.int().notNull(), text: t.string() }, { buckets: 2, properties });
const users = table("users", { id: t.int(), n: t.int(), text: t.string() }, { primaryKey: ["id"], properties });

/** Texts that compression does not make small. */
function textOf(n: number): string {
  let text = "";
  for (let i = 0; i < 12; i++) text += Math.imul(n * 31 + i, 0x9e3779b1).toString(36);
  return text;
}

/** What one read of a table brings, and how much of it came from remote storage. */
async function read(db: Db, database: string, of: typeof events | typeof users, roots: string[] = []) {
  const { client: options } = readOptions(`fluss://${targetTiered!.bootstrap}`, { scanner: { remote: { roots } } });
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

/** Reads until a part of the log is in remote storage. */
async function whenRemote(db: Db, database: string, of: typeof events | typeof users) {
  const end = performance.now() + 60_000;
  while (true) {
    const found = await read(db, database, of);
    if (found.remoteBytes > 0) return found;
    assert.ok(performance.now() < end, "nothing was moved to remote storage in a minute");
    // The server moves segments by its own clock, and says so to nobody but those who read.
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

test(
  "a log is read from remote storage, and on from the server, without a gap or a repeat",
  needsTiered,
  () =>
    withDatabase(
      async (db, database) => {
        await db.admin.create(events);
        const handle = db.table(events);
        const count = 12_000;
        for (let n = 0; n < count; n += 500) {
          await handle.appendAll(Array.from({ length: 500 }, (_, i) => ({ n: n + i, text: textOf(n + i) })));
        }
        const { rows, bytes, remoteBytes } = await whenRemote(db, database, events);
        assert.equal(rows, count);
        assert.ok(bytes > 0, "the newest segment is at the server");
        console.log(`${remoteBytes} bytes from remote storage, ${bytes} from the server`);
        const all = await handle.scan().toArray();
        assert.deepEqual(all.map(({ n }) => n).sort((a, b) => a - b), Array.from({ length: count }, (_, n) => n));
        for (const { n, text } of all) assert.equal(text, textOf(n));
        // Some columns of remote segments are picked here, as are conditions.
        const some = await handle.scan().select("n").where((c) => c.n.lt(1000)).toArray();
        assert.equal(some.length, 1000);
        assert.deepEqual(Object.keys(some[0]!), ["n"]);
        // From the middle of what is remote, and the newest rows although their window may reach into it.
        const { offset } = (await db.admin.offsets(events, "latest")).find((end) => end.bucket === 0)!;
        const half = offset / 2n;
        const rest = await handle.scan().from({ offsets: [{ bucket: 0, offset: half }] }).count();
        assert.equal(BigInt(rest), offset - half);
        assert.equal((await handle.scan().last(7000).toArray()).length, 7000);
        // Changes go over from the one to the other, and on to what is written later.
        await using changes = handle.changes({ from: "earliest" });
        const seen = new Set<number>();
        for await (const event of changes) {
          assert.ok(!seen.has(event.row.n), `row ${event.row.n} came twice`);
          seen.add(event.row.n);
          if (seen.size === count) await handle.append({ n: count, text: null });
          if (seen.size === count + 1) break;
        }
        assert.equal(seen.size, count + 1);
      },
      {},
      targetTiered,
    ),
);

test(
  "the change log of a primary-key table is read from remote storage",
  needsTiered,
  () =>
    withDatabase(
      async (db, database) => {
        await db.admin.create(users);
        const handle = db.table(users);
        for (let round = 0; round < 10; round++) {
          await handle.upsertAll(
            Array.from({ length: 300 }, (_, id) => ({ id, n: round, text: textOf(round * 300 + id) })),
          );
        }
        // Ten inserts or updates of each row, and every update is two records.
        const { rows } = await whenRemote(db, database, users);
        assert.equal(rows, 300 + 9 * 300 * 2);
        const rounds = new Map<number, number>();
        await using changes = handle.changes({ from: "earliest" });
        for await (const event of changes) {
          const { id, n } = event.row;
          assert.equal(n, rounds.has(id) ? rounds.get(id)! + 1 : 0);
          assert.equal(event.op, n === 0 ? "insert" : "update");
          if (event.op === "update") assert.equal(event.before.n, n! - 1);
          rounds.set(id, n!);
          if (rounds.size === 300 && [...rounds.values()].every((last) => last === 9)) break;
        }
      },
      {},
      targetTiered,
    ),
);

test(
  "a server on another machine names no file that was not allowed",
  needsTiered,
  () =>
    withDatabase(
      async (db, database) => {
        await db.admin.create(events);
        const handle = db.table(events);
        for (let n = 0; n < 6_000; n += 500) {
          await handle.appendAll(Array.from({ length: 500 }, (_, i) => ({ n: n + i, text: textOf(n + i) })));
        }
        await whenRemote(db, database, events);
        // A name that is not a loopback address, and leads to the same servers.
        const [, port] = targetTiered!.bootstrap.split(":") as [string, string];
        const away = { database, resolveAddress: (_: string, port: number) => ({ host: "127.0.0.1", port }) };
        await using far = await connect(`fluss://fluss.example:${port}`, away);
        await assert.rejects(far.table(events).scan().count(), (error) => {
          assert.ok(FlussError.is(error, "REMOTE.NOT_ALLOWED"), String(error));
          assert.match(
            error.message,
            /events: the server names the file \/.*\.log, and scanner.remote.roots allows none/,
          );
          assert.match(error.message, /scanner\.remote\.roots/);
          return true;
        });
        const named = await far.table(events).scan().count().catch((error: FlussError) => error.message);
        const root = /the file (.*)\/log\//.exec(String(named))![1]!;
        await using allowed = await connect(`fluss://fluss.example:${port}`, {
          ...away,
          scanner: { remote: { roots: [root] } },
        });
        assert.equal(await allowed.table(events).scan().count(), 6_000);
        await using other = await connect(`fluss://fluss.example:${port}`, {
          ...away,
          scanner: { remote: { roots: [`${root}/log/elsewhere`] } },
        });
        await assert.rejects(other.table(events).scan().count(), (error) => FlussError.is(error, "REMOTE.NOT_ALLOWED"));
      },
      {},
      targetTiered,
    ),
);
