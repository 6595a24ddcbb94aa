/**
 * What servers do with the batches that they are sent: read them, recognise those that they had before, apply the rest.
 *
 * @module
 */
import { compileLogDecoder } from "../src/format/log_decoder.ts";
import { checkCrc, logBatchAt } from "../src/format/log_batch.ts";
import type { FakeBucket, FakeTable, WriterState } from "./fake_cluster.ts";

/** A batch that was read. */
export interface Batch {
  readonly writerId: bigint;
  readonly sequence: number;
  /** The offsets that it takes. */
  readonly rows: number;
  /** Does what it says. */
  readonly apply: () => void;
}

/** Reads a batch that was sent to a bucket. */
export type ReadBatch = (table: FakeTable, bucket: FakeBucket, bytes: Uint8Array) => Batch;

interface KvBatch {
  readonly schemaId: number;
  readonly writerId: bigint;
  readonly sequence: number;
  readonly records: readonly { readonly key: Uint8Array; readonly row: Uint8Array | undefined }[];
}

/** Reads a batch of puts. */
export function readKvBatch(
  table: FakeTable,
  bucket: FakeBucket,
  bytes: Uint8Array,
  targets: readonly number[] | undefined,
): Batch {
  const batch = kvBatchOf(bytes);
  const { writerId, sequence, records } = batch;
  return { writerId, sequence, rows: records.length, apply: () => applyRecords(table, bucket, batch, targets) };
}

/** Reads a batch of appended rows. They are kept in `applied`, without keys. */
export const readLogBatch: ReadBatch = (table, bucket, bytes) => {
  const batch = logBatchAt(bytes, 0);
  if (batch === undefined || batch.end !== bytes.length) throw new Error("an append with broken lengths");
  checkCrc(batch);
  const { layout } = table.codec(batch.schemaId).codec;
  const decode = compileLogDecoder({ format: layout.logFormat, sent: layout.columns, wanted: layout.columns });
  const { writerId, sequence, recordCount: rows } = batch;
  const apply = () => {
    for (const row of decode(batch).columns.rows()) bucket.applied.push({ key: "", row, targets: undefined });
    bucket.endOffset += BigInt(rows);
  };
  return { writerId, sequence, rows, apply };
};

/** Applies a batch by the rules of idempotent writers. @returns the end offset, or the code of the refusal */
export function apply(bucket: FakeBucket, batch: Batch): bigint | number {
  if (batch.writerId >= 0n) {
    const state: WriterState = bucket.writers.get(batch.writerId) ?? { batches: [] };
    const known = state.batches.find(({ sequence }) => sequence === batch.sequence);
    if (known !== undefined) return known.endOffset;
    const last = state.batches.at(-1)?.sequence ?? -1;
    if (batch.sequence !== (last === 0x7fffffff ? 0 : last + 1)) return 31;
    batch.apply();
    state.batches.push({ sequence: batch.sequence, endOffset: bucket.endOffset });
    if (state.batches.length > 5) state.batches.shift();
    bucket.writers.set(batch.writerId, state);
  } else batch.apply();
  return bucket.endOffset;
}

/** Reads a KV batch, as its layout is documented; the library only writes them. */
function kvBatchOf(bytes: Uint8Array): KvBatch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getInt32(24, true);
  const records: { key: Uint8Array; row: Uint8Array | undefined }[] = [];
  let at = 28;
  for (let i = 0; i < count; i++) {
    const end = at + 4 + view.getInt32(at, true);
    at += 4;
    let length = 0;
    for (let shift = 0;; shift += 7) {
      if (at >= bytes.length) throw new Error("a put with a broken key");
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const key = bytes.slice(at, at + length);
    records.push({ key, row: at + length === end ? undefined : bytes.slice(at + length, end) });
    at = end;
  }
  if (at !== bytes.length || view.getInt32(0, true) !== bytes.length - 4) throw new Error("a put with broken lengths");
  return {
    schemaId: view.getInt16(9, true),
    writerId: view.getBigInt64(12, true),
    sequence: view.getInt32(20, true),
    records,
  };
}

function applyRecords(
  table: FakeTable,
  bucket: FakeBucket,
  batch: KvBatch,
  targets: readonly number[] | undefined,
): void {
  const { schemaId } = batch;
  const { columns } = table.codec(schemaId).codec.layout;
  for (const { key, row } of batch.records) {
    const text = hex(key);
    const sent = row === undefined ? null : table.read(schemaId, row);
    bucket.applied.push({ key: text, row: sent, targets });
    bucket.endOffset++;
    if (sent === null) {
      bucket.rows.delete(text);
      continue;
    }
    const old = bucket.rows.get(text);
    let bytes = row!;
    if (targets !== undefined && old !== undefined) {
      const merged: Record<string, unknown> = { ...table.read(old.schemaId, old.bytes) };
      for (const at of targets) merged[columns[at]!.key] = sent[columns[at]!.key];
      bytes = table.write(schemaId, merged);
    }
    bucket.rows.set(text, { key, schemaId, bytes });
  }
  // A batch that changes nothing takes an offset too.
  if (batch.records.length === 0) bucket.endOffset++;
}

/** Bytes as text. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
