/**
 * Starts a real Apache Fluss cluster on this machine: ZooKeeper, a coordinator and one or more tablet servers, from the
 * published jars. It runs on loopback ports, in a folder of its own that is removed afterwards.
 *
 * Needs Java 11 or newer, and Maven for the first start; `checkRequirements()` tells without starting anything. A store of
 * the S3 kind needs Python as well.
 *
 * @module
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { ClusterError } from "./errors.ts";
import { serverJars } from "./jars.ts";
import { findJava } from "./java.ts";
import { freePorts, HOST, isFree } from "./ports.ts";
import { accepts, askTabletServers } from "./probe.ts";
import {
  endServers,
  endStaleClusters,
  lastLines,
  makeFolder,
  type ServerProcess,
  startServer,
  startWatchdog,
} from "./processes.ts";
import { type S3Store, storeAt, storeCommand, storePlugin, storePython } from "./s3.ts";
import {
  coordinatorConfig,
  type Layout,
  type Ports,
  tabletServerConfig,
  type Tuning,
  USERS,
  zooKeeperConfig,
} from "./settings.ts";

export { ClusterError, MissingTool } from "./errors.ts";
export { checkRequirements } from "./jars.ts";

/** What cluster to start. */
export interface ClusterOptions {
  /** How many tablet servers; 1 unless told. With more, tables have that many replicas, 3 at most. */
  readonly tabletServers?: number;
  /**
   * The coordinator's port; tablet server i is on `port + 1 + i`, SASL listeners on the same ports plus 100, ZooKeeper on
   * `port + 300`, the S3 store on `port + 301`. Free ports are chosen unless told.
   */
  readonly port?: number;
  /** The folder of the servers' jars; that of `FLUSS_JARS`, or else the released ones, unless told. */
  readonly jars?: string;
  /** Options of the servers, by Fluss's names. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Where remote storage is: in the cluster's folder (unless told), or in a store of the S3 kind, started with it. */
  readonly storage?: "folder" | "s3";
  /** How long a dead server is taken for alive; 6,000 ms with several tablet servers, else 15,000. */
  readonly sessionTimeoutMs?: number;
  /** The largest heap of each server, as Java writes it; `512m` unless told. */
  readonly heap?: string;
  /** `quick`: servers that start fast and stay small, for tests. `fast` (unless told): Java's best code, to measure. */
  readonly code?: "quick" | "fast";
  /** How long the start may take, in milliseconds; 120,000 unless told. */
  readonly startTimeoutMs?: number;
  /** Is told what goes on, line by line. */
  readonly say?: (line: string) => void;
}

/** How to log in. */
export interface Login {
  readonly bootstrap: string;
  readonly username: string;
  readonly password: string;
  /** Everyone who may log in, that one first. */
  readonly users: readonly {
    readonly username: string;
    readonly password: string;
  }[];
}

/** A cluster that runs. */
export interface Cluster extends AsyncDisposable {
  /** `host:port` of the coordinator's plaintext listener. */
  readonly bootstrap: string;
  /** The same cluster behind SASL/PLAIN. */
  readonly sasl: Login;
  /** How many tablet servers it was started with; their ids are 0 and up. */
  readonly tabletServers: number;
  /** The store of its remote storage, where that is no folder. */
  readonly s3?: S3Store;
  /** The folder of its data, removed when it stops. */
  readonly directory: string;
  /** The folder of its logs, one file per server. */
  readonly logs: string;
  /** Ends a tablet server as a power cut would; resolves when its process is gone. */
  killTabletServer(id: number): Promise<void>;
  /** Asks a tablet server to hand over what it leads and stop; resolves when its process is gone. */
  stopTabletServer(id: number): Promise<void>;
  /** Starts a tablet server that was ended, on its data and ports; resolves when it answers. */
  startTabletServer(id: number): Promise<void>;
  /** Stops the coordinator and starts it on the same ports; resolves when it knows the tablet servers that run. */
  restartCoordinator(): Promise<void>;
  /** Ends all servers and removes the folder; safe to call again. */
  stop(): Promise<void>;
}

const ATTEMPTS = 3;
const STOP_TIMEOUT_MS = 20_000;
const TAKEN = /BindException|Address already in use|Failed to bind/i;

