/**
 * Whether a cluster is on this machine.
 *
 * @module
 */
import type { FlussClient } from "../../client.ts";

/** Whether a host is this machine itself, by its name alone: no name is resolved, for that is up to others. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Whether all servers that the client knows are on this machine, as far as their addresses tell. Behind a `resolveAddress`
 * addresses tell nothing.
 */
export function isLocalCluster({ options, cluster: { metadata } }: FlussClient): boolean {
  if (options.resolveAddress !== undefined) return false;
  return [...options.bootstrap, ...metadata.tabletServers.values()].every(({ host }) => isLoopback(host));
}
