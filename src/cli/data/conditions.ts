/**
 * Conditions as words of a command line: `ms > 100`, `name ^= A`, `email is null`.
 *
 * @module
 */
import type { Condition } from "../../query/predicate_refs.ts";
import type { ColumnDefinition } from "../../schema/definition.ts";
import { JsonMismatch } from "../../schema/json_values.ts";
import { textReader } from "./cells.ts";
import { splitList, unquoted } from "./list.ts";
import type { OpenTable } from "./open_table.ts";
import { badUsage } from "./values.ts";
import { unknownColumn } from "./pairs.ts";

/** For the help of commands with conditions. */
export const WHERE_TEXT: string =
  "rows of which a column is ...: 'ms > 100', 'url ^= /buy', 'email is null', 'state in new,paid'; " +
  "=, !=, <, <=, >, >=, ^= (starts with), $= (ends with), *= (contains), in, not in, is null, is not null; " +
  "given again, all must hold";

type Predicate = ReturnType<Condition["toJSON"]>;

const COMPARISONS = {
  "=": "eq",
  "==": "eq",
  "!=": "ne",
  "<>": "ne",
  "<": "lt",
  "<=": "lte",
  ">": "gt",
  ">=": "gte",
  "^=": "startsWith",
  "$=": "endsWith",
  "*=": "contains",
} as const;

const OPERATOR = /^\s*(is\s+not\s+null|is\s+null|not\s+in\b|in\b|==|!=|<>|<=|>=|\^=|\$=|\*=|=|<|>)\s*([^]*)$/i;

/**
 * Reads conditions; undefined when there are none.
 *
 * @throws FlussUsageError `CLI.BAD_USAGE`
 */
export function readConditions(texts: readonly string[], table: OpenTable): Predicate | undefined {
  const predicates = texts.map((text) => readCondition(text.trim(), table));
  return predicates.length < 2 ? predicates[0] : { op: "and", predicates };
}

function readCondition(text: string, { definition: { columns }, name }: OpenTable): Predicate {
  const column = columns
    .filter(({ key }) => text.startsWith(key) && OPERATOR.test(text.slice(key.length)))
    .sort((a, b) => b.key.length - a.key.length)[0];
  if (column === undefined) {
    const first = /^[^\s=!<>^$*]+/.exec(text)?.[0];
    if (first !== undefined && OPERATOR.test(text.slice(first.length))) throw unknownColumn(first, columns, name);
    throw badUsage(`${JSON.stringify(text)} is no condition`, "for example --where 'ms > 100'");
  }
  const [, operator, rest] = OPERATOR.exec(text.slice(column.key.length))!;
  const words = operator!.toLowerCase().replaceAll(/\s+/g, " ");
  if (words === "is null" || words === "is not null") {
    if (rest !== "") throw badUsage(`${JSON.stringify(text)} goes on behind ${words}`);
    return { op: words === "is null" ? "isNull" : "isNotNull", column: column.key };
  }
  if (words === "in" || words === "not in") {
    const parts = splitList(rest!.replace(/^\(([^]*)\)$/, "$1"));
    if (parts === undefined) throw badUsage(`the condition ${JSON.stringify(text)}: a quote is not closed`);
    const values = parts.map((value) => valueOf(value, column, text));
    return { op: words === "in" ? "in" : "notIn", column: column.key, value: values };
  }
  const op = COMPARISONS[words as keyof typeof COMPARISONS];
  return { op, column: column.key, value: valueOf(rest!, column, text) };
}

function valueOf(text: string, { key, type }: ColumnDefinition, condition: string): unknown {
  try {
    return textReader(type)(unquoted(text));
  } catch (error) {
    if (!(error instanceof JsonMismatch)) throw error;
    throw badUsage(
      `the condition ${JSON.stringify(condition)}: column ${JSON.stringify(key)}: ${error.message}`,
      "for example --where 'ms > 100'; for null write 'is null'",
    );
  }
}
