/**
 * Predicates on the columns of a row, as plain data, and what their values are on the wire.
 *
 * A comparison with a null is false, whatever is compared (`ne` and `notIn` too), as in SQL and as the server has it
 * (Fluss: NullFalseLeafBinaryFunction.java, In.java, NotIn.java). Numbers that are no integers are ordered as the
 * server orders them: -0 below 0, NaN equal to itself and above everything (Fluss: CompareUtils.java, by Java's
 * `compareTo`). Text is ordered by its bytes in UTF-8.
 *
 * @module
 */
import { ColumnError } from "../base/column_error.ts";
import type { ErrorCode } from "../base/error_table.ts";
import { flussError } from "../base/errors.ts";
import { type DataType, typeText } from "../schema/data_type.ts";
import type { Rest } from "./field.ts";
import { short } from "./value_error.ts";
import { scalarField, type ScalarType } from "./values.ts";

/** Comparisons with one value. */
export type CompareOperator = "eq" | "ne" | "lt" | "lte" | "gt" | "gte" | "startsWith" | "endsWith" | "contains";
/** Comparisons with a list of values. */
export type ListOperator = "in" | "notIn";
/** Comparisons with nothing. */
export type NullOperator = "isNull" | "isNotNull";

/** A comparison of a column with one value. */
export interface ComparePredicate {
  /** How it is compared. */
  readonly op: CompareOperator;
  /** The column by its key. */
  readonly column: string;
  /** A value of the column's type in JavaScript. */
  readonly value: unknown;
}

/** A comparison of a column with some values. */
export interface ListPredicate {
  /** Whether the column is one of them. */
  readonly op: ListOperator;
  /** The column by its key. */
  readonly column: string;
  /** Values of the column's type in JavaScript. */
  readonly value: readonly unknown[];
}

/** Whether a column is null. */
export interface NullPredicate {
  /** Which of both. */
  readonly op: NullOperator;
  /** The column by its key. */
  readonly column: string;
}

/** Predicates joined. */
export interface CompoundPredicate {
  /** Whether all of them must hold, or one. */
  readonly op: "and" | "or";
  /** At least one. */
  readonly predicates: readonly Predicate[];
}

/** A comparison of one column. */
export type LeafPredicate = ComparePredicate | ListPredicate | NullPredicate;

/**
 * A predicate as plain data: what `where()` makes, and takes from tools.
 *
 * @example
 * ```ts
 * import type { Predicate } from "sluice";
 *
 * export const slow: Predicate = { op: "gt", column: "ms", value: 100 };
 * ```
 */
export type Predicate = LeafPredicate | CompoundPredicate;

/** A column as predicates know it. */
export interface PredicateColumn {
  /** The key in JavaScript. */
  readonly key: string;
  /** The type. */
  readonly type: DataType;
}

/** A value as it is on the wire: integers, decimals and times as whole numbers; times finer than a millisecond in nanoseconds. */
export type Literal = boolean | number | bigint | string | Uint8Array;

const EQUALITY = ["eq", "ne", "in", "notIn", "isNull", "isNotNull"];
const ORDER = [...EQUALITY, "lt", "lte", "gt", "gte"];
const TEXT = [...ORDER, "startsWith", "endsWith", "contains"];

/** Parts within parts, counted so that a predicate from elsewhere cannot exhaust the stack. */
const MAX_DEPTH = 100;

/** The operators that columns of a type have; none for nested types. */
export function operatorsOf(type: DataType): readonly string[] {
  switch (type.kind) {
    case "array":
    case "map":
    case "row":
      return [];
    case "boolean":
    case "bytes":
    case "binary":
      return EQUALITY;
    case "char":
    case "string":
      return TEXT;
    default:
      return ORDER;
  }
}

/** Why columns of nested types have no operators; the text of the type in `predicate_refs.ts`. */
export const NESTED = "nested columns cannot be filtered";

/**
 * Checks a predicate against the columns of a table, values included.
 *
 * @throws FlussUsageError `PREDICATE.*`, FlussCodecError `CODEC.*`
 */
export function checkPredicate(
  predicate: unknown,
  columns: readonly PredicateColumn[],
  table: string,
  depth = 0,
): asserts predicate is Predicate {
  if (typeof predicate !== "object" || predicate === null) throw invalid(table, "a predicate is an object with op");
  const { op, column: key, predicates } = predicate as { op?: unknown; column?: unknown; predicates?: unknown };
  if (op === "and" || op === "or") {
    if (!Array.isArray(predicates) || predicates.length === 0) {
      throw invalid(table, `"${op}" joins a list of at least one predicate`);
    }
    if (depth === MAX_DEPTH) throw invalid(table, `it is more than ${MAX_DEPTH} levels deep`);
    for (const part of predicates as unknown[]) checkPredicate(part, columns, table, depth + 1);
    return;
  }
  if (typeof op !== "string" || !TEXT.includes(op)) {
    throw invalid(table, `there is no operator ${short(op)}`, `the operators are ${TEXT.join(", ")}, and, or`);
  }
  const column = columns.find((column) => column.key === key);
  if (column === undefined) {
    throw flussError("PREDICATE.UNKNOWN_COLUMN", {
      table,
      column: String(key),
      message: `there is no column ${short(key)} to compare`,
      hint: `the columns are ${columns.map((column) => column.key).join(", ")}`,
    });
  }
  const operators = operatorsOf(column.type);
  if (!operators.includes(op)) {
    throw flussError("PREDICATE.NOT_SUPPORTED", {
      table,
      column: column.key,
      message: operators.length === 0
        ? NESTED
        : `column "${column.key}" is ${typeText(column.type)}, which has no operator ${op}`,
      ...(operators.length === 0 ? {} : { hint: `it has ${operators.join(", ")}` }),
    });
  }
  if (op !== "isNull" && op !== "isNotNull") checkValue(predicate as ComparePredicate | ListPredicate, column, table);
}

