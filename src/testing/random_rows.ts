/**
 * Random rows of declared tables, for property tests.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import { type ColumnDefinition, definitionOf } from "../schema/definition.ts";
import type { AnyTable } from "../schema/infer.ts";
import { partitionValues } from "./partition_values.ts";
import { Random } from "./random.ts";
import { ATTEMPTS, NoValue, ruledValue } from "./ruled_values.ts";

/** What rows to make. */
export interface RandomRowsOptions {
  /** How many. Default 100. */
  readonly count?: number;
  /** The same seed gives the same rows. Default: a new one, which is printed. */
  readonly seed?: number;
  /**
   * The time, in milliseconds since 1970, by which rows of tables with automatic partitions are of now. Default: now; a
   * test that has moved its clock says `db.clock.now()`.
   */
  readonly now?: number;
}

/** Rows, and the seed that they came from. */
export interface RandomRows<R> extends ReadonlyArray<R> {
  /** Gives the same rows again. */
  readonly seed: number;
}

/**
 * Rows of a table with random values of every kind: null where it may be, ends of ranges, texts of several scripts, `NaN`,
 * times before 1970. What the table declares is kept: NOT NULL, lengths, precision, `.oneOf()`, `.check()`, codecs; columns
 * that the server numbers are left out. Rows fall into a few partitions, with automatic partitions into those of now and
 * next.
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
  const { count = 100, now = Date.now() } = options;
  const seed = options.seed ?? newSeed(table.name);
  if (!Number.isInteger(count) || count < 0) throw bad(`count is a whole number, not ${count}`);
  if (!Number.isInteger(seed)) throw bad(`seed is a whole number, not ${seed}`);
  const random = new Random(seed);
  const definition = definitionOf(table);
  const makers = definition.columns.filter(({ autoIncrement }) => !autoIncrement).map((column) => {
    const ruled = () => ruledValue(random, column.type, column);
    return found(table.name, column, seed, () => {
      if (!definition.partitionBy.includes(column.key)) return { column, make: ruled };
      const few = partitionValues(random, definition, column, ruled, now);
      return { column, make: () => random.pick(few) };
    });
  });
  const row = () =>
    Object.fromEntries(makers.map(({ column, make }) => [column.key, found(table.name, column, seed, make)]));
  return Object.assign(Array.from({ length: count }, row), { seed });
}

function newSeed(table: string): number {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`randomRows(${table}): { seed: ${seed} }`);
  return seed;
}

/** @throws FlussUsageError `TEST.BAD_OPTION` where no value was found */
function found<T>(table: string, column: ColumnDefinition, seed: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof NoValue)) throw error;
    throw flussError("TEST.BAD_OPTION", {
      table,
      column: column.key,
      message: `none of ${ATTEMPTS} random values passes the checks of column "${column.key}" (seed ${seed})`,
      hint: "give the column its values yourself: rows.map((row) => ({ ...row, column: value }))",
      cause: error,
    });
  }
}

function bad(message: string): Error {
  return flussError("TEST.BAD_OPTION", { message, hint: "write randomRows(table, { count: 100, seed: 1 })" });
}
