/**
 * Tablet servers that hold logs, in this process: fetches with the server's rules for limits, cut batches, projection and
 * waiting, offsets, limit scans and KV scans, with whatever faults a test wants.
 *
 * Rows are kept as they were appended and encoded when they are sent, so that a projected answer is one of the server's
 * making.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { FlussClient } from "../src/client/client.ts";
import { API, type Api, apiByKey, loadApi } from "../src/client/rpc/api.ts";
import type { PbFetchLogRespForBucketSchema } from "../src/client/rpc/gen/fluss/v1/log_pb.ts";
import { optionalField, readMessage, writeMessage } from "../src/client/rpc/required.ts";
import { type BoundTable, TableBinding } from "../src/client/table/bound_table.ts";
import { ByteWriter } from "../src/format/byte_writer.ts";
import type { LogBatchFactory } from "../src/format/log_builder.ts";
import { compileLogBuilder } from "../src/format/log_builder.ts";
import { writeLogBatchHeader } from "../src/format/log_batch.ts";
import type { LogFormat } from "../src/format/log_decoder.ts";
import { compileRowWriter } from "../src/format/row_codec.ts";
import { type ConnectOptions, readOptions } from "../src/query/options.ts";
import type { SchemaColumn } from "../src/schema/data_type.ts";
import { definitionOf } from "../src/schema/definition.ts";
import { parseSchema, toDescriptorJson, toSchemaJson } from "../src/schema/descriptor.ts";
import type { AnyTable } from "../src/schema/infer.ts";
import { FakeServer, type Peer, versionsBody } from "./fake_server.ts";

const ASKED = [
  API.GET_METADATA,
  API.GET_TABLE_INFO,
  API.GET_TABLE_SCHEMA,
  API.LIST_PARTITION_INFOS,
  API.FETCH_LOG,
  API.LIST_OFFSETS,
  API.LIMIT_SCAN,
  API.SCAN_KV,
] as const;
for (const api of ASKED as readonly Api[]) await loadApi(api);

type RequestOf<A> = A extends { readonly messages: infer M }
  ? NonNullable<M> extends { readonly request: infer Q extends DescMessage } ? MessageValidType<Q> : never
  : never;
type Fetch = RequestOf<typeof API.FETCH_LOG>;
/** The fields of an answer for one bucket. */
export type BucketAnswer = Exclude<MessageInitShape<typeof PbFetchLogRespForBucketSchema>, { $typeName: string }>;

/** A row as tests append it. */
export type Row = Record<string, unknown>;

/** A request as a test sees it. */
export interface Call {
  readonly api: string;
  readonly server: number;
  /** Counts the calls of this API, from 1. */
  readonly nth: number;
}

/** What to do with a request instead of answering it. */
export type Action =
  | { readonly code: number }
  | { readonly hangUp: true }
  | { readonly silent: true }
  | { readonly hold: Promise<unknown> }
  | { readonly body: Uint8Array };

/** One bucket's part of a fetch. */
export interface BucketFetch {
  readonly table: FakeLogTable;
  readonly partition: string;
  readonly bucket: number;
  readonly server: number;
  readonly offset: bigint;
  readonly projection: readonly number[] | undefined;
}

/** What to answer for a bucket: a code, nothing at all, or an answer that the test has made or changed. */
export type BucketAction =
  | { readonly code: number; readonly message?: string }
  | "omit"
  | ((answer: BucketAnswer) => BucketAnswer);

interface FakeBatch {
  readonly base: bigint;
  readonly next: bigint;
  readonly schemaId: number;
  readonly timestamp: bigint;
  readonly rows: readonly Row[];
  /** The encoded batch by projection. */
  readonly encoded: Map<string, Uint8Array>;
}

/** One bucket with its log. */
export class FakeLog {
  leader: number;
  readonly batches: FakeBatch[] = [];
  /** The first offset that is kept. */
  start = 0n;
  end = 0n;
  /** Current rows, for scans of primary-key tables. */
  values: { readonly schemaId: number; readonly row: Row }[] = [];

