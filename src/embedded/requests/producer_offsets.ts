/**
 * Where a producer began, which it can ask for after a crash. Source: Fluss `CoordinatorService.java`,
 * `ProducerOffsetsManager.java`, `TableBucketOffsetsJsonSerde.java`.
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  PbProducerTableOffsets,
  PbProducerTableOffsetsSchema,
} from "../../client/rpc/gen/fluss/v1/producer_offset_pb.ts";
import { isSet, optionalField } from "../../client/rpc/required.ts";
import { invalidName } from "../catalog/names.ts";
import { fault } from "../fault.ts";
import { type Expiring, sweep } from "./expiring.ts";
import type { Handlers } from "./handler.ts";
import { authorizeTable, mayTable } from "./table_access.ts";

/** The offsets of one producer, as they are stored. Numbers of 64 bits are texts. */
interface StoredOffsets extends Expiring {
  readonly tables: readonly {
    readonly tableId: string;
    readonly buckets: readonly { readonly partitionId?: string; readonly bucketId: number; readonly offset: string }[];
  }[];
}

const PREFIX = "producer-offsets/";
/** `coordinator.producer-offsets.ttl` */
const TTL_MS = 86_400_000n;
/** Where servers do not know an offset, and do not tell it again. */
const UNKNOWN_OFFSET = -1n;

const CREATED = 0;
const ALREADY_EXISTS = 1;

/** See the module. */
export const producerOffsetHandlers: Handlers = {
  REGISTER_PRODUCER_OFFSETS(engine, request, call) {
    const { producerId, tableOffsets } = request;
    for (const { tableId } of tableOffsets) authorizeTable(engine, call, "WRITE", tableId);
    checkProducer(producerId);
    const tables = readTables(producerId, tableOffsets);
    sweep(engine, PREFIX);
    const { documents } = engine.storage;
    const now = engine.clock.now();
    const before = documents.get(PREFIX + producerId) as StoredOffsets | undefined;
    if (before !== undefined && before.expiresAt >= now) return { result: ALREADY_EXISTS };
    const expiresAt = now + Number(optionalField(request, "ttlMs") ?? TTL_MS);
    documents.put(PREFIX + producerId, { expiresAt, tables } satisfies StoredOffsets);
    return { result: CREATED };
  },

  GET_PRODUCER_OFFSETS(engine, { producerId }, call) {
    checkProducer(producerId);
    const stored = engine.storage.documents.get(PREFIX + producerId) as StoredOffsets | undefined;
    // What is over is told until it is removed.
    if (stored === undefined) return {};
    const seen = stored.tables.filter(({ tableId }) => mayTable(engine, call, "READ", BigInt(tableId)));
    return { producerId, expirationTime: BigInt(stored.expiresAt), tableOffsets: seen.map(tableOffsetsOf) };
  },

  DELETE_PRODUCER_OFFSETS(engine, { producerId }, call) {
    checkProducer(producerId);
    const { documents } = engine.storage;
    const stored = documents.get(PREFIX + producerId) as StoredOffsets | undefined;
    for (const { tableId } of stored?.tables ?? []) authorizeTable(engine, call, "WRITE", BigInt(tableId));
    documents.delete(PREFIX + producerId);
    return {};
  },
};

/** @throws {ServerFault} 63 */
function checkProducer(id: string): void {
  const why = invalidName(id);
  if (why === undefined) return;
  throw fault("SERVER.INVALID_PRODUCER_ID_EXCEPTION", `Invalid producer ID '${id}': ${why}`);
}

/** Of several offsets for one bucket the last one counts. Throws where a table is partitioned and is not. */
function readTables(producer: string, parts: readonly PbProducerTableOffsets[]): StoredOffsets["tables"] {
  const refuse = () => new Error(`Failed to register producer offsets for producer ${producer}`);
  const tables = new Map<bigint, Map<string, StoredOffsets["tables"][number]["buckets"][number]>>();
  for (const { tableId, bucketOffsets } of parts) {
    if (bucketOffsets.length === 0) continue;
    const buckets = tables.get(tableId) ?? new Map();
    tables.set(tableId, buckets);
    for (const part of bucketOffsets) {
      if (!isSet(part, "logEndOffset")) throw refuse();
      const partition = optionalField(part, "partitionId");
      buckets.set(`${partition ?? ""}/${part.bucketId}`, {
        ...(partition === undefined ? {} : { partitionId: `${partition}` }),
        bucketId: part.bucketId,
        offset: `${part.logEndOffset}`,
      });
    }
  }
  return [...tables].map(([tableId, found]) => {
    const buckets = [...found.values()];
    if (buckets.some(({ partitionId }) => (partitionId === undefined) !== (buckets[0]!.partitionId === undefined))) {
      throw refuse();
    }
    return { tableId: `${tableId}`, buckets: buckets.filter(({ offset }) => offset !== `${UNKNOWN_OFFSET}`) };
  });
}

function tableOffsetsOf(
  { tableId, buckets }: StoredOffsets["tables"][number],
): MessageInitShape<typeof PbProducerTableOffsetsSchema> {
  return {
    tableId: BigInt(tableId),
    bucketOffsets: buckets.map(({ partitionId, bucketId, offset }) => ({
      ...(partitionId === undefined ? {} : { partitionId: BigInt(partitionId) }),
      bucketId,
      logEndOffset: BigInt(offset),
    })),
  };
}
