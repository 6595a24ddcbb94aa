/**
 * Storage in memory: behind `memory:`, and for servers without a folder.
 *
 * @module
 */
import { bucketName } from "./bucket_name.ts";
import { Documents } from "./documents.ts";
import { MemoryLog } from "./memory_log.ts";
import { MemoryRows } from "./memory_rows.ts";
import type { LogStore, RowStore, Storage } from "./storage.ts";

/** An empty storage in memory. */
export function memoryStorage(): Storage {
  const logs = new Map<string, LogStore>();
  const rows = new Map<string, RowStore>();
  return {
    dirty: false,
    documents: new Documents(),
    log: (bucket) => madeOnce(logs, bucketName(bucket), () => new MemoryLog()),
    rows: (bucket) => madeOnce(rows, bucketName(bucket), () => new MemoryRows()),
    drop(bucket) {
      logs.delete(bucketName(bucket));
      rows.delete(bucketName(bucket));
    },
    commit() {},
    close() {},
  };
}

function madeOnce<T>(all: Map<string, T>, name: string, make: () => T): T {
  let one = all.get(name);
  if (one === undefined) all.set(name, one = make());
  return one;
}
