/**
 * The options of commands, read and checked.
 *
 * @module
 */
import { type FlussError, flussError } from "../../base/errors.ts";
import type { Values } from "../command.ts";
import { splitList, unquoted } from "./list.ts";

/** An option that takes a text; undefined when it was not given. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name];
  if (value === "") throw badUsage(`--${name} is empty`);
  return typeof value === "string" ? value : undefined;
}

/** An option that repeats. */
export function textsOf(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value : [];
}

/** Whether an option is on. */
export function isOn(values: Values, name: string): boolean {
  return values[name] === true;
}

/** An option that takes names with commas between them. */
export function namesOf(values: Values, name: string): readonly string[] | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const names = splitList(text)?.map(unquoted);
  if (names?.every((part) => part !== "") === true) return names;
  throw badUsage(`--${name} wants names with commas between them`);
}

/** An option that takes a number and has a default. */
export function numberOf(values: Values, name: string, { above }: { readonly above: number }): number {
  const text = textOf(values, name) ?? "";
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  // The longest that a timer takes.
  if (number > above && number <= 2 ** 31 / 1000) return number;
  throw badUsage(`--${name} wants a number above ${above}, not ${JSON.stringify(text)}`);
}

/** An option that takes a whole number; undefined when it was not given. */
export function countOf(values: Values, name: string): number | undefined {
  const text = textOf(values, name);
  if (text === undefined) return undefined;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw badUsage(`--${name} wants a whole number of at least 1, not ${JSON.stringify(text)}`);
}

/** Words that make no sense. */
export function badUsage(message: string, hint = "see --help"): FlussError {
  return flussError("CLI.BAD_USAGE", { message, hint });
}
