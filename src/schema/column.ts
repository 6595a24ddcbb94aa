/**
 * Columns as types: what `t` makes and what tables are inferred from. Nothing here exists at run time.
 *
 * @module
 */
import type { StandardSchemaV1 } from "./standard_schema_types.ts";

/** The name of the one phantom member of columns and tables: types alone, there is no such property. */
export declare const $: unique symbol;

/**
 * How values of a column can be compared: not at all (`none`), for equality (`eq`), in order (`ord`), in order and as
 * version of a `versioned` table (`ver`), as text (`str`).
 */
export type Ops = "none" | "eq" | "ord" | "ver" | "str";

/** Aggregation functions of all types. */
export type AnyAggregation = "last_value" | "last_value_ignore_nulls" | "first_value" | "first_value_ignore_nulls";
/** Aggregation functions of ordered types. */
export type OrderedAggregation = AnyAggregation | "max" | "min";
/** Aggregation functions of numbers. */
export type NumericAggregation = OrderedAggregation | "sum" | "product";
/** Aggregation functions of text. */
export type TextAggregation = OrderedAggregation | "listagg" | "string_agg";

/** What an aggregation function can be told. */
export interface AggregationParameters {
  /** What `listagg` and `string_agg` put between the parts. Default `,`. */
  readonly delimiter?: string;
}

/**
 * A column, or a type inside of one. Columns are values that never change: every method returns a new one.
 *
 * @typeParam V the JavaScript type of its values, without null
 * @typeParam N whether null is a value
 * @typeParam G whether the server generates the values
 * @typeParam O how values can be compared
 * @typeParam A the aggregation functions that the type has
 */
export interface Column<V, N extends boolean, G extends boolean, O extends Ops, A extends string> {
  /** Types alone; there is no such property. */
  readonly [$]: { readonly v: V; readonly n: N; readonly g: G; readonly o: O };
  /** Takes null from the values. Columns are nullable unless this says otherwise; key columns never are. */
  notNull(): Column<V, false, G, O, A>;
  /** A comment, kept with the table on the server. */
  comment(text: string): this;
  /** The name on the server, where it is another than the key in TypeScript. */
  name(physical: string): this;
  /** Narrows the type, for brands. The compiler alone knows of it: nothing checks it at run time. */
  $type<T extends V>(): Column<T, N, G, O, A>;
  /**
   * Checks values when they are written (see `validate` of the connection): any Standard Schema, such as valibot's. Its
   * output must be the type of the column, it must answer at once, and it sees no null.
   */
  check(schema: StandardSchemaV1<V, V>): this;
  /** How the values of one key are merged in a table with `mergeEngine: "aggregation"`. */
  agg(fn: A, parameters?: AggregationParameters): this;
}

/** A column of whole numbers, which the server may number. */
export interface IntColumn<V, N extends boolean = true> extends Column<V, N, false, "ver", NumericAggregation> {
  /** Takes null from the values. */
  notNull(): IntColumn<V, false>;
  /** The server numbers new rows. Rows that are written leave the column out. */
  autoIncrement(): Column<V, false, true, "ver", never>;
}

/** A column of text. */
export interface TextColumn<A extends string, N extends boolean = true> extends Column<string, N, false, "str", A> {
  /** Takes null from the values. */
  notNull(): TextColumn<A, false>;
  /** Allows these values alone: a union in TypeScript, checked on every write, an `enum` in JSON Schema. */
  oneOf<const X extends string>(...values: X[]): Column<X, N, false, "str", OrderedAggregation>;
}

/** Any column, written by hand: as `Column<any, ...>` its methods would make columns incomparable. */
export interface AnyColumn {
  /** Types alone; there is no such property. */
  readonly [$]: { readonly v: unknown; readonly n: boolean; readonly g: boolean; readonly o: Ops };
}

/** Any column whose values are text. */
export interface AnyTextColumn {
  /** Types alone; there is no such property. */
  readonly [$]: { readonly v: string; readonly n: boolean; readonly g: boolean; readonly o: Ops };
}

/** Columns by their keys in TypeScript. */
export type Columns = Readonly<Record<string, AnyColumn>>;