  constructor(leader: number) {
    this.leader = leader;
  }

  /** Every row with its offset. */
  get rows(): { readonly offset: bigint; readonly row: Row }[] {
    return this.batches.flatMap(({ base, rows }) => rows.map((row, i) => ({ offset: base + BigInt(i), row })));
  }
}

/** A table in one incarnation. */
export class FakeLogTable {
  readonly database: string;
  readonly name: string;
  readonly id: bigint;
  readonly declared: AnyTable;
  readonly format: LogFormat;
  readonly partitions: Map<string, { readonly id: bigint; readonly logs: FakeLog[] }> = new Map();
  readonly schemas: Map<number, object> = new Map();
  readonly #columns = new Map<number, SchemaColumn[]>();
  readonly #factories = new Map<string, LogBatchFactory>();
  readonly #changed: () => void;
  #descriptor: { schema: object };

  constructor(declared: AnyTable, id: bigint, changed: () => void) {
    const definition = definitionOf(declared);
    [this.database, this.name] = declared.name.split(".") as [string, string];
    this.id = id;
    this.declared = declared;
    this.#changed = changed;
    this.#descriptor = {
      bucket_key: definition.primaryKey.filter((key) => !definition.partitionBy.includes(key)),
      bucket_count: 1,
      ...toDescriptorJson(definition),
    } as unknown as { schema: object };
    const { properties } = this.#descriptor as unknown as { properties: Record<string, string> };
    this.format = (properties["table.log.format"] ?? "ARROW").toLowerCase() as LogFormat;
    this.schemas.set(1, this.#descriptor.schema);
    this.#columns.set(1, definition.columns.map((column, i) => ({ ...column, id: i })));
  }

  get partitioned(): boolean {
    return definitionOf(this.declared).partitionBy.length > 0;
  }

  get schemaId(): number {
    return this.schemas.size;
  }

  get json(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#descriptor));
  }

  log(bucket: number, partition = ""): FakeLog {
    return this.partitions.get(partition)!.logs[bucket]!;
  }

  /** Gives the table the columns of another declaration, as a new schema. */
  evolve(declared: AnyTable): void {
    const definition = definitionOf(declared);
    const schema = toSchemaJson(definition) as object;
    const id = this.schemaId + 1;
    this.schemas.set(id, schema);
    this.#columns.set(id, definition.columns.map((column, i) => ({ ...column, id: i })));
    this.#descriptor = { ...this.#descriptor, schema };
  }

  /** Appends a batch; without rows, an empty one, which takes an offset. */
  append(
    bucket: number,
    rows: readonly Row[],
    options: { partition?: string; schemaId?: number; at?: number } = {},
  ): void {
    const log = this.log(bucket, options.partition);
    const next = log.end + BigInt(Math.max(1, rows.length));
    log.batches.push({
      base: log.end,
      next,
      schemaId: options.schemaId ?? this.schemaId,
      timestamp: BigInt(options.at ?? 1_000_000 + Number(log.end)),
      rows,
      encoded: new Map(),
    });
    log.end = next;
    this.#changed();
  }

  /** The bytes of a batch; undefined when it lacks a column of the projection. */
  encode(batch: FakeBatch, projection: readonly number[] | undefined): Uint8Array | undefined {
    const columns = this.#columns.get(batch.schemaId)!;
    if (projection !== undefined && projection.at(-1)! >= columns.length) return undefined;
    const key = projection?.join() ?? "";
    let bytes = batch.encoded.get(key);
    if (bytes === undefined) {
      bytes = batch.rows.length === 0 ? emptyBatch(batch.schemaId) : this.#build(batch, columns, projection);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      view.setBigInt64(0, batch.base, true);
      view.setBigInt64(13, batch.timestamp, true);
      // What a projecting server sends has the checksum of the whole batch.
      if (projection !== undefined) view.setUint32(21, 0xdead, true);
      batch.encoded.set(key, bytes);
    }
    return bytes;
  }

