/**
 * Asks a server what it says to the cases, and writes it into `observed.json`. With names, only to those:
 *
 *     SLUICE_CLUSTER='{"bootstrap":"127.0.0.1:9123"}' deno run -A tests/unit/embedded/kv/record.ts [name]...
 *
 * @module
 */
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Alarms } from "../../../../src/base/alarms.ts";
import { API } from "../../../../src/client/rpc/api.ts";
import { RpcConnection } from "../../../../src/client/rpc/connection.ts";
import { dial } from "../../../../src/client/transport/dial.ts";
import type { JsonObject } from "../../../../src/schema/data_type_json.ts";
import { type CaseServer, runCase } from "./case_run.ts";
import { CASES } from "./cases.ts";

const FILE = new URL("observed.json", import.meta.url);
/** The bucket has no leader yet, or the tablet server does not know the schema yet. */
const NOT_YET = [12, 21];
const DATABASE = `cases_${Math.random().toString(36).slice(2, 8)}`;

const { bootstrap } = JSON.parse(process.env["SLUICE_CLUSTER"]!) as { readonly bootstrap: string };
const [host, port] = bootstrap.split(":") as [string, string];
const options = {
  dial,
  alarms: new Alarms(),
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  credentials: undefined,
};
const coordinator = await RpcConnection.open({ ...options, host, port: Number(port) });
const { tabletServers: [node] } = await coordinator.call(API.GET_METADATA, {});
const tablet = await RpcConnection.open({ ...options, host: node!.host, port: node!.port });

let tables = 0;
const pathOf = (number: number) => ({ databaseName: DATABASE, tableName: `t${number}` });

const server: CaseServer = {
  async create(descriptor) {
    const tableJson = new TextEncoder().encode(JSON.stringify(descriptor));
    for (;;) {
      const tablePath = pathOf(++tables);
      await coordinator.call(API.CREATE_TABLE, { tablePath, tableJson, ignoreIfExists: false });
      const { tableId } = await coordinator.call(API.GET_TABLE_INFO, { tablePath });
      // Some tables never get a leader (a bug of 0.9.1): another one then.
      for (const end = Date.now() + 5_000; Date.now() < end;) {
        const { errorCode } = await tablet.call(API.LIMIT_SCAN, { tableId, bucketId: 0, limit: 1 });
        if (!NOT_YET.includes(errorCode)) return tableId;
        await sleep(10);
      }
    }
  },
  async alter({ schema }) {
    const { columns } = schema as { readonly columns: readonly JsonObject[] };
    const { name, data_type } = columns.at(-1)!;
    await coordinator.call(API.ALTER_TABLE, {
      tablePath: pathOf(tables),
      ignoreIfNotExists: false,
      addColumns: [{
        columnName: name as string,
        dataTypeJson: new TextEncoder().encode(JSON.stringify(data_type)),
        columnPositionType: 0,
      }],
    });
    await sleep(300);
  },
  call: (api, request) => tablet.call(api, request),
};

const observed: Record<string, readonly string[]> = JSON.parse(await readFile(FILE, "utf8").catch(() => "{}"));
const names = process.argv.slice(2);
await coordinator.call(API.CREATE_DATABASE, { databaseName: DATABASE, ignoreIfExists: false });
try {
  for (const test of CASES) {
    if (names.length > 0 && !names.includes(test.name)) continue;
    console.log(test.name);
    observed[test.name] = await runCase(test, server);
    await coordinator.call(API.DROP_TABLE, { tablePath: pathOf(tables), ignoreIfNotExists: true });
  }
} finally {
  await coordinator.call(API.DROP_DATABASE, { databaseName: DATABASE, ignoreIfNotExists: true, cascade: true });
  coordinator.close();
  tablet.close();
}
const known = Object.fromEntries(CASES.map(({ name }) => [name, observed[name]!]));
await writeFile(FILE, `${JSON.stringify(known, null, 2)}\n`);
