/**
 * Random rows of declared tables, for property tests.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { ColumnDefinition } from "../schema/definition.ts";
import { definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { Random } from "./random.ts";
import { randomValue } from "./random_values.ts";

/** What rows to make. */
export interface RandomRowsOptions {
  /** How many. Default 100. */
  readonly count?: number;
  /** The same seed gives the same rows. Default: a new one, see {@linkcode RandomRows.seed}. */
  readonly seed?: number;
}

/** Rows, and the seed that they came from. */
export interface RandomRows<R> extends ReadonlyArray<R> {
  /** Print it when a test fails. */
  readonly seed: number;
}

/**
 * Rows of a table with random values of every kind: null where it may be, ends of ranges, texts of several scripts, `NaN`,
 * times before 1970. `.oneOf()` is kept; rows that a `.check()` refuses are made again.
 *
 * @throws FlussUsageError `TEST.BAD_OPTION` when a check refuses whatever comes
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 * import { randomRows, testDb } from "sluice/testing";
 *
 * const users = table("shop.users", { id: t.int(), name: t.string() }, { primaryKey: ["id"] });
 *
 * await using db = await testDb([users]);
 * const rows = randomRows(users, { count: 20, seed: 7 });
 * await db.seed(users, rows);
 * ```
 */
export function randomRows<T extends AnyTable>(table: T, options: RandomRowsOptions = {}): RandomRows<T["$insert"]> {
  const { count = 100, seed = Math.floor(Math.random() * 2 ** 31) } = options;
  const random = new Random(seed);
  const columns = definitionOf(table).columns.filter(({ autoIncrement }) => !autoIncrement);
  const rows = Array.from(
    { length: count },
    () => Object.fromEntries(columns.map((column) => [column.key, columnValue(random, table.name, column, seed)])),
  );
  return Object.assign(rows, { seed });
}

/** Attempts at a value that passes the checks of its column. */
const ATTEMPTS = 1000;

function columnValue(random: Random, table: string, column: ColumnDefinition, seed: number): unknown {
  const { type, oneOf, checks } = column;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const value = oneOf === undefined || (type.nullable && random.chance(0.2))
      ? randomValue(random, type)
      : random.pick(oneOf);
    if (oneOf !== undefined && value !== null && !oneOf.includes(value as string)) continue;
    if (value === null || checks.every((check) => passes(check, value))) return value;
  }
  throw flussError("TEST.BAD_OPTION", {
    table,
    column: column.key,
    message: `none of ${ATTEMPTS} random values passes the checks of column "${column.key}" (seed ${seed})`,
    hint: "make its values yourself: { ...row, column: ... }",
  });
}

function passes(check: ColumnDefinition["checks"][number], value: unknown): boolean {
  const result = check["~standard"].validate(value);
  return !(result instanceof Promise) && result.issues === undefined;
}
