/**
 * Runs programs on a server by bare requests, and writes down what it answers in a form that can be compared: without
 * ids, times and words, with error codes, offsets and rows.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Alarms } from "../../src/base/alarms.ts";
import { FlussServerError } from "../../src/base/errors.ts";
import { API } from "../../src/client/rpc/api.ts";
import { RpcConnection } from "../../src/client/rpc/connection.ts";
import { optionalField } from "../../src/client/rpc/required.ts";
import type { Dial } from "../../src/client/transport/port.ts";
import { ByteWriter } from "../../src/format/byte_writer.ts";
import { compileKeyWriter } from "../../src/format/key_encoder.ts";
import { KvBatchBuilder } from "../../src/format/kv_batch.ts";
import { type LogBatch, logBatchAt } from "../../src/format/log_batch.ts";
import { compileLogBuilder } from "../../src/format/log_builder.ts";
import { compileLogDecoder, type LogFormat } from "../../src/format/log_decoder.ts";
import { compileRowWriter, compileValueReader } from "../../src/format/row_codec.ts";
import { forEachValue, schemaIdOf } from "../../src/format/value_batch.ts";
import type { SchemaColumn } from "../../src/schema/data_type.ts";
import { dataTypeToJson } from "../../src/schema/data_type_json.ts";
import { type LiveSchema, parseSchema } from "../../src/schema/descriptor.ts";
import { comparable } from "../unit/format/random.ts";
import type { Place, Program, Row, Step } from "./program.ts";

/** What a server did with one request; `said` is for people alone. */
export interface Outcome {
  readonly answer: unknown;
  readonly said?: string;
}

/** Where a server is. */
export interface Server {
  readonly dial: Dial;
  readonly coordinator: { readonly host: string; readonly port: number };
  readonly tablet: { readonly host: string; readonly port: number };
}

const TABLE = "t";
const NO_PARTITION = 999_999n;
/** A new bucket has no leader for a moment: these are asked again. */
const NOT_YET = [12, 21];
const READY_MS = 15_000;
const UNKNOWN_SCHEMA = 9;

/** Connections to one server. */
export class Machine implements Disposable {
  readonly #coordinator: RpcConnection;
  readonly #tablet: RpcConnection;

  private constructor(coordinator: RpcConnection, tablet: RpcConnection) {
    this.#coordinator = coordinator;
    this.#tablet = tablet;
  }

  static async open({ dial, coordinator, tablet }: Server): Promise<Machine> {
    const options = {
      dial,
      alarms: new Alarms(),
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      credentials: undefined,
    };
    return new Machine(
      await RpcConnection.open({ ...options, ...coordinator }),
      await RpcConnection.open({ ...options, ...tablet }),
    );
  }

  [Symbol.dispose](): void {
    this.#coordinator.close();
    this.#tablet.close();
  }

  /** Runs a program in a database of its own, which is gone afterwards. */
  async run(program: Program, database: string): Promise<Outcome[]> {
    await this.#coordinator.call(API.CREATE_DATABASE, { databaseName: database, ignoreIfExists: false });
    try {
      const run = new Run(this.#coordinator, this.#tablet, program, database);
      const outcomes = [await outcome(() => run.create(false))];
      await run.learn();
      for (const step of program.steps) outcomes.push(await outcome(() => run.step(step)));
      return outcomes;
    } finally {
      await this.#coordinator.call(API.DROP_DATABASE, {
        databaseName: database,
        ignoreIfNotExists: true,
        cascade: true,
      });
    }
  }
}

async function outcome(run: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { answer: await run() };
  } catch (error) {
    if (!(error instanceof FlussServerError)) throw error;
    return { answer: { refused: error.serverCode }, said: error.message };
  }
}

/** Thrown for what failed in one bucket. */
function bucketFault(code: number, message: string): FlussServerError {
  return new FlussServerError("SERVER.UNKNOWN_SERVER_ERROR", { message, serverCode: code, serverMessage: message });
}

