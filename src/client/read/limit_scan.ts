/**
 * LIMIT_SCAN: some rows of a bucket in one answer. Of a primary-key table the first ones in the order of their encoded
 * keys, of a log table the last ones.
 *
 * @module
 */
import { FlussError, flussError } from "../../base/errors.ts";
import type { Deadline } from "../../base/wait.ts";
import type { Columns } from "../../format/columns.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { FlussClient } from "../client.ts";
import { API } from "../rpc/api.ts";
import type { BoundTable } from "../table/bound_table.ts";
import { type BoundBucket, callLeader } from "./call_leader.ts";
import { LogCursor } from "./log_cursor.ts";
import { LogReader } from "./log_reader.ts";
import { type LogSource, SourcePlan } from "./log_source.ts";
import { fetchOffsets } from "./offsets.ts";
import type { BucketRef } from "./ranges.ts";
import { readValueBatch } from "./value_rows.ts";

/** Rows of one bucket that lie together. */
export interface ScannedRows {
  /** The rows. */
  readonly columns: Columns;
  /** The offset of the first row; undefined for current rows of a primary-key table. */
  readonly firstOffset: bigint | undefined;
  /** When the server committed them, in milliseconds since 1970; undefined for current rows of a primary-key table. */
  readonly timestamp: number | undefined;
}

/**
 * Asks for rows of a bucket. The server has no bound of its own (seen on Fluss 0.9.1), so `limit` is the caller's. Fewer
 * rows than asked for mean that the bucket has no more.
 *
 * @param limit how many rows; at least 1, below 2^31
 * @param wanted columns of the table, in any order; the server sends all of them
 * @returns in their order; of a log table as many parts as there are batches
 * @throws FlussServerError, FlussCodecError `CODEC.*`, `TIMEOUT.REQUEST`
 */
export async function limitScan(
  client: FlussClient,
  bound: BoundTable,
  ref: BucketRef,
  limit: number,
  wanted: readonly SchemaColumn[],
  deadline: Deadline,
): Promise<ScannedRows[]> {
  const at: BoundBucket = { client, bound, ref, doing: "scanning" };
  let records: Uint8Array;
  try {
    const { answer } = await callLeader(at, API.LIMIT_SCAN, {
      tableId: bound.target.tableId,
      ...(ref.partitionId === undefined ? {} : { partitionId: ref.partitionId }),
      bucketId: ref.bucket,
      limit,
    }, deadline);
    records = answer.records;
    if (!answer.isLogTable) {
      const columns = await readValueBatch(at, records, wanted, deadline);
      return [{ columns, firstOffset: undefined, timestamp: undefined }];
    }
  } catch (error) {
    // What is asked for reaches into records that the server has moved to remote storage.
    if (!FlussError.is(error, "SERVER.LOG_OFFSET_OUT_OF_RANGE_EXCEPTION")) throw error;
    return await readLast(at, limit, wanted, deadline);
  }
  return await lastRows(at, records, limit, wanted, deadline);
}

/** Batches come whole, so there may be more rows than were asked for. */
async function lastRows(
  { client, bound, ref }: BoundBucket,
  records: Uint8Array,
  limit: number,
  wanted: readonly SchemaColumn[],
  deadline: Deadline,
): Promise<ScannedRows[]> {
  const source: LogSource = { bound, columns: wanted };
  const plan = new SourcePlan(source);
  const { checkCrc } = client.options.scanner;
  const cursor = new LogCursor({ ...ref, source, start: 0n, stop: undefined }, plan, client.schemas, checkCrc);
  if (records.length === 0) return [];
  if (cursor.add(records, plan.whole, undefined, { segments: 0, release: () => {} }) === "cut") {
    const { name: table } = bound.target;
    const message = `bucket ${ref.bucket}: a scan answered ${records.length} bytes, which are no whole log batch`;
    throw flussError("CODEC.CORRUPT_BATCH", { table, partition: ref.partition, bucket: ref.bucket, message });
  }
  const from = cursor.position - BigInt(limit);
  if (cursor.next < from) cursor.next = from;
  const parts: ScannedRows[] = [];
  while (cursor.ready) {
    const part = cursor.take();
    if (part !== undefined) parts.push(part);
    else if (cursor.missingSchema !== undefined) {
      const { path, tableId } = bound.target;
      await client.schemas.fetch(path, tableId, cursor.missingSchema, deadline);
      cursor.missingSchema = undefined;
    }
  }
  return parts;
}

/** The last rows by way of the log. */
async function readLast(
  { client, bound, ref, doing }: BoundBucket,
  limit: number,
  wanted: readonly SchemaColumn[],
  deadline: Deadline,
): Promise<ScannedRows[]> {
  const ends = (question: "earliest" | "latest") => fetchOffsets(client, bound, [ref], question, deadline);
  const [[earliest], [stop]] = await Promise.all([ends("earliest"), ends("latest")]);
  const from = stop! - BigInt(limit);
  const reader = new LogReader(client, { signal: deadline.signal });
  try {
    const source: LogSource = { bound, columns: wanted };
    reader.add({ ...ref, source, start: from > earliest! ? from : earliest!, stop });
    const parts: ScannedRows[] = [];
    while (true) {
      const part = await deadline.wait(reader.next(), `${doing} ${bound.target.name}`);
      if (part === undefined) return parts;
      parts.push(part);
    }
  } finally {
    reader.close();
  }
}
