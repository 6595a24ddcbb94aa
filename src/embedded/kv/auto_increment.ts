/**
 * Columns that the server numbers (Fluss: server/kv/autoinc).
 *
 * @module
 */
import type { BucketId, DocumentStore } from "../storage/storage.ts";
import { OPTION } from "../../schema/server_options.ts";
import type { CatalogTable } from "../catalog/table.ts";
import { fault } from "../fault.ts";
import { bigintForm, numberForm } from "./aggregate_functions.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import { outOfBounds } from "./partial_update.ts";
import { RowDraft, type StoredRow } from "./stored_row.ts";
import type { TableLayouts } from "./table_layouts.ts";

/** Ids that a table reserves for a bucket at a time (Fluss: table.auto-increment.cache-size). */
const DEFAULT_CACHE_SIZE = 100_000n;

/** The next numbers of a bucket: a range of the table's. */
export interface Sequence {
  /** @throws {ServerFault} -1 when the numbers of the column's type are used up */
  next(): bigint;
  /** Remembers in the storage how far it is. */
  save(): void;
}

/** What is compiled for the numbered column of a table. */
export interface AutoIncrement {
  /**
   * Refuses writes that could set the column.
   *
   * @throws {ServerFault} 35
   */
  check(targets: readonly number[] | undefined): void;
  /** The row with the next number in the column; good until the next one. */
  fill(row: StoredRow, sequence: Sequence): StoredRow;
}

/** Compiles what numbers the rows of a table; undefined when it has no such column. */
export function compileAutoIncrement(layouts: TableLayouts): AutoIncrement | undefined {
  const { latest, format } = layouts;
  const name = latest.autoIncrement;
  const column = latest.columns.findIndex((candidate) => candidate.name === name);
  if (name === undefined || column < 0) return undefined;
  const count = latest.columns.length;
  const { type } = latest.columns[column]!;
  const layout = layouts.of(latest.schemaId);
  const draft = new RowDraft();
  const number = new ByteWriter(16);
  const spans = new Int32Array(2 * count);
  const form = type.kind === "int" ? numberForm(type, format) : undefined;
  const longForm = bigintForm(type, format);

  return {
    check(targets) {
      if (targets === undefined) {
        throw fault(
          "SERVER.INVALID_TARGET_COLUMN",
          `The table contains an auto-increment column [${name}], but update target columns are not explicitly ` +
            "specified. Please specify the update target columns and exclude the auto-increment column from them.",
        );
      }
      if (targets.includes(column)) {
        throw fault(
          "SERVER.INVALID_TARGET_COLUMN",
          `Auto-increment column [${name}] at index ${column} must not be included in target columns.`,
        );
      }
    },
    fill(row, sequence) {
      const parts = layouts.of(row.schemaId);
      parts.locate(row.bytes, row.start, row.end, spans);
      const value = sequence.next();
      number.reset();
      if (form !== undefined) form.write(number, Number(value));
      else longForm.write(number, value);
      const out = draft.begin();
      const start = layout.begin(out);
      for (let i = 0; i < count; i++) {
        if (i === column) layout.put(out, i, number.bytes, 0, number.position);
        else if (i >= parts.count) throw outOfBounds(i, parts.count);
        else if (spans[2 * i]! < 0) layout.putNull(out, start, i);
        else layout.put(out, i, row.bytes, spans[2 * i]!, spans[2 * i + 1]!);
      }
      return draft.finish(latest.schemaId);
    },
  };
}

/**
 * The numbers that a bucket gives. It takes ranges from its table, so that its numbers have no gaps until a range ends
 * (Fluss: BoundedSegmentSequenceGenerator.java); what is left of its range survives a restart, as with a server that
 * recovers its bucket from a snapshot.
 */
export function openSequence(documents: DocumentStore, table: CatalogTable, bucket: BucketId): Sequence {
  const own = `auto-increment/${table.id}/${bucket.partitionId ?? ""}/${bucket.bucket}`;
  const shared = `auto-increment/${table.id}`;
  const known = documents.get(own) as { next: string; last: string } | undefined;
  let next = BigInt(known?.next ?? 0);
  let last = BigInt(known?.last ?? -1);
  const { live } = table;
  const size = BigInt(live.properties[OPTION.autoIncrementCache] ?? DEFAULT_CACHE_SIZE);
  const column = live.schema.columns.find(({ name }) => name === live.schema.autoIncrement)!;
  const most = column.type.kind === "int" ? 2n ** 31n - 1n : 2n ** 63n - 1n;
  return {
    next() {
      if (next > last) {
        const start = BigInt((documents.get(shared) as string | undefined) ?? 0);
        documents.put(shared, `${start + size}`);
        next = start + 1n;
        last = start + size;
      }
      const value = next++;
      if (value > most) {
        throw fault(
          "SERVER.UNKNOWN_SERVER_ERROR",
          "org.apache.fluss.exception.SequenceOverflowException: " +
            `Reached maximum value of sequence "<${column.name}>" (${most}).`,
        );
      }
      return value;
    },
    save: () => documents.put(own, { next: `${next}`, last: `${last}` }),
  };
}

/** Forgets the numbers of a table that is dropped, or of one of its partitions. */
export function dropSequences(documents: DocumentStore, { id, live }: CatalogTable, partitionId?: number): void {
  if (live.schema.autoIncrement === undefined) return;
  const name = `auto-increment/${id}`;
  for (const own of documents.list(partitionId === undefined ? `${name}/` : `${name}/${partitionId}/`)) {
    documents.delete(own.name);
  }
  if (partitionId === undefined) documents.delete(name);
}
