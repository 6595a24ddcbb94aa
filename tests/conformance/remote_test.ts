import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, FlussError } from "../../mod.ts";
import { needsTiered, targetTiered } from "../cluster.ts";
import { withDatabase } from "./target.ts";
import { events, followUsers, textOf, users, whenRemote, writeEvents, writeUsers } from "./tiered.ts";

test(
  "a log is read from remote storage, and on from the server, without a gap or a repeat",
  needsTiered,
  () =>
    withDatabase(
      async (db, database) => {
        const count = 12_000;
        await writeEvents(db, count);
        const handle = db.table(events);
        const { rows, bytes, remoteBytes } = await whenRemote(targetTiered!, db, database, events);
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
        await writeUsers(db, 300, 10);
        // Ten inserts or updates of each row, and every update is two records.
        const { rows } = await whenRemote(targetTiered!, db, database, users);
        assert.equal(rows, 300 + 9 * 300 * 2);
        await followUsers(db, 300, 10);
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
        await writeEvents(db, 6_000);
        await whenRemote(targetTiered!, db, database, events);
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
