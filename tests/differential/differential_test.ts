/**
 * The same programs on a real cluster and on the embedded server: what they answer has to be the same.
 *
 * @module
 */
import process from "node:process";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Alarms } from "../../src/base/alarms.ts";
import { API } from "../../src/client/rpc/api.ts";
import { RpcConnection } from "../../src/client/rpc/connection.ts";
import { dial } from "../../src/client/transport/dial.ts";
import { dialEngine, Engine } from "../../src/embedded/mod.ts";
import { memoryStorage } from "../../src/embedded/storage/memory.ts";
import { freshDatabase, needsFluss, repairing, type Target, target } from "../cluster.ts";
import { long, seed } from "../random.ts";
import { Machine, type Outcome, type Server } from "./machine.ts";
import { makeProgram, type Program } from "./program.ts";
import { SEEDS } from "./seeds.ts";

/** How many programs a run has, besides those that once differed; `SLUICE_PROGRAMS` for a run by hand. */
const PROGRAMS = Number(process.env["SLUICE_PROGRAMS"] ?? (long ? 2000 : 60));

let cluster: Server;
let engine: Engine;

async function serverOf(on: Target): Promise<Server> {
  const [host, port] = on.bootstrap.split(":") as [string, string];
  const coordinator = { host, port: Number(port) };
  const connection = await RpcConnection.open({
    dial,
    ...coordinator,
    alarms: new Alarms(),
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    credentials: undefined,
  });
  try {
    const { tabletServers } = await connection.call(API.GET_METADATA, {});
    const [{ host, port } = assert.fail("the cluster has no tablet server")] = tabletServers;
    return { dial, coordinator, tablet: { host, port } };
  } finally {
    connection.close();
  }
}

before(async () => {
  if (needsFluss("other server").skip) return;
  cluster = await serverOf(target!);
  engine = new Engine({ storage: memoryStorage() });
});

after(() => engine?.close());

/** Runs a program on both servers; the cluster may lose a table, and gets another chance then. */
async function runBoth(program: Program): Promise<{ readonly real: Outcome[]; readonly own: Outcome[] }> {
  const places = { host: "memory", port: 1 };
  let real: Outcome[] = [];
  await repairing(target!, freshDatabase, async (database) => {
    using machine = await Machine.open(cluster);
    real = await machine.run(program, database);
  });
  using machine = await Machine.open({
    dial: (_host, port) => Promise.resolve(dialEngine(engine, port)),
    coordinator: places,
    tablet: { ...places, port: 2 },
  });
  return { real, own: await machine.run(program, freshDatabase()) };
}

async function compare(seed: number): Promise<void> {
  const program = makeProgram(seed);
  const { real, own } = await runBoth(program);
  const names = ["createTable", ...program.steps.map((step) => step.kind)];
  for (const [i, name] of names.entries()) {
    const said = `seed ${seed}, request ${i} (${name}): the cluster said ${real[i]!.said ?? "yes"}; we ${
      own[i]!.said ?? "yes"
    }`;
    assert.deepEqual(own[i]!.answer, real[i]!.answer, said);
  }
}

test("programs that once differed", needsFluss("other server"), async (t) => {
  for (const [seed, why] of SEEDS) await t.test(`${seed}: ${why}`, () => compare(seed));
});

test(`${PROGRAMS} random programs from seed ${seed}`, needsFluss("other server"), async () => {
  const failures: string[] = [];
  for (let i = 0; i < PROGRAMS; i++) {
    try {
      await compare((seed + i * 7919) >>> 0);
    } catch (error) {
      failures.push((error as Error).message);
      if (failures.length === 10) break;
    }
  }
  assert.deepEqual(failures, []);
});
