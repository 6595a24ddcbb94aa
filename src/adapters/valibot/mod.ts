/**
 * Tables as valibot schemas, to build larger ones from: `v.object({ user: insertSchema(users) })`.
 *
 * The types are stated, not inferred from entries, because inferring large objects makes editors slow. `valibot` is an
 * optional peer dependency.
 *
 * @module
 */
import * as v from "valibot";
import type { AnyTable, InferInsert, InferKey, InferPatch, InferRow } from "../../schema/infer.ts";
import type { TableSchemaV1 } from "../../schema/standard_schema_types.ts";

export type { GenericSchema } from "valibot";

/** A table value: a table with its schemas. */
export interface SchemaTable extends AnyTable {
  /** The schema of rows as they are read. */
  readonly row: TableSchemaV1<unknown>;
  /** The schema of rows as they are written. */
  readonly insert: TableSchemaV1<unknown>;
  /** The schema of partial rows. */
  readonly patch: TableSchemaV1<unknown>;
  /** The schema of keys. */
  readonly key: TableSchemaV1<unknown>;
}

/**
 * The schema of rows as they are written.
 *
 * @example
 * ```ts
 * import { t, table } from "sluice";
 * import { insertSchema } from "sluice/valibot";
 * import * as v from "valibot";
 *
 * const users = table("shop.users", { id: t.bigint(), name: t.string() }, { primaryKey: ["id"] });
 * const Body = v.object({ user: insertSchema(users) });
 * v.parse(Body, { user: { id: 1n } });
 * ```
 */
export function insertSchema<T extends SchemaTable>(table: T): v.GenericSchema<InferInsert<T>> {
  return schemaOf<InferInsert<T>>(table.insert);
}

/** The schema of rows as they are read. */
export function rowSchema<T extends SchemaTable>(table: T): v.GenericSchema<InferRow<T>> {
  return schemaOf<InferRow<T>>(table.row);
}

/** The schema of partial rows. */
export function patchSchema<T extends SchemaTable>(table: T): v.GenericSchema<InferPatch<T>> {
  return schemaOf<InferPatch<T>>(table.patch);
}

/** The schema of keys. */
export function keySchema<T extends SchemaTable>(table: T): v.GenericSchema<InferKey<T>> {
  return schemaOf<InferKey<T>>(table.key);
}

function schemaOf<Value>(schema: TableSchemaV1<unknown>): v.GenericSchema<Value> {
  // The table's own schema decides, also what the value's type is: what valibot sees is unknown.
  return v.pipe(
    v.unknown(),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const result = schema["~standard"].validate(dataset.value);
      if ("then" in result) return;
      for (const { message, path = [] } of result.issues ?? []) {
        const items = pathItems(dataset.value, path.map((part) => typeof part === "object" ? part.key : part));
        const [first, ...others] = items;
        addIssue(first === undefined ? { message } : { message, path: [first, ...others] });
      }
    }),
  ) as unknown as v.GenericSchema<Value>;
}

/** The path in valibot's form, which carries the values that it leads through. */
function pathItems(root: unknown, path: readonly PropertyKey[]): v.IssuePathItem[] {
  let input: unknown = root;
  return path.map((key): v.IssuePathItem => {
    const value: unknown = input instanceof Map
      ? input.get(key)
      : typeof input === "object" && input !== null
      ? Reflect.get(input, key)
      : undefined;
    const item = { type: "unknown", origin: "value", input, key, value } as const;
    input = value;
    return item;
  });
}
