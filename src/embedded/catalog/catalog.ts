/**
 * Databases, tables and partitions. Everything is kept in small documents, one per database, table and partition.
 *
 * @module
 */
import type { Alarm } from "../../base/alarms.ts";
import { parseDescriptor, parseSchema } from "../../schema/descriptor.ts";
import type { JsonObject } from "../../schema/data_type_json.ts";
import type { Engine } from "../engine.ts";
import { fault, ServerFault } from "../fault.ts";
import { autoPartition } from "./auto_partition.ts";
import { partitionName } from "./names.ts";
import { schemaJson } from "./schema_document.ts";
import { type CatalogPartition, type CatalogTable, type TablePath, tableText } from "./table.ts";
import { checkPlacing, checkTable, readTable, type TableDocument, tableJson, withDefaults } from "./table_document.ts";
import { flag, type Options } from "./table_options.ts";

/** The database that is there from the start. */
const DEFAULT_DATABASE = "fluss";

/** A database. */
export interface CatalogDatabase {
  readonly name: string;
  readonly comment: string | undefined;
  readonly customProperties: Options;
  /** Milliseconds since 1970. */
  readonly createdTime: number;
  readonly modifiedTime: number;
}

/** A table as it is stored. */
interface StoredTable {
  readonly id: number;
  readonly path: TablePath;
  /** The descriptor with the latest schema. */
  readonly descriptor: JsonObject;
  /** Every schema by its id, from 1 on. */
  readonly schemas: readonly JsonObject[];
  readonly createdTime: number;
  readonly modifiedTime: number;
}

/** A partition as it is stored. */
interface StoredPartition extends CatalogPartition {
  readonly tableId: number;
}

interface Entry {
  readonly stored: StoredTable;
  /** Made anew when anything about it changes. */
  table: CatalogTable;
  readonly partitions: Map<number, CatalogPartition>;
  readonly partitionIds: Map<string, number>;
}

/** See the module. */
export class Catalog {
  readonly #engine: Engine;
  readonly #databases = new Map<string, CatalogDatabase>();
  readonly #byId = new Map<number, Entry>();
  /** By database, then by name. */
  readonly #byName = new Map<string, Map<string, Entry>>();
  /** Tables by the ids of their partitions. */
  readonly #partitions = new Map<number, Entry>();
  #alarm: Alarm | undefined;
  #closed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#read();
    if (this.#databases.size === 0) this.createDatabase(DEFAULT_DATABASE, undefined, {});
    // Days may have passed since the storage was closed.
    for (const entry of this.#byId.values()) this.#autoPartition(entry);
  }

  #read(): void {
    const { documents } = this.#engine.storage;
    for (const { document } of documents.list("database/")) {
      const database = document as CatalogDatabase;
      this.#databases.set(database.name, database);
      this.#byName.set(database.name, new Map());
    }
    for (const { document } of documents.list("table/")) this.#enter(document as StoredTable);
    for (const { document } of documents.list("partition/")) {
      const { tableId, ...partition } = document as StoredPartition;
      const entry = this.#byId.get(tableId)!;
      entry.partitions.set(partition.id, partition);
      entry.partitionIds.set(partition.name, partition.id);
      this.#partitions.set(partition.id, entry);
    }
    this.#watch();
  }

  /** Reads everything from the storage again. */
  reload(): void {
    this.#databases.clear();
    this.#byId.clear();
    this.#byName.clear();
    this.#partitions.clear();
    this.#read();
  }