/** A port was taken between finding it free and listening on it. */
class PortTaken extends ClusterError {}

/**
 * Starts a cluster and resolves when every server answers and the coordinator knows every tablet server.
 *
 * The cluster ends with the process that started it, however that ends.
 *
 * @throws {MissingTool} when Java, Maven or Python is missing.
 * @throws {ClusterError} when a server ends, does not answer in time, or a port that was asked for is taken.
 */
export async function startCluster(
  options: ClusterOptions = {},
): Promise<Cluster> {
  const count = options.tabletServers ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > 99) {
    throw new ClusterError(
      `a cluster has 1 to 99 tablet servers, not ${count}`,
    );
  }
  const java = findJava();
  const say = options.say ?? (() => {});
  const jars = options.jars ?? serverJars(say);
  const store = options.storage === "s3" ? { python: storePython(say), plugin: storePlugin(say) } : undefined;
  endStaleClusters();
  for (let attempt = 1;; attempt++) {
    const ports = await choosePorts(count, store !== undefined, options.port);
    try {
      return await RunningCluster.start({ java, jars, store }, ports, options);
    } catch (error) {
      if (
        !(error instanceof PortTaken) || options.port !== undefined ||
        attempt === ATTEMPTS
      ) throw error;
      options.say?.("a port was taken meanwhile; trying others");
    }
  }
}

type ClusterPorts = Omit<Layout, "directory">;

/** What a cluster is started from. */
interface Programs {
  readonly java: string;
  /** The folder of the servers' jars. */
  readonly jars: string;
  /** What a store of the S3 kind needs. */
  readonly store: { readonly python: string; readonly plugin: string } | undefined;
}

async function choosePorts(
  count: number,
  withStore: boolean,
  base: number | undefined,
): Promise<ClusterPorts> {
  if (base === undefined) {
    const free = await freePorts(2 * count + (withStore ? 4 : 3));
    const next = (): Ports => ({ plain: free.pop()!, sasl: free.pop()! });
    return {
      zooKeeper: free.pop()!,
      coordinator: next(),
      tabletServers: Array.from({ length: count }, next),
      s3: withStore ? free.pop()! : undefined,
    };
  }
  const at = (offset: number): Ports => ({
    plain: base + offset,
    sasl: base + 100 + offset,
  });
  const ports: ClusterPorts = {
    zooKeeper: base + 300,
    coordinator: at(0),
    tabletServers: Array.from({ length: count }, (_, i) => at(1 + i)),
    s3: withStore ? base + 301 : undefined,
  };
  const wanted = [ports.coordinator, ...ports.tabletServers].flatMap((
    { plain, sasl },
  ) => [plain, sasl]);
  for (const port of [...wanted, ports.zooKeeper, ...(ports.s3 === undefined ? [] : [ports.s3])]) {
    if (!await isFree(port)) {
      throw new ClusterError(
        `port ${port} is taken; choose another base port, or none to take free ones`,
      );
    }
  }
  return ports;
}

class RunningCluster implements Cluster {
  readonly bootstrap: string;
  readonly sasl: Login;
  readonly tabletServers: number;
  readonly s3?: S3Store;
  readonly directory: string;
  readonly logs: string;
  readonly #store: Programs["store"];
  readonly #java: string;
  readonly #javaOptions: readonly string[];
  readonly #layout: Layout;
  readonly #tuning: Tuning;
  readonly #startTimeoutMs: number;
  readonly #watchdog: { release(): Promise<void> };
  readonly #servers = new Map<string, ServerProcess>();
  #stopped: Promise<void> | undefined;

