/**
 * A table's declaration as data: what `table()` made of columns and options, and what the rest of the library works with.
 *
 * @module
 */
import { flussError } from "../base/errors.ts";
import type { AggregationParameters } from "./column.ts";
import type { DataType } from "./data_type.ts";
import type { StandardSchemaV1 } from "./standard_schema_types.ts";

/** How rows with the same key are merged. */
export type MergeEngineName = "last_row" | "first_row" | "versioned" | "aggregation";

/** What the server does with deletes. */
export type DeleteBehavior = "allow" | "ignore" | "disable";

/** What values must be, beyond what their type says; for nested types also inside of them. */
export interface ValueRules {
  /** The values that are allowed; absent means all. */
  readonly oneOf?: readonly string[];
  /** Schemas that every value but null must pass. */
  readonly checks: readonly StandardSchemaV1[];
  /** For the elements of an array. */
  readonly element?: ValueRules;
  /** For the keys of a map. */
  readonly mapKey?: ValueRules;
  /** For the values of a map. */
  readonly mapValue?: ValueRules;
  /** For the fields of a row, by their keys. */
  readonly fields?: ReadonlyMap<string, ValueRules>;
}

/** An aggregation function and its parameters. */
export interface Aggregation {
  /** The function, in lower case: `sum`. */
  readonly fn: string;
  /** What it is told. */
  readonly parameters: AggregationParameters;
}

/** One column. */
export interface ColumnDefinition extends ValueRules {
  /** The key in TypeScript. */
  readonly key: string;
  /** The name on the server. */
  readonly name: string;
  /** The type on the server: key columns are NOT NULL, a column that the server generates is nullable. */
  readonly type: DataType;
  readonly comment?: string;
  readonly aggregate?: Aggregation;
  /** Whether the server numbers it. */
  readonly autoIncrement: boolean;
}

/** A table's declaration. Columns are named by their TypeScript keys throughout. */
export interface TableDefinition {
  /** The database, when the name carried one. */
  readonly database?: string;
  /** The name without the database. */
  readonly name: string;
  readonly columns: readonly ColumnDefinition[];
  /** In key order; empty for a log table. */
  readonly primaryKey: readonly string[];
  /** Absent means the server's choice: for a primary-key table the key without the partition columns. */
  readonly bucketKey?: readonly string[];
  /** Absent means the server's default. */
  readonly buckets?: number;
  /** In partition order; empty when the table is not partitioned. */
  readonly partitionBy: readonly string[];
  /** `last_row` also for log tables, which have no engine. */
  readonly mergeEngine: MergeEngineName;
  /** The version column of a `versioned` table. */
  readonly versionColumn?: string;
  /** Absent means the server's default: allow, and ignore with a merge engine. */
  readonly deleteBehavior?: DeleteBehavior;
  readonly changelog: "full" | "wal";
  /** Server options (`table.*`), without those that have a member of their own here. */
  readonly properties: Readonly<Record<string, string>>;
  readonly customProperties: Readonly<Record<string, string>>;
  readonly comment?: string;
}

/** The name of a table in messages: `shop.orders`. */
export function nameOfTable(definition: Pick<TableDefinition, "database" | "name">): string {
  return definition.database === undefined ? definition.name : `${definition.database}.${definition.name}`;
}

// Registered, so that tables of another copy of the package are known too.
const DEFINITION: unique symbol = Symbol.for("sluice.TableDefinition");

/** Ties a definition to the value that `table()` returns. */
export function attachDefinition(table: object, definition: TableDefinition): void {
  Object.defineProperty(table, DEFINITION, { value: definition });
}

/**
 * The definition of a table value.
 *
 * @throws FlussUsageError `SCHEMA.INVALID` when the value was not made by `table()`
 */
export function definitionOf(table: object): TableDefinition {
  const found = (table as { readonly [DEFINITION]?: TableDefinition } | null)?.[DEFINITION];
  if (found !== undefined) return found;
  throw flussError("SCHEMA.INVALID", {
    message: "the value is not a table",
    hint: "make tables with table(name, columns, options)",
  });
}
