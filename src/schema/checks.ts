/**
 * `.oneOf()` and `.check()` of a table's columns, for the path of writes and reads. What types say is the codec's matter.
 *
 * @module
 */
import { FlussValidationError, type ValidationIssue } from "../base/errors.ts";
import type { DataType } from "./data_type.ts";
import type { TableDefinition, ValueRules } from "./definition.ts";
import type { StandardSchemaV1 } from "./standard_schema_types.ts";

/**
 * Looks at a row, or at a part of one: columns that are not there are not looked at, and null passes.
 *
 * @returns every complaint, or undefined when there is none
 * @throws FlussValidationError `VALIDATION.ASYNC` when a schema answers with a promise
 */
export type RowChecks = (row: Readonly<Record<string, unknown>>) => ValidationIssue[] | undefined;

/** Compiles the checks of a table; undefined when its columns have none. */
export function compileChecks(definition: TableDefinition): RowChecks | undefined {
  const columns = definition.columns.flatMap(({ key, type, ...rules }) => {
    const look = compileRules(type, rules);
    return look === undefined ? [] : [{ key, look }];
  });
  if (columns.length === 0) return undefined;
  return (row) => {
    let issues: ValidationIssue[] | undefined;
    for (const { key, look } of columns) {
      // Columns have any name, also those of Object.prototype.
      if (!Object.hasOwn(row, key)) continue;
      const value = row[key];
      if (value === null || value === undefined) continue;
      look(value, [key], (issue) => (issues ??= []).push(issue));
    }
    return issues;
  };
}

type Path = readonly PropertyKey[];
type Report = (issue: ValidationIssue) => void;
type Look = (value: unknown, path: Path, report: Report) => void;

/** The looks at a value and into it; undefined when there is nothing to look at. */
function compileRules(type: DataType, rules: ValueRules): Look | undefined {
  const looks = [oneOfLook(rules), ...rules.checks.map(schemaLook), insideLook(type, rules)].filter((look) =>
    look !== undefined
  );
  if (looks.length < 2) return looks[0];
  return (value, path, report) => {
    for (const look of looks) look(value, path, report);
  };
}

function oneOfLook({ oneOf }: ValueRules): Look | undefined {
  if (oneOf === undefined) return undefined;
  const allowed = new Set<unknown>(oneOf);
  const message = `must be one of ${oneOf.map((value) => JSON.stringify(value)).join(", ")}`;
  return (value, path, report) => {
    if (!allowed.has(value)) report({ message, path });
  };
}

function schemaLook(schema: StandardSchemaV1): Look {
  return (value, path, report) => {
    const result = schema["~standard"].validate(value);
    if ("then" in result) {
      // Nobody waits for it.
      result.then(undefined, () => {});
      throw new FlussValidationError("VALIDATION.ASYNC", {
        message: `the check of column ${JSON.stringify(String(path[0]))} answers with a promise`,
        column: String(path[0]),
      });
    }
    for (const issue of result.issues ?? []) {
      const inner = (issue.path ?? []).map((segment) => typeof segment === "object" ? segment.key : segment);
      report({ message: issue.message, path: inner.length === 0 ? path : [...path, ...inner] });
    }
  };
}

/** A look at what a nested value is made of. What is not of the type is passed over: the codec refuses it. */
function insideLook(type: DataType, rules: ValueRules): Look | undefined {
  switch (type.kind) {
    case "array":
      return arrayLook(rules.element && compileRules(type.element, rules.element));
    case "map":
      return mapLook(
        rules.mapKey && compileRules(type.key, rules.mapKey),
        rules.mapValue && compileRules(type.value, rules.mapValue),
      );
    case "row": {
      const fields = type.fields.flatMap((field) => {
        const inner = rules.fields?.get(field.key);
        const look = inner && compileRules(field.type, inner);
        return look === undefined ? [] : [{ key: field.key, look }];
      });
      return fields.length === 0 ? undefined : rowLook(fields);
    }
    default:
      return undefined;
  }
}

function arrayLook(look: Look | undefined): Look | undefined {
  return look && ((value, path, report) => {
    if (!Array.isArray(value)) return;
    value.forEach((element, i) => {
      if (element !== null && element !== undefined) look(element, [...path, i], report);
    });
  });
}

function mapLook(lookAtKey: Look | undefined, lookAtValue: Look | undefined): Look | undefined {
  if (lookAtKey === undefined && lookAtValue === undefined) return undefined;
  return (map, path, report) => {
    if (typeof map !== "object" || map === null) return;
    for (const [key, value] of map instanceof Map ? map : Object.entries(map)) {
      const at = [...path, typeof key === "number" ? key : String(key)];
      lookAtKey?.(key, at, report);
      if (value !== null && value !== undefined) lookAtValue?.(value, at, report);
    }
  };
}

function rowLook(fields: readonly { readonly key: string; readonly look: Look }[]): Look {
  return (row, path, report) => {
    if (typeof row !== "object" || row === null) return;
    for (const { key, look } of fields) {
      if (!Object.hasOwn(row, key)) continue;
      const value: unknown = Reflect.get(row, key);
      if (value !== null && value !== undefined) look(value, [...path, key], report);
    }
  };
}
