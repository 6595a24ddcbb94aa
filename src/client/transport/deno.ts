/**
 * Streams over `Deno.connect`.
 *
 * @module
 */
import { Outbox } from "./outbox.ts";
import type { Dial, DialOptions, Transport } from "./port.ts";

/** The part of `Deno.Conn` that we use. */
interface Conn {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
  setNoDelay?(on: boolean): void;
}

/** The part of `Deno` that we use. */
interface DenoSockets {
  connect(options: { hostname: string; port: number }): Promise<Conn>;
  startTls(
    conn: Conn,
    options: { hostname: string; caCerts?: string[] },
  ): Promise<Conn & { handshake(): Promise<unknown> }>;
}

/** One read takes up to this many bytes. */
const READ_BYTES = 128 << 10;

/** Opens a stream on Deno. */
export const dialDeno: Dial = async (host, port, options) => {
  const { Deno } = globalThis as unknown as { Deno: DenoSockets };
  let conn = await untilAborted(Deno.connect({ hostname: host, port }), options);
  conn.setNoDelay?.(true);
  if (options.tls !== undefined) {
    const { serverName: hostname = host, caCerts = [] } = options.tls;
    const plain = conn;
    conn = await untilAborted(
      Deno.startTls(plain, { hostname, caCerts: [...caCerts] }).then(async (secured) => {
        try {
          await secured.handshake();
        } catch (error) {
          secured.close();
          throw error;
        }
        return secured;
      }),
      options,
    );
  }
  return new DenoTransport(conn);
};

/** Deno does not call a connect off, so one that comes too late is closed when it comes. */
async function untilAborted(opening: Promise<Conn>, { signal }: DialOptions): Promise<Conn> {
  if (signal === undefined) return await opening;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => {
    opening.then((late) => late.close(), () => {});
    aborted.reject(signal.reason);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([opening, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

class DenoTransport implements Transport {
  onData: (chunk: Uint8Array) => void = () => {};
  onClose: (cause?: Error) => void = () => {};
  closed = false;
  readonly #conn: Conn;
  readonly #outbox = new Outbox();
  #writing = false;
  #paused: PromiseWithResolvers<void> | undefined;

  constructor(conn: Conn) {
    this.#conn = conn;
    // Started in a microtask: the owner has its callbacks set by then.
    queueMicrotask(() => this.#readAll());
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.closed) return;
    this.#outbox.push(bytes);
    if (!this.#writing) this.#writeAll();
    return this.#outbox.pressure();
  }

  pause(): void {
    this.#paused ??= Promise.withResolvers<void>();
  }

  resume(): void {
    this.#paused?.resolve();
    this.#paused = undefined;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outbox.clear();
    this.resume();
    this.#conn.close();
  }

  async #readAll(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      while (!this.closed) {
        const count = await this.#conn.read(buffer);
        if (this.#paused !== undefined) await this.#paused.promise;
        if (this.closed) return;
        if (count === null) return this.#end();
        this.onData(buffer.subarray(0, count));
      }
    } catch (error) {
      this.#end(error as Error);
    }
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#outbox.bytes > 0) {
        const count = await this.#conn.write(this.#outbox.first());
        if (this.closed) return;
        this.#outbox.took(count);
      }
      this.#writing = false;
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(cause?: Error): void {
    if (this.closed) return;
    this.close();
    this.onClose(cause);
  }
}
