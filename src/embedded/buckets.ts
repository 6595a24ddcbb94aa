/**
 * The buckets that are in use: of each its log, and where the table has a primary key its rows.
 *
 * @module
 */
import { bucketText } from "./bucket_text.ts";
import type { CatalogTable } from "./catalog/table.ts";
import type { Engine } from "./engine.ts";
import { fault } from "./fault.ts";
import { dropSequences } from "./kv/auto_increment.ts";
import { BucketRows } from "./kv/bucket_rows.ts";
import { BucketLog } from "./log/bucket_log.ts";
import type { BucketId } from "./storage/storage.ts";

/** One bucket. Gone when its table or partition is dropped, or a commit failed: do not keep it over a wait. */
export class Bucket {
  readonly id: BucketId;
  readonly log: BucketLog;
  /** Absent in log tables. */
  readonly rows: BucketRows | undefined;
  readonly #engine: Engine;

  constructor(engine: Engine, id: BucketId, table: CatalogTable) {
    this.id = id;
    this.#engine = engine;
    this.log = new BucketLog(engine, this);
    this.rows = table.live.schema.primaryKey.length === 0 ? undefined : new BucketRows(engine, this);
  }

  /** The table as it is now. */
  get table(): CatalogTable {
    return this.#engine.catalog.tableById(this.id.tableId)!;
  }
}

/** See the module. */
export class Buckets {
  readonly #engine: Engine;
  /** By table, then by partition and bucket. */
  readonly #tables = new Map<number, Map<string, Bucket>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Finds a bucket by the numbers of a request.
   *
   * @throws {ServerFault} 21 when there is none
   */
  get(tableId: bigint | number, partitionId: bigint | number | undefined, bucket: number): Bucket {
    const id: BucketId = {
      tableId: Number(tableId),
      partitionId: partitionId === undefined ? undefined : Number(partitionId),
      bucket,
    };
    const key = id.partitionId === undefined ? `${bucket}` : `${id.partitionId}/${bucket}`;
    const known = this.#tables.get(id.tableId)?.get(key);
    if (known !== undefined) return known;
    const table = this.#engine.catalog.tableById(id.tableId);
    const partitioned = table !== undefined && table.live.partitionKey.length > 0;
    if (
      table === undefined || bucket < 0 || bucket >= table.bucketCount ||
      (partitioned
        ? id.partitionId === undefined || !table.partitions.has(id.partitionId)
        : id.partitionId !== undefined)
    ) {
      throw fault("SERVER.UNKNOWN_TABLE_OR_BUCKET_EXCEPTION", `Unknown table or bucket: ${bucketText(id)}`);
    }
    const made = new Bucket(this.#engine, id, table);
    let buckets = this.#tables.get(id.tableId);
    if (buckets === undefined) this.#tables.set(id.tableId, buckets = new Map());
    buckets.set(key, made);
    return made;
  }

  /** Every bucket that was used since the start. */
  *all(): Generator<Bucket> {
    for (const buckets of this.#tables.values()) yield* buckets.values();
  }

  /** Deletes the buckets of a table, or of one of its partitions. */
  drop(table: CatalogTable, partitionId?: number): void {
    const partitions = partitionId !== undefined
      ? [partitionId]
      : table.live.partitionKey.length > 0
      ? [...table.partitions.keys()]
      : [undefined];
    const buckets = this.#tables.get(table.id);
    for (const partition of partitions) {
      for (let bucket = 0; bucket < table.bucketCount; bucket++) {
        const key = partition === undefined ? `${bucket}` : `${partition}/${bucket}`;
        buckets?.get(key)?.log.close();
        buckets?.delete(key);
        this.#engine.storage.drop({ tableId: table.id, partitionId: partition, bucket });
      }
    }
    dropSequences(this.#engine.storage.documents, table, partitionId);
    if (buckets?.size === 0) this.#tables.delete(table.id);
  }

  /** Lets go of all buckets without deleting them: those who wait at their logs are told. */
  clear(): void {
    for (const { log } of this.all()) log.close();
    this.#tables.clear();
  }
}
