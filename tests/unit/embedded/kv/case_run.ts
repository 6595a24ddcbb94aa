/**
 * Runs cases on any server and says in one line each what became of every step: the answer, the changes that it
 * logged, and at the end the rows that are there.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { API, type Api } from "../../../../src/client/rpc/api.ts";
import { isSet } from "../../../../src/client/rpc/required.ts";
import { ByteWriter } from "../../../../src/format/byte_writer.ts";
import { compileKeyWriter } from "../../../../src/format/key_encoder.ts";
import { KvBatchBuilder } from "../../../../src/format/kv_batch.ts";
import { logBatchAt } from "../../../../src/format/log_batch.ts";
import { compileLogDecoder, type LogFormat } from "../../../../src/format/log_decoder.ts";
import { compileRowWriter, compileValueReader, type RowFormat } from "../../../../src/format/row_codec.ts";
import { forEachValue, schemaIdOf } from "../../../../src/format/value_batch.ts";
import type { DataType, SchemaColumn } from "../../../../src/schema/data_type.ts";
import { dataTypeToJson, type JsonObject } from "../../../../src/schema/data_type_json.ts";

/** A column: its name, its type, its aggregation function with a delimiter. */
export type CaseColumn = readonly [name: string, type: DataType, fn?: string, delimiter?: string];

/** Values in the order of the columns; null at the end may be left out. */
export type CaseRow = readonly unknown[];

/** One batch of upserts and deletes. */
export interface PutStep {
  readonly put: readonly (CaseRow | { readonly delete: CaseRow })[];
  readonly targets?: readonly number[];
  readonly mode?: number;
  /** The sequence of the case's own writer. */
  readonly sequence?: number;
  /** The schema that rows are written with, other than the latest. */
  readonly schemaId?: number;
  /** The schema id that the batch claims. */
  readonly claim?: number;
  readonly acks?: number;
  /** The row's bytes, where no row would give them. */
  readonly bytes?: readonly number[];
}

/** Keys that are looked up. */
export interface LookupStep {
  readonly lookup: readonly CaseRow[];
  readonly insert?: boolean;
}

/** Prefixes of keys: the first columns of them. */
export interface PrefixStep {
  readonly prefix: readonly CaseRow[];
  readonly columns: number;
}

/** One request. */
export type CaseStep =
  | PutStep
  | LookupStep
  | PrefixStep
  | { readonly limit: number }
  | { readonly stats: true }
  | { readonly add: CaseColumn };

/** See the module. */
export interface Case {
  readonly name: string;
  readonly columns: readonly CaseColumn[];
  /** How many of the first columns are the primary key; 1 unless it is said. 0 makes a log table. */
  readonly keys?: number;
  /** The bucket key, where it is not the primary key. */
  readonly bucketKey?: readonly string[];
  readonly autoIncrement?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly steps: readonly CaseStep[];
}

/** A server on which cases run. */
export interface CaseServer {
  /** Makes the table of a case and gives its id. */
  create(descriptor: JsonObject): Promise<bigint>;
  /** Makes another schema the latest one: all columns of the descriptor. */
  alter(descriptor: JsonObject, schemaId: number): Promise<void>;
  call<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    request: MessageInitShape<Q>,
  ): Promise<MessageValidType<A>>;
}

const CHANGES = ["+A", "+I", "-U", "+U", "-D"];
/** Nobody else writes to the table of a case. */
const WRITER = 7_000n;

/** Runs a case. */
export async function runCase(test: Case, server: CaseServer): Promise<string[]> {
  const run = new CaseRun(test, server);
  await run.create();
  const said: string[] = [];
  for (const step of test.steps) said.push(await run.step(step));
  if (test.keys !== 0) said.push(await run.rows());
  return said;
}

class CaseRun {
  readonly #case: Case;
  readonly #server: CaseServer;
  readonly #columns: CaseColumn[];
  /** Columns by schema id. */
  readonly #schemas: SchemaColumn[][] = [];
  #tableId = 0n;
  /** How much of the log is known. */
  #logEnd = 0n;

  constructor(test: Case, server: CaseServer) {
    this.#case = test;
    this.#server = server;
    this.#columns = [...test.columns];
  }

  async create(): Promise<void> {
    this.#learn();
    this.#tableId = await this.#server.create(this.#descriptor());
  }

  async step(step: CaseStep): Promise<string> {
    if ("put" in step) return `${await this.#put(step)}${await this.#changes()}`;
    if ("lookup" in step) return `${await this.#lookup(step)}${step.insert ? await this.#changes() : ""}`;
    if ("prefix" in step) return await this.#prefix(step);
    if ("limit" in step) return await this.#limit(step.limit);
    if ("stats" in step) return await this.#stats();
    this.#columns.push(step.add);
    this.#learn();
    await this.#server.alter(this.#descriptor(), this.#latest);
    return "added";
  }

