/**
 * Requests to an engine with a catalog of its own, through their bytes and without a connection.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import type { ErrorCode } from "../../../mod.ts";
import { ERROR_TABLE } from "../../../src/base/error_table.ts";
import { API, type Api, loadApi } from "../../../src/client/rpc/api.ts";
import { readMessage, writeMessage } from "../../../src/client/rpc/required.ts";
import { dispatch } from "../../../src/embedded/dispatch.ts";
import { Engine } from "../../../src/embedded/engine.ts";
import { ServerFault } from "../../../src/embedded/fault.ts";
import type { Call } from "../../../src/embedded/requests/handler.ts";
import type { Settings } from "../../../src/embedded/settings.ts";
import { memoryStorage } from "../../../src/embedded/storage/memory.ts";
import type { Storage } from "../../../src/embedded/storage/storage.ts";
import { TestClock } from "./log/engine.ts";

const ENDPOINT = { host: "memory", port: 1 };

/** An engine whose time stands still until it is moved. */
export class Served {
  readonly storage: Storage;
  readonly clock: TestClock;
  readonly engine: Engine;

  constructor(settings: Partial<Settings> = {}, before?: Served) {
    this.storage = before?.storage ?? memoryStorage();
    this.clock = before?.clock ?? new TestClock();
    this.engine = new Engine({ storage: this.storage, clock: this.clock, settings });
  }

  /** Another engine on the same storage, as after a restart. */
  restarted(settings: Partial<Settings> = {}): Served {
    return new Served(settings, this);
  }

  /**
   * Serves a request, by default of ANONYMOUS to the coordinator where that answers it.
   *
   * @throws {ServerFault} when it is refused as a whole
   */
  async ask<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    request: MessageInitShape<Q>,
    { user = "ANONYMOUS", ...call }: Partial<Call> & { readonly user?: string } = {},
  ): Promise<MessageValidType<A>> {
    const messages = await loadApi(api);
    const outcome = await dispatch(this.engine, api.key, writeMessage(messages.request, request), {
      apiVersion: api.maxVersion,
      principal: { name: user, type: "User" },
      server: api.servedBy === "tablet" ? "tablet" : "coordinator",
      endpoints: { coordinator: ENDPOINT, tablet: ENDPOINT },
      session: { closed: false, onClose: () => () => {}, close: () => {}, whenRoom: (_, make) => make() },
      ...call,
    });
    if (outcome instanceof ServerFault) throw outcome;
    return readMessage(messages.response, outcome);
  }

  /** Makes a table of two buckets, with the columns `id` and `day`. */
  async createTable(
    databaseName: string,
    tableName: string,
    { primaryKey = false, partitioned = false }: { readonly primaryKey?: boolean; readonly partitioned?: boolean } = {},
  ): Promise<bigint> {
    const tablePath = { databaseName, tableName };
    const column = (name: string, type: string, id: number) => ({ name, data_type: { type, nullable: false }, id });
    const json = {
      version: 1,
      schema: {
        version: 1,
        columns: [column("id", "INTEGER", 0), column("day", "STRING", 1)],
        ...(primaryKey ? { primary_key: partitioned ? ["id", "day"] : ["id"] } : {}),
        highest_field_id: 1,
      },
      partition_key: partitioned ? ["day"] : [],
      bucket_key: ["id"],
      bucket_count: 2,
      properties: {},
      custom_properties: {},
    };
    const tableJson = new TextEncoder().encode(JSON.stringify(json));
    await this.ask(API.CREATE_DATABASE, { databaseName, ignoreIfExists: true });
    await this.ask(API.CREATE_TABLE, { tablePath, tableJson, ignoreIfExists: false });
    return (await this.ask(API.GET_TABLE_INFO, { tablePath })).tableId;
  }

  /** Makes the partition of a day. */
  async createPartition(databaseName: string, tableName: string, day: string): Promise<bigint> {
    const tablePath = { databaseName, tableName };
    const partitionSpec = { partitionKeyValues: [{ key: "day", value: day }] };
    await this.ask(API.CREATE_PARTITION, { tablePath, partitionSpec, ignoreIfNotExists: false });
    const { partitionsInfo } = await this.ask(API.LIST_PARTITION_INFOS, { tablePath });
    return partitionsInfo.find(({ partitionSpec }) => partitionSpec!.partitionKeyValues[0]!.value === day)!.partitionId;
  }
}

/** Expects a refusal. `SERVER.UNKNOWN_SERVER_ERROR` is what has no code of its own. */
export async function refuses(answer: Promise<unknown>, code: ErrorCode, message: string | RegExp): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof ServerFault, String(error));
    const entry = ERROR_TABLE[code] as { readonly serverCode?: number };
    assert.equal(error.code, entry.serverCode, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}
