/**
 * A server that speaks frames and does with them what a test wants. It answers API_VERSIONS by itself unless told
 * otherwise.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { after } from "node:test";
import { API, type Api } from "../src/client/rpc/api.ts";
import { ErrorResponseSchema } from "../src/client/rpc/gen/fluss/v1/common_pb.ts";
import { ApiVersionsResponseSchema } from "../src/client/rpc/gen/fluss/v1/handshake_pb.ts";
import { writeMessage } from "../src/client/rpc/required.ts";

/** Those that listen. A test that failed leaves its server open, and the process must end all the same. */
const listening = new Set<FakeServer>();
after(() => Promise.all([...listening].map((server) => server.close())));

/** One request as it arrived. */
export interface FakeRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly id: number;
  readonly body: Uint8Array;
}

/** The bytes of a response frame. */
export function responseFrame(type: number, id: number | undefined, body: Uint8Array): Uint8Array {
  const head = id === undefined ? 5 : 9;
  const frame = new Uint8Array(head + body.length);
  const view = new DataView(frame.buffer);
  view.setInt32(0, frame.length - 4);
  view.setUint8(4, type);
  if (id !== undefined) view.setInt32(5, id);
  frame.set(body, head);
  return frame;
}

/** The body of an error. */
export function errorBody(errorCode: number, errorMessage?: string): Uint8Array {
  return writeMessage(ErrorResponseSchema, errorMessage === undefined ? { errorCode } : { errorCode, errorMessage });
}

/** The body of an answer to API_VERSIONS: every public request in the versions that we know, unless told otherwise. */
export function versionsBody(
  serverType: number | undefined = 2,
  apis: readonly Pick<Api, "key" | "minVersion" | "maxVersion">[] = Object.values(API),
): Uint8Array {
  return writeMessage(ApiVersionsResponseSchema, {
    apiVersions: apis.map(({ key: apiKey, minVersion, maxVersion }) => ({ apiKey, minVersion, maxVersion })),
    ...(serverType === undefined ? {} : { serverType }),
  });
}

/** One client of a fake server. */
export class Peer {
  readonly socket: Socket;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(socket: Socket, onRequest: (request: FakeRequest, peer: Peer) => void) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("data", (chunk: Uint8Array) => {
      const bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
      const view = new DataView(bytes.buffer);
      let at = 0;
      while (bytes.length - at >= 4 && bytes.length - at >= 4 + view.getInt32(at)) {
        const end = at + 4 + view.getInt32(at);
        onRequest({
          apiKey: view.getInt16(at + 4),
          apiVersion: view.getInt16(at + 6),
          id: view.getInt32(at + 8),
          body: bytes.slice(at + 12, end),
        }, this);
        at = end;
      }
      this.#rest = bytes.slice(at);
    });
  }

  raw(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  answer(id: number, body: Uint8Array = new Uint8Array(0)): void {
    this.raw(responseFrame(0, id, body));
  }

  error(id: number, code: number, message?: string): void {
    this.raw(responseFrame(1, id, errorBody(code, message)));
  }

  failure(code: number, message?: string): void {
    this.raw(responseFrame(2, undefined, errorBody(code, message)));
  }

  /** Hangs up without a farewell. */
  destroy(): void {
    this.socket.destroy();
  }
}

/** A listening fake server on a free port of 127.0.0.1. */
export class FakeServer {
  readonly host = "127.0.0.1";
  readonly port: number;
  /** Every client there was, in order. */
  readonly peers: Peer[];
  readonly #server: Server;

  private constructor(server: Server, peers: Peer[]) {
    this.#server = server;
    this.peers = peers;
    this.port = (server.address() as { port: number }).port;
  }

  /**
   * Starts a server.
   *
   * @param onRequest called for each request but API_VERSIONS
   * @param options versions: the body of the answer to API_VERSIONS, or null to treat it like any request;
   * onConnect: called with each new client
   */
  static async start(
    onRequest: (request: FakeRequest, peer: Peer) => void = () => {},
    options: { versions?: Uint8Array | null; onConnect?: (peer: Peer) => void; port?: number } = {},
  ): Promise<FakeServer> {
    const { versions = versionsBody(), onConnect } = options;
    const peers: Peer[] = [];
    const server = createServer((socket) => {
      const peer = new Peer(socket, (request) => {
        if (request.apiKey === API.API_VERSIONS.key && versions !== null) peer.answer(request.id, versions);
        else onRequest(request, peer);
      });
      peers.push(peer);
      onConnect?.(peer);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port ?? 0, "127.0.0.1", resolve);
    });
    const fake = new FakeServer(server, peers);
    listening.add(fake);
    return fake;
  }

  /** Hangs up on everybody and stops listening. */
  async close(): Promise<void> {
    listening.delete(this);
    for (const peer of this.peers) peer.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
