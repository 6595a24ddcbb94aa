/**
 * Where logs begin and end, and where they were at a time.
 *
 * @module
 */
import { optionalField } from "../../client/rpc/required.ts";
import { bucketText } from "../bucket_text.ts";
import type { Bucket } from "../buckets.ts";
import type { Engine } from "../engine.ts";
import { fault, faultFields } from "../fault.ts";
import { dropExpired } from "../log/retention.ts";
import type { Handlers } from "./handler.ts";

/** Handlers of questions for offsets. */
export const offsetHandlers: Handlers = {
  LIST_OFFSETS: (engine, request, { principal }) => {
    const { tableId, offsetType } = request;
    const partitionId = optionalField(request, "partitionId");
    const startTimestamp = optionalField(request, "startTimestamp");
    const table = engine.catalog.tableById(Number(tableId));
    if (table !== undefined) engine.authorizer.check(principal, "DESCRIBE", table.path);
    dropExpired(engine);
    return {
      bucketsResp: [...new Set(request.bucketId)].map((bucketId) => {
        try {
          const bucket = engine.buckets.get(tableId, partitionId, bucketId);
          return { bucketId, offset: BigInt(offsetOf(engine, bucket, offsetType, startTimestamp)) };
        } catch (error) {
          return { bucketId, ...faultFields(error) };
        }
      }),
    };
  },
};

const EARLIEST = 0;
const LATEST = 1;
const AT_TIME = 2;
/** Where the log ended when its leader was elected: replicas ask for it. */
const LEADER_END = 3;

function offsetOf(engine: Engine, bucket: Bucket, type: number, startTimestamp: bigint | undefined): number {
  switch (type) {
    case EARLIEST:
      return bucket.log.start;
    case LATEST:
      return bucket.log.end;
    case AT_TIME:
      if (startTimestamp === undefined) {
        throw fault(
          "SERVER.UNKNOWN_SERVER_ERROR",
          "startTimestamp is not present while list offset by timestamp.",
        );
      }
      return offsetSince(engine, bucket, Number(startTimestamp));
    case LEADER_END:
      return 0;
    default:
      throw fault("SERVER.UNKNOWN_SERVER_ERROR", `Invalid list offset type: ${type}`);
  }
}

function offsetSince(engine: Engine, { id, log }: Bucket, timestamp: number): number {
  const now = engine.clock.now();
  if (timestamp > log.store.lastTimestamp) {
    if (timestamp <= now) return log.end;
    throw fault(
      "SERVER.INVALID_TIMESTAMP_EXCEPTION",
      `Get offset error for table bucket ${bucketText(id)}, the fetch timestamp ${timestamp} is larger than the ` +
        `current timestamp ${now}`,
    );
  }
  const first = log.store.firstSince(timestamp);
  if (first !== undefined) return first.baseOffset;
  // All that was written has been dropped since, or nothing ever was.
  if (log.end > 0) return log.end;
  throw fault("SERVER.UNKNOWN_SERVER_ERROR", `No offset found for timestamp ${timestamp}`);
}
