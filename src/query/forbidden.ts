/**
 * What a table cannot do, decided from its declaration. The texts are the ones of the types in `handle_types.ts`.
 *
 * @module
 */
import { type FlussError, flussError } from "../base/errors.ts";
import type { TableDefinition } from "../schema/definition.ts";

/** The operations of table handles. */
export type Operation = "upsert" | "update" | "delete" | "lookup" | "prefixLookup" | "append";

/** Why the table cannot do `operation`, or undefined when it can. */
export function whyNot(definition: TableDefinition, operation: Operation): string | undefined {
  if (definition.primaryKey.length === 0) {
    if (operation === "append") return undefined;
    return operation === "lookup" || operation === "prefixLookup"
      ? "log tables have no primary key"
      : "log tables are append-only: use append()";
  }
  switch (operation) {
    case "append":
      return "primary-key tables are written with upsert()";
    case "update":
      return whyNoUpdate(definition);
    case "delete":
      return whyNoDelete(definition);
    case "prefixLookup":
      return leadsKey(definition)
        ? undefined
        : "prefixLookup() needs a bucketKey that is a proper leading part of primaryKey";
    default:
      return undefined;
  }
}

/** The error for an operation that the table cannot do; undefined when it can. */
export function refusal(definition: TableDefinition, operation: Operation, table: string): FlussError | undefined {
  const why = whyNot(definition, operation);
  if (why !== undefined) {
    const reading = operation === "lookup" || operation === "prefixLookup";
    return flussError(reading ? "LOOKUP.NOT_SUPPORTED" : "WRITE.NOT_SUPPORTED", { table, message: why });
  }
  if (operation === "delete" && definition.mergeEngine === "aggregation" && definition.deleteBehavior === undefined) {
    return flussError("WRITE.DELETE_IGNORED", {
      table,
      message: 'aggregation tables ignore deletes unless they are declared with deleteBehavior: "allow"',
    });
  }
  return undefined;
}

function whyNoUpdate(definition: TableDefinition): string | undefined {
  if (definition.mergeEngine === "first_row" || definition.mergeEngine === "versioned") {
    return "first_row and versioned tables reject partial updates";
  }
  const notNull = definition.columns.filter((column) =>
    !column.type.nullable && !definition.primaryKey.includes(column.key) && !column.autoIncrement
  );
  if (notNull.length === 0) return undefined;
  return `update() needs every non-key column nullable; NOT NULL: ${notNull.map((column) => column.key).join(", ")}`;
}

function whyNoDelete(definition: TableDefinition): string | undefined {
  if (definition.mergeEngine === "first_row" || definition.mergeEngine === "versioned") {
    return "first_row and versioned tables reject deletes";
  }
  if (definition.columns.some((column) => column.autoIncrement)) {
    return "the server cannot delete rows of tables with an auto-increment column";
  }
  return definition.deleteBehavior === "disable" ? 'the table is declared with deleteBehavior: "disable"' : undefined;
}

function leadsKey({ primaryKey, partitionBy, bucketKey }: TableDefinition): boolean {
  const key = primaryKey.filter((column) => !partitionBy.includes(column));
  return bucketKey !== undefined && bucketKey.length > 0 && bucketKey.length < key.length &&
    bucketKey.every((column, i) => column === key[i]);
}
