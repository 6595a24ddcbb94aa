/**
 * The rows of one bucket of a primary-key table as requests see them (Fluss: KvTablet.java).
 *
 * @module
 */
import { KvRecords, NO_SEQUENCE, NO_WRITER, readKvBatchHeader } from "../../format/kv_batch.ts";
import { CHANGE_DELETE, CHANGE_INSERT, CHANGE_UPDATE_AFTER, CHANGE_UPDATE_BEFORE } from "../../format/log_decoder.ts";
import { SCHEMA_ID_BYTES } from "../../format/value_batch.ts";
import type { Bucket } from "../buckets.ts";
import type { Engine } from "../engine.ts";
import { fault } from "../fault.ts";
import { type ChangeLogBuilder, changeLogBuilder } from "../log/change_log.ts";
import type { KeyText, RowStore } from "../storage/storage.ts";
import { openSequence, type Sequence } from "./auto_increment.ts";
import { keyText } from "./key_text.ts";
import type { Merger } from "./merger.ts";
import { StoredRow } from "./stored_row.ts";
import { type TableRows, tableRows } from "./table_rows.ts";
import { Undo } from "./undo.ts";

/** How a batch is to be written. */
export interface PutOptions {
  /** Positions of the columns that are written; undefined for all. */
  readonly targets: readonly number[] | undefined;
  /** Whether the merge engine is passed by: `agg_mode` 1. */
  readonly overwrite: boolean;
}

const undo = new Undo();

/** See the module. */
export class BucketRows {
  readonly store: RowStore;
  readonly #engine: Engine;
  readonly #bucket: Bucket;
  #sequence: Sequence | undefined;

  constructor(engine: Engine, bucket: Bucket) {
    this.#engine = engine;
    this.#bucket = bucket;
    this.store = engine.storage.rows(bucket.id);
  }

  /**
   * Writes a KV batch and its change log: all of it, or nothing.
   *
   * @param batch its bytes; it is as it was afterwards, but not meanwhile
   * @returns the offset after the last one of the change log's batch; of the original batch, when this one was written
   * before
   * @throws {ServerFault} 9, 31, 35, 57 or -1
   */
  put(batch: Uint8Array, { targets, overwrite }: PutOptions): number {
    const { table } = this.#bucket;
    const rows = tableRows(table);
    const { schemaId, writerId, sequence, recordCount } = readKvBatchHeader(batch);
    const latestId = rows.layouts.latest.schemaId;
    if (schemaId > latestId || schemaId < 0) {
      throw fault("SERVER.SCHEMA_NOT_EXIST", `Invalid schema id: ${schemaId}, latest schema id: ${latestId}`);
    }
    const write = this.#begin(rows, targets, overwrite);
    return this.#finish(write, writerId, sequence, () => {
      if (recordCount < 0) throw new Error(`Found invalid record count ${recordCount} in magic v${batch[4]} batch`);
      const records = new KvRecords(batch);
      const row = new StoredRow();
      if (recordCount > 0) rows.layouts.of(schemaId);
      for (let i = 0; i < recordCount; i++) {
        records.next();
        const { keyStart, keyEnd, end } = records;
        const key = keyText(batch, keyStart, keyEnd);
        if (keyEnd === end) write.delete(key);
        else write.upsert(key, row.set(schemaId, batch, keyEnd, end));
      }
    });
  }

  /**
   * Inserts rows of which only the key is known.
   *
   * @param keys encoded keys, of which none is there
   * @throws {ServerFault} as `put`
   */
  insert(keys: readonly Uint8Array[]): void {
    const rows = tableRows(this.#bucket.table);
    const { keyFlags } = rows.layouts;
    const write = this.#begin(rows, keyFlags.flatMap((isKey, i) => isKey ? [i] : []), false);
    this.#finish(write, NO_WRITER, NO_SEQUENCE, () => {
      for (const key of keys) write.upsert(keyText(key, 0, key.length), rows.keyRow(key));
    });
  }

  /** The values that are stored for encoded keys, lent until the next write; undefined where there is none. */
  getAll(keys: readonly Uint8Array[]): (Uint8Array | undefined)[] {
    return this.store.getAll(keys.map((key) => keyText(key, 0, key.length)));
  }

  /** Copies of the values whose keys begin with these bytes, in the order of the keys' bytes. */
  withPrefix(prefix: Uint8Array): Uint8Array[] {
    const text = keyText(prefix, 0, prefix.length);
    const found: Uint8Array[] = [];
    this.store.visit(text, (key, value) => {
      if (!key.startsWith(text)) return false;
      found.push(value.slice());
      return true;
    });
    return found;
  }

  #begin(rows: TableRows, targets: readonly number[] | undefined, overwrite: boolean): Write {
    rows.autoIncrement?.check(targets);
    const merger = rows.merger(targets, overwrite);
    if (rows.autoIncrement !== undefined) {
      this.#sequence ??= openSequence(this.#engine.storage.documents, this.#bucket.table, this.#bucket.id);
    }
    return new Write(rows, merger, this.store, changeLogBuilder(this.#bucket.table), this.#sequence);
  }

  #finish(write: Write, writerId: bigint, sequence: number, work: () => void): number {
    const { log } = this.#bucket;
    undo.clear();
    try {
      work();
      // As with servers, a batch that was written before is first processed: it may fail in another way now.
      const lastOffset = log.store.end + Math.max(0, write.changes.count - 1);
      const duplicate = log.findDuplicate(writerId, sequence, lastOffset);
      if (duplicate !== undefined) {
        undo.undo(this.store);
        return duplicate.lastOffset + 1;
      }
      return log.appendOwn(write.changes.finish(writerId, sequence), writerId, sequence).endOffset;
    } catch (error) {
      undo.undo(this.store);
      throw error;
    } finally {
      undo.clear();
      // As with servers, numbers that a batch took are gone even when the batch is.
      if (write.numbered) this.#sequence?.save();
    }
  }
}

