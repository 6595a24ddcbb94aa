/**
 * One connection to one server: many requests at a time, answers in any order.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import type { Alarm, Alarms } from "../../base/alarms.ts";
import { FlussError, flussError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import { addressText, connectionRefused } from "../transport/failure.ts";
import type { Dial, TlsOptions, Transport } from "../transport/port.ts";
import { type Api, loadApi } from "./api.ts";
import { DEFAULT_MAX_FRAME_BYTES, FrameReader, FrameWriter, readInt32, ResponseType } from "./frame.ts";
import { type Credentials, handshake } from "./handshake.ts";
import { readMessage, writeMessage } from "./required.ts";
import { answerError, apiName, serverFailure } from "./server_errors.ts";
import { ServerVersions } from "./versions.ts";

export type { Credentials };

/** How much may be on its way on one connection. What exceeds it waits, in order, with its deadline running. */
export interface InFlightLimits {
  /** Bytes of request bodies without an answer. A single larger request leaves alone. */
  readonly bytes: number;
  /** Requests without an answer. */
  readonly count: number;
}

/** The limits unless told otherwise. */
export const DEFAULT_LIMITS: InFlightLimits = { bytes: 64 << 20, count: 256 };

/** A request as bytes, with callbacks: no promise, one small object per request. */
export interface RawRequest {
  /** Which API: `api.key`. */
  readonly apiKey: number;
  /** Its version, from {@linkcode RpcConnection.versionOf}. */
  readonly apiVersion: number;
  /** The encoded message. Handed over: it must not change any more. */
  readonly body: Uint8Array;
  /**
   * True: the first 12 bytes of `body` (`REQUEST_HEADER_BYTES`) are room for the header, the message follows them. A
   * body above 8 kB then leaves without a copy and in one write. Default false.
   */
  readonly headroom?: boolean;
  /** Milliseconds until `onFailure` gets `TIMEOUT.REQUEST`. */
  readonly timeoutMs: number;
  /**
   * Gets the message of the answer.
   *
   * What it throws goes to `onFailure`, so it may decode with a function that throws.
   *
   * @param body the bytes of the message
   * @param owned false: `body` is valid only during the call. true: it belongs to the callee from now on
   */
  onAnswer(body: Uint8Array, owned: boolean): void;
  /** Gets the reason why there will be no answer. It must not throw. Never called inside of `send`. */
  onFailure(error: FlussError): void;
}

/** A request on its way. */
export interface SentRequest {
  /** Forgets the request: no callback is called any more, and a late answer is dropped. It may still take effect. */
  cancel(): void;
}

/** What a connection needs to open. */
export interface OpenOptions {
  /** Opens the stream. It must reject when its signal aborts. */
  readonly dial: Dial;
  /** The server's address, as the cluster or the user names it. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Where to dial instead, after NAT or port forwarding. */
  readonly target?: { readonly host: string; readonly port: number } | undefined;
  /** Speak TLS. */
  readonly tls?: TlsOptions | undefined;
  /** Log in with SASL/PLAIN. */
  readonly credentials?: Credentials | undefined;
  /** Keeps the deadlines. */
  readonly alarms: Alarms;
  /** Milliseconds for everything: connecting, handshake and login. */
  readonly connectTimeoutMs: number;
  /** Milliseconds that {@linkcode RpcConnection.call} waits unless told otherwise. */
  readonly requestTimeoutMs: number;
  /** Default: {@linkcode DEFAULT_LIMITS}. */
  readonly limits?: InFlightLimits | undefined;
  /** The largest answer that is accepted; default 256 MB. */
  readonly maxFrameBytes?: number | undefined;
  /** The id of the first request; default 0. Ids go up to 2^31-1 and start again at 0. */
  readonly firstRequestId?: number | undefined;
  /** Ends the attempt to open. */
  readonly signal?: AbortSignal | undefined;
  /** Called once when the opened connection has closed; without an error when it was closed by {@linkcode RpcConnection.close}. */
  readonly onClose?: ((error?: FlussError) => void) | undefined;
}

/** An open connection. */
export class RpcConnection {
  /** `host:port` of the server, for messages. */
  readonly address: string;
  /** What the server said that it can do. */
  readonly versions: ServerVersions;
  /** Answers that nobody waited for: late ones, or ones without a request. */
  droppedAnswers = 0;

  readonly #transport: Transport;
  readonly #alarms: Alarms;
  readonly #limits: InFlightLimits;
  readonly #requestTimeoutMs: number;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  #onClose: ((error?: FlussError) => void) | undefined;
  #closed = false;
  /** Why it closed, for those who send to it later. */
  #closeError: FlussError | undefined;