class Run {
  readonly #coordinator: RpcConnection;
  readonly #tablet: RpcConnection;
  readonly #program: Program;
  readonly #database: string;
  readonly #path: { readonly databaseName: string; readonly tableName: string };
  /** The columns that rows are written with. */
  readonly #columns: SchemaColumn[];
  #tableId: bigint = NO_PARTITION;
  readonly #schemas = new Map<number, LiveSchema>();
  #latest = 1;
  #buckets = 1;
  #properties: Readonly<Record<string, string>> = {};
  #writerId: bigint | undefined;
  readonly #partitions = new Map<string, bigint>();

  constructor(coordinator: RpcConnection, tablet: RpcConnection, program: Program, database: string) {
    this.#coordinator = coordinator;
    this.#tablet = tablet;
    this.#program = program;
    this.#database = database;
    this.#path = { databaseName: database, tableName: TABLE };
    this.#columns = [...program.columns];
  }

  async create(ignoreIfExists: boolean): Promise<unknown> {
    const tableJson = json(this.#program.descriptor);
    await this.#coordinator.call(API.CREATE_TABLE, { tablePath: this.#path, tableJson, ignoreIfExists });
    return "created";
  }

  /** Takes in what the server made of the table, and waits until it leads its buckets. */
  async learn(): Promise<void> {
    let info;
    try {
      info = await this.#coordinator.call(API.GET_TABLE_INFO, { tablePath: this.#path });
    } catch (error) {
      if (error instanceof FlussServerError) return;
      throw error;
    }
    this.#tableId = info.tableId;
    const table = JSON.parse(new TextDecoder().decode(info.tableJson)) as {
      readonly properties: Record<string, string>;
      readonly bucket_count: number;
      readonly partition_key: readonly string[];
    };
    this.#properties = table.properties;
    this.#buckets = table.bucket_count;
    await this.#learnSchema();
    if (table.partition_key.length === 0) await this.#ready(undefined);
  }

  async #learnSchema(): Promise<void> {
    const { schemaId, schemaJson } = await this.#coordinator.call(API.GET_TABLE_SCHEMA, { tablePath: this.#path });
    this.#schemas.set(schemaId, parseSchema(schemaJson, schemaId, TABLE));
    this.#latest = schemaId;
  }

