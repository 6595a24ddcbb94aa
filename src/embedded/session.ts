/**
 * One connection of a client: requests come as frames, answers go as frames, in any order.
 *
 * @module
 */
import { type Alarm, Alarms } from "../base/alarms.ts";
import { API } from "../client/rpc/api.ts";
import { FrameReader, readInt32, ResponseType } from "../client/rpc/frame.ts";
import { ErrorResponseSchema } from "../client/rpc/gen/fluss/v1/common_pb.ts";
import { AuthenticateRequestSchema, AuthenticateResponseSchema } from "../client/rpc/gen/fluss/v1/handshake_pb.ts";
import { ApiVersionsResponseSchema } from "../client/rpc/gen/fluss/v1/handshake_pb.ts";
import { readMessage, writeMessage } from "../client/rpc/required.ts";
import type { Transport } from "../client/transport/port.ts";
import { dispatch, loading, type Outcome, serves, VERSIONS } from "./dispatch.ts";
import type { Engine } from "./engine.ts";
import { asFault, fault, ServerFault } from "./fault.ts";
import { Login } from "./login.ts";
import type { Call, Principal, SessionHandle } from "./requests/handler.ts";
import type { User } from "./settings.ts";

/** What the clients of one listener have in common. */
export interface SessionOptions {
  readonly engine: Engine;
  readonly server: Call["server"];
  readonly endpoints: Call["endpoints"];
  /** Who may log in; where there is nobody, nobody needs to. */
  readonly users: readonly User[];
  /** The client's address; absent within the process. */
  readonly clientHost?: string;
  /** Told of every request, when it is answered. */
  readonly log?: (line: RequestLine) => void;
}

/** One request that was answered. */
export interface RequestLine {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly user: string;
  /** From its arrival to its answer. */
  readonly ms: number;
  /** Of the request's message. */
  readonly bytes: number;
  readonly error?: ServerFault;
}

const LENGTH_BYTES = 4;
/** Key, version and id of a request. */
const HEADER_BYTES = 8;
/** A client may be anybody, and there may be thousands of them. */
const TRUSTED_BYTES = 16 << 10;
/** So long whoever sent what is no frame has to read why it is hung up on. */
const LINGER_MS = 100;
/** Requests of one connection that may be at work; the next ones wait in the socket. */
const MAX_AT_WORK = 512;
const MAX_BYTES_AT_WORK = 128 << 20;
/** Larger answers leave without being copied. */
const COPIED_BYTES = 8 << 10;
/** So many bytes of answers do not wait for the end of the turn: the next ones may have to wait for them. */
const GATHERED_BYTES = 256 << 10;

/** In real time: whose clock stands still hangs up, too. */
const LINGER = new Alarms();

/** Serves a connection until it ends. The stream is the session's from now on. */
export function serve(transport: Transport, options: SessionOptions): Session {
  return new Session(transport, options);
}

/** See the module. */
export class Session implements SessionHandle {
  readonly #transport: Transport;
  readonly #options: SessionOptions;
  readonly #login: Login;
  readonly #reader: FrameReader;
  readonly #listeners = new Set<() => void>();
  /** What the engine has counted of this client. */
  #counted = 0;
  #linger: Alarm | undefined;
  /** Requests that came while others were at work, or answers waited to leave. */
  readonly #waiting: Uint8Array[] = [];
  #atWork = 0;
  #bytesAtWork = 0;
  #congested = false;
  #paused = false;
  /** What the first of the waiting requests is made of, is being loaded. */
  #loading = false;
  #proceeding = false;
  /** Answers of this turn. */
  #answers: Uint8Array[] = [];
  #answerBytes = 0;
  /** Who has room for a large answer. */
  #maker: Call | undefined;
  #makers: { readonly call: Call; readonly make: () => void }[] = [];

