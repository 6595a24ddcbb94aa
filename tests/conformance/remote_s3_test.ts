// Reads what a cluster has moved to a store of the S3 kind: moto, which checks signatures here (tools/cluster/s3_store.py).
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { AwsClient } from "aws4fetch";
import { connect, type Db, FlussError, type RemoteOptions } from "../../mod.ts";
import { FlussClient } from "../../src/client/client.ts";
import { readOptions } from "../../src/query/options.ts";
import { needsS3, targetS3 } from "../cluster.ts";
import { withDatabase } from "./target.ts";
import { events, followUsers, textOf, users, whenRemote, writeEvents, writeUsers } from "./tiered.ts";

const store = targetS3?.s3 ?? { endpoint: "", bucket: "", accessKeyId: "", secretAccessKey: "" };
const { endpoint, accessKeyId, secretAccessKey } = store;
const roots = [`s3://${store.bucket}/`];
/** With keys that the cluster gives. */
const TOKEN: RemoteOptions = { roots, s3: { endpoint } };
/** With keys of the user. */
const OWN: RemoteOptions = { roots, s3: { endpoint, accessKeyId, secretAccessKey } };

/** Runs a test on a new database, with a connection that may read remote storage. */
function withRemote(remote: RemoteOptions, run: (db: Db, database: string) => Promise<void>): Promise<void> {
  return withDatabase(run, { scanner: { remote } }, targetS3);
}

/** Reads the log table and finds that it cannot be read: with which error, in which no secret is. */
async function refused(
  database: string,
  remote: RemoteOptions,
  code: string,
  message: RegExp,
  secrets: readonly string[] = [],
): Promise<FlussError> {
  const options = { database, scanner: { remote } };
  await using db = await connect(`fluss://${targetS3!.bootstrap}`, options);
  const error = await db.table(events).scan().count().then(() => assert.fail("it was read"), (error: unknown) => error);
  assert.ok(FlussError.is(error), String(error));
  assert.equal(error.code, code, String(error));
  assert.match(error.message, message);
  assert.equal(error.table, `${database}.events`);
  const shown = `${inspect(error, { depth: 9, showHidden: true })} ${error.stack} ${JSON.stringify(error)}`;
  for (const secret of [secretAccessKey, ...secrets]) assert.ok(!shown.includes(secret), `a secret in ${shown}`);
  return error;
}

for (const [whose, remote] of [["the cluster's keys", TOKEN], ["keys of the user", OWN]] as const) {
  test(
    `a log is read from S3 with ${whose}, and on from the server, without a gap or a repeat`,
    needsS3,
    () =>
      withRemote(remote, async (db, database) => {
        const count = 12_000;
        await writeEvents(db, count);
        const handle = db.table(events);
        const { rows, bytes, remoteBytes } = await whenRemote(targetS3!, db, database, events, remote);
        assert.equal(rows, count);
        assert.ok(bytes > 0, "the newest segment is at the server");
        console.log(`${remoteBytes} bytes from S3, ${bytes} from the server`);
        const all = await handle.scan().toArray();
        assert.deepEqual(all.map(({ n }) => n).sort((a, b) => a - b), Array.from({ length: count }, (_, n) => n));
        for (const { n, text } of all) assert.equal(text, textOf(n));
        // Segments hold all columns; some are picked here, as are conditions.
        const some = await handle.scan().select("text").where((c) => c.n.lt(1000)).toArray();
        assert.deepEqual(
          some.map(({ text }) => text).sort(),
          Array.from({ length: 1000 }, (_, n) => textOf(n)).sort(),
        );
        assert.deepEqual(Object.keys(some[0]!), ["text"]);
        // From the middle of what is remote, and the newest rows although their window may reach into it.
        const { offset } = (await db.admin.offsets(events, "latest")).find((end) => end.bucket === 0)!;
        const half = offset / 2n;
        assert.equal(
          BigInt(await handle.scan().from({ offsets: [{ bucket: 0, offset: half }] }).count()),
          offset - half,
        );
        assert.equal((await handle.scan().last(7000).toArray()).length, 7000);
        // Changes go over from the one to the other, and on to what is written later.
        await using changes = handle.changes({ from: "earliest" });
        const seen = new Set<number>();
        for await (const { row: { n, text } } of changes) {
          assert.ok(!seen.has(n), `row ${n} came twice`);
          assert.equal(text, n === count ? null : textOf(n));
          seen.add(n);
          if (seen.size === count) await handle.append({ n: count, text: null });
          if (seen.size === count + 1) break;
        }
        assert.equal(seen.size, count + 1);
      }),
  );

  test(
    `the change log of a primary-key table is read from S3 with ${whose}`,
    needsS3,
    () =>
      withRemote(remote, async (db, database) => {
        await writeUsers(db, 300, 10);
        // Ten inserts or updates of each row, and every update is two records.
        const { rows, bytes } = await whenRemote(targetS3!, db, database, users, remote);
        assert.equal(rows, 300 + 9 * 300 * 2);
        assert.ok(bytes > 0, "the newest segment is at the server");
        await followUsers(db, 300, 10);
      }),
  );
}