  readonly #inFlight = new Map<number, Request>();
  #inFlightBytes = 0;
  #nextId: number;
  /** Requests that the limits hold back, from `#waitingHead` on. */
  #waiting: Request[] = [];
  #waitingHead = 0;
  /** The transport has more to send than it should hold. */
  #congested = false;
  #flushScheduled = false;
  /**
   * One alarm for all requests, set for the earliest deadline. It is not moved when that request is answered: setting
   * and clearing a timer for each request would cost more than a look at all of them now and then.
   */
  #alarm: Alarm | undefined;
  #alarmAt = Infinity;
  /** One function for all requests. */
  readonly #cancel = (request: Request): void => this.#forget(request);

  private constructor(transport: Transport, options: OpenOptions) {
    this.address = describeAddress(options);
    this.versions = new ServerVersions(this.address);
    this.#transport = transport;
    this.#alarms = options.alarms;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#requestTimeoutMs = options.requestTimeoutMs;
    this.#nextId = options.firstRequestId ?? 0;
    this.#reader = new FrameReader(
      (bytes, start, end, owned) => this.#onFrame(bytes, start, end, owned),
      options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
    );
    this.#writer = new FrameWriter((bytes) => transport.write(bytes));
    transport.onData = (chunk) => this.#onData(chunk);
    transport.onClose = (cause) => this.#onLost(cause);
    if (transport.closed) this.#onLost();
  }

  /**
   * Connects, asks for the server's versions and logs in.
   *
   * @throws FlussConnectionError `CONNECTION.REFUSED` when nothing answers in time, `CONNECTION.CLOSED` when the server
   * hangs up, `CONNECTION.PROTOCOL` when it is no Fluss server, `CONNECTION.AUTH_FAILED`; the signal's reason
   */
  static async open(options: OpenOptions): Promise<RpcConnection> {
    const { alarms, connectTimeoutMs, signal } = options;
    signal?.throwIfAborted();
    const { host, port } = options.target ?? options;
    const address = describeAddress(options);
    const stop = new AbortController();
    let connection: RpcConnection | undefined;
    const alarm = alarms.set(connectTimeoutMs, () => {
      const did = connection === undefined ? "did not accept a connection" : "did not finish the handshake";
      stop.abort(
        flussError("CONNECTION.REFUSED", { message: `${address} ${did} within ${connectTimeoutMs} ms` }),
      );
    });
    const onAbort = () => stop.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const tls = options.tls && { serverName: options.host, ...options.tls };
      const transport = await options.dial(host, port, { signal: stop.signal, tls });
      connection = new RpcConnection(transport, options);
      await handshake(connection, {
        credentials: options.credentials,
        deadline: { alarms, ms: connectTimeoutMs, signal: stop.signal },
      });
      if (connection.#closed) {
        throw connection.#closedError();
      }
      connection.#onClose = options.onClose;
      return connection;
    } catch (error) {
      connection?.close();
      // A dial of our own rejects with the reason; one that is plugged in may do otherwise.
      if (stop.signal.aborted) throw stop.signal.reason;
      throw FlussError.is(error) ? error : connectionRefused(host, port, error, address);
    } finally {
      alarms.clear(alarm);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** The connection is of no more use. */
  get closed(): boolean {
    return this.#closed;
  }

  /** 1 for a coordinator, 2 for a tablet server, undefined when the server does not say. */
  get serverType(): number | undefined {
    return this.versions.serverType;
  }

  /** Requests without an answer, without those that the limits hold back. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Bytes of the requests that {@linkcode inFlight} counts. */
  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Requests that the limits hold back. */
  get waiting(): number {
    return this.#waiting.length - this.#waitingHead;
  }

  /**
   * The version in which to send a request.
   *
   * @throws FlussConnectionError `CONNECTION.UNSUPPORTED_VERSION` when the server does not serve it. Such a request must
   * not be sent: servers do not answer requests that they do not know
   */
  versionOf(api: Api<DescMessage, DescMessage>): number {
    return this.versions.of(api);
  }

  /**
   * Sends a request. Frames of one tick leave together, at its end. Never throws; exactly one of the callbacks is called,
   * once, unless the request is cancelled.
   */
  send(request: RawRequest): SentRequest {
    const sent = new Request(request, performance.now() + request.timeoutMs, this.#cancel);
    if (this.#closed) {
      queueMicrotask(() => sent.fail(this.#closedError()));
      return sent;
    }
    if (sent.deadline < this.#alarmAt) this.#setAlarm(sent.deadline);
    if (this.waiting > 0 || !this.#mayLeave(sent)) this.#waiting.push(sent);
    else this.#dispatch(sent);
    return sent;
  }

  /**
   * Sends a message and reads the answer. Its bytes fields belong to the caller.
   *
   * @throws FlussServerError when the server answers with an error; `CONNECTION.CLOSED`, `CONNECTION.AUTH_FAILED`,
   * `CONNECTION.UNSUPPORTED_VERSION`, `CONNECTION.PROTOCOL`, `TIMEOUT.REQUEST`; the signal's reason
   */
  async call<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    init: MessageInitShape<Q>,
    options: CallOptions = {},
  ): Promise<MessageValidType<A>> {
    const { signal } = options;
    signal?.throwIfAborted();
    const apiVersion = this.versionOf(api);
    const messages = await loadApi(api);
    signal?.throwIfAborted();
    const body = writeMessage(messages.request, init);
    const { promise, resolve, reject } = Promise.withResolvers<MessageValidType<A>>();
    const sent = this.send({
      apiKey: api.key,
      apiVersion,
      body,
      timeoutMs: options.timeoutMs ?? this.#requestTimeoutMs,
      // Bytes fields of a message are views of what it was read from.
      onAnswer: (bytes, owned) => resolve(readMessage(messages.response, owned ? bytes : bytes.slice())),
      onFailure: reject,
    });
    if (signal === undefined) return await promise;
    const onAbort = () => {
      sent.cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Closes the connection. All its requests fail with `error`, by default `CONNECTION.CLOSED`. */
  close(error?: FlussError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeError = error;
    this.#reader.stop();
    this.#transport.close();
    if (this.#alarm !== undefined) this.#alarms.clear(this.#alarm);
    const unanswered = [...this.#inFlight.values(), ...this.#waiting.slice(this.#waitingHead)];
    this.#inFlight.clear();
    this.#inFlightBytes = 0;
    this.#waiting = [];
    this.#waitingHead = 0;
    // First the owner, so that a request which is sent again by its callback does not end up here.
    const onClose = this.#onClose;
    this.#onClose = undefined;
    onClose?.(error);
    if (unanswered.length === 0) return;
    const failure = this.#closedError();
    for (const request of unanswered) request.fail(failure);
  }

  /** Takes out a request that nobody waits for any more. */
  #forget(request: Request): void {
    if (request.id >= 0) {
      if (this.#inFlight.delete(request.id)) this.#released(request);
      return;
    }
    const at = this.#waiting.indexOf(request, this.#waitingHead);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    // What it held back may leave now.
    this.#pump();
  }

  #mayLeave(request: Request): boolean {
    const { bytes, count } = this.#limits;
    return !this.#congested && this.#inFlight.size < count &&
      (this.#inFlightBytes === 0 || this.#inFlightBytes + request.bytes <= bytes);
  }

  #dispatch(request: Request): void {
    const id = this.#newId();
    request.id = id;
    this.#inFlight.set(id, request);
    this.#inFlightBytes += request.bytes;
    const { apiKey, apiVersion, body, headroom } = request.request;
    const pressure = this.#writer.add(apiKey, apiVersion, id, body, headroom === true);
    if (pressure !== undefined) this.#congest(pressure);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      if (this.#closed) return;
      const pressure = this.#writer.flush();
      if (pressure !== undefined) this.#congest(pressure);
    });
  }

  #newId(): number {
    let id = this.#nextId;
    // After 2^31 requests the ids start again; a very old request may still hold one.
    while (this.#inFlight.has(id)) id = (id + 1) & 0x7fffffff;
    this.#nextId = (id + 1) & 0x7fffffff;
    return id;
  }

  #congest(pressure: Promise<void>): void {
    if (this.#congested) return;
    this.#congested = true;
    pressure.then(() => {
      this.#congested = false;
      this.#pump();
    });
  }

  #released(request: Request): void {
    if (this.#closed) return;
    this.#inFlightBytes -= request.bytes;
    if (this.#waiting.length > 0) this.#pump();
  }

  /** Sends what waits, as far as the limits allow. */
  #pump(): void {
    while (this.#waitingHead < this.#waiting.length) {
      const request = this.#waiting[this.#waitingHead]!;
      if (!this.#mayLeave(request)) break;
      this.#waitingHead++;
      this.#dispatch(request);
    }
    if (this.#waitingHead === this.#waiting.length) {
      this.#waiting = [];
      this.#waitingHead = 0;
    } else if (this.#waitingHead >= 1024) {
      this.#waiting.splice(0, this.#waitingHead);
      this.#waitingHead = 0;
    }
  }

  #onData(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#fatal((error as Error).message, error);
    }
  }

  #onFrame(bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    const type = bytes[start]!;
    if (type === ResponseType.SERVER_FAILURE) {
      this.close(serverFailure(this.address, bytes.subarray(start + 1, end)));
      return;
    }
    if (type !== ResponseType.SUCCESS && type !== ResponseType.ERROR) {
      this.#fatal(`an answer has the unknown type ${type}`);
      return;
    }
    if (end - start < 5) {
      this.#fatal(`an answer of ${end - start} bytes is too short`);
      return;
    }
    const id = readInt32(bytes, start + 1);
    const request = this.#inFlight.get(id);
    if (request === undefined) {
      this.droppedAnswers++;
      return;
    }
    this.#inFlight.delete(id);
    const body = bytes.subarray(start + 5, end);
    if (type === ResponseType.SUCCESS) request.answer(body, owned, this.address);
    else request.fail(answerError(request.request.apiKey, this.address, body));
    this.#released(request);
  }

  #setAlarm(at: number): void {
    if (this.#alarm !== undefined) this.#alarms.clear(this.#alarm);
    this.#alarmAt = at;
    this.#alarm = this.#alarms.set(at - performance.now(), () => this.#onAlarm());
  }

  #onAlarm(): void {
    this.#alarm = undefined;
    this.#alarmAt = Infinity;
    const now = performance.now();
    const late: Request[] = [];
    let next = Infinity;
    const look = (request: Request) => {
      if (request.deadline <= now) late.push(request);
      else if (request.deadline < next) next = request.deadline;
    };
    for (const request of this.#inFlight.values()) look(request);
    for (let i = this.#waitingHead; i < this.#waiting.length; i++) look(this.#waiting[i]!);
    for (const request of late) {
      if (request.done) continue;
      this.#forget(request);
      const { apiKey, timeoutMs } = request.request;
      const what = request.id < 0 ? "could not be sent" : "was not answered";
      request.fail(
        flussError("TIMEOUT.REQUEST", {
          message: `${apiName(apiKey)} to ${this.address} ${what} within ${Math.round(timeoutMs)} ms`,
        }),
      );
    }
    if (!this.#closed && next < this.#alarmAt) this.#setAlarm(next);
  }

  #onLost(cause?: Error): void {
    const where = this.#reader.partial ? " in the middle of an answer" : "";
    const why = cause === undefined ? "" : ` (${cause.message.split("\n", 1)[0]})`;
    this.close(flussError("CONNECTION.CLOSED", {
      message: `the connection to ${this.address} was lost${where}${why}`,
      cause,
    }));
  }

  #fatal(what: string, cause?: unknown): void {
    this.close(flussError("CONNECTION.PROTOCOL", { message: `${this.address}: ${what}`, cause }));
  }

  #closedError(): FlussError {
    return this.#closeError ??
      flussError("CONNECTION.CLOSED", { message: `the connection to ${this.address} is closed` });
  }
}

/** One request with its state. */
class Request implements SentRequest {
  readonly request: RawRequest;
  readonly deadline: number;
  /** What it counts for in the limits. */
  readonly bytes: number;
  /** The id on the wire; -1 until it leaves. */
  id = -1;
  /** Answered, failed or cancelled. */
  done = false;
  readonly #onCancel: (request: Request) => void;

  constructor(request: RawRequest, deadline: number, onCancel: (request: Request) => void) {
    this.request = request;
    this.deadline = deadline;
    this.bytes = request.body.length;
    this.#onCancel = onCancel;
  }

  cancel(): void {
    if (this.done) return;
    this.done = true;
    this.#onCancel(this);
  }

  answer(body: Uint8Array, owned: boolean, address: string): void {
    this.done = true;
    try {
      this.request.onAnswer(body, owned);
    } catch (error) {
      this.request.onFailure(
        FlussError.is(error) ? error : flussError("CONNECTION.PROTOCOL", {
          message: `the answer of ${address} to ${apiName(this.request.apiKey)} could not be read`,
          cause: error,
        }),
      );
    }
  }

  fail(error: FlussError): void {
    if (this.done) return;
    this.done = true;
    this.request.onFailure(error);
  }
}

function describeAddress({ host, port, target }: OpenOptions): string {
  const address = addressText(host, port);
  if (target === undefined || (target.host === host && target.port === port)) return address;
  return `${address} (dialed at ${addressText(target.host, target.port)})`;
}
