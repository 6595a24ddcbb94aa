/**
 * The four kinds of rows that a table has schemas for.
 *
 * @module
 */
import type { ColumnDefinition, TableDefinition } from "./definition.ts";

/** As read, as written, partial, or the key alone. */
export type RowKind = "row" | "insert" | "patch" | "key";

/** A column as a member of one kind of row. */
export interface Member {
  readonly column: ColumnDefinition;
  /** Whether it must be there. */
  readonly required: boolean;
  /** Whether it may be null. */
  readonly nullable: boolean;
}

/** The columns of one kind of row, in their order. */
export function membersOf(definition: TableDefinition, kind: RowKind): Member[] {
  return definition.columns.flatMap((column): Member[] => {
    const isKey = definition.primaryKey.includes(column.key);
    switch (kind) {
      case "row":
        // The server keeps a generated column nullable and never leaves it null.
        return [{ column, required: true, nullable: column.type.nullable && !column.autoIncrement }];
      case "insert":
        if (column.autoIncrement) return [];
        return [{ column, required: !column.type.nullable, nullable: column.type.nullable }];
      case "patch":
        if (column.autoIncrement) return [];
        return [{ column, required: isKey, nullable: column.type.nullable }];
      case "key":
        return isKey ? [{ column, required: true, nullable: false }] : [];
    }
  });
}
