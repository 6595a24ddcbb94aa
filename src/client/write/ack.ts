/**
 * What a write call gives back: something that can be awaited or dropped.
 *
 * @module
 */
import type { FlussError } from "../../base/errors.ts";
import type { WriteBatch, WriteReceipt } from "./batch.ts";

/**
 * The acknowledgement of one queued row. Await it, or drop it: the row was queued by the call either way.
 *
 * It is a `PromiseLike`, not a `Promise`, because no promise exists per row unless `then` is called. A dropped ack never
 * becomes an unhandled rejection; its failure is thrown by the next `flush()` or by closing.
 */
export interface WriteAck extends PromiseLike<WriteReceipt> {
  /** Where the row stands. */
  readonly state: "queued" | "acked" | "failed";
  /** As `Promise.prototype.catch`. */
  catch<X>(onFailed: (error: unknown) => X | PromiseLike<X>): Promise<WriteReceipt | X>;
  /** As `Promise.prototype.finally`. */
  finally(onSettled: () => void): Promise<WriteReceipt>;
}

/** The ack of a row; it learns its batch when the row is placed. */
export class RowAck implements WriteAck {
  #batch: WriteBatch | undefined;
  #failure: FlussError | undefined;
  #placed: PromiseWithResolvers<WriteBatch> | undefined;
  #attached = false;

  constructor(batch?: WriteBatch) {
    this.#batch = batch;
  }

  get state(): "queued" | "acked" | "failed" {
    return this.#failure !== undefined ? "failed" : this.#batch?.state ?? "queued";
  }

  /** Whether somebody waits for the outcome. */
  get attached(): boolean {
    return this.#attached;
  }

  /** Says that somebody waits for the outcome. @returns the row's batch, if it has one yet */
  attach(): WriteBatch | undefined {
    if (!this.#attached) {
      this.#attached = true;
      if (this.#batch !== undefined) this.#batch.attached++;
    }
    return this.#batch;
  }

  /** The row was put in a batch. */
  place(batch: WriteBatch): void {
    this.#batch = batch;
    if (this.#attached) batch.attached++;
    this.#placed?.resolve(batch);
  }

  /** The row never reached a batch. */
  refuse(failure: FlussError): void {
    this.#failure = failure;
    this.#placed?.reject(failure);
  }

  then<A = WriteReceipt, B = never>(
    onAcked?: ((receipt: WriteReceipt) => A | PromiseLike<A>) | null,
    onFailed?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome().then(onAcked, onFailed);
  }

  catch<X>(onFailed: (error: unknown) => X | PromiseLike<X>): Promise<WriteReceipt | X> {
    return this.#outcome().catch(onFailed);
  }

  finally(onSettled: () => void): Promise<WriteReceipt> {
    return this.#outcome().finally(onSettled);
  }

  #outcome(): Promise<WriteReceipt> {
    this.attach();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#batch !== undefined) return this.#batch.outcome();
    this.#placed ??= Promise.withResolvers();
    return this.#placed.promise.then((batch) => batch.outcome());
  }
}
