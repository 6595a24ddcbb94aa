/**
 * A storage that is as simple as can be, to compare others with. One bucket after the other; commits copy everything.
 *
 * @module
 */
import type {
  BucketId,
  LogStore,
  RowStore,
  StoredBatch,
  WriterBatch,
} from "../../../../src/embedded/storage/storage.ts";

/** What a bucket has. */
export interface ModelBucket {
  start: number;
  end: number;
  lastTimestamp: number;
  batches: { readonly batch: StoredBatch; readonly bytes: Uint8Array }[];
  writers: Map<bigint, WriterBatch[]>;
  rows: Map<string, Uint8Array>;
}

/** See the module. */
export interface Model {
  buckets: Map<string, ModelBucket>;
  documents: Map<string, string>;
}

export function emptyModel(): Model {
  return { buckets: new Map(), documents: new Map() };
}

export function emptyBucket(): ModelBucket {
  return { start: 0, end: 0, lastTimestamp: -1, batches: [], writers: new Map(), rows: new Map() };
}

/** A copy that does not change with the original. */
export function copyModel(model: Model): Model {
  return {
    documents: new Map(model.documents),
    buckets: new Map(
      [...model.buckets].map(([name, bucket]) => [name, {
        ...bucket,
        batches: [...bucket.batches],
        writers: new Map([...bucket.writers].map(([id, batches]) => [id, [...batches]])),
        rows: new Map(bucket.rows),
      }]),
    ),
  };
}

export function modelName({ tableId, partitionId, bucket }: BucketId): string {
  return JSON.stringify([tableId, partitionId ?? null, bucket]);
}

/** The rows of a model in the order of keys. */
export function modelRows(rows: ReadonlyMap<string, Uint8Array>, from = ""): [string, string][] {
  return [...rows].filter(([key]) => key >= from).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, value]) => [key, hex(value)]);
}

/** The rows that a store or a snapshot shows. */
export function shownRows(rows: Pick<RowStore, "visit">, from = "", limit = Infinity): [string, string][] {
  const shown: [string, string][] = [];
  if (limit === 0) return shown;
  rows.visit(from, (key, value) => {
    shown.push([key, hex(value)]);
    return shown.length < limit;
  });
  return shown;
}

/** The batches that a log shows. */
export function shownBatches(log: LogStore, from: number, limit = Infinity): [StoredBatch, string][] {
  const shown: [StoredBatch, string][] = [];
  log.visit(from, (batch, read) => {
    shown.push([batch, hex(read())]);
    return shown.length < limit;
  });
  return shown;
}

export function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}
