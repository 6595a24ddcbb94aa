/**
 * Rows into chosen buckets, one log batch per call: what tests of reading need to know where rows are and how they lie.
 *
 * @module
 */
import { serverError } from "../src/base/errors.ts";
import type { FlussClient } from "../src/client/client.ts";
import { listBuckets } from "../src/client/read/ranges.ts";
import { API } from "../src/client/rpc/api.ts";
import { TableBinding } from "../src/client/table/bound_table.ts";
import { compileLogBuilder } from "../src/format/log_builder.ts";
import { definitionOf } from "../src/schema/definition.ts";
import type { AnyTable } from "../src/schema/infer.ts";
import { openClient, type Target, target } from "./cluster.ts";

/** Where a batch goes, and who wrote it last. */
export interface BatchPlace {
  readonly bucket?: number;
  readonly partition?: string;
}

/** Appends batches without any of the queues of a writer. */
export class RowAppender implements AsyncDisposable {
  readonly #client: FlussClient;
  readonly #database: string;

  constructor(database: string, on: Target = target!) {
    this.#client = openClient({}, on);
    this.#database = database;
  }

  /**
   * Appends rows as one batch of the table's own format.
   *
   * @returns the offset of the first one
   */
  async append<T extends AnyTable>(table: T, rows: readonly T["$insert"][], place: BatchPlace = {}): Promise<bigint> {
    const client = this.#client;
    const definition = definitionOf(table);
    const binding = new TableBinding(client, { database: this.#database, table: definition.name }, definition);
    const deadline = client.cluster.deadline();
    const bound = await binding.find(deadline);
    const { columns, logFormat, schemaId, statistics } = bound.codec.layout;
    // The table's own codec is not known here; uncompressed bodies are read whatever the table says, if not projected.
    const compression = compressionOf(definition.properties);
    const builder = compileLogBuilder(columns, { format: logFormat, compression, statistics })(schemaId);
    for (const row of rows) builder.append(row as Record<string, unknown>);
    const refs = await listBuckets(client, bound, place.partition, deadline);
    const ref = refs.find(({ bucket }) => bucket === (place.bucket ?? 0))!;
    const { physical } = bound.partition(ref.partition);
    const records = builder.finish(-1n, -1);
    let leaders = await client.cluster.leaders(physical, deadline);
    for (;; leaders = await client.cluster.refresh(physical, deadline)) {
      const leader = leaders?.leaders[ref.bucket] ?? -1;
      if (leader < 0) {
        await deadline.pause(20, "waiting for a leader");
        continue;
      }
      const connection = await client.cluster.connect(leader, deadline);
      const answer = await connection.call(API.PRODUCE_LOG, {
        acks: -1,
        tableId: bound.target.tableId,
        timeoutMs: 10_000,
        bucketsReq: [{
          bucketId: ref.bucket,
          ...(ref.partitionId === undefined ? {} : { partitionId: ref.partitionId }),
          records,
        }],
      }, deadline.options);
      const { errorCode, errorMessage, baseOffset } = answer.bucketsResp[0]!;
      if (errorCode === 0) return baseOffset;
      const error = serverError(errorCode, errorMessage, { doing: "appending" });
      // A server may not have heard yet that it leads a bucket of a new table.
      if (!error.retriable) throw error;
      await deadline.pause(20, "appending", error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

function compressionOf(
  properties: Readonly<Record<string, string>>,
): { type: "none" | "lz4" | "zstd"; level?: number } {
  const type = properties["table.log.arrow.compression.type"]?.toUpperCase();
  if (type === "NONE") return { type: "none" };
  return type === "LZ4_FRAME" ? { type: "lz4" } : { type: "zstd", level: 3 };
}
