/**
 * The configuration files of a cluster's servers.
 *
 * @module
 */
import { join } from "node:path";
import { HOST } from "./ports.ts";
import { storeAt, storeOptions } from "./s3.ts";

/** Who may log in on the SASL listeners; the first one may do everything. */
export const USERS: readonly {
  readonly username: string;
  readonly password: string;
}[] = [
  { username: "admin", password: "admin-secret" },
  { username: "alice", password: "alice-secret" },
];

/** A server's two listeners for clients. */
export interface Ports {
  readonly plain: number;
  readonly sasl: number;
}

/** Where everything of a cluster is. */
export interface Layout {
  readonly directory: string;
  readonly zooKeeper: number;
  readonly coordinator: Ports;
  readonly tabletServers: readonly Ports[];
  /** The store that holds the remote storage; a folder does where there is none. */
  readonly s3?: number | undefined;
}

/** What a cluster is asked to be, beyond its layout. */
export interface Tuning {
  /** How long ZooKeeper waits for a server that says nothing, in milliseconds: about the time of a failover. */
  readonly sessionTimeoutMs: number;
  /** Options of all servers; they win over the defaults below. */
  readonly properties: Readonly<Record<string, string>>;
}

function yaml(options: Readonly<Record<string, string | number>>): string {
  return Object.entries(options).map(([key, value]) => `${key}: ${value}\n`)
    .join("");
}

/** ZooKeeper's own file. The bounds of the session are set outright: the defaults are multiples of the tick. */
export function zooKeeperConfig(layout: Layout, tuning: Tuning): string {
  return [
    `dataDir=${join(layout.directory, "zookeeper")}`,
    `clientPort=${layout.zooKeeper}`,
    `clientPortAddress=${HOST}`,
    "maxClientCnxns=0",
    "admin.enableServer=false",
    `tickTime=${Math.max(100, Math.floor(tuning.sessionTimeoutMs / 10))}`,
    `minSessionTimeout=${tuning.sessionTimeoutMs}`,
    `maxSessionTimeout=${tuning.sessionTimeoutMs}`,
    "",
  ].join("\n");
}

function common(
  layout: Layout,
  tuning: Tuning,
): Record<string, string | number> {
  const login = "org.apache.fluss.security.auth.sasl.plain.PlainLoginModule required";
  const users = USERS.map(({ username, password }) => `user_${username}="${password}"`).join(" ");
  const servers = layout.tabletServers.length;
  return {
    "zookeeper.address": `${HOST}:${layout.zooKeeper}`,
    "zookeeper.client.session-timeout": `${tuning.sessionTimeoutMs}ms`,
    ...(layout.s3 === undefined
      ? { "remote.data.dir": join(layout.directory, "remote") }
      : storeOptions(storeAt(layout.s3))),
    "internal.listener.name": "INTERNAL",
    "security.protocol.map": "CLIENT:sasl",
    "security.sasl.enabled.mechanisms": "PLAIN",
    "security.sasl.plain.jaas.config": `${login} ${users};`,
    "super.users": `User:${USERS[0]!.username}`,
    "default.bucket.number": 1,
    "default.replication.factor": Math.min(3, servers),
    "kv.snapshot.interval": "10s",
    ...(servers === 1 ? {} : {
      // A put with acks=all is done at a follower's next fetch; with the default it waits half a second for it.
      "log.replica.fetch.wait-max-time": "20ms",
      // And a put waits this long for a follower that has died.
      "log.replica.max-lag-time": `${tuning.sessionTimeoutMs}ms`,
    }),
    ...tuning.properties,
  };
}

function listeners({ plain, sasl }: Ports): Record<string, string> {
  return {
    "bind.listeners": `INTERNAL://${HOST}:0, PLAIN_CLIENT://${HOST}:${plain}, CLIENT://${HOST}:${sasl}`,
  };
}

/** The coordinator's `server.yaml`. */
export function coordinatorConfig(layout: Layout, tuning: Tuning): string {
  return yaml({ ...common(layout, tuning), ...listeners(layout.coordinator) });
}

/** A tablet server's `server.yaml`. */
export function tabletServerConfig(
  layout: Layout,
  tuning: Tuning,
  id: number,
): string {
  return yaml({
    ...common(layout, tuning),
    ...listeners(layout.tabletServers[id]!),
    "tablet-server.id": id,
    "data.dir": join(layout.directory, "data", `tablet-server-${id}`),
  });
}
