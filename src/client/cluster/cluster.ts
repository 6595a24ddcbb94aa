/**
 * Finding servers: metadata, connections to leaders, and calls that any server or the coordinator answers.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import type { Alarms } from "../../base/alarms.ts";
import { FlussError, flussError, FlussServerError, isStaleMetadata } from "../../base/errors.ts";
import { backOffMs, type CallOptions, Deadline } from "../../base/wait.ts";
import { API, type Api } from "../rpc/api.ts";
import type { RpcConnection } from "../rpc/connection.ts";
import type { ConnectionPool } from "../rpc/pool.ts";
import { type BucketLeaders, Metadata, type ServerNode } from "./metadata.ts";
import { pathText, type PhysicalPath, physicalText } from "./path.ts";

/** Where a client starts. */
export interface Address {
  /** A name or an IP address. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** What a cluster client needs. */
export interface ClusterOptions {
  readonly pool: ConnectionPool;
  readonly alarms: Alarms;
  /** Tried in order whenever no known tablet server answers, for as long as the client lives. */
  readonly bootstrap: readonly Address[];
  readonly requestTimeoutMs: number;
}

/** How long a server that failed is asked only after all others. */
const AVOID_MS = 2_000;
/** One server may hold up a metadata round for this long. */
const ATTEMPT_MS = 5_000;
/** How often all servers are asked: while a cluster starts or fails over, each of them may be out for a moment. */
const ROUNDS = 3;
/** The least time between two questions for the same leaders, however many ask. */
const REFRESH_MS = 20;

/** The cluster as one client sees it. */
export class Cluster {
  /** What is known. */
  readonly metadata: Metadata = new Metadata();
  readonly #options: ClusterOptions;
  readonly #refreshing = new Map<string, Promise<BucketLeaders | undefined>>();
  /** When a server last failed, by address. */
  readonly #failedAt = new Map<string, number>();
  /** When the leaders of a table or partition were last asked for. */
  readonly #askedAt = new Map<string, number>();
  readonly #closing = new AbortController();

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** The deadline of a call with these options. */
  deadline(options: CallOptions = {}): Deadline {
    return new Deadline(this.#options.alarms, options.timeoutMs ?? this.#options.requestTimeoutMs, options.signal);
  }

  /** Ends all waits between attempts with `reason`. */
  close(reason: FlussError): void {
    this.#closing.abort(reason);
  }

  /**
   * Gets the first picture of the cluster.
   *
   * @throws FlussConnectionError `CONNECTION.REFUSED` when no address answers, `CONNECTION.AUTH_FAILED`, ...
   */
  async start(options: CallOptions = {}): Promise<void> {
    await this.#ask({}, this.deadline(options));
  }

  /** A tablet server that is known to live. */
  tabletServer(id: number): ServerNode | undefined {
    return this.metadata.tabletServers.get(id);
  }

  /** The open connection to a tablet server, if there is one. */
  current(serverId: number): RpcConnection | undefined {
    const node = this.metadata.tabletServers.get(serverId);
    return node === undefined ? undefined : this.#options.pool.current(node.host, node.port);
  }

  /**
   * A connection to a tablet server, opened if need be.
   *
   * @throws FlussConnectionError, always retriable, when the server is unknown or does not answer
   */
  async connect(serverId: number, deadline: Deadline): Promise<RpcConnection> {
    const node = this.metadata.tabletServers.get(serverId);
    if (node === undefined) {
      throw flussError("CONNECTION.REFUSED", {
        message: `tablet server ${serverId} leads the bucket, but the cluster does not list it`,
        hint: "it is retried until the deadline; if it lasts, check that server",
      });
    }
    return await this.#open(node, deadline);
  }

  /**
   * The leaders of a table or partition: what is known, or else what the cluster says.
   *
   * @returns undefined when the partition does not exist (or may not be seen)
   * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`
   */
  async leaders(physical: PhysicalPath, deadline: Deadline): Promise<BucketLeaders | undefined> {
    return this.metadata.leaders(physicalText(physical)) ?? await this.refresh(physical, deadline);
  }

  /** Asks the cluster for the leaders of a table or partition. Concurrent callers share one request. */
  async refresh(physical: PhysicalPath, deadline: Deadline): Promise<BucketLeaders | undefined> {
    const key = physicalText(physical);
    let running = this.#refreshing.get(key);
    if (running === undefined) {
      // The shared request must not end with the first caller's signal; each caller waits by its own.
      running = this.#askInTurn(physical, key).finally(() => this.#refreshing.delete(key));
      this.#refreshing.set(key, running);
      running.catch(() => {});
    }
    return await deadline.wait(running, `asking for the leaders of ${key}`);
  }

  /**
   * Calls whichever server answers first in the order: known tablet servers, then the bootstrap addresses. Only for
   * requests that may be sent twice.
   */
  async callAny<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    request: MessageInitShape<Q>,
    options: CallOptions = {},
  ): Promise<MessageValidType<A>> {
    return await this.#onSome(this.deadline(options), async (connection, deadline) => {
      connection.versionOf(api);
      return await connection.call(api, request, deadline.options);
    });
  }

  /**
   * Calls the coordinator.
   *
   * A request that may have reached it is not sent again unless `repeatable` says that this is harmless.
   */
  async callCoordinator<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    request: MessageInitShape<Q>,
    options: CallOptions & { readonly repeatable?: boolean } = {},
  ): Promise<MessageValidType<A>> {
    const deadline = this.deadline(options);
    for (let attempt = 1;; attempt++) {
      let sent = false;
      let failure: unknown;
      try {
        const connection = await this.#coordinator(deadline);
        sent = true;
        return await connection.call(api, request, deadline.options);
      } catch (error) {
        failure = error;
        // Another coordinator took over: the request was refused, so sending it elsewhere is safe.
        const refused = FlussError.is(error, "SERVER.NOT_COORDINATOR_LEADER_EXCEPTION");
        const again = refused || (FlussError.is(error) && error.retriable && isStaleMetadata(error));
        if (!again || (sent && !refused && options.repeatable !== true)) throw error;
      }
      await this.#pause(deadline, backOffMs(attempt), api.name, failure);
      await this.#ask({}, deadline);
    }
  }

  /** Waits for its turn: thousands of lookups that miss a leader back off each for itself, and are one question. */
  async #askInTurn(physical: PhysicalPath, key: string): Promise<BucketLeaders | undefined> {
    const deadline = this.deadline();
    const ms = (this.#askedAt.get(key) ?? -Infinity) + REFRESH_MS - performance.now();
    if (ms > 0) await this.#pause(deadline, ms, `asking for the leaders of ${key}`);
    const now = performance.now();
    if (this.#askedAt.size > 1000) forgetBefore(this.#askedAt, now - REFRESH_MS);
    this.#askedAt.set(key, now);
    return await this.#ask(physical, deadline);
  }

  /** Waits for `ms`, until the deadline, or until the client is closed. */
  async #pause(deadline: Deadline, ms: number, doing: string, cause?: unknown): Promise<void> {
    const { signal } = this.#closing;
    const both = deadline.signal === undefined ? signal : AbortSignal.any([signal, deadline.signal]);
    await new Deadline(this.#options.alarms, deadline.remainingMs, both).pause(ms, doing, cause);
  }

  /** Whether the coordinator serves a request in a version that we speak. */
  async coordinatorServes(api: Api, options: CallOptions = {}): Promise<boolean> {
    const deadline = this.deadline(options);
    if (this.metadata.coordinator === undefined) await this.#ask({}, deadline);
    return (await this.#coordinator(deadline)).versions.has(api);
  }

  async #coordinator(deadline: Deadline): Promise<RpcConnection> {
    const node = this.metadata.coordinator;
    if (node !== undefined) return await this.#open(node, deadline);
    throw flussError("CONNECTION.REFUSED", {
      message: "the cluster names no coordinator at the moment",
      hint: "it is retried until the deadline; if it lasts, check the coordinator server",
    });
  }

  async #ask(physical: PhysicalPath | Record<string, never>, deadline: Deadline): Promise<BucketLeaders | undefined> {
    const asked = "path" in physical ? physical as PhysicalPath : undefined;
    const request: MessageInitShape<Awaited<ReturnType<typeof API.GET_METADATA.load>>["request"]> = {};
    if (asked !== undefined) {
      const { database: databaseName, table: tableName } = asked.path;
      // A partition's answer carries the table id alone, and servers want the table named beside it.
      request.tablePath = [{ databaseName, tableName }];
      if (asked.partition !== undefined) {
        request.partitionsPath = [{ databaseName, tableName, partitionName: asked.partition }];
      }
    }
    return await this.#onSome(deadline, async (connection, attempt) => {
      try {
        const answer = await connection.call(API.GET_METADATA, request, attempt.options);
        if (answer.tabletServers.length === 0) {
          throw flussError("CONNECTION.CLOSED", {
            message: `${connection.address} lists no tablet servers; the cluster may still be starting`,
          });
        }
        return this.metadata.update(answer, asked);
      } catch (error) {
        if (asked?.partition !== undefined && FlussError.is(error, "SERVER.PARTITION_NOT_EXISTS")) {
          this.metadata.forget(physicalText(asked));
          return undefined;
        }
        if (asked !== undefined && FlussError.is(error, "SERVER.TABLE_NOT_EXIST")) {
          this.metadata.forgetTable(pathText(asked.path));
        }
        throw error;
      }
    });
  }

  /** Runs a call on some server, in a few rounds with pauses between them. */
  async #onSome<T>(
    deadline: Deadline,
    call: (connection: RpcConnection, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    for (let round = 1;; round++) {
      try {
        return await this.#onSomeOnce(deadline, call);
      } catch (error) {
        if (!FlussError.is(error) || !error.retriable || round === ROUNDS || deadline.remainingMs === 0) throw error;
        await this.#pause(deadline, backOffMs(round + 2), "asking the cluster", error);
      }
    }
  }

  /** Runs a call on one server after another until one of them answers, with an error or without. */
  async #onSomeOnce<T>(
    deadline: Deadline,
    call: (connection: RpcConnection, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const failures: unknown[] = [];
    for (const address of this.#candidates()) {
      deadline.check("asking the cluster", failures.at(-1));
      const attempt = this.deadline({
        signal: deadline.signal,
        timeoutMs: Math.min(deadline.remainingMs, Math.max(ATTEMPT_MS, deadline.remainingMs / 2)),
      });
      try {
        const connection = await this.#open(address, attempt);
        const answer = await call(connection, attempt);
        this.#failedAt.delete(addressText(address));
        return answer;
      } catch (error) {
        if (!mayAnswerElsewhere(error)) throw error;
        if (this.#failedAt.size > 1000) forgetBefore(this.#failedAt, performance.now() - AVOID_MS);
        this.#failedAt.set(addressText(address), performance.now());
        failures.push(error);
      }
    }
    deadline.signal?.throwIfAborted();
    // What a server said is worth more than that another did not answer.
    const said = failures.findLast((error) =>
      error instanceof FlussServerError || FlussError.is(error, "CONNECTION.UNSUPPORTED_VERSION")
    );
    if (said !== undefined) throw said;
    if (failures.length === 1) throw failures[0];
    throw flussError("CONNECTION.REFUSED", {
      message: `none of ${failures.length} servers answered: ${failures.map((e) => (e as Error).message).join("; ")}`,
      cause: failures.at(-1),
    });
  }

  #candidates(): Address[] {
    const now = performance.now();
    const known = [...this.metadata.tabletServers.values()];
    for (let i = known.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [known[i], known[j]] = [known[j]!, known[i]!];
    }
    const all = new Map<string, Address>();
    for (const address of [...known, ...this.#options.bootstrap]) all.set(addressText(address), address);
    const avoided = (address: Address) =>
      now - (this.#failedAt.get(addressText(address)) ?? -Infinity) < AVOID_MS ? 1 : 0;
    return [...all.values()].sort((a, b) => avoided(a) - avoided(b));
  }

  async #open(address: Address, deadline: Deadline): Promise<RpcConnection> {
    return this.#options.pool.current(address.host, address.port) ??
      await this.#options.pool.get(address.host, address.port, deadline.options);
  }
}

/** Wrong credentials are wrong everywhere; a host that speaks another protocol says nothing of the others. */
function mayAnswerElsewhere(error: unknown): boolean {
  if (!FlussError.is(error)) return false;
  return error.retriable || (error.code.startsWith("CONNECTION.") && error.code !== "CONNECTION.AUTH_FAILED");
}

function forgetBefore(times: Map<string, number>, before: number): void {
  for (const [key, at] of times) if (at < before) times.delete(key);
}

function addressText(address: Address): string {
  return `${address.host}:${address.port}`;
}
