/**
 * The clusters that the runner started for this run, and control over their servers.
 *
 * The runner (tools/test.ts) says in the environment where they are. To run a test file by hand against a cluster of
 * `deno task cluster`: `SLUICE_CLUSTER='{"bootstrap":"127.0.0.1:9123"}' deno test -A FILE`.
 *
 * @module
 */
import process from "node:process";

/** Where a cluster is and what may be done with it. */
export interface Target {
  readonly bootstrap: string;
  readonly sasl: {
    readonly bootstrap: string;
    readonly username: string;
    readonly password: string;
    readonly users: readonly {
      readonly username: string;
      readonly password: string;
    }[];
  };
  readonly tabletServers: number;
  readonly control: { readonly url: string; readonly token: string };
}

function read(name: string): Target | undefined {
  const json = process.env[name];
  return json === undefined ? undefined : JSON.parse(json) as Target;
}

/** One tablet server. */
export const target: Target | undefined = read("SLUICE_CLUSTER");

/** Three tablet servers, replication 3. */
export const target3: Target | undefined = read("SLUICE_CLUSTER3");

/** Options of tests that need the cluster. */
export const needsCluster: { readonly skip: string | false } = {
  skip: target === undefined ? "no cluster: SLUICE_CLUSTER is not set" : false,
};

/** Options of tests that need the cluster of three. */
export const needsCluster3: { readonly skip: string | false } = {
  skip: target3 === undefined ? "no cluster of three: SLUICE_CLUSTER3 is not set" : false,
};

/** The name of a database that no other test, runtime or run uses. */
export function freshDatabase(): string {
  return `t_${Date.now().toString(36)}_${Math.floor(Math.random() * 1e9).toString(36)}`;
}

async function command(
  on: Target,
  action: "kill" | "stop" | "start",
  id: number,
): Promise<void> {
  const { url, token } = on.control;
  const answer = await fetch(`${url}/${action}/${id}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(
      `cannot ${action} tablet server ${id}: ${answer.status} ${text}`,
    );
  }
}

/** Ends a tablet server as a power cut would; resolves when it is gone. */
export function killTabletServer(
  id: number,
  on: Target = target3!,
): Promise<void> {
  return command(on, "kill", id);
}

/** Asks a tablet server to hand over what it leads and to stop; resolves when it is gone. */
export function stopTabletServer(
  id: number,
  on: Target = target3!,
): Promise<void> {
  return command(on, "stop", id);
}

/** Starts a tablet server that was ended; resolves when it answers. Tests leave the cluster as they found it. */
export function startTabletServer(
  id: number,
  on: Target = target3!,
): Promise<void> {
  return command(on, "start", id);
}
