/**
 * Stands between a client and real servers, and counts what they answer.
 *
 * @module
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { ResolveAddress } from "../src/client/rpc/pool.ts";
import { FrameReader, ResponseType } from "../src/client/rpc/frame.ts";

/** The answers to one API. */
export interface Answers {
  count: number;
  /** Of their bodies. */
  bytes: number;
}

/** Relays connections to any server; give `resolveAddress` to `connect()`. */
export class Relay implements AsyncDisposable {
  readonly #answers = new Map<number, Answers>();
  readonly #servers = new Map<string, Promise<Server>>();
  readonly #sockets = new Set<Socket>();
  readonly #onAnswer: (apiKey: number, body: Uint8Array) => void;

  /** @param onAnswer is given every answer that is no error */
  constructor(onAnswer: (apiKey: number, body: Uint8Array) => void = () => {}) {
    this.#onAnswer = onAnswer;
  }

  /** The address of the relay to a server. */
  readonly resolveAddress: ResolveAddress = async (host, port) => {
    const key = `${host}:${port}`;
    let server = this.#servers.get(key);
    if (server === undefined) this.#servers.set(key, server = this.#listen(host, port));
    return { host: "127.0.0.1", port: ((await server).address() as AddressInfo).port };
  };

  /** What was answered so far. */
  answersTo({ key }: { readonly key: number }): Answers {
    let answers = this.#answers.get(key);
    if (answers === undefined) this.#answers.set(key, answers = { count: 0, bytes: 0 });
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers.values()) await new Promise((resolve) => server.then((s) => s.close(resolve)));
  }

  async #listen(host: string, port: number): Promise<Server> {
    const server = createServer((client) => this.#relay(client, connect(port, host)));
    await once(server.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  #relay(client: Socket, server: Socket): void {
    /** The requests that are not answered yet. */
    const apiKeys = new Map<number, number>();
    const requests = new FrameReader((bytes, start) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset + start);
      apiKeys.set(view.getInt32(4), view.getInt16(0));
    });
    const answers = new FrameReader((bytes, start, end) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset + start);
      if (view.getUint8(0) === ResponseType.SERVER_FAILURE) return;
      const id = view.getInt32(1);
      const apiKey = apiKeys.get(id)!;
      apiKeys.delete(id);
      if (view.getUint8(0) !== ResponseType.SUCCESS) return;
      const counted = this.answersTo({ key: apiKey });
      counted.count++;
      counted.bytes += end - start - 5;
      this.#onAnswer(apiKey, bytes.subarray(start + 5, end));
    });
    for (const [from, to, reader] of [[client, server, requests], [server, client, answers]] as const) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on("data", (chunk: Uint8Array) => {
        reader.push(chunk);
        if (!to.write(chunk)) {
          from.pause();
          to.once("drain", () => from.resume());
        }
      });
    }
  }
}
