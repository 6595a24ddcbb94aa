/**
 * Predicates run on columns: which rows of a batch they let through.
 *
 * @module
 */
import type { SchemaColumn } from "../schema/data_type.ts";
import { type ColumnTest, compileColumnTest } from "./column_test.ts";
import type { Columns } from "./columns.ts";
import type { Predicate } from "./predicate.ts";

/** Which rows of some columns match: 1 or 0 for each. */
type Mask = (columns: Columns) => Uint8Array;

/** The rows that match, ascending; undefined when all do. */
export type Filter = (columns: Columns) => Int32Array | undefined;

/**
 * Compiles a predicate that was checked.
 *
 * @param schema the columns that the filter will be given, in this order; it looks at those that the predicate names
 */
export function compileFilter(predicate: Predicate, schema: readonly SchemaColumn[], table: string): Filter {
  const mask = compileMask(predicate, schema, table);
  return (columns) => indicesOf(mask(columns));
}

function compileMask(predicate: Predicate, schema: readonly SchemaColumn[], table: string): Mask {
  if ("predicates" in predicate) {
    const parts = predicate.predicates.map((part) => compileMask(part, schema, table));
    const join = predicate.op === "and" ? intersect : unite;
    return (columns) => {
      const mask = parts[0]!(columns);
      for (let i = 1; i < parts.length; i++) join(mask, parts[i]!(columns));
      return mask;
    };
  }
  const at = schema.findIndex((column) => column.key === predicate.column);
  const test: ColumnTest = compileColumnTest(predicate, schema[at]!, table);
  return (columns) => {
    const mask = new Uint8Array(columns.length);
    test(columns.columns[at]!, mask);
    return mask;
  };
}

function intersect(mask: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < mask.length; i++) mask[i]! &= other[i]!;
}

function unite(mask: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < mask.length; i++) mask[i]! |= other[i]!;
}

function indicesOf(mask: Uint8Array): Int32Array | undefined {
  let count = 0;
  for (let i = 0; i < mask.length; i++) count += mask[i]!;
  if (count === mask.length) return undefined;
  const indices = new Int32Array(count);
  for (let i = 0, at = 0; at < count; i++) if (mask[i] === 1) indices[at++] = i;
  return indices;
}
