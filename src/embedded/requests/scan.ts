/**
 * LIMIT_SCAN, SCAN_KV and GET_TABLE_STATS.
 *
 * @module
 */
import { isSet, optionalField } from "../../client/rpc/required.ts";
import { ValueBatchBuilder } from "../../format/value_batch.ts";
import type { Bucket } from "../buckets.ts";
import { tableText } from "../catalog/table.ts";
import type { Engine } from "../engine.ts";
import { fault, faultFields } from "../fault.ts";
import { MAX_BATCH_BYTES, type Scanner, scannersOf } from "../kv/scanners.ts";
import { tableRows } from "../kv/table_rows.ts";
import { lastRecords } from "../log/limit_scan.ts";
import { bucketFor } from "./buckets_of.ts";
import type { Call, Handlers } from "./handler.ts";
import { noPrimaryKey } from "./lookup.ts";
import { authorizeTable, perBucket } from "./table_access.ts";

type ScanKvHandler = NonNullable<Handlers["SCAN_KV"]>;
type ScanKvRequest = Parameters<ScanKvHandler>[1];
type ScanKvAnswer = Exclude<ReturnType<ScanKvHandler>, Promise<unknown>>;

/** See the module. */
export const scanHandlers: Pick<Handlers, "LIMIT_SCAN" | "SCAN_KV" | "GET_TABLE_STATS"> = {
  LIMIT_SCAN: (engine, request, call) => {
    const { tableId, bucketId, limit } = request;
    authorizeTable(engine, call, "READ", tableId);
    try {
      const bucket = bucketFor(engine, call, tableId, optionalField(request, "partitionId"), bucketId);
      const isLogTable = bucket.rows === undefined;
      return { isLogTable, records: isLogTable ? lastRecords(bucket, limit) : firstRows(bucket, limit) };
    } catch (error) {
      return faultFields(error);
    }
  },

  SCAN_KV: (engine, request, call) => {
    try {
      return scan(engine, request, call);
    } catch (error) {
      return faultFields(error);
    }
  },

  GET_TABLE_STATS: (engine, request, call) => {
    const { tableId } = request;
    authorizeTable(engine, call, "READ", tableId);
    const parts = perBucket(request.bucketsReq, (part) => optionalField(part, "partitionId"));
    return {
      bucketsResp: parts.map((part) => {
        const partitionId = optionalField(part, "partitionId");
        const head = { bucketId: part.bucketId, ...(partitionId === undefined ? {} : { partitionId }) };
        try {
          return { ...head, rowCount: BigInt(rowCount(engine.buckets.get(tableId, partitionId, part.bucketId))) };
        } catch (error) {
          return { ...head, ...faultFields(error) };
        }
      }),
    };
  },
};

/** The first rows in the order of the keys' bytes. Whatever they take, as with servers (observed on 0.9.1). */
function firstRows({ rows }: Bucket, limit: number): Uint8Array<ArrayBuffer> {
  const batch = new ValueBatchBuilder();
  if (limit > 0) {
    rows!.store.visit("", (_key, value) => {
      batch.append(value);
      return batch.count < limit;
    });
  }
  return batch.finish();
}

function rowCount({ table, rows, log }: Bucket): number {
  if (rows === undefined) return log.store.end - log.store.start;
  if (!tableRows(table).walImage) return rows.store.count;
  throw fault(
    "SERVER.INVALID_TABLE_EXCEPTION",
    `Row count is disabled for this table '${tableText(table.path)}'. This usually happens when the table is` +
      "created before v0.9 or the changelog image is set to WAL, " +
      "as maintaining row count in WAL mode is costly and not necessary for most use cases. " +
      "If you want to enable row count, please set changelog image to FULL.",
  );
}

