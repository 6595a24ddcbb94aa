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
import { readValues } from "./lookup_messages.ts";
import type { Lookup } from "./lookups.ts";

/** A row as it was read. */
export type ReadRow = Record<string, unknown>;

/** What a lookup can be told. */
export interface LookupCall extends CallOptions {
  /** Keys of the columns to read; undefined reads all. */
  readonly select?: readonly string[] | undefined;
}

/** See the module. */
export class TableReader {
  readonly #client: FlussClient;
  readonly #binding: TableBinding;
  readonly #checks: RowChecks | undefined;

  constructor(client: FlussClient, binding: TableBinding) {
    this.#client = client;
    this.#binding = binding;
    const { validate } = client.options;
    this.#checks = validate === "reads" || validate === "both" ? compileChecks(binding.definition) : undefined;
  }

  /** The row with this key, or null. With kind `"insert"` the server inserts it when it is not there. */
  lookup(kind: "lookup" | "insert", key: Row, call: LookupCall = {}): Promise<ReadRow | null> {
    const { promise, resolve, reject } = Promise.withResolvers<ReadRow | null>();
    this.#whenBound(call, reject, (bound) => {
      this.#start(bound, kind, key, call, {
        answer: (body, ranges) => {
          if (ranges.length === 0) resolve(null);
          else this.#decode(bound, body, ranges[0]!, ranges[1]!, call, resolve, reject);
        },
        nothing: () => resolve(null),
        fail: reject,
      });
    });
    return promise;
  }

  /** All rows whose key starts with the bucket key, in the order of their encoded keys. */
  prefixLookup(prefix: Row, call: LookupCall = {}): Promise<ReadRow[]> {
    const { promise, resolve, reject } = Promise.withResolvers<ReadRow[]>();
    this.#whenBound(call, reject, (bound) => {
      this.#start(bound, "prefix", prefix, call, {
        answer: (body, ranges) => {
          const rows: ReadRow[] = new Array(ranges.length / 2);
          let left = rows.length;
          if (left === 0) resolve(rows);
          for (let i = 0; i < rows.length; i++) {
            this.#decode(bound, body, ranges[2 * i]!, ranges[2 * i + 1]!, call, (row) => {
              rows[i] = row;
              if (--left === 0) resolve(rows);
            }, reject);
          }
        },
        nothing: () => resolve([]),
        fail: reject,
      });
    });
    return promise;
  }

  #whenBound(call: LookupCall, fail: (error: unknown) => void, go: (bound: BoundTable) => void): void {
    const closed = this.#client.closedError;
    if (closed !== undefined) return fail(closed);
    if (this.#binding.bound !== undefined) return go(this.#binding.bound);
    this.#binding.find(this.#client.cluster.deadline(call)).then(go).catch(fail);
  }

  #start(
    bound: BoundTable,
    kind: Lookup["kind"],
    key: Row,
    call: LookupCall,
    take: {
      readonly answer: (body: Uint8Array, ranges: readonly number[]) => void;
      /** The partition is not there, so no row is. */
      readonly nothing: () => void;
      readonly fail: (error: unknown) => void;
    },
  ): void {
    let placed;
    try {
      call.signal?.throwIfAborted();
      this.#checkKey(bound, kind, key);
      placed = kind === "prefix" ? bound.codec.placePrefix(key) : bound.codec.place(key);
    } catch (error) {
      take.fail(namedError(error, this.#binding.name, this.#binding.definition, key));
      return;
    }
    const target = bound.partition(placed.partition);
    const timeoutMs = call.timeoutMs ?? this.#client.options.requestTimeoutMs;
    const { signal } = call;
    let onAbort: (() => void) | undefined;
    const lookup: Lookup = {
      target,
      kind,
      bucket: placed.bucket,
      key: placed.bytes.slice(0, placed.end),
      at: performance.now() + timeoutMs,
      done: false,
      attempts: 0,
      answer: (body, start, end) => {
        if (onAbort !== undefined) signal!.removeEventListener("abort", onAbort);
        try {
          const ranges: number[] = [];
          readValues(body, start, end, ranges);
          take.answer(body, ranges);
        } catch (error) {
          take.fail(error);
        }
      },
      fail: (error) => {
        if (onAbort !== undefined) signal!.removeEventListener("abort", onAbort);
        if (!FlussError.is(error, "SERVER.PARTITION_NOT_EXISTS")) {
          if (FlussError.is(error, "SERVER.TABLE_NOT_EXIST")) bound.target.gone();
          take.fail(error);
        } else if (kind !== "insert") take.nothing();
        else {
          const left = { signal, timeoutMs: Math.max(1, lookup.at - performance.now()) };
          createPartition(this.#client.cluster, target, this.#client.cluster.deadline(left)).then(
            () => this.#start(bound, kind, key, { ...call, timeoutMs: left.timeoutMs }, take),
            take.fail,
          );
        }
      },
    };
    if (signal !== undefined) {
      onAbort = () => {
        if (this.#client.lookups.finish(lookup)) take.fail(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
    }
    this.#client.lookups.add(lookup);
  }

  /** Decodes value bytes; their schema may have to be asked for first, and then the bytes are copied. */
  #decode(
    bound: BoundTable,
    body: Uint8Array,
    start: number,
    end: number,
    call: LookupCall,
    resolve: (row: ReadRow) => void,
    reject: (error: unknown) => void,
  ): void {
    const schemaId = schemaIdOf(body, start, end);
    const schema = this.#client.schemas.get(bound.target.tableId, schemaId);
    if (schema === undefined) {
      const bytes = body.slice(start, end);
      const deadline = this.#client.cluster.deadline(call);
      this.#client.schemas.fetch(this.#binding.path, bound.target.tableId, schemaId, deadline).then(() => {
        this.#binding.noteSchema(schemaId);
        this.#decode(bound, bytes, 0, bytes.length, call, resolve, reject);
      }).catch(reject);
      return;
    }
    const row = bound.codec.reader(schema, call.select)(body, start + SCHEMA_ID_BYTES, end);
    if (this.#checks !== undefined) {
      const issues = this.#checks(row);
      if (issues !== undefined) {
        reject(
          new FlussValidationError("VALIDATION.FAILED", {
            table: this.#binding.name,
            message: `a stored row was refused: column "${issues[0]!.path.map(String).join(".")}": ${
              issues[0]!.message
            }`,
            issues,
          }),
        );
        return;
      }
    }
    resolve(row);
  }

  /** Refuses keys with too many or too few columns; the key codec sees the values alone. */
  #checkKey(bound: BoundTable, kind: Lookup["kind"], key: Row): void {
    const { layout } = bound.codec;
    const { definition, name: table } = this.#binding;
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
