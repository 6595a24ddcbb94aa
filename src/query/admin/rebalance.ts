/**
 * Moving buckets between tablet servers until the load is spread.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import { API } from "../../client/rpc/api.ts";
import { optionalField } from "../../client/rpc/required.ts";
import { type AdminPlace, wait } from "./place.ts";

/** What a rebalance is after: as many replicas, or leaders, on each server; replicas of a bucket in different racks. */
export type RebalanceGoal = "replicaDistribution" | "leaderDistribution" | "rackAware";

/** How far a rebalance, or one bucket of it, is. */
export type RebalanceStatus =
  | "notStarted"
  | "rebalancing"
  | "failed"
  | "completed"
  | "canceled"
  | "timeout"
  | "unknown";

/** One bucket that is moved. */
export interface BucketMove {
  /** The number of its table. */
  readonly tableId: bigint;
  /** The number of its partition, where the table is partitioned. */
  readonly partitionId?: bigint;
  /** The bucket. */
  readonly bucket: number;
  /** How far it is. */
  readonly status: RebalanceStatus;
  /** The tablet server that led it. */
  readonly originalLeader?: number;
  /** The tablet server that will lead it. */
  readonly newLeader?: number;
  /** The tablet servers that had it. */
  readonly originalReplicas: readonly number[];
  /** The tablet servers that will have it. */
  readonly newReplicas: readonly number[];
}

/** How far a rebalance is. */
export interface RebalanceProgress {
  /** The id that `rebalance()` gave. */
  readonly id: string;
  /** How far the whole is. */
  readonly status: RebalanceStatus;
  /** Every bucket that is moved. */
  readonly buckets: readonly BucketMove[];
}

/** Options of calls about one rebalance. */
export interface RebalanceOptions extends CallOptions {
  /** Its id. Default: the one that is under way. */
  readonly id?: string;
}

/** Source: Fluss `GoalType.java`. */
const GOALS: readonly RebalanceGoal[] = ["replicaDistribution", "leaderDistribution", "rackAware"];
/** Source: Fluss `RebalanceStatus.java`. */
const STATUS: readonly RebalanceStatus[] = [
  "notStarted",
  "rebalancing",
  "failed",
  "completed",
  "canceled",
  "timeout",
];

export async function rebalance(
  place: AdminPlace,
  goals: readonly RebalanceGoal[],
  options: CallOptions,
): Promise<string> {
  for (const goal of goals) {
    if (GOALS.includes(goal)) continue;
    throw flussError("ADMIN.BAD_OPTION", {
      message: `${JSON.stringify(goal)} is no goal of a rebalance`,
      hint: `the goals are ${GOALS.join(", ")}`,
    });
  }
  const request = { goals: goals.map((goal) => GOALS.indexOf(goal)) };
  return (await place.client.cluster.callCoordinator(API.REBALANCE, request, wait(options))).rebalanceId;
}

export async function rebalanceProgress(
  place: AdminPlace,
  options: RebalanceOptions,
): Promise<RebalanceProgress | undefined> {
  const answer = await place.client.cluster.callCoordinator(
    API.LIST_REBALANCE_PROGRESS,
    options.id === undefined ? {} : { rebalanceId: options.id },
    { ...wait(options), repeatable: true },
  );
  const id = optionalField(answer, "rebalanceId");
  if (id === undefined) return undefined;
  return {
    id,
    status: STATUS[answer.rebalanceStatus] ?? "unknown",
    buckets: answer.tableProgress.flatMap(({ tableId, bucketsProgress }) =>
      bucketsProgress.map(({ rebalancePlan, rebalanceStatus }): BucketMove => {
        const plan = rebalancePlan!;
        const partitionId = optionalField(plan, "partitionId");
        const originalLeader = optionalField(plan, "originalLeader");
        const newLeader = optionalField(plan, "newLeader");
        return {
          tableId,
          ...(partitionId === undefined ? {} : { partitionId }),
          bucket: plan.bucketId,
          status: STATUS[rebalanceStatus] ?? "unknown",
          ...(originalLeader === undefined ? {} : { originalLeader }),
          ...(newLeader === undefined ? {} : { newLeader }),
          originalReplicas: plan.originalReplicas,
          newReplicas: plan.newReplicas,
        };
      })
    ),
  };
}

export async function cancelRebalance(place: AdminPlace, options: RebalanceOptions): Promise<void> {
  await place.client.cluster.callCoordinator(
    API.CANCEL_REBALANCE,
    options.id === undefined ? {} : { rebalanceId: options.id },
    wait(options),
  );
}
