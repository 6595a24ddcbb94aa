/**
 * A whole Fluss cluster in this process: a coordinator and tablet servers on loopback ports, with the server's rules for
 * metadata, writer ids, idempotent puts and lookups, and with whatever faults a test wants.
 *
 * Rows are kept per bucket as the bytes that clients sent, and every applied record is remembered in order, so that a
 * test can tell whether something was lost, written twice or written out of order.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { API, type Api, apiByKey, loadApi } from "../src/client/rpc/api.ts";
import { optionalField, readMessage, writeMessage } from "../src/client/rpc/required.ts";
import { layOut } from "../src/client/table/layout.ts";
import { type Row, TableCodec } from "../src/client/table/table_codec.ts";
import { compileRowWriter, compileValueReader, type ValueReader } from "../src/format/row_codec.ts";
import { ByteWriter } from "../src/format/byte_writer.ts";
import { definitionOf } from "../src/schema/definition.ts";
import { parseDescriptor, toDescriptorJson } from "../src/schema/descriptor.ts";
import type { AnyTable } from "../src/schema/infer.ts";
import { connect, type ConnectOptions, type Db } from "../mod.ts";
import { apply, hex, type ReadBatch, readKvBatch, readLogBatch } from "./fake_batches.ts";
import { FakeServer, type Peer, versionsBody } from "./fake_server.ts";

const ASKED = [
  API.GET_METADATA,
  API.GET_TABLE_INFO,
  API.GET_TABLE_SCHEMA,
  API.INIT_WRITER,
  API.PUT_KV,
  API.PRODUCE_LOG,
  API.LOOKUP,
  API.PREFIX_LOOKUP,
  API.CREATE_PARTITION,
] as const;
for (const api of ASKED as readonly Api[]) await loadApi(api);

/** The requests that the fake answers. */
export type AskedApi = (typeof ASKED)[number];

type RequestOf<A> = A extends { readonly messages: infer M }
  ? NonNullable<M> extends { readonly request: infer Q extends DescMessage } ? MessageValidType<Q> : never
  : never;

/** A request as a test sees it. */
export interface Call {
  readonly api: string;
  /** The id of the tablet server that got it, or {@linkcode COORDINATOR}. */
  readonly server: number;
  /** Counts the calls of this API, from 1. */
  readonly nth: number;
  readonly peer: Peer;
}

/** The server id of the coordinator in {@linkcode Call}. */
export const COORDINATOR = -1;

/** What to do with a request instead of answering it. */
export type Action =
  /** Refuse it as a whole, with nothing done. */
  | { readonly code: number; readonly message?: string }
  /** Do it or not, and never answer. */
  | { readonly silent: "undone" | "done" }
  /** Do it or not, and close the connection: without an answer, or in the middle of it. */
  | { readonly hangUp: "undone" | "done" | "midway" }
  /** Do it at once, and answer when the promise resolves. */
  | { readonly hold: Promise<unknown> }
  /** Do it at once, and answer with these bytes. */
  | { readonly body: Uint8Array };

/** One bucket's part of a put. */
export interface BucketPut {
  readonly table: FakeTable;
  readonly partition: string | undefined;
  readonly bucket: number;
  readonly server: number;
  /** Counts the puts to this bucket, from 1, whatever became of them. */
  readonly nth: number;
  readonly writerId: bigint;
  readonly sequence: number;
}

/** What to answer for one bucket instead. */
export type BucketAction =
  /** This code, before or after the batch was applied. */
  | { readonly code: number; readonly message?: string; readonly applied?: boolean }
  /** Nothing at all for the bucket; the batch is applied. */
  | "omit";

/** A record that was applied. */
export interface Applied {
  readonly key: string;
  /** The row as it was sent, or null for a delete. */
  readonly row: Row | null;
  /** Positions of the columns that were written; undefined for whole rows. */
  readonly targets: readonly number[] | undefined;
}

/** What a request to write has, whichever it is. */
type WriteRequest = RequestOf<typeof API.PUT_KV> | RequestOf<typeof API.PRODUCE_LOG>;

