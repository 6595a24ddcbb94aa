/**
 * Assertions about types, for tests that hold if they compile.
 *
 * @module
 */

/**
 * Whether two types are the same, also in their modifiers: `true` or `false`.
 *
 * @example
 * ```ts
 * import { type InferRow, t, table } from "sluice";
 * import type { Equal, Expect } from "sluice/testing";
 *
 * const orders = table("shop.orders", { id: t.int(), status: t.string() }, { primaryKey: ["id"] });
 *
 * export type Holds = Expect<Equal<InferRow<typeof orders>, { id: number; status: string | null }>>;
 * ```
 */
export type Equal<X, Y> = (<T>() => T extends X ? 1 : 2) extends (<T>() => T extends Y ? 1 : 2) ? true : false;

/** Compiles with `true` alone; see {@linkcode Equal}. */
export type Expect<T extends true> = T;