  static async start(
    programs: Programs,
    ports: ClusterPorts,
    options: ClusterOptions,
  ): Promise<Cluster> {
    const cluster = new RunningCluster(programs, ports, options);
    try {
      await cluster.#startAll();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private constructor(
    { java, jars, store }: Programs,
    ports: ClusterPorts,
    options: ClusterOptions,
  ) {
    this.directory = makeFolder();
    this.logs = join(this.directory, "log");
    this.tabletServers = ports.tabletServers.length;
    this.bootstrap = `${HOST}:${ports.coordinator.plain}`;
    this.sasl = {
      bootstrap: `${HOST}:${ports.coordinator.sasl}`,
      ...USERS[0]!,
      users: USERS,
    };
    this.#java = java;
    this.#store = store;
    if (ports.s3 !== undefined) this.s3 = storeAt(ports.s3);
    this.#layout = { ...ports, directory: this.directory };
    this.#tuning = {
      sessionTimeoutMs: options.sessionTimeoutMs ??
        (this.tabletServers === 1 ? 15_000 : 6_000),
      properties: options.properties ?? {},
    };
    this.#startTimeoutMs = options.startTimeoutMs ?? 120_000;
    this.#javaOptions = [
      // Arrow, inside the server, reaches into direct buffers.
      "--add-opens=java.base/java.nio=ALL-UNNAMED",
      `-Xmx${options.heap ?? "512m"}`,
      "-XX:-UsePerfData",
      ...(options.code === "quick" ? ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"] : []),
      `-Dorg.slf4j.simpleLogger.defaultLogLevel=${process.env["FLUSS_LOG"] ?? "warn"}`,
      "-Dorg.slf4j.simpleLogger.showDateTime=true",
      "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
      "-cp",
      join(jars, "*"),
    ];
    this.#watchdog = startWatchdog(this.directory);
  }

  async #startAll(): Promise<void> {
    mkdirSync(this.logs);
    for (const folder of ["zookeeper", "remote", "data"]) {
      mkdirSync(join(this.directory, folder));
    }
    const deadline = Date.now() + this.#startTimeoutMs;

