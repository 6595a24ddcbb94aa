/**
 * Streams over `node:net` and `node:tls`, which are loaded when the first stream is opened: Deno and Bun never load them.
 *
 * @module
 */
import { HIGH_WATER_BYTES, Pressure } from "./outbox.ts";
import type { Dial, Transport } from "./port.ts";

/** The part of Node's socket that we use. */
export interface NodeSocket {
  write(bytes: Uint8Array, done: () => void): boolean;
  readonly writableLength: number;
  setNoDelay(on: boolean): void;
  pause(): void;
  resume(): void;
  destroy(): void;
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "connect" | "secureConnect" | "end" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

interface ConnectOptions {
  host: string;
  port: number;
  noDelay: true;
}

interface TlsConnectOptions extends ConnectOptions {
  servername?: string;
  ca?: string[];
}

/** Opens a stream on Node. */
export const dialNode: Dial = async (host, port, { signal, tls }) => {
  const target: ConnectOptions = { host, port, noDelay: true };
  let open: () => NodeSocket;
  if (tls === undefined) {
    const { connect } = await import("node:net") as unknown as { connect(options: ConnectOptions): NodeSocket };
    open = () => connect(target);
  } else {
    const [{ connect, rootCertificates }, { isIP }] = await Promise.all([
      import("node:tls") as unknown as Promise<
        { connect(options: TlsConnectOptions): NodeSocket; rootCertificates: readonly string[] }
      >,
      import("node:net") as unknown as Promise<{ isIP(text: string): number }>,
    ]);
    const name = tls.serverName ?? host;
    // An address is no server name (RFC 6066, section 3); Node checks the certificate against the host then.
    const options: TlsConnectOptions = isIP(name) > 0 ? target : { ...target, servername: name };
    if (tls.caCerts !== undefined) options.ca = [...rootCertificates, ...tls.caCerts];
    open = () => connect(options);
  }
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Transport>();
  const socket = open();
  const transport = new NodeTransport(socket);
  const settled = () => signal?.removeEventListener("abort", onAbort);
  const onAbort = () => {
    transport.close();
    reject(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  transport.onClose = (cause) => {
    settled();
    reject(cause ?? new Error("the other side hung up"));
  };
  socket.on(tls === undefined ? "connect" : "secureConnect", () => {
    settled();
    resolve(transport);
  });
  return await promise;
};

/** A stream of a socket that a server has accepted. The socket is the stream's from now on. */
export function acceptNode(socket: NodeSocket): Transport {
  socket.setNoDelay(true);
  return new NodeTransport(socket);
}

class NodeTransport implements Transport {
  onData: (chunk: Uint8Array) => void = () => {};
  onClose: (cause?: Error) => void = () => {};
  closed = false;
  readonly #socket: NodeSocket;
  readonly #pressure = new Pressure();
  readonly #written = () => {
    if (this.#socket.writableLength <= HIGH_WATER_BYTES / 2) this.#pressure.release();
  };

  constructor(socket: NodeSocket) {
    this.#socket = socket;
    let failure: Error | undefined;
    socket.on("data", (chunk) => {
      if (!this.closed) this.onData(chunk);
    });
    // The listener for errors stays for ever: an error after close() must not end the user's process.
    socket.on("error", (error) => failure = error);
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end(failure));
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.closed) return;
    this.#socket.write(bytes, this.#written);
    if (this.#socket.writableLength > HIGH_WATER_BYTES) return this.#pressure.wait();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.destroy();
    this.#pressure.release();
  }

  #end(cause?: Error): void {
    if (this.closed) return;
    this.close();
    this.onClose(cause);
  }
}
