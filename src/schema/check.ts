/**
 * The rules of a valid table, written once: `table()` makes usage errors of them, a server its own codes.
 *
 * @module
 */
import type { TableDefinition } from "./definition.ts";
import { ENGINE_RULES } from "./rules/engines.ts";
import { AUTO_PARTITION_RULES, KEY_RULES } from "./rules/keys.ts";
import { NAME_RULES } from "./rules/names.ts";
import { OPTION_RULES } from "./rules/options.ts";
import type { Rule } from "./rules/rule.ts";
import { TYPE_RULES } from "./rules/types.ts";
import type { Violation } from "./violation.ts";

/** All rules, in the order in which they are looked at. */
export const RULES: readonly Rule[] = [
  ...NAME_RULES,
  ...TYPE_RULES,
  ...KEY_RULES,
  ...ENGINE_RULES,
  ...AUTO_PARTITION_RULES,
  ...OPTION_RULES,
];

/** Every rule that a table breaks; empty for a valid one. */
export function check(definition: TableDefinition): Violation[] {
  const violations: Violation[] = [];
  for (const { name: rule, code, serverCode, find } of RULES) {
    for (const finding of find(definition)) {
      violations.push({ ...finding, rule, code, ...(serverCode === undefined ? {} : { serverCode }) });
    }
  }
  return violations;
}
