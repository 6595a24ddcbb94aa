/**
 * SCAN_KV: all current rows of a bucket of a primary-key table, from a snapshot that the server holds open. Servers of
 * 0.9.1 do not have it.
 *
 * @module
 */
import type { CallOptions, Deadline } from "../../base/wait.ts";
import type { Columns } from "../../format/columns.ts";
import type { SchemaColumn } from "../../schema/data_type.ts";
import type { FlussClient } from "../client.ts";
import { API } from "../rpc/api.ts";
import { optionalField } from "../rpc/required.ts";
import type { BoundTable } from "../table/bound_table.ts";
import { type BoundBucket, bucketError, callLeader, leaderOf } from "./call_leader.ts";
import type { BucketRef } from "./ranges.ts";
import { readValueBatch } from "./value_rows.ts";

/** Some rows of a scan. */
export interface ScannedValues {
  /** The rows, in the order of their encoded keys. */
  readonly columns: Columns;
  /** Where the change log goes on behind the snapshot that is scanned; the same for all rows of a scan. */
  readonly logOffset: bigint;
}

/** What a scan can be told. `timeoutMs` is for each request. */
export interface KvScanOptions extends CallOptions {
  /** Bytes of one answer, about; at least one row comes. Default: `scanner.bucketMaxBytes` */
  readonly batchBytes?: number | undefined;
  /** Ends the scan after so many rows. */
  readonly limit?: number | undefined;
}

/** Whether the leader of a bucket serves scans. */
export async function servesKvScan(
  client: FlussClient,
  bound: BoundTable,
  ref: BucketRef,
  deadline: Deadline,
): Promise<boolean> {
  const at: BoundBucket = { client, bound, ref, doing: "scanning" };
  return (await leaderOf(at, false, deadline)).versions.has(API.SCAN_KV);
}

/**
 * Scans a bucket. The server keeps the snapshot for 10 minutes after the last request; leaving the loop lets it go.
 *
 * Opening is tried again until its timeout. A scan that has begun cannot go on elsewhere: what ends it is thrown, and a
 * new scan may see other rows.
 *
 * @yields rows, perhaps none: also a bucket without rows has a `logOffset`
 * @throws FlussServerError `SERVER.SCANNER_EXPIRED`, ...; FlussCodecError `CODEC.*`; `TIMEOUT.REQUEST`
 */
export async function* kvScan(
  client: FlussClient,
  bound: BoundTable,
  ref: BucketRef,
  wanted: readonly SchemaColumn[],
  options: KvScanOptions = {},
): AsyncGenerator<ScannedValues, void> {
  const at: BoundBucket = { client, bound, ref, doing: "scanning" };
  const batchSizeBytes = options.batchBytes ?? client.options.scanner.bucketMaxBytes;
  let deadline = client.cluster.deadline(options);
  const { connection, answer: first } = await callLeader(at, API.SCAN_KV, {
    bucketScanReq: {
      tableId: bound.target.tableId,
      ...(ref.partitionId === undefined ? {} : { partitionId: ref.partitionId }),
      bucketId: ref.bucket,
      ...(options.limit === undefined ? {} : { limit: BigInt(options.limit) }),
    },
    callSeqId: 0,
    batchSizeBytes,
  }, deadline);
  const scannerId = optionalField(first, "scannerId");
  let answer = first;
  let callSeqId = 0;
  try {
    while (true) {
      const columns = await readValueBatch(at, answer.records, wanted, deadline);
      yield { columns, logOffset: first.logOffset };
      if (!answer.hasMoreResults || scannerId === undefined) return;
      deadline = client.cluster.deadline(options);
      callSeqId++;
      answer = await connection.call(API.SCAN_KV, { scannerId, callSeqId, batchSizeBytes }, deadline.options);
      if (answer.errorCode !== 0) throw bucketError(at, answer.errorCode, answer.errorMessage);
    }
  } finally {
    // The server has closed a scan that came to its end. If this does not reach it, the scan expires there.
    if (scannerId !== undefined && answer.hasMoreResults) {
      connection.call(API.SCAN_KV, { scannerId, closeScanner: true }).catch(() => {});
    }
  }
}