/** The writes of one batch, each of which sees those before it. */
class Write {
  readonly changes: ChangeLogBuilder;
  /** Whether a row was numbered. */
  numbered = false;
  readonly #rows: TableRows;
  readonly #merger: Merger;
  readonly #store: RowStore;
  readonly #sequence: Sequence | undefined;
  readonly #old = new StoredRow();
  /** Whether nobody needs to know what was there before a write. */
  readonly #blind: boolean;

  constructor(
    rows: TableRows,
    merger: Merger,
    store: RowStore,
    changes: ChangeLogBuilder,
    sequence: Sequence | undefined,
  ) {
    this.#rows = rows;
    this.#merger = merger;
    this.#store = store;
    this.changes = changes;
    this.#sequence = sequence;
    this.#blind = rows.walImage && rows.autoIncrement === undefined && merger.replaces;
  }

  upsert(key: KeyText, row: StoredRow): void {
    const value = this.#store.get(key);
    let written = row;
    if (this.#blind) {
      this.#log(CHANGE_UPDATE_AFTER, row);
    } else if (value === undefined) {
      written = this.#numberedRow(this.#merger.merge(undefined, row));
      this.#log(CHANGE_INSERT, written);
    } else {
      const old = this.#old.setValue(value);
      written = this.#merger.merge(old, row);
      if (written === old) return;
      this.#logUpdate(old, written);
    }
    undo.note(key, value);
    this.#put(key, written);
  }

  delete(key: KeyText): void {
    const { deleteBehavior } = this.#merger;
    if (deleteBehavior === "IGNORE") return;
    if (deleteBehavior === "DISABLE") {
      throw fault(
        "SERVER.DELETION_DISABLED_EXCEPTION",
        "Delete operations are disabled for this table. The table.delete.behavior is set to 'disable'.",
      );
    }
    const value = this.#store.get(key);
    if (value === undefined) return;
    const old = this.#old.setValue(value);
    const left = this.#merger.delete(old);
    if (left === undefined) {
      this.#log(CHANGE_DELETE, old);
      undo.note(key, value);
      this.#store.delete(key);
      return;
    }
    this.#logUpdate(old, left);
    undo.note(key, value);
    this.#put(key, left);
  }

  #numberedRow(row: StoredRow): StoredRow {
    const { autoIncrement } = this.#rows;
    if (autoIncrement === undefined) return row;
    this.numbered = true;
    return autoIncrement.fill(row, this.#sequence!);
  }

  #logUpdate(before: StoredRow, after: StoredRow): void {
    if (!this.#rows.walImage) this.#log(CHANGE_UPDATE_BEFORE, before);
    this.#log(CHANGE_UPDATE_AFTER, after);
  }

  #log(change: number, { schemaId, bytes, start, end }: StoredRow): void {
    this.changes.append(change, schemaId, bytes, start, end);
  }

  /** Stores a schema id and a row. They are put together in the room before the row, and what was there comes back. */
  #put(key: KeyText, { schemaId, bytes, start, end }: StoredRow): void {
    const low = bytes[start - 2]!;
    const high = bytes[start - 1]!;
    bytes[start - 2] = schemaId;
    bytes[start - 1] = schemaId >> 8;
    this.#store.put(key, bytes, start - SCHEMA_ID_BYTES, end);
    bytes[start - 2] = low;
    bytes[start - 1] = high;
  }
}
