/**
 * `deno task demo`: starts a real Fluss cluster and takes the tour on it.
 *
 * @module
 */
import process from "node:process";
import { tour } from "../examples/tour.ts";
import { ClusterError, MissingTool, startCluster } from "./cluster/launcher.ts";

try {
  await using cluster = await startCluster({ code: "quick", say: console.log });
  console.log(`a cluster runs at fluss://${cluster.bootstrap}\n`);
  await tour(`fluss://${cluster.bootstrap}`, (line) => console.log(`- ${line}`));
  console.log("\nThat was examples/tour.ts. A cluster to play with: deno task cluster");
} catch (error) {
  if (!(error instanceof ClusterError || error instanceof MissingTool)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