  #build(batch: FakeBatch, columns: SchemaColumn[], projection: readonly number[] | undefined): Uint8Array {
    const name = `${batch.schemaId} ${projection?.join() ?? ""}`;
    let factory = this.#factories.get(name);
    if (factory === undefined) {
      const sent = projection === undefined ? columns : projection.map((at) => columns[at]!);
      factory = compileLogBuilder(sent, { format: this.format, compression: { type: "none" } });
      this.#factories.set(name, factory);
    }
    const builder = factory(batch.schemaId);
    for (const row of batch.rows) builder.append(row);
    return builder.finish(-1n, -1).slice();
  }

  /** A value batch of current rows (Fluss: DefaultValueRecordBatch.java). */
  valueBatch(values: FakeLog["values"]): Uint8Array {
    const out = new ByteWriter();
    out.writeZeros(9);
    for (const { schemaId, row } of values) {
      const at = out.position;
      out.writeZeros(6);
      compileRowWriter(this.#columns.get(schemaId)!, "compacted")(out, row);
      out.view.setInt32(at, out.position - at - 4, true);
      out.view.setInt16(at + 4, schemaId, true);
    }
    out.view.setInt32(0, out.position - 4, true);
    out.view.setInt32(5, values.length, true);
    return out.toBytes();
  }

  /** The columns of a schema as a client reads them. */
  columns(schemaId: number): readonly SchemaColumn[] {
    const json = new TextEncoder().encode(JSON.stringify(this.schemas.get(schemaId)));
    return parseSchema(json, schemaId, this.name).columns;
  }
}

function emptyBatch(schemaId: number): Uint8Array {
  const bytes = new Uint8Array(48);
  writeLogBatchHeader(bytes, { magic: 0, schemaId, appendOnly: false, recordCount: 0, writerId: 7n, sequence: 3 });
  return bytes;
}

/** A fetch that waits for records. */
interface Waiting {
  readonly request: Fetch;
  readonly server: number;
  readonly answer: (body: Uint8Array) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** See the module. */
export class FakeLogCluster {
  readonly counts: Map<string, number> = new Map();
  readonly tables: Map<string, FakeLogTable> = new Map();
  onCall: (call: Call) => Action | undefined | void = () => {};
  onFetch: (fetch: BucketFetch) => BucketAction | undefined | void = () => {};
  /** Each fetch as it arrived. */
  readonly fetches: Fetch[] = [];
  /** Bytes of records that were sent. */
  sentBytes = 0;
  /** Requests of SCAN_KV that closed a scan. */
  closedScans = 0;
  /** The server's clock, for timestamps. */
  now = 10_000_000;
  readonly servers: FakeServer[] = [];
  readonly #ports: number[] = [];
  readonly #waiting = new Set<Waiting>();
  readonly #scans = new Map<string, { log: FakeLog; table: FakeLogTable; at: number; seq: number }>();
  #nextId = 1n;

  /** Starts tablet servers 0, 1, ... */
  static async start(tablets = 1): Promise<FakeLogCluster> {
    const cluster = new FakeLogCluster();
    for (let id = 0; id < tablets; id++) {
      const server = await FakeServer.start((request, peer) => cluster.#onRequest(id, request, peer), {
        versions: versionsBody(2),
      });
      cluster.servers.push(server);
      cluster.#ports.push(server.port);
    }
    return cluster;
  }

  get url(): string {
    return `fluss://127.0.0.1:${this.#ports[0]}`;
  }

  count(api: { readonly name: string }): number {
    return this.counts.get(api.name) ?? 0;
  }

