/**
 * Requests about the settings of the cluster. Source: Fluss `DynamicConfigManager.java`, `DynamicServerConfig.java`,
 * `LakeCatalogDynamicLoader.java`.
 *
 * @module
 */
import { optionalField } from "../../client/rpc/required.ts";
import type { Engine } from "../engine.ts";
import type { Settings } from "../settings.ts";
import type { Handlers } from "./handler.ts";

/** Settings that were altered, by their keys; null for one without a value. */
type Altered = Record<string, string | null>;

const DOCUMENT = "cluster/settings";

const RATE_LIMIT = "kv.rocksdb.shared-rate-limiter.bytes-per-sec";
const LAKE_FORMAT = "datalake.format";
const LAKE_PREFIX = "datalake.";
const LAKE_FORMATS: readonly string[] = ["paimon", "lance", "iceberg"];

const OPERATIONS = ["SET", "DELETE", "APPEND", "SUBTRACT"] as const;

/** See the module. */
export const configHandlers: Handlers = {
  DESCRIBE_CLUSTER_CONFIGS(engine, _request, { principal }) {
    engine.authorizer.check(principal, "DESCRIBE", "cluster");
    const altered = alteredOf(engine);
    const initial = Object.entries(initialSettings(engine.settings)).filter(([key]) => !Object.hasOwn(altered, key));
    return {
      configs: [
        ...initial.map(([configKey, configValue]) => ({
          configKey,
          configValue,
          configSource: "INITIAL_SERVER_CONFIG",
        })),
        ...Object.entries(altered).map(([configKey, configValue]) => ({
          configKey,
          ...(configValue === null ? {} : { configValue }),
          configSource: "DYNAMIC_SERVER_CONFIG",
        })),
      ],
    };
  },

  ALTER_CLUSTER_CONFIGS(engine, { alterConfigs }, { principal }) {
    if (alterConfigs.length === 0) return {};
    engine.authorizer.check(principal, "ALTER", "cluster");
    const changes = alterConfigs.map((change) => {
      const operation = OPERATIONS[change.opType];
      if (operation === undefined) throw new Error(`Unsupported AlterConfigOpType: ${change.opType}`);
      return { key: change.configKey, value: optionalField(change, "configValue") ?? null, operation };
    });
    const before = alteredOf(engine);
    const altered = { ...before };
    for (const { key, value, operation } of changes) {
      if (key !== RATE_LIMIT && !key.startsWith(LAKE_PREFIX)) {
        throw new Error(`The config key ${key} is not allowed to be changed dynamically.`);
      }
      if (operation === "SET") altered[key] = value;
      else if (operation === "DELETE") delete altered[key];
      else throw new Error(`Unsupported config operation type ${operation}`);
    }
    for (const [key, value] of Object.entries(altered)) {
      if (value !== null && value !== before[key]) checkSetting(key, value);
    }
    engine.storage.documents.put(DOCUMENT, altered);
    return {};
  },
};

function alteredOf({ storage }: Engine): Altered {
  return (storage.documents.get(DOCUMENT) ?? {}) as Altered;
}

/** What the server started with, in the server's own words. */
function initialSettings(settings: Settings): Readonly<Record<string, string>> {
  const { authorizer, superUsers, defaultBuckets, maxPartitions, maxBuckets } = settings;
  return {
    "default.bucket.number": `${defaultBuckets}`,
    "default.replication.factor": "1",
    "max.partition.num": `${maxPartitions}`,
    "max.bucket.num": `${maxBuckets}`,
    "auto-partition.check.interval": `${settings.autoPartitionCheckMs}ms`,
    "netty.server.max-request-size": `${settings.maxRequestBytes}b`,
    "authorizer.enabled": `${authorizer}`,
    ...(superUsers.length === 0 ? {} : { "super.users": superUsers.map((name) => `User:${name}`).join(";") }),
  };
}

/** Throws what a server throws that has no data lake; it has no code of its own. */
function checkSetting(key: string, value: string): void {
  if (key === RATE_LIMIT) {
    if (!isMemorySize(value)) throw unreadable(key, value, "MemorySize");
  } else if (key === LAKE_FORMAT) {
    const format = value.toLowerCase();
    if (!LAKE_FORMATS.includes(format)) throw unreadable(key, value, "DataLakeFormat");
    throw new Error(`No LakeStoragePlugin can be found for datalake format: ${format}`);
  } else throw new Error(`Invalid configuration '${key}' for 'null' datalake format`);
}

function unreadable(key: string, value: string, type: string): Error {
  return new Error(
    `Cannot parse '${value}' as ${type} for config '${key}': Could not parse value '${value}' for key '${key}'.`,
  );
}

const UNITS: Readonly<Record<string, bigint>> = {
  "": 1n,
  b: 1n,
  bytes: 1n,
  k: 1n << 10n,
  kb: 1n << 10n,
  kibibytes: 1n << 10n,
  m: 1n << 20n,
  mb: 1n << 20n,
  mebibytes: 1n << 20n,
  g: 1n << 30n,
  gb: 1n << 30n,
  gibibytes: 1n << 30n,
  t: 1n << 40n,
  tb: 1n << 40n,
  tebibytes: 1n << 40n,
};

/** Source: Fluss `MemorySize.java`. */
function isMemorySize(text: string): boolean {
  const found = /^(\d+)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const factor = found === null || !Object.hasOwn(UNITS, found[2]!) ? undefined : UNITS[found[2]!];
  return factor !== undefined && BigInt(found![1]!) * factor < 1n << 63n;
}
