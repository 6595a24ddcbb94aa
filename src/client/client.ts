/**
 * The embedded client core: one object per connection of the user.
 *
 * @module
 */
import { Alarms } from "../base/alarms.ts";
import { FlussError, flussError } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import { Cluster } from "./cluster/cluster.ts";
import { Schemas } from "./cluster/tables.ts";
import type { ClientOptions } from "./options.ts";
import { Lookups } from "./read/lookups.ts";
import { SecurityTokens } from "./read/remote/tokens.ts";
import { ConnectionPool } from "./rpc/pool.ts";
import { dial } from "./transport/dial.ts";
import type { Dial } from "./transport/port.ts";
import { Writer } from "./write/writer.ts";

/** Batches of one bucket that may be out at once; servers remember the last five of a writer. */
const MAX_IN_FLIGHT_PER_BUCKET = 5;
const MAX_REQUEST_BYTES = 10 << 20;
/** Servers close the connection on requests above 100 MB (Fluss: netty.server.max-request-size). */
const MAX_RECORD_BYTES = 96 << 20;

/** The way to servers that are not reached by sockets. */
export interface Way {
  readonly dial: Dial;
  /** Called once, after the last stream is closed. */
  close(): Promise<void>;
}

/** See the module. */
export class FlussClient {
  readonly options: ClientOptions;
  readonly alarms: Alarms = new Alarms();
  readonly cluster: Cluster;
  readonly schemas: Schemas;
  readonly writer: Writer;
  readonly lookups: Lookups;
  readonly securityTokens: SecurityTokens;
  /** Those that read logs; they end with the client. */
  readonly readers: Set<{ readonly tables: readonly string[]; close(reason: FlussError): void }> = new Set();
  readonly #pool: ConnectionPool;
  readonly #way: Way | undefined;
  #closing: Promise<void> | undefined;
  /** Work that must end before a flush can see all rows: tables that are being asked for with rows waiting. */
  readonly arrivals: Set<Promise<void>> = new Set();

  /** @param way how servers are reached; by the sockets of the runtime unless told */
  constructor(options: ClientOptions, way?: Way) {
    this.options = options;
    this.#way = way;
    this.#pool = new ConnectionPool({
      dial: way?.dial ?? dial,
      tls: options.tls ? {} : undefined,
      credentials: options.credentials,
      alarms: this.alarms,
      connectTimeoutMs: options.connectTimeoutMs,
      requestTimeoutMs: options.requestTimeoutMs,
      resolveAddress: options.resolveAddress,
    });
    const pool = this.#pool;
    const { alarms } = this;
    const { bootstrap, requestTimeoutMs } = options;
    this.cluster = new Cluster({ pool, alarms, bootstrap, requestTimeoutMs });
    this.schemas = new Schemas(this.cluster);
    this.securityTokens = new SecurityTokens(this.cluster);
    const { acks, idempotent } = options.writer;
    this.writer = new Writer({
      cluster: this.cluster,
      alarms,
      limits: {
        ...options.writer,
        acks: acks === "all" ? -1 : acks,
        maxRecordBytes: MAX_RECORD_BYTES,
        maxRequestBytes: Math.max(MAX_REQUEST_BYTES, options.writer.batchBytes),
        // Without sequences, a batch that is sent again could overtake the one behind it.
        maxInFlightPerBucket: idempotent ? MAX_IN_FLIGHT_PER_BUCKET : 1,
        requestTimeoutMs,
      },
      report: (error) => this.#report(error),
    });
    this.lookups = new Lookups(this.cluster, alarms, { ...options.lookup, requestTimeoutMs });
  }

  /** The error for calls after `close()`. */
  get closedError(): FlussError | undefined {
    return this.#closing === undefined
      ? undefined
      : flussError("CONNECTION.CLOSED", { message: "the connection was closed by this program", retriable: false });
  }

  /** Sends all that is queued and waits for it. */
  async flush(options: CallOptions = {}): Promise<void> {
    const deadline = this.cluster.deadline({
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? this.options.writer.deliveryTimeoutMs + this.options.requestTimeoutMs,
    });
    try {
      while (this.arrivals.size > 0) await deadline.wait(Promise.all(this.arrivals), "flush()");
      await this.writer.flush(deadline);
    } catch (error) {
      if (!FlussError.is(error, "TIMEOUT.REQUEST")) throw error;
      throw flussError("TIMEOUT.FLUSH", {
        message: `${this.writer.queuedBytes} bytes of rows are still not acknowledged; ${error.message}`,
        cause: error,
      });
    }
  }

  /**
   * Flushes (unless told to drop what is queued) and closes every socket. Calling it again waits for the first call.
   *
   * @throws FlussWriteError `WRITE.FAILED`, FlussTimeoutError `TIMEOUT.CLOSE`; the sockets are closed all the same
   */
  close(options: { readonly drop?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(options.drop === true);
    return this.#closing;
  }

  async #close(drop: boolean): Promise<void> {
    let failure: unknown;
    if (!drop) {
      try {
        await this.flush({ timeoutMs: this.options.closeTimeoutMs });
      } catch (error) {
        failure = FlussError.is(error, "TIMEOUT.FLUSH")
          ? flussError("TIMEOUT.CLOSE", {
            message: `closing took longer than ${this.options.closeTimeoutMs} ms, and rows were lost: ${error.message}`,
            hint: "raise closeTimeoutMs, or flush() first",
            cause: error,
          })
          : error;
      }
    }
    const reason = flussError("CONNECTION.CLOSED", {
      message: "the connection was closed by this program",
      retriable: false,
    });
    this.cluster.close(reason);
    this.writer.close(reason);
    this.lookups.close(reason);
    for (const reader of [...this.readers]) reader.close(reason);
    this.#pool.close();
    // Without sockets these end at once, and what they fail with is told before close() returns.
    await Promise.all(this.arrivals);
    await this.#way?.close();
    if (failure !== undefined) throw failure;
  }

  #report(error: FlussError): void {
    try {
      this.options.log?.(error);
    } catch {
      // A log that throws must not stop the writer; the failure itself is kept for flush().
    }
  }
}