/** Source: Fluss main, TabletService.scanKv. */
function scan(engine: Engine, request: ScanKvRequest, call: Call): ScanKvAnswer {
  const begins = isSet(request, "bucketScanReq");
  const continues = isSet(request, "scannerId");
  const { closeScanner } = request;
  if (begins && continues) throw invalid("ScanKvRequest must not set both bucket_scan_req and scanner_id.");
  if (begins && closeScanner) {
    throw invalid("ScanKvRequest must not set close_scanner together with bucket_scan_req.");
  }
  if (!begins && !continues) {
    throw invalid("ScanKvRequest must have either bucket_scan_req (new scan) or scanner_id (continuation).");
  }
  if (!closeScanner) {
    if (!isSet(request, "batchSizeBytes")) {
      throw invalid("batch_size_bytes is required for data-fetching scan requests.");
    }
    if (request.batchSizeBytes <= 0) throw invalid("batch_size_bytes must be greater than 0.");
  }
  return begins ? begin(engine, request, call) : proceed(engine, request, call);
}

function begin(engine: Engine, request: ScanKvRequest, call: Call): ScanKvAnswer {
  const wanted = request.bucketScanReq!;
  authorizeTable(engine, call, "READ", wanted.tableId);
  const bucket = bucketFor(engine, call, wanted.tableId, optionalField(wanted, "partitionId"), wanted.bucketId);
  if (bucket.rows === undefined) throw fault("SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION", noPrimaryKey(bucket));
  const scanner = scannersOf(engine).open(bucket, Number(optionalField(wanted, "limit") ?? 0n));
  const logOffset = BigInt(bucket.log.store.end);
  if (scanner === undefined) return { hasMoreResults: false, logOffset };
  return { ...read(engine, request, scanner), logOffset };
}

function proceed(engine: Engine, request: ScanKvRequest, call: Call): ScanKvAnswer {
  const scanners = scannersOf(engine);
  const { scannerId, closeScanner } = request;
  const id = new TextDecoder().decode(scannerId);
  const scanner = scanners.get(id);
  if (closeScanner) {
    if (scanner !== undefined) scanners.close(scanner);
    return { scannerId, hasMoreResults: false };
  }
  if (scanner !== undefined && isCurrent(engine, scanner, call)) return read(engine, request, scanner);
  if (scanner !== undefined || scanners.isExpired(id)) {
    throw fault(
      "SERVER.SCANNER_EXPIRED",
      "Scanner session has expired due to inactivity. Please start a new scan.",
    );
  }
  throw fault(
    "SERVER.UNKNOWN_SCANNER_ID",
    "Unknown scanner ID. The session may have expired or never existed.",
  );
}

/**
 * Whether a scan may go on: not after its bucket was opened anew, when what was scanned may never have been committed.
 *
 * @throws {ServerFault} 21 when the bucket is gone
 */
function isCurrent(engine: Engine, scanner: Scanner, call: Call): boolean {
  const { tableId, partitionId, bucket } = scanner.bucket.id;
  const scanners = scannersOf(engine);
  try {
    if (bucketFor(engine, call, tableId, partitionId, bucket) === scanner.bucket) return true;
  } catch (error) {
    scanners.close(scanner);
    throw error;
  }
  scanners.expire(scanner);
  return false;
}

function read(engine: Engine, request: ScanKvRequest, scanner: Scanner): ScanKvAnswer {
  const scanners = scannersOf(engine);
  try {
    checkSequence(request, scanner);
    scanner.lastAccess = engine.clock.now();
    const { records, hasMore } = scanner.read(Math.min(request.batchSizeBytes, MAX_BATCH_BYTES));
    scanner.callSequence = request.callSeqId;
    if (!hasMore) scanners.close(scanner);
    return { scannerId: new TextEncoder().encode(scanner.id), hasMoreResults: hasMore, records };
  } catch (error) {
    // As with servers, a call that fails ends the scan.
    scanners.close(scanner);
    throw error;
  }
}

function checkSequence(request: ScanKvRequest, scanner: Scanner): void {
  if (!isSet(request, "callSeqId")) {
    throw invalid(
      "call_seq_id is required for ScanKV requests to ensure in-order processing and at-least-once semantics.",
    );
  }
  const expected = scanner.callSequence + 1;
  if (request.callSeqId !== expected) {
    throw invalid(`Out-of-order scan request: expected callSeqId=${expected} but got ${request.callSeqId}.`);
  }
}

function invalid(message: string): Error {
  return fault("SERVER.INVALID_SCAN_REQUEST", message);
}
