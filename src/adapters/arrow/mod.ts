/**
 * Scans as tables of apache-arrow, and its tables and record batches as rows of a log table. `apache-arrow` is an optional
 * peer dependency.
 *
 * @module
 */
import { Data, type DataType, RecordBatch, Struct, Table, tableFromIPC, tableToIPC, type TypeMap } from "apache-arrow";
import type { CallOptions } from "../../base/wait.ts";
import type { AppendReceipt, ArrowSource } from "../../query/append_batches.ts";
import { type ColumnBatch, columnsOf } from "../../query/column_batch.ts";

/** The handle of a log table, as `db.table()` gives it. */
export interface ArrowAppendable {
  /** As `LogHandle.appendBatches`. */
  appendBatches(source: ArrowSource, options?: CallOptions): Promise<AppendReceipt>;
}

/** A scan, as `db.table().scan()` gives it. */
export interface ArrowReadable {
  /** As `Scan.batches`. */
  batches(options?: CallOptions): AsyncIterable<ColumnBatch<unknown>>;
  /** As `Scan.ipc`. */
  ipc(options?: CallOptions): ReadableStream<Uint8Array>;
}

/**
 * Appends a table or a record batch of apache-arrow, and resolves when all rows are acknowledged. Its columns are those
 * of the table, by name, in any order. Texts may come in dictionaries, as apache-arrow makes them.
 *
 * @throws what `appendBatches()` throws: `ARROW.SCHEMA_MISMATCH`, `CODEC.NULL`, ...
 *
 * @example
 * ```ts
 * import { tableFromArrays } from "apache-arrow";
 * import { connect, t, table } from "sluice";
 * import { appendArrow } from "sluice/arrow";
 *
 * const points = table("lab.points", { x: t.double(), y: t.double() });
 *
 * export async function load(url: string): Promise<void> {
 *   await using db = await connect(url);
 *   const data = tableFromArrays({ x: Float64Array.of(1, 2), y: Float64Array.of(3, 4) });
 *   await appendArrow(db.table(points), data);
 * }
 * ```
 */
export function appendArrow<T extends TypeMap>(
  handle: ArrowAppendable,
  data: Table<T> | RecordBatch<T>,
  options: CallOptions = {},
): Promise<AppendReceipt> {
  return handle.appendBatches(tableToIPC(data instanceof RecordBatch ? new Table(data) : data, "stream"), options);
}

/**
 * Reads all rows of a scan as a table of apache-arrow. It is in memory as a whole: for large scans take `batches()` or
 * `ipc()`.
 *
 * @throws what the scan throws
 *
 * @example
 * ```ts
 * import { connect, t, table } from "sluice";
 * import { toArrow } from "sluice/arrow";
 *
 * const points = table("lab.points", { x: t.double(), y: t.double() });
 *
 * export async function rows(url: string): Promise<number> {
 *   await using db = await connect(url);
 *   return (await toArrow(db.table(points).scan().select("x"))).numRows;
 * }
 * ```
 */
export async function toArrow(scan: ArrowReadable, options: CallOptions = {}): Promise<Table> {
  const found: RecordBatch[] = [];
  let schema: Table["schema"] | undefined;
  for await (const batch of scan.batches(options)) {
    const columns = schema === undefined ? undefined : buffersOf(batch);
    if (schema === undefined || columns === undefined) {
      // The first batch brings the schema along; rows that did not come as columns are made into some.
      const made = tableFromIPC([batch.toIPC()]);
      schema ??= made.schema;
      found.push(...made.batches);
    } else {
      const { fields } = schema;
      const children = columns.map((column, i) => dataOf(fields[i]!.type, column));
      found.push(new RecordBatch(schema, new Data(new Struct(fields), 0, batch.length, 0, undefined, children)));
    }
  }
  if (schema !== undefined) return new Table(schema, found);
  // Without a batch the schema alone is left to be read.
  const chunks: Uint8Array[] = [];
  for await (const chunk of scan.ipc(options)) chunks.push(chunk);
  return tableFromIPC(chunks);
}

/** The buffers of a batch that came as columns. */
function buffersOf(batch: ColumnBatch<unknown>): Buffers[] | undefined {
  const raw = columnsOf(batch)?.columns.map((column) => column.raw);
  return raw?.every((column) => column !== undefined) ? raw : undefined;
}

type Buffers = NonNullable<NonNullable<ReturnType<typeof columnsOf>>["columns"][number]["raw"]>;

/** A column over the same memory. */
function dataOf(type: DataType, { length, nullCount, validity, offsets, data, children }: Buffers): Data {
  const Values = type.ArrayType as { new (buffer: ArrayBufferLike, at: number, length: number): ArrayBufferView } & {
    readonly BYTES_PER_ELEMENT: number;
  };
  const values = data && new Values(data.buffer, data.byteOffset, Math.floor(data.length / Values.BYTES_PER_ELEMENT));
  const inner = children.map((child, i) => dataOf((type.children as { type: DataType }[])[i]!.type, child));
  return new Data(type, 0, length, nullCount, [offsets, values, validity] as never, inner);
}