  /** Fetches that wait for records. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Creates a table, or makes it anew under another id. Leaders go round the servers. */
  create(declared: AnyTable): FakeLogTable {
    const table = new FakeLogTable(declared, this.#nextId++, () => this.#changed());
    this.tables.set(declared.name, table);
    if (!table.partitioned) this.createPartition(table, "");
    return table;
  }

  createPartition(table: FakeLogTable, partition: string): void {
    const count = definitionOf(table.declared).buckets ?? 1;
    table.partitions.set(partition, {
      id: this.#nextId++,
      logs: Array.from({ length: count }, (_, bucket) => new FakeLog(bucket % this.servers.length)),
    });
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting) clearTimeout(timer);
    await Promise.all(this.servers.map((server) => server.close()));
  }

  #onRequest(server: number, request: { apiKey: number; id: number; body: Uint8Array }, peer: Peer): void {
    const api = apiByKey(request.apiKey)! as (typeof ASKED)[number];
    const nth = (this.counts.get(api.name) ?? 0) + 1;
    this.counts.set(api.name, nth);
    const action = this.onCall({ api: api.name, server, nth });
    if (action !== undefined) {
      if ("code" in action) return peer.error(request.id, action.code);
      if ("hangUp" in action) return peer.destroy();
      if ("silent" in action) return;
      if ("body" in action) return peer.answer(request.id, action.body);
    }
    const answer = (body: Uint8Array | number) => {
      if (typeof body === "number") peer.error(request.id, body);
      else peer.answer(request.id, body);
    };
    const reply = (body: Uint8Array | number) => {
      if (action === undefined) answer(body);
      else void action.hold.then(() => answer(body));
    };
    if (api.name === "FETCH_LOG") {
      this.#fetch(readMessage(API.FETCH_LOG.messages!.request, request.body), server, reply);
    } else reply(this.#answer(api.name, request.body, server));
  }

