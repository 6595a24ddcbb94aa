import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import { optionalField } from "../../../../src/client/rpc/required.ts";
import { refuses, Served } from "../served.ts";

const LIMIT = "kv.rocksdb.shared-rate-limiter.bytes-per-sec";
const SET = 0;
const DELETE = 1;

async function settings(served: Served): Promise<Map<string, string | undefined>> {
  const { configs } = await served.ask(API.DESCRIBE_CLUSTER_CONFIGS, {});
  return new Map(configs.map((one) => [`${one.configKey} ${one.configSource}`, optionalField(one, "configValue")]));
}

function alter(served: Served, ...alterConfigs: { configKey: string; configValue?: string; opType: number }[]) {
  return served.ask(API.ALTER_CLUSTER_CONFIGS, { alterConfigs });
}

test("what the server started with is told", async () => {
  const told = await settings(new Served({ defaultBuckets: 3, authorizer: true, superUsers: ["ANONYMOUS", "eve"] }));
  const initial = (key: string) => told.get(`${key} INITIAL_SERVER_CONFIG`);
  assert.equal(initial("default.bucket.number"), "3");
  assert.equal(initial("max.partition.num"), "1000");
  assert.equal(initial("authorizer.enabled"), "true");
  assert.equal(initial("super.users"), "User:ANONYMOUS;User:eve");
  assert.ok(!(await settings(new Served())).has("super.users INITIAL_SERVER_CONFIG"));
});

test("a setting is altered, kept, and taken away", async () => {
  const served = new Served();
  await alter(served);
  await alter(served, { configKey: LIMIT, configValue: "200mb", opType: SET });
  assert.equal((await settings(served)).get(`${LIMIT} DYNAMIC_SERVER_CONFIG`), "200mb");
  assert.equal((await settings(served.restarted())).get(`${LIMIT} DYNAMIC_SERVER_CONFIG`), "200mb");
  await alter(served, { configKey: LIMIT, opType: SET });
  const told = await settings(served);
  assert.ok(told.has(`${LIMIT} DYNAMIC_SERVER_CONFIG`));
  assert.equal(told.get(`${LIMIT} DYNAMIC_SERVER_CONFIG`), undefined);
  await alter(served, { configKey: LIMIT, opType: DELETE });
  await alter(served, { configKey: LIMIT, opType: DELETE });
  assert.ok(!(await settings(served)).has(`${LIMIT} DYNAMIC_SERVER_CONFIG`));
});

test("what cannot be altered is refused, and with it the whole request", async () => {
  const served = new Served();
  const before = await settings(served);
  const refused = (reason: string, ...changes: Parameters<typeof alter> extends [Served, ...infer C] ? C : never) =>
    refuses(alter(served, ...changes), "SERVER.UNKNOWN_SERVER_ERROR", `Error: ${reason}`);
  await refused(
    "The config key zookeeper.address is not allowed to be changed dynamically.",
    { configKey: LIMIT, configValue: "1kb", opType: SET },
    { configKey: "zookeeper.address", configValue: "x", opType: SET },
  );
  await refused("Unsupported config operation type APPEND", { configKey: LIMIT, configValue: "1", opType: 2 });
  await refused("Unsupported AlterConfigOpType: 9", { configKey: LIMIT, configValue: "1", opType: 9 });
  for (const value of ["xyz", "12 foo", "-1", "", "9223372036854775808", "8388608tb"]) {
    await refused(
      `Cannot parse '${value}' as MemorySize for config '${LIMIT}': Could not parse value '${value}' for key ` +
        `'${LIMIT}'.`,
      { configKey: LIMIT, configValue: value, opType: SET },
    );
  }
  await refused("Invalid configuration 'datalake.paimon.warehouse' for 'null' datalake format", {
    configKey: "datalake.paimon.warehouse",
    configValue: "/lake",
    opType: SET,
  });
  await refused("No LakeStoragePlugin can be found for datalake format: paimon", {
    configKey: "datalake.format",
    configValue: "PAIMON",
    opType: SET,
  });
  await refused(
    "Cannot parse 'tar' as DataLakeFormat for config 'datalake.format': Could not parse value 'tar' for key " +
      "'datalake.format'.",
    { configKey: "datalake.format", configValue: "tar", opType: SET },
  );
  assert.deepEqual(await settings(served), before);
  for (const value of ["1", " 1 KB ", "9223372036854775807", "8388607 tebibytes"]) {
    await alter(served, { configKey: LIMIT, configValue: value, opType: SET });
  }
});
