import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type ConnectOptions, FlussError, t, table } from "../../mod.ts";
import { CommandLine } from "./command_line.ts";

const users = table("shop.users", { id: t.int(), name: t.string() }, { primaryKey: ["id"], buckets: 3 });
const ALICE: ConnectOptions = { username: "alice", password: "alice-hunter2" };

/** Creates the table where it is not there, writes a row and reads it. */
async function useIt(url: string, options: ConnectOptions = {}): Promise<void> {
  await using db = await connect(url, options);
  await db.admin.createDatabase("shop", { ignoreIfExists: true });
  await db.admin.create(users, { ignoreIfExists: true });
  await db.table(users).upsert({ id: 1, name: "Ada" });
  assert.deepEqual(await db.table(users).lookup({ id: 1 }), { id: 1, name: "Ada" });
}

async function isRefused(url: string, options: ConnectOptions, code: "CONNECTION.REFUSED" | "CONNECTION.AUTH_FAILED") {
  await assert.rejects(
    async () => await using(await connect(url, { requestTimeoutMs: 5_000, ...options })),
    (error) => FlussError.is(error, code) || assert.fail(`not ${code}: ${error}`),
  );
}

async function using(db: AsyncDisposable): Promise<void> {
  await db[Symbol.asyncDispose]();
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-dev-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts it on fixed ports that nobody has. */
async function startAtFreePorts(args: readonly string[]): Promise<{ run: CommandLine; port: number }> {
  for (let attempt = 1;; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const run = new CommandLine(["dev", "--port", String(port), ...args], { SLUICE_DEV_USERS: "" });
    const code = await Promise.race([run.ended(), run.urls(1).then(() => undefined, () => undefined)]);
    if (code === undefined || attempt === 10) return { run, port };
    assert.equal(code, 4, run.err);
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`sluice dev serves at the URL that it prints, and stops at ${signal}`, async () => {
    await using run = new CommandLine(["dev", "--port", "0"]);
    const { found: url, ms } = await run.until(() => /^fluss:\/\/127\.0\.0\.1:\d+(?=\n$)/.exec(run.out)?.[0]);
    console.log(`sluice dev printed its URL after ${Math.round(ms)} ms, and said: ${run.err.split("\n")[0]}`);
    await useIt(url);
    run.signal(signal);
    assert.equal(await run.ended(), 0, run.err);
    assert.equal(run.out, `${url}\n`);
    assert.match(run.err, /^Serves the Fluss protocol in memory .*\nstopping\n$/);
    await isRefused(url, {}, "CONNECTION.REFUSED");
  });
}

test("with users it also listens 100 ports further up, and asks for a login there", async () => {
  const { run, port } = await startAtFreePorts(["--user", "alice:alice-hunter2", "--user", "bob:bob-hunter2", "--log"]);
  await using _ = run;
  assert.deepEqual(await run.urls(2), [`fluss://127.0.0.1:${port}`, `fluss://127.0.0.1:${port + 100}`]);
  const [plain, login] = [`fluss://127.0.0.1:${port}`, `fluss://127.0.0.1:${port + 100}`];
  await useIt(plain);
  await useIt(login, ALICE);
  await isRefused(login, { username: "alice", password: "wrong-hunter2" }, "CONNECTION.AUTH_FAILED");
  await isRefused(login, { username: "carol", password: "bob-hunter2" }, "CONNECTION.AUTH_FAILED");
  await using db = await connect(login, { username: "bob", password: "bob-hunter2" });
  const servers = await db.admin.servers();
  assert.deepEqual(servers.map((server) => server.port).sort(), [port + 100, port + 101]);
  run.signal("SIGINT");
  assert.equal(await run.ended(), 0);
  // Who may log in is told; with which password is not, and neither are attempts.
  assert.match(run.err, /For alice, bob, with a password:/);
  assert.ok(!(run.out + run.err).includes("hunter2"), run.err);
});

test("the environment names users, and --json tells all in one object", async () => {
  await using run = new CommandLine(["dev", "--port", "0", "--json", "--log"], {
    SLUICE_DEV_USERS: "alice:alice-hunter2",
  });
  const { found: line } = await run.until(() => /^.*(?=\n)/.exec(run.out)?.[0]);
  const said = JSON.parse(line);
  assert.deepEqual([said.ok, said.data], [true, null]);
  assert.deepEqual(said.listeners.map((each: { users: string[] }) => each.users), [[], ["alice"]]);
  await useIt(said.listeners[1].url, ALICE);
  run.signal("SIGTERM");
  assert.equal(await run.ended(), 0);
  assert.equal(run.out, `${line}\n`);
  const requests = run.err.trim().split("\n").map((text) => JSON.parse(text));
  const put = requests.find(({ request }) => request === "PUT_KV");
  assert.equal(put.user, "alice");
  assert.ok(put.bytes > 0 && put.ms >= 0, JSON.stringify(put));
  assert.ok(!run.err.includes("hunter2"));
});

test("--log tells every request with its user, and what went wrong", async () => {
  await using run = new CommandLine(["dev", "--port", "0", "--log"]);
  const [url] = await run.urls(1);
  await useIt(url!);
  await using db = await connect(url!);
  await assert.rejects(db.admin.describe("shop.nothing"));
  await run.until(() => /^[\d:.]+ CREATE_TABLE ANONYMOUS \d+ B [\d.]+ ms$/m.test(run.err));
  await run.until(() => /^[\d:.]+ GET_TABLE_INFO ANONYMOUS .* SERVER\.TABLE_NOT_EXIST: .*$/m.test(run.err));
  await run.until(() => /^[\d:.]+ LOOKUP ANONYMOUS /m.test(run.err));
});

test("all addresses of the machine are for users alone", async () => {
  await using refused = new CommandLine(["dev", "--host", "0.0.0.0"], { SLUICE_DEV_USERS: "" });
  assert.equal(await refused.ended(), 2);
  assert.match(refused.err, /^CLI\.BAD_USAGE: --host 0\.0\.0\.0 lets other machines in.*\n$/);
  assert.equal(refused.out, "");

  const { run, port } = await startAtFreePorts(["--host", "0.0.0.0", "--user", "alice:alice-hunter2"]);
  await using _ = run;
  const url = `fluss://127.0.0.1:${port + 100}`;
  assert.deepEqual(await run.urls(1), [url]);
  assert.match(run.err, /unencrypted/);
  await useIt(url, ALICE);
  await isRefused(`fluss://127.0.0.1:${port}`, {}, "CONNECTION.REFUSED");
  await using db = await connect(url, ALICE);
  // Clients are told the address that they came by: the address of all is none to connect to.
  assert.deepEqual(new Set((await db.admin.servers()).map((server) => server.host)), new Set(["127.0.0.1"]));
});

test("a port that is taken is named, with exit code 4", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  try {
    // Taken by another as the coordinator's, and as the tablet server's.
    for (const at of [port, port - 1]) {
      await using run = new CommandLine(["dev", "--port", String(at)]);
      assert.equal(await run.ended(), 4, run.err);
      assert.equal(run.out, "");
      assert.match(run.err, /^LISTEN\.PORT_IN_USE: something else listens on 127\.0\.0\.1:\d+.* hint: .*--port.*\n$/);
    }
  } finally {
    other.close();
  }
});

