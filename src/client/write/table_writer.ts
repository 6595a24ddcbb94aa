/**
 * Writes the rows of one table: checks and encodes them in the call, and queues them.
 *
 * @module
 */
import { type FlussError, flussError, FlussValidationError } from "../../base/errors.ts";
import { ByteWriter } from "../../format/byte_writer.ts";
import { compileChecks, type RowChecks } from "../../schema/checks.ts";
import { parseDescriptor, toDescriptorJson } from "../../schema/descriptor.ts";
import type { FlussClient } from "../client.ts";
import type { BoundTable, TableBinding } from "../table/bound_table.ts";
import { layOut } from "../table/layout.ts";
import { namedError, rowText } from "../table/row_text.ts";
import { type Row, TableCodec } from "../table/table_codec.ts";
import { RowAck } from "./ack.ts";

/** The ways to write a row. */
export type WriteOperation = "upsert" | "update" | "delete" | "append";

/** A row that was written before the table was found. */
interface EarlyRow {
  readonly operation: WriteOperation;
  /** The columns in `keys`, encoded as the declaration says. */
  readonly bytes: Uint8Array;
  readonly keys: readonly string[];
  readonly ack: RowAck;
}

/** See the module. */
export class TableWriter {
  readonly #client: FlussClient;
  readonly #binding: TableBinding;
  readonly #known: ReadonlySet<string>;
  readonly #generated: string | undefined;
  readonly #checks: RowChecks | undefined;
  #assumed: TableCodec | undefined;
  readonly #scratch = new ByteWriter();
  #early: EarlyRow[] = [];

  constructor(client: FlussClient, binding: TableBinding) {
    this.#client = client;
    this.#binding = binding;
    const { definition } = binding;
    this.#known = new Set(definition.columns.map((column) => column.key));
    this.#generated = definition.columns.find((column) => column.autoIncrement)?.key;
    const { validate } = client.options;
    this.#checks = validate === "writes" || validate === "both" ? compileChecks(definition) : undefined;
  }

  /**
   * Queues a row, which is encoded before this returns. Everything that is wrong with the row itself is thrown here,
   * with nothing queued.
   *
   * @throws FlussUsageError `WRITE.*`, FlussCodecError `CODEC.*`, FlussValidationError, FlussWriteError `WRITE.QUEUE_FULL`
   */
  write(operation: WriteOperation, row: Row): RowAck {
    const closed = this.#client.closedError;
    if (closed !== undefined) throw closed;
    this.#checkKeys(operation, row);
    if (this.#checks !== undefined && operation !== "delete") this.#runChecks(row, this.#checks);
    const { bound } = this.#binding;
    // Rows that wait for the table keep their place in front of this one.
    if (bound !== undefined && this.#early.length === 0) return this.#append(bound, operation, row, new RowAck());
    return this.#writeEarly(operation, row);
  }

  #append(bound: BoundTable, operation: WriteOperation, row: Row, ack: RowAck): RowAck {
    const { codec } = bound;
    if (operation === "append") {
      try {
        return this.#client.writer.appendToLog(bound, codec.placeInLog(row), row, ack);
      } catch (error) {
        throw this.#named(error, row);
      }
    }
    const shape = operation === "upsert" ? codec.fullShape : operation === "update" ? codec.shapeOf(row) : undefined;
    try {
      return this.#client.writer.append(bound, codec.place(row), shape, row, ack);
    } catch (error) {
      throw this.#named(error, row);
    }
  }

  #named(error: unknown, row: Row): unknown {
    return namedError(error, this.#binding.name, this.#binding.definition, row);
  }

  /**
   * The table has not been looked at yet, and a write call does not wait. The row is encoded as the declaration says,
   * which finds its mistakes and makes a copy of it, and is written for good when the table is known.
   */
  #writeEarly(operation: WriteOperation, row: Row): RowAck {
    const codec = this.#assumedCodec();
    const out = this.#scratch;
    out.reset();
    try {
      if (operation === "append") codec.placeInLog(row);
      else codec.place(row);
      (operation === "upsert" || operation === "append" ? codec.fullShape : codec.shapeOf(row)).write(out, row);
    } catch (error) {
      throw this.#named(error, row);
    }
    const early: EarlyRow = { operation, bytes: out.toBytes(), keys: Object.keys(row), ack: new RowAck() };
    this.#client.writer.reserve(early.bytes.length, this.#binding.name);
    this.#early.push(early);
    if (this.#early.length === 1) {
      const arrival = this.#binding.find(this.#client.cluster.deadline()).then(
        (bound) => this.#admit(bound),
        (error: unknown) => this.#refuse(error as FlussError),
      ).finally(() => this.#client.arrivals.delete(arrival));
      this.#client.arrivals.add(arrival);
    }
    return early.ack;
  }