  /** Waits until every bucket answers by its leader. */
  async #ready(partitionId: bigint | undefined): Promise<void> {
    const end = performance.now() + READY_MS;
    for (let bucketId = 0; bucketId < Math.min(this.#buckets, 8); bucketId++) {
      for (;;) {
        const answer = await this.#tablet.call(API.FETCH_LOG, {
          followerServerId: -1,
          maxBytes: 1,
          tablesReq: [{
            tableId: this.#tableId,
            projectionPushdownEnabled: false,
            bucketsReq: [{ ...partition(partitionId), bucketId, fetchOffset: 0n, maxFetchBytes: 1 }],
          }],
        });
        const code = answer.tablesResp[0]?.bucketsResp[0]?.errorCode ?? 0;
        if (!NOT_YET.includes(code)) break;
        if (performance.now() > end) throw new Error(`bucket ${bucketId} has no leader: ${code}`);
        await sleep(5);
      }
    }
  }

  step(step: Step): Promise<unknown> {
    switch (step.kind) {
      case "put":
        return this.#put(step);
      case "produce":
        return this.#produce(step);
      case "lookup":
        return this.#lookup(step);
      case "prefixLookup":
        return this.#prefixLookup(step);
      case "limitScan":
        return this.#limitScan(step);
      case "fetch":
        return this.#fetch(step);
      case "offsets":
        return this.#offsets(step);
      case "stats":
        return this.#stats(step.place);
      case "addColumns":
      case "otherAlter":
      case "options":
        return this.#alter(step);
      case "createPartition":
      case "dropPartition":
      case "listPartitions":
        return this.#partition(step);
      case "tableInfo":
        return this.#tableInfo();
      case "schema":
        return this.#schema(step.id);
      case "createAgain":
        return this.create(step.ignore);
      case "tables":
        return this.#coordinator.call(API.LIST_TABLES, { databaseName: this.#database })
          .then(({ tableName }) => tableName);
      case "dropTable":
        return this.#coordinator.call(API.DROP_TABLE, {
          tablePath: { ...this.#path, tableName: step.name },
          ignoreIfNotExists: step.ignore,
        }).then(() => "dropped");
      case "database":
        return this.#databaseStep(step);
    }
  }

  #id({ partition }: Place): { readonly partitionId?: bigint } {
    return partition === undefined ? {} : { partitionId: this.#partitions.get(partition) ?? NO_PARTITION };
  }

  async #writer(): Promise<bigint> {
    this.#writerId ??= (await this.#tablet.call(API.INIT_WRITER, { tablePath: [this.#path] })).writerId;
    return this.#writerId;
  }

  #keyOf(row: Row): Uint8Array<ArrayBuffer> {
    const { primaryKey, partitionKey } = this.#program;
    const columns = this.#columns.filter(({ name }) => primaryKey.includes(name) && !partitionKey.includes(name));
    const out = new ByteWriter(64);
    compileKeyWriter(columns, "compacted")(out, row);
    return out.toBytes();
  }

  async #put(step: Step & { kind: "put" }): Promise<unknown> {
    const { place, records, targets, overwrite, sequence, schemaId } = step;
    const columns = schemaId === 1 ? this.#columns.slice(0, this.#program.columns.length) : this.#columns;
    const format = /indexed/i.test(this.#properties["table.kv.format"] ?? "") ? "indexed" : "compacted";
    // Columns that are not targets are sent as null, as our client does, unless they cannot be.
    const all = columns.every(({ type }, i) => type.nullable || targets?.includes(i) !== false);
    const write = compileRowWriter(columns, format, all ? targets?.filter((i) => i < columns.length) : undefined);
    const builder = new KvBatchBuilder(schemaId ?? this.#latest);
    for (const { key, row } of records) {
      const bytes = this.#keyOf(key);
      if (row === undefined) builder.append(bytes, 0, bytes.length);
      else builder.append(bytes, 0, bytes.length, write, row);
    }
    const batch = builder.finish(sequence === undefined ? -1n : await this.#writer(), sequence ?? -1);
    const answer = await this.#tablet.call(API.PUT_KV, {
      acks: -1,
      tableId: this.#tableId,
      timeoutMs: 20_000,
      ...(targets === undefined ? {} : { targetColumns: [...targets] }),
      bucketsReq: [{ ...this.#id(place), bucketId: place.bucket, records: batch }],
      ...(overwrite ? { aggMode: 1 } : {}),
    });
    const bucket = answer.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    return { logEndOffset: bucket.logEndOffset };
  }

  async #produce({ place, rows, sequence, damage, acks }: Step & { kind: "produce" }): Promise<unknown> {
    const format = (this.#properties["table.log.format"] ?? "arrow").toLowerCase() as LogFormat;
    const named = (this.#properties["table.log.arrow.compression.type"] ?? "zstd").toLowerCase();
    const type = named === "lz4_frame" ? "lz4" : named === "none" ? "none" : "zstd";
    const builder = compileLogBuilder(this.#columns, { format, compression: { type } })(this.#latest);
    for (const row of rows) builder.append(row);
    let records = builder.finish(sequence === undefined ? -1n : await this.#writer(), sequence ?? -1);
    if (damage === "checksum") records[records.length - 1]! ^= 0x55;
    if (damage === "tail") records = records.subarray(0, records.length - 3);
    const answer = await this.#tablet.call(API.PRODUCE_LOG, {
      acks,
      tableId: this.#tableId,
      timeoutMs: 20_000,
      bucketsReq: [{ ...this.#id(place), bucketId: place.bucket, records }],
    });
    const bucket = answer.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    return { baseOffset: bucket.baseOffset };
  }

  #rowOf(value: Uint8Array): unknown {
    if (value.length === 0) return null;
    const schemaId = schemaIdOf(value);
    return this.#decodeRow(schemaId, value, 2, value.length);
  }

  #decodeRow(schemaId: number, bytes: Uint8Array, start: number, end: number): unknown {
    const stored = this.#schemas.get(schemaId)!.columns;
    // As clients read them. Which schema a row is stored with is the server's own affair: 0.9.1 inserts missing rows with
    // the one that the table had when the server opened it.
    const wanted = this.#schemas.get(this.#latest)!.columns;
    const format = /indexed/i.test(this.#properties["table.kv.format"] ?? "") ? "indexed" : "compacted";
    return comparable(compileValueReader(stored, wanted, format)(bytes, start, end));
  }

  async #lookup({ place, keys, insert }: Step & { kind: "lookup" }): Promise<unknown> {
    const answer = await this.#tablet.call(API.LOOKUP, {
      tableId: this.#tableId,
      bucketsReq: [{
        ...this.#id(place),
        bucketId: place.bucket,
        keys: keys.map((key) => this.#keyOf(this.#withPartition(key, place))),
      }],
      ...(insert ? { insertIfNotExists: true, acks: -1, timeoutMs: 20_000 } : {}),
    });
    const bucket = answer.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    return bucket.values.map((value) => this.#rowOf(optionalField(value, "values") ?? new Uint8Array(0)));
  }

  #withPartition(key: Row, { partition }: Place): Row {
    return { ...key, ...Object.fromEntries(this.#program.partitionKey.map((name) => [name, partition])) };
  }

  async #prefixLookup({ place, keys }: Step & { kind: "prefixLookup" }): Promise<unknown> {
    const { descriptor, primaryKey, partitionKey } = this.#program;
    const bucketKey = (descriptor["bucket_key"] ?? primaryKey) as string[];
    // Of a key that is none, nothing is left.
    const columns = this.#columns.filter(({ name }) =>
      bucketKey.includes(name) && primaryKey.includes(name) && !partitionKey.includes(name)
    );
    const prefixes = keys.map((key) => {
      const out = new ByteWriter(64);
      compileKeyWriter(columns, "compacted")(out, this.#withPartition(key, place));
      return out.toBytes();
    });
    const answer = await this.#tablet.call(API.PREFIX_LOOKUP, {
      tableId: this.#tableId,
      bucketsReq: [{ ...this.#id(place), bucketId: place.bucket, keys: prefixes }],
    });
    const bucket = answer.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    return bucket.valueLists.map(({ values }) => values.map((value) => this.#rowOf(value)));
  }

  async #limitScan({ place, limit }: Step & { kind: "limitScan" }): Promise<unknown> {
    const answer = await this.#tablet.call(API.LIMIT_SCAN, {
      tableId: this.#tableId,
      ...this.#id(place),
      bucketId: place.bucket,
      limit,
    });
    if (answer.errorCode !== 0) throw bucketFault(answer.errorCode, answer.errorMessage);
    if (answer.isLogTable) return this.#batches(answer.records, undefined);
    const rows: unknown[] = [];
    forEachValue(answer.records, (schemaId, start, end) => {
      rows.push(this.#decodeRow(schemaId, answer.records, start, end));
    });
    return { rows };
  }

  async #fetch({ place, offset, projection, maxBytes }: Step & { kind: "fetch" }): Promise<unknown> {
    const answer = await this.#tablet.call(API.FETCH_LOG, {
      followerServerId: -1,
      maxBytes: 16_000_000,
      tablesReq: [{
        tableId: this.#tableId,
        projectionPushdownEnabled: projection !== undefined,
        ...(projection === undefined ? {} : { projectedFields: [...projection] }),
        bucketsReq: [{
          ...this.#id(place),
          bucketId: place.bucket,
          fetchOffset: BigInt(offset),
          maxFetchBytes: maxBytes,
        }],
      }],
    });
    const bucket = answer.tablesResp[0]!.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    const { highWatermark, logStartOffset } = bucket;
    // How far a limit in bytes reaches depends on how well a server compresses; that something comes does not.
    const batches = this.#batches(bucket.records, projection);
    return { highWatermark, logStartOffset, batches: maxBytes < 1_000_000 ? batches.slice(0, 1) : batches };
  }

  #batches(records: Uint8Array, projection: readonly number[] | undefined): unknown[] {
    const found: unknown[] = [];
    for (let at = 0; at < records.length;) {
      const batch = logBatchAt(records, at);
      if (batch === undefined) break;
      at = batch.end;
      found.push(this.#batch(batch, projection));
    }
    return found;
  }

  #batch(batch: LogBatch, projection: readonly number[] | undefined): unknown {
    const { baseOffset, lastOffset, schemaId, appendOnly, recordCount, writerId, sequence } = batch;
    const { columns } = this.#schemas.get(schemaId)!;
    const sent = projection === undefined ? columns : projection.map((i) => columns[i]!);
    const format = (this.#properties["table.log.format"] ?? "arrow").toLowerCase() as LogFormat;
    const paddedChars = /indexed/i.test(this.#properties["table.kv.format"] ?? "");
    const decoded = compileLogDecoder({ format, sent, wanted: sent, paddedChars })(batch);
    return {
      baseOffset,
      lastOffset,
      schemaId,
      appendOnly,
      recordCount,
      writer: writerId === -1n ? "nobody" : writerId === this.#writerId ? "own" : "another",
      sequence,
      changes: decoded.changeTypes === undefined ? undefined : [...decoded.changeTypes],
      rows: [...decoded.columns.rows()].map(comparable),
    };
  }

  async #offsets({ place, type, timestamp }: Step & { kind: "offsets" }): Promise<unknown> {
    const answer = await this.#tablet.call(API.LIST_OFFSETS, {
      followerServerId: -1,
      offsetType: type,
      tableId: this.#tableId,
      ...this.#id(place),
      bucketId: [place.bucket],
      ...(timestamp === undefined ? {} : { startTimestamp: BigInt(timestamp) }),
    });
    const bucket = answer.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    return { offset: bucket.offset };
  }

  async #stats(place: Place): Promise<unknown> {
    const answer = await this.#tablet.call(API.GET_TABLE_STATS, {
      tableId: this.#tableId,
      bucketsReq: [{ ...this.#id(place), bucketId: place.bucket }],
    });
    const bucket = answer.bucketsResp[0]!;
    if (bucket.errorCode !== 0) throw bucketFault(bucket.errorCode, bucket.errorMessage);
    return { rowCount: bucket.rowCount };
  }

  async #alter(step: Step & { kind: "addColumns" | "otherAlter" | "options" }): Promise<unknown> {
    const name = "c1";
    await this.#coordinator.call(API.ALTER_TABLE, {
      tablePath: this.#path,
      ignoreIfNotExists: false,
      ...(step.kind === "addColumns"
        ? {
          addColumns: step.columns.map(({ column, position }) => ({
            columnName: column.name,
            dataTypeJson: json(dataTypeToJson(column.type, () => 0)),
            columnPositionType: position,
          })),
        }
        : step.kind === "options"
        ? {
          configChanges: step.changes.map(({ key, value, type }) => ({
            configKey: key,
            opType: type,
            ...(value === undefined ? {} : { configValue: value }),
          })),
        }
        : step.what === "drop"
        ? { dropColumns: [{ columnName: name }] }
        : step.what === "rename"
        ? { renameColumns: [{ oldColumnName: name, newColumnName: "other" }] }
        : step.what === "modify"
        ? { modifyColumns: [{ columnName: name, comment: "other" }] }
        : {}),
    });
    if (step.kind !== "options") {
      const before = this.#latest;
      await this.#learnSchema();
      if (step.kind === "addColumns") this.#columns.push(...step.columns.map(({ column }) => column));
      if (this.#latest !== before) await this.#schemaKnown();
    }
    return "altered";
  }

  /**
   * Waits until every bucket has heard of the new schema, as tablet servers do a moment later: a put without the key among
   * its target columns changes nothing, and is refused for that as soon as its schema is known.
   */
  async #schemaKnown(): Promise<void> {
    if (this.#program.primaryKey.length === 0) return;
    const records = new KvBatchBuilder(this.#latest).finish(-1n, -1);
    const partitions = this.#program.partitionKey.length === 0 ? [undefined] : [...this.#partitions.values()];
    const end = performance.now() + READY_MS;
    for (const id of partitions) {
      for (let bucketId = 0; bucketId < this.#buckets; bucketId++) {
        for (;;) {
          const { bucketsResp } = await this.#tablet.call(API.PUT_KV, {
            acks: -1,
            tableId: this.#tableId,
            timeoutMs: 20_000,
            targetColumns: [this.#columns.length - 1],
            bucketsReq: [{ ...partition(id), bucketId, records }],
          });
          if (bucketsResp[0]!.errorCode !== UNKNOWN_SCHEMA) break;
          if (performance.now() > end) throw new Error(`bucket ${bucketId} does not hear of schema ${this.#latest}`);
          await sleep(5);
        }
      }
    }
  }

  async #partition(
    step: Step & { kind: "createPartition" | "dropPartition" | "listPartitions" },
  ): Promise<unknown> {
    if (step.kind === "listPartitions") return [...await this.#learnPartitions()].sort();
    const partitionSpec = {
      partitionKeyValues: Object.entries(step.values).map(([key, value]) => ({ key, value })),
    };
    const request = { tablePath: this.#path, partitionSpec, ignoreIfNotExists: step.ignore };
    if (step.kind === "dropPartition") {
      await this.#coordinator.call(API.DROP_PARTITION, request);
      await this.#learnPartitions();
      // Servers let go of the buckets a moment after the answer.
      await sleep(150);
      return "dropped";
    }
    await this.#coordinator.call(API.CREATE_PARTITION, request);
    for (const name of await this.#learnPartitions()) {
      await this.#ready(this.#partitions.get(name));
    }
    return "created";
  }

  async #learnPartitions(): Promise<string[]> {
    const { partitionsInfo } = await this.#coordinator.call(API.LIST_PARTITION_INFOS, { tablePath: this.#path });
    this.#partitions.clear();
    const names = partitionsInfo.map(({ partitionId, partitionSpec }) => {
      const name = partitionSpec!.partitionKeyValues.map(({ value }) => value).join("$");
      this.#partitions.set(name, partitionId);
      return name;
    });
    return names;
  }

  async #tableInfo(): Promise<unknown> {
    const { schemaId, tableJson } = await this.#coordinator.call(API.GET_TABLE_INFO, { tablePath: this.#path });
    return { schemaId, table: JSON.parse(new TextDecoder().decode(tableJson)) };
  }

  async #schema(id: number | undefined): Promise<unknown> {
    const { schemaId, schemaJson } = await this.#coordinator.call(API.GET_TABLE_SCHEMA, {
      tablePath: this.#path,
      ...(id === undefined ? {} : { schemaId: id }),
    });
    return { schemaId, schema: JSON.parse(new TextDecoder().decode(schemaJson)) };
  }

  async #databaseStep({ what, name }: Step & { kind: "database" }): Promise<unknown> {
    const databaseName = name === "own" ? this.#database : name;
    switch (what) {
      case "create":
        // A good name would stay behind.
        if (name === "nope") return "not asked";
        await this.#coordinator.call(API.CREATE_DATABASE, { databaseName, ignoreIfExists: false });
        return "created";
      case "dropFull":
        if (name === "own" && this.#tableId === NO_PARTITION) return "not asked";
        await this.#coordinator.call(API.DROP_DATABASE, { databaseName, ignoreIfNotExists: false, cascade: false });
        return "dropped";
      case "exists":
        return (await this.#coordinator.call(API.DATABASE_EXISTS, { databaseName })).exists;
      case "info": {
        const { databaseJson } = await this.#coordinator.call(API.GET_DATABASE_INFO, { databaseName });
        return JSON.parse(new TextDecoder().decode(databaseJson));
      }
    }
  }
}

function partition(partitionId: bigint | undefined): { readonly partitionId?: bigint } {
  return partitionId === undefined ? {} : { partitionId };
}

function json(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
