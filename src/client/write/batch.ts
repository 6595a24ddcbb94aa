/**
 * A batch of rows for one bucket, from its first row to its last word.
 *
 * @module
 */
import type { FlussError } from "../../base/errors.ts";

/** What the server said of an acknowledged batch. */
export interface WriteReceipt {
  /** The bucket that holds the row. */
  readonly bucket: number;
  /** The partition that holds the row, by name. */
  readonly partition?: string;
  /**
   * The end of the bucket's log after the batch: the offset that the next change will get. -1n when the server
   * recognised the batch as one that it had before and did not say where it is.
   */
  readonly endOffset: bigint;
}

/** The encoded rows of a batch. */
export interface BatchRows {
  /** The schema of the rows. */
  readonly schemaId: number;
  /** Bytes so far, before compression. */
  readonly size: number;
  /** The memory they are in, where it may be used again when the batch is over. */
  readonly buffer?: Uint8Array<ArrayBuffer>;
  /** Takes the row that was added last out again. */
  dropLast(): void;
  /** The batch as it is sent, under a writer id and a sequence (-1 without). May be called again with others. */
  finish(writerId: bigint, sequence: number): Uint8Array<ArrayBuffer>;
}

/** Rows can share a request only if they are written in the same way. */
export interface WriteVariant {
  /** Whether the rows are put by their keys or appended to a log. */
  readonly kind: "put" | "produce";
  /** One text per way of writing, to compare by. */
  readonly key: string;
  /** Positions of the columns that are written; undefined for whole rows. */
  readonly targets: readonly number[] | undefined;
}

/** Rows of one bucket that travel together. */
export class WriteBatch {
  readonly variant: WriteVariant;
  /** `database.table`, for messages. */
  readonly table: string;
  readonly bucket: number;
  readonly partition: string | undefined;
  /** Its place among the batches of its bucket. */
  readonly order: number;

  state: "queued" | "acked" | "failed" = "queued";
  /** True once it has waited for company long enough. */
  lingered = false;
  /** How many times it left. */
  attempts = 0;
  /** The writer id and sequence it was last sent with; -1 before the first time. */
  writerId = -1n;
  sequence = -1;
  /** True when the sequence changed since the batch was last sent. */
  sequenceMoved = false;
  /** What the last attempt said. */
  lastFailure: FlussError | undefined;
  /** Whether its time limits run. */
  armed = false;
  /** Calls them off. */
  disarm: () => void = () => {};
  /** Bytes that count against the writer's limit; kept here because the builder goes when the batch settles. */
  bytes = 0;
  /** How many rows it holds. */
  rows = 0;
  /** How many of its rows have somebody waiting for the ack. */
  attached = 0;

  #builder: BatchRows | undefined;
  #receipt: WriteReceipt | undefined;
  #failure: FlussError | undefined;
  #promise: PromiseWithResolvers<WriteReceipt> | undefined;
  #settled: PromiseWithResolvers<void> | undefined;

  constructor(
    builder: BatchRows,
    variant: WriteVariant,
    at: {
      readonly table: string;
      readonly bucket: number;
      readonly partition: string | undefined;
      readonly order: number;
    },
  ) {
    this.#builder = builder;
    this.variant = variant;
    this.table = at.table;
    this.bucket = at.bucket;
    this.partition = at.partition;
    this.order = at.order;
  }

  /** The rows; gone once the batch has settled, for acks may be kept for long. */
  get builder(): BatchRows {
    return this.#builder!;
  }

  /** The outcome. All acks of the batch share this one promise; it exists only if somebody asks. */
  outcome(): Promise<WriteReceipt> {
    if (this.#promise === undefined) {
      this.#promise = Promise.withResolvers();
      // Whoever asks attaches handlers to a promise derived from this one; this one must not count as unhandled.
      this.#promise.promise.catch(() => {});
      if (this.#receipt !== undefined) this.#promise.resolve(this.#receipt);
      if (this.#failure !== undefined) this.#promise.reject(this.#failure);
    }
    return this.#promise.promise;
  }

  /** Resolves when the batch was acknowledged or has failed; never rejects. */
  settled(): Promise<void> {
    if (this.state !== "queued") return Promise.resolve();
    this.#settled ??= Promise.withResolvers();
    return this.#settled.promise;
  }

  /** The batch is on the server. */
  acknowledge(endOffset: bigint): void {
    this.state = "acked";
    const { bucket, partition } = this;
    this.#receipt = partition === undefined ? { bucket, endOffset } : { bucket, partition, endOffset };
    this.#promise?.resolve(this.#receipt);
    this.#end();
  }

  /** The batch is given up. */
  fail(failure: FlussError): void {
    this.state = "failed";
    this.#failure = failure;
    this.#promise?.reject(failure);
    this.#end();
  }

  #end(): void {
    this.#builder = undefined;
    this.disarm();
    this.#settled?.resolve();
  }
}
