/**
 * Writing many rows with backpressure: from an iterable, and as a `WritableStream`.
 *
 * @module
 */
import { FlussError } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import type { TableBinding } from "../client/table/bound_table.ts";
import type { RowAck } from "../client/write/ack.ts";
import type { WriteBatch } from "../client/write/batch.ts";
import { endingWith, unlessAborted } from "./abortable.ts";

/** How far a bulk write runs ahead of the server: enough to keep it busy, and no more. */
const AHEAD_BYTES = 8 << 20;

/** Follows the rows of one bulk write to the server. */
class BulkWrite {
  readonly #client: FlussClient;
  readonly #binding: TableBinding;
  readonly #write: (row: never) => RowAck;
  readonly #open = new Set<WriteBatch>();
  /** Rows that wait for the table to be looked at again, and have no batch yet. */
  readonly #early = new Set<Promise<void>>();
  #last: WriteBatch | undefined;
  #failure: unknown;
  rows = 0;

  constructor(client: FlussClient, binding: TableBinding, write: (row: never) => RowAck) {
    this.#client = client;
    this.#binding = binding;
    this.#write = write;
  }

  /** Rows are placed in batches from the start, so the table must be known. */
  async start(options: CallOptions): Promise<void> {
    await this.#binding.find(this.#client.cluster.deadline(options));
  }

  /** Queues a row. @returns a promise when the caller should wait before the next one */
  add(row: unknown, signal?: AbortSignal): Promise<void> | undefined {
    this.#throwFailure();
    let ack: RowAck;
    try {
      ack = this.#write(row as never);
    } catch (error) {
      // Errors name the row by its key; a bulk write also knows its place.
      if (FlussError.is(error)) {
        Object.defineProperty(error, "row", { value: this.rows, enumerable: true, configurable: true });
      }
      throw error;
    }
    this.rows++;
    this.#follow(ack);
    const { writer } = this.#client;
    return writer.queuedBytes > Math.min(AHEAD_BYTES, writer.limits.maxBytes / 2) ? this.#room(signal) : undefined;
  }

  /** Waits until every row is acknowledged. */
  async finish(options: CallOptions): Promise<void> {
    const deadline = this.#client.cluster.deadline({
      signal: options.signal,
      timeoutMs: options.timeoutMs ??
        this.#client.options.writer.deliveryTimeoutMs + this.#client.options.requestTimeoutMs,
    });
    while (this.#early.size > 0) await deadline.wait(Promise.all(this.#early), "writing");
    this.#client.writer.hurry();
    await deadline.wait(Promise.all([...this.#open].map((batch) => batch.settled())), "writing");
    this.#throwFailure();
  }

  #follow(ack: RowAck): void {
    const batch = ack.attach();
    if (batch === undefined) {
      const settled = ack.then(() => {}, (error: unknown) => {
        this.#failure ??= error;
      });
      this.#early.add(settled);
      void settled.then(() => this.#early.delete(settled));
      return;
    }
    if (batch === this.#last) return;
    this.#last = batch;
    if (this.#open.has(batch)) return;
    this.#open.add(batch);
    batch.outcome().then(() => this.#open.delete(batch), (error: unknown) => {
      this.#open.delete(batch);
      this.#failure ??= error;
    });
  }

  async #room(signal: AbortSignal | undefined): Promise<void> {
    const { writer } = this.#client;
    await unlessAborted(writer.belowBytes(Math.min(AHEAD_BYTES, writer.limits.maxBytes / 2) / 2), signal);
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/**
 * Writes all rows of a source and waits for the acks of all of them.
 *
 * The source is read no faster than the server takes rows. A row that is refused ends the call; rows before it may be
 * written.
 */
export async function writeAll(
  client: FlussClient,
  binding: TableBinding,
  write: (row: never) => RowAck,
  rows: Iterable<unknown> | AsyncIterable<unknown>,
  options: CallOptions = {},
): Promise<{ rows: number }> {
  const bulk = new BulkWrite(client, binding, write);
  await bulk.start(options);
  const { signal } = options;
  if (Symbol.asyncIterator in rows) {
    for await (const row of endingWith(rows, signal)) {
      const wait = bulk.add(row, signal);
      if (wait !== undefined) await wait;
    }
  } else {
    for (const row of rows) {
      const wait = bulk.add(row, signal);
      if (wait === undefined) continue;
      await wait;
      signal?.throwIfAborted();
    }
  }
  signal?.throwIfAborted();
  await bulk.finish(options);
  return { rows: bulk.rows };
}

/** A stream that writes rows; closing it waits for the acks of all of them. */
export function writableOf<Row>(
  client: FlussClient,
  binding: TableBinding,
  write: (row: never) => RowAck,
): WritableStream<Row> {
  const bulk = new BulkWrite(client, binding, write);
  return new WritableStream<Row>({
    start: () => bulk.start({}),
    write: (row, controller) => bulk.add(row, controller.signal),
    close: () => bulk.finish({}),
  });
}