function checkValue({ op, value }: ComparePredicate | ListPredicate, column: PredicateColumn, table: string): void {
  const encode = literalEncoder(column, table);
  if (op !== "in" && op !== "notIn") {
    encode(op, value);
    return;
  }
  if (!Array.isArray(value)) throw invalid(table, `"${op}" takes a list of values, not ${short(value)}`);
  for (const one of value as unknown[]) encode(op, one);
}

function invalid(table: string, message: string, hint?: string): Error {
  return flussError("PREDICATE.INVALID", { table, message, hint });
}

/**
 * The function from a column's values in JavaScript to those on the wire.
 *
 * @throws by what it returns: FlussUsageError `PREDICATE.*`, FlussCodecError `CODEC.*`, naming the column
 */
export function literalEncoder(column: PredicateColumn, table: string): (op: string, value: unknown) => Literal {
  const encode = wireEncoder(column.type);
  const { key } = column;
  return (op, value) => {
    if (value === undefined || value === null) {
      throw flussError(value === null ? "PREDICATE.NULL_VALUE" : "PREDICATE.UNDEFINED_VALUE", {
        table,
        column: key,
        message: `column "${key}": ${op} with ${value}`,
      });
    }
    try {
      return encode(value);
    } catch (error) {
      throw namedColumn(error, key, table, op);
    }
  };
}

/** A codec's complaint about a value to compare with, with the names that the codec does not know. */
export function namedColumn(error: unknown, column: string, table: string, op: string): unknown {
  if (!(error instanceof ColumnError)) return error;
  const code: ErrorCode = error.code;
  const { hint, cause } = error;
  return flussError(code, { table, column, message: `column "${column}": ${op}: ${error.message}`, hint, cause });
}

/** Values of a type to what is on the wire; throws {ColumnError}. */
export function wireEncoder(type: DataType): (value: unknown) => Literal {
  const field = scalarField(type as ScalarType);
  switch (field.form) {
    case "timestamp": {
      const { encode } = field.conversion;
      const rest: Rest = { nanos: 0 };
      return (value) => BigInt(encode(value, rest)) * 1_000_000n + BigInt(rest.nanos);
    }
    case "text": {
      const { encode } = field.conversion;
      return (value) => {
        const text = encode(value);
        if (text.isWellFormed()) return text;
        throw new ColumnError("CODEC.OUT_OF_RANGE", "the string has half of a surrogate pair, which no column holds");
      };
    }
    case "nested":
      throw new TypeError(NESTED);
    default:
      return field.conversion.encode;
  }
}

/** The keys of the columns that a predicate looks at, each once. */
export function columnsOfPredicate(predicate: Predicate): string[] {
  const keys = new Set<string>();
  const visit = (part: Predicate): void => {
    if ("predicates" in part) part.predicates.forEach(visit);
    else keys.add(part.column);
  };
  visit(predicate);
  return [...keys];
}

const SYMBOLS: Readonly<Record<string, string>> = { eq: "=", ne: "!=", lt: "<", lte: "<=", gt: ">", gte: ">=" };

/** A predicate as one line for people: `ms > 100 and startsWith(url, "/buy")`. */
export function predicateText(predicate: Predicate, inside = false): string {
  switch (predicate.op) {
    case "and":
    case "or": {
      if (predicate.predicates.length === 1) return predicateText(predicate.predicates[0]!, inside);
      const text = predicate.predicates.map((part) => predicateText(part, true)).join(` ${predicate.op} `);
      return inside ? `(${text})` : text;
    }
    case "isNull":
      return `${predicate.column} is null`;
    case "isNotNull":
      return `${predicate.column} is not null`;
    case "in":
    case "notIn": {
      const shown = predicate.value.slice(0, 5).map(short);
      if (predicate.value.length > shown.length) shown.push(`... ${predicate.value.length - shown.length} more`);
      return `${predicate.column} ${predicate.op === "in" ? "in" : "not in"} (${shown.join(", ")})`;
    }
    default: {
      const symbol = SYMBOLS[predicate.op];
      return symbol === undefined
        ? `${predicate.op}(${predicate.column}, ${short(predicate.value)})`
        : `${predicate.column} ${symbol} ${short(predicate.value)}`;
    }
  }
}
