/**
 * FETCH_LOG as bytes: what is asked of one tablet server, and what it answered for each bucket.
 *
 * @module
 */
import { API } from "../rpc/api.ts";
import type { PbRemoteLogFetchInfo } from "../rpc/gen/fluss/v1/log_pb.ts";
import { optionalField, readMessage, writeMessage } from "../rpc/required.ts";
import type { PredicateMessage } from "./predicate_message.ts";

/** What several buckets of a table are asked for alike. */
export interface FetchShape {
  readonly tableId: bigint;
  /** Positions of the columns that the server is to send, ascending; undefined for whole records. */
  readonly projection: readonly number[] | undefined;
  /** By which servers newer than 0.9.1 may leave batches out. */
  readonly filter: { readonly message: PredicateMessage; readonly schemaId: number } | undefined;
}

/** What is asked of one bucket. */
export interface BucketFetch {
  readonly shape: FetchShape;
  readonly partitionId: bigint | undefined;
  readonly bucket: number;
  /** The next offset, or `EARLIEST`. */
  readonly offset: bigint;
  readonly maxBytes: number;
}

/** What was answered for one bucket. */
export interface BucketAnswer {
  readonly tableId: bigint;
  readonly partitionId: bigint | undefined;
  readonly bucket: number;
  /** 0 when all is well. */
  readonly errorCode: number;
  readonly errorMessage: string;
  /** The offset behind the last record that may be read. */
  readonly highWatermark: bigint | undefined;
  /** The offset of the oldest record. */
  readonly logStartOffset: bigint | undefined;
  /** Log batches, one after the other, the last one perhaps cut. A view of the answer. */
  readonly records: Uint8Array;
  /** Up to where a filter has left everything out that is not in `records`. */
  readonly filteredEndOffset: bigint | undefined;
  /** Where the records are, when the server has moved them to remote storage. */
  readonly remote: PbRemoteLogFetchInfo | undefined;
}

const FOLLOWER_ID_OF_CLIENTS = -1;

/**
 * Encodes a request. The API must be loaded.
 *
 * @param waitMs how long the server may wait for the first byte; undefined: it answers at once
 */
export function encodeFetch(
  fetches: readonly BucketFetch[],
  maxBytes: number,
  waitMs: number | undefined,
): Uint8Array<ArrayBuffer> {
  const tables = [...Map.groupBy(fetches, ({ shape }) => shape)];
  return writeMessage(API.FETCH_LOG.messages!.request, {
    followerServerId: FOLLOWER_ID_OF_CLIENTS,
    maxBytes,
    ...(waitMs === undefined ? {} : { minBytes: 1, maxWaitMs: waitMs }),
    tablesReq: tables.map(([{ tableId, projection, filter }, buckets]) => ({
      tableId,
      projectionPushdownEnabled: projection !== undefined,
      projectedFields: projection === undefined ? [] : [...projection],
      ...(filter === undefined ? {} : { filterPredicate: filter.message, filterSchemaId: filter.schemaId }),
      bucketsReq: buckets.map(({ partitionId, bucket, offset, maxBytes }) => ({
        ...(partitionId === undefined ? {} : { partitionId }),
        bucketId: bucket,
        fetchOffset: offset,
        maxFetchBytes: maxBytes,
      })),
    })),
  });
}

/** Decodes an answer. `records` are views of `body`. */
export function decodeFetch(body: Uint8Array): BucketAnswer[] {
  return readMessage(API.FETCH_LOG.messages!.response, body).tablesResp.flatMap(({ tableId, bucketsResp }) =>
    bucketsResp.map((answer): BucketAnswer => ({
      tableId,
      partitionId: optionalField(answer, "partitionId"),
      bucket: answer.bucketId,
      errorCode: answer.errorCode,
      errorMessage: answer.errorMessage,
      highWatermark: optionalField(answer, "highWatermark"),
      logStartOffset: optionalField(answer, "logStartOffset"),
      records: answer.records,
      filteredEndOffset: optionalField(answer, "filteredEndOffset"),
      remote: answer.remoteLogFetchInfo,
    }))
  );
}
