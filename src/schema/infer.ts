/**
 * From columns and options to the types of rows. Every type here is part of a budget (tests/types): interfaces, few
 * parameters, no intersection that grows with the columns.
 *
 * @module
 */
import type { $, Columns } from "./column.ts";

/** A type that says why something is forbidden: `upsert: FlussTypeError<"log tables are append-only: use append()">`. */
export interface FlussTypeError<M extends string> {
  /** The reason. */
  readonly __flussTypeError__: M;
}

/** Shows an intersection as one object. */
// deno-lint-ignore ban-types -- any object is what is meant: it makes the compiler show the members
export type Flat<T> = { [K in keyof T]: T[K] } & {};

/** The keys of columns. */
export type KeyOf<T> = keyof T & string;

/** The values of a column, without null. */
export type ValueOf<C> = C extends { readonly [$]: { readonly v: infer V } } ? V : never;

/** The values of a column, with null where it is one. */
export type CellOf<C> = C extends { readonly [$]: { readonly v: infer V; readonly n: infer N } }
  ? (N extends false ? V : V | null)
  : never;

/** The columns that the server generates. */
export type GeneratedKeys<T> = {
  [K in keyof T]: T[K] extends { readonly [$]: { readonly g: true } } ? K : never;
}[keyof T];

/** The columns that every written row has: the key `P` and what is NOT NULL and not generated. */
export type RequiredKeys<T, P> = {
  [K in keyof T]: T[K] extends { readonly [$]: { readonly g: true } } ? never
    : K extends P ? K
    : T[K] extends { readonly [$]: { readonly n: false } } ? K
    : never;
}[keyof T];

/** A row that was read. */
export type RowOf<T, P> = Flat<{ -readonly [K in keyof T]: K extends P ? ValueOf<T[K]> : CellOf<T[K]> }>;

/** A row to write. */
export type InsertOf<T, P> = Flat<
  & { [K in RequiredKeys<T, P>]: ValueOf<T[K]> }
  & { [K in Exclude<keyof T, RequiredKeys<T, P> | GeneratedKeys<T>>]?: CellOf<T[K]> }
>;

/** A key, or another part of a row whose columns cannot be null. */
export type PartOf<T, P extends keyof T> = Flat<{ -readonly [K in P]: ValueOf<T[K]> }>;

/** A key and some columns. */
export type PatchOf<T, P extends keyof T> = Flat<
  & { -readonly [K in P]: ValueOf<T[K]> }
  & { [K in Exclude<keyof T, P | GeneratedKeys<T>>]?: CellOf<T[K]> }
>;

/** The columns that can be the version of a `versioned` table: INT, BIGINT, TIMESTAMP and TIMESTAMP_LTZ. */
export type VersionKeys<T> =
  & { [K in keyof T]: T[K] extends { readonly [$]: { readonly o: "ver" } } ? K : never }[keyof T]
  & string;

/** A list without the members of a union. */
export type WithoutColumns<P extends readonly unknown[], Q> = P extends readonly [infer H, ...infer R]
  ? ([H] extends [Q] ? WithoutColumns<R, Q> : [H, ...WithoutColumns<R, Q>])
  : [];

/** The bucket key, if prefix lookups may use it: a proper leading part of the key without the partition columns. */
export type LeadingKey<P extends readonly unknown[], B extends readonly unknown[], Q> = WithoutColumns<P, Q> extends
  readonly [...B, unknown, ...unknown[]] ? B[number] : never;

/** What the methods of table handles depend on. Types alone, at `T[typeof $]`. */
export interface TableTraits<PK, NotNull, Engine, Changelog, Delete, Generated> {
  /** Union of the key columns; never for log tables. */
  readonly pk: PK;
  /** Union of the NOT NULL columns outside of the key, generated ones left out; never when there is none. */
  readonly nn: NotNull;
  /** `"last_row"`, `"first_row"`, `"aggregation"` or `{ versioned: column }`. */
  readonly e: Engine;
  /** `"full"` or `"wal"`. */
  readonly l: Changelog;
  /** `"allow"`, `"ignore"`, `"disable"`, or undefined when the table does not say. */
  readonly d: Delete;
  /** Union of the columns that the server generates; never when there is none. */
  readonly g: Generated;
}

/**
 * Any table, written by hand: as `Table<any, ...>` its computed members would become `never`, and nothing would fit.
 * The members with `$` are types alone; there are no such properties.
 */
export interface AnyTable {
  /** The name as it was given. */
  readonly name: string;
  /** The columns as they were given. */
  readonly columns: Columns;
  /** A row as it is read. */
  readonly $row: unknown;
  /** A row as it is written. */
  readonly $insert: unknown;
  /** A partial row. */
  readonly $patch: unknown;
  /** A key. */
  readonly $key: unknown;
  /** What `prefixLookup` takes; never without a leading bucket key. */
  readonly $prefix: unknown;
  /** The partition columns. */
  readonly $partition: Readonly<Record<string, unknown>>;
  /** What the methods of handles depend on. */
  readonly [$]: TableTraits<unknown, unknown, unknown, unknown, unknown, unknown>;
}

/**
 * A row as it is read: every column is there, nullable ones may be null.
 *
 * @example
 * ```ts
 * import { type InferRow, t, table } from "sluice";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 * export interface User extends InferRow<typeof users> {} // { id: bigint; name: string | null }
 * ```
 */
export type InferRow<T extends AnyTable> = T["$row"];
/** A row as it is written: key and NOT NULL columns must be there, columns that the server generates cannot be. */
export type InferInsert<T extends AnyTable> = T["$insert"];
/** A partial row: the key must be there; what is left out stays as it is, and null clears. */
export type InferPatch<T extends AnyTable> = T["$patch"];
/** The primary key. */
export type InferKey<T extends AnyTable> = T["$key"];
/** What `prefixLookup` takes: the bucket key and the partition columns; never when the table has no prefix lookups. */
export type InferPrefix<T extends AnyTable> = T["$prefix"];
