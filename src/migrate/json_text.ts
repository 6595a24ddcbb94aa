/**
 * JSON in one form, and its hash.
 *
 * @module
 */

/** JSON with the keys of every object in order: the same value always has the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(ordered(value));
}

/** `sha256:` and the hash of a text. */
export async function hashText(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256:${new Uint8Array(hash).toHex()}`;
}

/** The hash of a value, whatever the order of its keys and the spaces in its file. */
export function hashJson(value: unknown): Promise<string> {
  return hashText(canonicalJson(value));
}

/** Whether two values are the same JSON. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  // fromEntries() takes any key as data, also one called __proto__.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => a < b ? -1 : 1)
      .map(([key, member]) => [key, ordered(member)]),
  );
}
