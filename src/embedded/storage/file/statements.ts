/**
 * The statements that run often.
 *
 * @module
 */
import type { Database, Query } from "./database.ts";

/** Columns of {@linkcode Statements.allBuckets}, and what {@linkcode Statements.putBucket} takes. */
const BUCKET = "number, table_id, partition_id, bucket, log_start, log_end, last_timestamp, log_size, row_count";

/** Of a batch. */
const BATCH = "base_offset, last_offset, timestamp, size, bytes";

/** How many rows {@linkcode Statements.someRows} finds. */
export const SOME_ROWS = 16;

/** See the module. */
export interface Statements {
  readonly allBuckets: Query;
  readonly allDropped: Query;
  readonly putBucket: Query;
  readonly dropBucket: Query;
  readonly batchesFrom: Query;
  readonly batchAt: Query;
  readonly sizeBetween: Query;
  readonly putBatch: Query;
  readonly batchBytes: Query;
  readonly lastBytes: Query;
  readonly putBatchBytes: Query;
  readonly writers: Query;
  readonly putWriter: Query;
  readonly deleteWriter: Query;
  readonly row: Query;
  /** The values of {@linkcode SOME_ROWS} keys of a bucket, as columns of one row; null where there is no row. */
  readonly someRows: Query;
  readonly rowsFrom: Query;
  readonly putRow: Query;
  readonly deleteRow: Query;
  readonly putRowChanges: Query;
  readonly changesAfter: Query;
  readonly allDocuments: Query;
  readonly putDocument: Query;
  readonly deleteDocument: Query;
  readonly number: Query;
  readonly putNumber: Query;
}

export function prepare(database: Database): Statements {
  const query = (sql: string) => database.query(sql);
  return {
    allBuckets: query(`SELECT ${BUCKET} FROM buckets WHERE NOT dropped`),
    allDropped: query("SELECT number FROM buckets WHERE dropped"),
    dropBucket: query("UPDATE buckets SET dropped = 1 WHERE number = ?"),
    putBucket: query(`REPLACE INTO buckets (${BUCKET}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    batchesFrom: query(
      `SELECT ${BATCH} FROM batches WHERE bucket = ? AND base_offset >= ? ORDER BY base_offset LIMIT ?`,
    ),
    batchAt: query(
      `SELECT ${BATCH} FROM batches WHERE bucket = ? AND base_offset <= ? ORDER BY base_offset DESC LIMIT 1`,
    ),
    sizeBetween: query(
      "SELECT coalesce(sum(size), 0) FROM batches WHERE bucket = ? AND base_offset >= ? AND base_offset < ?",
    ),
    putBatch: query(`INSERT INTO batches (bucket, ${BATCH}) VALUES (?, ?, ?, ?, ?, ?)`),
    batchBytes: query("SELECT bytes FROM batch_bytes WHERE id = ?"),
    lastBytes: query("SELECT coalesce(max(id), 0) FROM batch_bytes"),
    putBatchBytes: query("INSERT INTO batch_bytes (id, bytes) VALUES (?, ?)"),
    writers: query("SELECT writer, batches FROM writers WHERE bucket = ?"),
    putWriter: query("REPLACE INTO writers (bucket, writer, batches) VALUES (?, ?, ?)"),
    deleteWriter: query("DELETE FROM writers WHERE bucket = ? AND writer = ?"),
    row: query("SELECT value FROM rows WHERE bucket = ? AND key = ?"),
    someRows: query(
      `SELECT ${
        Array.from({ length: SOME_ROWS }, (_, i) => `(SELECT value FROM rows WHERE bucket = ?1 AND key = ?${i + 2})`)
      }`,
    ),
    rowsFrom: query("SELECT key, value FROM rows WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?"),
    putRow: query("REPLACE INTO rows (bucket, key, value) VALUES (?, ?, ?)"),
    deleteRow: query("DELETE FROM rows WHERE bucket = ? AND key = ?"),
    putRowChanges: query("INSERT INTO row_changes (id, bytes) VALUES (?, ?)"),
    changesAfter: query("SELECT id, bytes FROM row_changes WHERE id > ? ORDER BY id LIMIT 1"),
    allDocuments: query("SELECT name, text FROM documents"),
    putDocument: query("REPLACE INTO documents (name, text) VALUES (?, ?)"),
    deleteDocument: query("DELETE FROM documents WHERE name = ?"),
    number: query("SELECT value FROM numbers WHERE name = ?"),
    putNumber: query("REPLACE INTO numbers (name, value) VALUES (?, ?)"),
  };
}
