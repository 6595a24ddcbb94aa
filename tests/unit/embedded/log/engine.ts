/** A server with the tables that a test names, and no catalog of its own. */
import type { CatalogTable } from "../../../../src/embedded/catalog/table.ts";
import { Buckets } from "../../../../src/embedded/buckets.ts";
import { asFault } from "../../../../src/embedded/fault.ts";
import type { Clock } from "../../../../src/embedded/clock.ts";
import type { Engine } from "../../../../src/embedded/engine.ts";
import type { Call } from "../../../../src/embedded/requests/handler.ts";
import { DEFAULT_SETTINGS } from "../../../../src/embedded/settings.ts";
import { memoryStorage } from "../../../../src/embedded/storage/memory.ts";
import type { SchemaColumn } from "../../../../src/schema/data_type.ts";

/** A table; its latest schema has the last number. */
export function tableOf(
  schemas: readonly (readonly SchemaColumn[])[],
  properties: Record<string, string> = {},
  primaryKey: readonly string[] = [],
): CatalogTable {
  const all = schemas.map((columns, i) => ({ schemaId: i + 1, columns, primaryKey }));
  return {
    id: 0,
    path: { database: "shop", table: "orders" },
    live: {
      schema: all.at(-1)!,
      partitionKey: [],
      bucketKey: [],
      bucketCount: 3,
      properties,
      customProperties: {},
    },
    json: new Uint8Array(0),
    bucketCount: 3,
    schemas: new Map(all.map((schema) => [schema.schemaId, schema])),
    partitions: new Map(),
    createdTime: 0,
    modifiedTime: 0,
  };
}

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  #now = 1_000_000;
  readonly #alarms = new Set<{ readonly slot: number; readonly ring: () => void }>();

  now(): number {
    return this.#now;
  }

  set(ms: number, ring: () => void): { readonly slot: number; readonly ring: () => void } {
    const alarm = { slot: this.#now + ms, ring };
    this.#alarms.add(alarm);
    return alarm;
  }

  clear(alarm: { readonly slot: number; readonly ring: () => void }): void {
    this.#alarms.delete(alarm);
  }

  /** How many alarms are set. */
  get alarms(): number {
    return this.#alarms.size;
  }

  move(ms: number): void {
    this.#now += ms;
    for (const alarm of [...this.#alarms]) {
      if (alarm.slot > this.#now) continue;
      this.#alarms.delete(alarm);
      alarm.ring();
    }
  }
}

/** What a test changes while it runs. */
export interface TestEngine {
  readonly engine: Engine;
  readonly clock: TestClock;
  /** Tables by id. */
  readonly tables: Map<number, CatalogTable>;
  /** Whether everybody may do everything. */
  allowed: boolean;
}

/** An engine that has one table, with the id 0. */
export function testEngine(table: CatalogTable): TestEngine {
  const clock = new TestClock();
  const tables = new Map([[table.id, table]]);
  let writers = 0;
  const engine = {
    settings: DEFAULT_SETTINGS,
    clock,
    storage: memoryStorage(),
    closed: false,
    catalog: { tableById: (id: number) => tables.get(id), nextId: () => writers++ },
    authorizer: {
      may: () => test.allowed,
      check() {
        if (!test.allowed) throw asFault(Object.assign(new Error("no"), { code: 48 }));
      },
    },
  } as unknown as { -readonly [K in keyof Engine]: Engine[K] };
  engine.buckets = new Buckets(engine as Engine);
  const test: TestEngine = { engine: engine as Engine, clock, tables, allowed: true };
  return test;
}

/** A request's connection, which a test may end. */
export function testCall(): { readonly call: Call; end(): void; readonly listeners: number } {
  const listeners = new Set<() => void>();
  let closed = false;
  const endpoint = { host: "localhost", port: 1 };
  const call: Call = {
    apiVersion: 0,
    principal: { name: "ANONYMOUS", type: "User" },
    server: "tablet",
    endpoints: { coordinator: endpoint, tablet: endpoint },
    session: {
      get closed() {
        return closed;
      },
      onClose(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      close: () => {},
      whenRoom: (_, make) => make(),
    },
  };
  return {
    call,
    end() {
      closed = true;
      for (const listener of [...listeners]) listener();
    },
    get listeners() {
      return listeners.size;
    },
  };
}
