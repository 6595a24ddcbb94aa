/**
 * Waits for the process that started a cluster to be gone, then ends the cluster: `watchdog.ts DIRECTORY`.
 *
 * @module
 */
import process from "node:process";
import { endServers } from "./processes.ts";

const directory = process.argv[2];
if (directory === undefined) {
  throw new Error("watchdog.ts needs the folder of a cluster");
}

for await (const _ of process.stdin) {
  // Nothing is ever said here; what counts is that the pipe ends.
}
endServers(directory);
