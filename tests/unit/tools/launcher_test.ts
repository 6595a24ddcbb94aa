import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { MissingTool } from "../../../tools/cluster/errors.ts";
import { findProgram, javaMajor } from "../../../tools/cluster/java.ts";
import { freePorts, HOST, isFree } from "../../../tools/cluster/ports.ts";
import { askTabletServers, tabletServerIds } from "../../../tools/cluster/probe.ts";
import { storePlugin, storePython } from "../../../tools/cluster/s3.ts";
import { coordinatorConfig, tabletServerConfig, zooKeeperConfig } from "../../../tools/cluster/settings.ts";
import { isAtLeast, versionIn } from "../../../tools/runtimes.ts";

test("the version of Java is read from what each of them prints", () => {
  assert.equal(javaMajor('openjdk version "17.0.15" 2025-04-15'), 17);
  assert.equal(javaMajor('java version "1.8.0_402"'), 8);
  assert.equal(javaMajor('openjdk version "21" 2023-09-19'), 21);
  assert.equal(javaMajor("The operation couldn't be completed. Unable to locate a Java Runtime."), undefined);
});

test("the version of a runtime is read and compared", () => {
  assert.equal(versionIn("v26.10.0\n"), "26.10.0");
  assert.equal(versionIn("1.4.5\n"), "1.4.5");
  assert.equal(versionIn("bun is not installed"), undefined);
  assert.ok(isAtLeast("26.10.0", [26, 0]));
  assert.ok(isAtLeast("2.0.0", [1, 4]));
  assert.ok(!isAtLeast("1.3.99", [1, 4]));
  assert.ok(!isAtLeast("20.20.2", [26, 0]));
});

test("a program that is nowhere is not found", () => {
  assert.equal(findProgram("no-program-has-this-name"), undefined);
  assert.equal(findProgram("java", []), undefined);
});

test("free ports differ and are free", async () => {
  const ports = await freePorts(20);
  assert.equal(new Set(ports).size, 20);
  assert.ok(await isFree(ports[0]!));
});

test("an answer about tablet servers is read, and a cut one refused", () => {
  // coordinator_server {7, "h", 1}; tablet_servers {2, "h", 300}, {0, "h", 301}; protobuf leaves no default out in proto2.
  const node = (id: number, port: number) => [0x08, id, 0x12, 1, 0x68, 0x18, 0x80 | (port & 0x7f), port >> 7];
  const field = (tag: number, bytes: number[]) => [tag, bytes.length, ...bytes];
  const answer = [...field(0x0a, node(7, 129)), ...field(0x12, node(2, 300)), ...field(0x12, node(0, 301))];
  assert.deepEqual(tabletServerIds(new Uint8Array(answer)), [0, 2]);
  assert.deepEqual(tabletServerIds(new Uint8Array()), []);
  for (const length of [1, 5, answer.length - 1]) {
    assert.throws(() => tabletServerIds(new Uint8Array(answer.slice(0, length))), /ends inside/);
  }
});

