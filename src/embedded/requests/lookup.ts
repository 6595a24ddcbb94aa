/**
 * LOOKUP and PREFIX_LOOKUP.
 *
 * @module
 */
import { isSet, optionalField } from "../../client/rpc/required.ts";
import type { Engine } from "../engine.ts";
import { bucketText } from "../bucket_text.ts";
import type { Bucket } from "../buckets.ts";
import { tableText } from "../catalog/table.ts";
import { fault, faultFields } from "../fault.ts";
import type { BucketRows } from "../kv/bucket_rows.ts";
import { bucketFor } from "./buckets_of.ts";
import type { Call, Handlers } from "./handler.ts";
import { encodeLookupAnswer, type FoundValues } from "./lookup_answer.ts";
import { checkAcks, writableRows } from "./put.ts";
import { authorizeTable, checkKeyEncoding, perBucket, refusalOf } from "./table_access.ts";

/** See the module. */
export const lookupHandlers: Pick<Handlers, "LOOKUP" | "PREFIX_LOOKUP"> = {
  LOOKUP: (engine, request, call) => {
    const { tableId, insertIfNotExists } = request;
    const parts = perBucket(request.bucketsReq, (part) => optionalField(part, "partitionId"));
    if (insertIfNotExists) {
      authorizeTable(engine, call, "WRITE", tableId);
      for (const field of ["timeoutMs", "acks"] as const) {
        if (isSet(request, field)) continue;
        const name = field === "acks" ? "acks" : "timeout_ms";
        throw fault(
          "SERVER.UNKNOWN_SERVER_ERROR",
          `java.lang.IllegalStateException: Field '${name}' is not set`,
        );
      }
    }
    const refusal = insertIfNotExists ? undefined : refusalOf(engine, call, "READ", tableId);
    let failed = false;
    const found = parts.map((part): FoundValues | FailedLookup => {
      const partitionId = optionalField(part, "partitionId");
      const { bucketId, keys } = part;
      try {
        if (refusal !== undefined) throw refusal;
        const rows = readableRows(engine, call, tableId, partitionId, bucketId, noPrimaryKey);
        const values = rows.getAll(keys);
        if (!insertIfNotExists || !values.includes(undefined)) return { partitionId, bucketId, values };
      } catch (error) {
        failed = true;
        return { partitionId, bucketId, error };
      }
      checkAcks(request.acks);
      try {
        return { partitionId, bucketId, values: inserted(engine, call, tableId, partitionId, bucketId, keys) };
      } catch (error) {
        failed = true;
        return { partitionId, bucketId, error };
      }
    });
    if (!failed) return encodeLookupAnswer(found as FoundValues[]);
    return {
      bucketsResp: found.map((bucket) => {
        const { partitionId, bucketId } = bucket;
        const head = { bucketId, ...(partitionId === undefined ? {} : { partitionId }) };
        if ("error" in bucket) return { ...head, ...faultFields(bucket.error) };
        return { ...head, values: bucket.values.map((value) => value === undefined ? {} : { values: value }) };
      }),
    };
  },

  PREFIX_LOOKUP: (engine, request, call) => {
    const { tableId } = request;
    const refusal = refusalOf(engine, call, "READ", tableId);
    const parts = perBucket(request.bucketsReq, (part) => optionalField(part, "partitionId"));
    return {
      bucketsResp: parts.map((part) => {
        const partitionId = optionalField(part, "partitionId");
        const head = { bucketId: part.bucketId, ...(partitionId === undefined ? {} : { partitionId }) };
        if (refusal !== undefined) return { ...head, ...faultFields(refusal) };
        try {
          const rows = readableRows(engine, call, tableId, partitionId, part.bucketId, noPrefixLookup);
          return { ...head, valueLists: part.keys.map((key) => ({ values: rows.withPrefix(key) })) };
        } catch (error) {
          return { ...head, ...faultFields(error) };
        }
      }),
    };
  },
};

interface FailedLookup {
  readonly partitionId: bigint | undefined;
  readonly bucketId: number;
  readonly error: unknown;
}

/** Inserts the keys that are not there, and gives the values of all of them. */
function inserted(
  engine: Engine,
  call: Call,
  tableId: bigint,
  partitionId: bigint | undefined,
  bucketId: number,
  keys: readonly Uint8Array[],
): (Uint8Array | undefined)[] {
  const rows = writableRows(engine, call, tableId, partitionId, bucketId);
  const before = rows.getAll(keys);
  rows.insert(keys.filter((_, i) => before[i] === undefined));
  // What is found is only lent until a write, and the next bucket may be written to.
  return rows.getAll(keys).map((value) => value?.slice());
}

function readableRows(
  engine: Engine,
  call: Call,
  tableId: bigint,
  partitionId: bigint | undefined,
  bucketId: number,
  refuse: (bucket: Bucket) => string,
): BucketRows {
  const bucket = bucketFor(engine, call, tableId, partitionId, bucketId);
  checkKeyEncoding(bucket.table, call.apiVersion);
  if (bucket.rows !== undefined) return bucket.rows;
  throw fault("SERVER.NON_PRIMARY_KEY_TABLE_EXCEPTION", refuse(bucket));
}

/** What servers say of a lookup in a log table. */
export function noPrimaryKey({ id }: Bucket): string {
  return `the primary key table not exists for ${bucketText(id)}`;
}

function noPrefixLookup({ table }: Bucket): string {
  return `Try to do prefix lookup on a non primary key table: ${tableText(table.path)}`;
}
