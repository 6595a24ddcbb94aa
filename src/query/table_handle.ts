/**
 * The run-time side of table handles. Types are in `handle_types.ts`; here a row is a record of unknown values.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { CallOptions } from "../base/wait.ts";
import type { FlussClient } from "../client/client.ts";
import type { TablePath } from "../client/cluster/path.ts";
import { type ReadRow, TableReader } from "../client/read/table_reader.ts";
import { TableBinding } from "../client/table/bound_table.ts";
import type { Row } from "../client/table/table_codec.ts";
import type { WriteAck } from "../client/write/ack.ts";
import { TableWriter, type WriteOperation } from "../client/write/table_writer.ts";
import type { TableDefinition } from "../schema/definition.ts";
import { appendBatches, type AppendReceipt, type ArrowSource } from "./append_batches.ts";
import { writableOf, writeAll } from "./bulk.ts";
import { type Operation, refusal } from "./forbidden.ts";
import { type LooseOptions, planSubscription } from "./change_options.ts";
import { RuntimeSubscription } from "./changes.ts";
import { RuntimeScan } from "./scan.ts";

interface ReadOptions extends CallOptions {
  readonly select?: readonly string[];
  readonly insertIfMissing?: boolean;
}

/** Keys that `lookupMany` has out at a time. */
const MANY = 4096;

/** A handle on one table. */
export class RuntimeTableHandle {
  readonly #client: FlussClient;
  readonly #binding: TableBinding;
  readonly #definition: TableDefinition;
  readonly #writer: TableWriter;
  readonly #reader: TableReader;
  readonly #refusals = new Map<Operation, Error | undefined>();

  constructor(client: FlussClient, path: TablePath, definition: TableDefinition) {
    this.#client = client;
    this.#binding = new TableBinding(client, path, definition);
    this.#definition = definition;
    this.#writer = new TableWriter(client, this.#binding);
    this.#reader = new TableReader(client, this.#binding);
  }

  upsert(row: Row): WriteAck {
    return this.#write("upsert", row);
  }

  update(patch: Row): WriteAck {
    return this.#write("update", patch);
  }

  delete(key: Row): WriteAck {
    return this.#write("delete", key);
  }

  append(row: Row): WriteAck {
    return this.#write("append", row);
  }

  appendAll(rows: Iterable<Row> | AsyncIterable<Row>, options: CallOptions = {}): Promise<{ rows: number }> {
    return writeAll(this.#client, this.#binding, this.#rowWriter("append"), rows, options);
  }

  appendBatches(source: ArrowSource, options: CallOptions = {}): Promise<AppendReceipt> {
    const refused = this.#refusal("append");
    if (refused !== undefined) return Promise.reject(refused);
    return appendBatches(this.#client, this.#binding, source, options);
  }

  upsertAll(rows: Iterable<Row> | AsyncIterable<Row>, options: CallOptions = {}): Promise<{ rows: number }> {
    return writeAll(this.#client, this.#binding, this.#rowWriter("upsert"), rows, options);
  }

  writable(): WritableStream<Row> {
    const operation = this.#definition.primaryKey.length === 0 ? "append" : "upsert";
    return writableOf(this.#client, this.#binding, this.#rowWriter(operation));
  }

  writer(options: { readonly columns: readonly string[] }): { update(row: Row): WriteAck } {
    const { primaryKey } = this.#definition;
    const wanted = new Set([...primaryKey, ...options.columns]);
    for (const column of wanted) this.#known(column);
    return {
      update: (row) => {
        for (const column of wanted) {
          if (column in row) continue;
          throw flussError("WRITE.MISSING_COLUMN", {
            table: this.#binding.name,
            column,
            message: `this writer writes the columns ${[...wanted].join(", ")}, and the row lacks "${column}"`,
          });
        }
        for (const column in row) {
          if (wanted.has(column)) continue;
          throw flussError("WRITE.UNKNOWN_COLUMN", {
            table: this.#binding.name,
            column,
            message: `this writer writes the columns ${[...wanted].join(", ")}, and not "${column}"`,
          });
        }
        return this.#write("update", row);
      },
    };
  }

  lookup(key: Row, options: ReadOptions = {}): Promise<ReadRow | null> {
    const refused = this.#refusal("lookup") ?? this.#selectRefusal(options.select);
    if (refused !== undefined) return Promise.reject(refused);
    return this.#reader.lookup(options.insertIfMissing === true ? "insert" : "lookup", key, options);
  }

  async lookupMany(keys: readonly Row[], options: ReadOptions = {}): Promise<(ReadRow | null)[]> {
    const rows: (ReadRow | null)[] = [];
    const end = performance.now() + (options.timeoutMs ?? this.#client.options.requestTimeoutMs);
    for (let at = 0; at < keys.length; at += MANY) {
      const left = { ...options, timeoutMs: Math.max(1, end - performance.now()) };
      rows.push(...await Promise.all(keys.slice(at, at + MANY).map((key) => this.lookup(key, left))));
    }
    return rows;
  }

  prefixLookup(prefix: Row, options: ReadOptions = {}): Promise<ReadRow[]> {
    const refused = this.#refusal("prefixLookup") ?? this.#selectRefusal(options.select);
    if (refused !== undefined) return Promise.reject(refused);
    return this.#reader.prefixLookup(prefix, options);
  }

  changes(options: LooseOptions = {}): RuntimeSubscription {
    return new RuntimeSubscription(
      this.#client,
      planSubscription([{ binding: this.#binding, label: undefined }], options),
    );
  }

  /** The table of a handle. */
  static bindingOf(handle: RuntimeTableHandle): TableBinding {
    return handle.#binding;
  }

  /** Queues the rows that are written from now on, and sends none before the function that it returns is called. */
  static suspendWrites(handle: RuntimeTableHandle): () => void {
    return handle.#client.writer.suspend();
  }

  scan(): RuntimeScan {
    return new RuntimeScan({ client: this.#client, binding: this.#binding });
  }

  #write(operation: WriteOperation, row: Row): WriteAck {
    const refused = this.#refusal(operation);
    if (refused !== undefined) throw refused;
    return this.#writer.write(operation, row);
  }

  #rowWriter(operation: WriteOperation): (row: Row) => ReturnType<TableWriter["write"]> {
    const refused = this.#refusal(operation);
    if (refused !== undefined) throw refused;
    return (row) => this.#writer.write(operation, row);
  }

  #refusal(operation: Operation): Error | undefined {
    if (!this.#refusals.has(operation)) {
      this.#refusals.set(operation, refusal(this.#definition, operation, this.#binding.name));
    }
    return this.#refusals.get(operation);
  }

  #selectRefusal(select: readonly string[] | undefined): Error | undefined {
    if (select === undefined) return undefined;
    try {
      for (const column of select) this.#known(column);
    } catch (error) {
      return error as Error;
    }
    if (select.length > 0 && new Set(select).size === select.length) return undefined;
    return flussError("LOOKUP.NOT_SUPPORTED", {
      table: this.#binding.name,
      message: select.length === 0 ? "select names no column" : `select names a column twice: ${select.join(", ")}`,
      hint: "leave select out to read all columns",
    });
  }

  #known(column: string): void {
    if (this.#definition.columns.some(({ key }) => key === column)) return;
    throw flussError("LOOKUP.UNKNOWN_COLUMN", {
      table: this.#binding.name,
      column,
      message: `there is no column "${column}"`,
      hint: `the columns are ${this.#definition.columns.map(({ key }) => key).join(", ")}`,
    });
  }
}