test("the cluster's keys are those of a session and end some time", needsS3, async () => {
  const client = new FlussClient(readOptions(`fluss://${targetS3!.bootstrap}`).client);
  try {
    await client.cluster.start();
    const { signal } = new AbortController();
    const token = await client.securityTokens.get(signal);
    const { credentials: given } = token;
    assert.notEqual(given.accessKeyId, accessKeyId);
    assert.ok(given.sessionToken !== undefined && given.sessionToken !== "");
    assert.ok(token.expiresAt > Date.now() && token.expiresAt < Date.now() + 24 * 3600_000);
    const shown = inspect(token, { depth: 9, showHidden: true }) + JSON.stringify(token);
    assert.ok(!shown.includes(given.secretAccessKey) && !shown.includes(given.sessionToken));
    // They are asked for once, until they are refused.
    assert.equal(await client.securityTokens.get(signal), token);
    client.securityTokens.refused(token);
    assert.notEqual(await client.securityTokens.get(signal), token);
  } finally {
    await client.close();
  }
});

test(
  "what is refused in S3, or not there, is a typed error without a secret",
  needsS3,
  () =>
    withRemote(OWN, async (db, database) => {
      await writeEvents(db, 6_000);
      await whenRemote(targetS3!, db, database, events, OWN);
      const keys = { accessKeyId, secretAccessKey };

      // Nothing but what the user named is read, even where all servers are on this machine.
      for (const given of [undefined, [], ["/"], ["s3://other/"], [`s3://${store.bucket}/elsewhere`]]) {
        const remote = { ...OWN, ...(given === undefined ? { roots: [] } : { roots: given }) };
        const error = await refused(
          database,
          remote,
          "REMOTE.NOT_ALLOWED",
          /the server names the object s3:\/\/fluss\/remote\/log\/.*\.log, and scanner\.remote\.roots allows/,
        );
        assert.ok(!error.retriable);
      }
      // The store is not AWS's, so a server's word for it does not do.
      await refused(
        database,
        { roots },
        "REMOTE.NOT_ALLOWED",
        /the server names the endpoint "http:.*scanner: \{ remote: \{ s3: \{ endpoint \} \} \}/,
      );

      const wrong = "the-wrong-secret";
      for (
        const [s3, word] of [
          [{ ...keys, secretAccessKey: wrong }, "SignatureDoesNotMatch"],
          [{ accessKeyId: "nobody", secretAccessKey: wrong }, "InvalidAccessKeyId"],
          [
            { ...keys, region: "eu-west-1", secretAccessKey: wrong, sessionToken: "the-session" },
            "SignatureDoesNotMatch",
          ],
        ] as const
      ) {
        const error = await refused(
          database,
          { roots, s3: { endpoint, ...s3 } },
          "REMOTE.UNAVAILABLE",
          new RegExp(`s3://fluss/remote/log/.*\\.log is refused \\(403 ${word}\\).*scanner\\.remote\\.s3`),
          [wrong, "the-session"],
        );
        assert.ok(!error.retriable);
      }

      // Below this path, the store looks for the bucket "nowhere".
      await refused(
        database,
        { roots, s3: { ...keys, endpoint: `${endpoint}/nowhere` } },
        "REMOTE.UNAVAILABLE",
        /s3:\/\/fluss\/remote\/log\/.*\.log is not there \(404 NoSuchBucket\)/,
      );

      const aws = new AwsClient({ ...keys, service: "s3", region: "us-east-1" });
      const ask = async (path: string, method: string): Promise<string> => {
        const answer = await aws.fetch(`${endpoint}/${store.bucket}${path}`, { method });
        const text = await answer.text();
        assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
        return text;
      };
      const prefix = encodeURIComponent(`remote/log/${database}/`);
      const list = await ask(`?list-type=2&prefix=${prefix}`, "GET");
      const logs = [...list.matchAll(/<Key>([^<]+\.log)<\/Key>/g)].map(([, key]) => key!);
      assert.ok(logs.length > 0, list);
      for (const key of logs) await ask(`/${key}`, "DELETE");
      for (const remote of [OWN, TOKEN]) {
        await refused(database, remote, "REMOTE.UNAVAILABLE", /\.log is not there \(404 NoSuchKey\)/);
      }
    }),
);
