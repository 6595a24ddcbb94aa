/**
 * What of Java's ways clients can see: the order in which its sets give their elements, and how its JSON library reads
 * documents that are not what they should be.
 *
 * @module
 */
import { uncoded } from "../fault.ts";

/** Texts in the order in which a `HashSet` that took them one by one gives them back. */
export function hashOrder(texts: Iterable<string>): string[] {
  const unique = [...new Set(texts)];
  let capacity = 16;
  while (unique.length > capacity * 0.75) capacity *= 2;
  const slotOf = (text: string) => {
    let hash = 0;
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return unique.map((text) => ({ text, slot: slotOf(text) })).sort((a, b) => a.slot - b.slot).map(({ text }) => text);
}

/** A member of a JSON object; undefined where there is none, or no object. */
export function memberOf(json: unknown, key: string): unknown {
  if (json === undefined) throw missing(key);
  return isObject(json) && Object.hasOwn(json, key) ? json[key] : undefined;
}

/** The elements of a list, the members of an object; nothing else has any. */
export function elementsOf(json: unknown, what: string): readonly unknown[] {
  if (json === undefined) throw missing(what);
  return Array.isArray(json) ? json : isObject(json) ? Object.values(json) : [];
}

/** The members of an object as text; nothing else has any. */
export function textsOf(json: unknown, what: string): Record<string, string> {
  if (json === undefined) throw missing(what);
  return Object.fromEntries(Object.entries(isObject(json) ? json : {}).map(([key, one]) => [key, textOf(one, key)]));
}

/** Anything as text. */
export function textOf(json: unknown, what: string): string {
  if (json === undefined) throw missing(what);
  return typeof json === "object" && json !== null ? "" : String(json);
}

/** Anything as a whole number of 32 bits; what is none counts as 0. */
export function numberOf(json: unknown, what: string): number {
  if (json === undefined) throw missing(what);
  if (typeof json === "number") return Math.trunc(json) | 0;
  if (typeof json === "string") return /^\s*[+-]?\d/.test(json) ? Math.trunc(Number(json)) | 0 : 0;
  return json === true ? 1 : 0;
}

/** Anything as true or false. */
export function flagOf(json: unknown): boolean {
  return typeof json === "number" ? json !== 0 : json === true || (typeof json === "string" && json.trim() === "true");
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function missing(what: string): Error {
  return uncoded("java.lang.NullPointerException", `${what} is missing`);
}
