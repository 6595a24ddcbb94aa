/**
 * Which buckets a request asks something of.
 *
 * @module
 */
import type { Engine, ServedRequest } from "../embedded/engine.ts";
import { scannersOf } from "../embedded/kv/scanners.ts";

/** What a request asks of one bucket. */
export interface RequestPart {
  readonly tableId: number;
  readonly partitionId: number | undefined;
  readonly bucketId: number;
  /** What is written, where something is. */
  readonly records?: Uint8Array;
}

/** A bucket as the key of a map. */
export function bucketKey({ tableId, partitionId, bucketId }: Omit<RequestPart, "records">): string {
  return `${tableId}/${partitionId ?? ""}/${bucketId}`;
}

/** A message about one bucket, or the part of one that is. An absent partition reads as zero, and is not its own then. */
interface BucketMessage {
  readonly partitionId: bigint;
  readonly bucketId: number;
  readonly records?: Uint8Array;
}

interface TableMessage {
  readonly tableId: bigint;
  readonly bucketsReq: readonly BucketMessage[];
}

/** The parts of a request for rows or logs; undefined for those that are answered as a whole. */
export function requestParts(engine: Engine, { api, message }: ServedRequest): readonly RequestPart[] | undefined {
  switch (api) {
    case "PUT_KV":
    case "PRODUCE_LOG":
    case "LOOKUP":
    case "PREFIX_LOOKUP":
      return partsOf(message as TableMessage);
    case "FETCH_LOG":
      return (message as { readonly tablesReq: readonly TableMessage[] }).tablesReq.flatMap(partsOf);
    case "LIMIT_SCAN": {
      const scan = message as BucketMessage & { readonly tableId: bigint };
      return [partOf(scan.tableId, scan)];
    }
    case "SCAN_KV":
      return scanned(engine, message as ScanMessage);
    default:
      return undefined;
  }
}

interface ScanMessage {
  readonly bucketScanReq?: BucketMessage & { readonly tableId: bigint };
  readonly scannerId: Uint8Array;
  readonly closeScanner: boolean;
}

/** A scan that goes on names its number alone. One that is closed is nobody's call. */
function scanned(engine: Engine, { bucketScanReq, scannerId, closeScanner }: ScanMessage): readonly RequestPart[] {
  if (bucketScanReq !== undefined) return [partOf(bucketScanReq.tableId, bucketScanReq)];
  const scanner = closeScanner ? undefined : scannersOf(engine).get(new TextDecoder().decode(scannerId));
  if (scanner === undefined) return [];
  const { tableId, partitionId, bucket } = scanner.bucket.id;
  return [{ tableId, partitionId, bucketId: bucket }];
}

function partsOf({ tableId, bucketsReq }: TableMessage): RequestPart[] {
  return bucketsReq.map((bucket) => partOf(tableId, bucket));
}

function partOf(tableId: bigint, bucket: BucketMessage): RequestPart {
  const part = {
    tableId: Number(tableId),
    partitionId: Object.hasOwn(bucket, "partitionId") ? Number(bucket.partitionId) : undefined,
    bucketId: bucket.bucketId,
  };
  return bucket.records === undefined ? part : { ...part, records: bucket.records };
}