    const zooKeeperFile = join(this.directory, "zookeeper.properties");
    writeFileSync(zooKeeperFile, zooKeeperConfig(this.#layout, this.#tuning));
    const zooKeeper = this.#startJava(
      "zookeeper",
      "org.apache.fluss.shaded.zookeeper3.org.apache.zookeeper.server.quorum.QuorumPeerMain",
      zooKeeperFile,
    );
    await this.#until(
      deadline,
      [zooKeeper],
      "accepts connections",
      () => accepts(this.#layout.zooKeeper),
    );
    await this.#startStore(deadline);

    const coordinator = this.#startCoordinator();
    const tabletServers = this.#layout.tabletServers.map((_, id) => this.#startTablet(id));

    // Each server must know them all: a client may ask any of them.
    const ports = [this.#layout.coordinator, ...this.#layout.tabletServers].map(
      ({ plain }) => plain,
    );
    const everyone = [zooKeeper, coordinator, ...tabletServers];
    await this.#until(
      deadline,
      everyone,
      "knows all tablet servers",
      async () => {
        for (const port of ports) {
          const known = await askTabletServers(port);
          if (known.length < this.tabletServers) {
            throw new Error(
              `port ${port} knows tablet servers [${known}]`,
            );
          }
        }
      },
    );
  }

  /** Starts the store that holds the remote storage, if there is to be one, and gives the servers the plugin for it. */
  async #startStore(deadline: number): Promise<void> {
    if (this.#store === undefined) return;
    const { python, plugin } = this.#store;
    // Servers look for plugins in the folder that they are started in.
    const plugins = join(this.directory, "plugins", "s3");
    mkdirSync(plugins, { recursive: true });
    copyFileSync(plugin, join(plugins, basename(plugin)));
    const [program, args] = storeCommand(python, this.#layout.s3!, this.directory);
    const store = startServer(this.directory, "s3-store", program, args);
    this.#servers.set("s3-store", store);
    await this.#until(deadline, [store], "has an S3 store", () => accepts(this.#layout.s3!));
  }

  #writeConfig(name: string, text: string): string {
    const folder = join(this.directory, "conf", name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "server.yaml"), text);
    return folder;
  }

  #startJava(name: string, ...args: string[]): ServerProcess {
    const server = startServer(this.directory, name, this.#java, [
      ...this.#javaOptions,
      ...args,
    ]);
    this.#servers.set(name, server);
    return server;
  }

  #startCoordinator(): ServerProcess {
    return this.#startJava(
      "coordinator",
      "org.apache.fluss.server.coordinator.CoordinatorServer",
      "--configDir",
      this.#writeConfig("coordinator", coordinatorConfig(this.#layout, this.#tuning)),
    );
  }

  #startTablet(id: number): ServerProcess {
    const name = `tablet-server-${id}`;
    const config = this.#writeConfig(
      name,
      tabletServerConfig(this.#layout, this.#tuning, id),
    );
    return this.#startJava(
      name,
      "org.apache.fluss.server.tablet.TabletServer",
      "--configDir",
      config,
    );
  }

  /** Tries until it works, one of the servers has ended, or time is up. */
  async #until(
    deadline: number,
    servers: readonly ServerProcess[],
    what: string,
    attempt: () => Promise<void>,
  ): Promise<void> {
    for (;;) {
      let problem: unknown;
      try {
        return await attempt();
      } catch (error) {
        problem = error;
      }
      for (const { name, log, ended } of servers) {
        const tail = lastLines(log);
        if (ended !== undefined) {
          const message = `${name} ${ended}; the end of its log:\n${tail || "(empty)"}`;
          throw TAKEN.test(tail) ? new PortTaken(message) : new ClusterError(message);
        }
      }
      if (Date.now() > deadline) {
        const { name, log } = servers.at(-1)!;
        throw new ClusterError(
          `after ${this.#startTimeoutMs / 1000} s no cluster that ${what}: ${(problem as Error).message}; ` +
            `the end of the log of ${name}:\n${lastLines(log) || "(empty)"}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #tabletServer(id: number): ServerProcess {
    const server = this.#servers.get(`tablet-server-${id}`);
    if (server === undefined) {
      throw new ClusterError(
        `there is no tablet server ${id}; they are 0 to ${this.tabletServers - 1}`,
      );
    }
    return server;
  }

  async #end(
    server: ServerProcess,
    signal: "SIGTERM" | "SIGKILL",
  ): Promise<void> {
    if (server.ended === undefined) {
      try {
        process.kill(server.pid, signal);
      } catch {
        // It ended by itself in this very moment.
      }
    }
    await server.gone();
  }

  async killTabletServer(id: number): Promise<void> {
    await this.#end(this.#tabletServer(id), "SIGKILL");
  }

  async stopTabletServer(id: number): Promise<void> {
    await this.#stopGently(this.#tabletServer(id));
  }

  async #stopGently(server: ServerProcess): Promise<void> {
    const patience = setTimeout(
      () => process.kill(server.pid, "SIGKILL"),
      STOP_TIMEOUT_MS,
    );
    await this.#end(server, "SIGTERM");
    clearTimeout(patience);
  }

  async startTabletServer(id: number): Promise<void> {
    if (this.#tabletServer(id).ended === undefined) return;
    const server = this.#startTablet(id);
    const { plain } = this.#layout.tabletServers[id]!;
    await this.#until(
      Date.now() + this.#startTimeoutMs,
      [server],
      `has tablet server ${id} again`,
      async () => {
        for (const port of [plain, this.#layout.coordinator.plain]) {
          const known = await askTabletServers(port);
          if (!known.includes(id)) {
            throw new Error(
              `port ${port} knows tablet servers [${known}]`,
            );
          }
        }
      },
    );
  }

  async restartCoordinator(): Promise<void> {
    await this.#stopGently(this.#servers.get("coordinator")!);
    const server = this.#startCoordinator();
    const running = this.#layout.tabletServers.map((_, id) => id).filter((id) =>
      this.#tabletServer(id).ended === undefined
    );
    await this.#until(
      Date.now() + this.#startTimeoutMs,
      [server],
      "has a coordinator again",
      async () => {
        const known = await askTabletServers(this.#layout.coordinator.plain);
        if (running.some((id) => !known.includes(id))) {
          throw new Error(`the coordinator knows tablet servers [${known}], and [${running}] run`);
        }
      },
    );
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stopAll();
  }

  async #stopAll(): Promise<void> {
    // The data goes with the servers, so none of them needs to be asked.
    await Promise.all(
      [...this.#servers.values()].map((server) => this.#end(server, "SIGKILL")),
    );
    endServers(this.directory);
    await this.#watchdog.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
