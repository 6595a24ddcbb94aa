/**
 * The port between the client and a runtime's sockets: a byte stream and the way to open one.
 *
 * @module
 */

/**
 * A connected byte stream with exactly one owner.
 *
 * The owner sets `onData` and `onClose` as soon as it gets the stream, before it lets the event loop turn, and looks at
 * `closed` once after that. An open stream keeps the process alive on Node, Deno and Bun, a closed one does not.
 */
export interface Transport {
  /**
   * Queues bytes; they leave in the order of the calls. The buffer is handed over: it must not change until it has left,
   * which nobody reports. After the stream has closed this does nothing.
   *
   * @returns nothing while there is room, else a promise that resolves when the queue has drained to half of its
   * high-water mark or the stream has closed; it never rejects
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Called for everything that arrives. `chunk` is valid only during the call: copy what you keep. It must not throw. */
  onData: (chunk: Uint8Array) => void;
  /** Called once when the stream ends, unless its owner closed it. `cause` is absent when the other side just hung up. */
  onClose: (cause?: Error) => void;
  /** The stream has ended, by whatever side. */
  readonly closed: boolean;
  /** Stops `onData`, so that the other side feels that nobody reads. A chunk already read may still come. */
  pause(): void;
  /** Undoes {@linkcode pause}. */
  resume(): void;
  /** Ends the stream at once, without waiting for what is queued. Neither callback is called after this. */
  close(): void;
}

/** How TLS is spoken on a stream. */
export interface TlsOptions {
  /** The name that the certificate must carry. Defaults to the host that is dialed. */
  readonly serverName?: string | undefined;
  /** Certificates (PEM) of authorities to trust besides those of the runtime. */
  readonly caCerts?: readonly string[] | undefined;
}

/** Options of a {@linkcode Dial}. */
export interface DialOptions {
  /** Ends the attempt; the dial then rejects with the signal's reason, and a stream that opens later is closed. */
  readonly signal?: AbortSignal | undefined;
  /** Speak TLS; absent means plain TCP. */
  readonly tls?: TlsOptions | undefined;
}

/**
 * Opens a stream.
 *
 * @throws the runtime's own error; `connectionRefused()` in `failure.ts` makes it readable
 */
export type Dial = (host: string, port: number, options: DialOptions) => Promise<Transport>;
