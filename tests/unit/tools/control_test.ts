import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveControl } from "../../../tools/cluster/control.ts";
import type { Cluster } from "../../../tools/cluster/launcher.ts";

test("the control obeys who knows its token, and counts and tells repairs", async () => {
  const done: string[] = [];
  const cluster = {
    killTabletServer: (id: number) => Promise.resolve(void done.push(`kill ${id}`)),
    startTabletServer: () => Promise.reject(new Error("it does not start")),
    restartCoordinator: () => {
      done.push("restart");
      return sleep(300);
    },
  } as unknown as Cluster;
  const said: string[] = [];
  const control = await serveControl(cluster, (line) => said.push(line));
  const post = async (path: string, body = "", token = control.token) => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${control.url}/${path}`, { method: "POST", headers, body });
    return [answer.status, await answer.text()];
  };
  try {
    assert.deepEqual(await post("kill/1"), [204, ""]);
    assert.deepEqual(await post("kill/1", "", "wrong"), [401, ""]);
    assert.deepEqual(await post("start/1"), [500, "it does not start"]);
    assert.deepEqual(await post("constructor/1"), [404, ""]);
    assert.deepEqual(done, ["kill 1"]);

    // The second finds the same loss while the first is being healed.
    const both = await Promise.all([post("repair", "shop.users"), post("repair", "shop.orders")]);
    assert.deepEqual(both, [[204, ""], [204, ""]]);
    assert.equal(control.repairs, 1);
    assert.deepEqual(done, ["kill 1", "restart"]);
    assert.match(said.join(), /the coordinator lost shop\.\w+ .*restarting/);

    assert.deepEqual(await post("restart-coordinator"), [204, ""]);
    assert.equal(control.repairs, 1, "a restart that a test wants is no repair");
  } finally {
    control.close();
  }
});
