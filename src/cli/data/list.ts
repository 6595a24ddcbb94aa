/**
 * Lists as words of a command line: `a, "b,c", d`.
 *
 * @module
 */

/** The parts between commas, as they stand there; in quotes a comma is none. Undefined where a quote is not closed. */
export function splitList(text: string): readonly string[] | undefined {
  const parts = [""];
  let quote = "";
  for (const character of text) {
    const last = parts.length - 1;
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if ((character === '"' || character === "'") && parts[last]!.trim() === "") quote = character;
    else if (character === ",") {
      parts.push("");
      continue;
    }
    parts[last] += character;
  }
  return quote === "" ? parts : undefined;
}

/** A part without the spaces around it, and without its quotes. */
export function unquoted(part: string): string {
  const word = part.trim();
  return /^(["'])([^]*)\1$/.exec(word)?.[2] ?? word;
}
