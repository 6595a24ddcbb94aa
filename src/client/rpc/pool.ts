/**
 * Connections by address: opened when first needed, shared, and opened again after they were lost.
 *
 * @module
 */
import type { Alarms } from "../../base/alarms.ts";
import { type FlussError, flussError } from "../../base/errors.ts";
import { type CallOptions, Deadline } from "../../base/wait.ts";
import { addressText } from "../transport/failure.ts";
import type { Dial, TlsOptions } from "../transport/port.ts";
import { type Credentials, type InFlightLimits, RpcConnection } from "./connection.ts";

/** Says where to dial a server that names itself `host:port`; for NAT, Docker and port forwarding. */
export type ResolveAddress = (
  host: string,
  port: number,
) => { readonly host: string; readonly port: number } | Promise<{ readonly host: string; readonly port: number }>;

/** What a pool needs. */
export interface PoolOptions {
  /** Opens the streams. */
  readonly dial: Dial;
  /** Keeps the deadlines. */
  readonly alarms: Alarms;
  /** Milliseconds to connect, shake hands and log in. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds that calls and callers of {@linkcode ConnectionPool.get} wait unless told otherwise. */
  readonly requestTimeoutMs: number;
  /** Log in with SASL/PLAIN; absent for listeners without a login. */
  readonly credentials?: Credentials | undefined;
  /** Speak TLS; absent means plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** How much may be on its way per connection; default 64 MB and 256 requests. */
  readonly limits?: InFlightLimits | undefined;
  /** The largest answer that is accepted, in bytes; default 256 MB. */
  readonly maxFrameBytes?: number | undefined;
  /** Where to dial a server; by default where it says. */
  readonly resolveAddress?: ResolveAddress | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that lives shorter than this was no success: the next attempt waits. */
const STABLE_MS = 1_000;

/** Milliseconds without attempts after `failures` failures in a row: 50, 100, ... 2000, longer by 20 to 50 %. */
export function reconnectMs(failures: number): number {
  return Math.min(2_000, 50 * 2 ** Math.min(failures - 1, 10)) * (1.2 + Math.random() * 0.3);
}

/** All connections of one client. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  /** By host, then port: a lookup builds no text. */
  readonly #hosts = new Map<string, Map<number, Slot>>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** The open connection to an address, if there is one. */
  current(host: string, port: number): RpcConnection | undefined {
    return this.#hosts.get(host)?.get(port)?.connection;
  }

  /**
   * A connection to an address, opened if need be. Concurrent callers share the attempt; it does not end with the signal
   * or deadline of one of them.
   *
   * After a failure the address rests for a moment (50 ms, doubling up to 2 s); who asks meanwhile gets the last
   * failure at once.
   *
   * @throws what {@linkcode RpcConnection.open} throws; `TIMEOUT.REQUEST`; the signal's reason; `CONNECTION.CLOSED`, not
   * retriable, once the pool is closed
   */
  async get(host: string, port: number, options: CallOptions = {}): Promise<RpcConnection> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw closedError();
    const slot = this.#slot(host, port);
    if (slot.connection !== undefined) return slot.connection;
    const opening = slot.open();
    const { alarms, requestTimeoutMs } = this.#options;
    const deadline = new Deadline(alarms, options.timeoutMs ?? requestTimeoutMs, options.signal);
    return await deadline.wait(opening, `connecting to ${addressText(host, port)}`);
  }

  /** Every open connection. */
  *connections(): Generator<RpcConnection> {
    for (const ports of this.#hosts.values()) {
      for (const { connection } of ports.values()) if (connection !== undefined) yield connection;
    }
  }

  /** Closes all connections and ends all attempts. Nothing of the pool keeps the process alive afterwards. */
  close(error?: FlussError): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const ports of this.#hosts.values()) {
      for (const slot of ports.values()) slot.close(error ?? closedError());
    }
    this.#hosts.clear();
  }

  #slot(host: string, port: number): Slot {
    let ports = this.#hosts.get(host);
    if (ports === undefined) this.#hosts.set(host, ports = new Map());
    let slot = ports.get(port);
    if (slot === undefined) ports.set(port, slot = new Slot(host, port, this.#options));
    return slot;
  }
}

/** One address. */
class Slot {
  connection: RpcConnection | undefined;
  readonly #host: string;
  readonly #port: number;
  readonly #options: PoolOptions;
  readonly #stop = new AbortController();
  #opening: Promise<RpcConnection> | undefined;
  #failures = 0;
  #failure: unknown;
  #restsUntil = 0;

  constructor(host: string, port: number, options: PoolOptions) {
    this.#host = host;
    this.#port = port;
    this.#options = options;
  }

  open(): Promise<RpcConnection> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = performance.now() < this.#restsUntil
      ? Promise.reject(this.#failure)
      : this.#opening = this.#attempt().finally(() => this.#opening = undefined);
    // The callers may all have gone by the time it fails; the failure is kept for the next one.
    opening.catch(() => {});
    return opening;
  }

  close(error: FlussError): void {
    this.#stop.abort(error);
    this.connection?.close(error);
  }

  async #attempt(): Promise<RpcConnection> {
    const { resolveAddress, connectTimeoutMs = CONNECT_TIMEOUT_MS, ...options } = this.#options;
    const { signal } = this.#stop;
    let opened: RpcConnection;
    const openedAt = performance.now();
    try {
      const target = await this.#resolve(resolveAddress, connectTimeoutMs);
      opened = await RpcConnection.open({
        ...options,
        host: this.#host,
        port: this.#port,
        target,
        connectTimeoutMs,
        signal,
        onClose: (error) => {
          // No epoch is needed: this comes once per connection, and the next one is opened only after it.
          this.connection = undefined;
          if (performance.now() - openedAt < STABLE_MS) this.#failed(error);
          else this.#failures = 0;
        },
      });
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      throw error;
    }
    // The pool may have been closed between the last step of the handshake and here.
    if (signal.aborted) {
      opened.close();
      throw signal.reason;
    }
    if (!opened.closed) this.connection = opened;
    return opened;
  }

  async #resolve(
    resolveAddress: ResolveAddress | undefined,
    timeoutMs: number,
  ): Promise<{ readonly host: string; readonly port: number } | undefined> {
    if (resolveAddress === undefined) return undefined;
    const address = addressText(this.#host, this.#port);
    try {
      // A user's function may hang.
      const deadline = new Deadline(this.#options.alarms, timeoutMs, this.#stop.signal);
      const resolved = resolveAddress(this.#host, this.#port);
      return "then" in resolved ? await deadline.wait(resolved, `resolveAddress of ${address}`) : resolved;
    } catch (cause) {
      this.#stop.signal.throwIfAborted();
      const said = cause instanceof Error ? cause.message : String(cause);
      throw flussError("CONNECTION.REFUSED", {
        message: `resolveAddress failed for ${address} (${said})`,
        hint: "check the function resolveAddress that was given to connect()",
        cause,
      });
    }
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#failure = error ?? flussError("CONNECTION.CLOSED", {
      message: `the connection to ${addressText(this.#host, this.#port)} was closed`,
    });
    this.#restsUntil = performance.now() + reconnectMs(this.#failures);
  }
}

function closedError(): FlussError {
  return flussError("CONNECTION.CLOSED", {
    message: "this client is closed",
    hint: "connect again",
    retriable: false,
  });
}