/** A server that does this to every connection, while something is done with its port. */
async function withServer(answer: (socket: Socket) => void, use: (port: number) => Promise<void>): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as { port: number };
  await use(port);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("a port where something else answers, or nothing, is no server", async () => {
  const port = await withServer(
    (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
    (port) => assert.rejects(askTabletServers(port), /does not speak Fluss/),
  );
  await assert.rejects(askTabletServers(port));
  await withServer(() => {}, (port) => assert.rejects(askTabletServers(port, 50), /did not answer/));
  await withServer(
    (socket) => socket.destroy(),
    (port) => assert.rejects(askTabletServers(port)),
  );
});

test("a cluster of three replicates, and is quick about failovers; options of the caller win", () => {
  const layout = {
    directory: "/d",
    zooKeeper: 1,
    coordinator: { plain: 2, sasl: 3 },
    tabletServers: [4, 6, 8].map((plain) => ({ plain, sasl: plain + 1 })),
  };
  const tuning = { sessionTimeoutMs: 6000, properties: { "kv.snapshot.interval": "1s" } };
  const coordinator = coordinatorConfig(layout, tuning);
  for (
    const line of [
      "default.replication.factor: 3",
      "log.replica.fetch.wait-max-time: 20ms",
      "zookeeper.client.session-timeout: 6000ms",
      "kv.snapshot.interval: 1s",
      `bind.listeners: INTERNAL://${HOST}:0, PLAIN_CLIENT://${HOST}:2, CLIENT://${HOST}:3`,
    ]
  ) assert.ok(coordinator.split("\n").includes(line), `"${line}" is not in:\n${coordinator}`);
  assert.ok(tabletServerConfig(layout, tuning, 1).includes(`PLAIN_CLIENT://${HOST}:6, CLIENT://${HOST}:7`));
  assert.ok(zooKeeperConfig(layout, tuning).includes("minSessionTimeout=6000\nmaxSessionTimeout=6000\n"));

  const single = coordinatorConfig({ ...layout, tabletServers: layout.tabletServers.slice(0, 1) }, tuning);
  assert.ok(single.includes("default.replication.factor: 1\n"));
  assert.ok(!single.includes("log.replica."));
});

test("remote storage is a folder of the cluster, or the store that was started with it", () => {
  const ports = { plain: 2, sasl: 3 };
  const layout = { directory: "/d", zooKeeper: 1, coordinator: ports, tabletServers: [ports] };
  const tuning = { sessionTimeoutMs: 6000, properties: {} };
  const folder = coordinatorConfig(layout, tuning);
  assert.ok(folder.includes(`remote.data.dir: ${join("/d", "remote")}\n`), folder);
  assert.ok(!folder.includes("s3."));
  for (
    const text of [coordinatorConfig({ ...layout, s3: 9 }, tuning), tabletServerConfig({ ...layout, s3: 9 }, tuning, 0)]
  ) {
    assert.match(text, /^remote\.data\.dir: s3:\/\//m);
    assert.ok(text.includes(`s3.endpoint: http://${HOST}:9\n`), text);
  }
});

/** Runs with nothing on `PATH` but these scripts, and nothing downloaded before. */
function withPrograms(scripts: Readonly<Record<string, string>>, run: (cache: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "sluice-programs-"));
  const before = { PATH: process.env["PATH"], XDG_CACHE_HOME: process.env["XDG_CACHE_HOME"] };
  try {
    const bin = join(folder, "bin");
    const cache = join(folder, "cache");
    mkdirSync(bin);
    for (const [name, text] of Object.entries(scripts)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    Object.assign(process.env, { PATH: bin, XDG_CACHE_HOME: cache });
    run(join(cache, "sluice"));
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true });
  }
}

/** That a tool is missing, which makes the runner skip, and that nothing half done is left. */
function missing(cache: string, work: () => void, message: RegExp): void {
  assert.throws(work, (error) => error instanceof MissingTool && message.test(error.message));
  assert.deepEqual(readdirSync(cache), []);
}

test(
  "without Python, its packages or Maven there is no store, by name",
  // The scripts that stand for them are the shell's.
  { skip: process.platform === "win32" },
  () => {
    const quiet = () => {};
    withPrograms({}, () => {
      assert.throws(() => storePython(quiet), (error) => error instanceof MissingTool && /python3/.test(error.message));
      assert.throws(() => storePlugin(quiet), (error) => error instanceof MissingTool && /mvn/.test(error.message));
    });
    withPrograms({ python3: "echo 'ensurepip is not available' >&2; exit 1" }, (cache) => {
      missing(cache, () => storePython(quiet), /-m venv .* did not work: ensurepip is not available/);
    });
    const withoutNetwork = 'echo "no network" >&2; exit 1';
    withPrograms({ mvn: withoutNetwork }, (cache) => {
      missing(cache, () => storePlugin(quiet), /mvn .*dependency:copy.* did not work: no network/);
    });
    const pip = `#!/bin/sh\n${withoutNetwork}\n`;
    const makeVenv = `/bin/mkdir -p "$3/bin"; printf '%s' '${pip}' >"$3/bin/python"; /bin/chmod +x "$3/bin/python"`;
    withPrograms({ python3: makeVenv }, (cache) => {
      missing(cache, () => storePython(quiet), /-m pip -q install did not work: no network/);
    });
  },
);