/** What became of one bucket's batch. */
interface Written {
  readonly where: { readonly partitionId?: bigint; readonly bucketId: number };
  readonly errorCode: number;
  readonly errorMessage: string;
  /** The end of the log behind the batch; undefined when it was refused. */
  readonly end: bigint | undefined;
  readonly rows: number;
}

/** What a bucket remembers of a writer. */
export interface WriterState {
  /** The last five batches. */
  readonly batches: { readonly sequence: number; readonly endOffset: bigint }[];
}

/** A row as it was sent. */
export interface Stored {
  readonly key: Uint8Array;
  readonly schemaId: number;
  readonly bytes: Uint8Array;
}

/** One bucket with its rows. */
export class FakeBucket {
  /** The tablet server that leads it; -1 for none. */
  leader: number;
  endOffset = 0n;
  puts = 0;
  readonly rows: Map<string, Stored> = new Map();
  /** Every record that was applied, in order. */
  readonly applied: Applied[] = [];
  readonly writers: Map<bigint, WriterState> = new Map();

  constructor(leader: number) {
    this.leader = leader;
  }
}

/** A table of the fake cluster, in one incarnation: made anew under the same name it is another one. */
export class FakeTable {
  readonly database: string;
  readonly name: string;
  readonly id: bigint;
  readonly declared: AnyTable;
  /** The buckets, by partition name; under "" those of a table without partitions. */
  readonly partitions: Map<string, { readonly id: bigint; readonly buckets: FakeBucket[] }> = new Map();
  /** Schema JSON by id; the last one is current. */
  readonly schemas: Map<number, object> = new Map();
  /** Keys that a lookup with `insertIfMissing` may insert; the fake does not decode keys. */
  insertable: readonly Row[] = [];
  readonly #codecs = new Map<number, { readonly codec: TableCodec; readonly read: ValueReader }>();
  #descriptor: { schema: object };

  constructor(declared: AnyTable, id: bigint) {
    [this.database, this.name] = declared.name.split(".") as [string, string];
    this.id = id;
    this.declared = declared;
    const definition = definitionOf(declared);
    this.#descriptor = {
      bucket_key: definition.primaryKey.filter((key) => !definition.partitionBy.includes(key)),
      bucket_count: 1,
      ...toDescriptorJson(definition),
    } as unknown as { schema: object };
    this.schemas.set(1, this.#descriptor.schema);
  }

  get partitioned(): boolean {
    return definitionOf(this.declared).partitionBy.length > 0;
  }

  get schemaId(): number {
    return Math.max(...this.schemas.keys());
  }

  /** The table's descriptor as servers send it. */
  get json(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#descriptor));
  }

  /** Gives the table the columns of another declaration, as a new schema. */
  evolve(declared: AnyTable): void {
    const { schema } = toDescriptorJson(definitionOf(declared)) as unknown as { schema: object };
    this.schemas.set(this.schemaId + 1, schema);
    this.#descriptor = { ...this.#descriptor, schema };
  }

  bucket(bucket: number, partition = ""): FakeBucket {
    return this.partitions.get(partition)!.buckets[bucket]!;
  }

  get buckets(): FakeBucket[] {
    return [...this.partitions.values()].flatMap((partition) => partition.buckets);
  }

  /** All rows, by key text. */
  rows(): Map<string, Row> {
    const rows = new Map<string, Row>();
    for (const bucket of this.buckets) {
      for (const [key, stored] of bucket.rows) rows.set(key, this.read(stored.schemaId, stored.bytes));
    }
    return rows;
  }

  /** The key of a row as {@linkcode rows} and {@linkcode Applied} name it. */
  keyText(row: Row): string {
    const placed = this.codec(this.schemaId).codec.place(row);
    return hex(placed.bytes.subarray(0, placed.end));
  }

  /** Where a row belongs. */
  bucketOf(row: Row): number {
    return this.codec(this.schemaId).codec.place(row).bucket;
  }

  read(schemaId: number, bytes: Uint8Array): Row {
    return this.codec(schemaId).read(bytes, 0, bytes.length);
  }

  write(schemaId: number, row: Row): Uint8Array {
    const out = new ByteWriter();
    compileRowWriter(this.codec(schemaId).codec.layout.columns, "compacted")(out, row);
    return out.toBytes();
  }

