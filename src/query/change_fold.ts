/**
 * From the records of a log to changes: the row before an update and the row after it become one event, also when they
 * came in different fetches.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { Columns } from "../format/columns.ts";
import { CHANGE_APPEND, CHANGE_UPDATE_AFTER, CHANGE_UPDATE_BEFORE } from "../format/log_decoder.ts";
import type { RowChecks } from "../schema/checks.ts";
import { namedValue, refuseRow } from "./column_batch.ts";

/** A row as readers get it. */
type RowObject = Record<string, unknown>;

/** The row before an update, while the row after it has not come. */
export interface HeldRow {
  readonly row: RowObject;
  readonly offset: bigint;
  /** Whether it meets the condition. */
  readonly matched: boolean;
}

/** What folding remembers of a bucket between its chunks. */
export interface FoldState {
  readonly bucket: number;
  readonly partition: string | undefined;
  held: HeldRow | undefined;
  /**
   * The first offset that was asked for, where reading began one before it: the record there is only wanted if it is the
   * row before an update.
   */
  wantedFrom: bigint | undefined;
}

/** How the changes of one table are told. */
export interface FoldRules {
  /** `database.table`, for messages. */
  readonly table: string;
  /** What events carry as `table`; undefined when they carry none. */
  readonly label: string | undefined;
  /** Records as they are stored. */
  readonly raw: boolean;
  /** Which rows meet the condition; undefined when all do. */
  readonly filter: ((columns: Columns) => Int32Array | undefined) | undefined;
  /** Takes the columns away that only the condition needs. */
  readonly keep: (columns: Columns) => Columns;
  readonly checks: RowChecks | undefined;
  /** Makes points in time from milliseconds. */
  readonly instant: (millis: number) => unknown;
}

/** The part of a chunk of the log that folding needs. */
export interface FoldedChunk {
  readonly firstOffset: bigint;
  readonly timestamp: number;
  readonly changeTypes: Uint8Array | undefined;
  readonly columns: Columns;
  /** Current rows have no offsets of their own: all are told with `firstOffset`. */
  readonly snapshot?: boolean;
}

/** A change without its type, which follows from the table. */
export interface LooseChange {
  op: string;
  row: RowObject;
  before?: RowObject | undefined;
  offset: bigint;
  timestamp: unknown;
  bucket: number;
  partition?: string;
  table?: string;
}

/** Kinds as Fluss writes them (Fluss: ChangeType.java), by their number. */
const RAW_KINDS = ["+A", "+I", "-U", "+U", "-D"];
const OPS = ["append", "insert", "", "update", "delete"];

/** The changes of one chunk, one after the other. */
export class ChunkChanges {
  readonly #rules: FoldRules;
  readonly #state: FoldState;
  readonly #first: bigint;
  readonly #snapshot: boolean;
  readonly #types: Uint8Array | undefined;
  readonly #rows: Columns;
  readonly #length: number;
  /** 1 for each row that meets the condition; undefined when all do. */
  readonly #mask: Uint8Array | undefined;
  readonly #timestamp: unknown;
  /** The next record. */
  #at = 0;
  /** The first record of the change that was given last; -1 for the row that was held. */
  #start = 0;

  constructor(rules: FoldRules, state: FoldState, chunk: FoldedChunk) {
    const { columns, firstOffset, changeTypes, timestamp } = chunk;
    this.#rules = rules;
    this.#state = state;
    this.#first = firstOffset;
    this.#snapshot = chunk.snapshot === true;
    this.#types = changeTypes;
    this.#length = columns.length;
    this.#mask = maskOf(rules, columns);
    this.#rows = rules.keep(columns);
    try {
      this.#timestamp = rules.instant(timestamp);
    } catch (error) {
      throw this.#corrupt(`the batch has time ${timestamp}, which is none`, error);
    }
    if (state.wantedFrom !== undefined && this.#length > 0) {
      if (firstOffset < state.wantedFrom && changeTypes?.[0] !== CHANGE_UPDATE_BEFORE) this.#at = 1;
      state.wantedFrom = undefined;
    }
  }

  /** Records that no change was made of yet. */
  get left(): number {
    return this.#length - this.#at;
  }

  /** The offset of the first record of the change that was given last. */
  get startOffset(): bigint {
    return this.#first + BigInt(this.#start);
  }

  /** The offset behind the change that was given last, and behind what was passed over. */
  get nextOffset(): bigint {
    return this.#first + BigInt(this.#at);
  }

