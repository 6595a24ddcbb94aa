/**
 * A declared table that was found on the cluster.
 *
 * @module
 */
import { flussError } from "../../base/errors.ts";
import type { Deadline } from "../../base/wait.ts";
import type { TableDefinition } from "../../schema/definition.ts";
import { compareTables } from "../../schema/drift.ts";
import type { FlussClient } from "../client.ts";
import { pathText, type TablePath } from "../cluster/path.ts";
import { fetchTableInfo } from "../cluster/tables.ts";
import { layOut } from "./layout.ts";
import { TableCodec } from "./table_codec.ts";
import { type PartitionTarget, partitionTarget, type TableTarget } from "./target.ts";

/** Targets of partitions that are kept; making one again is cheap. */
const MAX_PARTITIONS = 4096;

/** A table that was found and fits its declaration. */
export interface BoundTable {
  readonly target: TableTarget;
  readonly codec: TableCodec;
  /** The target of one partition; without a name, of the table itself. */
  readonly partition: (name: string | undefined) => PartitionTarget;
}

/** Finds a table on the cluster when it is first used, and again when it turns out to have changed. */
export class TableBinding {
  readonly path: TablePath;
  /** `database.table`. */
  readonly name: string;
  readonly definition: TableDefinition;
  /** The table, once it was found. */
  bound: BoundTable | undefined;
  readonly #client: FlussClient;
  #finding: Promise<BoundTable> | undefined;

  constructor(client: FlussClient, path: TablePath, definition: TableDefinition) {
    this.#client = client;
    this.path = path;
    this.name = pathText(path);
    this.definition = definition;
  }

  /**
   * The table as it is on the cluster. Concurrent callers share one look at it.
   *
   * @throws FlussServerError `SERVER.TABLE_NOT_EXIST`, FlussUsageError `SCHEMA.DRIFT`, ...
   */
  async find(deadline: Deadline): Promise<BoundTable> {
    if (this.bound !== undefined) return this.bound;
    if (this.#finding === undefined) {
      this.#finding = this.#find().finally(() => this.#finding = undefined);
      this.#finding.catch(() => {});
    }
    return await deadline.wait(this.#finding, `looking at table ${this.name}`);
  }

  /**
   * A row was seen that was written with `schemaId`. If that is newer than what is known, the table is looked at again:
   * whole rows written with an old schema would erase the new columns.
   */
  noteSchema(schemaId: number): void {
    if (this.bound === undefined || schemaId <= this.bound.codec.layout.schemaId || this.#finding !== undefined) return;
    this.#finding = this.#find().finally(() => this.#finding = undefined);
    // Who needs the result asks for it again and gets the error.
    this.#finding.catch(() => {});
  }

  async #find(): Promise<BoundTable> {
    const { cluster, schemas, options } = this.#client;
    const deadline = cluster.deadline();
    const info = await fetchTableInfo(cluster, this.path, deadline.options);
    if (options.schemaCheck !== "off") this.#compare(info.table, options.schemaCheck);
    schemas.add(info.tableId, info.table.schema);
    const layout = layOut(this.definition, info.table, this.name);
    const target: TableTarget = {
      path: this.path,
      name: this.name,
      tableId: info.tableId,
      partitionColumns: layout.partitionColumns.map((column) => column.name),
      gone: () => {
        if (this.bound?.target === target) this.bound = undefined;
      },
    };
    const partitions = new Map<string | undefined, PartitionTarget>();
    const partition = (name: string | undefined): PartitionTarget => {
      let found = partitions.get(name);
      if (found === undefined) {
        // Names come from keys, also from keys of partitions that do not exist.
        if (partitions.size >= MAX_PARTITIONS) partitions.clear();
        partitions.set(name, found = partitionTarget(target, name));
      }
      return found;
    };
    if (layout.partitionColumns.length === 0) await cluster.leaders(partition(undefined).physical, deadline);
    this.bound = { target, codec: new TableCodec(layout), partition };
    return this.bound;
  }

  #compare(live: Parameters<typeof compareTables>[1], mode: "strict" | "compatible"): void {
    const differences = compareTables(this.definition, live, mode);
    if (differences.length === 0) return;
    throw flussError("SCHEMA.DRIFT", { table: this.name, message: differences.join("; ") });
  }
}