  codec(schemaId: number): { readonly codec: TableCodec; readonly read: ValueReader } {
    let found = this.#codecs.get(schemaId);
    if (found === undefined) {
      const json = JSON.stringify({ ...this.#descriptor, schema: this.schemas.get(schemaId) });
      const live = parseDescriptor(new TextEncoder().encode(json), schemaId, this.name);
      const codec = new TableCodec(layOut(definitionOf(this.declared), live, this.name));
      const { stored } = codec.layout;
      this.#codecs.set(schemaId, found = { codec, read: compileValueReader(stored, stored, "compacted") });
    }
    return found;
  }
}

/** See the module. */
export class FakeCluster {
  /** What arrived, by API name. */
  readonly counts: Map<string, number> = new Map();
  readonly tables: Map<string, FakeTable> = new Map();
  /** Says what to do with a request instead of answering it. */
  onCall: (call: Call) => Action | undefined | void = () => {};
  /** Says what to do with one bucket's part of a put. */
  onPut: (put: BucketPut) => BucketAction | undefined | void = () => {};
  /** Says what to answer for one bucket of a lookup: a code, or this many values less. */
  onLookup: (bucket: number, server: number) => { code: number } | { fewer: number } | undefined | void = () => {};
  /** What metadata says of tablet servers; by default those that listen. */
  listed: readonly number[] | undefined;
  /** The `pressure` that puts are answered with. */
  pressure: number | undefined;
  coordinator!: FakeServer;
  readonly tabletServers: Map<number, FakeServer> = new Map();
  readonly #ports = new Map<number, number>();
  #nextId = 1n;
  #nextWriterId = 100n;

  /** Starts a coordinator and tablet servers 0, 1, ... */
  static async start(tablets = 1): Promise<FakeCluster> {
    const cluster = new FakeCluster();
    cluster.coordinator = await FakeServer.start(
      (request, peer) => cluster.#onRequest(COORDINATOR, request, peer),
      { versions: versionsBody(1) },
    );
    for (let id = 0; id < tablets; id++) await cluster.startTablet(id);
    return cluster;
  }

  /** The URL with the coordinator as bootstrap server. */
  get url(): string {
    return `fluss://127.0.0.1:${this.coordinator.port}`;
  }

  /** Starts a tablet server, at its old port if it ran before. */
  async startTablet(id: number, port: number | undefined = this.#ports.get(id)): Promise<void> {
    const server = await FakeServer.start(
      (request, peer) => this.#onRequest(id, request, peer),
      { versions: versionsBody(2), ...(port === undefined ? {} : { port }) },
    );
    this.#ports.set(id, server.port);
    this.tabletServers.set(id, server);
  }

  /** Ends a tablet server with all its connections. */
  async stopTablet(id: number): Promise<void> {
    await this.tabletServers.get(id)!.close();
    this.tabletServers.delete(id);
  }

  async close(): Promise<void> {
    await Promise.all([this.coordinator, ...this.tabletServers.values()].map((server) => server.close()));
  }

  /** How many requests of an API arrived. */
  count(api: { readonly name: string }): number {
    return this.counts.get(api.name) ?? 0;
  }

  /** Connections of clients that are open. */
  get openConnections(): number {
    return [this.coordinator, ...this.tabletServers.values()]
      .flatMap((server) => server.peers).filter((peer) => !peer.socket.destroyed).length;
  }

  /** Creates a table, or makes it anew under another id. Leaders go round the tablet servers. */
  create(declared: AnyTable): FakeTable {
    const table = new FakeTable(declared, this.#nextId++);
    this.tables.set(declared.name, table);
    if (!table.partitioned) this.createPartition(table, "");
    return table;
  }

  createPartition(table: FakeTable, partition: string): void {
    const count = definitionOf(table.declared).buckets ?? 1;
    const ids = [...this.tabletServers.keys()];
    table.partitions.set(partition, {
      id: this.#nextId++,
      buckets: Array.from({ length: count }, (_, bucket) => new FakeBucket(ids[bucket % ids.length]!)),
    });
  }

  #onRequest(server: number, request: { apiKey: number; id: number; body: Uint8Array }, peer: Peer): void {
    const api = apiByKey(request.apiKey)! as AskedApi;
    const nth = (this.counts.get(api.name) ?? 0) + 1;
    this.counts.set(api.name, nth);
    const action = this.onCall({ api: api.name, server, nth, peer });
    if (action !== undefined) {
      if ("code" in action) return peer.error(request.id, action.code, action.message);
      if ("silent" in action && action.silent === "undone") return;
      if ("hangUp" in action && action.hangUp === "undone") return peer.destroy();
    }
    const answer = this.#answer(api, server, request.body);
    if (action !== undefined) {
      if ("silent" in action) return;
      if ("hangUp" in action && action.hangUp === "done") return peer.destroy();
      if ("hangUp" in action) {
        // A length of 1000, and less than that.
        peer.raw(new Uint8Array([0, 0, 3, 232, 0, 0, 0, 0]));
        peer.socket.end();
        return;
      }
      if ("body" in action) return peer.answer(request.id, action.body);
    }
    const reply = () => {
      if (typeof answer === "number") peer.error(request.id, answer);
      else peer.answer(request.id, answer);
    };
    if (action !== undefined && "hold" in action) void action.hold.then(reply);
    else reply();
  }

  /** The answer's bytes, or the code of an error. */
  #answer(api: AskedApi, server: number, body: Uint8Array): Uint8Array | number {
    switch (api.name) {
      case "GET_METADATA":
        return this.#metadata(readMessage(API.GET_METADATA.messages!.request, body));
      case "GET_TABLE_INFO": {
        const table = this.#table(readMessage(API.GET_TABLE_INFO.messages!.request, body).tablePath);
        if (table === undefined) return 7;
        return writeMessage(API.GET_TABLE_INFO.messages!.response, {
          tableId: table.id,
          schemaId: table.schemaId,
          tableJson: table.json,
          createdTime: 1n,
          modifiedTime: 1n,
        });
      }
      case "GET_TABLE_SCHEMA": {
        const request = readMessage(API.GET_TABLE_SCHEMA.messages!.request, body);
        const table = this.#table(request.tablePath);
        if (table === undefined) return 7;
        const schemaId = optionalField(request, "schemaId") ?? table.schemaId;
        const schema = table.schemas.get(schemaId);
        if (schema === undefined) return 9;
        return writeMessage(API.GET_TABLE_SCHEMA.messages!.response, {
          schemaId,
          schemaJson: new TextEncoder().encode(JSON.stringify(schema)),
        });
      }
      case "INIT_WRITER":
        return writeMessage(API.INIT_WRITER.messages!.response, { writerId: this.#nextWriterId++ });
      case "PUT_KV":
        return this.#put(readMessage(API.PUT_KV.messages!.request, body), server);
      case "PRODUCE_LOG":
        return this.#produce(readMessage(API.PRODUCE_LOG.messages!.request, body), server);
      case "LOOKUP":
        return this.#lookup(readMessage(API.LOOKUP.messages!.request, body), server);
      case "PREFIX_LOOKUP":
        return this.#prefixLookup(readMessage(API.PREFIX_LOOKUP.messages!.request, body), server);
      case "CREATE_PARTITION": {
        const request = readMessage(API.CREATE_PARTITION.messages!.request, body);
        const table = this.#table(request.tablePath);
        if (table === undefined) return 7;
        const name = request.partitionSpec!.partitionKeyValues.map(({ value }) => value).join("$");
        if (!table.partitions.has(name)) this.createPartition(table, name);
        else if (!request.ignoreIfNotExists) return 42;
        return new Uint8Array(0);
      }
      default:
        throw new Error(`the fake cluster does not serve ${(api as { name: string }).name}`);
    }
  }

  #table(path: { databaseName: string; tableName: string } | undefined): FakeTable | undefined {
    return this.tables.get(`${path!.databaseName}.${path!.tableName}`);
  }

  #metadata(request: RequestOf<typeof API.GET_METADATA>): Uint8Array | number {
    const node = (id: number, port: number) => ({ nodeId: id, host: "127.0.0.1", port });
    const message: MessageInitShape<NonNullable<typeof API.GET_METADATA.messages>["response"]> & {
      tableMetadata: object[];
      partitionMetadata: object[];
    } = {
      coordinatorServer: node(0, this.coordinator.port),
      tabletServers: (this.listed ?? [...this.tabletServers.keys()]).map((id) => node(id, this.#ports.get(id)!)),
      tableMetadata: [],
      partitionMetadata: [],
    };
    const leaders = (buckets: readonly FakeBucket[]) =>
      buckets.map(({ leader }, bucketId) => leader < 0 ? { bucketId } : { bucketId, leaderId: leader });
    for (const path of request.tablePath) {
      const table = this.#table(path);
      if (table === undefined) return 7;
      message.tableMetadata.push({
        tablePath: { databaseName: path.databaseName, tableName: path.tableName },
        tableId: table.id,
        schemaId: table.schemaId,
        tableJson: table.json,
        bucketMetadata: table.partitioned ? [] : leaders(table.partitions.get("")!.buckets),
        createdTime: 1n,
        modifiedTime: 1n,
      });
    }
    for (const path of request.partitionsPath) {
      const table = this.#table(path);
      const partition = table?.partitions.get(path.partitionName);
      if (partition === undefined) return 36;
      message.partitionMetadata.push({
        tableId: table!.id,
        partitionName: path.partitionName,
        partitionId: partition.id,
        bucketMetadata: leaders(partition.buckets),
      });
    }
    return writeMessage(API.GET_METADATA.messages!.response, message);
  }

  /** The bucket that a request names, or the code that says why not. */
  #bucket(
    tableId: bigint,
    partitionId: bigint | undefined,
    bucket: number,
    server: number,
  ): { readonly table: FakeTable; readonly partition: string | undefined; readonly bucket: FakeBucket } | number {
    const table = [...this.tables.values()].find(({ id }) => id === tableId);
    if (table === undefined) return 21;
    const found = [...table.partitions].find(([, { id }]) => !table.partitioned || id === partitionId);
    if (found === undefined || found[1].buckets[bucket] === undefined) return 21;
    if (found[1].buckets[bucket]!.leader !== server) return 12;
    return { table, partition: table.partitioned ? found[0] : undefined, bucket: found[1].buckets[bucket]! };
  }

  #put(request: RequestOf<typeof API.PUT_KV>, server: number): Uint8Array | number {
    const targets = request.targetColumns.length === 0 ? undefined : request.targetColumns;
    const written = this.#write(
      request,
      server,
      (table, bucket, records) => readKvBatch(table, bucket, records, targets),
    );
    if (typeof written === "number") return written;
    const pressure = this.pressure === undefined ? {} : { pressure: this.pressure };
    return writeMessage(API.PUT_KV.messages!.response, {
      bucketsResp: written.map(({ where, errorCode, errorMessage, end }) => ({
        ...where,
        ...(end === undefined ? { errorCode, errorMessage } : { logEndOffset: end, ...pressure }),
      })),
    });
  }

