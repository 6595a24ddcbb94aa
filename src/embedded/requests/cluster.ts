/**
 * Requests about the cluster: its health, tags of its servers, and moving buckets about, of which a server that is alone
 * has nothing to do. Source: Fluss `CoordinatorService.java`, `CoordinatorEventProcessor.java`, `RebalanceManager.java`.
 *
 * @module
 */
import { optionalField } from "../../client/rpc/required.ts";
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import type { Handlers } from "./handler.ts";

/** The one tablet server. */
const SERVER_ID = 0;

/** By the numbers of the wire. */
const TAGS = ["PERMANENT_OFFLINE", "TEMPORARY_OFFLINE"] as const;
const GOALS = ["REPLICA_DISTRIBUTION", "LEADER_DISTRIBUTION", "RACK_AWARE"] as const;

/** What servers call the goals when they cannot be reached. */
const GOAL_NAMES: Readonly<Record<(typeof GOALS)[number], string>> = {
  REPLICA_DISTRIBUTION: "ReplicaDistributionGoal",
  LEADER_DISTRIBUTION: "LeaderReplicaDistributionGoal",
  RACK_AWARE: "RackAwareGoal",
};

/** `ListRebalanceProgressResponse.rebalance_status`: a plan without a step is done at once. */
const COMPLETED = 3;
/** `GetClusterHealthResponse.status` */
const GREEN = 0;

// Documents.
const TAGS_DOCUMENT = "cluster/tags";
const REBALANCE_DOCUMENT = "cluster/rebalance";

/** See the module. */
export const clusterHandlers: Handlers = {
  GET_CLUSTER_HEALTH(engine, _request, { principal }) {
    engine.authorizer.check(principal, "DESCRIBE", "cluster");
    // Every bucket has one replica, and it leads.
    const buckets = countBuckets(engine);
    return {
      numReplicas: buckets,
      inSyncReplicas: buckets,
      numLeaderReplicas: buckets,
      activeLeaderReplicas: buckets,
      status: GREEN,
    };
  },

  ADD_SERVER_TAG(engine, { serverIds, serverTag }, { principal }) {
    engine.authorizer.check(principal, "ALTER", "cluster");
    const tag = oneOf(TAGS, serverTag);
    const tags = tagsOf(engine);
    for (const id of serverIds) {
      if (id !== SERVER_ID) {
        throw fault("SERVER.SERVER_NOT_EXIST_EXCEPTION", `Server ${id} not exists when trying to add server tag.`);
      }
      const before = tags[id];
      if (before !== undefined && before !== tag) {
        throw fault(
          "SERVER.SERVER_TAG_ALREADY_EXIST_EXCEPTION",
          `Server tag ${before} already exists for server ${id}. However you want to set it to ${tag}, please remove ` +
            "the server tag first.",
        );
      }
    }
    for (const id of serverIds) tags[id] = tag;
    engine.storage.documents.put(TAGS_DOCUMENT, tags);
    return {};
  },

  REMOVE_SERVER_TAG(engine, { serverIds, serverTag }, { principal }) {
    engine.authorizer.check(principal, "ALTER", "cluster");
    const tag = oneOf(TAGS, serverTag);
    const tags = tagsOf(engine);
    // A server without a tag, or one that does not exist, is left alone.
    for (const id of serverIds) {
      const before = tags[id];
      if (before === undefined || before === tag) continue;
      throw fault(
        "SERVER.SERVER_TAG_NOT_EXIST_EXCEPTION",
        `Server tag ${tag} not exists for server ${id}, the current server tag of this server is ${before}.`,
      );
    }
    for (const id of serverIds) delete tags[id];
    engine.storage.documents.put(TAGS_DOCUMENT, tags);
    return {};
  },

  REBALANCE(engine, { goals }, { principal }) {
    engine.authorizer.check(principal, "WRITE", "cluster");
    const wanted = goals.map((goal) => oneOf(GOALS, goal));
    if (tagsOf(engine)[SERVER_ID] !== undefined) {
      for (const goal of wanted) checkReachable(engine, goal);
    }
    const rebalanceId = crypto.randomUUID();
    engine.storage.documents.put(REBALANCE_DOCUMENT, rebalanceId);
    return { rebalanceId };
  },

  LIST_REBALANCE_PROGRESS(engine, request, { principal }) {
    engine.authorizer.check(principal, "DESCRIBE", "cluster");
    const last = lastRebalance(engine, optionalField(request, "rebalanceId"), "list");
    return last === undefined ? {} : { rebalanceId: last, rebalanceStatus: COMPLETED };
  },

  CANCEL_REBALANCE(engine, request, { principal }) {
    engine.authorizer.check(principal, "WRITE", "cluster");
    // What is done already stays so.
    lastRebalance(engine, optionalField(request, "rebalanceId"), "cancel");
    return {};
  },
};

function countBuckets({ catalog }: Engine): number {
  let count = 0;
  for (const { name: database } of catalog.databases) {
    for (const name of catalog.tableNames(database)) {
      const { bucketCount, live, partitions } = catalog.table({ database, table: name });
      count += live.partitionKey.length === 0 ? bucketCount : bucketCount * partitions.size;
    }
  }
  return count;
}

/** Tags by the ids of servers. */
function tagsOf({ storage }: Engine): Record<number, (typeof TAGS)[number]> {
  return (storage.documents.get(TAGS_DOCUMENT) ?? {}) as Record<number, (typeof TAGS)[number]>;
}

function oneOf<const N extends string>(names: readonly N[], value: number): N {
  const name = names[value];
  if (name === undefined) throw new Error(`Value ${value} must be one of [${names.join(", ")}]`);
  return name;
}

/**
 * With the only server tagged as offline, there is none to put replicas on.
 *
 * @throws {ServerFault} 61
 */
function checkReachable(engine: Engine, goal: (typeof GOALS)[number]): void {
  const replicas = countBuckets(engine) === 0 ? 0 : 1;
  if (goal === "RACK_AWARE" && replicas === 0) return;
  const why = goal === "RACK_AWARE"
    ? `Insufficient number of racks to distribute each replica (Current: 0, Needed: ${replicas}).`
    : "All alive tabletServers are excluded from replica moves.";
  throw fault(
    "SERVER.REBALANCE_FAILURE_EXCEPTION",
    `Failed to generate plan and execute rebalance. The root cause: [${GOAL_NAMES[goal]}] ${why}`,
  );
}

/** @throws {ServerFault} 62 when another one was asked for than the last */
function lastRebalance({ storage }: Engine, wanted: string | undefined, what: "list" | "cancel"): string | undefined {
  const last = storage.documents.get(REBALANCE_DOCUMENT) as string | undefined;
  if (wanted === undefined || last === undefined || wanted === last) return last;
  throw fault(
    "SERVER.NO_REBALANCE_IN_PROGRESS_EXCEPTION",
    `Rebalance task id ${wanted} to ${what} is not the current rebalance task id ${last}.`,
  );
}
