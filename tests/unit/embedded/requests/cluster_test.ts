import assert from "node:assert/strict";
import { test } from "node:test";
import { API } from "../../../../src/client/rpc/api.ts";
import { isSet } from "../../../../src/client/rpc/required.ts";
import { refuses, Served } from "../served.ts";

const PERMANENT = 0;
const TEMPORARY = 1;

test("every bucket has one replica, which leads", async () => {
  const served = new Served();
  const health = async () => {
    const { numReplicas, inSyncReplicas, numLeaderReplicas, activeLeaderReplicas, status } = await served.ask(
      API.GET_CLUSTER_HEALTH,
      {},
    );
    assert.equal(status, 0);
    assert.equal(new Set([numReplicas, inSyncReplicas, numLeaderReplicas, activeLeaderReplicas]).size, 1);
    return numReplicas;
  };
  assert.equal(await health(), 0);
  await served.createTable("shop", "orders", { primaryKey: true });
  assert.equal(await health(), 2);
  await served.createTable("shop", "visits", { partitioned: true });
  assert.equal(await health(), 2);
  await served.createPartition("shop", "visits", "a");
  await served.createPartition("shop", "visits", "b");
  assert.equal(await health(), 6);
});

test("a server has one tag, until that one is taken away", async () => {
  const served = new Served();
  const add = (serverIds: number[], serverTag: number) => served.ask(API.ADD_SERVER_TAG, { serverIds, serverTag });
  const remove = (serverIds: number[], serverTag: number) =>
    served.ask(API.REMOVE_SERVER_TAG, { serverIds, serverTag });
  await add([], PERMANENT);
  await refuses(add([0, 7], PERMANENT), "SERVER.SERVER_NOT_EXIST_EXCEPTION", /^Server 7 not exists/);
  // None of them has the tag then.
  await add([0], TEMPORARY);
  await add([0], TEMPORARY);
  await refuses(
    add([0], PERMANENT),
    "SERVER.SERVER_TAG_ALREADY_EXIST_EXCEPTION",
    "Server tag TEMPORARY_OFFLINE already exists for server 0. However you want to set it to PERMANENT_OFFLINE, " +
      "please remove the server tag first.",
  );
  await refuses(
    remove([0], PERMANENT),
    "SERVER.SERVER_TAG_NOT_EXIST_EXCEPTION",
    "Server tag PERMANENT_OFFLINE not exists for server 0, the current server tag of this server is TEMPORARY_OFFLINE.",
  );
  await refuses(
    served.restarted().ask(API.ADD_SERVER_TAG, { serverIds: [0], serverTag: PERMANENT }),
    "SERVER.SERVER_TAG_ALREADY_EXIST_EXCEPTION",
    /TEMPORARY_OFFLINE/,
  );
  await remove([0, 7], TEMPORARY);
  await remove([0], TEMPORARY);
  await add([0], PERMANENT);
  for (const change of [add, remove]) {
    await refuses(
      change([0], 2),
      "SERVER.UNKNOWN_SERVER_ERROR",
      /Value 2 must be one of \[PERMANENT_OFFLINE, TEMPORARY_OFFLINE\]/,
    );
  }
});

test("a rebalance is done at once, and the last one is told of", async () => {
  const served = new Served();
  const list = (rebalanceId?: string) =>
    served.ask(API.LIST_REBALANCE_PROGRESS, rebalanceId === undefined ? {} : { rebalanceId });
  assert.ok(!isSet(await list(), "rebalanceId"));
  assert.ok(!isSet(await list("nothing"), "rebalanceStatus"));
  await served.ask(API.CANCEL_REBALANCE, {});
  await served.ask(API.REBALANCE, { goals: [0] });
  const { rebalanceId } = await served.ask(API.REBALANCE, { goals: [1, 0, 2] });
  assert.match(rebalanceId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  for (const progress of [await list(), await list(rebalanceId)]) {
    assert.equal(progress.rebalanceId, rebalanceId);
    assert.equal(progress.rebalanceStatus, 3);
    assert.deepEqual(progress.tableProgress, []);
  }
  assert.equal((await served.restarted().ask(API.LIST_REBALANCE_PROGRESS, {})).rebalanceId, rebalanceId);
  await served.ask(API.CANCEL_REBALANCE, {});
  assert.equal((await list()).rebalanceStatus, 3);
  await refuses(
    list("other"),
    "SERVER.NO_REBALANCE_IN_PROGRESS_EXCEPTION",
    `Rebalance task id other to list is not the current rebalance task id ${rebalanceId}.`,
  );
  await refuses(
    served.ask(API.CANCEL_REBALANCE, { rebalanceId: "other" }),
    "SERVER.NO_REBALANCE_IN_PROGRESS_EXCEPTION",
    `Rebalance task id other to cancel is not the current rebalance task id ${rebalanceId}.`,
  );
  await refuses(served.ask(API.REBALANCE, { goals: [3] }), "SERVER.UNKNOWN_SERVER_ERROR", /Value 3 must be one of/);
});

test("with the only server tagged as offline there is nowhere to move to", async () => {
  const served = new Served();
  await served.ask(API.ADD_SERVER_TAG, { serverIds: [0], serverTag: TEMPORARY });
  const rebalance = (...goals: number[]) => served.ask(API.REBALANCE, { goals });
  // Without a bucket, no rack is needed.
  await rebalance(2);
  await rebalance();
  await served.createTable("shop", "orders");
  const cause = "Failed to generate plan and execute rebalance. The root cause: ";
  for (
    const [goal, why] of [
      [0, "[ReplicaDistributionGoal] All alive tabletServers are excluded from replica moves."],
      [1, "[LeaderReplicaDistributionGoal] All alive tabletServers are excluded from replica moves."],
      [2, "[RackAwareGoal] Insufficient number of racks to distribute each replica (Current: 0, Needed: 1)."],
    ] as const
  ) await refuses(rebalance(goal), "SERVER.REBALANCE_FAILURE_EXCEPTION", cause + why);
});