test("--data keeps everything over a restart, for one process at a time", () =>
  withFolder(async (folder) => {
    const data = join(folder, "data");
    {
      await using run = new CommandLine(["dev", "--port", "0", "--data", data]);
      const [url] = await run.urls(1);
      assert.ok(run.err.includes(data), run.err);
      await useIt(url!);
      await using second = new CommandLine(["dev", "--port", "0", "--data", data]);
      assert.equal(await second.ended(), 5, second.err);
      assert.match(second.err, /^STORAGE\.LOCKED: .*hint: .*\n$/);
      assert.equal(second.out, "");

      // Stopped in the middle of writing: what was acknowledged is there afterwards.
      await using db = await connect(url!, { requestTimeoutMs: 5_000, writer: { deliveryTimeoutMs: 5_000 } });
      const acked: number[] = [];
      const writes: PromiseLike<void>[] = [];
      for (let id = 100; id < 4_000; id++) {
        await db.ready;
        writes.push(db.table(users).upsert({ id, name: `n${id}` }).then(() => void acked.push(id), () => {}));
        if (id % 100 === 0) await Promise.race([writes.at(-1), new Promise((resolve) => setTimeout(resolve, 20))]);
        if (id === 2_000) run.signal("SIGINT");
      }
      assert.equal(await run.ended(), 0, run.err);
      await Promise.all(writes);
      await db.close({ drop: true });
      assert.ok(acked.length > 0, "nothing was acknowledged before it stopped");

      await using again = new CommandLine(["dev", "--port", "0", "--data", data]);
      const [next] = await again.urls(1);
      await using there = await connect(next!);
      assert.deepEqual(await there.table(users).lookup({ id: 1 }), { id: 1, name: "Ada" });
      const rows = await there.table(users).lookupMany(acked.map((id) => ({ id })));
      assert.deepEqual(rows, acked.map((id) => ({ id, name: `n${id}` })));
    }
  }));

test("a folder that cannot be used is named, with exit code 5, and nothing is left behind", () =>
  withFolder(async (folder) => {
    const file = join(folder, "file");
    writeFileSync(file, "not a folder");
    await using run = new CommandLine(["dev", "--port", "0", "--data", file]);
    assert.equal(await run.ended(), 5, run.err);
    assert.equal(run.out, "");
    assert.match(run.err, /^STORAGE\.[A-Z_]+: .*hint: .*\n$/);
    assert.ok(run.err.includes(file), run.err);
    await using inside = new CommandLine(["dev", "--port", "0", "--data", join(file, "inside")]);
    assert.equal(await inside.ended(), 5, inside.err);
    assert.ok(existsSync(file));
  }));

test("it goes on when nobody reads what it says", async () => {
  await using run = new CommandLine(["dev", "--port", "0", "--log"]);
  const [url] = await run.urls(1);
  run.stopReading();
  await useIt(url!);
  await useIt(url!);
  run.signal("SIGINT");
  assert.equal(await run.ended(), 0);
});
