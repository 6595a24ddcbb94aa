/**
 * Streams over `Bun.connect`.
 *
 * @module
 */
import { Outbox } from "./outbox.ts";
import type { Dial, Transport } from "./port.ts";

/** The part of Bun's TCP socket that we use. */
interface BunSocket {
  /** Takes what fits and never buffers; -1 when the socket is closed. */
  write(bytes: Uint8Array): number;
  setNoDelay(on: boolean): boolean;
  pause(): void;
  resume(): void;
  /** Closes at once. */
  terminate(): void;
}

/** The part of Bun's socket handlers that we use. */
interface BunHandlers {
  binaryType: "uint8array";
  open(socket: BunSocket): void;
  handshake(socket: BunSocket, success: boolean, authorizationError: Error | null): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
  connectError(socket: BunSocket, error: Error): void;
}

/** The part of `Bun` that we use. */
interface BunSockets {
  connect(options: {
    hostname: string;
    port: number;
    tls?: { serverName: string; ca?: string[]; rejectUnauthorized: boolean };
    socket: BunHandlers;
  }): Promise<BunSocket>;
}

/** Opens a stream on Bun. */
export const dialBun: Dial = async (host, port, { signal, tls }) => {
  const ca = tls?.caCerts && [...await systemCerts(), ...tls.caCerts];
  const { Bun } = globalThis as unknown as { Bun: BunSockets };
  const { promise, resolve, reject } = Promise.withResolvers<Transport>();
  let transport: BunTransport | undefined;
  let failed = false;
  const onAbort = () => fail(signal?.reason);
  const fail = (reason: unknown) => {
    if (failed) return;
    failed = true;
    signal?.removeEventListener("abort", onAbort);
    transport?.close();
    reject(reason);
  };
  const ready = () => {
    if (failed || transport === undefined) return;
    signal?.removeEventListener("abort", onAbort);
    resolve(transport);
  };
  if (signal?.aborted) fail(signal.reason);
  else signal?.addEventListener("abort", onAbort, { once: true });
  if (failed) return await promise;

  const socket: BunHandlers = {
    binaryType: "uint8array",
    open(socket) {
      if (failed) {
        // Bun does not call a connect off, so one that comes too late is closed when it comes.
        socket.terminate();
        return;
      }
      socket.setNoDelay(true);
      transport = new BunTransport(socket);
      transport.onClose = (cause) => fail(cause ?? new Error("the other side hung up"));
      if (tls === undefined) ready();
    },
    handshake(_, success, authorizationError) {
      if (success && authorizationError === null) ready();
      else fail(authorizationError ?? new Error("the TLS handshake failed"));
    },
    data: (_, chunk) => transport?.onData(chunk),
    drain: () => transport?.flush(),
    end: () => transport?.end(),
    close: (_, error) => transport?.end(error),
    error: (_, error) => transport?.end(error),
    connectError: (_, error) => fail(error),
  };
  Bun.connect({
    hostname: host,
    port,
    ...(tls === undefined ? {} : {
      tls: {
        serverName: tls.serverName ?? host,
        rejectUnauthorized: true,
        ...(ca === undefined ? {} : { ca }),
      },
    }),
    socket,
  }).catch(fail);
  return await promise;
};

/** Bun trusts either its own list of authorities or the one that it is given. */
async function systemCerts(): Promise<readonly string[]> {
  const { rootCertificates } = await import("node:tls") as unknown as { rootCertificates: readonly string[] };
  return rootCertificates;
}

class BunTransport implements Transport {
  onData: (chunk: Uint8Array) => void = () => {};
  onClose: (cause?: Error) => void = () => {};
  closed = false;
  readonly #socket: BunSocket;
  readonly #outbox = new Outbox();

  constructor(socket: BunSocket) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.closed) return;
    if (this.#outbox.bytes > 0) {
      // The socket is full: joining the queue keeps the order, and `drain` empties it.
      this.#outbox.push(bytes);
      return this.#outbox.pressure();
    }
    const count = Math.max(0, this.#socket.write(bytes));
    if (count === bytes.length) return;
    this.#outbox.push(bytes.subarray(count));
    return this.#outbox.pressure();
  }

  /** Sends what the socket had no room for. */
  flush(): void {
    while (!this.closed && this.#outbox.bytes > 0) {
      const chunk = this.#outbox.first();
      const count = Math.max(0, this.#socket.write(chunk));
      if (count > 0) this.#outbox.took(count);
      if (count < chunk.length) return;
    }
  }

  pause(): void {
    if (!this.closed) this.#socket.pause();
  }

  resume(): void {
    if (!this.closed) this.#socket.resume();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outbox.clear();
    this.#socket.terminate();
  }

  /** The stream ended, not by its owner. */
  end(cause?: Error): void {
    if (this.closed) return;
    this.close();
    this.onClose(cause);
  }
}
