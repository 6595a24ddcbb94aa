/**
 * Engines whose tables come from the test, and requests to them without a connection.
 *
 * @module
 */
import type { DescMessage, MessageInitShape, MessageValidType } from "@bufbuild/protobuf";
import { type Api, loadApi } from "../../../src/client/rpc/api.ts";
import { readMessage, writeMessage } from "../../../src/client/rpc/required.ts";
import type { CatalogPartition, CatalogTable } from "../../../src/embedded/catalog/table.ts";
import type { Clock } from "../../../src/embedded/clock.ts";
import { dispatch } from "../../../src/embedded/dispatch.ts";
import { Engine } from "../../../src/embedded/engine.ts";
import { ServerFault } from "../../../src/embedded/fault.ts";
import type { Call } from "../../../src/embedded/requests/handler.ts";
import { memoryStorage } from "../../../src/embedded/storage/memory.ts";
import type { Storage } from "../../../src/embedded/storage/storage.ts";
import { parseDescriptor } from "../../../src/schema/descriptor.ts";
import type { JsonObject } from "../../../src/schema/data_type_json.ts";

const ENDPOINT = { host: "memory", port: 1 };

const CALL: Call = {
  apiVersion: 0,
  principal: { name: "ANONYMOUS", type: "User" },
  server: "tablet",
  endpoints: { coordinator: ENDPOINT, tablet: ENDPOINT },
  session: { closed: false, onClose: () => () => {}, close: () => {}, whenRoom: (_, make) => make() },
};

/** An engine with tables that no catalog made. */
export class FakeEngine implements Disposable {
  readonly engine: Engine;
  readonly #tables = new Map<number, CatalogTable>();

  constructor(options: { readonly storage?: Storage; readonly clock?: Clock } = {}) {
    const { storage = memoryStorage(), clock } = options;
    this.engine = new Engine({ storage, ...(clock === undefined ? {} : { clock }) });
    Object.defineProperty(this.engine.catalog, "tableById", { value: (id: number) => this.#tables.get(id) });
  }

  [Symbol.dispose](): void {
    this.engine.close();
  }

  /** Makes a table, or changes one: its latest schema becomes that of the descriptor. */
  setTable(
    id: number,
    descriptor: JsonObject,
    schemaId = 1,
    partitions: readonly CatalogPartition[] = [],
  ): CatalogTable {
    const json = new TextEncoder().encode(JSON.stringify(descriptor));
    const live = parseDescriptor(json, schemaId, "db.t");
    const before = this.#tables.get(id);
    const table: CatalogTable = {
      id,
      path: { database: "db", table: "t" },
      live,
      json,
      bucketCount: live.bucketCount ?? 1,
      schemas: new Map([...before?.schemas ?? [], [schemaId, live.schema]]),
      partitions: new Map(partitions.map((partition) => [partition.id, partition])),
      createdTime: 0,
      modifiedTime: 0,
    };
    this.#tables.set(id, table);
    return table;
  }

  /** Drops a table. */
  dropTable(id: number): void {
    this.engine.buckets.drop(this.#tables.get(id)!);
    this.#tables.delete(id);
  }

  /**
   * Serves a request.
   *
   * @throws {ServerFault} when it is refused as a whole
   */
  async call<Q extends DescMessage, A extends DescMessage>(
    api: Api<Q, A>,
    request: MessageInitShape<Q>,
    call: Partial<Call> = {},
  ): Promise<MessageValidType<A>> {
    const messages = await loadApi(api);
    const body = writeMessage(messages.request, request);
    const outcome = await dispatch(this.engine, api.key, body, { ...CALL, apiVersion: api.maxVersion, ...call });
    if (outcome instanceof ServerFault) throw outcome;
    return readMessage(messages.response, outcome);
  }
}
