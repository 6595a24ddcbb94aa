/**
 * A byte stream without a socket: a test reads what was written and says what arrives, and when.
 *
 * @module
 */
import type { Dial, Transport } from "../src/client/transport/port.ts";
import { API } from "../src/client/rpc/api.ts";
import { type FakeRequest, responseFrame, versionsBody } from "./fake_server.ts";

/** The stream. It answers API_VERSIONS by itself. */
export class FakeTransport implements Transport {
  onData: (chunk: Uint8Array) => void = () => {};
  onClose: (cause?: Error) => void = () => {};
  closed = false;
  /** What was written, write by write. */
  readonly writes: Uint8Array[] = [];
  /** What was asked, but API_VERSIONS. */
  readonly requests: FakeRequest[] = [];
  /** Set to make `write` ask to wait. */
  pressure: Promise<void> | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  write(bytes: Uint8Array): void | Promise<void> {
    this.writes.push(bytes);
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const view = new DataView(all.buffer);
    let at = 0;
    while (all.length - at >= 12 && all.length - at >= 4 + view.getInt32(at)) {
      const end = at + 4 + view.getInt32(at);
      const [apiKey, apiVersion, id] = [view.getInt16(at + 4), view.getInt16(at + 6), view.getInt32(at + 8)];
      if (apiKey === API.API_VERSIONS.key) {
        queueMicrotask(() => this.arrive(responseFrame(0, id, VERSIONS)));
      } else this.requests.push({ apiKey, apiVersion, id, body: all.slice(at + 12, end) });
      at = end;
    }
    this.#rest = all.slice(at);
    return this.pressure;
  }

  /** Delivers bytes and overwrites them afterwards, as a runtime does that reuses its read buffer. */
  arrive(bytes: Uint8Array): void {
    if (this.closed) return;
    const chunk = bytes.slice();
    this.onData(chunk);
    chunk.fill(0xee);
  }

  /** Ends the stream from the other side. */
  hangUp(cause?: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.onClose(cause);
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.closed = true;
  }
}

const VERSIONS = versionsBody();

/** A dial that hands out one given stream. */
export function dialTo(transport: Transport): Dial {
  return () => Promise.resolve(transport);
}
