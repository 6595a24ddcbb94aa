/**
 * The schemas of a table's rows, as Standard Schema and Standard JSON Schema.
 *
 * @module
 */
import type { TableDefinition } from "./definition.ts";
import { jsonSchemaOf } from "./json_schema.ts";
import { compileRowCheck } from "./row_check.ts";
import type { RowKind } from "./row_kind.ts";
import type { JsonSchemaOptions, StandardResult, TableSchemaV1 } from "./standard_schema_types.ts";

/** The schemas of one table. */
export interface TableSchemas {
  readonly row: TableSchemaV1<unknown>;
  readonly insert: TableSchemaV1<unknown>;
  readonly patch: TableSchemaV1<unknown>;
  readonly key: TableSchemaV1<unknown>;
}

/** Makes the schemas of a table. They are compiled when they are first used. */
export function tableSchemas(definition: TableDefinition): TableSchemas {
  return {
    row: schemaOf(definition, "row"),
    insert: schemaOf(definition, "insert"),
    patch: schemaOf(definition, "patch"),
    key: schemaOf(definition, "key"),
  };
}

function schemaOf(definition: TableDefinition, kind: RowKind): TableSchemaV1<unknown> {
  let check: ReturnType<typeof compileRowCheck> | undefined;
  // What comes out is what went in, so one JSON Schema describes both.
  const jsonSchema = ({ target }: JsonSchemaOptions) => jsonSchemaOf(definition, kind, target);
  return Object.freeze({
    "~standard": Object.freeze({
      version: 1 as const,
      vendor: "sluice",
      validate(value: unknown): StandardResult<unknown> {
        check ??= compileRowCheck(definition, kind);
        const issues = check(value);
        return issues.length > 0 ? { issues } : { value };
      },
      jsonSchema: Object.freeze({ input: jsonSchema, output: jsonSchema }),
    }),
  });
}