  #produce(request: RequestOf<typeof API.PRODUCE_LOG>, server: number): Uint8Array | number {
    const written = this.#write(request, server, readLogBatch);
    if (typeof written === "number") return written;
    return writeMessage(API.PRODUCE_LOG.messages!.response, {
      bucketsResp: written.map(({ where, errorCode, errorMessage, end, rows }) => ({
        ...where,
        ...(end === undefined ? { errorCode, errorMessage } : { baseOffset: end - BigInt(rows) }),
      })),
    });
  }

  /** Applies the batches of a request, by whatever the test wants to become of them. */
  #write(request: WriteRequest, server: number, read: ReadBatch): Written[] | number {
    if (![-1, 0, 1].includes(request.acks)) return 18;
    return request.bucketsReq.flatMap((part): Written[] => {
      const { bucketId, records } = part;
      const partitionId = optionalField(part, "partitionId");
      const where = partitionId === undefined ? { bucketId } : { partitionId, bucketId };
      const found = this.#bucket(request.tableId, partitionId, bucketId, server);
      const refused = (errorCode: number, errorMessage = ""): Written[] => [
        { where, errorCode, errorMessage, end: undefined, rows: 0 },
      ];
      if (typeof found === "number") return refused(found);
      const { table, partition, bucket } = found;
      const batch = read(table, bucket, records);
      bucket.puts++;
      const action = this.onPut({
        table,
        partition,
        bucket: bucketId,
        server,
        nth: bucket.puts,
        writerId: batch.writerId,
        sequence: batch.sequence,
      });
      if (action !== undefined && action !== "omit" && action.applied !== true) {
        return refused(action.code, action.message);
      }
      const result = apply(bucket, batch);
      if (action === "omit") return [];
      if (typeof result === "number") return refused(result);
      if (action !== undefined) return refused(action.code);
      return [{ where, errorCode: 0, errorMessage: "", end: result, rows: batch.rows }];
    });
  }

  #lookup(request: RequestOf<typeof API.LOOKUP>, server: number): Uint8Array {
    const bucketsResp = request.bucketsReq.map((part) => {
      const { bucketId, keys } = part;
      const partitionId = optionalField(part, "partitionId");
      const where = partitionId === undefined ? { bucketId } : { partitionId, bucketId };
      const found = this.#bucket(request.tableId, partitionId, bucketId, server);
      if (typeof found === "number") return { ...where, errorCode: found };
      const action = this.onLookup(bucketId, server);
      if (action !== undefined && "code" in action) return { ...where, errorCode: action.code };
      const { table, bucket } = found;
      const values = keys.map((key) => {
        if (request.insertIfNotExists && !bucket.rows.has(hex(key))) insert(table, bucket, key);
        const stored = bucket.rows.get(hex(key));
        return stored === undefined ? {} : { values: valueOf(stored) };
      });
      return { ...where, values: action === undefined ? values : values.slice(action.fewer) };
    });
    return writeMessage(API.LOOKUP.messages!.response, { bucketsResp });
  }

  #prefixLookup(request: RequestOf<typeof API.PREFIX_LOOKUP>, server: number): Uint8Array {
    const bucketsResp = request.bucketsReq.map((part) => {
      const { bucketId, keys } = part;
      const partitionId = optionalField(part, "partitionId");
      const where = partitionId === undefined ? { bucketId } : { partitionId, bucketId };
      const found = this.#bucket(request.tableId, partitionId, bucketId, server);
      if (typeof found === "number") return { ...where, errorCode: found };
      const action = this.onLookup(bucketId, server);
      if (action !== undefined && "code" in action) return { ...where, errorCode: action.code };
      const rows = [...found.bucket.rows].sort(([a], [b]) => a < b ? -1 : 1);
      return {
        ...where,
        valueLists: keys.map((key) => ({
          values: rows.filter(([text]) => text.startsWith(hex(key))).map(([, stored]) => valueOf(stored)),
        })),
      };
    });
    return writeMessage(API.PREFIX_LOOKUP.messages!.response, { bucketsResp });
  }
}

