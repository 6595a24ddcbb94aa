/**
 * Appending to logs.
 *
 * @module
 */
import { optionalField } from "../../client/rpc/required.ts";
import type { Engine } from "../engine.ts";
import { fault, faultFields } from "../fault.ts";
import { bucketFor, oncePerBucket } from "./buckets_of.ts";
import type { Call, Handlers } from "./handler.ts";

/** Handlers of what writers of logs ask for. */
export const produceHandlers: Handlers = {
  PRODUCE_LOG: (engine, { acks, tableId, bucketsReq }, call) => {
    mayWrite(engine, tableId, call);
    checkAcks(acks);
    return {
      bucketsResp: oncePerBucket(bucketsReq).map((request) => {
        const { bucketId, records } = request;
        const partitionId = optionalField(request, "partitionId");
        const named = partitionId === undefined ? { bucketId } : { bucketId, partitionId };
        try {
          const { baseOffset } = bucketFor(engine, call, tableId, partitionId, bucketId).log.append(records);
          return { ...named, baseOffset: BigInt(baseOffset) };
        } catch (error) {
          return { ...named, ...faultFields(error) };
        }
      }),
    };
  },

  INIT_WRITER: (engine, { tablePath }, { principal }) => {
    const paths = tablePath.map(({ databaseName, tableName }) => ({ database: databaseName, table: tableName }));
    if (engine.settings.authorizer && !paths.some((path) => engine.authorizer.may(principal, "WRITE", path))) {
      throw fault(
        "SERVER.AUTHORIZATION_EXCEPTION",
        paths.length === 0
          ? "The request of InitWriter requires non empty table paths for authorization."
          : `No WRITE permission among all the tables: [${
            paths.map(({ database, table }) => `${database}.${table}`).join(", ")
          }]`,
      );
    }
    return { writerId: BigInt(engine.catalog.nextId("writer")) };
  },
};

/** Servers look up the table for its rights alone: where none are asked for, each bucket says that it is unknown. */
function mayWrite(engine: Engine, tableId: bigint, { principal }: Call): void {
  const table = engine.catalog.tableById(Number(tableId));
  if (table !== undefined) engine.authorizer.check(principal, "WRITE", table.path);
  else if (engine.settings.authorizer) {
    throw fault("SERVER.UNKNOWN_TABLE_OR_BUCKET_EXCEPTION", `This server does not know this table ID ${tableId}.`);
  }
}

/**
 * Checks how many replicas are to confirm a write. There is one, so every number that servers know means the same.
 *
 * @throws {ServerFault} 18
 */
export function checkAcks(acks: number): void {
  if (acks < -1 || acks > 1) throw fault("SERVER.INVALID_REQUIRED_ACKS", `Invalid required acks: ${acks}`);
}
