/**
 * Whether a value is a row of a table: its columns, their types, and what `.oneOf()` and `.check()` say.
 *
 * @module
 */
import type { ValidationIssue } from "../base/errors.ts";
import { compileChecks } from "./checks.ts";
import type { TableDefinition } from "./definition.ts";
import { type Member, membersOf, type RowKind } from "./row_kind.ts";
import { checkValue, isRecord } from "./value_check.ts";

/** Compiles the check of one kind of row. */
export function compileRowCheck(definition: TableDefinition, kind: RowKind): (value: unknown) => ValidationIssue[] {
  const members = membersOf(definition, kind).map((member) => ({ ...member, path: [member.column.key] }));
  const known = new Set(members.map(({ column }) => column.key));
  const generated = new Set(definition.columns.filter((column) => column.autoIncrement).map((column) => column.key));
  const checks = compileChecks(definition);
  return (row) => {
    if (!isRecord(row)) return [{ message: "expected an object with the table's columns", path: [] }];
    const issues: ValidationIssue[] = [];
    const report = (message: string, path: readonly PropertyKey[]) => issues.push({ message, path: [...path] });
    for (const key of Object.keys(row)) {
      if (known.has(key)) continue;
      report(
        generated.has(key) ? "is numbered by the server: leave it out" : `is not a column of this ${kind}`,
        [key],
      );
    }
    for (const member of members) checkMember(member, row, report);
    // Schemas are promised values of the column's type.
    return issues.length > 0 ? issues : checks?.(row) ?? [];
  };
}

function checkMember(
  { column: { key, type }, required, nullable, path }: Member & { readonly path: readonly PropertyKey[] },
  row: Readonly<Record<string, unknown>>,
  report: (message: string, path: readonly PropertyKey[]) => void,
): void {
  if (!Object.hasOwn(row, key)) {
    if (required) report("is missing", path);
    return;
  }
  const value = row[key];
  if (value === undefined) report("is undefined, which could mean null or leave as it is", path);
  else if (value !== null) checkValue(type, value, path, report);
  else if (!nullable) report("is null, and the column takes no null", path);
}