  #admit(bound: BoundTable): void {
    const codec = this.#assumedCodec();
    const early = this.#early;
    this.#early = [];
    const { schemaId, columns } = codec.layout;
    for (const { operation, bytes, keys, ack } of early) {
      this.#client.writer.release(bytes.length);
      try {
        const row = codec.reader({ schemaId, columns, primaryKey: [] }, keys)(bytes, 0, bytes.length);
        this.#append(bound, operation, row, ack);
      } catch (error) {
        this.#refuseRow(ack, error as FlussError);
      }
    }
  }

  /** None of the waiting rows can be written; that is one failure, however many they are. */
  #refuse(error: FlussError): void {
    const early = this.#early;
    this.#early = [];
    // Closing makes every request fail in its own way; what matters is that it was closed.
    const reason = this.#client.writer.closedBy ?? error;
    for (const { bytes, ack } of early) {
      this.#client.writer.release(bytes.length);
      ack.refuse(reason);
    }
    const left = () => early.reduce((rows, { ack }) => ack.attached ? rows : rows + 1, 0);
    this.#client.writer.keepFailure(this.#binding.name, reason, left);
  }

  #refuseRow(ack: RowAck, error: FlussError): void {
    ack.refuse(error);
    this.#client.writer.keepFailure(this.#binding.name, error, () => ack.attached ? 0 : 1);
  }

  /** The codec of the table that the declaration would create. */
  #assumedCodec(): TableCodec {
    if (this.#assumed === undefined) {
      const { definition, name } = this.#binding;
      const json = new TextEncoder().encode(JSON.stringify(toDescriptorJson(definition)));
      const live = parseDescriptor(json, 1, name);
      // What servers since 0.9 write into every new primary-key table.
      const properties = { "table.kv.format-version": "2", ...live.properties };
      this.#assumed = new TableCodec(layOut(definition, { ...live, properties }, name));
    }
    return this.#assumed;
  }

  /** Refuses columns that the operation cannot take. */
  #checkKeys(operation: WriteOperation, row: Row): void {
    if (typeof row !== "object" || row === null) {
      throw flussError("CODEC.WRONG_TYPE", {
        table: this.#binding.name,
        message: `${operation}() takes an object with the table's columns, not ${row === null ? "null" : typeof row}`,
      });
    }
    for (const key in row) {
      if (!this.#known.has(key) || key === this.#generated) throw this.#refusedColumn(operation, row, key);
    }
    const { primaryKey } = this.#binding.definition;
    for (const key of primaryKey) {
      if (key in row) continue;
      throw flussError("WRITE.MISSING_COLUMN", {
        table: this.#binding.name,
        column: key,
        row: rowText(this.#binding.definition, row),
        message: `row ${rowText(this.#binding.definition, row)} lacks the key column "${key}"`,
        hint: `the key is ${primaryKey.join(", ")}`,
      });
    }
    if (operation !== "delete") return;
    for (const key in row) if (!primaryKey.includes(key)) throw this.#refusedColumn(operation, row, key);
  }

  #refusedColumn(operation: WriteOperation, row: Row, column: string): FlussError {
    const { definition, name: table } = this.#binding;
    const where = { table, column, row: rowText(definition, row) };
    if (column === this.#generated) {
      return flussError("WRITE.GENERATED_COLUMN", {
        ...where,
        message: `row ${where.row}: column "${column}" is numbered by the server and cannot be written`,
      });
    }
    if (this.#known.has(column)) {
      return flussError("WRITE.UNKNOWN_COLUMN", {
        ...where,
        message: `row ${where.row}: ${operation}() takes the key alone, and column "${column}" is not part of it`,
        hint: `the key is ${definition.primaryKey.join(", ")}; to clear a column, update() it to null`,
      });
    }
    return flussError("WRITE.UNKNOWN_COLUMN", {
      ...where,
      message: `row ${where.row}: there is no column "${column}"`,
      hint: `the columns are ${[...this.#known].join(", ")}`,
    });
  }

  #runChecks(row: Row, checks: RowChecks): void {
    const issues = checks(row);
    if (issues === undefined) return;
    const first = issues[0]!;
    const named = rowText(this.#binding.definition, row);
    throw new FlussValidationError("VALIDATION.FAILED", {
      table: this.#binding.name,
      column: String(first.path[0] ?? ""),
      row: named,
      message: `row ${named}, column "${first.path.map(String).join(".")}": ${first.message}`,
      issues,
    });
  }
}
