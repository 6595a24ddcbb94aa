/**
 * A tablet server with a log that never was written: it answers fetches with valid batches, made once and given their
 * offsets as they leave, so that far more can be read than a disk holds.
 *
 * @module
 */
import { API, type Api, apiByKey, loadApi } from "../../src/client/rpc/api.ts";
import { readMessage, writeMessage } from "../../src/client/rpc/required.ts";
import { compileLogBuilder } from "../../src/format/log_builder.ts";
import { definitionOf } from "../../src/schema/definition.ts";
import { parseDescriptor, toDescriptorJson } from "../../src/schema/descriptor.ts";
import { type FakeRequest, FakeServer, type Peer } from "../fake_server.ts";
import { flooded } from "./flood_table.ts";

const ASKED = [API.GET_METADATA, API.GET_TABLE_INFO, API.LIST_OFFSETS, API.FETCH_LOG] as const;

const TABLE_ID = 7n;
const BATCH_ROWS = 20_000;

/** A running flood. */
export interface Flood extends AsyncDisposable {
  readonly url: string;
  /** All rows of all buckets. */
  readonly rows: number;
  /** All bytes of all buckets. */
  readonly bytes: number;
  /** Bytes of records that were sent. */
  readonly sent: () => number;
}

/** Starts a server with at least so many bytes of log. */
export async function startFlood(bytes: number): Promise<Flood> {
  for (const api of ASKED as readonly Api[]) await loadApi(api);
  const descriptor = toDescriptorJson(definitionOf(flooded)) as object;
  const tableJson = new TextEncoder().encode(JSON.stringify({ bucket_key: [], ...descriptor }));
  const batch = makeBatch(tableJson);
  const buckets = definitionOf(flooded).buckets!;
  const batches = Math.ceil(bytes / buckets / batch.length);
  const end = BigInt(batches * BATCH_ROWS);
  let sent = 0;

  const answerFetch = (body: Uint8Array): Uint8Array => {
    const request = readMessage(API.FETCH_LOG.messages!.request, body);
    let left = request.maxBytes;
    const bucketsResp = request.tablesReq[0]!.bucketsReq.map(({ bucketId, fetchOffset, maxFetchBytes }) => {
      const first = Number(fetchOffset < 0n ? 0n : fetchOffset) / BATCH_ROWS;
      const most = Math.max(1, Math.floor(Math.min(maxFetchBytes, left) / batch.length));
      const count = Math.min(most, batches - first);
      const records = new Uint8Array(count * batch.length);
      const view = new DataView(records.buffer);
      for (let i = 0; i < count; i++) {
        records.set(batch, i * batch.length);
        // The checksum does not cover the offset.
        view.setBigInt64(i * batch.length, BigInt((first + i) * BATCH_ROWS), true);
      }
      left -= records.length;
      sent += records.length;
      return { bucketId, highWatermark: end, logStartOffset: 0n, records };
    });
    return writeMessage(API.FETCH_LOG.messages!.response, { tablesResp: [{ tableId: TABLE_ID, bucketsResp }] });
  };

  const server: FakeServer = await FakeServer.start((request: FakeRequest, peer: Peer) => {
    peer.answer(request.id, answer(request));
  });
  const host = { host: server.host, port: server.port };
  const answer = ({ apiKey, body }: FakeRequest): Uint8Array => {
    switch (apiByKey(apiKey)) {
      case API.GET_METADATA:
        return writeMessage(API.GET_METADATA.messages!.response, {
          coordinatorServer: { nodeId: 0, ...host },
          tabletServers: [{ nodeId: 0, ...host }],
          tableMetadata: [{
            tablePath: { databaseName: "flood", tableName: "rows" },
            tableId: TABLE_ID,
            schemaId: 1,
            tableJson,
            createdTime: 0n,
            modifiedTime: 0n,
            bucketMetadata: Array.from(
              { length: buckets },
              (_, bucketId) => ({ bucketId, leaderId: 0, leaderEpoch: 0 }),
            ),
          }],
        });
      case API.GET_TABLE_INFO:
        return writeMessage(API.GET_TABLE_INFO.messages!.response, {
          tableId: TABLE_ID,
          schemaId: 1,
          tableJson,
          createdTime: 0n,
          modifiedTime: 0n,
        });
      case API.LIST_OFFSETS: {
        const { bucketId, offsetType } = readMessage(API.LIST_OFFSETS.messages!.request, body);
        return writeMessage(API.LIST_OFFSETS.messages!.response, {
          bucketsResp: bucketId.map((bucketId) => ({ bucketId, offset: offsetType === 0 ? 0n : end })),
        });
      }
      case API.FETCH_LOG:
        return answerFetch(body);
      default:
        throw new Error(`the flood does not answer request ${apiKey}`);
    }
  };
  return {
    url: `fluss://${server.host}:${server.port}`,
    rows: batches * BATCH_ROWS * buckets,
    bytes: batches * batch.length * buckets,
    sent: () => sent,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function makeBatch(tableJson: Uint8Array): Uint8Array {
  const { schema } = parseDescriptor(tableJson, 1, flooded.name);
  const columns = schema.columns.map((column) => {
    const { key, type } = definitionOf(flooded).columns.find(({ name }) => name === column.name)!;
    return { ...column, key, type };
  });
  const builder = compileLogBuilder(columns, { format: "arrow", compression: { type: "none" } })(1);
  for (let i = 0; i < BATCH_ROWS; i++) builder.append({ id: i, name: `user-${i}`, score: i * 0.5, at: i });
  return builder.finish(-1n, -1).slice();
}
