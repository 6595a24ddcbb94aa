/**
 * Clients that say what no client of ours would: bytes, frames and requests on a socket.
 *
 * @module
 */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { type Api, loadApi } from "../../../src/client/rpc/api.ts";
import { FrameReader, FrameWriter, readInt32, ResponseType } from "../../../src/client/rpc/frame.ts";
import { ErrorResponseSchema } from "../../../src/client/rpc/gen/fluss/v1/common_pb.ts";
import { readMessage, writeMessage } from "../../../src/client/rpc/required.ts";
import { dial } from "../../../src/client/transport/dial.ts";
import type { Transport } from "../../../src/client/transport/port.ts";

/** One answer. */
export interface Answer {
  /** Of the request. */
  readonly id: number;
  /** 0 for success. */
  readonly code: number;
  readonly body: Uint8Array;
}

/** See the module. */
export class Wire implements Disposable {
  readonly #transport: Transport;
  readonly #arrived: Answer[] = [];
  #failure: string | undefined;
  #told: PromiseWithResolvers<void> = Promise.withResolvers();
  #hungUp = false;

  static async open(port: number): Promise<Wire> {
    return new Wire(await dial("127.0.0.1", port, {}));
  }

  private constructor(transport: Transport) {
    this.#transport = transport;
    const reader = new FrameReader((bytes, start, end) => {
      const type = bytes[start];
      if (type === ResponseType.SERVER_FAILURE) {
        this.#failure = readMessage(ErrorResponseSchema, bytes.slice(start + 1, end)).errorMessage;
        return this.#tell();
      }
      const body = bytes.slice(start + 5, end);
      const code = type === ResponseType.ERROR ? readMessage(ErrorResponseSchema, body).errorCode : 0;
      this.#arrived.push({ id: readInt32(bytes, start + 1), code, body });
      this.#tell();
    });
    transport.onData = (chunk) => reader.push(chunk);
    transport.onClose = () => {
      this.#hungUp = true;
      this.#tell();
    };
    if (transport.closed) this.#hungUp = true;
  }

  #tell(): void {
    this.#told.resolve();
    this.#told = Promise.withResolvers();
  }

  [Symbol.dispose](): void {
    this.#transport.close();
  }

  /** Whether the server has ended the connection. */
  get hungUp(): boolean {
    return this.#hungUp;
  }

  /** Why the server ended the connection, if it said so. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Sends bytes. */
  send(...bytes: readonly Uint8Array[]): void {
    for (const part of bytes) this.#transport.write(part.slice());
  }

  /** Stops reading. */
  pause(): void {
    this.#transport.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#transport.resume();
  }

  /** The next answers, in the order in which they come; fewer where the server hangs up before. */
  async answers(count: number): Promise<Answer[]> {
    while (this.#arrived.length < count && !this.#hungUp) await this.#told.promise;
    return this.#arrived.splice(0, count);
  }

  /** Waits until the server hangs up. */
  async end(): Promise<void> {
    while (!this.#hungUp) await this.#told.promise;
  }
}

/** A request as it goes over the wire. */
export async function frameOf<Q extends DescMessage, A extends DescMessage>(
  api: Api<Q, A>,
  request: MessageInitShape<Q>,
  id: number,
): Promise<Uint8Array> {
  const messages = await loadApi(api);
  return frame(api.key, api.maxVersion, id, writeMessage(messages.request, request));
}

/** A frame with any body. */
export function frame(apiKey: number, apiVersion: number, id: number, body: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new FrameWriter((bytes) => {
    parts.push(bytes);
  });
  writer.add(apiKey, apiVersion, id, body, false);
  writer.flush();
  return joined(parts);
}

/** Bytes one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
