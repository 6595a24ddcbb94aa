/**
 * The client's picture of the cluster: servers, and who leads which bucket.
 *
 * @module
 */
import type { MetadataResponse, PbBucketMetadata, PbServerNode } from "../rpc/gen/fluss/v1/metadata_pb.ts";
import { optionalField } from "../rpc/required.ts";
import { pathText, type PhysicalPath, physicalText } from "./path.ts";

/** A server of the cluster, at the address that it advertises. */
export interface ServerNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  /** Where the server stands, if the cluster says so. */
  readonly rack?: string;
}

/** Who leads the buckets of one table or partition. */
export interface BucketLeaders {
  readonly tableId: bigint;
  /** Present exactly for partitions. */
  readonly partitionId?: bigint;
  /** The latest schema id the cluster named; absent for partitions. */
  readonly schemaId?: number;
  /** Tablet server id by bucket id; -1 while a bucket has no leader. */
  readonly leaders: Int32Array;
}

/** What is known of the cluster. Old knowledge stays until something says that it is wrong. */
export class Metadata {
  coordinator: ServerNode | undefined;
  readonly tabletServers: Map<number, ServerNode> = new Map();
  readonly #leaders = new Map<string, BucketLeaders>();

  /** The leaders of a table or partition, as far as known. */
  leaders(physical: string): BucketLeaders | undefined {
    return this.#leaders.get(physical);
  }

  /** Forgets the leaders of a table or partition, so that the next use asks again. */
  forget(physical: string): void {
    this.#leaders.delete(physical);
  }

  /** Forgets a table with all its partitions. */
  forgetTable(path: string): void {
    for (const key of this.#leaders.keys()) {
      if (key === path || key.startsWith(`${path}/`)) this.#leaders.delete(key);
    }
  }

  /**
   * Takes an answer in.
   *
   * @param asked the one table or partition that the request named, if it named one
   * @returns the leaders of what was asked, or undefined when the answer left it out (as servers do where the user
   *   has no right to see it)
   */
  update(answer: MetadataResponse, asked?: PhysicalPath): BucketLeaders | undefined {
    if (answer.coordinatorServer !== undefined) this.coordinator = toNode(answer.coordinatorServer);
    this.tabletServers.clear();
    for (const server of answer.tabletServers) this.tabletServers.set(server.nodeId, toNode(server));
    if (asked === undefined) return undefined;
    let found: BucketLeaders | undefined;
    if (asked.partition === undefined) {
      const table = answer.tableMetadata.find((t) =>
        t.tablePath?.tableName === asked.path.table && t.tablePath.databaseName === asked.path.database
      );
      if (table !== undefined) {
        found = { tableId: table.tableId, schemaId: table.schemaId, leaders: toLeaders(table.bucketMetadata) };
      }
    } else {
      const partition = answer.partitionMetadata.find((p) => p.partitionName === asked.partition);
      if (partition !== undefined) {
        const leaders = toLeaders(partition.bucketMetadata);
        found = { tableId: partition.tableId, partitionId: partition.partitionId, leaders };
      }
    }
    if (found === undefined) this.#leaders.delete(physicalText(asked));
    else {
      // A table that was dropped and made anew has another id; nothing known of the old one holds.
      const old = this.#leaders.get(physicalText(asked));
      if (old !== undefined && old.tableId !== found.tableId) this.forgetTable(pathText(asked.path));
      this.#leaders.set(physicalText(asked), found);
    }
    return found;
  }
}

function toNode(node: PbServerNode): ServerNode {
  const { nodeId: id, host, port, rack } = node;
  return rack === "" ? { id, host, port } : { id, host, port, rack };
}

function toLeaders(buckets: readonly PbBucketMetadata[]): Int32Array {
  const leaders = new Int32Array(buckets.length).fill(-1);
  for (const bucket of buckets) {
    // A bucket id is a claim: one outside the list is no bucket of ours.
    if (bucket.bucketId >= 0 && bucket.bucketId < leaders.length) {
      leaders[bucket.bucketId] = optionalField(bucket, "leaderId") ?? -1;
    }
  }
  return leaders;
}
