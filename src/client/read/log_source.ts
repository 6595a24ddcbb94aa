/**
 * What is read of a table's log, and how its batches become columns: which columns servers send, and the decoders.
 *
 * @module
 */
import type { LogBatch } from "../../format/log_batch.ts";
import { compileLogDecoder, type DecodedBatch } from "../../format/log_decoder.ts";
import type { Predicate } from "../../format/predicate.ts";
import type { SchemaColumn, TableSchema } from "../../schema/data_type.ts";
import type { BoundTable } from "../table/bound_table.ts";
import type { FetchShape } from "./fetch_message.ts";
import { predicateMessage } from "./predicate_message.ts";

/** The log of a table, as one reader wants it. */
export interface LogSource {
  readonly bound: BoundTable;
  /** The columns to produce, in order. None: rows are counted. */
  readonly columns: readonly SchemaColumn[];
  /**
   * By which servers newer than 0.9.1 may leave batches out, for tables with statistics. What comes still has rows that
   * do not match.
   */
  readonly filter?: Predicate | undefined;
}

/** From the bytes of a batch to its rows. */
type Decoder = (batch: LogBatch) => DecodedBatch;

/** How a source is fetched and decoded. */
export class SourcePlan {
  /** Asking for whole records. */
  readonly whole: FetchShape;
  /** Asking for some columns; the same as `whole` where servers cannot do that, or where all are wanted. */
  readonly projected: FetchShape;
  readonly #source: LogSource;
  readonly #decoders = new Map<string, Decoder>();

  constructor(source: LogSource) {
    this.#source = source;
    const { target, codec: { layout } } = source.bound;
    const filter = source.filter === undefined ? undefined : {
      message: predicateMessage(source.filter, layout.columns, target.name),
      schemaId: layout.schemaId,
    };
    const projection = projectionOf(source);
    this.whole = { tableId: target.tableId, projection: undefined, filter };
    this.projected = projection === undefined ? this.whole : { ...this.whole, projection };
  }

  /** Whether a batch with this schema has all columns that servers are asked for. */
  covers(schema: TableSchema): boolean {
    return (this.projected.projection?.at(-1) ?? -1) < schema.columns.length;
  }

  /** The decoder of batches that were written with a schema and fetched in a shape. */
  decoder(schema: TableSchema, shape: FetchShape): Decoder {
    const key = `${schema.schemaId}${shape.projection === undefined ? "" : " projected"}`;
    let decoder = this.#decoders.get(key);
    if (decoder === undefined) {
      const { bound, columns } = this.#source;
      const { layout } = bound.codec;
      const typed = bound.codec.typed(schema);
      decoder = compileLogDecoder({
        format: layout.logFormat,
        sent: shape.projection === undefined ? typed : shape.projection.map((at) => typed[at]!),
        wanted: columns,
        paddedChars: layout.rowFormat === "indexed" && layout.primaryKey.length > 0,
      });
      this.#decoders.set(key, decoder);
    }
    return decoder;
  }
}

/**
 * The positions to ask for; undefined to ask for all columns.
 *
 * Servers project ARROW logs alone, want positions that ascend, and at least one (Fluss: FileLogProjection.java). A
 * column never changes its position: new ones come last.
 */
function projectionOf({ bound, columns }: LogSource): readonly number[] | undefined {
  const { logFormat, columns: live } = bound.codec.layout;
  if (logFormat !== "arrow") return undefined;
  if (columns.length === 0) return live.length < 2 ? undefined : [cheapest(live)];
  const positions = columns.map((column) => live.findIndex(({ id }) => id === column.id)).sort((a, b) => a - b);
  return positions.length < live.length ? positions : undefined;
}

/** Bits per value, roughly; columns of other kinds take more. */
const WIDTHS: Readonly<Record<string, number>> = {
  boolean: 1,
  tinyint: 8,
  smallint: 16,
  int: 32,
  float: 32,
  date: 32,
  time: 48,
  bigint: 64,
  double: 64,
  timestamp: 64,
  timestampLtz: 64,
};

/** The column that takes the fewest bytes, the first of several: older batches have it too. */
function cheapest(columns: readonly SchemaColumn[]): number {
  let best = 0;
  const width = (at: number) => WIDTHS[columns[at]!.type.kind] ?? 128;
  for (let i = 1; i < columns.length; i++) if (width(i) < width(best)) best = i;
  return best;
}
