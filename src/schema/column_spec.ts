/**
 * The run-time side of columns: an immutable builder around a plain description.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { AggregationParameters } from "./column.ts";
import type { DataType } from "./data_type.ts";
import type { Aggregation, ValueRules } from "./definition.ts";
import type { StandardSchemaV1 } from "./standard_schema_types.ts";

/** What a column says of itself, before it has a key and a table. */
export interface ColumnSpec {
  readonly type: DataType;
  readonly rules: ValueRules;
  readonly name?: string;
  readonly comment?: string;
  readonly aggregate?: Aggregation;
  readonly autoIncrement: boolean;
  /** Methods that were called where they mean nothing, inside of nested types: `[].agg()`. */
  readonly misplaced: readonly string[];
}

/** No rules: what most columns have. */
export const NO_RULES: ValueRules = { checks: [] };

// Registered, so that columns of another copy of the package are known too.
const SPEC: unique symbol = Symbol.for("sluice.ColumnSpec");

/** A new column of a type. */
export function columnOf(
  type: DataType,
  rules: ValueRules = NO_RULES,
  misplaced: readonly string[] = [],
): object {
  return new ColumnBuilder({ type, rules, autoIncrement: false, misplaced });
}

/** The description of a column, or undefined when the value is no column. */
export function specOf(column: unknown): ColumnSpec | undefined {
  if (typeof column !== "object" || column === null) return undefined;
  return (column as { readonly [SPEC]?: ColumnSpec })[SPEC];
}

/**
 * The description of a column that is part of another type.
 *
 * @throws FlussUsageError `SCHEMA.INVALID` when the value is no column
 */
export function nestedSpec(column: unknown, owner: string): ColumnSpec {
  const spec = specOf(column);
  if (spec !== undefined) return spec;
  throw flussError("SCHEMA.INVALID", {
    message: `${owner} takes columns, not ${column === null ? "null" : typeof column}`,
    hint: "make them with t, such as t.string()",
  });
}

/** The methods of columns. Types are in `column.ts`; each method returns a new column. */
class ColumnBuilder {
  declare readonly [SPEC]: ColumnSpec;

  constructor(spec: ColumnSpec) {
    Object.defineProperty(this, SPEC, { value: spec });
    Object.freeze(this);
  }

  #with(change: Partial<ColumnSpec>): ColumnBuilder {
    return new ColumnBuilder({ ...this[SPEC], ...change });
  }

  notNull(): ColumnBuilder {
    return this.#with({ type: { ...this[SPEC].type, nullable: false } });
  }

  comment(text: string): ColumnBuilder {
    return this.#with({ comment: text });
  }

  name(physical: string): ColumnBuilder {
    return this.#with({ name: physical });
  }

  $type(): ColumnBuilder {
    return this;
  }

  check(schema: StandardSchemaV1): ColumnBuilder {
    const { rules } = this[SPEC];
    return this.#with({ rules: { ...rules, checks: [...rules.checks, schema] } });
  }

  agg(fn: string, parameters: AggregationParameters = {}): ColumnBuilder {
    return this.#with({ aggregate: { fn, parameters: { ...parameters } } });
  }

  autoIncrement(): ColumnBuilder {
    return this.#with({ autoIncrement: true });
  }

  oneOf(...values: readonly string[]): ColumnBuilder {
    return this.#with({ rules: { ...this[SPEC].rules, oneOf: [...values] } });
  }
}
