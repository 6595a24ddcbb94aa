/**
 * Predicates as users write them: methods on the columns of a table.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { checkPredicate, type LeafPredicate, type Predicate, type PredicateColumn } from "../format/predicate.ts";
import type { $ } from "../schema/column.ts";
import type { FlussTypeError } from "../schema/infer.ts";

/** A condition that rows meet or not. Fluss knows no negation, so there is no `not`: use `ne`, `notIn`, `isNotNull`. */
export interface Condition {
  /** Both must hold. */
  and(other: Condition): Condition;
  /** One of them must hold. */
  or(other: Condition): Condition;
  /** The condition as plain data. */
  toJSON(): Predicate;
}

/** A column whose values are equal or not. A comparison with a null value of the column is false, `ne` and `notIn` too. */
export interface EqualityRef<V> {
  /** The value is this one. Null is not a value: use {@linkcode EqualityRef.isNull}. */
  eq(value: V): Condition;
  /** The value is another one. */
  ne(value: V): Condition;
  /** The value is one of these. */
  in(values: readonly V[]): Condition;
  /** The value is none of these. */
  notIn(values: readonly V[]): Condition;
  /** There is no value. */
  isNull(): Condition;
  /** There is a value. */
  isNotNull(): Condition;
}

/**
 * A column whose values have an order. Floating-point numbers are ordered as the server orders them: -0 below 0, NaN
 * equal to itself and above everything.
 */
export interface OrderedRef<V> extends EqualityRef<V> {
  /** The value is below this one. */
  lt(value: V): Condition;
  /** The value is this one or below. */
  lte(value: V): Condition;
  /** The value is above this one. */
  gt(value: V): Condition;
  /** The value is this one or above. */
  gte(value: V): Condition;
  /** The value is one of both or between them. */
  between(low: V, high: V): Condition;
}

/** A column of text. Its order is that of the UTF-8 bytes, as on the server. */
export interface TextRef<V> extends OrderedRef<V> {
  /** The text starts with this one. */
  startsWith(text: string): Condition;
  /** The text ends with this one. */
  endsWith(text: string): Condition;
  /** This text is somewhere in it. */
  contains(text: string): Condition;
}

/** What can be asked of a column: as much as its type allows. */
export type RefOf<C> = C extends { readonly [$]: { readonly v: infer V; readonly o: infer O } }
  ? (O extends "str" ? TextRef<V>
    : O extends "ord" | "ver" ? OrderedRef<V>
    : O extends "eq" ? EqualityRef<V>
    : FlussTypeError<"nested columns cannot be filtered">)
  : never;

/** The columns of a table, to make conditions with. */
export type Refs<C> = { readonly [K in keyof C]: RefOf<C[K]> };

class RuntimeCondition implements Condition {
  readonly #predicate: Predicate;

  constructor(predicate: Predicate) {
    this.#predicate = predicate;
  }

  /** The predicate of a condition; undefined for anything else. */
  static predicateOf(value: unknown): Predicate | undefined {
    return typeof value === "object" && value !== null && #predicate in value ? value.#predicate : undefined;
  }

  and(other: Condition): Condition {
    return this.#join("and", other);
  }

  or(other: Condition): Condition {
    return this.#join("or", other);
  }

  #join(op: "and" | "or", other: Condition): Condition {
    const predicate = RuntimeCondition.predicateOf(other);
    if (predicate !== undefined) return new RuntimeCondition(joinPredicates(op, this.#predicate, predicate));
    throw flussError("PREDICATE.INVALID", { message: `.${op}() takes a condition, such as c.id.eq(1n)` });
  }

  toJSON(): Predicate {
    return this.#predicate;
  }
}

/** Two predicates joined, without a level for each of a chain. */
export function joinPredicates(op: "and" | "or", a: Predicate, b: Predicate): Predicate {
  return { op, predicates: a.op === op && "predicates" in a ? [...a.predicates, b] : [a, b] };
}

/** One column; every method checks at once, so that the error is thrown where the mistake is. */
class ColumnRef implements TextRef<unknown> {
  readonly #key: string;
  readonly #columns: readonly PredicateColumn[];
  readonly #table: string;

  constructor(key: string, columns: readonly PredicateColumn[], table: string) {
    this.#key = key;
    this.#columns = columns;
    this.#table = table;
  }

  #condition(op: LeafPredicate["op"], ...value: unknown[]): Condition {
    const predicate = value.length === 0
      ? { op, column: this.#key }
      : { op, column: this.#key, value: Array.isArray(value[0]) ? [...value[0]] : value[0] };
    checkPredicate(predicate, this.#columns, this.#table);
    return new RuntimeCondition(predicate);
  }

  eq(value: unknown): Condition {
    return this.#condition("eq", value);
  }
  ne(value: unknown): Condition {
    return this.#condition("ne", value);
  }
  in(values: readonly unknown[]): Condition {
    return this.#condition("in", values);
  }
  notIn(values: readonly unknown[]): Condition {
    return this.#condition("notIn", values);
  }
  isNull(): Condition {
    return this.#condition("isNull");
  }
  isNotNull(): Condition {
    return this.#condition("isNotNull");
  }
  lt(value: unknown): Condition {
    return this.#condition("lt", value);
  }
  lte(value: unknown): Condition {
    return this.#condition("lte", value);
  }
  gt(value: unknown): Condition {
    return this.#condition("gt", value);
  }
  gte(value: unknown): Condition {
    return this.#condition("gte", value);
  }
  between(low: unknown, high: unknown): Condition {
    return this.gte(low).and(this.lte(high));
  }
  startsWith(text: string): Condition {
    return this.#condition("startsWith", text);
  }
  endsWith(text: string): Condition {
    return this.#condition("endsWith", text);
  }
  contains(text: string): Condition {
    return this.#condition("contains", text);
  }
}

/**
 * Reads what `where()` was given: a function of the columns, or a predicate as plain data.
 *
 * @throws FlussUsageError `PREDICATE.*`, FlussCodecError `CODEC.*`
 */
export function readCondition(given: unknown, columns: readonly PredicateColumn[], table: string): Predicate {
  if (typeof given !== "function") {
    checkPredicate(given, columns, table);
    return given;
  }
  const refs = new Proxy({}, {
    get(_, key) {
      if (typeof key === "symbol") return undefined;
      if (columns.some((column) => column.key === key)) return new ColumnRef(key, columns, table);
      throw flussError("PREDICATE.UNKNOWN_COLUMN", {
        table,
        column: key,
        message: `there is no column "${key}" to compare`,
        hint: `the columns are ${columns.map((column) => column.key).join(", ")}`,
      });
    },
  });
  const predicate = RuntimeCondition.predicateOf(given(refs));
  if (predicate !== undefined) return predicate;
  throw flussError("PREDICATE.INVALID", {
    table,
    message: "where() takes a function that returns a condition, such as (c) => c.id.eq(1n)",
  });
}