function insert(table: FakeTable, bucket: FakeBucket, key: Uint8Array): void {
  const row = table.insertable.find((row) => table.keyText(row) === hex(key));
  if (row === undefined) throw new Error("a key that the test did not announce in `insertable`");
  const full: Record<string, unknown> = {};
  for (const { key } of table.codec(table.schemaId).codec.layout.columns) full[key] = row[key] ?? null;
  bucket.rows.set(hex(key), { key, schemaId: table.schemaId, bytes: table.write(table.schemaId, full) });
  bucket.endOffset++;
}

function valueOf({ schemaId, bytes }: Stored): Uint8Array {
  const value = new Uint8Array(2 + bytes.length);
  new DataView(value.buffer).setInt16(0, schemaId, true);
  value.set(bytes, 2);
  return value;
}

/** Runs a test on a fake cluster with one client, and fails when connections stay open after the client has closed. */
export async function withFakeCluster(
  tablets: number,
  options: ConnectOptions,
  run: (cluster: FakeCluster, db: Db) => Promise<void>,
): Promise<void> {
  const cluster = await FakeCluster.start(tablets);
  try {
    const db = await connect(cluster.url, options);
    try {
      await run(cluster, db);
    } finally {
      await db.close({ drop: true }).catch(() => {});
    }
  } finally {
    await cluster.close();
  }
}

/** Resolves when `condition` holds; looks after every turn of the event loop. Fails after `ms`. */
export async function until(condition: () => boolean, ms = 5_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A promise that settles by `ms`, or the test fails: what hangs must not hang the suite. */
export async function within<T>(ms: number, promise: PromiseLike<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