  #answer(
    api: Exclude<(typeof ASKED)[number]["name"], "FETCH_LOG">,
    body: Uint8Array,
    server: number,
  ): Uint8Array | number {
    const messages = <A extends Api>(api: A) => api.messages as NonNullable<A["messages"]>;
    switch (api) {
      case "GET_METADATA":
        return this.#metadata(readMessage(messages(API.GET_METADATA).request, body));
      case "GET_TABLE_INFO": {
        const table = this.#table(readMessage(messages(API.GET_TABLE_INFO).request, body).tablePath);
        if (table === undefined) return 7;
        const { id: tableId, schemaId, json: tableJson } = table;
        const times = { createdTime: 1n, modifiedTime: 1n };
        return writeMessage(messages(API.GET_TABLE_INFO).response, { tableId, schemaId, tableJson, ...times });
      }
      case "GET_TABLE_SCHEMA": {
        const request = readMessage(messages(API.GET_TABLE_SCHEMA).request, body);
        const table = this.#table(request.tablePath);
        const schemaId = optionalField(request, "schemaId") ?? table?.schemaId ?? 0;
        const schema = table?.schemas.get(schemaId);
        if (schema === undefined) return table === undefined ? 7 : 9;
        const schemaJson = new TextEncoder().encode(JSON.stringify(schema));
        return writeMessage(messages(API.GET_TABLE_SCHEMA).response, { schemaId, schemaJson });
      }
      case "LIST_PARTITION_INFOS": {
        const table = this.#table(readMessage(messages(API.LIST_PARTITION_INFOS).request, body).tablePath);
        if (table === undefined) return 7;
        const keys = definitionOf(table.declared).partitionBy;
        return writeMessage(messages(API.LIST_PARTITION_INFOS).response, {
          partitionsInfo: [...table.partitions].map(([name, { id: partitionId }]) => ({
            partitionId,
            partitionSpec: { partitionKeyValues: name.split("$").map((value, i) => ({ key: keys[i]!, value })) },
          })),
        });
      }
      case "LIST_OFFSETS":
        return this.#offsets(readMessage(messages(API.LIST_OFFSETS).request, body), server);
      case "LIMIT_SCAN":
        return this.#limitScan(readMessage(messages(API.LIMIT_SCAN).request, body), server);
      default:
        return this.#scanKv(readMessage(messages(API.SCAN_KV).request, body), server);
    }
  }

  #table(path: { databaseName: string; tableName: string } | undefined): FakeLogTable | undefined {
    return this.tables.get(`${path!.databaseName}.${path!.tableName}`);
  }

  #metadata(request: RequestOf<typeof API.GET_METADATA>): Uint8Array | number {
    const node = (nodeId: number) => ({ nodeId, host: "127.0.0.1", port: this.#ports[nodeId]! });
    const leaders = (logs: readonly FakeLog[]) =>
      logs.map(({ leader }, bucketId) => leader < 0 ? { bucketId } : { bucketId, leaderId: leader });
    const tableMetadata: object[] = [];
    const partitionMetadata: object[] = [];
    for (const { databaseName, tableName } of request.tablePath) {
      const table = this.#table({ databaseName, tableName });
      if (table === undefined) return 7;
      tableMetadata.push({
        tablePath: { databaseName, tableName },
        tableId: table.id,
        schemaId: table.schemaId,
        tableJson: table.json,
        bucketMetadata: table.partitioned ? [] : leaders(table.partitions.get("")!.logs),
        createdTime: 1n,
        modifiedTime: 1n,
      });
    }
    for (const path of request.partitionsPath) {
      const table = this.#table(path);
      const partition = table?.partitions.get(path.partitionName);
      if (partition === undefined) return 36;
      const { id: partitionId, logs } = partition;
      const { partitionName } = path;
      partitionMetadata.push({ tableId: table!.id, partitionName, partitionId, bucketMetadata: leaders(logs) });
    }
    return writeMessage(API.GET_METADATA.messages!.response, {
      tabletServers: this.#ports.map((_, id) => node(id)),
      tableMetadata,
      partitionMetadata,
    } as MessageInitShape<NonNullable<typeof API.GET_METADATA.messages>["response"]>);
  }

  /** The log that a request names, or the code that says why not. */
  #find(
    tableId: bigint,
    partitionId: bigint | undefined,
    bucket: number,
    server: number,
  ): { readonly table: FakeLogTable; readonly partition: string; readonly log: FakeLog } | number {
    const table = [...this.tables.values()].find(({ id }) => id === tableId);
    const found = [...table?.partitions ?? []].find(([, { id }]) => table!.partitioned ? id === partitionId : true);
    const log = found?.[1].logs[bucket];
    if (log === undefined) return 21;
    return log.leader === server ? { table: table!, partition: found![0], log } : 12;
  }

  #fetch(request: Fetch, server: number, answer: (body: Uint8Array) => void): void {
    this.fetches.push(request);
    const waits = optionalField(request, "minBytes") !== undefined && request.maxWaitMs > 0;
    const { body, bytes, failed } = this.#read(request, server);
    if (!waits || bytes > 0 || failed) return answer(body);
    const waiting: Waiting = {
      request,
      server,
      answer,
      timer: setTimeout(() => this.#stopWaiting(waiting), request.maxWaitMs),
    };
    this.#waiting.add(waiting);
  }

  #stopWaiting(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    if (this.#waiting.delete(waiting)) waiting.answer(this.#read(waiting.request, waiting.server).body);
  }

  #changed(): void {
    for (const waiting of [...this.#waiting]) {
      const named = waiting.request.tablesReq.some(({ tableId, bucketsReq }) =>
        bucketsReq.some((part) => {
          const found = this.#find(tableId, optionalField(part, "partitionId"), part.bucketId, waiting.server);
          return typeof found === "number" || found.log.end > part.fetchOffset;
        })
      );
      if (named) this.#stopWaiting(waiting);
    }
  }

  #read(request: Fetch, server: number): { body: Uint8Array; bytes: number; failed: boolean } {
    let left = request.maxBytes;
    let bytes = 0;
    let failed = false;
    const tables = new Map<bigint, BucketAnswer[]>();
    // A server's own order: by bucket, from the last.
    const parts = request.tablesReq.flatMap((table) => table.bucketsReq.map((part) => ({ table, part }))).reverse();
    for (const { table: { tableId, projectionPushdownEnabled, projectedFields }, part } of parts) {
      const partitionId = optionalField(part, "partitionId");
      const where: BucketAnswer = { bucketId: part.bucketId, ...(partitionId === undefined ? {} : { partitionId }) };
      const projection = projectionPushdownEnabled ? projectedFields : undefined;
      const found = this.#find(tableId, partitionId, part.bucketId, server);
      const action = typeof found === "number" ? undefined : this.onFetch({
        table: found.table,
        partition: found.partition,
        bucket: part.bucketId,
        server,
        offset: part.fetchOffset,
        projection,
      });
      if (action === "omit") continue;
      let answer: BucketAnswer;
      if (typeof found === "number") answer = { ...where, errorCode: found };
      else if (action !== undefined && "code" in action) {
        answer = { ...where, errorCode: action.code, errorMessage: action.message ?? "" };
      } else {
        const max = Math.min(part.maxFetchBytes, left);
        answer = { ...where, ...readLog(found.table, found.log, part.fetchOffset, max, bytes === 0, projection) };
        if (typeof action === "function") answer = action(answer);
      }
      const records = answer.records?.length ?? 0;
      if (answer.errorCode !== undefined) failed = true;
      left = Math.max(0, left - records);
      bytes += records;
      const answers = tables.get(tableId);
      if (answers === undefined) tables.set(tableId, [answer]);
      else answers.push(answer);
    }
    this.sentBytes += bytes;
    const tablesResp = [...tables].map(([tableId, bucketsResp]) => ({ tableId, bucketsResp }));
    return { body: writeMessage(API.FETCH_LOG.messages!.response, { tablesResp }), bytes, failed };
  }

  #offsets(request: RequestOf<typeof API.LIST_OFFSETS>, server: number): Uint8Array {
    const partitionId = optionalField(request, "partitionId");
    const bucketsResp = request.bucketId.map((bucketId) => {
      const found = this.#find(request.tableId, partitionId, bucketId, server);
      if (typeof found === "number") return { bucketId, errorCode: found };
      const { log } = found;
      if (request.offsetType === 0) return { bucketId, offset: log.start };
      if (request.offsetType === 1) return { bucketId, offset: log.end };
      if (request.startTimestamp > BigInt(this.now)) return { bucketId, errorCode: 38, errorMessage: "is larger" };
      const batch = log.batches.find((batch) => batch.base >= log.start && batch.timestamp >= request.startTimestamp);
      return { bucketId, offset: batch?.base ?? log.end };
    });
    return writeMessage(API.LIST_OFFSETS.messages!.response, { bucketsResp });
  }

  #limitScan(request: RequestOf<typeof API.LIMIT_SCAN>, server: number): Uint8Array {
    const { response } = API.LIMIT_SCAN.messages!;
    const found = this.#find(request.tableId, optionalField(request, "partitionId"), request.bucketId, server);
    if (typeof found === "number") return writeMessage(response, { errorCode: found });
    const { table, log } = found;
    if (definitionOf(table.declared).primaryKey.length > 0) {
      const records = table.valueBatch(log.values.slice(0, request.limit));
      return writeMessage(response, { isLogTable: false, records });
    }
    const from = log.end - BigInt(request.limit);
    if (from < log.start && log.start > 0n) return writeMessage(response, { errorCode: 19 });
    const batches = log.batches.filter(({ next }) => next > from).map((batch) => table.encode(batch, undefined)!);
    return writeMessage(response, { isLogTable: true, records: concat(batches) });
  }

  #scanKv(request: RequestOf<typeof API.SCAN_KV>, server: number): Uint8Array {
    const { response } = API.SCAN_KV.messages!;
    const id = optionalField(request, "scannerId");
    if (request.closeScanner) {
      this.#scans.delete(String(id));
      this.closedScans++;
      return writeMessage(response, {});
    }
    let scan = id === undefined ? undefined : this.#scans.get(String(id));
    if (id === undefined) {
      const { tableId, bucketId } = request.bucketScanReq!;
      const found = this.#find(tableId, optionalField(request.bucketScanReq!, "partitionId"), bucketId, server);
      if (typeof found === "number") return writeMessage(response, { errorCode: found });
      const { table, log } = found;
      if (log.values.length === 0) return writeMessage(response, { hasMoreResults: false, logOffset: log.end });
      scan = { log, table, at: 0, seq: 0 };
    }
    if (scan === undefined) return writeMessage(response, { errorCode: 67 });
    if (request.callSeqId !== scan.seq++) return writeMessage(response, { errorCode: 68 });
    const values = scan.log.values.slice(scan.at, scan.at + Math.max(1, Math.floor(request.batchSizeBytes / 1024)));
    scan.at += values.length;
    const hasMoreResults = scan.at < scan.log.values.length;
    const scannerId = id ?? new Uint8Array([this.#scans.size + 1, 1]);
    if (hasMoreResults) this.#scans.set(String(scannerId), scan);
    else this.#scans.delete(String(scannerId));
    const records = scan.table.valueBatch(values);
    return writeMessage(response, { scannerId, hasMoreResults, records, logOffset: scan.log.end });
  }
}

