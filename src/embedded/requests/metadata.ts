/**
 * Who leads what: this server does. Source: Fluss `RpcServiceBase.java` (processMetadataRequest).
 *
 * @module
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PbBucketMetadataSchema } from "../../client/rpc/gen/fluss/v1/metadata_pb.ts";
import { optionalField } from "../../client/rpc/required.ts";
import type { CatalogPartition, CatalogTable } from "../catalog/table.ts";
import { fault, uncoded } from "../fault.ts";
import type { Handlers } from "./handler.ts";
import { readPath } from "./tables.ts";

/** Coordinators and tablet servers are numbered apart. */
const SERVER_ID = 0;

/** See the module. */
export const metadataHandlers: Handlers = {
  GET_METADATA(engine, { tablePath: paths, partitionsPath, partitionsId }, { principal, endpoints }) {
    const { catalog, authorizer } = engine;
    const allowed = paths.map(readPath).filter((path) => authorizer.may(principal, "DESCRIBE", path));
    const unknown = allowed.filter((path) => catalog.findTable(path) === undefined)
      .map(({ database, table }) => `${database}.${table}`);
    if (unknown.length > 0) {
      // Servers look up what they do not know all at once, and tell in a cause what was missing.
      throw uncoded(
        "org.apache.fluss.exception.FlussRuntimeException",
        `Failed to get tables '[${unknown.join(", ")}]'.\n` +
          `Caused by: org.apache.fluss.exception.TableNotExistException: Table '${unknown[0]}' does not exist.`,
      );
    }
    const tables = allowed.map((path) => catalog.table(path));
    const partitions: { readonly table: CatalogTable; readonly partition: CatalogPartition }[] = [];
    const seen = new Set<number>();
    const add = (table: CatalogTable, partition: CatalogPartition) => {
      if (seen.has(partition.id) || !authorizer.may(principal, "DESCRIBE", table.path)) return;
      seen.add(partition.id);
      partitions.push({ table, partition });
    };
    for (const physical of partitionsPath) {
      const path = readPath(physical);
      if (!authorizer.may(principal, "DESCRIBE", path)) continue;
      const name = optionalField(physical, "partitionName");
      if (name === undefined) throw uncoded("java.lang.NullPointerException", "");
      const table = catalog.findTable(path);
      const partition = table === undefined ? undefined : catalog.findPartition(table, name);
      if (partition === undefined) {
        throw fault(
          "SERVER.PARTITION_NOT_EXISTS",
          `Table partition '${path.database}.${path.table}(p=${name})' does not exist.`,
        );
      }
      add(table!, partition);
    }
    for (const id of partitionsId) {
      const table = catalog.tableOfPartition(Number(id));
      if (table === undefined) {
        throw fault(
          "SERVER.PARTITION_NOT_EXISTS",
          `The partition id '${id}' does not exist or you don't have permission to access it.`,
        );
      }
      add(table, table.partitions.get(Number(id))!);
    }
    return {
      coordinatorServer: { nodeId: SERVER_ID, ...endpoints.coordinator },
      tabletServers: [{ nodeId: SERVER_ID, ...endpoints.tablet }],
      tableMetadata: tables.map((table) => ({
        tablePath: { databaseName: table.path.database, tableName: table.path.table },
        tableId: BigInt(table.id),
        schemaId: table.live.schema.schemaId,
        tableJson: table.json,
        bucketMetadata: table.live.partitionKey.length > 0 ? [] : buckets(table.bucketCount),
        createdTime: BigInt(table.createdTime),
        modifiedTime: BigInt(table.modifiedTime),
      })),
      partitionMetadata: partitions.map(({ table, partition }) => ({
        tableId: BigInt(table.id),
        partitionName: partition.name,
        partitionId: BigInt(partition.id),
        bucketMetadata: buckets(table.bucketCount),
      })),
    };
  },
};

function buckets(count: number): MessageInitShape<typeof PbBucketMetadataSchema>[] {
  return Array.from({ length: count }, (_, bucketId) => ({
    bucketId,
    leaderId: SERVER_ID,
    replicaId: [SERVER_ID],
    leaderEpoch: 0,
  }));
}