  /** Ends what runs by the clock. */
  close(): void {
    this.#closed = true;
    if (this.#alarm !== undefined) this.#engine.clock.clear(this.#alarm);
    this.#alarm = undefined;
  }

  /** The next number of a counter that lives as long as the storage, from 0 on: table, partition and writer ids. */
  nextId(counter: "table" | "partition" | "writer"): number {
    const { documents } = this.#engine.storage;
    const name = `counter/${counter}`;
    const next = (documents.get(name) as number | undefined) ?? 0;
    documents.put(name, next + 1);
    return next;
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Databases.

  /** All databases, in the order of their names. */
  get databases(): readonly CatalogDatabase[] {
    return [...this.#databases.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The database with this name, if it is there. */
  findDatabase(name: string): CatalogDatabase | undefined {
    return this.#databases.get(name);
  }

  /** Makes a database that is not there yet, or puts a changed one in its place. */
  createDatabase(name: string, comment: string | undefined, customProperties: Options): void {
    const now = this.#engine.clock.now();
    this.#putDatabase({ name, comment, customProperties, createdTime: now, modifiedTime: now });
    this.#byName.set(name, new Map());
  }

  /** Changes what is kept with a database. */
  alterDatabase(database: CatalogDatabase): void {
    this.#putDatabase({ ...database, modifiedTime: this.#engine.clock.now() });
  }

  #putDatabase(database: CatalogDatabase): void {
    this.#engine.storage.documents.put(`database/${database.name}`, database);
    this.#databases.set(database.name, database);
  }

  /** Drops a database that is there, with its tables. */
  dropDatabase(name: string): void {
    for (const { table } of [...this.#byName.get(name)!.values()]) this.dropTable(table);
    this.#engine.storage.documents.delete(`database/${name}`);
    this.#databases.delete(name);
    this.#byName.delete(name);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Tables.

  /** The names of the tables of a database that is there, in their order. */
  tableNames(database: string): string[] {
    return [...this.#byName.get(database)!.keys()].sort();
  }

  /** The table with this id, if it is there. */
  tableById(id: number): CatalogTable | undefined {
    return this.#byId.get(id)?.table;
  }

  /** The table with this name, if it is there. */
  findTable({ database, table }: TablePath): CatalogTable | undefined {
    return this.#byName.get(database)?.get(table)?.table;
  }

  /**
   * The table with this name.
   *
   * @throws {ServerFault} 7
   */
  table(path: TablePath): CatalogTable {
    const found = this.findTable(path);
    if (found !== undefined) return found;
    throw fault("SERVER.TABLE_NOT_EXIST", `Table '${tableText(path)}' does not exist.`);
  }

  /** A schema of a table as it goes to clients; undefined when there is none with this id. */
  schemaJson(table: CatalogTable, schemaId: number): Uint8Array<ArrayBuffer> | undefined {
    const found = this.#byId.get(table.id)!.stored.schemas[schemaId - 1];
    return found === undefined ? undefined : encode(found);
  }

  /**
   * Makes a table.
   *
   * @param json the descriptor, as a client sent it
   * @throws {ServerFault} what the server would say to it; a plain error where that is -1
   */
  createTable(path: TablePath, json: Uint8Array, ignoreIfExists: boolean): void {
    const { settings } = this.#engine;
    const document = withDefaults(readTable(json), settings);
    checkTable(document, settings);
    if (!this.#databases.has(path.database)) {
      throw fault("SERVER.DATABASE_NOT_EXIST", `Database ${path.database} does not exist.`);
    }
    if (this.findTable(path) !== undefined) {
      if (ignoreIfExists) return;
      throw fault("SERVER.TABLE_ALREADY_EXIST", `Table ${tableText(path)} already exists.`);
    }
    const now = this.#engine.clock.now();
    const entry = this.#enter({
      id: this.nextId("table"),
      path,
      descriptor: tableJson(document),
      schemas: [schemaJson(document.schema)],
      createdTime: now,
      modifiedTime: now,
    });
    this.#store(entry);
    this.#autoPartition(entry);
    this.#watch();
  }

  /**
   * Puts another schema, or other options, in the place of a table's.
   *
   * @throws {ServerFault} 39, 15 when it is not a good one
   */
  alterTable(table: CatalogTable, change: (document: TableDocument) => TableDocument): void {
    const entry = this.#byId.get(table.id)!;
    const before = readTable(table.json);
    const after = change(before);
    if (after === before) return;
    if (after.properties !== before.properties) {
      checkTable(after, this.#engine.settings);
      if (flag(after.properties, "table.datalake.enabled") === true) {
        throw fault(
          "SERVER.INVALID_ALTER_TABLE_EXCEPTION",
          `Cannot alter table ${
            tableText(table.path)
          } in data lake, because the Fluss cluster doesn't enable datalake ` +
            "tables.",
        );
      }
    }
    const { stored } = entry;
    const grown = after.schema !== before.schema;
    const changed = this.#enter({
      ...stored,
      descriptor: tableJson(after),
      schemas: grown ? [...stored.schemas, schemaJson(after.schema)] : stored.schemas,
      // As newer servers have it: 0.9.1 always tells the time of creation, and none counts new schemas.
      modifiedTime: grown ? stored.modifiedTime : this.#engine.clock.now(),
    }, entry);
    this.#store(changed);
    this.#watch();
  }

  /** Drops a table with everything that it has. */
  dropTable(table: CatalogTable): void {
    const entry = this.#byId.get(table.id)!;
    this.#engine.buckets.drop(table);
    const { documents } = this.#engine.storage;
    for (const id of entry.partitions.keys()) {
      documents.delete(partitionDocument(table.id, id));
      this.#partitions.delete(id);
    }
    documents.delete(tableDocument(table.id));
    this.#byId.delete(table.id);
    this.#byName.get(table.path.database)!.delete(table.path.table);
  }

  #enter(stored: StoredTable, before?: Entry): Entry {
    const partitions = before?.partitions ?? new Map<number, CatalogPartition>();
    const entry: Entry = {
      stored,
      partitions,
      partitionIds: before?.partitionIds ?? new Map(),
      table: catalogTable(stored, partitions),
    };
    this.#byId.set(stored.id, entry);
    this.#byName.get(stored.path.database)!.set(stored.path.table, entry);
    for (const id of partitions.keys()) this.#partitions.set(id, entry);
    return entry;
  }

  #store({ stored }: Entry): void {
    this.#engine.storage.documents.put(tableDocument(stored.id), stored);
  }

  // -------------------------------------------------------------------------------------------------------------------
  // Partitions.

  /** The table that has the partition with this id, if it is there. */
  tableOfPartition(id: number): CatalogTable | undefined {
    return this.#partitions.get(id)?.table;
  }

  /** The partition of a table with this name, if it is there. */
  findPartition(table: CatalogTable, name: string): CatalogPartition | undefined {
    const { partitions, partitionIds } = this.#byId.get(table.id)!;
    const id = partitionIds.get(name);
    return id === undefined ? undefined : partitions.get(id);
  }

  /**
   * Makes a partition.
   *
   * @throws {ServerFault} 43, 42, 45, 49, 17
   */
  createPartition(table: CatalogTable, values: ReadonlyMap<string, string>, ignoreIfExists: boolean): void {
    const entry = this.#byId.get(table.id)!;
    const name = partitionName(tableText(table.path), table.live.partitionKey, values, true);
    checkPlacing(table.bucketCount, table.live.properties);
    this.#createPartition(entry, name, ignoreIfExists);
  }

  #createPartition(entry: Entry, name: string, ignoreIfExists: boolean): void {
    const { table, partitions, partitionIds } = entry;
    const { maxPartitions, maxBuckets } = this.#engine.settings;
    const text = tableText(table.path);
    if (partitionIds.has(name)) {
      if (ignoreIfExists) return;
      const qualified = qualifiedName(table, name);
      throw fault("SERVER.PARTITION_ALREADY_EXISTS", `Partition '${qualified}' already exists for table ${text}`);
    }
    if (partitions.size + 1 > maxPartitions) {
      throw fault(
        "SERVER.PARTITION_MAX_NUM_EXCEPTION",
        `Exceed the maximum number of partitions for table ${text}, only allow ${maxPartitions} partitions.`,
      );
    }
    const buckets = table.bucketCount * (partitions.size + 1);
    if (buckets > maxBuckets) {
      throw fault(
        "SERVER.BUCKET_MAX_NUM_EXCEPTION",
        `Adding partition '${name}' would result in ${buckets} total buckets for table ${text}, exceeding the ` +
          `maximum of ${maxBuckets} buckets.`,
      );
    }
    const partition = { id: this.nextId("partition"), name, createdTime: this.#engine.clock.now() };
    const stored: StoredPartition = { ...partition, tableId: table.id };
    this.#engine.storage.documents.put(partitionDocument(table.id, partition.id), stored);
    partitions.set(partition.id, partition);
    partitionIds.set(name, partition.id);
    this.#partitions.set(partition.id, entry);
  }

  /**
   * Drops a partition with its rows.
   *
   * @throws {ServerFault} 43, 36
   */
  dropPartition(table: CatalogTable, values: ReadonlyMap<string, string>, ignoreIfNotExists: boolean): void {
    const name = partitionName(tableText(table.path), table.live.partitionKey, values, false);
    const found = this.findPartition(table, name);
    if (found !== undefined) return this.#dropPartition(this.#byId.get(table.id)!, found);
    if (ignoreIfNotExists) return;
    throw fault(
      "SERVER.PARTITION_NOT_EXISTS",
      `Partition '${qualifiedName(table, name)}' does not exist for table ${tableText(table.path)}`,
    );
  }

  #dropPartition({ table, partitions, partitionIds }: Entry, { id, name }: CatalogPartition): void {
    this.#engine.buckets.drop(table, id);
    this.#engine.storage.documents.delete(partitionDocument(table.id, id));
    partitions.delete(id);
    partitionIds.delete(name);
    this.#partitions.delete(id);
  }

  /** Makes the partitions of now and drops old ones, for as long as a table wants that. */
  #watch(): void {
    if (this.#alarm !== undefined || this.#closed) return;
    const wanted = [...this.#byId.values()].some(({ table: { live } }) => autoPartition(live) !== undefined);
    if (!wanted) return;
    this.#alarm = this.#engine.clock.set(this.#engine.settings.autoPartitionCheckMs, () => {
      this.#alarm = undefined;
      for (const entry of [...this.#byId.values()]) this.#autoPartition(entry);
      // Nobody waits for it, and what cannot be stored now is made next time.
      this.#engine.commits.settled?.catch(() => {});
      this.#watch();
    });
  }

  #autoPartition(entry: Entry): void {
    const { table, partitions } = entry;
    const auto = autoPartition(table.live);
    if (auto === undefined) return;
    const now = this.#engine.clock.now();
    if (auto.oldest !== undefined) {
      const oldest = auto.oldest(now);
      for (const partition of [...partitions.values()]) {
        if (partition.name.split("$")[auto.keyAt]! < oldest) this.#dropPartition(entry, partition);
      }
    }
    try {
      for (const name of auto.ahead(now)) this.#createPartition(entry, name, true);
    } catch (error) {
      // There are as many as there may be, or buckets cannot be placed: the server says so in its log alone.
      if (!(error instanceof ServerFault)) throw error;
    }
  }
}

function tableDocument(id: number): string {
  return `table/${id}`;
}

function partitionDocument(tableId: number, id: number): string {
  return `partition/${tableId}/${id}`;
}

/** `day=20261123/region=eu` */
function qualifiedName({ live: { partitionKey } }: CatalogTable, name: string): string {
  const values = name.split("$");
  return partitionKey.map((key, i) => `${key}=${values[i]}`).join("/");
}

function catalogTable(stored: StoredTable, partitions: ReadonlyMap<number, CatalogPartition>): CatalogTable {
  const { id, path, descriptor, schemas, createdTime, modifiedTime } = stored;
  const name = tableText(path);
  const json = encode(descriptor);
  // Servers make partitioned tables without buckets, whose partitions cannot be made.
  const { bucket_count: bucketCount, ...rest } = descriptor as JsonObject & { readonly bucket_count: number };
  const live = parseDescriptor(bucketCount > 0 ? json : encode(rest), schemas.length, name);
  const parsed = new Map(schemas.map((schema, i) => [i + 1, parseSchema(encode(schema), i + 1, name)]));
  return {
    id,
    path,
    live: { ...live, schema: parsed.get(schemas.length)! },
    json,
    bucketCount,
    schemas: parsed,
    partitions,
    createdTime,
    modifiedTime,
  };
}

function encode(json: JsonObject): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(json));
}
