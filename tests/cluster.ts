/**
 * The clusters that the runner started for this run, and control over their servers.
 *
 * The runner (tools/test.ts) says in the environment where they are. To run a test file by hand against a cluster of
 * `deno task cluster`: `SLUICE_CLUSTER='{"bootstrap":"127.0.0.1:9123"}' deno test -A FILE`; against the server inside of
 * the process: `SLUICE_TARGET=memory deno test -A FILE`, or `file`.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type ConnectOptions, type Db } from "../mod.ts";
import { Alarms } from "../src/base/alarms.ts";
import { FlussClient } from "../src/client/client.ts";
import { API } from "../src/client/rpc/api.ts";
import { RpcConnection } from "../src/client/rpc/connection.ts";
import type { PbBucketMetadata } from "../src/client/rpc/gen/fluss/v1/metadata_pb.ts";
import { optionalField } from "../src/client/rpc/required.ts";
import { dial } from "../src/client/transport/dial.ts";
import { embeddedServer } from "../src/query/embedded.ts";
import { readOptions } from "../src/query/options.ts";

/** Where a cluster is and what may be done with it. */
export interface Target {
  /** A real Fluss cluster; our own server on a port; or our own server inside of this process. */
  readonly kind: "cluster" | "dev" | "memory" | "file";
  /** What to connect to. */
  readonly url: string;
  /** Empty where there is no port. */
  readonly bootstrap: string;
  readonly sasl: {
    readonly bootstrap: string;
    readonly username: string;
    readonly password: string;
    readonly users: readonly {
      readonly username: string;
      readonly password: string;
    }[];
  };
  readonly tabletServers: number;
  /** The store that holds its remote storage, where that is no folder. */
  readonly s3?: {
    readonly endpoint: string;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** Absent where the servers are not ours to end. */
  readonly control?: { readonly url: string; readonly token: string };
}

function read(name: string): Target | undefined {
  const json = process.env[name];
  if (json === undefined || json === "") return undefined;
  const said = JSON.parse(json) as Omit<Target, "kind" | "url"> & { readonly kind?: Target["kind"] };
  return { kind: "cluster", url: `fluss://${said.bootstrap}`, ...said };
}

/** The server inside of this process, where SLUICE_TARGET asks for one. */
function inProcess(): Target | undefined {
  const kind = process.env["SLUICE_TARGET"];
  if (kind !== "memory" && kind !== "file") return undefined;
  const none = { username: "", password: "" };
  const rest: Omit<Target, "url"> = {
    kind,
    bootstrap: "",
    sasl: { bootstrap: "", ...none, users: [] },
    tabletServers: 1,
  };
  if (kind === "memory") return { ...rest, url: "memory:conformance" };
  const folder = mkdtempSync(join(tmpdir(), "sluice-data-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return { ...rest, url: `file:${folder}` };
}

/** One tablet server. */
export const target: Target | undefined = inProcess() ?? read("SLUICE_CLUSTER");

/** Three tablet servers, replication 3. */
export const target3: Target | undefined = read("SLUICE_CLUSTER3");

/** One tablet server that is not released. */
export const targetNext: Target | undefined = read("SLUICE_NEXT");

/** One tablet server whose logs go to remote storage in small segments, within seconds. */
export const targetTiered: Target | undefined = read("SLUICE_TIERED");

/** The same with its remote storage in a store of the S3 kind. */
export const targetS3: Target | undefined = read("SLUICE_S3");

/** One that asks for rights; who does not log in may do everything. */
export const targetRights: Target | undefined = read("SLUICE_RIGHTS") ?? target3;

/** Options of tests that need the cluster. */
export const needsCluster: { readonly skip: string | false } = {
  skip: target === undefined ? "no cluster: SLUICE_CLUSTER is not set" : false,
};

/** Options of tests that need a server with an address. */
export const needsAddress: { readonly skip: string | false } = {
  skip: needsCluster.skip || (target!.bootstrap === "" ? `${target!.kind}: has no address` : false),
};

/** Options of tests of what the embedded server does not do. */
export function needsFluss(what: string): { readonly skip: string | false } {
  return { skip: needsCluster.skip || (target!.kind === "cluster" ? false : `the embedded server has no ${what}`) };
}

/** A client of a target, for tests that look into it. */
export function openClient(options: ConnectOptions = {}, on: Target = target!): FlussClient {
  const { client } = readOptions(on.url, options);
  return new FlussClient(client, client.embedded === undefined ? undefined : embeddedServer(client.embedded));
}

/** Options of tests that need the cluster with remote logs. */
export const needsTiered: { readonly skip: string | false } = {
  skip: targetTiered === undefined ? "no cluster with remote logs: SLUICE_TIERED is not set" : false,
};

/** Options of tests that need the cluster with remote logs in a store of the S3 kind. */
export const needsS3: { readonly skip: string | false } = {
  skip: targetS3 === undefined ? "no cluster with remote logs in S3: SLUICE_S3 is not set" : false,
};

/** Options of tests that need the cluster of three. */
export const needsCluster3: { readonly skip: string | false } = {
  skip: target3 === undefined ? "no cluster of three: SLUICE_CLUSTER3 is not set" : false,
};

/** Options of tests that need the cluster that asks for rights. */
export const needsRights: { readonly skip: string | false } = {
  skip: targetRights === undefined
    ? "no cluster that asks for rights: SLUICE_RIGHTS and SLUICE_CLUSTER3 are not set"
    : false,
};

/** Options of tests that need the server that is not released. */
export const needsNext: { readonly skip: string | false } = {
  skip: targetNext === undefined ? "no server that is not released: FLUSS_JARS was not given" : false,
};

/** The name of a database that no other test, runtime or run uses. */
export function freshDatabase(): string {
  return `t_${Date.now().toString(36)}_${Math.floor(Math.random() * 1e9).toString(36)}`;
}

async function command(on: Target, path: string, text: string = ""): Promise<void> {
  if (on.control === undefined) throw new Error(`cannot ${path}: the cluster has no control`);
  const { url, token } = on.control;
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/${path}`, { method: "POST", headers, body: text });
  const said = await answer.text();
  if (!answer.ok) throw new Error(`cannot ${path}: ${answer.status} ${said}`);
}

/** Ends a tablet server as a power cut would; resolves when it is gone. */
export function killTabletServer(
  id: number,
  on: Target = target3!,
): Promise<void> {
  return command(on, `kill/${id}`);
}

/** Asks a tablet server to hand over what it leads and to stop; resolves when it is gone. */
export function stopTabletServer(
  id: number,
  on: Target = target3!,
): Promise<void> {
  return command(on, `stop/${id}`);
}

/** Starts a tablet server that was ended; resolves when it answers. Tests leave the cluster as they found it. */
export function startTabletServer(
  id: number,
  on: Target = target3!,
): Promise<void> {
  return command(on, `start/${id}`);
}

/** Stops the coordinator and starts it again; resolves when it knows the tablet servers that run. */
export function restartCoordinator(on: Target = target3!): Promise<void> {
  return command(on, "restart-coordinator");
}

// ---------------------------------------------------------------------------------------------------------------------
// A bug of the coordinator of 0.9.1, and how tests that have nothing to do with it outlive it.

/** How often a body runs at most. */
const ATTEMPTS = 3;
/** A table that has no leader for so long, while all servers answer, never gets one: it takes milliseconds. */
const LEADERLESS_MS = 6_000;

/**
 * Runs the body of a test; again, after a restart of the coordinator, when it failed and the coordinator has lost a table
 * of its database.
 *
 * A coordinator of 0.9.1 can miss that a table or partition was created, which then never gets leaders; and after some
 * such events it fails with a null pointer and gives no table a leader any more (see CONTRIBUTING.md). Only what the
 * servers themselves say counts as evidence for that. Without it, or without control over the servers, a failure
 * stands.
 *
 * @param databaseOf names the database of an attempt, counted from 1
 */
export async function repairing(
  on: Target,
  databaseOf: (attempt: number) => string,
  run: (database: string, attempt: number) => Promise<void>,
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const database = databaseOf(attempt);
    try {
      return await run(database, attempt);
    } catch (error) {
      if (on.control === undefined || attempt === ATTEMPTS) throw error;
      const lost = await findLost(on, database);
      if (lost === undefined) throw error;
      await command(on, "repair", lost);
    }
  }
}

/** Runs the body of a test in a new database, by the rules of `repairing()`, and removes the database. */
export function inFreshDatabase(on: Target, run: (database: string) => Promise<void>): Promise<void> {
  return repairing(on, freshDatabase, async (database) => {
    await using db = await connect(on.url);
    await db.admin.createDatabase(database);
    // A database in which a table was lost stays until the coordinator runs again: dropping such a table adds to the
    // coordinator's troubles, and the evidence is in it.
    await run(database);
    await dropDatabase(db, database);
  });
}

/**
 * Drops a database once every partition in it has its leaders: a coordinator of 0.9.1 that is still busy with a new
 * partition when its table is dropped fails with a null pointer.
 */
export async function dropDatabase(db: Db, database: string): Promise<void> {
  for (const name of await db.admin.tables(database)) {
    const table = `${database}.${name}`;
    if ((await db.admin.describe(table)).table.partitionKey.length === 0) continue;
    for (const partition of await db.admin.partitions(table)) {
      await db.admin.offsets(table, "latest", { partition: partition.name });
    }
  }
  await db.admin.dropDatabase(database, { cascade: true, ignoreIfNotExists: true });
}

/** Names tables and partitions that have had no leader for a while though no server is missing, if there are any. */
async function findLost(on: Target, database: string): Promise<string | undefined> {
  const [host, port] = on.bootstrap.split(":") as [string, string];
  // Asked past the client's own picture of the cluster, which may be what is wrong.
  const connection = await RpcConnection.open({
    dial,
    host,
    port: Number(port),
    alarms: new Alarms(),
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 10_000,
    credentials: undefined,
  });
  try {
    const end = performance.now() + LEADERLESS_MS;
    let lost = await findLeaderless(connection, on, database);
    while (lost.length > 0 && performance.now() < end) {
      await sleep(200);
      const now = await findLeaderless(connection, on, database);
      lost = lost.filter((name) => now.includes(name));
    }
    return lost.length === 0 ? undefined : lost.join(", ");
  } finally {
    connection.close();
  }
}

async function findLeaderless(connection: RpcConnection, on: Target, database: string): Promise<string[]> {
  if (!(await connection.call(API.DATABASE_EXISTS, { databaseName: database })).exists) return [];
  const found: string[] = [];
  const { tableName: tables } = await connection.call(API.LIST_TABLES, { databaseName: database });
  for (const tableName of tables) {
    const path = { databaseName: database, tableName };
    const answer = await connection.call(API.GET_METADATA, { tablePath: [path] });
    if (answer.tabletServers.length < on.tabletServers) return [];
    const { tableJson } = answer.tableMetadata[0]!;
    const { partition_key: partitionKey } = JSON.parse(new TextDecoder().decode(tableJson)) as {
      partition_key: readonly string[];
    };
    if (partitionKey.length === 0) {
      if (isLeaderless(answer.tableMetadata[0]!.bucketMetadata)) found.push(`${database}.${tableName}`);
      continue;
    }
    const { partitionsInfo } = await connection.call(API.LIST_PARTITION_INFOS, { tablePath: path });
    for (const { partitionSpec } of partitionsInfo) {
      const partitionName = partitionSpec!.partitionKeyValues.map(({ value }) => value).join("$");
      const { partitionMetadata } = await connection.call(API.GET_METADATA, {
        partitionsPath: [{ ...path, partitionName }],
      });
      if (isLeaderless(partitionMetadata[0]?.bucketMetadata ?? [])) {
        found.push(`the partition ${partitionName} of ${database}.${tableName}`);
      }
    }
  }
  return found;
}

function isLeaderless(buckets: readonly PbBucketMetadata[]): boolean {
  return buckets.length === 0 || buckets.some((bucket) => (optionalField(bucket, "leaderId") ?? -1) < 0);
}
