/**
 * Looks up the rows of one table.
 *
 * @module
 */
import { FlussError, flussError, FlussValidationError } from "../../base/errors.ts";
import type { CallOptions } from "../../base/wait.ts";
import { SCHEMA_ID_BYTES, schemaIdOf } from "../../format/value_batch.ts";
import { compileChecks, type RowChecks } from "../../schema/checks.ts";
import type { FlussClient } from "../client.ts";
import type { BoundTable, TableBinding } from "../table/bound_table.ts";
import { createPartition } from "../table/partitions.ts";
import { namedError, rowText } from "../table/row_text.ts";
import type { Row } from "../table/table_codec.ts";
import type { PartitionTarget } from "../table/target.ts";
import { KeySlab } from "./key_slab.ts";
import { MISSING, onlyValue, readValues } from "./lookup_messages.ts";
import type { Lookup } from "./lookups.ts";

/** A row as it was read. */
export type ReadRow = Record<string, unknown>;

/** What a lookup can be told. */
export interface LookupCall extends CallOptions {
  /** Keys of the columns to read; undefined reads all. */
  readonly select?: readonly string[] | undefined;
}

/** What a lookup reads: one row, one row that is inserted when it is not there, or all rows of a prefix. */
type Kind = Lookup["kind"];

/** See the module. */
export class TableReader {
  readonly client: FlussClient;
  readonly binding: TableBinding;
  /** Holds the keys that are on their way. */
  readonly slab: KeySlab = new KeySlab();
  readonly #checks: RowChecks | undefined;

  constructor(client: FlussClient, binding: TableBinding) {
    this.client = client;
    this.binding = binding;
    const { validate } = client.options;
    this.#checks = validate === "reads" || validate === "both" ? compileChecks(binding.definition) : undefined;
  }

  /** The row with this key, or null. With kind `"insert"` the server inserts it when it is not there. */
  lookup(kind: "lookup" | "insert", key: Row, call: LookupCall = {}): Promise<ReadRow | null> {
    return new Promise<ReadRow | null>((resolve, reject) => {
      this.#begin(new KeyLookup(this, kind, key, call, resolve as (value: unknown) => void, reject));
    });
  }

  /** All rows whose key starts with the bucket key, in the order of their encoded keys. */
  prefixLookup(prefix: Row, call: LookupCall = {}): Promise<ReadRow[]> {
    return new Promise<ReadRow[]>((resolve, reject) => {
      this.#begin(new KeyLookup(this, "prefix", prefix, call, resolve as (value: unknown) => void, reject));
    });
  }

  #begin(lookup: KeyLookup): void {
    const closed = this.client.closedError;
    if (closed !== undefined) return lookup.reject(closed);
    const { bound } = this.binding;
    if (bound !== undefined) return lookup.begin(bound);
    const timeoutMs = Math.max(0, lookup.at - performance.now());
    this.binding.find(this.client.cluster.deadline({ signal: lookup.call.signal, timeoutMs })).then(
      (found) => lookup.begin(found),
      lookup.reject,
    );
  }

  /**
   * Decodes value bytes; their schema may have to be asked for first, and then the bytes are copied.
   *
   * @throws FlussCodecError and ColumnError from the codec
   */
  decode(
    lookup: KeyLookup,
    bound: BoundTable,
    body: Uint8Array,
    start: number,
    end: number,
    resolve: (row: ReadRow) => void,
  ): void {
    const schemaId = schemaIdOf(body, start, end);
    let reader = schemaId === bound.codec.layout.schemaId ? bound.codec.currentReader(lookup.call.select) : undefined;
    if (reader === undefined) {
      const schema = this.client.schemas.get(bound.target.tableId, schemaId);
      if (schema === undefined) {
        this.#decodeLater(lookup, bound, body.slice(start, end), schemaId, resolve);
        return;
      }
      reader = bound.codec.reader(schema, lookup.call.select);
    }
    const row = reader(body, start + SCHEMA_ID_BYTES, end);
    if (this.#checks !== undefined) this.#runChecks(row, this.#checks);
    resolve(row);
  }

  #decodeLater(
    lookup: KeyLookup,
    bound: BoundTable,
    bytes: Uint8Array,
    schemaId: number,
    resolve: (row: ReadRow) => void,
  ): void {
    const { client, binding } = this;
    const timeoutMs = Math.max(0, lookup.at - performance.now());
    const deadline = client.cluster.deadline({ signal: lookup.call.signal, timeoutMs });
    client.schemas.fetch(binding.path, bound.target.tableId, schemaId, deadline).then(() => {
      binding.noteSchema(schemaId);
      this.decode(lookup, bound, bytes, 0, bytes.length, resolve);
    }).catch((error: unknown) => lookup.reject(namedError(error, binding.name, binding.definition, lookup.row)));
  }

  #runChecks(row: ReadRow, checks: RowChecks): void {
    const issues = checks(row);
    if (issues === undefined) return;
    throw new FlussValidationError("VALIDATION.FAILED", {
      table: this.binding.name,
      message: `a stored row was refused: column "${issues[0]!.path.map(String).join(".")}": ${issues[0]!.message}`,
      issues,
    });
  }

  /** Refuses keys with too many or too few columns; the key codec sees the values alone. */
  checkKey(bound: BoundTable, kind: Kind, key: Row): void {
    const { layout } = bound.codec;
    const { definition, name: table } = this.binding;
    if (typeof key !== "object" || key === null) {
      throw flussError("CODEC.WRONG_TYPE", {
        table,
        message: `a key is an object, not ${key === null ? "null" : typeof key}`,
      });
    }
    const wanted = kind === "prefix" ? layout.prefixKeys : definition.primaryKey;
    let given = 0;
    for (const column in key) {
      given++;
      if (wanted.includes(column)) continue;
      const row = rowText(definition, key);
      throw flussError("WRITE.UNKNOWN_COLUMN", {
        table,
        column,
        row,
        message: `key ${row}: column "${column}" is not part of the ${kind === "prefix" ? "prefix" : "key"}`,
        hint: `it takes ${wanted.join(", ")}`,
      });
    }
    if (given === wanted.length) return;
    const column = wanted.find((name) => !(name in key))!;
    throw flussError("WRITE.MISSING_COLUMN", {
      table,
      column,
      row: rowText(definition, key),
      message: `key ${rowText(definition, key)} lacks column "${column}"`,
      hint: `it takes ${wanted.join(", ")}`,
    });
  }
}

