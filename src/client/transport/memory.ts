/**
 * Streams within the process: what one end writes, the other end gets, without a copy.
 *
 * @module
 */
import { Outbox } from "./outbox.ts";
import type { Transport } from "./port.ts";

/**
 * Two ends of a stream. Bytes arrive in a later turn of the event loop, so that programs that only talk to their own
 * process leave time to timers and sockets. Unlike a socket, an open stream does not keep the process alive.
 */
export function memoryStream(): [Transport, Transport] {
  const one = new MemoryTransport();
  const other = new MemoryTransport();
  one.join(other);
  other.join(one);
  return [one, other];
}

class MemoryTransport implements Transport {
  onData: (chunk: Uint8Array) => void = () => {};
  onClose: (cause?: Error) => void = () => {};
  closed = false;
  #peer: MemoryTransport | undefined;
  readonly #outbox = new Outbox();
  #scheduled = false;
  #paused = false;

  join(peer: MemoryTransport): void {
    this.#peer = peer;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    if (this.closed) return;
    this.#outbox.push(bytes);
    this.#schedule();
    return this.#outbox.pressure();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    const peer = this.#peer;
    if (peer !== undefined) peer.#schedule();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outbox.clear();
    const peer = this.#peer;
    this.#peer = undefined;
    // What the other end has not read yet is gone, as with a socket that is destroyed.
    if (peer !== undefined && !peer.closed) setImmediate(() => peer.#end());
  }

  #end(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outbox.clear();
    this.#peer = undefined;
    this.onClose();
  }

  #schedule(): void {
    if (this.#scheduled || this.#outbox.bytes === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const peer = this.#peer;
      while (peer !== undefined && !peer.closed && !peer.#paused && this.#outbox.bytes > 0) {
        const chunk = this.#outbox.first();
        this.#outbox.took(chunk.length);
        peer.onData(chunk);
      }
    });
  }
}
