/**
 * `table()`: the declaration of a table.
 *
 * @module
 */
import type { $, Columns } from "./column.ts";
import { define } from "./define.ts";
import { attachDefinition } from "./definition.ts";
import type { GeneratedKeys, InsertOf, KeyOf, LeadingKey, PartOf, PatchOf, RequiredKeys, RowOf } from "./infer.ts";
import { tableSchemas } from "./standard_schema.ts";
import type { TableSchemaV1 } from "./standard_schema_types.ts";
import type { AnyDeleteBehavior, MergeEngine, TableOptions } from "./table_options.ts";

/**
 * A declared table. Nothing of it is named after a column, so columns can have any name.
 *
 * The members with `$` are types alone; there are no such properties.
 *
 * @typeParam N the name
 * @typeParam T the columns
 * @typeParam P union of the key columns
 * @typeParam B union of the bucket columns, where prefix lookups can use them
 * @typeParam Q union of the partition columns
 * @typeParam E the merge engine
 * @typeParam L the changelog
 * @typeParam D the delete behaviour
 */
export interface Table<
  N extends string,
  T extends Columns,
  P extends KeyOf<T>,
  B extends KeyOf<T>,
  Q extends KeyOf<T>,
  E,
  L,
  D,
> {
  /** The name as it was given: `shop.orders`. */
  readonly name: N;
  /** The columns as they were given. */
  readonly columns: T;
  /** The options as they were given. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The schema of rows as they are read. */
  readonly row: TableSchemaV1<RowOf<T, P>>;
  /** The schema of rows as they are written. */
  readonly insert: TableSchemaV1<InsertOf<T, P>>;
  /** The schema of partial rows. */
  readonly patch: TableSchemaV1<PatchOf<T, P>>;
  /** The schema of keys. */
  readonly key: TableSchemaV1<PartOf<T, P>>;
  /** A row as it is read. */
  readonly $row: RowOf<T, P>;
  /** A row as it is written. */
  readonly $insert: InsertOf<T, P>;
  /** A partial row. */
  readonly $patch: PatchOf<T, P>;
  /** A key. */
  readonly $key: PartOf<T, P>;
  /** What `prefixLookup` takes; never without a leading bucket key. */
  readonly $prefix: [B] extends [never] ? never : PartOf<T, B | Q>;
  /** The partition columns. */
  readonly $partition: PartOf<T, Q>;
  /** What the methods of handles depend on; see {@linkcode TableTraits}. */
  readonly [$]: {
    readonly pk: P;
    readonly nn: Exclude<RequiredKeys<T, P>, P>;
    readonly e: E;
    readonly l: L;
    readonly d: D;
    readonly g: GeneratedKeys<T>;
  };
}

/** The type of {@linkcode table}. */
export interface TableFunction {
  <
    const N extends string,
    T extends Columns,
    // Without an alias, so that the compiler lists the columns when a key names none of them.
    const P extends readonly (keyof T & string)[] = readonly [],
    const B extends readonly (keyof T & string)[] = readonly [],
    const Q extends readonly (keyof T & string)[] = readonly [],
    const E extends MergeEngine<T> = "last_row",
    const L extends "full" | "wal" = "full",
    const D extends AnyDeleteBehavior = undefined,
  >(
    name: N,
    columns: T,
    options?: TableOptions<T, P, B, Q, E, L, D>,
  ): Table<N, T, P[number], LeadingKey<P, B, Q[number]>, Q[number], E, L, D>;
}

/**
 * Declares a table. It is checked at once: what a server would refuse, or accept and then not be able to use, is refused.
 *
 * @param name `database.table`, or `table` in the database of the connection
 * @param columns the columns, in their order; see {@linkcode t}
 * @param options keys, buckets, partitions and everything else; without `primaryKey` the table is a log table
 * @throws FlussUsageError `SCHEMA.*`, `RUNTIME.TEMPORAL_MISSING`
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 *
 * export const orders = table("shop.orders", {
 *   region: t.string(),
 *   orderId: t.bigint().name("order_id"),
 *   status: t.string().oneOf("new", "paid", "shipped"),
 *   total: t.decimal(18, 2),
 * }, { primaryKey: ["region", "orderId"], bucketKey: ["region"], buckets: 8 });
 * ```
 */
export const table: TableFunction = declareTable;

function declareTable(name: string, columns: Columns, options?: object): never {
  const definition = define(name, columns, options);
  const value = { name, columns, options: options ?? {}, ...tableSchemas(definition) };
  attachDefinition(value, definition);
  // The other members of the type are types alone.
  return Object.freeze(value) as never;
}
