/**
 * Asks a server what it says to the cases, and writes it into `observed.json`. With names, only to those:
 *
 *     SLUICE_CLUSTER='{"bootstrap":"127.0.0.1:9123"}' deno run -A tests/unit/embedded/catalog/record.ts [name]...
 *
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { Alarms } from "../../../../src/base/alarms.ts";
import { API, type Api } from "../../../../src/client/rpc/api.ts";
import { RpcConnection } from "../../../../src/client/rpc/connection.ts";
import { optionalField } from "../../../../src/client/rpc/required.ts";
import { dial } from "../../../../src/client/transport/dial.ts";
import { runCase } from "./case_run.ts";
import { CASES } from "./cases.ts";

const FILE = new URL("observed.json", import.meta.url);
const RUN = Math.random().toString(36).slice(2, 8);

const { bootstrap } = JSON.parse(process.env["SLUICE_CLUSTER"]!) as { readonly bootstrap: string };
const [host, port] = bootstrap.split(":") as [string, string];
const connection = await RpcConnection.open({
  dial,
  alarms: new Alarms(),
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  credentials: undefined,
  host,
  port: Number(port),
});

/** Leaders of new tables are found within a second, and metadata is asked for until they are. */
async function call<Q extends DescMessage, A extends DescMessage>(
  api: Api<Q, A>,
  request: MessageInitShape<Q>,
): Promise<MessageValidType<A>> {
  if (api.name !== "GET_METADATA") return await connection.call(api, request);
  for (const end = Date.now() + 5_000;;) {
    const answer = await connection.call(API.GET_METADATA, request as MessageInitShape<DescMessage>);
    const buckets = [...answer.tableMetadata, ...answer.partitionMetadata].flatMap((one) => one.bucketMetadata);
    const led = buckets.every((bucket) => (optionalField(bucket, "leaderId") ?? -1) >= 0);
    if (led || Date.now() > end) return answer as unknown as MessageValidType<A>;
    await sleep(20);
  }
}

/** Drops a database once its tables are led: the coordinator of 0.9.1 trips over tables that go sooner. */
async function drop(databaseName: string): Promise<void> {
  if (!(await call(API.DATABASE_EXISTS, { databaseName })).exists) return;
  const { tableName: names } = await call(API.LIST_TABLES, { databaseName });
  for (const tableName of names) {
    const tablePath = { databaseName, tableName };
    await call(API.GET_METADATA, { tablePath: [tablePath] });
    const { partitionsInfo } = await call(API.LIST_PARTITION_INFOS, { tablePath }).catch(() => ({
      partitionsInfo: [],
    }));
    const partitionsId = partitionsInfo.map(({ partitionId }) => partitionId);
    await call(API.GET_METADATA, { tablePath: [tablePath], partitionsId }).catch(() => {});
  }
  await call(API.DROP_DATABASE, { databaseName, ignoreIfNotExists: true, cascade: true });
}

const observed: Record<string, readonly string[]> = JSON.parse(await readFile(FILE, "utf8").catch(() => "{}"));
const names = process.argv.slice(2);
for (const [i, test] of CASES.entries()) {
  if (names.length > 0 && !names.includes(test.name)) continue;
  console.log(test.name);
  const database = `cases_${RUN}_${i}`;
  await call(API.CREATE_DATABASE, { databaseName: database, ignoreIfExists: false });
  try {
    observed[test.name] = await runCase(test, { database, call });
  } finally {
    await drop(database);
  }
}
connection.close();
const known = Object.fromEntries(CASES.map(({ name }) => [name, observed[name]!]));
await writeFile(FILE, `${JSON.stringify(known, null, 2)}\n`);