  get #latest(): number {
    return this.#schemas.length - 1;
  }

  get #format(): RowFormat {
    return (this.#case.options?.["table.kv.format"] ?? "compacted").toLowerCase() as RowFormat;
  }

  #learn(): void {
    const keys = this.#case.keys ?? 1;
    if (this.#schemas.length === 0) this.#schemas.push([]);
    this.#schemas.push(this.#columns.map(([name, type], id) => ({
      id,
      key: name,
      name,
      type: id < keys ? { ...type, nullable: false } : type,
    })));
  }

  #descriptor(): JsonObject {
    const { keys = 1, bucketKey, autoIncrement, options = {} } = this.#case;
    const columns = this.#schemas[this.#latest]!;
    let highest = columns.length - 1;
    const primaryKey = columns.slice(0, keys).map(({ name }) => name);
    return {
      version: 1,
      schema: {
        version: 1,
        columns: columns.map(({ name, type }, id) => {
          const [, , fn, delimiter] = this.#columns[id]!;
          const parameters = delimiter === undefined ? {} : { parameters: { delimiter } };
          const aggregation = fn === undefined ? {} : { agg_function: { type: fn, ...parameters } };
          return { name, data_type: dataTypeToJson(type, () => ++highest), ...aggregation, id };
        }),
        ...(keys === 0 ? {} : { primary_key: primaryKey }),
        ...(autoIncrement === undefined ? {} : { auto_increment_column: [autoIncrement] }),
        highest_field_id: highest,
      },
      partition_key: [],
      bucket_key: bucketKey ?? primaryKey,
      bucket_count: 1,
      properties: { "table.log.arrow.compression.type": "NONE", ...options },
      custom_properties: {},
    };
  }

  #keyOf(row: CaseRow, count = this.#case.keys ?? 1): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(64);
    const columns = this.#schemas[1]!.slice(0, count);
    compileKeyWriter(columns, "compacted")(out, object(columns, row));
    return out.toBytes();
  }

  async #put(step: PutStep): Promise<string> {
    const { put, targets, mode, sequence, schemaId = this.#latest, claim, acks = -1, bytes } = step;
    const columns = this.#schemas[schemaId]!;
    const write = compileRowWriter(
      columns.map((column) => ({ ...column, type: { ...column.type, nullable: true } })),
      this.#format,
    );
    const builder = new KvBatchBuilder(claim ?? schemaId);
    for (const record of put) {
      const row = "delete" in record ? record.delete : record;
      const key = this.#keyOf(row);
      if ("delete" in record) builder.append(key, 0, key.length);
      else {
        const writeRow = bytes === undefined ? write : (out: ByteWriter) => out.writeBytes(Uint8Array.from(bytes));
        builder.append(key, 0, key.length, writeRow, object(columns, row));
      }
    }
    const records = builder.finish(sequence === undefined ? -1n : WRITER, sequence ?? -1);
    return await this.#answer(async () => {
      const { bucketsResp: [bucket] } = await this.#server.call(API.PUT_KV, {
        acks,
        tableId: this.#tableId,
        timeoutMs: 20_000,
        ...(targets === undefined ? {} : { targetColumns: [...targets] }),
        bucketsReq: [{ bucketId: 0, records }],
        ...(mode === undefined ? {} : { aggMode: mode }),
      });
      return refused(bucket!) ?? `end ${bucket!.logEndOffset}`;
    });
  }

  async #lookup({ lookup, insert }: LookupStep): Promise<string> {
    return await this.#answer(async () => {
      const { bucketsResp: [bucket] } = await this.#server.call(API.LOOKUP, {
        tableId: this.#tableId,
        bucketsReq: [{ bucketId: 0, keys: lookup.map((row) => this.#keyOf(row)) }],
        ...(insert ? { insertIfNotExists: true, acks: -1, timeoutMs: 20_000 } : {}),
      });
      const values = bucket!.values.map((value) => isSet(value, "values") ? this.#stored(value.values) : "none");
      return refused(bucket!) ?? values.join(", ");
    });
  }

  async #prefix({ prefix, columns }: PrefixStep): Promise<string> {
    return await this.#answer(async () => {
      const { bucketsResp: [bucket] } = await this.#server.call(API.PREFIX_LOOKUP, {
        tableId: this.#tableId,
        bucketsReq: [{ bucketId: 0, keys: prefix.map((row) => this.#keyOf(row, columns)) }],
      });
      const lists = bucket!.valueLists.map(({ values }) =>
        `[${values.map((value) => this.#stored(value)).join(", ")}]`
      );
      return refused(bucket!) ?? lists.join(" ");
    });
  }

  async #limit(limit: number): Promise<string> {
    return await this.#answer(async () => {
      const answer = await this.#server.call(API.LIMIT_SCAN, { tableId: this.#tableId, bucketId: 0, limit });
      const rows: string[] = [];
      if (!answer.isLogTable) {
        forEachValue(answer.records, (id, start, end) => rows.push(this.#row(id, answer.records, start, end)));
      }
      return refused(answer) ?? `${answer.isLogTable ? "log" : "rows"} ${rows.join(", ")}`;
    });
  }

  async #stats(): Promise<string> {
    return await this.#answer(async () => {
      const { bucketsResp: [bucket] } = await this.#server.call(API.GET_TABLE_STATS, {
        tableId: this.#tableId,
        bucketsReq: [{ bucketId: 0 }],
      });
      return refused(bucket!) ?? `${bucket!.rowCount} rows`;
    });
  }

  /** All rows that are there. */
  rows(): Promise<string> {
    return this.#limit(1000);
  }

  /** What was logged since the last time. */
  async #changes(): Promise<string> {
    const { tablesResp: [table] } = await this.#server.call(API.FETCH_LOG, {
      followerServerId: -1,
      maxBytes: 16_000_000,
      tablesReq: [{
        tableId: this.#tableId,
        projectionPushdownEnabled: false,
        bucketsReq: [{ bucketId: 0, fetchOffset: this.#logEnd, maxFetchBytes: 16_000_000 }],
      }],
    });
    const { records, highWatermark } = table!.bucketsResp[0]!;
    let said = "";
    for (let at = 0; at < records.length;) {
      const batch = logBatchAt(records, at)!;
      at = batch.end;
      const columns = this.#schemas[batch.schemaId]!;
      const { options = {} } = this.#case;
      const format = (options["table.log.format"] ?? "arrow").toLowerCase() as LogFormat;
      const paddedChars = this.#format === "indexed";
      const { changeTypes, columns: rows } = compileLogDecoder({
        format,
        sent: columns,
        wanted: columns,
        paddedChars,
      })(batch);
      const changes = Array.from(
        { length: rows.length },
        (_, i) => `${CHANGES[changeTypes?.[i] ?? 0]} ${text(Object.values(rows.row(i)))}`,
      );
      const writer = batch.writerId === -1n ? "" : ` w${batch.writerId} s${batch.sequence}`;
      const count = Number(batch.lastOffset) - Number(batch.baseOffset) + 1;
      said += ` | ${batch.baseOffset}+${count} schema ${batch.schemaId}${writer}: ${changes.join(" ")}`;
    }
    this.#logEnd = highWatermark;
    return said;
  }

  #stored(value: Uint8Array): string {
    return this.#row(schemaIdOf(value), value, 2, value.length);
  }

  #row(schemaId: number, bytes: Uint8Array, start: number, end: number): string {
    const columns = this.#schemas[schemaId]!;
    return `${schemaId}:${text(Object.values(compileValueReader(columns, columns, this.#format)(bytes, start, end)))}`;
  }

  /** The first line of what is thrown: the rest is where in the server. */
  async #answer(ask: () => Promise<string>): Promise<string> {
    try {
      return await ask();
    } catch (error) {
      const { serverCode, code, serverMessage, message } = error as Partial<Record<string, unknown>>;
      return `refused ${serverCode ?? code} ${firstLine(String(serverMessage ?? message))}`;
    }
  }
}

function refused(answer: { readonly errorCode: number; readonly errorMessage: string }): string | undefined {
  return answer.errorCode === 0 ? undefined : `${answer.errorCode} ${firstLine(answer.errorMessage)}`;
}

/** The first line of a message: what follows says where in the server. The table is of no interest. */
function firstLine(message: string): string {
  return message.split("\n")[0]!.trim().replace(/\b(cases_\w+\.t\d+|db\.t)\b/, "T").replace(/tableId=\d+/, "tableId=N");
}

function object(columns: readonly SchemaColumn[], row: CaseRow): Record<string, unknown> {
  return Object.fromEntries(columns.map(({ key }, i) => [key, row[i] ?? null]));
}

/** Values as text: what JSON has not, in its own way. */
function text(values: readonly unknown[]): string {
  return JSON.stringify(values, (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    if (value instanceof Uint8Array) {
      return `x${Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    }
    if (value instanceof Map) return [...value];
    return Object.is(value, -0) ? "-0" : value;
  });
}