/** What an answer says of a bucket besides its name. */
interface Part {
  readonly highWatermark?: bigint;
  readonly logStartOffset?: bigint;
  readonly records?: Uint8Array;
  readonly errorCode?: number;
  readonly errorMessage?: string;
}

/** A fetch of one bucket by the rules of 0.9.1: whole records may end in the middle of a batch, projected ones do not. */
function readLog(
  table: FakeLogTable,
  log: FakeLog,
  offset: bigint,
  maxBytes: number,
  isFirst: boolean,
  projection: readonly number[] | undefined,
): Part {
  const from = offset === -2n ? log.start : offset;
  if (from < log.start || from > log.end) {
    const errorMessage = `Received request for offset ${from}, but we only have ${log.start} up to ${log.end}.`;
    return { errorCode: 19, errorMessage };
  }
  if (projection !== undefined && table.format !== "arrow") return { errorCode: 34 };
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (const batch of log.batches) {
    if (batch.next <= from || bytes >= maxBytes && !(isFirst && bytes === 0)) continue;
    const encoded = table.encode(batch, projection);
    if (encoded === undefined) return { errorCode: 34, errorMessage: "Projected fields are out of bound" };
    if (bytes + encoded.length > maxBytes && !(isFirst && bytes === 0)) {
      if (projection === undefined) parts.push(encoded.subarray(0, maxBytes - bytes));
      break;
    }
    parts.push(encoded);
    bytes += encoded.length;
  }
  return { highWatermark: log.end, logStartOffset: 0n, records: concat(parts) };
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Runs a test on fake servers with one client. */
export async function withFakeLogs(
  tablets: number,
  options: ConnectOptions,
  run: (cluster: FakeLogCluster, client: FlussClient) => Promise<void>,
): Promise<void> {
  const cluster = await FakeLogCluster.start(tablets);
  const client = new FlussClient(readOptions(cluster.url, options).client);
  try {
    await client.cluster.start();
    await run(cluster, client);
  } finally {
    await client.close({ drop: true });
    await cluster.close();
  }
}

/** Finds a table as a handle does. */
export function bind(client: FlussClient, declared: AnyTable): Promise<BoundTable> {
  const definition = definitionOf(declared);
  const path = { database: definition.database ?? "", table: definition.name };
  return new TableBinding(client, path, definition).find(client.cluster.deadline());
}