/** One call of `lookup` or `prefixLookup`; a class and not closures, because a service makes hundreds of thousands. */
class KeyLookup implements Lookup {
  readonly kind: Kind;
  /** The key or prefix as the user gave it. */
  readonly row: Row;
  readonly call: LookupCall;
  readonly at: number;
  readonly reject: (error: unknown) => void;
  readonly #reader: TableReader;
  readonly #resolve: (value: unknown) => void;
  #bound!: BoundTable;
  #onAbort: (() => void) | undefined;
  target!: PartitionTarget;
  bucket = -1;
  bytes!: Uint8Array;
  start = 0;
  end = 0;
  done = false;
  attempts = 0;
  declare lastFailure?: FlussError;

  constructor(
    reader: TableReader,
    kind: Kind,
    row: Row,
    call: LookupCall,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.kind = kind;
    this.row = row;
    this.call = call;
    this.reject = reject;
    this.#reader = reader;
    this.#resolve = resolve;
    this.at = performance.now() + (call.timeoutMs ?? reader.client.options.requestTimeoutMs);
  }

  /** Encodes the key and puts it on its way. */
  begin(bound: BoundTable): void {
    const { client, binding } = this.#reader;
    const { signal } = this.call;
    this.#bound = bound;
    try {
      signal?.throwIfAborted();
      this.#reader.checkKey(bound, this.kind, this.row);
      const placed = this.kind === "prefix" ? bound.codec.placePrefix(this.row) : bound.codec.place(this.row);
      this.target = bound.partition(placed.partition);
      this.bucket = placed.bucket;
      const { slab } = this.#reader;
      this.start = slab.put(placed.bytes, placed.end);
      this.bytes = slab.bytes;
      this.end = this.start + placed.end;
    } catch (error) {
      this.reject(namedError(error, binding.name, binding.definition, this.row));
      return;
    }
    if (signal !== undefined) {
      this.#onAbort = () => {
        if (client.lookups.finish(this)) this.reject(signal.reason);
      };
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    client.lookups.add(this);
  }

  answer(body: Uint8Array, start: number, end: number): void {
    this.#unlisten();
    try {
      if (this.kind === "prefix") this.#takeAll(body, start, end);
      else this.#takeOne(body, start, end);
    } catch (error) {
      const { name, definition } = this.#reader.binding;
      this.reject(namedError(error, name, definition, this.row));
    }
  }

  #takeOne(body: Uint8Array, start: number, end: number): void {
    const value = onlyValue(body, start, end);
    if (value === MISSING) this.#resolve(null);
    else if (value >= 0) this.#reader.decode(this, this.#bound, body, value, end, this.#resolve);
    else {
      const ranges: number[] = [];
      readValues(body, start, end, ranges);
      if (ranges.length === 0) this.#resolve(null);
      else this.#reader.decode(this, this.#bound, body, ranges[0]!, ranges[1]!, this.#resolve);
    }
  }

  #takeAll(body: Uint8Array, start: number, end: number): void {
    const ranges: number[] = [];
    readValues(body, start, end, ranges);
    const rows: ReadRow[] = new Array(ranges.length / 2);
    let left = rows.length;
    if (left === 0) this.#resolve(rows);
    for (let i = 0; i < rows.length; i++) {
      this.#reader.decode(this, this.#bound, body, ranges[2 * i]!, ranges[2 * i + 1]!, (row) => {
        rows[i] = row;
        if (--left === 0) this.#resolve(rows);
      });
    }
  }

  fail(error: unknown): void {
    this.#unlisten();
    if (FlussError.is(error, "SERVER.TABLE_NOT_EXIST")) this.#bound.target.gone();
    if (!FlussError.is(error, "SERVER.PARTITION_NOT_EXISTS")) this.reject(error);
    else if (this.kind === "prefix") this.#resolve([]);
    else if (this.kind === "lookup") this.#resolve(null);
    else this.#createPartition();
  }

  /** A row that is to be inserted needs its partition. */
  #createPartition(): void {
    const { client } = this.#reader;
    const timeoutMs = Math.max(0, this.at - performance.now());
    createPartition(client.cluster, this.target, client.cluster.deadline({ signal: this.call.signal, timeoutMs })).then(
      () => {
        this.done = false;
        this.begin(this.#bound);
      },
      this.reject,
    );
  }

  #unlisten(): void {
    if (this.#onAbort !== undefined) this.call.signal!.removeEventListener("abort", this.#onAbort);
  }
}
