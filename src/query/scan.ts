/**
 * The run-time side of scans. Types are in `scan_types.ts`; here a row is a record of unknown values.
 *
 * @module
 */
import { ipcEnd, ipcSchema } from "../format/arrow/ipc_writer.ts";
import type { ReadRow } from "../client/read/table_reader.ts";
import type { RuntimeColumnBatch } from "./column_batch.ts";
import { explainScan } from "./explain.ts";
import type { ScanFrom, Until } from "./read_position.ts";
import {
  type ScanParts,
  withFrom,
  withLast,
  withLimit,
  withPartition,
  withSelect,
  withUntil,
  withWhere,
} from "./scan_parts.ts";
import type { ScanContext } from "./scan_plan.ts";
import { ScanRun } from "./scan_run.ts";
import type { ScanOptions, ScanPlan } from "./scan_types.ts";

/** See {@linkcode Scan} in `scan_types.ts`. */
export class RuntimeScan implements AsyncIterable<ReadRow> {
  readonly #context: ScanContext;
  readonly #parts: ScanParts;

  constructor(context: ScanContext, parts: ScanParts = {}) {
    this.#context = context;
    this.#parts = parts;
  }

  select(...columns: string[]): RuntimeScan {
    return this.#with(withSelect(this.#context.binding, this.#parts, columns));
  }

  where(condition: unknown): RuntimeScan {
    return this.#with(withWhere(this.#context.binding, this.#parts, condition));
  }

  limit(rows: number): RuntimeScan {
    return this.#with(withLimit(this.#context.binding, this.#parts, rows));
  }

  last(rows: number): RuntimeScan {
    return this.#with(withLast(this.#context.binding, this.#parts, rows));
  }

  partition(values: unknown): RuntimeScan {
    return this.#with(withPartition(this.#context.binding, this.#parts, values));
  }

  from(position: ScanFrom): RuntimeScan {
    return this.#with(withFrom(this.#context.binding, this.#parts, position));
  }

  until(position: Until): RuntimeScan {
    return this.#with(withUntil(this.#context.binding, this.#parts, position));
  }

  #with(parts: ScanParts): RuntimeScan {
    return new RuntimeScan(this.#context, parts);
  }

  #run(options: ScanOptions, parts: ScanParts = this.#parts): ScanRun {
    return new ScanRun(this.#context, parts, options);
  }

  [Symbol.asyncIterator](): AsyncIterator<ReadRow, undefined> {
    return new ScanRows(this.#run({}));
  }

  batches(options: ScanOptions = {}): AsyncIterable<RuntimeColumnBatch> {
    return { [Symbol.asyncIterator]: () => new ScanBatches(this.#run(options)) };
  }

  async toArray(options: ScanOptions = {}): Promise<ReadRow[]> {
    const rows: ReadRow[] = [];
    for await (const batch of this.batches(options)) for (const row of batch) rows.push(row);
    return rows;
  }

  async first(options: ScanOptions = {}): Promise<ReadRow | null> {
    const parts = this.#parts.last === undefined ? { ...this.#parts, limit: 1 } : this.#parts;
    const run = this.#run(options, parts);
    try {
      const batch = await run.next();
      return batch === undefined ? null : batch[Symbol.iterator]().next().value ?? null;
    } finally {
      run.close();
    }
  }

  async count(options: ScanOptions = {}): Promise<number> {
    let count = 0;
    const run = this.#run(options, { ...this.#parts, select: [] });
    try {
      for (let batch = await run.next(); batch !== undefined; batch = await run.next()) count += batch.length;
      return count;
    } finally {
      run.close();
    }
  }

  ipc(options: ScanOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const run = this.#run(options);
    let begun = false;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        if (!begun) {
          begun = true;
          controller.enqueue(ipcSchema(await run.schema()));
          return;
        }
        const batch = await run.next();
        controller.enqueue(batch === undefined ? ipcEnd() : batch.toRecordBatch());
        if (batch === undefined) controller.close();
      },
      cancel: () => run.close(),
    }, { highWaterMark: 0 });
  }

  explain(options: ScanOptions = {}): Promise<ScanPlan> {
    return explainScan(this.#context, this.#parts, options);
  }

  /** What inspection shows. */
  toJSON(): unknown {
    const { from, until, ...parts } = this.#parts;
    const shown = (position: unknown) => typeof position === "object" ? Object.keys(position!)[0] : position;
    return { table: this.#context.binding.name, ...parts, from: shown(from), until: shown(until) };
  }
}

/** The batches of one run. */
class ScanBatches implements AsyncIterator<RuntimeColumnBatch, undefined> {
  readonly #run: ScanRun;

  constructor(run: ScanRun) {
    this.#run = run;
  }

  async next(): Promise<IteratorResult<RuntimeColumnBatch, undefined>> {
    const value = await this.#run.next();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  return(): Promise<IteratorResult<RuntimeColumnBatch, undefined>> {
    this.#run.close();
    return Promise.resolve({ done: true, value: undefined });
  }
}

/**
 * The rows of one run. Written by hand: a row of a batch that is here costs one promise, and no turn of a generator,
 * which takes 1.5 to 2.5 times as long.
 */
class ScanRows implements AsyncIterator<ReadRow, undefined> {
  readonly #run: ScanRun;
  #rows: Iterator<ReadRow, undefined> | undefined;
  /** The last call that had to wait. Callers who do not await `next` queue behind it. */
  #turn: Promise<IteratorResult<ReadRow, undefined>> | undefined;

  constructor(run: ScanRun) {
    this.#run = run;
  }

  next(): Promise<IteratorResult<ReadRow, undefined>> {
    if (this.#turn === undefined && this.#rows !== undefined) {
      try {
        const step = this.#rows.next();
        if (step.done !== true) return Promise.resolve(step);
        this.#rows = undefined;
      } catch (error) {
        return this.#fail(error);
      }
    }
    const turn = this.#turn === undefined ? this.#advance() : this.#turn.then(() => this.#advance());
    const done = (): void => {
      if (this.#turn === turn) this.#turn = undefined;
    };
    turn.then(done, done);
    this.#turn = turn;
    return turn;
  }

  async #advance(): Promise<IteratorResult<ReadRow, undefined>> {
    try {
      while (true) {
        const step = this.#rows?.next();
        if (step !== undefined && step.done !== true) return step;
        const batch = await this.#run.next();
        this.#rows = batch?.[Symbol.iterator]();
        if (batch === undefined) return { done: true, value: undefined };
      }
    } catch (error) {
      return await this.#fail(error);
    }
  }

  /** A stored value that cannot be shown ends the run, as every failure does. */
  #fail(error: unknown): Promise<never> {
    this.#rows = undefined;
    this.#run.close();
    return Promise.reject(error);
  }

  return(): Promise<IteratorResult<ReadRow, undefined>> {
    this.#rows = undefined;
    this.#run.close();
    return Promise.resolve({ done: true, value: undefined });
  }
}
