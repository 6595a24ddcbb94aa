/**
 * PUT_KV: upserts and deletes.
 *
 * @module
 */
import { optionalField } from "../../client/rpc/required.ts";
import { fault, faultFields } from "../fault.ts";
import type { Engine } from "../engine.ts";
import type { BucketRows } from "../kv/bucket_rows.ts";
import { bucketFor } from "./buckets_of.ts";
import type { Call, Handlers } from "./handler.ts";
import { authorizeTable, checkKeyEncoding, perBucket } from "./table_access.ts";

/** `agg_mode`: rows replace what is there, whatever the merge engine. Any other number means the merge engine's way. */
const OVERWRITE = 1;

/** See the module. */
export const putHandlers: Pick<Handlers, "PUT_KV"> = {
  PUT_KV: (engine, request, call) => {
    const { acks, tableId, targetColumns } = request;
    authorizeTable(engine, call, "WRITE", tableId);
    checkAcks(acks);
    const options = {
      targets: targetColumns.length === 0 ? undefined : targetColumns,
      overwrite: request.aggMode === OVERWRITE,
    };
    const parts = perBucket(request.bucketsReq, (part) => optionalField(part, "partitionId"));
    return {
      bucketsResp: parts.map((part) => {
        const partitionId = optionalField(part, "partitionId");
        const head = { bucketId: part.bucketId, ...(partitionId === undefined ? {} : { partitionId }) };
        try {
          const rows = writableRows(engine, call, tableId, partitionId, part.bucketId);
          engine.pressure.check(part.records.length);
          const logEndOffset = BigInt(rows.put(part.records, options));
          const pressure = engine.pressure.add(part.records.length);
          return { ...head, logEndOffset, ...(pressure === 0 ? {} : { pressure }) };
        } catch (error) {
          return { ...head, ...faultFields(error) };
        }
      }),
    };
  },
};

/** @throws {ServerFault} 18 for anything but -1, 0 and 1. One server has every row as soon as it is written */
export function checkAcks(acks: number): void {
  if (acks < -1 || acks > 1) throw fault("SERVER.INVALID_REQUIRED_ACKS", `Invalid required acks: ${acks}`);
}

/**
 * The rows of a bucket that a client wants to write to.
 *
 * @throws {ServerFault} 21 or 2; -1 in log tables
 */
export function writableRows(
  engine: Engine,
  call: Call,
  tableId: bigint,
  partitionId: bigint | undefined,
  bucketId: number,
): BucketRows {
  const bucket = bucketFor(engine, call, tableId, partitionId, bucketId);
  checkKeyEncoding(bucket.table, call.apiVersion);
  if (bucket.rows !== undefined) return bucket.rows;
  throw fault(
    "SERVER.UNKNOWN_SERVER_ERROR",
    "java.lang.NullPointerException: KvTablet for the replica to put kv records shouldn't be null.",
  );
}
