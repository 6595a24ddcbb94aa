/**
 * What the official clients cannot do with logs, beyond what `kinds.ts` says of their values.
 *
 * @module
 */
import type { Language } from "./kinds.ts";
import type { Text, WireType } from "./protocol.ts";

/** How a log stores its records. */
export type LogFormat = "arrow" | "indexed" | "compacted";

/** Formats that a client has not got. */
export const NO_FORMAT: { readonly [Key in `${Language} ${LogFormat}`]?: string } = {
  "python indexed": "pyfluss 1.0.0 reads logs of the ARROW format alone, and writes it whatever the table says",
  "python compacted": "pyfluss 1.0.0 reads logs of the ARROW format alone, and writes it whatever the table says",
};

/** Why Java and we do not exchange a value in a log of a format, if it is so. */
type Rule = (type: WireType, text: Text) => string | undefined;

const JAVA: { readonly [Key in LogFormat]?: Rule } = {
  arrow({ type, element }, text) {
    if (type.startsWith("TIMESTAMP") && /^-.*[+][1-9]/.test(String(text))) {
      return "Java's reader of ARROW logs stops at times before 1970 with a part below the millisecond";
    }
    if (type === "ARRAY" && element!.type === "CHAR") {
      return "Java's reader of ARROW logs gives every item of an ARRAY of CHAR the room of the longest";
    }
    return undefined;
  },
  indexed({ type }, text) {
    return type === "BINARY" && String(text).endsWith("00")
      ? "Java's reader strips zeros from the end of a BINARY of an INDEXED row"
      : undefined;
  },
};

/** Why a client cannot exchange a value in a log of a format, if it is so. */
export function logLimitOf(language: Language, format: LogFormat, type: WireType, text: Text): string | undefined {
  const rule = language === "java" ? JAVA[format] : undefined;
  return rule === undefined ? undefined : firstReason(rule, type, text);
}

function firstReason(rule: Rule, type: WireType, text: Text): string | undefined {
  if (text === null) return undefined;
  const found = rule(type, text);
  if (found !== undefined) return found;
  for (const [part, value] of partsOf(type, text)) {
    const inner = firstReason(rule, part, value);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function partsOf({ element, key, value, fields }: WireType, text: Text): (readonly [WireType, Text])[] {
  if (!Array.isArray(text)) return [];
  const items = text as readonly Text[];
  if (element !== undefined) return items.map((item) => [element, item]);
  if (fields !== undefined) return items.map((item, i) => [fields[i]![1], item]);
  return (items as readonly [Text, Text][]).flatMap(([k, v]) => [[key!, k], [value!, v]] as const);
}

/** A text with the entries of its maps in an order of ours: Java's readers of logs have lost that of the writer. */
export function inOrder(type: WireType, text: Text): Text {
  if (text === null || !Array.isArray(text)) return text;
  const items = text as readonly Text[];
  if (type.element !== undefined) return items.map((item) => inOrder(type.element!, item));
  if (type.fields !== undefined) return items.map((item, i) => inOrder(type.fields![i]![1], item));
  const entries = (items as readonly [Text, Text][]).map(([k, v]) => [inOrder(type.key!, k), inOrder(type.value!, v)]);
  return entries.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}
