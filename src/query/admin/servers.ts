/**
 * The servers of a cluster: who they are, how they are set up, how they are.
 *
 * @module
 */
import type { CallOptions } from "../../base/wait.ts";
import { API } from "../../client/rpc/api.ts";
import { optionalField } from "../../client/rpc/required.ts";
import { optionChanges } from "./databases.ts";
import { type AdminPlace, wait } from "./place.ts";

/** A server of the cluster. */
export interface ServerInfo {
  /** What it does. */
  readonly kind: "coordinator" | "tabletServer";
  /** Its number; coordinators and tablet servers are numbered apart. */
  readonly id: number;
  /** The host that it advertises. */
  readonly host: string;
  /** The port that it advertises. */
  readonly port: number;
  /** Where it stands, if the cluster says so. */
  readonly rack?: string;
}

/** One setting of the cluster. */
export interface ConfigEntry {
  /** Its name. */
  readonly key: string;
  /** Absent when the server does not show it. */
  readonly value?: string;
  /** Where the value comes from, in the server's words: `INITIAL_SERVER_CONFIG`, `DYNAMIC_SERVER_CONFIG`. */
  readonly source: string;
}

/** What is changed about the settings of the cluster, while it runs. Servers allow few. */
export interface ConfigChanges {
  /** Settings to set. */
  readonly set?: Readonly<Record<string, string>>;
  /** Names of settings that go back to what the servers were started with. */
  readonly remove?: readonly string[];
  /** Values to add to settings that are lists. */
  readonly append?: Readonly<Record<string, string>>;
  /** Values to take out of settings that are lists. */
  readonly subtract?: Readonly<Record<string, string>>;
}

/**
 * What a tablet server is marked as: `permanentOffline` moves its buckets away with the next rebalance,
 * `temporaryOffline` keeps it from leading.
 */
export type ServerTag = "permanentOffline" | "temporaryOffline";

/** How the cluster is. */
export interface ClusterHealth {
  /** Green: all is well. Yellow: replicas are missing. Red: buckets have no leader. */
  readonly status: "green" | "yellow" | "red" | "unknown";
  /** Replicas that there should be. */
  readonly replicas: number;
  /** Replicas that are in sync. */
  readonly inSyncReplicas: number;
  /** Buckets, each of which should have a leader. */
  readonly leaderReplicas: number;
  /** Buckets that have one. */
  readonly activeLeaderReplicas: number;
}

/** Source: Fluss `ServerTag.java`. */
const TAGS: readonly ServerTag[] = ["permanentOffline", "temporaryOffline"];
const HEALTH = ["green", "yellow", "red"] as const;
/** Source: Fluss `AlterConfigOpType.java`. */
const APPEND = 2;
const SUBTRACT = 3;

export async function servers({ client: { cluster } }: AdminPlace, options: CallOptions): Promise<ServerInfo[]> {
  await cluster.start(options);
  const { coordinator, tabletServers } = cluster.metadata;
  return [
    ...(coordinator === undefined ? [] : [{ kind: "coordinator", ...coordinator } as const]),
    ...[...tabletServers.values()].map((node) => ({ kind: "tabletServer", ...node }) as const),
  ];
}

export async function config({ client: { cluster } }: AdminPlace, options: CallOptions): Promise<ConfigEntry[]> {
  // Tablet servers hear of a change a moment later.
  const answer = await cluster.callCoordinator(API.DESCRIBE_CLUSTER_CONFIGS, {}, {
    ...wait(options),
    repeatable: true,
  });
  return answer.configs.map((entry) => {
    const { configKey: key, configSource: source } = entry;
    const value = optionalField(entry, "configValue");
    return value === undefined ? { key, source } : { key, value, source };
  });
}

export async function alterConfig(place: AdminPlace, changes: ConfigChanges, options: CallOptions): Promise<void> {
  const listed = (values: Readonly<Record<string, string>> = {}, opType: number) =>
    Object.entries(values).map(([configKey, configValue]) => ({ configKey, configValue, opType }));
  const repeatable = changes.append === undefined && changes.subtract === undefined;
  await place.client.cluster.callCoordinator(API.ALTER_CLUSTER_CONFIGS, {
    alterConfigs: [
      ...optionChanges(changes.set, changes.remove),
      ...listed(changes.append, APPEND),
      ...listed(changes.subtract, SUBTRACT),
    ],
  }, { ...wait(options), repeatable });
}

export async function addServerTag(
  place: AdminPlace,
  serverIds: readonly number[],
  tag: ServerTag,
  options: CallOptions,
): Promise<void> {
  const request = { serverIds: [...serverIds], serverTag: TAGS.indexOf(tag) };
  await place.client.cluster.callCoordinator(API.ADD_SERVER_TAG, request, wait(options));
}

export async function removeServerTag(
  place: AdminPlace,
  serverIds: readonly number[],
  tag: ServerTag,
  options: CallOptions,
): Promise<void> {
  const request = { serverIds: [...serverIds], serverTag: TAGS.indexOf(tag) };
  await place.client.cluster.callCoordinator(API.REMOVE_SERVER_TAG, request, wait(options));
}

export async function health({ client: { cluster } }: AdminPlace, options: CallOptions): Promise<ClusterHealth> {
  const said = await cluster.callCoordinator(API.GET_CLUSTER_HEALTH, {}, { ...wait(options), repeatable: true });
  return {
    status: HEALTH[said.status] ?? "unknown",
    replicas: said.numReplicas,
    inSyncReplicas: said.inSyncReplicas,
    leaderReplicas: said.numLeaderReplicas,
    activeLeaderReplicas: said.activeLeaderReplicas,
  };
}