  constructor(transport: Transport, options: SessionOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#login = new Login(options.users, options.clientHost);
    this.#reader = new FrameReader(
      (bytes, start, end, owned) => {
        this.#take(owned ? bytes.subarray(start, end) : bytes.slice(start, end));
      },
      // Servers count the four bytes of the length, too.
      options.engine.settings.maxRequestBytes - LENGTH_BYTES,
      TRUSTED_BYTES,
    );
    transport.onData = (chunk) => this.#read(chunk);
    transport.onClose = () => this.#ended();
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  #read(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      // What follows cannot be read.
      return this.#fail(asFault(error));
    }
    if (!this.#count()) {
      this.#fail(fault("SERVER.NETWORK_EXCEPTION", "Too many requests have begun to come and do not end."));
    }
  }

  #count(): boolean {
    const before = this.#counted;
    this.#counted = this.#reader.gathered;
    return this.#options.engine.intake.count(before, this.#counted);
  }

  /** Nobody is served any more. */
  get #over(): boolean {
    return this.closed || this.#linger !== undefined;
  }

  /** Says why this is the end of the connection, after the answers so far, and hangs up. */
  #fail(reason: ServerFault): void {
    if (this.#over) return;
    this.#reader.stop();
    this.#count();
    this.#waiting.length = 0;
    this.#flush();
    const body = writeMessage(ErrorResponseSchema, { errorCode: reason.code, errorMessage: reason.message });
    const frame = new Uint8Array(LENGTH_BYTES + 1 + body.length);
    new DataView(frame.buffer).setUint32(0, 1 + body.length);
    frame[LENGTH_BYTES] = ResponseType.SERVER_FAILURE;
    frame.set(body, LENGTH_BYTES + 1);
    this.#write(frame);
    // Whoever is hung up on with bytes on the way to us, or waiting here, would not get it.
    this.#transport.resume();
    this.#linger = LINGER.set(LINGER_MS, () => this.close());
  }

  onClose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hangs up. */
  close(): void {
    if (this.#transport.closed) return;
    this.#transport.close();
    this.#ended();
  }

  whenRoom(call: Call, make: () => void): void {
    this.#makers.push({ call, make });
    this.#makeNext();
  }

  #makeNext(): void {
    while (this.#makers.length > 0 && (this.closed || this.#maker === undefined && !this.#congested)) {
      const { call, make } = this.#makers.shift()!;
      this.#maker = call;
      make();
    }
  }

  #ended(): void {
    this.#reader.stop();
    this.#count();
    if (this.#linger !== undefined) LINGER.clear(this.#linger);
    this.#waiting.length = 0;
    for (const listener of [...this.#listeners]) listener();
    this.#listeners.clear();
    this.#makeNext();
  }

  #take(frame: Uint8Array): void {
    if (this.#over) return;
    if (this.#mustWait()) {
      this.#waiting.push(frame);
      if (!this.#paused) this.#transport.pause();
      this.#paused = true;
    } else this.#serve(frame);
  }

  #mustWait(): boolean {
    return this.#congested || this.#loading || this.#atWork >= MAX_AT_WORK || this.#bytesAtWork >= MAX_BYTES_AT_WORK;
  }

  /** Goes on with what waited. */
  #proceed(): void {
    // A request that is answered at once comes here, too.
    if (this.#proceeding) return;
    this.#proceeding = true;
    let served = 0;
    try {
      while (served < this.#waiting.length && !this.#mustWait()) this.#serve(this.#waiting[served++]!);
    } finally {
      this.#waiting.splice(0, served);
      this.#proceeding = false;
    }
    if (this.#paused && !this.#mustWait() && !this.#over) {
      this.#paused = false;
      this.#transport.resume();
    }
  }

  #serve(frame: Uint8Array): void {
    if (frame.length < HEADER_BYTES) {
      return this.#fail(new ServerFault(-1, `a request of ${frame.length} bytes has no header`));
    }
    const apiKey = (frame[0]! << 8) | frame[1]!;
    const { principal } = this.#login;
    const isHandshake = apiKey === API.API_VERSIONS.key || apiKey === API.AUTHENTICATE.key;
    const loaded = isHandshake || principal === undefined ? undefined : loading(apiKey);
    if (loaded === undefined) return this.#work(apiKey, frame, principal);
    // The next requests wait: they must not overtake this one.
    this.#loading = true;
    const goOn = () => {
      this.#loading = false;
      if (this.#over) return;
      this.#work(apiKey, frame, principal);
      this.#proceed();
    };
    // What could not be loaded is tried again, and answered with the reason.
    loaded.then(goOn, goOn);
  }

  #work(apiKey: number, frame: Uint8Array, principal: Principal | undefined): void {
    const apiVersion = (frame[2]! << 8) | frame[3]!;
    const id = readInt32(frame, 4);
    const body = frame.subarray(HEADER_BYTES);
    const { engine, server, endpoints, log } = this.#options;
    const since = log === undefined ? 0 : performance.now();
    const call = principal === undefined ? undefined : { apiVersion, principal, server, endpoints, session: this };
    this.#atWork++;
    this.#bytesAtWork += body.length;
    const done = (outcome: Outcome): void => {
      this.#atWork--;
      this.#bytesAtWork -= body.length;
      this.#answer(id, outcome);
      if (call !== undefined && call === this.#maker) {
        this.#maker = undefined;
        this.#makeNext();
      }
      log?.({
        apiKey,
        apiVersion,
        user: this.#login.principal?.name ?? "",
        ms: performance.now() - since,
        bytes: body.length,
        ...(outcome instanceof ServerFault ? { error: outcome } : {}),
      });
      if (this.#paused) this.#proceed();
    };
    const outcome = apiKey === API.API_VERSIONS.key
      ? this.#versions()
      : apiKey === API.AUTHENTICATE.key
      ? this.#authenticate(body)
      : call === undefined
      ? fault(
        "SERVER.AUTHENTICATE_EXCEPTION",
        "The connection has not completed authentication yet. This may be caused by a missing or incorrect " +
          "configuration of 'client.security.protocol' on the client side.",
      )
      : engine.closed
      ? fault("SERVER.NETWORK_EXCEPTION", "The server is stopping.")
      : dispatch(engine, apiKey, body, call);
    if (outcome instanceof Promise) outcome.then(done, (error) => done(asFault(error)));
    else done(outcome);
  }

  #versions(): Outcome {
    const { server } = this.#options;
    const kinds = new Map(Object.values(API).map(({ key, servedBy }) => [key, servedBy]));
    return writeMessage(ApiVersionsResponseSchema, {
      apiVersions: VERSIONS.filter(({ apiKey }) => serves(server, kinds.get(apiKey)!)),
      serverType: server === "coordinator" ? 1 : 2,
    });
  }

  #authenticate(body: Uint8Array): Outcome {
    try {
      const { protocol, token } = readMessage(AuthenticateRequestSchema, body);
      const challenge = this.#login.authenticate(protocol, token);
      return writeMessage(AuthenticateResponseSchema, challenge === undefined ? {} : { challenge });
    } catch (error) {
      return asFault(error);
    }
  }

  #answer(id: number, outcome: Outcome): void {
    if (this.#over) return;
    const failed = outcome instanceof ServerFault;
    const body = failed
      ? writeMessage(ErrorResponseSchema, { errorCode: outcome.code, errorMessage: outcome.message })
      : outcome;
    const head = answerHead(failed ? ResponseType.ERROR : ResponseType.SUCCESS, id, body.length);
    if (this.#answers.length === 0) queueMicrotask(() => this.#flush());
    this.#answers.push(head, body);
    this.#answerBytes += body.length;
    if (this.#answerBytes > GATHERED_BYTES) this.#flush();
  }

  #flush(): void {
    const answers = this.#answers;
    this.#answers = [];
    this.#answerBytes = 0;
    let small: Uint8Array[] = [];
    let size = 0;
    const leave = () => {
      if (size === 0) return;
      const bytes = new Uint8Array(size);
      let at = 0;
      for (const part of small) {
        bytes.set(part, at);
        at += part.length;
      }
      small = [];
      size = 0;
      this.#write(bytes);
    };
    for (const part of answers) {
      if (part.length > COPIED_BYTES) {
        leave();
        this.#write(part);
      } else {
        small.push(part);
        size += part.length;
      }
    }
    leave();
  }

  #write(bytes: Uint8Array): void {
    const room = this.#transport.write(bytes);
    if (room === undefined || this.#congested) return;
    // Whoever does not read its answers gets no more of them.
    this.#congested = true;
    room.then(() => {
      this.#congested = false;
      this.#makeNext();
      this.#proceed();
    });
  }
}

/** Length, type and id of an answer. */
function answerHead(type: number, id: number, bodyLength: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(9);
  const length = bodyLength + 5;
  head[0] = length >>> 24;
  head[1] = length >>> 16;
  head[2] = length >>> 8;
  head[3] = length;
  head[4] = type;
  head[5] = id >>> 24;
  head[6] = id >>> 16;
  head[7] = id >>> 8;
  head[8] = id;
  return head;
}