  /** The next change; undefined at the end. The last record is kept in the state when the next one belongs to it. */
  take(): LooseChange | undefined {
    const at = this.#at;
    const { held } = this.#state;
    try {
      return this.#rules.raw ? this.#takeRecord() : this.#takeChange();
    } catch (error) {
      // What cannot be told was not told: a position behind it would lose it.
      this.#at = at;
      this.#state.held = held;
      throw error;
    }
  }

  #takeRecord(): LooseChange | undefined {
    while (this.#at < this.#length) {
      const i = this.#at++;
      if (this.#mask !== undefined && this.#mask[i] === 0) continue;
      this.#start = i;
      return this.#event(RAW_KINDS[this.#types?.[i] ?? CHANGE_APPEND]!, this.#row(i), i);
    }
    return undefined;
  }

  #takeChange(): LooseChange | undefined {
    const types = this.#types;
    const mask = this.#mask;
    if (this.#state.held !== undefined && this.#at === 0 && this.#length > 0) {
      const change = this.#takeHeld(this.#state.held);
      if (change !== undefined) return change;
    }
    while (this.#at < this.#length) {
      const i = this.#at++;
      const kind = types === undefined ? CHANGE_APPEND : types[i]!;
      if (kind === CHANGE_UPDATE_BEFORE) {
        if (this.#at === this.#length) {
          const matched = mask === undefined || mask[i] === 1;
          this.#state.held = { row: this.#row(i), offset: this.#first + BigInt(i), matched };
          return undefined;
        }
        const after = this.#at++;
        this.#checkAfter(after);
        if (mask !== undefined && mask[i] === 0 && mask[after] === 0) continue;
        this.#start = i;
        return this.#update(this.#row(i), after);
      }
      if (mask !== undefined && mask[i] === 0) continue;
      this.#start = i;
      return kind === CHANGE_UPDATE_AFTER ? this.#update(undefined, i) : this.#event(OPS[kind]!, this.#row(i), i);
    }
    return undefined;
  }

  #takeHeld(held: HeldRow): LooseChange | undefined {
    if (held.offset + 1n !== this.#first) throw this.#corrupt(`the record after offset ${held.offset} is missing`);
    this.#checkAfter(0);
    this.#at = 1;
    this.#start = -1;
    this.#state.held = undefined;
    return held.matched || this.#mask === undefined || this.#mask[0] === 1 ? this.#update(held.row, 0) : undefined;
  }

  /** The row before an update is followed by the row after it (Fluss: KvTablet.java). */
  #checkAfter(i: number): void {
    const kind = this.#types?.[i] ?? CHANGE_APPEND;
    if (kind === CHANGE_UPDATE_AFTER) return;
    throw this.#corrupt(`a ${RAW_KINDS[kind] ?? kind} record follows the row before an update, at ${i}`);
  }

  #row(i: number): RowObject {
    const { table, checks } = this.#rules;
    const { bucket, partition } = this.#state;
    let row: RowObject;
    try {
      row = this.#rows.row(i);
    } catch (error) {
      throw namedValue(error, { table, bucket, partition });
    }
    if (checks !== undefined) refuseRow(checks(row), { table, bucket, partition });
    return row;
  }

  #update(before: RowObject | undefined, i: number): LooseChange {
    const { bucket } = this.#state;
    return this.#named({
      op: "update",
      row: this.#row(i),
      before,
      offset: this.#offset(i),
      timestamp: this.#timestamp,
      bucket,
    });
  }

  #event(op: string, row: RowObject, i: number): LooseChange {
    const { bucket } = this.#state;
    return this.#named({ op, row, offset: this.#offset(i), timestamp: this.#timestamp, bucket });
  }

  #offset(i: number): bigint {
    return this.#snapshot ? this.#first : this.#first + BigInt(i);
  }

  /** Events of tables without partitions, and of one table alone, do not carry the names. */
  #named(event: LooseChange): LooseChange {
    const { partition } = this.#state;
    const { label } = this.#rules;
    if (partition !== undefined) event.partition = partition;
    if (label !== undefined) event.table = label;
    return event;
  }

  #corrupt(what: string, cause?: unknown): Error {
    const { bucket, partition } = this.#state;
    return flussError("CODEC.CORRUPT_BATCH", {
      table: this.#rules.table,
      bucket,
      partition,
      message: `bucket ${bucket}, offset ${this.#first}: ${what}`,
      cause,
    });
  }
}

function maskOf({ filter }: FoldRules, columns: Columns): Uint8Array | undefined {
  const indices = filter?.(columns);
  if (indices === undefined) return undefined;
  const mask = new Uint8Array(columns.length);
  for (let i = 0; i < indices.length; i++) mask[indices[i]!] = 1;
  return mask;
}
